"""Several texts of one arm: drawn apart, the same when drawn again, and compared with each other in a study."""

from __future__ import annotations

import pytest

from radtui.records import UserError
from radtui.settings import GenerateSettings
from radtui.store import arms, studies
from radtui.store.database import connect

from .conftest import new_job
from .test_generate import adapter, run, settings, texts  # noqa: F401 - a fixture


def test_two_samples_are_two_arms_of_one_adapter_that_a_study_compares(data, mllama, adapter):  # noqa: F811
    drawn = {"temperature": 1.5, "samples": 2, "seed": 7}
    job = new_job(data, settings(mllama, adapter, **drawn))
    run(data, job)
    db = connect(data)
    first, second = arms.of_job(db, job.id)
    assert (first.name, first.sample, second.name, second.sample) == ("tuned", 0, "tuned 2", 1)
    assert first.adapter == second.adapter != "" and first.decoding == second.decoding
    study = studies.of_job(db, job.id)
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    assert len(pairs) == 8
    differ = sum(pair.by("tuned").text != pair.by("tuned 2").text for pair in pairs.values())
    assert differ >= 6

    again = new_job(data, settings(mllama, adapter, **drawn))
    run(data, again)
    assert texts(data, again) == texts(data, job)
    alone = new_job(data, settings(mllama, adapter, **(drawn | {"samples": 1})))
    run(data, alone, anew=False)
    own = {key: text for key, text in texts(data, alone).items() if key[1] == "tuned"}
    assert own == {key: text for key, text in texts(data, job).items() if key[1] == "tuned"}


def test_two_samples_without_a_temperature_are_refused():
    with pytest.raises(UserError, match="samples must be 1 at temperature 0"):
        GenerateSettings(samples=2).check()
