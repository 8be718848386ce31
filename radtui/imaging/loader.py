"""Decoding in threads: one future an image, shared by whoever asks, kept in a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock

from PIL import Image

from radtui.imaging import decode, pyramid, thumbnail
from radtui.imaging.pyramid import Pyramid, PyramidCache

__all__ = ["Key", "Loader", "shared"]

THREADS = 2  # the image asked for, and a neighbour; more would only slow the first one down

THUMBNAILS = 512  # of a few hundred pixels each

Key = tuple[str, int | None]  # an image's name and a frame's index, or None for the one that stands for it


class Loader:
    """Turns names into pyramids in the background.

    Args:
        cache: Where finished pyramids are kept; a new one of the usual size when left out.
    """

    def __init__(self, cache: PyramidCache | None = None) -> None:
        self.cache = cache or PyramidCache()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="image")
        self._pending: dict[Key, Future[Pyramid]] = {}
        self._small_pending: set[Future[Image.Image]] = set()
        self._small: OrderedDict[tuple[str, int, int], Image.Image] = OrderedDict()
        self._lock = Lock()  # what is pending is read by callers and emptied by the pool's threads

    def request(self, name: str, load: Callable[[], bytes], frame: int | None = None) -> Future[Pyramid]:
        """Ask for an image; the same one asked for twice is decoded once.

        Args:
            name: What it is kept under.
            load: Returns the file's bytes; called in a thread.
            frame: Index of the frame; None for the one that stands for the file.

        Returns:
            A future that is done already when the image is in the cache. It raises what `load` and
            `decode.decode` raise.
        """
        key = (name, frame)
        kept = self.cache.get(key)
        if kept is not None:
            done: Future[Pyramid] = Future()
            done.set_result(kept)
            return done
        with self._lock:
            future = self._pending.get(key)
            if future is None:
                future = self._pool.submit(self._build, key, load)
                self._pending[key] = future
        # Outside the lock: the callback of a future that is done already runs at once, and takes the lock.
        future.add_done_callback(lambda _: self._forget(key))
        return future

    def thumbnail(
        self, name: str, load: Callable[[], bytes], width_px: int, height_px: int
    ) -> Future[Image.Image]:
        """Ask for a small picture in its default window, made of the decoded image where that is there.

        Args:
            name: What the image is kept under.
            load: Returns the file's bytes; called in a thread.
            width_px: Most columns.
            height_px: Most rows; two for each row of cells.

        Returns:
            A future that is done already when the picture is kept. It raises what `load` and `decode.decode` raise.
        """
        key = (name, width_px, height_px)
        with self._lock:
            kept = self._small.get(key)
            if kept is not None:
                self._small.move_to_end(key)
                done: Future[Image.Image] = Future()
                done.set_result(kept)
                return done
            future = self._pool.submit(self._shrink, key, load)
            self._small_pending.add(future)
        future.add_done_callback(self._forget_small)
        return future

    def drop_waiting(self) -> None:
        """Forget what has not been started: the user has moved on."""
        waiting: list[Future[Pyramid] | Future[Image.Image]] = []
        with self._lock:
            waiting += self._pending.values()
            waiting += self._small_pending
        for future in waiting:
            future.cancel()

    def close(self) -> None:
        """Stop; what is being decoded ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _build(self, key: Key, load: Callable[[], bytes]) -> Pyramid:
        name, frame = key
        built = pyramid.build(decode.decode(load(), frame))
        self.cache.put((name, frame), built)
        return built

    def _shrink(self, key: tuple[str, int, int], load: Callable[[], bytes]) -> Image.Image:
        name, width_px, height_px = key
        whole = self.cache.get((name, None))
        if whole is not None:
            picture = thumbnail.of_pyramid(whole, width_px, height_px)
        else:
            picture = thumbnail.thumbnail(load(), width_px, height_px)
        with self._lock:
            self._small[key] = picture
            while len(self._small) > THUMBNAILS:
                self._small.popitem(last=False)
        return picture

    def _forget_small(self, future: Future[Image.Image]) -> None:
        with self._lock:
            self._small_pending.discard(future)

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._pending.pop(key, None)


@cache
def shared() -> Loader:
    """The loader of this process: an image decoded for one screen is ready for all."""
    return Loader()
