"""Profiles of the config file, the batch script that follows from one, and what is fetched before a job queues."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sqlite3
from pathlib import Path

import click
import pytest

from radtui.cli import cli
from radtui.cluster import collect, fetched, journal, packing, profile, script, slurm, submit, watching
from radtui.cluster.profile import Profile
from radtui.cluster.run_folder import RunFolder
from radtui.cluster.slurm import Status
from radtui.durations import clock_text
from radtui.paths import DataDir
from radtui.records import JobKind, UserError
from radtui.settings import TrainSettings
from radtui.store import cases, job_snapshot, jobs, metrics
from radtui.store.database import connect


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("RADTUI_CONFIG", str(file))
    return file


def test_a_profile_is_read_with_what_it_leaves_out(config: Path) -> None:
    config.write_text('[slurm.gpu]\npartition = "a100"\ngpus_per_node = 4\nsbatch = ["--exclusive"]\n')
    assert profile.named("") == profile.named("gpu")
    assert profile.named("gpu") == Profile("gpu", partition="a100", gpus_per_node=4, sbatch=("--exclusive",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"No cluster is described in .*write a line \[slurm\.NAME\]"),
        ("[slurm.a]\n[slurm.b]\n", "several clusters, a, b: choose one with --profile"),
        ("[slurm.a]\npartitions = 1\n", "has partitions, but a profile has partition, account"),
        ("[slurm.a]\ngpus_per_node = '4'\n", "gpus_per_node of .* must be a whole number, not '4'"),
        ("[slurm.a]\nsetup = 'x'\n", "setup of .* must be a list of texts"),
        ("[slurm.a]\ngpus_per_node = 0\n", "at least 1"),
        ("[slurm.a]\ntime = 'long'\n", "'long'; write it as 90, 12:00:00 or 2-00:00:00"),
        ('[slurm.a]\npartition = "gpu\\n#SBATCH --wrap=x"\n', "partition of .* has a line break"),
        ('[slurm.a]\nsbatch = ["--mem=0\\nrm -r x"]\n', "sbatch of .* has a line break"),
        ('[slurm.a]\nsbatch = ["mem=0"]\n', "'mem=0' in sbatch of .* is no option: it begins with --"),
        (
            '[slurm.a]\nsbatch = ["--mem=0 --array=1-3"]\n',
            "has --array=1-3, which radtui sets itself or cannot follow",
        ),
        ('[slurm.a]\nsbatch = ["-N4"]\n', "has -N4, which radtui sets itself"),
        ("[slurm.a]\ntime = '2'\n", "save_before_s of .* is 120 s and its time 2: no job would get anywhere"),
        ("[slurm.a]\nscratch = '/tmp/\"x'\n", "scratch of .* has a quotation mark"),
        ("slurm = 1", "names no cluster"),
        ("[slurm", "cannot be read"),
    ],
)
def test_a_profile_that_is_wrong_is_one_sentence(config: Path, text: str, sentence: str) -> None:
    config.write_text(text)
    with pytest.raises(UserError, match=sentence):
        profile.named("")


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("90", 5400),
        ("1:30", 90),
        ("12:00:00", 43_200),
        ("2-0", 172_800),
        ("1-1:30", 91_800),
        ("1-0:00:05", 86_405),
    ],
)
def test_a_time_is_what_sbatch_takes_it_for(config: Path, time: str, seconds: int) -> None:
    config.write_text(f"[slurm.a]\ntime = '{time}'\nsave_before_s = {seconds - 1}\n")
    assert profile.named("").time == time
    config.write_text(f"[slurm.a]\ntime = '{time}'\nsave_before_s = {seconds}\n")
    with pytest.raises(UserError, match="no job would get anywhere"):
        profile.named("")


def test_there_is_no_such_profile(config: Path) -> None:
    config.write_text("[slurm.a]\n")
    with pytest.raises(UserError, match=r"no profile 'b' .* there is a"):
        profile.named("b")


def test_the_script_asks_for_what_the_profile_says(tmp_path: Path) -> None:
    gpu = Profile(
        "gpu", partition="a100", account="me", time="12:00:00", gpus_per_node=8, cpus_per_gpu=8, gres="gpu:h100",
        hf_home="/shared/hf", scratch="$TMPDIR", python="/opt/python", setup=("module load cuda",), sbatch=("--mem=0",),
    )  # fmt: skip
    run = RunFolder(tmp_path / "a b", 7)
    lines = script.text(gpu, run, "radtui-7-abc", 8, 3).splitlines()
    assert lines[0] == "#!/bin/bash"
    for option in (
        "--job-name=radtui-7-abc", "--partition=a100", "--account=me", "--time=12:00:00", "--nodes=1",
        "--gres=gpu:h100:8", "--cpus-per-task=64", "--signal=B:USR1@120", "--requeue", "--open-mode=append",
    ):  # fmt: skip
        assert f"#SBATCH {option}" in lines
    assert lines.index("#SBATCH --mem=0") > lines.index("#SBATCH --requeue")
    assert "export HF_HUB_OFFLINE=1" in lines and "export HF_HOME=/shared/hf" in lines
    assert "export RADTUI_SUBMISSION=3" in lines and 'export RADTUI_SCRATCH="$TMPDIR"' in lines
    assert lines[-2] == "module load cuda"
    assert lines[-1] == f"exec /opt/python -P -m radtui.worker --data-dir '{tmp_path}/a b' 7"


def test_gpus_that_cannot_be_shared_out_are_refused() -> None:
    eight = Profile("eight", gpus_per_node=8)
    assert (eight.machines(8), eight.each(8), eight.machines(64), eight.each(64)) == (1, 8, 8, 8)
    with pytest.raises(UserError, match="9 GPUs cannot be shared out evenly over 2 machines of 8"):
        eight.each(9)
    with pytest.raises(UserError, match="64 GPUs are 8 machines of 8, and profile few allows 4: lower gpus"):
        Profile("few", gpus_per_node=8, nodes=4).each(64)


def test_several_machines_are_asked_for_and_one_process_begins(tmp_path: Path) -> None:
    lines = script.text(
        Profile("gpu", gpus_per_node=4, python="/opt/python"), RunFolder(tmp_path, 7), "n", 8, 1
    ).splitlines()
    for option in ("--nodes=2", "--ntasks-per-node=1", "--gres=gpu:4", "--signal=B:USR1@120"):
        assert f"#SBATCH {option}" in lines
    assert "export RADTUI_NODES=2" in lines
    assert lines[-1].startswith("exec /opt/python -P -m radtui.worker --data-dir")


def test_no_gpu_is_asked_for_where_the_cluster_has_none(tmp_path: Path) -> None:
    text = script.text(Profile("cpu", gres="", save_before_s=0), RunFolder(tmp_path, 1), "n", 1, 1)
    assert "gres" not in text and "signal" not in text and "partition" not in text


def test_a_job_waits_in_words() -> None:
    waits = Status(12, "radtui-7", "PENDING", "Resources", "2026-11-28T12:30:11")
    assert watching.waiting_words(waits) == (
        "Waits in Slurm as job 12: no machine is free (Resources), expected to start 2026-11-28 12:30"
    )
    down = Status(12, "x", "PENDING", "ReqNodeNotAvail, UnavailableNodes:n1")
    assert watching.waiting_words(down).endswith(
        "12: the machines it may have are down or reserved (ReqNodeNotAvail, UnavailableNodes:n1)"
    )
    assert watching.waiting_words(Status(12, "x", "PENDING", "Rare")) == "Waits in Slurm as job 12 (Rare)"
    assert watching.waiting_words(Status(12, "x", "PENDING")) == "Waits in Slurm as job 12"


def test_slurm_that_is_not_here_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not slurm.is_here()
    with pytest.raises(UserError, match="no squeue on this machine: run radtui on the cluster's login node"):
        slurm.queue()
    assert slurm.ended(5) == Status(5, "", "")


def stand_in(folder: Path, name: str, prints: str, code: int = 0) -> None:
    """A command of Slurm's that prints something."""
    file = folder / name
    file.write_text(f"#!/bin/sh\nprintf '%s' '{prints}'\nexit {code}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("prints", "number"),
    [("7", "7"), ("7;other", "7"), ("Welcome to the cluster\n12 GPUs are free\n7\n", "7")],
)
def test_a_cluster_may_greet_before_it_says_a_jobs_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, number: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stand_in(tmp_path, "sbatch", prints)
    assert slurm.submit(tmp_path / "submit.sh") == number


