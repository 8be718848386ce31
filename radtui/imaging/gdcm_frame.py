"""python -m radtui.imaging.gdcm_frame FRAME: a DICOM file on standard input, one frame as .npy on standard output."""

from __future__ import annotations

import sys
import tempfile

import numpy as np


def main() -> None:
    """Decode with GDCM, which reads files by name only; exits with 1 and a last line on stderr that says why."""
    import gdcm

    frame = int(sys.argv[1])
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(sys.stdin.buffer.read())
        file.flush()
        reader = gdcm.ImageReader()
        reader.SetFileName(file.name)
        if not reader.Read():
            sys.exit("GDCM cannot read the file")
    image = reader.GetImage()
    width, height = image.GetDimension(0), image.GetDimension(1)
    # The Python binding returns bytes as text with escapes.
    data = image.GetBuffer().encode("utf-8", errors="surrogateescape")
    kind = np.int16 if image.GetPixelFormat().GetPixelRepresentation() else np.uint16
    values = np.frombuffer(data, dtype=kind)
    if values.size < (frame + 1) * width * height:
        sys.exit("GDCM decoded too few pixels")
    np.save(sys.stdout.buffer, values.reshape(-1, height, width)[frame])


if __name__ == "__main__":
    main()
