"""Loaded by every Python process started with this folder on PYTHONPATH: training steps that fail or wait.

SMALL_GPU is "RANK STEP IMAGES": from an optimizer step on, that rank can learn no more images at a time than that.
HELD is "STEP FILE": after an optimizer step, training waits as long as the file is there.
HELD_TEXTS is "TEXTS FILE": so does each process that describes, after as many texts.
"""

import importlib.abc
import importlib.util
import os
import sys
import time
from pathlib import Path


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name, change):
        self.name = name
        self.change = change

    def find_spec(self, name, path, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_change(module):
            load(module)
            self.change(module)

        spec.loader.exec_module = load_and_change
        return spec


def _change_trainer(module):
    if "SMALL_GPU" in os.environ:
        _limit(module.ReferenceTrainer)
    if "HELD" in os.environ:
        _hold(module.ReferenceTrainer)


def _change_describing(module):
    if "HELD_TEXTS" not in os.environ:
        return
    texts, _, file = os.environ["HELD_TEXTS"].partition(" ")
    describe, written = module.describe, 0

    def held(model, processor, inputs, *rest):
        nonlocal written
        while written >= int(texts) and Path(file).exists():
            time.sleep(0.01)
        answers = describe(model, processor, inputs, *rest)
        written += len(answers)
        return answers

    module.describe = held


def _hold(trainer):
    step, _, file = os.environ["HELD"].partition(" ")
    learn = trainer.training_step

    def training_step(self, *rest):
        while self.state.global_step >= int(step) and Path(file).exists():
            time.sleep(0.01)
        return learn(self, *rest)

    trainer.training_step = training_step


def _limit(trainer):
    rank, step, images = map(int, os.environ["SMALL_GPU"].split())
    learn = trainer.training_step

    def training_step(self, model, inputs, *rest):
        full = len(inputs["input_ids"]) > images and self.state.global_step >= step
        if full and os.environ.get("RANK") == str(rank):
            raise RuntimeError("CUDA out of memory")
        return learn(self, model, inputs, *rest)

    trainer.training_step = training_step


sys.meta_path.insert(0, _Finder("radtui.worker.training.trainer", _change_trainer))
sys.meta_path.insert(0, _Finder("radtui.worker.describing.describe", _change_describing))
