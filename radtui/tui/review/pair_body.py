"""A comparison as it stands on the review screen: the image, both texts, the question, and what was saved last."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import ArmKind, Study
from radtui.store import cases
from radtui.store.blobs import image_bytes
from radtui.study.queue import Pair
from radtui.study.session import ReviewSession
from radtui.study.shown import Shown
from radtui.study.study import label_of
from radtui.study.unsaved import Unsaved
from radtui.tui.keys import FAR, sign
from radtui.tui.review.answer_panel import SIDES, AnswerPanel, Asking, key_text
from radtui.tui.review.film_width import FRAME_CELLS, FRAME_ROWS, FilmWidths, Place
from radtui.tui.review.rater_line import RaterLine
from radtui.tui.review.review_line import ReviewLine
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.widgets.case_images import CaseImages
from radtui.tui.widgets.image_facts import finding
from radtui.tui.widgets.text_box import TextBox

PREFETCH_AFTER_S = 0.03  # decoding takes turns with drawing, so it begins when the frame of a key is out
FIRST = f"One key says which text is better and saves it; {sign('start')} sets how many to rate now."
LOOK_KEYS = "+ - zoom · arrows move · p window · [ ] brightness · = fit · esc the texts"
LAST_ROWS = 2  # of the line under the question, in the narrow column beside a large film
WIDE_CELLS = 150  # from here on both texts have room side by side, and the film as well
RATER_CELLS = 16  # of a rater's name in the line above the pair


class PairBody(Vertical):
    """Draws what is reviewed; it changes nothing of it.

    Args:
        rater_line: Says who rates.
        data: Where images are read from.
    """

    def __init__(self, rater_line: RaterLine, data: DataDir) -> None:
        super().__init__(id="review", classes="body")
        self._rater_line, self._data = rater_line, data
        self._drawn: Pair | None = None
        self._widths = FilmWidths()
        self._film_width: Callable[[int], int] = lambda rows: 0  # of what is drawn, in so many rows
        self._film_cells = 0  # of the image, where the texts leave it more than its share
        self._looking = self._speaks = False

    def compose(self) -> ComposeResult:
        """Lines above, then the image beside the texts and the answers."""
        yield self._rater_line
        yield ReviewLine()
        with Grid(id="pair"):
            yield CaseImages()
            with Vertical(id="texts"):
                with Vertical(id="both"):
                    yield TextBox("a")
                    yield TextBox("b")
                yield TextBox("reference")
            with Vertical(id="answers"):
                yield AnswerPanel()
                yield Static("", id="last", markup=False)

    def noticed(self) -> None:
        """The rater has begun: where the name comes from is not said again."""
        self._rater_line.noticed()

    def is_new(self, pair: Pair) -> bool:
        """Whether another pair was drawn before."""
        return pair != self._drawn

    def wait(self, words: str) -> None:
        """Say for what answers wait, over the pair as it was drawn."""
        self.query_one(AnswerPanel).wait(words)

    def show(
        self,
        reviewing: Reviewing,
        session: ReviewSession,
        shown: Shown,
        db: sqlite3.Connection,
        unsaved: Unsaved,
        *,
        roomy: bool,
    ) -> None:
        """Show a pair: texts, answers, progress, and the image when it is another one.

        Args:
            reviewing: What is reviewed.
            session: Its sitting.
            shown: The pair as it may be seen now.
            db: The event loop's connection, to look ahead with.
            unsaved: What the data folder has not taken.
            roomy: Whether there are rows to spare.
        """
        panels = reviewing.panels
        self._show_texts(reviewing, session, shown)
        if self.is_new(shown.pair):
            self._show_image(session, shown, db)
        self._drawn = shown.pair
        at = (panels.mode, panels.side, panels.significant, panels.at)
        message = reviewing.answers.words or reviewing.message
        self.query_one(AnswerPanel).ask(Asking(session.scheme, shown, *at, message, roomy))
        self._looking, self._speaks = reviewing.looking, bool(message)
        self._film_width = partial(self._decided_width, session, db, panels.mode)
        self._arrange()
        progress = session.queue.progress()
        listed = len(session.among or ())
        self.query_one(ReviewLine).show(
            progress.shown_place(shown.place), progress, label_of(session.study),
            marks(shown, session.rater, reviewing.list_name, listed), reviewing.stint,
        )  # fmt: skip
        last = last_line(reviewing, session, unsaved)
        self.query_one("#last", Static).update(Content.styled(last, "$muted"), layout=False)

    def on_resize(self) -> None:
        """Another size leaves the film another room."""
        if self._drawn is not None:
            self._arrange()

    def _arrange(self) -> None:
        """Give the film what the study's texts do not need, and a pair with longer ones boxes that scroll."""
        rows = self.size.height - 1 - (self._rater_line.size.height if self._rater_line.display else 0)
        film = 0 if self._looking or self.size.width >= WIDE_CELLS else self._film_width(rows)
        boxes, beside = [box for box in self.query(TextBox) if box.display], self.size.width - film
        text_rows = sum(len(box.rows(beside - FRAME_CELLS)) + FRAME_ROWS for box in boxes) if film else 0
        crowded = film > 0 and text_rows + self._answer_rows(beside) > rows
        self.screen.set_class(crowded, "-crowded")
        for box, other in ((boxes[0], boxes[1]), (boxes[1], boxes[0])):
            box.set_class(len(box.text) < len(other.text), "-shorter")
        if film == self._film_cells:
            return
        self._film_cells = film
        self.screen.set_class(film > 0, "-film-first")
        grid = self.query_one("#pair", Grid)
        if film:
            grid.styles.grid_columns = f"{film} 1fr"
        else:
            grid.styles.clear_rule("grid_columns")

    def _decided_width(self, session: ReviewSession, db: sqlite3.Connection, mode: str, rows: int) -> int:
        with_reference = self.query_one("#reference", TextBox).display
        place = Place(session.study.id, self.size.width, rows, mode, with_reference)
        return self._widths.cells(place, session, db, self._answer_rows)

    def _answer_rows(self, column_cells: int) -> int:
        """Rows of question, answers and the line below them in the column beside the film, with room for a message."""
        panel = self.query_one(AnswerPanel)
        asked = panel.get_content_height(None, None, column_cells - panel.styles.padding.width)
        return asked + panel.styles.padding.height + (not self._speaks) + LAST_ROWS

    def _show_texts(self, reviewing: Reviewing, session: ReviewSession, shown: Shown) -> None:
        panels = reviewing.panels
        for side, box_id in enumerate(("#a", "#b")):
            title = SIDES[side]
            if shown.identity_known:
                title += f" · {arm_words(session.study, shown.arm(side))}"
            lit = panels.mode in ("acceptability", "errors") and panels.side == side
            words = len(shown.texts[side].split())
            self.query_one(box_id, TextBox).show(
                title, shown.texts[side], note=many(words, "word"), chosen=lit
            )
        box = self.query_one("#reference", TextBox)
        box.display = bool(shown.reference)
        if shown.reference:
            truth = "; ".join(finding(fact) for fact in shown.case.truth)
            box.show("Reference", shown.reference, note=f"known: {truth}" if truth else "")

    def _show_image(self, session: ReviewSession, shown: Shown, db: sqlite3.Connection) -> None:
        self.query_one(CaseImages).show_case(shown.case, partial(image_bytes, self._data))
        self.set_timer(PREFETCH_AFTER_S, lambda: self._prefetch(session, db))

    def _prefetch(self, session: ReviewSession, db: sqlite3.Connection) -> None:
        """Decode the image that comes next while this one is read."""
        following = session.queue.next_unrated(session.pair)
        case = cases.get(db, following.case_id) if following is not None else None
        if case is not None and not case.error:
            sha256 = case.shown.sha256
            self.query_one(CaseImages).view.prefetch(sha256, partial(image_bytes, self._data, sha256))

    def move_texts(self, move: str, amount: int) -> None:
        """Scroll all texts: by rows, by what is seen of them (`page`), or to their top (0) or `end` (1)."""
        for box in self.query(TextBox):
            if move == "page":
                box.scroll_by(amount * max(1, box.size.height - 1))
            elif move == "end":
                box.scroll_by(FAR if amount else -FAR)
            else:
                box.scroll_by(amount)


