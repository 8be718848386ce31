"""System calls that fail at a chosen moment: the disk is full, or broken, exactly then."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.power import NoCompiler

SHIM = Path(__file__).with_name("failing.c")
KINDS = ("write", "sync", "rename", "truncate")


class Failing:
    """Lets calls of programs fail.

    Args:
        scratch: A folder for the shim and for notes.
    """

    def __init__(self, scratch: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoCompiler("there is no C compiler")
        self._library, self._notes = scratch / "failing.so", scratch / "calls"
        made = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self._library, SHIM, "-ldl"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise NoCompiler(made.stderr[:200])

    def counting(self, root: Path) -> dict[str, str]:
        """Variables for a program whose calls under a folder are counted, by `counted`."""
        shutil.rmtree(self._notes, ignore_errors=True)
        self._notes.mkdir()
        return {"LD_PRELOAD": str(self._library), "FAIL_ROOT": str(root), "FAIL_NOTES": str(self._notes)}

    def counted(self) -> dict[str, int]:
        """How many calls of each kind the last program made."""
        return {
            kind: (self._notes / kind).stat().st_size if (self._notes / kind).exists() else 0
            for kind in KINDS
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
            "LD_PRELOAD": str(self._library), "FAIL_ROOT": str(root), "FAIL_CALL": kind, "FAIL_AT": str(at),
            **({"FAIL_ONCE": "1"} if once else {}), **({"FAIL_NAME": name} if name else {}),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }  # fmt: skip
