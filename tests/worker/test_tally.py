"""The last line of an import: why a case was left out, in a few words that still say it."""

from __future__ import annotations

import pytest

from radtui.worker.importing.tally import _short


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("This DICOM file (Key Object) holds no image; leave it out.", "this DICOM file holds no image"),
        ("a.dcm is named in t.csv but is not in the folder.", "not in the folder"),
        ("The image is damaged or not valid (ValueError); export it again.", "the image is damaged or not valid"),
        ("It cannot be opened (a (b)", "it cannot be opened"),
    ],
)  # fmt: skip
def test_a_reason_is_not_cut_in_its_midst(why: str, words: str) -> None:
    assert _short("a.dcm", why) == words
