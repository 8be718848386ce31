"""The app: draws what the database holds and asks for jobs; every slow thing runs in a thread or a worker.

app.py        RadtuiApp: modes.py's screens, one key each, help, quit
theme.py      colours
terminal.py   what the terminal can show; asking_driver.py asks it, recolour.py brings a running app to more colours
poll.py       the one poller thread; reads rows behind a cursor, posts one frozen Snapshot per Tick
snapshot.py   what a Tick carries
messages.py   messages that cross widgets
words.py      durations, rates and states as text; job_words.py, job_differences.py and plan.py: sentences about jobs
rates.py      the pace of live jobs; watched.py: what a training job writes; train_choices.py: what its form offers
image_rows.py images as rows of a table; thumbnails.py small ones, drawn by pictures.py; still.py: one in real pixels
review_*.py   a rater's session and time, its panels, and what one key changes; rater_lock.py: who else has the name
screens/      one screen a file, its .tcss beside it
widgets/      one widget a file
"""
