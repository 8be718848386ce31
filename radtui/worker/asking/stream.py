"""A text as it is written: tokens become letters, and letters are handed on in small batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from radtui.worker.model import template

BATCH_S = 0.08  # between two commits of an answer
UNFINISHED = "\ufffd"  # ends a text whose last letter lacks bytes that later tokens bring
Say = Callable[[int, str, int, float], None]
"""Takes how many letters stay, what comes behind them, tokens so far, and seconds since the beginning."""


class Stream:
    """Takes tokens from `generate` and hands letters on; a transformers streamer in all but its base class.

    Args:
        processor: The model's.
        asked: Tokens of the prompt, which may have left a thought open.
        ends: Tokens that end a text.
        say: Takes what is new.
        clock: Seconds, only going forward.
    """

    def __init__(
        self, processor: Any, asked: list[int], ends: list[int], say: Say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._tokenizer, self._asked, self._ends = processor.tokenizer, asked, frozenset(ends)
        self._say, self._clock = say, clock
        self._ids: list[int] = []
        self._handed_on = ""
        self._prompt_is_next = True  # `generate` hands the prompt on first
        self._began = clock()
        self._said_at = float("-inf")

    def put(self, tokens: Any) -> None:
        """Take the next token, a tensor; the first call brings the prompt."""
        if self._prompt_is_next:
            self._prompt_is_next = False
            return
        self._ids += [token for token in tokens.flatten().tolist() if token not in self._ends]
        if self._clock() - self._said_at >= BATCH_S:
            self._hand_on()

    def end(self) -> None:
        """Nothing: the whole text is written anew when it is there."""

    def _hand_on(self) -> None:
        answer, _ = template.split_reasoning(self._tokenizer, self._ids, self._asked)
        text = self._tokenizer.decode(answer, skip_special_tokens=True).lstrip().rstrip(UNFINISHED)
        # A tokenizer may write earlier letters anew, and a thought that ends takes what was shown of it along.
        place = _alike(self._handed_on, text)
        now = self._clock()
        self._say(place, text[place:], len(self._ids), now - self._began)
        self._handed_on, self._said_at = text, now


def _alike(before: str, now: str) -> int:
    """How many letters two texts begin alike with."""
    return next(
        (at for at, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now))
    )
