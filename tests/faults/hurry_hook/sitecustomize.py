"""Loaded by every Python process started with this folder on PYTHONPATH: it sleeps a sixtieth as long."""

import time

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(seconds / 60)
