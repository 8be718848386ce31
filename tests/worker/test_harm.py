"""Learning from pairs that makes the preferred texts less likely ends itself and says so."""

from __future__ import annotations

import pytest

from radtui.presets import preset
from radtui.records import Job, JobState
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.store.database import connect
from radtui.study.rated_pairs import LEAST_TO_HOLD_BACK, offer
from radtui.study.scheme_file import default_scheme
from radtui.worker.training.harm import LIMIT_NATS, Harm

from .conftest import PLACES, SHAPES, caption, new_job, train_settings
from .test_preferences import after, describe
from .test_train import events, run, series


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, step: int, kind: str, text: str) -> None:
        self.texts.append(f"{step} {kind} {text}")


def test_two_evaluations_in_a_row_end_a_run_and_one_does_not() -> None:
    heard = Heard()
    harm = Harm(0.1, heard)  # type: ignore[arg-type]
    little, much = -0.1 * LIMIT_NATS, -0.1 * (LIMIT_NATS + 2)
    assert [harm.seen(step, reward) for step, reward in enumerate([0.0, much, little, much])] == [False] * 4
    assert heard.texts == []
    assert harm.seen(4, much)
    assert "less likely, by 3.0 nats a text" in heard.texts[0] and "lower learning_rate" in heard.texts[0]


def training(data, mllama, max_steps: int) -> Job:
    job = new_job(
        data, train_settings(mllama, max_steps=max_steps, watch_images=0, eval_every=0, checkpoint_every=0)
    )
    run(data, job)
    jobs.end(connect(data), job.id, JobState.DONE)
    return jobs.must_get(connect(data), job.id)


@pytest.fixture
def learned(data, mllama) -> Job:
    return training(data, mllama, max_steps=1)


def test_a_rate_that_wrecks_the_model_is_noticed_on_held_back_pairs(data, mllama) -> None:
    # What it has learnt to say can become less likely; of a random model's texts any is as likely as before.
    learned = training(data, mllama, max_steps=25)
    describe(
        data,
        learned,
        preference=-2,
        base=lambda number: caption(SHAPES[number % 3], PLACES[number // 3 % 2], number),
    )
    job = after(
        data,
        learned,
        max_steps=12,
        learning_rate=0.9,
        beta=0.02,
        eval_every=1,
        eval_images=4,
        checkpoint_every=50,
    )
    run(data, job)
    warnings = [text for _, text in events(data, job, "warning") if text.startswith("Stopped: the held-back")]
    assert len(warnings) == 1
    assert max(series(data, job, "loss")) < 12  # it did not go on to its end


def test_pairs_are_held_back_where_there_are_enough(data, learned) -> None:
    db = connect(data)
    describe(data, learned, count=LEAST_TO_HOLD_BACK)
    proposed = offer(db, default_scheme(), preset("preferences")).settings
    assert (proposed.eval_every, proposed.eval_images) == (2, 2)
    fewer = preset("preferences").to_dict() | {"eval_every": 7, "eval_images": 3}
    asked = offer(db, default_scheme(), TrainSettings(**fewer)).settings
    assert (asked.eval_every, asked.eval_images) == (7, 3)
