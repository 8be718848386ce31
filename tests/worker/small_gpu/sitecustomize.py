"""Loaded by every Python process started with this folder on PYTHONPATH: one rank's memory holds few images.

SMALL_GPU is "RANK STEP IMAGES": from an optimizer step on, that rank can learn no more images at a time than that.
"""

import importlib.abc
import importlib.util
import os
import sys


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "radtui.worker.trainer":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_limit(module):
            load(module)
            _limit(module.ReferenceTrainer)

        spec.loader.exec_module = load_and_limit
        return spec


def _limit(trainer):
    rank, step, images = map(int, os.environ["SMALL_GPU"].split())
    learn = trainer.training_step

    def training_step(self, model, inputs, *rest):
        full = len(inputs["input_ids"]) > images and self.state.global_step >= step
        if full and os.environ.get("RANK") == str(rank):
            raise RuntimeError("CUDA out of memory")
        return learn(self, model, inputs, *rest)

    trainer.training_step = training_step


sys.meta_path.insert(0, _Finder())
