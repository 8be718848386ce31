"""Which column is found for what, and how cells become text."""

from __future__ import annotations

import pytest

from radtui.records import Truth, UserError
from radtui.sources.choices import SourceChoices
from radtui.sources.layouts.cells import cell_text, image_cells, meaningful
from radtui.sources.layouts.roles import Roles, find_roles
from radtui.sources.layouts.tabled import truths


def roles(cells: dict[str, object], **said: str) -> Roles:
    """The roles of a table with one row; files are what ends in .png."""
    return find_roles(list(cells), [cells], SourceChoices(**said), lambda name: name.endswith(".png"))


def test_radiology_minis_columns_are_found_by_type_and_name() -> None:
    row = {
        "image": {"bytes": b"x", "path": None},
        "image_id": "R1",
        "caption": "A chest film.",
        "cui": ["C1"],
    }
    known = roles(row)
    assert (known.images, known.text, known.id, known.facts) == (
        (("image", ""),),
        ("caption",),
        "image_id",
        ("cui",),
    )


def test_spelling_of_names_does_not_matter() -> None:
    known = roles(
        {"Image Index": "a.png", "Split": "train", "Report-Text": "Clear lungs.", "View Position": "PA"}
    )
    assert (known.images[0][0], known.split, known.text) == ("Image Index", "Split", ("Report-Text",))
    assert known.view == "View Position"


def test_what_is_in_a_column_decides_when_no_name_is_usual() -> None:
    assert roles({"pixels": {"bytes": b"x", "path": None}, "caption": "x"}).images == (("pixels", ""),)
    assert roles({"Datei": "a.png", "Befund": "Kein Erguss.", "Alter": "61"}).text == ("Befund",)
    guessed = roles({"was": "a.png", "wie": "The heart is of normal size and shape."})
    assert (guessed.text, guessed.guessed) == (("wie",), ("wie",))


def test_named_columns_come_first() -> None:
    row = {"image": "x.png", "file": "a.png", "text": "t", "impression": "i", "study": "s", "fold": "1"}
    known = roles(row, image_column="file", text_column="impression", id_column="study", split_column="fold")
    assert (known.images, known.text, known.id, known.split) == (
        (("file", ""),),
        ("impression",),
        "study",
        "fold",
    )
    assert known.facts == ("image", "text")


def test_what_is_not_there_is_answered_with_what_is() -> None:
    with pytest.raises(UserError, match="no column 'note' for text_column; there are image, words"):
        roles({"image": "a.png", "words": "x"}, text_column="note")


def test_other_versions_of_the_images_are_named() -> None:
    known = roles({"image": "a.png", "gaussian_padded_image": "p.png", "caption": "Clear."})
    assert known.images == (("image", ""),)
    assert "gaussian_padded_image also name images" in known.notes[0]


def test_views_are_the_images_of_one_case() -> None:
    known = roles({"frontal": "f.png", "lateral": "l.png", "report": "Clear."})
    assert known.images == (("frontal", "frontal"), ("lateral", "lateral"))


def test_a_dash_means_that_there_is_none() -> None:
    row = {"image": "a.png", "question": "What?", "answer": "Nothing.", "report": "Clear.", "patient_id": "7"}
    assert roles(row).question == ("question",)
    known = roles(row, question_column="-", patient_column="-")
    assert (known.question, known.text, known.patient) == ((), ("report",), "")


def test_findings_are_a_report_where_text_and_truth_where_a_list() -> None:
    assert roles({"image": "a.png", "findings": "Clear lungs."}).text == ("findings",)
    listed = roles({"image": "a.png", "findings": [{"finding": "mass"}], "caption": "A mass."})
    assert (listed.text, listed.findings) == (("caption",), "findings")


def test_a_rows_finding_with_its_side_zone_and_size_is_a_truth() -> None:
    row = {"image": "x.png", "finding": "nodule", "side": "left", "zone": "upper", "size": None}
    known = roles(row)
    assert truths(row, known) == (Truth("nodule", "left", "upper", ""),)
    assert truths({**row, "finding": ""}, known) == ()
    assert known.facts == ()


def test_a_side_without_a_finding_is_a_fact() -> None:
    known = roles({"image": "a.png", "side": "left"})
    assert truths({"side": "left"}, known) == ()
    assert known.facts == ("side",)


@pytest.mark.parametrize(
    "cell",
    [
        [{"finding": "mass", "side": "right"}, {"finding": "effusion"}],
        '[{"finding": "mass", "side": "right"}, {"finding": "effusion"}]',
    ],
)
def test_a_list_of_findings_is_read_as_objects_or_json(cell: object) -> None:
    known = roles({"image": "a.png", "findings": cell})
    assert truths({"findings": cell}, known) == (Truth("mass", "right"), Truth("effusion"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), (float("nan"), ""), (b"\x89PNG", ""), (["C1", None, "C2"], "C1, C2"), (True, "yes"),
        (0.1, "0.1"), (3, "3"), ("  a b ", "a b"), ({"a": [1]}, '{"a": [1]}'),
    ],
)  # fmt: skip
def test_cells_as_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "N/A", "n.a.", "<NA>", "-", " None. "])
def test_words_for_nothing_are_no_text(word: str) -> None:
    assert meaningful(word) == ""


def test_none_answers_a_question() -> None:
    assert meaningful("None", answer=True) == "None"
    assert meaningful("nan", answer=True) == ""


def test_images_of_cells() -> None:
    names = [image.name for image in image_cells("['a.png', 'b.png']")]
    assert names == ["a.png", "b.png"]
    assert image_cells("data:image/png;base64,aGk=")[0].data == b"hi"
    assert image_cells("data:image/png;base64,a$k=")[0].error == "The image's base64 is damaged."
    assert image_cells([{"bytes": b"x", "path": "a.png"}])[0].data == b"x"
    assert image_cells(float("nan")) == []
