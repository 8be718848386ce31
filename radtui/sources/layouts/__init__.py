"""Rows and files to cases: which columns hold what, which file a name means, which tables belong together.

draft.py         a case before its images are read
roles.py         which columns hold what; finder.py, role_images.py, role_texts.py find them, words.py has their names
filenames.py     which file or folder a name in a table means; name_index.py, loose_names.py,
                 header_keys.py find it, table_names.py for one table
conversation.py  turns of trainers' formats as questions and answers
candidates.py    the tables of a source compared; plan.py chooses, completing.py and joins.py put tables together
reshaped.py      tables whose rows are no cases; told_apart.py: several texts of one image;
                 export_damage.py: what an export took
composed.py      names of images that are in several columns, or hold a word more than files have
tabled.py        rows of a table to cases; repeats.py: those that came before; large_cases.py: those of many images;
                 slices.py: those of one slice; noticing.py watches them; labels_alone.py: tables without a text;
                 held_rows.py: rows by key for joins; row_texts.py: lists of texts; sections.py: parts of a report
beside.py        texts beside images and reports of folders; text_files.py: several of one image
cells.py         cells as text, lists and images; markup.py takes HTML and RTF off
"""
