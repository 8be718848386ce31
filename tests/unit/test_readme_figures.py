"""The README says of learning from corrections what its figures say."""

import json
from pathlib import Path

import pytest

from tests.bench import scale_readme
from tests.bench.flywheel_readme import FIGURES, table

WORKS = ("yes", "fixed")  # of a check of a family
NO_CHECKS = {"kinds", "seconds"}
README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_has_the_table_of_learning_from_corrections_as_it_was_measured() -> None:
    expected = table(json.loads(FIGURES.read_text(encoding="utf-8")))
    assert expected in README.read_text(encoding="utf-8"), "print it: python -m tests.bench.flywheel_readme"
    assert expected.count("\n") >= 3


def test_the_readme_has_the_table_of_growth_as_it_was_measured() -> None:
    rows = scale_readme.table(json.loads(scale_readme.FIGURES.read_text(encoding="utf-8")))
    page = README.read_text(encoding="utf-8")
    assert rows in page, "put it there: python -m tests.bench.scale_readme README.md"
    assert rows.count("\n") >= 8 and scale_readme.placed(page, rows) == page


def test_the_readme_counts_the_families_as_they_were_measured() -> None:
    facts = json.loads((README.parent / "assets/benchmarks/models.json").read_text(encoding="utf-8"))
    families = facts["families"]
    checks = families["llava"].keys() - NO_CHECKS
    whole = sum(all(line.get(check) in WORKS for check in checks) for line in families.values())
    with_it = len(facts["with_torchvision"]["families"].keys() - families.keys())
    page = " ".join(README.read_text(encoding="utf-8").split())
    assert (
        f"{len(families)} without torchvision, of which {whole} do all of it, and {with_it} with it, and"
        in page
    )


def test_a_table_of_growth_takes_the_place_of_the_older_one_alone() -> None:
    run = {
        "cases": 20,
        "side_px": 64,
        "import": {"images_per_s": 1234.4},
        "review": {"next_unrated_ms": 0.13},
    }
    figures = {"runs": {"20x64px": run}, "growth": {}}
    rows = scale_readme.table(figures)
    assert "| import, images/s | 1,234 |" in rows and "| next unrated pair, ms | 0.13 |" in rows
    assert "first frame" not in rows  # what no run has measured is left out
    page = f"Before.\n\n{scale_readme.FIRST} 2 |\n|---|---|\n| import | 1 |\n\nAfter.\n| other | 3 |\n"
    assert scale_readme.placed(page, rows) == f"Before.\n\n{rows}\n\nAfter.\n| other | 3 |\n"
    with pytest.raises(ValueError, match="no table"):
        scale_readme.placed("Nothing.\n", rows)
