"""Read a rating scheme from TOML, fill it up from the default, and say clearly what is wrong with it."""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from radtui.measures.scheme import MODES, Dimension, ErrorCategory, Level, Protocol, Scheme, modes_of
from radtui.paths import expanded, parsed_toml, read_written
from radtui.records import UserError

DEFAULT_ID = "radtui-default"

_TOP_LEVEL = (
    "id",
    "version",
    "title",
    "protocol",
    "preference",
    "acceptability",
    "errors",
    "dimensions",
    "keys",
)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_COLUMN_ID = re.compile(r"[a-z0-9][a-z0-9_]*")
_KEY_NAME = re.compile(r"((ctrl|alt|shift|super)\+)*[A-Za-z0-9_]+")
# Textual names punctuation by its Unicode name; a scheme may use the character itself.
_KEY_NAMES = {
    " ": "space", "!": "exclamation_mark", '"': "quotation_mark", "#": "number_sign", "$": "dollar_sign",
    "%": "percent_sign", "&": "ampersand", "'": "apostrophe", "(": "left_parenthesis", ")": "right_parenthesis",
    "*": "asterisk", "+": "plus", ",": "comma", "-": "minus", ".": "full_stop", "/": "slash", ":": "colon",
    ";": "semicolon", "<": "less_than_sign", "=": "equals_sign", ">": "greater_than_sign", "?": "question_mark",
    "@": "at", "[": "left_square_bracket", "\\": "backslash", "]": "right_square_bracket",
    "^": "circumflex_accent", "_": "underscore", "`": "grave_accent", "{": "left_curly_bracket",
    "|": "vertical_line", "}": "right_curly_bracket", "~": "tilde",
}  # fmt: skip
_NEWER_KEY, _NEWER_KEY_ELSE = ("checked_none", "0"), ("x", "y", "w")
_RESERVED_KEYS = {
    "ctrl+c": "copies the selection", "ctrl+q": "quits", "ctrl+p": "opens the command palette", "q": "quits",
    "d": "opens the data screen", "t": "opens the training screen", "r": "opens the review screen",
    "j": "scrolls the texts", "up": "scrolls the texts", "down": "scrolls the texts",
}  # fmt: skip


@cache
def default_scheme() -> Scheme:
    """The scheme that ships with radtui, `radtui-default`."""
    return _build(_default_data(), DEFAULT_ID)


def load_scheme(path_or_id: str | Path) -> Scheme:
    """Read a scheme by its path, or by its id when it ships with radtui.

    Args:
        path_or_id: `radtui-default`, or the path of a TOML file. What the file leaves out is the default's.

    Raises:
        UserError: The file is missing, is not TOML, or does not describe a scheme.
    """
    if str(path_or_id) == DEFAULT_ID:
        return default_scheme()
    path = expanded(path_or_id)
    try:
        text = read_written(path)
    except FileNotFoundError:
        raise UserError(
            f"There is no rating scheme {path_or_id}; name a TOML file or use {DEFAULT_ID}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The rating scheme {path} cannot be read ({error}); check the file.") from None
    return parse_scheme(text, name=str(path))


def parse_scheme(text: str, name: str = "scheme") -> Scheme:
    """Read a scheme from TOML text.

    Args:
        text: TOML; what it leaves out is the default's.
        name: How messages call it, usually the path.

    Raises:
        UserError: The text is not TOML or does not describe a scheme.
    """
    try:
        own = parsed_toml(text)
    except ValueError as error:
        raise UserError(f"{name} is not valid TOML: {error}; correct that line.") from None
    for required in ("id", "version"):
        if required not in own:
            raise UserError(f"{name} has no `{required}`; add one, since it is stored with every rating.")
    _only(own, _TOP_LEVEL, "entry", name)
    merged = dict(_default_data())
    for entry, value in own.items():
        if entry in ("protocol", "keys"):
            if not isinstance(value, dict):
                raise UserError(f"`{entry}` in {name} must be a table; write it as [{entry}].")
            merged[entry] = {**merged[entry], **value}
        else:
            merged[entry] = value
    if "title" not in own:
        merged["title"] = str(own["id"])
    if own["id"] == DEFAULT_ID:
        raise UserError(f"{name} calls itself {DEFAULT_ID}; give your scheme an id of its own.")
    return _build(merged, name)


