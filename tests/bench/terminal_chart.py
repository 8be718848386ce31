"""Chart and table on a pseudo-terminal: milliseconds from a key to the last byte of the frame it causes.

    python tests/bench/terminal_chart.py OUT.json

Runs each case in a fresh process of this file (`--case NAME`), plays the terminal for it, and writes the medians,
the machine and the versions. textual-plotext takes part where it is installed.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.metadata
import json
import os
import platform
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

COLUMNS, ROWS = 200, 50
REPEATS = 25
QUIET_S = 0.12  # silence after which a frame is complete
FRAME_END = b"\x1b[?2026l"

# What is promised, in milliseconds.
LIMITS = {
    "chart_3x10k.redraw": 15.0,
    "chart_1m.first": 1000.0,
    "chart_1m.redraw": 100.0,
    "chart_1m_rows.first": 1000.0,
    "chart_1m_rows.redraw": 100.0,
    "table_100k.first": 100.0,
    "table_1m.first": 100.0,
}


class Terminal:
    """A terminal of a fixed size that a program runs in."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start the program."""
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("TMUX", None)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], list(command), environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def until_quiet(self, first_s: float) -> tuple[float, int]:
        """Read until the program is silent; wait up to `first_s` for its first byte.

        Returns:
            When the last byte came, on the `perf_counter` clock, and the number of bytes.
        """
        last, count, limit = time.perf_counter(), 0, first_s
        while select.select([self.fd], [], [], limit)[0]:
            try:
                data = os.read(self.fd, 1 << 18)
            except OSError:
                break
            last, limit = time.perf_counter(), QUIET_S
            count += len(data)
            if b"\x1b[?2026$p" in data:  # it asks whether frames can be synchronised: yes
                os.write(self.fd, b"\x1b[?2026;2$y")
        return last, count

    def press(self, key: str) -> tuple[float, int]:
        """Milliseconds from writing a key to the last byte that it causes, and the number of bytes."""
        start = time.perf_counter()
        os.write(self.fd, key.encode())
        last, count = self.until_quiet(20)
        return (last - start) * 1e3, count

    def cpu_s(self) -> float:
        """Processor time that the program has used, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the program that was started here."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def measure(case: str, redraw_key: str = "n") -> dict[str, float]:
    """First drawing (key "f") and redrawing of one case; milliseconds and KiB."""
    terminal = Terminal([sys.executable, str(Path(__file__).resolve()), "--case", case])
    terminal.until_quiet(20)
    time.sleep(0.3)
    terminal.until_quiet(0.2)
    first_ms, _ = terminal.press("f")
    cpu_s = terminal.cpu_s()
    frames = [terminal.press(redraw_key) for _ in range(REPEATS)]
    cpu_s = terminal.cpu_s() - cpu_s
    terminal.close()
    times = sorted(ms for ms, _ in frames)
    return {
        "first": round(first_ms, 1),
        "redraw": round(statistics.median(times), 1),
        "redraw_worst": round(times[-1], 1),
        "cpu_a_frame": round(cpu_s / REPEATS * 1e3, 1),
        "kib_a_frame": round(statistics.median(count for _, count in frames) / 1024, 1),
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


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    result = subprocess.run(["lscpu"], capture_output=True, text=True, check=False)
    names = [line.partition(":")[2].strip() for line in result.stdout.splitlines() if "Model name" in line]
    return names[0] if names else platform.processor()


def main() -> None:
    """Measure every case and write the results, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", nargs="?", type=Path, help="JSON file to write; standard output without it")
    parser.add_argument("--case", help="be the program of this case, in a terminal")
    arguments = parser.parse_args()
    if arguments.case:
        run_case(arguments.case)
        return
    cases = ["chart_3x10k", "chart_1m", "chart_1m_rows", "table_100k", "table_1m"]
    if _version("textual-plotext"):
        cases += ["plotext_raw", "plotext_reduced"]
    results = {case: measure(case) for case in cases}
    figures = {f"{case}.{name}": ms for case, parts in results.items() for name, ms in parts.items()}
    report = {
        "what": "milliseconds from key to last byte on a pseudo-terminal",
        "cells": f"{COLUMNS}x{ROWS}",
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: _version(name) for name in ("textual", "numpy", "textual-plotext", "plotext")},
        "results": results,
        "limits": {
            name: {"at_most": limit, "measured": figures[name], "met": figures[name] <= limit}
            for name, limit in LIMITS.items()
        },
    }
    text = json.dumps(report, indent=2) + "\n"
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
