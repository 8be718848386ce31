"""Train form: what a run would take, asked with a key, its states, and what becomes of it when settings change."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import ClassVar

import pytest

from radtui.estimates import DeviceMemory, MemoryEstimate
from radtui.jobs import estimate
from radtui.records import UserError
from radtui.store import jobs
from radtui.tui.train.form import TrainForm
from radtui.tui.train.memory_panel import MemoryPanel, estimate_text
from tests.tui.driving import NARROW, WIDE, opened, text_in, text_of, until
from tests.tui.seeding import add_images

CARD = DeviceMemory("GPU 0, NVIDIA H200", 130.2, 139.8, "process 4711 holds 9.0 GiB", True)
FOUND = MemoryEstimate(
    True, "8 images at a time take 54.4 of 60.0 GiB, 12 of 40 vision layers keep their activations.", "4-bit", 8, 1,
    6.69, 0.5, 0.125, 47.1, 60.0, 6432, 123, 67_174_400, (CARD,),
)  # fmt: skip


class Asked:
    """Stands for the process: answers when it is let."""

    made: ClassVar[list[Asked]] = []
    answer: MemoryEstimate | UserError = FOUND

    def __init__(self, data, settings) -> None:
        self.settings, self.cancelled, self.ready = settings, False, threading.Event()
        Asked.made.append(self)

    def result(self) -> MemoryEstimate:
        assert self.ready.wait(10)
        if self.cancelled:
            raise UserError("cancelled")
        if isinstance(Asked.answer, UserError):
            raise Asked.answer
        return Asked.answer

    def cancel(self) -> None:
        self.cancelled = not self.ready.is_set()
        self.ready.set()


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setattr(estimate, "Estimating", Asked)
    monkeypatch.setattr(Asked, "made", [])
    monkeypatch.setattr(Asked, "answer", FOUND)
    return Asked


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_key_asks_and_the_parts_are_shown(data, db, asked, size):
    add_images(data, db)
    async with opened(data, "train", size) as (app, pilot):
        assert not app.screen.query_one(MemoryPanel).display
        await pilot.press("M")
        await until(pilot, lambda: "without the weights" in text_of(app))
        await until(pilot, lambda: asked.made)
        assert asked.made[0].settings.dataset == "chests"
        await pilot.press("down")  # the form goes on answering meanwhile
        asked.made[0].ready.set()
        await until(pilot, lambda: "54.4 GiB of 60.0 GiB" in text_of(app))
        shown = " ".join(text_in(app.screen.query_one(MemoryPanel)).split())
        for words in ("weights 6.7 GiB 4-bit", "activations 47.1 GiB: 8 images", "process 4711 holds 9.0 GiB",
                      "6,432 image tokens", "12 of 40 vision layers keep their activations."):  # fmt: skip
            assert words in shown
        assert not jobs.all_jobs(db)


async def test_changed_settings_say_so_and_the_old_answer_comes_back_with_them(data, db, asked):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        await pilot.press("M")
        await until(pilot, lambda: asked.made)
        asked.made[0].ready.set()
        await until(pilot, lambda: "54.4 GiB" in text_of(app))
        fields = app.screen.query_one(TrainForm).form.list
        fields.change("lora_r", "8")
        await until(pilot, lambda: "M asks again" in text_of(app))
        assert "54.4 GiB" not in text_of(app)
        fields.change("lora_r", "16")
        await until(pilot, lambda: "54.4 GiB" in text_of(app))


async def test_asking_again_and_leaving_end_what_is_being_made(data, db, asked):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        await pilot.press("M")
        await until(pilot, lambda: asked.made)
        await pilot.press("M")
        await until(pilot, lambda: len(asked.made) == 2)
        assert asked.made[0].cancelled
        await pilot.pause()
        assert "cancelled" not in text_of(app)
    assert asked.made[1].cancelled


async def test_what_cannot_be_estimated_is_a_sentence(data, asked):
    async with opened(data, "train") as (app, pilot):
        await pilot.press("M")
        await until(pilot, lambda: "No images are imported yet" in text_of(app))
        assert not asked.made


def test_what_does_not_fit_says_so_in_words():
    too_large = replace(FOUND, fits=False, verdict="One image at a time takes 70.0 GiB.", limit_gib=20.0)
    lines = estimate_text(too_large).plain.splitlines()
    assert lines[-1] == "Does not fit. One image at a time takes 70.0 GiB."
    bar = lines[0].split()[1]
    assert bar == "█" * 4 + "▞" * 26  # all of it: more than there is
    half = estimate_text(replace(FOUND, limit_gib=2 * FOUND.total_gib)).plain.splitlines()[0].split()[1]
    assert half.count("░") == 15
