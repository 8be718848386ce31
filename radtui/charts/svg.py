"""A chart as a picture file: SVG as text, PNG as bytes; used by reports and by `radtui plot`."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from radtui.charts.model import ChartModel
from radtui.charts.plot import DASH_PX, GAP_PX, Dot, Label, Plot, PlotLine, Point, Shape, plot
from radtui.harmless import printable

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.PngImagePlugin import PngInfo

MADE_BY = "radtui"  # in the file, which may be replaced by another one that radtui makes
WIDTH_PX, HEIGHT_PX = 960, 480
FONTS = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
SUPERSAMPLE = 3  # Pillow draws without antialiasing: drawn larger, then reduced

# Source: XML 1.0, production 2 (Char): what a document may hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def loss_svg(
    model: ChartModel, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, dark: bool = False
) -> str:
    """A chart as one self-contained SVG document.

    Args:
        model: curves, events and choices; filled as the widget's is: `add`, `extend`, `set_events`.
        width_px: width, at least 320.
        height_px: height, at least 200.
        dark: light curves on a dark ground.

    Raises:
        ValueError: the picture is too small.
    """
    picture = plot(model, width_px, height_px, dark)
    size = f'width="{width_px}" height="{height_px}" viewBox="0 0 {width_px} {height_px}"'
    title = _text(" · ".join(part for part in (model.look.title, model.look.note) if part))
    body = "\n".join(map(_element, picture.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family={quoteattr(FONTS)}>\n'
        f"<title>{title}</title>\n<!-- {MADE_BY} -->\n"
        f'<rect width="100%" height="100%" fill="{picture.background}"/>\n{body}\n</svg>\n'
    )


def loss_png(
    model: ChartModel, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, dark: bool = False
) -> bytes:
    """The same chart as a PNG file.

    Args:
        model: as for `loss_svg`.
        width_px: width, at least 320.
        height_px: height, at least 200.
        dark: light curves on a dark ground.

    Raises:
        ValueError: the picture is too small.
    """
    from PIL import Image, ImageDraw

    picture: Plot = plot(model, width_px, height_px, dark)
    large = (width_px * SUPERSAMPLE, height_px * SUPERSAMPLE)
    image = Image.new("RGB", large, picture.background)
    draw = ImageDraw.Draw(image)
    for shape in picture.shapes:
        _paint(draw, shape)
    out = io.BytesIO()
    image.resize((width_px, height_px), Image.Resampling.BOX).save(
        out, "PNG", pnginfo=_made_by(), optimize=True
    )
    return out.getvalue()


def _element(shape: Shape) -> str:
    """A shape as an SVG element."""
    if isinstance(shape, Label):
        weight = ' font-weight="600"' if shape.bold else ""
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        x, y = shape.at
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{shape.size}" fill="{shape.colour}"'
        return f"<text {place}{weight}{anchor}>{_text(shape.text)}</text>"
    if isinstance(shape, Dot):
        x, y = shape.centre
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shape.radius}" fill="{shape.colour}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if shape.filled:
        return f'<polygon points="{points}" fill="{shape.colour}"/>'
    look = f'fill="none" stroke="{shape.colour}" stroke-width="{shape.width}" stroke-linejoin="round"'
    dashes = f' stroke-dasharray="{DASH_PX:g} {GAP_PX:g}"' if shape.dashed else ""
    return f'<polyline points="{points}" {look}{dashes}/>'


def _paint(draw: ImageDraw.ImageDraw, shape: Shape) -> None:
    """Draw a shape, enlarged."""
    from PIL import ImageFont

    scale = SUPERSAMPLE
    if isinstance(shape, Label):
        font = ImageFont.load_default(shape.size * scale)
        place = shape.at[0] * scale, shape.at[1] * scale
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
        # The built-in font has one weight: a thin outline stands in for bold.
        stroke = 1 if shape.bold else 0
        draw.text(place, _printable(shape.text), shape.colour, font, anchor, stroke_width=stroke)
    elif isinstance(shape, Dot):
        (x, y), r = shape.centre, shape.radius
        box = [(x - r) * scale, (y - r) * scale, (x + r) * scale, (y + r) * scale]
        draw.ellipse(box, fill=shape.colour)
    else:
        _paint_line(draw, shape)


def _paint_line(draw: ImageDraw.ImageDraw, shape: PlotLine) -> None:
    points = [(x * SUPERSAMPLE, y * SUPERSAMPLE) for x, y in shape.points]
    if len(points) < 2:
        return
    if shape.filled:
        draw.polygon(points, fill=shape.colour)
        return
    pieces = dashes(points, DASH_PX * SUPERSAMPLE, GAP_PX * SUPERSAMPLE) if shape.dashed else [points]
    for piece in pieces:
        draw.line(piece, fill=shape.colour, width=round(shape.width * SUPERSAMPLE), joint="curve")


def dashes(points: Sequence[Point], dash_px: float, gap_px: float) -> list[list[Point]]:
    """A polyline in dashes, which bend where it does; it begins with one.

    Args:
        points: Two at least.
        dash_px: Length of a dash.
        gap_px: Length of what is left out behind each.
    """
    pieces: list[list[Point]] = [[points[0]]]
    drawing, left_px = True, dash_px
    for (x, y), (next_x, next_y) in pairwise(points):
        length_px, done_px = math.hypot(next_x - x, next_y - y), 0.0
        while length_px - done_px > left_px:
            done_px += left_px
            at = (x + (next_x - x) * done_px / length_px, y + (next_y - y) * done_px / length_px)
            if drawing:
                pieces[-1].append(at)
            else:
                pieces.append([at])
            drawing, left_px = not drawing, gap_px if drawing else dash_px
        left_px -= length_px - done_px
        if drawing:
            pieces[-1].append((next_x, next_y))
    return pieces


def _made_by() -> PngInfo:
    from PIL.PngImagePlugin import PngInfo

    facts = PngInfo()
    facts.add_text("Software", MADE_BY)
    return facts


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", printable(text)))


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
