"""Tables as other people write them: other signs, other letters, other languages, other trainers; each text whole."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import PNGS, Brief, Files, opened, pictures, take, told

CLEAR, WIDE = "No pneumothorax, but a large left effusion.", 'Heart wide; the "bat wing" sign.'
TWO: list[Brief] = [(("a.png",), "", CLEAR, "train"), (("b.png",), "", WIDE, "train")]
ONE: list[Brief] = [(("a.png",), "", CLEAR, "train")]


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def quoted(text: str, quote: str = '"') -> str:
    return quote + text.replace('"', '""') + quote


WAYS_TO_WRITE = {
    "bom and semicolons": f"\ufeffimage;report\r\na.png;{CLEAR}\r\nb.png;{quoted(WIDE)}\r\n",
    "a delimiter at each end": f"image,report,\na.png,{quoted(CLEAR)},\nb.png,{quoted(WIDE)},\n",
    "a delimiter at the end of rows": f"image\treport\na.png\t{CLEAR}\t\nb.png\t{WIDE}\t\n",
    "quotes where needed": f"image,report\na.png,{quoted(CLEAR)}\nb.png,{quoted(WIDE)}\n",
    "quotes everywhere": f'"image","report"\n"a.png",{quoted(CLEAR)}\n"b.png",{quoted(WIDE)}\n',
    "colons": f"image:report\na.png:{CLEAR}\nb.png:{WIDE}\n",
    "bars": f"image|report\na.png|{CLEAR}\nb.png|{WIDE}\n",
    "two bars": f"image||report\na.png||{CLEAR}\nb.png||{WIDE}\n",
    "carets": f"image^report\na.png^{CLEAR}\nb.png^{WIDE}\n",
    "control signs": f"image\x01report\na.png\x01{CLEAR}\nb.png\x01{WIDE}\n",
    "spaces around": f"image , report\na.png , {quoted(CLEAR)}\nb.png , {quoted(WIDE)}\n",
    "R with spaces": f'"image" "report"\n"1" "a.png" {quoted(CLEAR)}\n"2" "b.png" {quoted(WIDE)}\n',
    "R with tabs": f'"image"\t"report"\n"1"\t"a.png"\t{quoted(CLEAR)}\n"2"\t"b.png"\t{quoted(WIDE)}\n',
    "an index in front": f",image,report\n0,a.png,{quoted(CLEAR)}\n1,b.png,{quoted(WIDE)}\n",
    "ends of old Macs": f"image,report\ra.png,{quoted(CLEAR)}\rb.png,{quoted(WIDE)}\r",
    "empty lines": f"\n\nimage,report\n\na.png,{quoted(CLEAR)}\n\nb.png,{quoted(WIDE)}\n\n",
    "Excel's formulas": f'image,report\n"=""a.png""",{quoted(CLEAR)}\n"=""b.png""",{quoted(WIDE)}\n',
    "more columns that are empty": f"image,report,,,\na.png,{quoted(CLEAR)},,,\nb.png,{quoted(WIDE)},,,\n",
    "a line of signs": f"sep=|\nimage|report\na.png|{CLEAR}\nb.png|{WIDE}\n",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_texts_are_whole_however_the_table_is_written(tmp_path: Path, way: str) -> None:
    files: Files = {**pictures("a.png", "b.png"), "table.csv": WAYS_TO_WRITE[way]}
    assert take(write_files(tmp_path, files)) == TWO


TITLES = (
    ("Datei", "Befundtext"), ("fichier", "compte-rendu"), ("archivo", "informe"), ("arquivo", "laudo"), ("file", "referto"),
    ("bestand", "verslag"), ("plik", "opis"), ("soubor", "popis"), ("dosya", "rapor"), ("fil", "utlåtande"),
    ("tiedosto", "lausunto"), ("kép", "lelet"), ("imagine", "raport"), ("εικόνα", "έκθεση"), ("файл", "заключение"),
    ("图像文件", "报告"), ("ファイル名", "所見"), ("파일명", "판독문"), ("gambar", "laporan"), ("ảnh", "báo cáo"),
)  # fmt: skip


