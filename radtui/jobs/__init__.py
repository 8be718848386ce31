"""Jobs from outside: submit, start detached, stop, resume, find out which are alive.

The only Popen and the only flock of the project are in `launch`.
"""

from radtui.jobs.control import alive, reconcile, resume, start_followers, stop
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
