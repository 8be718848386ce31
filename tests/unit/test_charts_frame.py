"""Whole charts as characters."""

import numpy as np
import pytest

from radtui.charts.curves import Curve, Smoothing, draw, value_range
from radtui.charts.frame import compose
from radtui.charts.model import ChartModel
from radtui.charts.paint import BROKEN_CHAR, CUT_CHAR, POINT_CHAR
from radtui.charts.series import Axis
from radtui.charts.tones import WARNING, Tone, tone
from radtui.charts.view import AxisView
from radtui.records import Event, Metric


def metrics(values, every=1, start=1):
    steps = [start + i * every for i in range(len(values))]
    return [Metric(s, s, s / 100, s * 5.0, "loss", v) for s, v in zip(steps, values, strict=True)]


def chart(train=(), evaluations=(), every=10):
    model = ChartModel()
    model.relook(note="answer-only loss", empty_text="No points yet: the first step compiles kernels")
    model.add("train", "train")
    model.add("eval", "eval", points=True)
    model.extend("train", metrics(train))
    model.extend("eval", metrics(evaluations, every, every))
    return model


def rows(model, columns=80, lines=20):
    canvas = model.compose(columns, lines).canvas
    return [canvas.text(row) for row in range(lines)]


def decay(points, noise=0.1):
    steps = np.arange(points)
    jitter = np.exp(np.random.default_rng(0).normal(0, noise, points))
    return ((0.3 + 2 * np.exp(-steps / points * 5)) * jitter).tolist()


def braille(text):
    return sum(0x2800 < ord(char) < 0x2900 for char in text)


def test_empty_chart_says_why_in_the_middle():
    shown = rows(chart(), 80, 11)
    assert "No points yet: the first step compiles kernels" in shown[5]
    assert shown[0].startswith("Loss · answer-only loss")


def test_what_a_narrow_empty_chart_says_goes_on_in_the_next_row():
    model = chart()
    words = "Waits in Slurm as job 7: no machine is free (Resources), expected to start 2026-11-28 12:30"
    model.relook(empty_text=words)
    shown = rows(model, 60, 11)
    assert " ".join(" ".join(shown[1:]).split()) == words
    assert sum(bool(row.strip()) for row in shown[1:]) == 2


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (10, 3), (20, 4), (24, 5), (60, 12), (200, 50)])
def test_every_size_is_filled_exactly(size):
    model = chart(decay(300), [1.0, 0.8, 0.7])
    model.point_at(100)
    canvas = model.compose(*size).canvas
    assert (canvas.columns, canvas.rows) == size
    for row in range(canvas.rows):
        assert sum(len(text) for text, _, _ in canvas.runs(row)) == size[0]


def test_three_points_are_joined_from_edge_to_edge():
    plot = rows(chart([1.0, 0.8, 0.5]), 60, 12)[1:-2]
    lit = {column for line in plot for column, char in enumerate(line) if 0x2800 < ord(char) < 0x2900}
    assert lit == set(range(7, 59))


def test_one_point_is_a_dot():
    shown = rows(chart([1.25]), 60, 12)
    assert sum(line.count(POINT_CHAR) for line in shown[1:]) == 1
    assert shown[-1].split() == ["step", "1"]


def test_evaluations_are_marked_and_lie_where_they_belong():
    model = chart([2.0] * 100, [2.0, 1.0, 1.5, 1.0])
    frame = model.compose(80, 20)
    marked = [
        (row, column)
        for row in range(1, 18)
        for column, char in enumerate(frame.canvas.text(row))
        if char == POINT_CHAR
    ]
    assert {column for _, column in marked} == {frame.area.column_of(x) for x in (10, 20, 30, 40)}
    assert all(frame.canvas.front[row, column] == tone(1, Tone.LINE) for row, column in marked)
    heights = {column: row for row, column in marked}
    ten, twenty, thirty, forty = (heights[frame.area.column_of(x)] for x in (10, 20, 30, 40))
    assert ten < thirty < twenty == forty


def test_many_evaluations_are_a_line_without_dots():
    assert POINT_CHAR not in "".join(rows(chart([2.0] * 100, [1.0 + i % 3 for i in range(100)], 1))[1:])


