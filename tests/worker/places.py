"""Where things of these tests lie, and how long what takes seconds may take."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FORKED = Path(__file__).parent / "forked"
LIMIT_S = 300.0  # for what takes seconds, on a busy machine many; a test that hangs is to fail in the end
