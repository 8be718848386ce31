"""What an import holds out: a share of images without splits, the same ones every time, and never both of a pair."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from radtui.jobs.submit import resolved_train
from radtui.paths import DataDir
from radtui.records import Case, StopRequest, UserError
from radtui.settings import TrainSettings
from radtui.store.database import connect
from radtui.worker.importing import ingest
from radtui.worker.importing.hold_out import held_out
from radtui.worker.importing.tally import LISTED
from radtui.worker.process.reporter import Reporter, Stopped
from tests.conftest import drawn_png
from tests.unit.source_files import mini_rows, write_files, write_parquet
from tests.worker.imports import Import

IMAGES = 60


def drawn(first: int, last: int) -> dict[str, bytes | str]:
    return {f"{n:02}.png": drawn_png(n, 16) for n in range(first, last)}


def table(files: Mapping[str, bytes | str]) -> dict[str, bytes | str]:
    return {**files, "captions.csv": "image,caption\n" + "".join(f"{name},x\n" for name in files)}


def sha256(data: bytes | str) -> str:
    assert isinstance(data, bytes)
    return hashlib.sha256(data).hexdigest()


def splits(rows: list[Case]) -> dict[str, str]:
    return {row.source_key: row.split for row in rows}


def test_a_share_of_the_hashes_is_held_out_and_a_larger_share_holds_them_too() -> None:
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(5000)]
    ten, thirty = ({one for one in hashes if held_out(one, percent)} for percent in (10, 30))
    assert 400 < len(ten) < 600 and 1350 < len(thirty) < 1650
    assert ten < thirty
    assert not any(held_out(one, 0) for one in ["0" * 64, *hashes])


def test_a_folder_without_splits_gets_a_test_split_by_its_bytes(run: Import, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", table(drawn(0, IMAGES)))
    job = run(folder)
    dealt = splits(run.rows())
    test = sorted(name for name, split in dealt.items() if split == "test")
    assert 0 < len(test) < IMAGES // 4 and set(dealt.values()) == {"train", "test"}
    assert job.message == f"60 images: {IMAGES - len(test)} train, {len(test)} test held out"
    renamed = write_files(
        tmp_path / "other", table({f"x{k}": v for k, v in reversed(drawn(0, IMAGES).items())})
    )
    run(renamed, name="other")
    other = run.db.execute("SELECT source_key, split FROM cases WHERE dataset = 'other'").fetchall()
    assert {row[0].removeprefix("x"): row[1] for row in other} == dealt


def test_of_a_few_images_one_is_held_out_and_stays_so(run: Import, tmp_path: Path) -> None:
    files = {name: data for name, data in drawn(0, IMAGES).items() if not held_out(sha256(data), 10)}
    few = dict(list(files.items())[:4])
    lowest = min(few, key=lambda name: sha256(few[name]))
    folder = write_files(tmp_path / "in", table({**few, f"again-{lowest}": few[lowest]}))
    assert run(folder).message == "5 images: 3 train, 2 test held out"
    dealt = splits(run.rows())
    assert {name for name, split in dealt.items() if split == "test"} == {lowest, f"again-{lowest}"}
    write_files(folder, table(files))
    assert run(folder).result["splits"] == {"train": len(files) - 1, "test": 1}
    assert all(splits(run.rows())[name] == split for name, split in dealt.items())
    assert not run.rows(leaked=True)
    assert run(write_files(tmp_path / "one", table({"a.png": drawn_png(1)})), name="one").message == (
        "1 image: 1 train, 0 test held out"
    )


def test_equal_images_are_never_on_both_sides(run: Import, tmp_path: Path) -> None:
    files = drawn(0, IMAGES)
    run(write_files(tmp_path / "in", table(files | {f"again-{name}": data for name, data in files.items()})))
    assert set(splits(run.rows()).values()) == {"train", "test"}
    assert not run.rows(leaked=True)


def test_more_images_later_and_another_share_move_none(run: Import, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", table(drawn(0, 40)))
    run(folder)
    before = splits(run.rows())
    write_files(folder, table(drawn(0, IMAGES)))
    job = run(folder, hold_out=50)
    after = splits(run.rows())
    assert {name: after[name] for name in before} == before
    new = [split for name, split in after.items() if name not in before]
    assert len(new) == 20 and new.count("test") > 4
    assert (job.result["new"], job.result["missing"], job.result["leaked"]) == (20, 0, 0)
    assert splits(run.rows()) == after and run(folder, hold_out=0).result["new"] == 0


def test_a_stopped_import_goes_on_as_if_at_once(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "in", table(drawn(0, IMAGES)))
    monkeypatch.setattr(ingest, "BATCH_ROWS", 4)

    class StopsAt(Reporter):
        def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
            if step >= 24:
                self.db.execute("UPDATE jobs SET stop_requested = 'checkpoint' WHERE id = ?", (self.job_id,))
            return super().progress(step, total, message)

    job = run.job(folder)
    with pytest.raises(Stopped):
        ingest.run(job, run.data, run.db, StopsAt(run.db, job.id))
    assert len(run.rows()) == 24
    run(folder)
    run(folder, name="at once")
    sql = "SELECT split, position, source_key FROM cases WHERE dataset = ? ORDER BY 1, 2"
    assert [list(map(tuple, run.db.execute(sql, (name,)))) for name in ("set", "at once")].count(
        list(map(tuple, run.db.execute(sql, ("at once",))))
    ) == 2


def test_a_source_with_splits_of_its_own_is_untouched(run: Import, tmp_path: Path) -> None:
    files = drawn(0, IMAGES)
    write_files(
        tmp_path / "in",
        {f"{'val' if n < 5 else 'train'}/{name}": files[name] for n, name in enumerate(files)},
    )
    assert run(tmp_path / "in").message.startswith("60 images: 55 train, 5 validation; ")
    assert run(tmp_path / "in", name="all held", split="test").message.startswith("60 images: ")
    rows = [row | {"split": "test" if n < 9 else "train"} for n, row in enumerate(mini_rows(IMAGES))]
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_parquet(tmp_path / "one" / "rows.parquet", mini_rows(IMAGES))
    kept = pq.read_table(tmp_path / "one" / "rows.parquet")
    pq.write_table(
        kept.append_column("split", pa.array([row["split"] for row in rows])), tmp_path / "own.parquet"
    )
    assert run(tmp_path / "own.parquet", name="own").message == "60 images: 51 train, 9 test"
    held = run(tmp_path / "one", name="one").message
    assert held.startswith("60 images: 5") and held.endswith("test held out")


def test_what_has_no_split_to_evaluate_on_is_refused_with_both_ways_out(run: Import, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", table(drawn(0, 8)))
    run(folder, hold_out=0)
    asked = TrainSettings(model="org/model", dataset="set")
    with pytest.raises(
        UserError, match=r"there is train\. Choose .*--eval-split NAME, '' for none\), or .*--hold-out 10"
    ):
        resolved_train(run.data, run.db, asked)
    assert resolved_train(run.data, run.db, replace(asked, eval_split="")).dataset == "set"
    assert run(folder, name="other").result["splits"]["test"]
    assert resolved_train(run.data, run.db, replace(asked, dataset="other")).eval_split == "test"
    with pytest.raises(UserError, match=r"Choose train_split \(--train-split NAME\)\.$"):
        resolved_train(run.data, run.db, replace(asked, train_split="dev"))


def test_a_known_image_that_became_unreadable_stays_in_its_split(run: Import, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", table(drawn(0, IMAGES)))
    run(folder)
    before = splits(run.rows())
    name = next(name for name, split in before.items() if split == "test")
    (folder / name).write_bytes(b"")
    job = run(folder)
    assert splits(run.rows()) == before and job.result["missing"] == 1 and not run.rows(unreadable=True)


def test_many_files_left_out_are_counted_and_the_first_of_them_listed(
    run: Import, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"ghost{n}.png" for n in range(LISTED + 4)]
    csv = "file_name,text\na.png,x\n" + "".join(f"{name},x\n" for name in names)
    with caplog.at_level(logging.INFO, "radtui.worker"):
        job = run(write_files(tmp_path / "in", {"a.png": drawn_png(1), "metadata.csv": csv}), hold_out=0)
    assert job.message == (
        "1 image: 1 train; 24 left out: ghost0.png (not in the folder), ghost1.png (not in the folder),"
        " ghost2.png (not in the folder) and 21 more"
    )
    told = [text for text in caplog.messages if text.startswith("left out: ")]
    assert len(told) == LISTED + 1
    assert told[0] == "left out: ghost0.png: ghost0.png is named in metadata.csv but is not in the folder."
    assert told[-1].startswith("left out: and 4 more")
    assert list(job.result["left_out"]) == names[:LISTED] and job.result["unreadable"] == 24


def people(files: Mapping[str, bytes | str], column: str) -> dict[str, bytes | str]:
    rows = "".join(f"{name},x,k{n // 3}\n" for n, name in enumerate(files))
    return {**files, "captions.csv": f"image,caption,{column}\n" + rows}


@pytest.mark.parametrize("column", ["patient_id", "study_id"])
def test_a_patient_or_an_exam_is_on_one_side(run: Import, tmp_path: Path, column: str) -> None:
    run(write_files(tmp_path / "in", people(drawn(0, IMAGES), column)), hold_out=30)
    dealt = splits(run.rows())
    of_group: dict[int, set[str]] = {}
    for n, name in enumerate(sorted(dealt)):
        of_group.setdefault(n // 3, set()).add(dealt[name])
    assert all(len(sides) == 1 for sides in of_group.values())
    assert set(dealt.values()) == {"train", "test"}


def test_patients_are_held_out_alike_with_the_same_salt_and_otherwise_without(
    run: Import, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "in", people(drawn(0, IMAGES), "patient_id"))
    run(folder, hold_out=30)
    here = splits(run.rows())
    sides = []
    for name, salt_file in (("same", str(run.data.root / "salt")), ("other", "")):
        data = DataDir(tmp_path / name).create()
        db = connect(data)
        there = Import(data, db)
        there(folder, hold_out=30, salt_file=salt_file)
        sides.append(splits(there.rows()))
        db.close()
    assert sides[0] == here
    assert sides[1] != here


def test_a_patient_in_two_given_splits_is_marked_and_said(run: Import, tmp_path: Path) -> None:
    table = "image,caption,patient_id,split\n00.png,x,7,train\n01.png,x,7,test\n02.png,x,8,test\n"
    job = run(write_files(tmp_path / "in", {**drawn(0, 3), "captions.csv": table}))
    assert {row.source_key for row in run.rows() if row.leaked} == {"00.png", "01.png"}
    assert job.result["patients_in_splits"] == 1
