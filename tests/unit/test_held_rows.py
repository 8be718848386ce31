"""Joined tables are the same whether their rows are held in memory or in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from radtui.settings import ImportSettings
from radtui.sources import open_source
from radtui.sources.layouts import held_rows
from radtui.sources.layouts.held_rows import HeldRows
from tests.conftest import drawn_png
from tests.unit.source_files import write_files


@pytest.mark.parametrize("most", [2, 5_000])
def test_rows_come_back_by_key_in_their_order(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_rows, "MOST_ROWS", most)
    held = HeldRows()
    for key, view in (("b", "LAT"), ("a", "PA"), ("b", "AP"), ("c", ["x", 1]), ("b", "PA")):
        held.add(key, {"view": view})
    assert list(held) == ["b", "a", "c"]
    assert [row["view"] for row in held.get("b")] == ["LAT", "AP", "PA"]
    assert held.get("c") == [{"view": ["x", 1]}] and held.get("none") == []
    held.order_by(lambda row: row["view"] == "LAT")
    assert [row["view"] for row in held.get("b")] == ["AP", "PA", "LAT"]


def test_a_join_is_the_same_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 12
    names = [(n, view, f"{n}_{view}.png") for n in range(count) for view in ("Lateral", "Frontal")]
    reports = "".join(f'{n},"Lungs are clear, number {n}.",Normal chest.\n' for n in range(count))
    files: dict[str, bytes | str] = {f"images/{name}": drawn_png(at) for at, (_, _, name) in enumerate(names)}
    files["projections.csv"] = "uid,filename,projection\n" + "".join(f"{n},{f},{v}\n" for n, v, f in names)
    files["reports.csv"] = "uid,findings,impression\n" + reports
    folder = write_files(tmp_path / "in", files)
    in_memory = list(open_source(ImportSettings(source=str(folder))))
    monkeypatch.setattr(held_rows, "MOST_ROWS", 3)
    in_a_file = list(open_source(ImportSettings(source=str(folder))))
    assert in_a_file == in_memory and len(in_memory) == count
    assert all([image.role for image in case.images] == ["Frontal", "Lateral"] for case in in_memory)
