"""The numbers of a three-reader study's report, counted once more by SQL alone."""

from __future__ import annotations

import csv
import random
import re
import sqlite3
from pathlib import Path

import pytest

from radtui.export.report import write_report
from radtui.paths import DataDir
from radtui.records import Job, Study
from radtui.store import ratings, studies
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from tests.unit.review_ratings import rating
from tests.unit.test_store import study_of

SCHEME = default_scheme()
READERS = ("ana", "ben", "cora")
KEPT = "r.study_id = :study AND r.blinded AND NOT r.skipped AND (r.preference IS NOT NULL OR r.both_bad)"


def rate(
    db: sqlite3.Connection,
    study: Study,
    case_id: int,
    reader: str,
    pair: tuple[str, str],
    dice: random.Random,
) -> None:
    both_bad, blinded = dice.random() < 0.1, dice.random() > 0.1
    answers = {f"checked.{arm}": 1 for arm in pair} | {
        f"acceptability.{arm}": dice.randint(2 if arm == pair[0] else 3, 5) for arm in pair
    }
    for arm in pair:
        if dice.random() < 0.4:
            answers[f"error.{arm}.{dice.randint(1, 7)}.significant"] = dice.randint(1, 2)
        if dice.random() < 0.3:
            answers[f"error.{arm}.{dice.randint(1, 7)}.insignificant"] = 1
    answers["dim.correctness"] = dice.randint(-2, 2)
    ratings.add(db, rating(
        case_id, None if both_bad else dice.choice([-2, -1, 0, 1, 1, 2]), study_id=study.id, rater=reader,
        both_bad=both_bad, answers=answers, scheme=SCHEME.id, scheme_hash=SCHEME.sha256, blinded=blinded,
        earlier_arm=pair[0], later_arm=pair[1], later_left=dice.random() < 0.5, skipped=False,
    ))  # fmt: skip


def report(
    data: DataDir, db: sqlite3.Connection, study: Study, place: Path
) -> tuple[dict[str, list[list[str]]], str]:
    """Tables by name, and the report's text."""
    out, tables = place / "report.md", place / "tables"
    names = write_report(data, db, study, SCHEME, out, tables)
    found = {}
    for name in names:
        if name.endswith(".csv"):
            with (tables / name).open(newline="", encoding="utf-8") as file:
                found[name] = list(csv.reader(file))
    return found, out.read_text(encoding="utf-8")


def row_of(tables: dict[str, list[list[str]]], name: str) -> list[str]:
    """The only row of this name, in whatever table."""
    (row,) = [row for rows in tables.values() for row in rows if row[0] == name]
    return row


def first(text: str) -> float:
    """The figure before its interval; shares as 0..1."""
    number = float(re.match(r"[+-]?[\d.,]+", text)[0].replace(",", ""))
    return number / 100 if re.match(r"[+-]?[\d.,]+ ?%", text) else number


def n_of(text: str) -> int:
    return int(re.search(r"n=(\d+)", text)[1])


@pytest.fixture
def rated_job(db: sqlite3.Connection, third_job: Job) -> Study:
    """Three readers' ratings of every case of a job's base and tuned."""
    study, dice = study_of(db, third_job), random.Random(4)
    for case_id in studies.comparison_ids(db, study):
        for reader in READERS:
            rate(db, study, case_id, reader, ("base", "tuned"), dice)
    return study


