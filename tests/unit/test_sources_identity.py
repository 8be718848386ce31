"""One gate: a name planted wherever a name can stand is looked for in all that comes out."""

from __future__ import annotations

import hashlib
import hmac
import io
import stat
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from radtui.imaging.decode import training_image
from radtui.imaging.whole_png import png_chunk
from radtui.records import UserError
from radtui.sources.identity import Gate, Identity, identity_of_column, identity_of_value, read_salt
from radtui.sources.identity_words import identity_words
from radtui.sources.images import read_images

SECRETS = (
    "Quibblesworth",
    "QUIBBLESWORTH",
    "Zephyrine",
    "ZEPHYRINE",
    "7731",
    "19640812",
    "Elsewhere",
    "ELSEWHERE",
)
SALT = bytes(range(32))


def leaks(*values: object) -> list[str]:
    """Secrets that occur in bytes or texts."""
    blobs = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    wide = [secret.encode("utf-16-le") for secret in SECRETS]
    return [
        secret
        for secret, spread in zip(SECRETS, wide, strict=True)
        if any(secret.encode() in blob or spread in blob for blob in blobs)
    ]


def leaks_of(word: str, values: object) -> list[str]:
    """The word, where it occurs in what is printed of some values."""
    return [word] if word in str(values).lower() else []


def picture(mode: str = "L") -> Image.Image:
    grey = np.add.outer(np.arange(40), np.arange(30) * 2).astype(np.uint8)
    return Image.fromarray(grey).convert(mode)


# ---- DICOM ----

VALUES = {
    "AE": "QUIBBLESWORTH", "AS": "031Y", "CS": "QUIBBLESWORTH", "DA": "19640812", "DS": "7731.5", "DT": "19640812",
    "IS": "7731", "LO": "Quibblesworth", "LT": "Zephyrine Quibblesworth", "PN": "Quibblesworth^Zephyrine",
    "SH": "Quibblesworth", "ST": "St Elsewhere", "TM": "193119", "UC": "Quibblesworth", "UI": "1.2.840.7731.19640812",
    "UR": "http://elsewhere.example/Quibblesworth", "UT": "Quibblesworth of Elsewhere", "OB": b"Quibblesworth ",
    "UN": b"Quibblesworth ", "OW": b"Quibblesworth ",
}  # fmt: skip
DRAWN = {  # elements that say how pixels are drawn, with a number or a code of their own in the file
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "PixelData", "NumberOfFrames", "PlanarConfiguration", "WindowCenter", "WindowWidth",
    "RescaleSlope", "RescaleIntercept", "DoseGridScaling", "FloatPixelData", "DoubleFloatPixelData",
    "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "ImageOrientationPatient", "PixelAspectRatio",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "SpecificCharacterSet", "KVP", "SliceThickness",
}  # fmt: skip
TABLES = "PaletteColorLookupTable"


def planted() -> bytes:
    """A file with the secret in every element of the standard's dictionary that can hold it."""
    from pydicom import config
    from pydicom.datadict import DicomDictionary
    from pydicom.dataset import Dataset, FileMetaDataset

    config.settings.writing_validation_mode = config.IGNORE
    image = Dataset()
    nested = Dataset()
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        value = VALUES.get(vr)
        group = tag >> 16
        if (
            value is None
            or keyword in DRAWN
            or TABLES in keyword
            or group in (0, 2, 0x7FE0)
            or tag & 0xFFFF == 0
        ):
            continue
        image.add_new(tag, vr, value)
        if vr not in ("UI", "OB", "OW", "UN"):
            nested.add_new(tag, vr, value)
    for keyword in (
        "VOILUTSequence",
        "ModalityLUTSequence",
        "SharedFunctionalGroupsSequence",
        "RequestAttributesSequence",
    ):
        setattr(image, keyword, [nested])
    for group in (0x6000, 0x6002):
        image.add_new(group << 16 | 0x3000, "OW", b"Quibblesworth " * 10)
        image.add_new(group << 16 | 0x1500, "LO", "Quibblesworth")
    image.add_new(0x00090010, "LO", "QUIBBLESWORTH")
    image.add_new(0x00091001, "UN", b"Zephyrine ")
    image.Rows, image.Columns, image.SamplesPerPixel = 16, 16, 1
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = np.arange(256, dtype="<u2").tobytes() + b"Quibblesworth "
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    image.file_meta.MediaStorageSOPInstanceUID = "1.2.840.7731.19640812"
    image.file_meta.SourceApplicationEntityTitle = "QUIBBLESWORTH"
    image.preamble = b"Quibblesworth".ljust(128, b"\0")
    out = io.BytesIO()
    image.save_as(out, enforce_file_format=False, implicit_vr=False, little_endian=True)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_a_name_in_every_dicom_element_is_in_nothing_that_comes_out() -> None:
    pydicom = pytest.importorskip("pydicom")
    data = planted()
    assert data.count(b"Quibblesworth") > 300
    (image,) = read_images("a.dcm", data)
    assert image.error == "" and not image.as_found
    assert leaks(image.data, image.facts, image.examination, image.note) == []
    assert "quibblesworth" in image.words and image.patient and image.exam
    kept = pydicom.dcmread(io.BytesIO(image.data))
    assert kept.pixel_array.ravel().tolist() == list(range(256))
    assert kept.PatientIdentityRemoved == "YES" and kept.DeidentificationMethod
    code = kept.DeidentificationMethodCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")


