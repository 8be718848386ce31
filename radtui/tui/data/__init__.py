"""The place Data: images listed, searched, looked at, imported.

screen.py           the list and an image; data_line.py above it; list_and_image.py: keys of both
image_list.py       cases as rows: image_rows.py; image_look.py: one of them large, with its facts
gallery.py          thumbnails: thumbnail_grid.py on a tile_grid.py, laid out by tiling.py, made by thumbnails.py
importing.py        where from; preview.py: what would come in
dialogs.py          which data set, which of its images
"""
