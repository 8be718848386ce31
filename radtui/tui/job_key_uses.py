"""What each key does where jobs are listed and compared: rows of `key_uses.USES`."""

from __future__ import annotations

from radtui.tui.keys import SHOW, Use, Uses

OF_A_JOB = (
    Use("stop", "stop", "Stop", "Stop; training saves a checkpoint first", SHOW),
    Use("stop_now", "stop_now", "Stop now", "Stop at once, without saving"),
    Use("resume", "resume", "Continue", "Go on from the last checkpoint, or with what is missing", SHOW),
    Use("describe", "describe", "Describe", "Let the base and the tuned model describe images", SHOW),
    Use("again", "new", "Again", "A new training job, beginning with these settings", SHOW),
    Use("copy", "copy", "Copy", "Copy the path of its log"),
)  # fmt: skip
"""What can be done with the job that is shown or chosen, on every screen that has one."""

JOB_USES: Uses = {
    "jobs": (
        Use("log", "log", "Log", "The log over the whole screen", SHOW),
        Use("whole_log", "log", "Log", "The log over the whole screen"),
        *OF_A_JOB,
        Use("mark", "mark", "Mark", "Mark a training job, to see its curves with those of others", SHOW),
        Use("compare", "overlay", "Compare", "The marked jobs' curves together, and how their settings differ", SHOW),
        Use("search", "search", "Search", "Show only jobs with some words", SHOW),
        Use("sort", "sort", "Sort", "Next order: newest, name, loss, held-out loss, F1, time, state", SHOW),
        Use("filter", "filter", "Filter", "All jobs, only those of a kind, or archived ones too", SHOW),
        Use("columns", "columns", "Columns", "Which columns the list shows, and in which order", SHOW),
        Use("rename", "care('rename')", "Rename", "Give the job a name of your own", SHOW),
        Use("note", "care('note')", "Note", "Write a note on the job", SHOW),
        Use("archive", "care('archive')", "Archive", "Take the job out of sight, or back", SHOW),
        Use("delete", "care('delete')", "Delete", "Delete the job, or its checkpoints where others need it; asks"),
        Use("back", "forget", "Clear", "Forget the search and the filter"),
    ),
    "overlay": (
        Use("back", "back", "Jobs", "Back to the list of jobs", SHOW),
        Use("part", "app.focus_next", "Chart/table", "Keys go to the chart, or to the table", SHOW),
    ),
    "describe": (
        Use("start", "start", "Start", "Start the descriptions", SHOW),
        Use("back", "cancel", "Back", "Describe nothing", SHOW),
        Use("quit", "cancel", "Back", "Describe nothing"),
        Use("help", "app.help", "Help", "Every key that works now"),
    ),
}  # fmt: skip
