"""Folders of images: tables, texts beside images, splits, and files that are not what a table says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from radtui.records import NewCase, Truth, UserError
from radtui.settings import ImportSettings
from radtui.sources import open_source
from radtui.sources.base import walk
from tests.conftest import drawn_png, real_data
from tests.unit.source_files import data_of, error_of, write_files

PNG = drawn_png(1)


def read(folder: Path, **settings: object) -> list[NewCase]:
    """Every image of a folder; the number that was announced has to come."""
    source = open_source(ImportSettings(source=str(folder), **settings))  # type: ignore[arg-type]
    found = list(source)
    assert source.total() == len(found)
    return found


def rows(images: list[NewCase]) -> list[tuple[str, str, str]]:
    return [(image.split, image.source_key, image.reference) for image in images]


def test_a_csv_with_bom_quotes_and_newlines(tmp_path: Path) -> None:
    table = '\ufefffile_name,text,age\na.png,"Clear ""lungs"",\nno effusion.",61\nb.png,,\n'
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "metadata.csv": table.encode()})
    first, second = read(tmp_path)
    assert first.reference == 'Clear "lungs",\nno effusion.'
    assert (first.source_key, first.facts, data_of(first)) == ("a.png", {"age": "61"}, PNG)
    assert (second.source_key, second.reference, second.facts) == ("b.png", "", {})


@pytest.mark.parametrize(
    ("table", "encoding"),
    [
        ("file_name;text\na.png;Fièvre 38°, toux\n", "utf-8"),
        ("file_name\ttext\na.png\tFièvre 38°, toux\n", "utf-16"),
        ('file_name,text\na.png,"Fièvre 38°, toux"\n', "cp1252"),
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, table: str, encoding: str) -> None:
    write_files(tmp_path, {"a.png": PNG, "metadata.csv": table.encode(encoding)})
    assert [image.reference for image in read(tmp_path)] == ["Fièvre 38°, toux"]


def test_a_long_report_fits(tmp_path: Path) -> None:
    text = "word " * 100_000
    write_files(tmp_path, {"a.png": PNG, "metadata.csv": f"file_name,text\na.png,{text}\n"})
    assert read(tmp_path)[0].reference == text.strip()


def test_jsonl_with_findings_and_a_damaged_line(tmp_path: Path) -> None:
    lines = [
        json.dumps({"file_name": "a.png", "caption": "A mass.", "split": "val", "examination": "chest PA",
                    "findings": [{"finding": "mass", "side": "left", "zone": "upper", "size": "large"}]}),
        '{"file_name": "b.png", ',
        "[1]",
        "",
        json.dumps({"file_name": "b.png", "caption": None}),
    ]  # fmt: skip
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "metadata.jsonl": "\n".join(lines)})
    source = open_source(ImportSettings(source=str(tmp_path)))
    first, last = source
    assert (first.split, first.examination) == ("validation", "chest PA")
    assert first.truth == (Truth("mass", "left", "upper", "large"),)
    assert [(each.where, each.reason[:20]) for each in source.problems] == [
        ("metadata.jsonl, line 2", "The line is not JSON"), ("metadata.jsonl, line 3", "The line is no JSON "),
    ]  # fmt: skip
    assert (last.source_key, error_of(last)) == ("b.png", "")


def test_missing_files_and_names_that_lead_out_are_rows_with_a_reason(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    folder = tmp_path / "set"
    table = f"file_name,text\ngone.png,x\n../secret.png,x\n{secret},x\n,x\n"
    write_files(folder, {"a.png": PNG, "metadata.csv": table})
    found = read(folder)
    assert [data_of(image) for image in found] == [b""] * 4
    assert error_of(found[0]) == "gone.png is named in metadata.csv but is not in the folder."
    assert error_of(found[1]) == "../secret.png is named in metadata.csv but is not in the folder."
    assert error_of(found[2]) and error_of(found[3]) == "A row of metadata.csv names no image."


def test_names_without_folder_or_suffix_are_found_unless_ambiguous(tmp_path: Path) -> None:
    table = "image_id,report\n0001,one\n0002.png,two\n0003,three\n"
    files = {"x/0001.png": PNG, "y/0002.png": PNG, "x/0003.png": PNG, "y/0003.png": PNG}
    found = read(write_files(tmp_path, {**files, "metadata.csv": table}))
    assert [image.source_key for image in found] == ["x/0001.png", "y/0002.png", "0003"]
    assert [bool(error_of(image)) for image in found] == [False, False, True]


def test_tables_in_split_folders_name_files_beside_them(tmp_path: Path) -> None:
    files = {
        "train/metadata.csv": "file_name,text\n1.png,first\n",
        "train/1.png": PNG,
        "test/metadata.csv": "file_name,text\n1.png,second\n",
        "test/1.png": PNG,
        "val/2.png": PNG,
    }
    assert rows(read(write_files(tmp_path, files))) == [
        ("train", "train/1.png", "first"),
        ("test", "test/1.png", "second"),
        ("validation", "val/2.png", ""),
    ]


def test_tables_called_after_splits(tmp_path: Path) -> None:
    files = {
        "img/a.png": PNG, "img/b.png": PNG, "train.csv": "image,caption\na.png,A\n",
        "test.csv": "image,caption\nb.png,B\n", "notes.csv": "who,what\nme,that\n",
    }  # fmt: skip
    found = rows(read(write_files(tmp_path, files)))
    assert found == [("train", "img/a.png", "A"), ("test", "img/b.png", "B")]


def test_texts_and_objects_beside_images(tmp_path: Path) -> None:
    files = {
        "train/a.png": PNG, "train/a.txt": "\ufeffFrom the text.\n",
        "train/b.png": PNG, "train/b.json": json.dumps({"caption": "From the object.", "finding": "normal", "kv": 70}),
        "train/c.png": PNG, "train/c.png.txt": "Full name.",
        "train/d.png": PNG, "train/d.json": "not json",
        "dev/e.png": PNG,
    }  # fmt: skip
    images = {image.source_key: image for image in read(write_files(tmp_path, files))}
    assert [images[f"train/{n}.png"].reference for n in "abcd"] == [
        "From the text.", "From the object.", "Full name.", "",
    ]  # fmt: skip
    assert images["train/b.png"].truth == (Truth("normal"),)
    assert images["train/b.png"].facts == {"kv": "70"}
    assert images["dev/e.png"].split == "validation"


def test_folders_that_are_no_split_become_a_fact(tmp_path: Path) -> None:
    files = {"train/NORMAL/a.png": PNG, "test/PNEUMONIA/b.jpg": PNG, "c.png": PNG}
    found = {image.source_key: image for image in read(write_files(tmp_path, files), split="holdout")}
    assert found["train/NORMAL/a.png"].facts == {"folder": "NORMAL"}
    assert found["test/PNEUMONIA/b.jpg"].split == "test"
    assert (found["c.png"].split, found["c.png"].facts) == ("holdout", {})


def test_images_that_no_table_lists_are_counted_and_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "metadata.csv": "file_name,text\na.png,x\n"})
    source = open_source(ImportSettings(source=str(tmp_path)))
    assert [image.source_key for image in source] == ["a.png"]
    line = source.describe()
    assert line.endswith("metadata.csv: image from file_name, text from text")
    list(source)
    source.total()
    assert [(each.count, "no row of a table names" in each.reason) for each in source.problems] == [(1, True)]


def test_the_limit_holds_for_each_split(tmp_path: Path) -> None:
    files = {f"{split}/{n}.png": PNG for split in ("train", "test") for n in range(5)}
    found = read(write_files(tmp_path, files), limit=2)
    assert [image.source_key for image in found] == ["test/0.png", "test/1.png", "train/0.png", "train/1.png"]


def test_an_id_column_is_the_key_only_when_it_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, "metadata.csv": "file_name,id,text\na.png,P7,x\n"})
    assert [(i.source_key, i.facts) for i in read(tmp_path)] == [("a.png", {"id": "P7"})]
    assert [i.source_key for i in read(tmp_path, id_column="id")] == ["P7"]


def test_a_table_may_be_the_source(tmp_path: Path) -> None:
    files = {"a.png": PNG, "b.png": PNG, "one.csv": "file,text\na.png,x\n", "two.csv": "file,text\nb.png,y\n"}
    write_files(tmp_path, files)
    assert rows(read(tmp_path / "two.csv")) == [("train", "b.png", "y")]


def test_hidden_files_and_loops_of_links_are_left_alone(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, ".cache/b.png": PNG, "sub/._c.png": PNG, "__MACOSX/d.png": PNG})
    (tmp_path / "sub" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert [str(file) for file in walk(tmp_path)] == ["a.png"]


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG})
    (tmp_path / "b.png").chmod(0)
    if os.access(tmp_path / "b.png", os.R_OK):
        (tmp_path / "b.png").unlink()
        (tmp_path / "b.png").symlink_to("b.png")  # root reads anything but a link to itself
    first, second = read(tmp_path)
    assert not error_of(first)
    assert data_of(second) == b"" and error_of(second).startswith("b.png ")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.md": "x"}, "There is nothing to import in"),
        ({"a.csv": "who,what\nme,that\n"}, "none of its columns .who, what. names an image"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_sentence(
    tmp_path: Path, files: dict[str, bytes | str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read(write_files(tmp_path, files))


def test_a_table_that_names_no_images_is_named_and_the_images_come_without_texts(tmp_path: Path) -> None:
    source = open_source(
        ImportSettings(
            source=str(write_files(tmp_path, {"a.png": PNG, "metadata.csv": "who,what\nme,that\n"}))
        )
    )
    assert [case.source_key for case in source] == ["a.png"]
    assert source.problems[0].where == "metadata.csv"


def test_one_image_is_not_a_data_set(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG})
    with pytest.raises(UserError, match="name the folder it is in"):
        open_source(ImportSettings(source=str(tmp_path / "a.png")))


def test_real_radiographs() -> None:
    found = read(real_data("real-cxr"))
    assert len(found) == 18
    assert all(data_of(image) and not error_of(image) and image.split == "train" for image in found)
    assert found[0].source_key == "images/COVID-00001.jpg"
    assert found[0].reference.startswith("O2 saturation was initially 58%")