@pytest.mark.parametrize("start", [0, 128, 132])
@pytest.mark.filterwarnings("ignore")
def test_a_broken_beginning_keeps_no_name(start: int) -> None:
    pytest.importorskip("pydicom")
    body = planted()[132:]
    for data in (bytes(start) + body, bytes(start) + body[3:], bytes(start) + body[: len(body) // 2]):
        for image in read_images("IM0001", data):
            assert leaks(image.data, image.facts, image.note, image.error) == []
            assert bool(image.data) != bool(image.error)


def test_comments_in_compressed_frames_go_and_pixels_stay() -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import encapsulate

    from tests.unit.dicom_files import made

    out = io.BytesIO()
    picture().save(out, "JPEG", comment=b"Quibblesworth", quality=95)
    frames = encapsulate([out.getvalue(), out.getvalue() + b"Quibblesworth"])
    data = made(
        np.zeros((2, 40, 30), np.uint8), stored=8, allocated=8, raw=frames, syntax="1.2.840.10008.1.2.4.50",
        PatientName="Quibblesworth",
    )  # fmt: skip
    (image,) = read_images("a.dcm", data)
    assert leaks(image.data) == [] and image.frames == 2
    before, after = pydicom.dcmread(io.BytesIO(data)), pydicom.dcmread(io.BytesIO(image.data))
    assert np.array_equal(before.pixel_array, after.pixel_array)


def test_text_burned_into_pixels_is_refused_or_said() -> None:
    pydicom = pytest.importorskip("pydicom")
    from tests.unit.dicom_files import made, ramp

    data = made(ramp(), BurnedInAnnotation="YES", PatientName="Quibblesworth")
    (refused,) = read_images("a.dcm", data)
    assert "Burned In Annotation" in refused.error and refused.data == b""
    (taken,) = read_images("a.dcm", data, burned_in=True)
    assert "burned into" in taken.note
    assert pydicom.dcmread(io.BytesIO(taken.data)).PatientIdentityRemoved == "NO"


# ---- Pictures ----


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112], block[0x010E], block[0x013B], block[0x0132] = (
        orientation,
        "Quibblesworth",
        "Zephyrine",
        "19640812",
    )
    return block


def saved(kind: str, orientation: int = 1, **more: object) -> bytes:
    out = io.BytesIO()
    picture("RGB").save(out, kind, exif=exif(orientation), **more)
    return out.getvalue()


def png_with_everything() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Patient", "Quibblesworth")
    texts.add_text("Comment", "Zephyrine " * 50, zip=True)
    texts.add_itxt("Author", "Quibblesworth", "en", "Zephyrine")
    return saved("PNG", 6, pnginfo=texts) + b"Quibblesworth behind the end"


def jpeg_with_everything() -> bytes:
    data = saved("JPEG", 6, comment=b"Quibblesworth", xmp=b"<x>Quibblesworth</x>")
    photoshop = b"Photoshop 3.0\x008BIM Quibblesworth"
    segment = b"\xff\xed" + struct.pack(">H", len(photoshop) + 2) + photoshop
    return data[:2] + segment + data[2:] + b"Quibblesworth"


def gif_with_comment() -> bytes:
    out = io.BytesIO()
    frames = [picture(), picture().point(lambda v: 255 - v)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], comment=b"Quibblesworth", loop=0)
    return out.getvalue() + b"Quibblesworth"


def tiff_with_everything(**more: object) -> bytes:
    out = io.BytesIO()
    pages = [picture(), picture()]
    tags = {270: "Quibblesworth", 315: "Zephyrine", 306: "19640812", 65000: "St Elsewhere of Quibblesworth"}
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags, **more)
    return out.getvalue()


