"""What a view shows: the right part, the right way round, in the right greys."""

from dataclasses import replace

import numpy as np
import pytest

from radtui.imaging import pyramid, view
from radtui.imaging.raster import Raster, Sides, Window, WindowShape
from radtui.imaging.render import render_px, scale_bar, sides_of, value_at
from radtui.imaging.view import View, Viewport
from radtui.imaging.windows import apply_window, auto_window, full_window, windows_for


def quarters(size: int = 64) -> Raster:
    """Upper left 10, upper right 80, lower left 150, lower right 220."""
    values = np.zeros((size, size), np.uint8)
    half = size // 2
    values[:half, :half], values[:half, half:] = 10, 80
    values[half:, :half], values[half:, half:] = 150, 220
    return Raster(values)


def corners(px: np.ndarray) -> list[int]:
    return [int(px[0, 0]), int(px[0, -1]), int(px[-1, 0]), int(px[-1, -1])]


def built(raster: Raster | None = None) -> pyramid.Pyramid:
    return pyramid.build(raster or quarters())


def test_levels_are_means():
    values = np.random.default_rng(0).integers(0, 65535, (256, 128)).astype(np.uint16)
    stack = built(Raster(values, bits=16))
    assert [level.size for level in stack.levels] == [(128, 256), (64, 128), (32, 64)]
    expected = values.astype(np.float64).reshape(64, 4, 32, 4).mean((1, 3))
    assert np.allclose(np.asarray(stack.levels[2]), expected, atol=0.01)


def test_whole_image_is_drawn_upright_in_its_levels():
    assert corners(render_px(built(), View(), 64, 64)) == [10, 80, 150, 220]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_orientation_matches_numpy(turns, flip):
    values = np.random.default_rng(1).integers(0, 255, (32, 48)).astype(np.uint8)
    expected = np.rot90(values[:, ::-1] if flip else values, -turns)
    height, width = expected.shape
    drawn = render_px(built(Raster(values)), View(turns=turns, flip=flip), width, height)
    assert np.array_equal(drawn, expected)


def test_mirroring_a_turned_image_mirrors_what_is_seen():
    stack, turned = built(), view.rotated(View())
    seen = render_px(stack, turned, 64, 64)
    assert np.array_equal(render_px(stack, view.flipped(turned), 64, 64), seen[:, ::-1])


def test_a_wide_image_has_black_above_and_below():
    px = render_px(built(Raster(np.full((20, 80), 200, np.uint8))), View(), 80, 80)
    assert px[40].min() == 200
    assert px[:29].max() == 0 and px[-29:].max() == 0
    assert (px > 0).any(axis=1).sum() == 20


def test_narrow_pixels_keep_the_image_in_proportion():
    # Quadrants: 2 pixels across for one down covers a square image with twice the columns.
    px = render_px(built(), View(), 128, 64, pixel_aspect=2.0)
    assert corners(px) == [10, 80, 150, 220]
    tall = built(Raster(np.full((50, 50), 9, np.uint8), pixel_aspect=2.0))
    assert (render_px(tall, View(), 100, 100) > 0).any(axis=0).sum() == 50


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_panning_moves_towards_what_is_pressed(turns, flip):
    stack, port = built(), Viewport(32, 32)
    start = view.settled(stack, View(zoom=2.0, turns=turns, flip=flip), port)
    whole = render_px(stack, View(turns=turns, flip=flip), 64, 64)
    right = view.panned(stack, start, port, 5.0, 0.0)
    down = view.panned(stack, right, port, 0.0, 5.0)
    assert np.array_equal(render_px(stack, down, 32, 32), whole[32:, 32:])
    # At the edge the centre stays where it is drawn, so one step back moves at once.
    assert view.panned(stack, down, port, -0.5, 0.0).centre != down.centre
    assert view.panned(stack, down, port, 1.0, 1.0) == down


def test_zooming_keeps_the_middle_in_the_middle():
    values = np.zeros((256, 256), np.uint8)
    values[100:104, 90:94] = 255
    stack, port = built(Raster(values)), Viewport(64, 64)
    look = view.settled(stack, View(zoom=2.0, centre=(92 / 256, 102 / 256)), port)
    for _ in range(6):
        look = view.settled(stack, view.zoomed(look, view.ZOOM_STEP), port)
        px = render_px(stack, look, 64, 64).astype(float)
        y, x = (px * np.arange(64)[:, None]).sum() / px.sum(), (px * np.arange(64)).sum() / px.sum()
        assert abs(x - 31.5) < 3 and abs(y - 31.5) < 3


def test_one_to_one_draws_each_pixel_once():
    values = np.random.default_rng(2).integers(0, 255, (500, 400)).astype(np.uint8)
    stack, port = built(Raster(values)), Viewport(100, 100)
    look = View(zoom=view.one_to_one_zoom(stack, View(), port))
    assert np.array_equal(render_px(stack, look, 100, 100), values[200:300, 150:250])


def test_zoom_is_bounded():
    stack, port = built(), Viewport(64, 64)
    assert view.settled(stack, View(zoom=1e9), port).zoom == pytest.approx(view.MAX_MAGNIFICATION)
    assert view.settled(stack, View(zoom=1e-9), port).zoom == 1.0


def test_the_pixel_under_the_middle_is_read_whatever_the_orientation():
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    stack, port = built(Raster(values, bits=16)), Viewport(64, 64)
    for turns in range(4):
        for flip in (False, True):
            look = View(turns=turns, flip=flip, preset="full")
            shown = np.rot90(values[:, ::-1] if flip else values, -turns)
            column, row = view.source_point(stack, look, port, 10.5, 20.5) or (-1, -1)
            assert values[row, column] == shown[20, 10]
    assert value_at(stack, 3, 1) == "67"
    assert view.source_point(built(Raster(values[:32], bits=16)), View(), port, 5, 5) is None


