"""What a run would take of the memory, asked before it starts: a bar of its parts, what is free, and a verdict."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from radtui.charts.palette import PALETTE
from radtui.estimates import MemoryEstimate
from radtui.paths import DataDir
from radtui.plural import many
from radtui.settings import TrainSettings
from radtui.tui.aside import aside
from radtui.tui.keys import sign
from radtui.tui.rad import rad_of

if TYPE_CHECKING:
    from radtui.jobs.estimate import Estimating

BAR_CELLS = 30
# Weights, adapter, optimizer, activations: told apart by their fill where there are few colours.
FILLS = tuple(zip("█▓▒▞", (PALETTE[0], PALETTE[2], PALETTE[3], PALETTE[1]), strict=True))
DEVICES_SHOWN = 2
ASKING = "Estimating from a pass without the weights, some seconds…"
CHANGED = f"The settings have changed: {sign('memory')} asks again."


class MemoryPanel(Static):
    """Hidden until it is asked; what it says belongs to the settings it was asked about."""

    DEFAULT_CSS = """
    MemoryPanel { height: auto; max-height: 11; padding: 0 3; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._of: TrainSettings | None = None
        self._asked: Estimating | None = None
        self._answer: MemoryEstimate | str | None = None

    def ask(self, data: DataDir, settings: TrainSettings) -> None:
        """Begin an estimate; an earlier one that is still being made ends."""
        self._end()
        self._of, self._answer = settings, None
        self._draw(settings)
        self._estimate(data, settings)

    def settings_are(self, settings: TrainSettings) -> None:
        """Say whether what is shown is still about these settings."""
        if self._of is not None:
            self._draw(settings)

    def on_unmount(self) -> None:
        """Nobody waits for the answer any more."""
        self._end()

    def _estimate(self, data: DataDir, settings: TrainSettings) -> None:
        rad = rad_of(self)

        def work() -> MemoryEstimate:
            from radtui.jobs.estimate import Estimating
            from radtui.jobs.submit import resolved_train

            asked = Estimating(data, rad.read(lambda db: resolved_train(data, db, settings)))
            self._asked = asked
            if get_current_worker().is_cancelled:  # while the process was being started
                asked.cancel()
            return asked.result()

        take = partial(self._take, settings)
        aside(self, work, take, take, group="memory")

    def _take(self, settings: TrainSettings, answer: MemoryEstimate | str) -> None:
        if settings is self._of:
            self._answer = answer
            self._draw(settings)

    def _end(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    def _draw(self, settings: TrainSettings) -> None:
        self.display = True
        if settings != self._of:
            self.update(_titled(Content.styled(CHANGED, "$muted")))
        elif self._answer is None:
            self.update(_titled(Content.styled(ASKING, "$muted")))
        elif isinstance(self._answer, str):
            self.update(_titled(Content.styled(self._answer, "$error")))
        else:
            self.update(estimate_text(self._answer))


def _titled(content: Content) -> Content:
    return Content.assemble(Content.styled("Memory  ", "bold $muted"), content)


def estimate_text(memory: MemoryEstimate) -> Content:
    """An estimate as a few lines."""
    from radtui.jobs.estimate import device_line, size_text

    images = many(memory.images, "image")
    each = f"{memory.image_tokens:,} image tokens each, texts of up to {memory.text_tokens:,}"
    parts = (
        (memory.weights_gib, f"weights {size_text(memory.weights_gib)} {memory.precision}"),
        (memory.adapter_gib, f"adapter {size_text(memory.adapter_gib)}"),
        (memory.optimizer_gib, f"optimizer {size_text(memory.optimizer_gib)}"),
        (memory.activations_gib, f"activations {size_text(memory.activations_gib)}: {images}, {each}"),
    )
    total = f"  {size_text(memory.total_gib)} of {size_text(max(memory.limit_gib, 0.0))}"
    lines = [_titled(Content.assemble(_bar([gib for gib, _ in parts], memory.limit_gib), total))]
    marked = [
        Content.assemble(Content.styled(fill, colour), " ", words)
        for (fill, colour), (_, words) in zip(FILLS, parts, strict=True)
    ]
    lines += [Content("  ").join(marked[:-1]), marked[-1]]  # a line of 80 cells holds three
    shown = sorted(memory.devices, key=lambda each: not each.chosen)
    facts = [": ".join(device_line(each)) for each in shown[:DEVICES_SHOWN]]
    facts += [f"{len(shown) - DEVICES_SHOWN} more"] * (len(shown) > DEVICES_SHOWN)
    lines.append(Content.styled("; ".join(facts), "$muted"))
    if memory.time:
        lines.append(Content(f"Takes {memory.time}."))
    verdict = memory.verdict if memory.fits else f"Does not fit. {memory.verdict}"
    lines.append(Content.styled(verdict, "" if memory.fits else "$error"))
    return Content("\n").join(lines)


def _bar(parts: list[float], limit_gib: float) -> Content:
    """Cells in proportion, the limit or all parts being the whole width."""
    scale = BAR_CELLS / max(limit_gib, sum(parts), 1e-9)
    ends = [round(sum(parts[: place + 1]) * scale) for place in range(len(parts))]
    cells = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    drawn = [Content.styled(fill * n, colour) for n, (fill, colour) in zip(cells, FILLS, strict=True)]
    return Content.assemble(*drawn, Content.styled("░" * (BAR_CELLS - sum(cells)), "$faint"))
