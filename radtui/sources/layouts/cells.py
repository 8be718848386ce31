"""Cells of any table as text, lists, and images."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.layouts import words
from radtui.sources.layouts.markup import as_written, without_markup
from radtui.sources.literals import parsed_text

_NOTHING = frozenset(
    ("", "nan", "none", "null", "n/a", "na", "<na>", "n.a", "#n/a", "nat", "nil", "-", "--", "—", "[]", "{}", "(none)",
     "(null)", "<null>", "<none>", "\\n", "?", "undefined", "missing", "tbd", "no caption", "no report", "no text",
     "no description", "not available", "no report available", "report not available", "#ref!", "#value!", "#name?",
     "#div/0!", "#num!", "#null!")
)  # fmt: skip
"""Words that stand for an empty cell. Source: pandas, `na_values` of read_csv; what people and sheets write."""
_NOT_A_WORD = frozenset(
    ("", "nan", "null", "<na>", "#n/a", "nat", "<null>", "(null)", "\\n", "#ref!", "#value!", "#name?", "#div/0!",
     "#num!", "#null!")
)  # fmt: skip
_LISTS = ("[", "(")
_LONG_FACT = 60
_MAX_NAME_CHARS = 1024
_BETWEEN_NAMES = ("|", ";", ",", "\n", " ")
_DATA_URL = "data:"
NAMED_IMAGE = re.compile(r"(?:Picture \d+:\s*)?<img>(.*?)</img>", re.DOTALL)
"""An image named inside a question, as Qwen-VL and ms-swift write it."""
_BASE64_IMAGE = re.compile(r"(?:iVBORw0KGgo|/9j/[24]|R0lGOD|UklGR)[A-Za-z0-9+/\s]{40,}={0,2}\s*\Z")
"""PNG, JPEG, GIF or WebP in base64."""
_OBJECT_TEXT = ("raw", "caption", "text", "sentence", "report", "description", "content", "value", "answer")
_TEXT_AND_MORE = ("sentence_", "caption_", "text_", "report_", "description_")


_NAMES = ("path", "image", "url", "image_url", "file_name", "filename", "src", "data", "file", "image_path", "fileUri",
          "file_uri", "reference")  # fmt: skip
"""Keys of objects that name an image, or hold it."""
_MEDIA = frozenset(("media_type", "mime_type", "mimeType"))


@dataclass(frozen=True, slots=True)
class ImageCell:
    """An image as a cell gives it: its bytes, or the name of its file, or both."""

    name: str = ""
    data: bytes = b""
    error: str = ""


def cell_text(value: object) -> str:
    """A cell as text: lists joined with ", ", objects as JSON, nothing for None, NaN and bytes."""
    if value is None or isinstance(value, (bytes, bytearray, memoryview)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}" if math.isfinite(value) else ""
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (cell_text(item) for item in value)))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=cell_text)
    return str(value).strip()


def fact_text(value: object) -> str:
    """A cell as a fact: "" where it holds nothing, a word for nothing, or an image in base64."""
    text = cell_text(value)
    is_image = len(text) > _LONG_FACT and (text.startswith("data:image") or bool(_BASE64_IMAGE.match(text)))
    return "" if is_image or text.casefold() in _NOT_A_WORD else text


def meaningful(value: object, answer: bool = False) -> str:
    """A cell as a text to learn; "" for "nan", "None", "N/A" and their kin.

    Args:
        value: The cell.
        answer: Whether it answers a question: then "None" is a word.
    """
    text = without_markup(as_written(cell_text(value)))
    nothing = _NOT_A_WORD if answer else _NOTHING
    return "" if text.casefold().rstrip(".").strip(" _") in nothing else text


def as_list(value: object) -> list[object] | None:
    """The list that a cell is or holds as JSON or as Python writes it, or None."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str) and value.lstrip()[:1] in _LISTS and value.rstrip()[-1:] in ("]", ")"):
        parsed = parsed_text(value)
        return list(parsed) if isinstance(parsed, (list, tuple)) else None
    return None


