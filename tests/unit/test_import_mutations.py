"""Exports of ratings that were changed are taken in as what they say, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

from tests.faults.mutated_ratings import mutated_ratings


def test_a_changed_export_brings_in_no_answer_that_nobody_can_have_given(tmp_path: Path) -> None:
    assert mutated_ratings(tmp_path, 150)["out of range"] == 0
