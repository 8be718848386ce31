"""The page on 8 and 64 GPUs is what its arithmetic gives, and the arithmetic is right."""

from __future__ import annotations

import pytest

from tools.cluster_page import PAGE, figures, layouts, page


def test_the_page_is_as_the_figures_make_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.cluster_page"


def test_it_gives_back_what_was_measured() -> None:
    known = figures()
    assert known.step(8) == pytest.approx(known.step_s) == 1.878
    # The H200 that the shares are of: 1.576 s with 8 images, 1.335 with 4.
    assert known.step(4) / known.step(8) == pytest.approx(1.335 / 1.576)
    assert known.gradient_bytes == 268_697_600
    assert known.exchange(4, known.sockets_bytes_per_s) == pytest.approx(0.13121)


def test_eight_gpus_at_one_image_each_are_bound_by_what_does_not_shrink() -> None:
    one, eight = layouts(figures())[:2]
    assert one.images_per_s == pytest.approx(8 / 1.878)
    fixed = 1.878 * (2 * 1.335 - 1.576) / 1.576
    assert eight.step_s == pytest.approx(fixed + (1.878 - fixed) / 8 + 0.00124)


def test_64_gpus_exchange_nearly_twice_the_gradients_over_the_slowest_link() -> None:
    slow = layouts(figures())[4]
    assert slow.gpus == 64 and slow.exchange_s == pytest.approx(2 * 63 / 64 * 268_697_600 / 1.25e9)
    assert slow.epoch_s(65, 0.0) == pytest.approx(2 * slow.step_s)