def test_no_number_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stand_in(tmp_path, "sbatch", "queued for approval")
    with pytest.raises(UserError, match="sbatch says 'queued for approval' and no job's number"):
        slurm.submit(tmp_path / "submit.sh")


def test_arrays_and_odd_names_of_others_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    lines = [
        "12_[1-5%2]|a|PENDING|None|N/A|",
        "13_2|a|RUNNING|None|N/A|n1",
        "14|a|b|RUNNING|None|N/A|n1",
        "no such",
    ]
    stand_in(
        tmp_path, "squeue", "\n".join([*lines, "15|radtui-7-x|RUNNING|None|2026-11-28T12:30:11|n[1-2]", ""])
    )
    assert slurm.queue() == {
        15: Status(15, "radtui-7-x", "RUNNING", "", "2026-11-28T12:30:11", "n[1-2]"),
    }


def test_what_a_shell_says_to_slurms_commands_does_not_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name in ("SQUEUE_PARTITION", "SLURM_TIME_FORMAT", "SLURM_CLUSTERS", "SLURM_JOB_ID", "SLURM_CONF"):
        monkeypatch.setenv(name, "here")
    (tmp_path / "squeue").write_text('#!/bin/sh\nenv >"$0.said"\n')
    (tmp_path / "squeue").chmod(0o755)
    assert slurm.queue() == {}
    said = (tmp_path / "squeue.said").read_text().splitlines()
    assert [line for line in said if line.startswith(("SLURM", "SQUEUE"))] == ["SLURM_CONF=here"]


