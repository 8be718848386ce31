"""A review's statistics as lines of text and bars, each number with its n and 95 % interval."""

from __future__ import annotations

from itertools import pairwise

from textual.content import Content

from radtui.durations import clock_text
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.preference import Comparative
from radtui.measures.quality import Acceptability, Errors
from radtui.measures.scheme import Scheme
from radtui.measures.significance import TOO_FEW
from radtui.measures.statistics import Arms, LeftOut, Power, RaterShare, Summary
from radtui.measures.words import (
    brief,
    left_out_words,
    limits,
    log_odds,
    p_value,
    readers_words,
    strength_limits,
    versions_words,
)
from radtui.percent import percent_text
from radtui.plural import many

LABEL_CELLS = 25
FIGURES_CELLS = 34  # value, interval, and n or p
FIGURE_CELLS = 20  # "100 % (96 to 100 %)"
EARLIER, LATER = "$warning", "$accent"
EARLIER_FAINT, LATER_FAINT = "$warning 60%", "$accent 60%"
FULL, LINE, POINT, MIDDLE = "█", "─", "●", "┼"


def rating_lines(summary: Summary, scheme: Scheme, width_cells: int) -> list[Content]:
    """Everything that follows from the ratings.

    Args:
        summary: Of the ratings that count.
        scheme: What was asked.
        width_cells: Room for a line; bars fill what the figures leave.
    """
    lines = [_verdict(summary), Content("")]
    if summary.arms is not None:
        lines += [*_arms(summary.arms, summary.earlier, width_cells), Content("")]
    if summary.n:
        lines += _preference(summary, width_cells)
    if summary.dimensions:
        lines += [
            Content(""),
            title("Qualities compared", f"mean from -2 ({summary.earlier}) to +2 ({summary.later})"),
        ]
        labels = {dimension.id: dimension.label for dimension in scheme.dimensions}
        lines += [
            _mean(labels.get(name, name), comparative, width_cells)
            for name, comparative in summary.dimensions.items()
        ]
    if summary.acceptability is not None:
        lines += [Content(""), *hung(_acceptability(summary.acceptability, summary), width_cells)]
    if summary.errors is not None:
        lines += [Content(""), *hung(_errors(summary.errors, scheme, summary), width_cells)]
    if summary.n:
        lines += [Content(""), *_checks(summary)]
        lines.append(
            Content.styled(readers_words(len(summary.raters), summary.preference.deciding_readers), "$muted")
        )
    lines += _left_out(summary.left_out)
    if pooled := versions_words(summary.versions):
        lines.append(Content.styled(f"{pooled}.", "$muted"))
    return lines


def _verdict(summary: Summary) -> Content:
    preference = summary.preference
    decided = summary.power.non_ties
    if summary.arms is not None and summary.arms.n:
        verdicts = [
            f"{contrast.later} against {contrast.earlier}: {contrast.verdict}"
            for contrast in summary.arms.contrasts
        ]
        return Content.styled(_capital("; ".join(verdicts)) + ".", "bold")
    if not summary.n:
        return Content.styled("Nothing is rated yet. Press esc and rate the first pair.", "bold")
    if not summary.power.enough:
        pairs = many(decided, "decided pair")
        text = f"Too few to conclude: {pairs}, {TOO_FEW} at least are needed."
        return Content.styled(text, "bold")
    styles = {
        f"{summary.later} preferred": f"bold {LATER}",
        f"{summary.earlier} preferred": f"bold {EARLIER}",
    }
    style = styles.get(summary.verdict, "bold")
    return Content.styled(
        f"{_capital(summary.verdict)} (exact sign test, {p_value(preference.sign_p)}).", style
    )


