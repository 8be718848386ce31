"""The map of keys: what each key means wherever it works, and what it does in each part of the app.

A key means one thing everywhere. What changes or ends something for good has a key of its own, a capital or with
ctrl; nothing of the kind lies on a key that moves, goes back or quits elsewhere. The bindings of all screens and
widgets, the help and the README's table are made from `KEYS` and `USES`; `python -m radtui.tui.keys` prints that table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from textual.keys import format_key

FAR = 10**12  # rows or tiles away: at the end
SHOW = True  # of a `Use` that the bar of keys may name
MOVES = frozenset({
    "down", "up", "left", "right", "page_up", "page_down", "top", "bottom", "next", "previous", "part",
})  # fmt: skip
WORDS = {"backspace": "bksp", "escape": "esc", "enter": "enter", "pageup": "pgup", "pagedown": "pgdn"}


@dataclass(frozen=True, slots=True)
class Key:
    """One meaning, and the keys that have it.

    Attributes:
        name: What rows of `USES` call it.
        keys: Textual's names, comma-separated; messages and the bar of keys name the first.
        means: Its meaning everywhere, as the README tells it.
        topic: What it is about; a row of the README's table.
    """

    name: str
    keys: str
    means: str
    topic: str


@dataclass(frozen=True, slots=True)
class Use:
    """What a key does in one part of the app.

    Attributes:
        key: A `Key` by its name.
        action: Textual's action.
        word: In the bar of keys and the command palette.
        tip: In the help; one sentence without its full stop.
        show: Whether the bar of keys may name it.
        only: The keys that do this, where it is not all of the `Key`'s.
    """

    key: str
    action: str
    word: str
    tip: str
    show: bool = False
    only: str = ""


Uses = dict[str, tuple[Use, ...]]
"""What keys do, by part of the app: a screen, a sheet or a widget."""


def walk(move: str, what: str) -> tuple[Use, ...]:
    """Down, up, next and previous of a list, by an action that takes the number of rows."""
    return (
        Use("down", f"{move}(1)", "Down", f"{what} below"),
        Use("up", f"{move}(-1)", "Up", f"{what} above"),
        Use("next", f"{move}(1)", "Next", f"Next {what.lower()}"),
        Use("previous", f"{move}(-1)", "Previous", f"Previous {what.lower()}"),
    )


_TOPICS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "places and the app": (
        ("data", "d,f1", "Data"),
        ("train", "t,f2", "Train"),
        ("review", "r,f3", "Review"),
        ("jobs", "J,f4", "Jobs"),
        ("help", "question_mark", "every key that works now"),
        ("commands", "ctrl+p", "find a command by name"),
        ("quit", "q", "quit, jobs go on, close what lies over the screen"),
        ("back", "escape", "back, close, forget the search"),
        ("part", "tab,shift+tab", "the next part: a field, chart or table, the image, the other text; completes paths"),
    ),
    "lists, texts, logs": (
        ("down", "down,j", "down a row, a line, a choice"),
        ("up", "up,k", "up a row, a line, a choice"),
        ("left", "left", "to the left, the choice or pair before"),
        ("right", "right", "to the right, the next choice or pair"),
        ("page_up", "pageup,ctrl+b", "up by a screen, to earlier points of a chart"),
        ("page_down", "pagedown,ctrl+f", "down by a screen, to later points of a chart"),
        ("top", "home,g", "to the top"),
        ("bottom", "end,G", "to the bottom"),
        ("take", "enter", "open, take, edit, say yes, the next pair without a rating"),
        ("search", "slash", "search"),
        ("next", "n", "next hit, image, pair or step of watched texts"),
        ("previous", "N", "previous hit, image, pair or step"),
    ),
    "finding and choosing": (
        ("filter", "f", "filter: images, or the list of pairs"),
        ("sort", "s", "sort"),
        ("other", "o", "another one: data set, job, study, whose ratings, which kind of errors"),
        ("mark", "m", "mark: flag a pair, mark a job or an arm"),
        ("columns", "number_sign", "columns: which a list shows, and in which order"),
        ("compare", "c", "compare: texts by their qualities, marked jobs by their curves"),
        ("browse", "b", "browse thumbnails"),
        ("log", "l", "log"),
        ("whole_log", "L", "log over the whole screen"),
        ("texts", "x", "texts in place of the chart"),
        ("copy", "y", "copy a text or a path to the clipboard"),
    ),
    "rating": (
        ("digits", "1,2,3,4,5,6,7,8,9,0", "rate, answer or choose by number"),
        ("skip", "space", "skip a pair that cannot be judged"),
        ("acceptability", "a", "acceptability of each text"),
        ("errors", "e", "errors of each text"),
        ("note", "w", "write a note"),
        ("save", "ctrl+s", "keep what is written"),
        ("undo", "u", "undo an answer"),
        ("correct", "ctrl+e", "correct a text"),
        ("accept", "O", "OK: take a text as it is"),
        ("alone", "U", "unpaired: read and correct one arm's texts by themselves"),
        ("reference", "v", "view the reference, or hide it"),
        ("reveal", "exclamation_mark", "reveal which text is whose"),
        ("jump", "colon", "jump to a number"),
        ("totals", "T", "totals: who is preferred so far"),
    ),
    "an image": (
        ("film", "z", "the image over the whole screen, and back"),
        ("pixels", "Z", "images in real pixels or in half blocks"),
        ("ask", "Q", "question: ask base and tuned model about the image"),
        ("more", "plus", "zoom in, larger"),
        ("less", "minus", "zoom out, smaller, one less"),
        ("one_to_one", "asterisk", "one image pixel to one drawn pixel"),
        ("fit", "equals_sign", "the whole image, the whole run"),
        ("reset", "backspace", "reset: the view, a field, all filters"),
        ("preset", "p", "next preset: of the form, of the image's window"),
        ("preset_back", "P", "preset before"),
        ("brighter", "right_square_bracket,shift+up", "brighter"),
        ("darker", "left_square_bracket,shift+down", "darker"),
        ("contrast_up", "right_curly_bracket,shift+right", "more contrast"),
        ("contrast_down", "left_curly_bracket,shift+left", "less contrast"),
        ("invert", "i", "exchange black and white"),
        ("rotate", "greater_than_sign", "rotate by a quarter"),
        ("mirror", "vertical_line", "mirror"),
        ("crosshair", "h", "crosshair, of an image or a chart"),
        ("keep", "V", "keep the view for the next image"),
        ("blocks", "B", "half blocks or quadrants"),
        ("earlier", "comma", "previous frame, image of a case, watched image"),
        ("later", "full_stop", "next frame, image of a case, watched image"),
    ),
    "a chart": (
        ("axis", "X", "axis in steps, epochs or time"),
        ("log_axis", "Y", "logarithmic axis"),
        ("smoothing", "tilde", "smoothing"),
        ("raw", "W", "raw values behind the lines"),
    ),
    "jobs and forms": (
        ("start", "S", "start what the form says, or a stint of so many pairs"),
        ("form", "F", "form: change what is read, and how"),
        ("learn", "R", "learn from rated pairs"),
        ("corrections", "H", "learn from texts that people have corrected"),
        ("memory", "M", "estimate of the memory"),
        ("describe", "D", "let models describe images"),
        ("again", "A", "again with these settings"),
        ("resume", "C", "continue a job that has stopped"),
        ("import", "I", "import images"),
        ("export", "E", "export ratings"),
        ("stop", "K", "stop with a checkpoint; it can go on later"),
        ("stop_now", "ctrl+k", "stop now, without saving, asks once"),
        ("rename", "ctrl+r", "rename a job"),
        ("archive", "ctrl+o", "out of sight: archive a job, or take it back"),
        ("delete", "ctrl+x", "delete a job, says what that frees and asks once"),
    ),
}  # fmt: skip
KEYS: dict[str, Key] = {
    name: Key(name, keys, means, topic) for topic, rows in _TOPICS.items() for name, keys, means in rows
}


def sign(name: str) -> str:
    """How a sentence names a key by what it means: `sign("import")` is "I"."""
    return shown(KEYS[name].keys.partition(",")[0])


def shown(key: str) -> str:
    """A key of Textual's name as it stands on the screen: "comma" is ","."""
    modifier, plus, last = key.rpartition("+")
    if last.startswith("f") and last[1:].isdigit():
        last = last.upper()
    word = WORDS.get(last) or format_key(last)
    return f"{modifier}{plus}{word}"


def readme_table() -> str:
    """The README's table of all keys, in Markdown: a row a topic."""
    rows = ["| about | keys |", "|---|---|"]
    for topic in _TOPICS:
        meanings = [f"{_signs(key)} {key.means}" for key in KEYS.values() if key.topic == topic]
        rows.append(f"| {topic} | {'; '.join(meanings)} |")
    return "\n".join(rows)


def _signs(key: Key) -> str:
    """All keys of a meaning, in Markdown."""
    if key.name == "digits":
        return "`0` to `9`"
    return " ".join(f"`{shown(alternative)}`" for alternative in key.keys.split(",")).replace("|", r"\|")


if __name__ == "__main__":
    sys.stdout.write(f"{readme_table()}\n")