def test_no_accounts_leave_what_the_controller_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stand_in(tmp_path, "sacct", "Slurm accounting storage is disabled", code=1)
    stand_in(tmp_path, "scontrol", "JobId=7 JobName=radtui-7 JobState=TIMEOUT Reason=None NodeList=n1")
    assert slurm.ended(7).state == "TIMEOUT"
    stand_in(tmp_path, "scontrol", "slurm_load_jobs error: Invalid job id specified", code=1)
    assert slurm.ended(7) == Status(7, "", "")


def test_the_default_partition_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stand_in(tmp_path, "sinfo", "debug*\ngpu\n")
    assert slurm.partitions() == ["debug", "gpu"]


def test_a_folder_of_any_name_is_an_option_of_one_word(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / 'it\'s "a" #b\\c', 1)
    lines = script.text(Profile("cpu"), run, "n", 1, 1).splitlines()
    (chdir,) = [line for line in lines if line.startswith("#SBATCH --chdir=")]
    escaped = str(run.data.job(1)).replace("\\", "\\\\").replace('"', '\\"')
    assert chdir == f'#SBATCH --chdir="{escaped}"'


def test_the_cache_that_a_job_reads_is_the_one_that_was_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", "/of/this/shell")
    text = script.text(Profile("gpu", hf_home="/shared/hf"), RunFolder(tmp_path, 1), "n", 1, 1)
    assert "export HF_HUB_CACHE=/shared/hf/hub" in text and "export HF_HOME=/shared/hf" in text
    text = script.text(Profile("gpu"), RunFolder(tmp_path, 1), "n", 1, 1)
    assert "export HF_HUB_CACHE=/of/this/shell" in text and "HF_HOME" not in text
    for name in ("HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fetched.cache_of("") == tmp_path / "huggingface" / "hub"


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ("radtui-7|CANCELLED by 0|n1", "Cancelled from outside by root, in Slurm, where it was job 7"),
        ("radtui-7|CANCELLED by 99999|n1", "Cancelled from outside by 99999, in Slurm, where it was job 7"),
        (
            "",
            "Cancelled from outside, not by radtui, in Slurm, where it was job 7",
        ),  # Slurm keeps no accounts
    ],
)
def test_who_cancelled_a_job_is_said_where_slurm_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accounts: str, words: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stand_in(tmp_path, "scontrol", "JobId=7 JobName=radtui-7 JobState=CANCELLED Reason=None NodeList=n1")
    stand_in(tmp_path, "sacct", accounts)
    status = slurm.ended(7)
    assert status.is_over and status.nodes == "n1"
    assert watching.cancelled_words(status, by_radtui=False) == words
    assert watching.cancelled_words(status, by_radtui=True) == "Cancelled in Slurm, where it was job 7"


