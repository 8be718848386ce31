"""Pixels to grey levels to terminal cells: decoding, windows, pyramids, views, cells; no screen is touched here.

decode.py           bytes to raw values, as raster.py has them; frames.py: which of many; loader.py: in threads
dicom.py            DICOM to raw values: dicom_read.py reads the tags of dicom_tags.py, dicom_pixels.py the frame,
                    with gdcm_frame.py in a process of its own; dicom_luts.py: tables, windows, padding
volumes.py          NIfTI and others, read by volume_files.py, to slices
windows.py          which values are black and white
pyramid.py          halved copies; view.py: where a viewer looks, moves.py: by which key; render.py: greys of a view
draw.py             a view as cells with its marks: cells.py divides them, ansi.py writes them; protocols/: pixels
thumbnail.py        small pictures
facts.py            what an import stores of a file; whole_png.py: whether a PNG is whole
dicom_keep.py       files without what people wrote into them: comments.py, tiff_tags.py, avif_items.py
"""
