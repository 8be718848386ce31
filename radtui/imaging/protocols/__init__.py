"""Images in real pixels for terminals that have them: what is written for kitty's protocol and for sixels, what is
asked first, and what the answers mean. Nothing here writes or waits; `radtui.tui.pixels` does.

kitty.py     images as PNG, shown by text cells that stand for them, or placed at the cursor
sixel.py     images as sixels, dithered where the terminal has few colours
answers.py   the questions, and what a terminal's answers say that it can draw
tmux.py      how a command goes through tmux to the terminal around it
marks.py     sides, scale bar and cross, drawn into pixels
"""
