"""Making a study by hand: arms of several jobs, files of texts and the reference, on chosen cases."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from radtui.paths import expanded
from radtui.plural import many
from radtui.records import Arm, ArmKind, Case, Job, JobKind, Study, StudyArm, UserError
from radtui.store import arms, cases, jobs, studies, texts
from radtui.study.arm_files import read_arm_file
from radtui.study.corrected_arm import CORRECTIONS, texts_as_left
from radtui.study.drawing import PAIRS_PER_CASE

REFERENCE = "reference"
FILE = "file:"


@dataclass(frozen=True, slots=True)
class ArmWish:
    """An arm as the user asks for it: `tuned`, `tuned#7`, `reference`, `corrections`, `file:gpt.csv`; or `name=...`."""

    source: str
    name: str = ""  # "" for a name of its own

    @property
    def path(self) -> Path | None:
        """The file of texts that it is, or None."""
        return expanded(self.source.removeprefix(FILE)) if self.source.startswith(FILE) else None

    @property
    def job_id(self) -> int | None:
        """The job that it names, or None."""
        number = self.source.rpartition("#")[2] if "#" in self.source and self.path is None else ""
        return int(number) if number.isdecimal() else None

    @property
    def arm(self) -> str:
        """Its name in a job."""
        return self.source.rpartition("#")[0] if self.job_id is not None else self.source


def parse_arms(words: Sequence[str]) -> list[ArmWish]:
    """Arms as they stand on a command line, separated by commas.

    Raises:
        UserError: There are fewer than two, or a name is there twice.
    """
    wishes = []
    for word in (part.strip() for each in words for part in each.split(",")):
        name, equals, source = word.partition("=")
        if equals and not name.startswith(FILE):
            wishes.append(ArmWish(source.strip(), name.strip()))
        elif word:
            wishes.append(ArmWish(word))
    if len(wishes) < 2:
        raise UserError("A study compares two arms at least: name them as --arms base,tuned,file:other.csv.")
    return wishes


@dataclass(frozen=True, slots=True)
class Made:
    """A new study, and a sentence for each thing that its maker should know."""

    study: Study
    cases: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _ArmTexts:
    """An arm that was looked up: a job's, or one whose texts are still to be stored."""

    name: str
    kind: ArmKind
    texts: Mapping[int, str]  # by case, of those asked for
    arm: Arm
    job_id: int | None = None


def make_study(
    db: sqlite3.Connection,
    wishes: Sequence[ArmWish],
    case_words: str,
    *,
    job_ids: Sequence[int] = (),
    dataset: str = "",
    name: str = "",
    seed: int = 42,
    pairs_per_case: int = 1,
) -> Made:
    """Make a study; nothing is stored unless all of it can be.

    Args:
        db: The database.
        wishes: Its arms, in the order that a preference points along: what is new comes last.
        case_words: A split, or the path of a file that names a case a line, by number or by its name in its source.
        job_ids: Generation jobs whose arms are meant; by default those that arms name, else the newest.
        dataset: By default that of the jobs, else the newest.
        name: By default made of the number of arms and the cases.
        seed: Order, pairs and sides are drawn by it.
        pairs_per_case: How many pairs of a case each reader sees.

    Raises:
        UserError: An arm, a job, a file or a case is not there, or names clash; the sentence says which.
    """
    sources = _jobs(db, wishes, job_ids)
    dataset = _dataset(db, sources, dataset)
    chosen = chosen_cases(db, dataset, case_words)
    notes: list[str] = []
    looked_up = [_look_up(db, wish, sources, dataset, chosen, notes) for wish in wishes]
    _refuse_same_names(looked_up)
    counts = [sum(case.id in arm_texts.texts for arm_texts in looked_up) for case in chosen]
    asked = [case.id for case, count in zip(chosen, counts, strict=True) if count >= 2]
    if not asked:
        where = f" of job {sources[0].id}" if len(sources) == 1 else ""
        raise UserError(
            f"No case has texts of two of these arms{where}; choose other cases with --cases, or arms of another"
            " job as tuned#3."
        )
    if len(asked) < len(chosen):
        of = many(len(chosen), "case is", "cases are")
        notes.append(f"{len(chosen) - len(asked):,} of {of} left out: fewer than two arms.")
    label = Path(case_words).stem if Path(case_words).is_file() else case_words
    study = Study(
        0, name or f"{len(wishes)} arms on {dataset} {label}", None, dataset, seed,
        tuple(_stored(db, arm_texts) for arm_texts in looked_up), {PAIRS_PER_CASE: pairs_per_case}, 0.0,
    )  # fmt: skip
    return Made(studies.create(db, study, asked), len(asked), tuple(notes))


