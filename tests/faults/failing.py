"""System calls that fail at a chosen moment: the disk is full, or broken, exactly then."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

from tests.faults.power import NoCompiler

SHIM = Path(__file__).with_name("failing.c")
KINDS = ("write", "sync", "rename", "truncate")
CHANGES = (*KINDS, "remove", "link")  # all by which a file or folder becomes another
LOCK = "lock"


class Failing:
    """Lets calls of programs fail.

    Args:
        scratch: A folder for the shim and for notes.
    """

    def __init__(self, scratch: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoCompiler("there is no C compiler")
        self.library, self._notes = scratch / "failing.so", scratch / "calls"
        made = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self.library, SHIM, "-ldl"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise NoCompiler(made.stderr[:200])

    def counting(self, root: Path) -> dict[str, str]:
        """Variables for a program whose calls under a folder are counted, by `counted`."""
        shutil.rmtree(self._notes, ignore_errors=True)
        self._notes.mkdir()
        return {"LD_PRELOAD": str(self.library), "FAIL_ROOT": str(root), "FAIL_NOTES": str(self._notes)}

    def counted(self) -> dict[str, int]:
        """How many calls of each kind the last program made."""
        return {
            kind: (self._notes / kind).stat().st_size if (self._notes / kind).exists() else 0
            for kind in (*CHANGES, LOCK)
        }

    def environment(self, root: Path, kind: str, at: int, *, once: bool, name: str = "") -> dict[str, str]:
        """Variables for a program one of whose calls under a folder fails.

        Args:
            root: The folder.
            kind: One of `KINDS`.
            at: The first that fails, 1 for the first of all.
            once: Whether those after it work again, as where somebody makes room; a full disk stays full.
            name: The only file meant, by its name.
        """
        return {
            "LD_PRELOAD": str(self.library), "FAIL_ROOT": str(root), "FAIL_CALL": kind, "FAIL_AT": str(at),
            **({"FAIL_ONCE": "1"} if once else {}), **({"FAIL_NAME": name} if name else {}),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }  # fmt: skip

    def killing(self, root: Path, kind: str, at: int, name: str = "") -> dict[str, str]:
        """Variables for a program that is killed at one of its calls; half of what it was to write is written.

        Args:
            root: The folder.
            kind: One of `CHANGES`.
            at: Of these calls.
            name: As of `environment`.
        """
        return self.environment(root, kind, at, once=False, name=name) | {"FAIL_KILL": "1"}

    def points(self, most: int, chance: random.Random) -> list[tuple[str, int]]:
        """So many of the calls that were counted last, half of them such as change names: there are few of these."""
        counted = self.counted()
        calls = {kind: [(kind, at + 1) for at in range(counted[kind])] for kind in CHANGES}
        often = calls.pop("write") + calls.pop("sync")
        seldom = [call for each in calls.values() for call in each]
        chosen = chance.sample(seldom, min(len(seldom), max(most // 2, most - len(often))))
        return chosen + chance.sample(often, min(len(often), most - len(chosen)))
