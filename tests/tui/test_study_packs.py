"""A reader's pack: nothing in it tells an arm, it is rated with the same screen, and goes home exactly once."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from radtui.export.pack_home import opened_pack
from radtui.paths import DataDir
from radtui.records import Job, Rating, Study, UserError
from radtui.store import ratings
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.kept_files import Followed, follow, kept_paths
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.unsaved import Unsaved
from tests.commands import invoked
from tests.tui.reviewing import box, opened, panel, screen
from tests.unit.review_sessions import begun

SCHEME = default_scheme()
ARMS = "base,tuned,mine=dpo,reference"


@pytest.fixture
def study(db: sqlite3.Connection, third_job: Job) -> Study:
    return make_study(db, parse_arms([ARMS]), "train", name="four", pairs_per_case=2).study


@pytest.fixture
def pack(data: DataDir, study: Study, tmp_path: Path) -> Path:
    path = tmp_path / "ana.radtui"
    said = run(data, "study", "pack", str(study.id), "--reader", "ana", "--out", str(path))
    assert "with 60 images for ana" in said
    return path


def run(data: DataDir, *words: str, code: int = 0) -> str:
    done = invoked(data, *words)
    assert done.exit_code == code, done.output
    return done.output + (str(done.exception) if isinstance(done.exception, UserError) else "")


def strength(text: str) -> int:
    """Which arm wrote a text: the fixture's texts say so, and the reference is the best."""
    return next((at for at, name in enumerate(("base", "tuned", "dpo")) if text.startswith(name)), 3)


def rate(path: Path, pairs: int) -> None:
    """The better arm's text is much better, has acceptability 5, and the other one an error."""
    with opened_pack(path) as (inside, packed), closing(connect(inside)) as db:
        session = begun(db, packed, "ana", SCHEME)
        for _ in range(pairs):
            now = session.shown()
            assert now is not None and not now.rated and strength(now.texts[0]) != strength(now.texts[1])
            better = 0 if strength(now.texts[0]) > strength(now.texts[1]) else 1
            good, bad = now.arm(better), now.arm(1 - better)
            session.answer(lambda row, arm=good: edits.accepted(row, arm, 5))
            session.answer(lambda row, arm=bad: edits.counted(row, arm, "2", True, 1))
            session.answer(lambda row, arm=good: edits.checked(row, arm))
            level = 0 if better == 0 else 4
            session.answer(lambda row, at=level: edits.compared(row, SCHEME, SCHEME.dimensions[0], at))
            session.answer(lambda row, at=level: edits.preferred(row, SCHEME, at))
            session.next_unrated()


def current(db: sqlite3.Connection, study: Study) -> list[Rating]:
    return [row for row in ratings.current(db, study.id, "ana") if row.preference is not None]


def test_no_byte_of_a_pack_names_an_arm_a_patient_or_a_reference(pack: Path) -> None:
    content = pack.read_bytes()
    for secret in (b"mine", b"train-0", b"tiny", b"greedy", b"Describe.", b"modality"):
        assert secret not in content, secret
    with opened_pack(pack) as (inside, packed), closing(connect(inside)) as db:
        assert packed.arm_names == ("text 1", "text 2")
        lefts = {a.left_arm for a in ratings.assigned(db, packed.id, "ana")}
        assert lefts == {"text 1", "text 2"}
        assert (
            db.execute("SELECT count(*) FROM cases WHERE reference != '' OR patient != ''").fetchone()[0] == 0
        )
        assert db.execute("SELECT count(*) FROM truths").fetchone()[0] == 0
        first = [row[0] for row in db.execute("SELECT text FROM texts WHERE id IN (SELECT text_id FROM arm_texts"
                                              " WHERE arm_id = 1) ORDER BY case_id")]  # fmt: skip
        assert len({strength(text) for text in first}) == 4  # one arm of a pack holds texts of all


def test_answers_given_while_a_pack_was_unplugged_are_in_it_when_it_is_opened_again(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pack.parent / "state"))
    with opened_pack(pack) as (inside, packed), closing(connect(inside)) as db:
        session = ReviewSession(
            db, read_sitting(db, packed.id, "ana", SCHEME), unsaved=Unsaved(inside, "ana")
        )
        session.start()
        pack.rename(pack.with_name("away"))
        session.answer(lambda row: edits.preferred(row, SCHEME, 0))
        assert len(kept_paths()) == 1
    pack.with_name("away").rename(pack)
    with opened_pack(pack) as (inside, packed), closing(connect(inside)) as db:
        assert follow(db, inside, "ana", None) == Followed(1) and not kept_paths()
        assert len(ratings.history(db, packed.id, "ana")) == 1


