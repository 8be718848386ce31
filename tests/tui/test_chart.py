"""The chart widgets under keys, mouse and new points."""

import math

import pytest
from textual.app import App, ComposeResult

from radtui.charts.curves import Smoothing
from radtui.charts.model import ChartModel
from radtui.charts.palette import EVAL, TRAIN, contrast
from radtui.charts.series import Axis
from radtui.records import Event, Metric
from radtui.tui.widgets.canvas_strips import TEXTURE, texture_bands
from radtui.tui.widgets.chart import LossChart
from radtui.tui.widgets.small_chart import SmallChart

SIZES = [(120, 40), (80, 24), (60, 12)]


class ChartApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LossChart(
            loss_note="answer-only loss", empty_text="No points yet: the first step compiles kernels"
        )

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)


def points(count, start=1):
    steps = range(start, start + count)
    return [Metric(s, s, s / 100, s * 5.0, "loss", 0.3 + 2 * math.exp(-s / 200)) for s in steps]


def fill(chart, count=1000):
    chart.add_series("train", "train", TRAIN)
    chart.add_series("eval", "eval", EVAL, points=True)
    chart.extend("train", points(count))
    chart.extend("eval", points(count)[99::100])
    chart.set_events([Event(1, 500, 1.0, "checkpoint", "checkpoint-500")])
    chart.focus()


def screen(app):
    return [strip.text for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", SIZES)
async def test_empty_and_filled_at_every_size(size):
    app = ChartApp()
    async with app.run_test(size=size) as pilot:
        assert any("the first step compiles kernels" in line for line in screen(app))
        fill(app.chart)
        await pilot.pause()
        lines = screen(app)
        assert "answer-only loss" in lines[0] and "train" in lines[0] and "eval" in lines[0]
        assert lines[-1].split()[0] == "step"
        assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())


async def test_new_points_move_the_legend_and_the_axis():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fill(app.chart, 100)
        await pilot.pause()
        before = screen(app)
        app.chart.extend("train", [Metric(1, 2000, 20.0, 9.0, "loss", 7.5)])
        await pilot.pause()
        after = screen(app)
        assert "7.500" in after[0] and "7.500" not in before[0]
        assert "2,000" in after[-1] and "2,000" not in before[-1]


async def test_changed_texts_are_shown():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.say(empty_text="Waiting for job 3", note="loss over the whole text")
        await pilot.pause()
        assert any("Waiting for job 3" in line for line in screen(app))
        assert "loss over the whole text" in screen(app)[0]


async def test_keys_of_axis_log_smoothing_and_raw():
    app = ChartApp()
    async with app.run_test(size=(100, 30)) as pilot:
        fill(app.chart)
        await pilot.press("Y", "X", "tilde", "W")
        look = app.chart.model.look
        assert (
            look.log and look.axis is Axis.EPOCH and look.smoothing is Smoothing.HEAVY and look.raw_of is None
        )
        await pilot.pause()
        lines = screen(app)
        assert "log" in lines[0] and "smoothing heavy" in lines[0] and lines[-1].split()[0] == "epoch"


async def test_keys_of_window():
    app = ChartApp()
    async with app.run_test(size=(100, 30)) as pilot:
        fill(app.chart)
        await pilot.press("plus", "plus")
        assert app.chart.model.view.window((1, 1000)) == (750.25, 1000)
        await pilot.press("pageup")
        lo, hi = app.chart.model.view.window((1, 1000))
        assert lo < 700 and hi < 950
        await pilot.press("pagedown", "pagedown", "minus")
        assert app.chart.model.view.window((1, 1000))[1] == 1000
        await pilot.press("equals_sign")
        assert app.chart.model.view.whole


async def test_crosshair_by_keys_reads_values():
    app = ChartApp()
    async with app.run_test(size=(100, 30)) as pilot:
        fill(app.chart)
        await pilot.press("left", "left", "left")
        await pilot.pause()
        step = round(app.chart.model.crosshair)
        assert 950 < step < 1000
        assert screen(app)[0].strip().startswith(f"step {step}")
        assert any("│" in line for line in screen(app))
        await pilot.press("escape")
        await pilot.pause()
        assert screen(app)[0].strip().startswith("Loss") and not any("│" in line for line in screen(app))


