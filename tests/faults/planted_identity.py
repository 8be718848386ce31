"""A name in every DICOM element, path, column and kind of file: it is in nothing that radtui keeps, shows or writes."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

from radtui.paths import DataDir
from tests.conftest import drawn_png
from tests.faults.harness import Facts, app, radtui
from tests.faults.planted_kinds import KINDS
from tests.unit.test_sources_identity import PICTURES, SECRETS, planted

NAMES = tuple(secret for secret in SECRETS if not secret.isdigit())
NUMBERS = ("19640812",)  # a date of birth; 7731 alone is in too many other numbers to be searched for
COLUMNS = {
    "patient_name": "Quibblesworth, Zephyrine", "PatientName": "Quibblesworth^Zephyrine", "dob": "1964-08-12",
    "birth_date": "19640812", "mrn": "MRN7731", "physician": "Dr. Zephyrine Quibblesworth", "hospital": "St Elsewhere",
    "email": "zephyrine@quibblesworth.example",
}  # fmt: skip


def planted_identity(scratch: Path, rounds: int) -> Facts:
    """A name planted wherever one can stand, then looked for in everything that is kept or written: found nowhere."""
    source, data, out = scratch / "in", DataDir(scratch / "data"), scratch / "out"
    out.mkdir()
    temporary = scratch / "tmp"
    temporary.mkdir()
    more = {
        "TMPDIR": str(temporary),
        "XDG_STATE_HOME": str(scratch / "state"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
    }
    makers = {
        "dicom": _dicom,
        "pictures": _pictures,
        "table": _table,
        "json": _json,
        "sidecars": _sidecars,
        **KINDS,
    }
    sources = [make(source / kind) for kind, make in makers.items()]
    printed, taken = b"", 0
    for number, place in enumerate(sources):
        name = f"set{number}"
        # It names files as they lie there.
        radtui(data, "import", place, "--name", name, "--dry-run", more=more)
        code, said = radtui(data, "import", place, "--name", name, more=more)
        assert code == 0, said
        printed += said
        taken += 1
    for words in (
        ["jobs", "list"], ["jobs", "show", "1"], ["jobs", "log", "1"], ["show", "--problems"],
        ["show", "1", "--width", "20"], ["cases", "--jsonl"], ["stats"], ["check"], ["backup", out / "copy"],
    ):  # fmt: skip
        printed += radtui(data, *words, more=more)[1]
    with app(data, more=more) as terminal:
        printed += terminal.settle(first_s=20)
        for key in ("d", "\r", "\x1b", "b", "\x1b", "f", "\x1b", "J", "\r", "\x1b"):
            printed += terminal.press(key, patience_s=1.5, quiet_s=0.3).text
    places = [data.root, out, temporary, Path(more["XDG_STATE_HOME"]), Path(more["XDG_CACHE_HOME"])]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    where = {f"{file}: {name}" for file in files for name in _secrets(file.read_bytes())}
    where |= {
        f"name of {file}: {name}"
        for file in files
        for name in _secrets(os.fsencode(file.relative_to(scratch)))
    }
    where |= {f"printed: {name}" for name in _secrets(printed)}
    assert not where, sorted(where)[:6]
    return {
        "sources": taken,
        "files searched": len(files),
        "bytes printed and drawn": len(printed),
        "found": 0,
    }


def _secrets(content: bytes) -> list[str]:
    lowered = content.lower()
    words = [*NAMES, *NUMBERS]
    return [
        word for word in words
        if word.lower().encode() in lowered or word.lower().encode("utf-16-le") in lowered
    ]  # fmt: skip


def _dicom(folder: Path) -> Path:
    place = folder / "Quibblesworth_Zephyrine_19640812" / "study"
    place.mkdir(parents=True)
    content = planted()
    for number in range(3):
        (place / f"Quibblesworth{number}.dcm").write_bytes(content)
    return folder


def _pictures(folder: Path) -> Path:
    place = folder / "Zephyrine Quibblesworth"
    place.mkdir(parents=True)
    for kind, make in PICTURES.items():
        (place / f"picture.{kind}").write_bytes(make())
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "text", "patient_name"])
        for kind in PICTURES:
            table.writerow(
                [f"Zephyrine Quibblesworth/picture.{kind}", "A chest radiograph.", "Quibblesworth, Zephyrine"]
            )
    return folder


def _table(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with (folder / "table.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["file", "caption", *COLUMNS])
        table.writeheader()
        for number in range(12):
            (folder / f"{number}.png").write_bytes(drawn_png(number))
            table.writerow(
                {"file": f"{number}.png", "caption": f"Nodule {number} in the left lung.", **COLUMNS}
            )
    return folder


def _json(folder: Path) -> Path:
    folder.mkdir(parents=True)
    rows = []
    for number in range(12):
        (folder / f"{number}.png").write_bytes(drawn_png(100 + number))
        rows.append({"image": f"{number}.png", "text": f"Effusion {number} on the right.", **COLUMNS})
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def _sidecars(folder: Path) -> Path:
    place = folder / "QUIBBLESWORTH^ZEPHYRINE"
    place.mkdir(parents=True)
    for number in range(6):
        (place / f"{number}.png").write_bytes(drawn_png(200 + number))
        (place / f"{number}.txt").write_text(f"Findings: clear lungs {number}.")
    return folder
