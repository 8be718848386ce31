"""The app: draws what the database holds and asks for jobs; every slow thing runs in a thread or a worker.

app.py        RadtuiApp: modes.py's screens, one key each; app_keys.py: keys that work everywhere, with palette.py,
              clipboard.py and screenshot.py; rad.py: what screens know of it
first_screen.py  where it opens, and opening.py with what; doors.py: whether there is anything; hangup.py: its end
keys.py       what keys mean; key_uses.py what each does where, with job_key_uses.py and sheet_key_uses.py
aside.py      what takes longer than a frame, in a thread
harmless_lines.py  the last gate before the terminal
theme.py      colours, in four themes; remembering.py keeps what the user chooses
terminal.py   what the terminal can show; asking_driver.py asks it, recolour.py brings a running app to more colours
poll.py       the one poller thread; reads rows behind a cursor, posts one frozen Snapshot per Tick
snapshot.py   what a Tick carries
timers.py     timers that go off whatever holds the process up
messages.py   messages that cross widgets
words.py      states of jobs as text
pictures.py   small images as cells; ansi_strip.py: rows that are written already
pixels/       images in real pixels within the running app
data/ train/ review/ jobs/ ask/   each place of the app: its screens, widgets and styles together
screens/      screens of no one place: the base of all, help, welcome, questions
widgets/      widgets that several places share
"""