async def test_pointer_reads_and_drags():
    app = ChartApp()
    async with app.run_test(size=(100, 30)) as pilot:
        fill(app.chart)
        await pilot.pause()
        await pilot.hover(LossChart, (50, 10))
        area = app.chart._area
        assert app.chart.model.crosshair == pytest.approx(area.x_at(49))  # one cell of padding at the left
        await pilot.press("plus")
        window = app.chart.model.view.window((1, 1000))
        await pilot.mouse_down(LossChart, (40, 10))
        await pilot.hover(LossChart, (60, 10))
        await pilot.mouse_up(LossChart, (60, 10))
        moved = app.chart.model.view.window((1, 1000))
        assert moved[0] == pytest.approx(window[0] - 20 / area.width * (window[1] - window[0]))
        await pilot.hover(LossChart, (2, 10))
        assert app.chart.model.crosshair is None


async def test_a_zoomed_chart_follows_the_newest_point():
    app = ChartApp()
    async with app.run_test(size=(100, 30)) as pilot:
        fill(app.chart)
        await pilot.press("plus")
        app.chart.extend("train", points(100, 1001))
        await pilot.pause()
        assert app.chart._area.window[1] == 1100


async def test_clear_is_ready_for_another_job():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fill(app.chart)
        await pilot.press("left")
        app.chart.clear()
        await pilot.pause()
        assert any("the first step compiles kernels" in line for line in screen(app))
        fill(app.chart, 10)
        await pilot.pause()
        assert "10" in screen(app)[-1]


async def test_themes_recolour_and_stay_readable():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fill(app.chart)
        await pilot.pause()

        def colours():
            return {seg.style.color.name for strip in app.chart._strips for seg in strip if seg.style}

        dark = colours()
        app.theme = "textual-light"
        await pilot.pause()
        assert colours() != dark


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "gruvbox", "solarized-light"])
async def test_text_is_readable_in_themes_of_terminal_colours_too(theme):
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        fill(app.chart)
        await pilot.pause()
        ground = "#000000" if theme == "ansi-dark" else "#ffffff" if theme == "ansi-light" else None
        (title,) = [seg for seg in app.chart._strips[0] if seg.text == "Loss"]
        behind = ground or title.style.bgcolor.name
        assert contrast(title.style.color.name, behind) > 3
        assert (title.style.bgcolor is None) == (ground is not None)  # the terminal's own background stays


def test_bands_become_a_texture_where_colours_are_few():
    model = ChartModel()
    model.add("train", "train")
    model.extend(
        "train", [Metric(s, s, 0.0, 1.0, "loss", 2 + math.sin(s) - s / 4000) for s in range(1, 5000)]
    )
    canvas = model.compose(80, 20).canvas
    banded, lines = canvas.back > 0, (canvas.chars > 0x2800) & (canvas.chars < 0x2900)
    before = canvas.chars[lines].copy()
    texture_bands(canvas)
    assert banded.sum() > 300 and not canvas.back.any()
    assert (canvas.chars[banded & ~lines] == ord(TEXTURE)).mean() > 0.8  # all but the lower edges
    assert (canvas.chars[lines] == before).all()


async def test_every_key_is_documented():
    for binding in LossChart.BINDINGS:
        assert binding.id and binding.tooltip and binding.description


async def test_drawing_waits_until_the_screen_asks():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fill(app.chart)
        await pilot.pause()
        drawn = app.chart._strips
        for start in range(1001, 1100):
            app.chart.extend("train", points(1, start))
        assert app.chart._strips is drawn
        await pilot.pause()
        assert app.chart._strips is not drawn


async def test_chart_is_in_the_screenshot():
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fill(app.chart)
        await pilot.pause()
        picture = app.export_screenshot()
        assert "answer-only" in picture and TRAIN.lower() in picture.lower()


class SmallApp(App[None]):
    def compose(self) -> ComposeResult:
        yield SmallChart("learning rate", id="rate")
        yield SmallChart("GPU", unit="GiB", floor=0, ceiling=80, id="gpu")


async def test_small_chart_shows_newest_value_and_clears():
    app = SmallApp()
    async with app.run_test(size=(60, 12)) as pilot:
        rate, gpu = app.query_one("#rate", SmallChart), app.query_one("#gpu", SmallChart)
        assert rate.value is None
        rate.extend(points(50))
        gpu.extend([Metric(1, 1, 0.1, 1.0, "gpu", 38.25)])
        await pilot.pause()
        lines = screen(app)
        assert "learning rate" in lines[0] and f"{rate.value:#.4g}" in lines[0]
        assert any("38.25 / 80 GiB" in line for line in lines)
        assert any(0x2800 < ord(char) < 0x2900 for char in lines[1] + lines[2])
        rate.clear()
        await pilot.pause()
        assert screen(app)[0].strip().endswith("–") and rate.value is None