def image_cells(value: object) -> list[ImageCell]:
    """The images that a cell holds: names, bytes, data URLs, objects with one of these, lists of them.

    Args:
        value: A cell of an image column, or a block of a conversation.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return [ImageCell(data=bytes(value))] if len(value) else []
    if isinstance(value, Mapping):
        return _object_images(value)
    listed = as_list(value)
    if listed is not None:
        if isinstance(row := next(iter(listed), None), (list, tuple)) and _are_numbers(row):
            return [ImageCell(error="The image is an array of numbers; save such images as PNG.")]
        return [image for item in listed for image in image_cells(item)]
    return _named_images(cell_text(value))


def _are_numbers(values: Sequence[object]) -> bool:
    """Whether a list is a row of pixels, or rows of them."""
    first = next(iter(values), None)
    return _are_numbers(first) if isinstance(first, (list, tuple)) else isinstance(first, (int, float))


def _named_images(text: str) -> list[ImageCell]:
    """The images of a cell of text: a data URL, bare base64, or names of files."""
    if text.casefold() in _NOTHING:
        return []
    if text[: len(_DATA_URL)].lower() == _DATA_URL:
        return [data_url(text)]
    if "<img>" in text:
        return [image for match in NAMED_IMAGE.finditer(text) for image in _named_images(match[1].strip())]
    if text.startswith("{'bytes': b"):  # as pandas writes `datasets`' images into a CSV
        parsed = parsed_text(text)
        return (
            _object_images(parsed)
            if isinstance(parsed, Mapping)
            else [ImageCell(error="The bytes are damaged.")]
        )
    long = len(text) > 2000 and text[:8].isalnum() and " " not in text[:200]
    if long or _BASE64_IMAGE.match(text):
        return [_base64(text)]
    return [ImageCell(part) for part in _several(text)]


def _several(text: str) -> list[str]:
    """The names of files in a cell; the whole text where it is one name."""
    for sign in _BETWEEN_NAMES:
        parts = [part.strip() for part in text.split(sign)]
        if len(parts) > 1 and all(IMAGE_ENDING.search(part) for part in parts):
            return parts
    if len(text) > 40 and ";" in text and all("." in part for part in text.split(";")):
        return [part.strip() for part in text.split(";") if part.strip()]
    return [text]


def data_url(text: str) -> ImageCell:
    """The image of a data URL. Source: RFC 2397."""
    head, comma, body = text.partition(",")
    if not comma:
        return ImageCell(error="The data URL has no data.")
    if ";base64" not in head.lower():
        return ImageCell(error="The data URL is not in base64.")
    return _base64(body)


def object_text(value: object) -> str:
    """The text of an item of a list of captions: the item, or what an object calls its text; "" where it has none."""
    if not isinstance(value, Mapping):
        return cell_text(value)
    named = next((cell_text(value[key]) for key in _OBJECT_TEXT if value.get(key)), "")
    return named or next((cell_text(value[key]) for key in text_keys(value)), "")


def text_keys(value: Mapping[Any, object]) -> list[str]:
    """Keys of an object that are called after a text with a language or such behind it: "sentence_en", no "text_id"."""
    return [
        key for key, cell in value.items()
        if isinstance(key, str) and isinstance(cell, str) and cell.strip() and key.startswith(_TEXT_AND_MORE)
        and words.names_text(key, _OBJECT_TEXT)
    ]  # fmt: skip


def listed(value: object) -> list[object]:
    """Options as a list: of a list, an object by letter, or a text that holds one."""
    if isinstance(value, str) and value.lstrip()[:1] in "[{":
        value = parsed_text(value)
    if isinstance(value, Mapping):
        return list(value.values())
    return as_list(value) or []


def is_image_object(value: object) -> bool:
    """Whether a cell is the struct in which `datasets` keeps images, or raw bytes."""
    if isinstance(value, (bytes, bytearray)):
        return True
    return isinstance(value, Mapping) and ("bytes" in value or "path" in value) and len(value) <= 3


def _object_images(value: Mapping[object, object]) -> list[ImageCell]:
    raw = value.get("bytes")
    if isinstance(raw, (bytes, bytearray)) and raw:
        return [ImageCell(cell_text(value.get("path")), bytes(raw))]
    data = value.get("data")
    if (
        isinstance(data, str)
        and not _MEDIA.isdisjoint(map(str, value))
        and data[: len(_DATA_URL)].lower() != _DATA_URL
    ):
        return [_base64(data)]  # Anthropic's and Gemini's way
    for key in _NAMES:
        inner = value.get(key)
        if inner:
            return image_cells(inner)
    return []


def _base64(text: str) -> ImageCell:
    try:
        return ImageCell(data=base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        return ImageCell(error="The image's base64 is damaged.")
