"""Looking at images in several processes: read, probed, written; their cases come back in order, few at once.

A plain file is read by the process that looks at it, so its bytes are copied to nobody. Processes and not threads:
the many short steps of a decoder in Python wait for each other and for the one who writes rows.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

from PIL import Image

from radtui.imaging.facts import Facts
from radtui.paths import DataDir, open_plain
from radtui.records import NewCase, NewCaseImage, UserError
from radtui.sources.dicom_keys import keep_quiet
from radtui.sources.files import read_whole
from radtui.sources.images import ReadImage, read_images
from radtui.sources.linking import NOT_AS_IT_IS
from radtui.store.database import reading
from radtui.store.imported import any_decoded, decoded
from radtui.store.incoming import Link
from radtui.worker.importing.keeping import IncomingFolder, Written, write_hidden

THREADS = 2
PROCESSES_FROM = 128  # cases: starting processes takes as long as looking at some dozens
MAX_PROCESSES = 32
CHUNK_IMAGES = 32  # what goes to a process at once: sending one by one costs as much as a small image
CHUNK_BYTES = 2**22
MAX_WAITING_BYTES = 2**27
# Chunks that wait for each process: the disk may keep rows, and what feeds them, waiting for a while.
CHUNKS_EACH = 20
SAVERS = 16  # threads that wait for the disk: it brings several files to it in the time of one
_KEPT_BYTES = 2**25
_KEPT_BLOCKS = 16  # of 16 MiB each at most
_SEVERAL_FILES = (".mhd", ".nhdr", ".hdr")  # volumes whose pixels lie in a second file


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one file has told. `link` says where its bytes stay, None where they were written."""

    parts: tuple[ReadImage, ...]
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class LookingPlace:
    """What looking needs to know, in whichever process: where to write, and whether files stay where they are."""

    data: DataDir
    folder: Path
    link: bool


