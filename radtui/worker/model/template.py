"""What a chat template makes of a question and an answer: the prompt as it is asked, and what is learnt behind it.

A model is trained on the very characters that it is asked with later: the prompt as rendered for generation, then the
answer, then what the template writes behind an answer, or where it writes no end, the token that ends generation.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from radtui.worker.model import prompt, turns
from radtui.worker.model.processors import has_no_video
from radtui.worker.model.prompt import Message
from radtui.worker.model.turns import PROBE

# Some templates write today's date: a model would be asked otherwise than it was trained, and no text could be had
# again. The date that Llama 3's templates fall back on.
PINNED_DATE = datetime.date(2024, 7, 26)
TODAY, PINNED = "strftime_now", "pinned_date"
SWITCHES = ("enable_thinking", "thinking")
"""Names under which templates take whether to reason first."""
THOUGHTS = (("<think>", "</think>"), ("<|channel>", "<channel|>"), ("[THINK]", "[/THINK]"),
            ("<|START_THINKING|>", "<|END_THINKING|>"))  # fmt: skip
"""What opens and closes a model's reasoning: Qwen's and GLM's, Gemma 4's, Mistral's, Cohere's."""


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """What stands around an answer."""

    prompt: str  # as rendered for generation
    lead: str  # what a training turn writes between the prompt and its answer; learnt
    tail: str  # what stands behind the answer; learnt

    def text(self, answer: str) -> str:
        """The whole conversation with this answer."""
        return f"{self.prompt}{self.lead}{answer}{self.tail}"


def template_of(processor: Any) -> str:
    """The chat template that a processor renders with; of several the one that is taken unless named."""
    template = processor.chat_template
    return str(template.get("default", "")) if isinstance(template, dict) else str(template or "")


def render(processor: Any, messages: list[Message], for_answer: bool = False, thinking: bool = False) -> str:
    """The text of a conversation as the model's chat template writes it, dated `PINNED_DATE`.

    Args:
        processor: With a chat template.
        messages: Turns, see `prompt`.
        for_answer: End with the assistant's header, for the model to continue.
        thinking: Whether the model may reason before it answers; where not and the template opens a thought all the
            same, the thought is closed at once.
    """
    text = _rendered(processor, messages, for_answer, thinking)
    return text if thinking or not for_answer else text + _closing(text)


def _rendered(processor: Any, messages: list[Message], for_answer: bool, thinking: bool) -> str:
    """What the template itself writes."""
    from transformers import ProcessorMixin

    written = template_of(processor)
    options: dict[str, Any] = dict.fromkeys(_switches(written), thinking)
    # Transformers' own function of this name can't be replaced by an argument, another can.
    if TODAY in written:
        options |= {"chat_template": written.replace(TODAY, PINNED), PINNED: PINNED_DATE.strftime}
    # SmolVLM's own method asks its video part, which there may be none of, how many frames it takes.
    apply = (ProcessorMixin if has_no_video(processor) else type(processor)).apply_chat_template

    def write(conversation: list[Message], for_answer: bool = True) -> str:
        return str(
            apply(processor, conversation, tokenize=False, add_generation_prompt=for_answer, **options)
        )

    return write(turns.fitted(processor, messages, write), for_answer)


def rendered_prompt(
    processor: Any, instruction: str, images: int = 1, order: str = "image_first", thinking: bool = False
) -> str:
    """The prompt that a question is asked with, image placeholders not yet multiplied.

    Args:
        processor: The model's.
        instruction: What is asked.
        images: How many images it is about.
        order: `image_first` or `text_first`.
        thinking: As `render`.
    """
    return render(processor, [prompt.question(instruction, order, images)], True, thinking)


def frame(
    processor: Any, asked: list[Message], ends: Collection[int] = (), thinking: bool = False
) -> AnswerFrame:
    """What stands around the answer to a question.

    Args:
        processor: The model's.
        asked: The turns before the answer.
        ends: Tokens that end generation; the tokenizer's end is always one.
        thinking: As `render`.
    """
    begun = render(processor, asked, True, thinking)
    turn = render(processor, [*asked, prompt.answer(PROBE)], thinking=thinking)
    place = turn.rfind(PROBE)
    lead = turn[len(begun) : place] if place >= 0 and turn.startswith(begun) else ""
    tail = turn[place + len(PROBE) :] if place >= 0 else ""
    tokenizer = processor.tokenizer
    ending = {*ends, tokenizer.eos_token_id} - {None}
    if not ending.intersection(_ids(tokenizer, tail)):
        tail = tail.rstrip() + _end_text(processor, asked, ending, thinking)
    return AnswerFrame(begun, lead, tail)


def end_token_ids(model: Any, processor: Any) -> list[int]:
    """Tokens that end a text: the model's own and its tokenizer's."""
    own = model.generation_config.eos_token_id
    ids = set(own) if isinstance(own, (list, tuple)) else {own}
    ids.add(processor.tokenizer.eos_token_id)
    return sorted(each for each in ids if each is not None)


def _end_text(processor: Any, asked: list[Message], ends: set[int], thinking: bool) -> str:
    """The token that ends generation: what begins the next turn where that is one (GLM), else the tokenizer's."""
    tokenizer = processor.tokenizer
    both = render(processor, [*asked, prompt.answer(PROBE), *asked], thinking=thinking)
    after = _ids(tokenizer, both.partition(PROBE)[2].lstrip())
    if after and after[0] in ends:
        return str(tokenizer.convert_ids_to_tokens(after[0]))
    return str(tokenizer.eos_token or "")


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []


