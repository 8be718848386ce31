"""The map of keys: one meaning a key, every binding made from it, help and README true to it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import radtui.tui
from radtui.study.scheme_file import default_scheme
from radtui.tui.app import RadtuiApp
from radtui.tui.key_uses import USES, bindings
from radtui.tui.keys import KEYS, MOVES, readme_table, sign
from radtui.tui.review.keys import bindings_of

README = Path(__file__).parents[2] / "README.md"
HARMFUL = {"stop", "stop_now", "resume", "describe", "again", "import", "export", "start", "answer(True)"}


def own_classes() -> list[type[DOMNode]]:
    """Every screen, widget and app of radtui."""
    for module in pkgutil.walk_packages(radtui.tui.__path__, "radtui.tui."):
        importlib.import_module(module.name)
    classes: list[type[DOMNode]] = []
    waiting: list[type[DOMNode]] = [DOMNode]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls.__module__.startswith("radtui."):
            classes.append(cls)
    return classes


def spread(bound: list[Binding]) -> set[tuple[str, str, str | None]]:
    """Single keys with their actions and rows."""
    return {(key, one.action, one.id) for one in bound for key in one.key.split(",")}


def test_no_key_has_two_meanings():
    owners: dict[str, str] = {}
    for row in KEYS.values():
        for key in row.keys.split(","):
            assert key not in owners, f"{key} means both {owners[key]} and {row.name}"
            owners[key] = row.name
    assert len({row.means for row in KEYS.values()}) == len(KEYS)


def test_every_binding_of_every_screen_and_widget_comes_from_the_map():
    rows = {part: spread(bindings(part)) for part in USES}
    everything = set().union(*rows.values())
    seen = set()
    for cls in own_classes():
        own = spread([one for one in cls.__dict__.get("BINDINGS", []) if isinstance(one, Binding)])
        assert len(cls.__dict__.get("BINDINGS", [])) == 0 or own, cls
        assert own <= everything, (cls, own - everything)
        seen |= own
    made_elsewhere = rows["review"] | rows["review qualities"] | rows["review errors"]  # by the scheme
    assert everything - seen <= made_elsewhere, everything - seen - made_elsewhere


@pytest.mark.parametrize("part", USES)
def test_a_part_gives_a_key_one_action_unless_a_mode_decides(part):
    taken: dict[str, str] = {}
    for key, action, _ in sorted(spread(bindings(part))):
        assert key not in taken, f"{part}: {key} does both {taken[key]} and {action}"
        taken[key] = action


@pytest.mark.parametrize("part", USES)
def test_a_use_keeps_to_the_keys_of_its_meaning(part):
    for use in USES[part]:
        assert set((use.only or KEYS[use.key].keys).split(",")) <= set(KEYS[use.key].keys.split(",")), use
        assert use.word and use.tip and not re.search(r"[^.]\.$", use.tip), use


def test_nothing_harmful_lies_on_a_key_that_moves_or_leaves_elsewhere():
    for part, uses in USES.items():
        for use in uses:
            if use.key in MOVES | {"quit", "back"}:
                assert use.action.partition("(")[0] not in HARMFUL and use.action not in HARMFUL, (part, use)
    for name in ("stop", "stop_now", "start", "describe", "again", "resume", "import", "export"):
        first = KEYS[name].keys
        assert (len(first) == 1 and first.isupper()) or first.startswith("ctrl+"), name


def test_the_schemes_own_keys_are_the_maps():
    scheme = default_scheme()
    rows = {use.action: use for use in (*USES["review"], *USES["review errors"])}
    for action, key in scheme.keys.items():
        if "." in action and not action.startswith(("both_bad",)):
            assert key in KEYS["digits"].keys.split(","), action
        elif action != "help":
            use = rows[f"act('{action}')"]
            assert key == (use.only or KEYS[use.key].keys).split(",")[0], action
    for one in bindings_of(scheme):
        assert one.id and one.id.startswith("review"), one


def test_the_readme_has_the_table_as_it_is():
    section = README.read_text(encoding="utf-8").split("## Keys\n")[1].split("\n## ")[0]
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    assert table == readme_table(), "write it anew: python -m radtui.tui.keys prints it"


def test_messages_name_keys_as_the_bar_does():
    assert (sign("data"), sign("jobs"), sign("stop_now"), sign("take"), sign("other")) == (
        "d", "J", "ctrl+k", "enter", "o",
    )  # fmt: skip
    assert issubclass(RadtuiApp, DOMNode)
