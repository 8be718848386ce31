"""What words mean in the code: a name says what the value is, and one word names one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "radtui"
TELL_NOTHING = {"found", "one", "told", "said", "given", "how"}
# Findings that a text names rightly, beside `missed` and `invented`: keys of exports and of `stats --json`.
OF_FILES = {("measures/truth_scores.py", "found")}


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module gives a name: variables, parameters, functions, classes, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name


def saying_nothing(source: str) -> list[tuple[int, str]]:
    return [
        (line, name)
        for line, name in bound_names(ast.parse(source))
        if name.strip("_").lower() in TELL_NOTHING
    ]


def test_a_name_says_what_the_value_is() -> None:
    assert saying_nothing("def _told(found, *, how=1):\n    self.said = [one for one in found]\n") == [
        (1, "_told"), (1, "found"), (1, "how"), (2, "said"), (2, "one"),
    ]  # fmt: skip
    assert saying_nothing("for each in jobs:\n    each.found, text = given_names, 'how'\n") == [(2, "found")]
    refused = [
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, name in saying_nothing(path.read_text(encoding="utf-8"))
        if (path.relative_to(PACKAGE).as_posix(), name) not in OF_FILES
    ]
    assert not refused


def test_no_two_public_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    shared = {name: files for name, files in places.items() if len(files) > 1}
    assert not shared
