"""Any exception to the one sentence a user reads; the traceback stays in the log."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from radtui.paths import DataDir
from radtui.records import UserError

READ_LOG = "read the job's log"
EXTRA_OF_MODULE = {
    "torch": "train", "transformers": "train", "trl": "train", "peft": "train", "datasets": "train",
    "accelerate": "train", "safetensors": "train",
    "unsloth": "gpu", "unsloth_zoo": "gpu", "bitsandbytes": "gpu", "triton": "gpu",
    "pydicom": "dicom", "pylibjpeg": "dicom", "openjpeg": "dicom", "gdcm": "dicom",
}  # fmt: skip
"""Which extra of radtui brings a module."""

HUB_ERRORS = {
    "GatedRepoError": "is gated: accept its terms on its page and log in with `hf auth login`",
    "RepositoryNotFoundError": "is not on the hub, or is private: check its name, or log in with `hf auth login`",
    "RevisionNotFoundError": "has no such revision on the hub: check its name",
}
UNREACHABLE = (
    "ConnectionError", "ConnectError", "ConnectTimeout", "ReadTimeout", "MaxRetryError", "NameResolutionError",
    "LocalEntryNotFoundError", "OfflineModeIsEnabled", "gaierror", "ProxyError", "RemoteProtocolError",
)  # fmt: skip

FULL_DISK_SIGNS = (
    "No space left on device", "database or disk is full", "os error 28",  # the system, SQLite, safetensors
    "iostream error", "inline_container.cc",  # torch.save's own words for a short write
)  # fmt: skip


SHAPE_SIGNS = (
    "is invalid for input of size", "must match the size", "Sizes of tensors must match", "equal size",
    "shapes cannot be multiplied", "split_with_sizes",
)  # fmt: skip
"""What torch says where a tensor has not the size that was reckoned with."""
TWO_SHAPES = "The model's own code fails on pictures of two shapes in one batch"
PARTS_OF_TWO_SHAPES = (
    "The model's own code fails on a case whose pictures, or the parts that a picture is cut into, have two shapes: "
    "set image_tokens so low that none is cut, and show one picture a case, or choose another model."
)


def sentence(error: BaseException, data: DataDir, subject: str = "", again: str = "resume the job") -> str:
    """Say in one sentence what went wrong and what to do next.

    Args:
        error: What was raised; its causes are looked at too.
        data: The data folder, named when its disk is full.
        subject: What was being loaded, such as a model's name; empty when nothing was.
        again: What one does when there is room on the disk.
    """
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, UserError):
            return _last_line(each)
    known = (
        _memory_or_disk(chain, data, again)
        or _missing_module(chain)
        or _damaged(chain)
        or _of_two_versions(chain)
        or hub_problem(error, subject)
    )
    reason = " ".join(str(error).split())[:200].rstrip(".") or "no message"
    return known or f"The job failed with {type(error).__name__} ({reason}); {READ_LOG}."


def hub_problem(error: BaseException, subject: str) -> str:
    """The sentence for a model or data set that could not be fetched; empty when it is something else."""
    name = f"{subject} " if subject else "What the job needs "
    chain = list(_chain(error))
    for each in chain:
        if type(each).__name__ in HUB_ERRORS:
            return f"{name}{HUB_ERRORS[type(each).__name__]}."
    unreachable = any(type(each).__name__ in UNREACHABLE for each in chain)
    if unreachable or any("couldn't connect to" in str(each).lower() for each in chain):
        return (
            f"{name}is not on this machine and the hub cannot be reached: connect to the network, "
            "or name a folder that holds it."
        )
    return ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU's memory ran out; older kernels say so in a plain RuntimeError."""
    text = str(error)
    return type(error).__name__ == "OutOfMemoryError" or "CUDA out of memory" in text or (
        isinstance(error, RuntimeError) and "CUBLAS_STATUS_ALLOC_FAILED" in text
    )  # fmt: skip


def is_of_shapes(error: BaseException) -> bool:
    """Whether tensors did not go together, as where a model's code takes all pictures to be of one shape."""
    return isinstance(error, RuntimeError) and not is_out_of_memory(error) and any(
        sign in str(error) for sign in SHAPE_SIGNS
    )  # fmt: skip


def is_disk_full(error: BaseException) -> bool:
    """Whether a write failed for want of space; each library wraps the system's error in its own way."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(sign in str(error) for sign in FULL_DISK_SIGNS)


def _memory_or_disk(chain: list[BaseException], data: DataDir, again: str) -> str:
    if any(is_disk_full(each) for each in chain):
        return f"The disk of {data.root} is full: free some space, then {again}."
    if any(is_out_of_memory(each) for each in chain):
        return (
            "The GPU's memory is full even for one image at a time: set max_side_px, or choose 4-bit weights."
        )
    if any(isinstance(each, MemoryError) or "DefaultCPUAllocator" in str(each) for each in chain):
        return (
            "The machine's memory is full: choose a smaller batch_size, set max_side_px, or a smaller model."
        )
    return ""


def _damaged(chain: list[BaseException]) -> str:
    if not any(type(each).__name__ == "SafetensorError" for each in chain):
        return ""
    return f"Weights this job needs are damaged or cut short: copy or train them again; to see which, {READ_LOG}."


def _of_two_versions(chain: list[BaseException]) -> str:
    """Where tokens were added to a model's tokenizer, or its files come from two places."""
    if not any("mage features and image tokens do not match" in str(each) for each in chain):
        return ""
    return (
        "The model's config.json takes another token for an image than its processor writes: copy config.json, the "
        "tokenizer's and the processor's files from one and the same model."
    )


def library_wanted(words: str) -> str:
    """The package that transformers says it lacks for a class; empty when it says something else."""
    library = re.search(r"requires the (\S+) library|Package `(\S+)` is required", words)
    return (library[1] or library[2]).lower() if library else ""


def _missing_module(chain: list[BaseException]) -> str:
    names = [(each.name or "").split(".")[0] for each in chain if isinstance(each, ModuleNotFoundError)]
    names += filter(None, map(library_wanted, map(str, chain)))
    if not names:
        return ""
    if extra := EXTRA_OF_MODULE.get(names[0]):
        return f"This job needs {names[0]}, which is not installed: pip install 'radtui[{extra}]'."
    return f"This job needs the Python package {names[0]}, which is not installed: pip install {names[0]}."


def _last_line(error: UserError) -> str:
    """The error's own sentence; a loader process hands it on as the last line of a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^[\w.]*UserError: ", "", lines[-1]) if lines else f"The job failed; {READ_LOG}."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it was raised from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
