"""Jobs from outside: submit, start detached, stop, resume, find out which are alive.

A worker is started, and its flock taken, in `launch` alone; `estimate` asks a process that is no job.
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
