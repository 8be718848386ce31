"""One image in real pixels: renders the view, sends it, and frees what is no longer seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from radtui.imaging import draw
from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.protocols import kitty
from radtui.imaging.protocols.answers import Way
from radtui.imaging.protocols.sixel import sixel
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport
from radtui.tui.pixels.frames import FrameParts, cut, rendered, scale_of
from radtui.tui.pixels.parts import overlaps, tiles, visible_parts
from radtui.tui.pixels.strips import BLACK, BLACK_OF_256, PixelRows, PixelStrip, ShownImage
from radtui.tui.pixels.support import PixelSupport

USUAL_CELL_PX = (10, 20)  # for cells that stand for an image, where nobody tells: the terminal fits it in
COARSE_REGISTERS = 32  # of sixels while a key repeats


class PixelPainter:
    """Draws for one widget.

    Args:
        widget: Where.
        support: How.
        painted: Called when a frame has been written that is no text, and so by no frame of Textual's.
    """

    def __init__(self, widget: Widget, support: PixelSupport, painted: Callable[[], object]) -> None:
        self._widget, self._support, self._painted = widget, support, painted
        self._frame: FrameParts | None = None
        self._pending = False  # whether the frame is still to be written, where the app owns the place
        self._touched: list[Region] = []  # written over by text since, in cells of the widget
        self._shown: list[int] = []  # images that the terminal holds for the frame
        self._old: list[int] = []  # and for frames before
        self._placed_in: Region | None = None  # where the frame lies behind the text, in cells of the screen
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
        width, height = self._screen_cell_px
        scale = scale_of(self._widget.size, (width, height))
        return width / scale, height / scale

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
        cell_px = self._screen_cell_px
        scale = scale_of(self._widget.size, cell_px)
        self._frame = rendered(pyramid, look, size, cell_px, style, scale, coarse)
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
        """Draw the widget anew."""
        if self._widget.is_attached:
            self._widget.refresh()

    def nothing(self) -> None:
        """There is no image in the widget."""
        self._frame, self._pending, self._placed_in = None, False, None
        self._old += self._shown
        self._shown = []

    def leave(self) -> None:
        """Let the terminal forget all images, which it would keep beyond the app's end."""
        self.nothing()
        self._free_old()

    def touched(self, crop: Region) -> None:
        """Note that a frame writes text over a part of the widget."""
        if self._frame is not None and self.owns_place:
            self._touched.append(crop)

    def after_frame(self) -> None:
        """Free what the frame that was just written no longer shows; write what the app has to draw itself."""
        if not self._widget.is_attached:
            self.nothing()
            self._support.painters.discard(self)
        touched, self._touched = self._touched, []
        if self._frame is not None and (self._pending or touched or self._placed_in is not None):
            self._draw_place(self._frame, touched)
        self._free_old()

    @property
    def _screen_cell_px(self) -> tuple[int, int]:
        """Width and height of a cell, in pixels of the screen."""
        return self._support.cell_px or USUAL_CELL_PX

    def _free_old(self) -> None:
        """Let the terminal forget the images of frames before."""
        old, self._old = self._old, []
        self._write([kitty.free(image_id) for image_id in old])

    def _send(self, frame: FrameParts, true_colour: bool) -> list[ShownImage]:
        """Send a frame; in several images where it has more cells than one can have."""
        self._old += self._shown
        self._shown, shown, commands = [], [], []
        for tile in tiles(frame.area, kitty.MOST_CELLS, kitty.MOST_CELLS):
            image_id = self._support.image_id(true_colour)
            px = cut(frame.px, tile, tile.offset - frame.area.offset, self._screen_cell_px, frame.scale)
            commands += kitty.transmit(px, image_id)
            commands.append(kitty.stand_in(image_id, tile.width, tile.height))
            self._shown.append(image_id)
            shown.append(ShownImage(tile.x, tile.y, tile.width, tile.height, image_id))
        self._write(commands)
        return shown

    def _draw_place(self, frame: FrameParts, touched: list[Region]) -> None:
        """Draw where nothing lies over the widget: all of a new frame, else what text was written over."""
        parts, at = visible_parts(self._widget, frame.area), self._widget.region.offset
        was_pending = self._pending
        if self._support.way is Way.PLACED:
            self._placed(frame, frame.area.translate(at) if parts else None)
        elif was_pending:
            self._sixels(frame, parts)
        else:
            self._sixels(frame, overlaps(parts, [crop.translate(at) for crop in touched]))
        if was_pending and not self._pending:
            self._painted()

    def _placed(self, frame: FrameParts, where: Region | None) -> None:
        """Lay one image behind the text, whole: messages over it have a background of their own.

        Args:
            frame: The image.
            where: In cells of the screen; None takes it away, since some cells of another screen show what lies behind.
        """
        commands: list[str] = []
        if where is None and self._placed_in is not None:
            commands = [kitty.take_away(image_id) for image_id in self._shown]
        elif where is not None and self._pending:
            self._old += self._shown
            self._shown = [self._support.image_id(True)]
            commands = kitty.transmit(frame.px, self._shown[0])
            self._pending = False
        if where is not None and (commands or where != self._placed_in):
            place = kitty.place(self._shown[0], where.width, where.height)
            commands.append(f"\x1b7\x1b[{where.y + 1};{where.x + 1}H{place}\x1b8")
        self._placed_in = where
        self._write(commands)

    def _sixels(self, frame: FrameParts, parts: list[Region]) -> None:
        """Draw some rectangles, in cells of the screen."""
        if not parts:
            return
        self._pending = False
        cell_px = self._screen_cell_px
        largest_px = self._support.graphics.largest_px or (2**15, 2**15)
        most = max(1, largest_px[0] // cell_px[0]), max(1, largest_px[1] // cell_px[1])
        registers = self._support.graphics.registers
        if frame.coarse:
            registers = min(registers, COARSE_REGISTERS)
        origin = frame.area.translate(self._widget.region.offset).offset
        written = ["\x1b7"]
        for tile in (tile for part in parts for tile in tiles(part, *most)):
            px = cut(frame.px, tile, tile.offset - origin, cell_px, frame.scale)
            written.append(f"\x1b[{tile.y + 1};{tile.x + 1}H{sixel(px, registers, scale=frame.scale)}")
        self._write(["".join([*written, "\x1b8"])])

    def _write(self, commands: list[str]) -> None:
        driver = self._widget.app._driver
        if driver is not None and commands:
            driver.write(self._support.wrapped(commands))