def test_ratings_go_home_turned_the_right_way_and_only_once(
    data: DataDir, db: sqlite3.Connection, study: Study, pack: Path
) -> None:
    rate(pack, 12)
    early = pack.with_name("early.radtui")
    shutil.copy(pack, early)
    assert "60 answers of ana" in run(data, "study", "merge", str(pack))
    order = ("base", "tuned", "mine", "reference")
    rows = current(db, study)
    assert len(rows) == 12 and len({row.shown for row in rows}) >= 3
    for row in rows:
        assert row.preference == 2 and row.answers[f"acceptability.{row.later_arm}"] == 5
        assert (
            row.answers[f"error.{row.earlier_arm}.2.significant"] == 1 and row.answers["dim.correctness"] == 2
        )
        assert order.index(row.earlier_arm) < order.index(row.later_arm) and row.later_text_id
        assert ratings.stored_sides(db, study.id, "ana", row.case_id, row.occasion, row.pair) == (
            row.left_arm, row.right_arm,
        )  # fmt: skip
    assert "0 answers of ana" in run(data, "study", "merge", str(pack))
    rate(pack, 5)
    assert "25 answers of ana" in run(data, "study", "merge", str(pack))
    assert "0 answers of ana" in run(data, "study", "merge", str(early))  # an older copy brings nothing back
    assert len(current(db, study)) == 17
    out = pack.with_name("x.jsonl")
    run(data, "export", "--study", str(study.id), "--format", "jsonl", "--out", str(out))
    assert "Whole: 85 rows" in run(data, "verify", str(out))


def alter_text(db: sqlite3.Connection) -> None:
    db.execute("UPDATE texts SET text = 'Normal.' WHERE id = 1")


def alter_image(db: sqlite3.Connection) -> None:
    db.execute("UPDATE pack_files SET content = x'00' WHERE name = (SELECT min(name) FROM pack_files)")


def alter_side(db: sqlite3.Connection) -> None:
    db.execute("UPDATE assignments SET left_arm = right_arm, right_arm = left_arm WHERE case_id = 1")


def alter_answer(db: sqlite3.Connection) -> None:
    db.execute("UPDATE ratings SET preference = -preference WHERE id = 5")


def drop_answer(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM ratings WHERE id = 3")


def other_reader(db: sqlite3.Connection) -> None:
    db.execute("UPDATE ratings SET rater = 'eve' WHERE id = (SELECT max(id) FROM ratings)")


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (alter_text, "not as it was packed"),
        (alter_image, "not as it was packed"),
        (alter_side, "not as it was packed"),
        (alter_answer, "was altered, dropped or moved \\(row 5\\)"),
        (drop_answer, "was altered, dropped or moved \\(row 4\\)"),
        (other_reader, "others rated in it"),
    ],
)
def test_what_was_altered_is_refused(
    data: DataDir, db: sqlite3.Connection, study: Study, pack: Path, reason: str,
    alter: Callable[[sqlite3.Connection], None],
) -> None:  # fmt: skip
    rate(pack, 3)
    with closing(sqlite3.connect(pack)) as inside:
        alter(inside)
        inside.commit()
    done = invoked(data, "study", "merge", pack)
    assert done.exit_code == 1 and isinstance(done.exception, UserError)
    assert re.search(reason, str(done.exception))
    assert ratings.history(db, study.id, "ana") == []


def test_a_pack_of_another_folder_and_a_reader_who_rated_here_are_refused(
    data: DataDir, db: sqlite3.Connection, study: Study, pack: Path, tmp_path: Path
) -> None:
    rate(pack, 2)
    other = DataDir(tmp_path / "other").create()
    connect(other).close()
    assert "was not packed from" in run(other, "study", "merge", str(pack), code=1)
    session = begun(db, study, "ana", SCHEME)
    session.answer(lambda row: edits.preferred(row, SCHEME, 1))
    assert "has rated study 2 here as well" in run(data, "study", "merge", str(pack), code=1)
    again = str(tmp_path / "b.radtui")
    assert "has begun to rate" in run(data, "study", "pack", "2", "--reader", "ana", "--out", again, code=1)
    assert "is no pack" in run(data, "study", "merge", str(data.database), code=1)
    assert "is no pack" in run(data, "study", "merge", __file__, code=1)


