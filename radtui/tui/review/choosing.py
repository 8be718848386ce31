"""Choosing another study on the review screen, or making a new one."""

from __future__ import annotations

from textual.content import Content

from radtui.store import jobs, studies
from radtui.tui.aside import aside
from radtui.tui.keys import KEYS
from radtui.tui.review.dialogs import PickSheet, study_lines
from radtui.tui.review.following import Following
from radtui.tui.review.new_study import NewStudySheet
from radtui.tui.review.reviewing import Reviewing

NEW_STUDY = Content.styled("A new study of other arms ...", "$accent")


def choose_study(reviewing: Reviewing, following: Following) -> None:
    """Choose another study's pairs; counted in a thread, since there may be many."""
    rad = reviewing.screen.rad
    aside(
        reviewing.screen,
        lambda: rad.read(studies.with_comparisons),
        lambda counts: _choose(reviewing, following, counts),
        group="jobs",
    )


def _choose(reviewing: Reviewing, following: Following, counts: dict[int, int]) -> None:
    app, db = reviewing.screen.app, reviewing.screen.rad.db
    listed = [study for study in studies.all_studies(db) if study.id in counts]
    ids = [study.id for study in listed]
    now = reviewing.session.study.id if reviewing.session is not None else None

    def take(index: int | None) -> None:
        if index == len(ids):
            app.push_screen(NewStudySheet(), lambda made: following.load(made) if made else None)
        elif index is not None and ids[index] != now:
            following.load(ids[index])

    if ids:
        current = ids.index(now) if now in ids else 0
        lines = [*study_lines(listed, counts, jobs.live(db)), NEW_STUDY]
        app.push_screen(PickSheet("Review which study", lines, current, closes=KEYS["other"].keys), take)
