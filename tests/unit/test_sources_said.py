"""What is said of data sets that come in as they are, and may be meant otherwise: labels alone, slices, names in texts.

And columns that were taken for something else.
"""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import openpyxl.drawing.image
import pytest

from radtui.sources.identity import Identity, identity_of_value
from radtui.sources.identity_texts import says_whom
from radtui.sources.preview import identity_columns
from radtui.sources.readers.header import has_header
from radtui.sources.readers.sheets import UNCOMPUTED
from tests.unit.dicom_files import made, ramp
from tests.unit.source_files import write_files
from tests.unit.test_sources_exports import xlsx
from tests.unit.test_sources_layouts import PNGS, Brief, Files, brief, check_layout, opened, pictures, told
from tests.unit.test_sources_loose import csv
from tests.unit.test_sources_trees import packed_zip
from tests.unit.test_sources_variants import lines

CLEAR, WIDE = "No pneumothorax, but a small effusion.", "Heart wide; no effusion."
ROW, SERIES = range(20), "1.2.840.4"


def scans(modality: str) -> Files:
    return {f"x/{n}.dcm": made(ramp(), Modality=modality, SeriesInstanceUID=SERIES) for n in ROW}


SAID: dict[str, tuple[Files, str, bool]] = {
    "findings of yes and no": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,Effusion,Mass,Edema", "a.png,1,0,", "b.png,0.0,1,-1")},
        "t.csv: It says yes or no of 3 findings (Effusion, Mass and 1 more) and holds no text: they are kept as facts, and nothing is learnt", True),
    "names of findings": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,Finding Labels", "a.png,Mass|Edema", "b.png,No Finding")},
        "t.csv: It holds no text: its columns are kept as facts", True),
    "folders of classes": (pictures("NORMAL/a.png", "NORMAL/b.png", "MASS/c.png"), "Names of folders (MASS and NORMAL) are kept as facts", True),
    "labels beside texts": (
        {**pictures("a.png"), "a.txt": CLEAR, "t.csv": csv("image,Effusion,Mass", "a.png,1,0")}, "is learnt from them", False),
    "images of patients": (pictures("p1/a.png", "p2/b.png"), "kept as facts", False),
    "slices by their name": (pictures(*(f"a/slice_{n:03d}.png" for n in ROW)), "a: 20 images follow on one another as slices of volumes do", True),
    "slices of patients": (
        pictures(*(f"LIDC-{p:04d}/{n:04d}.png" for p in (1, 2) for n in ROW)), "LIDC-0001: 40 images follow on one another", True),
    "slices that a table lists by their folder": (
        {**pictures(*(f"p1/{n:04d}.png" for n in ROW)), "t.csv": csv("patient_id,malignancy", "p1,3")}, "20 images follow on one another", True),
    "slices in DICOM": (scans("CT"), "x: 20 images follow on one another", True),
    "radiographs in DICOM": (scans("DX"), "follow on one another", False),
    "radiographs in a row": (pictures(*(f"images_1/images/{n:04d}.png" for n in ROW)), "follow on one another", False),
    "radiographs of a batch": (pictures(*(f"batch_1/{n:04d}.png" for n in ROW)), "follow on one another", False),
    "radiographs of a disease": (pictures(*(f"covid19/{n:04d}.png" for n in ROW)), "follow on one another", False),
    "radiographs of grades and years": (
        pictures(*(f"{folder}/{n:04d}.png" for folder in ("KL 0", "KL 1", "2019", "2020") for n in ROW)), "follow on one another", False),
    "radiographs of films": (pictures(*(f"films/scan_{n:04d}.png" for n in ROW)), "follow on one another", False),
    "radiographs with gaps": (pictures(*(f"p1/{7 * n:04d}.png" for n in ROW)), "follow on one another", False),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name: str, tmp_path: Path) -> None:
    files, sentence, is_said = SAID[name]
    source = opened(write_files(tmp_path, files))
    source.total()
    assert (sentence in told(source)) == is_said


