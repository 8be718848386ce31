"""The app as it is, with a demo of a few images and steps: the whole chain in a fraction of its five minutes.

Its workers are forked from a process that has their libraries loaded where a test has one; those that follow on a job
are started by that job's worker, anew.
"""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace

from radtui.cli import main
from radtui.jobs import demo, launch
from radtui.jobs.submit import submit_generate, submit_import, submit_train

from .places import FORKED

IMAGES = "48x12"  # drawn, of each split: half a minute of CPU less than the demo's own
STEPS = 12  # at three times the demo's rate, after which no text is the base's


def shrink() -> None:
    """Let the demo's three jobs be small ones."""
    demo.submit_import = lambda data, db, settings: submit_import(
        data, db, replace(settings, source=f"{settings.source}:{IMAGES}")
    )
    demo.submit_train = lambda data, db, settings, **more: submit_train(
        data, db,
        replace(settings, max_steps=STEPS, learning_rate=1e-2, batch_size=4, eval_every=STEPS, eval_images=4,
                watch_images=1, watch_tokens=8, checkpoint_every=0),
        **more,
    )  # fmt: skip
    demo.submit_generate = lambda data, db, settings, **more: submit_generate(
        data, db, replace(settings, max_new_tokens=12), **more
    )


if __name__ == "__main__":
    if "FORKED_SOCKET" in os.environ:
        launch.sys = SimpleNamespace(executable=str(FORKED / "python"))
    shrink()
    main()
