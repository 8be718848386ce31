"""Hub data sets where there is no hub: the caches, and a sentence when they are empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources import open_source
from radtui.sources.hub import is_hub_id
from tests.unit.fake_hub import hub
from tests.unit.source_files import mini_rows, write_parquet

pytest.importorskip("datasets")
pytestmark = pytest.mark.slow  # each read is a fresh process that imports datasets

READ = """
import json, sys
from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources import hub, open_source
hub.TIMEOUT_S = 1.0
source = open_source(ImportSettings(source=sys.argv[1], limit=int(sys.argv[2])))
assert not {"datasets", "pyarrow", "huggingface_hub"} & sys.modules.keys()
try:
    total = source.total()
    rows = [(i.split, i.source_key, i.images[0].data.hex(), i.reference, i.facts) for i in source]
    print(json.dumps({"total": total, "rows": rows, "line": source.describe()}))
except UserError as error:
    print(json.dumps({"error": str(error)}))
"""
NOBODY = "http://127.0.0.1:9"  # nothing listens there: the connection is refused, as without a network


def read(home: Path, endpoint: str = NOBODY, name: str = "acme/rays", limit: int = 0) -> dict[str, Any]:
    """Read a data set in a process of its own: both libraries read their settings when they are imported."""
    env = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": endpoint}
    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        env.pop(variable, None)
    command = [sys.executable, "-c", READ, name, str(limit)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def snapshot(home: Path) -> Path:
    """The folder in which a download of acme/rays would lie."""
    repo = home / "hub" / "datasets--acme--rays"
    commit = "0" * 40
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(commit)
    return repo / "snapshots" / commit / "data"


def test_a_data_set_is_downloaded_and_is_there_without_network_afterwards(tmp_path: Path) -> None:
    rows = mini_rows(3)
    files = {
        "data/train-00000-of-00001.parquet": write_parquet(tmp_path / "a", rows[:2]).read_bytes(),
        "data/test-00000-of-00001.parquet": write_parquet(tmp_path / "b", rows[2:]).read_bytes(),
    }
    with hub(files) as address:
        found = read(tmp_path / "home", address)
    assert [row[:3] for row in found["rows"]] == [
        [split, f"ROCO_{n}", rows[n]["image"]["bytes"].hex()]
        for n, split in enumerate(("train", "train", "test"))
    ]
    assert found["line"] == "hub acme/rays: 3 images, image from image, text from caption"
    assert read(tmp_path / "home")["rows"] == found["rows"]


def test_a_name_that_the_hub_does_not_know(tmp_path: Path) -> None:
    with hub({}) as address:
        error = read(tmp_path, address, name="acme/none")["error"]
    assert error.startswith("There is no folder acme/none here and no such data set on the hub")


@pytest.mark.timeout(120)  # one that is waited for never ends
def test_a_hub_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    with hub({}, answers=False) as address:
        error = read(tmp_path, address)["error"]
    assert "cannot be fetched (no network: " in error


def test_without_network_and_cache_one_sentence_says_so(tmp_path: Path) -> None:
    error = str(read(tmp_path)["error"])
    assert "acme/rays cannot be fetched (no network" in error
    assert "not in the local cache; connect to the network" in error


def test_an_earlier_download_is_used(tmp_path: Path) -> None:
    rows = mini_rows(3)
    folder = snapshot(tmp_path)
    write_parquet(folder / "train-00000-of-00001.parquet", rows[:2])
    write_parquet(folder / "test-00000-of-00001.parquet", rows[2:])
    found = read(tmp_path)
    assert found["total"] == 3
    assert [row[:3] for row in found["rows"]] == [
        ["train", "ROCO_0", rows[0]["image"]["bytes"].hex()],
        ["train", "ROCO_1", rows[1]["image"]["bytes"].hex()],
        ["test", "ROCO_2", rows[2]["image"]["bytes"].hex()],
    ]
    assert "from the cache" in str(found["line"])


def test_half_a_download_does_not_pass_for_the_whole(tmp_path: Path) -> None:
    write_parquet(snapshot(tmp_path) / "train-00000-of-00002.parquet", mini_rows(1))
    assert "not in the local cache" in str(read(tmp_path)["error"])


def test_what_datasets_prepared_earlier_is_used_byte_for_byte(tmp_path: Path) -> None:
    import datasets

    rows = mini_rows(3)
    source = tmp_path / "rows.parquet"
    write_parquet(source, rows)
    datasets.load_dataset("parquet", data_files={"valid": str(source)}, cache_dir=str(tmp_path / "made"))
    # Where a load of acme/rays from the hub would have put it.
    prepared = next((tmp_path / "made" / "parquet").iterdir())
    place = tmp_path / "datasets" / "acme___rays" / "default"
    place.parent.mkdir(parents=True)
    prepared.rename(place)
    arrow = next(place.rglob("parquet-valid.arrow"))
    arrow.rename(arrow.with_name("rays-valid.arrow"))
    found = read(tmp_path, limit=2)
    assert found["total"] == 2
    assert [row[1:] for row in found["rows"]] == [
        [f"ROCO_{n}", rows[n]["image"]["bytes"].hex(), rows[n]["caption"], {"cui": "C1306645, C0817096"}]
        for n in range(2)
    ]
    assert {row[0] for row in found["rows"]} == {"validation"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("unsloth/Radiology_mini", True), ("a/b/c", False), ("folder", False), ("../x", False), ("a/..", False)],
)
def test_what_has_the_form_of_a_hub_id(text: str, expected: bool) -> None:
    assert is_hub_id(text) is expected


def test_a_name_that_is_neither_path_nor_id_is_refused() -> None:
    with pytest.raises(UserError, match="There is no folder or file 'nowhere at all'"):
        open_source(ImportSettings(source="nowhere at all"))
