"""What can be answered now, with its keys and what was answered already: drawn from the scheme, one mode at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from radtui.measures.scheme import Scheme, checked_answer, dimension_answer, error_answer, parse_error_answer
from radtui.records import Rating
from radtui.study.edits import acceptability_of, chosen_level
from radtui.study.shown import Shown
from radtui.tui import theme
from radtui.tui.keys import shown as key_shown

SIDES = ("A", "B")
SYMBOLS = {
    "space": "space",
    "minus": "-",
    "escape": "esc",
    "left": "←",
    "right": "→",
    "colon": ":",
    "slash": "/",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What the panel draws.

    `mode` is one of the scheme's; `side` is the text that is marked, 0 or 1; `at` the dimension that is marked;
    `message` stands above the question, such as when all is rated; `roomy` says that there are rows to spare.
    """

    scheme: Scheme
    shown: Shown
    mode: str = "main"
    side: int = 0
    significant: bool = True
    at: int = 0
    message: str = ""
    roomy: bool = False


class AnswerPanel(Widget):
    """The question, its keys and the answers."""

    DEFAULT_CSS = "AnswerPanel { height: auto; width: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.auto_links = False  # what can be clicked looks as its key does
        self._asking: Asking | None = None

    def ask(self, asking: Asking) -> None:
        """Draw another question or other answers."""
        before = self.get_content_height(None, None, self.content_size.width)
        self._asking = asking
        # A layout costs more than all the rest of a key, so it is asked for only when the height changes.
        self.refresh(layout=self.get_content_height(None, None, self.content_size.width) != before)

    def wait(self, message: str) -> None:
        """Let a message stand above the question as it was drawn."""
        if self._asking is not None:
            self.ask(replace(self._asking, message=message))

    def render(self) -> Content:
        """The lines of the mode."""
        if self._asking is None:
            return Content("")
        return Content("\n").join(lines(self._asking, max(1, self.size.width)))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the lines need at a width."""
        del container, viewport
        if self._asking is None:
            return 1
        return sum(max(1, -(-line.cell_length // max(1, width))) for line in lines(self._asking, width))


def key_text(scheme: Scheme, action: str) -> str:
    """A key as it stands on the screen."""
    key = scheme.key_of(action)
    return SYMBOLS.get(key) or key_shown(key)


def lines(asking: Asking, width_cells: int) -> list[Content]:
    """The panel at a width, one content a row."""
    draw = {
        "main": _preference, "acceptability": _acceptability, "errors": _errors, "dimensions": _dimensions,
    }[asking.mode]  # fmt: skip
    rows = draw(asking, width_cells)
    if asking.message:
        rows.insert(0, Content.styled(asking.message, "bold $accent"))
    return rows


def _preference(asking: Asking, width: int) -> list[Content]:
    scheme, rating = asking.scheme, asking.shown.rating
    chosen = chosen_level(rating, scheme)
    options = [
        _option(scheme, f"preference.{at}", level.label, at - 1 == chosen)
        for at, level in enumerate(scheme.preference, 1)
    ]
    bad = rating is not None and rating.both_bad
    skipped = rating is not None and rating.skipped
    options.append(_option(scheme, "both_bad", "Both bad", bad))
    options.append(_option(scheme, "skip", "Skipped" if skipped else "Skip", skipped))
    rows, further = flowed(options, width), flowed(_further(asking), width)
    if not asking.roomy:
        return [*rows, *further]
    return [Content.styled("Which text describes the image better?", "bold"), *rows, Content(""), *further]


def _further(asking: Asking) -> list[Content]:
    """The other questions with their keys and what was answered."""
    scheme, shown = asking.scheme, asking.shown
    parts = []
    if scheme.acceptability:
        levels = [acceptability_of(shown.rating, shown.arm(side)) for side in (0, 1)]
        text = _by_side(str(value) if value is not None else "–" for value in levels)
        parts.append(_answered(scheme, "open_acceptability", "acceptability", text, any(levels)))
    if scheme.errors:
        counts = [_errors_text(shown.rating, shown.arm(side)) for side in (0, 1)]
        text = _by_side(counts) if any(counts) else ""
        parts.append(_answered(scheme, "open_errors", "errors", text, any(counts)))
    if scheme.dimensions:
        keys = [dimension_answer(dimension.id) for dimension in scheme.dimensions]
        done = sum(key in shown.rating.answers for key in keys) if shown.rating else 0
        text = f"{done} of {len(keys)}" if done else ""
        parts.append(_answered(scheme, "open_dimensions", "compare qualities", text, bool(done)))
    if shown.rating is not None and shown.rating.note:
        first = " ".join(shown.rating.note.split())
        parts.append(_answered(scheme, "note", "note", first[:40], True))
    if shown.rating is not None and shown.rating.flagged:
        parts.append(Content.styled("flagged", "bold $warning"))
    if shown.reference_waits:
        parts.append(_key(scheme, "previous", "reference, once rated"))
    return parts


def _acceptability(asking: Asking, width: int) -> list[Content]:
    scheme, shown = asking.scheme, asking.shown
    chosen = acceptability_of(shown.rating, shown.arm(asking.side))
    other = acceptability_of(shown.rating, shown.arm(1 - asking.side))
    options = [
        _option(scheme, f"acceptability.{at}", level.label, level.value == chosen)
        for at, level in enumerate(scheme.acceptability, 1)
    ]
    question = [Content.styled(f"How usable is text {SIDES[asking.side]}?", "bold"), *_panel_keys(asking)]
    if other is not None:
        question.insert(1, Content.styled(f"{SIDES[1 - asking.side]}: {other}", "$foreground"))
    return [*flowed(question, width), *flowed(options, width)]


def _errors(asking: Asking, width: int) -> list[Content]:
    scheme, shown = asking.scheme, asking.shown
    kind = "significant" if asking.significant else "insignificant"
    answers = shown.rating.answers if shown.rating else {}
    checked = checked_answer(shown.arm(asking.side)) in answers
    none = not _error_sum(shown.rating, shown.arm(asking.side))
    keys = (
        ("checked_none", f"{'checked, none' if none else 'checked, that is all'}{' ✓' if checked else ''}"),
        ("error_significance", f"{'insignificant' if asking.significant else 'significant'} ones"),
        ("error_take_back", "one less"),
    )
    question = Content.styled(f"Count the {kind} errors in text {SIDES[asking.side]}.", "bold")
    rows = flowed([question, *(_key(scheme, *each) for each in keys), *_panel_keys(asking)], width)
    for at, category in enumerate(scheme.errors, 1):
        arm = shown.arm(asking.side)
        strong = answers.get(error_answer(arm, category.id, significant=True), 0)
        weak = answers.get(error_answer(arm, category.id, significant=False), 0)
        counts = f"{strong} significant" if strong else ""
        counts += (", " if strong and weak else "") + (f"{weak} insignificant" if weak else "")
        key = key_text(scheme, f"error.{at}")
        label = Content.assemble(
            (category.label, "bold" if strong or weak else ""),
            (f"  {counts}" if counts else "", "$warning" if strong else "$muted"),
        )
        first, *more = label.wrap(max(10, width - len(key) - 1))  # whole, on more lines where it needs them
        row = [
            Content.assemble((f"{key} ", "bold $accent"), first),
            *(Content(" " * (len(key) + 1)) + each for each in more),
        ]
        rows += [_clickable(line, f"error.{at}") for line in row]
    return rows


def _dimensions(asking: Asking, width: int) -> list[Content]:
    scheme, rating = asking.scheme, asking.shown.rating
    marked = scheme.dimensions[asking.at]
    levels = [
        _option(scheme, f"dimension.{at}", level.label, False)
        for at, level in enumerate(scheme.preference, 1)
    ]
    question = Content.styled(marked.question or f"{marked.label}: which text is better?", "bold")
    another = Content.assemble(("↑↓", "bold $accent"), (" another", "$muted"))
    rows = flowed([question, another, _key(scheme, "close_panel", "done")], width)
    wide = max(len(dimension.label) for dimension in scheme.dimensions)
    for at, dimension in enumerate(scheme.dimensions):
        level = chosen_level(rating, scheme, dimension_answer(dimension.id))
        answer = scheme.preference[level].label if level is not None else "–"
        here = at == asking.at
        rows.append(
            Content.assemble(
                ("▌" if here else " ", "$accent"),
                (f"{dimension.label:<{wide}}  ", "bold" if here else ""),
                (answer, "$accent" if level is not None else "$muted"),
            )
        )
    return [*rows, *flowed(levels, width)]


def flowed(parts: Iterable[Content], width_cells: int, gap_cells: int = 3) -> list[Content]:
    """Parts one after the other, on as many rows as they need; a part is never broken."""
    rows: list[Content] = []
    for part in parts:
        if rows and rows[-1].cell_length + gap_cells + part.cell_length <= width_cells:
            rows[-1] = Content.assemble(rows[-1], " " * gap_cells, part)
        else:
            rows.append(part)
    return rows


def _option(scheme: Scheme, action: str, label: str, chosen: bool) -> Content:
    key = key_text(scheme, action)
    if chosen:  # as wide as it was, so that nothing beside it moves
        return _clickable(Content.styled(f"{key} {label}", theme.LIT), action)
    return _clickable(Content.assemble((key, "bold $accent"), f" {label}"), action)


def _answered(scheme: Scheme, action: str, what: str, answer: str, is_answered: bool) -> Content:
    text = Content.assemble(
        (key_text(scheme, action), "bold $accent"),
        (f" {what}", "$muted"),
        (f" {answer}" if answer else "", "bold" if is_answered else "$muted"),
    )
    return _clickable(text, action)


def _clickable(text: Content, action: str) -> Content:
    """A text on which a click does what its key does."""
    return text.stylize(Style.from_meta({"@click": f"screen.act('{action}')"}))


def _key(scheme: Scheme, action: str, word: str) -> Content:
    """A key with what it does here."""
    text = Content.assemble((key_text(scheme, action), "bold $accent"), (f" {word}", "$muted"))
    return _clickable(text, action)


def _panel_keys(asking: Asking) -> list[Content]:
    other = _key(asking.scheme, "other_text", f"text {SIDES[1 - asking.side]}")
    return [other, _key(asking.scheme, "close_panel", "done")]


def _by_side(values: Iterable[str]) -> str:
    return " · ".join(f"{side} {value or '–'}" for side, value in zip(SIDES, values, strict=True))


def _errors_text(rating: Rating | None, arm: str) -> str:
    """How many errors were counted; "none" only where somebody looked."""
    count = _error_sum(rating, arm)
    if count:
        return str(count)
    return "none" if rating is not None and checked_answer(arm) in rating.answers else ""


def _error_sum(rating: Rating | None, arm: str) -> int:
    if rating is None:
        return 0
    parsed = ((parse_error_answer(key), count) for key, count in rating.answers.items())
    return sum(count for about, count in parsed if about is not None and about[0] == arm)
