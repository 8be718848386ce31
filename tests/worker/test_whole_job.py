"""The whole job through the command line: import, train, generate, rate, export, score."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.store import cases, ratings, studies
from radtui.store.database import connect
from tests.conftest import drawn_png, real_data
from tests.unit.test_store import rating


def radtui(data: Path, *words: str, code: int = 0) -> str:
    """Run the command line; returns what it printed on stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", str(data), *words],
        check=False, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"}, timeout=400,
    )  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def drawn_folder(folder: Path) -> Path:
    """A data set as a user keeps one: images, a table of captions, one broken file."""
    folder.mkdir()
    rows = []
    for n in range(10):
        name = f"scan_{n}.png"
        (folder / name).write_bytes(drawn_png(n))
        rows.append(
            {
                "file_name": name,
                "text": f"Radiograph {n} shows a bright disc.",
                "split": "test" if n > 6 else "train",
            }
        )
    (folder / "empty.png").write_bytes(b"")
    rows.append({"file_name": "empty.png", "text": "Nothing.", "split": "train"})
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["file_name", "text", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("source", ["drawn", "real-cxr", "radiology-mini-shape"])
def test_the_whole_job(source: str, tmp_path: Path, mllama: Path) -> None:
    folder = drawn_folder(tmp_path / "scans") if source == "drawn" else real_data(source)
    data = tmp_path / "data"
    radtui(data, "import", str(folder), "--name", "mine")
    db = connect(DataDir(data))
    (found,) = cases.datasets(db)
    split = "test" if found.splits["test"] >= 3 else "train"
    train = json.loads(
        radtui(
            data, "train", "--dataset", "mine", "--model", str(mllama), "--max-steps", "2", "--batch-size", "2",
            "--loader-workers", "0", "--watch-images", "1", "--watch-tokens", "8",
            "--eval-images", "2", "--max-length-tokens", "400", "--wait", "--json",
        )
    )  # fmt: skip
    assert train["state"] == "done" and train["result"]["supervised_tokens"] > 0
    made = json.loads(
        radtui(
            data, "generate", "--split", split, "--limit", "3", "--max-new-tokens", "8", "--wait", "--json"
        )
    )
    ids = studies.comparison_ids(db, studies.of_job(db, made["id"]))
    assert len(ids) == 3 and made["parent_job"] == train["id"]

    study = studies.of_job(db, made["id"])
    for case_id in ids[:2]:
        ratings.add(db, rating(study.id, case_id, 1, rater="ann", rated_at=time.time()))
    out = tmp_path / "comparisons.csv"
    radtui(data, "export", "--out", str(out))
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["image_id"]) for row in rows] == ids[:2]
    assert {row["preference_label"] for row in rows} == {"tuned slightly better"}
    scores = json.loads(radtui(data, "score", "--json"))
    assert scores["tuned"]["cases"] == 3 and scores["base"]["text"]["bleu"]["n"] == 3
    radtui(data, "plot", str(train["id"]), "--out", str(tmp_path / "loss.svg"))
    assert "<svg" in (tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_exit_codes_and_sentences(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert json.loads(radtui(data, "jobs", "list", "--json")) == []
    radtui(data, "train", code=1)  # nothing imported
    radtui(data, "train", "--no-such-option", code=2)
    radtui(data, "train", "--batch-size", "many", code=2)
    radtui(data, "export", code=1)
    radtui(data, "jobs", "show", "7", code=1)
    radtui(data, "import", str(tmp_path / "nowhere"), code=1)
    assert "demo" in radtui(data, "--help")
    found = {finding["what"]: finding["state"] for finding in json.loads(radtui(data, "doctor", "--json"))}
    assert found["data folder"] == "note" and found["train"] == "ok"  # what was refused has made none
