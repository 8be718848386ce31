"""Exceptions to sentences."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from safetensors import SafetensorError

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process import failures


class ConnectError(Exception):
    """Named as HTTP clients name theirs."""


class GatedRepoError(Exception):
    """Named as the hub's client names its own."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


LOADER = 'Caught UserError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  File "a"\n'


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("A is wrong: do B."), "A is wrong: do B."),
        (UserError(LOADER + "radtui.records.UserError: Image 7 cannot be read."), "Image 7 cannot be read."),
        (caused(ValueError("x"), UserError("A is wrong: do B.")), "A is wrong: do B."),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "disk of .* is full: free some space, then resume",
        ),
        (sqlite3.OperationalError("database or disk is full"), "disk of .* is full"),
        (
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
            "disk of .* is full",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "GPU's memory is full"),
        (MemoryError(), "machine's memory is full"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate"),
            "machine's memory",
        ),
        (ModuleNotFoundError("x", name="peft.tuners"), r"needs peft, .*: pip install 'radtui\[train\]'\."),
        (ModuleNotFoundError("x", name="bitsandbytes"), r"pip install 'radtui\[gpu\]'\."),
        (ModuleNotFoundError("x", name="timm"), r"Python package timm, .*: pip install timm\."),
        (caused(OSError("x"), ConnectError("no route")), "not on this machine and the hub cannot be reached"),
        (
            SafetensorError("Error while deserializing header"),
            "Weights .* damaged or cut short: copy or train",
        ),
        (
            ValueError("Image features and image tokens do not match, tokens: 0, features: 6"),
            "from one and the same",
        ),
        (GatedRepoError("401"), "is gated: accept its terms"),
        (
            ZeroDivisionError("division by zero\nand more"),
            r"failed with ZeroDivisionError \(division by zero and more\)",
        ),
    ],
)
def test_each_failure_has_its_sentence(tmp_path, error, sentence):
    import re

    said = failures.sentence(error, DataDir(tmp_path))
    assert re.search(sentence, said)
    assert "\n" not in said and said.endswith(".") and len(said) < 300


def test_a_chain_that_bites_its_tail_ends(tmp_path):
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert "ValueError (a)" in failures.sentence(first, DataDir(tmp_path))
