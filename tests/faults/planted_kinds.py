"""Sources of kinds that have room for a name outside their rows and pixels: books, archives, volumes, tables, DICOM."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from tests.conftest import drawn_png

NAME, SURNAME, GIVEN, BORN = "Quibblesworth, Zephyrine", "Quibblesworth", "Zephyrine", "19640812"
PLANTED = f"{NAME} {BORN} of St Elsewhere"
ROWS = 8


def book(folder: Path) -> Path:
    """An Excel file: properties, comments, another sheet, header and footer, names, and a column of names."""
    import openpyxl
    from openpyxl.comments import Comment
    from openpyxl.workbook.defined_name import DefinedName

    _pictures(folder, 300)
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["file", "caption", "PatientName"])
    for number in range(ROWS):
        sheet.append([f"{number}.png", f"Opacity {number} in the left lung.", NAME])
    sheet["B2"].comment = Comment(PLANTED, SURNAME)
    sheet["B3"].hyperlink = f"http://elsewhere.example/{SURNAME}"
    sheet.oddHeader.center.text, sheet.oddFooter.left.text = PLANTED, PLANTED
    for field in ("creator", "lastModifiedBy", "title", "subject", "description", "keywords", "category"):
        setattr(made.properties, field, PLANTED)
    made.defined_names[SURNAME] = DefinedName(SURNAME, attr_text="Sheet!$A$1", comment=PLANTED)
    hidden = made.create_sheet(SURNAME)
    hidden.append([PLANTED])
    hidden.sheet_state = "hidden"
    made.save(folder / "table.xlsx")
    return folder


def zipped(folder: Path) -> Path:
    """A zip with a comment, comments and extra fields of its files, and a name for its folder."""
    folder.mkdir(parents=True)
    file = folder / "archive.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = PLANTED.encode()
        for number in range(ROWS):
            for suffix, content in (
                (".png", drawn_png(400 + number)),
                (".txt", f"Clear lungs {number}.".encode()),
            ):
                entry = zipfile.ZipInfo(f"{SURNAME.upper()}^{GIVEN.upper()}/{number}{suffix}")
                entry.comment = PLANTED.encode()
                entry.extra = struct.pack("<HH", 0x7075, len(PLANTED)) + PLANTED.encode()
                archive.writestr(entry, content)
    return file


def tarred(folder: Path) -> Path:
    """A tar with extended headers for all and for each file, and owners' names."""
    folder.mkdir(parents=True)
    file = folder / "archive.tar.gz"
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": PLANTED}) as archive:
        for number in range(ROWS):
            for suffix, content in (
                (".png", drawn_png(500 + number)),
                (".txt", f"No effusion {number}.".encode()),
            ):
                entry = tarfile.TarInfo(f"{GIVEN} {SURNAME}/{number}{suffix}")
                entry.size, entry.uname, entry.gname = len(content), SURNAME, "Elsewhere"
                entry.pax_headers = {"comment": PLANTED, "SCHILY.xattr.user.name": PLANTED}
                archive.addfile(entry, io.BytesIO(content))
    return file


