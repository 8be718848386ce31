"""Images that stay in their archive: found there, and never used when they are no longer what was imported."""

from __future__ import annotations

import io
import os
import sqlite3
import zipfile
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from radtui.export.backup import back_up, check
from radtui.export.restore_backup import restore_backup
from radtui.paths import DataDir
from radtui.records import Case, Job, JobKind, UserError
from radtui.settings import ImportSettings
from radtui.sources.linking import NOT_AS_IT_IS, TELLING_PATH
from radtui.sources.preview_process import preview_in_process
from radtui.store import cases, jobs, links
from radtui.store.blobs import image_bytes, locate
from radtui.store.cases import CaseQuery
from radtui.store.database import connect
from radtui.worker.importing import ingest
from radtui.worker.process.reporter import Reporter
from tests.commands import invoked
from tests.conftest import drawn_png
from tests.unit.source_files import write_files


def imported(data: DataDir, db: sqlite3.Connection, source: Path, **settings: object) -> Job:
    chosen = ImportSettings(source=str(source), name="set", hold_out=0, **settings)  # type: ignore[arg-type]
    job = jobs.create(db, JobKind.IMPORT, "import", "set", chosen.to_dict())
    ingest.run(job, data, db, Reporter(db, job.id))
    return jobs.must_get(db, job.id)


def by_key(db: sqlite3.Connection) -> dict[str, Case]:
    rows = cases.get_many(db, cases.find(db, CaseQuery("set")))
    return {row.source_key: row for row in rows}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = {
        "a/1.png": drawn_png(1),
        "a/2.png": drawn_png(2),
        "t.csv": "file_name,text\na/1.png,One.\na/2.png,Two.\n",
    }
    return write_files(tmp_path / "archive", files)


@pytest.fixture
def linked(data: DataDir, db: sqlite3.Connection, archive: Path) -> Path:
    imported(data, db, archive, link=True)
    return archive


def test_linked_files_are_read_where_they_are(data: DataDir, db: sqlite3.Connection, linked: Path) -> None:
    rows = by_key(db)
    assert [row.reference for row in rows.values()] == ["One.", "Two."]
    assert not [path for path in (data.root / "images").rglob("*") if path.is_file()]
    sha256 = rows["a/1.png"].first.sha256
    assert image_bytes(data, sha256) == drawn_png(1)
    status = (linked / "a" / "1.png").stat()
    link = links.linked(db, [sha256])[sha256].link
    assert (link.path, link.n_bytes, link.modified_ns) == ("a/1.png", status.st_size, status.st_mtime_ns)
    assert check(data, db).problems == () and check(data, db).linked == 2


def test_a_file_that_was_only_touched_is_used(data: DataDir, db: sqlite3.Connection, linked: Path) -> None:
    os.utime(linked / "a" / "1.png", ns=(1, 1))
    sha256 = by_key(db)["a/1.png"].first.sha256
    assert locate(data, [sha256])[0].problem == "" and image_bytes(data, sha256) == drawn_png(1)


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_changed_file_is_said_and_not_used(
    data: DataDir, db: sqlite3.Connection, linked: Path, keeps_time: bool
) -> None:
    file = linked / "a" / "1.png"
    before, row = file.stat(), by_key(db)["a/1.png"]
    changed = bytearray(drawn_png(1))
    changed[-20] ^= 1
    file.write_bytes(changed)
    if keeps_time:  # as one who restores an archive may do: only the bytes tell
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UserError, match=r"1\.png is linked and is no longer the file that was imported"):
        image_bytes(data, row.first.sha256)
    (problem,) = check(data, db).problems
    assert "no longer the file" in problem
    shown = invoked(data, "show", str(row.id))
    assert shown.exit_code == 1 and "no longer the file" in str(shown.exception)
    assert invoked(data, "check").exit_code == 1


def test_a_vanished_file_is_said_until_the_archive_is_found_again(
    data: DataDir, db: sqlite3.Connection, linked: Path, tmp_path: Path
) -> None:
    elsewhere = linked.rename(tmp_path / "moved")
    sha256 = by_key(db)["a/1.png"].first.sha256
    with pytest.raises(UserError, match=r"is not there any more.*radtui data moved"):
        image_bytes(data, sha256)
    assert locate(data, [sha256])[0].problem and len(check(data, db).problems) == 2
    assert invoked(data, "data", "moved", "set", str(elsewhere)).exit_code == 0
    assert image_bytes(data, sha256) == drawn_png(1) and not check(data, db).problems
    assert "no data set 'other'" in str(invoked(data, "data", "moved", "other", str(elsewhere)).exception)


def test_a_table_beside_its_images_can_be_the_source(
    data: DataDir, db: sqlite3.Connection, archive: Path
) -> None:
    imported(data, db, archive / "t.csv", link=True)
    sha256 = by_key(db)["a/2.png"].first.sha256
    assert links.linked(db, [sha256])[sha256].link.path == "../a/2.png"
    assert image_bytes(data, sha256) == drawn_png(2)


