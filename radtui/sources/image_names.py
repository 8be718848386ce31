"""How the names of images' files end: what tables, lists and cells are told by that they name one."""

from __future__ import annotations

import re

ENDING = (
    r"\.(png|jpe?g|jpe|jfif|tiff?|webp|bmp|dib|gif|jp2|j2k|pgm|ppm|avif|heic"
    r"|dcm|dicom|dic|ima|nii|nii\.gz|mha|mhd|nrrd)"
)
"""As a pattern, of names in lower case."""
IMAGE_ENDING = re.compile(ENDING + "$", re.IGNORECASE)
