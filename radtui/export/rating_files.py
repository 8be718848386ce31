"""Ratings in a file, read back to what they were: `comparisons.csv`, quoted or raw, and JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from radtui.export import columns
from radtui.export.csv_text import read_csv
from radtui.export.formula_quote import unquote_formula
from radtui.export.jsonl import ARMS_JSONL_SCHEMA, JSONL_SCHEMA
from radtui.export.rating_checks import (
    WRONG,
    maybe_whole,
    plain_text,
    seconds,
    sound,
    texts_by,
    value_of,
    whole,
)
from radtui.measures.scheme import Scheme
from radtui.records import Rating, UserError

_LATER_COLUMNS = {"role"}  # files of the first exports lack them
_FORMS = {columns.SCHEMA, columns.ARMS_SCHEMA}


@dataclass(frozen=True, slots=True)
class StudyOfOrigin:
    """The study that a row comes from, as the other data folder numbered it: by its job where it had one."""

    number: int
    by_job: bool

    def __str__(self) -> str:
        """As people know it."""
        return f"{'job' if self.by_job else 'study'} {self.number}"


@dataclass(frozen=True, slots=True)
class IncomingRating:
    """One rated comparison of a file. `snapshots` are its history as far as the file tells, oldest first.

    Study, case and text ids in it are those of the data folder it comes from; sha256 and texts say what it is about.
    """

    source: StudyOfOrigin
    case_id: int
    sha256: str
    split: str
    image_path: str
    arms: tuple[str, ...]  # of the study, in its order
    texts: dict[str, str]  # arm -> text, of those that the file tells: the two compared at least
    rater: str
    occasion: int
    role: str
    sort_key: str | None
    left: str
    right: str
    snapshots: tuple[Rating, ...]
    revealed_at: float | None = None  # when the rater saw which text is whose, Unix time, s
    pair: int = 0
    reference_seen_at: float | None = None  # when the rater saw the reference before its time, Unix time, s


def read_ratings(path: Path, scheme: Scheme) -> list[IncomingRating]:
    """Every rated comparison of a file.

    Args:
        path: A `.csv` or `.jsonl` that radtui exported.
        scheme: Says which columns of a CSV hold which answers.

    Raises:
        UserError: The file is not there, or is no export of ratings; the sentence names the row.
    """
    try:
        with path.open("rb") as file:
            first = file.read(3).removeprefix(b"\xef\xbb\xbf")
        return list(_from_jsonl(path) if first.startswith(b"{") else _from_csv(path, scheme))
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}; name a file that radtui exported.") from error
    except UnicodeError as error:
        raise UserError(f"{path} is not in UTF-8 ({error}); name a file as radtui exported it.") from error


def _from_csv(path: Path, scheme: Scheme) -> Iterator[IncomingRating]:
    arms: tuple[str, ...] = ()
    for number, cells in enumerate(read_csv(path), 1):
        form = cells.get("export_schema", "")
        quoted = not form.endswith(columns.RAW)
        plain = (
            {unquote_formula(name): unquote_formula(cell) for name, cell in cells.items()}
            if quoted
            else cells
        )
        if number == 1:
            arms = _arms_of(path, plain, scheme)
        if form.removesuffix(columns.RAW) not in _FORMS:
            raise UserError(
                f"Row {number} of {path} is of the form {form!r}; this radtui reads {columns.SCHEMA} and"
                f" {columns.ARMS_SCHEMA}."
            )
        try:
            yield (_paired_row if form.startswith(columns.SCHEMA) else _arms_row)(plain, arms, scheme)
        except WRONG as error:
            raise UserError(f"Row {number} of {path} was changed: {error}; export it again.") from error


def _arms_of(path: Path, cells: Mapping[str, str], scheme: Scheme) -> tuple[str, ...]:
    """The arms of a table, whose columns are checked."""
    if not {"export_schema", "image_sha256", "rater"} <= cells.keys():
        raise UserError(f"{path} holds no ratings: name a comparisons.csv or a .jsonl that radtui exported.")
    two, three = columns.PAIRED
    if "earlier_arm" in cells:
        arms = columns.arms_in(cells, scheme)
        expected = set(columns.arms_columns(scheme, arms))
        optional = _LATER_COLUMNS
    else:
        arms = three if f"{three[-1]}_text" in cells else two
        expected = set(columns.paired_columns(scheme, arms, more=True))
        optional = _LATER_COLUMNS | (expected - set(columns.paired_columns(scheme, arms)))
    missing, unknown = sorted(expected - cells.keys() - optional), sorted(cells.keys() - expected)
    if missing or unknown:
        names = ", ".join((missing + unknown)[:4])
        raise UserError(
            f"{path} has other columns than the rating scheme {scheme.id} gives ({names});"
            " name the scheme it was rated with with --scheme."
        )
    return arms


def _paired_row(cells: dict[str, str], arms: tuple[str, ...], scheme: Scheme) -> IncomingRating:
    """A row of a job's base and tuned, of whatever release."""
    left = cells["shown_left"]
    if left not in arms:
        raise ValueError(f"{left!r} is none of {', '.join(arms)}")
    right = cells.get("shown_right") or _other(left, arms)
    texts = {arm: cells[f"{arm}_text"] for arm in arms}
    source = StudyOfOrigin(int(cells["job_id"]), by_job=True)
    return _csv_row(cells, source, int(cells["image_id"]), arms, scheme, texts, (left, right))


