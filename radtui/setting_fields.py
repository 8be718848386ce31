"""What the settings of all jobs have in common: what is said of a field, its checks, its way to text and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from radtui.records import UserError


class FieldError(UserError):
    """A field's value with which no job can start; a form says the sentence at that field."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class About:
    """What a form shows beside a field. `low` and `high` are inclusive.

    `words` are for values that stand for something else than themselves: {0: "all"}. People see and may type the word.
    """

    help: str
    group: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    words: Mapping[object, str] = field(default_factory=dict)

    def word_of(self, value: object) -> str:
        """The word for a value that has one, else ""."""
        return "" if isinstance(value, bool) else self.words.get(value, "")

    def typed(self, text: str) -> str:
        """What was typed as the value that `Settings.with_text` takes: a word becomes what it stands for."""
        word = text.strip().casefold()
        return next((str(value) for value, name in self.words.items() if name == word), text)


def setting(default: Any, help: str, **about: Any) -> Any:
    """A field of settings: its default, its help, and the rest of `About` by name."""
    return field(default=default, metadata={"about": About(help, **about)})


@dataclass(frozen=True)
class Settings:
    """Base of all settings: validation, and the way to and from JSON and typed text."""

    @classmethod
    def about(cls) -> dict[str, About]:
        """What is known of each field, in the order of the form."""
        return {f.name: f.metadata["about"] for f in fields(cls)}

    @classmethod
    def text_of(cls, name: str, value: object) -> str:
        """A field's value as people read it: its word where it has one ("all" for 0), else as of any value."""
        about = cls.about().get(name)
        return (about.word_of(value) if about is not None else "") or value_text(value)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Settings from a job row; fields of another version are left out."""
        names = {f.name for f in fields(cls)}
        return cls(**{name: _restore(cls, name, v) for name, v in values.items() if name in names})

    def to_dict(self) -> dict[str, object]:
        """Plain values, for a job row."""
        return dataclasses.asdict(self)

    def problems(self) -> dict[str, str]:
        """What is wrong, by field: one sentence each; empty when all is well."""
        problems: dict[str, str] = {}
        for name, about in self.about().items():
            value = getattr(self, name)
            if about.choices and value not in about.choices:
                problems[name] = f"{name} must be one of {', '.join(about.choices)}, not {value!r}"
            elif isinstance(value, (int, float)) and not _within(about, value):
                problems[name] = f"{name} must be {_range(about)}, not {value:g}"
        return problems

    def check(self) -> Self:
        """Itself, when valid. Raises FieldError with the first problem."""
        for name, problem in self.problems().items():
            raise FieldError(problem + ".", name)
        return self

    def with_text(self, name: str, text: str) -> Self:
        """A copy with one field set from typed text.

        Raises:
            UserError: no such field, or the text is not of the field's type.
        """
        if name not in self.about():
            raise UserError(f"There is no setting {name!r}; there are {', '.join(self.about())}.")
        kind = type(getattr(self, name))
        try:
            return replace(self, **{name: _parse(kind, text)})
        except ValueError:
            noun = {int: "a whole number", float: "a number", bool: "yes or no"}[kind]
            raise UserError(f"{name} must be {noun}, not {text!r}.") from None


def _restore(cls: type[Settings], name: str, value: object) -> object:
    default = next(f.default for f in fields(cls) if f.name == name)
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    return value


def _within(about: About, value: float) -> bool:
    return (about.low is None or value >= about.low) and (about.high is None or value <= about.high)


def _range(about: About) -> str:
    unit = f" {about.unit}" if about.unit else ""
    if about.low is not None and about.high is not None:
        return f"{about.low:g} to {about.high:g}{unit}"
    return f"at least {about.low:g}{unit}" if about.low is not None else f"at most {about.high:g}{unit}"


def _parse(kind: type, text: str) -> object:
    text = text.strip()
    if kind is bool:
        if text.lower() in ("yes", "true", "on", "1", "y"):
            return True
        if text.lower() in ("no", "false", "off", "0", "n"):
            return False
        raise ValueError(text)
    if kind is int:
        return int(text.replace(",", "").replace("_", ""))
    return float(text) if kind is float else text


def value_text(value: object) -> str:
    """A setting, or a value of a job's result, as people read it: `0.0002`, `yes`, `train 46, test 4`, `-`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and abs(value) >= 10_000:
        return f"{value:,.0f}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        texts = any(isinstance(part, str) for part in value.values())
        pairs = (f"{name}{':' * texts} {value_text(part)}" for name, part in value.items())
        return ("; " if texts else ", ").join(pairs) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(value_text, value)) or "-"
    return "-" if value in (None, "") else str(value)