class _Known(Mapping[str, Facts]):
    """What probes told before, looked up in the database by whoever looks at an image."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._any = any_decoded(db)  # what this import itself brings in may be decoded once more

    def __getitem__(self, sha256: str) -> Facts:
        probe = decoded(self._db, sha256) if self._any else None
        if probe is None:
            raise KeyError(sha256)
        return Facts(probe.format, probe.width_px, probe.height_px, probe.mode)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1  # never empty: `or {}` must not count rows


def examine(
    place: LookingPlace, images: list[NewCaseImage], beside: Callable[[str, str], bytes] | None = None
) -> tuple[list[Looked], list[Written]]:
    """Find out what files are, and write into hidden files what is safe to keep of them.

    Args:
        place: Where it is kept.
        images: Bytes, or plain files to be read.
        beside: Reads a second file of a volume.
    """
    written: list[Written] = []
    # Half a millisecond for each chunk. Kept open for the next, it would be closed by whichever thread comes to free
    # an error that still holds this frame, and a connection is closed by the thread that opened it or not at all.
    with reading(place.data) as db:
        known = _Known(db)
        return [_look(place, image, beside, known, written) for image in images], written


def _look(
    place: LookingPlace, image: NewCaseImage, beside: Callable[[str, str], bytes] | None, known: _Known,
    written: list[Written],
) -> Looked:  # fmt: skip
    if image.error:
        return Looked((ReadImage(error=image.error),))
    data, status = image.data, None
    if image.path:
        if place.link:
            status = _status(image.path)
        data, error = read_whole(Path(image.path).name, partial(open_plain, image.path))
        if error:
            return Looked((ReadImage(error=error),))
    near = (lambda other: beside(image.name, other)) if beside is not None else None
    parts = read_images(image.name, data, known=known, beside=near)
    if place.link and not any(part.error for part in parts):
        if not (len(parts) == 1 and parts[0].as_found):
            return Looked((ReadImage(error=NOT_AS_IT_IS),))
        if status is None or _status(image.path) != status or len(data) != status[0]:
            return Looked((ReadImage(error="The file was written while it was read; import again."),))
        if not place.data.blob(parts[0].sha256).exists():
            return Looked((replace(parts[0], data=b""),), Link("", *status))
    for part in parts:
        if not part.error:
            new = write_hidden(place.folder, place.data.blob(part.sha256), part.data)
            written += [new] if new else []
    return Looked(tuple(replace(part, data=b"") for part in parts))


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a Path for each of many files takes longer than the call
    except OSError:  # said by whoever reads it
        return 0


def _status(path: str) -> tuple[int, int] | None:
    """Size and time of a file, None where it is gone."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _begin_process() -> None:
    """A process that looks at images: quiet, and gone as soon as the import is, however that ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_quiet()
    _keep_memory()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def _keep_memory() -> None:
    """Have what one image took used again for the next: giving it back and asking anew is a tenth of the work.

    Source: glibc's mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD; Pillow's blocks of image memory.
    """
    Image.core.set_blocks_max(_KEPT_BLOCKS)  # type: ignore[attr-defined]  # not in its stubs
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(-3, _KEPT_BYTES)
    mallopt(-1, 2 * _KEPT_BYTES)


def _context() -> multiprocessing.context.ForkServerContext:
    # Not forked from this process: a child would inherit the job's lock, and hold it when its parent is killed.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def prepare(images: int) -> None:
    """Begin to load what looks at images, in a process of its own, while the source is still being counted.

    Args:
        images: How many there seem to be.
    """
    if images >= PROCESSES_FROM:
        _context()
        forkserver.ensure_running()


@dataclass
class _Chunk:
    """Cases that are looked at together."""

    cases: list[NewCase] = field(default_factory=list)
    images: list[NewCaseImage] = field(default_factory=list)
    n_bytes: int = 0  # held in memory
    file_bytes: int = 0  # of plain files, which are read elsewhere
    looked: Future[tuple[list[Looked], list[Written]]] | None = None

    @property
    def full(self) -> bool:
        return len(self.images) >= CHUNK_IMAGES or self.n_bytes + self.file_bytes >= CHUNK_BYTES


class Examiners:
    """Looks at the images of one import, and hands back its cases in order, their bytes on the disk.

    Args:
        place: Where images are kept.
        incoming: What gives them their names.
        total: How many cases are expected, None where that is not known.
        beside: Reads a second file of a volume; None where there can be none.
    """

    def __init__(
        self, place: LookingPlace, incoming: IncomingFolder, total: int | None,
        beside: Callable[[str, str], bytes] | None = None,
    ) -> None:  # fmt: skip
        self._place, self._incoming, self._beside = place, incoming, beside
        self._processes = min(MAX_PROCESSES, len(os.sched_getaffinity(0)))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe")
        self._savers = ThreadPoolExecutor(SAVERS, thread_name_prefix="save")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="keep")
        self._written: list[Written] = []  # of the cases that have come back
        self._pool: Executor = self._threads
        if (total or 0) >= PROCESSES_FROM:
            context = _context()
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin_process)
        self._most = CHUNKS_EACH * max(THREADS, self._processes)  # chunks at once

    def close(self) -> None:
        """End threads and processes; what has not begun is left."""
        for pool in {self._pool, self._threads, self._keeper, self._savers}:
            pool.shutdown(wait=True, cancel_futures=True)

    def keep(self) -> Future[None]:
        """Begin to give the images of the cases that have come back their names, on the disk; done when they are."""
        written, self._written = self._written, []
        return self._keeper.submit(self._incoming.keep, written, self._savers)

    def examined(self, cases: Iterable[NewCase]) -> Generator[tuple[NewCase, list[Looked]], None, None]:
        """Every case without bytes, with what its images are; a bounded number is in memory at once."""
        waiting: deque[_Chunk] = deque()
        chunk, waiting_bytes = _Chunk(), 0
        for case in cases:
            chunk.cases.append(_without_bytes(case))
            for image in case.images:
                chunk.images.append(image)
                chunk.n_bytes += len(image.data)
                chunk.file_bytes += _file_size(image.path) if image.path else 0
            if chunk.full:
                waiting.append(self._begun(chunk))
                waiting_bytes += chunk.n_bytes
                chunk = _Chunk()
            while len(waiting) > self._most or waiting_bytes > MAX_WAITING_BYTES:
                waiting_bytes -= waiting[0].n_bytes
                yield from self._looked_at(waiting.popleft())
        if chunk.cases:
            waiting.append(self._begun(chunk))
        while waiting:
            yield from self._looked_at(waiting.popleft())

    def _begun(self, chunk: _Chunk) -> _Chunk:
        if any(image.name.lower().endswith(_SEVERAL_FILES) for image in chunk.images):
            chunk.looked = self._threads.submit(examine, self._place, chunk.images, self._beside)
        else:
            chunk.looked = self._pool.submit(examine, self._place, chunk.images)
        chunk.images = []
        return chunk

    def _looked_at(self, chunk: _Chunk) -> Iterator[tuple[NewCase, list[Looked]]]:
        assert chunk.looked is not None
        try:
            looked, written = chunk.looked.result()
        except BrokenProcessPool as error:
            keys = f"{chunk.cases[0].source_key} to {chunk.cases[-1].source_key}"
            raise UserError(
                f"A process that decodes images ended by itself, most often for want of memory, at one of {keys};"
                " import again: what is in stays."
            ) from error
        self._written += written
        each = iter(looked)
        for case in chunk.cases:
            yield case, [next(each) for _ in case.images]


def _without_bytes(case: NewCase) -> NewCase:
    if not any(image.data for image in case.images):
        return case
    return replace(case, images=tuple(replace(image, data=b"") for image in case.images))
