"""Names of people outside keys and facts: in examinations, views, sentences about files, and why nothing came."""

from __future__ import annotations

from pathlib import Path

import pytest

from radtui.records import UserError
from tests.unit.source_files import write_files
from tests.unit.test_sources_layouts import pictures
from tests.worker.imports import Import

TABLE = """file,report,study_description,view,patient,remark
a.png,Clear lungs.,"Thorax, Mueller Hans",PA,Quibblesworth^Zephyrine,old films of Mrs Quibblesworth
b.png,Wide heart.,Thorax,Hans Mueller,Quibblesworth^Zephyrine,none
Hans Mueller 3.png,Old fracture.,Thorax,PA,,none
"""


def test_a_name_is_in_no_examination_view_or_sentence(run: Import, tmp_path: Path) -> None:
    named: dict[str, bytes | str] = {"Hans Mueller 12.08.1964.csv": TABLE, "Mueller_Hans.pdf": b"%PDF-1.4"}
    source = write_files(tmp_path / "in", {**pictures("a.png", "b.png"), **named})
    job = run(source)
    assert sorted(row.examination for row in run.rows()) == ["", "Thorax", "Thorax"]
    kept = "".join(run.db.iterdump()) + job.message
    assert "Mueller" not in kept.replace(str(source), "") and ".1964" not in kept
    assert "Quibblesworth" not in kept
    assert "The examination is not kept where it names somebody" in kept


def test_what_is_said_where_nothing_can_be_taken_names_nobody(run: Import, tmp_path: Path) -> None:
    source = write_files(tmp_path / "2019-03-04", {"Mueller_Hans.pdf": b"%PDF-1.4"})
    with pytest.raises(UserError, match=r"2019-03-04. h-\w+\.pdf: It is a PDF document"):
        run(source)
    source = write_files(
        tmp_path / "urls", {"t.csv": "image_url,caption\nhttps://x.org/a.png,Clear lungs.\n"}
    )
    with pytest.raises(UserError, match="download the images and put them beside the table"):
        run(source)


def test_a_name_is_in_no_folder_path_split_or_quoted_row(run: Import, tmp_path: Path) -> None:
    table = "file,report,set,other\nd.png,Clear lungs.,Eva Mueller,D:\\Mueller Hans\\1.png\n"
    table += 'e.png,"Old, open Hans Mueller\n'
    source = write_files(tmp_path / "in", {**pictures("d.png"), "t.csv": table})
    run(source)
    run(
        write_files(tmp_path / "other", pictures("Mueller Hans 12.08.1964/a.png", "normal/b.png")),
        name="other",
    )
    kept = "".join(run.db.iterdump())
    assert "Mueller" not in kept and ".1964" not in kept
    assert "A quote is opened and not closed." in kept and '"folder": "normal"' in kept
