"""Deleting jobs: what hangs on one stays, and what is lost is said before."""

import fcntl

import pytest

from radtui.jobs.removal import bytes_text, plan_removal, remove
from radtui.records import JobKind, JobState, UserError
from radtui.settings import TrainSettings
from radtui.store import job_removal, jobs, studies
from radtui.store.cases import datasets
from tests.commands import invoked
from tests.tui.seeding import add_images, add_train


def with_files(data, job):
    """The folder of a training job as a worker leaves it."""
    folder = data.job(job.id)
    (data.checkpoints(job.id) / "checkpoint-100").mkdir(parents=True)
    (data.checkpoints(job.id) / "checkpoint-100" / "weights").write_bytes(b"0" * 5000)
    data.adapter(job.id).mkdir()
    (data.adapter(job.id) / "adapter_config.json").write_text("{}")
    data.log(job.id).write_text("said\n")
    return folder


@pytest.fixture
def failed(data, db):
    add_images(data, db)
    job = add_train(db, steps=50, state=JobState.FAILED, error="Out of memory.")
    with_files(data, job)
    return job


def test_a_job_on_which_nothing_hangs_goes_with_all_its_rows_and_files(data, db, failed):
    planned = plan_removal(data, db, failed.id)
    assert planned.whole and planned.freed_bytes == 5000 + 2 + 5
    assert planned.goes[:3] == ("the adapter that it has learnt", "1 checkpoint", "its log")
    assert any("points of its curves" in what for what in planned.goes) and "4 watched texts" in planned.goes
    assert jobs.get(db, failed.id) is not None, "a plan changes nothing"
    remove(data, db, planned)
    assert jobs.get(db, failed.id) is None and not data.job(failed.id).exists()
    for table in job_removal.OWN_TABLES:
        assert db.execute(f"SELECT count(*) FROM {table} WHERE job_id = ?", (failed.id,)).fetchone()[0] == 0
    assert list((data.root / "jobs").iterdir()) == [], "nothing is left aside"
    assert datasets(db)[0].splits == {"train": 12, "test": 4}
    assert jobs.create(db, JobKind.IMPORT, "x", "x", {}).id > failed.id, "its number is not given again"
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_job_at_work_is_not_deleted(data, db):
    add_images(data, db)
    job = add_train(db, steps=5)
    with pytest.raises(UserError, match="stop it first"):
        plan_removal(data, db, job.id)
    jobs.end(db, job.id, JobState.DONE)
    data.job(job.id).mkdir(parents=True)
    with data.lock(job.id).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="at work"):
            plan_removal(data, db, job.id)


def test_texts_and_the_jobs_behind_them_stay(data, db, reviewed_job):
    train = jobs.must_get(db, reviewed_job.parent_job_id)
    folder = with_files(data, train)
    planned = plan_removal(data, db, train.id)
    assert not planned.whole and "#2 comes from it" in planned.stays
    assert planned.goes == ("1 checkpoint", "its log")
    remove(data, db, planned)
    kept = jobs.must_get(db, train.id)
    assert kept.archived and kept.result["deleted"] == ["1 checkpoint", "its log"]
    assert (folder / "adapter" / "adapter_config.json").exists() and not (folder / "checkpoints").exists()
    with pytest.raises(
        UserError, match=r"Nothing of job 2 can be deleted: it wrote 12 texts.*It can be archived"
    ):
        plan_removal(data, db, reviewed_job.id)


def test_rated_texts_are_named_as_the_reason(data, db, reviewed_job):
    study = studies.of_job(db, reviewed_job.id)
    case_id = db.execute("SELECT case_id FROM arm_texts").fetchone()[0]
    db.execute(
        "INSERT INTO ratings (study_id, case_id, rater, occasion, scheme, scheme_hash, earlier_arm, later_arm,"
        " later_left, both_bad, answers, note, flagged, skipped, blinded, active_s, wall_s, rated_at)"
        " VALUES (?, ?, 'anna', 0, 's', 'h', 'base', 'tuned', 0, 0, '{}', '', 0, 0, 1, 1, 1, 1)",
        (study.id, case_id),
    )
    data.job(reviewed_job.id).mkdir(parents=True)
    data.log(reviewed_job.id).write_text("said\n")
    planned = plan_removal(data, db, reviewed_job.id)
    assert not planned.whole and "1 rating is of its texts" in planned.stays
    before = db.execute("SELECT count(*) FROM texts").fetchone()[0]
    remove(data, db, planned)
    assert db.execute("SELECT count(*) FROM texts").fetchone()[0] == before
    assert db.execute("SELECT count(*) FROM ratings").fetchone()[0] == 1


def test_a_job_that_was_taken_up_meanwhile_is_left(data, db, failed):
    planned = plan_removal(data, db, failed.id)
    jobs.create(db, JobKind.TRAIN, "from it", "chests", TrainSettings().to_dict(), parent_job_id=failed.id)
    with pytest.raises(UserError, match="has changed meanwhile"):
        remove(data, db, planned)
    assert data.adapter(failed.id).exists() and jobs.get(db, failed.id) is not None


def test_what_an_earlier_deletion_left_goes_with_the_next(data, db, failed):
    left = data.root / "jobs" / ".deleted" / "1-0-0009"
    left.mkdir(parents=True)
    (left / "weights").write_bytes(b"0")
    remove(data, db, plan_removal(data, db, failed.id))
    assert not left.exists()


def test_the_command_line_asks_once_and_says_what_goes(data, db, failed):
    told = invoked(data, "jobs", "delete", "1", answer="n\n")
    assert told.exit_code == 1 and "Frees 5.0 kB" in told.stderr and "1 checkpoint" in told.stderr
    assert jobs.get(db, 1) is not None
    assert invoked(data, "jobs", "delete", "#1", "--dry-run").exit_code == 0 and jobs.get(db, 1) is not None
    assert invoked(data, "jobs", "delete", "1", "--json").exit_code == 2
    assert invoked(data, "jobs", "delete", "1", "--yes", "--json").exit_code == 0 and jobs.get(db, 1) is None


def test_names_notes_and_the_archive_are_kept(data, db, failed):
    assert invoked(data, "jobs", "rename", "#1", "rank 32").exit_code == 0
    assert invoked(data, "jobs", "note", "1", "too large").exit_code == 0
    assert invoked(data, "jobs", "note", "1").stdout == "too large\n"
    assert invoked(data, "jobs", "archive", "1").exit_code == 0
    job = jobs.must_get(db, 1)
    assert (job.name, job.note, job.archived) == ("rank 32", "too large", True)
    assert "rank 32" not in invoked(data, "jobs", "list").stdout
    assert "rank 32 ·" in invoked(data, "jobs", "list", "--archived").stdout
    assert (
        invoked(data, "jobs", "archive", "--back", "1").exit_code == 0
        and "rank 32" in invoked(data, "jobs", "list").stdout
    )
    for wrong in (["rename", "1", " "], ["rename", "x", "y"], ["archive"]):
        assert invoked(data, "jobs", *wrong).exit_code == 2
    assert "no job 9" in str(invoked(data, "jobs", "note", "9", "x").exception)


@pytest.mark.parametrize(("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (99_600, "100 kB"),
                                             (2_340_000_000, "2.3 GB")])  # fmt: skip
def test_bytes_are_told_as_people_read_them(count, text):
    assert bytes_text(count) == text
