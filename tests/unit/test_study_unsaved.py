"""Answers given while the data folder is gone: kept, and put in once when it is back."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from radtui.jobs import reconcile
from radtui.measures.scheme import Scheme
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.store import database, last_home, place, ratings, studies
from radtui.store.database import connect, in_place
from radtui.store.place import FolderGoneError, check_in_place
from radtui.study import edits
from radtui.study.delivery import FIRST_ID
from radtui.study.kept_files import Followed, follow, kept_paths
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.study import scheme_for
from radtui.study.unsaved import Unsaved
from tests.commands import invoked
from tests.unit.test_store import study_of

RATER = "reader"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def scheme(data: DataDir) -> Scheme:
    return scheme_for(data)


@pytest.fixture
def session(data: DataDir, db: sqlite3.Connection, reviewed_job: Job, scheme: Scheme) -> ReviewSession:
    made = ReviewSession(
        db, read_sitting(db, study_id(db, reviewed_job), RATER, scheme), unsaved=Unsaved(data, RATER)
    )
    made.start()
    return made


def study_id(db: sqlite3.Connection, job: Job) -> int:
    study = study_of(db, job)
    return study.id


def rate(session: ReviewSession, answer: int) -> int:
    """Rate the pair on show and go on; returns its image."""
    row = session.answer(lambda rating: edits.preferred(rating, session.scheme, answer))
    session.next_unrated()
    assert row is not None
    return row.case_id


def copied(data: DataDir, db: sqlite3.Connection, to: Path) -> None:
    """Copy a data folder with all that its log holds."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(data.root, to)


def test_without_a_place_to_keep_them_answers_are_refused(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, scheme: Scheme
) -> None:
    session = ReviewSession(db, read_sitting(db, study_id(db, reviewed_job), RATER, scheme))
    session.start()
    shutil.rmtree(data.root)
    with pytest.raises(FolderGoneError, match="is gone"):
        rate(session, 0)