def _preference(summary: Summary, width: int) -> list[Content]:
    preference, later = summary.preference, _capital(summary.later)
    of_two = f" of {summary.earlier} and {summary.later}" if summary.arms else ""
    return [
        title("Preference", f"{_ratings(summary.n)}{of_two}"),
        diverging(preference.counts, width),
        Content.assemble(
            (f"{summary.earlier} ", EARLIER), f"{preference.losses}", ("   equal ", "$muted"), f"{preference.ties}",
            (f"   {summary.later} ", LATER), f"{preference.wins}",
            ("   both bad ", "$muted"), f"{summary.both_bad.hits}",
        ),
        Content(""),
        share_line(f"{later} wins of decided", preference.win_rate, width, middle=True),
        share_line(f"{later} preferred or equal", summary.preferred_or_equal, width, middle=True),
        _mean("Mean, -2 to +2", preference, width),
    ]  # fmt: skip


def _arms(arms: Arms, baseline: str, width: int) -> list[Content]:
    """All arms on one scale, then each two against each other."""
    rows = [title("All arms", f"{_ratings(arms.n)}; strength in log odds against {baseline}, 95 %")]
    if not arms.strengths:
        rows.append(
            Content.styled("No common scale yet: an arm never lost to, or never met, another.", "$muted")
        )
    ends = [abs(value) for strength in arms.strengths for value in (strength.low, strength.high)]
    reach = max(ends, default=0.0) or 1.0
    for strength in arms.strengths:
        n = f", n {strength.n}" if strength.standard_error else ""
        figures = f"{log_odds(strength.log_odds):>5}  {strength_limits(strength)}{n}"
        at = [(value / reach + 1) / 2 for value in (strength.low, strength.log_odds, strength.high)]
        line = interval(at[0], at[1], at[2], width - LABEL_CELLS - FIGURES_CELLS, 0.5)
        rows.append(Content.assemble(labelled(strength.arm), f"{figures:<{FIGURES_CELLS}}", line))
    for pair in arms.contrasts:
        rate = pair.summary.preference.win_rate
        rows.append(share_line(f"{pair.later} beats {pair.earlier}", rate, width, middle=True))
    return rows


def diverging(counts: dict[int, int], width_cells: int) -> Content:
    """A bar that grows from the middle: the earlier arm preferred to the left, the later to the right, ties across it.

    Args:
        counts: -2..2 -> answers.
        width_cells: Of the whole bar, empty ends included.
    """
    ties = counts[0] / 2
    longer = max(counts[-2] + counts[-1] + ties, counts[2] + counts[1] + ties)
    if not longer:
        return Content("")
    half = width_cells // 2
    parts = []
    for side in (-1, 1):
        cells = _parts([counts[2 * side], counts[side], ties], half / longer)
        styles = (EARLIER, EARLIER_FAINT, "$faint") if side < 0 else (LATER, LATER_FAINT, "$faint")
        bars = [Content.styled(FULL * n, style) for n, style in zip(cells, styles, strict=True)]
        parts += [Content(" " * (half - sum(cells))), *bars] if side < 0 else bars[::-1]
    return Content("").join(parts)


def _parts(counts: list[float], cells_each: float) -> list[int]:
    """Cells of the parts of one side, from its end to the middle; rounded so that their sum is right."""
    ends = [round(sum(counts[at:]) * cells_each) for at in range(len(counts) + 1)]
    return [start - end for start, end in pairwise(ends)]


def share_line(label: str, share: Proportion, width_cells: int, middle: bool = False) -> Content:
    """A proportion with its interval, drawn on a line from 0 to 100 %; `middle` marks one half."""
    if share.value is None:
        return Content.assemble(labelled(label), ("no answers yet", "$muted"))
    low, high = (share.value if end is None else end for end in (share.low, share.high))
    ends = limits(share, percent_text)
    figures = f"{percent_text(share.value):>5}  {f'{ends}, ' if ends else ''}n {share.n}"
    line = interval(
        low, share.value, high, width_cells - LABEL_CELLS - FIGURES_CELLS, 0.5 if middle else None
    )
    return Content.assemble(labelled(label), f"{figures:<{FIGURES_CELLS}}", line)


