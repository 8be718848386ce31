"""Where cases come from: folders, archives, tables of every kind, the Hugging Face hub, and the demo's phantoms.

    files.py      a source as one tree of regular files; archives.py zip and tar read in place
    readers/      bytes to rows: CSV, JSON, parquet, Arrow, Excel
    layouts/      rows and files to cases: what columns hold, which file a name means, what belongs together
    source.py     what every source can do; base.py: what all have in common; sorting.py: its files told apart
    local.py      a folder, a file or an archive as a source; linking.py: which files cannot stay where they are
    hub.py        a data set by its hub id; hub_download.py tells how far a download is, hub_fetch.py brings one
    identity.py   the one gate for names, dates and ids: identity_columns.py, identity_words.py, identity_texts.py
    phantoms.py   drawn radiographs
    choices.py    what a user may say about a source; preview.py what it shows before it is
                  taken, in preview_process.py
    images.py     one file's bytes to images that may be kept; kinds.py what a file is; dicom.py headers,
                  dicom_keys.py what they call exams and patients
    image_names.py  how images' names end; literals.py: values written as text

datasets, pyarrow, openpyxl and pydicom are imported inside functions: the app looks at sources without them.
"""

from __future__ import annotations

from pathlib import Path

from radtui.records import UserError
from radtui.settings import SEED_DATASET, ImportSettings
from radtui.sources.archives import archive_kind
from radtui.sources.base import IMAGE_SUFFIXES, existing_path
from radtui.sources.choices import SourceChoices
from radtui.sources.hub import HubSource, is_hub_id
from radtui.sources.local import LocalSource
from radtui.sources.phantoms import PREFIX, PhantomSource
from radtui.sources.readers import table_suffix
from radtui.sources.source import Source

__all__ = ["Source", "SourceChoices", "open_source", "refuse_unknown"]


def open_source(settings: ImportSettings) -> Source:
    """Choose and open the source that the settings name, reading none of its images.

    What exists on disk comes first, then `phantoms:SEED[:TRAINxTEST]`, then a hub id.

    Raises:
        UserError: there is nothing of that name, nothing in it to import, or no column with images.
    """
    text = settings.source.strip()
    choices = SourceChoices.of(settings)
    if text.startswith(PREFIX):
        return PhantomSource(text, choices)
    path = existing_path(text) if text else None
    if path is not None:
        return LocalSource(_usable(path), choices)
    refuse_unknown(text)
    return HubSource(text, choices)


def refuse_unknown(source: str) -> None:
    """Refuse a source that is not there, before anything is begun.

    Raises:
        UserError: it is no name of phantoms, nothing on the disk, and has not the form of a hub id.
    """
    text = source.strip()
    if text.startswith(PREFIX) or is_hub_id(text) or (text and existing_path(text) is not None):
        return
    raise UserError(
        f"There is no folder or file {text!r}; name one, or a hub id such as {SEED_DATASET}, or phantoms:SEED."
    )


def _usable(path: Path) -> Path:
    """The path of a source that can be looked through. Raises UserError for a single file that is none."""
    if path.is_dir() or archive_kind(path.name) or table_suffix(path.name):
        return path
    if not path.is_file():
        raise UserError(f"{path.name} is neither a file nor a folder; name a folder.")
    from radtui.sources.kinds import HEAD_BYTES, FileUse, file_kind

    with path.open("rb") as file:
        kind = file_kind(path.name, file.read(HEAD_BYTES))
    if kind.use in (FileUse.DICOM, FileUse.VOLUME):
        return path
    if kind.use is FileUse.IMAGE or path.suffix.lower() in IMAGE_SUFFIXES:
        raise UserError(f"{path.name} is one image; name the folder it is in.")
    raise UserError(f"{path.name}: {kind.reason}")
