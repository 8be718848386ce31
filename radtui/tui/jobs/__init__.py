"""The place Jobs: every run, its log, and several of them together."""
