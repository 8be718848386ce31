"""The app: draws what the database holds and asks for jobs; every slow thing runs in a thread or a worker.

app.py        RadtuiApp: modes, one key each, help, quit
theme.py      colours
poll.py       the one poller thread; reads rows behind a cursor, posts one frozen Snapshot per Tick
snapshot.py   what a Tick carries
messages.py   messages that cross widgets
words.py      durations, rates and states as text
screens/      one screen a file, its .tcss beside it
widgets/      one widget a file
"""
