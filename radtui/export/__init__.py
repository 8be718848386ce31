"""Comparisons and ratings to files other programs read, and back: a whole file or none.

study.py        what a review holds, read once: for statistics, exports and the report
formats.py      every form by its name, each with its manifest
comparisons.py  errors.py  jsonl.py  parquet.py  preferences.py   the forms
schemes.py      which ratings a form of one rating scheme can hold
rated_pairs.py  what a training job can learn from raters, and with which settings
manifest.py     what a file was made of, beside it
incoming.py     ratings out of a file; restore.py puts them where they belong
files.py        whole files and folders; csv_text.py and guard.py: cells that run nowhere
scores.py       descriptions against truth and references
loss.py         the loss chart of training jobs
adapter.py      a training job's adapter as a folder, with its model_card.py
words.py        figures in words
report/         a run and its review told in one file
"""
