"""Names of images that a table has in parts, or with a word that no file has; and tables drawn with strokes."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

from pathlib import Path

import pytest

from radtui.records import UserError
from radtui.sources.layouts.filenames import FileNames
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import Brief, Files, check_layout, opened, pictures, take, told
from tests.unit.test_sources_loose import csv
from tests.unit.test_sources_variants import lines

CLEAR, WIDE, LEFT = "No pneumothorax, but a small effusion.", "Heart wide; no effusion.", "Left rib broken."

LAYOUTS: dict[str, tuple[Files, list[Brief], str]] = {
    "a paper's hash and a figure's name": (
        {**pictures("figures/0a1b_1-Figure1-1.png", "figures/0a1b_2-Figure2-1.png"),
         "s2.jsonl": lines({"pdf_hash": "0a1b", "fig_uri": "1-Figure1-1.png", "caption": CLEAR},
                           {"pdf_hash": "0a1b", "fig_uri": "2-Figure2-1.png", "caption": WIDE})},
        [(("0a1b_1-Figure1-1.png",), "", CLEAR, "train"), (("0a1b_2-Figure2-1.png",), "", WIDE, "train")],
        "matched by pdf_hash and fig_uri joined by _, for no column alone names files: the first is 0a1b_1-Figure1-1.png"),
    "three columns and a dash": (
        {**pictures("101-1-3.png", "101-2-3.png"), "t.csv": csv("pmcid,part,image,caption", f'101,1,3,"{CLEAR}"', f"101,2,3,{WIDE}")},
        [(("101-1-3.png",), "", CLEAR, "train"), (("101-2-3.png",), "", WIDE, "train")], "pmcid and part and image joined by -"),
    "patients and exams whose views are files": (
        {**pictures("P1_S1_PA.png", "P1_S1_LAT.png", "P1_S2_PA.png"), "t.csv": csv("patient_id,study_id,report", f'P1,S1,"{CLEAR}"', f"P1,S2,{WIDE}")},
        [(("P1_S1_PA.png", "P1_S1_LAT.png"), "", CLEAR, "train"), (("P1_S2_PA.png",), "", WIDE, "train")],
        "patient_id and study_id joined by _"),
    "ids that end in a word": (
        {**pictures("a1b2c3.png", "d4e5f6.png"), "t.csv": csv("id,report", f'a1b2c3_image,"{CLEAR}"', f"d4e5f6_image,{WIDE}")},
        [(("a1b2c3.png",), "", CLEAR, "train"), (("d4e5f6.png",), "", WIDE, "train")], "id without its _image, which no file has"),
    "exams whose ids end in a word": (
        {**pictures("s/00086460/x1.png", "s/000c9c05/x2.png"), "t.csv": csv("id,Typical", "00086460_study,1", "000c9c05_study,0")},
        [(("x1.png",), "", "", "train"), (("x2.png",), "", "", "train")], "id without its _study, which no file has"),
    "an exam's folder and ids of its images": (
        {**pictures("s/00086460/x10.png", "s/00086460/x20.png"), "t.csv": csv("id,StudyUID,report", f'x10_image,00086460,"{CLEAR}"', f"x20_image,00086460,{WIDE}")},
        [(("x10.png",), "", CLEAR, "train"), (("x20.png",), "", WIDE, "train")], "id without its _image"),
    "a patient's folder and names of patient and exam": (
        {**pictures("P1/P1_S1.png", "P1/P1_S2.png"), "t.csv": csv("patient,study,report", f'P1,S1,"{CLEAR}"', f"P1,S2,{WIDE}")},
        [(("P1_S1.png",), "", CLEAR, "train"), (("P1_S2.png",), "", WIDE, "train")], "patient and study joined by _"),
    "names that begin with a word": (
        {**pictures("a1b2.png", "c3d4.png"), "t.csv": csv("image_id,report", f'cxr-a1b2,"{CLEAR}"', f"cxr-c3d4,{WIDE}")},
        [(("a1b2.png",), "", CLEAR, "train"), (("c3d4.png",), "", WIDE, "train")], "image_id without its cxr-"),
    "folders joined to a name": (
        {**pictures("png/000001_01_01/108.png", "png/000001_01_01/109.png"), "t.csv": csv("File_name,report", f'000001_01_01_109.png,"{CLEAR}"', f"000001_01_01_108.png,{WIDE}")},
        [(("109.png",), "", CLEAR, "train"), (("108.png",), "", WIDE, "train")], "by the parts of their paths, whatever stands between them"),
    "a tree whose files were put into one folder": (
        {**pictures("flat/patient1_study1_view1.jpg", "flat/patient2_study1_view1.jpg"), "t.csv": csv("Path,report", f'train/patient1/study1/view1.jpg,"{CLEAR}"', f"train/patient2/study1/view1.jpg,{WIDE}")},
        [(("patient1_study1_view1.jpg",), "", CLEAR, "train"), (("patient2_study1_view1.jpg",), "", WIDE, "train")], "is flat/patient1_study1_view1.jpg"),
    "folders whose one file has another name": (
        {**pictures("D/Mass_P_00001_LEFT/1-1.png", "D/Mass_P_00002_LEFT/1-1.png"), "t.csv": csv("image file path,assessment", "Mass_P_00001_LEFT/1.3.6/1.3.7/0.dcm,4", "Mass_P_00002_LEFT/1.3.8/1.3.9/0.dcm,2")},
        [(("1-1.png",), "", "", "train")] * 2, "by their folders, each of which holds one"),
    "names of which some files are not here, though parts of them begin others": (
        {**pictures("P1_PA_1.png", "P1_PA_2.png"), "t.csv": csv("image,patient,view,views,report", f'P1_PA_1.png,P1,PA,2,"{CLEAR}"', f"P1_PA_3.png,P1,PA,2,{WIDE}")},
        [(("P1_PA_1.png",), "", CLEAR, "train")], ""),
    "a table that names files before others that fit by their numbers": (
        {**pictures("p1_000001.png", "p2_000002.png"), **{f"a{n}.csv": csv("value,description", "1.0,A text of the ward.", "2.0,Another text of it.") for n in (1, 2)},
         "t.csv": csv("image,report", f'p1_000001.png,"{CLEAR}"', f"p2_000002.png,{WIDE}")},
        [(("p1_000001.png",), "", CLEAR, "train"), (("p2_000002.png",), "", WIDE, "train")], "a1.csv: The table is not used: t.csv is."),
    "Markdown with pictures and a stroke in a text": (
        {**pictures("img/a.png", "img/b.png"), "README.md": f"# Cases\n\n| Nr | Picture | Report |\n|--:|:-:|---|\n| 1 | ![x](img/a.png) | {CLEAR} \\| new |\n| 2 | `img/b.png` | {WIDE} |\n\nEnd | x\n"},
        [(("a.png",), "", f"{CLEAR} | new", "train"), (("b.png",), "", WIDE, "train")], ""),
    "Markdown without strokes at its ends in a text": (
        {**pictures("a.png", "b.png"), "t.txt": f"image | report\n--- | ---\na.png | {CLEAR}\nb.png | {WIDE}\n"},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")], ""),
    "psql": (
        {**pictures("a.png"), "out.txt": f" image | report \n-------+--------\n a.png | {CLEAR}\n(1 row)\n"}, [(("a.png",), "", CLEAR, "train")], ""),
    "MySQL": (
        {**pictures("a.png"), "out.csv": f"+-------+----+\n| image | report |\n+-------+----+\n| a.png | {CLEAR} |\n+-------+----+\n1 row in set\n"},
        [(("a.png",), "", CLEAR, "train")], ""),
    "a row of Markdown that is cut": (
        {**pictures("a.png"), "t.md": f"| image | report |\n|---|---|\n| a.png | {CLEAR} |\n| a.png | Left | right |\n"},
        [(("a.png",), "", CLEAR, "train")], "t.md, line 4: The row has 3 cells, and the header 2"),
    "two tables in Markdown": (
        {**pictures("a.png"), "t.md": f"| image | report |\n|---|---|\n| a.png | {CLEAR} |\n\n| x | y |\n|---|---|\n| 1 | 2 |\n"},
        [(("a.png",), "", CLEAR, "train")], "t.md, table 2: The table is not used"),
    "a table drawn in a text of a table": (
        {**pictures("a.png"), "t.csv": csv("image,report", f'a.png,"{CLEAR}\n| Heart | Size |\n|---|---|\n| wide | 17 |"')},
        [(("a.png",), "", f"{CLEAR}\n| Heart | Size |\n|---|---|\n| wide | 17 |", "train")], ""),
    "rows of a drawn table with strokes between": (
        {**pictures("a.png", "b.png"), "t.txt": f"| image | report |\n+---+---+\n| a.png | {CLEAR} |\n+---+---+\n| b.png | {WIDE} |\n+---+---+\n|  |  |\n"},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")], ""),
    "a drawn table whose first bytes end within a letter": (
        {**pictures("a.png"), "t.md": f"|image|report|\n|---|---|\n|a.png|x{'ß' * 40_000}|\n"}, [(("a.png",), "", "x" + "ß" * 40_000, "train")], ""),
    "Markdown beside an image is its text": ({**pictures("a.png"), "a.md": CLEAR}, [(("a.png",), "", CLEAR, "train")], ""),
    "Markdown without a table": ({**pictures("a.png"), "README.md": "# Set | x\n"}, [(("a.png",), "", "", "train")], "README.md: It is a text in Markdown that belongs to no image and holds no table"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(name: str, tmp_path: Path) -> None:
    check_layout(tmp_path, *LAYOUTS[name])


def test_columns_that_make_a_name_can_be_said(tmp_path: Path) -> None:
    """And what was found is what an import's settings may say."""
    files, cases, _ = LAYOUTS["a paper's hash and a figure's name"]
    write_files(tmp_path, files)
    asked = opened(tmp_path).preview().recognised["image_column"]
    assert asked == "pdf_hash+fig_uri"
    assert sorted(take(tmp_path, image_column=asked)) == sorted(cases)
    with pytest.raises(UserError, match="There is no column 'pdf_hash"):
        opened(tmp_path, image_column="pdf_hash+caption")


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("000001_01_01/109.png", "000002_01_01_109.png"),  # by parts: another patient's
        ("patient2/study1_view1.png", "train/patient1/study1/view1.png"),
        ("p1/frontal.png", "p1/lateral.png"),  # by folders: another view
    ],
)
def test_a_file_of_something_else_is_not_taken(there: str, name: str, tmp_path: Path) -> None:
    rows = csv("image path,report", f'{name},"{CLEAR}"')
    assert all(
        case.images[0].error for case in opened(write_files(tmp_path, {**pictures(there), "t.csv": rows}))
    )


