"""Pixels to grey levels to terminal cells: decoding, windows, pyramids, views, cells; no screen is touched here."""