def _mean(label: str, comparative: Comparative, width: int) -> Content:
    mean = comparative.mean
    if mean.value is None:
        return Content.assemble(labelled(label), ("no answers yet", "$muted"))
    p = comparative.holm_p if comparative.holm_p is not None else comparative.wilcoxon_p
    figures = f"{mean.value:>+5.2f}  {_limits(mean)}, {p_value(p)}"
    low, high = (value if value is not None else mean.value for value in (mean.low, mean.high))
    room = width - LABEL_CELLS - FIGURES_CELLS
    line = interval((low + 2) / 4, (mean.value + 2) / 4, (high + 2) / 4, room, 0.5)
    return Content.assemble(labelled(label), f"{figures:<{FIGURES_CELLS}}", line)


def interval(low: float, value: float, high: float, cells: int, middle: float | None) -> Content:
    """A point with its interval on a line, all in 0..1; "" where there are too few cells to read it."""
    if cells < 12:
        return Content("")
    at = [min(cells - 1, max(0, round(x * (cells - 1)))) for x in (low, value, high)]
    centre = round(middle * (cells - 1)) if middle is not None else -1
    clear = middle is not None and low < high and not low <= middle <= high
    style = (LATER if value > (middle or 0) else EARLIER) if clear or middle is None else "$foreground"
    parts: list[Content] = []
    for cell in range(cells):
        if cell == at[1]:
            parts.append(Content.styled(POINT, f"bold {style}"))
        elif at[0] <= cell <= at[2]:
            parts.append(Content.styled("━", style))
        else:
            parts.append(Content.styled(MIDDLE if cell == centre else LINE, "$faint"))
    return Content("").join(parts)


def _ratings(n: int) -> str:
    return many(n, "rating")


def _acceptability(acceptability: Acceptability, of: Summary) -> list[Content]:
    rows = [title("Acceptability", f"1 to 5, {_ratings(acceptability.earlier.n)} with both answers")]
    rows.append(
        compared(
            "Mean",
            (of.earlier, brief(acceptability.earlier)),
            (of.later, brief(acceptability.later)),
            _difference(acceptability.difference, acceptability.wilcoxon_p),
        )
    )
    for level in (acceptability.usable, acceptability.as_is):
        label = "Usable (4 or 5)" if level.level < 5 else "Use as is (5)"
        test = f"McNemar {p_value(level.mcnemar.p)}"
        rows.append(compared(label, (of.earlier, brief(level.earlier)), (of.later, brief(level.later)), test))
    return rows


def _errors(errors: Errors, scheme: Scheme, of: Summary) -> list[Content]:
    first, second = errors.earlier, errors.later

    def row(label: str, before: str, other: str, note: str = "") -> Content:
        return compared(label, (of.earlier, before), (of.later, other), note)

    rows = [
        title("Errors per report", _ratings(errors.n)),
        row(
            "Significant", brief(first.significant), brief(second.significant),
            _difference(errors.difference, errors.wilcoxon_p),
        ),
        row("Insignificant", brief(first.insignificant), brief(second.insignificant)),
        row("With a significant one", brief(first.with_significant), brief(second.with_significant)),
    ]  # fmt: skip
    for category in scheme.errors:
        before, other = first.by_category[category.id][0], second.by_category[category.id][0]
        if before.value or other.value:
            rows.append(row(f"  {category.label}", number_text(before, ".2f"), number_text(other, ".2f")))
    return rows


def _checks(summary: Summary) -> list[Content]:
    """Whether side or length decided, how far raters agree, and what the number of pairs can show."""
    rows = [title("Checks"), *_biases(summary)]
    if summary.repeats is not None:
        same = summary.repeats.same
        figures = f"{brief(same)} of {many(same.n, 'hidden repeat')}"
        rows.append(_checked("Same answer again", figures))
    if summary.agreement is not None:
        alpha = summary.agreement.alpha
        figures = f"Krippendorff alpha {brief(alpha)}, {many(alpha.n, 'image')}"
        rows.append(_checked("Inter-rater agreement", figures))
    if len(summary.raters) > 1:
        rows += [_checked(f"  {line.rater}", _rater(line)) for line in summary.raters]
    return [*rows, _checked("Power", _power(summary.power))]


