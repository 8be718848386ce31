"""A source is shown before it is taken, by another process, and `import --dry-run` prints it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources.preview_process import preview_in_process
from tests.conftest import drawn_png
from tests.unit.source_files import write_files

TABLE = "file_name,text,PatientName\na.png,Clear lungs.,Doe^John\nb.png,nan,Roe^Jane\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "in",
        {"a.png": drawn_png(1), "b.png": drawn_png(2), "metadata.csv": TABLE, "x.csv": "a,b\n1,2\n"},
    )


def test_another_process_tells_what_would_come(folder: Path) -> None:
    preview = preview_in_process(ImportSettings(source=str(folder)))
    assert [case.reference for case in preview.samples] == ["Clear lungs.", ""]
    assert preview.samples[0].images[0].data == drawn_png(1)
    assert (preview.counts.cases, preview.counts.with_text) == (2, 1)
    assert "about 10 % of them, by patient, are held out as test then" in preview.count_lines()
    assert preview.identity == {"PatientName": "a person's name"}
    assert [problem.where for problem in preview.unused] == ["x.csv"]


def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder or file"):
        preview_in_process(ImportSettings(source=str(tmp_path / "none")))


def test_a_dry_run_prints_cases_and_takes_nothing(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = ["--data-dir", str(data), "import", str(folder), "--dry-run"]
    shown = CliRunner().invoke(cli, command)
    assert shown.exit_code == 0
    assert "text      Clear lungs." in shown.output and "x.csv: The table is not used" in shown.output
    values = json.loads(CliRunner().invoke(cli, [*command, "--json"]).output)
    assert values["counts"]["splits"] == {"train": 2}
    assert values["tables"][0]["columns"] == {"file_name": "image", "text": "text", "PatientName": "patient"}
    assert not (data / "radtui.db").exists()
