"""Images in real pixels within the running app.

support.py   what the terminal can draw, what the user wants, and the way that follows
app.py       the base of an app whose images may be in pixels: it hears the answers, and acts after each frame
painter.py   one image canvas in pixels: sends, frees
frames.py    one frame: the cells that the image lies in, as fine as is sent of them
parts.py     which parts of a canvas nothing lies over, for images that are no text
strips.py    rows of cells that show pixels, and are half blocks to whatever tints them or takes a picture
"""
