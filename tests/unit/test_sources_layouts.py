"""Layouts that people have: which image, which text, which question, which split comes of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources import Source, open_source
from tests.conftest import drawn_png
from tests.unit.source_files import write_files

PNGS = [drawn_png(n, 8) for n in range(12)]
Files = dict[str, bytes | str]
Brief = tuple[tuple[str, ...], str, str, str]


def pictures(*names: str) -> Files:
    return {name: PNGS[n % len(PNGS)] for n, name in enumerate(names)}


def opened(folder: Path, **said: Any) -> Source:
    return open_source(ImportSettings(source=str(folder), **said))


def brief(cases: list[NewCase]) -> list[tuple[tuple[str, ...], str, str, str]]:
    """Names of images, question, text and split of each case."""
    return [
        (tuple(image.name for image in case.images), case.question, case.reference, case.split)
        for case in cases
    ]


def take(folder: Path, **said: Any) -> list[tuple[tuple[str, ...], str, str, str]]:
    source = opened(folder, **said)
    cases = [case for case in source if not case.error]
    assert all(image.data for case in cases for image in case.images if not image.error)
    return brief(cases)


def told(source: Source) -> str:
    list(source)
    return " | ".join(f"{problem.where}: {problem.reason}" for problem in source.problems)


def check_layout(folder: Path, files: Files, cases: list[Brief], sentence: str, **choices: Any) -> None:
    """Check which cases files come to, and what is said of them: a sentence, or nothing."""
    write_files(folder, files)
    assert sorted(take(folder, **choices)) == sorted(cases)
    problems = told(opened(folder, **choices))
    assert sentence in problems if sentence else problems == ""


TURNS = {
    "llava": {"image": "a.png", "conversations": [
        {"from": "human", "value": "<image>\nDescribe."}, {"from": "gpt", "value": "Clear."}]},
    "sharegpt": {"images": ["a.png"], "messages": [
        {"role": "user", "content": "<image>Describe."}, {"role": "assistant", "content": "Clear."}]},
    "blocks": {"messages": [
        {"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "Describe."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Clear."}]}]},
    "openai": {"messages": [
        {"role": "system", "content": "You are a radiologist."},
        {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(PNGS[0]).decode()}},
            {"type": "text", "text": "Describe."}]},
        {"role": "assistant", "content": "Clear."}]},
    "swift": {"query": "<image>Describe.", "response": "Clear.", "images": ["a.png"]},
    "trl": {"images": ["a.png"], "prompt": [{"role": "user", "content": [
        {"type": "image"}, {"type": "text", "text": "Describe."}]}],
        "completion": [{"role": "assistant", "content": [{"type": "text", "text": "Clear."}]}]},
    "qwen": {"conversations": [
        {"from": "user", "value": "Picture 1: <img>a.png</img>\nDescribe."}, {"from": "assistant", "value": "Clear."}]},
    "alpaca": {"instruction": "Describe.", "input": "", "output": "Clear.", "images": ["a.png"]},
    "cauldron": {"images": ["a.png"], "texts": [{"user": "Describe.", "assistant": "Clear."}]},
    "pairs": {"image": "a.png", "qa": [{"question": "Describe.", "answer": "Clear."}]},
    "text": {"image": "a.png", "messages": json.dumps([
        {"role": "user", "content": "Describe."}, {"role": "assistant", "content": "Clear."}])},
}  # fmt: skip


@pytest.mark.parametrize("form", sorted(TURNS))
def test_conversations_are_questions_and_answers(tmp_path: Path, form: str) -> None:
    files: Files = {
        **pictures("a.png"),
        "train.jsonl": json.dumps(TURNS[form]) + "\n" + json.dumps(TURNS[form]),
    }
    first, *_ = take(write_files(tmp_path, files))
    assert first[1:] == ("Describe.", "Clear.", "train")


def test_each_answer_of_a_long_conversation_is_a_case(tmp_path: Path) -> None:
    turns = [{"from": who, "value": text} for who, text in
             (("human", "<image>\nWhat?"), ("gpt", "A mass."), ("human", "Where?"), ("gpt", "Left."))]  # fmt: skip
    files: Files = {**pictures("a.png"), "x.json": json.dumps([{"image": "a.png", "conversations": turns}])}
    assert [case[1:3] for case in take(write_files(tmp_path, files))] == [
        ("What?", "A mass."),
        ("Where?", "Left."),
    ]


TABLES: dict[str, tuple[Files, list[tuple[tuple[str, ...], str, str, str]]]] = {
    "several images a row": (
        {**pictures("i/a.png", "i/b.png"),
         "d.csv": "id,report,image_path,split\n1,Clear lungs.,\"['a.png', 'b.png']\",val\n"},
        [(("a.png", "b.png"), "", "Clear lungs.", "validation")],
    ),
    "views in columns": (
        {**pictures("f.png", "l.png"), "d.csv": "frontal,lateral,report\nf.png,l.png,Clear lungs.\n"},
        [(("f.png", "l.png"), "", "Clear lungs.", "train")],
    ),
    "file_names": (
        {**pictures("a.png", "b.png"),
         "metadata.jsonl": json.dumps({"file_names": ["a.png", "b.png"], "text": "Both."})},
        [(("a.png", "b.png"), "", "Both.", "train")],
    ),
    "options": (
        {**pictures("images/a.png"), "train.csv":
            "Figure_path,Caption,Question,Choice A,Choice B,Answer\na.png,A film.,What is it?, A:lung,B: liver,B\n"},
        [(("a.png",), "What is it?\nA: lung\nB: liver", "B: liver", "train")],
    ),
    "absolute paths": (
        {**pictures("images/a.png", "images/b.png"),
         "t.csv": "path,report\n/home/me/xr/images/a.png,A clear film.\nD:\\xr\\images\\b.png,Another film.\n"},
        [(("a.png",), "", "A clear film.", "train"), (("b.png",), "", "Another film.", "train")],
    ),
    "unicode forms": (
        {**pictures(unicodedata.normalize("NFD", "Thoräx.png")), "t.csv": "image,text\nthoräx.PNG,Clear.\n"},
        [((unicodedata.normalize("NFD", "Thoräx.png"),), "", "Clear.", "train")],
    ),
    "coco": (
        {**pictures("train2017/1.png"), "annotations/c_train.json": json.dumps({
            "images": [{"id": 7, "file_name": "1.png"}], "annotations": [
                {"id": 1, "image_id": 7, "caption": "One."}, {"id": 2, "image_id": 7, "caption": "Two."}]})},
        [(("1.png",), "", "One.", "train"), (("1.png",), "", "Two.", "train")],
    ),
    "reports and projections": (
        {**pictures("images/1_lat.png", "images/1_fr.png"),
         "reports.csv": "uid,findings,impression\n1,Clear lungs.,No disease.\n",
         "projections.csv": "uid,filename,projection\n1,1_lat.png,Lateral\n1,1_fr.png,Frontal\n"},
        [(("1_fr.png", "1_lat.png"), "", "Findings: Clear lungs.\nImpression: No disease.", "train")],
    ),
    "splits of keys": (
        {**pictures("images/s1/0.png"), "annotation.json": json.dumps(
            {"train": [], "val": [{"id": "s1", "report": "Clear.", "image_path": ["s1/0.png"]}], "test": []})},
        [(("0.png",), "", "Clear.", "validation")],
    ),
    "names to captions": (
        {**pictures("a.png", "b.png"),
         "captions.json": json.dumps({"a.png": "One film.", "b.png": ["Two.", "Three."]})},
        [(("a.png",), "", "One film.", "train"), (("b.png",), "", "Two.", "train"),
         (("b.png",), "", "Three.", "train")],
    ),
    "reports of patients": (
        {**pictures("p1/a.png", "p1/b.png", "p2/c.png"), "p1/report.txt": "First.", "p2/report.txt": "Second."},
        [(("a.png", "b.png"), "", "First.", "train"), (("c.png",), "", "Second.", "train")],
    ),
    "reports beside folders": (
        {**pictures("p10/p10000001/s1/a.png", "p10/p10000001/s1/b.png"), "p10/p10000001/s1.txt": "FINDINGS: Clear."},
        [(("a.png", "b.png"), "", "FINDINGS: Clear.", "train")],
    ),
    "texts in a folder of their own": (
        {**pictures("images/001.png", "images/002.png"), "texts/001.txt": "One.", "texts/002.txt": "Two."},
        [(("001.png",), "", "One.", "train"), (("002.png",), "", "Two.", "train")],
    ),
    "label studio": (
        {**pictures("u/a.png"), "e.csv": "image,caption\n/data/upload/1/0123abcd-a.png,Clear lungs.\n"},
        [(("a.png",), "", "Clear lungs.", "train")],
    ),
    "tabs and no header": (
        {**pictures("i/R_00001.png", "i/R_00002.png"),
         "captions.txt": "R_00001\tOne clear film.\nR_00002\tTwo films.\n"},
        [(("R_00001.png",), "", "One clear film.", "train"), (("R_00002.png",), "", "Two films.", "train")],
    ),
    "lists of splits": (
        {**pictures("i/1.png", "i/2.png"), "D.csv": "Image Index,Finding Labels\n1.png,Mass\n2.png,Nodule\n",
         "train_list.txt": "1.png\n", "test_list.txt": "2.png\n"},
        [(("1.png",), "", "", "train"), (("2.png",), "", "", "test")],
    ),
    "labels and a table of splits": (
        {**pictures("i/1.png", "i/2.png"), "labels.csv": "dicom_id,label\n1,Mass\n2,None\n",
         "split.csv": "dicom_id,split\n1,train\n2,validate\n"},
        [(("1.png",), "", "", "train"), (("2.png",), "", "", "validation")],
    ),
    "words for nothing": (
        {**pictures("1.png", "2.png"), "metadata.csv": "file_name,text\n1.png,N/A\n2.png,Clear.\n"},
        [(("1.png",), "", "", "train"), (("2.png",), "", "Clear.", "train")],
    ),
    "label studio's tasks": (
        {**pictures("u/a.png"), "e.json": json.dumps([{"id": 1, "data": {"image": "/data/upload/1/0123abcd-a.png"},
            "annotations": [{"result": [{"from_name": "caption", "value": {"text": ["Clear lungs."]}}]}]}])},
        [(("a.png",), "", "Clear lungs.", "train")],
    ),
    "argilla": (
        {**pictures("a.png"), "e.json": json.dumps(
            [{"fields": {"image": "a.png"}, "responses": {"report": [{"value": "Clear lungs."}]}}])},
        [(("a.png",), "", "Clear lungs.", "train")],
    ),
    "reports of folders in a table": (
        {**pictures("s01/a.png", "s01/b.png", "s02/a.png"),
         "r.csv": "study_id,report\ns01,Clear lungs.\ns02,Effusion.\n"},
        [(("a.png", "b.png"), "", "Clear lungs.", "train"), (("a.png",), "", "Effusion.", "train")],
    ),
    "numbered captions": (
        {**pictures("a.png"), "t.csv": "image,caption_0,caption_1\na.png,First one.,Second one.\n"},
        [(("a.png",), "", "First one.", "train"), (("a.png",), "", "Second one.", "train")],
    ),
    "questions and answers in two files": (
        {**pictures("1.png"),
         "q.json": json.dumps({"questions": [{"question_id": 11, "image_id": 1, "question": "What organ is it?"}]}),
         "a.json": json.dumps({"annotations": [{"question_id": 11, "image_id": 1, "answers": [{"answer": "lung"}]}]})},
        [(("1.png",), "What organ is it?", "lung", "train")],
    ),
    "objects by name": (
        {**pictures("a.png"), "x.json": json.dumps({"r1": {"image": "a.png", "report": "Clear."}})},
        [(("a.png",), "", "Clear.", "train")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", sorted(TABLES))
def test_a_layout_comes_in_whole(tmp_path: Path, layout: str) -> None:
    files, right = TABLES[layout]
    assert take(write_files(tmp_path, files)) == right


def test_archives_are_read_in_place(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as archive:
        archive.writestr("set/a.png", PNGS[0])
        archive.writestr("set/metadata.csv", "file_name,text\na.png,Clear.\n")
    right = [(("a.png",), "", "Clear.", "train")]
    assert take(tmp_path / "train.zip") == right
    assert take(tmp_path) == right


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_shards_of_webdataset(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("s.tar.gz" if mode == "w:gz" else "s.tar")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in (("1.png", PNGS[0]), ("1.txt", b"One."), ("2.png", PNGS[1]), ("2.txt", b"Two.")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    assert [case[2] for case in take(path)] == ["One.", "Two."]


def test_images_in_one_archive_and_the_table_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "train_images.zip", "w") as archive:
        archive.writestr("R_1.png", PNGS[0])
    write_files(tmp_path, {"train_captions.csv": "ID,Caption\nR_1,Clear lungs.\n"})
    assert take(tmp_path) == [(("R_1.png",), "", "Clear lungs.", "train")]


def test_an_archive_that_lies_unpacked_beside_itself_is_not_read_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", PNGS[0])
    source = opened(write_files(tmp_path, pictures("x/a.png")))
    assert len(list(source)) == 1
    assert "x.zip: The archive is not used" in told(source)


def test_gzip_xlsx_and_utf16(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    table = "file_name,text\na.png,Clear.\n"
    packed = write_files(
        tmp_path / "gz", {**pictures("a.png"), "metadata.csv.gz": gzip.compress(table.encode())}
    )
    assert [case[2] for case in take(packed)] == ["Clear."]
    book = openpyxl.Workbook()
    book.active.append(["Export of 2024"])
    book.active.append(["Datei", "Befund", "Nr"])
    book.active.append(["a.png", "Kein Erguss.", 7])
    (tmp_path / "x").mkdir()
    book.save(tmp_path / "x" / "t.xlsx")
    case = next(iter(opened(write_files(tmp_path / "x", pictures("a.png")))))
    assert (case.reference, case.facts["Nr"]) == ("Kein Erguss.", "7")


def test_what_is_not_used_is_named(tmp_path: Path) -> None:
    files: Files = {
        **pictures("a.png", "b.png"), "metadata.csv": "file_name,text\na.png,x\n", "runs.csv": "run,accuracy\n1,0.9\n",
        "scan.heic": b"\0\0\0\x18ftypheic", "r.pdf": b"%PDF-1.4", "x.rar": b"Rar!",
    }  # fmt: skip
    source = opened(write_files(tmp_path, files))
    text = told(source)
    assert "runs.csv: The table is not used" in text
    assert all(name in text for name in ("scan.heic", "r.pdf", "x.rar", "HEIC", "PDF"))


def test_a_name_of_another_patients_file_is_not_taken_for_it(tmp_path: Path) -> None:
    table = "path,text\nx/patient1/v.png,Of the first.\nx/patient2/v.png,Of the second.\n"
    assert take(write_files(tmp_path, {**pictures("patient2/v.png"), "t.csv": table})) == [
        (("v.png",), "", "Of the second.", "train")
    ]
    table = "path,text\nnormal/1.png,Normal film.\npneumonia/1.png,Pneumonia here.\n"
    files: Files = {**pictures("pneumonia/1.png"), "t.csv": table}
    assert [case[2] for case in take(write_files(tmp_path / "b", files))] == ["Pneumonia here."]


def test_the_same_rows_in_two_forms_are_used_once(tmp_path: Path) -> None:
    files: Files = {
        **pictures("a.png"), "m.csv": "image,text\na.png,A film.\n", "m.jsonl": '{"image": "a.png", "text": "A film."}',
    }  # fmt: skip
    source = opened(write_files(tmp_path, files))
    assert len(list(source)) == 1
    assert "m.jsonl: The table is not used" in told(source) or "m.csv: The table is not used" in told(source)


def test_patients_and_exams_come_from_columns_and_folders(tmp_path: Path) -> None:
    table = "file_name,text,patient_id,study_id\na.png,x,7,s9\n"
    case = next(iter(opened(write_files(tmp_path / "a", {**pictures("a.png"), "metadata.csv": table}))))
    assert (case.patient, case.exam, case.facts) == ("7", "s9", {})
    case = next(iter(opened(write_files(tmp_path / "b", pictures("train/patient00007/study2/v.png")))))
    assert (case.patient, case.exam) == ("patient00007", "train/patient00007/study2")


def test_rows_about_one_image_without_a_text_are_one_case(tmp_path: Path) -> None:
    table = "image_id,rad_id,class_name\na,R1,Mass\nb,R1,Nodule\na,R2,Mass\na,R3,Effusion\n"
    cases = list(
        opened(write_files(tmp_path, {**pictures("train/a.png", "train/b.png"), "annotations.csv": table}))
    )
    assert [case.source_key for case in cases] == ["train/a.png", "train/b.png"]
    assert cases[0].facts["class_name"] == "Mass; Effusion"


def test_what_the_user_says_comes_first(tmp_path: Path) -> None:
    table = "pic\tnote\tfindings\timpression\na.png\tA note here.\tClear lungs.\tNo disease.\n"
    folder = write_files(tmp_path, {**pictures("a.png"), "t.tsv": table})
    assert take(folder)[0][2] == "Findings: Clear lungs.\nImpression: No disease."
    assert take(folder, text_column="impression")[0][2] == "No disease."
    assert take(folder, text_column="findings", question_column="note")[0][1:3] == (
        "A note here.",
        "Clear lungs.",
    )
    with pytest.raises(UserError, match="no column 'words'"):
        opened(folder, text_column="words")


def test_web_addresses_are_not_fetched_and_said(tmp_path: Path) -> None:
    write_files(tmp_path, {"train.csv": "image,caption\nhttps://example.org/0.png,A film.\n"})
    source = opened(tmp_path / "train.csv")
    assert list(source) == []
    assert "Web addresses are not fetched" in told(source)


def test_only_regular_files_inside_the_source_are_read(tmp_path: Path) -> None:
    import os

    folder = write_files(tmp_path / "in", pictures("a.png"))
    (tmp_path / "secret.png").write_bytes(PNGS[1])
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(folder / "pipe.png")
    source = opened(folder)
    assert [case.source_key for case in source] == ["a.png"]
    assert "lead out of the source" in told(source)


def test_the_preview_is_the_import_stopped_after_a_few(tmp_path: Path) -> None:
    rows = "".join(
        f"{n}.png,Film {n} is clear.,p{n // 2},{'test' if n > 7 else 'train'}\n" for n in range(10)
    )
    folder = write_files(tmp_path, {
        **pictures(*(f"{n}.png" for n in range(10))), "t.csv": "file_name,text,PatientID,split\n" + rows,
    })  # fmt: skip
    source = opened(folder)
    preview = source.preview(3)
    assert list(preview.samples) == list(source)[:3]
    assert (dict(preview.counts.splits), preview.counts.with_text) == ({"train": 8, "test": 2}, 10)
    assert (preview.counts.patients, preview.counts.exact) == (5, True)
    assert preview.tables[0].columns == {
        "file_name": "image",
        "text": "text",
        "PatientID": "patient",
        "split": "split",
    }
    assert "PatientID" in preview.identity
    assert "Film 0 is clear." in "\n".join(preview.lines())
