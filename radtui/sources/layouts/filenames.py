"""Which file of a source a table means: the one that shares the longest end of its path.

Tables name files as they lay on another machine: with its folders, with backslashes, in other capitals, without the
suffix. A name is taken for a file only where no other file fits as well.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

from radtui.sources.image_names import ENDING, IMAGE_ENDING
from radtui.sources.layouts.header_keys import HeaderKeys
from radtui.sources.layouts.loose_names import LooseNames
from radtui.sources.layouts.name_index import NameIndex
from radtui.sources.layouts.words import words

_SUFFIX = re.compile(ENDING + "$")
_SUFFIX_OF_LINE = re.compile(_SUFFIX.pattern, re.MULTILINE)
_ADDRESS = re.compile(r"^(https?|s3|gs|ftp)://", re.IGNORECASE)
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file
_COUNTED = re.compile(r"#\d+$")  # "a.jpg#2" is the third caption of a.jpg
_FLOAT = re.compile(r"(?<=\d)\.0$")  # as pandas writes the number in a file's name
_OF_TEXTS = re.compile(r"(?<=\d)\.(?:txt|rpt)$")  # MIMIC's lists name an exam by its report
_ARCHIVE = re.compile(r"\.(?:zip|tar|tgz|tar\.gz)(?=/|$)")  # a folder of its name, where files lie in it
_ABOUT_IMAGES = frozenset(
    ("mask", "masks", "label", "labels", "seg", "segs", "segmentation", "segmentations", "annotation", "annotations",
     "contour", "contours", "gt", "ground_truth", "groundtruth", "overlay", "overlays", "heatmap", "heatmaps",
     "thumbnail", "thumbnails", "thumbs", "preview", "previews")
)  # fmt: skip
_MASKS = frozenset(("mask", "masks", "seg", "segmentation"))
_ABOUT_ONE = frozenset(("thumb", "gradcam", "cam"))
_BETWEEN_WORDS = str.maketrans("-. ", "___")
_MAX_FOLDER_CHARS = 300
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class FileMatch:
    """A file that a name means; `whole` where all of the name or all of the file's path was shared."""

    file: str
    whole: bool


def is_address(name: str) -> bool:
    """Whether a name is a web address, which is never fetched."""
    return bool(_ADDRESS.match(name.strip()))


