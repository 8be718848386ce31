"""The batch script of a job: what Slurm is asked for, and the one command that it starts."""

from __future__ import annotations

import shlex

from radtui.cluster import fetched
from radtui.cluster.profile import Profile
from radtui.cluster.run_folder import RunFolder
from radtui.paths import expanded

NAME = "submit.sh"
PLAIN = "/._-+=:,@%[]"  # beside letters and digits: what sbatch takes as it stands
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
"""No machine of the cluster asks the hub, whether it could reach it or not."""


def text(profile: Profile, run: RunFolder, job_name: str, gpus: int, submission: int) -> str:
    """A job's batch script.

    Args:
        profile: The cluster's.
        run: The job's folder.
        job_name: As Slurm's queue shows it.
        gpus: GPUs, and so processes, of the job.
        submission: How often the job has been handed over, this time included.

    Raises:
        UserError: The machines cannot have as many GPUs each.
    """
    nodes, each = profile.machines(gpus), profile.each(gpus)
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in options(profile, run, job_name, nodes, each))]
    variables = {**OFFLINE, "RADTUI_SUBMISSION": str(submission), "RADTUI_NODES": str(nodes)}
    # What `fetch` fills and a submission looks into, whatever the shell that submits says and a machine inherits of it.
    variables["HF_HUB_CACHE"] = str(fetched.cache_of(profile.hf_home))
    if profile.hf_home:
        variables["HF_HOME"] = str(expanded(profile.hf_home))
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    if profile.scratch:  # unquoted: it is often a variable that exists on the machine alone
        lines += [f'export RADTUI_SCRATCH="{profile.scratch}"', 'mkdir -p "$RADTUI_SCRATCH"']
    lines += profile.setup
    command = shlex.join(
        [profile.interpreter, "-P", "-m", "radtui.worker", "--data-dir", str(run.root), str(run.job_id)]
    )
    # It takes the place of the shell, so that Slurm's signals reach it; on several machines it runs srun itself.
    lines.append(f"exec {command}")
    return "\n".join(lines) + "\n"


def options(profile: Profile, run: RunFolder, job_name: str, nodes: int, each: int) -> list[str]:
    """The options of sbatch; those that the profile adds come last, and so count.

    Args:
        profile: The cluster's.
        run: The job's folder.
        job_name: As Slurm's queue shows it.
        nodes: Machines.
        each: GPUs of each machine.
    """
    data = run.data
    wanted = {
        "job-name": job_name,
        "output": str(data.log(run.job_id)).replace("%", "%%"),
        "open-mode": "append",
        "chdir": str(data.job(run.job_id)),
        "nodes": str(nodes),
        "ntasks-per-node": "1",
        "partition": profile.partition,
        "account": profile.account,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "time": profile.time,
        "mem": profile.memory,
        "gres": f"{profile.gres}:{each}" if profile.gres else "",
        "cpus-per-task": str(profile.cpus_per_gpu * each) if profile.cpus_per_gpu else "",
        "signal": f"B:USR1@{profile.save_before_s}"
        if profile.save_before_s
        else "",  # to the script's process
    }
    return [
        *(_option(name, value) for name, value in wanted.items() if value),
        "--requeue",
        *profile.sbatch,
    ]


def _option(name: str, value: str) -> str:
    """An option as a line of the script has it: sbatch ends it at a space unless it stands in quotes."""
    if all(each.isalnum() or each in PLAIN for each in value):
        return f"--{name}={value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'--{name}="{quoted}"'