def test_what_was_typed_while_the_folder_was_gone_is_in_it_when_it_is_back(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    rated = [rate(session, 0)]
    data.root.rename(tmp_path / "elsewhere")
    rated += [rate(session, answer) for answer in (1, 3)]
    session.undo()
    session.answer(edits.both_bad)
    assert not data.root.exists()  # nothing was made in its place
    kept = Unsaved(data, RATER)  # as the next session finds it, after this one was killed
    assert kept.count == 4 and kept.file is not None and kept.file.stat().st_mode & 0o077 == 0
    with pytest.raises(FolderGoneError):
        kept.deliver(db)
    (tmp_path / "elsewhere").rename(data.root)
    assert kept.deliver(db) == 4 and kept.count == 0 and not kept.file.exists()
    history = ratings.history(db, session.study.id, RATER)
    assert all(row.id < FIRST_ID for row in history) and len(history) == 5
    assert history[3].undoes == history[2].id
    current = {row.case_id: row for row in ratings.current(db, session.study.id, RATER)}
    assert set(current) == set(rated) and current[rated[2]].both_bad
    assert set(rated) <= {a.case_id for a in ratings.assigned(db, session.study.id, RATER)}


def test_a_restored_copy_of_the_folder_takes_them_and_another_folder_does_not(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    copied(data, db, tmp_path / "copy")
    shutil.rmtree(data.root)
    rate(session, 0)
    unsaved = Unsaved(data, RATER)
    other = connect(DataDir(tmp_path / "other"), create=True)
    assert unsaved.deliver(other) == 0 and unsaved.count == 1
    (tmp_path / "copy").rename(data.root)
    restored = in_place(db, data)
    assert restored is not db and unsaved.deliver(restored) == 1
    assert len(ratings.current(restored, session.study.id, RATER)) == 1


def test_nothing_is_put_in_twice_when_the_file_outlives_the_delivery(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    (tmp_path / "elsewhere").rename(data.root)
    first, again = Unsaved(data, RATER), Unsaved(data, RATER)
    assert (first.deliver(db), again.deliver(db)) == (1, 0)
    assert len(ratings.history(db, session.study.id, RATER)) == 1


def test_where_no_file_can_be_written_they_are_kept_in_memory_and_the_sentence_says_so(
    data: DataDir, session: ReviewSession, state: Path, tmp_path: Path
) -> None:
    state.write_text("a file where the folder should be")
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    unsaved = session._unsaved
    assert unsaved is not None and unsaved.count == 1 and unsaved.file is None
    assert "kept until radtui is left" in unsaved.sentence()


def test_a_pair_that_was_revealed_while_the_folder_was_gone_is_not_blind(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    session.reveal()
    pair = session.pair
    session.step(1)
    session.show(pair)
    case_id = rate(session, 0)
    (tmp_path / "elsewhere").rename(data.root)
    Unsaved(data, RATER).deliver(db)
    assert ratings.is_revealed(db, session.study.id, RATER, case_id)
    assert not ratings.current(db, session.study.id, RATER)[0].blinded


def another(data: DataDir, job: Job, scheme: Scheme) -> ReviewSession:
    """The same rater at a second terminal."""
    db = connect(data)
    made = ReviewSession(db, read_sitting(db, study_id(db, job), RATER, scheme), unsaved=Unsaved(data, RATER))
    made.start()
    return made


def test_two_terminals_of_one_rater_keep_and_deliver_each_answer_once(
    data: DataDir,
    db: sqlite3.Connection,
    session: ReviewSession,
    reviewed_job: Job,
    scheme: Scheme,
    tmp_path: Path,
) -> None:
    other = another(data, reviewed_job, scheme)
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    rate(other, 1)
    rate(session, 3)
    other.undo()
    (tmp_path / "elsewhere").rename(data.root)
    first, second = session._unsaved, other._unsaved
    assert first is not None and second is not None
    # The one takes what the other wrote along, and removes the file; the other must not need it, nor give it again.
    assert (first.deliver(db), second.deliver(db)) == (4, 0)
    history = ratings.history(db, session.study.id, RATER)
    assert len(history) == 4 and not first.waits and not second.waits and not Unsaved(data, RATER).waits
    assert history[3].undoes == history[1].id, "an answer of the other terminal was taken back"


def test_what_is_kept_after_an_interrupted_delivery_is_not_taken_for_delivered(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    file = Unsaved(data, RATER).file
    assert file is not None
    written = file.read_bytes()
    (tmp_path / "elsewhere").rename(data.root)
    assert Unsaved(data, RATER).deliver(db) == 1
    file.write_bytes(written)  # as where it was killed before it removed the file
    data.root.rename(tmp_path / "elsewhere")
    unsaved = Unsaved(data, RATER)
    session._writer._unsaved = unsaved
    rate(session, 1)
    (tmp_path / "elsewhere").rename(data.root)
    assert Unsaved(data, RATER).deliver(db) == 1
    assert len(ratings.history(db, session.study.id, RATER)) == 2


def test_an_answer_after_a_line_that_a_full_disk_cut_short_is_a_line_of_its_own(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    unsaved = session._unsaved
    assert unsaved is not None and unsaved.file is not None
    with unsaved.file.open("ab") as file:
        file.write(b'{"study": {"id": 1, "na')
    rate(session, 1)
    (tmp_path / "elsewhere").rename(data.root)
    assert Unsaved(data, RATER).deliver(db) == 2


def test_what_no_file_could_take_is_written_with_the_next_answer(
    data: DataDir, session: ReviewSession, state: Path, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    state.write_text("a file where the folder should be")
    rate(session, 0)
    unsaved = session._unsaved
    assert unsaved is not None and unsaved.file is None
    state.unlink()
    rate(session, 1)
    assert unsaved.file is not None and Unsaved(data, RATER).count == 2


def test_answers_for_two_folders_of_one_name_stay_apart(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    copied(data, db, tmp_path / "later")
    shutil.rmtree(data.root)
    rate(session, 0)
    unsaved = session._unsaved
    assert unsaved is not None
    other = connect(DataDir(tmp_path / "later"))
    other.execute("UPDATE studies SET created_at = created_at + 1")  # its first study is another one
    study = studies.must_get(other, session.study.id)
    row = session.queue.mine[session.queue.pairs[0]]
    unsaved.keep(study, row)
    assert unsaved.deliver(other) == 1 and unsaved.count == 1
    assert len(ratings.history(other, study.id, RATER)) == 1


def test_a_data_folder_whose_name_is_no_text_has_a_place_for_answers(tmp_path: Path) -> None:
    assert Unsaved(DataDir(tmp_path / "radiolog\udcfa"), RATER).file is not None


def test_a_newer_radtui_that_migrates_under_a_session_gets_its_answers_later(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession
) -> None:
    rate(session, 0)
    for sql in (
        "ALTER TABLE ratings ADD COLUMN mood TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN colour TEXT",
        "ALTER TABLE cases ADD COLUMN weight REAL",
        "PRAGMA user_version=7",
    ):
        db.execute(sql)
    rate(session, 1)
    unsaved = session._unsaved
    assert unsaved is not None and unsaved.count == 1 and len(session.queue.mine) == 2
    assert db.execute("SELECT count(*) FROM ratings").fetchone()[0] == 1
    db.execute("PRAGMA user_version=6")  # as the radtui that comes next knows it
    assert unsaved.deliver(db) == 1


def test_answers_follow_a_folder_that_was_renamed_for_good_and_into_a_copy_only_by_command(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    renamed, copy = DataDir(tmp_path / "renamed"), DataDir(tmp_path / "copy")
    copied(data, db, copy.root)
    data.root.rename(renamed.root)
    rate(session, 0)
    there, elsewhere = connect(renamed), connect(copy)
    followed = follow(elsewhere, copy, RATER, None)
    assert followed.delivered == 0
    assert f"1 answer by {RATER} was kept while {data.root} was not there" in followed.sentences[0]
    assert "radtui kept --put-in" in followed.sentences[0]
    listed = invoked(copy, "stats", "--json")
    assert followed.sentences[0] in listed.stderr.replace(f"--data-dir {copy.root} ", "")
    assert follow(there, renamed, "somebody else", None).delivered == 0
    assert follow(there, renamed, RATER, None) == Followed(1) and not kept_paths()
    assert len(ratings.history(there, session.study.id, RATER)) == 1
    rate(session, 1)
    done = invoked(copy, "kept", "--put-in")
    assert "1 was saved in this one" in done.output and not kept_paths()
    assert [row.preference for row in ratings.history(elsewhere, session.study.id, RATER)] == [
        session.queue.mine[session.queue.pairs[1]].preference
    ]


def test_what_was_revealed_and_not_rated_follows_a_renamed_folder_too(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    renamed, pair = DataDir(tmp_path / "renamed"), session.pair
    case_id = rate(session, 0)
    data.root.rename(renamed.root)
    session.show(pair)
    session.reveal()  # of a pair that is rated: no answer is kept with it
    there = connect(renamed)
    assert follow(there, renamed, "somebody else", None).delivered == 0
    assert not ratings.is_revealed(there, session.study.id, RATER, case_id)
    assert follow(there, renamed, RATER, None) == Followed() and not kept_paths()
    assert ratings.is_revealed(there, session.study.id, RATER, case_id)


def test_what_was_only_seen_is_listed_in_a_copy_and_put_in_by_command(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    copy, pair = DataDir(tmp_path / "copy"), session.pair
    case_id = rate(session, 0)
    copied(data, db, copy.root)
    shutil.rmtree(data.root)
    session.show(pair)
    session.reveal()
    elsewhere = connect(copy)
    sentence = f"What {RATER} saw of 1 case was kept while {data.root} was not there"
    followed = follow(elsewhere, copy, RATER, None)
    assert followed.delivered == 0 and followed.sentences[0].startswith(sentence)
    listed = invoked(copy, "kept").output
    assert (
        f"what {RATER} saw of 1 case not in this one yet: radtui --data-dir {copy.root} kept --put-in"
        in listed
    )
    assert sentence in invoked(copy, "stats", "--json").stderr
    assert not ratings.is_revealed(elsewhere, session.study.id, RATER, case_id)
    (file,) = kept_paths()
    written = file.read_bytes()
    assert f"what {RATER} saw of 1 case was saved in this one" in invoked(copy, "kept", "--put-in").output
    assert not kept_paths()
    file.write_bytes(written)  # as where it was killed before it removed the file
    assert "all of it was in this one already" in invoked(copy, "kept", "--put-in").output
    assert ratings.is_revealed(elsewhere, session.study.id, RATER, case_id) and not kept_paths()


def test_an_old_copy_beneath_an_unmounted_disk_takes_nothing_until_the_disk_is_back(
    data: DataDir,
    db: sqlite3.Connection,
    session: ReviewSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = tmp_path / "disk"
    monkeypatch.setattr(place, "mount_point", lambda path: data.root if disk.exists() is False else tmp_path)
    monkeypatch.setitem(place._homes, data.database, place.home_of(db))  # as when the disk was mounted
    last_home.remember_home(db)
    copied(data, db, tmp_path / "beneath")
    data.root.rename(disk)
    (tmp_path / "beneath").rename(data.root)
    rate(session, 0)
    with monkeypatch.context() as patch:  # beneath a mount point only root may write, most often
        patch.setattr(database, "_read_only", lambda folder: True)
        assert in_place(db, data) is db
    with pytest.raises(FolderGoneError, match="is not mounted"):
        reconcile(data, db)
    assert not data.launch_lock.exists()
    with pytest.raises(FolderGoneError, match=f"The disk of {data.root}.* is not mounted: mount it again"):
        connect(data, create=True)
    place._homes.pop(data.database)  # as the next radtui
    with pytest.raises(UserError, match=r"is not mounted: mount it again; or.*remove .*folders"):
        last_home.refuse_what_lies_beneath(data)
    beneath = connect(data)
    assert Unsaved(data, RATER).deliver(beneath) == 0 and len(kept_paths()) == 1
    data.root.rename(tmp_path / "beneath")
    disk.rename(data.root)
    last_home.refuse_what_lies_beneath(data)
    assert Unsaved(data, RATER).deliver(db) == 1


def test_another_database_under_the_name_is_not_taken_for_the_one_that_was_open(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    other = connect(DataDir(tmp_path / "other"), create=True)
    other.execute("UPDATE _sqlite_migrations SET applied_at = '2020-01-01'")
    other.close()
    (tmp_path / "other").rename(data.root)
    rate(session, 0)
    assert in_place(db, data) is db
    with pytest.raises(FolderGoneError, match="is another database than the one that was open here"):
        check_in_place(db)
    with pytest.raises(FolderGoneError, match="another database"):
        connect(data)
    data.root.rename(tmp_path / "other")
    (tmp_path / "elsewhere").rename(data.root)
    assert Unsaved(data, RATER).deliver(connect(data)) == 1


def test_a_kept_answer_does_not_count_before_a_newer_one_that_was_given_elsewhere(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    case_id = rate(session, 0)
    older = session.queue.mine[session.queue.pairs[0]]
    (tmp_path / "elsewhere").rename(data.root)
    newer = replace(older, id=0, preference=-(older.preference or 0), rated_at=older.rated_at + 60)
    ratings.add(db, newer)
    assert Unsaved(data, RATER).deliver(db) == 1 and not kept_paths()
    history = ratings.history(db, session.study.id, RATER)
    assert [row.preference for row in history] == [newer.preference, older.preference, newer.preference]
    assert history[2].undoes == history[1].id
    assert [row.case_id for row in ratings.current(db, session.study.id, RATER)] == [case_id]


def test_what_took_back_an_answer_that_a_restored_copy_does_not_have_is_put_in_with_the_rest(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    copied(data, db, tmp_path / "copy")
    rate(session, 0)
    shutil.rmtree(data.root)
    session.undo()
    rated = [rate(session, answer) for answer in (1, 3)]
    (tmp_path / "copy").rename(data.root)
    restored = connect(data)
    assert Unsaved(data, RATER).deliver(restored) == 2 and not kept_paths()
    assert [row.case_id for row in ratings.current(restored, session.study.id, RATER)] == rated


def test_an_undo_of_what_still_waits_waits_with_it(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    (tmp_path / "elsewhere").rename(data.root)
    session.undo()  # before anybody has put in what was kept
    assert Unsaved(data, RATER).deliver(db) == 2
    assert [row.undoes is None for row in ratings.history(db, session.study.id, RATER)] == [True, False]
    assert not ratings.current(db, session.study.id, RATER)


def test_what_a_full_disk_does_not_take_is_kept_counted_and_put_in_once(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession
) -> None:
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")  # SQLite says then what it says of a full disk
    session.answer(lambda rating: edits.noted(rating, "a page and more " * 2000))
    rated = [rate(session, 0), rate(session, 3)]
    kept = session._unsaved
    assert (
        kept is not None and kept.count == 3 and "written again (database or disk is full)" in kept.sentence()
    )
    session = ReviewSession(db, read_sitting(db, session.study.id, RATER, session.scheme), unsaved=kept)
    assert {pair.case_id for pair in session.queue.mine} == set(rated)
    session.undo()  # of what waits
    next_start = Unsaved(data, RATER)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        kept.deliver(db)
    assert kept.count == 4 and kept.trouble
    db.execute("PRAGMA max_page_count=1000000")
    assert kept.deliver(db) == 4 and not kept.trouble and not kept.waits
    assert next_start.deliver(db) == 0
    assert [row.case_id for row in ratings.current(db, session.study.id, RATER)] == rated[:1]


def test_what_neither_disk_takes_is_refused(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, state: Path
) -> None:
    state.write_text("no folder")
    db.execute("PRAGMA query_only=ON")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        rate(session, 0)
    assert not Unsaved(data, RATER).waits
    db.execute("PRAGMA query_only=OFF")
    rate(session, 0)
    assert session._unsaved is not None and not session._unsaved.waits


def test_what_waits_of_another_rater_is_said(
    data: DataDir, db: sqlite3.Connection, session: ReviewSession, tmp_path: Path
) -> None:
    data.root.rename(tmp_path / "elsewhere")
    rate(session, 0)
    (tmp_path / "elsewhere").rename(data.root)
    followed = follow(db, data, "somebody else", Unsaved(data, "somebody else").path)
    assert followed.delivered == 0 and f"1 answer by {RATER} was kept" in followed.sentences[0]
    assert "radtui kept --put-in" in followed.sentences[0]
