"""The line above the list of images: the data set, its counts, and what is filtered."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from radtui.plural import many
from radtui.records import Job
from radtui.store.cases import CaseQuery, DatasetSummary
from radtui.tui.keys import sign

SORT_NAMES = {"position": "as imported", "name": "by name", "reference": "by reference", "size": "by size"}


class DataLine(Widget):
    """One line; the filter on the right gives way last."""

    DEFAULT_CSS = "DataLine { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._left: list[Content] = []
        self._right = Content("")

    def show(
        self,
        summary: DatasetSummary | None,
        query: CaseQuery,
        matching: int,
        datasets: int,
        job: Job | None,
        fresh: bool = False,
    ) -> None:
        """Take over what is shown.

        Args:
            summary: The data set on show, None when there is none yet.
            query: What the list shows of it.
            matching: How many images that are.
            datasets: How many data sets there are.
            job: An import that is running, or None.
            fresh: Whether the data set has just come, so that the next key is to be named.
        """
        before = self.render()
        self._left = _counts(summary, datasets)
        if job is not None:
            of = f" of {job.total_steps:,}" if job.total_steps else ""
            self._left.append(Content.styled(f"importing {job.dataset}: {job.step:,}{of}", "$accent"))
        elif fresh:
            self._left.append(Content.styled(f"{sign('train')} trains on them", "$accent"))
        words = filter_words(query)
        if words and summary is not None:
            self._right = Content.styled(f"{matching:,} shown: {', '.join(words)}", "$accent")
        else:
            self._right = Content("")
        if query.sort != "position":
            self._right += Content.styled(f"  {SORT_NAMES[query.sort]}", "$muted")
        if not self.render().is_same(before):
            self.refresh()

    def render(self) -> Content:
        """As many counts as fit beside the filter."""
        room = self.size.width - self._right.cell_length - 2
        line = Content(" ")
        for at, part in enumerate(self._left):
            longer = Content.assemble(line, Content.styled(" · ", "$faint") if at else "", part)
            if longer.cell_length > room:
                break
            line = longer
        gap = max(1, self.size.width - line.cell_length - self._right.cell_length - 1)
        return Content.assemble(line, " " * gap, self._right)


def _counts(summary: DatasetSummary | None, datasets: int) -> list[Content]:
    if summary is None:
        return []
    more = f" ({datasets} data sets)" if datasets > 1 else ""
    parts = [
        Content.assemble(Content.styled(summary.name, "bold"), Content.styled(more, "$muted")),
        Content(many(summary.total, "image")),
    ]
    parts += [Content.styled(f"{split} {count:,}", "$muted") for split, count in summary.splits.items()]
    if summary.unreadable:
        parts.append(Content.styled(f"{summary.unreadable:,} unreadable", "$error"))
    if summary.leaked:
        parts.append(Content.styled(f"{summary.leaked:,} leaked", "$warning"))
    return parts


def filter_words(query: CaseQuery) -> list[str]:
    """What a query leaves out, in words: empty when it shows everything."""
    words = [word for word in (query.split, query.examination, query.finding) if word]
    if query.search.strip():
        words.insert(0, f"“{query.search.strip()}”")
    for value, yes, no in (
        (query.rated, "rated", "not rated"),
        (query.unreadable, "unreadable", "readable"),
        (query.leaked, "leaked", "not leaked"),
    ):
        if value is not None:
            words.append(yes if value else no)
    return words