@pytest.mark.parametrize("titles", TITLES, ids=lambda titles: titles[0])
def test_titles_in_many_languages(tmp_path: Path, titles: tuple[str, str]) -> None:
    image, report = titles
    table = f"nr;{image};indication;{report}\n1;a.png;Persistent cough and fever for two long weeks, smoker.;{CLEAR}\n"
    source = opened(write_files(tmp_path, {**pictures("a.png"), "t.csv": table}))
    (case,) = source
    assert case.reference == CLEAR and case.facts["indication"].startswith("Persistent")
    assert "longest texts" not in told(source)


ENCODED = {
    "cp1250": "Płuca bez zmian ogniskowych. Serce niepowiększone, przepona gładka. Zażółć gęślą jaźń.",
    "cp1251": "Органы грудной клетки без очаговых изменений. Сердце не расширено, синусы свободны.",
    "koi8_r": "Органы грудной клетки без очаговых изменений. Сердце не расширено, синусы свободны.",
    "shift_jis": "両肺野に明らかな浸潤影を認めません。心拡大なし。右下肺野に淡い陰影を認めます。",
    "euc_jp": "両肺野に明らかな浸潤影を認めません。心拡大なし。右下肺野に淡い陰影を認めます。",
    "big5": "兩側肺野清晰，未見明顯浸潤。心臟大小正常，肋膈角銳利。",
    "gb18030": "两肺野清晰，未见明显实变影。心影大小正常，肋膈角锐利。",
    "euc_kr": "양측 폐야에 활동성 병변은 없습니다. 심장 크기는 정상입니다. 늑골횡격막각은 예리합니다.",
    "cp1252": "Kein Erguss, Herz nicht vergrößert. Zwerchfell beidseits glatt, Lungenfelder frei – unauffällig.",
    "utf-16": "Kein Erguss, Herz nicht vergrößert.",
    "utf-16-be": "Kein Erguss, Herz nicht vergrößert.",
    "utf-32": "Kein Erguss, Herz nicht vergrößert.",
    "cp1254": "Akciğer parankimi doğal görünümdedir. Kalp boyutları normaldir, sinüsler açıktır. Işın geçirgenliği iyi.",
    "cp1253": "Δεν παρατηρείται πλευριτική συλλογή. Το μέγεθος της καρδιάς είναι φυσιολογικό.",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODED)
def test_texts_are_whole_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    text = ENCODED[encoding]
    rows = "".join(f"{n}.png;{text} {n}\n" for n in range(4))
    files: Files = {
        **pictures(*(f"{n}.png" for n in range(4))),
        "t.csv": f"image;report\n{rows}".encode(encoding),
    }
    assert [case[2] for case in take(write_files(tmp_path, files))] == [f"{text} {n}" for n in range(4)]


