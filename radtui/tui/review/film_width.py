"""How wide the film stands beside the texts: decided once a study, so that texts and answers keep their places."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass

from textual.content import Content

from radtui.measures.text import normalise
from radtui.store import studies
from radtui.study.session import ReviewSession

LOOKED_AT = 60  # cases of a study, about, spread over it: their texts say how long its texts are
LONG_SHARE = 0.9  # of the pairs that are looked at are no longer than the one that the room is measured by
TEXT_CELLS = 40  # beside the film at least, frames included
FRAME_CELLS, FRAME_ROWS = 4, 2  # of a text's frame, its padding included
FILM_STEP_CELLS = 8  # between widths that are tried
LEAST_SHARE = 0.4  # of the columns; a film that cannot have more gets the share of the style sheet


Boxes = tuple[tuple[str, ...], str]
"""The two texts of a pair, and its reference."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pair is drawn: what the film's width may depend on, and nothing of one pair alone.

    Attributes:
        study_id: Its texts are of some length.
        columns: Cells of the place.
        rows: Cells of the place, for film, texts and answers.
        mode: Which question is asked, since each needs rows of its own.
        with_reference: Whether the reference stands under the texts.
    """

    study_id: int
    columns: int
    rows: int
    mode: str
    with_reference: bool


class FilmWidths:
    """Widths that were decided, by place; the first pair that is drawn in a place decides for all after it."""

    def __init__(self) -> None:
        self._boxes: dict[int, list[Boxes]] = {}
        self._cells: dict[Place, int] = {}

    def cells(
        self, place: Place, session: ReviewSession, db: sqlite3.Connection, answer_rows: Callable[[int], int]
    ) -> int:
        """The columns of the film; 0 leaves it the share that the style sheet gives.

        Args:
            place: Where it is drawn.
            session: Whose study's texts are measured, once.
            db: The event loop's connection.
            answer_rows: Rows that the answers need in a column so wide.
        """
        if place not in self._cells:
            if place.study_id not in self._boxes:
                self._boxes[place.study_id] = read_boxes(session, db)
            boxes = a_long_one(self._boxes[place.study_id], with_reference=place.with_reference)
            self._cells[place] = _widest(place, boxes, answer_rows)
        return self._cells[place]


def read_boxes(session: ReviewSession, db: sqlite3.Connection) -> list[Boxes]:
    """The two longest texts of some cases of a study, and their references; the same for all its readers."""
    case_ids = sorted(
        {pair.case_id for pair in session.queue.pairs}
    )  # of a hundred thousand pairs 23 ms, once
    some = case_ids[:: max(1, len(case_ids) // LOOKED_AT)]
    return [
        (
            tuple(sorted((normalise(each.text) for each in comparison.texts.values()), key=len)[-2:]),
            comparison.reference,
        )
        for comparison in studies.comparisons(db, session.study, some).values()
    ]


def a_long_one(pairs: Collection[Boxes], *, with_reference: bool) -> tuple[str, ...]:
    """What stands in the boxes of a pair that is longer than `LONG_SHARE` of all."""
    boxes = [(*texts, *([reference] if with_reference else [])) for texts, reference in pairs]
    boxes.sort(key=lambda each: sum(map(len, each)))
    return boxes[int(LONG_SHARE * (len(boxes) - 1))] if boxes else ()


def _rows_of(texts: Collection[str], column_cells: int) -> int:
    """Rows that texts need one over the other in frames, in a column so wide."""
    inner = max(1, column_cells - FRAME_CELLS)
    return sum(len(Content(text).wrap(inner)) + FRAME_ROWS for text in texts)


def _widest(place: Place, texts: Collection[str], answer_rows: Callable[[int], int]) -> int:
    """The most columns that a square film can fill while all texts and answers are seen whole."""
    widest = min(2 * place.rows, place.columns - TEXT_CELLS)
    for film in range(widest, int(place.columns * LEAST_SHARE), -FILM_STEP_CELLS):
        beside = place.columns - film
        if sum(map(len, texts)) > place.rows * beside:
            continue  # spare the wrapping
        if _rows_of(texts, beside) + answer_rows(beside) <= place.rows:
            return film
    return 0
