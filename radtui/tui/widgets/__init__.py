"""Widgets that several screens share, one a file, and what they draw with.

image_view.py       an image with keys: image_picture.py is decoded, image_canvas.py draws it by canvas_rows.py
                    when pacing.py says, image_mouse.py drags it
case_images.py      a case's images: image_strip.py under the large one, image_facts.py beside it; text_box.py: one text
chart.py            the loss chart; small_chart.py: those beside it; canvas_strips.py and ground.py: their colours
virtual_table.py    a table of any length: table_columns.py, table_line.py, cell_text.py; row_text.py: its row whole
settings_form.py    settings as a form: field_list.py, field_line.py
search_line.py      what is typed over a list; typed_line.py: one line; path_input.py: a path, with path_completion.py
top_bar.py          the line above every screen; key_bar.py: the one below
keyed.py            Textual's own with our keys; aligned.py: lines to choose from; answer_keys.py: a sheet's answers
"""
