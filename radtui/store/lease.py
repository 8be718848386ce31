"""Which machine works on a data folder of a network file system: one at a time, by a lease that lies in the folder.

SQLite's write-ahead log needs memory that all of a database's processes share, so all of them must be on one machine.
A machine's first process takes the lease, and each of its processes keeps it alive. Another machine is told so in a
sentence. It may take over when two things say that nobody is left: the lease is old by the file server's own clock, so
that no two machines' clocks are compared; and nobody holds the lock beside it, which tells of a process that lives but
is held up, on file systems whose locks reach across machines. A process that was held up and lost the lease meanwhile
finds out before it writes.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from radtui.store.file_systems import NETWORK, file_system
from radtui.store.gone import FolderGoneError

FILE, LOCK = "radtui.db.host", "radtui.db.host-lock"
HOST_VARIABLE = "RADTUI_HOST"  # another name for this machine
WHEN_VARIABLE = "RADTUI_ONE_HOST"  # "always", "never"; otherwise on network file systems
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BEAT_S = 20.0  # between signs of life
EXPIRES_S = 120.0  # without one: some may be late on a busy file server
CHECK_S = 5.0  # a look at the lease holds for this long
SETTLE_S = 1.0  # in which two that take over at once see which of them did

# Host name, and the boot it has had: what its processes held ended with the last one.
Identity = tuple[str, str]


class OtherHostError(FolderGoneError):
    """Another machine works on the data folder; nothing was written."""


def identity() -> Identity:
    """What others know this machine by."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    named = os.environ.get(HOST_VARIABLE)
    return (named, f"{boot}-{named}") if named else (os.uname().nodename, boot)


@dataclass(slots=True)
class Lease:
    """A machine's hold on a data folder, as one of its processes has it.

    Args:
        folder: The data folder.
        own: The machine.
    """

    folder: Path
    own: Identity = field(default_factory=identity)
    lock: int = -1  # open file, locked for as long as this process works on the folder
    looked_at_s: float = float("-inf")

    @property
    def file(self) -> Path:
        """Who has the lease; its time is that of the last sign of life."""
        return self.folder / FILE

    def take(self) -> None:
        """Take the lease, or share it with this machine's other processes.

        Raises:
            OtherHostError: Another machine has it.
        """
        self.lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._take()
        except BaseException:
            os.close(self.lock)
            self.lock = -1
            raise

    def _take(self) -> None:
        owner = self.owner()
        if owner is None:
            self._make()
            owner = self.owner()
        if owner is not None and owner != self.own:
            self._take_over(owner)
        if not _locks(self.lock, fcntl.LOCK_SH):  # somebody else is about to take over
            raise OtherHostError(self._sentence(self.owner() or self.own))
        if self.owner() != self.own:
            raise OtherHostError(self._sentence(self.owner() or self.own))
        self.beat()

    def owner(self) -> Identity | None:
        """Who has the lease; None for nobody."""
        try:
            values = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:  # cut short by a full disk: it names nobody, and ages as any other
            return ("another machine", "")
        return str(values["host"]), str(values["boot"])

    def beat(self) -> None:
        """Give a sign of life."""
        with contextlib.suppress(OSError):  # a file server that is away: the next one may reach it
            os.utime(self.file)  # by the file server's clock
            self.looked_at_s = _now_s()

    def check(self) -> None:
        """Raise OtherHostError where another machine has taken over since this process last worked."""
        if _now_s() - self.looked_at_s < CHECK_S:
            return
        owner = self.owner()
        if owner is None:
            self._make()
            owner = self.owner()
        if owner != self.own:
            raise OtherHostError(self._sentence(owner or self.own))
        self.looked_at_s = _now_s()

    def give_up(self) -> None:
        """Let another machine have the folder at once, where this is the last process of this one."""
        if self.lock < 0:
            return
        with contextlib.suppress(OSError):
            if _locks(self.lock, fcntl.LOCK_EX) and self.owner() == self.own:
                self.file.unlink(missing_ok=True)
        os.close(self.lock)
        self.lock = -1

    def _take_over(self, owner: Identity) -> None:
        """Take the lease from a machine that is gone. Raises OtherHostError where it is not."""
        if not self._is_old() or not _locks(self.lock, fcntl.LOCK_EX):
            raise OtherHostError(self._sentence(owner))
        if self.owner() == owner and self._is_old():  # nobody was quicker, or came back, since the first look
            partial = self._written()
            partial.replace(self.file)
        time.sleep(SETTLE_S)

    def _make(self) -> None:
        """Take the lease that nobody has; whoever is quicker has it."""
        partial = self._written()
        try:
            with contextlib.suppress(FileExistsError):
                os.link(partial, self.file)
        except OSError:  # no hard links here: a name that is made once is the next best thing
            with contextlib.suppress(FileExistsError), self.file.open("x", encoding="utf-8") as file:
                file.write(partial.read_text(encoding="utf-8"))
        finally:
            partial.unlink(missing_ok=True)

    def _written(self) -> Path:
        partial = self.folder / f".{FILE}.{os.urandom(4).hex()}"
        partial.write_text(json.dumps({"host": self.own[0], "boot": self.own[1]}), encoding="utf-8")
        return partial

    def _is_old(self) -> bool:
        """Whether the last sign of life is long ago, by the file server's clock."""
        probe = self._written()
        try:
            return probe.stat().st_mtime - self.file.stat().st_mtime > EXPIRES_S
        except FileNotFoundError:
            return True
        finally:
            probe.unlink(missing_ok=True)

    def _sentence(self, owner: Identity) -> str:
        return (
            f"{owner[0]} works on {self.folder}, and on a network file system only one machine may: go on there, or end"
            f" radtui and its jobs there and wait {EXPIRES_S / 60:.0f} minutes."
        )


_leases: dict[Path, Lease | None] = {}  # None where a folder needs none
_guard = threading.Lock()  # connections are opened on several threads


def hold(folder: Path) -> None:
    """Have a data folder for this machine alone, where it lies on a network file system.

    Raises:
        OtherHostError: Another machine has it.
    """
    with _guard:
        if folder not in _leases:
            lease = Lease(folder) if _is_needed(folder) else None
            if lease is not None:
                lease.take()
                _keep_alive(lease)
            _leases[folder] = lease
    check(folder)


def check(folder: Path) -> None:
    """Raise OtherHostError where another machine has taken a folder over that this process works on."""
    if (lease := _leases.get(folder)) is not None:
        lease.check()


def _is_needed(folder: Path) -> bool:
    when = os.environ.get(WHEN_VARIABLE, "")
    return when == "always" or (when != "never" and file_system(folder) in NETWORK)


def _keep_alive(lease: Lease) -> None:
    """Give signs of life while this process lives, also where it writes nothing for long."""

    def go_on() -> None:
        while lease.lock >= 0:
            time.sleep(BEAT_S)
            with contextlib.suppress(OtherHostError, OSError):  # who writes next is told
                lease.check()
                lease.beat()

    threading.Thread(target=go_on, name="radtui-lease", daemon=True).start()
    atexit.register(lease.give_up)


def _locks(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:  # held by another; or no locks here, where the age alone decides
        return not _has_locks(handle)
    return True


def _has_locks(handle: int) -> bool:
    """Whether the file system has locks at all: asking for nothing fails where it has none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_UN)
    except OSError:
        return False
    return True


def _now_s() -> float:
    """Seconds of a clock that goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


os.register_at_fork(after_in_child=_leases.clear)  # its thread is the parent's; a child takes its own part
