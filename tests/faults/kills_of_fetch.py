"""SIGKILL while a model is fetched from a hub: a part of it is not taken for all, and a second call has it all."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

from radtui.cluster import fetched
from tests.faults.failing import Failing
from tests.faults.harness import CLI, REPOSITORY, Facts, judged
from tests.unit.fake_hub import COMMIT, hub

NAME = "acme/rays"
LEFT_OUT = "original/consolidated.pth"  # the weights once more, which loading does not read
FILES = {
    "config.json": b"{}", "tokenizer.json": b"words" * 4000, "preprocessor_config.json": b"{ }", LEFT_OUT: b"again",
    "model.safetensors": bytes(range(256)) * 4000,
}  # fmt: skip


def kills_of_fetch(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at writes, renames and links of a fetch: a part is called a part, and the next fetch brings the rest."""
    shim, chance, killed, parts = Failing(scratch), random.Random(33), 0, 0
    with hub(FILES, kind="model") as address:
        home = scratch / "counted"
        code, printed = _fetch(address, home, shim.counting(home))
        assert code == 0 and _whole(home), printed
        for number, (kind, at) in enumerate(shim.points(rounds, chance)):
            home, what = scratch / str(number), f"{kind} {at}"
            code, printed = _fetch(address, home, shim.killing(home, kind, at))
            assert code in (0, -signal.SIGKILL), f"{what}: {printed!r}"
            killed += code != 0
            is_said_whole = not fetched.missing(NAME, str(home))
            assert _whole(home) or not is_said_whole, f"{what}: a part was taken for all"
            parts += not is_said_whole
            code, printed = _fetch(address, home, {})
            assert judged(code, printed, what) and _whole(home) and not fetched.missing(NAME, str(home)), what
            shutil.rmtree(home)
    assert killed
    return {"kills": killed, "in part": parts, "parts taken for all": 0}


def _fetch(address: str, home: Path, more: dict[str, str]) -> tuple[int, bytes]:
    environment = {
        **os.environ,
        "HF_ENDPOINT": address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        **more,
    }
    for variable in ("HF_HUB_OFFLINE", "HF_HUB_CACHE"):
        environment.pop(variable, None)
    done = subprocess.run(
        [*CLI, "--data-dir", str(home.with_name("data")), "fetch", NAME], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False, cwd=REPOSITORY, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout if done.returncode else b""


def _whole(home: Path) -> bool:
    folder = home / "hub" / "models--acme--rays" / "snapshots" / COMMIT
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == content
        for name, content in FILES.items()
        if name != LEFT_OUT
    )
