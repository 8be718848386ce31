"""What a user may say about a source before it is taken: columns, form of its tables, its splits."""

from __future__ import annotations

from dataclasses import dataclass

from radtui.settings import ImportSettings

NONE = "-"  # as a column's name: there is none, whatever looks like one


@dataclass(frozen=True, slots=True)
class SourceChoices:
    """What is not to be found but was said; every field may be empty.

    Attributes:
        image_column: Column with the image or its file's name.
        text_column: Column with the text to learn; several joined by "+", as in "findings+impression".
        question_column: Column with the question of each row; "-" for none.
        id_column: Column that names a case.
        split_column: Column with the split; "-" for none.
        patient_column: Column that tells patients apart; "-" for none.
        exam_column: Column that tells exams apart; "-" for none.
        table: Name of the table to use, where a source has several.
        delimiter: Between cells of CSV: a sign, or "tab".
        encoding: Of text files, as Python names it.
        split: For what names no split; empty means train.
        limit: Only so many cases of each split; 0 for all.
    """

    image_column: str = ""
    text_column: str = ""
    question_column: str = ""
    id_column: str = ""
    split_column: str = ""
    patient_column: str = ""
    exam_column: str = ""
    table: str = ""
    delimiter: str = ""
    encoding: str = ""
    split: str = ""
    limit: int = 0

    @classmethod
    def of(cls, settings: ImportSettings) -> SourceChoices:
        """What an import's settings say."""
        return cls(**{name: getattr(settings, name) for name in cls.__slots__})