def test_window_of_dicom_linear_matches_the_standard():
    # PS3.3 C.11.2.1.2.1, c=10, w=4: values 8 and below are black, 12 and above white... with the half shift.
    window = Window(10, 4, shape=WindowShape.LINEAR)
    values = np.array([7.0, 8.0, 9.5, 11.0, 12.0])
    assert apply_window(values, window).tolist() == [0, 0, 128, 255, 255]


def test_window_shapes_and_inversion():
    values = np.array([0.0, 50.0, 100.0])
    assert apply_window(values, Window(50, 100)).tolist() == [0, 128, 255]
    assert apply_window(values, Window(50, 100), invert=True).tolist() == [255, 128, 0]
    sigmoid = apply_window(values, Window(50, 100, shape=WindowShape.SIGMOID)).tolist()
    assert sigmoid[1] == 128 and 25 < sigmoid[0] < 35 and 220 < sigmoid[2] < 230
    table = np.array([0.0, 1.0, 0.5], np.float32)
    stepped = Window(50, 2, shape=WindowShape.TABLE, table=table)
    assert apply_window(np.array([0, 49, 50, 51, 900]), stepped).tolist() == [0, 0, 255, 128, 128]


def test_monochrome_1_is_drawn_turned_over():
    raster = replace(quarters(), inverted=True)
    assert corners(render_px(built(raster), View(), 64, 64)) == [245, 175, 105, 35]
    assert corners(render_px(built(raster), View(invert=True), 64, 64)) == [10, 80, 150, 220]


def test_automatic_window_ignores_rare_extremes_and_padding():
    values = np.full((100, 100), 1000, np.int16) + np.arange(100, dtype=np.int16)
    values[0, :20] = 30000
    window = auto_window(Raster(values, bits=16))
    assert window.limits[0] >= 1000 and window.limits[1] <= 1100
    values[50:] = -2000
    window = auto_window(Raster(values, bits=16, padding=-2000))
    assert window.limits[0] >= 1000
    assert auto_window(Raster(np.zeros((5, 5), np.uint16))).width == 1


def test_presets_cycle_through_all_windows_and_back():
    hu = Raster(np.linspace(-1000, 1000, 64 * 64).reshape(64, 64).astype(np.int16), unit="HU", bits=16)
    stack = built(hu)
    look, names = View(), []
    for _ in range(7):
        names.append(view.window_of(stack, look).name)
        look = view.next_preset(stack, look)
    assert names == ["auto", "full", "lung", "mediastinum", "bone", "brain", "abdomen"]
    assert view.window_of(stack, look).name == "auto"
    assert full_window(hu).limits == (-1000.0, 1000.0)
    assert "lung" not in [w.name for w in windows_for(quarters())]


def test_level_and_width_steps_leave_the_view_otherwise_alone():
    stack = built()
    look = view.levelled(stack, View(zoom=3.0), 1)
    assert look.window is not None and look.window.centre == pytest.approx(127.5 + 0.05 * 255)
    wide = view.widened(stack, look, 1)
    assert wide.window is not None and wide.window.width == pytest.approx(255 * 1.15)
    assert wide.zoom == 3.0
    assert view.next_preset(stack, wide).window is None


def test_a_preset_an_image_lacks_falls_back_to_its_default():
    assert view.window_of(built(), View(preset="lung")).name == "full"


def test_sides_follow_turns_and_mirrors():
    stack = built(replace(quarters(), sides=Sides("R", "L", "H", "F")))
    assert sides_of(stack, View()) == Sides("R", "L", "H", "F")
    assert sides_of(stack, View(flip=True)) == Sides("L", "R", "H", "F")
    assert sides_of(stack, View(turns=1)) == Sides("F", "H", "R", "L")
    assert sides_of(stack, view.flipped(View(turns=1))) == Sides("H", "F", "R", "L")


def test_scale_bar_is_as_long_as_it_says():
    stack = built(Raster(np.zeros((1000, 1000), np.uint8), spacing_mm=(0.2, 0.2)))
    port = Viewport(100, 100)  # 200 mm over 100 pixels
    bar = scale_bar(stack, view.geometry(stack, View(), port), 100)
    assert bar is not None and (bar.length_px, bar.label) == (25, "5 cm")
    near = scale_bar(stack, view.geometry(stack, View(zoom=20.0), port), 100)
    assert near is not None and (near.length_px, near.label) == (20, "2 mm")
    assert scale_bar(built(), view.geometry(built(), View(), port), 100) is None


def test_overlay_is_drawn_white_even_when_shrunk():
    overlay = np.zeros((512, 512), bool)
    overlay[100:104] = True
    stack = built(Raster(np.full((512, 512), 50, np.uint8), overlay=overlay))
    px = render_px(stack, View(), 64, 64)
    assert px.max() == 255 and (px == 50).mean() > 0.9


def test_colour_images_are_drawn_in_colour():
    values = np.zeros((64, 64, 3), np.uint8)
    values[:, :, 2] = 180
    px = render_px(built(Raster(values)), View(turns=1, flip=True), 64, 64)
    assert px.shape == (64, 64, 3) and px[5, 5].tolist() == [0, 0, 180]


def test_cache_drops_the_longest_unused_first():
    one = built(Raster(np.zeros((100, 100), np.uint8)))
    cache = pyramid.PyramidCache(limit_bytes=int(one.nbytes * 2.5))
    for key in "ab":
        cache.put(key, one)
    assert cache.get("a") is one
    cache.put("c", one)
    assert "a" in cache and "b" not in cache and "c" in cache
    small = pyramid.PyramidCache(limit_bytes=1)
    small.put("a", one)
    assert len(small) == 1
