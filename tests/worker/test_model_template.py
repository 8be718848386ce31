"""What a chat template makes of a question and an answer, and reasoning apart from the answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from radtui.records import UserError
from radtui.worker.model import processors, prompt, template

from . import families

QUESTION = prompt.question("Describe what you see.", "image_first")


@pytest.fixture(scope="module")
def processor_of(tmp_path_factory):
    """The processor of a family, made once."""
    made = {}

    def of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            getattr(families, name)(folder)
            made[name] = processors.load(str(folder))
        return made[name]

    return of


@pytest.mark.parametrize(
    ("name", "learnt"),
    [
        ("qwen2_5_vl", "A disc.<|im_end|>\n"),
        ("qwen3_5", "A disc.<|im_end|>\n"),
        ("qwen3_vl_thinking", "A disc.<|im_end|>\n"),
        ("gemma4", "A disc.<turn|>\n"),
        ("llava", " A disc.</s>"),  # the template writes a space and no end
    ],
)
def test_the_answer_follows_the_prompt_as_it_is_asked(processor_of, name, learnt):
    processor = processor_of(name)
    turn = processor.tokenizer.convert_tokens_to_ids("<turn|>")
    frame = template.frame(processor, [QUESTION], [turn] if name == "gemma4" else [])
    asked = template.rendered_prompt(processor, "Describe what you see.")
    assert frame.prompt == asked
    assert frame.text("A disc.") == asked + learnt


def test_glm_ends_with_the_next_turns_first_token_where_that_ends_generation(processor_of):
    processor = processor_of("glm4v")
    user = processor.tokenizer.convert_tokens_to_ids("<|user|>")
    assert template.frame(processor, [QUESTION], [user]).tail == "<|user|>"
    assert template.frame(processor, [QUESTION]).tail == "<|endoftext|>"  # all that the tokenizer knows


def test_thinking_is_off_unless_asked_for(processor_of):
    switched, always = processor_of("qwen3_5"), processor_of("qwen3_vl_thinking")
    for processor in (switched, always):
        assert template.rendered_prompt(processor, "What?").endswith("<think>\n\n</think>\n\n")
        assert template.rendered_prompt(processor, "What?", thinking=True).endswith("<think>\n")
        frame = template.frame(processor, [QUESTION], thinking=True)
        assert frame.text("A disc.").endswith("<think>\n\n</think>\n\nA disc.<|im_end|>\n")
    assert template.closes_thought(always) and not template.closes_thought(switched)
    (note,) = template.notes(always, "image_first", False)
    assert "always opens a thought" in note
    (note,) = template.notes(processor_of("llava"), "image_first", True)
    assert "knows no thinking" in note


def test_an_order_that_changes_nothing_is_said(processor_of):
    (note,) = template.notes(processor_of("llava"), "text_first", False)
    assert "text_first changes nothing" in note
    assert not template.notes(processor_of("qwen2_5_vl"), "text_first", False)


def test_a_date_in_a_template_is_pinned_and_said(processor_of, capfd):
    processor = processor_of("mistral3")
    assert "Today is 2024-07-26." in template.rendered_prompt(processor, "What?")
    (note,) = template.notes(processor, "image_first", False)
    assert "2024-07-26" in note
    assert "strftime_now" in template.template_of(processor)  # the template itself stays as it is
    assert "Kwargs" not in capfd.readouterr().err


def test_a_case_may_have_several_images(processor_of):
    processor = processor_of("qwen2_5_vl")
    assert template.rendered_prompt(processor, "What?", 3).count("<|image_pad|>") == 3


def test_reasoning_is_kept_apart(processor_of):
    words = processor_of("qwen3_5").tokenizer

    def split(text, asked=""):
        ids, before = (words(each, add_special_tokens=False)["input_ids"] for each in (text, asked))
        answer, thought = template.split_reasoning(words, ids, before)
        return words.decode(answer).strip(), words.decode(thought).strip()

    assert split("A disc.") == ("A disc.", "")
    assert split("<think>\nWell.\n</think>\n\nA disc.") == ("A disc.", "Well.")
    assert split("Well.\n</think>\n\nA disc.", "<think>\n") == ("A disc.", "Well.")
    assert split("Well, well", "<think>\n") == ("", "Well, well")  # cut before it came to an answer
    assert split("A disc.", "<think>\n\n</think>\n\n") == ("A disc.", "")


STRINGS = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
WORDS_ALONE = STRINGS.replace(
    "m['content']",
    "(m['content'] | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' '))",
)
PLACES = {
    "chat_template.jinja": lambda f, t: (f / "chat_template.jinja").write_text(t),
    "chat_template.json": lambda f, t: (f / "chat_template.json").write_text(json.dumps({"chat_template": t})),
    "the processor's file": lambda f, t: changed(f / "processor_config.json", chat_template=t),
    "the tokenizer's file": lambda f, t: changed(f / "tokenizer_config.json", chat_template=t),
    "the tokenizer's, by names": lambda f, t: changed(
        f / "tokenizer_config.json",
        chat_template=[{"name": "tools", "template": "{{ 1 }}"}, {"name": "default", "template": t}],
    ),
    "the tokenizer's, of another name": lambda f, t: changed(
        f / "tokenizer_config.json", chat_template=[{"name": "chat", "template": t}]
    ),
    "a folder of named ones": lambda f, t: (
        (f / "chat_template.jinja").write_text(t), (f / "additional_chat_templates").mkdir(),
        (f / "additional_chat_templates" / "tools.jinja").write_text("{{ 1 }}"),
    ),
}  # fmt: skip


def changed(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.fixture(scope="module")
def without_template(tmp_path_factory):
    folder = families.llava(tmp_path_factory.mktemp("bare") / "model")
    (folder / "chat_template.jinja").unlink()
    return folder


@pytest.fixture
def bare(without_template, tmp_path):
    return Path(shutil.copytree(without_template, tmp_path / "model"))


def loaded(folder):
    processor = processors.load(str(folder))
    processors.check(processor, "it")
    return processor


@pytest.mark.parametrize("place", PLACES)
def test_a_template_is_found_wherever_it_stands(bare, place):
    PLACES[place](bare, families.LLAVA)
    assert template.rendered_prompt(loaded(bare), "What?") == "USER: <image>\nWhat? ASSISTANT:"


@pytest.mark.parametrize("written", [STRINGS, WORDS_ALONE])
def test_a_template_of_a_text_model_gets_the_image_in_its_text(bare, written):
    PLACES["the tokenizer's file"](bare, written)
    processor = loaded(bare)
    assert template.rendered_prompt(processor, "What?", 2) == "user: <image>\n<image>\nWhat?\nassistant: "
    assert (
        template.rendered_prompt(processor, "What?", order="text_first")
        == "user: What?<image>\n\nassistant: "
    )
    frame = template.frame(processor, [QUESTION])
    assert frame.text("A disc.") == "user: <image>\nDescribe what you see.\nassistant: A disc.</s>"
    assert any("knows no images" in note for note in template.notes(processor, "image_first", False))


def test_a_template_that_takes_no_image_in_any_form_is_refused(bare):
    PLACES["chat_template.jinja"](bare, "{{ messages | length }} turns")
    with pytest.raises(UserError, match="puts no image into a prompt: "):
        template.rendered_prompt(loaded(bare), "What?")


def test_a_template_that_its_processor_does_not_take_is_refused(tmp_path):
    from radtui.worker.model import model
    from tests.bench import model_kinds

    folder = model_kinds.bare("got_ocr2", tmp_path / "got")  # whose processor wants one list of all pictures
    (folder / "chat_template.jinja").write_text(families.LLAVA)
    with pytest.raises(
        UserError, match=r"does not take an image as its chat template writes it \(.+\): put the"
    ):
        model.describe(str(folder))


def test_several_named_templates_without_a_default_are_named(bare):
    named = [{"name": name, "template": families.LLAVA} for name in ("rag", "tools")]
    changed(bare / "tokenizer_config.json", chat_template=named)
    with pytest.raises(UserError, match=r"2 chat templates \(rag, tools\) and none of them is the default"):
        loaded(bare)


def test_a_family_without_conversations_is_refused_before_its_weights_are_read(tmp_path):
    from radtui.worker.model import backend, model

    from .conftest import train_settings

    folder = families.paligemma(tmp_path)
    (folder / "model.safetensors").write_bytes(b"")  # reading it would raise something else
    with pytest.raises(UserError, match=r"has no chat template, .*: name its instruction-tuned"):
        model.load(str(folder), backend.plan(train_settings(folder)))
