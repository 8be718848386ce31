"""A small terminal that draws pixels: what kitty's protocol, its stand-in cells and sixels make of a screen.

It knows the sequences that Textual writes and those of the pixel protocols, and raises on any other graphics command,
so that nothing passes that a terminal would refuse. Written from the protocols' descriptions, not from the code that
is tested; the combining characters alone are the code's own table, which a test compares with Unicode's data.
"""

from __future__ import annotations

import base64
import codecs
import io
import re
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from radtui.imaging.protocols.kitty import DIACRITICS

PLACEHOLDER = "\U0010eeee"
_SIXEL = re.compile(
    r"#(?P<number>\d+);2;(?P<rgb>\d+;\d+;\d+)|#(?P<colour>\d+)|(?P<control>[$-])|(?P<run>(?:(?:!\d+)?[?-~])+)"
)
_REPEATED = re.compile(r"!(\d+)(.)")
_DRAWN_BY_SIXEL = np.arange(64) >> np.arange(6)[:, None] & 1 == 1
_TOKEN = re.compile(
    r"\x1b_(?P<apc>[^\x1b]*)\x1b\\|\x1bP(?P<dcs>(?:[^\x1b]|\x1b\x1b)*)\x1b\\|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b\[(?P<args>[0-9:;<=>?]*)(?P<mid>[ -/]*)(?P<csi>[@-~])"
    r"|\x1b(?:\[[0-9:;<=>?]*|[()])?(?=\x1b)"  # given up, as tmux does when its window changes
    r"|\x1b(?P<esc>[()][A-Z0-9]|[A-OQ-WYZ78=>c])|(?P<text>[^\x1b])",
    re.DOTALL,
)
OWN_GROUND = ((), (0, 0, 0))
"""The terminal's own background, and the same colour by its name: kitty 0.26 shows what lies behind either."""
_NUMBER_OF = {character: number for number, character in enumerate(DIACRITICS)}


@dataclass
class Placement:
    """An image at a place: columns and rows that it is spread over."""

    image_id: int
    x: int
    y: int
    columns: int
    rows: int
    z: int


@dataclass
class Cell:
    """One character, with what is combined with it, the number its colour names, and whether it has a background."""

    text: str = " "
    colour: tuple[int, ...] = ()
    ground: tuple[int, ...] = ()


