"""Colours of curves: told apart by people with any colour vision, and the same for a job every time."""

from __future__ import annotations

from collections.abc import Iterable

Rgb = tuple[int, int, int]

# Source: Okabe and Ito, "Color Universal Design", 2008, without its black; ordered so that neighbours differ
# in lightness as well as in hue. The blue is lightened from #0072B2, which is unreadable on a dark terminal.
PALETTE = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#4C8FD9", "#F0E442")
TRAIN, EVAL = PALETTE[0], PALETTE[1]
FAR = 4  # of the palette: the first so many differ most in hue

LEAST_CONTRAST = 3.0  # Source: WCAG 2.2, criterion 1.4.11: graphical objects need 3:1


def job_colours(job_ids: Iterable[int]) -> dict[int, str]:
    """A colour for each of some jobs shown together.

    A job has the colour of its number; where two would get the same, the one with the higher number takes the
    next free colour. Up to four jobs have hues far apart, blue, orange, green, pink; beyond seven colours repeat.
    """
    colours: dict[int, str] = {}
    taken: set[int] = set()
    ids = sorted(set(job_ids))
    palette = PALETTE[:FAR] if len(ids) <= FAR else PALETTE
    for job_id in ids:
        if len(taken) == len(palette):
            taken.clear()
        index = (job_id - 1) % len(palette)
        while index in taken:
            index = (index + 1) % len(palette)
        taken.add(index)
        colours[job_id] = palette[index]
    return colours


def parse(colour: str) -> Rgb:
    """Red, green and blue, 0-255, of "#RRGGBB"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(back: str, front: str, share: float) -> str:
    """`front` mixed onto `back`, both "#RRGGBB": share 0 gives `back`, 1 gives `front`."""
    mixed = (round(b + (f - b) * share) for b, f in zip(parse(back), parse(front), strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of two colours "#RRGGBB", 1 (the same) to 21 (black on white).

    Source: WCAG 2.2, definitions of contrast ratio and relative luminance.
    """
    dark, light = sorted((_luminance(colour), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, background: str) -> str:
    """The colour, moved towards black or white until it stands out from the background."""
    target = "#000000" if _luminance(background) > 0.18 else "#ffffff"
    for tenth in range(10):
        candidate = blend(colour, target, tenth / 10)
        if contrast(candidate, background) >= LEAST_CONTRAST:
            return candidate
    return target


def _luminance(colour: str) -> float:
    channels = (part / 255 for part in parse(colour))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
