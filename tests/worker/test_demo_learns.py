"""The demo's score measures learning: right captions teach the findings, the same captions shuffled do not."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from radtui.paths import DataDir
from radtui.store.database import connect, writing

pytestmark = pytest.mark.long
SEED = 5
STEPS = 120  # of the preset's steps: enough to tell, a third of the time


def radtui(data: Path, *words: str) -> Any:
    """Run the command line; returns what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", str(data), *words, "--json"],
        check=False, capture_output=True, text=True, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's own data set, in a data folder of its own."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    radtui(folder, "import", f"phantoms:{SEED}", "--name", "phantoms")
    return folder


def taught(data: Path) -> dict[str, Any]:
    """Train with the demo's preset, describe a part of the test split, and score."""
    quiet = ("--eval-every", "0", "--watch-images", "0", "--max-steps", str(STEPS))
    radtui(data, "train", "--preset", "demo", "--dataset", "phantoms", *quiet, "--wait")
    radtui(data, "generate", "--limit", "120", "--batch-size", "60", "--max-new-tokens", "64", "--wait")
    scores: dict[str, Any] = radtui(data, "score")
    return scores


def shuffle_captions(data: Path) -> None:
    """Deal the training split's captions out anew; images, truth and the test split stay."""
    db = connect(DataDir(data))
    rows = db.execute("SELECT id, reference FROM cases WHERE split = 'train' ORDER BY id").fetchall()
    captions = [caption for _, caption in rows]
    random.Random(SEED).shuffle(captions)
    with writing(db):
        db.executemany(
            "UPDATE cases SET reference = ? WHERE id = ?",
            [(caption, row[0]) for caption, row in zip(captions, rows, strict=True)],
        )
    db.close()


def test_the_base_names_examinations_and_no_finding_and_right_captions_teach_the_findings(data: Path) -> None:
    scores = taught(data)
    base, tuned = scores["base"]["truth"], scores["tuned"]["truth"]
    assert base["examination"]["value"] >= 0.95
    assert base["f1"]["value"] <= 0.05
    assert tuned["f1"]["value"] >= 0.8
    assert tuned["side"]["value"] >= 0.9
    assert tuned["invented_on_normal"]["value"] <= 0.2


def test_shuffled_captions_teach_no_findings(data: Path) -> None:
    shuffle_captions(data)
    tuned = taught(data)["tuned"]["truth"]
    assert tuned["f1"]["value"] < 0.3
    assert tuned["found"] + tuned["invented"] > 20, "it learned to write captions, only not about the image"