def jp2_with_boxes() -> bytes:
    out = io.BytesIO()
    picture().save(out, "JPEG2000", comment="Quibblesworth")
    box = b"<patient>Quibblesworth</patient>"
    return out.getvalue() + struct.pack(">I", len(box) + 8) + b"xml " + box


def j2k_with_comment() -> bytes:
    out = io.BytesIO()
    picture().save(out, "JPEG2000", comment="Quibblesworth", no_jp2=True)
    return out.getvalue()


PICTURES = {
    "png": png_with_everything,
    "jpg": jpeg_with_everything,
    "gif": gif_with_comment,
    "tif": tiff_with_everything,
    "big.tif": lambda: tiff_with_everything(big_tiff=True),
    "lzw.tif": lambda: tiff_with_everything(compression="tiff_lzw"),
    "webp": lambda: saved("WEBP", 6, xmp=b"<x>Quibblesworth</x>"),
    "avif": lambda: saved("AVIF", 6, xmp=b"<x>Quibblesworth and Zephyrine of St Elsewhere</x>"),
    "jp2": jp2_with_boxes,
    "j2k": j2k_with_comment,
    "pgm": lambda: b"P5\n# Quibblesworth\n30 40 # 7731\n255\n" + picture().tobytes(),
}


@pytest.mark.parametrize("name", PICTURES)
def test_what_was_written_into_a_picture_goes_and_its_pixels_stay(name: str) -> None:
    data = PICTURES[name]()
    assert leaks(data), "the test planted nothing"
    (image,) = read_images(f"a.{name}", data)
    assert image.error == "" and leaks(image.data, image.note) == []
    assert not image.as_found
    assert np.array_equal(np.asarray(training_image(data)), np.asarray(training_image(image.data)))
    (again,) = read_images(f"a.{name}", image.data)
    assert again.as_found and again.sha256 == image.sha256 == hashlib.sha256(image.data).hexdigest()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "AVIF", "JPEG2000", "PPM"])
def test_a_picture_without_comments_is_kept_byte_for_byte(kind: str) -> None:
    out = io.BytesIO()
    picture().save(out, kind)
    (image,) = read_images("a", out.getvalue())
    assert image.data is out.getvalue() or image.data == out.getvalue()
    assert image.as_found and (image.width_px, image.height_px) == (30, 40)


@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 10_000), st.integers(0, 255), st.booleans())
def test_damaged_pictures_neither_crash_nor_are_kept_unread(
    name: str, at: int, value: int, cut: bool
) -> None:
    data = bytearray(PICTURES[name]())
    at %= len(data)
    data[at] = value
    (image,) = read_images(f"a.{name}", bytes(data[:at] if cut else data))
    assert bool(image.data) != bool(image.error)
    assert leaks(image.error) == []


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("r.pdf", b"%PDF-1.7 Quibblesworth", "PDF document"),
        ("m.hl7", b"MSH|^~\\&|Quibblesworth", "HL7 message"),
        ("p.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heicQuibblesworth", "HEIC photo"),
        ("v.mp4", b"\0\0\0\x18ftypisom\0\0\0\0Quibblesworth", "video"),
        ("s.svs", b"II*\0Quibblesworth", "whole-slide image"),
        ("x", b"Quibblesworth, nothing in particular", "not an image"),
        ("e.png", b"", "empty"),
        ("t.png", b"\x89PNG\r\n\x1a\nQuibblesworth", "not an image"),
    ],
)
def test_what_is_not_read_is_named_and_never_kept(name: str, data: bytes, word: str) -> None:
    (image,) = read_images(name, data)
    assert word in image.error and image.data == b"" and image.sha256 == ""
    assert leaks(image.error) == []


def test_a_png_that_inflates_to_more_is_refused_or_read_in_bounded_memory() -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + png_chunk(b"IEND", b"")
    )
    (image,) = read_images("a.png", bomb)
    assert "60000 x 60000" in image.error or "larger than" in image.error
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * 2**20), 9))
    out = io.BytesIO()
    picture().save(out, "PNG")
    (image,) = read_images("a.png", out.getvalue()[:33] + text + out.getvalue()[33:])
    assert image.error == "" and image.data == out.getvalue()


# ---- Columns, cells, paths ----