ROW_A, ROW_B = {"image": "a.png", "report": CLEAR}, {"image": "b.png", "report": WIDE}
DATA_URL = "data:image/png;base64," + base64.b64encode(PNGS[0]).decode()
WAYS_OF_JSON: dict[str, Files] = {
    "lines, packed": {"train.jsonl.gz": gzip.compress(lines(ROW_A, ROW_B).encode())},
    "lines with a mark and empty ones": {"t.jsonl": "\ufeff" + lines(ROW_A) + "\n\n" + lines(ROW_B)},
    "UTF-16": {"t.json": json.dumps([ROW_A, ROW_B]).encode("utf-16")},
    "nulls": {"t.json": json.dumps([{**ROW_A, "impression": None, "tags": None}, {"impression": None, **ROW_B}])},
    "pandas, by columns": {"t.json": json.dumps({
        "image": {"0": "a.png", "1": "b.png"}, "report": {"0": CLEAR, "1": WIDE}})},
    "pandas, split": {"t.json": json.dumps({
        "columns": ["image", "report"], "index": [0, 1], "data": [["a.png", CLEAR], ["b.png", WIDE]]})},
    "pandas, by index": {"t.json": json.dumps({"0": ROW_A, "1": ROW_B})},
    "pandas, table": {"t.json": json.dumps({"schema": {"fields": [{"name": "image"}]}, "data": [ROW_A, ROW_B]})},
    "lists side by side": {"t.json": json.dumps({"image": ["a.png", "b.png"], "report": [CLEAR, WIDE]})},
    "rows of the hub's server": {"t.json": json.dumps({
        "features": [{"name": "image"}], "rows": [{"row_idx": n, "row": row} for n, row in enumerate((ROW_A, ROW_B))]})},
    "an answer of a server": {"t.json": json.dumps({"status": "ok", "result": {"items": [ROW_A, ROW_B]}})},
    "objects inside": {"t.json": json.dumps([
        {"study": {"images": [{"path": row["image"], "view": "PA"}], "report": {"text": row["report"]}}}
        for row in (ROW_A, ROW_B)])},
    "an object with image and text": {"t.jsonl": lines(*({"id": n, "sample": row} for n, row in enumerate((ROW_A, ROW_B))))},
    "lists in lists": {"t.json": json.dumps([
        {"images": [[row["image"], None]], "report": [row["report"]]} for row in (ROW_A, ROW_B)])},
    "reports by name": {"t.json": json.dumps({"a.png": {"report": CLEAR}, "b.png": {"report": WIDE}})},
    "one object a file": {"meta/1.json": json.dumps(ROW_A), "meta/2.json": json.dumps(ROW_B)},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS_OF_JSON)
def test_texts_are_whole_in_any_form_of_json(tmp_path: Path, way: str) -> None:
    assert sorted(take(write_files(tmp_path, {**pictures("a.png", "b.png"), **WAYS_OF_JSON[way]}))) == TWO


def turns(*said: Any) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[n % 2], "content": each} for n, each in enumerate(said)]


QUESTIONS: dict[str, tuple[Any, tuple[str, ...], str, str]] = {
    "an address that is a file": (
        {"messages": turns([{"type": "image_url", "image_url": "a.png"}, {"type": "text", "text": "Describe."}], CLEAR)},
        ("a.png",), "Describe.", CLEAR),
    "two images in one question": (
        {"images": ["a.png", "b.png"], "messages": turns("<image>\n<image>\nCompare.", CLEAR)},
        ("a.png", "b.png"), "Compare.", CLEAR),
    "a misspelt conversation": (
        {"image": "a.png", "conversatons": [{"from": "human", "value": "Describe.\n<image>"}, {"from": "gpt", "value": CLEAR}]},
        ("a.png",), "Describe.", CLEAR),
    "options in columns": (
        {"image_path": "a.png", "question": "Side?", "option_A": "left", "option_B": "right", "gt_answer": "left"},
        ("a.png",), "Side?\nA: left\nB: right", "left"),
    "options by letter": (
        {"image": "a.png", "question": "Side?", "options": {"A": "left", "B": "right"}, "answer": "B"},
        ("a.png",), "Side?\nA: left\nB: right", "B: right"),
    "options as objects": (
        {"image": "a.png", "question": "Side?", "options": [{"letter": "A", "content": "left"}, {"letter": "B", "content": "right"}],
         "answer": "A"},
        ("a.png",), "Side?\nA: left\nB: right", "A: left"),
    "yes and no": (
        {"img_name": "a.png", "question": "Is there an effusion?", "answer": True, "content_type": "Presence"},
        ("a.png",), "Is there an effusion?", "yes"),
    "a chosen and a rejected answer": (
        {"image": "a.png", "prompt": "Describe.", "chosen": CLEAR, "rejected": WIDE},
        ("a.png",), "Describe.", CLEAR),
    "Gemini's contents": (
        {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "a.png"}}, {"text": "Describe."}]},
                      {"role": "model", "parts": [{"text": CLEAR}]}]},
        ("a.png",), "Describe.", CLEAR),
    "Anthropic's source": (
        {"messages": turns([{"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                                         "data": DATA_URL.partition(",")[2]}},
                            {"type": "text", "text": "Describe."}], CLEAR)},
        ("",), "Describe.", CLEAR),
}  # fmt: skip


