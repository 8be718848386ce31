"""A plan's power against studies simulated in another way: whole preferences drawn from a latent scale."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest
from scipy import special

from radtui.measures.planning import Aim, Components, components_of, plan, power_of, shows
from radtui.measures.readers import spread_of
from radtui.paths import DataDir
from radtui.records import Job
from radtui.study import edits
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from tests.commands import invoked
from tests.unit.review_sessions import begun

SCHEME = default_scheme()


def preferences(
    rng: np.random.Generator, readers: int, cases: int, shift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wins, ties and losses as 1, 0, -1, cut out of a latent scale with readers, cases and noise."""
    latent = shift + rng.normal(0, 0.25, (readers, 1)) + rng.normal(0, 0.6, (1, cases))
    latent = latent + rng.normal(0, 1.0, (readers, cases))
    values = np.where(latent > 0.3, 1.0, np.where(latent < -0.3, -1.0, 0.0)).ravel()
    return values, np.repeat(np.arange(readers), cases), np.tile(np.arange(cases), readers)


def exact(shift: float) -> Components:
    """Mean and variances of `preferences`, integrated instead of drawn."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    at = shift + 0.25 * nodes[:, None] + 0.6 * nodes[None, :]
    wins, losses = special.ndtr(at - 0.3), special.ndtr(-at - 0.3)
    expected = wins - losses
    mean = float(weights @ expected @ weights)
    reader = float(weights @ (expected @ weights - mean) ** 2)
    case = float((weights @ expected - mean) ** 2 @ weights)
    total = float(weights @ (wins + losses) @ weights) - mean**2
    return Components(mean, reader, case, total - reader - case)


@pytest.mark.parametrize(
    ("aim", "shift", "margin", "readers", "cases"),
    [
        (Aim.SUPERIORITY, 0.45, 0.0, 4, 40),
        (Aim.NON_INFERIORITY, 0.1, 0.3, 3, 60),
        (Aim.EQUIVALENCE, 0.0, 0.35, 5, 60),
    ],
)
def test_the_planned_power_is_that_of_whole_preferences(
    aim: Aim, shift: float, margin: float, readers: int, cases: int
) -> None:
    rng, runs = np.random.default_rng(7), 6000
    parts = exact(shift)
    really = np.mean(
        [shows(spread_of(*preferences(rng, readers, cases, shift)), aim, margin) for _ in range(runs)]
    )
    planned = power_of(parts, parts.mean, aim, margin, readers, cases, runs)
    assert 0.3 < really < 0.97 and abs(planned - really) <= 0.03, (planned, really)


def test_a_pilot_shows_the_parts_of_the_scale() -> None:
    parts, pilot = exact(0.45), components_of(*preferences(np.random.default_rng(2), 400, 1500, 0.45))
    for name, tolerance in (("mean", 0.1), ("reader", 0.25), ("case", 0.12), ("rest", 0.02)):
        assert getattr(pilot, name) == pytest.approx(getattr(parts, name), rel=tolerance), name


def test_the_parts_of_a_known_design_are_found() -> None:
    rng = np.random.default_rng(3)
    values = 0.2 + rng.normal(0, 0.3, (60, 1)) + rng.normal(0, 0.5, (1, 400)) + rng.normal(0, 0.8, (60, 400))
    parts = components_of(values.ravel(), np.repeat(np.arange(60), 400), np.tile(np.arange(400), 60))
    assert parts.reader == pytest.approx(0.09, rel=0.4)
    assert parts.case == pytest.approx(0.25, rel=0.2) and parts.rest == pytest.approx(0.64, rel=0.05)
    with pytest.raises(ValueError, match="same cases"):
        components_of(values[0], np.zeros(400, int), np.arange(400))


def test_a_plan_finds_the_fewest_cases_and_says_where_more_of_them_do_not_help() -> None:
    parts = Components(0.0, reader=0.004, case=0.2, rest=0.5)
    three, five = plan(parts, 0.4, Aim.SUPERIORITY, 0.0, [3, 5], runs=300)
    assert three.cases is not None and five.cases is not None and five.cases < three.cases
    assert three.power >= 0.8 > power_of(parts, 0.4, Aim.SUPERIORITY, 0.0, 3, three.cases // 2, 300)
    lone = plan(Components(0.0, reader=0.5, case=0.1, rest=0.1), 0.2, Aim.SUPERIORITY, 0.0, [2], runs=20)[0]
    assert lone.cases is None and lone.power < 0.5


def test_the_command_plans_from_a_pilot(data: DataDir, db: sqlite3.Connection, third_job: Job) -> None:
    study = make_study(db, parse_arms(["base,tuned"]), "train").study
    rng = np.random.default_rng(1)
    for rater in ("ana", "ben", "eva"):
        session = begun(db, study, rater, SCHEME)
        while (now := session.shown()) is not None and not now.rated:
            wins = rng.random() < 0.65
            level = 0 if (now.left == "tuned") == wins else 4
            session.answer(lambda row, at=level: edits.preferred(row, SCHEME, at))
            session.next_unrated()
    words = ["study", "plan", "--pilot", str(study.id), "--readers", "3", "--runs", "100"]
    done = invoked(data, *words)
    assert done.exit_code == 0, done.output
    assert "3 readers" in done.output and "tuned against base" in done.output
    facts = json.loads(invoked(data, *words, "--json").stdout)
    assert facts["pilot"]["ratings"] == 90 and facts["plan"][0]["readers"] == 3
    wrong = invoked(data, *words, "--aim", "equivalence")
    assert wrong.exit_code == 2
