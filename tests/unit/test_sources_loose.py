"""Names that no file has: numbers without their zeros, beginnings, links; and what comes in without a text."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pytest

from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.loose_names import BEGINNING, NUMBER
from radtui.sources.layouts.table_names import TableNames
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import Files, check_layout, opened, pictures, told
from tests.unit.test_sources_variants import Brief, lines

TEXTS = ["Clear lungs.", "Wide heart.", "Small effusion.", "Old fracture."]


def csv(header: str, *rows: str) -> str:
    return "\n".join([header, *rows, ""])


LAYOUTS: dict[str, tuple[Files, list[Brief], str]] = {
    "zeros taken off": (
        {**pictures("00012.png", "00345.png"), "t.csv": csv("patient_image,report", "12,Clear lungs.", "345,Wide heart.")},
        [(("00012.png",), "", "Clear lungs.", "train"), (("00345.png",), "", "Wide heart.", "train")],
        "t.csv: Images are matched by their numbers, for no file is called as patient_image says: 12 is 00012.png."),
    "a list of texts and what is none, a list of nothing": (
        {**pictures("a.png", "b.png", "c.png"),
         "t.jsonl": lines({"file": "a.png", "report": ["Clear lungs.", 7, None]}, {"file": "b.png", "report": ["", None]},
                          {"file": "c.png", "report": "Wide heart."})},
        [(("a.png",), "", "Clear lungs.\n7", "train"), (("b.png",), "", "", "train"),
         (("c.png",), "", "Wide heart.", "train")],
        ""),
    "zeros taken off behind a word": (
        {**pictures("P0007.png", "P0010.png"), "t.csv": csv("image,report", "P7,Clear lungs.", "P10,Wide heart.")},
        [(("P0007.png",), "", "Clear lungs.", "train"), (("P0010.png",), "", "Wide heart.", "train")],
        "by their numbers"),
    "zeros taken off some": (
        {**pictures("00012.png", "61234.png"), "t.csv": csv("image_id,report", "12,Clear lungs.", "61234,Wide heart.")},
        [(("00012.png",), "", "Clear lungs.", "train"), (("61234.png",), "", "Wide heart.", "train")],
        "12 is 00012.png"),
    "numbers as a table of numbers writes them": (
        {**pictures("0012.png", "0013.png"), "t.csv": csv("image_id,report", "12.0,Clear lungs.", "13.0,Wide heart.")},
        [(("0012.png",), "", "Clear lungs.", "train"), (("0013.png",), "", "Wide heart.", "train")],
        "12.0 is 0012.png"),
    "the same numbers in two splits": (
        {**pictures("train/0001.png", "test/0001.png"), "train.csv": csv("image_id,report", "1,Clear lungs."),
         "test.csv": csv("image_id,report", "1,Wide heart.")},
        [(("0001.png",), "", "Clear lungs.", "train"), (("0001.png",), "", "Wide heart.", "test")],
        "by their numbers"),
    "questions by the number of an image": (
        {**pictures("i/COCO_000000000007.png"),
         "q.json": json.dumps({"questions": [{"question_id": 1, "image_id": 7, "question": "Which side?"}]}),
         "a.json": json.dumps({"annotations": [{"question_id": 1, "image_id": 7, "multiple_choice_answer": "Left",
                                                "answers": [{"answer": "Left", "answer_id": 1}]}]})},
        [(("COCO_000000000007.png",), "Which side?", "Left", "train")],
        "7 is COCO_000000000007.png"),
    "exams whose images go on": (
        {**pictures("E1_LAT.png", "E1_PA.png", "E2_PA.png"), "t.csv": csv("exam,report", "E1,Clear lungs.", "E2,Wide heart.")},
        [(("E1_PA.png", "E1_LAT.png"), "", "Clear lungs.", "train"), (("E2_PA.png",), "", "Wide heart.", "train")],
        "by the beginnings of their names, for no file is called as exam says: E1 is E1_LAT.png and E1_PA.png"),
    "exams by the number that their images begin with": (
        {**pictures("CXR10_IM-1.png", "CXR9_IM-1.png"), "t.csv": csv("id,report", "10,Clear lungs.", "9,Wide heart.")},
        [(("CXR10_IM-1.png",), "", "Clear lungs.", "train"), (("CXR9_IM-1.png",), "", "Wide heart.", "train")],
        "10 is CXR10_IM-1.png"),
    "one beginning inside another": (
        {**pictures("E1_2_PA.png", "E1_PA.png"), "t.csv": csv("exam,report", "E1,Clear lungs.", "E1_2,Wide heart.")},
        [(("E1_PA.png",), "", "Clear lungs.", "train"), (("E1_2_PA.png",), "", "Wide heart.", "train")],
        "by the beginnings"),
    "a list of test images": (
        {**pictures("train/a.png", "test/b.png", "test/c.png"), "train.csv": csv("image_id,report", "a,Clear lungs."),
         "test.csv": csv("image_id", "b", "c"), "sample_submission.csv": csv("image_id,report", "b,normal", "c,normal")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "", "test"), (("c.png",), "", "", "test")],
        "sample_submission.csv: It is a form for predictions"),
    "test images with facts": (
        {**pictures("train/a.png", "test/b.png"), "train.csv": csv("image_id,age,report", "a,40,Clear lungs."),
         "test.csv": csv("image_id,age", "b,50")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "", "test")], ""),
    "facts of test images that have texts": (
        {**pictures("a.png", "b.png"), "train.csv": csv("image_id,split,report", "a,train,Clear lungs.", "b,test,Wide heart."),
         "test_labels.csv": csv("image_id,label", "b,1")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "test")],
        "test_labels.csv: The table is not used"),
    "boxes of a detector beside images": (
        {**pictures("images/train/001.png"), "labels/train/001.txt": "0 0.5 0.5 0.1 0.1\n1 0.2 1e-2 0.3 0.4\n"},
        [(("001.png",), "", "", "train")], "labels/train/001.txt: The text is not used"),
    "objects in a cell": (
        {**pictures("a.png", "b.png"), "t.csv": csv(
            "image,meta", '''a.png,"{""caption"": ""Clear lungs."", ""view"": ""PA""}"''', '''b.png,"{'caption': 'Wide heart.', 'view': None}"''')},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "train")], ""),
    "parts of a report in a list": (
        {**pictures("a.png"), "t.jsonl": lines({"file": "a.png", "report": [
            {"section": "Findings", "text": "Clear."}, {"section": "Impression", "text": "Normal."}]})},
        [(("a.png",), "", "Findings: Clear.\nImpression: Normal.", "train")], ""),
    "questions by the name of an image": (
        {**pictures("a.png", "b.png"), "v.json": json.dumps({
            "a.png": [{"question": "Side?", "answer": "Left"}, {"question": "Organ?", "answer": "Lung"}],
            "b.png": [{"question": "Side?", "answer": "Right"}]})},
        [(("a.png",), "Side?", "Left", "train"), (("a.png",), "Organ?", "Lung", "train"), (("b.png",), "Side?", "Right", "train")], ""),
    "tables of which one lacks zeros": (
        {**pictures("a.png", "b.png"), "reports.csv": csv("exam_id,report", "7,Clear lungs.", "12,Wide heart."),
         "images.csv": csv("exam_id,file", "0007,a.png", "0012,b.png")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "train")],
        "by the numbers of exam_id, for one lacks their zeros"),
    "an object in an object beside an image": (
        {**pictures("a.png"), "a.json": json.dumps({"study": {"report": {"findings": "Clear.", "impression": "Normal."}}})},
        [(("a.png",), "", "Clear.\nNormal.", "train")], ""),
    "several names in one cell": (
        {**pictures("a.png", "b.png", "c.png", "d.png", "e.png", "f.png"), "t.csv": csv(
            "images,report", "a.png|b.png,Clear lungs.", "c.png;d.png,Wide heart.", '"e.png, f.png",Old fracture.')},
        [(("a.png", "b.png"), "", "Clear lungs.", "train"), (("c.png", "d.png"), "", "Wide heart.", "train"),
         (("e.png", "f.png"), "", "Old fracture.", "train")], ""),
    "texts of a web page and of a word processor": (
        {**pictures("a.png", "b.png", "c.png"), "t.csv": csv(
            "image,report", '"a.png","<p>Clear lungs.</p>Heart &lt; 15&nbsp;cm.<br/>Normal."',
            r'b.png,"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Gr\'f6\'dfe normal.\par\b Keine\b0  Fraktur.}"', "c.png,Nodule < 3 cm and > 1 cm.")},
        [(("a.png",), "", "Clear lungs.\nHeart < 15 cm.\nNormal.", "train"),
         (("b.png",), "", "Größe normal.\nKeine Fraktur.", "train"), (("c.png",), "", "Nodule < 3 cm and > 1 cm.", "train")],
        "Texts of report are written in HTML or RTF"),
    "texts in a tree beside that of the images": (
        {**pictures("img/x/lung.png", "img/y/hand.png"), "txt/x/lung.txt": "Clear lungs.", "txt/y/hand.txt": "Old fracture.",
         "txt/z/foot.txt": "Of no image."},
        [(("lung.png",), "", "Clear lungs.", "train"), (("hand.png",), "", "Old fracture.", "train")],
        "txt/z/foot.txt: The text is not used"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_comes_in_whole_and_says_what_was_guessed(tmp_path: Path, layout: str) -> None:
    check_layout(tmp_path, *LAYOUTS[layout])


def test_a_number_that_fits_two_files_names_both(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("0012.png", "00012.png", "00013.png"), "t.csv": csv("image_id,report", "12,Clear lungs.", "13,Wide heart.")})  # fmt: skip
    unclear, clear = opened(tmp_path)
    assert (
        unclear.error == "12 in t.csv may be 00012.png and 0012.png: write it with its folder and its ending."
    )
    assert clear.reference == "Wide heart." and clear.images[0].name == "00013.png"


def test_numbers_of_something_else_govern_no_images(tmp_path: Path) -> None:
    files = pictures(*(f"img_{n:03d}.png" for n in range(6)))
    write_files(tmp_path, {**files, "devices.csv": csv("id,maker", "1,A", "2,B", "3,C")})
    source = opened(tmp_path)
    assert len(list(source)) == 6 and "devices.csv: The table is not used" in told(source)


def test_exact_names_come_before_any_guess(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("1.png", "2.png", "1_a.png", "02.png"), "t.csv": csv("number,file,report", "2,1.png,Clear lungs.", "1,2.png,Wide heart.")})  # fmt: skip
    source = opened(tmp_path)
    assert [(case.images[0].name, case.reference) for case in source] == [
        ("1.png", "Clear lungs."), ("2.png", "Wide heart.")]  # fmt: skip
    assert "Images are matched" not in told(source)


def test_placeholders_are_no_form_where_their_texts_differ(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("a.png", "b.png"), "my_submission.csv": csv("image_id,report", "a,Clear lungs.", "b,Wide heart.")})  # fmt: skip
    assert [case.reference for case in opened(tmp_path)] == ["Clear lungs.", "Wide heart."]


@pytest.mark.parametrize("formula", [False, True])
def test_a_sheet_whose_cells_lead_to_the_images(tmp_path: Path, formula: bool) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Bild", "Bericht", "Von"])
    names = ["i/a 1.png", "i/b.png", "i/c.png"]
    for row, (name, text) in enumerate(zip(names, TEXTS, strict=False), start=2):
        sheet.append([f'=HYPERLINK("{name}","Ansicht")' if formula else "Ansicht", text, "Post"])
        if not formula:
            sheet.cell(row, 1).hyperlink = name.replace(" ", "%20")
        sheet.cell(row, 3).hyperlink = "mailto:someone@example.org"
    out = io.BytesIO()
    book.save(out)
    write_files(tmp_path, {**pictures(*names), "t.xlsx": out.getvalue()})
    source = opened(tmp_path)
    cases = list(source)
    assert [(case.images[0].name, case.reference) for case in cases] == [
        ("a 1.png", TEXTS[0]), ("b.png", TEXTS[1]), ("c.png", TEXTS[2])]  # fmt: skip
    assert "example.org" not in str([case.facts for case in cases])


def test_a_title_that_is_there_twice_is_said(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {**pictures("a.png"), "t.csv": csv("image,report,report", "a.png,Clear lungs.,Second reading.")},
    )
    source = opened(tmp_path)
    (case,) = source
    assert case.reference == "Clear lungs." and case.facts == {"report 2": "Second reading."}
    assert "t.csv: The column report is there more than once; a later one is called report 2." in told(source)


def test_files_of_other_programs_have_a_way_out(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("a.png"), "c.yaml": "a.png: Clear", "r.html": "<p>Clear</p>", "t.ods": b"PK\3\4", "dataset_info.json": "{}",
        "state.json": "{}"})  # fmt: skip
    said = told(opened(tmp_path))
    assert "It is a YAML file" in said and "It is a web page" in said and "save it as XLSX or CSV" in said
    assert "state.json" not in said and "dataset_info" not in said


def test_loose_names_one_by_one() -> None:
    names = FileNames(["a/IM-0007.png", "b/0010.dcm.png", "E1.PA.png", "E1-LAT.png"])
    number, beginning = (TableNames(names, "", "", way=way) for way in (NUMBER, BEGINNING))
    assert [number.find(name) for name in ("7", "IM-7", "XR-7", "10", "0", "", "x")] == [
        "a/IM-0007.png", "a/IM-0007.png", "", "b/0010.dcm.png", "", "", ""]  # fmt: skip
    assert beginning.folder("E1") == ["E1-LAT.png", "E1.PA.png"] and beginning.folder("E") == []
    assert beginning.rest_of("E1.PA.png", "E1") == "pa"
    assert TableNames(names, "", "").find("7") == "" and TableNames(names, "", "").folder("E1") == []
