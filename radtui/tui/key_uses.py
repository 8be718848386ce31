"""What each key does in each part of the app: the rows that bindings, help and the bar of keys are made from."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from radtui.tui.job_key_uses import JOB_USES, OF_A_JOB
from radtui.tui.keys import FAR, KEYS, MOVES, SHOW, Use, Uses, walk
from radtui.tui.sheet_key_uses import SHEET_USES

USES: Uses = {
    "app": (
        Use("data", "go('data')", "Data", "Look at images and import more"),
        Use("train", "go('train')", "Train", "Set up a training job or watch one"),
        Use("review", "go('review')", "Review", "Rate base against tuned descriptions"),
        Use("jobs", "go('jobs')", "Jobs", "All jobs: stop, continue, logs"),
        Use("help", "help", "Help", "Every key that works now"),
        Use("commands", "command_palette", "Commands", "Find a command by name"),
        Use("quit", "quit", "Quit", "Leave; jobs go on", SHOW),
    ),
    # Widgets that lie on several screens.
    "table": (
        Use("take", "select", "Open", "Open the highlighted row", SHOW),
        *walk("move", "Row"),
        Use("page_up", "page(-1)", "Page up", "One screen up"),
        Use("page_down", "page(1)", "Page down", "One screen down"),
        Use("top", "end(0)", "First", "First row"),
        Use("bottom", "end(1)", "Last", "Last row"),
    ),
    "grid": (
        Use("take", "select", "Open", "Look at the highlighted one", SHOW),
        Use("more", "resize(1)", "Larger", "Fewer and larger", SHOW),
        Use("less", "resize(-1)", "Smaller", "More and smaller", SHOW),
        Use("left", "move(-1)", "Left", "The one before"),
        Use("right", "move(1)", "Right", "The next one"),
        Use("previous", "move(-1)", "Left", "The one before"),
        Use("next", "move(1)", "Right", "The next one"),
        Use("up", "rows(-1)", "Up", "The one above"),
        Use("down", "rows(1)", "Down", "The one below"),
        Use("page_up", "page(-1)", "Page up", "One screen up"),
        Use("page_down", "page(1)", "Page down", "One screen down"),
        Use("top", f"move({-FAR})", "First", "The first one"),
        Use("bottom", f"move({FAR})", "Last", "The last one"),
    ),
    "fields": (
        Use("take", "edit", "Edit", "Type a value for this field", SHOW),
        Use("right", "turn(1)", "Next choice", "Next choice of this field", SHOW),
        Use("left", "turn(-1)", "Previous choice", "Previous choice of this field"),
        Use("reset", "reset", "Reset", "Back to the preset's value", SHOW),
        *walk("move", "Field"),
        Use("page_up", "move(-10)", "Ten up", "Ten fields up"),
        Use("page_down", "move(10)", "Ten down", "Ten fields down"),
        Use("top", "move(-999)", "First field", "First field"),
        Use("bottom", "move(999)", "Last field", "Last field"),
    ),
    "field": (
        Use("back", "give_up", "Give up", "Leave the value as it was", SHOW),
        Use("take", "submit", "Take", "Take the typed value", SHOW),
    ),
    "path": (
        Use("take", "submit", "Take", "Take what is typed", SHOW),
        Use("part", "complete", "Complete", "Complete the path; the next field where nothing is left to complete",
            SHOW, only="tab"),
    ),
    "source": (
        Use("take", "submit", "Look", "Look at what comes in; nothing is imported yet", SHOW),
    ),
    "line": (
        Use("take", "submit", "Take", "Take what is typed", SHOW),
    ),
    "marks": (
        Use("mark", "select", "Mark", "Mark the line, or take the mark off", SHOW),
    ),
    "options": (
        Use("take", "select", "Take", "Take the marked line", SHOW),
        Use("down", "cursor_down", "Down", "Line below", only="j"),
        Use("up", "cursor_up", "Up", "Line above", only="k"),
        Use("next", "cursor_down", "Down", "Line below"),
        Use("previous", "cursor_up", "Up", "Line above"),
        Use("top", "first", "First", "First line", only="g"),
        Use("bottom", "last", "Last", "Last line", only="G"),
    ),
    "scroll": (
        Use("down", "scroll_down", "Down", "Scroll down"),
        Use("up", "scroll_up", "Up", "Scroll up"),
        Use("page_up", "page_up", "Page up", "One screen up"),
        Use("page_down", "page_down", "Page down", "One screen down"),
        Use("top", "scroll_home", "Top", "To the top"),
        Use("bottom", "scroll_end", "Bottom", "To the end"),
    ),
    "search": (
        Use("back", "clear", "Clear", "Forget the search", SHOW),
        Use("take", "keep", "To the list", "Go to what was found", SHOW),
        Use("down", "keep", "To the list", "Go to what was found", only="down"),
    ),
    "image": (
        Use("more", "look('zoom', 1)", "Zoom in", "Magnify about the middle", SHOW),
        Use("less", "look('zoom', -1)", "Zoom out", "Show more around the middle", SHOW),
        Use("fit", "look('fit')", "Fit", "Show the whole image", SHOW),
        Use("one_to_one", "look('one_to_one')", "1:1", "One image pixel to one drawn pixel"),
        Use("preset", "look('preset', 1)", "Window", "Next window: file's own, auto, full, lung ...", SHOW),
        Use("preset_back", "look('preset', -1)", "Window back", "Previous window"),
        Use("brighter", "look('window', -1, 0)", "Brighter", "Lower the window's centre", SHOW),
        Use("darker", "look('window', 1, 0)", "Darker", "Raise the window's centre", SHOW),
        Use("contrast_up", "look('window', 0, -1)", "Contrast up", "Narrow the window"),
        Use("contrast_down", "look('window', 0, 1)", "Contrast down", "Widen the window"),
        Use("left", "look('pan', -1, 0)", "Left", "Move left by a tenth of what is seen"),
        Use("right", "look('pan', 1, 0)", "Right", "Move right by a tenth of what is seen"),
        Use("up", "look('pan', 0, -1)", "Up", "Move up by a tenth of what is seen"),
        Use("down", "look('pan', 0, 1)", "Down", "Move down by a tenth of what is seen"),
        Use("invert", "look('invert')", "Invert", "Exchange black and white"),
        Use("rotate", "look('rotate')", "Rotate", "Turn clockwise by a quarter"),
        Use("mirror", "look('mirror')", "Mirror", "Mirror left to right; side markers follow"),
        Use("earlier", "frame(-1)", "Frame back", "Previous frame of a multi-frame image"),
        Use("later", "frame(1)", "Frame on", "Next frame of a multi-frame image"),
        Use("crosshair", "cross", "Crosshair", "Mark the pixel whose value is read"),
        Use("keep", "keep", "Keep view", "Keep zoom and window when stepping to other images"),
        Use("blocks", "blocks", "Blocks", "Half blocks in exact greys, or finer quadrants with two greys a cell"),
        Use("pixels", "pixels", "Real pixels",
            "Real pixels or half blocks, where the terminal has kitty's or sixel graphics"),
        Use("reset", "look('reset')", "Reset", "Whole image, first window, upright"),
    ),
    "chart": (
        Use("crosshair", "chart('crosshair')", "Read", "Show a crosshair and its values, or hide it"),
        Use("back", "chart('hide_crosshair')", "Hide crosshair", "Show the newest values again"),
        Use("left", "crosshair(-1)", "Read left", "Move the crosshair to the left"),
        Use("right", "crosshair(1)", "Read right", "Move the crosshair to the right"),
        Use("more", "chart('zoom_in')", "Zoom in", "Show half as much, about crosshair or newest point"),
        Use("less", "chart('zoom_out')", "Zoom out", "Show twice as much"),
        Use("fit", "chart('show_all')", "Whole run", "Show the whole run"),
        Use("page_up", "chart('earlier')", "Earlier", "Move the window to earlier points"),
        Use("page_down", "chart('later')", "Later", "Move the window to later points"),
        Use("log_axis", "chart('log')", "Log axis", "Logarithmic or linear loss axis"),
        Use("axis", "chart('axis')", "Step/epoch/time", "Count the axis in steps, epochs or time"),
        Use("smoothing", "chart('smoothing')", "Smoothing", "Moving average off, light, medium or heavy"),
        Use("raw", "chart('raw')", "Raw values", "Whose measured values are shown behind the lines"),
    ),
    # Screens.
    "welcome": (
        Use("digits", "choose(0)", "Demo", "Begin with the demo", SHOW, only="1"),
        Use("digits", "choose(1)", "Folder", "Import a folder", SHOW, only="2"),
        Use("digits", "choose(2)", "Radiology_mini", "Import Radiology_mini from the hub", SHOW, only="3"),
        Use("back", "leave_path", "Back", "Leave the path"),
    ),
    "choices": (
        *walk("move", "Choice"),
        Use("take", "take", "Take", "Begin with the marked choice", SHOW),
    ),
    "data": (
        Use("back", "list", "List", "Back to the list", SHOW),
        Use("search", "search", "Search", "Search in references and names", SHOW),
        Use("filter", "filter", "Filter", "Show only some images", SHOW),
        Use("film", "film", "Whole screen", "The image over the whole screen", SHOW),
        Use("browse", "gallery", "Browse", "The list as thumbnails over the whole screen", SHOW),
        Use("import", "import", "Import", "Import images from a folder, a file or the hub", SHOW),
        Use("sort", "sort", "Sort", "Next order: as imported, name, reference, size", SHOW),
        Use("other", "dataset", "Data set", "Look at another data set", SHOW),
        Use("columns", "columns", "Columns", "Which columns the list shows, and in which order"),
        Use("ask", "ask", "Ask", "Ask base and tuned model about the image", SHOW),
        Use("later", "view(1)", "Next view", "The next image of a case that has several", SHOW),
        Use("earlier", "view(-1)", "View before", "The image before of a case that has several"),
        Use("next", "step(1)", "Next", "Next image"),
        Use("previous", "step(-1)", "Previous", "Previous image"),
        Use("copy", "copy", "Copy", "Copy the reference, or the image's name where there is none"),
        Use("reference", "reference", "Reference", "See a hidden reference; your ratings of it are un-blinded", SHOW),
    ),
    "image list": (Use("back", "forget", "Clear", "Forget the search"),),
    "gallery": (
        Use("back", "back", "List", "Back to the list and the image that was shown", SHOW),
        Use("browse", "back", "List", "Back to the list and the image that was shown"),
        Use("film", "film", "Whole screen", "The image over the whole screen", SHOW),
        Use("search", "search", "Search", "Back to the list, to search in it", SHOW),
        Use("ask", "ask", "Ask", "Ask base and tuned model about the image", SHOW),
    ),
    "film": (
        Use("back", "done", "Back", "Back to where the image was", SHOW),
        Use("film", "done", "Back", "Back to where the image was"),
        Use("quit", "done", "Back", "Back to where the image was"),
        Use("help", "app.help", "Help", "Every key that works now"),
        Use("ask", "ask", "Ask", "Ask base and tuned model about the image"),
        Use("earlier", "view(-1)", "Image before", "The image before of a case that has several"),
        Use("later", "view(1)", "Next image", "The next image of a case that has several"),
    ),
    "ask": (
        Use("back", "back", "Back", "Back to where the image was; the answer is kept", SHOW),
        Use("take", "edit", "Question", "Type another question", SHOW),
        Use("again", "again", "Ask again", "Ask the same question again", SHOW),
        Use("other", "model", "Other job", "Ask the next older training job the same", SHOW),
        Use("down", "choose(1)", "Earlier", "The question before this one", SHOW),
        Use("up", "choose(-1)", "Later", "The question after this one"),
        Use("next", "choose(1)", "Earlier", "The question before this one"),
        Use("previous", "choose(-1)", "Later", "The question after this one"),
        Use("film", "film", "Whole screen", "The image over the whole screen", SHOW),
        Use("later", "view(1)", "Next image", "The next image of a case that has several", SHOW),
        Use("earlier", "view(-1)", "Image before", "The image before of a case that has several"),
        Use("page_down", "page(1)", "Page down", "The answers a screen down"),
        Use("page_up", "page(-1)", "Page up", "The answers a screen up"),
        Use("copy", "copy", "Copy", "Copy the question with its answers"),
    ),
    "train": (
        *OF_A_JOB,
        Use("other", "other", "Other job", "Show the next older training job", SHOW),
        Use("whole_log", "log", "Whole log", "The log over the whole screen"),
        Use("corrections", "learn", "From corrections", "Learn the texts that readers corrected or accepted"),
    ),
    "job pane": (
        Use("texts", "texts", "Texts", "Watched texts in place of the chart, and back", SHOW),
        Use("next", "text_step(1)", "Later", "Watched texts one step later", SHOW),
        Use("previous", "text_step(-1)", "Earlier", "Watched texts one step earlier", SHOW),
        Use("later", "text_image(1)", "Next image", "Watched texts of the next image"),
        Use("earlier", "text_image(-1)", "Image before", "Watched texts of the image before"),
        Use("film", "film", "Image", "The watched image over the whole screen"),
        Use("log", "tail", "Log", "Show or hide the end of the log", SHOW),
    ),
    "form": (
        Use("back", "screen.back", "Back to the job", "Back to the job that was shown", SHOW),
        Use("start", "start", "Start", "Start training with these settings", SHOW),
        Use("preset", "preset", "Preset", "Fill in the next preset", SHOW),
        Use("memory", "memory", "Memory", "What this run would take of the memory, before it starts", SHOW),
        Use("learn", "ratings", "From ratings", "Learn from rated pairs, with the job that wrote them", SHOW),
        Use("corrections", "corrections", "From corrections", "Learn corrected and accepted texts", SHOW),
    ),
    **JOB_USES,
    "review": (
        Use("back", "act('close_panel')", "Done", "Back to the preference", SHOW),
        Use("part", "act('other_text')", "Other text", "Answer for the other text", SHOW),
        Use("other", "act('error_significance')", "Significance", "Count significant or insignificant errors", SHOW),
        Use("less", "act('error_take_back')", "One less", "Lower the count that was raised last", SHOW),
        Use("skip", "act('skip')", "Skip", "Skip: this pair cannot be judged"),
        Use("undo", "act('undo')", "Undo", "Take back the last answer, again and again", SHOW),
        Use("acceptability", "act('open_acceptability')", "Acceptability", "Say how usable each text is"),
        Use("errors", "act('open_errors')", "Errors", "Count errors in each text"),
        Use("compare", "act('open_dimensions')", "Compare", "Compare the texts on single qualities"),
        Use("film", "act('zoom')", "Image", "The image over the whole screen, and back", SHOW),
        Use("note", "act('note')", "Note", "Write a note on this pair", SHOW),
        Use("mark", "act('flag')", "Flag", "Flag this pair, or take the flag off", SHOW),
        Use("left", "act('previous')", "Back", "Previous pair", SHOW),
        Use("filter", "act('filter')", "Filter", "Only unrated pairs, flagged ones, ties, disagreements ...", SHOW),
        Use("totals", "act('summary')", "Totals", "Who is preferred so far, with intervals and scores", SHOW),
        Use("search", "act('search')", "Search", "Find pairs by words in their texts", SHOW),
        Use("take", "act('next_unrated')", "Next unrated", "Go to the next pair without a rating", SHOW),
        Use("jump", "act('jump')", "Go to", "Go to a pair by its number", SHOW),
        Use("reference", "act('reference')", "Reference", "Show the reference text, or hide it", SHOW),
        Use("reveal", "act('reveal')", "Reveal", "Show which text is whose; rated after that is not blind", SHOW),
        Use("right", "act('next')", "Next", "Next pair, without rating this one"),
        Use("digits", "act('both_bad')", "Both bad", "Neither text is of use", only="0"),
    ),
    "review errors": (
        Use("digits", "act('checked_none')", "Checked, none", "Checked for errors: what is counted is all there is",
            SHOW, only="0"),
    ),
    # Beside the keys that a rating scheme names.
    "review qualities": (
        Use("part", "texts('quality', 1)", "Next quality", "Compare the texts on the next quality", SHOW, only="tab"),
    ),
    "review lists": (
        Use("down", "texts('scroll', 1)", "Scroll", "Scroll the texts down"),
        Use("up", "texts('scroll', -1)", "Scroll", "Scroll the texts up"),
        Use("page_down", "texts('page', 1)", "Page down", "The texts a screen down"),
        Use("page_up", "texts('page', -1)", "Page up", "The texts a screen up"),
        Use("top", "texts('end', 0)", "Top", "To the top of the texts"),
        Use("bottom", "texts('end', 1)", "Bottom", "To the end of the texts"),
        Use("next", "act('next')", "Next", "Next pair, without rating this one"),
        Use("previous", "act('previous')", "Back", "Previous pair"),
        Use("back", "leave", "Back", "Back from the image, or to all pairs"),
        Use("later", "act('next_image')", "Next image", "The next image of a case that has several", SHOW),
        Use("earlier", "act('image_before')", "Image before", "The image before of a case that has several"),
        Use("copy", "copy", "Copy", "Copy both texts"),
        Use("correct", "act('correct')", "Correct", "Correct the better text, or the marked one"),
        Use("accept", "act('accept_text')", "Accept", "Take the better or the marked text as it is"),
        Use("alone", "act('read_alone')", "Read one arm", "Read and correct one arm's texts"),
        Use("corrections", "learn", "Learn", "Learn the texts that were corrected or accepted"),
        Use("ask", "act('ask')", "Ask", "Ask base and tuned model about the image of a rated pair"),
    ),
    "correct sheet": (
        Use("save", "save", "Save", "Keep the text as it stands", SHOW),
        Use("back", "leave", "Close", "Back; asks when something was changed", SHOW),
    ),
    "reading": (
        Use("back", "back", "Comparisons", "Back to the comparisons", SHOW),
        Use("accept", "accept", "Accept", "Take the text as it is, and show the next", SHOW),
        Use("correct", "correct", "Correct", "Correct the text, and show the next", SHOW),
        Use("skip", "skip", "Skip", "Skip: this text cannot be judged", SHOW),
        Use("undo", "undo", "Undo", "Take back the last answer, again and again", SHOW),
        Use("left", "step(-1)", "Back", "The text before", SHOW),
        Use("previous", "step(-1)", "Back", "The text before"),
        Use("right", "step(1)", "Next", "The next text, without an answer", SHOW),
        Use("next", "step(1)", "Next", "The next text, without an answer"),
        Use("take", "next", "Next unread", "The next text without an answer", SHOW),
        Use("corrections", "learn", "Learn", "Learn the texts that were corrected or accepted", SHOW),
        Use("film", "film", "Whole screen", "The image over the whole screen", SHOW),
        Use("later", "view(1)", "Next image", "The next image of a case that has several", SHOW),
        Use("earlier", "view(-1)", "Image before", "The image before of a case that has several"),
    ),
    "review studies": (
        Use("start", "stint", "Rate so many now", "Set out for a number of pairs, which the line above counts", SHOW),
        Use("other", "studies", "Other study", "Review the pairs of another job or study"),
    ),
    "summary": (
        Use("back", "back", "Back to the pairs", "Back to the pairs", SHOW),
        Use("totals", "back", "Back to the pairs", "Back to the pairs"),
        Use("export", "export", "Export CSV", "Write the rated comparisons as CSV", SHOW),
        Use("other", "all_raters", "All raters or mine", "Summarise everybody's ratings, or only mine", SHOW),
        Use("copy", "copy", "Copy", "Copy the statistics as text", SHOW),
    ),
    **SHEET_USES,
}  # fmt: skip


def bindings(part: str, *, priority: bool = False) -> list[BindingType]:
    """The bindings of one part of the app, one of `USES`; those with `priority` come before the focus's own."""
    return [binding(part, use, priority=priority) for use in USES[part]]


def is_command(bound: Binding) -> bool:
    """Whether the command palette offers it: what the map has but for mere moves, and nothing of Textual's own."""
    part, _, rest = (bound.id or "").partition(".")
    return part in USES and rest.partition(".")[0] not in MOVES


def meaning(bound: Binding) -> str:
    """What a binding's key means everywhere; "" for one that is not of the map."""
    key = (bound.id or "").split(".")[1:2]
    return KEYS[key[0]].means if key and key[0] in KEYS else ""


def binding(part: str, use: Use, keys: str = "", *, priority: bool = False) -> Binding:
    """One row of a part as a binding; `keys` are others than the map's, as a rating scheme may name."""
    return Binding(
        keys or use.only or KEYS[use.key].keys, use.action, use.word,
        show=use.show, tooltip=use.tip, priority=priority, id=f"{part}.{use.key}.{use.action}",
    )  # fmt: skip
