"""What every source has in common: split names, limits, and reading files of a folder."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from radtui.paths import expanded
from radtui.records import UserError

IMAGE_SUFFIXES = frozenset(
    (
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".tif",
        ".tiff",
        ".webp",
        ".bmp",
        ".dib",
        ".gif",
        ".jp2",
        ".j2k",
        ".j2c",
        ".jpc",
        ".jpx",
        ".avif",
        ".pgm",
        ".ppm",
    )
)
DICOM_SUFFIXES = frozenset((".dcm", ".dicom", ".dic", ".ima"))
MAX_FILE_BYTES = 2**30  # an image's bytes are held in memory while they are imported

_SPLIT_WORDS: dict[str, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "entrenamiento", "treino", "treinamento", "apprentissage", "训练", "训练集"),
    "validation": (
        "validation", "valid", "val", "dev", "validate", "validating", "development", "validación", "validação",
        "validierung", "验证", "验证集",
    ),
    "test": (
        "test", "testing", "tst", "eval", "evaluation", "held-out", "heldout", "held_out", "prueba", "teste",
        "测试", "测试集",
    ),
}  # fmt: skip
"""Words that mean a split, in file names, folder names and cells.

Source: Hugging Face datasets, "Structure your repository", section "Split names"; and in other languages.
"""
_SPLIT_OF_WORD = {word: split for split, words in _SPLIT_WORDS.items() for word in words}
_WORD = re.compile(r"[a-z]+")
_CAMEL = re.compile(r"([a-z])([A-Z])")
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz)$")
_DECATHLON = re.compile(r"(?:images|labels)(tr|ts|val|va)")
"""Folders of the Medical Segmentation Decathlon and of nnU-Net."""
_FOLDER_WORDS = frozenset(
    (
        "images",
        "image",
        "imgs",
        "img",
        "data",
        "set",
        "dataset",
        "stage",
        "png",
        "jpg",
        "dicom",
        "split",
        "folder",
        "of",
    )
)
"""Words that a split's folder may have beside its own: "stage_2_train_images"."""


class SplitLimit:
    """Counts images per split, for imports of only the first ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: Counter[str] = Counter()

    def take(self, split: str) -> bool:
        """Whether one more image of the split is wanted; counts it when so."""
        if self.full(split):
            return False
        self._taken[split] += 1
        return True

    def full(self, split: str) -> bool:
        """Whether the split has all the images that are wanted."""
        return bool(self._limit) and self._taken[split] >= self._limit


def limited_total(per_split: Counter[str], limit: int) -> int:
    """Images that remain of these counts when each split keeps its first `limit`; 0 keeps all."""
    return sum(min(n, limit) if limit else n for n in per_split.values())


def holds(names: Sequence[str], name: str) -> bool:
    """Whether a name is among sorted ones: a set of a million names takes a hundred megabytes."""
    at = bisect_left(names, name)
    return at < len(names) and names[at] == name


def split_name(text: str) -> str:
    """A split's usual name: "val", "Valid" and "dev" are `validation`; unknown names stay as they are."""
    text = text.strip()
    word = text.casefold()
    return _SPLIT_OF_WORD.get(word) or _split_of_folder(word) or text


def is_split_word(text: str) -> bool:
    """Whether a text is a usual word for a split."""
    return text.strip().casefold() in _SPLIT_OF_WORD


_FLAG_WORDS = frozenset(
    ("is", "in", "set", "split", "flag", "for", "subset", "data", "use", "used", "sample", "case")
)
_YES, _NO = (
    ("1", "true", "yes", "y", "t", "x", "ja", "si", "sí", "oui"),
    ("", "0", "false", "no", "n", "f", "nein", "non"),
)


def split_of_flag(words: Iterable[str], cells: Iterable[str]) -> str:
    """The split that a column of yes and no says of its rows ("is_test", "in train set"), or "".

    Args:
        words: Those of the column's name, in lower case.
        cells: Its cells.
    """
    words = tuple(words)
    known = [_SPLIT_OF_WORD[word] for word in words if word in _SPLIT_OF_WORD]
    others = [word for word in words if word not in _SPLIT_OF_WORD]
    if len(known) != 1 or not all(word in _FLAG_WORDS for word in others):
        return ""
    return known[0] if all(truth_of(cell) is not None for cell in cells) else ""


