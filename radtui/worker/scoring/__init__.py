"""Scores that a package with weights of its own computes, text by text, in the package's own environment."""
