"""Comparisons and ratings to files other programs read, and back: a whole file or none.

formats.py      every form by its name, each with its manifest
comparisons.py  errors.py  jsonl.py  parquet.py  preferences.py   the forms
columns.py      what the columns of tables are called, for base and tuned and for any arms
manifest.py     what a file was made of, beside it
incoming.py     ratings out of a file; sound.py says whether they can be, restore.py puts them where they belong
files.py        whole files and folders; csv_text.py and formula_quote.py: cells that run nowhere
loss.py         the loss chart of training jobs
adapter.py      a training job's adapter as a folder, with its model_card.py
report/         a run and its review told in one file
"""
