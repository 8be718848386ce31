"""DICOM display: the values here are those of dcmtk's dcm2pnm 3.6.7 for the same files, or follow from PS3.3."""

import io

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="pydicom is in the extra `dicom`")

from pydicom import config  # noqa: E402
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402

from radtui.imaging import windows  # noqa: E402
from radtui.imaging.decode import decode, probe, training_image  # noqa: E402
from radtui.imaging.dicom import stripped  # noqa: E402
from radtui.records import UserError  # noqa: E402
from tests.unit.dicom_files import (  # noqa: E402
    WINDOW,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    lut,
    made,
    ramp,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
XA = "1.2.840.10008.5.1.4.1.1.12.1"
SQUARES = (np.arange(4096) ** 2 // 4096).astype("<u2").tobytes()


@pytest.fixture(autouse=True)
def files_may_break_rules():
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    yield
    config.settings.writing_validation_mode = before


def grey(data: bytes) -> np.ndarray:
    """What is drawn, the same before and after the file is stripped for keeping."""
    drawn = windows.to_grey8(decode(data))
    assert np.array_equal(drawn, windows.to_grey8(decode(stripped(data))))
    return drawn.astype(int)


def straight() -> np.ndarray:
    """The ramp through the window that spans it."""
    return np.clip(np.rint((ramp() - 0) * 255 / 4095), 0, 255)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse"),
    [
        ("MONOCHROME2", "", False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
        ("MONOCHROME2", "SOMETHING", False),
    ],
)
def test_the_presentation_shape_decides_before_the_photometric_kind(photometric, shape, inverse):
    more = {"PresentationLUTShape": shape} if shape else {}
    drawn = grey(made(ramp(), PhotometricInterpretation=photometric, **WINDOW, **more))
    wanted = 255 - straight() if inverse else straight()
    assert np.abs(drawn - wanted).max() <= 1


def test_monochrome_1_is_turned_over_after_its_voi_table():
    drawn = grey(
        made(ramp(), PhotometricInterpretation="MONOCHROME1", VOILUTSequence=[lut([4096, 0, 12], SQUARES)])
    )
    assert np.abs(drawn - (255 - np.rint(ramp() ** 2 // 4096 * 255 / 4095))).max() <= 1


def test_an_angiogram_is_drawn_without_its_modality_transformation_and_others_with_it():
    table = {"ModalityLUTSequence": [lut([4096, 0, 12], np.arange(4096)[::-1].astype("<u2").tobytes())]}
    assert np.abs(grey(made(ramp(), SOPClassUID=XA, **table, **WINDOW)) - straight()).max() <= 1
    assert np.abs(grey(made(ramp(), **table, **WINDOW)) - (255 - straight())).max() <= 1
    slope = {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}
    assert np.abs(grey(made(ramp(), SOPClassUID=XA, **slope, **WINDOW)) - straight()).max() <= 1


@pytest.mark.parametrize("stored", [6, 10, 12, 15])
@pytest.mark.parametrize("high", [None, 15])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_only_the_stored_bits_count_from_the_high_bit_down(stored, high, signed, syntax):
    lowest = 0 if high is None else 16 - stored
    values = ramp(top=(1 << stored) - 1) - (1 << (stored - 1) if signed else 0)
    mask = ((1 << stored) - 1) << lowest
    rubbish = np.random.default_rng(0).integers(0, 65536, values.shape) & ~mask & 0xFFFF
    data = made(((values << lowest) & mask) | rubbish, stored=stored, high=high, signed=signed, syntax=syntax)
    assert decode(data).values.tolist() == values.tolist()
    kept = pydicom.dcmread(io.BytesIO(stripped(data)))
    words = np.frombuffer(kept.PixelData, dtype=">u2" if syntax == ExplicitVRBigEndian else "<u2")
    assert not np.any(words.astype(int) & ~mask), "what is no pixel is kept"


@pytest.mark.parametrize(("vr", "value"), [("US", 63536), ("SS", -2000)])
def test_padding_of_either_sign_is_left_out_of_the_automatic_window(vr, value):
    values = ramp(top=800) - 400
    values[:6] = -2000
    data = made(values, stored=16, signed=True, tags={0x00280120: (vr, value)})
    assert decode(data).padding == -2000
    auto = windows.auto_window(decode(stripped(data)))
    assert auto.limits[0] > -400


def test_a_range_of_padding_is_left_out():
    values = ramp(top=800) - 400
    values[:6], values[6:8] = -2000, -1900
    data = made(values, stored=16, signed=True, tags={0x00280120: ("SS", -2000), 0x00280121: ("SS", -1850)})
    raster = decode(stripped(data))
    assert (raster.padding, raster.padding_limit) == (-2000, -1850)
    assert windows.auto_window(raster).limits[0] > -400


NO_TABLE = {
    "no items": None,
    "an empty item": lut(None, None),
    "no data": lut([4096, 0, 16], None),
    "no descriptor": lut(None, SQUARES),
    "a short descriptor": lut([4096, 0], SQUARES),
    "empty elements": lut([], b""),
}


@pytest.mark.parametrize("item", NO_TABLE.values(), ids=NO_TABLE.keys())
@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
def test_tables_that_are_empty_are_as_good_as_absent(item, sequence):
    drawn = grey(made(ramp(), **{sequence: [] if item is None else [item]}, **WINDOW))
    assert np.abs(drawn - straight()).max() <= 1


ODD_TABLES = {
    "12 bits": (lut([4096, 0, 12], SQUARES), SQUARES),
    "an odd number of bytes": (lut([4096, 0, 12], SQUARES + b"\0"), SQUARES),
    "fewer announced": (lut([1000, 0, 12], SQUARES), SQUARES),
    "more announced": (lut([0, 0, 12], SQUARES), SQUARES),
    "US values": (lut([4096, 0, 12], np.frombuffer(SQUARES, "<u2").tolist()), SQUARES),
    "high bits beyond its depth": (
        lut([4096, 0, 12], (np.frombuffer(SQUARES, "<u2") | 0xF000).tobytes()), SQUARES,
    ),
    "bytes packed in words": (
        lut([4096, 0, 8], bytes((np.arange(4096) // 16).astype(np.uint8))),
        (np.arange(4096) // 16).astype("<u2").tobytes(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("item", "levels"), ODD_TABLES.values(), ids=ODD_TABLES.keys())
def test_odd_tables_are_used_as_far_as_they_go(item, levels):
    table = np.frombuffer(levels, "<u2").astype(int)
    assert decode(made(ramp(), ModalityLUTSequence=[item])).values.tolist() == table[ramp()].tolist()
    depth = 255 if table.max() < 256 else 4095
    drawn = grey(made(ramp(), VOILUTSequence=[item]))
    assert np.abs(drawn - np.rint(table[ramp()] * 255 / depth)).max() <= 1


def test_a_table_for_negative_values_may_say_its_first_one_unsigned():
    table = lut([4096, 65536 - 1024, 12], SQUARES)
    data = made(ramp(), VOILUTSequence=[table], RescaleSlope="1", RescaleIntercept="-1024")
    assert np.abs(grey(data) - np.rint(ramp() ** 2 // 4096 * 255 / 4095)).max() <= 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("depth", [8, 16])
def test_palettes_are_read_in_either_byte_order(syntax, depth):
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    colours = [np.arange(256), 255 - np.arange(256), np.arange(256) * 3 % 256]
    tags: dict[int, tuple[str, object]] = {}
    for n, channel in enumerate(colours):
        entries = channel * 257 if depth == 16 else channel
        tags[0x00281101 + n] = ("US", [256, 0, depth])
        tags[0x00281201 + n] = ("OW", entries.astype(f"{order}u2").tobytes())
    values = ramp(top=255)
    data = made(
        values, stored=8, allocated=8, syntax=syntax, tags=tags, PhotometricInterpretation="PALETTE COLOR"
    )
    drawn = grey(data)
    assert all(np.array_equal(drawn[..., n], channel[values]) for n, channel in enumerate(colours))


def cine(*greys: int) -> np.ndarray:
    return np.stack([ramp() * level // 100 for level in greys])


def test_the_middle_frame_stands_for_a_cine_unless_it_shows_nothing():
    data = made(cine(0, 50, 100, 50, 0), **WINDOW)
    assert (probe(data).frames, probe(data).frame, decode(data, None).frame, decode(data).frame) == (
        5,
        2,
        2,
        0,
    )
    black_in_the_middle = made(cine(0, 0, 0, 0, 0, 100, 90, 10), **WINDOW)
    assert decode(black_in_the_middle, None).frame == 5
    assert np.asarray(training_image(black_in_the_middle)).std() > 50
    assert probe(made(cine(0, 0, 0), **WINDOW)).frame == 1  # nothing shows anything


def test_a_damaged_frame_does_not_stand_for_a_cine():
    from PIL import Image

    def jpeg(level: int) -> bytes:
        out = io.BytesIO()
        Image.fromarray((ramp(top=255) * level // 100).astype(np.uint8)).save(out, "JPEG")
        return out.getvalue()

    raw = encapsulate([jpeg(100), b"\xff\xd8\xff\xd9", jpeg(90)])
    data = made(
        np.zeros((3, 16, 16), np.uint8), stored=8, allocated=8, raw=raw, syntax="1.2.840.10008.1.2.4.50"
    )
    assert probe(data).frame in (0, 2)
    with pytest.raises(UserError):
        decode(data, 1)


def test_deflated_files_and_frames_are_drawn_and_kept_uncompressed():
    import zlib

    deflated = made(ramp(), syntax=DeflatedExplicitVRLittleEndian)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    frame = squeeze.compress(ramp().astype("<u2").tobytes()) + squeeze.flush()
    frames = made(ramp(), raw=encapsulate([frame]), syntax="1.2.840.10008.1.2.8.1")
    for data in (deflated, frames):
        kept = stripped(data)
        assert decode(data).values.tolist() == decode(kept).values.tolist() == ramp().tolist()
        assert pydicom.dcmread(io.BytesIO(kept)).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_a_deflated_bomb_is_refused(monkeypatch):
    monkeypatch.setattr("radtui.imaging.dicom_read.MAX_INFLATED_BYTES", 2**20)
    data = made(np.zeros((1024, 1024), int), syntax=DeflatedExplicitVRLittleEndian)
    assert len(data) < 10_000
    with pytest.raises(UserError, match=r"grows to more than 1 MiB"):
        decode(data)


@pytest.mark.parametrize("inside", [False, True])
def test_a_header_of_endless_elements_is_refused_before_it_is_parsed(monkeypatch, inside):
    monkeypatch.setattr("radtui.imaging.dicom_read.MAX_WORK", 1000)
    plain = made(ramp())
    assert decode(plain).values.tolist() == ramp().tolist()
    empty = b"\x09\x00\x01\x10LO\x00\x00" * 1200
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\xfe\xff\x0d\xe0\x00\x00\x00\x00"
    nested = b"\x28\x00\x00\x30SQ\x00\x00\xff\xff\xff\xff" + item * 120
    at = plain.index(b"\xe0\x7f\x10\x00")
    with pytest.raises(UserError, match="more elements"):
        decode(plain[:at] + (nested if inside else empty) + plain[at:])


@pytest.mark.parametrize(
    ("syntax", "word"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        ("1.2.840.10008.1.2.4.102", "video"),
        ("1.2.3.4.5", "not supported"),
    ],
)
def test_what_cannot_be_decoded_is_named_and_not_called_damaged(syntax, word):
    data = made(ramp(), raw=encapsulate([b"\xff\x0a" + bytes(30)]), syntax=syntax)
    for read in (decode, stripped):
        with pytest.raises(UserError, match=word) as caught:
            read(data)
        assert "damaged" not in str(caught.value)


def test_a_frame_that_claims_more_than_its_header_is_refused():
    stream = b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xd9"
    data = made(ramp(), stored=8, allocated=8, raw=encapsulate([stream]), syntax="1.2.840.10008.1.2.4.50")
    with pytest.raises(UserError, match="65535 x 65535"):
        decode(data)


@pytest.mark.parametrize("start", [b"", bytes(128), bytes(128) + b"DCMX", b"junk" + bytes(124)])
def test_files_are_recognised_without_the_four_letters(start):
    from radtui.imaging.decode import is_dicom

    whole = made(ramp(), **WINDOW)
    body = whole[132:]
    assert is_dicom(start + body)
    assert decode(start + body).values.tolist() == ramp().tolist()
    assert decode(stripped(start + body)).values.tolist() == ramp().tolist()


def test_pictures_and_texts_are_not_taken_for_dicom():
    from radtui.imaging.decode import is_dicom

    for data in (
        b"",
        b"\x08\x00",
        b"GIF89a" + bytes(200),
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        bytes(300),
        b"text " * 60,
    ):
        assert not is_dicom(data)


def test_objects_without_pixels_are_named_with_their_way_out():
    report = Dataset()
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    report.SOPInstanceUID, report.Modality = "1.2.3", "SR"
    report.file_meta = pydicom.dataset.FileMetaDataset()
    report.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    out = io.BytesIO()
    report.save_as(out, enforce_file_format=True)
    with pytest.raises(UserError, match=r"\(Comprehensive SR\) holds no image; put its text into a CSV"):
        decode(out.getvalue())
