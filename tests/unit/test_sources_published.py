"""Data sets as their publishers lay them out, and as folders of hospitals look: what comes in, and what is said."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radtui.sources.identity import Gate
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import Brief, Files, opened, pictures, take, told
from tests.unit.test_sources_loose import csv
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
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_published_layout_comes_in_whole(tmp_path: Path, layout: str) -> None:
    files, right, sentence = LAYOUTS[layout]
    write_files(tmp_path, files)
    assert sorted(take(tmp_path)) == sorted(right)
    assert sentence in told(opened(tmp_path))


def test_facts_beside_an_image_are_kept_where_a_table_has_its_text(tmp_path: Path) -> None:
    write_files(tmp_path, {
        **pictures("a.png"), "a.json": '{"kVp": 80}', "t.csv": csv("image,report", f'a.png,"{CLEAR}"')})  # fmt: skip
    (case,) = opened(tmp_path)
    assert (case.reference, case.facts) == (CLEAR, {"kVp": "80"})


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
