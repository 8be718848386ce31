"""DICOM: every file that pydicom ships is drawn or says why not, and nobody's name is read."""

import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="pydicom is in the extra `dicom`")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.pixels import apply_modality_lut, apply_voi_lut  # noqa: E402
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian  # noqa: E402

from radtui.imaging import dicom, pyramid  # noqa: E402
from radtui.imaging.cells import half_blocks  # noqa: E402
from radtui.imaging.decode import decode, is_dicom, probe, training_image  # noqa: E402
from radtui.imaging.dicom_read import read_dataset  # noqa: E402
from radtui.imaging.dicom_tags import ALLOWED, NESTED  # noqa: E402
from radtui.imaging.raster import Sides, WindowShape  # noqa: E402
from radtui.imaging.render import render_px  # noqa: E402
from radtui.imaging.view import View  # noqa: E402
from radtui.imaging.windows import apply_window  # noqa: E402
from radtui.records import UserError  # noqa: E402

# A new instance, and that it is de-identified.
MARKS = {0x00080018, 0x00120062, 0x00120063, 0x00120064, 0x00280303}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ROOT = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(
    path for path in ROOT.rglob("*")
    if path.is_file() and path.suffix in (".dcm", "") and not path.name.startswith("README")
)  # fmt: skip
DAMAGED = {
    "MR_truncated.dcm",
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "meta_missing_tsyntax.dcm",
    "nested_priv_SQ.dcm",
}


