"""Run a module with torch's log of recompilations on, which unsloth switches off when it is imported.

python -m tests.bench.recompiles_logged MODULE ARGUMENT...
"""

from __future__ import annotations

import runpy
import sys
from typing import Any


def main() -> None:
    """Keep that one log on, whatever is asked for later, and run the module as the main one."""
    import torch

    switch = torch._logging.set_logs

    def kept(*_: Any, **__: Any) -> None:
        switch(recompiles=True)

    torch._logging.set_logs = kept
    kept()
    _, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
