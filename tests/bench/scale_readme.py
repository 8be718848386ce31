"""README's table of how radtui grows with a data set, from its figures.

python -m tests.bench.scale_readme            # prints it
python -m tests.bench.scale_readme README.md  # puts it in the place of the one that is there
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.bench.terminal import at

FIGURES = Path(__file__).parents[2] / "assets" / "benchmarks" / "scale.json"
FIRST = "| what grows |"
ROWS = {
    "import, images/s": ("import.images_per_s", ""),
    "plain loop of one core (decode and SHA-256), images/s": ("plain.images_per_s", ""),
    "import as a share of that loop on all cores": ("import.share_of_plain_on_all_cores", ""),
    "the same by processor time": ("import.share_by_cpu", ""),
    "import: its worker's most memory, MiB": ("import.worker_peak_mib", "peak_mib"),
    "import again, s": ("import.again_s", "again_s"),
    "preview with its first picture, s": ("preview.first_picture_s", "preview_s"),
    "preview, processor s": ("preview.cpu_s", "preview_cpu_s"),
    "first frame, ms": ("first_frame.median_ms", "first_frame_ms"),
    "first image, ms": ("first_image.median_ms", "first_image_ms"),
    "first image, processor ms": ("first_image.cpu_ms", "first_image_cpu_ms"),
    "slowest of seven searches, ms": ("search.slowest_ms", "search_ms"),
    "slowest of seven filters and orders, ms": ("filter.slowest_ms", "filter_ms"),
    "a comparison of all cases opens, ms": ("review.opens_ms", "review_opens_ms"),
    "next unrated pair, ms": ("review.next_unrated_ms", "next_unrated_ms"),
}
"""What a row is called, where its figure stands in a run, and its name among the growths."""


def table(figures: dict[str, Any]) -> str:
    """The table in Markdown: a column for each size, and how many times as much the largest of one kind takes."""
    runs, growth = figures["runs"], figures["growth"]
    heads = [f"{run['cases']:,} of {run['side_px']} px" for run in runs.values()]
    lines = [f"{FIRST} {' | '.join(heads)} | {growth.get('cases', 1):g} times the cases |"]
    lines.append("|---|" + "---|" * (len(heads) + 1))
    for name, (path, grown) in ROWS.items():
        values = [at(run, path) for run in runs.values()]
        if any(value is not None for value in values):
            times = growth.get(grown)
            cells = [*map(_figure, values), f"{times:g} times" if times else ""]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:g}"


def placed(page: str, rows: str) -> str:
    """A page with the table in the place of its older one. Raises ValueError where it has none."""
    pattern = re.compile(rf"^{re.escape(FIRST)}.*\n(?:\|.*\n)*", re.MULTILINE)
    if not pattern.search(page):
        raise ValueError(f"the page has no table that begins with {FIRST!r}")
    return pattern.sub(lambda _: rows + "\n", page, count=1)


if __name__ == "__main__":
    made = table(json.loads(FIGURES.read_text(encoding="utf-8")))
    if len(sys.argv) > 1:
        readme = Path(sys.argv[1])
        readme.write_text(placed(readme.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        sys.stdout.write(made + "\n")