def test_every_count_share_and_mean_of_a_report_is_that_of_sql(
    data: DataDir, db: sqlite3.Connection, rated_job: Study, tmp_path: Path
) -> None:
    tables, text = report(data, db, rated_job, tmp_path)

    def ask(sql: str) -> tuple[float, ...]:
        return tuple(db.execute(sql, {"study": rated_job.id}).fetchone())

    n, cases, wins, losses, ties, bad = ask(
        "SELECT count(*), count(DISTINCT case_id), sum(preference > 0), sum(preference < 0), sum(preference = 0),"
        f" sum(both_bad) FROM current_ratings r WHERE {KEPT}"
    )
    said = (
        f"3 readers gave {n} blind ratings of {cases} pairs: {wins} ratings prefer the tuned text, {losses} the base"
        f" text, {ties} call them equal, {bad} call both bad."
    )
    assert said in text.replace("\\", "")
    tiles = dict(re.findall(r"^- (.*?): \*\*(.*?)\*\*", text, re.MULTILINE))
    assert first(tiles["tuned preferred, of decided ratings"]) == pytest.approx(
        wins / (wins + losses), abs=0.006
    )
    assert first(tiles["tuned preferred or equal"]) == pytest.approx((wins + ties) / n, abs=0.006)

    for arm, column in (("base", 1), ("tuned", 2)):
        mean, usable, as_is, asked = ask(
            f"SELECT avg(a), avg(a >= 4), avg(a = 5), count(a) FROM (SELECT json_extract(answers,"
            f" '$.\"acceptability.{arm}\"') AS a FROM current_ratings r WHERE {KEPT})"
        )
        assert first(row_of(tables, "Mean, 1 to 5")[column]) == pytest.approx(mean, abs=0.0051)
        assert n_of(row_of(tables, "Mean, 1 to 5")[column]) == asked
        assert first(row_of(tables, "Usable, 4 or 5")[column]) == pytest.approx(usable, abs=0.00051)
        assert first(row_of(tables, "Usable as is, 5")[column]) == pytest.approx(as_is, abs=0.00051)

    errors = [
        ask(
            "SELECT sum(value) * 1.0 / (SELECT count(*) FROM current_ratings r WHERE "
            + KEPT
            + ") FROM current_ratings r,"
            f" json_each(r.answers) WHERE {KEPT} AND key LIKE 'error.{arm}.%.significant'"
        )[0]
        for arm in ("base", "tuned")
    ]
    shown = [float(part) for part in tiles["significant errors per report"].split(" → ")]
    assert shown == pytest.approx(errors, abs=0.0051)

    for reader in READERS:
        given, won, decided = ask(
            f"SELECT count(*), sum(preference > 0), sum(preference <> 0) FROM current_ratings r WHERE {KEPT} AND"
            f" rater = '{reader}'"
        )
        words = row_of(tables, reader)[1]
        assert int(words.split()[0]) == given
        assert first(words.split("win rate ")[1]) == pytest.approx(won / decided, abs=0.00051)
    left, stood = ask(
        "SELECT avg((preference > 0) = later_left) FILTER (WHERE preference <> 0), avg(later_left)"
        f" FROM current_ratings r WHERE {KEPT}"
    )
    assert first(row_of(tables, "Left text chosen")[1]) == pytest.approx(left, abs=0.00051)
    assert first(row_of(tables, "Tuned text stood left")[1]) == pytest.approx(stood, abs=0.00051)
    (seen,) = ask("SELECT count(*) FROM current_ratings WHERE study_id = :study AND NOT blinded")
    assert row_of(tables, "Left out of all figures")[1] == f"{seen} un-blinded"
    decided_pairs = ask(
        f"SELECT sum(m <> 0) FROM (SELECT avg(preference) AS m FROM current_ratings r WHERE {KEPT} AND preference IS"
        " NOT NULL GROUP BY case_id)"
    )[0]
    assert row_of(tables, "Power")[1].startswith(f"{decided_pairs} decided pairs")
    described, with_reference = ask(
        "SELECT count(*), sum(trim(reference) <> '') FROM cases WHERE id IN (SELECT case_id FROM arm_texts JOIN"
        " study_arms s ON s.arm_id = arm_texts.arm_id WHERE s.study_id = :study)"
    )
    assert row_of(tables, "With a reference text")[1] == f"{with_reference} of them"
    assert row_of(tables, "Described and compared here")[1].startswith(f"{described} images")


