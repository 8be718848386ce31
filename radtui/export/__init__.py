"""Comparisons and ratings to files other programs read, and back; copies of the data folder; a whole file or none.

formats.py      every form by its name, each with its manifest
comparisons.py  errors.py  corrections.py  jsonl.py  parquet.py  preferences.py  text_scores.py   the forms
columns.py      what the columns of tables are called, for base and tuned and for any arms
csv_text.py     cells that run nowhere, with formula_quote.py; files.py: whole files and folders
manifest.py     what a file was made of, beside it; chains.py links its rows to those that it leaves out
rating_files.py ratings out of a file; rating_checks.py says whether they can be, import_ratings.py puts them in
verifying.py    an export held against its links; verifying_tables.py: a CSV against itself
backup.py       copies of a data folder; restore_backup.py puts one in its place
pack.py         a reader's part of a study as one file; pack_home.py opens one and takes its ratings home
loss.py         the loss chart of training jobs
adapter.py      a training job's adapter as a folder, with its model_card.py
report/         a run and its review told in one file
"""
