"""What a chat template makes of a question and an answer, and reasoning apart from the answer."""

from __future__ import annotations

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


def test_a_family_without_conversations_is_refused_before_its_weights_are_read(tmp_path):
    from radtui.worker.model import backend, model

    from .conftest import train_settings

    folder = families.paligemma(tmp_path)
    (folder / "model.safetensors").write_bytes(b"")  # reading it would raise something else
    with pytest.raises(UserError, match=r"has no chat template, .*: name its instruction-tuned"):
        model.load(str(folder), backend.plan(train_settings(folder)))