def test_a_pack_that_came_without_its_log_is_named_and_not_the_data_folder(
    data: DataDir, study: Study, pack: Path
) -> None:
    content = bytearray(pack.read_bytes())
    content[4096:] = bytes(len(content) - 4096)  # as where not all of its pages were moved out of the log
    pack.write_bytes(content)
    said = run(data, "study", "merge", str(pack), code=1)
    assert f"{pack} is damaged, or was sent without {pack.name}-wal" in said and "nothing was merged" in said
    pack.with_name(f"{pack.name}-wal").write_bytes(
        b"rows of this one"
    )  # another pack must not be read with them
    again = ("study", "pack", "2", "--reader", "ana", "--out", str(pack), "--force")
    assert f"{pack.name}-wal holds answers of an earlier" in run(data, *again, code=1)


async def test_a_pack_is_rated_by_keys_with_the_same_screen(
    data: DataDir, db: sqlite3.Connection, study: Study, pack: Path
) -> None:
    with opened_pack(pack) as (inside, _):
        async with opened(inside) as pilot:
            assert box(pilot, "a") and box(pilot, "b") and screen(pilot).session is not None
            await pilot.press("exclamation_mark")
            assert "does not know which text is whose" in panel(pilot)
            await pilot.press("a", "4", "2", "1", "5", "3")
            alone = shutil.copy(pack, pack.with_name("alone.radtui"))  # as a killed app would leave it
    assert not list(pack.parent.glob("*-wal"))
    with closing(sqlite3.connect(alone)) as copy:
        assert copy.execute("SELECT count(*) FROM ratings").fetchone() == (5,)
    merged = run(data, "study", "merge", str(pack))
    assert "5 answers of ana" in merged and "3 of 65 pairs in the pack have an answer" in merged
    rows = current(db, study)
    assert [abs(row.preference or 0) for row in rows] == [2, 2, 0] and all(row.blinded for row in rows)


def test_neither_the_files_name_nor_the_studys_gives_an_arm_away(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    study = make_study(db, parse_arms([ARMS]), "train", name="Tuned against the rest").study
    said = run(
        data,
        "study",
        "pack",
        str(study.id),
        "--reader",
        "ana",
        "--out",
        str(tmp_path / "tuned_vs.radtui"),
        code=1,
    )
    assert "tuned_vs.radtui names the arm tuned" in said and not (tmp_path / "tuned_vs.radtui").exists()
    out = tmp_path / "untuned-piano.radtui"  # a part of a word is no arm
    run(data, "study", "pack", str(study.id), "--reader", "ana", "--out", str(out))
    with closing(sqlite3.connect(out)) as packed:
        assert packed.execute("SELECT name FROM studies").fetchall() == [(f"study {study.id}",)]
    assert b"Tuned against the rest" not in out.read_bytes()


BASE_ALONE = """
import sys
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth"}:
            raise ImportError(f"{name} is not in the base install")
sys.meta_path.insert(0, Refused())
from pathlib import Path
from radtui.export.pack_home import opened_pack
from radtui.paths import DataDir
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
import radtui.tui.app, radtui.tui.review.screen
with opened_pack(Path(sys.argv[1])) as (inside, packed):
    db, scheme = connect(inside), default_scheme()
    session = ReviewSession(db, read_sitting(db, packed.id, "ana", scheme))
    session.start()
    for _ in range(5):
        session.answer(lambda row: edits.preferred(row, scheme, 4))
        session.next_unrated()
    db.close()
assert not {"torch", "transformers", "datasets"} & set(sys.modules)
"""


def test_a_pack_is_rated_where_there_is_no_torch_and_goes_home(
    data: DataDir, db: sqlite3.Connection, study: Study, pack: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "laptop"
    elsewhere.mkdir()
    shutil.copy(pack, elsewhere / pack.name)
    done = subprocess.run(
        [sys.executable, "-c", BASE_ALONE, str(elsewhere / pack.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = run(data, "study", "merge", str(elsewhere / pack.name))
    assert "5 answers of ana" in said and len(ratings.current(db, study.id, "ana")) == 5