@pytest.mark.parametrize("form", QUESTIONS)
def test_a_question_is_asked_and_its_answer_learnt(tmp_path: Path, form: str) -> None:
    row, images, question, answer = QUESTIONS[form]
    files: Files = {**pictures("a.png", "b.png"), "train.jsonl": lines(row, row)}
    assert take(write_files(tmp_path, files))[:1] == [(images, question, answer, "train")]


SPLITS: dict[str, tuple[str, list[str]]] = {
    "is_test": ("is_test\na.png,{x},0\nb.png,{y},1\n", ["train", "test"]),
    "isTrain": ("isTrain\na.png,{x},True\nb.png,{y},False\n", ["train", "test"]),
    "is_val": ("is_val\na.png,{x},no\nb.png,{y},yes\n", ["train", "validation"]),
    "three columns": ("train,val,test\na.png,{x},0,1,0\nb.png,{y},0,0,1\n", ["validation", "test"]),
    "floats": ("is_test\na.png,{x},0.0\nb.png,{y},1.0\n", ["train", "test"]),
    "sets": ("dataset_split\na.png,{x},Training Set\nb.png,{y},held-out\n", ["train", "test"]),
    "Spanish": ("conjunto\na.png,{x},entrenamiento\nb.png,{y},prueba\n", ["train", "test"]),
    "Chinese": ("subset\na.png,{x},训练集\nb.png,{y},测试集\n", ["train", "test"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPLITS)
def test_splits_however_they_are_said(tmp_path: Path, kind: str) -> None:
    body, expected = SPLITS[kind]
    table = "image,report," + body.format(x=quoted(CLEAR), y=quoted(WIDE))
    assert [
        case[3] for case in take(write_files(tmp_path, {**pictures("a.png", "b.png"), "t.csv": table}))
    ] == expected


def test_a_flag_that_the_user_names_is_a_split(tmp_path: Path) -> None:
    files: Files = {
        **pictures("a.png", "b.png"),
        "t.csv": "image,report,split,is_test\na.png,One film.,train,1\nb.png,Two films.,train,0\n",
    }
    assert [case[3] for case in take(write_files(tmp_path, files))] == ["train", "train"]
    assert [case[3] for case in take(tmp_path, split_column="is_test")] == ["test", "train"]


def test_a_column_called_test_alone_is_no_split(tmp_path: Path) -> None:
    files: Files = {
        **pictures("a.png", "b.png"),
        "t.csv": "image,report,test\na.png,One film.,yes\nb.png,Two films.,no\n",
    }
    assert [case.facts["test"] for case in opened(write_files(tmp_path, files))] == ["yes", "no"]


def test_patients_are_numbered_from_zero(tmp_path: Path) -> None:
    rows = "".join(f"{n}.png,One film.,{n // 2}\n" for n in range(4))
    files: Files = {**pictures(*(f"{n}.png" for n in range(4))), "t.csv": f"image,report,patient\n{rows}"}
    source = opened(write_files(tmp_path, files))
    assert [case.patient for case in source] == ["0", "0", "1", "1"]
    assert source.preview(1).counts.patients == 2
    nobody: Files = {
        **pictures("a.png", "b.png"),
        "t.csv": "image,report,patient\na.png,One film.,0\nb.png,Two films.,0\n",
    }
    assert [case.patient for case in opened(write_files(tmp_path / "zero", nobody))] == ["", ""]
