"""The place Train: a run's settings, its memory, its curves and what it writes meanwhile."""