def last_line(reviewing: Reviewing, session: ReviewSession, unsaved: Unsaved) -> str:
    """The line under the question: keys of the image, what waits to be saved, or what was saved last."""
    if reviewing.looking:
        return LOOK_KEYS
    if unsaved.count:
        return f"Not in the data folder: {unsaved.sentence()}"
    if reviewing.last:
        return f"Saved: {reviewing.last} · {key_text(session.scheme, 'undo')} takes it back"
    return FIRST if reviewing.panels.mode == "main" and not session.queue.progress().rated else ""


def arm_words(study: Study, arm: str) -> str:
    """An arm as a frame's title names it: "tuned model", "gpt.csv"."""
    model = any(each.name == arm and each.kind is ArmKind.MODEL for each in study.arms)
    return f"{arm} model" if model else arm


def marks(shown: Shown, rater: str, list_name: str, listed: int) -> list[Content]:
    """What is special about the pair on show, the list that is gone through, and who rates."""
    parts = [Content.styled(f"{list_name}: {listed:,}, esc all", "$accent")] if list_name else []
    if shown.rated:
        parts.append(Content.styled("rated", "bold $accent"))
    if shown.rating is not None and shown.rating.flagged:
        parts.append(Content.styled("flagged", "bold $warning"))
    blind = not shown.identity_known
    name = rater if len(rater) <= RATER_CELLS else f"{rater[: RATER_CELLS - 1]}…"
    parts.append(Content.styled(name, "$muted"))
    parts.append(Content.styled("blind" if blind else "not blind", "$muted" if blind else "bold $warning"))
    return parts
