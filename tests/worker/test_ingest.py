"""The import job: every format in, every trouble as a row, interrupted and repeated without a difference."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from radtui.paths import DataDir
from radtui.records import Case, Job, NewCase, NewCaseImage, Problem, StopRequest, Truth, UserError
from radtui.sources.images import read_images
from radtui.store import cases, jobs, metrics
from radtui.store.database import connect
from radtui.worker.importing import examining, ingest, keeping
from radtui.worker.process.reporter import Reporter, Stopped
from tests.conftest import drawn_png, real_data
from tests.unit.source_files import broken, every_kind, mini_rows, write_files, write_parquet
from tests.worker.imports import Import


def given(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[], Iterator[NewCase]], location: str = "given"
) -> None:
    """Let a source be what a test yields."""

    class Given:
        problems: tuple[Problem, ...] = ()

        def __init__(self) -> None:
            self.location = location

        def describe(self) -> str:
            return "given"

        def total(self) -> None:
            return None

        def splits(self) -> set[str]:
            return set()

        def __iter__(self) -> Iterator[NewCase]:
            return found()

    monkeypatch.setattr(ingest, "open_source", lambda settings: Given())


def test_every_format_and_mode_is_kept_unchanged(run: Import, tmp_path: Path) -> None:
    kinds = every_kind()
    write_files(tmp_path / "in", {name: data for name, (data, _) in kinds.items()})
    job = run(tmp_path / "in")
    rows = {row.source_key: row for row in run.rows()}
    assert {name: (r.first.width_px, r.first.height_px, r.first.mode) for name, r in rows.items()} == {
        name: facts for name, (_, facts) in kinds.items()
    }
    for name, (data, _) in kinds.items():
        (kept,) = read_images(name, data)  # the file itself, unless a comment had to be taken out
        assert kept.as_found or name == "turned.jpg"
        assert rows[name].first.sha256 == kept.sha256
        assert run.data.blob(kept.sha256).read_bytes() == kept.data
    assert job.result["unreadable"] == 0


def test_broken_files_become_rows_that_say_why(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {**broken(), "whole.png": drawn_png(1)})
    table = "file_name,text\ngone.png,x\n" + "".join(f"{name},x\n" for name in [*broken(), "whole.png"])
    write_files(tmp_path / "in", {"metadata.csv": table})
    job = run(tmp_path / "in")
    rows = {row.source_key: row for row in run.rows()}
    assert rows.keys() == {"gone.png", "whole.png", *broken()}
    assert [name for name, row in rows.items() if not row.error] == ["whole.png"]
    assert "empty" in rows["empty.png"].error and "It is a web page" in rows["page.png"].error
    assert "not in the folder" in rows["gone.png"].error
    assert (rows["gone.png"].images, rows["empty.png"].first.sha256) == ((), "")
    said = "1 image: 1 train, 0 test held out; 6 left out: gone.png (not in the folder), empty.png (the image is empty"
    assert job.message.startswith(said) and job.message.endswith(" and 3 more")
    assert job.result["left_out"] == {name: row.error for name, row in rows.items() if row.error}
    assert job.result["splits"] == {"train": 1}
    assert {k: job.result[k] for k in ("new", "known", "unreadable", "leaked")} == {
        "new": 7, "known": 0, "unreadable": 6, "leaked": 0,
    }  # fmt: skip
    assert len(cases.usable(run.db, "set", "train")) == 1


def test_an_import_without_one_readable_image_fails_and_says_why(run: Import, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a.png": b"x", "b.png": b""})
    with pytest.raises(UserError) as raised:
        run(folder)
    assert str(raised.value).startswith(
        f"No image in {folder} could be read (2 tried); the first, a.png: These bytes"
    )
    assert [row.source_key for row in run.rows() if row.error] == ["a.png", "b.png"]
    write_files(folder, {"a.png": drawn_png(1)})
    said = "1 image: 1 train; 0 with a reference; 1 left out: b.png (the image is empty)"
    assert run(folder, hold_out=0).message == said


def test_a_repeated_import_changes_nothing(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {**broken(), **{f"{n}.png": drawn_png(n) for n in range(5)}})
    run(tmp_path / "in")
    before, blobs = run.rows(), sorted(run.data.root.rglob("images/*/*"))
    times = [blob.stat().st_mtime_ns for blob in blobs]
    job = run(tmp_path / "in")
    assert run.rows() == before
    assert (job.result["new"], job.result["known"]) == (0, len(before))
    assert sorted(run.data.root.rglob("images/*/*")) == blobs
    assert [blob.stat().st_mtime_ns for blob in blobs] == times


def warnings(run: Import, job: Job) -> list[str]:
    return [event.text for event in metrics.events_since(run.db, job.id, 0) if event.kind == "warning"]


@pytest.mark.parametrize("named", [True, False])
def test_a_vanished_file_leaves_its_row_and_is_said(run: Import, tmp_path: Path, named: bool) -> None:
    folder = tmp_path / "in"
    write_files(folder, {f"{n}.png": drawn_png(n) for n in range(3)})
    if named:
        write_files(folder, {"metadata.csv": "file_name,text\n" + "".join(f"{n}.png,x\n" for n in range(3))})
    run(folder)
    before = {row.source_key: row for row in run.rows()}
    kept = (folder / "1.png").read_bytes()
    (folder / "1.png").unlink()
    for _ in range(2):  # what was missing once is missing again, not new
        job = run(folder)
        row = {row.source_key: row for row in run.rows()}["1.png"]
        assert (row.id, row.images, row.error) == (before["1.png"].id, before["1.png"].images, "")
        assert "not" in row.facts["missing"] or "no longer" in row.facts["missing"]
        assert run.data.blob(row.first.sha256).read_bytes() == kept
        assert job.result["missing"] == 1 and job.result["unreadable"] == 0
        assert job.message.endswith("1 missing in the source, kept")
        assert any(text.startswith("1.png is missing in ") for text in warnings(run, job))
    assert "missing" not in {row.source_key: row for row in run.rows()}["0.png"].facts
    (folder / "1.png").write_bytes(kept)
    job = run(folder)
    assert {row.source_key: row for row in run.rows()} == before and not job.result["missing"]


def test_a_file_that_became_unreadable_keeps_the_image_that_was_there(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"0.png": drawn_png(0), "1.png": drawn_png(1)})
    run(tmp_path / "in")
    before = {row.source_key: row.first.sha256 for row in run.rows()}
    (tmp_path / "in" / "0.png").write_bytes(drawn_png(0)[:40])
    run(tmp_path / "in")
    assert {row.source_key: row.first.sha256 for row in run.rows(unreadable=False)} == before


def test_a_limited_import_calls_nothing_missing(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {f"{n}.png": drawn_png(n) for n in range(3)})
    run(tmp_path / "in")
    job = run(tmp_path / "in", limit=1)
    assert job.result["missing"] == 0 and not any("missing" in row.facts for row in run.rows())


def test_a_stopped_import_keeps_what_is_in_and_a_repeated_one_adds_the_rest(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mini_rows(30)
    rows[29]["image"] = rows[0]["image"]
    write_parquet(tmp_path / "in" / "train.parquet", rows[:20])
    write_parquet(tmp_path / "in" / "test.parquet", rows[20:])
    monkeypatch.setattr(ingest, "BATCH_ROWS", 4)

    class StopsAt(Reporter):
        def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
            if step == 8:
                self.db.execute("UPDATE jobs SET stop_requested = 'checkpoint' WHERE id = ?", (self.job_id,))
            return super().progress(step, total, message)

    job = run.job(tmp_path / "in")
    with pytest.raises(Stopped):
        ingest.run(job, run.data, run.db, StopsAt(run.db, job.id))
    stopped = jobs.must_get(run.db, job.id)
    first = run.rows()
    assert len(first) == 8
    assert stopped.message == "Stopped after 8 images: 8 train; import again for the rest"
    assert stopped.result["new"] == 8

    done = run(tmp_path / "in")
    assert (done.result["new"], done.result["known"]) == (22, 8)
    assert (done.step, done.total_steps) == (30, 30)
    assert done.message == "30 images: 20 train, 10 test; 2 in both splits"
    assert run.rows()[1:8] == first[1:]

    other = DataDir(tmp_path / "other")
    with closing(connect(other, create=True)) as db:
        whole = Import(other, db)
        whole(tmp_path / "in")
        at_once = whole.rows()

    def values(rows: list[Case]) -> list[tuple[object, ...]]:
        return [(r.split, r.position, r.source_key, r.images, r.reference, r.facts, r.leaked) for r in rows]

    assert values(run.rows()) == values(at_once)


def test_the_same_bytes_in_two_splits_are_marked_and_reported(run: Import, tmp_path: Path) -> None:
    same, twice = drawn_png(1), drawn_png(2)
    files = {
        "train/a.png": same, "test/b.png": same, "train/c.png": twice, "train/d.png": twice,
        "train/empty.png": b"", "test/empty.png": b"", "train/bad.png": b"x", "test/bad.png": b"x",
    }  # fmt: skip
    job = run(write_files(tmp_path / "in", files))
    assert {row.source_key for row in run.rows(leaked=True)} == {"train/a.png", "test/b.png"}
    assert "; 4 left out: " in job.message and job.message.endswith("; 2 in both splits")
    (event,) = metrics.events_since(run.db, job.id, 0)
    assert event.kind == "warning" and "2 images are in more than one split" in event.text


def test_equal_keys_in_a_split_become_unique_in_the_same_way_every_time(run: Import, tmp_path: Path) -> None:
    files = {"a.png": drawn_png(1), "metadata.csv": "file_name,text\na.png,one\na.png,two\na.png,three\n"}
    write_files(tmp_path / "in", files)
    run(tmp_path / "in")
    run(tmp_path / "in")
    assert [(row.source_key, row.reference) for row in run.rows()] == [
        ("a.png", "one"), ("a.png#2", "two"), ("a.png#3", "three"),
    ]  # fmt: skip


def test_another_source_does_not_replace_images_that_are_there(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "one", {"a.png": drawn_png(1)})
    write_files(tmp_path / "two", {"b.png": drawn_png(2), "a.png": drawn_png(3)})
    write_files(tmp_path / "three", {"a.png": drawn_png(1), "test/a.png": drawn_png(4)})
    run(tmp_path / "one")
    before = run.rows()
    with pytest.raises(UserError, match=r"set already has another a\.png in train, from another source"):
        run(tmp_path / "two")
    assert run.rows()[: len(before)] == before
    assert run(tmp_path / "three").result["new"] == 1


def test_changed_references_and_truths_are_refreshed(run: Import, tmp_path: Path) -> None:
    folder = write_files(
        tmp_path, {"a.png": drawn_png(1), "metadata.csv": "file_name,text,finding\na.png,x,mass\n"}
    )
    run(folder)
    write_files(folder, {"metadata.csv": "file_name,text,finding\na.png,y,nodule\n"})
    run(folder)
    (row,) = run.rows()
    assert (row.reference, row.truth) == ("y", (Truth("nodule"),))
    assert run.rows(search="y") and not run.rows(search="x")


def test_text_that_sqlite_refuses_is_cleaned(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsdecode(b"caf\xe9.png")  # a file name in Latin-1 on a UTF-8 system
    truth = (Truth("mass\0"),)
    image = NewCaseImage(drawn_png(1), odd, "lateral\0", "frame\ud800")
    item = NewCase(
        "train",
        odd,
        (image,),
        "a\0b \ud83d",
        "Where\0?",
        "chest\udc00",
        facts={"k\ud800": "v\0"},
        truth=truth,
    )
    given(monkeypatch, lambda: iter([item]))
    run("given")
    (row,) = run.rows()
    assert (row.source_key, row.reference, row.examination) == ("caf?.png", "ab ?", "chest?")
    assert (row.facts, row.truth, row.question) == ({"k?": "v"}, (Truth("mass"),), "Where?")
    assert (row.first.name, row.first.role, row.first.note) == ("caf?.png", "lateral", "frame?")


def test_a_case_keeps_all_its_images_in_order_and_is_readable_while_one_is(
    run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    def images(*contents: bytes) -> tuple[NewCaseImage, ...]:
        roles = ("frontal", "lateral", "prior")
        return tuple(NewCaseImage(data, f"{n}.png", roles[n]) for n, data in enumerate(contents))

    listed = [
        NewCase("train", "both", images(drawn_png(1), drawn_png(2)), "Clear.", "Is there a nodule?"),
        NewCase("train", "second", images(b"no image", drawn_png(3), b"")),
        NewCase("train", "neither", images(b"x", b"")),
        NewCase("test", "again", images(drawn_png(2))),
    ]
    given(monkeypatch, lambda: iter(listed))
    for _ in range(2):  # what was imported once is found again
        job = run("given")
        rows = {row.source_key: row for row in run.rows()}
        both = rows["both"]
        assert [(image.role, image.sha256) for image in both.images] == [
            (role, hashlib.sha256(drawn_png(n)).hexdigest()) for role, n in (("frontal", 1), ("lateral", 2))
        ]
        assert (both.question, both.error) == ("Is there a nodule?", "")
        second = rows["second"]
        assert second.error == "" and [(image.role, image.error) for image in second.images] == [
            ("lateral", "")
        ]
        assert {"0.png", "2.png"} <= {problem.where for problem in cases.problems(run.db, job.id)}
        assert "not an image" in rows["neither"].error
        assert {key for key, row in rows.items() if row.leaked} == {"both", "again"}
        assert job.message.startswith("3 cases: 2 train, 1 test; 1 left out: neither")


def test_few_images_are_in_memory_at_once(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead: list[int] = []
    size = 2**20

    def found() -> Iterator[NewCase]:
        for n in range(64):
            ahead.append(n - len(run.rows()))
            yield NewCase("train", str(n), (NewCaseImage(n.to_bytes(4, "big") + bytes(size)),))

    monkeypatch.setattr(ingest, "BATCH_ROWS", 1)
    monkeypatch.setattr(examining, "MAX_WAITING_BYTES", 4 * size)
    given(monkeypatch, found)
    with pytest.raises(UserError, match="could be read"):
        run("given")
    assert len(ahead) == 64
    assert max(ahead) <= 6


def test_a_slow_source_hears_a_stop(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on, came = threading.Event(), []

    class Slow:
        location = "slow"

        def total(self) -> int:
            came.append(going_on.wait(60))
            return 1

    monkeypatch.setattr(ingest, "open_source", lambda settings: Slow())
    monkeypatch.setattr(ingest, "BATCH_S", 0.05)
    job = run.job("slow")
    run.db.execute("UPDATE jobs SET stop_requested = 'now' WHERE id = ?", (job.id,))
    with pytest.raises(Stopped):
        ingest.run(job, run.data, run.db, Reporter(run.db, job.id))
    assert not came  # it was heard while the source was still thinking
    going_on.set()
    assert jobs.must_get(run.db, job.id).message.startswith("Opening slow")


def test_an_import_that_fails_at_once_leaves_no_data_set(run: Import, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"a.png": drawn_png(1), "metadata.csv": "file_name,text\n"})
    with pytest.raises(UserError, match="has no images"):
        run(tmp_path / "in")
    with pytest.raises(UserError, match="There is no column 'who'"):
        run(tmp_path / "in", text_column="who")
    assert cases.datasets(run.db) == []


def test_a_source_that_breaks_half_way_keeps_what_came(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> Iterator[NewCase]:
        for n in range(20):
            yield NewCase("train", str(n), (NewCaseImage(drawn_png(n, 16)),))
        raise UserError("The rest is damaged.")

    monkeypatch.setattr(ingest, "BATCH_ROWS", 1)
    given(monkeypatch, found)
    job = run.job("given")
    with pytest.raises(UserError, match="The rest is damaged"):
        ingest.run(job, run.data, run.db, Reporter(run.db, job.id))
    # All twenty: the images that were read before the source broke are not its victims.
    assert len(run.rows()) == jobs.must_get(run.db, job.id).result["new"] == 20


def test_a_source_that_goes_away_half_way_fails_and_leaves_no_case_as_unreadable(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "in"
    write_files(place, {f"{n}.png": drawn_png(n, 16) for n in range(60)} | {"broken.png": b"no image"})
    read = examining.read_whole

    def read_until_it_goes(name: str, opened: Callable[[], BinaryIO]) -> tuple[bytes, str]:
        if name == "40.png":
            place.rename(tmp_path / "away")
        return read(name, opened)

    with (
        monkeypatch.context() as patch,
        pytest.raises(UserError, match=r"is not there any more.*import it again"),
    ):
        patch.setattr(examining, "read_whole", read_until_it_goes)
        run(place)
    assert not any(case.error for case in run.rows())
    (tmp_path / "away").rename(place)
    assert run(place).result["unreadable"] == 1 and len(run.rows()) == 61


def test_a_full_disk_is_a_sentence(run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    write_files(tmp_path / "in", {"a.png": drawn_png(1)})
    monkeypatch.setattr(keeping, "_write_all", full)
    with pytest.raises(UserError, match="No space left on device"):
        run(tmp_path / "in")


def test_half_a_blob_of_an_earlier_crash_is_written_again(run: Import, tmp_path: Path) -> None:
    data = drawn_png(1)
    blob = run.data.blob(hashlib.sha256(data).hexdigest())
    blob.parent.mkdir(parents=True)
    blob.write_bytes(data[:100])
    run(write_files(tmp_path / "in", {"a.png": data}))
    assert blob.read_bytes() == data
    assert list(run.data.root.rglob("images/*/.*")) == []


def test_phantoms_come_with_their_truth(run: Import) -> None:
    job = run("phantoms:5:6x3", limit=4)
    assert job.message == "7 images: 4 train, 3 test"
    rows = run.rows()
    assert all(row.reference and row.examination and row.truth and not row.error for row in rows)
    with pytest.raises(UserError, match="write phantoms:SEED"):
        run("phantoms:five")


def test_real_radiographs_as_a_folder_and_as_parquet(run: Import) -> None:
    folder, mini = real_data("real-cxr"), real_data("radiology-mini-shape")
    job = run(folder)
    assert job.message == "18 images: 17 train, 1 test held out"
    assert all(row.reference and row.first.width_px >= 200 and not row.error for row in run.rows())
    other = run(mini, name="mini")
    assert other.message == "18 images: 12 train, 6 test"
    summary = {each.name: each for each in cases.datasets(run.db)}["mini"]
    assert (summary.splits, summary.unreadable, summary.leaked) == ({"train": 12, "test": 6}, 0, 0)
    assert summary.source == str(mini.resolve())


def test_nothing_that_names_a_patient_is_kept(run: Import, tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    from tests.unit.test_sources_dicom import chest_file

    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "one.dcm").write_bytes(chest_file())
    (folder / "cut.dcm").write_bytes(chest_file()[:600])
    run(folder)
    good = [row for row in run.rows() if not row.error]
    assert len(good) == 1 and (good[0].first.width_px, good[0].first.height_px) == (4, 4)
    kept = b"".join(path.read_bytes() for path in run.data.root.rglob("*") if path.is_file())
    for secret in (b"Mustermann", b"PAT-4711", b"19640812", b"20240131", b"ACC99887", b"Elsewhere"):
        assert secret not in kept


def test_a_patient_on_both_sides_is_said_in_the_summary(run: Import, tmp_path: Path) -> None:
    rows = "".join(f"{n}.png,Clear {n}.,{n // 2 + 70},{('train', 'test')[n % 2]}\n" for n in range(4))
    files: dict[str, bytes | str] = {f"{n}.png": drawn_png(n) for n in range(4)}
    write_files(tmp_path / "in", {**files, "t.csv": f"image,report,patient_id,fold\n{rows}"})
    job = run(tmp_path / "in")
    assert job.message == "4 images: 2 train, 2 test; 4 in both splits, of 2 patients there"
    assert all(row.leaked for row in run.rows())
