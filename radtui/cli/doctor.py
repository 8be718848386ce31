"""`radtui doctor`: what this machine can do, and what is missing for more."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass

import click

from radtui import __version__
from radtui.cli.context import Session, pass_session
from radtui.cli.printing import json_text
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import UserError

TRAIN_PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")
GPU_PACKAGES = ("unsloth", "bitsandbytes")
TORCHVISION_S = 60.0  # for importing it, with torch, from a cold disk
MIN_FREE_GIB = 5.0  # a checkpoint of an 11B model's adapter and optimizer, with room to write the next


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `state` is `ok`, `missing` (something cannot be done) or `note`."""

    what: str
    state: str
    text: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_session
def doctor(session: Session, as_json: bool) -> None:
    """Check packages, GPU, disk, data folder and terminal."""
    findings = [_python(), *_packages(), _gpu(), _data(session), *_place(session.data), _disk(session.data)]
    findings.append(_terminal())
    if as_json:
        click.echo(json_text([asdict(finding) for finding in findings]))
    else:
        marks = {"ok": "ok     ", "note": "note   ", "missing": "missing"}
        for finding in findings:
            click.echo(f"{marks[finding.state]}  {finding.what:<12}  {finding.text}")
    broken = [finding for finding in findings if finding.what == "data folder" and finding.state == "missing"]
    sys.exit(1 if broken else 0)


def _python() -> Finding:
    return Finding(
        "radtui", "ok", f"{__version__} on Python {platform.python_version()}, {platform.machine()}"
    )


def _packages() -> list[Finding]:
    return [
        _extra("train", TRAIN_PACKAGES, "training and generation on this machine"),
        _torchvision(),
        _extra("gpu", GPU_PACKAGES, "the unsloth backend and 4-bit weights"),
        _extra("dicom", ("pydicom",), "DICOM files"),
    ]


def _extra(name: str, packages: tuple[str, ...], what_for: str) -> Finding:
    absent = [package for package in packages if importlib.util.find_spec(package) is None]
    if absent:
        needs = f'{", ".join(absent)} missing for {what_for}: pip install -c constraints.txt "radtui[{name}]"'
        return Finding(name, "missing", needs)
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return Finding(name, "ok", versions)


def _torchvision() -> Finding:
    """Whether it works: beside another build of torch it is there and raises, so it is imported, elsewhere."""
    from radtui.jobs.packages import torchvision_command

    if importlib.util.find_spec("torch") is None:
        return Finding("torchvision", "note", "not looked for, since there is no torch")
    command = torchvision_command(importlib.metadata.version("torch"))
    without = f"Pillow prepares images instead; Llama 4 and LFM2-VL need it: {command}"
    if importlib.util.find_spec("torchvision") is None:
        return Finding("torchvision", "note", f"not installed: {without}")
    version = importlib.metadata.version("torchvision")
    attempt = [sys.executable, "-P", "-c", "import torchvision"]
    try:
        works = (
            subprocess.run(attempt, capture_output=True, timeout=TORCHVISION_S, check=False).returncode == 0
        )
    except (OSError, subprocess.SubprocessError):
        works = False
    if works:
        return Finding("torchvision", "ok", version)
    return Finding("torchvision", "note", f"{version} does not import beside this torch: {without}")


def _gpu() -> Finding:
    # torch could tell as well, but takes seconds to import and a hundred MiB of GPU memory to ask.
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("GPU", "note", "none found: training runs on the CPU, which is enough for the demo")
    query = ["--query-gpu=name,memory.total,memory.used,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run([tool, *query], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("GPU", "missing", f"nvidia-smi does not answer ({error}); check the driver")
    return Finding("GPU", "ok", "; ".join(answer.stdout.strip().splitlines()) or "none listed by nvidia-smi")


def _data(session: Session) -> Finding:
    from radtui.store import cases, jobs
    from radtui.store.database import can_write

    if not session.data.database.exists() and not session.data.has_content:
        return Finding("data folder", "note", f"{session.data.root}: nothing there yet; an import makes it")
    try:
        db = session.read()
    except UserError as error:
        return Finding("data folder", "missing", str(error))
    what = f"{session.data.root}: {many(cases.total(db), 'case')}, {many(jobs.total(db), 'job')}"
    if can_write(db):
        return Finding("data folder", "ok", what)
    return Finding("data folder", "note", f"{what}; it can only be read, so the app does not open on it")


def _place(data: DataDir) -> list[Finding]:
    """Who can read the data folder, and whether it lies where SQLite's log is safe."""
    from radtui.cli.data_findings import NETWORK, file_system, readers

    if not data.root.is_dir():
        return []
    who, is_open = readers(data.root)
    findings = [Finding("readers", "note" if is_open else "ok", who)]
    kind = file_system(data.root)
    if kind in NETWORK:
        findings.append(
            Finding("file system", "missing", f"{kind}: SQLite's log is not safe there, so one machine at a time works"
                    f" on it{_lease_words(data)}; use a local disk, and radtui backup for copies"),
        )  # fmt: skip
    elif kind:
        findings.append(Finding("file system", "ok", kind))
    return findings


def _lease_words(data: DataDir) -> str:
    """Which machine has a folder of a network file system."""
    from radtui.store.lease import Lease

    owner = Lease(data.root).owner()
    return f", now {owner[0]}" if owner else ""


def _disk(data: DataDir) -> Finding:
    if not data.root.exists():
        return Finding("disk", "note", "not known: there is no data folder")
    free_gib = shutil.disk_usage(data.root).free / 2**30
    state = "ok" if free_gib >= MIN_FREE_GIB else "note"
    return Finding(
        "disk", state, f"{free_gib:.1f} GiB free" + ("" if state == "ok" else "; checkpoints may not fit")
    )


def _terminal() -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "output is no terminal here; the app needs one")
    from radtui.tui.asking_driver import worth_asking
    from radtui.tui.terminal import current

    graphics = current()
    shows = f"images are shown in {graphics.badge or '256 greys and 24-bit colour'}"
    asks = "The app asks the terminal itself when it starts, and shows all greys if it says yes."
    advice = [graphics.why, asks if worth_asking(os.environ) else ""]
    return Finding(
        "terminal", "note" if graphics.why else "ok", " ".join([f"{shows}.", *filter(None, advice)])
    )
