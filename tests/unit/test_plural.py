"""Numbers with their nouns: "1 image", and no sentence that writes "1 images"."""

import ast
import re
from pathlib import Path

import radtui
from radtui.plural import listed, many

NOUNS = (
    "images|texts|ratings|pairs|steps|jobs|cases|words|files|rows|readers|answers|tokens|repeats|errors|questions|"
    "checkpoints|problems|studies|patients|exams|comparisons|lines|evaluations|wins|losses|trainings"
)
COUNTED = re.compile(rf"^ (?:[a-z-]+ )?(?:{NOUNS})\b")
ROOMS = ("cli", "tui", "study", "measures", "jobs")
GROUPED = "f','"  # the format of a number that people read
ALWAYS_SEVERAL = {"memory.image_tokens", "memory.text_tokens"}
"""Numbers that are two at least where their sentence is written."""


def test_one_of_a_kind_is_no_plural():
    assert many(1, "image") == "1 image" and many(0, "image") == "0 images"
    assert many(1978, "image") == "1,978 images"
    assert many(1, "loss", "losses") == "1 loss" and many(2, "loss", "losses") == "2 losses"
    assert many(1, "pair is", "pairs are") == "1 pair is"


def _counted_without_one(path):
    """Texts in which a number stands before a plural that is written whatever the number is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    with_a_case = {
        part for node in ast.walk(tree) if isinstance(node, ast.IfExp) for part in (node.body, node.orelse)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or node in with_a_case:
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            plural = isinstance(text, ast.Constant) and COUNTED.match(str(text.value))
            if not plural or not isinstance(value, ast.FormattedValue):
                continue
            number = ast.unparse(value.value)
            is_number = number.startswith("len(") or (
                value.format_spec and ast.unparse(value.format_spec) == GROUPED
            )
            if is_number and number not in ALWAYS_SEVERAL and not number.isupper():
                yield f"{path.name}:{node.lineno} {{{number}}}{plural.group()}"


def test_no_sentence_counts_without_a_word_for_one():
    root = Path(radtui.__file__).parent
    left = [
        text for room in ROOMS for path in (root / room).rglob("*.py") for text in _counted_without_one(path)
    ]
    assert left == []


def test_any_number_of_names_stands_in_a_sentence():
    names = ["base", "tuned", "gpt"]
    rows = [listed(names[:count]) for count in range(4)]
    assert rows == ["", "base", "base and tuned", "base, tuned and gpt"]
