"""Jobs from outside: submit, start detached, stop, resume, find out which are alive.

A worker is started, and its flock taken, in `launch` alone; questions to torch go to processes that are no jobs.

    submit.py           validated settings to a job; scoring.py, ask.py and demo.py: of kinds of their own
    launch.py           a worker started so that it outlives all; control.py: stopping, resuming, true rows
    removal.py          deleting a job; adapter_files.py: whether what one has learnt is still as it was written
    progress.py         how fast, how long; log.py: the end of a log; run_table.py: runs compared
    asked_process.py    one question to a process: estimate.py of memory, model_check.py of a model
    known_models.py     models to pick from; packages.py: what a job needs installed
"""

from radtui.jobs.control import reconcile, resume, start_followers, stop
from radtui.jobs.launch import alive
from radtui.jobs.log import tail_log
from radtui.jobs.submit import submit_generate, submit_import, submit_train

__all__ = [
    "alive",
    "reconcile",
    "resume",
    "start_followers",
    "stop",
    "submit_generate",
    "submit_import",
    "submit_train",
    "tail_log",
]
