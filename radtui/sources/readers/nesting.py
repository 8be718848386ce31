"""Objects inside cells as columns of their own, so that what they hold has a name and passes the gate of identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_IMAGES = frozenset(
    (
        "bytes",
        "path",
        "url",
        "image",
        "image_url",
        "image_path",
        "file_name",
        "filename",
        "src",
        "data",
        "file",
    )
)
"""Keys of objects that stand for an image, which stay as they are."""
_OF_IMAGES = _IMAGES | frozenset(
    ("width", "height", "format", "mode", "size", "type", "mime", "mime_type", "mimetype", "media_type", "id", "name",
     "title", "alt", "view", "role", "channels", "md5", "sha256", "detail")
)  # fmt: skip
_WHOLE = frozenset(("choices", "options", "answers"))  # objects by letter
_DEEPEST = 4


def unnested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose objects of plain values are columns: {"report": {"findings": "Clear."}} has "report.findings".

    Images, answers by letter, and objects of lists (conversations in an old form of datasets) stay as they are.
    """
    result: dict[str, Any] = {}
    for name, value in cells.items():
        if isinstance(value, Mapping) and is_nested(name, value.items()):
            result.update(_columns(name, value, 1))
        else:
            result[name] = value
    return result


def is_nested(name: str, items: Iterable[tuple[Any, Any]]) -> bool:
    """Whether an object is several facts under one name."""
    pairs = dict(items)
    is_image = not _IMAGES.isdisjoint(pairs) and pairs.keys() <= _OF_IMAGES
    if not pairs or name.casefold() in _WHOLE or is_image:
        return False
    return all(isinstance(key, str) for key in pairs) and not all(
        isinstance(each, list) for each in pairs.values()
    )


def _columns(name: str, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, each in value.items():
        inner = f"{name}.{key}"
        if isinstance(each, Mapping) and depth < _DEEPEST and is_nested(key, each.items()):
            result.update(_columns(inner, each, depth + 1))
        else:
            result[inner] = each
    return result
