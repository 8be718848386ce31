"""Generation jobs: what base and tuned write, in which order, and what becomes of an interrupted one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Job, StopRequest, UserError
from radtui.settings import GenerateSettings
from radtui.store import arms, cases, jobs, metrics, studies
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker.describing import describe, generate, preparing
from radtui.worker.model import adapters, backend, model
from radtui.worker.model import examples as items
from radtui.worker.process.reporter import Reporter, Stopped

from .conftest import new_job, train_settings

INSTRUCTION = "Describe what you see."


@pytest.fixture(scope="module")
def adapter(mllama, tmp_path_factory) -> Path:
    """An adapter with random matrices: it changes the model's texts, whatever they are."""
    return random_adapter(mllama, tmp_path_factory.mktemp("adapter"), 1)


@pytest.fixture(scope="module")
def second(mllama, tmp_path_factory) -> Path:
    """Another one."""
    return random_adapter(mllama, tmp_path_factory.mktemp("second"), 2)


def random_adapter(mllama, folder: Path, seed: int) -> Path:
    import torch

    settings = train_settings(mllama)
    how = backend.plan(settings)
    network, _ = model.load(str(mllama), how)
    network = adapters.with_adapter(network, how, settings)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    network.save_pretrained(folder)
    return folder


def settings(base, tuned, **changes) -> GenerateSettings:
    values = {
        "model": str(base), "adapter": str(tuned), "dataset": "shapes", "instruction": INSTRUCTION,
        "message_order": "image_first", "max_new_tokens": 12, "batch_size": 3, "load_in_4bit": False,
    } | changes  # fmt: skip
    return GenerateSettings(**values)


def run(data: DataDir, job: Job, stop_after: int = 0, anew: bool = True) -> None:
    """One process's worth of a job, stopped once `stop_after` texts are there.

    With `anew`, texts of the jobs before it are another model's, so that it takes none of them over.
    """
    db = connect(data)
    if anew:
        db.execute("UPDATE texts SET model = model || ' of text ' || id")
        db.commit()
    jobs.begin(db, job.id, 1)

    class Interrupter(Reporter):
        def described(self, batch):
            new = super().described(batch)
            if stop_after and len(stored.finished(self.db, self.job_id)) >= stop_after:
                jobs.request_stop(self.db, self.job_id, StopRequest.NOW)
            return new

    generate.run(jobs.must_get(db, job.id), data, db, Interrupter(db, job.id))


def texts(data: DataDir, job: Job) -> dict[tuple[int, str], str]:
    return {(d.case_id, d.arm): d.text for d in stored.finished(connect(data), job.id)}


def test_every_image_gets_a_pair_and_pairs_come_early(data, mllama, adapter):
    job = new_job(data, settings(mllama, adapter))
    run(data, job)
    written = stored.finished(connect(data), job.id)
    order = cases.usable(connect(data), "shapes", "test")
    assert [d.case_id for d in written[:6]] == order[:3] * 2
    assert [d.arm for d in written[:6]] == ["base"] * 3 + ["tuned"] * 3
    assert len(texts(data, job)) == 16 == len(written)
    assert any(texts(data, job)[i, "base"] != texts(data, job)[i, "tuned"] for i in order)
    one = written[0]
    assert (one.decoding, one.step) == ("greedy, at most 12 tokens", None)
    assert INSTRUCTION in one.prompt != INSTRUCTION
    assert 0 < one.tokens <= 12 and one.seconds > 0 and one.truncated == (one.tokens == 12)
    done = jobs.must_get(connect(data), job.id)
    assert (done.step, done.total_steps) == (16, 16) and done.message.startswith("Wrote 16 descriptions, ")
    assert done.result["base_descriptions"] == done.result["tuned_descriptions"] == 8
    _, processor = model.describe(str(mllama))
    assert done.result["template"] == processor.chat_template
    assert one.prompt == describe.asked(processor, INSTRUCTION, "image_first")