def columns(folder: Path) -> Path:
    """A parquet file with metadata of its own, of its fields and of pandas, and images inside."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    fields = [
        pa.field(
            "image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]), metadata={"who": PLANTED}
        ),
        pa.field("caption", pa.string(), metadata={"comment": PLANTED}),
        pa.field("patient_name", pa.string()),
        pa.field("birth_date", pa.string()),
    ]
    rows = [
        {
            "image": {"bytes": drawn_png(600 + number), "path": f"{SURNAME}/{number}.png"},
            "caption": f"Effusion {number}.", "patient_name": NAME, "birth_date": BORN,
        }
        for number in range(ROWS)
    ]  # fmt: skip
    about = {"pandas": json.dumps({"creator": PLANTED}), "author": PLANTED}
    pq.write_table(
        pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata=about)), folder / "rows.parquet"
    )
    return folder


def volumes(folder: Path) -> Path:
    """NIfTI, MetaImage and NRRD whose headers name somebody, and a table of them."""
    folder.mkdir(parents=True)
    values = (np.indices((12, 14, 9)).sum(0) * 40).astype("<i2")
    made = {"a.nii.gz": gzip.compress(_nifti(values)), "b.mha": _meta(values), "c.nrrd": _nrrd(values)}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    lines = ["file_name,text,PatientName", *(f'{name},A chest CT of {name[0]}.,"{NAME}"' for name in made)]
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


def _nifti(values: np.ndarray) -> bytes:
    """A header whose texts (data_type, db_name, aux_file, intent_name, descrip) and extension name somebody."""
    header = bytearray(352)
    struct.pack_into("<i10s18s", header, 0, 348, SURNAME.encode()[:10], f"{GIVEN} {BORN}".encode()[:18])
    struct.pack_into("<8h", header, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 3, 1, 1, 1, 1)
    body = PLANTED.encode().ljust(56, b"\0")
    struct.pack_into("<f2f", header, 108, 352 + 8 + len(body), 1.0, 0.0)
    struct.pack_into("<80s24s", header, 148, PLANTED.encode(), f"{SURNAME} {BORN}".encode())
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0)
    struct.pack_into("<16s4s", header, 328, SURNAME.encode(), b"n+1\0")
    header[348] = 1  # an extension follows
    extension = struct.pack("<2i", 8 + len(body), 6) + body
    return bytes(header) + extension + values.tobytes(order="F")


def _meta(values: np.ndarray) -> bytes:
    text = (
        f"ObjectType = Image\nNDims = 3\nComment = {PLANTED}\nName = {SURNAME}\nPatientName = {NAME}\n"
        f"AcquisitionDate = {BORN}\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        f"ElementSpacing = 1 1 3\nDimSize = {' '.join(map(str, values.shape))}\nElementType = MET_SHORT\n"
        "ElementDataFile = LOCAL\n"
    )
    return text.encode() + values.tobytes(order="F")


def _nrrd(values: np.ndarray) -> bytes:
    text = (
        f"NRRD0005\n# {PLANTED}\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {' '.join(map(str, values.shape))}\nspace directions: (1,0,0) (0,1,0) (0,0,3)\nkinds: domain domain"
        f" domain\nendian: little\nencoding: raw\ncontent: {PLANTED}\nPatientName:={NAME}\nborn:={BORN}\n\n"
    )
    return text.encode() + values.tobytes(order="F")


def nested_dicom(folder: Path) -> Path:
    """DICOM with private blocks, private sequences and sequences in sequences that name somebody."""
    import pydicom
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    from tests.unit.dicom_files import made, ramp

    folder.mkdir(parents=True)
    for number in range(3):
        values = ramp() + number
        image = pydicom.dcmread(
            io.BytesIO(made(values, PatientName=NAME.replace(", ", "^"), PatientID="MRN7731"))
        )
        inner = Dataset()
        inner.PatientName, inner.PatientBirthDate, inner.InstitutionName = (
            f"{SURNAME}^{GIVEN}",
            BORN,
            "St Elsewhere",
        )
        inner.private_block(0x0011, SURNAME.upper(), create=True).add_new(0x01, "PN", f"{SURNAME}^{GIVEN}")
        middle = Dataset()
        middle.ReferencedPatientSequence = Sequence([inner])
        image.RequestAttributesSequence = Sequence([middle])
        image.OriginalAttributesSequence = Sequence([middle])
        block = image.private_block(0x0029, "ELSEWHERE CSA", create=True)
        block.add_new(0x10, "OB", PLANTED.encode().ljust(60, b"\0"))
        block.add_new(0x11, "SQ", Sequence([inner]))
        block.add_new(0x12, "UN", PLANTED.encode().ljust(60, b"\0"))
        block.add_new(0x13, "LT", PLANTED)
        image.add_new(0x00189445, "UN", PLANTED.encode().ljust(60, b"\0"))
        image.save_as(folder / f"IM{number:04d}")
    return folder


def strange_keys(folder: Path) -> Path:
    """JSON rows with keys that nobody knows: nested, in lists, and a key that is itself a name."""
    _pictures(folder, 700)
    rows = [
        {
            "image": f"{number}.png", "text": f"Atelectasis {number} on the left.", "PatientName": NAME,
            "dicom": {"PatientName": NAME, "PatientBirthDate": BORN, "tags": [{"00100010": {"Value": [NAME]}}]},
            "annotator": {"name": f"{GIVEN} {SURNAME}", "mail": "zephyrine@quibblesworth.example"},
            "seen_by": [f"Dr. {GIVEN} {SURNAME}"], "x-7": f"{SURNAME}^{GIVEN}", f"of {NAME}": 1,
        }
        for number in range(ROWS)
    ]  # fmt: skip
    (folder / "rows.json").write_text(json.dumps({"info": {"contributor": PLANTED}, "data": rows}))
    return folder


def _pictures(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True)
    for number in range(ROWS):
        (folder / f"{number}.png").write_bytes(drawn_png(seed + number))


KINDS = {
    "book": book, "zip": zipped, "tar": tarred, "parquet": columns, "volumes": volumes, "nested": nested_dicom,
    "keys": strange_keys,
}  # fmt: skip
