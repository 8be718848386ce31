"""One image canvas in real pixels: renders the view, sends it, and frees what is no longer seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from radtui.imaging import draw
from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.protocols import kitty, marks
from radtui.imaging.protocols.answers import Way
from radtui.imaging.protocols.sixel import sixel
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.render import render_px
from radtui.imaging.view import View, Viewport, geometry
from radtui.tui.pixels.parts import overlaps, tiles, visible_parts
from radtui.tui.pixels.strips import BLACK, BLACK_OF_256, PixelRows, PixelStrip, ShownImage
from radtui.tui.pixels.support import PixelSupport

USUAL_CELL_PX = (10, 20)  # for cells that stand for an image, where nobody tells: the terminal fits it in
MOST_PX = 2_000_000  # of a frame; beyond, each is drawn for several of the screen's
COARSE = 2  # pixels of the screen across and down for each sent one, while a key repeats
COARSE_BITS = np.uint8(0xF8)  # what is kept of a grey then: noise is what costs bytes
COARSE_REGISTERS = 32


@dataclass(frozen=True, slots=True)
class FrameParts:
    """What a frame is made of, and what is sent of it.

    Attributes:
        px: (H, W) or (H, W, 3) uint8: the cells of `area`.
        area: In cells of the canvas; what is beside it is black.
        scale: Pixels of the screen across and down for each of `px`.
        coarse: Whether it is soon followed by a finer one.
    """

    px: NDArray[np.uint8]
    area: Region
    scale: int
    coarse: bool


class PixelPainter:
    """Draws for one canvas.

    Args:
        canvas: Where.
        support: How.
    """

    def __init__(self, canvas: Widget, support: PixelSupport) -> None:
        self._canvas, self._support = canvas, support
        self._frame: FrameParts | None = None
        self._pending = False  # whether the frame is still to be written, where the app owns the place
        self._touched: list[Region] = []  # written over by text since, in cells of the canvas
        self._shown: list[int] = []  # images that the terminal holds for the frame
        self._old: list[int] = []  # and for frames before
        support.painters.add(self)

    @property
    def state(self) -> tuple[object, ...]:
        """What a frame depends on beside the view."""
        support = self._support
        return support.way, support.cell_px, support.generation

    @property
    def on(self) -> bool:
        """Whether images are in pixels."""
        return self._support.way is not Way.BLOCKS

    @property
    def owns_place(self) -> bool:
        """Whether the image is no text, and is drawn again by itself where text has been written over it."""
        return self._support.way in (Way.SIXEL, Way.PLACED)

    @property
    def keeps_place(self) -> bool:
        """Whether the next frame can be drawn over this one without any text."""
        return self.owns_place and self._frame is not None

    @property
    def cell_px(self) -> tuple[float, float]:
        """Drawn pixels of a cell, across and down."""
        width, height = self._support.cell_px or USUAL_CELL_PX
        return width / self._scale, height / self._scale

    def port(self, columns: int, rows: int) -> Viewport:
        """The drawn pixels of so many cells."""
        across, down = self.cell_px
        return Viewport(max(1, int(columns * across)), max(1, int(rows * down)))

    def rows(
        self,
        pyramid: Pyramid,
        look: View,
        size: tuple[int, int],
        style: draw.Style,
        depth: ColourDepth,
        coarse: bool,
    ) -> list[Strip]:
        """Draw a view, and send it where the terminal keeps images.

        Args:
            pyramid: The image.
            look: Where and how to look.
            size: Columns and rows.
            style: The marks on it.
            depth: The colours that reach the terminal.
            coarse: At half resolution and fewer greys.
        """
        columns, rows = size
        true_colour = depth is ColourDepth.TRUE
        self._frame = self._rendered(pyramid, look, columns, rows, style, coarse)
        half = replace(style, blocks=Blocks.HALF)
        made = PixelRows(
            lambda: draw.draw(pyramid, look, columns, rows, half),
            {Way.PLACED: ""}.get(self._support.way, BLACK if true_colour else BLACK_OF_256),
            true_colour=true_colour,
        )
        if self._support.way is Way.CELLS:
            made.shown = self._send(self._frame, true_colour)
        else:
            self._pending = True
        return [PixelStrip(made, y, 0, columns) for y in range(rows)]

    def redraw(self) -> None:
        """Draw the canvas anew."""
        if self._canvas.is_attached:
            self._canvas.refresh()

    def nothing(self) -> None:
        """There is no image on the canvas."""
        self._frame, self._pending = None, False
        self._old += self._shown
        self._shown = []

    def touched(self, crop: Region) -> None:
        """Note that a frame writes text over a part of the canvas."""
        if self._frame is not None and self.owns_place:
            self._touched.append(crop)

    def after_frame(self) -> None:
        """Free what the frame that was just written no longer shows; write what the app has to draw itself."""
        if not self._canvas.is_attached:
            self.nothing()
            self._support.painters.discard(self)
        touched, self._touched = self._touched, []
        if self._frame is not None and self.owns_place and (self._pending or touched):
            self._draw_place(self._frame, touched)
        if self._old:
            old, self._old = self._old, []
            self._write([kitty.free(image_id) for image_id in old])

    @property
    def _scale(self) -> int:
        """Pixels of the screen across and down for each drawn one, so that no frame is huge."""
        width, height = self._support.cell_px or USUAL_CELL_PX
        size = self._canvas.size
        wanted = math.ceil(math.sqrt(width * size.width * height * size.height / MOST_PX))
        return next(scale for scale in (1, 2, 3, 6) if scale >= wanted or scale == 6)

    def _rendered(
        self, pyramid: Pyramid, look: View, columns: int, rows: int, style: draw.Style, coarse: bool
    ) -> FrameParts:
        """Draw the cells that the image lies in; those of the whole canvas where marks lie beside it."""
        scale = self._scale
        if coarse:
            scale = next((more for more in (2, 3, 6) if more >= scale * COARSE), 6)
        width, height = self._support.cell_px or USUAL_CELL_PX
        port = Viewport(max(1, columns * width // scale), max(1, rows * height // scale))
        px = render_px(pyramid, look, port.width_px, port.height_px)
        if coarse:
            px &= COARSE_BITS
        elif style.marks:
            marks.draw_marks(px, pyramid, look, height / scale)
        if style.cross and not coarse:
            marks.draw_cross(px, height / scale)
        area = Region(0, 0, columns, rows)
        if not (style.marks and marks.has_marks(pyramid, look)):
            area = _cells_of(geometry(pyramid, look, port).placed, (width / scale, height / scale), area)
        return FrameParts(_cut(px, area, area.offset, (width, height), scale), area, scale, coarse)

    def _send(self, frame: FrameParts, true_colour: bool) -> list[ShownImage]:
        """Send a frame; in several images where it has more cells than one can have."""
        self._old += self._shown
        self._shown, shown, commands = [], [], []
        cell_px = self._support.cell_px or USUAL_CELL_PX
        for tile in tiles(frame.area, kitty.MOST_CELLS, kitty.MOST_CELLS):
            image_id = self._support.image_id(true_colour)
            px = _cut(frame.px, tile, tile.offset - frame.area.offset, cell_px, frame.scale)
            commands += kitty.transmit(px, image_id)
            commands.append(kitty.stand_in(image_id, tile.width, tile.height))
            self._shown.append(image_id)
            shown.append(ShownImage(tile.x, tile.y, tile.width, tile.height, image_id))
        self._write(commands)
        return shown

    def _draw_place(self, frame: FrameParts, touched: list[Region]) -> None:
        """Draw where nothing lies over the canvas: all of a new frame, else what text was written over."""
        parts = visible_parts(self._canvas, frame.area)
        if not self._pending:
            at = self._canvas.region.offset
            parts = overlaps(parts, [crop.translate(at) for crop in touched])
        if not parts:
            return
        write = self._placed if self._support.way is Way.PLACED else self._sixels
        write(frame, parts)
        self._pending = False
        pacer = getattr(self._canvas, "pacer", None)
        if pacer is not None:
            pacer.painted()

    def _placed(self, frame: FrameParts, parts: list[Region]) -> None:
        """One image behind the text; messages over it have a background of their own, so it is placed whole."""
        del parts
        if not self._pending:  # what was written over it has its own background, or none any more
            return
        self._old += self._shown
        self._shown = [self._support.image_id(True)]
        area = frame.area.translate(self._canvas.region.offset)
        commands = kitty.transmit(frame.px, self._shown[0])
        place = kitty.place(self._shown[0], area.width, area.height)
        self._write([*commands, f"\x1b7\x1b[{area.y + 1};{area.x + 1}H{place}\x1b8"])

    def _sixels(self, frame: FrameParts, parts: list[Region]) -> None:
        cell_px = self._support.cell_px or USUAL_CELL_PX
        largest_px = self._support.graphics.largest_px or (2**15, 2**15)
        most = max(1, largest_px[0] // cell_px[0]), max(1, largest_px[1] // cell_px[1])
        registers = self._support.graphics.registers
        if frame.coarse:
            registers = min(registers, COARSE_REGISTERS)
        origin = frame.area.translate(self._canvas.region.offset).offset
        written = ["\x1b7"]
        for tile in (tile for part in parts for tile in tiles(part, *most)):
            px = _cut(frame.px, tile, tile.offset - origin, cell_px, frame.scale)
            written.append(f"\x1b[{tile.y + 1};{tile.x + 1}H{sixel(px, registers, scale=frame.scale)}")
        self._write(["".join([*written, "\x1b8"])])

    def _write(self, commands: list[str]) -> None:
        driver = self._canvas.app._driver
        if driver is not None and commands:
            driver.write(self._support.wrapped(commands))


def _cells_of(placed: tuple[int, int, int, int], cell_px: tuple[float, float], area: Region) -> Region:
    """The cells that drawn pixels lie in."""
    left, top, width, height = placed
    across, down = cell_px
    region = Region.from_corners(
        int(left // across),
        int(top // down),
        math.ceil((left + width) / across),
        math.ceil((top + height) / down),
    )
    return region.intersection(area)


def _cut(
    px: NDArray[np.uint8], tile: Region, at: tuple[int, int], cell_px: tuple[int, int], scale: int
) -> NDArray[np.uint8]:
    """The pixels of some cells, which begin at a cell of the whole."""
    width, height = cell_px
    left, top = at[0] * width // scale, at[1] * height // scale
    right, bottom = (at[0] + tile.width) * width // scale, (at[1] + tile.height) * height // scale
    return px[top:bottom, left:right]