def test_a_model_that_is_not_fetched_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "models--org--name"
    with pytest.raises(
        UserError, match=r"config\.json of org/name is not in .*: run radtui fetch org/name here first"
    ):
        fetched.check("org/name", str(tmp_path))
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    files = folder / "snapshots" / "abc"
    files.mkdir(parents=True)
    assert fetched.missing("org/name", str(tmp_path)) == "config.json"
    (files / "config.json").touch()
    assert fetched.missing("org/name", str(tmp_path)) == "model.safetensors"
    parts = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (files / "model.safetensors.index.json").write_text(json.dumps(parts)[:20])
    assert fetched.missing("org/name", str(tmp_path)) == "model.safetensors.index.json"
    (files / "model.safetensors.index.json").write_text(json.dumps(parts))
    (files / "model-1.safetensors").touch()
    assert fetched.missing("org/name", str(tmp_path)) == "model-2.safetensors"
    (files / "model-2.safetensors").touch()
    fetched.check("org/name", str(tmp_path))
    fetched.check(str(tmp_path), "")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seeds": 3}, None),
        ({"gpus": 7}, "7 GPUs cannot be shared out evenly over 4 machines of 2: choose a multiple of 2"),
        ({"gpus": 8}, None),
        ({"objective": "corrections", "from_job": 1}, None),
    ],
)
def test_what_a_job_on_slurm_cannot_be_is_said_before_it_queues(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    sentence: str | None,
) -> None:
    config.write_text("[slurm.gpu]\ngpus_per_node = 2\n")
    stand_in(tmp_path, "sbatch", "")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    asked = TrainSettings(model=str(tmp_path), on="slurm", **settings).to_dict()  # type: ignore[arg-type]
    if sentence is None:
        submit.check(asked)
        return
    with pytest.raises(UserError, match=sentence):
        submit.check(asked)


README = Path(__file__).parents[2] / "README.md"


def of_readme(language: str) -> str:
    """The block of that language in the README's page on clusters."""
    page = README.read_text(encoding="utf-8").split("## On a cluster\n")[1].split("\n## ")[0]
    return page.split(f"```{language}\n")[1].split("```")[0]


def test_readmes_profile_is_one(config: Path, tmp_path: Path) -> None:
    config.write_text(of_readme("toml"))
    gpu = profile.named("gpu")
    lines = script.text(gpu, RunFolder(tmp_path, 1), "n", 4, 1).splitlines()
    for line in (
        "#SBATCH --partition=gpu",
        "#SBATCH --gres=gpu:4",
        "#SBATCH --cpus-per-task=32",
        "module load cuda",
    ):
        assert line in lines


@pytest.mark.parametrize("line", of_readme("sh").splitlines())
def test_readmes_lines_are_commands(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    assert program == "radtui"
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, *words = words
        group = command.make_context("radtui", [name, *words], resilient_parsing=True)
        command = command.get_command(group, name) or pytest.fail(f"there is no {name}")
    command.make_context(name, list(words), resilient_parsing=False)  # raises for an option that is not there


@pytest.mark.parametrize(
    "full",
    [sqlite3.OperationalError("database or disk is full"), OSError(errno.EDQUOT, "Disk quota exceeded")],
)
def test_a_full_quota_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Exception
) -> None:
    def no_room(*_: object) -> None:
        raise full

    data = DataDir(tmp_path / "data").create()
    db = connect(data)
    cases.ensure_dataset(db, "shapes", "drawn")
    settings = TrainSettings(model=str(tmp_path), dataset="shapes")
    job = jobs.create(db, JobKind.TRAIN, "n", "shapes", settings.to_dict())
    monkeypatch.setattr(job_snapshot, "write", no_room)
    with pytest.raises(UserError, match=r"Cannot make the job's folder in .*(full|quota).*or make room"):
        packing.pack(data, db, job, tmp_path / "shared")
    assert list((tmp_path / "shared").iterdir()) == []


def test_what_other_jobs_have_written_is_brought_in_before_one_is_packed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("[slurm.cpu]\ngres = ''\n")
    stand_in(tmp_path, "sbatch", "7")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    data = DataDir(tmp_path / "data").create()
    db = connect(data)
    cases.ensure_dataset(db, "shapes", "drawn")
    settings = TrainSettings(model=str(tmp_path), dataset="shapes", on="slurm").to_dict()
    first, second = (jobs.create(db, JobKind.TRAIN, "n", "shapes", settings) for _ in range(2))
    submit.hand_over(data, db, first.id)
    run = collect.folder_of(data, jobs.must_get(db, first.id))
    assert run is not None
    writer = journal.Writer(run.journal / journal.file_name("001-000-00", 0, journal.MAIN))
    writer.append(journal.Entry("event", {"step": 0, "elapsed_s": 0.0, "kind": "data", "text": "new"}, 1.0))
    submit.hand_over(data, db, second.id)
    assert [event.text for event in metrics.events_since(db, first.id, 0)] == ["new"]


def test_clocks_of_two_machines_may_differ() -> None:
    assert clock_text(-3600.0) == "0 s"