class FileNames:
    """The files of a source by the ends of their paths; of each, little more than its name is in memory."""

    def __init__(self, files: Iterable[str], headers: HeaderKeys | None = None) -> None:
        self._files = sorted(files)
        self.headers = headers
        self._by_folder: dict[str, dict[str, list[str]]] | None = None  # by a folder's name, then by its path

    @cached_property
    def _by_name(self) -> NameIndex:
        return NameIndex(self._files, lambda file: _spellings(_base(file)), self._plain_bases)

    @cached_property
    def _by_stem(self) -> NameIndex:
        return NameIndex(
            self._files, lambda file: [stem for base in _spellings(_base(file)) for stem in _stems(base)],
            _plain_stems(self._plain_bases),
        )  # fmt: skip

    @cached_property
    def loose(self) -> LooseNames:
        """The files by what their names have in common with others' spellings of them."""
        return LooseNames(self._files, [_stems(_base(file))[-1] for file in self._files])

    @cached_property
    def _plain_bases(self) -> list[str]:
        """The names of all files as they are compared, where none of them is spelt in any odd way; else none."""
        whole = "\n".join([file[file.rfind("/") + 1 :] for file in self._files])
        bases = whole.casefold().split("\n") if whole.isascii() and "%" not in whole else []
        return bases if len(bases) == len(self._files) and all(bases) else []

    def in_folder(self, name: str) -> list[str]:
        """The files below the folder that a name means: of an exam or a patient, so the name must hold a digit.

        Args:
            name: A folder's name or path, as a table has it.
        """
        return self._below(name)[1]

    def folder_by_end(self, path: str) -> str:
        """The one folder of files whose path shares the longest end with this path; the last part must hold a digit."""
        parts = path.split("/")
        if not any(sign.isdigit() for sign in parts[-1]):
            return ""
        for start in range(len(parts)):
            folder, files = self._below("/".join(parts[start:]))
            if files:
                return "/".join(files[0].split("/")[: folder.count("/") + 1])
        return ""

    def _below(self, name: str) -> tuple[str, list[str]]:
        """The folder that a name means, as it is compared, and the files below it."""
        path = _path_of(name).rstrip("/")
        if not path or len(path) > _MAX_FOLDER_CHARS or not any(sign.isdigit() for sign in path):
            return "", []
        if self._by_folder is None:
            self._by_folder = {}
            inside: dict[str, list[str]] = {}
            for file in self._files:
                inside.setdefault(file[: file.rfind("/") + 1], []).append(file)
            for path_of_files, files in inside.items():
                for folder in _folders_of(_ARCHIVE.sub("", _normal(path_of_files))):
                    self._by_folder.setdefault(folder.rpartition("/")[2], {}).setdefault(folder, []).extend(
                        files
                    )
        normal = _OF_TEXTS.sub("", _FLOAT.sub("", _ARCHIVE.sub("", _normal(path))))
        below = self._by_folder.get(normal.rpartition("/")[2], {})
        fitting = [folder for folder in below if f"/{folder}".endswith(f"/{normal}")]
        return (fitting[0], below[fitting[0]]) if len(fitting) == 1 else ("", [])

    def __len__(self) -> int:
        return len(self._files)

    def stem_matches(self, stem: str) -> list[str]:
        """The files whose name without suffixes is this."""
        return self._by_stem.get(_normal(stem))

    def by_number(self, name: str, folder: str = "", split: str = "") -> str:
        """The file with a name's number, whatever zeros stand before it; "" where there is none, or more than one."""
        candidates = self.with_number(name, folder, split)
        return candidates[0] if len(candidates) == 1 else ""

    def by_parts(self, name: str) -> str:
        """The file whose path has the parts of a name at its end; "" where there is none, or more than one."""
        return self.loose.by_parts(_path_of(name))

    def by_own_folder(self, name: str) -> str:
        """The only file below the innermost folder of a name's path that is there; "" where it holds more.

        Of names that are numbers alone, as 000000.dcm: where one says "lateral", another file is another view.
        """
        *parts, base = _path_of(name).split("/")
        if any(sign.isalpha() for sign in IMAGE_ENDING.sub("", base)):
            return ""
        for count in range(len(parts), 0, -1):
            if files := self.in_folder("/".join(parts[:count])):
                return files[0] if len(files) == 1 else ""
        return ""

    def with_number(self, name: str, folder: str = "", split: str = "") -> list[str]:
        """All files that a name's number fits equally."""
        stem = beginning_of(name)
        return _narrowed(self.loose.by_number(stem), _path_of(name), folder, split) if stem else []

    def by_beginning(self, name: str, every: frozenset[str] = frozenset()) -> list[str]:
        """The files whose names begin with a name and a break.

        Args:
            name: As the table has it.
            every: All names of the table, as they are compared: of two beginnings of a file the longer one is meant.
        """
        plain = beginning_of(name)
        files = self.loose.by_beginning(plain) if plain else []
        return [file for file in files if self.loose.longest_beginning(file, every) in ("", plain)]

    def find(self, name: str, folder: str = "", split: str = "") -> FileMatch | None:
        """The file of a name in a table, or None where there is none or more than one.

        Args:
            name: As the table has it.
            folder: The table's folder, which a relative path begins at.
            split: The table's split: of files that fit equally, one in a folder of that split is meant.
        """
        path = _path_of(name)
        if not path:
            return None
        direct = posixpath.normpath(f"{folder}/{path}" if folder else path)
        for exact in (direct, posixpath.normpath(path)):
            at = bisect_left(self._files, exact)
            if at < len(self._files) and self._files[at] == exact:
                return FileMatch(self._files[at], True)
        normal = _normal(path)
        base = normal.rpartition("/")[2]
        if not base:
            return None
        for candidates in self._candidates(base):
            if candidates:
                return self._longest(candidates, path, folder, split)
        return None

    def _candidates(self, base: str) -> Iterable[list[str]]:
        yield self._by_name.get(base)
        yield self._by_stem.get(base)
        stem = _SUFFIX.sub("", base)
        if stem != base:
            yield self._by_name.get(stem)
            yield self._by_stem.get(stem)
        others = (_FLOAT.sub("", base), _COUNTED.sub("", base), _UPLOAD.sub("", base), unquote(base))
        for other in (*others, unquote_plus(base)):
            if other != base:
                yield self._by_name.get(other) or self._by_stem.get(_SUFFIX.sub("", other))

    def alike(self, name: str, folder: str = "", split: str = "") -> list[str]:
        """The files that a name fits equally, where it means none of them alone; as `find`."""
        path = _path_of(name)
        base = _normal(path).rpartition("/")[2]
        if not base or self.find(name, folder, split) is not None:
            return []
        first: list[str] = next(filter(None, self._candidates(base)), [])
        best = self._fitting(first, path, folder, split)[0] if first else []
        return best if len(best) > 1 else []

    def _fitting(self, candidates: list[str], path: str, folder: str, split: str) -> tuple[list[str], int]:
        """Of files of a name those that share the longest end of a path, and how many of its folders they share."""
        wanted = _normal(path).split("/")[:-1][::-1]
        scored: list[tuple[int, str]] = []
        for file in candidates:
            shared = 0
            for mine, theirs in zip(wanted, _normal(file).split("/")[:-1][::-1], strict=False):
                if mine != theirs:
                    break
                shared += 1
            scored.append((shared, file))
        most = max(shared for shared, _ in scored)
        return _narrowed([file for shared, file in scored if shared == most], path, folder, split), most

    def _longest(self, candidates: list[str], path: str, folder: str, split: str) -> FileMatch | None:
        best, most = self._fitting(candidates, path, folder, split)
        if len(best) != 1:
            return None
        wanted = _normal(path).split("/")[:-1]
        parents = _normal(best[0]).split("/")[:-1]
        whole = most == len(wanted) or most == len(parents)
        if not whole and _digits_differ(wanted[::-1][most], parents[::-1][most]):
            return None
        return FileMatch(best[0], whole)


