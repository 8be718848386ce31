"""The worker as a process: its start, its ranks, how it reports and how it fails."""
