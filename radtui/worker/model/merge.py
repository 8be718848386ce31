"""`python -m radtui.worker.model.merge MODEL ADAPTER OUT`: the base model with an adapter merged in, 16 bits.

A process of its own, so that who asks for it need not import torch. Prints one sentence when it fails.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process import environment, failures


def main(arguments: list[str] | None = None) -> int:
    """Merge and save; returns 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m radtui.worker.model.merge")
    parser.add_argument("--trust-remote-code", action="store_true")
    parser.add_argument("model")
    parser.add_argument("adapter", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    os.environ.update(environment.QUIET)
    try:
        merge(options.model, options.adapter, options.out, options.trust_remote_code)
    except Exception as error:  # whatever it is, the caller shows one sentence
        print(failures.sentence(error, DataDir(options.out.parent), options.model), file=sys.stderr)
        return 1
    return 0


def merge(name: str, adapter: Path, out: Path, trust_remote_code: bool = False) -> None:
    """Write the merged model and its processor.

    The sum is rounded to 16 bits, so a merged model's texts may part from the adapter's where two tokens are as
    likely.

    Args:
        name: Hub id or folder of the base model, stored in 16 or 32 bits.
        adapter: Folder of the adapter, with the processor it was trained with.
        out: Folder to write into.
        trust_remote_code: Whether Python code that comes with the model may run.

    Raises:
        UserError: The base cannot be loaded, is stored in fewer bits, or the adapter is another model's.
    """
    import torch

    from radtui.worker.model import adapters, backend, processors
    from radtui.worker.model import model as models

    load_plan = backend.LoadPlan("transformers", torch.cuda.is_available(), False, "bfloat16")
    base, processor = models.load(name, load_plan, trust_remote_code=trust_remote_code)
    if getattr(base.config, "quantization_config", None) is not None:
        raise UserError(
            f"{name} is stored in few bits, which an adapter cannot be merged into: name the 16-bit model."
        )
    merged: Any = adapters.load_adapter(base, str(adapter), load_plan).merge_and_unload(safe_merge=True)
    merged.save_pretrained(out)
    processors.save(processor, out)


if __name__ == "__main__":
    sys.exit(main())
