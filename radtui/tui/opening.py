"""What the app is to begin with, beside its screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opens:
    """The study to review, 0 for the newest, and the arm whose texts are read by themselves, "" for comparisons."""

    study_id: int = 0
    arm: str = ""


NEWEST = Opens()
"""The comparisons of the newest study."""
