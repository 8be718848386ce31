"""Ratings in a file, read back to what they were: `comparisons.csv`, guarded or raw, and JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from radtui.export.comparisons import EXPORT_SCHEMA, RAW_SCHEMA, answer_columns, columns, third_answer_columns
from radtui.export.csv_text import read_csv
from radtui.export.guard import unguard
from radtui.export.jsonl import JSONL_SCHEMA
from radtui.measures.scheme import Scheme
from radtui.records import TWO_VARIANTS, Rating, UserError, Variant

_LATER_COLUMNS = {"role"}  # files of the first exports lack them


@dataclass(frozen=True, slots=True)
class Incoming:
    """One rated comparison of a file. `snapshots` are its history as far as the file tells, oldest first.

    Job and image ids in it are those of the data folder it comes from; sha256 and texts say what it is about.
    """

    job_id: int
    image_id: int
    sha256: str
    split: str
    image_path: str
    base_text: str
    tuned_text: str
    rater: str
    occasion: int
    role: str
    sort_key: str | None
    left: Variant
    snapshots: tuple[Rating, ...]
    revealed_at: float | None = None  # when the rater saw which text is whose, Unix time, s
    dpo_text: str = ""  # of a job with three variants

    @property
    def right(self) -> Variant:
        """The variant that stood right; every snapshot of a showing has the same two."""
        return next(v for v in self.snapshots[0].shown if v is not self.left)


def read_ratings(path: Path, scheme: Scheme) -> list[Incoming]:
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


def _from_csv(path: Path, scheme: Scheme) -> Iterator[Incoming]:
    answers = answer_columns(scheme) | third_answer_columns(scheme)
    for number, cells in enumerate(read_csv(path), 1):
        if number == 1:
            _check_columns(path, set(cells), scheme)
        form = cells["export_schema"]
        if form not in (EXPORT_SCHEMA, RAW_SCHEMA):
            raise UserError(
                f"Row {number} of {path} is of the form {form!r}; this radtui reads {EXPORT_SCHEMA}."
            )
        guarded = form == EXPORT_SCHEMA
        plain = {name: unguard(cell) if guarded else cell for name, cell in cells.items()}
        try:
            yield _csv_row(plain, answers)
        except ValueError as error:
            raise UserError(f"Row {number} of {path} was changed: {error}; export it again.") from error


def _check_columns(path: Path, found: set[str], scheme: Scheme) -> None:
    expected = set(columns(scheme, tuple(Variant) if "dpo_text" in found else TWO_VARIANTS))
    missing = sorted(expected - found - _LATER_COLUMNS)
    unknown = sorted(found - expected)
    if not {"export_schema", "image_sha256", "rater"} <= found:
        raise UserError(f"{path} holds no ratings: name a comparisons.csv or a .jsonl that radtui exported.")
    if missing or unknown:
        names = ", ".join((missing + unknown)[:4])
        raise UserError(
            f"{path} has other columns than the rating scheme {scheme.id} gives ({names});"
            " name the scheme it was rated with with --scheme."
        )


def _csv_row(cells: dict[str, str], answers: dict[str, str]) -> Incoming:
    rating = Rating(
        id=0, job_id=int(cells["job_id"]), image_id=int(cells["image_id"]), rater=cells["rater"],
        occasion=int(cells["occasion"]), scheme=cells["scheme"], scheme_hash=cells["scheme_hash"],
        preference=_number(cells["preference"], -2, 2), both_bad=_yes(cells["both_bad"]),
        base_acceptability=_number(cells["base_acceptability"], 1, 5),
        tuned_acceptability=_number(cells["tuned_acceptability"], 1, 5),
        dpo_acceptability=_number(cells.get("dpo_acceptability", ""), 1, 5),
        answers={key: int(cells[column]) for column, key in answers.items() if cells.get(column)},
        note=cells["note"], flagged=_yes(cells["flagged"]), skipped=_yes(cells["skipped"]),
        blinded=_yes(cells["blinded"]), shown_left=Variant(cells["shown_left"]),
        active_s=float(cells["active_seconds"]), wall_s=float(cells["wall_seconds"]),
        rated_at=datetime.fromisoformat(cells["rated_at"]).timestamp(), shown_right=_right(cells),
    )  # fmt: skip
    role = cells.get("role") or ("repeat" if rating.occasion else "normal")
    return Incoming(
        rating.job_id, rating.image_id, cells["image_sha256"], cells["split"], cells["image_path"],
        cells["base_text"], cells["tuned_text"], rating.rater, rating.occasion, _role(role), None,
        rating.shown_left, (rating,), dpo_text=cells.get("dpo_text", ""),
    )  # fmt: skip


def _from_jsonl(path: Path) -> Iterator[Incoming]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _jsonl_row(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise UserError(
                    f"Line {number} of {path} is no rating that radtui exported ({error}); export it again."
                ) from error


def _jsonl_row(line: dict[str, object]) -> Incoming:
    given: dict = line  # JSON's own types
    if given["export_schema"] != JSONL_SCHEMA:
        raise ValueError(f"it is of the form {given['export_schema']!r}, not {JSONL_SCHEMA}")
    about = {name: given[name] for name in ("job_id", "image_id", "rater", "occasion")}
    snapshots = tuple(_snapshot(about, snapshot) for snapshot in given["history"])
    left = given["assigned_left"] or given["rating"]["shown_left"]
    return Incoming(
        int(about["job_id"]), int(about["image_id"]), str(given["image_sha256"]), str(given["split"]),
        str(given["image_path"]), str(given["base"]["text"]), str(given["tuned"]["text"]), str(about["rater"]),
        int(about["occasion"]), _role(given["role"]), given["sort_key"], Variant(left), snapshots,
        given.get("revealed_at"), str(given["dpo"]["text"]) if "dpo" in given else "",
    )  # fmt: skip


def _snapshot(about: dict, snapshot: dict) -> Rating:
    names = {field.name for field in fields(Rating)}
    values = {name: value for name, value in {**snapshot, **about}.items() if name in names}
    values["shown_left"] = Variant(values["shown_left"])
    values["shown_right"] = _right(values)
    values["answers"] = {str(key): int(count) for key, count in values["answers"].items()}
    return Rating(**values)


def _right(values: Mapping[str, str]) -> Variant:
    """What stood right: said where there were three variants, else the other of the two."""
    said = values.get("shown_right")
    return Variant(said) if said else Variant(values["shown_left"]).opposite


def _number(cell: str, low: int, high: int) -> int | None:
    if not cell:
        return None
    if not low <= int(cell) <= high:
        raise ValueError(f"{cell} is not within {low} to {high}")
    return int(cell)


def _yes(cell: str) -> bool:
    if cell not in ("0", "1"):
        raise ValueError(f"{cell!r} is neither 0 nor 1")
    return cell == "1"


def _role(role: str) -> str:
    if role not in ("normal", "calibration", "repeat"):
        raise ValueError(f"{role!r} is no role of a pair")
    return role
