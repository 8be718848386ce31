"""Metric points -> smoothed, bounded series -> characters, SVG or PNG; pure, knows nothing of Textual."""
