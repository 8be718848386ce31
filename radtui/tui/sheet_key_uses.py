"""What each key does in what lies over a screen: sheets, boxes, the log. Rows of `key_uses.USES`."""

from __future__ import annotations

from radtui.tui.keys import SHOW, Use, Uses, walk

HELP = Use("help", "app.help", "Help", "Every key that works now")


def closing(tip: str) -> tuple[Use, ...]:
    """The two keys that close what lies over a screen, and the one that tells of the others."""
    return Use("back", "dismiss(None)", "Close", tip, SHOW), Use("quit", "dismiss(None)", "Close", tip), HELP


SHEET_USES: Uses = {
    "help": (
        *closing("Close the help")[:2],
        Use("help", "dismiss(None)", "Close", "Close the help"),
        Use("search", "search", "Search", "Show only keys with some words", SHOW),
    ),
    "log screen": (
        *closing("Close the log"),
        Use("log", "dismiss(None)", "Close", "Close the log"),
        Use("whole_log", "dismiss(None)", "Close", "Close the log"),
        Use("search", "search", "Search", "Find words in the log", SHOW),
        Use("next", "hit(1)", "Next hit", "Next line with the words"),
        Use("previous", "hit(-1)", "Previous hit", "Previous line with the words"),
        Use("copy", "copy", "Copy", "Copy the path of the log"),
    ),
    "sheet": closing("Change nothing"),
    "typing": (Use("back", "dismiss(None)", "Close", "Change nothing", SHOW),),
    "stint": (
        Use("take", "dismiss('more')", "As many more", "Rate as many again", SHOW),
        Use("totals", "dismiss('totals')", "Totals", "Who is preferred so far", SHOW),
        *closing("Back to the pairs"),
    ),
    "columns": (
        *closing("Back to the list"),
        Use("columns", "dismiss(None)", "Close", "Back to the list"),
        Use("take", "turn", "Show or hide", "Show the column, or hide it", SHOW),
        Use("mark", "turn", "Show or hide", "Show the column, or hide it"),
        Use("left", "shift(-1)", "Left", "Move the column to the left", SHOW),
        Use("right", "shift(1)", "Right", "Move the column to the right", SHOW),
        Use("reset", "reset", "Reset", "All columns in their usual order", SHOW),
    ),
    "data sets": (
        *closing("Keep this data set"),
        Use("other", "dismiss(None)", "Close", "Keep this data set"),
    ),
    "filters": (
        Use("back", "dismiss", "Close", "Back to the list", SHOW),
        Use("filter", "dismiss", "Close", "Back to the list"),
        Use("quit", "dismiss", "Close", "Back to the list"),
        HELP,
        *walk("move", "Filter"),
        Use("right", "change(1)", "Next value", "Next value of the filter", SHOW),
        Use("take", "change(1)", "Next value", "Next value of the filter"),
        Use("left", "change(-1)", "Value before", "Value before", SHOW),
        Use("reset", "clear", "Reset", "Show all images", SHOW),
    ),
    "import": (
        Use("back", "dismiss(None)", "Close", "Import nothing", SHOW),
        Use("take", "start", "Look", "Look at what comes in; nothing is imported yet", SHOW),
    ),
    "preview": (
        Use("back", "leave", "Back", "Import nothing; from the form, back to what comes in", SHOW),
        Use("quit", "leave", "Back", "Import nothing; from the form, back to what comes in"),
        HELP,
        Use("take", "take", "Import", "Import what is shown", SHOW),
        Use("next", "sample(1)", "Next case", "The next sample case", SHOW),
        Use("previous", "sample(-1)", "Case before", "The sample case before"),
        Use("right", "sample(1)", "Next case", "The next sample case"),
        Use("left", "sample(-1)", "Case before", "The sample case before"),
        Use("form", "change", "Change", "Columns, delimiter, encoding, question, split, patient", SHOW),
    ),
    "confirm": (
        Use("take", "answer(True)", "Yes", "Do it", SHOW),
        Use("back", "answer(False)", "No", "Leave it", SHOW),
        Use("quit", "answer(False)", "No", "Leave it"),
        HELP,
    ),
    "note": (
        Use("back", "done", "Keep", "Keep the note and go back", SHOW),
        Use("save", "done", "Keep", "Keep the note and go back"),
    ),
    "small": (Use("quit", "app.quit", "Quit", "Leave; jobs go on", SHOW),),
}  # fmt: skip