def _jobs(db: sqlite3.Connection, wishes: Sequence[ArmWish], job_ids: Sequence[int]) -> list[Job]:
    wanted = list(dict.fromkeys([*job_ids, *(wish.job_id for wish in wishes if wish.job_id is not None)]))
    models = any(wish.path is None and wish.source != REFERENCE for wish in wishes)
    if not wanted and models:
        newest = jobs.newest(db, JobKind.GENERATE)
        if newest is None:
            raise UserError("No job has described images yet; run radtui generate first.")
        wanted = [newest.id]
    sources = []
    for job_id in wanted:
        job = jobs.get(db, job_id)
        if job is None or job.kind is not JobKind.GENERATE:
            raise UserError(f"Job {job_id} is no generation job; radtui jobs list shows which there are.")
        if job.state.live:
            raise UserError(f"Job {job_id} is still describing; make the study when it is done.")
        sources.append(job)
    return sources


def _dataset(db: sqlite3.Connection, sources: Sequence[Job], wanted: str) -> str:
    names = sorted({job.dataset for job in sources} | ({wanted} - {""}))
    if len(names) > 1:
        raise UserError(
            f"A study is about one data set, and these are {' and '.join(names)}; choose other jobs."
        )
    known = [summary.name for summary in cases.datasets(db)]
    if not known or (names and names[0] not in known):
        raise UserError(
            f"There is no data set {names[0]!r}; see radtui cases." if names else "Import cases first."
        )
    if not names and len(known) > 1:
        raise UserError(f"Name the data set with --dataset: {', '.join(known)}.")
    return names[0] if names else known[0]


def chosen_cases(db: sqlite3.Connection, dataset: str, words: str) -> list[Case]:
    """The readable cases of a split, or those that a file names a line each, by number or name.

    Raises:
        UserError: There are none, or the file names one that is not there.
    """
    path = expanded(words)
    if not path.is_file():
        usable = cases.get_many(db, cases.usable(db, dataset, words))
        if not usable:
            splits = ", ".join(cases.distinct(db, dataset, "split"))
            raise UserError(f"{words!r} is neither a file of cases nor a split of {dataset}: {splits}.")
        return usable
    everything = cases.get_many(db, cases.find(db, cases.CaseQuery(dataset, unreadable=False)))
    by_number, by_key = {case.id: case for case in everything}, {case.source_key: case for case in everything}
    wanted: dict[int, Case] = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        key = line.strip()
        case = by_key.get(key) or (by_number.get(int(key)) if key.isdecimal() else None)
        if key and case is None:
            raise UserError(f"{path.name} names {key!r}, which is no readable case of {dataset}.")
        if case is not None:
            wanted[case.id] = case
    if not wanted:
        raise UserError(f"{path.name} names no case; write one a line.")
    return list(wanted.values())