LAYOUTS: dict[str, tuple[Files, list[Brief], str]] = {
    "folders without a header": (
        {**pictures("M/p1/s1_pos/1.png", "M/p2/s1_neg/1.png"), "M/t.csv": csv("M/p1/s1_pos/,1", "M/p2/s1_neg/,0")},
        [(("1.png",), "", "", "train")] * 2, "It has no header line"),
    "a form's questions as titles": (
        {**pictures("1001.png", "1002.png"), "t.csv": csv("Record ID,What does the report say in words?", f'1001,"{CLEAR}"', f"1002,{WIDE}")},
        [(("1001.png",), "", CLEAR, "train"), (("1002.png",), "", WIDE, "train")], ""),
    "boxes are no sentences": (
        {**pictures("a.png"), "t.csv": csv("image,boxes,label", "a.png,\"[{'x': 720.6, 'y': 636.5}]\",opacity 1 720 636 1052")},
        [(("a.png",), "", "", "train")], ""),
    "a question by the mark of an image": (
        {**pictures("a.png"), "t.jsonl": lines({"question_id": 1, "image": "a.png", "text": "Side?\n<image>", "gpt4_answer": "It is left."})},
        [(("a.png",), "Side?", "It is left.", "train")], "text is asked, for its cells have the mark of an image"),
    "a text with the mark of an image": (
        {**pictures("a.png"), "t.jsonl": lines({"image": "a.png", "text": f"<image>\n{CLEAR}"})},
        [(("a.png",), "", CLEAR, "train")], "Texts of text hold marks that stand for images, as <image>; these are taken off."),
    "sentences of findings in two languages": (
        {**pictures("a.png"), "t.json": json.dumps([{"ImageID": "a.png", "findings": [
            {"sentence_en": CLEAR, "sentence_es": "Derrame.", "boxes": []}, {"sentence_en": WIDE, "sentence_es": "Corazón.", "boxes": []}]}])},
        [(("a.png",), "", f"{CLEAR}\n{WIDE}", "train")], "Of findings sentence_en is learnt; sentence_es is not used."),
    "numbers of texts beside these": (
        {**pictures("a.png"), "t.json": json.dumps([{"image": "a.png", "captions": [{"text_id": "7", "text_en": CLEAR}, {"text_id": "8", "text_en": WIDE}]}])},
        [(("a.png",), "", CLEAR, "train"), (("a.png",), "", WIDE, "train")], ""),
    "an exam by the name of its report": (
        {**pictures("p10/p101/s501/a.png"), "t.json": json.dumps({"p10/p101/s501.txt": {"text": CLEAR}})},
        [(("a.png",), "", CLEAR, "train")], ""),
    "reports and images in rows of their own": (
        {**pictures("a.png", "b.png"), "t.csv": csv("record_id,instrument,report,image_file,view", f'R10,,"{CLEAR}",,', "R10,imaging,,a.png,pa", "R10,imaging,,b.png,lat")},
        [(("a.png", "b.png"), "", CLEAR, "train")], "Rows with report and rows with image_file are put together by record_id, for no row has both."),
    "exams listed in a patient's row": (
        {**pictures("a.png", "b.png", "c.png"), "t.json": json.dumps([{"patient": "P1", "studies": [
            {"images": ["a.png", "b.png"], "report": CLEAR}, {"images": ["c.png"], "report": WIDE}]}])},
        [(("a.png", "b.png"), "", CLEAR, "train"), (("c.png",), "", WIDE, "train")], "Each of the studies that a row lists is a case."),
    "exams by their names in a patient's object": (
        {**pictures("a.png", "c.png"), "t.json": json.dumps({"P1": {"S1": {"images": ["a.png"], "report": CLEAR}, "S2": {"images": ["c.png"], "report": WIDE}}})},
        [(("a.png",), "", CLEAR, "train"), (("c.png",), "", WIDE, "train")], ""),
    "sections in rows of their own": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,section,text", *(f"{n}.png,{s},{s} of {n}." for n in "ab" for s in ("FINDINGS", "IMPRESSION")))},
        [((f"{n}.png",), "", f"{s} of {n}.", "train") for n in "ab" for s in ("FINDINGS", "IMPRESSION")],
        "one for each section (FINDINGS, IMPRESSION), and each is a case"),
    "several readers, who are not named": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,reader,text", *(f"{n}.png,{r},Seen by {r} in {n}." for n in "ab" for r in ("Schulz", "Weber")))},
        [((f"{n}.png",), "", f"Seen by {r} in {n}.", "train") for n in "ab" for r in ("Schulz", "Weber")],
        "one for each reader, and each is a case: a model is asked the same and taught all of them. Leave some rows out."),
    "captions by their number": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,number,caption", *(f"{n}.png,{k},Caption {k} of {n}." for n in "ab" for k in (0, 1)))},
        [((f"{n}.png",), "", f"Caption {k} of {n}.", "train") for n in "ab" for k in (0, 1)], ""),
    "letters that an export lost": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image;report", "a.png;Herz nicht vergr??ert.", "b.png;Unver?ndert.")},
        [(("a.png",), "", "Herz nicht vergr??ert.", "train"), (("b.png",), "", "Unver?ndert.", "train")], "Letters of report look lost, for question marks stand inside words"),
    "names that a spreadsheet rounded": (
        {**pictures("100000000001.png"), "t.csv": csv("image_id,report", "1.00E+11,Clear lungs.")}, [], "Names in image_id were rounded to numbers such as 1.00E+11"),
    "a workbook that is called CSV": (
        {**pictures("a.png"), "t.csv": xlsx([("S", [("image", "report"), ("a.png", CLEAR)])])}, [(("a.png",), "", CLEAR, "train")], ""),
    "names without endings in one cell": (
        {**pictures("a1.png", "b2.png", "c3.png"), "t.csv": csv("images,report", f'"a1, b2","{CLEAR}"', f"c3,{WIDE}")},
        [(("a1.png", "b2.png"), "", CLEAR, "train"), (("c3.png",), "", WIDE, "train")], ""),
    "a table for each folder of images that are called alike": (
        {**pictures("x/1.png", "y/1.png"), "x/t.csv": csv("image,report", f'1.png,"{CLEAR}"'), "y/t.csv": csv("image,report", f"1.png,{WIDE}")},
        [(("1.png",), "", CLEAR, "train"), (("1.png",), "", WIDE, "train")], ""),
    "labels in one cell are no names": (
        {**pictures("1.png", "2.png", "3.png"), "t.csv": csv("number,classes,report", f'1,"2, 3","{CLEAR}"', f'2,"1, 3",{WIDE}')},
        [((f"{n}.png",), "", "", "train") for n in (1, 2, 3)], "t.csv: The table is not used"),
    "a count of images is no image's number": (
        {**pictures("P1_1.png", "P1_2.png", "P2_1.png"), "t.csv": csv("patient,n_images,report", f'P1,2,"{CLEAR}"', f"P2,1,{WIDE}")},
        [(("P1_1.png", "P1_2.png"), "", CLEAR, "train"), (("P2_1.png",), "", WIDE, "train")], "by the beginnings of their names"),
    "a column that counts is no part of a name": (
        {**pictures("P1_1.png", "P1_2.png", "P2_1.png"), "t.csv": csv("patient,views,report", f'P1,2,"{CLEAR}"', f"P2,1,{WIDE}")},
        [(("P1_1.png", "P1_2.png"), "", CLEAR, "train"), (("P2_1.png",), "", WIDE, "train")], "by the beginnings of their names"),
    "reports whose names begin with the word": (
        {**pictures("i/0001.png"), "r/Report_0001.txt": CLEAR}, [(("0001.png",), "", CLEAR, "train")], ""),
    "a sample's report": (
        {**pictures("c1.frontal.png", "c1.lateral.png"), "c1.report.txt": CLEAR}, [(("c1.frontal.png", "c1.lateral.png"), "", CLEAR, "train")], ""),
    "a number called report beside its text": (
        {**pictures("a.png"), "t.csv": csv("image,Report,Report text", f'a.png,R-17,"{CLEAR}"')}, [(("a.png",), "", CLEAR, "train")], ""),
    "two tables with texts of the same images": (
        {**pictures("a.png"), "r1.csv": csv("image,report", f'a.png,"{CLEAR}"'), "r2.csv": csv("image,report", f"a.png,{WIDE}")},
        [(("a.png",), "", CLEAR, "train"), (("a.png",), "", WIDE, "train")], "r2.csv: r1.csv has other texts of the same images"),
    "names that a spreadsheet took for dates": (
        {**pictures("1-2.png"), "t.csv": csv("image,report", "2024-02-01,Clear lungs.")}, [], "Names in image are dates, into which spreadsheets turn 1-2"),
    "captions that are codes": (
        {**pictures("a.png"), "t.csv": csv("image,caption", "a.png,T12")}, [(("a.png",), "", "T12", "train")], ""),
    "what a code means is no report": (
        {**pictures("a.png"), "t.csv": csv("image,ICD10,ICD description", "a.png,J90,Pleural effusion of the left lung")}, [(("a.png",), "", "", "train")], ""),
    "a list of a split's images is no report of them": (
        {**pictures("train/A-1.png", "test/x.png"), "train.txt": "3 A-1.png negative cohen", "test.txt": "7 x.png positive rsna"},
        [(("A-1.png",), "", "", "train"), (("x.png",), "", "", "test")], "train.txt: The text is not used"),
    "reports beside other texts": (
        {**pictures("p1/a.png", "p2/b.png"), "p1/report.txt": CLEAR, "p1/history.txt": "Cough.", "p2/report.txt": WIDE, "p2/history.txt": "Fever."},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")], "p1/history.txt: The text is not used"),
    "an archive for each case": (
        {"case_1.zip": packed_zip(pictures("1.png")), "case_2.zip": packed_zip(pictures("1.png")), "t.csv": csv("case,report", f'case_1,"{CLEAR}"', f"case_2,{WIDE}")},
        [(("1.png",), "", CLEAR, "train"), (("1.png",), "", WIDE, "train")], ""),
    "pixels without a header": (
        {**pictures("a.png"), "J1.IMG": bytes(64)}, [(("a.png",), "", "", "train")], "J1.IMG: It is a file of pixels without a header beside it"),
    "texts of which one has the mark of an image": (
        {**pictures("a.png", "b.png"), "t.jsonl": lines({"image": "a.png", "text": f"<image>\n{CLEAR}"}, {"image": "b.png", "text": f"{WIDE}\n\n{CLEAR}"})},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", f"{WIDE}\n\n{CLEAR}", "train")], "hold marks that stand for images"),
    "an impression beside a report": (
        {**pictures("a.png"), "t.csv": csv("Bild;Befundtext;Beurteilung", "a.png;Kein Erguss.;Normal.")},
        [(("a.png",), "", "Kein Erguss.", "train")], "several as Befundtext+Beurteilung"),
    "an impression that the report holds": (
        {**pictures("a.png"), "t.csv": csv("image,report,section_impression", "a.png,IMPRESSION: Normal.,Normal.")},
        [(("a.png",), "", "IMPRESSION: Normal.", "train")], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(name: str, tmp_path: Path) -> None:
    files, cases, sentence = LAYOUTS[name]
    check_layout(tmp_path, files, cases, sentence)


def test_a_header_of_slashes_stays_one() -> None:
    assert has_header([["Frontal/Lateral", "AP/PA", "mm/px/1"], ["Frontal", "AP", "1"]])
    assert has_header(
        [["image", "What is it that you can see here?"], ["a.png", "A mass."], ["b.png", "Nothing."]]
    )
    assert not has_header(
        [["It is a sentence of six words.", "N/A"], ["Another one of these is here.", "63"]]
    )
    assert not has_header([["It is a sentence of six words.", "x"], ["Another one of these is here.", "y"]])


@pytest.mark.parametrize(
    "text",
    [
        "Page 1\nName: MEIER, HANS   DOB 01.02.1960\nLungs clear.", "geb. 01.02.1960: kein Erguss", "Geburtsdatum: 1.2.1960",
        "Patient: SMITH, JOHN 45Y", "Patient Name: John Smith", "Nom : DUPONT Jean", "MRN 123456: chest", "DOB: 12 Jan 1960",
        "Paciente: García López, María", "Patient ID: PX-00012345", "Date de naissance : 01/02/1960",
    ],
)  # fmt: skip
def test_texts_that_say_whom_they_are_about(text: str) -> None:
    assert says_whom(text)


@pytest.mark.parametrize(
    "text",
    [
        "Name: ___ DOB: ___", "Patient: 65 year old male", "PATIENT NAME: [**Name**]", "DOB: REDACTED", "Name: XXXX",
        "Patient: No prior studies available.", "EXAM NAME: Chest, Two Views", "The patient is rotated.", "geb. unbekannt",
        "Es ergeben sich 12 Rippen.", "Ergeb. 12.03.2019", f"DOB{' ' * 50_000}", "Comparison: 01.02.2019", "MRN: ___",
    ],
)  # fmt: skip
def test_texts_that_name_nobody(text: str) -> None:
    assert not says_whom(text)


def test_names_in_texts_are_said_before_an_import(tmp_path: Path) -> None:
    """And the text comes as it is: what is learnt is never changed."""
    text = f"Name: MEIER, HANS\n{CLEAR}"
    source = opened(write_files(tmp_path, {**pictures("a.png", "b.png"), "a.txt": text, "b.txt": text}))
    (problem,) = source.preview().unused
    assert problem.reason.startswith("The text holds what looks like a patient's name, birthday or number")
    assert (problem.where, problem.count) == ("a.png", 2)
    assert [each[2] for each in brief(list(source))] == [text, text]


def test_a_name_beside_a_birthday_is_a_surname() -> None:
    """And beside none it may be a file's."""
    row = {"Name": "Meier", "Vorname": "Hans", "Befund": "Frei."}
    assert identity_columns(row, [row])["Name"] == Identity.NAME
    assert identity_columns(["name", "studydate"], [{"name": "a"}]) == {"studydate": Identity.DATE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dr. Schulz", True), ("Prof. Dr. med. von Braun", True), ("PD Dr. Weber", True), ("Frau Öztürk", True), ("Dr.Schulz", True),
        ("MS Lesion", False), ("Drainage", False), ("Drüse", False), ("PD TSE", False), ("PD Sagittal", False),
    ],
)  # fmt: skip
def test_a_name_behind_a_title(text: str, names: bool) -> None:
    assert (identity_of_value(text) is Identity.NAME) == names


def test_a_formula_that_gave_an_empty_text_was_computed() -> None:
    """As Excel writes =IF(A1="","",A1), and openpyxl what nobody has computed."""
    cells = '<c r="A1" s="1" t="str"><f>IF(B1="","",B1)</f><v></v></c><c r="A2"><f>B2&amp;"x"</f><v></v></c>'
    assert len(UNCOMPUTED.findall(cells)) == 1


def test_what_a_workbook_holds_beside_values_is_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (("Image", "Report"), ("a.png", '="Clear "&1'), ("b.png", CLEAR)):
        book.active.append(row)
    book.active.add_image(openpyxl.drawing.image.Image(io.BytesIO(PNGS[0])), "C2")
    out = io.BytesIO()
    book.save(out)
    sentences = told(opened(write_files(tmp_path, {**pictures("a.png", "b.png"), "t.xlsx": out.getvalue()})))
    assert "Formulas have no value, so their cells are empty" in sentences
    assert "Pictures that lie on the sheet are not read" in sentences


SENTENCES = (
    "the lungs are clear and the heart is of normal size with no effusion on either side of the chest " * 2
)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([f"If {SENTENCES[13 * n :]}"[:100] for n in range(4)], "report end after 100 signs in the middle of a sentence"),
        ([SENTENCES[:97].strip()] * 4, ""),  # a template
        ([f"Case {n}: {SENTENCES[:97].strip()}" for n in range(4)], ""),
        (["See https://example.org/view?id=3 of it.", "See https://example.org/view?id=4 of it."], ""),
        (["Erguß?Infiltrat?", "Masse?Knoten", "Masse?Knoten"], ""),
    ],
)  # fmt: skip
def test_texts_that_an_export_cut_are_told_from_whole_ones(
    texts: list[str], said: str, tmp_path: Path
) -> None:
    rows = csv("image,report", *(f"{n}.png,{text}" for n, text in enumerate(texts)))
    files = {**pictures(*(f"{n}.png" for n in range(len(texts)))), "t.csv": rows}
    problems = told(opened(write_files(tmp_path, files)))
    assert said in problems if said else problems == ""


def test_an_object_about_a_person_is_a_name() -> None:
    assert identity_of_value('{"family": "Meier", "given": ["Hans"]}') is Identity.NAME
    assert identity_of_value('{"x": 1}') is None