def test_each_two_of_several_arms_are_counted_as_sql_counts_them(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    study = make_study(db, parse_arms(["base,tuned,dpo,reference"]), "train", pairs_per_case=2).study
    dice = random.Random(9)
    from radtui.study.drawing import read_drawn

    for case_id, pairs in read_drawn(db, study).pairs.items():
        for reader in READERS:
            for number, pair in enumerate(pairs):
                if dice.random() < 0.8:
                    rate(db, study, case_id, f"{reader}", pair, dice)
                    db.execute(
                        "UPDATE ratings SET pair = ? WHERE id = (SELECT max(id) FROM ratings)", (number,)
                    )
    tables, text = report(data, db, study, tmp_path)
    total = 0
    for earlier, later, n, won, tied, lost in db.execute(
        "SELECT earlier_arm, later_arm, count(*), coalesce(sum(preference > 0), 0), coalesce(sum(preference = 0), 0),"
        f" coalesce(sum(preference < 0), 0) FROM current_ratings r WHERE {KEPT} GROUP BY 1, 2",
        {"study": study.id},
    ).fetchall():
        total += n
        row = row_of(tables, f"{later} against {earlier}")
        assert row[1] == f"{won} / {tied} / {lost}"
        if won + lost:
            assert first(row[2]) == pytest.approx(won / (won + lost), abs=0.00051)
    assert f"In all, {total} ratings count, of pairs drawn among all arms" in text
    played = {
        row[0]: row[1]
        for row in db.execute(
            "SELECT arm, sum(n) FROM (SELECT earlier_arm AS arm, count(preference) AS n FROM current_ratings r WHERE"
            f" {KEPT} GROUP BY 1 UNION ALL SELECT later_arm, count(preference) FROM current_ratings r WHERE {KEPT}"
            " GROUP BY 1) GROUP BY arm",
            {"study": study.id},
        )
    }
    strengths = next(rows for rows in tables.values() if rows[0][0] == "Arm")
    assert {row[0]: int(row[4]) for row in strengths[1:]} == played
    assert "pairs" not in strengths[0][4].lower()  # they are ratings


def test_checklists_are_filled_from_the_rows_and_name_what_is_open(
    data: DataDir, db: sqlite3.Connection, rated_job: Study, tmp_path: Path
) -> None:
    tables, text = report(data, db, rated_job, tmp_path)
    by_list = {
        rows[0][0]: {row[0]: row[2] for row in rows[1:]}
        for rows in tables.values()
        if rows[0][1:2] == ["What it asks"]
    }
    assert {name: len(items) for name, items in by_list.items()} == {
        "MI-CLEAR-LLM": 6, "TRIPOD-LLM": 17, "CLAIM 2024": 24,
    }  # fmt: skip
    clear = by_list["MI-CLEAR-LLM"]
    assert (
        "adapter" in clear["1"] and "Open: the maker, and until when its training data reach." in clear["1"]
    )
    assert clear["5"] == "Open: how the prompt was arrived at."
    assert "3 readers with" in by_list["TRIPOD-LLM"]["7"] and "alpha" in by_list["TRIPOD-LLM"]["7"]
    assert "who wrote or labelled the references" in by_list["TRIPOD-LLM"]["8"]
    assert by_list["TRIPOD-LLM"]["13"] == "Open: approval and consent."
    assert "LoRA of rank" in by_list["CLAIM 2024"]["25-27"] and by_list["CLAIM 2024"]["44"].startswith(
        "Open: "
    )
    assert "DECIDE-AI is not filled in" in text and "STARD-AI is not filled in" in text
    captions = re.findall(r"Open, in whole or in part: ([^.]*)\.", text)
    assert len(captions) == 3 and captions[0].split(", ") == ["1", "5", "6"]

    folder = tmp_path / "tables"
    bib = (folder / "references.bib").read_text(encoding="utf-8")
    assert bib.startswith("@software{radtui,") and bib.count("{") == bib.count("}")
    assert {"gallas2009", "wilson1927", "holm1979", "kendall1945", "hu2022", "yu2023"} <= set(
        re.findall(r"@\w+\{(\w+),", bib)
    )
    assert "bradley1952" in bib and "xu2025" not in bib  # three arms, and no package has scored
    methods = (folder / "methods.txt").read_text(encoding="utf-8")
    assert "Texts of 3 arms (base, tuned, dpo) were compared on 30 cases" in methods
    assert "No protocol was locked beforehand." in methods and "readers and cases both random" in methods
    # An earlier one is replaced.
    assert write_report(data, db, rated_job, SCHEME, tmp_path / "report.md", folder)


def test_a_page_is_set_for_a4(
    data: DataDir, db: sqlite3.Connection, rated_job: Study, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    write_report(data, db, rated_job, SCHEME, out)
    page = out.read_text(encoding="utf-8")
    style = page[page.index("<style>") : page.index("</style>")]
    assert re.search(r"@page \{\s*size: A4;", style) and "@media print" in style
    assert re.search(r"pre \{[^}]*white-space: pre-wrap", style)  # no line leaves the paper
    # Heads are repeated on each sheet.
    assert re.search(r"tr, .*\{ break-inside: avoid; \}", style) and "thead" in page
    assert page.count("<table>") == page.count("<thead>")
    assert "overflow-wrap: break-word" in style and "table-layout: fixed" in style  # words are not cut in two
    # Beside a bar there is room for one interval: a second one ran out of the drawing.
    assert "for these readers only" in page and not re.search(r"<text[^>]*>[^<]*for these readers", page)


def test_what_changed_after_a_lock_is_in_the_report(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    from radtui.study.locking import lock_study

    study = lock_study(db, make_study(db, parse_arms(["base,tuned"]), "train").study, SCHEME)
    tables, text = report(data, db, study, tmp_path)
    assert "changed since: nothing" in row_of(tables, "Protocol")[1]
    db.execute("UPDATE texts SET text = text || ' More.' WHERE id = (SELECT min(id) FROM texts)")
    tables, text = report(data, db, study, tmp_path)
    assert row_of(tables, "Changed since the lock")[1] == "texts differ from those that were locked."
    assert "fixed before the first rating" in text
