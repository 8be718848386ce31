"""An image's bytes, wherever they are: in the data folder, or in the archive that they were linked from.

Bytes in the data folder are nobody else's. A linked file is the user's own, so its bytes are hashed whenever they are
read: a file that has changed is said and never used.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radtui.paths import DataDir, open_plain
from radtui.records import UserError
from radtui.store.database import reading
from radtui.store.links import Linked, linked


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the bytes of one image are. `link` is None where they lie in the data folder."""

    sha256: str
    path: Path
    link: Linked | None = None

    def read_bytes(self) -> bytes:
        """The bytes that were imported.

        Raises:
            UserError: They are gone; or a linked file is not there, or is not what was imported.
        """
        if self.link is not None:
            return _linked_bytes(self.link)
        try:
            with open_plain(self.path) as file:
                return file.read()
        except FileNotFoundError:
            raise UserError(_GONE) from None
        except OSError as error:
            raise UserError(f"The stored bytes of this image cannot be read: {error}.") from error

    @property
    def problem(self) -> str:
        """What is wrong with the file, as far as its size and time tell without reading all of it; or ""."""
        if self.link is None:
            return "" if self.path.exists() else _GONE
        try:
            status = self.path.stat()
        except OSError:
            return _vanished(self.link)
        link = self.link.link
        if (status.st_size, status.st_mtime_ns) == (link.n_bytes, link.modified_ns):
            return ""
        try:
            _linked_bytes(self.link)
        except UserError as error:
            return str(error)
        return ""


_GONE = "The stored bytes of this image are gone; import its source again."


def image_bytes(data: DataDir, sha256: str) -> bytes:
    """Read an image's unchanged bytes.

    Raises:
        UserError: They are gone; or a linked file is not there, or is not what was imported.
    """
    try:
        with open_plain(data.blob(sha256)) as file:
            return file.read()
    except OSError:  # linked, or what it says is why not
        return locate(data, [sha256])[0].read_bytes()


def locate(data: DataDir, sha256s: Sequence[str]) -> list[Stored]:
    """Where the bytes of some images are, in the order asked for; one that is nowhere is a place without a file."""
    away = [sha256 for sha256 in dict.fromkeys(sha256s) if not data.blob(sha256).exists()]
    links = _links(data, away) if away else {}
    return [_stored(data, sha256, links.get(sha256)) for sha256 in sha256s]


def located(data: DataDir, db: sqlite3.Connection, sha256s: Sequence[str]) -> list[Stored]:
    """As `locate`, on a connection that is open already."""
    links = linked(db, [sha256 for sha256 in sha256s if not data.blob(sha256).exists()])
    return [_stored(data, sha256, links.get(sha256)) for sha256 in sha256s]


def _stored(data: DataDir, sha256: str, link: Linked | None) -> Stored:
    if link is None:
        return Stored(sha256, data.blob(sha256))
    return Stored(sha256, next((place for place in link.places if place.exists()), link.places[0]), link)


def _links(data: DataDir, sha256s: Sequence[str]) -> dict[str, Linked]:
    """Links of images, on a connection of this call's own: threads and loaders' processes ask for bytes."""
    if not data.database.exists():
        return {}
    with reading(data) as db:
        return linked(db, sha256s)


def _linked_bytes(link: Linked) -> bytes:
    changed = False
    for place in link.places:
        try:
            with open_plain(place) as file:
                data = file.read(link.link.n_bytes + 1)  # no more: it may have become huge
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == link.sha256:
            return data
        changed = True
    raise UserError(_changed(link) if changed else _vanished(link))


def _changed(link: Linked) -> str:
    return (
        f"{link.places[0]} is linked and is no longer the file that was imported; put that file back, or import its"
        " folder again with --link."
    )


def _vanished(link: Linked) -> str:
    return (
        f"{link.places[0]} is linked and is not there any more; put it back, or say where the folder is now with"
        " radtui data moved."
    )
