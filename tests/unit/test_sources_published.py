"""Data sets as their publishers lay them out, and as folders of hospitals look: what comes in, and what is said."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import base64
import io
import json
import lzma
from pathlib import Path

import openpyxl
import pytest

from radtui.sources.identity import Gate
from radtui.sources.kinds import file_kind
from tests.unit.dicom_files import made, ramp
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import PNGS, Brief, Files, check_layout, opened, pictures, take, told
from tests.unit.test_sources_loose import csv
from tests.unit.test_sources_trees import parquet
from tests.unit.test_sources_variants import lines

S1, S2 = "files/p10/p10000032/s50414267", "files/p11/p11000011/s51029426"
CLEAR, WIDE = "No pneumothorax, but a large left effusion.", "Heart wide; no effusion."

LAYOUTS: dict[str, tuple[Files, list[Brief], str]] = {
    "MIMIC-CXR-JPG's metadata beside reports": (
        {**pictures(f"{S1}/a1.jpg", f"{S1}/a2.jpg", f"{S2}/b1.jpg"),
         "metadata.csv": csv("dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition",
                             "a1,10000032,50414267,CHEST (PA AND LAT),PA", "a2,10000032,50414267,CHEST (PA AND LAT),LATERAL",
                             "b1,11000011,51029426,CHEST (PORTABLE AP),AP"),
         f"reports/{S1}.txt": f"FINDINGS: {CLEAR}", f"reports/{S2}.txt": f"FINDINGS: {WIDE}"},
        [(("a1.jpg", "a2.jpg"), "", f"FINDINGS: {CLEAR}", "train"), (("b1.jpg",), "", f"FINDINGS: {WIDE}", "train")], ""),
    "a column with words beside reports": (
        {**pictures(f"{S1}/a1.jpg"), "m.csv": csv("dicom_id,CodedBy", "a1,by the team of the ward"), f"{S1}.txt": CLEAR},
        [(("a1.jpg",), "", CLEAR, "train")], "CodedBy is not learnt, for texts lie beside the images"),
    "findings and impressions in two trees": (
        {**pictures(f"{S1}/a1.jpg", f"{S2}/b1.jpg"), "findings/p10/p10000032/s50414267.txt": CLEAR,
         "impression/p10/p10000032/s50414267.txt": "Effusion.", "findings/p11/p11000011/s51029426.txt": WIDE},
        [(("a1.jpg",), "", f"Findings: {CLEAR}\nImpression: Effusion.", "train"), (("b1.jpg",), "", WIDE, "train")], ""),
    "findings and impression beside an image": (
        {**pictures("a.png"), "a_impression.txt": "Effusion.", "a_findings.txt": CLEAR},
        [(("a.png",), "", f"Findings: {CLEAR}\nImpression: Effusion.", "train")], ""),
    "two texts of an image": (
        {**pictures("a.png"), "a.txt": CLEAR, "a_report.txt": WIDE}, [(("a.png",), "", CLEAR, "train")],
        "a_report.txt: The text is not used: a.txt is the text of the same image"),
    "a text in a table and beside the image": (
        {**pictures("a.png"), "a.txt": WIDE, "t.csv": csv("image,report", f'a.png,"{CLEAR}"')},
        [(("a.png",), "", CLEAR, "train")], "a.txt: Texts beside images are not used where a table has texts of them"),
    "a server's record beside a DICOM file": (
        {**pictures("a.png"), "a.json": json.dumps({"StudyDescription": "Chest", "Modality": "DX"})},
        [(("a.png",), "", "", "train")], ""),
    "one line of FHIR": (
        {**pictures("ST1.png"), "DiagnosticReport.ndjson": lines(
            {"resourceType": "DiagnosticReport", "imagingStudy": [{"reference": "ImagingStudy/ST1"}], "conclusion": CLEAR})},
        [(("ST1.png",), "", CLEAR, "train")], ""),
    "all rows beside those of the splits": (
        {**pictures("a.png", "b.png"), "all.csv": csv("image,report", "a.png,Clear lungs.", "b.png,Wide heart."),
         "train.csv": csv("image,report", "a.png,Clear lungs."), "test.csv": csv("image,report", "b.png,Wide heart.")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "test")],
        "all.csv: Rows that repeat the image, question and text of an earlier one are left out."),
    "the same row in two splits is a leak, not a repeat": (
        {**pictures("a.png"), "train.csv": csv("image,report", "a.png,Clear lungs."), "test.csv": csv("image,report", "a.png,Clear lungs.")},
        [(("a.png",), "", "Clear lungs.", "train"), (("a.png",), "", "Clear lungs.", "test")], ""),
    "sections by exam and splits by image": (
        {**pictures(f"{S1}/a1.jpg", f"{S2}/b1.jpg"), "sectioned.csv": csv("study,impression,findings", "s50414267,Effusion.,Clear.", "s51029426,Wide.,Wide heart."),
         "split.csv": csv("dicom_id,study_id,subject_id,split", "a1,50414267,10000032,train", "b1,51029426,11000011,test")},
        [(("a1.jpg",), "", "Findings: Clear.\nImpression: Effusion.", "train"), (("b1.jpg",), "", "Findings: Wide heart.\nImpression: Wide.", "test")],
        "split.csv: Of this table only the splits of its images are used."),
    "lists of names without a suffix": (
        {**pictures("img/a.jpg", "img/b.jpg"), "lists/train.txt": "a\n", "lists/test.txt": "b\n", "r/a.txt": CLEAR, "r/b.txt": WIDE},
        [(("a.jpg",), "", CLEAR, "train"), (("b.jpg",), "", WIDE, "test")], ""),
    "tabs, and a comma in each text": (
        {**pictures("R_001.png", "R_002.png"), "captions.txt": "R_001\t Computed tomography, axial.\nR_002\t Chest film, AP view.\n"},
        [(("R_001.png",), "", "Computed tomography, axial.", "train"), (("R_002.png",), "", "Chest film, AP view.", "train")], "The text is taken from column 2"),
    "splits by number": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,report,split", "a.png,Clear lungs.,0", "b.png,Wide heart.,1")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "train")], "split names no splits but numbers (0, 1)"),
    "words for nothing, and signs as a web page has them": (
        {**pictures(*"123456"), "t.csv": csv("image,caption", "1,#REF!", "2,No report available.", r"3,\N", "4,Heart &gt; 50 &#37; &amp; wide", "5,R&D; A&E", "6,?")},
        [((name,), "", text, "train") for name, text in zip("123456", ("", "", "", "Heart > 50 % & wide", "R&D; A&E", ""), strict=True)],
        "Texts of caption are written in HTML or RTF"),
    "images in base64 and as pandas writes bytes": (
        {"t.csv": csv("image_b64,caption", f"{base64.b64encode(PNGS[0]).decode()},Clear lungs."),
         "u.jsonl": lines({"image_b64": str({"bytes": PNGS[1], "path": None}), "caption": "Wide heart."})},
        [(("",), "", "Clear lungs.", "train"), (("",), "", "Wide heart.", "train")], ""),
    "exams in folders of patients": (
        {**pictures("P1/E1/a.png", "P1/E2/b.png", "P2/E1/c.png"),
         "r.csv": csv("patient,exam,report", "P1,E1,Clear lungs.", "P1,E2,Wide heart.", "P2,E1,Old fracture.")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "Wide heart.", "train"), (("c.png",), "", "Old fracture.", "train")], ""),
    "two reports of a patient's folder": (
        {**pictures("P1/a.png", "P1/b.png"), "r.csv": csv("patient,report", "P1,Clear lungs.", "P1,Wide heart.")},
        [(("a.png", "b.png"), "", "Clear lungs.", "train"), (("a.png", "b.png"), "", "Wide heart.", "train")],
        "r.csv: Rows share their images with an earlier row"),
    "masks beside images": (
        {**pictures("Train/Normal/images/n1.png", "Train/Normal/lung masks/n1.png", "ManualMask/leftMask/n1.png"), "readings/n1.txt": CLEAR},
        [(("n1.png",), "", CLEAR, "train")], "Masks and other pictures about images are left out"),
    "a list as NumPy writes it": (
        {**pictures("a.png", "b.png"), "t.csv": csv("images,report", "['a.png' 'b.png'],Clear lungs.")},
        [(("a.png", "b.png"), "", "Clear lungs.", "train")], ""),
    "the Decathlon's images to describe": (
        {**pictures("imagesTr/a.png", "imagesTs/b.png"), "dataset.json": json.dumps(
            {"training": [{"image": "./imagesTr/a.png", "caption": "Clear lungs."}], "test": ["./imagesTs/b.png"]})},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "", "test")], ""),
    "the same names in folders of splits, and a column that says which": (
        {**pictures("train/1.png", "test/1.png"), "t.csv": csv("image,split,report", "1.png,train,Clear lungs.", "1.png,Test,Wide heart.")},
        [(("1.png",), "", "Clear lungs.", "train"), (("1.png",), "", "Wide heart.", "test")], ""),
    "two configurations of a data set": (
        {"qa/train-0.parquet": parquet([{"image": {"bytes": PNGS[0], "path": None}, "question": "Side?", "answer": "Left"}]),
         "text/train-0.parquet": parquet([{"image": {"bytes": PNGS[1], "path": None}, "caption": "Clear lungs."}])},
        [(("",), "Side?", "Left", "train")], "text/train-0.parquet: The table is not used: qa/train-0.parquet is."),
    "values as programs write them": (
        {**pictures("a.png", "b.png"), "t.csv": csv("image,report", "a.png,b'Clear lungs.'", "b.png,FINDINGS: Wide.\\n\\nIMPRESSION: \\nodule")},
        [(("a.png",), "", "Clear lungs.", "train"), (("b.png",), "", "FINDINGS: Wide.\n\nIMPRESSION: \nodule", "train")],
        "Texts of report are written as a program's values"),
    "letters that were read as Latin-1": (
        {**pictures("a.png"), "t.csv": csv("image,report", "a.png,Herz normal groÃŸ.")},
        [(("a.png",), "", "Herz normal groÃŸ.", "train")], "look as if UTF-8 had been read as Latin-1"),
    "objects as Python prints them": (
        {**pictures("a.png"), "t.jsonl": "{'image': 'a.png', 'report': 'Clear lungs.'}\n"}, [(("a.png",), "", "Clear lungs.", "train")], ""),
    "sentences of sections in lists": (
        {**pictures("C1.png"), "r.json": json.dumps({"C1": {"findings": ["Clear lungs.", "Heart normal."], "impression": ["Normal."]}})},
        [(("C1.png",), "", "Findings: Clear lungs. Heart normal.\nImpression: Normal.", "train")], ""),
    "a table packed with xz": (
        {**pictures("a.png"), "t.csv.xz": lzma.compress(b"image,report\na.png,Clear lungs.\n")}, [(("a.png",), "", "Clear lungs.", "train")], ""),
    "reports in two languages": (
        {**pictures("a.png"), "t.csv": csv("image,report_es,report_en", "a.png,Pulmones claros.,Clear lungs here.")},
        [(("a.png",), "", "Pulmones claros.", "train")], "report_en may be texts, too; report_es is learnt"),
    "one stem of two files": (
        {**pictures("a.png", "a.tif"), "t.csv": csv("id,report", "a,Clear lungs.")},
        [(("a.png",), "", "", "train"), (("a.tif",), "", "", "train")], "a in its column id may be a.png and a.tif"),
    "boxes of a file of COCO whose categories are numbered": (
        {**pictures("a.png"), "i.json": json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 3}],
            "categories": [{"id": 3, "name": "mass"}], "videos": [{"id": 9, "length": 3}]})},
        [(("a.png",), "", "", "train")], "i.json, videos: The table is not used"),
    "a series of slices and its report": (
        {**pictures(*(f"P1/S1/{n:02d}.png" for n in range(17)), "P2/S1/a.png"), "P1/S1/report.txt": CLEAR, "P2/S1/report.txt": WIDE},
        [(tuple(f"{n:02d}.png" for n in range(17)), "", CLEAR, "train"), (("a.png",), "", WIDE, "train")],
        "P1/S1/00.png: Cases have up to 17 images, as series of slices do"),
    "what datasets computed beside its data": (
        {**pictures("a.png"), "cache-1a2b.arrow": b"ARROW1", "t.csv": csv("image,report", "a.png,Clear lungs.")},
        [(("a.png",), "", "Clear lungs.", "train")], "cache-1a2b.arrow: It is what datasets computed on the way"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_published_layout_comes_in_whole(tmp_path: Path, layout: str) -> None:
    check_layout(tmp_path, *LAYOUTS[layout])


def test_facts_beside_an_image_are_kept_where_a_table_has_its_text(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("a.png"), "a.json": '{"kVp": 80}', "t.csv": csv("image,report", f'a.png,"{CLEAR}"')})  # fmt: skip
    (case,) = opened(tmp_path)
    assert (case.reference, case.facts) == (CLEAR, {"kVp": "80"})


def test_a_remark_beside_an_image_is_no_report_and_an_image_in_it_no_fact(tmp_path: Path) -> None:
    beside = {
        "ImageComments": "The patient came late",
        "imageData": base64.b64encode(PNGS[0]).decode(),
        "EchoTime": 0.01,
    }
    (case,) = opened(write_files(tmp_path, {**pictures("a.png"), "a.json": json.dumps(beside)}))
    assert (case.reference, set(case.facts)) == ("", {"ImageComments", "EchoTime"})


def test_two_tables_call_patients_differently(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("a.png", "b.png"), "m.csv": csv("Subject ID,file", "LUNG-1,a.png", "LUNG-2,b.png"),
        "clinical.csv": csv("PatientID,Histology", "LUNG-2,squamous", "LUNG-1,adeno")})  # fmt: skip
    assert [case.facts["Histology"] for case in opened(tmp_path)] == ["adeno", "squamous"]


def test_a_name_of_two_files_is_said_with_both(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {**pictures("img/a.png", "img_512/a.png"), "t.csv": csv("image,report", "a.png,Clear lungs.")},
    )
    (case,) = [case for case in opened(tmp_path) if case.error]
    assert "may be img/a.png and img_512/a.png: write it with its folder" in case.error


@pytest.mark.parametrize(
    ("sentence", "paths", "hidden"),
    [
        ("MuellerHans_19500312.png is named in t.csv but is not in the folder.", (), "Mueller"),
        ("Hans Mueller 1.png is named in t.csv but is not in the folder.", ("Hans Mueller 1.png",), "Mueller"),
        ("The first: t.csv, line 2: d/12.08.1964/a.png", (), "1964"),
    ],
)  # fmt: skip
def test_sentences_about_files_name_nobody(sentence: str, paths: tuple[str, ...], hidden: str) -> None:
    written = Gate(b"salt").sentence(sentence, paths)
    assert hidden not in written and "t.csv" in written
    assert Gate(b"salt", trust_names=True).sentence(sentence, paths) == sentence


def dicom(number: int, exam: str, patient: str = "MRN7731") -> bytes:
    """A DICOM file of an exam."""
    return made(
        ramp(8, 8 + number), SOPInstanceUID=f"1.2.826.0.1.3.{number}", StudyInstanceUID=exam, PatientID=patient,
        SeriesInstanceUID=f"{exam}.{number}", AccessionNumber=f"A-{exam[-2:]}",
    )  # fmt: skip


E1, E2 = "1.2.826.0.1.71", "1.2.826.0.1.72"
EXAMS = {"d/1": dicom(1, E1), "d/2.dcm": dicom(2, E1), "d/IM.003": dicom(3, E2, "MRN8842")}


@pytest.mark.parametrize(
    ("header", "rows", "right"),
    [
        ("StudyInstanceUID,report", [f"{E1},{CLEAR!r}", f"{E2},Wide.", "1.2.826.0.1.9,None here."], [("1", "2.dcm"), ("IM.003",)]),
        ("sop_uid,report", ["1.2.826.0.1.3.2,Clear lungs.", "1.2.826.0.1.3.3,Wide heart."], [("2.dcm",), ("IM.003",)]),
        ("SeriesInstanceUID,Fracture", [f"{E1}.1,1", f"{E2}.3,0"], [("1",), ("IM.003",)]),
        ("Accession Number,report", ["a-71,Clear lungs.", "A-72,Wide heart."], [("1", "2.dcm"), ("IM.003",)]),
        ("PatientID,report", ["MRN8842,Wide heart.", "MRN7731,Clear lungs."], [("IM.003",), ("1", "2.dcm")]),
        ("study,report", [f"1.2.826.0.2.{n},Of elsewhere." for n in range(60)] + [f"{E2},Wide."], [("IM.003",)]),
    ],
)  # fmt: skip
def test_a_table_may_name_dicom_files_by_their_headers(
    tmp_path: Path, header: str, rows: list[str], right: list[tuple[str, ...]]
) -> None:
    write_files(tmp_path, {**EXAMS, "t.csv": csv(header, *rows)})
    source = opened(tmp_path)
    assert [case[0] for case in take(tmp_path)] == right
    sentences = told(source) + "".join(case.error for case in source)
    assert "in their headers" in sentences
    assert not any(number in sentences for number in ("1.2.826", "MRN", "A-7"))


def test_a_patient_of_two_exams_has_no_report_by_its_number_alone(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {"1.dcm": dicom(1, E1), "2.dcm": dicom(2, E2), "t.csv": csv("PatientID,report", "MRN7731,Clear.")},
    )
    assert [case.reference for case in opened(tmp_path)] == ["", ""]
    assert "t.csv" in told(opened(tmp_path))


@pytest.mark.parametrize(
    "names", [(E1, E2), ("1.2.826.0.1.3.2", "1.2.826.0.1.3.3"), ("a-71", "A-72"), ("MRN7731", "MRN8842")]
)
def test_a_text_may_be_called_as_headers_call_its_exam(tmp_path: Path, names: tuple[str, str]) -> None:
    write_files(tmp_path, {**EXAMS, f"r/{names[0]}.txt": CLEAR, f"r/{names[1]}.txt": WIDE})
    texts = {name: case[2] for case in take(tmp_path) for name in case[0]}
    assert (texts["2.dcm"], texts["IM.003"]) == (CLEAR, WIDE)
    assert [case.exam for case in opened(tmp_path)] == [""] * len(take(tmp_path))  # the headers say it


def test_a_structured_report_is_the_text_of_its_exam(tmp_path: Path) -> None:
    write_files(tmp_path, {**EXAMS, "sr.dcm": structured(E1, {"Findings": CLEAR, "Impressions": WIDE})})
    first, other = take(tmp_path)
    assert first == (("1", "2.dcm"), "", f"Findings: {CLEAR}\nImpressions: {WIDE}", "train")
    assert other[2] == ""
    assert "sentences are read; names, codes and numbers are not" in told(opened(tmp_path))
    write_files(tmp_path, {"t.csv": csv("image,report", "IM.003,Wide heart.")})
    assert "sr.dcm: The report is not used: no case has images of its exam." in told(opened(tmp_path))


def structured(exam: str, parts: dict[str, str]) -> bytes:
    """A structured report of an exam, of titled texts and the name of who wrote it."""
    from pydicom.dataset import Dataset

    def item(kind: str, title: str, **elements: object) -> Dataset:
        dataset, name = Dataset(), Dataset()
        dataset.ValueType, name.CodeMeaning, dataset.ConceptNameCodeSequence = kind, title, [name]
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        return dataset

    contents = [item("PNAME", "Observer", PersonName="Quibblesworth^Zephyrine")]
    for title, text in parts.items():
        inner = item("TEXT", title.removesuffix("s"), TextValue=text)
        contents.append(item("CONTAINER", title, ContentSequence=[inner]))
    return made(
        ramp(1, 1), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR", StudyInstanceUID=exam,
        ContentSequence=contents,
    )  # fmt: skip


def test_a_report_of_merged_cells_is_of_each_of_their_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ("Patient", "Image", "Report"),
        ("P1", "a.png", CLEAR),
        (None, "b.png", None),
        ("P2", "c.png", WIDE),
    ):
        book.active.append(row)
    for cells in ("A2:A3", "C2:C3"):
        book.active.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    source = opened(write_files(tmp_path, {**pictures("a.png", "b.png", "c.png"), "t.xlsx": out.getvalue()}))
    assert [(case.patient, case.reference) for case in source] == [("P1", CLEAR), ("P1", CLEAR), ("P2", WIDE)]
    assert "merged over several rows" in told(source)


def test_what_is_not_there_is_said_without_the_number_of_a_person(tmp_path: Path) -> None:
    rows = csv("PatientID,report", "P1,Clear lungs.", "4711,Wide heart.", '4712,"Old, open')
    source = opened(write_files(tmp_path, {**pictures("P1.png"), "t.csv": rows}))
    cases = list(source)
    sentences = told(source) + "".join(case.error + case.source_key for case in cases)
    assert "t.csv, line 3: no image in the folder has its PatientID." in sentences
    assert "471" not in sentences


@pytest.mark.parametrize(
    ("name", "head", "way_out"),
    [
        ("a.png", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"), ("a.jpg", b"\n<!DOCTYPE html>", "log in"),
        ("data.mdb", b"\0", "CSV"), ("train.tfrecord", b"\x10", "CSV"),
    ],
)  # fmt: skip
def test_what_is_no_image_has_a_way_out(name: str, head: bytes, way_out: str) -> None:
    assert way_out in file_kind(name, head).reason