def _look_up(
    db: sqlite3.Connection, wish: ArmWish, sources: Sequence[Job], dataset: str, chosen: Sequence[Case],
    notes: list[str],
) -> _ArmTexts:  # fmt: skip
    if wish.path is not None:
        return _of_file(wish, wish.path, chosen, notes)
    if wish.arm == CORRECTIONS:
        left = texts_as_left(db, dataset, [case.id for case in chosen], wish.job_id)
        if not left:
            raise UserError(
                "No text of these cases is corrected or taken as it is; choose the cases whose texts were read with"
                " --cases, or read some with radtui review --arm tuned."
            )
        arm = Arm(0, CORRECTIONS, ArmKind.FILE, model=CORRECTIONS, weights=_digest(left))
        return _note_missing(_ArmTexts(wish.name or wish.source, ArmKind.FILE, left, arm), chosen, notes)
    if wish.source == REFERENCE:
        by_case = {case.id: case.reference for case in chosen if case.reference.strip()}
        if not by_case:
            raise UserError("None of these cases has a reference; leave that arm out.")
        arm = Arm(0, REFERENCE, ArmKind.REFERENCE, weights=_digest(by_case))
        return _note_missing(
            _ArmTexts(wish.name or REFERENCE, ArmKind.REFERENCE, by_case, arm), chosen, notes
        )
    having = [
        (job, arm)
        for job in sources
        for arm in arms.of_job(db, job.id)
        if arm.name == wish.arm and wish.job_id in (None, job.id)
    ]
    if not having:
        known = sorted({f"{arm.name}#{job.id}" for job in sources for arm in arms.of_job(db, job.id)})
        raise UserError(
            f"There is no arm {wish.source!r}; there are {', '.join(known)}, reference, corrections and file:PATH."
        )
    if len(having) > 1:
        names = " or ".join(f"{wish.arm}#{job.id}" for job, _ in having)
        raise UserError(f"Several jobs have an arm {wish.arm!r}; write {names}.")
    job, arm = having[0]
    written = texts.of_arm(db, arm.id, job.id, [case.id for case in chosen])
    by_case = {case_id: text.text for case_id, text in written.items()}
    return _note_missing(
        _ArmTexts(wish.name or wish.source, ArmKind.MODEL, by_case, arm, job.id), chosen, notes
    )


def _note_missing(arm_texts: _ArmTexts, chosen: Sequence[Case], notes: list[str]) -> _ArmTexts:
    if missing := len(chosen) - len(arm_texts.texts):
        notes.append(f"{arm_texts.name} has no text of {missing:,} of {many(len(chosen), 'case')}.")
    return arm_texts


def _of_file(wish: ArmWish, path: Path, chosen: Sequence[Case], notes: list[str]) -> _ArmTexts:
    read = read_arm_file(path, chosen)
    name = wish.name or path.name
    empty = f", {read.empty:,} of them because its text is empty" if read.empty else ""
    if read.missing:
        notes.append(f"{name} has no text of {read.missing:,} of {many(len(chosen), 'case')}{empty}.")
    if read.unknown:
        rows = many(read.unknown, f"row of {path.name} is", f"rows of {path.name} are")
        notes.append(f"{rows} about none of these cases.")
    arm = Arm(0, path.name, ArmKind.FILE, model=path.stem, weights=_digest(read.texts))
    return _ArmTexts(name, ArmKind.FILE, read.texts, arm)


def _digest(by_case: Mapping[int, str]) -> str:
    """What tells one file's texts from those of another of the same name."""
    lines = "\0".join(f"{case_id}\0{text}" for case_id, text in sorted(by_case.items()))
    return sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _refuse_same_names(looked_up: Sequence[_ArmTexts]) -> None:
    names = [arm_texts.name for arm_texts in looked_up]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"Two arms are called {name!r}; rename one, as in --arms other={name}.")
    kinds = [arm_texts.kind for arm_texts in looked_up]
    if kinds.count(ArmKind.REFERENCE) > 1:
        raise UserError("The reference is among the arms twice; keep one.")
    sources = [(arm_texts.arm.id, arm_texts.job_id) for arm_texts in looked_up if arm_texts.arm.id]
    if len(set(sources)) < len(sources):
        raise UserError("One arm is there under two names; keep one of them.")


def _stored(db: sqlite3.Connection, arm_texts: _ArmTexts) -> StudyArm:
    """The arm as the study calls it, with texts of no job in the store."""
    if arm_texts.job_id is not None:
        return StudyArm(arm_texts.name, arm_texts.arm.id, arm_texts.kind, arm_texts.job_id)
    arm = arms.keep(db, arm_texts.arm)
    new = [
        texts.NewText(case_id, arm.id, "", text, 0, 0.0, False) for case_id, text in arm_texts.texts.items()
    ]
    texts.add(db, None, new)
    return StudyArm(arm_texts.name, arm.id, arm_texts.kind)
