"""A simulated power cut: only what a process synced is there afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SHIM = Path(__file__).with_name("power.c")


class NoCompiler(Exception):  # noqa: N818 - a reason to leave out, no failure
    """The shim cannot be made on this machine."""


class PowerCut:
    """Notes what processes with `environment` sync under a folder.

    Args:
        root: The folder; all that is in it now counts as synced.
        scratch: An empty folder for the notes.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoCompiler("there is no C compiler")
        self.root, self.kept, self.before = root.resolve(), scratch / "kept", scratch / "before"
        self.kept.mkdir(parents=True)
        library = scratch / "power.so"
        made = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise NoCompiler(made.stderr[:200])
        shutil.copytree(self.root, self.before)
        self._names = {path: path.stat().st_ino for path in self.root.rglob("*") if path.is_file()}
        self.environment = {
            **os.environ, "LD_PRELOAD": str(library), "POWER_ROOT": str(self.root), "POWER_KEPT": str(self.kept),
        }  # fmt: skip

    def happens(self) -> None:
        """Leave in the folder what was synced."""
        names = dict(self._names)
        for note in self.kept.glob("d*"):
            if note.suffix:
                continue  # was being written
            folder, *lines = note.read_text().splitlines()
            names = {path: inode for path, inode in names.items() if path.parent != Path(folder)}
            for line in lines:
                inode, _, name = line.partition(" ")
                names[Path(folder) / name] = int(inode)
        content = {path: self._content(path, inode) for path, inode in names.items()}
        for path in self.root.rglob("*"):
            if path.is_file():
                path.unlink()
        for path, data in content.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def _content(self, path: Path, inode: int) -> bytes:
        kept = self.kept / f"i{inode}"
        if kept.exists():
            return kept.read_bytes()
        before = self.before / path.relative_to(self.root)
        return before.read_bytes() if self._names.get(path) == inode and before.exists() else b""
