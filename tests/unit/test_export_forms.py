"""Errors in long form, Parquet, preference folders and manifests: what is in them, what is left out, all or nothing."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow

from radtui import __version__
from radtui.export import manifest
from radtui.export.files import whole_folder
from radtui.export.formats import DEFAULT_NAMES, Exported, Options, write_export
from radtui.measures.statistics import summarise
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, ratings, studies, texts
from radtui.study.preferences import choose
from radtui.study.scheme_file import default_scheme
from radtui.study.study import read_review
from tests import blobs
from tests.conftest import give_arms, new_text
from tests.unit.test_store import rating, study_of

SCHEME = default_scheme()


def write(
    data: DataDir, db: sqlite3.Connection, job: Job, form: str, out: Path, **options: object
) -> Exported:
    """One export of a job."""
    return write_export(data, db, read_review(db, study_of(db, job), SCHEME), form, out, Options(**options))  # type: ignore[arg-type]


@pytest.fixture
def learnt_job(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """Comparisons of twelve training images."""
    ids = add_images(12, split="train")
    job = jobs.create(
        db, JobKind.GENERATE, "train split", "drawn", GenerateSettings(dataset="drawn").to_dict()
    )
    made = give_arms(db, job, "base", "tuned")
    for case_id in ids:
        texts.add(
            db, job.id, [new_text(case_id, arm, f"{name} text {case_id}") for name, arm in made.items()]
        )
    return job


def test_errors_are_the_grid_behind_the_statistics(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    a, b, c = studies.comparison_ids(db, study_of(db, reviewed_job))[:3]
    counted = {"error.base.2.significant": 2, "error.tuned.1.insignificant": 1}
    ratings.add(db, rating(study_of(db, reviewed_job).id, a, 1, answers=counted))
    ratings.add(db, rating(study_of(db, reviewed_job).id, b, 1))
    ratings.add(
        db,
        rating(study_of(db, reviewed_job).id, c, 1, blinded=False, answers={"error.tuned.3.significant": 9}),
    )
    ratings.add(db, rating(study_of(db, reviewed_job).id, a, 1, occasion=1, answers=counted))
    ratings.add(db, rating(study_of(db, reviewed_job).id, a, 1, rater="bob"))  # counts nothing anywhere
    done = write(data, db, reviewed_job, "errors", tmp_path / "errors.csv")
    with done.path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["image_id", "rater", "variant", "category", "category_id", "significant", "n"]
    assert len(rows) == done.rows == 2 * 2 * 7 * 2  # reports, variants, categories, significances
    assert {row["rater"] for row in rows} == {"ann"}
    found = {
        (int(r["image_id"]), r["variant"], r["category_id"], r["significant"]): int(r["n"]) for r in rows
    }
    assert found.pop((a, "base", "2", "1")) == 2 and found.pop((a, "tuned", "1", "0")) == 1
    assert set(found.values()) == {0}
    assert done.left_out == {"repeats": 1, "unblinded": 1}

    summary = summarise(ratings.current(db, study_of(db, reviewed_job).id), SCHEME, "base", "tuned")
    # In the one text that was checked.
    assert summary.errors and summary.errors.earlier.significant.value == 2
    assert write(data, db, reviewed_job, "errors", done.path, include_unblinded=True).rows == 3 * 28


def test_parquet_is_typed_and_holds_the_texts_as_they_are(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    note = "=1\r\0\x1b[1m"
    ratings.add(
        db,
        rating(
            study_of(db, reviewed_job).id, image_id, -2, note=note, answers={"error.base.1.significant": 3}
        ),
    )
    done = write(data, db, reviewed_job, "parquet", tmp_path / "x.parquet")
    table = parquet.read_table(done.path)
    row = table.to_pylist()[0]
    assert done.rows == table.num_rows == 1
    assert (row["preference"], row["note"], row["both_bad"]) == (-2, note, False)
    assert (row["base_sig_1_false_finding"], row["base_sig_2_omission"]) == (3, None)
    assert table.schema.metadata[b"radtui"].decode() == __version__


def test_without_pyarrow_a_sentence_says_so(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="pyarrow"):
        write(data, db, reviewed_job, "parquet", tmp_path / "x.parquet")
    assert list(tmp_path.glob("*.parquet*")) == []


@pytest.mark.parametrize("form", ["csv", "errors", "jsonl", "dpo", "kto"])
def test_a_manifest_names_every_file_with_its_sha256(
    data: DataDir, db: sqlite3.Connection, learnt_job: Job, tmp_path: Path, form: str
) -> None:
    for image_id in studies.comparison_ids(db, study_of(db, learnt_job))[:4]:
        ratings.add(
            db, rating(study_of(db, learnt_job).id, image_id, 2, answers={"error.base.1.significant": 1})
        )
    done = write(data, db, learnt_job, form, tmp_path / DEFAULT_NAMES[form], rater="")
    assert done.manifest == tmp_path / (DEFAULT_NAMES[form] + ".manifest.json")
    told = json.loads(done.manifest.read_text())
    assert (told["radtui"], told["n"], told["job"]["id"]) == (__version__, done.rows, learnt_job.id)
    assert told["scheme"]["sha256"] == SCHEME.sha256 and told["seeds"]["sampling"] == 3407
    for file in told["files"]:
        assert hashlib.sha256((tmp_path / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert len(told["files"]) == (5 if form in ("dpo", "kto") else 1)


def test_only_clear_blind_preferences_outside_the_test_split_are_learnt_from(
    data: DataDir,
    db: sqlite3.Connection,
    learnt_job: Job,
    add_images: Callable[..., list[int]],
    tmp_path: Path,
) -> None:
    ids = studies.comparison_ids(db, study_of(db, learnt_job))
    job = study_of(db, learnt_job).id
    ratings.add(db, rating(job, ids[0], 2))  # the tuned text
    ratings.add(db, rating(job, ids[1], -1))  # the base text
    ratings.add(db, rating(job, ids[2], 0))
    ratings.add(db, rating(job, ids[3], None, both_bad=True))
    ratings.add(db, rating(job, ids[4], None, skipped=True))
    ratings.add(db, rating(job, ids[5], 2, blinded=False))
    ratings.add(db, rating(job, ids[0], -2, occasion=1))
    ratings.add(db, rating(job, ids[6], 2))
    ratings.assign(db, [ratings.Assignment(job, ids[6], "ann", 0, "calibration", "tuned", "base", "0")])
    ratings.add(db, rating(job, ids[7], 2, answers={"error.tuned.1.significant": 1}))
    ratings.add(db, rating(job, ids[8], 2, answers={"error.base.1.significant": 1}))  # in the rejected text
    ratings.add(db, rating(job, ids[9], 1))
    ratings.add(db, rating(job, ids[9], -1, rater="bob"))  # two raters, even
    ratings.add(db, rating(job, ids[10], 2))
    db.execute("UPDATE cases SET leaked = 1 WHERE id = ?", (ids[10],))
    ratings.add(db, rating(job, ids[11], 2))
    db.execute("UPDATE cases SET split = 'Test' WHERE id = ?", (ids[11],))

    done = write(data, db, learnt_job, "dpo", tmp_path / "dpo")
    assert done.left_out == {
        "repeats": 1, "calibration": 1, "skipped": 1, "unblinded": 1, "ties": 2, "both_bad": 1,
        "chosen_with_significant_error": 1, "same_image_in_another_split": 1, "held_out_split": 1,
    }  # fmt: skip
    rows = [json.loads(line) for line in (done.path / "train" / "metadata.jsonl").read_text().splitlines()]
    assert [row["chosen"][0]["content"] for row in rows] == [
        f"tuned text {ids[0]}", f"base text {ids[1]}", f"tuned text {ids[8]}",
    ]  # fmt: skip
    assert [row["rejected"][0]["content"] for row in rows][:2] == [
        f"base text {ids[0]}",
        f"tuned text {ids[1]}",
    ]
    assert rows[0]["prompt"] == [{"role": "user", "content": "Describe."}]
    asked = choose(db, read_review(db, study_of(db, learnt_job), SCHEME), keep_significant_errors=True)
    assert len(asked.pairs) == 4 and "chosen_with_significant_error" not in asked.left_out


def test_images_lie_beside_as_they_are_or_as_the_model_saw_them(
    data: DataDir, db: sqlite3.Connection, learnt_job: Job, tmp_path: Path
) -> None:
    ids = studies.comparison_ids(db, study_of(db, learnt_job))
    deep = io.BytesIO()
    Pillow.linear_gradient("L").convert("I;16").point(lambda v: v * 100).save(deep, "TIFF")
    sha256 = blobs.keep(data, deep.getvalue())
    kept = (sha256, "TIFF", 256, 256, "I;16")
    db.execute("INSERT INTO images (sha256, format, width_px, height_px, mode) VALUES (?, ?, ?, ?, ?)", kept)
    db.execute("UPDATE case_images SET sha256 = ? WHERE case_id = ?", (sha256, ids[1]))
    for image_id in ids[:2]:
        ratings.add(db, rating(study_of(db, learnt_job).id, image_id, 2))
    folder = write(data, db, learnt_job, "kto", tmp_path / "kto").path / "train"
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == [True, False, True, False]
    first = cases.get(db, ids[0])
    assert (
        first and (folder / rows[0]["file_name"]).read_bytes() == data.blob(first.first.sha256).read_bytes()
    )
    with Pillow.open(folder / rows[2]["file_name"]) as seen:
        assert (seen.format, seen.mode, seen.getextrema()[0]) == ("PNG", "RGB", (0, 255))


def test_nothing_to_learn_from_leaves_no_folder(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    ratings.add(
        db,
        rating(study_of(db, reviewed_job).id, studies.comparison_ids(db, study_of(db, reviewed_job))[0], 2),
    )
    with pytest.raises(UserError, match=r"1 in a held-out split.*--split train"):
        write(data, db, reviewed_job, "dpo", tmp_path / "dpo")
    assert not (tmp_path / "dpo").exists()


def test_a_folder_is_whole_or_as_it_was(
    data: DataDir, db: sqlite3.Connection, learnt_job: Job, tmp_path: Path
) -> None:
    first, second = studies.comparison_ids(db, study_of(db, learnt_job))[:2]
    ratings.add(db, rating(study_of(db, learnt_job).id, first, 2))
    out = tmp_path / "out" / "dpo"
    out.parent.mkdir()
    write(data, db, learnt_job, "dpo", out)
    before = (out / "train" / "metadata.jsonl").read_bytes()
    gone = cases.get(db, second)
    assert gone
    data.blob(gone.first.sha256).unlink()
    ratings.add(db, rating(study_of(db, learnt_job).id, second, 2))
    with pytest.raises(UserError, match="import its source again"):
        write(data, db, learnt_job, "dpo", out)
    assert (out / "train" / "metadata.jsonl").read_bytes() == before
    assert {path.name for path in out.parent.iterdir()} == {"dpo", "dpo.manifest.json"}
    (out / "mine.txt").write_text("the user's")
    with pytest.raises(UserError, match="something else"), whole_folder(out, lambda path: False):
        pass
    with pytest.raises(UserError, match="something else"):
        write(data, db, learnt_job, "dpo", out)
    assert (out / "mine.txt").exists()


@pytest.mark.parametrize("form", ["csv", "dpo"])
def test_a_manifest_that_cannot_be_written_leaves_what_was_exported_before(
    data: DataDir,
    db: sqlite3.Connection,
    learnt_job: Job,
    tmp_path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}

    first, second = studies.comparison_ids(db, study_of(db, learnt_job))[:2]
    ratings.add(db, rating(study_of(db, learnt_job).id, first, 2))
    out = tmp_path / "out" / "export"
    out.parent.mkdir()
    write(data, db, learnt_job, form, out)
    before = contents()
    ratings.add(db, rating(study_of(db, learnt_job).id, second, 2))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(manifest, "_file", full)
    with pytest.raises(UserError, match=r"Cannot write .*export.manifest.json: No space left on device"):
        write(data, db, learnt_job, form, out)
    assert contents() == before
    monkeypatch.undo()
    write(data, db, learnt_job, form, out)
    assert contents().keys() >= {str(out.with_name("export.manifest.json"))} and contents() != before