def _arms_row(cells: dict[str, str], arms: tuple[str, ...], scheme: Scheme) -> IncomingRating:
    """A row that names the two arms it compares."""
    shown = {"earlier": cells["earlier_arm"], "later": cells["later_arm"]}
    texts = {arm: cells[f"{place}_text"] for place, arm in shown.items() if arm}
    source = StudyOfOrigin(int(cells["study_id"]), by_job=False)
    sides = (cells["left_arm"], cells["right_arm"])
    return _csv_row(cells, source, int(cells["case_id"]), arms, scheme, texts, sides)


def _csv_row(
    cells: dict[str, str],
    source: StudyOfOrigin,
    case_id: int,
    arms: tuple[str, ...],
    scheme: Scheme,
    texts: dict[str, str],
    sides: tuple[str, str],
) -> IncomingRating:
    answers = columns.answer_columns(scheme, arms)
    corrected = columns.corrected_columns(arms)
    earlier, later = _in_order(sides, arms)
    rating = Rating(
        id=0, study_id=source.number, case_id=case_id, rater=cells["rater"], occasion=int(cells["occasion"]),
        scheme=cells["scheme"], scheme_hash=cells["scheme_hash"], earlier_arm=earlier, later_arm=later,
        later_left=later == sides[0], preference=int(cells["preference"]) if cells["preference"] else None,
        both_bad=_yes(cells["both_bad"]),
        answers={key: int(cells[column]) for column, key in answers.items() if cells.get(column)},
        note=cells["note"], flagged=_yes(cells["flagged"]), skipped=_yes(cells["skipped"]),
        blinded=_yes(cells["blinded"]), active_s=float(cells["active_seconds"]),
        wall_s=float(cells["wall_seconds"]), rated_at=datetime.fromisoformat(cells["rated_at"]).timestamp(),
        pair=int(cells.get("pair") or 0),
        corrections={arm: cells[column] for column, arm in corrected.items() if cells.get(column)},
        earlier_text_id=0, later_text_id=0,  # the row holds the texts: their ids here are found by them
    )  # fmt: skip
    return IncomingRating(
        source, case_id, cells["image_sha256"], cells["split"], cells["image_path"], arms, texts, rating.rater,
        rating.occasion, _role(cells.get("role") or ("repeat" if rating.occasion else "normal")), None, *sides,
        (sound(rating, arms),), pair=rating.pair,
    )  # fmt: skip


def _from_jsonl(path: Path) -> Iterator[IncomingRating]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            try:
                yield jsonl_row(json.loads(text))
            except WRONG as error:
                raise UserError(
                    f"Line {number} of {path} is no rating that radtui exported ({error}); export it again."
                ) from error


