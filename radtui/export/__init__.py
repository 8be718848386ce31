"""Comparisons and ratings to files other programs read: a whole file or none."""
