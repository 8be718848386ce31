"""What a process does that torch's launcher started for a job: one rank of several, each with a GPU of its own."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from datetime import timedelta

from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.worker.process import failures
from radtui.worker.process.ranks import OutOfMemoryError, Ranks, log_name
from radtui.worker.process.reporter import Stopped
from radtui.worker.process.workplace import Workplace

log = logging.getLogger("radtui.worker")
# A rank that died is noticed by the launcher; one that still works is waited for.
PATIENCE = timedelta(days=7)
DIE_WITH_PARENT = 1  # Source: Linux, prctl(2), PR_SET_PDEATHSIG


def begin(data: DataDir, job_id: int, launcher: int) -> None:
    """Make this process one that ends with its launcher and has a log of its own.

    Args:
        data: The data folder.
        job_id: The job.
        launcher: Process number of the launcher.

    Raises:
        SystemExit: The launcher is gone already.
    """
    if sys.platform == "linux":
        # A launcher that is killed cannot end its ranks, and they would train on, unseen, beside a resumed job.
        ctypes.CDLL(None, use_errno=True).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != launcher:
        raise SystemExit(1)
    # The launcher ends ranks by SIGTERM, also one that waits for another inside a library; it alone writes the end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if rank := int(os.environ["RANK"]):
        file = os.open(data.job(job_id) / log_name(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, sys.stdout.fileno())
        os.dup2(file, sys.stderr.fileno())
        os.close(file)


def work(job: Job, data: DataDir, place: Workplace) -> None:
    """Do this rank's part of the job; torch's launcher reads what went wrong from the file its wrapper writes.

    Args:
        job: As its row was before any rank wrote to it.
        data: The data folder.
        place: This rank's own.
    """
    from torch.distributed.elastic.multiprocessing.errors import record

    record(_do)(job, data, place)


def _do(job: Job, data: DataDir, place: Workplace) -> None:
    training = job.kind is JobKind.TRAIN
    ranks = _join(exchanges_gradients=training)
    db, reporter = place.db, place.rank_reporter(ranks, speaks=ranks.first or not training)
    log.info("rank %d of %d of job %d", ranks.number, ranks.count, job.id)
    try:
        if training:
            from radtui.worker.training import train

            train.run(job, data, db, reporter)
        else:
            from radtui.worker.describing import generate

            generate.run(job, data, db, reporter)
    except (Stopped, OutOfMemoryError):
        _end_in_peace()
        raise
    except Exception as error:
        _end_in_peace()
        log.error("failed", exc_info=True)
        sentence = failures.sentence(error, data)
        raise UserError(sentence.replace(failures.READ_LOG, f"read {log_name(ranks.number)}")) from error


def _end_in_peace() -> None:
    """Let what this rank raised be written whole, also when the launcher ends all for another's sake."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _join(exchanges_gradients: bool) -> Ranks:
    """Take this rank's GPU and meet the others.

    Args:
        exchanges_gradients: Whether the ranks send each other more than a few numbers, so that it has to be quick.
    """
    import torch
    from torch import distributed

    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    else:
        os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"  # it would name it cpu:0, where torch.load puts nothing
    nccl = cuda and exchanges_gradients
    if nccl:
        import torch._dynamo

        # What unsloth compiles lies inside the model; cut up at the borders of gradient buckets it is another program.
        torch._dynamo.config.optimize_ddp = False
    if sys.platform == "linux":
        # All are here, and a machine's name may lead nowhere.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group("nccl" if nccl else "gloo", timeout=PATIENCE)
    group = distributed.new_group(backend="gloo", timeout=PATIENCE) if nccl else None
    ranks = Ranks(distributed.get_rank(), distributed.get_world_size(), group)
    ranks.meet()
    return ranks
