"""Both texts of the review screen as one reads them: scrolled together, and copied."""

from __future__ import annotations

from radtui.tui.keys import FAR
from radtui.tui.review.answer_panel import SIDES
from radtui.tui.review.lists import ReviewLists
from radtui.tui.review.text_box import TextBox


class ReviewTexts(ReviewLists):
    """The texts' keys; while qualities are compared, up and down mark another one."""

    def action_scroll(self, rows: int) -> None:
        """Scroll all texts, or mark another dimension while these are compared."""
        if self.session is None:
            return
        self.session.time.touch()
        if self.panels.mode == "dimensions":
            self.panels.move(rows, self.session)
            self.draw()
        else:
            for box in self.query(TextBox):
                box.scroll_by(rows)

    def action_page(self, screens: int) -> None:
        """Scroll all texts by what is seen of them."""
        for box in self.query(TextBox):
            box.scroll_by(screens * max(1, box.size.height - 1))

    def action_end(self, last: int) -> None:
        """Scroll all texts to their top (0) or end (1)."""
        for box in self.query(TextBox):
            box.scroll_by(FAR if last else -FAR)

    def action_copy(self) -> None:
        """Copy both texts as they stand here, by their sides alone."""
        shown = self.session.shown() if self.session is not None else None
        if shown is not None:
            both = "\n\n".join(f"{side}: {text}" for side, text in zip(SIDES, shown.texts, strict=True))
            self.rad.copy(both, "both texts")

    def action_next_quality(self) -> None:
        """Mark the next quality, after the last one the first."""
        self.action_scroll(1)