def test_a_word_for_a_view_is_not_cut_off_a_name(tmp_path: Path) -> None:
    rows = csv("image,report", f'a1_lateral,"{CLEAR}"', f"b2_lateral,{WIDE}")
    source = opened(write_files(tmp_path, {**pictures("a1/frontal.png", "b2/frontal.png"), "t.csv": rows}))
    assert all(case.images[0].error for case in source if case.reference)


def test_a_count_beside_a_folder_is_no_part_of_a_name(tmp_path: Path) -> None:
    """Two reports of a patient with two views are of both."""
    rows = csv("patient,views,report", f'P1,2,"{CLEAR}"', f"P1,2,{WIDE}")
    cases = list(opened(write_files(tmp_path, {**pictures("P1/P1_1.png", "P1/P1_2.png"), "t.csv": rows})))
    assert [len(case.images) for case in cases] == [2, 2]


def test_two_names_are_not_the_one_file_of_a_folder(tmp_path: Path) -> None:
    rows = csv("image path,report", f'P1/0.dcm,"{CLEAR}"', f"P1/1.dcm,{WIDE}", f"P2/0.dcm,{LEFT}")
    cases = opened(write_files(tmp_path, {**pictures("P1/7.png", "P2/8.png"), "t.csv": rows}))
    assert [case.reference for case in cases if not case.images[0].error] == [LEFT]


def test_a_path_is_told_from_others_that_end_alike() -> None:
    files = [f"patient{n}_study1_view1_frontal.png" for n in range(400)]
    names = FileNames(files)
    assert names.by_parts("train/patient7/study1/view1_frontal.png") == files[7]
    assert names.by_parts("train/patient999/study1/view1_frontal.png") == ""
    assert names.by_parts("train/study1/view1_frontal.png") == ""  # of many


def test_numbers_that_fit_by_chance_are_no_names(tmp_path: Path) -> None:
    """1 and 2 are not 12.png."""
    rows = csv("run,part,report", f"1,2,{LEFT}", f"1,3,{WIDE}")
    source = opened(write_files(tmp_path, {**pictures("12.png", "13.png"), "t.csv": rows}))
    assert [case.reference for case in source] == ["", ""]
    assert "t.csv: The table is not used" in told(source)
