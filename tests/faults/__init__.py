"""What happens to processes, disks, folders and names, done on purpose; `python -m tests.faults` does all of it."""
