"""Volumes: which slices, which way round, which greys; and nothing of the header."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="nibabel is in the extra `volumes`")
pytest.importorskip("SimpleITK", reason="SimpleITK is in the extra `volumes`")
pytest.importorskip("pydicom", reason="pydicom is in the extra `dicom`")

import nibabel
import SimpleITK

from radtui.imaging.decode import decode, training_image
from radtui.imaging.raster import Sides
from radtui.imaging.volumes import slices
from radtui.records import UserError
from radtui.sources.images import read_images

SECRET = b"Quibblesworth"


def head(shape: tuple[int, int, int] = (20, 24, 16)) -> np.ndarray:
    """Axes to the left, the back and the head; bright at the patient's left, at the front, and at the top."""
    x, y, z = np.indices(shape) / (np.array(shape)[:, None, None, None] - 1)
    body = np.hypot(x - 0.5, y - 0.5) < 0.45
    return np.where(body, 100 + 60 * (x > 0.5) + 300 * (y < 0.5) + 25 * (z > 0.5), 0).astype(np.int16)


def nifti(
    values: np.ndarray, codes: str = "LPS", spacing: tuple[float, ...] = (1, 1, 3), **more: float
) -> bytes:
    """The same head stored along other axes: `codes` are the directions that its axes grow in."""
    in_lps = nibabel.Nifti1Image(values, np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]))
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("LPS"), nibabel.orientations.axcodes2ornt(codes)
    )
    image = in_lps.as_reoriented(turn)
    image.header["descrip"] = SECRET
    image.header["db_name"] = SECRET
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", SECRET))
    if more:
        image.header.set_slope_inter(more["slope"], more["inter"])
    return gzip.compress(image.to_bytes())


@pytest.mark.parametrize("codes", ["LPS", "RAS", "RPI", "PSL", "SRA", "AIL"])
def test_however_a_volume_is_stored_its_slices_look_alike(codes: str) -> None:
    values = head()
    taken, facts = slices("a.nii.gz", nifti(values, codes))
    assert facts["Plane"] == "axial" and facts["VolumeKind"] == "NIfTI" and len(taken) == 3
    middle = decode(taken[0].data)
    assert middle.sides == Sides("R", "L", "A", "P")
    assert np.array_equal(middle.values, values[:, :, 8].T)
    drawn = {tuple(decode(each.data).values.ravel().tolist()) for each in taken}
    assert drawn <= {tuple(values[:, :, k].T.ravel().tolist()) for k in range(16)}
    assert middle.spacing_mm == (1, 1)


@pytest.mark.parametrize(
    ("spacing", "plane", "sides"),
    [
        ((1, 1, 3), "axial", Sides("R", "L", "A", "P")),
        ((1, 3, 1), "coronal", Sides("R", "L", "H", "F")),
        ((3, 1, 1), "sagittal", Sides("A", "P", "H", "F")),
        ((1, 1, 1), "axial", Sides("R", "L", "A", "P")),
    ],
)
def test_a_volume_is_cut_along_the_axis_it_was_acquired_along(spacing, plane, sides) -> None:
    taken, facts = slices("a.nii.gz", nifti(head(), "RAS", spacing))
    assert facts["Plane"] == plane
    assert all(decode(each.data).sides == sides for each in taken)
    assert f"{plane} slice {taken[0].number} of " in taken[0].note


def test_slices_are_spread_over_what_shows_something_and_the_middle_one_comes_first() -> None:
    values = np.zeros((20, 20, 40), np.int16)
    values[4:16, 4:16, 20:33] = np.arange(1, 145).reshape(12, 12, 1)
    taken, _ = slices("a.nii.gz", nifti(values))
    assert [each.number for each in taken] == [27, 24, 30]
    assert all(decode(each.data).values.std() > 0 for each in taken)
    single, _ = slices("a.nii.gz", nifti(values[:, :, 22:23]))
    assert [(each.number, each.note) for each in single] == [(1, "")]


def test_a_ct_is_in_hounsfield_units_with_a_soft_tissue_window() -> None:
    values = np.where(head() > 0, head() - 100, -1024).astype(np.int16)
    values[10, 12, :] = 900
    taken, facts = slices("ct.nii.gz", nifti(values))
    raster = decode(taken[0].data)
    assert (raster.unit, raster.values.min(), facts["Modality"]) == ("HU", -1024, "CT")
    assert (raster.windows[0].centre, raster.windows[0].width) == (40, 400)


def test_scaled_and_fractional_values_come_back() -> None:
    scaled = decode(slices("a.nii.gz", nifti(head(), slope=0.5, inter=-20.0))[0][0].data)
    assert scaled.values.min() == -20 and scaled.values.max() == pytest.approx(head()[:, :, 8].max() / 2 - 20)
    fractions = (head() / 7).astype(np.float32)
    raster = decode(slices("a.nii.gz", nifti(fractions))[0][0].data)
    assert raster.values.max() == pytest.approx(fractions[:, :, 8].max(), abs=0.01)
    broken = fractions.copy()
    broken[0, 0, :] = np.nan
    assert np.isfinite(decode(slices("a.nii.gz", nifti(broken))[0][0].data).values).all()


