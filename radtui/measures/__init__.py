"""What numbers say: agreement, intervals, preference, strengths, errors, text and truth scores. Pure: no database."""
