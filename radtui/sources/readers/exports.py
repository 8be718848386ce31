"""Records of annotation tools as flat rows: Label Studio's tasks, Argilla's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flat(cells: dict[str, Any]) -> dict[str, Any]:
    """A record of an annotation tool as one row; any other object as it is.

    Args:
        cells: An object of a JSON file. Of Label Studio, `data` holds what was shown and `annotations` what was
            typed or chosen; of Argilla, `fields` and `responses` or `suggestions`.
    """
    if isinstance(cells.get("data"), dict) and isinstance(cells.get("annotations"), list):
        typed: dict[str, Any] = {}
        for annotation in cells["annotations"]:
            for result in annotation.get("result", []) if isinstance(annotation, Mapping) else []:
                name, text = _label_studio(result)
                if text:
                    typed[name] = f"{typed[name]}\n{text}" if name in typed else text
        return {**cells["data"], **typed}
    if isinstance(cells.get("fields"), dict):
        answers = {**_first_answers(cells.get("suggestions")), **_first_answers(cells.get("responses"))}
        metadata = cells.get("metadata")
        return {**(metadata if isinstance(metadata, dict) else {}), **cells["fields"], **answers}
    return cells


def _label_studio(result: Any) -> tuple[str, str]:
    """The control's name and what was typed into it, or chosen of it."""
    value = result.get("value") if isinstance(result, Mapping) else None
    if not isinstance(value, Mapping):
        return "", ""
    name = str(result.get("from_name") or "text")
    for key in ("text", "choices", "labels", "rectanglelabels"):
        answer = value.get(key)
        if answer:
            return name, "\n".join(map(str, answer)) if isinstance(answer, list) else str(answer)
    return "", ""


def _first_answers(answers: Any) -> dict[str, Any]:
    """Argilla's answers by question: the first that was submitted."""
    result: dict[str, Any] = {}
    for question, answer in answers.items() if isinstance(answers, Mapping) else ():
        first = answer[0] if isinstance(answer, list) and answer else answer
        value = first.get("value") if isinstance(first, Mapping) else first
        if value is not None:
            result[str(question)] = value
    return result
