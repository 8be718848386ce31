"""What the review screen's keys are called: the scheme says which key, this says what it does."""

from __future__ import annotations

from textual.binding import Binding

from radtui.measures.scheme import Scheme

# action of the scheme -> word in the key bar, tooltip, whether the key bar shows it
_WORDS: dict[str, tuple[str, str, bool]] = {
    "other_text": ("Other text", "Answer for the other text", True),
    "checked_none": ("Checked, none", "Checked for errors: what is counted is all there is", True),
    "error_significance": ("Significance", "Count significant or insignificant errors", True),
    "error_take_back": ("One less", "Lower the count that was raised last", True),
    "close_panel": ("Done", "Back to the preference", True),
    "skip": ("Skip", "Skip: this pair cannot be judged", False),
    "undo": ("Undo", "Take back the last answer, again and again", True),
    "open_acceptability": ("Acceptability", "Say how usable each text is", False),
    "open_errors": ("Errors", "Count errors in each text", False),
    "open_dimensions": ("Compare", "Compare the texts on single qualities", False),
    "note": ("Note", "Write a note on this pair", True),
    "flag": ("Flag", "Flag this pair, or take the flag off", True),
    "zoom": ("Look", "Look at the image: zoom, window, move", True),
    "previous": ("Back", "Previous pair", True),
    "filter": ("List", "Only unrated pairs, flagged ones, ties, disagreements ...", True),
    "summary": ("Summary", "Who is preferred so far, with intervals and scores", True),
    "search": ("Search", "Find pairs by words in their texts", True),
    "next_unrated": ("Next unrated", "Go to the next pair without a rating", True),
    "jump": ("Go to", "Go to a pair by its number", True),
    "reference": ("Reference", "Show the reference text, or hide it", True),
    "reveal": ("Reveal", "Show which text is whose; rated after that is not blind", True),
    "next": ("Next", "Next pair, without rating this one", False),
    "both_bad": ("Both bad", "Neither text is of use", False),
}


def bindings_of(scheme: Scheme) -> list[Binding]:
    """One binding for each action a scheme has a key for; the bars show them in this order.

    The key for the other text goes through the qualities, which are of both texts: else it would leave the panel.

    Args:
        scheme: Gives the keys; `help` is the app's own.
    """
    order = {action: at for at, action in enumerate(_WORDS)}
    actions = sorted(
        (action for action in scheme.keys if action != "help" and _exists(scheme, action)),
        key=lambda action: order.get(action, -1),
    )
    found = [_binding(scheme, action) for action in actions]
    if scheme.dimensions:
        tip = "Compare the texts on the next quality"
        found.append(Binding(scheme.key_of("other_text"), "next_quality", "Next quality", tooltip=tip))
    return found


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
    if not number:
        word, tip, show = _WORDS.get(action, (action.replace("_", " "), "", False))
        return Binding(scheme.keys[action], f"act('{action}')", word, show=show, tooltip=tip)
    at = int(number) - 1
    label = {
        "preference": lambda: scheme.preference[at].label,
        "acceptability": lambda: scheme.acceptability[at].label,
        "error": lambda: scheme.errors[at].label,
        "dimension": lambda: scheme.preference[at].label,
    }[group]()
    return Binding(scheme.keys[action], f"act('{action}')", label, show=False, tooltip=label)