def _closing(text: str) -> str:
    """What ends a thought that a prompt leaves open, as Qwen's templates write it; empty when none is open."""
    for opened, closed in THOUGHTS:
        if text.rstrip().endswith(opened):
            blank = "\n" if text.endswith("\n") else ""
            return f"{blank}{closed}{blank * 2}"
    return ""


def closes_thought(processor: Any) -> bool:
    """Whether the template always opens a thought, so that radtui closes it itself where none is wanted."""
    return bool(_closing(_rendered(processor, [prompt.question(PROBE, "image_first")], True, False)))


def honours_order(processor: Any) -> bool:
    """Whether text before the image makes another prompt than text after it."""
    return rendered_prompt(processor, PROBE) != rendered_prompt(processor, PROBE, order="text_first")


def notes(processor: Any, order: str, thinking: bool) -> list[str]:
    """What a template does otherwise than asked, a sentence each.

    Args:
        processor: The model's.
        order: `image_first` or `text_first`, as asked.
        thinking: As asked.
    """
    template = template_of(processor)
    moved = not honours_order(processor)  # renders, so that the form of turns is known
    sentences = []
    if order == "text_first" and moved:
        sentences.append(
            "The model's chat template puts images first whatever the order: text_first changes nothing."
        )
    if TODAY in template:
        sentences.append(
            f"The model's chat template writes a date; it is always {PINNED_DATE}, so that prompts stay the same."
        )
    if not thinking and closes_thought(processor):
        sentences.append("The model's chat template always opens a thought; it is closed at once, empty.")
    if not turns.knows_pictures(processor):
        sentences.append(
            "The model's chat template knows no images; an image's token is put into the question."
        )
    if thinking and not reasons(processor):
        sentences.append("The model's chat template knows no thinking: thinking changes nothing.")
    return sentences


def reasons(processor: Any) -> bool:
    """Whether the template has a switch for reasoning, or opens a thought by itself."""
    return bool(_switches(template_of(processor))) or closes_thought(processor)


def _switches(template: str) -> list[str]:
    """The names by which a template takes whether to reason; it would complain of others."""
    return [name for name in SWITCHES if re.search(rf"\b{name}\b", template)]


def split_reasoning(tokenizer: Any, ids: list[int], asked: list[int]) -> tuple[list[int], list[int]]:
    """Written tokens apart: the answer, and the reasoning before it.

    Args:
        tokenizer: The model's.
        ids: What was written, without the end.
        asked: The prompt, which may have left a thought open.

    Returns:
        Answer and reasoning; a thought that was not closed is all reasoning.
    """
    openers, closers = _marks(tokenizer)
    last = max((place for place, token in enumerate(ids) if token in closers), default=-1)
    if last >= 0:
        return ids[last + 1 :], [token for token in ids[:last] if token not in openers]
    begun = next((token for token in reversed(asked) if token in openers or token in closers), None)
    if begun in openers or (ids and ids[0] in openers):
        return [], [token for token in ids if token not in openers]
    return ids, []


@functools.lru_cache(maxsize=8)
def _marks(tokenizer: Any) -> tuple[frozenset[int], frozenset[int]]:
    """Ids of tokens that open and close reasoning."""
    vocabulary = tokenizer.get_vocab()
    pairs = [(vocabulary[a], vocabulary[b]) for a, b in THOUGHTS if a in vocabulary and b in vocabulary]
    return frozenset(a for a, _ in pairs), frozenset(b for _, b in pairs)
