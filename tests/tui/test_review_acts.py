"""The table of what keys of a rating scheme do, and the one way in which threads answer."""

from __future__ import annotations

import threading

from textual.actions import parse
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widgets import Static

from radtui.measures.scheme import MODES, modes_of
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.study.scheme_file import default_scheme
from radtui.tui.aside import aside
from radtui.tui.key_uses import USES
from radtui.tui.review.acts import ACTS
from radtui.tui.review.answer_panel import AnswerPanel
from tests.tui.driving import until
from tests.tui.reviewing import history, opened, panel, screen, settled


def test_every_action_that_a_scheme_or_a_key_names_is_done_and_no_other_is_there() -> None:
    named = {action.partition(".")[0] for action in default_scheme().keys if action != "help"}
    for part in ("review", "review errors", "review lists"):
        calls = [parse(use.action) for use in USES[part]]
        named |= {parameters[0] for _, name, parameters in calls if name == "act"}
    assert set(ACTS) == named


def test_each_action_has_modes_and_judgements_are_made_only_with_the_texts_in_sight() -> None:
    assert all(modes_of(action) and modes_of(action) <= set(MODES) for action in ACTS)
    assert {name for name, act in ACTS.items() if act.judges} == {"preference", "both_bad", "skip"}
    assert all(act.needs_texts for act in ACTS.values() if act.judges)


class Asker(App[None]):
    """Asks in threads that wait to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[object] = []
        self.go = threading.Event()

    def compose(self) -> ComposeResult:
        yield Static(id="asker")

    def ask(self, result: object, *, exclusive: bool = True) -> None:
        def work() -> object:
            self.go.wait(10)
            if isinstance(result, Exception):
                raise result
            return result

        aside(
            self.query_one("#asker"), work, self.answers.append, self.answers.append,
            group="ask", exclusive=exclusive,
        )  # fmt: skip


async def test_an_answer_comes_and_an_error_comes_as_one_sentence() -> None:
    app = Asker()
    async with app.run_test() as pilot:
        app.go.set()
        app.ask(1)
        await app.workers.wait_for_complete()
        app.ask(UserError("It is locked; try again."))
        await app.workers.wait_for_complete()
        app.ask(ValueError("five"))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.answers == [1, "It is locked; try again.", "That did not work: five."]


async def test_the_answer_to_a_question_that_was_asked_again_is_dropped() -> None:
    app = Asker()
    async with app.run_test() as pilot:
        for at in range(3):
            app.ask(at)
        for at in (10, 11):
            app.ask(at, exclusive=False)
        app.go.set()
        await until(pilot, lambda: len(app.answers) == 3)
        assert set(app.answers) == {2, 10, 11}


async def test_an_answer_that_comes_after_its_widget_is_gone_ends_nothing() -> None:
    app = Asker()
    async with app.run_test() as pilot:
        app.ask(1)
        await app.query_one("#asker").remove()
        app.go.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.answers == [] and app.is_running


async def test_an_answer_is_given_by_a_click_as_by_its_key(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        widget = screen(pilot).query_one(AnswerPanel)

        def place(words: str) -> tuple[int, int]:
            """Where words stand in the panel."""
            rows = [strip.text for strip in widget.render_lines(Region(0, 0, *widget.size))]
            return next((row.index(words), y) for y, row in enumerate(rows) if words in row)

        await pilot.click(widget, offset=place("errors"))
        await settled(pilot)
        assert "Count the significant errors" in panel(pilot)
        await pilot.press("escape")
        await pilot.click(widget, offset=place("A slightly better"))
        await settled(pilot)
        ((preference, both_bad),) = history(data, reviewed_job)
        assert abs(preference or 0) == 1 and not both_bad