def test_values_that_are_not_finite_leave_a_marked_gap():
    model = chart([1.0] * 40 + [None] * 20 + [1.0] * 41)
    frame = model.compose(110, 12)
    plot = frame.canvas.chars[1:-2]
    for step, lit in ((20, True), (45, False), (55, False), (80, True)):
        column = frame.area.column_of(step)
        assert ((plot[:, column] > 0x2800) & (plot[:, column] < 0x2900)).any() == lit
    base = frame.canvas.text(10)
    assert base[frame.area.column_of(50)] == BROKEN_CHAR and base[frame.area.column_of(20)] != BROKEN_CHAR


def test_nothing_but_gaps_says_so():
    assert any("No finite values here" in line for line in rows(chart([None, None])))


def test_a_legend_that_leaves_no_rows_for_the_curve_says_so():
    model = chart([3.0, 2.0, 1.0], [2.5], every=2)
    assert any("Too small for the chart" in line for line in rows(model, 50, 5))


def test_legend_shows_the_newest_values_and_the_crosshair_those_at_its_place():
    model = chart([3.0, 2.0, 1.0], [2.5], every=2)
    model.relook(smoothing=Smoothing.OFF)
    assert rows(model)[0].rstrip().endswith("━━ train 1.000   ╌● eval 2.500")
    model.point_at(1.0)
    head = rows(model)[0]
    assert head.startswith("step 1 · epoch 0.01 · 5s") and "train 3.000" in head and "eval –" in head


def test_crosshair_names_events_under_it():
    model = chart(decay(100))
    model.set_events([Event(1, 50, 0, "memory", "batch halved to 4")])
    model.point_at(50.0)
    assert "memory: batch halved to 4" in rows(model, 120)[0]
    model.point_at(80.0)
    assert "memory" not in rows(model, 120)[0]


def test_note_stays_when_there_is_little_room():
    head = rows(chart(decay(500), [1.0]), 60, 12)[0]
    assert head.startswith("Loss · answer-only loss") and "train" in head and "eval" in head


def test_many_curves_get_legend_rows_and_a_count_of_the_rest():
    model = ChartModel()
    for job in range(12):
        model.add(str(job), f"{job:04d} a long name of a job")
        model.extend(str(job), metrics([1.0 + job, 0.5]))
    wide, narrow = rows(model, 200, 50), rows(model, 60, 12)
    assert sum("a long name" in line for line in wide) == 3
    assert "more" in narrow[1] and sum("a long name" in line for line in narrow) == 1


def test_events_are_on_the_axis_and_alarms_in_their_colour():
    model = chart(decay(100))
    model.set_events(
        [Event(1, 30, 0, "checkpoint", ""), Event(2, 60, 0, "memory", ""), Event(3, 60, 0, "eval", "")]
    )
    frame = model.compose(80, 20)
    base = frame.canvas.text(18)
    assert base[frame.area.column_of(30)] == "▲" and base[frame.area.column_of(60)] == "!"
    assert frame.canvas.front[18, frame.area.column_of(60)] == WARNING


def test_a_band_stands_for_many_points_and_a_line_for_few():
    dense, sparse = rows(chart(decay(10_000)), 80, 20), rows(chart(decay(100)), 80, 20)
    blocks = set("▁▂▃▄▅▆▇")
    assert blocks & set("".join(dense)) and not blocks & set("".join(sparse))
    model = chart(decay(10_000))
    canvas = model.compose(80, 20).canvas
    assert (canvas.back == tone(0, Tone.BAND)).sum() > 50
    model.next_raw()
    assert not (model.compose(80, 20).canvas.back == tone(0, Tone.BAND)).any()


def test_several_lines_have_no_band_unless_asked_for():
    model = chart(decay(10_000))
    model.add("other", "other")
    assert model.look.raw_of is None
    model.next_raw()
    assert model.look.raw_of is model.curve("train")


def test_a_lone_spike_is_cut_off_and_marked():
    values = decay(10_000)
    values[5000] = 500.0
    model = chart(values)
    frame = model.compose(80, 20)
    assert frame.area.values[1] < 10
    assert frame.canvas.text(1)[frame.area.column_of(5001)] == CUT_CHAR


def test_few_points_are_never_cut_off():
    model = chart([1.0, 1.0, 90.0, 1.0])
    assert model.compose(80, 20).area.values[1] > 90


def test_log_axis_leaves_out_what_it_cannot_show():
    model = chart([0.0, 0.01, 1.0, 100.0])
    model.relook(log=True, smoothing=Smoothing.OFF)
    frame = model.compose(80, 20)
    assert 0 < frame.area.values[0] <= 0.01 and frame.area.values[1] >= 100
    assert "log" in frame.canvas.text(0)
    model = chart([0.0, -1.0])
    model.relook(log=True)
    assert any("No finite values" in line for line in rows(model))