@cache
def _default_data() -> dict[str, Any]:
    file = resources.files("radtui.study") / "schemes" / f"{DEFAULT_ID}.toml"
    return parsed_toml(file.read_text(encoding="utf-8"))


def _build(data: dict[str, Any], name: str) -> Scheme:
    scheme_id, version = data["id"], data["version"]
    if not isinstance(scheme_id, str) or not _ID.fullmatch(scheme_id):
        raise UserError(f"The id {scheme_id!r} in {name} must be lower-case letters, digits, - and _.")
    if type(version) is not int or version < 1:
        raise UserError(f"The version {version!r} in {name} must be a whole number from 1.")
    preference = _preference(data, name)
    acceptability = _levels(data, "acceptability", name)
    errors, dimensions = _errors(data, name), _dimensions(data, name)
    sizes = {
        "preference": len(preference),
        "acceptability": len(acceptability),
        "error": len(errors),
        "dimension": len(preference) if dimensions else 0,
    }
    return Scheme(
        id=scheme_id,
        version=version,
        title=str(data["title"]),
        preference=preference,
        acceptability=acceptability,
        errors=errors,
        dimensions=dimensions,
        protocol=_protocol(data["protocol"], name),
        keys=_keys(data["keys"], sizes, name),
    )


def _preference(data: dict[str, Any], name: str) -> tuple[Level, ...]:
    levels = _levels(data, "preference", name)
    values = [level.value for level in levels]
    if len(values) < 2 or sorted(values) != sorted(-value for value in values) or max(values) > 2:
        raise UserError(
            f"The preference values {values} in {name} must be symmetric about 0 within -2..2, "
            "or the scale itself would favour a side; correct [[preference]]."
        )
    return levels


def _errors(data: dict[str, Any], name: str) -> tuple[ErrorCategory, ...]:
    errors = tuple(
        ErrorCategory(str(row.get("id", position)), str(row.get("slug", "")), str(row.get("label", "")))
        for position, row in enumerate(_rows(data, "errors", ("id", "slug", "label"), name), 1)
    )
    _column_ids([error.id for error in errors], "errors", "id", name)
    _column_ids([error.slug for error in errors], "errors", "slug", name)
    return errors


def _dimensions(data: dict[str, Any], name: str) -> tuple[Dimension, ...]:
    dimensions = tuple(
        Dimension(
            str(row.get("id", "")), str(row.get("label", row.get("id", ""))), str(row.get("question", ""))
        )
        for row in _rows(data, "dimensions", ("id", "label", "question"), name)
    )
    _column_ids([dimension.id for dimension in dimensions], "dimensions", "id", name)
    return dimensions


def _rows(data: dict[str, Any], entry: str, fields: tuple[str, ...], name: str) -> list[dict[str, Any]]:
    rows = data[entry]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"`{entry}` in {name} must be a list of tables; write each one under [[{entry}]].")
    for row in rows:
        _only(row, fields, f"field of [[{entry}]]", name)
    return rows


def _levels(data: dict[str, Any], entry: str, name: str) -> tuple[Level, ...]:
    levels = []
    for row in _rows(data, entry, ("value", "label"), name):
        if type(row.get("value")) is not int or not isinstance(row.get("label"), str):
            raise UserError(f"A level of [[{entry}]] in {name} needs a whole number `value` and a `label`.")
        levels.append(Level(row["value"], row["label"]))
    values = [level.value for level in levels]
    if len(set(values)) != len(values):
        raise UserError(f"Two levels of [[{entry}]] in {name} have the same value; make them differ.")
    return tuple(levels)


def _column_ids(ids: list[str], entry: str, field_name: str, name: str) -> None:
    for value in ids:
        if not _COLUMN_ID.fullmatch(value):
            raise UserError(
                f"The {field_name} {value!r} of [[{entry}]] in {name} becomes part of a column's name: "
                "use lower-case letters, digits and _."
            )
        if ids.count(value) > 1:
            raise UserError(f"The {field_name} {value!r} stands twice in [[{entry}]] of {name}; rename one.")


