"""What the ask screen says of questions and answers; pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.content import Content

from radtui.harmless import visible
from radtui.plural import many
from radtui.records import Job
from radtui.store.asks import Ask
from radtui.tui.keys import sign

NOBODY = (
    f"No training job has left an adapter here yet: {sign('train')} trains one. `radtui ask IMAGE --model NAME` asks a"
    " model alone."
)


def title_of(ask: Ask | None, arm: str) -> str:
    """Who answers, and how fast: "tuned, job 3 · 12.5 tokens/s"."""
    if ask is None:
        return arm
    title = arm if arm == "base" else f"{arm}, {visible(ask.model)}"
    answer = ask.answers.get(arm)
    speed = answer.tokens_per_s if answer is not None else None
    return title if speed is None else f"{title} · {speed:.1f} tokens/s"


def note_of(ask: Ask | None, arm: str) -> str:
    """How long an answer is, and whether it is all there would be."""
    answer = ask.answers.get(arm) if ask is not None else None
    if answer is None:
        return ""
    cut = ", cut at the longest answer" if answer.truncated else "" if answer.whole else ", goes on"
    return f"{many(answer.tokens, 'token')}{cut}"


def waiting_text(ask: Ask | None, arm: str, job: Job | None) -> str:
    """What stands where an answer will be."""
    if ask is None:
        return "Nothing asked yet."
    if not ask.waits:
        return "No answer."
    if arm != ask.arms[len(ask.answers)]:
        return "Comes after it."
    return visible(job.message if job is not None and job.message else "Starting the worker") + " …"


def said_text(ask: Ask | None, refusal: str, model: str, models: int) -> Content:
    """What went wrong, or else what the next keys are."""
    if refusal or (ask is not None and ask.error):
        return Content.styled(visible(refusal or (ask.error if ask is not None else "")), "$error")
    if not model:
        return Content.styled(NOBODY, "$warning")
    parts = [f"enter asks {model} something else", f"{sign('again')} asks again"]
    parts += [f"{sign('other')} asks another job"] if models > 1 else []
    return Content.styled(" · ".join([*parts, "esc goes back, the answer is kept"]), "$muted")


def earlier_lines(earlier: Sequence[Ask], shown: Ask | None, room: int) -> list[Content]:
    """Questions about this image, newest first, as many as there is room for around the one on show."""
    if not earlier:
        return [Content("No question about this image yet.")]
    places = [(ask.job_id, ask.number) for ask in earlier]
    at = places.index((shown.job_id, shown.number)) if shown and (shown.job_id, shown.number) in places else 0
    top = max(0, min(at - room // 2, len(earlier) - room))
    lines = []
    for place in range(top, min(len(earlier), top + room)):
        ask = earlier[place]
        when = time.strftime("%d %b %H:%M", time.localtime(ask.asked_at))
        state = "waits" if ask.waits else "no answer" if ask.error and not ask.answers else ""
        text = " · ".join(part for part in (when, visible(ask.model), state, visible(ask.question)) if part)
        lines.append(Content.styled(f"▌{text}", "$accent") if place == at else Content(f" {text}"))
    return lines