def test_what_must_be_cleaned_or_hides_a_name_is_refused(
    data: DataDir, db: sqlite3.Connection, tmp_path: Path
) -> None:
    from tests.unit.test_sources_dicom import chest_file

    named = "1964-08-12_Mueller_Hans.png"
    folder = write_files(
        tmp_path / "in", {"x.dcm": chest_file(), "good.png": drawn_png(1), named: drawn_png(2)}
    )
    imported(data, db, folder, link=True)
    rows = by_key(db)
    assert "without --link, which keeps a cleaned copy" in rows.pop("x.dcm").error
    assert rows.pop("good.png").error == ""
    (other,) = rows.values()
    assert "its path holds what looks like a name" in other.error and not other.images
    assert b"Mueller" not in data.database.read_bytes()


def test_what_is_no_plain_file_is_refused(data: DataDir, db: sqlite3.Connection, tmp_path: Path) -> None:
    source = tmp_path / "in.zip"
    with zipfile.ZipFile(source, "w") as archived:
        archived.writestr("a.png", drawn_png(1))
    for named in (source, Path("phantoms:1:2x1")):
        with pytest.raises(UserError, match="--link keeps plain files where they are"):
            imported(data, db, named, link=True)
    assert cases.datasets(db) == []


def test_a_copy_takes_the_place_of_a_link(data: DataDir, db: sqlite3.Connection, linked: Path) -> None:
    imported(data, db, linked)
    sha256 = by_key(db)["a/1.png"].first.sha256
    assert links.all_linked(db) == [] and data.blob(sha256).read_bytes() == drawn_png(1)
    imported(data, db, linked, link=True)  # what is here stays here
    assert links.all_linked(db) == []


def test_a_backup_says_what_it_does_not_hold(
    data: DataDir, db: sqlite3.Connection, linked: Path, tmp_path: Path
) -> None:
    without = back_up(data, db, tmp_path / "without")
    assert (without.images, without.linked, without.problems) == (0, {str(linked): 2}, ())
    assert "--with-linked copies them" in invoked(data, "backup", str(tmp_path / "again")).output
    whole = back_up(data, db, tmp_path / "whole", with_linked=True)
    assert (whole.images, whole.new_images, whole.linked) == (2, 2, {})
    sha256 = by_key(db)["a/1.png"].first.sha256
    linked.rename(tmp_path / "gone")
    home = DataDir(tmp_path / "home")
    restore_backup(home, tmp_path / "whole")
    assert image_bytes(home, sha256) == drawn_png(1)
    restored = invoked(DataDir(tmp_path / "home2"), "restore", str(tmp_path / "without"))
    assert restored.exit_code == 0 and "which is not there: say where it is now" in restored.output


def test_a_second_import_with_links_decodes_nothing_again(
    data: DataDir, db: sqlite3.Connection, linked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(content: bytes) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("radtui.imaging.decode.probe", decoded)
    job = imported(data, db, linked, link=True)
    assert (job.result["known"], job.result["unreadable"]) == (2, 0)
    assert len(links.all_linked(db)) == 2


def test_training_says_before_it_starts_that_a_linked_file_is_not_as_it_was(
    data: DataDir, db: sqlite3.Connection, linked: Path
) -> None:
    pytest.importorskip("torch")
    from radtui.worker.model.examples import examples, open_images

    rows = list(by_key(db).values())
    items = examples(rows, data)
    assert [image.size for item in items for image in open_images(item, 64)] == [(64, 64), (64, 64)]
    (linked / "a" / "2.png").write_bytes(drawn_png(3))
    with pytest.raises(UserError, match=r"2\.png is linked and is no longer"):
        open_images(items[1], 64)
    with pytest.raises(UserError, match=r"2\.png is linked and is no longer"):
        examples(rows, data)


def test_each_connection_is_closed(data: DataDir, linked: Path) -> None:
    with connect(data) as db:
        sha256 = by_key(db)["a/1.png"].first.sha256
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        image_bytes(data, sha256)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_what_cannot_stay_is_named_before_an_import(tmp_path: Path) -> None:
    spoken = PngImagePlugin.PngInfo()
    spoken.add_text("Patient", "Doe, Jane")
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "PNG", pnginfo=spoken)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "spoken.png").write_bytes(out.getvalue())
    (tmp_path / "in" / "bare.png").write_bytes(drawn_png(1))
    (tmp_path / "in" / "MRN123456.png").write_bytes(drawn_png(2))
    preview = preview_in_process(ImportSettings(source=str(tmp_path / "in"), link=True))
    refused = {problem.where: problem.reason for problem in preview.unused}
    assert refused == {"spoken.png": NOT_AS_IT_IS, "MRN123456.png": TELLING_PATH}
    assert preview_in_process(ImportSettings(source=str(tmp_path / "in"))).unused == ()
