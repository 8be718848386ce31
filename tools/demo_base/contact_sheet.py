"""A picture of the demo's phantoms: python -m tools.demo_base.contact_sheet OUT.png [--seed 0].

One row an examination: a normal study, then findings, each with its truth below.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from radtui.demo.cases import deal
from radtui.demo.phantoms import phantom
from radtui.demo.vocabulary import EXAMINATIONS, NORMAL
from radtui.records import Truth

_COLUMNS = 6
_CELL_PX = 220  # a phantom is fitted into this square
_LABEL_PX = 20
_MARGIN_PX = 6
_INK, _FAINT, _PAPER = 225, 150, 14


def contact_sheet(seed: int = 0) -> Image.Image:
    """Draw six studies of each examination with their labels, as one grey picture."""
    rows = [_studies(name, seed) for name in EXAMINATIONS]
    heights = [max(picture.height for _, picture in studies) for studies in rows]
    wide, between = _CELL_PX + _MARGIN_PX, _LABEL_PX + _MARGIN_PX
    size = (wide * _COLUMNS + _MARGIN_PX, sum(heights) + between * len(rows) + _MARGIN_PX)
    sheet = Image.new("L", size, _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    y = _MARGIN_PX
    for name, studies, height in zip(EXAMINATIONS, rows, heights, strict=True):
        for column, (truth, picture) in enumerate(studies):
            x = _MARGIN_PX + column * wide
            sheet.paste(picture, (x + (_CELL_PX - picture.width) // 2, y + (height - picture.height) // 2))
            normal = truth.finding == NORMAL
            where = " ".join(w for w in (truth.side, truth.zone) if w)
            label = name if normal else f"{truth.finding}, {where}" if where else truth.finding
            pen.text((x + 2, y + height + 2), label, fill=_FAINT if normal else _INK, font=font)
        y += height + between
    return sheet


def _studies(examination: str, seed: int) -> list[tuple[Truth, Image.Image]]:
    """Return a normal study and five with different findings, or places where there are fewer findings."""
    cases = [case for case in deal(seed, "sheet", 1200) if case.examination == examination]
    normal = next(case for case in cases if case.truth.finding == NORMAL)
    chosen, seen = [normal], {NORMAL: _COLUMNS}
    for allowed in (1, 2, 3):  # every finding once before any comes again, and elsewhere if it can be
        for case in cases:
            truth, places = case.truth, {(c.truth.side, c.truth.zone) for c in chosen[1:]}
            again = (
                case.truth in [c.truth for c in chosen]
                if allowed == 3
                else (truth.side, truth.zone) in places
            )
            if len(chosen) < _COLUMNS and seen.get(truth.finding, 0) < allowed and not again:
                chosen.append(case)
                seen[truth.finding] = seen.get(truth.finding, 0) + 1
    pictures = [Image.fromarray(phantom(c.examination, c.truth, c.seed).pixels) for c in chosen]
    for picture in pictures:
        picture.thumbnail((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)
    return [(case.truth, picture) for case, picture in zip(chosen, pictures, strict=True)]


def main(arguments: list[str] | None = None) -> None:
    """Write the contact sheet."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_base.contact_sheet", description=__doc__)
    parser.add_argument("out", type=Path, help="the PNG to write")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    contact_sheet(given.seed).save(given.out, "PNG", optimize=True)


if __name__ == "__main__":
    main()
