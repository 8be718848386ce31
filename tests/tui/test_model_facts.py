"""Train form: a model that is picked is checked aside, and what it is and needs stands under its field."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from radtui.jobs import model_check
from radtui.records import UserError
from radtui.tui.train import model_facts
from radtui.tui.train.form import TrainForm
from tests.tui.driving import NARROW, WIDE, opened, text_of, until
from tests.tui.seeding import add_images

CHECKED: dict[str, Any] = {
    "model": "org/name", "family": "gemma3 (Gemma3Processor)", "packages": "torchvision works", "licence": "gemma",
    "parameters": 4_300_079_472, "weights_4_bit_gib": 3.2, "weights_16_bit_gib": 8.64,
    "image_tokens": "256 to 256, median 256, on chests", "several_images": "yes", "order": "as asked",
    "ends_with": "'<end_of_turn>\\n'", "thinking": "no", "prompt": "...",
    "notes": ["Its template writes today's date."], "lora": {"vision attention": 108, "language mlp": 102},
}  # fmt: skip


class Asked:
    """Stands for the process: answers when it is let."""

    made: ClassVar[list[Asked]] = []

    def __init__(self, data: object, name: str, dataset: str = "", trusted: bool = False) -> None:
        self.name, self.dataset, self.cancelled, self.ready = name, dataset, False, threading.Event()
        Asked.made.append(self)

    def result(self) -> dict[str, Any]:
        assert self.ready.wait(10)
        if self.cancelled or self.name == "org/gone":
            raise UserError(f"The model {self.name} was not found.")
        return CHECKED

    def cancel(self) -> None:
        self.cancelled = not self.ready.is_set()
        self.ready.set()


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    monkeypatch.setattr(model_check, "ModelCheck", Asked)
    monkeypatch.setattr(model_facts, "REST_S", 0.02)
    monkeypatch.setattr(Asked, "made", [])


async def typed(app, pilot, name: str) -> None:
    """A model's name typed into its field."""
    fields = app.screen.query_one(TrainForm).form.list
    await until(pilot, lambda: fields.has_focus)
    fields.go_to("model")
    await pilot.press("enter", "ctrl+u", *["slash" if sign == "/" else sign for sign in name], "enter")
    await until(pilot, lambda: app.screen.query_one(TrainForm).settings.model == name)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_picked_model_is_checked_and_its_facts_stand_under_its_field(data, db, size):
    add_images(data, db)
    async with opened(data, "train", size) as (app, pilot):
        await pilot.press("p")  # a preset names a model that nobody has asked about
        await pilot.pause(0.1)
        assert not Asked.made
        await typed(app, pilot, "org/name")
        await until(pilot, lambda: Asked.made and "Checking what it is" in text_of(app))
        assert Asked.made[0].name == "org/name"
        Asked.made[0].ready.set()
        await until(pilot, lambda: "4.3 thousand million parameters" in text_of(app))
        shown = " ".join(text_of(app).split())
        for words in ("weights 3.2 GiB in 4 bits, 8.64 in 16", "licence gemma", "several images a case",
                      "an answer ends with '<end_of_turn>", "vision attention 108, language mlp 102",
                      "writes today's date"):  # fmt: skip
            assert words in shown
        await pilot.press("down")
        await until(pilot, lambda: "thousand million" not in text_of(app))
        await pilot.press("up")
        await until(pilot, lambda: "thousand million" in text_of(app))
        assert len(Asked.made) == 1


async def test_the_answer_to_another_model_is_not_waited_for(data, db):
    add_images(data, db)
    async with opened(data, "train", WIDE) as (app, pilot):
        await typed(app, pilot, "org/name")
        await until(pilot, lambda: Asked.made)
        await typed(app, pilot, "org/gone")
        await until(pilot, lambda: len(Asked.made) == 2)
        assert Asked.made[0].cancelled and not Asked.made[1].cancelled
        Asked.made[1].ready.set()
        await until(pilot, lambda: "org/gone was not found" in text_of(app))
        await typed(app, pilot, "org/name")
        await until(pilot, lambda: len(Asked.made) == 3)
    assert Asked.made[2].cancelled


def test_parameters_in_words():
    assert model_check.count_text(4_300_079_472) == "4.3 thousand million"
    assert model_check.count_text(256_484_928) == "256 million"
    assert model_check.count_text(250_240) == "250,240"