def truth_of(cell: str) -> bool | None:
    """What a cell of yes and no says; None where it says something else."""
    word = cell.strip().casefold().removesuffix(".0")
    return True if word in _YES else False if word in _NO else None


def split_of_flags(flags: Mapping[str, bool]) -> str:
    """The split of a row by what its flags say: what is flagged, test before others; else what no flag is about.

    Args:
        flags: Whether the row is in a split, by the split.
    """
    for split in ("test", "validation", "train"):
        if flags.get(split):
            return split
    left = [split for split in ("train", "test") if split not in flags]
    return left[0] if left else ""


def split_rank(split: str) -> tuple[int, str]:
    """Sorts splits as people name them: train, validation, test, then any others by name."""
    usual = list(_SPLIT_WORDS)
    return (usual.index(split) if split in usual else len(usual), split)


def split_of_path(path: PurePosixPath | str, with_stem: bool = False) -> str:
    """The split that a path inside a source names, or "".

    Args:
        path: Relative to the source; a folder that is called `train`, `val`, `train2017`, `test_images`, ... decides.
        with_stem: Also look for such a word in the file's own name, as in `train-00000-of-00002.parquet`.
    """
    *folders, name = str(path).split("/")
    for folder in folders:
        if split := _split_of_folder(folder.lower()):
            return split
    if with_stem:
        parted = _CAMEL.sub(r"\1 \2", name)  # "trainImages.txt"
        for word in _WORD.findall(f"{name} {parted}".lower()):
            if word in _SPLIT_OF_WORD:
                return _SPLIT_OF_WORD[word]
    return ""


@cache
def _split_of_folder(folder: str) -> str:
    if decathlon := _DECATHLON.fullmatch(folder):
        return {"tr": "train", "ts": "test"}.get(decathlon[1], "validation")
    words = _WORD.findall(_ARCHIVE.sub("", folder))
    known = [_SPLIT_OF_WORD[word] for word in words if word in _SPLIT_OF_WORD]
    others = [word for word in words if word not in _SPLIT_OF_WORD]
    return known[0] if len(known) == 1 and all(word in _FOLDER_WORDS for word in others) else ""


def walk(root: Path) -> list[PurePosixPath]:
    """Every file under a folder, relative to it, sorted; hidden files and folders are left out.

    Links to folders are followed, each real folder once, so that a link to a parent does not run for ever.
    """
    paths: list[PurePosixPath] = []
    seen: set[str] = set()
    for here, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        inside = PurePosixPath(Path(here).relative_to(root).as_posix())
        paths.extend(inside / name for name in files if not name.startswith("."))
    return sorted(paths)


def read_file(path: Path) -> tuple[bytes, str]:
    """A file's bytes, or why there are none.

    Returns:
        The bytes and "", or b"" and one sentence.
    """
    try:
        if not path.is_file():
            return b"", f"{path.name} is named in the data set but is not there."
        if path.stat().st_size > MAX_FILE_BYTES:
            return b"", f"{path.name} is larger than {MAX_FILE_BYTES // 2**30} GiB, the most radtui imports."
        return path.read_bytes(), ""
    except OSError as error:
        return b"", f"{path.name} cannot be read ({error.strerror or error})."


def inside(root: Path, name: str) -> Path | None:
    """The file a data set names by a path relative to itself, or None when that leads out of it.

    A data set from elsewhere must not be able to import the user's other files by naming them.
    """
    path = Path(os.path.normpath(root / name))
    return path if path.is_relative_to(root) and "\0" not in name else None


def existing_path(text: str) -> Path | None:
    """The file or folder that a source names, or None when there is none of that name."""
    path = expanded(text)
    try:
        return path.resolve() if path.exists() else None
    except (OSError, ValueError) as error:  # a name that is too long, or holds a NUL
        raise UserError(f"{text[:80]!r} cannot be a source: {error}.") from error
