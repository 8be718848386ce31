"""Corners of data sets: what lies beside images, names texts, is cut or packed oddly; each comes in right or is said."""

# ruff: noqa: E501  # a layout in one line is read more easily

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from radtui.sources.layouts.cells import image_cells
from radtui.sources.layouts.sections import chosen_sections
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import Brief, Files, check_layout, opened, pictures, take, told

CLEAR, WIDE = "The lungs are clear.", "The heart is wide."


def briefs(question: str = "", **texts: str) -> list[Brief]:
    return [((f"{name}.png",), question, text, "train") for name, text in texts.items()]


CORNERS: dict[str, tuple[Files, dict[str, Any], list[Brief], str]] = {
    "a table between images and reports": (
        {**pictures("i/001.png", "i/002.png", "i/003.png"), "images.csv": "image_id,filename\n11,001.png\n12,002.png\n13,003.png\n",
         "studies.csv": "study_id,image_id\n501,11\n501,12\n502,13\n", "reports.csv": f"study_id,report\n501,{CLEAR}\n502,{WIDE}\n"},
        {}, [(("001.png", "002.png"), "", CLEAR, "train"), (("003.png",), "", WIDE, "train")], ""),
    "cells that name files of texts": (
        {**pictures("i/u.png", "i/v.png"), "txt/r1.txt": CLEAR, "txt/r2.txt": WIDE,
         "t.csv": "image,report_path\ni/u.png,txt/r1.txt\ni/v.png,r2.txt\n"},
        {}, briefs(u=CLEAR, v=WIDE), ""),
    "a named column of files of texts": (
        {**pictures("i/u.png"), "txt/u.txt": CLEAR, "t.csv": "image,report_path\ni/u.png,txt/u.txt\n"},
        {"text_column": "report_path"}, briefs(u=CLEAR), ""),
    "one text with the reports of several images": (
        {**pictures("u.png", "v.png"), "reports.txt": f"=== u.png ===\n{CLEAR}\n\n=== v.png ===\n{WIDE}\n"},
        {}, briefs(u="", v=""), "into a CSV"),
    "masks, overlays and thumbnails beside their images": (
        {**pictures("u.png", "u_mask.png", "u-overlay.png", "u_thumb.png"), "u.txt": CLEAR},
        {}, briefs(u=CLEAR), "left out"),
    "commas at the ends of lists": (
        {**pictures("u.png"), "t.json": '[\n{"image": "u.png", "report": "Clear, ] he said.",},\n]\n'},
        {}, briefs(u="Clear, ] he said."), ""),
    "options in columns called by letters": (
        {**pictures("u.png"), "t.csv": "image,question,A,B,answer\nu.png,Side?,left,right,B\n"},
        {}, briefs("Side?\nA: left\nB: right", u="B: right"), ""),
    "an instruction whose input is the image": (
        {**pictures("u.png"), "t.json": json.dumps([{"instruction": "Describe.", "input": "u.png", "output": CLEAR}])},
        {}, briefs("Describe.", u=CLEAR), ""),
    "what the system is told": (
        {**pictures("u.png"), "t.json": json.dumps([{"image": "u.png", "messages": [
            {"role": "system", "content": "You are kind."}, {"role": "user", "content": "Side?"}, {"role": "assistant", "content": "Left."}]}])},
        {}, briefs("Side?", u="Left."), "tell the system"),
    "targets of a study of tumours": (
        {**pictures("u.png"), "t.csv": "image,lesion,target,diameter_mm\nu.png,1,T,30\nu.png,2,NT,8\n"}, {}, briefs(u=""), ""),
    "numbers of folders that pandas wrote": (
        {**pictures("101/u.png", "102/v.png"), "t.csv": f"study,report\n101.0,{CLEAR}\n102.0,{WIDE}\n"},
        {}, briefs(u=CLEAR, v=WIDE), ""),
    "images with a space between": (
        {**pictures("u1.png", "u2.png"), "t.csv": f"images,report\nu1.png u2.png,{CLEAR}\n"},
        {}, [(("u1.png", "u2.png"), "", CLEAR, "train")], ""),
    "a file's address with two strokes": (
        {**pictures("u.png"), "t.csv": f"image,report\nfile://u.png,{CLEAR}\n"}, {}, briefs(u=CLEAR), ""),
    "a second language": (
        {**pictures("u.png"), "t.csv": f"image,informe,report_translated\nu.png,Los pulmones son claros.,{CLEAR}\n"},
        {}, briefs(u="Los pulmones son claros."), "may be texts, too"),
    "one text of nearly all": (
        {**pictures(*(f"u{n}.png" for n in range(10, 22))), "t.csv": "image,report\n" + "".join(f"u{n}.png,{CLEAR if n < 21 else WIDE}\n" for n in range(10, 22))},
        {}, briefs(**{f"u{n}": CLEAR if n < 21 else WIDE for n in range(10, 22)}), "11 of 12 texts are the same"),
    "masks called after their images in a folder of their own": (
        {**pictures("images/M1.png", "masks/M1_mask.png")}, {}, [(("M1.png",), "", "", "train")], "left out"),
    "a mask in the folder of its image": (
        {**pictures("x1/source.png", "x1/mask.png", "x2/c_t1.png", "x2/c_seg.png", "x3/mask.png")}, {},
        [(("source.png",), "", "", "train"), (("c_t1.png",), "", "", "train"), (("mask.png",), "", "", "train")], "left out"),
    "answers that are not wanted": (
        {**pictures("u.png", "v.png"), "t.jsonl": "".join(
            json.dumps({"image": f"{name}.png", "prompt": "Describe.", "completion": text, "label": text == CLEAR}) + "\n"
            for name, text in (("u", CLEAR), ("v", "Bad.")))},
        {}, briefs("Describe.", u=CLEAR, v="Bad."), "also where label says no"),
    "a key called case": (
        {**pictures("u.png", "v.png"), "a.csv": "file,case\nu.png,1\nv.png,2\n", "b.csv": f"case,Befund\n1,{CLEAR}\n2,___\n"},
        {}, briefs(u=CLEAR, v=""), ""),
    "parts of an archive": (
        {**pictures("u.png"), "i.zip.001": b"PK", "j.z01": b"PK", "k.tar.gz.partaa": b"\x1f", "reports": b"SQLite format 3\0"},
        {}, briefs(u=""), "part of an archive"),
}  # fmt: skip


