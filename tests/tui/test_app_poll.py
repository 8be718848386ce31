"""The poller: what a look brings, behind cursors, with a clock of the test's own."""

from dataclasses import replace
from functools import partial

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState, UserError
from radtui.store import jobs, metrics
from radtui.tui import poll
from radtui.tui.app import RadtuiApp
from radtui.tui.messages import Tick
from radtui.tui.poll import Poller
from radtui.tui.snapshot import Snapshot
from tests.tui.seeding import add_images, add_train, add_watched


class Clock:
    now_s = 1_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def poller(data, clock):
    return Poller(data, lambda snapshot: None, clock)


def test_a_follower_gets_each_row_once(data, db, poller):
    add_images(data, db)
    job = add_train(db, steps=50)
    poller.follow("a", job.id, metrics=True, descriptions=True)
    first = poller.poll_once().news["a"]
    assert first.first and len(first.metrics["loss"]) == 50 and len(first.events) == 1
    assert {d.step for d in first.descriptions} == {0, 40}
    assert "a" not in poller.poll_once().news
    metrics.log_step(db, job.id, 51, 300, 0.5, 20.0, {"loss": float("nan")})
    news = poller.poll_once().news["a"]
    assert not news.first and [(m.step, m.value) for m in news.metrics["loss"]] == [(51, None)]


def test_a_long_history_comes_in_chunks(data, db, poller, monkeypatch):
    monkeypatch.setattr(poll, "CHUNK", 100)
    job = add_train(db, steps=60)  # 4 series and 1 evaluation
    poller.follow("a", job.id, metrics=True)
    chunks = []
    while not chunks or chunks[-1].more:
        chunks.append(poller.poll_once().news["a"])
    assert [chunk.first for chunk in chunks] == [True, False, False]
    assert [m.step for chunk in chunks for m in chunk.metrics["loss"]] == list(range(1, 61))


def test_steps_repeated_after_a_resume_are_read_again(data, db, poller):
    add_images(data, db)
    job = add_train(db, steps=50)
    poller.follow("a", job.id, metrics=True, descriptions=True)
    poller.poll_once()
    metrics.drop_after(db, job.id, 30)
    metrics.add_event(db, job.id, 30, 0.0, "resume")
    for step in (31, 32):
        metrics.log_step(db, job.id, step, 300, 0.3, 1.0, {"loss": 2.0})
    add_watched(db, job, [40])
    news = poller.poll_once().news["a"]
    assert [m.step for m in news.metrics["loss"]] == [31, 32]
    assert [e.kind for e in news.events] == ["resume"] and {d.step for d in news.descriptions} == {40}


def test_following_another_job_begins_at_its_first_row(db, poller):
    one, two = add_train(db, steps=5), add_train(db, steps=7)
    poller.follow("a", one.id, metrics=True)
    poller.poll_once()
    poller.follow("a", two.id, metrics=True)
    news = poller.poll_once().news["a"]
    assert news.job.id == two.id and news.first and len(news.metrics["loss"]) == 7


def test_rate_and_time_left_come_from_the_steps_seen(db, poller, clock):
    job = jobs.create(db, JobKind.IMPORT, "x", "x", {})
    jobs.begin(db, job.id, 1)
    for second in range(6):
        clock.now_s = 1_000.0 + second
        jobs.progress(db, job.id, 10 * second, 110)
        progress = poller.poll_once().progress(job.id)
    assert progress.per_s == pytest.approx(10.0)
    assert progress.left_s == pytest.approx(6.0)
    clock.now_s += 4  # nothing new for four seconds: the time left goes on falling
    assert poller.poll_once().progress(job.id).left_s == pytest.approx(2.0)
    clock.now_s += 4  # it should be over by now: nobody knows when it will be
    assert poller.poll_once().progress(job.id).left_s is None


def test_a_training_job_s_rate_is_known_at_the_first_look(db, poller, clock):
    job = add_train(db, steps=50)
    clock.now_s = jobs.must_get(db, job.id).heartbeat_at
    progress = poller.poll_once().progress(job.id)
    assert progress.per_s == pytest.approx(2.5, rel=0.05) and progress.left_s == pytest.approx(100, rel=0.1)


def test_steps_of_an_earlier_attempt_give_no_rate(db, clock, data):
    job = add_train(db, steps=50, state=JobState.STOPPED)
    metrics.add_event(db, job.id, 50, 20.0, "resume")
    jobs.begin(db, job.id, 1)
    clock.now_s = jobs.must_get(db, job.id).heartbeat_at
    looks = Poller(data, lambda snapshot: None, clock)
    assert looks.poll_once().progress(job.id).per_s is None


