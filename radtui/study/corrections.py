"""What readers have corrected or taken as it is: the texts of one adapter that it can learn from."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from radtui.measures.scheme import Scheme, acceptability_answer, accepted_answer, parse_error_answer
from radtui.records import Case, Job, Rating
from radtui.settings import TrainSettings
from radtui.store import held_out, studies
from radtui.study.preferences import TEST_SPLIT
from radtui.study.study import rated, read_review

# Of a review's reasons, those that count here.
LEFT_OUT = ("other_scheme", "other_version", "repeats", "calibration")


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text that a reader has corrected or taken as it is.

    `text` is what is learnt; `written` is what the model wrote; `asked` what it was asked, before any chat template.
    """

    case: Case
    asked: str
    written: str
    text: str
    rater: str
    rated_at: float  # Unix time, s

    @property
    def corrected(self) -> bool:
        """Whether the reader changed anything."""
        return self.text.split() != self.written.split()


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """The texts fit to learn from, corrected and accepted ones, and how many are not, by reason."""

    texts: tuple[ReadText, ...]
    left_out: dict[str, int]

    @property
    def corrected(self) -> int:
        """How many of them were changed."""
        return sum(text.corrected for text in self.texts)

    @property
    def accepted(self) -> int:
        """How many of them were taken as they are."""
        return len(self.texts) - self.corrected


def read_texts(db: sqlite3.Connection, job: Job, scheme: Scheme) -> ReadTexts:
    """What a training job can learn: texts that its adapter wrote, as readers left them, over all studies.

    A correction counts before an acceptance, and of several readers' corrections of one text the newest. Whether the
    reader knew whose text it was does not matter. Left out are texts of held-out splits, of cases and patients that
    are in these too, accepted ones in which a reader counted a significant error, and what does not count in any
    statistic: repeats, calibration, other schemes.

    Args:
        db: The database.
        job: The training job that left the adapter.
        scheme: What readers were asked.
    """
    splits = {TEST_SPLIT, TrainSettings.from_dict(job.settings).eval_split.casefold()} - {""}
    patients = held_out.patients(db, splits)
    left_out: Counter[str] = Counter()
    newest: dict[tuple[int, str, str], ReadText] = {}
    for read_text in _answered(db, job, scheme, left_out):
        reason = _reason_against(read_text, splits, patients)
        key = (read_text.case.id, read_text.asked, " ".join(read_text.written.split()))
        before = newest.get(key)
        if reason:
            left_out[reason] += 1
        elif before is None:
            newest[key] = read_text
        else:
            left_out["superseded"] += 1
            newest[key] = max(before, read_text, key=lambda each: (each.corrected, each.rated_at))
    return ReadTexts(tuple(_apart(newest.values())), {why: n for why, n in left_out.items() if n})


def _answered(db: sqlite3.Connection, job: Job, scheme: Scheme, left_out: Counter[str]) -> Iterator[ReadText]:
    """Every text of the adapter that a rating accepts or corrects; what is left out on the way is counted."""
    for study, own in studies.of_adapter(db, job.id):
        instructions = studies.instructions(db, study)
        review = read_review(db, study, scheme)
        kept, why = review.counting(include_unblinded=True)
        left_out.update({name: n for name, n in why.by_reason.items() if name in LEFT_OUT})
        counts = {id(rating) for rating in kept}
        for rating, case, comparison in rated(db, review):
            if id(rating) not in counts:
                continue
            left_out["of_another_arm"] += sum(arm not in own for arm in rating.corrections)
            for arm in own:
                if arm not in rating.shown or arm not in comparison.texts:
                    continue
                written = comparison.by(arm).text.strip()
                text = _as_left(rating, arm, written, scheme)
                if text == written and _has_significant_error(rating, arm):
                    left_out["accepted_with_significant_error"] += 1
                elif text is not None:
                    asked = case.asked(instructions[arm])
                    yield ReadText(case, asked, written, text, rating.rater, rating.rated_at)


def _as_left(rating: Rating, arm: str, written: str, scheme: Scheme) -> str | None:
    """The text as the reader wants it; None where nothing was said that it can be learnt by."""
    if arm in rating.corrections:
        return rating.corrections[arm].strip()
    best = max((level.value for level in scheme.acceptability), default=None)
    as_is = best is not None and rating.answers.get(acceptability_answer(arm)) == best
    return written if as_is or rating.answers.get(accepted_answer(arm)) == 1 else None


def _has_significant_error(rating: Rating, arm: str) -> bool:
    about = ((parse_error_answer(key), count) for key, count in rating.answers.items())
    return any(error is not None and error[0] == arm and error[2] and count for error, count in about)


def _reason_against(read_text: ReadText, splits: Collection[str], patients: Collection[str]) -> str:
    """Why a text is not learnt from, or "" when it is."""
    if read_text.case.split.casefold() in splits:
        return "held_out_split"
    if read_text.case.patient and read_text.case.patient in patients:
        return "held_out_patient"
    if read_text.case.leaked:
        return "same_image_in_another_split"
    return "" if read_text.text else "empty_text"


def _apart(texts: Collection[ReadText]) -> Iterator[ReadText]:
    """Each text of a case once, in the order of the cases: several samples may have been corrected to the same."""
    seen = set()
    for read_text in sorted(texts, key=lambda each: (each.case.id, not each.corrected, each.rated_at)):
        key = (read_text.case.id, read_text.asked, " ".join(read_text.text.split()))
        if key not in seen:
            seen.add(key)
            yield read_text
