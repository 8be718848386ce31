"""Jobs as runs: figures, differences, order, cost."""

import pytest

from radtui.jobs.run_table import RunBook, differences, energy_text, holds, ordered, spent_text
from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import jobs, metrics
from radtui.user_choices import SORTS, UserChoices
from tests.tui.seeding import add_images, add_train


def train(db, losses, held_out=(), **settings):
    job = jobs.create(db, JobKind.TRAIN, "m on d", "d", TrainSettings(dataset="d", **settings).to_dict())
    jobs.begin(db, job.id, 1)
    for step, loss in enumerate(losses, start=1):
        metrics.log_step(db, job.id, step, len(losses), 0.1, step, {"loss": loss})
    for step, loss in held_out:
        metrics.log_step(db, job.id, step, len(losses), 0.1, step, {"eval_loss": loss})
    jobs.progress(db, job.id, len(losses), len(losses))
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)


def booked(db):
    book, known = RunBook(), jobs.all_jobs(db)
    book.take(book.read(db, known))
    return book, book.runs(known)


def test_a_runs_loss_is_the_mean_of_its_last_steps_and_the_held_out_one_its_last(db):
    train(db, [5.0] * 38 + [2.0, 1.0], [(20, 3.0), (40, 2.5)])
    _, (run,) = booked(db)
    assert run.figures.loss == pytest.approx(1.5) and run.figures.held_out == 2.5


def test_losses_that_were_not_finite_are_left_out(db):
    train(db, [5.0, 2.0, float("nan")])
    _, (run,) = booked(db)
    assert run.figures.loss == 2.0 and run.figures.held_out is None


def test_f1_of_a_training_is_that_of_what_it_wrote(db):
    first = train(db, [1.0])
    train(db, [1.0])
    describe = jobs.create(db, JobKind.GENERATE, "g", "d", {}, parent_job_id=first.id)
    jobs.set_result(db, describe.id, f1={"base": 0.25, "tuned": 0.75})
    learnt = jobs.create(db, JobKind.GENERATE, "g", "d", {"split": "train"}, parent_job_id=first.id)
    # Of images that it has learnt from: no figure of the training.
    jobs.set_result(db, learnt.id, f1={"tuned": 1.0})
    _, runs = booked(db)
    assert [run.figures.f1 for run in runs] == [1.0, 0.75, None, 0.75]


def test_what_has_ended_is_read_once_and_what_goes_on_again(data, db):
    add_images(data, db)
    train(db, [1.0])
    live = add_train(db, steps=20)
    book, _ = booked(db)
    assert book.lacking(jobs.all_jobs(db)) == []
    metrics.log_step(db, live.id, 40, 300, 0.4, 16, {"loss": 1.0})
    assert [job.id for job in book.lacking(jobs.all_jobs(db))] == [live.id]


def test_a_run_is_told_by_what_differs_from_the_one_before_it(db):
    train(db, [1.0])
    train(db, [1.0], lora_r=32, dora=True)
    train(db, [1.0], lora_r=32, dora=True, then="make coffee")
    known = jobs.all_jobs(db)
    told = [differences(job, known[at + 1 :]) for at, job in enumerate(known)]
    assert told == ["", "lora r 32, dora yes", ""]


def test_what_descriptions_take_from_their_training_job_is_no_difference(db):
    trained = train(
        db, [1.0], instruction="What is seen?", load_in_4bit=False, batch_size=4, message_order="text_first"
    )
    taken = {
        "instruction": "What is seen?",
        "message_order": "text_first",
        "load_in_4bit": False,
        "dataset": "d",
    }
    settings = GenerateSettings(train_job=trained.id, max_new_tokens=64).to_dict() | taken
    described = jobs.create(db, JobKind.GENERATE, "by #1", "d", settings, parent_job_id=trained.id)
    assert differences(described, [trained]) == "max new tokens 64"
    other = jobs.create(
        db, JobKind.GENERATE, "by #1", "d", settings | {"batch_size": 4}, parent_job_id=trained.id
    )
    assert differences(other, [described, trained]) == "batch size 4"


def test_runs_are_sorted_with_what_is_not_known_last(db):
    for loss, name in ((3.0, "b"), (1.0, "c"), (2.0, "a")):
        jobs.say_of(db, train(db, [loss], [(1, 4 - loss)]).id, name=name)
    jobs.create(db, JobKind.IMPORT, "z", "d", {})
    _, runs = booked(db)

    def names(sort):
        return "".join(run.job.name for run in ordered(runs, sort, 0.0))

    assert names("newest") == "zacb" and names("loss") == "cabz" and names("held-out") == "bacz"
    assert names("name") == "abcz" and names("F1") == "zacb"
    assert all(len(ordered(runs, sort, 0.0)) == 4 for sort in SORTS)


def test_all_words_are_to_be_held_whatever_their_case():
    assert holds(["Rank 32", "failed"], ["FAILED", "rank"]) and not holds(["Rank 32"], ["rank", "64"])


def test_cost_and_energy_are_told_where_they_are_known(db):
    job = train(db, [1.0])
    assert spent_text(job, 7200.0, UserChoices()) == ""
    assert spent_text(job, 7200.0, UserChoices(price_per_hour=1.25, currency="EUR")) == "2.50 EUR"
    assert spent_text(job, None, UserChoices(price_per_hour=1.25)) == ""
    jobs.set_result(db, job.id, energy_wh=41.7)
    assert spent_text(jobs.must_get(db, job.id), 3600.0, UserChoices(price_per_hour=2.0)) == "42 Wh · 2.00"
    assert [energy_text(each) for each in (0.04, 9.96, 999.0, 1340.0)] == [
        "0.0 Wh",
        "10.0 Wh",
        "999 Wh",
        "1.3 kWh",
    ]


def test_many_differences_are_counted(db):
    train(
        db,
        [1.0],
        lora_r=8,
        lora_alpha=8,
        seed=1,
        epochs=2.0,
        batch_size=2,
        warmup_steps=1,
        dora=True,
        rslora=True,
    )
    (job,) = jobs.all_jobs(db)
    assert differences(job, []).endswith(" and 2 more") and differences(job, []).count(",") == 5