def beginning_of(name: str) -> str:
    """A name as it is compared with the beginnings of files' names."""
    return _SUFFIX.sub("", _normal(_path_of(name)).rpartition("/")[2])


def _narrowed(best: list[str], path: str, folder: str, split: str) -> list[str]:
    """Of files that fit equally: those spelt alike, then those below the table's folder, then of its split."""
    if len(best) == 1:
        return best
    from radtui.sources.base import split_of_path

    base = path.rpartition("/")[2]
    for kept in (
        [
            file
            for file in best
            if unicodedata.normalize("NFC", file.rpartition("/")[2]) == unicodedata.normalize("NFC", base)
        ],
        [file for file in best if folder and file.startswith(folder + "/")],
        [file for file in best if split and split_of_path(file) == split],
        [
            file
            for file in best
            if not _ABOUT_IMAGES.isdisjoint(_normal(path).split("/")) or not lies_about(file)
        ],
    ):
        if kept:
            best = kept
        if len(best) == 1:
            break
    return best


def lies_about(file: str) -> bool:
    """Whether a file lies in a folder of masks and the like, which are about images and called as these are."""
    return any(map(_is_about_images, file.split("/")[:-1]))


@cache
def _is_about_images(folder: str) -> bool:
    return _normal(folder) in _ABOUT_IMAGES or not _ABOUT_IMAGES.isdisjoint(words(folder))


def is_called_about(stem: str) -> str | None:
    """Which image a file is about that is called so: "a" of "a_mask", "" of "mask" alone; None where it is not."""
    of, _, last = stem.translate(_BETWEEN_WORDS).rpartition("_")
    word = last.lower()
    is_about = word in _MASKS or (bool(of) and (word in _ABOUT_IMAGES or word in _ABOUT_ONE))
    return stem[: len(of)] if is_about else None


def _path_of(name: str) -> str:
    """The path in a name: without drive, address and the parameters of a labelling tool."""
    text = name.strip().strip("\"'").replace("\\", "/")
    if "?d=" in text:
        text = parse_qs(urlsplit(text).query).get("d", [text])[0]
    elif is_address(text) or text.startswith("file:"):
        address = urlsplit(text)
        host = address.netloc if address.scheme == "file" else ""  # file://a.png has too few strokes
        text = unquote(host + address.path)
    text = re.sub(r"^[A-Za-z]:(?=/)", "", text)
    return text.removeprefix("./").lstrip("/") if "\0" not in text else ""


def _base(path: str) -> str:
    return _normal(path.rpartition("/")[2])


def _spellings(base: str) -> tuple[str, ...]:
    """A file's name, and what it is where it is written as in a web address: "cxr%201.png" is "cxr 1.png"."""
    plain = _normal(unquote(base)) if "%" in base else base
    return (base,) if plain == base else (base, plain)


def _normal(path: str) -> str:
    return path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def _stems(base: str) -> list[str]:
    """A name without its last suffix, and without all suffixes of images: "a.dcm.png" is "a.dcm" and "a"."""
    first = _SUFFIX.sub("", base)
    stems = [first] if first != base else []
    while (shorter := _SUFFIX.sub("", first)) != first:
        stems.append(shorter)
        first = shorter
    return stems or [base.rpartition(".")[0] or base]


def _plain_stems(bases: list[str]) -> list[str]:
    """The stem of each name that has one suffix of an image, "" for others."""
    if not bases:
        return []
    whole = "\n".join(bases)
    first = _SUFFIX_OF_LINE.sub("", whole)
    second = _SUFFIX_OF_LINE.sub("", first)
    parts = zip(bases, first.split("\n"), second.split("\n"), strict=True)
    return [once if once != base and once == twice else "" for base, once, twice in parts]


def _folders_of(path: str) -> list[str]:
    """Every folder that a file lies in, the innermost last."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _digits_differ(mine: str, theirs: str) -> bool:
    """Whether two folders are two of a kind, such as patient00001 and patient00003."""
    a, b = _DIGITS.findall(mine), _DIGITS.findall(theirs)
    return bool(a) and bool(b) and a != b