def written(tmp_path: Path, name: str, values: np.ndarray, compressed: bool = False) -> Path:
    image = SimpleITK.GetImageFromArray(values.transpose())
    image.SetSpacing((0.5, 0.5, 2.0)[: values.ndim])
    if values.ndim == 3:
        image.SetMetaData("PatientName", SECRET.decode())
    SimpleITK.WriteImage(image, str(tmp_path / name), compressed)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
@pytest.mark.parametrize("compressed", [False, True])
def test_metaimage_and_nrrd_are_read_through_simpleitk(tmp_path: Path, name: str, compressed: bool) -> None:
    path = written(tmp_path, name, head(), compressed)
    images = read_images(name, path.read_bytes())
    assert [image.error for image in images] == ["", "", ""]
    assert [image.part for image in images] == ["slice 9", "slice 5", "slice 12"]
    first = decode(images[0].data)
    assert np.array_equal(first.values, head()[:, :, 8].T) and first.sides == Sides("R", "L", "A", "P")
    assert first.spacing_mm == (0.5, 0.5) and not images[0].as_found


def test_a_plane_in_a_metaimage_is_drawn_as_it_lies(tmp_path: Path) -> None:
    plane = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40)
    (image,) = read_images("a.mha", written(tmp_path, "a.mha", plane).read_bytes())
    assert (image.width_px, image.height_px, image.note, image.part) == (30, 40, "", "")
    assert np.array_equal(decode(image.data).values, plane.T)


def test_values_in_a_second_file_are_read_from_beside_and_from_nowhere_else(tmp_path: Path) -> None:
    path = written(tmp_path, "a.mhd", head())
    header = path.read_bytes()
    images = read_images("a.mhd", header, beside=lambda name: (tmp_path / name).read_bytes())
    assert len(images) == 3 and not images[0].error
    assert "second file" in read_images("a.mhd", header)[0].error
    (tmp_path / "secret.raw").write_bytes(SECRET * 4096)
    asked: list[str] = []

    def beside(name: str) -> bytes:
        asked.append(name)
        return b""

    for name in (b"../secret.raw", str(tmp_path / "secret.raw").encode(), b"LIST", b"s%03d.raw 1 3 1"):
        (image,) = read_images("a.mhd", header.replace(b"a.raw", name), beside=beside)
        assert "other files than one beside it" in image.error and not image.data
    assert asked == []


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "a.nrrd"])
def test_nothing_of_a_volumes_header_is_kept(tmp_path: Path, name: str) -> None:
    data = nifti(head()) if name == "a.nii.gz" else written(tmp_path, name, head()).read_bytes()
    assert SECRET in (gzip.decompress(data) if name == "a.nii.gz" else data)
    for image in read_images(name, data):
        assert SECRET not in image.data and SECRET.decode() not in f"{image.facts} {image.note} {image.part}"
        assert np.asarray(training_image(image.data)).std() > 5


def test_further_times_are_not_read_and_that_is_said() -> None:
    image = nibabel.Nifti1Image(np.stack([head(), head(), head()], axis=-1), np.eye(4))
    taken, _ = slices("a.nii", image.to_bytes())
    assert "the first of 3 volumes in the file" in taken[0].note


def test_volumes_larger_than_the_bound_are_refused_before_they_are_unpacked() -> None:
    header = nibabel.Nifti1Header()
    header.set_data_shape((2000, 2000, 2000))
    header.set_data_dtype(np.int16)
    out = io.BytesIO()
    header.write_to(out)
    bomb = gzip.compress(out.getvalue() + bytes(50 * 2**20))
    assert len(bomb) < 100_000
    with pytest.raises(UserError, match="15,258 MiB"):
        slices("a.nii.gz", bomb)


@pytest.mark.parametrize("keep", [0, 100, 348, 400, 2000])
def test_damaged_volumes_get_one_sentence(keep: int) -> None:
    noise = np.random.default_rng(0).integers(0, 1000, (20, 24, 16)).astype(np.int16)
    plain = gzip.decompress(nifti(noise))
    for data in (plain[:keep], gzip.compress(plain)[:keep]):
        (image,) = read_images("a.nii.gz", data)
        assert image.error.endswith(".") and image.data == b""


def test_without_the_extra_the_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['nibabel'] = None; sys.modules['SimpleITK'] = None\n"
        "from radtui.sources.images import read_images\n"
        "print(read_images('a.nii', bytes(344) + b'n+1' + bytes(100))[0].error)\n"
        "print(read_images('a.mha', b'ObjectType = Image')[0].error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'radtui[volumes]'") == 2
