"""A score job: what it is asked, the environment that it needs, and its start."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import Any

from radtui.jobs.control import launch_new
from radtui.jobs.launch import starting
from radtui.measures.package_scores import BY_NAME, PACKAGE, USUAL
from radtui.paths import DataDir, expanded
from radtui.records import Job, JobKind, Study, UserError
from radtui.settings import About, Settings
from radtui.store import jobs, text_scores

VERSION = "2.2.1"  # the one whose interface is tested
ENVIRONMENT = "score-env"  # in the data folder: found there without a setting
LOOK_S = 60.0  # for an interpreter on a slow disk to say which version it has


def _option(default: Any, help_text: str, **about: Any) -> Any:
    return field(default=default, metadata={"about": About(help_text, **about)})


@dataclass(frozen=True)
class ScoreSettings(Settings):
    """One round of scores for the texts of a study."""

    study: int = _option(0, "Study whose texts are scored", low=0)
    package: str = _option(PACKAGE, "Package that computes the scores", choices=(PACKAGE,))
    scores: str = _option(",".join(USUAL), "Its scores, with commas between")
    python: str = _option("", "Python of the package's environment; empty finds it")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of what the package is asked for, each once, in their order."""
        return tuple(dict.fromkeys(name.strip() for name in self.scores.split(",") if name.strip()))

    def problems(self) -> dict[str, str]:
        """What is wrong, by field: a score that the package is not asked for by this name."""
        problems = super().problems()
        unknown = [name for name in self.metrics if name not in BY_NAME]
        if unknown or not self.metrics:
            problems["scores"] = f"scores must be of {', '.join(BY_NAME)}, not {', '.join(unknown) or 'none'}"
        return problems


def submit_score(data: DataDir, db: sqlite3.Connection, study: Study, settings: ScoreSettings) -> Job:
    """Start a job that has a package score every text of a study that has a reference.

    Raises:
        UserError: A score is not known, nothing can be scored, or no Python here has the package: says the command.
    """
    settings = replace(settings, study=study.id).check()
    if not text_scores.of_study(db, study):
        raise UserError(
            f"No text of {study.name} can be scored: none of its cases has a reference to be compared with."
        )
    python = package_python(data, settings)
    check_package(data, python)
    settings = replace(settings, python=str(python))
    name = f"{settings.package} on {study.name}"
    with starting(data):
        job = jobs.create(
            db, JobKind.SCORE, name, study.dataset, settings.to_dict(), parent_job_id=study.job_id
        )
        return launch_new(data, db, job)


def package_python(data: DataDir, settings: ScoreSettings) -> Path:
    """The Python that is asked: the named one, else that of `DATA/score-env`, else this one."""
    if settings.python:
        return expanded(settings.python)
    own = data.root / ENVIRONMENT / "bin" / "python"
    return own if own.exists() else Path(sys.executable)


def check_package(data: DataDir, python: Path) -> None:
    """Raise UserError unless a Python has the package, without importing it: that takes half a minute."""
    asked = f"import importlib.metadata as m; print(m.version({PACKAGE!r}))"
    try:
        answer = subprocess.run(
            [python, "-P", "-c", asked], capture_output=True, text=True, timeout=LOOK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"There is no Python at {python}: name another with --python.") from error
    if answer.returncode:
        raise UserError(
            f"{PACKAGE} is not installed for {python}; give it an environment of its own:"
            f" {environment_command(data)}, or name its Python with --python."
        )


def environment_command(data: DataDir) -> str:
    """What makes the environment in which the package is looked for without a setting."""
    place = quote(str(data.root / ENVIRONMENT))
    return f"python3 -m venv {place} && {place}/bin/pip install {PACKAGE}=={VERSION}"


def weights_command(python: str, metric: str) -> str:
    """What fetches a score's weights into the caches where the package looks for them."""
    return f"""{quote(python)} -c "from radeval import RadEval; RadEval(metrics=['{metric}'])\""""
