"""A study made in Review by keys."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from textual.widgets import Input, Static

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import studies
from radtui.tui.review.new_study import NewStudySheet
from tests.tui.driving import text_of
from tests.tui.reviewing import line, opened, screen, settled


async def test_arms_are_marked_and_the_study_opens(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    path = tmp_path / "gpt.csv"
    path.write_text("file,text\n" + "".join(f"train-{n:03d},Nodule {n}.\n" for n in range(20)))
    async with opened(data) as pilot:
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("end", "enter")
        await settled(pilot)
        sheet = pilot.app.screen
        assert isinstance(sheet, NewStudySheet)
        await pilot.press("tab", "enter")  # nothing is marked yet
        assert "Mark two arms" in str(sheet.query_one("#trouble", Static).content)
        await pilot.press("shift+tab", "m", "down", "space", "end", "m")
        await settled(pilot)
        marked = [row.split("│ ✓ ")[1].split()[0] for row in text_of(pilot.app).splitlines() if "│ ✓ " in row]
        assert marked == ["base", "tuned", "reference"]
        sheet.query_one("#files", Input).value = str(path)
        await pilot.press("tab", "tab", "enter")
        await settled(pilot)
        assert "neither a file of cases nor a split" in str(sheet.query_one("#trouble", Static).content)
        sheet.query_one("#cases", Input).value = "train"
        sheet.query_one("#name", Input).value = "four"
        await pilot.press("enter")
        await settled(pilot)
        await settled(pilot)
        assert pilot.app.screen is screen(pilot) and "study 2: four" in line(pilot)
    made = studies.all_studies(db)[0]
    assert made.arm_names == ("base", "tuned", "reference", "gpt.csv") and made.name == "four"
