"""The place Review: blind pairs, answers, and what they come to."""