@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_comes_in_right_or_is_said(tmp_path: Path, corner: str) -> None:
    files, choices, expected, sentence = CORNERS[corner]
    check_layout(tmp_path, files, expected, sentence, **choices)


def test_of_a_dicom_file_and_its_picture_one_comes_in(tmp_path: Path) -> None:
    dicom = b"\0" * 128 + b"DICM"
    write_files(tmp_path, {
        **pictures("jpg/a.png", "b.png", "c.png"), "dicom/a.dcm": dicom, "b.dcm": dicom, "jpg/a.txt": CLEAR})  # fmt: skip
    source = opened(tmp_path)
    names = [case.images[0].name for case in source]
    assert sorted(names) == ["a.png", "b.dcm", "c.png"]
    assert "Of a DICOM file and a picture with its name" in told(source)


@pytest.mark.parametrize(
    ("name", "encoding"), [("胸片1.png", "gbk"), ("Thorax ü.png", "utf-8"), ("Thorax ü.png", "cp437")]
)
def test_a_zip_that_does_not_say_how_names_are_written(tmp_path: Path, name: str, encoding: str) -> None:
    class Member(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # as zipfile calls it
            return name.encode(encoding), 0

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(Member("x"), pictures("x")["x"])
    write_files(tmp_path, {"i.zip": out.getvalue(), "t.csv": f"image,report\n{name},{CLEAR}\n"})
    assert take(tmp_path) == [((name,), "", CLEAR, "train")]


def test_pixels_as_numbers_are_said() -> None:
    (image,) = image_cells([[[0, 1], [2, 3]]])
    assert "array of numbers" in image.error
    assert [each.name for each in image_cells([1, 2])] == ["1", "2"]


@pytest.mark.parametrize(
    "report",
    ["Résultats : clair.\nConclusion : normal.", "所见：清晰。\n印象：normal.", "【所見】清晰。\n【診断】normal.",
     "## Findings\nClear.\n\n## Impression\nnormal.", "**Findings:** Clear.\n**Impression:** normal.",
     "FINDINGS\nClear.\nImpression of a shadow\n\nIMPRESSION\nnormal.", "Achados: claro.\nImpressão: normal."],
)  # fmt: skip
def test_headings_of_other_systems(report: str) -> None:
    assert chosen_sections(report, ["impression"]) == "normal."