def test_base_through_the_disabled_adapter_is_the_base_model_token_for_token(data, mllama, adapter):
    how = backend.plan(train_settings(mllama))
    records = cases.get_many(connect(data), cases.usable(connect(data), "shapes", "test"))
    pictures = [items.open_images(each, 0) for each in items.examples(records, data)]
    names = [each.id for each in records]
    decoding = describe.Decoding(24)

    alone, processor = model.load(str(mllama), how)
    prompts = [describe.asked(processor, INSTRUCTION, "image_first")] * len(pictures)
    inputs = describe.prepare(processor, pictures, prompts)
    expected = alone.eval().generate(**inputs, max_new_tokens=24, do_sample=False)
    tuned = adapters.load_adapter(model.load(str(mllama), how)[0], str(adapter), how)
    with tuned.disable_adapter():
        found = tuned.generate(**inputs, max_new_tokens=24, do_sample=False)
        base = describe.describe(tuned, processor, inputs, decoding, names)
    assert found.tolist() == expected.tolist()
    assert base[0].text == describe.describe(alone, processor, inputs, decoding, names)[0].text
    assert [t.text for t in describe.describe(tuned, processor, inputs, decoding, names)] != [
        t.text for t in base
    ]


def test_an_interrupted_job_goes_on_with_what_is_missing(data, mllama, adapter):
    whole, parts = (new_job(data, settings(mllama, adapter)) for _ in range(2))
    run(data, whole)
    with pytest.raises(Stopped):
        run(data, parts, stop_after=9)
    before = stored.finished(connect(data), parts.id)
    assert len(before) == 9
    run(data, parts)
    after = stored.finished(connect(data), parts.id)
    assert after[:9] == before and len(after) == 16
    assert texts(data, parts) == texts(data, whole)
    done = jobs.must_get(connect(data), parts.id)
    assert done.step == 16 and done.result["tuned_descriptions"] == 8


def test_a_finished_job_started_again_writes_nothing_and_loads_nothing(data, mllama, adapter, monkeypatch):
    job = new_job(data, settings(mllama, adapter))
    run(data, job)
    monkeypatch.setattr(model, "load", lambda *_, **__: pytest.fail("loaded a model for nothing"))
    run(data, job)
    assert len(stored.finished(connect(data), job.id)) == 16


@pytest.mark.parametrize("changes", [{}, {"temperature": 1.5, "min_p": 0.1}])
def test_a_text_does_not_depend_on_its_batch(data, mllama, adapter, changes):
    one_by_one = new_job(data, settings(mllama, adapter, batch_size=1, **changes))
    together = new_job(data, settings(mllama, adapter, batch_size=8, **changes))
    run(data, one_by_one)
    run(data, together)
    assert texts(data, together) == texts(data, one_by_one)


@pytest.mark.slow
def test_sampling_repeats_with_its_seed_and_changes_with_another(data, mllama, adapter):
    sampled = [
        new_job(data, settings(mllama, adapter, temperature=1.5, min_p=0.1, seed=seed)) for seed in (7, 7, 8)
    ]
    greedy = new_job(data, settings(mllama, adapter))
    for job in (*sampled, greedy):
        run(data, job)
    first, second, other = (texts(data, job) for job in sampled)
    assert first == second
    assert first != other != texts(data, greedy) != first
    assert {d.decoding for d in stored.finished(connect(data), sampled[2].id)} == {
        "t=1.5 min_p=0.1 seed=8, at most 12 tokens"
    }


def test_a_full_gpu_halves_the_batch_and_says_so(data, mllama, adapter, monkeypatch):
    import torch

    whole = describe.describe

    def only_two(network, processor, inputs, decoding, names):
        if len(names) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(network, processor, inputs, decoding, names)

    undisturbed, job = (new_job(data, settings(mllama, adapter, batch_size=8)) for _ in range(2))
    run(data, undisturbed)
    monkeypatch.setattr(describe, "describe", only_two)
    run(data, job)
    said = [e.text for e in metrics.events_since(connect(data), job.id, 0) if e.kind == "memory"]
    assert [text.rsplit(" ", 1)[-1] for text in said] == ["4", "2"]
    assert texts(data, job) == texts(data, undisturbed)
    assert jobs.must_get(connect(data), job.id).result["batch_size"] == 2


