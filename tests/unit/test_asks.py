"""Questions and answers as rows: numbered, assembled from pieces, ended with a reason, and no study's texts."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image as Pillow

from radtui.ask_settings import AskSettings
from radtui.jobs import ask as asking
from radtui.jobs.control import resume
from radtui.records import JobKind, JobState, StopRequest, UserError
from radtui.settings import TrainSettings
from radtui.store import asks, jobs, studies, texts
from tests.conftest import drawn_png


@pytest.fixture
def job(db):
    values = AskSettings(model="tiny", adapter="adapter", train_job=0).to_dict()
    return jobs.create(db, JobKind.ASK, "questions to tiny", "", values)


def asked(question: str = "What is it?", image: str = "ab" * 32) -> asks.NewAsk:
    return asks.NewAsk(question, (image,), "a film", None)


def whole(arm: str, text: str) -> asks.Answer:
    return asks.Answer(arm, text, 4, 2.0, True, False, "", "the prompt", "greedy")


@pytest.fixture
def trained(data, db):
    """A finished training job that has left something that looks like an adapter."""
    settings = TrainSettings(model="org/name", dataset="drawn", instruction="Look.")
    job = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", settings.to_dict())
    data.adapter(job.id).mkdir(parents=True)
    (data.adapter(job.id) / "adapter_config.json").write_text("{}")
    jobs.end(db, job.id, JobState.DONE)
    return job


def test_an_answer_grows_from_pieces_and_is_then_replaced_as_a_whole(db, job):
    number = asks.add(db, job.id, asked())
    assert number == 1
    jobs.begin(db, job.id, 1)
    asks.add_piece(db, job.id, 1, "base", 0, "A brght", 2, 0.5)
    asks.add_piece(db, job.id, 1, "base", 4, "ight disc", 4, 1.0)
    growing = asks.get(db, job.id, 1)
    answer = growing.answers["base"]
    assert (answer.text, answer.tokens, answer.tokens_per_s, answer.whole) == (
        "A bright disc",
        4,
        4.0,
        False,
    )
    assert growing.waits and not growing.error and growing.arms == ("base", "tuned")
    asks.answer(db, job.id, 1, whole("base", "A bright disc."))
    asks.answer(db, job.id, 1, whole("tuned", "A disc."))
    asks.finish(db, job.id, 1)
    done = asks.get(db, job.id, 1)
    assert [each.text for each in done.answers.values()] == ["A bright disc.", "A disc."]
    assert not done.waits and not done.error and done.answers["tuned"].prompt == "the prompt"
    pieces = db.execute("SELECT count(*) FROM events WHERE kind = 'piece'").fetchone()[0]
    assert pieces == 0


def test_questions_are_numbered_and_served_in_order_and_counted_on_the_job(db, job):
    for question in ("one", "two"):
        asks.add(db, job.id, asked(question))
    assert asks.next_open(db, job.id)[1].question == "one"
    asks.finish(db, job.id, 1, error="The image is gone.")
    assert asks.next_open(db, job.id) == (2, asked("two"))
    assert asks.get(db, job.id, 1).error == "The image is gone."
    now = jobs.must_get(db, job.id)
    assert (now.step, now.total_steps) == (1, 2)


def test_a_job_that_ends_takes_no_question_and_one_with_a_question_does_not_end(db, job):
    asks.add(db, job.id, asked())
    assert not asks.close(db, job.id, "idle")
    assert jobs.must_get(db, job.id).state is JobState.STARTING
    asks.finish(db, job.id, 1)
    assert asks.close(db, job.id, "idle")
    assert asks.add(db, job.id, asked()) is None


def test_a_job_that_is_asked_to_stop_takes_no_question(db, job):
    jobs.request_stop(db, job.id, StopRequest.CHECKPOINT)
    assert asks.add(db, job.id, asked()) is None


def test_a_worker_that_dies_leaves_what_it_wrote_with_the_reason(db, job):
    asks.add(db, job.id, asked())
    jobs.begin(db, job.id, 1)
    asks.add_piece(db, job.id, 1, "base", 0, "A bri", 2, 0.5)
    jobs.settle(db, job.id, JobState.LOST, "The worker was killed; read its log.")
    left = asks.get(db, job.id, 1)
    assert left.answers["base"].text == "A bri" and not left.waits
    assert left.error == "Not answered to the end: The worker was killed; read its log. Ask again."


def test_asks_are_no_texts_and_open_no_study(db, job):
    asks.add(db, job.id, asked())
    asks.answer(db, job.id, 1, whole("base", "A disc."))
    asks.finish(db, job.id, 1)
    assert texts.count(db, job.id) == 0 and texts.finished(db, job.id) == []
    assert studies.all_studies(db) == [] and studies.with_comparisons(db) == {}
    assert db.execute("SELECT count(*) FROM texts").fetchone()[0] == 0


def test_an_ask_job_is_never_resumed(data, db, job):
    jobs.end(db, job.id, JobState.STOPPED)
    assert not jobs.must_get(db, job.id).resumable
    with pytest.raises(UserError, match="has answered what it was asked; ask again"):
        resume(data, db, job.id)


def test_questions_of_an_image_are_found_by_its_content_newest_first(db, job):
    for question, image in (("one", "aa" * 32), ("other", "bb" * 32), ("two", "aa" * 32)):
        asks.add(db, job.id, asked(question, image))
    assert [each.question for each in asks.of_images(db, ["aa" * 32])] == ["two", "one"]


def test_images_are_named_by_case_by_sha256_and_by_file(data, db, add_images, tmp_path):
    (case_id,) = add_images(1)
    by_case = asking.find(data, db, str(case_id))
    assert by_case.case_id == case_id and by_case.name == "test-000.png"
    by_content = asking.find(data, db, by_case.images[0][:10])
    assert by_content.images == by_case.images and by_content.case_id is None
    file = tmp_path / "Doe^Jane.png"
    file.write_bytes(drawn_png(7))
    by_file = asking.find(data, db, str(file))
    assert by_file.images == (hashlib.sha256(drawn_png(7)).hexdigest(),)
    assert by_file.name == "a file of 64 x 64 px"  # its own might be a patient's
    assert Pillow.open(io.BytesIO(by_file.picture)).mode == "RGB"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("99", "There is no image 99: name a file"),
        ("abcdef0123", "There is no image abcdef0123: name a file"),
        ("nowhere.png", "There is no image nowhere.png: name a file"),
    ],
)
def test_a_wrong_image_is_one_sentence(data, db, text, sentence):
    with pytest.raises(UserError, match=sentence):
        asking.find(data, db, text)


def test_a_file_that_is_no_image_is_one_sentence(data, db, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=r"Cannot ask about .*notes\.txt: "):
        asking.find(data, db, str(tmp_path / "notes.txt"))


def test_two_questions_to_one_model_go_to_one_worker(data, db, add_images, trained, launched):
    (case_id,) = add_images(1)
    of_case = asking.find(data, db, str(case_id))
    first = asking.submit_ask(data, db, of_case, AskSettings())
    second = asking.submit_ask(data, db, of_case, AskSettings(), "Which side?")
    assert [first[1], second[1]] == [1, 2] and first[0] == second[0] and launched == [first[0]]
    questions = [each.question for each in reversed(asks.of_images(db, of_case.images))]
    assert questions == ["Look.", "Which side?"]
    job = jobs.must_get(db, first[0])
    assert job.parent_job_id == trained.id and job.settings["adapter"] == str(data.adapter(trained.id))


def test_another_model_sends_a_worker_away_that_has_nothing_to_answer(
    data, db, add_images, trained, launched
):
    (case_id,) = add_images(1)
    of_case = asking.find(data, db, str(case_id))
    job_id, number = asking.submit_ask(data, db, of_case, AskSettings())
    asks.finish(db, job_id, number)
    other, _ = asking.submit_ask(data, db, of_case, AskSettings(model="org/other"))
    assert other != job_id
    assert jobs.must_get(db, job_id).stop_requested is StopRequest.CHECKPOINT
    assert asks.newest_of(db, other).arms == ("base",)


def test_without_a_training_job_the_sentence_names_the_way(data, db, add_images):
    (case_id,) = add_images(1)
    with pytest.raises(UserError, match="No training job has finished yet; train first, or name a model"):
        asking.submit_ask(data, db, asking.find(data, db, str(case_id)), AskSettings())


def test_a_model_that_is_gone_is_one_sentence(data, db, add_images, trained, launched):
    (case_id,) = add_images(1)
    of_case = asking.find(data, db, str(case_id))
    with pytest.raises(UserError, match="There is no model folder /gone/model"):
        asking.submit_ask(data, db, of_case, AskSettings(model="/gone/model"))
    (data.adapter(trained.id) / "adapter_config.json").unlink()
    with pytest.raises(UserError, match=f"Job {trained.id} has left no adapter"):
        asking.submit_ask(data, db, of_case, AskSettings())
    assert launched == []
