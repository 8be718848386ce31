"""Decoding in threads: once an image, errors passed on, waiting ones dropped."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from radtui.imaging.loader import THREADS, Loader
from radtui.imaging.pyramid import PyramidCache
from radtui.records import UserError


def png(level: int = 7) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((8, 8), level, np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_an_image_asked_for_twice_is_read_once():
    loader, gate, reads = Loader(), threading.Event(), []

    def load() -> bytes:
        reads.append(1)
        gate.wait(5)
        return png()

    first, second = loader.request("a", load), loader.request("a", load)
    assert first is second and not first.done()
    gate.set()
    built = first.result(5)
    assert loader.request("a", load).result(0) is built
    assert len(reads) == 1
    loader.close()


def test_errors_reach_the_asker_and_are_not_remembered():
    loader = Loader()
    with pytest.raises(UserError, match="empty"):
        loader.request("a", lambda: b"").result(5)
    assert loader.request("a", png).result(5).raster.values.max() == 7
    loader.close()


def test_what_waits_can_be_dropped_and_asked_for_again():
    loader, gate = Loader(), threading.Event()

    def slow() -> bytes:
        gate.wait(5)
        return png()

    running = [loader.request(f"slow {n}", slow) for n in range(THREADS)]
    waiting = loader.request("b", png)
    loader.drop_waiting()
    assert waiting.cancelled() and not any(future.cancelled() for future in running)
    again = loader.request("b", png)
    gate.set()
    assert again.result(5) is not None
    loader.close()


def test_frames_are_kept_apart():
    pages = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (1, 2)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    loader = Loader(PyramidCache())
    levels = [loader.request("a", out.getvalue, frame).result(5).raster.values.max() for frame in (0, 1)]
    assert levels == [1, 2]
    loader.close()
