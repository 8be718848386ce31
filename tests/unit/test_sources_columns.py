"""Which column is found for what, and how cells become text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from radtui.records import Truth, UserError
from radtui.settings import ImportSettings
from radtui.sources.columns import Columns, cell_text, facts, find_columns, truths

NONE_NAMED = ImportSettings()


def test_radiology_minis_columns_are_found_by_type_and_name() -> None:
    found = find_columns(
        ["image", "image_id", "caption", "cui"], NONE_NAMED, image_like=["image"], lists=["cui"]
    )
    assert found == Columns("image", text="caption", id="image_id", facts=("cui",))


def test_spelling_of_names_does_not_matter() -> None:
    found = find_columns(["Image Index", "Split", "Report-Text", "View Position"], NONE_NAMED)
    assert (found.image, found.split, found.text) == ("Image Index", "Split", "Report-Text")
    assert found.facts == ("View Position",)


def test_the_type_decides_when_no_name_is_usual() -> None:
    found = find_columns(["pixels", "caption"], NONE_NAMED, image_like=["pixels"])
    assert found.image == "pixels"


def test_named_columns_come_first() -> None:
    settings = ImportSettings(
        image_column="file", text_column="impression", id_column="study", split_column="fold"
    )
    found = find_columns(["image", "file", "text", "impression", "study", "fold"], settings)
    assert (found.image, found.text, found.id, found.split) == ("file", "impression", "study", "fold")
    assert found.facts == ("image", "text")


def test_what_is_not_there_is_answered_with_what_is() -> None:
    with pytest.raises(UserError, match="no column 'note' for text_column; there are image, words"):
        find_columns(["image", "words"], ImportSettings(text_column="note"))
    with pytest.raises(UserError, match="None of the columns a, b is known to hold the image"):
        find_columns(["a", "b"], NONE_NAMED)


def test_findings_are_a_report_where_text_and_truth_where_a_list() -> None:
    assert find_columns(["image", "findings"], NONE_NAMED).text == "findings"
    listed = find_columns(["image", "findings", "caption"], NONE_NAMED, lists=["findings"])
    assert (listed.text, listed.findings) == ("caption", "findings")


def test_a_rows_finding_with_its_side_zone_and_size_is_a_truth() -> None:
    columns = find_columns(["image", "finding", "side", "zone", "size"], NONE_NAMED)
    row = {"image": "x.png", "finding": "nodule", "side": "left", "zone": "upper", "size": None}
    assert truths(row, columns) == (Truth("nodule", "left", "upper", ""),)
    assert truths({**row, "finding": ""}, columns) == ()
    assert columns.facts == ()


def test_a_side_without_a_finding_is_a_fact() -> None:
    columns = find_columns(["image", "side"], NONE_NAMED)
    assert truths({"side": "left"}, columns) == ()
    assert facts({"side": "left"}, columns) == {"side": "left"}


@pytest.mark.parametrize(
    "cell",
    [
        [{"finding": "mass", "side": "right"}, {"finding": "effusion"}],
        '[{"finding": "mass", "side": "right"}, {"finding": "effusion"}]',
    ],
)
def test_a_list_of_findings_is_read_as_objects_or_json(cell: object) -> None:
    columns = find_columns(["image", "findings"], NONE_NAMED, lists=["findings"])
    assert truths({"findings": cell}, columns) == (Truth("mass", "right"), Truth("effusion"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), (float("nan"), ""), (b"\x89PNG", ""), (["C1", None, "C2"], "C1, C2"), (True, "yes"),
        (0.1, "0.1"), (3, "3"), ("  a b ", "a b"), ({"a": [1]}, '{"a": [1]}'),
    ],
)  # fmt: skip
def test_cells_as_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text


def test_looking_at_sources_imports_no_heavy_library() -> None:
    code = (
        "import sys, radtui.sources\n"
        "heavy = {'datasets', 'pyarrow', 'pydicom', 'torch', 'numpy', 'PIL', 'pandas', 'huggingface_hub'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