def _protocol(table: dict[str, Any], name: str) -> Protocol:
    ranges = {
        "calibration_items": (0, 10_000),
        "repeat_share": (0.0, 0.5),
        "repeat_gap": (1, 10_000),
        "idle_cutoff_s": (5, 3_600),
    }
    _only(table, ("reference", *ranges), "entry of [protocol]", name)
    if table["reference"] not in ("before", "after", "never"):
        raise UserError(f"`reference` in {name} must be before, after or never, not {table['reference']!r}.")
    for entry, (low, high) in ranges.items():
        value = table[entry]
        whole = entry in ("calibration_items", "repeat_gap")
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise UserError(
                f"`{entry}` in {name} must be a {'whole ' if whole else ''}number, not {value!r}."
            )
        if not low <= value <= high:
            raise UserError(f"`{entry}` in {name} must be from {low} to {high}, not {value}.")
    return Protocol(
        reference=table["reference"],
        calibration_items=table["calibration_items"],
        repeat_share=float(table["repeat_share"]),
        repeat_gap=table["repeat_gap"],
        idle_cutoff_s=float(table["idle_cutoff_s"]),
    )


def _keys(table: dict[str, Any], sizes: dict[str, int], name: str) -> dict[str, str]:
    known = _default_data()["keys"]
    numbered = {f"{group}.{i}" for group, size in sizes.items() for i in range(1, size + 1)}
    keys: dict[str, str] = {}
    for action, key in table.items():
        group, _, number = action.partition(".")
        if number and group in sizes and number.isdecimal():
            if action not in numbered:
                continue  # the default's key for an entry that this scheme leaves out
        elif action not in known:
            _only({action: key}, tuple(known), "key action", name)
        if not isinstance(key, str) or not key:
            raise UserError(f'The key of `{action}` in {name} must be a string such as "x" or "ctrl+n".')
        keys[action] = normalise_key(key)
        if not _KEY_NAME.fullmatch(keys[action]):
            raise UserError(
                f'{key!r} for `{action}` in {name} is no key\'s name; write it like "x" or "ctrl+n".'
            )
        if keys[action] in _RESERVED_KEYS:
            meaning = _RESERVED_KEYS[keys[action]]
            raise UserError(f"The key {key} for `{action}` in {name} already {meaning}; choose another key.")
    for action in sorted(numbered - keys.keys()):
        raise UserError(f"There is no key for `{action}` in {name}; add it under [keys].")
    _give_way(keys)
    _no_collision(keys, name)
    return keys


def _give_way(keys: dict[str, str]) -> None:
    """Another key for what schemes of earlier releases do not know, where theirs has its default for something else."""
    action, default = _NEWER_KEY
    others = {key for each, key in keys.items() if each != action and "errors" in modes_of(each)}
    if keys.get(action) == default and default in others:
        keys.pop(action)
        free = next((key for key in _NEWER_KEY_ELSE if key not in others), None)
        keys |= {action: free} if free is not None else {}


def _no_collision(keys: dict[str, str], name: str) -> None:
    for mode in MODES:
        taken: dict[str, str] = {}
        for action, key in keys.items():
            if mode not in modes_of(action):
                continue
            if key in taken:
                raise UserError(
                    f"The key {key} does both `{taken[key]}` and `{action}` in {name}; give one another key."
                )
            taken[key] = action


def normalise_key(key: str) -> str:
    """Textual's name of a key: `?` -> `question_mark`, `shift+g` -> `G`, `Ctrl+N` -> `ctrl+n`."""
    *modifiers, last = key.split("+") if len(key) > 1 and not key.endswith("+") else [key]
    modifiers = [modifier.lower() for modifier in modifiers]
    last = _KEY_NAMES.get(last, last)
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return last.upper()
    if len(last) > 1 or modifiers:
        last = last.lower()
    return "+".join([*modifiers, last])


def _only(table: dict[str, Any], allowed: tuple[str, ...], what: str, name: str) -> None:
    for entry in table:
        if entry not in allowed:
            near = difflib.get_close_matches(entry, allowed, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it knows {', '.join(allowed[:12])}."
            raise UserError(f"{name} has an unknown {what} `{entry}`; {hint}")
