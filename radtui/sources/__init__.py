"""Where images come from: folders, parquet, the Hugging Face hub, DICOM, and the demo's phantoms.

    base.py      the Source protocol, split names, limits, files of a folder
    columns.py   which column holds what
    table.py     rows of CSV and JSON Lines
    folder.py    images with a table, with texts beside them, or alone
    parquet.py   images inside parquet files
    hub.py       a data set by its hub id; hub_download.py tells how far a download is
    dicom.py     DICOM files, with an allow-list for their headers
    phantoms.py  drawn radiographs

datasets, pyarrow and pydicom are imported inside functions: the app looks at sources without them.
"""

from __future__ import annotations

from pathlib import Path

from radtui.records import UserError
from radtui.settings import SEED_DATASET, ImportSettings
from radtui.sources.base import IMAGE_SUFFIXES, Source, existing_path, walk
from radtui.sources.dicom import DicomSource, find_dicom, looks_like_dicom
from radtui.sources.folder import FolderSource, find_tables
from radtui.sources.hub import HubSource, is_hub_id
from radtui.sources.parquet import ParquetSource, find_parquet
from radtui.sources.phantoms import PREFIX, PhantomSource
from radtui.sources.table import TABLE_SUFFIXES

__all__ = ["Source", "open_source"]


def open_source(settings: ImportSettings) -> Source:
    """Choose and open the source that the settings name, reading none of its images.

    What exists on disk comes first, then `phantoms:SEED[:TRAINxTEST]`, then a hub id.

    Raises:
        UserError: there is nothing of that name, nothing in it to import, or no column with images.
    """
    text = settings.source.strip()
    if text.startswith(PREFIX):
        return PhantomSource(text, settings)
    path = existing_path(text) if text else None
    if path is not None:
        return _open_folder(path, settings) if path.is_dir() else _open_file(path, settings)
    if is_hub_id(text):
        return HubSource(text, settings)
    raise UserError(
        f"There is no folder or file {text!r}; name one, or a hub id such as {SEED_DATASET}, or phantoms:SEED."
    )


def _open_file(path: Path, settings: ImportSettings) -> Source:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return ParquetSource(path, settings)
    if suffix in TABLE_SUFFIXES:
        return FolderSource(path, settings)
    if suffix in IMAGE_SUFFIXES:
        raise UserError(f"{path.name} is one image; name the folder it is in.")
    if suffix in (".dcm", ".dicom") or looks_like_dicom(path):
        return DicomSource(path, settings)
    raise UserError(f"{path.name} is no parquet, CSV, JSON Lines or DICOM file; name one, or a folder.")


def _open_folder(path: Path, settings: ImportSettings) -> Source:
    """A table decides, then parquet (a hub repository has pictures beside it), then what there is more of."""
    files = walk(path)
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if any(table.stem.lower() == "metadata" for table in find_tables(path, files)):
        return FolderSource(path, settings)
    if find_parquet(files):
        return ParquetSource(path, settings)
    others = [file for file in files if file.suffix.lower() not in IMAGE_SUFFIXES | TABLE_SUFFIXES | {".txt"}]
    dicom = find_dicom(path, others)
    if len(dicom) > len(images) and not find_tables(path, files):
        return DicomSource(path, settings)
    if images or (dicom and find_tables(path, files)):
        return FolderSource(path, settings)
    raise UserError(f"There are no images, parquet or DICOM files in {path}; name another folder.")
