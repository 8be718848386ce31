"""Layouts as other people have them: the same kinds under other names, in other folders, written by other tools."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from radtui.sources.identity import Gate
from radtui.sources.layouts.sections import chosen_sections
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import Files, opened, pictures, take, told

Brief = tuple[tuple[str, ...], str, str, str]


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def coco(split: str, n: int) -> Files:
    """One of COCO's files, with an image and two captions."""
    return {
        f"annotations/captions_{split}2017.json": json.dumps({
            "info": {}, "licenses": [{"id": 1, "name": "x"}],
            "images": [{"id": n, "file_name": f"{n:012d}.png"}],
            "annotations": [
                {"id": 2 * n, "image_id": n, "caption": "Clear."}, {"id": 2 * n + 1, "image_id": n, "caption": "Wide."}],
        }),
        **pictures(f"{split}2017/{n:012d}.png"),
    }  # fmt: skip


XML = (
    '<?xml version="1.0"?><eCitation><uId id="CXR{n}"/><Abstract><AbstractText Label="INDICATION">Cough</AbstractText>'
    '<AbstractText Label="FINDINGS">Clear {n}.</AbstractText><AbstractText Label="IMPRESSION">Size &lt; 3 cm.</AbstractText>'
    '</Abstract><parentImage id="CXR{n}_1"/><parentImage id="CXR{n}_2"/></eCitation>'
)  # fmt: skip

LAYOUTS: dict[str, tuple[Files, list[Brief]]] = {
    "an image named inside the question": (
        {**pictures("a.png"), "t.jsonl": lines({"query": "Picture 1: <img>a.png</img>\nSide?", "response": "Left."})},
        [(("a.png",), "Side?", "Left.", "train")]),
    "what was asked before": (
        {**pictures("a.png"), "t.jsonl": lines(
            {"query": "<image>Side?", "response": "Left.", "history": [["Modality?", "CR"]], "images": ["a.png"]})},
        [(("a.png",), "Modality?", "CR", "train"), (("a.png",), "Side?", "Left.", "train")]),
    "answers by number": (
        {**pictures("a.png", "b.png"), "t.json": json.dumps([
            {"image": "a.png", "question": "Side?", "options": ["left", "right"], "answer": 1},
            {"image": "b.png", "question": "Side?", "options": ["left", "right"], "answer": 0}])},
        [(("a.png",), "Side?\nA: left\nB: right", "B: right", "train"),
         (("b.png",), "Side?\nA: left\nB: right", "A: left", "train")]),
    "captions of several splits": (
        {**coco("train", 1), **coco("val", 2)},
        [((f"{n:012d}.png",), "", text, split) for n, split in ((1, "train"), (2, "validation"))
         for text in ("Clear.", "Wide.")]),
    "captions as objects": (
        {**pictures("a.png"), "d.json": json.dumps({"dataset": "x", "images": [
            {"filename": "a.png", "split": "val", "sentences": [{"raw": "Clear.", "tokens": ["clear"]}, {"raw": "Wide."}]}]})},
        [(("a.png",), "", text, "validation") for text in ("Clear.", "Wide.")]),
    "texts by name and split": (
        {**pictures("i/a.png", "i/b.png"), "c.json": json.dumps({"train": {"a.png": "Clear."}, "test": {"b.png": "Wide."}})},
        [(("a.png",), "", "Clear.", "train"), (("b.png",), "", "Wide.", "test")]),
    "sections inside an object": (
        {**pictures("a.png"), "r.json": json.dumps([
            {"image": "a.png", "report": {"findings": "Clear.", "impression": "Normal."}}])},
        [(("a.png",), "", "Report.findings: Clear.\nReport.impression: Normal.", "train")]),
    "lists of splits in camel case": (
        {**pictures("Images/1.png", "Images/2.png"), "Flickr8k.token.txt": "1.png#0\tBoth lungs clear.\n2.png#0\tThe heart wide.\n",
         "Flickr_8k.trainImages.txt": "1.png\n", "Flickr_8k.testImages.txt": "2.png\n"},
        [(("1.png",), "", "Both lungs clear.", "train"), (("2.png",), "", "The heart wide.", "test")]),
    "reports in XML": (
        {**pictures(*(f"png/CXR{n}_{k}.png" for n in (1, 2) for k in (1, 2))),
         **{f"ecgen/{n}.xml": XML.format(n=n) for n in (1, 2)}},
        [((f"CXR{n}_1.png", f"CXR{n}_2.png"), "", f"Findings: Clear {n}.\nImpression: Size < 3 cm.", "train")
         for n in (1, 2)]),
    "reports in a tree of their own": (
        {**pictures("jpg/p10/p10000032/s50414267/a.png", "jpg/p10/p10000032/s50414267/b.png"),
         "reports/files/p10/p10000032/s50414267.txt": "FINDINGS: Clear."},
        [(("a.png", "b.png"), "", "FINDINGS: Clear.", "train")]),
    "a table of images beside reports of exams": (
        {**pictures("files/p10/p10000032/s50414267/a.png", "files/p10/p10000032/s50414267/b.png"),
         "files/p10/p10000032/s50414267.txt": "FINDINGS: Clear.",
         "split.csv": "dicom_id,study_id,subject_id,split\na,50414267,10000032,test\nb,50414267,10000032,test\n"},
        [(("a.png", "b.png"), "", "FINDINGS: Clear.", "test")]),
    "a word at the end of a text's name": (
        {**pictures("a1.png", "a2.png"), "a1_report.txt": "Clear.", "a2_report.txt": "Wide."},
        [(("a1.png",), "", "Clear.", "train"), (("a2.png",), "", "Wide.", "train")]),
    "links beside captions": (
        {**pictures("images/PMC4_1.png"), "dlinks.txt": "ROCO_1\twget -r ftp://x/PMC1.tar.gz -q\tPMC4_1.png\n",
         "data.csv": "id,name,caption\nROCO_1,PMC4_1.png,Clear lungs.\n"},
        [(("PMC4_1.png",), "", "Clear lungs.", "train")]),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_variant_comes_in_whole(tmp_path: Path, layout: str) -> None:
    files, expected = LAYOUTS[layout]
    assert sorted(take(write_files(tmp_path, files))) == sorted(expected)


def test_sections_are_chosen_of_reports_that_are_files(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("p1/s1/a.png", "p2/s2/b.png"), "p1/s1.txt": "INDICATION: Cough.\n FINDINGS: Clear.\n\n IMPRESSION: Ok.",
        "p2/s2.txt": "Wet read: none."})  # fmt: skip
    source = opened(tmp_path, text_column="impression")
    assert [case.reference for case in source] == ["Ok.", ""]
    assert "no section impression" in told(source)
    both = opened(tmp_path, text_column="findings+impression")
    assert [case.reference for case in both] == ["Findings: Clear.\nImpression: Ok.", ""]


