"""Whether a model's code takes pictures of two shapes in one batch, tried on empty tensors before any are seen."""

from __future__ import annotations

from typing import Any

from PIL import Image

from radtui.worker.memory import meta_pass
from radtui.worker.model import collator, template
from radtui.worker.process import failures

SMALL = ((112, 56), (56, 56))  # px: shapes with other numbers of patches, which few models cut into parts
LARGE = (2500, 3056)  # px: a detector's


def note(model: Any, processor: Any) -> str:
    """What goes wrong with two shapes, and what is done then; empty where nothing does.

    Args:
        model: On `meta`.
        processor: The model's.
    """
    if not _takes_one_shape(model, processor):
        return ""
    alone = f"{failures.TWO_SHAPES}: jobs go on with one image at a time."
    return alone if _passes(model, processor, (LARGE,)) else f"{alone} {failures.PARTS_OF_TWO_SHAPES}"


def refused(model: Any, processor: Any, trust_remote_code: bool) -> bool:
    """Whether a job must show a model one picture at a time, as where its code takes all to be as the first.

    Where two shapes happen to have as many patches, such code fails with no error and mistakes one for the other. Only
    models are tried that are given all pictures as one, which takes no time for others.

    Args:
        model: Loaded.
        processor: Its processor.
        trust_remote_code: Whether Python code that comes with the model may run.
    """
    asked = template.rendered_prompt(processor, "?")
    shown = [[Image.new("RGB", size)] for size in SMALL]
    batch = collator.encode(processor, [asked] * len(shown), shown, padding_side="left")
    pictures = [each for name, each in batch.items() if "pixel" in name and each.dim() > 2]
    if not any(len(each) == 1 for each in pictures):
        return False
    from radtui.worker.model.pretrained import empty_model

    return _takes_one_shape(empty_model(model.config, trust_remote_code), processor)


def _takes_one_shape(model: Any, processor: Any) -> bool:
    """Whether two shapes fail and each by itself does not; what fails with one, too, is for the estimate to say."""
    return not _passes(model, processor, SMALL) and all(_passes(model, processor, (size,)) for size in SMALL)


def _passes(model: Any, processor: Any, sizes: tuple[tuple[int, int], ...]) -> bool:
    """Whether pictures of these sizes go through in one batch, as far as shapes go."""
    try:
        batch = collator.probe(processor, "all", sizes)
        meta_pass.pass_bytes(model, batch, next(model.parameters()).dtype)
    except RuntimeError as error:
        return not failures.is_of_shapes(error)
    return True
