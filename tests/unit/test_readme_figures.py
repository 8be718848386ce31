"""The README says of learning from corrections what its figures say."""

import json
from pathlib import Path

from tests.bench.flywheel_readme import FIGURES, table

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_has_the_table_of_learning_from_corrections_as_it_was_measured() -> None:
    expected = table(json.loads(FIGURES.read_text(encoding="utf-8")))
    assert expected in README.read_text(encoding="utf-8"), "print it: python -m tests.bench.flywheel_readme"
    assert expected.count("\n") >= 3
