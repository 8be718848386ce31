"""Values as a report writes them."""

from __future__ import annotations

from radtui.percent import percent_text


def trainable_text(result: dict[str, object]) -> str:
    """Trainable parameters with their share, from a training job's result; "" when it says nothing."""
    count, total = result.get("trainable_parameters"), result.get("total_parameters")
    if not isinstance(count, int):
        return ""
    if not isinstance(total, int) or not total:
        return f"{count:,}"
    return f"{count:,} of {total:,} ({percent_text(count / total, 2)})"


def as_float(value: object) -> float:
    """A number, or 0 for anything else."""
    return float(value) if isinstance(value, (int, float)) else 0.0


def number_text(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def heading(arm: str) -> str:
    """An arm's name at the head of a column; the user's own is as the user wrote it but for the first letter."""
    return arm[:1].upper() + arm[1:]


def short_label(label: str) -> str:
    """A category's name that fits beside a bar."""
    return label if len(label) <= 38 else label[:36].rsplit(" ", 1)[0] + " …"