@dataclass
class PixelTerminal:
    """A screen of cells with pixels; feed it what a program writes, and look at `picture`.

    Attributes:
        sent: Height and width of each image that came, in its own pixels, whether it is still kept or not.
    """

    columns: int
    rows: int
    cell_px: tuple[int, int] = (10, 20)
    images: dict[int, np.ndarray] = field(default_factory=dict)
    virtual: dict[int, tuple[int, int]] = field(default_factory=dict)
    placed: dict[int, Placement] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    sent: list[tuple[int, int]] = field(default_factory=list)
    most_images: int = 0

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.cells = [[Cell() for _ in range(self.columns)] for _ in range(self.rows)]
        width, height = self.cell_px
        self.sixels = np.full((self.rows * height, self.columns * width, 3), -1, dtype=np.int16)
        self.x = self.y = 0
        self.colour: tuple[int, ...] = ()
        self.ground: tuple[int, ...] = ()
        self._saved = (0, 0)
        self._chunks: tuple[dict[str, str], list[str]] | None = None
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Take what a program wrote; a sequence may be cut anywhere."""
        new = self._decoder.decode(data)
        text = self._rest + new
        # More of an image.
        if self._rest[:2] in ("\x1bP", "\x1b_") and self._rest[-1] != "\x1b" and "\x1b" not in new:
            self._rest = text
            return
        at = 0
        for match in _TOKEN.finditer(text):
            if match.start() != at:
                break
            at = match.end()
            self._obey(match)
        self._rest = text[at:]
        assert len(self._rest) < 3_000_000, "a sequence without an end"

    def _obey(self, match: re.Match[str]) -> None:
        if match["text"] is not None:
            self._write(match["text"])
        elif match["apc"] is not None:
            assert match["apc"].startswith("G"), match["apc"][:20]
            self._kitty(match["apc"][1:])
        elif match["dcs"] is not None:
            self._device(match["dcs"])
        elif match["esc"] == "7":
            self._saved = (self.x, self.y)
        elif match["esc"] == "8":
            self.x, self.y = self._saved
        elif match["csi"] is not None:
            self._control(match["args"], match["csi"])

    def _control(self, args: str, final: str) -> None:
        numbers = (
            [int(part or 0) for part in re.split("[;:]", args)] if re.fullmatch("[0-9;:]*", args) else []
        )
        if final == "H":
            row, column = ([*numbers, 0, 0])[:2]
            self.x, self.y = max(0, column - 1), max(0, row - 1)
        elif final in "ABCD":
            by = max(1, numbers[0])
            self.y += {"A": -by, "B": by}.get(final, 0)
            self.x += {"D": -by, "C": by}.get(final, 0)
        elif final == "m" and not args.startswith((">", "?")):
            self._attributes(numbers)
        elif final in "KX":
            last = self.columns if final == "K" else min(self.columns, self.x + max(1, numbers[0]))
            for column in range(self.x, last):
                self.cells[self.y][column] = Cell(" ", (), self.ground)
        elif final == "J" and numbers and numbers[0] == 2:
            self.__post_init__()

    def _attributes(self, numbers: list[int]) -> None:
        at = 0
        while at < len(numbers):
            code = numbers[at]
            if code in (38, 48):
                length = 5 if numbers[at + 1] == 2 else 3
                value = tuple(numbers[at + 2 : at + length])
                if code == 38:
                    self.colour = value
                else:
                    self.ground = value
                at += length
                continue
            if code in (0, 39):
                self.colour = ()
            if code in (0, 49):
                self.ground = ()
            at += 1

    def _write(self, character: str) -> None:
        if character == "\n":
            self.y += 1
        elif character in "\r\b":
            self.x = 0 if character == "\r" else self.x - 1
        elif character in _NUMBER_OF or 0x300 <= ord(character) < 0x370:
            self.cells[self.y][self.x - 1].text += character
        elif character >= " " and self.x < self.columns and self.y < self.rows:
            self.cells[self.y][self.x] = Cell(character, self.colour, self.ground)
            width, height = self.cell_px
            self.sixels[self.y * height : (self.y + 1) * height, self.x * width : (self.x + 1) * width] = -1
            self.x += 1

    def _device(self, text: str) -> None:
        if text.startswith("tmux;"):
            for match in _TOKEN.finditer(text[5:].replace("\x1b\x1b", "\x1b")):
                self._obey(match)
            return
        head = re.match(r'0;1;0q"1;1;(\d+);(\d+)', text)
        if head:
            self.sent.append((int(head[2]), int(head[1])))
            self._sixel(text[head.end() :], int(head[1]), int(head[2]))

    def _sixel(self, body: str, width: int, height: int) -> None:
        left, top = self.x * self.cell_px[0], self.y * self.cell_px[1]
        assert left + width <= self.sixels.shape[1] and top + height <= self.sixels.shape[0] - 1, (
            "it would scroll"
        )
        palette: dict[int, list[int]] = {}
        x = y = colour = 0
        at = 0
        for token in _SIXEL.finditer(body):
            assert token.start() == at, body[at : at + 20]
            at = token.end()
            if token["number"]:
                palette[int(token["number"])] = [round(int(part) * 2.55) for part in token["rgb"].split(";")]
            elif token["colour"]:
                colour = int(token["colour"])
            elif token["control"] == "$":
                x = 0
            elif token["control"] == "-":
                x, y = 0, y + 6
            else:
                run = _REPEATED.sub(lambda repeat: repeat[2] * int(repeat[1]), token["run"]).encode()
                drawn = _DRAWN_BY_SIXEL[:, np.frombuffer(run, np.uint8) - 63]
                assert x + len(run) <= width and (y + 6 <= height or not drawn[height - y :].any())
                box = self.sixels[top + y : top + min(y + 6, height), left + x : left + x + len(run)]
                box[drawn[: len(box)]] = palette[colour]
                x += len(run)
        assert at == len(body), body[at : at + 20]

    def _kitty(self, command: str) -> None:
        control, _, data = command.partition(";")
        keys = dict(part.split("=") for part in control.split(","))
        assert len(data) <= 4096, "a chunk is too long"
        if self._chunks is not None:
            assert set(keys) <= {"m", "q"}, "another command between the chunks of an image"
            self._chunks[1].append(data)
            keys_of_first = self._chunks[0]
        elif keys.get("a") == "t":
            self._chunks = (keys, [data])
            keys_of_first = keys
        else:
            self._act(keys)
            return
        assert len(data) % 4 == 0
        if keys.get("m", "0") == "0":
            assert keys_of_first["f"] == "100"
            png = base64.b64decode("".join(self._chunks[1]), validate=True)
            image = np.asarray(Image.open(io.BytesIO(png)))
            self.images[int(keys_of_first["i"])] = image
            self.sent.append(image.shape[:2])
            self.most_images = max(self.most_images, len(self.images))
            self._chunks = None

    def _act(self, keys: dict[str, str]) -> None:
        if keys["a"] == "q":
            return
        assert keys.get("q") == "2", "an answer would be taken for keys"
        image_id = int(keys["i"])
        if keys["a"] == "d":
            assert keys["d"] in "iI"
            self.virtual.pop(image_id, None)
            self.placed.pop(image_id, None)
            if keys["d"] == "I":
                self.images.pop(image_id, None)
            return
        assert keys["a"] == "p" and image_id in self.images, "a placement of no image"
        size = int(keys["c"]), int(keys["r"])
        if keys.get("U") == "1":
            self.virtual[image_id] = size
        else:
            assert keys["C"] == "1"
            self.placed[image_id] = Placement(image_id, self.x, self.y, *size, z=int(keys["z"]))

    def picture(self, x: int, y: int, columns: int, rows: int) -> np.ndarray:
        """The pixels of some cells, (H, W) greys; -1 where there are none."""
        width, height = self.cell_px
        out = np.full((rows * height, columns * width), -1, dtype=np.int16)
        for row in range(rows):
            for column in range(columns):
                part = self._cell_px(x + column, y + row)
                out[row * height : (row + 1) * height, column * width : (column + 1) * width] = part
        return out

    def _cell_px(self, x: int, y: int) -> np.ndarray:
        cell, (width, height) = self.cells[y][x], self.cell_px
        if cell.text[0] == PLACEHOLDER and len(cell.text) > 2:
            row, column, *high = (_NUMBER_OF[mark] for mark in cell.text[1:])
            low = cell.colour[0] if len(cell.colour) == 1 else int.from_bytes(bytes(cell.colour), "big")
            image_id = low | (high[0] if high else 0) << 24
            if image_id not in self.virtual:
                return np.full((height, width), -1, dtype=np.int16)
            columns, rows = self.virtual[image_id]
            return _piece(self.images[image_id], column, row, columns, rows, self.cell_px)
        for image in self.placed.values():
            inside = image.x <= x < image.x + image.columns and image.y <= y < image.y + image.rows
            if inside and image.z < -(2**30) and cell.ground in OWN_GROUND and cell.text == " ":
                at = x - image.x, y - image.y
                return _piece(self.images[image.image_id], *at, image.columns, image.rows, self.cell_px)
        return self.sixels[y * height : (y + 1) * height, x * width : (x + 1) * width, 0]


def _piece(
    image: np.ndarray, column: int, row: int, columns: int, rows: int, cell_px: tuple[int, int]
) -> np.ndarray:
    """One cell of an image that is spread over so many cells, its proportions kept."""
    wanted = columns * cell_px[0], rows * cell_px[1]
    if image.shape[:2] != wanted[::-1]:
        assert abs(image.shape[1] / image.shape[0] / (wanted[0] / wanted[1]) - 1) < 0.02, (
            "it would be stretched"
        )
        image = np.asarray(Image.fromarray(image).resize(wanted, Image.Resampling.NEAREST))
    left, top = column * cell_px[0], row * cell_px[1]
    return image[top : top + cell_px[1], left : left + cell_px[0]].astype(np.int16)
