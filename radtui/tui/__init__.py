"""The app: draws what the database holds and asks for jobs; every slow thing runs in a thread or a worker.

app.py        RadtuiApp: modes.py's screens, one key each, help, quit
theme.py      colours, in four themes; remembering.py keeps what the user chooses
terminal.py   what the terminal can show; asking_driver.py asks it, recolour.py brings a running app to more colours
poll.py       the one poller thread; reads rows behind a cursor, posts one frozen Snapshot per Tick
snapshot.py   what a Tick carries
messages.py   messages that cross widgets
words.py      states of jobs as text
pictures.py   small images as cells
pixels/       images in real pixels within the running app
data/ train/ review/ jobs/   each place of the app: its screens, widgets and styles together
screens/      screens of no one place: the base of all, help, welcome, questions
widgets/      widgets that several places share
"""
