"""What reads an image's stored bytes, for the threads that decode."""

from __future__ import annotations

from collections.abc import Callable

from radtui.paths import DataDir
from radtui.records import Image, UserError


def image_loader(data: DataDir, image: Image) -> Callable[[], bytes]:
    """What reads an image's bytes; a missing file is a sentence that a person can act on."""
    blob = data.blob(image.sha256)

    def load() -> bytes:
        try:
            return blob.read_bytes()
        except FileNotFoundError:
            raise UserError("The stored bytes of this image are gone; import its source again.") from None

    return load