def test_without_a_gpu_batches_grow_while_they_are_quick(data, mllama, adapter, monkeypatch):
    monkeypatch.setattr(generate, "FIRST_BATCH", 1)
    monkeypatch.setattr(generate, "LARGEST_CPU_BATCH", 4)
    sizes = []
    whole = describe.describe

    def spy(network, processor, inputs, decoding, names):
        sizes.append(len(names))
        return whole(network, processor, inputs, decoding, names)

    monkeypatch.setattr(describe, "describe", spy)
    growing, fixed = (new_job(data, settings(mllama, adapter, batch_size=size)) for size in (0, 3))
    run(data, growing)
    assert sizes == [1, 1, 2, 2, 4, 4, 1, 1]
    monkeypatch.setattr(generate, "QUICK_S", 0.0)
    sizes.clear()
    slow = new_job(data, settings(mllama, adapter, batch_size=0))
    run(data, slow)
    assert sizes == [1] * 16
    run(data, fixed)
    assert texts(data, growing) == texts(data, fixed) == texts(data, slow)


@pytest.mark.parametrize(("fits", "prepared"), [(4, [1, 4, 3]), (2, [1, 4, 2, 2, 2, 1])])
def test_the_size_that_is_foreseen_is_prepared_while_the_first_chunk_is_written(
    data, mllama, adapter, monkeypatch, fits, prepared
):
    monkeypatch.setattr(generate, "FIRST_BATCH", 1)
    sizes, whole, write = [], preparing.Preparing.inputs, generate._Writer._write_chunk

    def counted(preparation, chunk):
        sizes.append(len(chunk))
        return whole(preparation, chunk)

    def measuring(writer, chunk, inputs):
        done = write(writer, chunk, inputs)
        writer.batch_size, writer.grows = fits, False
        return done

    monkeypatch.setattr(preparing.Preparing, "inputs", counted)
    monkeypatch.setattr(generate._Writer, "_write_chunk", measuring)
    monkeypatch.setattr(
        generate._Writer,
        "_expected",
        lambda writer, _: 4 if writer.batch_size == 1 else writer.batch_size,
    )
    job = new_job(data, settings(mllama, adapter, batch_size=0))
    run(data, job)
    assert sizes == prepared and len(texts(data, job)) == 16


def test_a_model_is_not_given_types_of_tokens_that_it_does_not_take():
    import torch

    class Plain(torch.nn.Module):
        def forward(self, input_ids): ...

    class Typed(torch.nn.Module):
        def forward(self, input_ids, mm_token_type_ids=None): ...

    inputs = {"input_ids": torch.ones(1, 2), "mm_token_type_ids": torch.zeros(1, 2)}
    assert describe._taken(Plain(), inputs).keys() == {"input_ids"}
    assert describe._taken(Typed(), inputs) is inputs


@pytest.mark.parametrize(
    ("cores", "ranks", "threads"), [(1, 1, 1), (2, 1, 2), (16, 1, 4), (16, 8, 2), (4, 8, 1)]
)
def test_images_are_read_by_a_rank_s_share_of_the_cores(cores, ranks, threads):
    assert preparing.readers(cores, ranks) == threads


def test_images_read_by_several_threads_stay_in_order_and_the_first_that_cannot_be_is_named(monkeypatch):
    later, broken = threading.Event(), set()

    def opened(case, max_side_px):
        if case.case_id in broken:
            raise UserError(f"{case.name} cannot be decoded")
        if case.case_id == 0:
            assert later.wait(60)  # until the one behind it is there
        later.set()
        return [case.name]

    monkeypatch.setattr(items, "open_images", opened)
    monkeypatch.setattr(preparing, "readers", lambda cores, ranks: 2)
    monkeypatch.setattr(describe, "prepare", lambda processor, pictures, prompts: (pictures, prompts))
    monkeypatch.setattr(describe, "made_ready", lambda model, inputs: inputs)
    listed = [items.Example(number, f"{number}.png", (), "") for number in range(5)]
    before = threading.active_count()
    with preparing.Preparing(None, None, {n: f"?{n}" for n in range(5)}, 0) as ahead:
        assert ahead.inputs(listed) == ([[f"{n}.png"] for n in range(5)], [f"?{n}" for n in range(5)])
        broken.update((2, 4))
        with pytest.raises(UserError, match=r"2\.png cannot be decoded"):
            ahead.inputs(listed)
    assert threading.active_count() == before


