"""Tables of a data set that somebody, or a disk, has changed: read as what they say, or refused in one sentence."""

from __future__ import annotations

import copy
import json
import random
import time
from pathlib import Path

from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources import open_source
from tests.conftest import drawn_png
from tests.faults.harness import Facts
from tests.faults.mutated_ratings import STRANGE, change, changed_table, with_other_bytes

ROWS = 5
KINDS = ("rows.jsonl", "table.csv", "rows.json", "table.tsv")
SLOW_S = 20.0


def mutated_tables(scratch: Path, rounds: int) -> Facts:
    """Tables and rows of a data set are changed: every case is read or named with why not, or a sentence says it."""
    chance, refused, read, named, slowest_s = random.Random(21), 0, 0, 0, 0.0
    folder = scratch / "source"
    folder.mkdir()
    for number in range(ROWS):
        (folder / f"{number}.png").write_bytes(drawn_png(number))
    for number in range(rounds):
        name = KINDS[number % len(KINDS)]
        file = folder / name
        file.write_bytes(_changed(name, chance))
        began = time.process_time()
        try:
            source = open_source(ImportSettings(source=str(folder)).check())
            source.preview()
            cases = list(source.cases())
            assert all(case.error or case.images for case in cases)
            read, named = read + len(cases), named + len(source.problems)
        except UserError as error:
            refused += 1
            assert str(error).strip() and "Traceback" not in str(error)
        except Exception as error:
            (scratch / "culprit").write_bytes(file.read_bytes())
            raise AssertionError(f"round {number}, {name}: {type(error).__name__}: {error}") from error
        slowest_s = max(slowest_s, time.process_time() - began)
        file.unlink()
    assert read and slowest_s < SLOW_S, slowest_s
    return {
        "changed files": rounds, "cases read": read, "named with the reason": named, "refused in a sentence": refused,
        "tracebacks": 0,
    }  # fmt: skip


def _rows() -> list[dict[str, object]]:
    return [
        {
            "file_name": f"{number}.png", "text": f"Nodule {number} in the left lung, \"small\".", "split": "train",
            "patient_id": f"p{number // 2}", "question": "What is seen?", "facts": {"view": "PA", "age": 61},
            "boxes": [[1, 2, 3, 4]], "label": [0, 1],
        }
        for number in range(ROWS)
    ]  # fmt: skip


def _changed(name: str, chance: random.Random) -> bytes:
    rows = _rows()
    if name.startswith("rows"):
        changed: list[dict[str, object]] = copy.deepcopy(rows)
        for _ in range(chance.choice((1, 1, 2, 4))):
            change(chance.choice(changed), chance)
        if chance.random() < 0.1:
            changed[chance.randrange(ROWS)] = chance.choice(STRANGE)  # type: ignore[call-overload]
        text = "\n".join(map(json.dumps, changed)) if name.endswith("l") else json.dumps(changed)
        content = text.encode()
        return with_other_bytes(content, chance) if chance.random() < 0.3 else _cut(content, chance)
    columns = [key for key in rows[0] if key not in ("facts", "boxes", "label")]
    lines = [
        ",".join(columns),
        *(",".join(f'"{row[key]}"'.replace('"small"', '""small""') for key in columns) for row in rows),
    ]
    content = "\r\n".join(lines).encode()
    content = changed_table(content, chance)
    if name.endswith("tsv"):
        content = content.replace(b",", b"\t")
    return _cut(content, chance)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))] if chance.random() < 0.1 else content
