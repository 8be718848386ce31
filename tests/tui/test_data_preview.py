"""What comes in is seen before it is taken: samples, counts, what is not used; columns are changed and seen again."""

from __future__ import annotations

import csv
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.settings import ImportSettings
from radtui.tui.app import RadtuiApp
from radtui.tui.data.preview import PreviewScreen
from radtui.tui.widgets.settings_form import SettingsForm
from tests.conftest import drawn_png

from .test_data_screen import looked_at


def source(folder: Path) -> Path:
    """Four images with two columns of words, a patient's name, and a file of no use."""
    folder.mkdir()
    rows = []
    for number in range(4):
        (folder / f"{number}.png").write_bytes(drawn_png(number))
        rows.append({
            "file_name": f"{number}.png", "report": f"Report {number}: no effusion, heart normal.",
            "summary": f"Summary {number}: normal.", "PatientName": f"Doe^Jane{number}",
        })  # fmt: skip
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (folder / "notes.pdf").write_bytes(b"%PDF-1.4\n")
    return folder


def words(screen: PreviewScreen, name: str) -> str:
    return str(screen.query_one(f"#{name}", Static).content)


async def begun(pilot: Pilot[None], folder: Path, answers: list[object]) -> PreviewScreen:
    pilot.app.push_screen(PreviewScreen(ImportSettings(source=str(folder))), answers.append)
    return await looked_at(pilot)


async def test_samples_counts_and_what_is_not_used_are_shown(data: DataDir, tmp_path: Path) -> None:
    answers: list[object] = []
    async with RadtuiApp(data, "ana", screen="data", live=False).run_test(size=(120, 40)) as pilot:
        screen = await begun(pilot, source(tmp_path / "in"), answers)
        assert "no effusion, heart normal." in words(screen, "words")
        shown = words(screen, "counts")
        assert "4 cases: 4 train" in shown and "metadata.csv" in shown
        assert "notes.pdf" in shown and "PatientName" in shown
        await pilot.press("n")
        assert "Case 2 of 3" in words(screen, "words")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(answers[0], ImportSettings) and answers[0].source == str(tmp_path / "in")


async def test_another_column_is_chosen_and_seen(data: DataDir, tmp_path: Path) -> None:
    answers: list[object] = []
    async with RadtuiApp(data, "ana", screen="data", live=False).run_test(size=(80, 24)) as pilot:
        screen = await begun(pilot, source(tmp_path / "in"), answers)
        await pilot.press("F")
        shown = "\n".join(screen._form.list.render_line(row).text for row in range(16))
        assert "report (found)" in shown and "metadata.csv (found)" in shown
        screen._form.list.change("text_column", "summary")
        for _ in range(1500):
            await pilot.pause(0.02)
            if "Summary 0" in words(screen, "words"):
                break
        assert "Summary 0: normal." in words(screen, "words")
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert answers == [None]


async def test_what_cannot_be_opened_comes_back_as_a_sentence(data: DataDir, tmp_path: Path) -> None:
    answers: list[object] = []
    async with RadtuiApp(data, "ana", screen="data", live=False).run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(PreviewScreen(ImportSettings(source=str(tmp_path / "gone"))), answers.append)
        for _ in range(1500):
            await pilot.pause(0.02)
            if answers:
                break
        assert isinstance(answers[0], str) and "gone" in answers[0]


async def test_on_80_columns_the_text_is_seen_and_the_form_has_the_screen(
    data: DataDir, tmp_path: Path
) -> None:
    answers: list[object] = []
    async with RadtuiApp(data, "ana", screen="data", live=False).run_test(size=(80, 24)) as pilot:
        screen = await begun(pilot, source(tmp_path / "in"), answers)
        await pilot.pause()
        text = screen.query_one("#words", Static).region
        assert text.y + 6 < screen.query_one("#sample").region.bottom
        await pilot.press("F")
        await pilot.pause()
        assert not screen.query_one("#sample").display
        assert screen.query_one(SettingsForm).region.width > 60
