"""Databases as the radtui that released each schema made them: see `tools/old_database.py`."""

from __future__ import annotations

import gzip
from pathlib import Path

from radtui.paths import DataDir

FOLDER = Path(__file__).parents[1] / "data" / "schemas"
SCHEMAS = tuple(sorted(int(path.name) for path in FOLDER.iterdir()))


def old_database(schema: int, folder: Path) -> DataDir:
    """A data folder with the database of a schema, not opened yet."""
    data = DataDir(folder).create()
    data.database.write_bytes(gzip.decompress((FOLDER / str(schema) / "radtui.db.gz").read_bytes()))
    return data
