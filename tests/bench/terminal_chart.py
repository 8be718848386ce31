"""Chart and table on a pty: radtui's widgets beside textual-plotext.

Each case is a process of its own: key f fills the widget, key n draws it again with a point more, or goes a page down.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from tests.bench.pseudo_terminal import Terminal

COLUMNS, ROWS = 200, 50
CASES = ("chart_3x10k", "chart_1m", "chart_1m_rows", "table_100k", "table_1m")
PEER_CASES = ("plotext_raw", "plotext_reduced")


def run(repeats: int) -> dict[str, Any]:
    """All cases.

    Args:
        repeats: Times each one is drawn again.
    """
    results: dict[str, Any] = {case: measure(case, repeats) for case in CASES}
    for case in PEER_CASES:
        there = importlib.util.find_spec("textual_plotext")
        results[case] = measure(case, repeats) if there else {"skipped": "textual-plotext is not installed"}
    return results


def measure(case: str, repeats: int) -> dict[str, float]:
    """First drawing and redrawing of one case."""
    with Terminal([sys.executable, "-m", "tests.bench.terminal_chart", case], COLUMNS, ROWS) as terminal:
        terminal.until(lambda frame: True)  # a million points take a while to make
        terminal.settle(quiet_s=0.6)
        first = terminal.press("f", patience_s=20)
        cpu_s = terminal.cpu_s()
        frames = [terminal.press("n", patience_s=20) for _ in range(repeats)]
        cpu_s = terminal.cpu_s() - cpu_s
    return {
        "first_ms": round(first.ms, 1),
        "median_ms": round(statistics.median(frame.ms for frame in frames), 1),
        "max_ms": round(max(frame.ms for frame in frames), 1),
        "cpu_ms": round(cpu_s / repeats * 1e3, 1),
        "kib": round(statistics.median(len(frame.text) for frame in frames) / 1024, 1),
    }


def losses(points: int, seed: int):  # type: ignore[no-untyped-def]
    """Step, epoch, seconds and loss of a noisy run, float64 [points] each."""
    import numpy as np

    step = np.arange(1, points + 1, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0, 0.15, points)
    return step, step / points * 3, step * 3.2, (0.3 + 2.4 * np.exp(-step / points * 6)) * np.exp(noise)


def run_case(case: str) -> None:
    """Be the program in the terminal."""
    kind, _, size = case.partition("_")
    builders: dict[str, Callable[[str], None]] = {"chart": _chart, "table": _table, "plotext": _plotext}
    builders[kind](size)


def _chart(size: str) -> None:
    """Curves of the chart widget: key f fills them, key n appends a point to each."""
    from textual.app import App, ComposeResult

    from radtui.records import Metric
    from radtui.tui.widgets.chart import LossChart

    count, points = (3, 10_000) if size == "3x10k" else (1, 1_000_000)
    columns = [losses(points, seed) for seed in range(count)]
    rows = [_metrics(Metric, one) for one in columns] if size == "1m_rows" else []

    class ChartApp(App[None]):
        BINDINGS: ClassVar = [("f", "fill"), ("n", "next")]
        steps = points

        def compose(self) -> ComposeResult:
            yield LossChart(title="Loss")

        def on_mount(self) -> None:
            for index in range(count):
                self.query_one(LossChart).add_series(str(index), f"job {index}")
            self.query_one(LossChart).model.next_raw()  # a band behind the first

        def action_fill(self) -> None:
            chart = self.query_one(LossChart)
            for index, curve in enumerate(chart.model.curves):
                if rows:
                    chart.extend(str(index), rows[index])
                else:
                    curve.series.extend_arrays(*columns[index])
                    chart.extend(str(index), [])

        def action_next(self) -> None:
            self.steps += 1
            metric = Metric(0, self.steps, self.steps / points * 3, self.steps * 3.2, "loss", 0.3)
            for index in range(count):
                self.query_one(LossChart).extend(str(index), [metric])

    ChartApp().run()


def _metrics(metric, columns):  # type: ignore[no-untyped-def]
    """The rows that the store would yield."""
    step, epoch, elapsed_s, value = (column.tolist() for column in columns)
    return [metric(i, int(s), e, t, "loss", v) for i, (s, e, t, v) in enumerate(zip(step, epoch, elapsed_s, value, strict=True))]  # fmt: skip # noqa: E501


def _table(size: str) -> None:
    """A table: key f gives it its rows, key n goes one page down."""
    from textual.app import App, ComposeResult

    from radtui.tui.widgets.virtual_table import Column, Row, VirtualTable

    length = {"100k": 100_000, "1m": 1_000_000}[size]

    class Captions:
        """Rows made when asked for, as a database would."""

        def __len__(self) -> int:
            return length

        def rows(self, start: int, stop: int) -> list[Row]:
            splits = ("train", "test")
            return [
                (
                    str(i),
                    f"Chest radiograph {i}: no focal consolidation, no effusion",
                    splits[i % 2],
                    "2048",
                    "L",
                )
                for i in range(start, stop)
            ]

    class TableApp(App[None]):
        BINDINGS: ClassVar = [("f", "fill"), ("n", "next")]

        def compose(self) -> ComposeResult:
            narrow = [Column("split", 6), Column("px", 6), Column("mode", 5)]
            yield VirtualTable([Column("id", 9, align="right"), Column("caption"), *narrow])

        def action_fill(self) -> None:
            self.query_one(VirtualTable).set_source(Captions())

        def action_next(self) -> None:
            self.query_one(VirtualTable).action_page(1)

    TableApp().run()


def _plotext(size: str) -> None:
    """Three curves of 10,000 points in textual-plotext: as they are, or reduced to two a column."""
    import numpy as np
    from textual.app import App, ComposeResult
    from textual_plotext import PlotextPlot

    columns = [losses(10_000, seed) for seed in range(3)]
    reduced = size == "reduced"

    class PlotextApp(App[None]):
        BINDINGS: ClassVar = [("f", "next"), ("n", "next")]

        def compose(self) -> ComposeResult:
            yield PlotextPlot()

        def action_next(self) -> None:
            widget = self.query_one(PlotextPlot)
            widget.plt.clear_data()
            for step, _, _, loss in columns:
                if reduced:
                    blocks = loss[: len(loss) // COLUMNS * COLUMNS].reshape(COLUMNS, -1)
                    x = step[:: len(loss) // COLUMNS][:COLUMNS].repeat(2)
                    y = np.stack((blocks.min(axis=1), blocks.max(axis=1)), axis=1).reshape(-1)
                else:
                    x, y = step, loss
                widget.plt.plot(x.tolist(), y.tolist(), marker="braille")
            widget.refresh()

    PlotextApp().run()


if __name__ == "__main__":
    run_case(sys.argv[1])