def test_a_job_queued_behind_an_import_finds_its_images_itself(data, mllama, adapter):
    job = new_job(data, settings(mllama, adapter, limit=2))
    run(data, job)
    assert stored.work_list(connect(data), job.id) == cases.usable(connect(data), "shapes", "test")[:2]


def test_images_are_asked_about_in_the_size_and_order_of_the_settings(data, mllama, adapter, monkeypatch):
    seen = []
    prepare = describe.prepare

    def spy(processor, pictures, prompts):
        seen.append((max(max(p.size) for each in pictures for p in each), *set(prompts)))
        return prepare(processor, pictures, prompts)

    monkeypatch.setattr(describe, "prepare", spy)
    job = new_job(
        data, settings(mllama, adapter, max_side_px=40, message_order="text_first", instruction="What?")
    )
    run(data, job)
    _, processor = model.describe(str(mllama))
    assert set(seen) == {(40, describe.asked(processor, "What?", "text_first"))}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"adapter": "/nowhere"}, "no adapter in /nowhere"),
        ({"split": "validation"}, "no readable images in split 'validation'"),
        ({"model": "/nowhere"}, "The model /nowhere was not found"),
        ({"temperature": 9.0}, "temperature must be 0 to 5, not 9"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(data, mllama, adapter, changes, sentence):
    job = new_job(data, settings(mllama, adapter, **changes))
    with pytest.raises(UserError, match=sentence) as raised:
        run(data, job)
    assert "\n" not in str(raised.value)


def test_the_adapter_of_another_model_is_refused(data, mllama, adapter, tmp_path):
    import json
    import shutil

    wrong = tmp_path / "wrong"
    shutil.copytree(adapter, wrong)
    config = json.loads((wrong / "adapter_config.json").read_text())
    (wrong / "adapter_config.json").write_text(json.dumps(config | {"r": config["r"] * 2}))
    job = new_job(data, settings(mllama, wrong))
    with pytest.raises(UserError, match="does not fit this model"):
        run(data, job)


def test_three_arms_are_each_what_they_are_alone(data, mllama, adapter, second):
    three = new_job(data, settings(mllama, adapter, more_adapters=f"dpo={second}"))
    run(data, three)
    tuned, other = new_job(data, settings(mllama, adapter)), new_job(data, settings(mllama, second))
    run(data, tuned)
    run(data, other)
    found, alone, dpo = texts(data, three), texts(data, tuned), texts(data, other)
    order = cases.usable(connect(data), "shapes", "test")
    assert len(found) == 3 * len(order)
    for case_id in order:
        assert found[case_id, "base"] == alone[case_id, "base"]
        assert found[case_id, "tuned"] == alone[case_id, "tuned"]
        assert found[case_id, "dpo"] == dpo[case_id, "tuned"] != found[case_id, "tuned"]
    written = stored.finished(connect(data), three.id)
    assert [d.arm for d in written[:9]] == [name for name in ("base", "tuned", "dpo") for _ in range(3)]
    ended = jobs.must_get(connect(data), three.id)
    assert ended.total_steps == 24 and ended.result["dpo_descriptions"] == 8


def test_three_arms_go_on_with_what_is_missing(data, mllama, adapter, second):
    whole, parts = (new_job(data, settings(mllama, adapter, more_adapters=f"dpo={second}")) for _ in range(2))
    run(data, whole)
    with pytest.raises(Stopped):
        run(data, parts, stop_after=12)
    db = connect(data)
    assert 0 < len(studies.comparison_ids(db, studies.of_job(db, parts.id))) < 8
    run(data, parts)
    assert texts(data, parts) == texts(data, whole)
    assert len(studies.comparison_ids(db, studies.of_job(db, parts.id))) == 8


def test_a_third_adapter_that_is_none_is_refused(data, mllama, adapter, tmp_path):
    job = new_job(data, settings(mllama, adapter, more_adapters=f"dpo={tmp_path}"))
    with pytest.raises(UserError, match="There is no adapter in"):
        run(data, job)


def test_a_second_job_with_the_same_settings_writes_nothing_and_has_all_at_once(
    data, mllama, adapter, monkeypatch
):
    first, second = (new_job(data, settings(mllama, adapter)) for _ in range(2))
    run(data, first)
    monkeypatch.setattr(describe, "describe", lambda *_: pytest.fail("wrote a text twice"))
    run(data, second, anew=False)
    db = connect(data)
    assert texts(data, second) == texts(data, first)
    assert {d.text_id for d in stored.finished(db, second.id)} == {
        d.text_id for d in stored.finished(db, first.id)
    }
    done = jobs.must_get(db, second.id)
    assert done.step == 16 and done.message.startswith("Wrote 0 descriptions")
    assert done.result["base_descriptions"] == 8
    assert len(studies.comparison_ids(db, studies.of_job(db, second.id))) == 8
    (event,) = [e.text for e in metrics.events_since(db, second.id, 0) if e.kind == "data"]
    assert event.startswith("16 texts were written before")


def test_only_what_differs_is_written_anew(data, mllama, adapter, second):
    run(data, new_job(data, settings(mllama, adapter)))
    other = new_job(data, settings(mllama, second))
    run(data, other, anew=False)
    db = connect(data)
    assert jobs.must_get(db, other.id).message.startswith("Wrote 8 descriptions")  # by tuned; base is there
    base, tuned = arms.of_job(db, other.id)
    assert (base.adapter, tuned.adapter.split(", ")[0]) == ("", second.name)
    assert base.instruction == tuned.instruction == INSTRUCTION and base.weights == tuned.weights != ""
    longer = new_job(data, settings(mllama, adapter, max_new_tokens=13))
    run(data, longer, anew=False)
    assert jobs.must_get(db, longer.id).message.startswith("Wrote 16 descriptions")


def test_a_case_is_asked_its_own_question_and_shown_all_its_images(data, mllama, adapter):
    db = connect(data)
    own, *others = cases.usable(db, "shapes", "test")
    db.execute("UPDATE cases SET question = 'Which side?' WHERE id = ?", (own,))
    db.execute(
        "INSERT INTO case_images SELECT case_id, 1,"
        " (SELECT sha256 FROM case_images WHERE case_id = ?), '', 'lateral', ''"
        " FROM case_images WHERE case_id = ?",
        (others[0], own),
    )
    db.commit()
    job = new_job(data, settings(mllama, adapter, batch_size=2))
    run(data, job)
    _, processor = model.describe(str(mllama))
    prompts = {d.case_id: d.prompt for d in stored.finished(db, job.id)}
    assert prompts[own] == describe.asked(processor, "Which side?", "image_first", 2)
    assert {prompts[case_id] for case_id in others} == {describe.asked(processor, INSTRUCTION, "image_first")}
    assert len(texts(data, job)) == 16


def test_a_model_of_one_image_sees_the_first_and_that_is_said_once(data, mllama, adapter, monkeypatch):
    monkeypatch.setattr(items, "takes_several", lambda processor: False)
    db = connect(data)
    alone = new_job(data, settings(mllama, adapter))
    run(data, alone)
    db.execute(
        "INSERT INTO case_images SELECT case_id, 1, (SELECT min(sha256) FROM images), '', '', '' FROM case_images"
    )
    db.commit()
    job = new_job(data, settings(mllama, adapter))
    run(data, job)
    assert texts(data, job) == texts(data, alone)
    said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "warning"]
    assert said == [
        "This model takes one image at a time: of 8 cases with several images it sees the first alone."
    ]
