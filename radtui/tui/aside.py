"""What takes longer than a frame: done in a thread, and answered by a message to the one who asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from inspect import isawaitable
from typing import TypeVar

from textual.dom import DOMNode
from textual.worker import get_current_worker

from radtui.records import UserError

Result = TypeVar("Result")
TROUBLE_S = 10.0  # a notice of what a thread could not do


def aside(
    asker: DOMNode,
    work: Callable[[], Result],
    take: Callable[[Result], object],
    refused: Callable[[str], object] | None = None,
    *,
    group: str,
    exclusive: bool = True,
) -> None:
    """Do something in a thread; what came of it is a message in the asker's own queue.

    A message to a screen that is gone by then is dropped, and so is the answer to a question that was asked again.

    Args:
        asker: The screen or widget that asks; `take` and `refused` are called in its turn of the event loop.
        work: What is done in the thread; it touches no widget.
        take: Takes what it returned; may be a coroutine.
        refused: Takes one sentence about what went wrong; a notice by default.
        group: Name of the question.
        exclusive: Whether a newer question of the group makes the answer to an older one worthless.
    """

    def run() -> None:
        worker = get_current_worker()

        def tell(answer: Callable[[], object]) -> None:
            if not worker.is_cancelled:
                asker.call_later(_if_attached, asker, answer)

        try:
            result = work()
        except Exception as error:
            # Whatever it is: a thread's error would end the app, and a rater's work with it.
            sentence = sentence_of(error)
            tell(lambda: (refused or _notice(asker))(sentence))
        else:
            tell(lambda: take(result))

    asker.run_worker(run, thread=True, group=group, exclusive=exclusive, exit_on_error=False)


def sentence_of(error: Exception) -> str:
    """What went wrong, in one sentence."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, sqlite3.Error | OSError):
        return f"The data folder cannot be used: {error}."
    return f"That did not work: {error}."


async def _if_attached(asker: DOMNode, answer: Callable[[], object]) -> None:
    if asker.is_attached:
        awaited = answer()
        if isawaitable(awaited):
            await awaited


def _notice(asker: DOMNode) -> Callable[[str], object]:
    return lambda sentence: asker.app.notify(sentence, severity="error", timeout=TROUBLE_S)
