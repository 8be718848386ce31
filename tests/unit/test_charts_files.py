"""Small charts, and charts as files."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from radtui.charts.model import ChartModel
from radtui.charts.palette import EVAL, TRAIN
from radtui.charts.series import Series
from radtui.charts.spark import SparkLook, compose_spark, value_text
from radtui.charts.svg import dashes, loss_png, loss_svg
from radtui.records import Event, Metric

SVG = "{http://www.w3.org/2000/svg}"


def metrics(values):
    return [Metric(i, i + 1, i / 10, i * 5.0, "x", v) for i, v in enumerate(values)]


def model(points=2000):
    chart = ChartModel()
    chart.add("train", "train <0007> & \x1b", TRAIN)
    chart.add("eval", "eval", EVAL, points=True)
    chart.extend("train", metrics((1 + np.exp(-np.arange(points) / 300)).tolist()))
    chart.extend("eval", metrics([2.0, None, 1.5]))
    chart.set_events([Event(1, 500, 0, "memory", ""), Event(2, 900, 0, "checkpoint", "")])
    chart.relook(note="answer-only loss")
    return chart


@pytest.mark.parametrize("dark", [False, True])
def test_svg_is_one_valid_self_contained_document(dark):
    text = loss_svg(model(), 800, 400, dark)
    root = ET.fromstring(text)
    assert root.get("viewBox") == "0 0 800 400"
    assert "href" not in text and "<script" not in text and "url(" not in text
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert "train <0007> & ␛ 1.001" in words and "answer-only loss" in words and "step" in words
    assert len(list(root.iter(f"{SVG}circle"))) == 1 + 2  # in the legend, and the two finite evaluations


def test_svg_shapes_stay_inside_the_picture():
    chart = model()
    chart.zoom(0.1)
    root = ET.fromstring(loss_svg(chart, 640, 320))
    for shape in (*root.iter(f"{SVG}polyline"), *root.iter(f"{SVG}polygon")):
        for pair in shape.get("points").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= 640 and 0 <= y <= 320


def test_svg_falls_where_the_loss_falls():
    root = ET.fromstring(loss_svg(model(100)))
    longest = max(root.iter(f"{SVG}polyline"), key=lambda line: len(line.get("points")))
    ys = [float(pair.split(",")[1]) for pair in longest.get("points").split()]
    assert ys == sorted(ys) and ys[-1] - ys[0] > 50


def test_png_has_the_size_and_the_colours_asked_for():
    image = Image.open(io.BytesIO(loss_png(model(), 640, 320, dark=True)))
    assert image.size == (640, 320) and image.format == "PNG"
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    assert (abs(pixels - [0x56, 0xB4, 0xE9]).sum(axis=1) < 30).sum() > 200
    assert tuple(pixels[0]) == (0x12, 0x16, 0x1A)


def test_a_curve_of_single_points_is_dashed_in_files_as_on_the_screen():
    root = ET.fromstring(loss_svg(model()))
    dashed = {line.get("stroke") for line in root.iter(f"{SVG}polyline") if line.get("stroke-dasharray")}
    whole = {line.get("stroke") for line in root.iter(f"{SVG}polyline") if not line.get("stroke-dasharray")}
    assert len(dashed) == 1 and not dashed & whole


def test_dashes_have_their_lengths_also_around_a_corner():
    pieces = dashes([(0, 0), (10, 0), (10, 10)], 6, 3)
    assert pieces == [[(0, 0), (6, 0)], [(9, 0), (10, 0), (10, 5)], [(10, 8), (10, 10)]]


def test_files_without_points_say_so():
    chart = ChartModel()
    chart.relook(empty_text="No points yet")
    assert "No points yet" in loss_svg(chart)
    assert loss_png(chart).startswith(b"\x89PNG")


def test_too_small_a_picture_is_refused():
    with pytest.raises(ValueError, match="at least 320 x 200"):
        loss_svg(model(), 100, 100)


def spark(values, columns=40, rows=3, **look):
    series = Series()
    series.extend(metrics(values))
    canvas = compose_spark(series, SparkLook("learning rate", **look), columns, rows)
    return [canvas.text(row) for row in range(rows)]


def test_small_chart_has_name_value_and_course():
    shown = spark([1e-4, 2e-4, 1.5e-4])
    assert shown[0].startswith("learning rate") and shown[0].endswith("1.50e-4")
    assert any(0x2800 < ord(char) < 0x2900 for char in shown[1] + shown[2])


def test_small_chart_in_one_row():
    row = spark([1.0, 2.0, 3.0], rows=1, unit="tokens/s")[0]
    assert row.startswith("learning rate") and row.endswith("3.000 tokens/s")
    assert any(0x2800 < ord(char) < 0x2900 for char in row)
    assert spark([3.0], columns=12, rows=1)[0].endswith("   3.000")


def test_small_chart_leaves_a_cell_between_name_and_value():
    assert spark([0.001964], columns=22)[0] == "learning rate 0.001964"
    assert spark([0.001964], columns=21)[0] == "learning rate 0.00196"
    assert spark([0.001964], columns=19)[0] == "learning r… 0.00196"
    assert spark([0.001964], columns=7)[0] == "0.00196"


def test_small_chart_without_points_or_with_none_finite():
    assert spark([])[0].endswith("–")
    assert spark([None])[0].endswith("not finite")


def test_small_chart_names_its_ceiling():
    series = Series()
    series.extend(metrics([38.25]))
    assert value_text(series, SparkLook("GPU", "GiB", 0, 139.8)) == "38.25 / 139.8 GiB"
    assert value_text(series, SparkLook("GPU", "%", 0, 100)) == "38.25 %"


def test_scale_with_fixed_ends():
    low = spark([10.0] * 30, rows=4, floor=0, ceiling=100)
    high = spark([90.0] * 30, rows=4, floor=0, ceiling=100)
    assert low[3].strip() and not low[1].strip()
    assert high[1].strip() and not high[3].strip()