COLUMNS = {
    Identity.NAME: (
        "PatientName|patient's name|Last Name|Nachname|Vorname|nom_patient|Prénom|Apellidos|"
        "nombre del paciente|Cognome|sobrenome|Nazwisko|Фамилия|ФИО|姓名|患者名|氏名|성명|Achternaam|"
        "Efternamn|Adı Soyadı|Referring Physician"
    ),
    Identity.PATIENT: (
        "MRN|PatientID|patient_id|Patient ID|Subject ID|SSN|NHS Number|Patientennummer|"
        "Versichertennummer|numéro patient|Historia clínica|codice fiscale|PESEL|BSN|"
        "Personnummer|СНИЛС|病历号|患者番号|환자번호|Medical Record No"
    ),
    Identity.EXAM: (
        "AccessionNumber|Study Instance UID|study_id|Fallnummer|Encounter ID|检查号|número de acceso"
    ),
    Identity.DATE: (
        "BirthDate|birth_date|DOB|Date of Birth|Geburtsdatum|date de naissance|"
        "Fecha de nacimiento|data di nascita|data de nascimento|Data urodzenia|Дата рождения|"
        "出生日期|生年月日|생년월일|StudyDate|report_date|Datum"
    ),
    Identity.CONTACT: ("Address|Phone|e-mail|Telefonnummer|dirección|Hospital|адрес"),
    Identity.AGE: ("Age|PatientAge|Alter|edad|возраст"),
}
PLAIN = (
    "image|file_name|Path|caption|report|findings|impression|Finding Labels|View Position|Sex|PatientSex|Modality|label"
    "|Frontal/Lateral|class_name|image_id|dicom_id|split|No Finding|question|answer|KVP|location|Pneumonia|bbox_x"
    "|ViewCodeSequence_CodeMeaning|operation|Image Index|Follow-up #|text|Bildname|translation|slice_no"
)


@pytest.mark.parametrize(
    ("kind", "title"), [(kind, title) for kind, titles in COLUMNS.items() for title in titles.split("|")]
)
def test_columns_that_name_people_are_known_in_many_languages(kind: Identity, title: str) -> None:
    assert identity_of_column(title) is kind


@pytest.mark.parametrize("title", PLAIN.split("|"))
def test_columns_of_the_field_stay(title: str) -> None:
    assert identity_of_column(title) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1964-08-12", Identity.DATE), ("12.08.1964", Identity.DATE), ("19640812", Identity.DATE),
        ("8/12/1964", Identity.DATE), ("1964-08-12 10:30:00", Identity.DATE), ("Doe^Jane", Identity.NAME),
        ("Jane Quibblesworth", Identity.NAME), ("Müller, Hans", Identity.NAME), ("a.b@clinic.org", Identity.CONTACT),
        ("123-45-6789", Identity.PATIENT), ("MRN 0012345", Identity.PATIENT), ("Pleural Effusion", None),
        ("No Finding", None), ("Left Lower Lobe", None), ("0.143", None), ("12345678", None), ("2.5 mm", None),
        ("Normal", None), ("No pneumothorax.", None), ("PA", None),
    ],
)  # fmt: skip
def test_cells_are_known_by_what_they_look_like(text: str, kind: Identity | None) -> None:
    assert identity_of_value(text) is kind


def test_facts_lose_what_names_somebody_and_cells_that_repeat_it() -> None:
    gate = Gate(SALT)
    row = {
        "PatientName": "Müller^Hans", "MRN": "4711223", "BirthDate": "12.08.1964", "age": "93", "view": "PA",
        "remark": "seen by Hans Mueller", "when": "2024-01-31", "Finding": "Effusion", "SSN": "",
    }  # fmt: skip
    kept, dropped = gate.facts(row)
    assert kept == {"age": "90+", "view": "PA", "Finding": "Effusion"}
    assert set(dropped) == set(row) - set(kept) - {"SSN"}
    assert Gate(SALT, allowed={"when"}).facts(row)[0]["when"] == "2024-01-31"
    assert gate.name("x/mueller/4711223.png").count("h-") == 2  # learnt from the row
    kept, dropped = gate.facts({"PatientName": "Müller^Hans", "of Mueller, Hans": "1", "view": "PA"})
    assert kept == {"view": "PA"} and leaks_of("mueller", dropped) == []


