"""Folders and archives as public data sets lay them out: which image, which text, which split, which patient."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import PNGS, Brief, Files, opened, pictures, take, told

CLEAR, WIDE = "No pneumothorax, but a large left effusion.", "Heart wide; no effusion."


def packed_tar(files: Files, mode: str = "w") -> bytes:
    """A tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def packed_zip(files: Files) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def parquet(rows: list[dict[str, Any]], schema: Any = None) -> bytes:
    """A parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), out)
    return bytes(out.getvalue().to_pybytes())


STUDY = "files/p10/p10000032/s50414267"
TREES: dict[str, tuple[Files, list[Brief]]] = {
    "MIMIC, a report missing": (
        {**pictures(f"{STUDY}/02aa804e-bde0afdd.png", f"{STUDY}/174413ec-4ec4c1f7.png", "files/p11/p11000011/s51029426/a1.png"),
         f"{STUDY}.txt": f"                 FINAL REPORT\n FINDINGS:\n {CLEAR}\n"},
        [(("02aa804e-bde0afdd.png", "174413ec-4ec4c1f7.png"), "", f"FINAL REPORT\n FINDINGS:\n {CLEAR}", "train"),
         (("a1.png",), "", "", "train")]),
    "MIMIC, sections in a table": (
        {**pictures(f"{STUDY}/a1.png"), "mimic_cxr_sectioned.csv":
            f'study,impression,findings,last_paragraph,comparison\ns50414267,"{WIDE}","{CLEAR}",,\n'},
        [(("a1.png",), "", f"Findings: {CLEAR}\nImpression: {WIDE}", "train")]),
    "MIMIC-CXR-JPG, splits packed": (
        {**pictures(f"{STUDY}/a1.png"), f"{STUDY}.txt": CLEAR,
         "mimic-cxr-2.0.0-split.csv.gz": gzip.compress(b"dicom_id,study_id,subject_id,split\na1,50414267,10000032,validate\n"),
         "mimic-cxr-2.0.0-chexpert.csv.gz": gzip.compress(b"subject_id,study_id,Edema,Pneumonia\n10000032,50414267,-1.0,1.0\n")},
        [(("a1.png",), "", CLEAR, "validation")]),
    "CheXpert Plus": (
        {**pictures("PNG/train/patient00001/study1/view1_frontal.png", "PNG/valid/patient00002/study1/view1_frontal.png"),
         "df_chexpert_plus.csv": "path_to_image,frontal_lateral,deid_patient_id,report,section_findings,section_impression,split\n"
         f'train/patient00001/study1/view1_frontal.jpg,Frontal,patient00001,"{CLEAR}",x,y,train\n'
         f'valid/patient00002/study1/view1_frontal.jpg,Frontal,patient00002,"{WIDE}",x,y,valid\n'},
        [(("view1_frontal.png",), "", CLEAR, "train"), (("view1_frontal.png",), "", WIDE, "validation")]),
    "PadChest": (
        {**pictures("0/1.2_3.png", "1/4.5_6.png"), "PADCHEST.csv":
         ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,Projection,ReportID,Report,MethodLabel,Labels\n"
         "0,1.2_3.png,0,20140915,S1,P1,PA,4765777,sin hallazg patolog edad pacient .,Physician,\"['normal']\"\n"
         "1,4.5_6.png,1,20140916,S2,P2,L,4765778,\"cambi cronic, cardiomegali .\",RNN_model,\"['cardiomegaly', 'copd signs']\"\n"},
        [(("1.2_3.png",), "", "sin hallazg patolog edad pacient .", "train"),
         (("4.5_6.png",), "", "cambi cronic, cardiomegali .", "train")]),
    "VinDr-Mammo": (
        {**pictures("images/48575a27/d8125545.png", "images/48575a27/290c658f.png"), "breast-level_annotations.csv":
         "study_id,series_id,laterality,view_position,image_id,height,width,breast_birads,breast_density,split\n"
         "48575a27,dd9ce3,R,CC,d8125545,3518,2800,BI-RADS 4,DENSITY C,training\n"
         "48575a27,dd9ce3,L,MLO,290c658f,3518,2800,BI-RADS 2,DENSITY C,test\n"},
        [(("d8125545.png",), "", "", "train"), (("290c658f.png",), "", "", "test")]),
    "ROCOv2": (
        {**pictures("train/ROCOv2_2023_train_000001.png", "valid/ROCOv2_2023_valid_000001.png"),
         "train_captions.csv": f'ID,Caption\nROCOv2_2023_train_000001,"{CLEAR}"\n',
         "valid_captions.csv": f'ID,Caption\nROCOv2_2023_valid_000001,"{WIDE}"\n',
         "train_concepts.csv": "ID,CUIs\nROCOv2_2023_train_000001,C0040405;C0153933\n",
         "cui_mapping.csv": "CUI,Canonical name\nC0040405,X-Ray Computed Tomography\n",
         "license_information.csv": "ID,license\nROCOv2_2023_train_000001,CC BY\n"},
        [(("ROCOv2_2023_train_000001.png",), "", CLEAR, "train"),
         (("ROCOv2_2023_valid_000001.png",), "", WIDE, "validation")]),
    "RSNA's folders of patients": (
        {**pictures("train_images/10006/462822612.png", "train_images/10006/1459541791.png"), "train.csv":
         "site_id,patient_id,image_id,laterality,view,age,cancer\n2,10006,462822612,L,CC,61,0\n2,10006,1459541791,L,MLO,61,0\n"},
        [(("462822612.png",), "", "", "train"), (("1459541791.png",), "", "", "train")]),
    "VQA-RAD's JSON": (
        {**pictures("VQA_RAD Image Folder/synpic41148.png"), "VQA_RAD Dataset Public.json": json.dumps([
            {"qid": "0", "phrase_type": "freeform", "image_name": "synpic41148.jpg", "image_organ": "HEAD",
             "question": "Is there evidence of an infarct?", "question_rephrase": "NULL", "answer": "Yes", "answer_type": "CLOSED"}])},
        [(("synpic41148.png",), "Is there evidence of an infarct?", "Yes", "train")]),
    "SLAKE": (
        {**pictures("imgs/xmlab1/source.png", "imgs/xmlab2/source.png"),
         "train.json": json.dumps([{"img_id": 1, "img_name": "xmlab1/source.jpg", "question": "What modality?", "answer": "MRI", "q_lang": "en"}]),
         "validate.json": json.dumps([{"img_id": 2, "img_name": "xmlab2/source.jpg", "question": "图像的平面？", "answer": "轴向", "q_lang": "zh"}])},
        [(("source.png",), "What modality?", "MRI", "train"), (("source.png",), "图像的平面？", "轴向", "validation")]),
    "CT-RATE's titles": (
        {**pictures("train_1_a_1.png"), "train_reports.csv":
         "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
         f'train_1_a_1.png,Cough for a week now.,Non contrast images were taken.,"{CLEAR}","{WIDE}"\n'},
        [(("train_1_a_1.png",), "", f"Findings EN: {CLEAR}\nImpressions EN: {WIDE}", "train")]),
    "the same names in folders of patients": (
        {**pictures("P1/img.png", "P2/img.png"), "t.csv": f'folder,file_name,report\nP1,img.png,"{CLEAR}"\nP2,img.png,"{WIDE}"\n'},
        [(("img.png",), "", CLEAR, "train"), (("img.png",), "", WIDE, "train")]),
    "the same names in folders of exams": (
        {**pictures("d/P1/S1/1.png", "d/P1/S2/1.png"), "t.csv":
         f'patient,study,image,report\nP1,S1,1.png,"{CLEAR}"\nP1,S2,1.png,"{WIDE}"\n'},
        [(("1.png",), "", CLEAR, "train"), (("1.png",), "", WIDE, "train")]),
    "names as addresses have them": (
        {**pictures("img/CXR 1 (PA).png", "img/CXR 2.png"), "t.csv": f'image,report\nCXR%201%20%28PA%29.png,"{CLEAR}"\nCXR+2.png,{WIDE}\n'},
        [(("CXR 1 (PA).png",), "", CLEAR, "train"), (("CXR 2.png",), "", WIDE, "train")]),
    "names on the disk as addresses have them": (
        {**pictures("CXR%201.png"), "t.csv": f'image,report\nCXR 1.png,"{CLEAR}"\n'},
        [(("CXR%201.png",), "", CLEAR, "train")]),
    "capitals": (
        {**pictures("SCANS/A.PNG", "SCANS/B.PNG"), "REPORTS.CSV": f'IMAGE,REPORT\nscans/a.png,"{CLEAR}"\nb,{WIDE}\n'},
        [(("A.PNG",), "", CLEAR, "train"), (("B.PNG",), "", WIDE, "train")]),
    "a share of Windows": (
        {**pictures("xr/a.png"), "t.csv": f'image,report\n\\\\pacs01\\export$\\xr\\a.png,"{CLEAR}"\n'},
        [(("a.png",), "", CLEAR, "train")]),
    "webdataset with JSON": (
        {"shard-000000.tar": packed_tar({"s/000.png": PNGS[0], "s/000.json": json.dumps({"caption": CLEAR, "id": 7}),
                                         "s/001.png": PNGS[1], "s/001.json": json.dumps({"caption": WIDE, "id": 8})})},
        [(("000.png",), "", CLEAR, "train"), (("001.png",), "", WIDE, "train")]),
    "webdataset with several images": (
        {"train/0.tar": packed_tar({"7.frontal.png": PNGS[0], "7.lateral.png": PNGS[1], "7.txt": CLEAR, "7.cls": "1"}),
         "test/0.tar": packed_tar({"9.png": PNGS[2], "9.caption": WIDE})},
        [(("7.frontal.png", "7.lateral.png"), "", CLEAR, "train"), (("9.png",), "", WIDE, "test")]),
    "an archive in an archive": (
        {"all.zip": packed_zip({"set/images.zip": packed_zip({"a.png": PNGS[0], "b.png": PNGS[1]}),
                                "set/reports.csv": f'image,report\na.png,"{CLEAR}"\nb.png,{WIDE}\n'})},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")]),
    "shards in a zip": (
        {"all.zip": packed_zip({"train.tar.gz": packed_tar({"1.png": PNGS[0], "1.txt": CLEAR}, "w:gz")})},
        [(("1.png",), "", CLEAR, "train")]),
    "parquet, names and lists of images": (
        {**pictures("a.png", "b.png"), "data/train-00000-of-00001.parquet": parquet(
            [{"images": [{"bytes": PNGS[0], "path": "x.png"}, {"bytes": PNGS[1], "path": "y.png"}], "report": CLEAR}]),
         "data/test-00000-of-00001.parquet": parquet([{"images": [{"bytes": PNGS[2], "path": "z.png"}], "report": WIDE}])},
        [(("x.png", "y.png"), "", CLEAR, "train"), (("z.png",), "", WIDE, "test")]),
    "parquet, two images a row": (
        {"t.parquet": parquet([{"frontal": {"bytes": PNGS[0], "path": "f.png"}, "lateral": {"bytes": PNGS[1], "path": "l.png"},
                                "findings": CLEAR, "impression": None}])},
        [(("f.png", "l.png"), "", f"Findings: {CLEAR}", "train")]),
    "parquet, bytes alone": (
        {"t.parquet": parquet([{"image_bytes": PNGS[0], "caption": CLEAR}, {"image_bytes": PNGS[1], "caption": WIDE}])},
        [(("",), "", CLEAR, "train"), (("",), "", WIDE, "train")]),
    "COCO, captions of one image": (
        {**pictures("val2014/COCO_val2014_000000000042.png"), "annotations/captions_val2014.json": json.dumps({
            "images": [{"id": 42, "file_name": "COCO_val2014_000000000042.jpg", "license": 1}],
            "annotations": [{"image_id": 42, "id": n, "caption": text} for n, text in enumerate((CLEAR, WIDE))]})},
        [(("COCO_val2014_000000000042.png",), "", text, "validation") for text in (CLEAR, WIDE)]),
    "texts with capitals and two suffixes": (
        {**pictures("a.png", "b.png"), "a.TXT": CLEAR, "b.png.txt": WIDE},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")]),
    "texts in the letters of Windows": (
        {**pictures("a.png"), "a.txt": "Kein Erguss, Herz nicht vergrößert, Zwerchfell glatt.".encode("cp1252")},
        [(("a.png",), "", "Kein Erguss, Herz nicht vergrößert, Zwerchfell glatt.", "train")]),
    "a table above and the images in folders of splits": (
        {**pictures("train/a.png", "test/b.png"), "reports.tsv": f"file\treport\na.png\t{CLEAR}\nb.png\t{WIDE}\n"},
        [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "test")]),
    "two reports of one exam": (
        {**pictures("e1/a.png"), "t.csv": f'exam,report\ne1,"{CLEAR}"\ne1,{WIDE}\n'},
        [(("a.png",), "", CLEAR, "train"), (("a.png",), "", WIDE, "train")]),
    "images and reports by exam in two tables": (
        {**pictures("i/a.png", "i/b.png", "i/c.png"), "images.csv": "ExamID,File\nE1,a.png\nE1,b.png\nE2,c.png\n",
         "reports.csv": f'ExamID,Report\nE1,"{CLEAR}"\nE2,{WIDE}\n'},
        [(("a.png", "b.png"), "", CLEAR, "train"), (("c.png",), "", WIDE, "train")]),
}  # fmt: skip


@pytest.mark.parametrize("tree", TREES)
def test_a_tree_comes_in_whole(tmp_path: Path, tree: str) -> None:
    files, expected = TREES[tree]
    assert sorted(take(write_files(tmp_path, files))) == sorted(expected)


def test_uncertain_labels_are_kept_as_they_are(tmp_path: Path) -> None:
    table = "Path,Sex,Age,Edema,Pneumonia\nCheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,-1.0,\n"
    files: Files = {**pictures("train/patient00001/study1/view1_frontal.jpg"), "train.csv": table}
    (case,) = opened(write_files(tmp_path, files))
    assert (case.facts["Edema"], case.patient, case.facts.get("Pneumonia")) == ("-1.0", "patient00001", None)


def test_several_reports_of_one_folder_are_named(tmp_path: Path) -> None:
    files: Files = {**pictures("p1/a.png"), "p1/report.txt": CLEAR, "p1/addendum.txt": WIDE}
    source = opened(write_files(tmp_path, files))
    texts = [case.reference for case in source]
    assert texts == [CLEAR] or "report.txt" in told(source)
    assert "addendum.txt" in told(source)


def test_what_is_in_an_archive_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(
        packed_zip({"a.png": PNGS[0], "more.7z": b"7z\xbc\xaf\x27\x1c", "x.zip": b"PK\x03\x04cut"})
    )
    text = told(opened(tmp_path))
    assert "more.7z" in text and "x.zip" in text