def test_a_flat_curve_lies_in_the_middle():
    lit = [row for row, line in enumerate(rows(chart([0.7] * 50), 80, 21)) if braille(line) > 50]
    assert lit == [9] or lit == [10]


def test_value_range_covers_the_lines():
    curve = Curve("a", "a")
    curve.series.extend(metrics(decay(2000)))
    drawn = draw(curve, Axis.STEP, (1, 2000), 160, Smoothing.MEDIUM)
    lo, hi = value_range([drawn], None, log=False)
    assert lo < drawn.line.min() and hi > drawn.line.max()


def test_labels_of_the_axis_are_right_aligned_and_round():
    gutter = [line[:7] for line in rows(chart(decay(100)), 80, 24)[1:-2]]
    written = [label for label in gutter if label.strip()]
    assert len(written) >= 3 and all(label.endswith(" ") and label[5] != " " for label in written)
    assert [float(label) for label in written] == sorted((float(label) for label in written), reverse=True)


def test_axes_by_epoch_and_time():
    model = chart(decay(1000))
    model.next_axis()
    assert rows(model)[-1].split()[0] == "epoch" and "10" in rows(model)[-1]
    model.next_axis()
    assert rows(model)[-1].split()[0] == "time" and "1h00m" in rows(model, 120)[-1]
    model.next_axis()
    assert model.look.axis is Axis.STEP


def test_changing_the_axis_keeps_window_and_crosshair():
    model = chart(decay(1000))
    model.point_at(900.0)
    model.zoom(0.25)
    lo, hi = model.view.window((1, 1000))
    model.next_axis()
    assert model.view.window((0.01, 10.0)) == pytest.approx((lo / 100, hi / 100))
    assert model.crosshair == pytest.approx(9.0)
    model.next_axis()
    model.next_axis()
    assert model.view.window((1, 1000)) == pytest.approx((lo, hi)) and model.crosshair == pytest.approx(900)


def test_crosshair_steps_from_point_to_point_where_points_are_sparse():
    model = chart([1.0, 2.0, 3.0, 4.0])
    cell = model.compose(80, 20).area.cell
    seen = []
    for _ in range(6):
        model.move_crosshair(-1, cell)
        seen.append(model.crosshair)
    assert seen == [4, 3, 2, 1, 1, 1]


def test_crosshair_pulls_the_window_along():
    model = chart(decay(1000))
    model.zoom(0.1)
    cell = model.compose(80, 20).area.cell
    for _ in range(200):
        model.move_crosshair(-1, cell)
    assert model.view.window((1, 1000))[0] <= model.crosshair < 800


def test_zoomed_lines_run_to_the_edges():
    model = chart([1.0, 2.0, 1.0, 2.0, 1.0])
    model.relook(smoothing=Smoothing.OFF)
    model.view.show((1, 5), (2.4, 3.6))
    plot = rows(model, 60, 12)[1:-2]
    lit = {column for line in plot for column, char in enumerate(line) if 0x2800 < ord(char) < 0x2900}
    assert min(lit) == 7 and max(lit) == 58


def test_shared_cells_show_both_lines_in_turn():
    model = ChartModel()
    for key in ("a", "b"):
        model.add(key, key)
        model.extend(key, metrics([1.0] * 50))
    front = model.compose(80, 12).canvas.front
    assert (front == tone(0, Tone.LINE)).sum() > 20 and (front == tone(1, Tone.LINE)).sum() > 20


def test_escapes_and_wide_characters_in_names_keep_the_grid():
    model = ChartModel()
    model.add("a", "\x1b[31m胸部\n模型")
    model.extend("a", metrics([1.0, 2.0]))
    model.set_events([Event(1, 2, 0, "checkpoint", "a\x07b\x1b]0;x\x07")])
    model.point_at(2.0)
    for row in range(12):
        text = model.compose(60, 12).canvas.text(row)
        assert text.isprintable()


def test_unknown_key_is_an_error():
    with pytest.raises(KeyError, match="no curve 'b'"):
        ChartModel().extend("b", [])


def test_clear_forgets_points_but_not_choices():
    model = chart(decay(100))
    model.relook(log=True)
    model.zoom(0.5)
    model.clear()
    assert model.curves == [] and model.view.whole and model.look.log and model.look.raw_of is None


def test_compose_without_curves():
    frame = compose([], [], AxisView(), ChartModel().look, (40, 10))
    assert frame.area is None
