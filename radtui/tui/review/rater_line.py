"""The line over Review about who rates: where the name comes from, and who else has it; no row while all is well."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.tui.review.rater_lock import RaterLock

LOOK_S = 2.0  # between looks for another session


class RaterLine(Static):
    """Warns of another session that rates under the same name, for as long as there is one.

    Args:
        data: The data folder.
        rater: Who rates.
        from_login: Nobody has chosen the name: it is said until `noticed` how to choose another.
    """

    DEFAULT_CSS = "RaterLine { height: auto; width: 1fr; padding: 0 1; display: none; }"

    def __init__(self, data: DataDir, rater: str, from_login: bool) -> None:
        super().__init__()
        self._rater, self._unnoticed = rater, from_login
        self._lock = RaterLock(data, rater)
        self._shared = False

    def on_mount(self) -> None:
        """Take a share in the name, and look for others from now on."""
        self._look()
        self.set_interval(LOOK_S, self._look)

    def on_unmount(self) -> None:
        """Leave the name to others."""
        self._lock.release()

    def noticed(self) -> None:
        """The rater has begun: where the name comes from is not said again."""
        if self._unnoticed:
            self._unnoticed = False
            self._say()

    def _look(self) -> None:
        before, self._shared = self._shared, self._lock.is_shared()
        if self._shared != before or not self.content:
            self._say()

    def _say(self) -> None:
        text = ""
        if self._shared:
            text = (
                f"Another session rates as {self._rater}: its answers and these replace each other;"
                " start with --rater NAME."
            )
        elif self._unnoticed:
            text = f"You rate as {self._rater}, the login's name; radtui --rater NAME chooses another."
        self.display = bool(text)
        self.update(Content.styled(text, "bold $warning" if self._shared else "$muted"))
