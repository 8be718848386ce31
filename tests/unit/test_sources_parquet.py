"""Parquet in Radiology_mini's schema and other schemas."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources import open_source
from tests.conftest import drawn_png, real_data
from tests.unit.source_files import data_of, error_of, mini_rows, write_files, write_parquet

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402


def read(path: Path, **settings: object) -> list[NewCase]:
    return list(open_source(ImportSettings(source=str(path), **settings)))  # type: ignore[arg-type]


def test_a_folder_in_radiology_minis_schema(tmp_path: Path) -> None:
    rows = mini_rows(7)
    write_parquet(tmp_path / "data" / "test-00000-of-00001.parquet", rows[5:])
    write_parquet(tmp_path / "data" / "train-00001-of-00002.parquet", rows[3:5])
    write_parquet(tmp_path / "data" / "train-00000-of-00002.parquet", rows[:3])
    write_files(tmp_path, {"README.md": "x", "figure.png": drawn_png(9)})
    source = open_source(ImportSettings(source=str(tmp_path)))
    found = list(source)
    assert source.total() == 7
    assert [image.split for image in found] == ["train"] * 5 + ["test"] * 2
    assert [image.source_key for image in found] == [f"ROCO_{n}" for n in range(7)]
    assert [data_of(image) for image in found] == [row["image"]["bytes"] for row in rows]
    assert (found[6].reference, found[6].facts) == ("Chest radiograph 6.", {"cui": "C1306645, C0817096"})
    assert "image from image, text from caption" in source.describe()


def test_a_single_file_and_the_limit(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "rows.parquet", mini_rows(5))
    assert [(i.split, i.source_key) for i in read(path, split="dev", limit=2)] == [
        ("validation", "ROCO_0"), ("validation", "ROCO_1"),
    ]  # fmt: skip
    assert open_source(ImportSettings(source=str(path), limit=2)).total() == 2


def test_rows_without_an_image_say_so(tmp_path: Path) -> None:
    rows = mini_rows(4)
    rows[0]["image"] = None
    rows[1]["image"] = {"bytes": b"", "path": None}
    rows[2]["image"] = {"bytes": None, "path": "../../outside.png"}
    rows[3]["image"] = {"bytes": None, "path": "gone.png"}
    found = read(write_parquet(tmp_path / "x.parquet", rows))
    assert [data_of(image) for image in found] == [b""] * 4
    assert [error_of(image) for image in found[:2]] == ["A row of x.parquet names no image."] * 2
    assert "outside.png is named in x.parquet but is not in the folder" in error_of(found[2])
    assert "gone.png" in error_of(found[3])


def test_other_schemas(tmp_path: Path) -> None:
    one, two = drawn_png(1), drawn_png(2)
    write_files(tmp_path, {"images/two.png": two})
    table = pa.table(
        {"scan": pa.array([one], pa.large_binary()), "report": ["R"], "split": ["valid"], "age": [0.5]}
    )
    pq.write_table(table, tmp_path / "bytes.parquet")
    pq.write_table(pa.table({"image_path": ["images/two.png"], "text": ["T"]}), tmp_path / "paths.parquet")
    by_bytes, by_path = read(tmp_path / "bytes.parquet")[0], read(tmp_path / "paths.parquet")[0]
    assert (data_of(by_bytes), by_bytes.split, by_bytes.source_key) == (one, "validation", "bytes:0")
    assert (by_bytes.reference, by_bytes.facts) == ("R", {"age": "0.5"})
    assert (data_of(by_path), by_path.source_key) == (two, "images/two.png")


def test_the_limit_with_a_split_column_stops_no_other_split(tmp_path: Path) -> None:
    images = [drawn_png(n, 16) for n in range(6)]
    splits = ["train", "train", "train", "test", "test", "train"]
    pq.write_table(pa.table({"image": images, "split": splits}), tmp_path / "x.parquet")
    source = open_source(ImportSettings(source=str(tmp_path / "x.parquet"), limit=1))
    assert source.total() == 2
    assert [(image.split, data_of(image)) for image in source] == [("train", images[0]), ("test", images[3])]


def test_findings_as_a_list_of_structs(tmp_path: Path) -> None:
    findings = [[{"finding": "mass", "side": "left"}]]
    pq.write_table(pa.table({"image": [drawn_png(1)], "findings": findings}), tmp_path / "x.parquet")
    truth = read(tmp_path / "x.parquet")[0].truth
    assert [(t.finding, t.side, t.zone) for t in truth] == [("mass", "left", "")]


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "x.parquet", mini_rows(3)).read_bytes()
    (tmp_path / "x.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is no parquet file, or cut short"):
        read(tmp_path / "x.parquet")


def test_a_damaged_page_ends_the_file_with_a_problem_after_the_rows_before_it(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", mini_rows(64), row_group_size=16)
    data = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    data[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(data))
    source = open_source(ImportSettings(source=str(path)))
    assert len(list(source)) == 32
    assert source.problems[0].where == "x.parquet, row 33"
    assert "It is damaged after row 32" in source.problems[0].reason


def test_without_pyarrow_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(tmp_path / "x.parquet", mini_rows(1))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UserError, match=r"pip install 'radtui\[train\]'"):
        read(path)


def test_real_radiographs_in_radiology_minis_shape() -> None:
    found = read(real_data("radiology-mini-shape"))
    assert [image.split for image in found] == ["train"] * 12 + ["test"] * 6
    assert all(data_of(image)[:3] == b"\xff\xd8\xff" or data_of(image)[:4] == b"\x89PNG" for image in found)
    assert found[12].source_key == "CXR_00031" and found[12].facts == {"cui": "C1306645, C0817096"}
