"""Decoding in threads: one future an image, shared by whoever asks, kept in a bounded cache."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock

from radtui.imaging import decode, pyramid
from radtui.imaging.pyramid import Pyramid, PyramidCache

__all__ = ["Key", "Loader", "shared"]

THREADS = 2  # the image asked for, and a neighbour; more would only slow the first one down

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
        self._lock = Lock()  # `_pending` is read by callers and emptied by the pool's threads

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

    def drop_waiting(self) -> None:
        """Forget what has not been started: the user has moved on."""
        with self._lock:
            waiting = list(self._pending.values())
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

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._pending.pop(key, None)


@cache
def shared() -> Loader:
    """The loader of this process: an image decoded for one screen is ready for all."""
    return Loader()
