"""What the review screen's keys are called: the scheme says which key, this says what it does."""

from __future__ import annotations

from textual.actions import parse as parse_action
from textual.binding import Binding

from radtui.measures.scheme import Scheme
from radtui.tui.key_uses import USES, binding
from radtui.tui.keys import Use

# action of the scheme -> its row; the bars show them in this order
_USES = {parse_action(use.action)[2][0]: use for use in (*USES["review errors"], *USES["review"])}


def bindings_of(scheme: Scheme) -> list[Binding]:
    """One binding for each action a scheme has a key for; the bars show them in this order.

    The key for the other text goes through the qualities, which are of both texts: else it would leave the panel.

    Args:
        scheme: Gives the keys; `help` is the app's own.
    """
    order = {action: at for at, action in enumerate(_USES)}
    actions = sorted(
        (action for action in scheme.keys if action != "help" and _exists(scheme, action)),
        key=lambda action: order.get(action, -1),
    )
    bound = [_binding(scheme, action) for action in actions]
    if scheme.dimensions:
        bound += [
            binding("review qualities", use, scheme.key_of("other_text")) for use in USES["review qualities"]
        ]
    return bound


def _exists(scheme: Scheme, action: str) -> bool:
    """Whether the scheme asks the question that a numbered action answers, or a panel is opened for."""
    group, _, number = action.partition(".")
    sizes = {
        "preference": len(scheme.preference),
        "acceptability": len(scheme.acceptability),
        "error": len(scheme.errors),
        "dimension": len(scheme.preference) if scheme.dimensions else 0,
    }
    if number:
        return int(number) <= sizes[group]
    if action == "checked_none":
        return bool(scheme.errors)
    needs = {"open_acceptability": "acceptability", "open_errors": "error", "open_dimensions": "dimension"}
    return action not in needs or sizes[needs[action]] > 0


def _binding(scheme: Scheme, action: str) -> Binding:
    group, _, number = action.partition(".")
    use = _USES.get(action) or _numbered(action, _label(scheme, group, int(number) - 1))
    return binding("review", use, scheme.keys[action])


def _numbered(action: str, label: str) -> Use:
    """The row of an answer that a digit gives, which only the scheme knows."""
    return Use("digits", f"act('{action}')", label, label)


def _label(scheme: Scheme, group: str, at: int) -> str:
    if group == "acceptability":
        return scheme.acceptability[at].label
    return scheme.errors[at].label if group == "error" else scheme.preference[at].label
