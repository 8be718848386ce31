"""How many tokens every case of a data set takes, from its sizes and lengths alone, before anything is trained.

A processor's own arithmetic says how many tokens an image of some size becomes; it is believed only where it agrees
with the processor's work on the smallest, the largest and the most oblong size. Each size is asked about once.
"""

from __future__ import annotations

import logging
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from radtui.worker.model import prompt
from radtui.worker.model.collator import Collator, encode, text_ids

log = logging.getLogger("radtui.worker")
Size = tuple[int, int]  # width and height, px
WORKED_SIZES = 48  # of a processor without arithmetic: others count as the next larger one
CHUNK = 4_096  # texts tokenised at once
NO_TOKENS = "no token of the text: cross-attention sees it"  # an image, in models such as Llama 3.2
ROUND_TOKENS = 256  # to which an advised length is rounded up


@dataclass(frozen=True, slots=True)
class Counted:
    """What of a case decides how long it is."""

    sizes: tuple[Size, ...]  # of its images, as they are stored
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of many cases."""

    cases: int
    cut: int  # that lose the end of their answer, but not all of it
    lost: int  # that lose all of their answer
    longest_tokens: int  # of a whole case
    longest_image_tokens: int  # of that case's images
    most_text_tokens: int  # of a case without its images
    most_images: int  # of a case
    least_image: int  # tokens of an image
    median_image: int
    most_image: int

    def loss(self, max_length_tokens: int, what: str = "cases") -> str:
        """A sentence about answers that would be cut, with what helps; empty where none is."""
        if not (self.cut or self.lost):
            return ""
        parts = [f"{self.lost:,} lose their whole answer"] if self.lost else []
        parts += [f"{self.cut:,} lose its end"] if self.cut else []
        length = -(-self.longest_tokens // ROUND_TOKENS) * ROUND_TOKENS
        room = (max_length_tokens - self.most_text_tokens) // max(self.most_images, 1) // 100 * 100
        ways = [f"max_length_tokens {length}"]
        ways += [f"image_tokens {room}"] if 100 <= room < self.most_image else []
        return (
            f"Of {self.cases:,} {what}, {' and '.join(parts)} behind max_length_tokens {max_length_tokens}: the "
            f"longest has {self.longest_tokens:,} tokens, {self.longest_image_tokens:,} of them for images. Set "
            f"{' or '.join(ways)}."
        )

    @property
    def images(self) -> str:
        """Tokens of an image on this data set, in words."""
        if not self.most_image:
            return NO_TOKENS
        if self.least_image == self.most_image:
            return f"{self.most_image:,} tokens, whatever its size"
        return f"{self.least_image:,} to {self.most_image:,} tokens, median {self.median_image:,}"


class ImageTokens:
    """Tokens that an image adds to a text, by its size.

    Args:
        processor: The model's, as its resolution is set.
        sizes: All that will be asked about, as the processor sees them.
    """

    def __init__(self, processor: Any, sizes: Sequence[Size]) -> None:
        self.processor = processor
        self.known: dict[Size, int] = {}
        self.worked = 0  # sizes that the processor was given an image of
        self._asked = prompt.question("x", "image_first")
        self._arithmetic = self._believed(sorted(set(sizes), key=_area))
        if self._arithmetic is None and sizes:
            self._work(sorted(set(sizes), key=_area))

    def of(self, size: Size) -> int:
        """Tokens of an image of this size beyond its placeholder in the text."""
        if size not in self.known and self._arithmetic is not None:
            self.known[size] = self._arithmetic(size)
        if size not in self.known:
            larger = [each for each in self.known if _area(each) >= _area(size)]
            nearest = min(larger or self.known, key=lambda each: abs(_area(each) - _area(size)), default=None)
            self.known[size] = self._by_work(size) if nearest is None else self.known[nearest]
        return self.known[size]

    def _believed(self, sizes: list[Size]) -> Callable[[Size], int] | None:
        """The processor's arithmetic, where it agrees with its work up to what frames an image."""
        if not sizes:
            return None
        oblong = max(sizes, key=lambda each: max(each) / min(each))
        tried = list(dict.fromkeys([sizes[0], sizes[len(sizes) // 2], oblong, sizes[-1]]))
        worked = {size: self._by_work(size) for size in tried}
        for arithmetic in self._arithmetics():
            try:
                frames = {tokens - arithmetic(size) for size, tokens in worked.items()}
            except Exception as error:  # each family's own code, which nothing else calls
                log.info("No arithmetic of image tokens: %s", error)
                continue
            if len(frames) == 1:
                frame = frames.pop()
                self.known.update(worked)
                return lambda size, arithmetic=arithmetic: arithmetic(size) + frame  # type: ignore[misc]
        self.known.update(worked)
        return None

    def _arithmetics(self) -> list[Callable[[Size], int]]:
        from transformers import Idefics3Processor

        own = getattr(type(self.processor), "_get_num_multimodal_tokens", None)
        methods = [own] if own else [getattr(Idefics3Processor, "_get_num_multimodal_tokens", None)]

        def asking(method: Any) -> Callable[[Size], int]:
            return lambda size: int(
                method(self.processor, image_sizes=[(size[1], size[0])])["num_image_tokens"][0]
            )

        return [asking(method) for method in methods if method is not None]

    def _work(self, sizes: list[Size]) -> None:
        """Give the processor images of a few sizes, spread over all."""
        stride = max(1, -(-len(sizes) // WORKED_SIZES))
        for size in dict.fromkeys([*sizes[::stride], sizes[-1]]):
            if size not in self.known:
                self.known[size] = self._by_work(size)

    def _by_work(self, size: Size) -> int:
        from radtui.worker.model import template

        self.worked += 1
        text = template.render(self.processor, [self._asked], for_answer=True)
        batch = encode(self.processor, [text], [[Pillow.new("RGB", size)]], padding_side="right")
        return int(batch["input_ids"].shape[1]) - len(text_ids(self.processor, text))


def count(collate: Collator, cases: Sequence[Counted], order: str, max_side_px: int) -> Lengths:
    """Count all cases: 100,000 take seconds.

    Args:
        collate: What will make the batches: its processor, longest sequence and end.
        cases: At least one.
        order: `image_first` or `text_first`.
        max_side_px: As images are shrunk before the processor.
    """
    processor = collate.processor
    shown = [tuple(prompt.shrunk(size, max_side_px) for size in case.sizes) for case in cases]
    every = Counter(size for sizes in shown for size in sizes)
    images = ImageTokens(processor, list(every))
    asked = _prompt_tokens(collate, cases, order)
    tail = collate.frame([prompt.question(cases[0].question, order, len(cases[0].sizes))])
    answers = _token_counts(processor, [f"{tail.lead}{case.answer}{tail.tail}" for case in cases])
    limit = collate.max_length_tokens
    cut = lost = 0
    longest, longest_image, most_text = 0, 0, 0
    for sizes, question, answer in zip(shown, asked, answers, strict=True):
        spread = sum(map(images.of, sizes))
        total = question + spread + answer
        if total > longest:
            longest, longest_image = total, spread
        most_text = max(most_text, question + answer)
        lost += total - limit >= answer
        cut += limit < total < limit + answer
    each = sorted((images.of(size), number) for size, number in every.items()) or [(0, 1)]
    return Lengths(
        len(cases), cut, lost, longest, longest_image, most_text, max(len(sizes) for sizes in shown), each[0][0],
        int(statistics.median_low([tokens for tokens, number in each for _ in range(number)])), each[-1][0],
    )  # fmt: skip


def _prompt_tokens(collate: Collator, cases: Sequence[Counted], order: str) -> list[int]:
    """Tokens of each case's prompt, its placeholders as single tokens; one prompt of each number of images is drawn."""
    processor = collate.processor
    questions = list(dict.fromkeys(case.question for case in cases))
    own = dict(zip(questions, _token_counts(processor, questions), strict=True))
    around: dict[int, int] = {}
    for case in cases:
        number = len(case.sizes)
        if number not in around:
            frame = collate.frame([prompt.question(case.question, order, number)])
            around[number] = len(text_ids(processor, frame.prompt)) - own[case.question]
    return [around[len(case.sizes)] + own[case.question] for case in cases]


def _token_counts(processor: Any, texts: Sequence[str]) -> list[int]:
    counts: list[int] = []
    for start in range(0, len(texts), CHUNK):
        chunk = list(texts[start : start + CHUNK])
        counts += [len(ids) for ids in processor.tokenizer(chunk, add_special_tokens=False)["input_ids"]]
    return counts


def _area(size: Size) -> int:
    return size[0] * size[1]