def jsonl_row(line: dict[str, Any]) -> IncomingRating:
    """A line of an export. Raises one of `sound.WRONG` when it is none."""
    form = line["export_schema"]
    if form == JSONL_SCHEMA:
        two, three = columns.PAIRED
        arms: tuple[str, ...] = three if three[-1] in line else two
        source, case_id = StudyOfOrigin(whole(line, "job_id"), by_job=True), whole(line, "image_id")
        texts = {arm: plain_text(line[arm], "text") for arm in arms}
    elif form == ARMS_JSONL_SCHEMA:
        arms = tuple(value_of(line, "arms", list))
        if len({*map(str, arms)}) < len(arms) or not all(isinstance(arm, str) and arm for arm in arms):
            raise ValueError("its arms are no names")
        source, case_id = StudyOfOrigin(whole(line, "study_id"), by_job=False), whole(line, "case_id")
        texts = {str(arm): plain_text(text, "text") for arm, text in value_of(line, "texts", dict).items()}
    else:
        raise ValueError(f"it is of the form {form!r}, not {JSONL_SCHEMA} or {ARMS_JSONL_SCHEMA}")
    about = (
        source.number, case_id, plain_text(line, "rater"), whole(line, "occasion"), maybe_whole(line, "pair") or 0
    )  # fmt: skip
    snapshots = tuple(sound(_snapshot(about, row, arms), arms) for row in value_of(line, "history", list))
    newest = snapshots[-1]  # every snapshot of a showing has the same two arms
    if any(row.shown != newest.shown for row in snapshots):
        raise ValueError("its history compares different texts")
    if not {*newest.shown, ""} <= {*texts, ""}:
        raise ValueError("a text that was compared is not in it")
    left = line["assigned_left"] or newest.left_arm
    sort_key = None if line["sort_key"] is None else plain_text(line, "sort_key")
    if left not in newest.shown:
        raise ValueError(f"{left!r} is none of the two that were compared")
    return IncomingRating(
        source, case_id, plain_text(line, "image_sha256"), plain_text(line, "split"), plain_text(line, "image_path"),
        arms, texts, about[2], about[3], _role(line["role"]), sort_key, left, _other(left, newest.shown), snapshots,
        _time(line, "revealed_at"), about[4], _time(line, "reference_seen_at"),
    )  # fmt: skip


def _snapshot(about: tuple[int, int, str, int, int], row: dict[str, Any], arms: tuple[str, ...]) -> Rating:
    """A snapshot of any form: sides and acceptability stood in fields of their own before there were arms."""
    answers = {key: whole(row["answers"], key) for key in value_of(row, "answers", dict)}
    for column, key in columns.acceptability_columns(arms).items():
        if row.get(column) is not None:
            answers[key] = whole(row, column)
    if "earlier_arm" in row:
        earlier, later = plain_text(row, "earlier_arm"), plain_text(row, "later_arm")
        later_left = value_of(row, "later_left", bool)
    else:
        left = str(row["shown_left"])
        earlier, later = _in_order((left, row.get("shown_right") or _other(left, arms)), arms)
        later_left = later == left
    study_id, case_id, rater, occasion, pair = about
    return Rating(
        id=whole(row, "id"), study_id=study_id, case_id=case_id, rater=rater, occasion=occasion, pair=pair,
        scheme=plain_text(row, "scheme"), scheme_hash=plain_text(row, "scheme_hash"), earlier_arm=earlier,
        later_arm=later, later_left=later_left,
        preference=None if row["preference"] is None else whole(row, "preference"),
        both_bad=value_of(row, "both_bad", bool), answers=answers, note=plain_text(row, "note"),
        flagged=value_of(row, "flagged", bool), skipped=value_of(row, "skipped", bool),
        blinded=value_of(row, "blinded", bool), active_s=seconds(row, "active_s"), wall_s=seconds(row, "wall_s"),
        rated_at=seconds(row, "rated_at"), undoes=None if row["undoes"] is None else whole(row, "undoes"),
        corrections=texts_by(row.get("corrections", {})),
        earlier_text_id=maybe_whole(row, "earlier_text_id"), later_text_id=maybe_whole(row, "later_text_id"),
    )  # fmt: skip


def _in_order(sides: tuple[str, str], arms: tuple[str, ...]) -> tuple[str, str]:
    """The two arms shown, the earlier in the study's order first; "" is of one text alone."""
    for arm in sides:
        if arm and arm not in arms:
            raise ValueError(f"{arm!r} is none of {', '.join(arms)}")
    earlier, later = sorted(sides, key=lambda arm: arms.index(arm) if arm else -1)
    return earlier, later


def _other(arm: str, arms: tuple[str, ...]) -> str:
    return next((name for name in arms if name != arm), "")


def _time(line: Mapping[str, Any], name: str) -> float | None:
    return None if line.get(name) is None else seconds(line, name)


def _yes(cell: str) -> bool:
    if cell not in ("0", "1"):
        raise ValueError(f"{cell!r} is neither 0 nor 1")
    return cell == "1"


def _role(role: str) -> str:
    if role not in ("normal", "calibration", "repeat"):
        raise ValueError(f"{role!r} is no role of a pair")
    return role
