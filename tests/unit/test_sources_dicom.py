"""DICOM folders: which files, which facts, and nothing of the patient."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from radtui.settings import ImportSettings
from radtui.sources import open_source
from radtui.sources.dicom import header_facts
from tests.conftest import drawn_png
from tests.unit.source_files import data_of, write_files

pydicom = pytest.importorskip("pydicom")
from pydicom.data import get_testdata_file  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian  # noqa: E402

SECRETS = ("Mustermann", "Erika", "PAT-4711", "19640812", "20240131", "ACC99887", "St. Elsewhere", "Dr. Who")


def chest_file(**more: object) -> bytes:
    """A chest radiograph whose header holds what a hospital's would."""
    image = Dataset()
    image.PatientName, image.PatientID = "Mustermann^Erika", "PAT-4711"
    image.PatientBirthDate, image.StudyDate, image.AccessionNumber = "19640812", "20240131", "ACC99887"
    image.InstitutionName, image.ReferringPhysicianName = "St. Elsewhere", "Dr. Who"
    image.StudyDescription = "Thorax of Erika Mustermann"
    image.Modality, image.BodyPartExamined, image.ViewPosition = "DX", "CHEST", "PA"
    image.PixelSpacing, image.KVP = [0.143, 0.143], 117
    image.Rows = image.Columns = 4
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = bytes(range(32))
    for name, value in more.items():
        setattr(image, name, value)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = "1.2.3.4"
    out = io.BytesIO()
    pydicom.dcmwrite(out, image, enforce_file_format=True)
    return out.getvalue()


def test_only_allowed_facts_are_read() -> None:
    header = header_facts(chest_file())
    assert header.examination == "chest PA"
    assert header.facts == {
        "Modality": "DX", "BodyPartExamined": "CHEST", "ViewPosition": "PA", "KVP": "117",
        "PixelSpacing": "0.143, 0.143", "PhotometricInterpretation": "MONOCHROME2",
    }  # fmt: skip


def test_free_text_in_an_allowed_element_is_left_out() -> None:
    # Written past pydicom's own check, as some devices do.
    data = chest_file().replace(b"CHEST ", b"Erika ")
    header = header_facts(data)
    assert "BodyPartExamined" not in header.facts and header.examination == ""


def test_pydicoms_warnings_do_not_quote_the_patient(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    # A birth date that is none makes pydicom warn with the date itself.
    data = chest_file().replace(b"19640812", b"1964-8-1")
    caplog.clear()
    recwarn.clear()
    header_facts(data)
    assert "1964-8-1" not in caplog.text + " ".join(str(each.message) for each in recwarn)


def test_a_folder_gives_every_dicom_file_with_and_without_suffix(tmp_path: Path) -> None:
    data = chest_file()
    write_files(tmp_path, {
        "train/a.dcm": data,
        "test/IM0001": data,
        "Mustermann_Erika/series/b.dcm": data,
        "erika-4711.ima": data,
        "DICOMDIR": data,
        "notes.txt": "x",
        "preview.png": drawn_png(1),
    })  # fmt: skip
    source = open_source(ImportSettings(source=str(tmp_path)))
    found = list(source)
    assert source.total() == 5 == len(found)
    assert {image.split for image in found} == {"train", "test"}
    assert {"train/a.dcm", "test/IM0001", "preview.png"} < {image.source_key for image in found}
    assert [data_of(image) == data for image in found].count(True) == 4
    assert any(problem.where == "notes.txt" for problem in source.problems)


def test_damaged_files_come_with_their_bytes(tmp_path: Path) -> None:
    cut = chest_file()[:200]
    write_files(tmp_path, {"a.dcm": cut, "b.dcm": b"", "c.dcm": b"no dicom at all"})
    assert [(i.source_key, data_of(i)) for i in open_source(ImportSettings(source=str(tmp_path)))] == [
        ("a.dcm", cut), ("b.dcm", b""), ("c.dcm", b"no dicom at all"),
    ]  # fmt: skip


def test_a_table_may_list_dicom_files(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.dcm": chest_file(), "metadata.csv": "file_name,text\na.dcm,Clear lungs.\n"})
    (image,) = open_source(ImportSettings(source=str(tmp_path)))
    assert (image.reference, data_of(image)) == ("Clear lungs.", chest_file())


def test_one_file_and_files_that_pydicom_ships() -> None:
    path = Path(str(get_testdata_file("CT_small.dcm")))
    (image,) = open_source(ImportSettings(source=str(path)))
    assert image.source_key == "CT_small.dcm"
    (header,) = [header_facts(path.read_bytes())]
    assert not any(word in str(header.facts).lower() for word in ("compressedsamples", "1ct1"))


def test_every_file_that_pydicom_ships_can_be_listed() -> None:
    folder = Path(str(get_testdata_file("CT_small.dcm"))).parent
    source = open_source(ImportSettings(source=str(folder)))
    assert len(list(source)) == source.total() > 50