def test_a_job_that_is_resumed_before_one_s_eyes_begins_a_pace_of_its_own(db, poller, clock):
    job = add_train(db, steps=50, state=JobState.STOPPED)
    poller.poll_once()
    jobs.restart(db, job.id)
    jobs.begin(db, job.id, 1)
    clock.now_s = jobs.must_get(db, job.id).heartbeat_at
    assert poller.poll_once().progress(job.id).per_s is None
    clock.now_s += 30  # it loads
    for step in range(51, 57):
        metrics.log_step(db, job.id, step, 300, 0.5, 20.0, {"loss": 1.0})
        clock.now_s += 2
        progress = poller.poll_once().progress(job.id)
    assert progress.left_s == pytest.approx(488)


def test_the_header_s_job_is_the_running_one(db, poller):
    train = add_train(db, steps=5)
    jobs.create(db, JobKind.GENERATE, "x", "x", {}, after_job_id=train.id)
    snapshot = poller.poll_once()
    assert snapshot.main.job.id == train.id and len(snapshot.live) == 2
    jobs.end(db, train.id, JobState.DONE)
    snapshot = poller.poll_once()
    assert snapshot.main.job.state is JobState.QUEUED
    assert snapshot.jobs[-1].state is JobState.DONE


def test_the_log_s_tail_comes_when_the_file_changes(data, db, poller):
    job = add_train(db, steps=1)
    poller.follow("a", job.id, log_lines=2)
    assert poller.poll_once().news["a"].log == ()
    data.job(job.id).mkdir(parents=True)
    data.log(job.id).write_text("one\ntwo\nthree\n")
    assert poller.poll_once().news["a"].log == ("two", "three")
    assert "a" not in poller.poll_once().news


def test_a_clock_that_is_set_back_stops_no_look_at_the_jobs(data, db, clock):
    looked = []
    poller = Poller(data, lambda snapshot: None, clock, reconcile=lambda *_: looked.append(clock.now_s))
    add_train(db, steps=5)
    clock.now_s = 100_000.0
    assert len(poller.poll_once().jobs) == 1
    clock.now_s = 100_000.0 - 86_400
    add_train(db, steps=7)
    assert len(poller.poll_once().jobs) == 2 and len(looked) == 2


def test_a_database_that_a_newer_radtui_has_migrated_is_trouble_in_a_sentence(data, db, poller):
    add_train(db, steps=5)
    poller.poll_once()
    db.execute("ALTER TABLE jobs ADD COLUMN colour TEXT")
    db.execute("PRAGMA user_version=7")
    assert "newer radtui" in poller.poll_once().trouble


def test_a_folder_that_is_no_folder_is_trouble_not_an_exception(tmp_path):
    (tmp_path / "file").write_text("x")
    snapshot = Poller(DataDir(tmp_path / "file"), lambda snapshot: None).poll_once()
    assert "Cannot" in snapshot.trouble


async def test_a_snapshot_that_comes_after_the_screens_are_gone_ends_nothing(data, db):
    app = RadtuiApp(data, "ana", "jobs", live=False)
    job = replace(add_train(db, steps=1), state=JobState.RUNNING)
    async with app.run_test() as pilot:
        app._post_snapshot(Snapshot(0.0, jobs=(job,)))
        await pilot.pause()
        stacks = {mode: list(stack) for mode, stack in app._screen_stacks.items()}
        for stack in app._screen_stacks.values():
            stack.clear()
        app.on_tick(Tick(Snapshot(1.0, jobs=(replace(job, state=JobState.DONE),))))
        app._screen_stacks.update(stacks)
        assert app.snapshot.at_s == 1.0


async def test_what_only_reads_cannot_write(data, db):
    app = RadtuiApp(data, "ana", "jobs", live=False)
    async with app.run_test():
        add = partial(jobs.create, kind=JobKind.TRAIN, name="one", dataset="drawn", settings={})
        with pytest.raises(UserError, match="readonly database"):
            app.read(add)
        assert app.write(add).name == "one" and len(app.read(jobs.all_jobs)) == 1


def test_a_database_that_was_replaced_between_two_looks_is_worth_telling(data, db, poller, tmp_path):
    add_train(db, steps=5)
    assert poller._worth_posting(poller.poll_once())
    assert not poller._worth_posting(poller.poll_once())
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / "copy.db").write_bytes(data.database.read_bytes())
    (tmp_path / "copy.db").replace(data.database)
    assert poller._worth_posting(poller.poll_once())