@pytest.mark.parametrize(
    "path",
    [
        "Smith_John/1.png", "MuellerHans/a.png", "PID-7731-KX/b.png", "scan 19640812/IM1", "a/Doe^Jane.dcm",
        "CHEST_PA_SMITH_JOHN_2.dcm", "zephyrine quibblesworth/1.png", "12.08.1964/x.png", "MRN 0012345.png",
        "Ivanov Sergey/x.png",
    ],
)  # fmt: skip
def test_paths_that_name_people_become_pseudonyms(path: str) -> None:
    name = Gate(SALT).name(path)
    parts = [part for part in name.split("/") if part.startswith("h-")]
    assert len(parts) == 1 and Path(name).suffix == Path(path).suffix
    assert name == Gate(SALT).name(path) and name != Gate(bytes(32)).name(path)
    assert Gate(SALT, trust_names=True).name(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "patient00001/study1/view1_frontal.jpg", "p10/p10000032/s50414267/abc-def.jpg", "00000001_000.png",
        "1.2.840.1136.0.png", "PNEUMONIA/person1_virus_6.jpeg", "Pleural_Effusion/a_b.png", "ROCO_00001.jpg",
        "case_0001.nii.gz", "CXR3_IM-1384-1001.png", "images_normalized/0_IM-00-1001.dcm.png", "train/Normal/x.png",
        "216840111366964013590140476722013028132133659_02-055-146.png", "synpic54610.jpg",
        "PMC4083729_AMHSR-4-14-g002.jpg", "stack.tif", "really_jpeg.png", "train/Bacterial Pneumonia/x.png",
    ],
)  # fmt: skip
def test_paths_of_public_data_stay(path: str) -> None:
    assert Gate(SALT).name(path) == path


def test_words_of_a_header_are_looked_for_in_paths() -> None:
    gate = Gate(SALT)
    own = identity_words("Quibblesworth^Zephyrine") | identity_words("PID-7731-KX")
    assert gate.name("export/quibblesworthz/IM1.dcm", own).split("/")[1].startswith("h-")
    assert gate.name("export/a7731/7731.dcm", own).startswith("export/a7731/h-")
    gate.learn(own)
    assert gate.name("preview/Quibblesworth.png").startswith("preview/h-")
    assert identity_words("Anonymous^Patient") == set() and "mueller" in identity_words("Müller")


def test_keys_of_patients_and_exams_are_keyed_hashes() -> None:
    gate = Gate(SALT)
    assert gate.patient("PID-7731") == hmac.new(SALT, b"patient\0pid-7731", hashlib.sha256).hexdigest()
    assert gate.patient(" pid-7731 ") == gate.patient("PID-7731") != Gate(bytes(32)).patient("PID-7731")
    assert gate.patient("") == gate.exam("") == gate.exam("", "7") == ""
    assert gate.exam("study1", "1") != gate.exam("study1", "2") != gate.exam("study1")
    assert gate.patient("1") != gate.exam("1")
    assert gate.patient("7.0") == gate.patient("7") and gate.exam("9", "7.0") == gate.exam("9.0", "7")
    for nobody in ("Anonymous", "N/A", "nan", "000", "ANON^", "de-identified"):
        assert gate.patient(nobody) == gate.exam(nobody) == "", nobody
    assert gate.patient("0") == gate.patient("0.0") != gate.patient("1")


def test_parts_of_unique_identifiers_and_short_numbers_are_nobodys_names() -> None:
    gate = Gate(SALT)
    uid = "1.2.840.113619.2.55.512.20040119072730.101"
    gate.learn(identity_words(uid) | identity_words("101"))
    for path in ("512/x_101.png", "113619/a.png", "840.png"):
        assert gate.name(path) == path
    assert gate.name(f"a/{uid}.dcm", identity_words(uid)).startswith("a/h-")
    assert gate.name("101.dcm", identity_words("101")).startswith("h-")


# ---- Salt ----


def test_a_salt_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    salt = read_salt(tmp_path / "data")
    path = tmp_path / "data" / "salt"
    assert len(salt) == 32 and read_salt(tmp_path / "data") == salt
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_salt(tmp_path / "other", path) == salt == read_salt(tmp_path / "other")
    assert read_salt(tmp_path / "third") != salt
    with pytest.raises(UserError, match="another salt"):
        read_salt(tmp_path / "third", path)
    (tmp_path / "bad").write_text("pepper")
    with pytest.raises(UserError, match="no salt"):
        read_salt(tmp_path / "fourth", tmp_path / "bad")
    with pytest.raises(UserError, match="cannot be read"):
        read_salt(tmp_path / "fourth", tmp_path / "nothing")


def test_processes_that_start_together_agree_on_a_salt(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from radtui.sources.identity import read_salt\n"
        f"print(read_salt(Path({str(tmp_path)!r})).hex())"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({child.communicate()[0] for child in children}) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["salt"]