def _biases(summary: Summary) -> list[Content]:
    """Whether the left or the longer text was preferred for being that."""
    side, length = summary.side, summary.length
    rows = []
    left = side.chosen_left
    if left.value is not None:
        verdict = (
            "leaves out 50 %: the side may have decided"
            if side.suspected
            else "covers 50 %: no side bias seen"
        )
        rows.append(_checked("Left text chosen", f"{brief(left)}, n {left.n}: {verdict}", side.suspected))
    if length.rho is not None and length.median_ratio is not None:
        times = f"{summary.later} texts are {length.median_ratio:.2f} times as long"
        figures = f"rho {length.rho:+.2f}, {p_value(length.p)}; {times}"
        rows.append(_checked("Longer text preferred", figures, length.p is not None and length.p < 0.05))
    return rows


def _rater(line: RaterShare) -> str:
    counts = many(line.wins, "win"), f"{line.ties:,} equal", many(line.losses, "loss", "losses")
    return f"{', '.join(counts)}, {clock_text(line.active_s)} active"


def _power(power: Power) -> str:
    if power.detectable is None:
        needed = ", ".join(f"{n} at {percent_text(rate)}" for rate, n in power.needed.items())
        return f"decided pairs needed: {needed}"
    return f"{power.non_ties} decided pairs would show a true {percent_text(power.detectable)} or more"


def _left_out(left_out: LeftOut) -> list[Content]:
    reasons = left_out_words({why: n for why, n in left_out.by_reason.items() if why != "unrated"})
    return [Content(""), Content.styled(f"Left out: {reasons}.", "$muted")] if reasons else []


def labelled(label: str) -> str:
    """A label in its column; one that is too long stands whole over its figures."""
    return f"{label:<{LABEL_CELLS}}" if len(label) < LABEL_CELLS else f"{label}\n{'':<{LABEL_CELLS}}"


def _capital(text: str) -> str:
    """A text with a capital at its head; an arm's name keeps the user's own letters else."""
    return text[:1].upper() + text[1:]


def title(text: str, note: str = "") -> Content:
    """A heading with what its figures rest on."""
    return Content.assemble((text, "bold"), (f"  {note}" if note else "", "$muted"))


def compared(label: str, earlier: tuple[str, str], later: tuple[str, str], note: str = "") -> Content:
    """A figure of two arms in one line, each with its arm's name before it."""
    return Content.assemble(
        labelled(label), (f"{earlier[0]} ", "$muted"), (f"{earlier[1]:<{FIGURE_CELLS}}", EARLIER),
        (f"{later[0]} ", "$muted"), (f"{later[1]:<{FIGURE_CELLS}}" if note else later[1], LATER),
        (note, "$muted"),
    )  # fmt: skip


def hung(lines: list[Content], width_cells: int) -> list[Content]:
    """Lines that are too long go on below their figures, not below their labels."""
    rows: list[Content] = []
    for line in [part for each in lines for part in each.split("\n", allow_blank=True)]:
        first, *rest = line.wrap(width_cells) or [line]
        below = Content(" ").join(rest).wrap(max(20, width_cells - LABEL_CELLS)) if rest else []
        rows += [first, *(Content(" " * LABEL_CELLS) + more for more in below)]
    return rows


def _checked(label: str, text: str, alarming: bool = False) -> Content:
    return Content.assemble(labelled(label), (text, "$warning" if alarming else "$foreground"))


def number_text(estimate: Estimate, form: str) -> str:
    """An estimate without its interval."""
    return "–" if estimate.value is None else format(estimate.value, form)


def _limits(of: Estimate) -> str:
    return limits(of, lambda value: f"{value:+.2f}") or f"n {of.n}"


def _difference(difference: Estimate, p: float | None) -> str:
    if difference.value is None:
        return ""
    return f"{difference.value:+.2f} ({_limits(difference)}), {p_value(p)}"