def test_a_section_goes_by_its_names_in_other_languages() -> None:
    report = "Klinik: Husten.\nBefund: Kein Erguss.\nBeurteilung: Unauffällig."
    assert chosen_sections(report, ["findings"]) == "Kein Erguss."
    assert chosen_sections(report, ["impression"]) == "Unauffällig."


def test_labels_of_a_patients_folder_are_of_each_image(tmp_path: Path) -> None:
    write_files(
        tmp_path, {**pictures("PAT-11/e1/a.png", "PAT-11/e2/b.png"), "t.csv": "Subject ID,Sex\nPAT-11,F\n"}
    )
    assert [(len(case.images), case.facts["Sex"]) for case in opened(tmp_path)] == [(1, "F"), (1, "F")]


def test_several_labels_of_an_image_are_kept_from_two_tables(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("train_images/a1b2c.png", "train_images/d3e4f.png"),
        "train_labels.csv": "patientId,x,Target\na1b2c,264.5,1\na1b2c,562.5,1\nd3e4f,,0\n",
        "class_info.csv": "patientId,class\na1b2c,Opacity\na1b2c,Opacity\nd3e4f,Normal\n"})  # fmt: skip
    facts = {case.source_key: case.facts for case in opened(tmp_path)}
    assert facts["train_images/a1b2c.png"]["x"] == "264.5; 562.5"
    assert facts["train_images/a1b2c.png"]["class"] == "Opacity"


@pytest.mark.parametrize(
    "title", ["PatID", "deid_patient_id", "case_patient", "anon_patient_id", "nhs_number", "num_patient", "IPP", "患者ID",
              "Patienten-Nummer"],
)  # fmt: skip
def test_patients_are_told_apart_whatever_their_column_is_called(tmp_path: Path, title: str) -> None:
    write_files(tmp_path, {**pictures("a.png"), "t.csv": f"image,report,{title}\na.png,Clear lungs.,713\n"})
    assert [case.patient for case in opened(tmp_path)] == ["713"]


@pytest.mark.parametrize("title", ["patient_age", "PatientSex", "patient_position", "subject matter"])
def test_what_is_said_of_a_patient_is_no_number(tmp_path: Path, title: str) -> None:
    write_files(tmp_path, {**pictures("a.png"), "t.csv": f"image,report,{title}\na.png,Clear lungs.,x\n"})
    assert [case.patient for case in opened(tmp_path)] == [""]


def test_objects_of_facts_pass_the_gate_by_their_own_names(tmp_path: Path) -> None:
    row = {"image": "a.png", "report": "Clear.", "meta": {"PatientID": "PID7731", "scanner": {"kV": 80}}}
    write_files(tmp_path, {**pictures("a.png"), "t.jsonl": lines(row)})
    (case,) = opened(tmp_path)
    kept, dropped = Gate(b"salt").facts(case.facts)
    assert kept == {"meta.scanner.kV": "80"} and list(dropped) == []
    assert case.patient == "PID7731"


def test_a_column_of_names_is_one_in_every_row(tmp_path: Path) -> None:
    people = ["Müller, Hans", "García, Ana", "O'Neil, Xyr"]
    rows = "".join(f'{n}.png,Clear lungs.,"{name}"\n' for n, name in enumerate(people))
    write_files(tmp_path, {**pictures("0.png", "1.png", "2.png"), "t.csv": f"image,report,seen_by\n{rows}"})
    source = opened(tmp_path)
    gate = Gate(b"salt", people=source.people)  # type: ignore[attr-defined]
    assert [gate.facts(case.facts)[0] for case in source] == [{}, {}, {}]
