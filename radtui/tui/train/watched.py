"""Descriptions written while training, by case and step; pure."""

from __future__ import annotations

from collections.abc import Iterable

from radtui.records import Description, Event


class Watched:
    """What the model wrote about each pinned image at each evaluation, and which of it is shown.

    The step shown is the newest one until the user goes back; going forward past the newest follows it again.
    """

    def __init__(self) -> None:
        self._texts: dict[int, dict[int, Description]] = {}  # by case, then by step
        self._image = 0
        self._back = 0  # how many steps before the newest

    def add(self, descriptions: Iterable[Description]) -> None:
        """Take in descriptions that have a step."""
        for description in descriptions:
            if description.step is not None:
                self._texts.setdefault(description.case_id, {})[description.step] = description

    def rewind(self, events: Iterable[Event]) -> None:
        """Forget what lies past the step of a `resume`: a resumed job writes those steps again."""
        for event in events:
            if event.kind == "resume":
                for texts in self._texts.values():
                    for step in [step for step in texts if step > event.step]:
                        del texts[step]

    @property
    def case_ids(self) -> list[int]:
        """The pinned cases, in the order in which they were first described."""
        return list(self._texts)

    @property
    def case_id(self) -> int | None:
        """The case shown, None before anything was written."""
        return self.case_ids[self._image] if self._texts else None

    @property
    def position(self) -> int:
        """Index of the image shown."""
        return self._image

    @property
    def steps(self) -> list[int]:
        """The steps at which the image shown was described, in order."""
        return sorted(self._texts[self.case_id]) if self.case_id is not None else []

    @property
    def shown(self) -> Description | None:
        """The description shown."""
        if self.case_id is None or not self.steps:
            return None
        return self._texts[self.case_id][self.steps[-1 - min(self._back, len(self.steps) - 1)]]

    @property
    def first(self) -> Description | None:
        """What was written about the image before anything was learnt."""
        return self._texts[self.case_id][self.steps[0]] if self.case_id is not None and self.steps else None

    def next_image(self, by: int = 1) -> None:
        """Show another image, at the same step."""
        if self._texts:
            self._image = (self._image + by) % len(self._texts)

    def leads(self, by: int) -> bool:
        """Whether there is a later (positive) or an earlier step than the one shown."""
        return 0 <= min(self._back, len(self.steps) - 1) - by < len(self.steps)

    def go(self, by: int) -> None:
        """Show a later (positive) or earlier step."""
        self._back = max(0, min(self._back - by, len(self.steps) - 1))
