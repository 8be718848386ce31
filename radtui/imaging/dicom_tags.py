"""The DICOM elements that are read: what is needed to draw an image, and nothing that names a person."""

from __future__ import annotations

OVERLAY_GROUPS = tuple(range(0x6000, 0x6020, 2))

# Group and element, with the name that PS3.6 gives it.
_IMAGE = (
    (0x0008, 0x0005),  # Specific Character Set: pydicom reads it in any case
    (0x0008, 0x0016),  # SOP Class UID: what kind of object it is
    (0x0008, 0x0060),  # Modality
    (0x0018, 0x1164),  # Imager Pixel Spacing
    (0x0018, 0x2010),  # Nominal Scanned Pixel Spacing
    (0x0020, 0x0020),  # Patient Orientation: which way is left
    (0x0020, 0x0037),  # Image Orientation (Patient)
    (0x0028, 0x0002),  # Samples per Pixel
    (0x0028, 0x0004),  # Photometric Interpretation
    (0x0028, 0x0006),  # Planar Configuration
    (0x0028, 0x0008),  # Number of Frames
    (0x0028, 0x0010),  # Rows
    (0x0028, 0x0011),  # Columns
    (0x0028, 0x0030),  # Pixel Spacing
    (0x0028, 0x0034),  # Pixel Aspect Ratio
    (0x0028, 0x0100),  # Bits Allocated
    (0x0028, 0x0101),  # Bits Stored
    (0x0028, 0x0102),  # High Bit
    (0x0028, 0x0103),  # Pixel Representation
    (0x0028, 0x0120),  # Pixel Padding Value
    (0x0028, 0x0121),  # Pixel Padding Range Limit
    (0x0028, 0x0301),  # Burned In Annotation: whether names may be part of the pixels
    (0x0028, 0x1050),  # Window Center
    (0x0028, 0x1051),  # Window Width
    (0x0028, 0x1052),  # Rescale Intercept
    (0x0028, 0x1053),  # Rescale Slope
    (0x0028, 0x1054),  # Rescale Type
    (0x0028, 0x1056),  # VOI LUT Function
    (0x0028, 0x1101),  # Red Palette Color Lookup Table Descriptor
    (0x0028, 0x1102),  # Green ...
    (0x0028, 0x1103),  # Blue ...
    (0x0028, 0x1201),  # Red Palette Color Lookup Table Data
    (0x0028, 0x1202),  # Green ...
    (0x0028, 0x1203),  # Blue ...
    (0x0028, 0x1221),  # Segmented Red Palette Color Lookup Table Data
    (0x0028, 0x1222),  # Segmented Green ...
    (0x0028, 0x1223),  # Segmented Blue ...
    (0x0028, 0x3000),  # Modality LUT Sequence
    (0x0028, 0x3010),  # VOI LUT Sequence
    (0x2050, 0x0020),  # Presentation LUT Shape
    (0x3004, 0x0002),  # Dose Units
    (0x3004, 0x000E),  # Dose Grid Scaling
    (0x5200, 0x9229),  # Shared Functional Groups Sequence
    (0x5200, 0x9230),  # Per-Frame Functional Groups Sequence
    (0x7FE0, 0x0001),  # Extended Offset Table
    (0x7FE0, 0x0002),  # Extended Offset Table Lengths
    (0x7FE0, 0x0008),  # Float Pixel Data
    (0x7FE0, 0x0009),  # Double Float Pixel Data
    (0x7FE0, 0x0010),  # Pixel Data
)
_OVERLAY_ELEMENTS = (
    0x0010,  # Overlay Rows
    0x0011,  # Overlay Columns
    0x0015,  # Number of Frames in Overlay
    0x0040,  # Overlay Type
    0x0050,  # Overlay Origin
    0x0051,  # Image Frame Origin
    0x0100,  # Overlay Bits Allocated
    0x0102,  # Overlay Bit Position
    0x3000,  # Overlay Data
)


def _tag(group: int, element: int) -> int:
    return group << 16 | element


ALLOWED = frozenset(
    [_tag(group, element) for group, element in _IMAGE]
    + [_tag(group, element) for group in OVERLAY_GROUPS for element in _OVERLAY_ELEMENTS]
)

# Inside the sequences above.
NESTED = frozenset(
    _tag(group, element)
    for group, element in (
        (0x0020, 0x0037),  # Image Orientation (Patient)
        (0x0020, 0x9116),  # Plane Orientation Sequence
        (0x0028, 0x0030),  # Pixel Spacing
        (0x0028, 0x1050),  # Window Center
        (0x0028, 0x1051),  # Window Width
        (0x0028, 0x1052),  # Rescale Intercept
        (0x0028, 0x1053),  # Rescale Slope
        (0x0028, 0x1054),  # Rescale Type
        (0x0028, 0x1056),  # VOI LUT Function
        (0x0028, 0x3002),  # LUT Descriptor
        (0x0028, 0x3006),  # LUT Data
        (0x0028, 0x9110),  # Pixel Measures Sequence
        (0x0028, 0x9132),  # Frame VOI LUT Sequence
        (0x0028, 0x9145),  # Pixel Value Transformation Sequence
    )
)

CODES: dict[str, frozenset[str]] = {
    "PhotometricInterpretation": frozenset(
        (
            "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422",
            "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB", "HSV", "ARGB", "CMYK",
        )
    ),
    "VOILUTFunction": frozenset(("LINEAR", "LINEAR_EXACT", "SIGMOID")),
    "PresentationLUTShape": frozenset(("IDENTITY", "INVERSE")),
    "BurnedInAnnotation": frozenset(("YES", "NO")),
    "OverlayType": frozenset(("G", "R")),
}  # fmt: skip
"""Values that elements may keep; others may be free text that someone typed."""

MODALITIES = frozenset(
    (
        "AR", "BI", "BMD", "CD", "CF", "CP", "CR", "CS", "CT", "DD", "DF", "DG", "DM", "DS", "DX", "EC", "ECG", "EM",
        "ES", "FA", "FID", "FS", "GM", "IO", "IVOCT", "IVUS", "KER", "LEN", "LP", "LS", "MA", "MG", "MR", "MS", "NM",
        "OAM", "OCT", "OP", "OPM", "OPR", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PT", "PX", "REG", "RF",
        "RG", "RTDOSE", "RTIMAGE", "SEG", "SM", "ST", "TG", "US", "VA", "VF", "XA", "XC", "XRF",
    )
)  # fmt: skip
"""Modalities of objects with pixels. Source: DICOM PS3.3 C.7.3.1.1.1."""
