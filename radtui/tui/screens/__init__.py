"""Screens of the app that belong to no place, one a file.

base.py         what all have: the bar above, the keys below
welcome.py      what an empty data folder opens on
help.py         every key that works now; commands.py: what they do, by name; guide.py: a few lines to begin with
film.py         one image over all of it
confirm.py      one question; columns.py: which columns a list shows
small.py        what stands there while the terminal is too small
"""