def codecs() -> set[str]:
    return {name for name in ("pylibjpeg", "openjpeg", "gdcm") if _importable(name)}


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def has_pixels(path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "PixelData" in pydicom.dcmread(path, force=True, specific_tags=["PixelData"])


def read(name: str) -> bytes:
    return (ROOT / name).read_bytes()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_shipped_file_is_drawn_or_says_why_not(path):
    data = path.read_bytes()
    try:
        raster = dicom.decode(data)
    except UserError as error:
        text = str(error)
        assert text.endswith(".") and "\n" not in text and len(text) < 400
        if has_pixels(path) and path.name not in DAMAGED:
            assert "no decoder" in text and len(codecs()) < 3, text
        return
    assert has_pixels(path) and path.name not in DAMAGED
    px = render_px(pyramid.build(raster), View(), 80, 48)
    assert px.shape[:2] == (48, 80) and half_blocks(px).height == 24
    if float(np.ptp(raster.values)) > 0:
        assert np.ptp(px) > 0, "drawn in one grey"
    facts = dicom.probe(data)
    assert (facts.width_px, facts.height_px) == (raster.width_px, raster.height_px)


def test_shipped_files_are_recognised_by_their_bytes():
    missed = [path.name for path in FILES if has_pixels(path) and not is_dicom(path.read_bytes())]
    assert missed == []


def test_all_codecs_are_used_when_they_are_there():
    if len(codecs()) < 3:
        pytest.skip("the codecs of the extra `dicom` are not installed")
    # Values that pydicom's documentation of these files gives.
    lossy = dicom.decode(read("JPGExtended.dcm")).values
    assert (lossy[420, 140], lossy[230, 120]) == (244, 95)
    assert np.array_equal(
        dicom.decode(read("MR_small_jp2klossless.dcm")).values, dicom.decode(read("MR_small.dcm")).values
    )
    assert np.array_equal(
        dicom.decode(read("MR_small_jpeg_ls_lossless.dcm")).values, dicom.decode(read("MR_small.dcm")).values
    )


def test_hounsfield_units_and_file_windows_match_pydicom():
    data = read("dicomdirtests/77654033/CT2/17106")
    raster, dataset = decode(data), pydicom.dcmread(io.BytesIO(data))
    hounsfield = apply_modality_lut(dataset.pixel_array, dataset)
    assert raster.unit == "HU" and np.array_equal(raster.values, hounsfield)
    drawn = apply_window(raster.values, raster.windows[0])
    black, white = apply_voi_lut(np.array([-1e6, 1e6]), dataset)
    theirs = (apply_voi_lut(hounsfield, dataset) - black) / (white - black) * 255
    assert np.ptp(drawn) > 100
    assert np.abs(drawn - theirs).max() <= 0.51


def test_monochrome_1_is_drawn_bright_where_it_is_dense():
    data = read("dicomdirtests/77654033/CR1/6154")
    raster = decode(data)
    assert raster.inverted
    grey = np.asarray(training_image(data))[..., 0].astype(int)
    assert np.corrcoef(grey.ravel(), raster.values.ravel())[0, 1] < -0.5


def test_frames_colours_palettes_overlays_and_orientation():
    cine = read("examples_ybr_color.dcm")
    assert decode(cine).frames == 30 and decode(cine).colour
    assert not np.array_equal(decode(cine, 0).values, decode(cine, 20).values)
    assert decode(cine, 99).frame == 29
    palette = decode(read("examples_palette.dcm"))
    assert palette.values.shape == (350, 800, 3) and np.ptp(palette.values) > 100
    overlay = decode(read("examples_overlay.dcm"))
    assert overlay.overlay is not None and overlay.overlay.shape == overlay.values.shape
    assert 0 < overlay.overlay.mean() < 0.5
    assert overlay.sides == Sides("R", "L", "A", "P")
    assert [(w.centre, w.width) for w in overlay.windows] == [(450, 790), (200, 443)]
    assert overlay.spacing_mm == pytest.approx((0.72, 0.72), abs=0.01)


def test_masks_of_one_bit_are_black_and_white():
    mask = decode(read("liver_1frame.dcm"))
    assert sorted(np.unique(mask.values)) == [0, 255] and mask.bits == 1


def made(values: np.ndarray, **elements: object) -> bytes:
    """A small CT file of our own."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.PatientName, dataset.PatientID, dataset.StudyDate = "Doe^Jane", "4711-SECRET", "20240229"
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, int(values.dtype.kind == "i")
    dataset.PixelData = values.astype("<i2" if values.dtype.kind == "i" else "<u2").tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def ramp() -> np.ndarray:
    return np.arange(64, dtype=np.uint16).reshape(8, 8)


def lut(first: int, values: list[int], bits: int) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(values), first, bits])
    item.add_new(0x00283006, "US", values)
    return item


def test_a_voi_table_becomes_a_window():
    raster = decode(made(ramp(), VOILUTSequence=[lut(10, [0, 255, 128], 8)]))
    window = raster.windows[0]
    assert window.shape is WindowShape.TABLE
    assert apply_window(np.array([0, 10, 11, 12, 60]), window).tolist() == [0, 0, 255, 128, 128]


def test_a_modality_table_is_applied():
    raster = decode(made(ramp(), ModalityLUTSequence=[lut(0, [1000 + 3 * n for n in range(64)], 16)]))
    assert raster.values.tolist() == (1000 + 3 * ramp()).tolist() and raster.unit == ""


def test_fractional_slopes_keep_their_fractions():
    raster = decode(made(ramp(), RescaleSlope="0.5", RescaleIntercept="-10.25", Modality="CT"))
    assert raster.values.dtype == np.float32 and raster.values[0, 1] == -9.75 and raster.unit == "HU"


def test_functional_groups_give_windows_spacing_and_rescale_by_frame():
    def group(intercept: str, centre: str) -> Dataset:
        rescale, window, spacing, frame = Dataset(), Dataset(), Dataset(), Dataset()
        rescale.RescaleIntercept, rescale.RescaleSlope = intercept, "1"
        window.WindowCenter, window.WindowWidth = centre, "100"
        spacing.PixelSpacing = ["0.4", "0.2"]
        frame.PixelValueTransformationSequence, frame.FrameVOILUTSequence = [rescale], [window]
        frame.PixelMeasuresSequence = [spacing]
        return frame

    values = np.vstack([ramp(), ramp()])
    data = made(
        values,
        Rows=8,
        NumberOfFrames="2",
        PerFrameFunctionalGroupsSequence=[group("0", "5"), group("-1000", "7")],
    )
    second = decode(data, 1)
    assert second.values.min() == -1000 and second.windows[0].centre == 7
    assert second.spacing_mm == (0.4, 0.2) and second.pixel_aspect == 2.0
    assert decode(data, 0).values.min() == 0


def test_sigmoid_windows_and_padding_are_read():
    raster = decode(
        made(
            ramp().astype(np.int16), WindowCenter="30", WindowWidth="20", VOILUTFunction="SIGMOID", PixelPaddingValue=0,
            RescaleSlope="1", RescaleIntercept="-5",
        )
    )  # fmt: skip
    assert raster.windows[0].shape is WindowShape.SIGMOID and raster.padding == -5


@pytest.mark.parametrize("name", ["CT_small.dcm", "examples_overlay.dcm", "liver_1frame.dcm", "693_J2KI.dcm"])
def test_stripped_files_draw_the_same_and_hold_only_what_is_allowed(name):
    data = read(name)
    clean = dicom.stripped(data)
    before, after = decode(data), decode(clean)
    assert np.array_equal(before.values, after.values)
    assert (before.spacing_mm, before.sides, before.unit) == (after.spacing_mm, after.sides, after.unit)
    assert [(w.centre, w.width) for w in before.windows] == [(w.centre, w.width) for w in after.windows]

    def tags(dataset: Dataset, allowed: frozenset[int]) -> None:
        for element in dataset:
            assert element.tag in allowed or element.tag in MARKS, element
            if element.VR == "SQ" and element.tag not in MARKS:
                for item in element.value:
                    tags(item, NESTED)

    tags(pydicom.dcmread(io.BytesIO(clean)), ALLOWED)
    assert dicom.stripped(data) == clean  # the same file is stored once


def test_names_numbers_and_dates_are_neither_read_nor_kept():
    data = made(ramp())
    assert b"SECRET" in data
    clean = dicom.stripped(data)
    for secret in (b"Doe", b"Jane", b"SECRET", b"20240229", b"1.2.3\x00"):
        assert secret not in clean
    read_elements = read_dataset(data)
    assert "PatientName" not in read_elements and "StudyDate" not in read_elements
    assert "Doe" not in repr(decode(data)) and "Doe" not in repr(probe(data))


def test_without_pydicom_the_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['pydicom'] = None\n"
        "from radtui.imaging.decode import decode\n"
        "from radtui.records import UserError\n"
        "try: decode(bytes(128) + b'DICM')\n"
        "except UserError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'radtui[dicom]'" in done.stdout
