"""One file's bytes to the images that stand for it: what may be kept, what a probe knows, and who is in it.

This is the only way for bytes into the data folder, whatever they came from (a folder, an archive, a cell of a
table). What comes back holds nothing of the patient that a header or a comment said, and bytes that cannot be
decoded do not come back at all. Nothing here touches the disk or the database, so an import calls it in threads:

    for image in read_images("study/IM0001", data):
        if image.error:            # one sentence; `image.data` is empty
            ...
        else:
            store(image.sha256, image.data)      # not `data`: this is what is safe to keep
            # image.format .width_px .height_px .mode    -> the row of the image
            # image.note     -> NewCaseImage.note: "frame 15 of 30, the middle one"
            # image.facts    -> facts of the case, where the table has none of that name
            # image.patient, image.exam   -> only through identity.Gate, never as they are
            # image.words    -> identity.Gate.learn: must not occur in a key, name or fact
            # image.as_found -> may be linked; False where something had to be taken out
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from radtui.imaging import decode, frames, volumes
from radtui.imaging.comments import without_comments
from radtui.imaging.dicom import stripped
from radtui.imaging.facts import Facts
from radtui.records import UserError
from radtui.sources.dicom import header_facts
from radtui.sources.dicom_keys import keep_quiet
from radtui.sources.kinds import HEAD_BYTES, FileUse, file_kind

log = logging.getLogger("radtui.sources")

__all__ = ["ReadImage", "read_images"]

BURNED_IN = (
    "This DICOM file says that text is burned into its pixels (Burned In Annotation YES), which may be a name;"
    " black it out and set the element to NO, then import it again."
)
SLIDE = (
    "This DICOM file is a whole-slide image, which radtui does not read; save the regions that matter as PNG."
)
Beside = Callable[[str], bytes]
"""Reads a file that lies beside another, by its name; raises UserError when there is none."""


@dataclass(frozen=True, slots=True)
class ReadImage:
    """One image that a file gave.

    Attributes:
        data: The bytes to keep: without names, dates, comments. b"" where `error` is not.
        sha256: Of `data`.
        format: "PNG", "DICOM", ...
        width_px: As displayed.
        height_px: As displayed.
        mode: Pillow's mode, or DICOM's photometric interpretation.
        frames: Frames in `data`.
        part: "" where a file is one image; else which part of it this is ("slice 40"), for names that must differ.
        note: What stands for the file where it holds more than one image, and other things to know of it; or "".
        facts: What a DICOM header or a volume tells that names nobody, by keyword.
        examination: "chest PA", or "".
        patient: The patient's identifier as the file has it; never to be stored.
        exam: The exam's identifier as the file has it; never to be stored.
        words: Lower-case words that name the patient or the exam; never to be stored.
        as_found: Whether `data` are the file's own bytes, so that the file may stay where it is.
        error: Why there is no image, as one sentence; or "".
    """

    data: bytes = b""
    sha256: str = ""
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    mode: str = ""
    frames: int = 1
    part: str = ""
    note: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    examination: str = ""
    patient: str = ""
    exam: str = ""
    words: frozenset[str] = frozenset()
    as_found: bool = False
    error: str = ""


def read_images(
    name: str,
    data: bytes,
    *,
    known: Mapping[str, Facts] | None = None,
    beside: Beside | None = None,
    burned_in: bool = False,
) -> tuple[ReadImage, ...]:
    """Take what is safe to keep of one file, and decode it once.

    Args:
        name: The file's name or path in its source, for its suffix and for sentences.
        data: Its bytes.
        known: What probes told before, by sha256 of kept bytes: such an image is not decoded again.
        beside: How to read a second file of a volume (MHD and its RAW); None where there can be none.
        burned_in: Whether to take DICOM files that say that text is burned into their pixels.

    Returns:
        One image; up to three slices of a volume; or one with an `error`. Never empty.
    """
    if not data:
        return (ReadImage(error="The image is empty (0 bytes)."),)
    try:
        return _images(name, data, known or {}, beside, burned_in)
    except UserError as error:
        return (ReadImage(error=str(error)),)
    except Exception as error:  # one file that breaks a decoder in a new way must not end an import
        log.debug("decoding failed", exc_info=True)  # the text of an error may quote what the file says
        return (
            ReadImage(error=f"The image is damaged or not valid ({type(error).__name__}); export it again."),
        )


def _images(
    name: str, data: bytes, known: Mapping[str, Facts], beside: Beside | None, burned_in: bool
) -> tuple[ReadImage, ...]:
    kind = file_kind(name, data[:HEAD_BYTES])
    if kind.use is FileUse.OTHER and kind.name:
        raise UserError(kind.reason)
    if kind.use is FileUse.DICOM:
        return (_dicom(data, known, burned_in),)
    if kind.use is FileUse.VOLUME:
        return _volume(name, data, known, beside)
    return (_picture(data, known),)


def _dicom(data: bytes, known: Mapping[str, Facts], burned_in: bool) -> ReadImage:
    keep_quiet()
    header = header_facts(data)
    if header.burned_in and not burned_in:
        return ReadImage(error=BURNED_IN)
    if header.facts.get("Modality") == "SM":
        return ReadImage(error=SLIDE)
    remarks = ["overlay graphics are left out"] if header.overlay else []
    if header.burned_in:
        remarks.append("the file says that text may be burned into its pixels")
    image = _probed(stripped(data), known, remarks)
    return replace(
        image, facts=header.facts, examination=header.examination, patient=header.patient, exam=header.exam,
        words=header.identity,
    )  # fmt: skip


def _volume(
    name: str, data: bytes, known: Mapping[str, Facts], beside: Beside | None
) -> tuple[ReadImage, ...]:
    taken, facts = volumes.slices(name, data, beside)
    return tuple(
        replace(
            _probed(each.data, known, [each.note]),
            facts=facts,
            part=f"slice {each.number}" if len(taken) > 1 else "",
        )
        for each in taken
    )


def _picture(data: bytes, known: Mapping[str, Facts]) -> ReadImage:
    kept = without_comments(data)
    image = _probed(kept, known, [])
    return replace(image, as_found=kept is data)


def _probed(kept: bytes, known: Mapping[str, Facts], remarks: list[str]) -> ReadImage:
    """Decode what is kept, unless it was decoded before; `remarks` goes into the note."""
    sha256 = hashlib.sha256(kept).hexdigest()
    facts = known.get(sha256) or decode.probe(kept)
    noun = "frame" if facts.format in ("DICOM", "GIF", "PNG", "WEBP", "AVIF") else "page"
    note = "; ".join(filter(None, [frames.note(facts.frame, facts.frames, noun), *remarks]))
    return ReadImage(
        kept, sha256, facts.format, facts.width_px, facts.height_px, facts.mode, facts.frames, note=note
    )
