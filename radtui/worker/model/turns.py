"""Messages in the form that a chat template takes: parts, one text with the pictures' tokens in it, or a plain string.

Templates that a tokenizer brings along are often of a text model: given parts, they leave pictures out, raise, or write
the parts as Python does. Which form one takes is found by rendering a question with and without a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radtui.records import UserError
from radtui.worker.model.prompt import Message

Render = Callable[[list[Message]], str]
FORM = "_turns_form"  # of a processor: which of FORMS its template takes
PROBE = "Normal"  # an answer that no template changes
AS_PYTHON = ("'type'", '"type"')  # what a template writes that takes parts for text


def _parts(processor: Any, message: Message) -> Message:
    return message


def _one_text(processor: Any, message: Message) -> Message:
    return {**message, "content": [{"type": "text", "text": _flat(processor, message)}]}


def _string(processor: Any, message: Message) -> Message:
    return {**message, "content": _flat(processor, message)}


FORMS = (_parts, _one_text, _string)


def _flat(processor: Any, message: Message) -> str:
    """A message's parts as one text, in their order; a picture is its token in a line of its own."""
    token = f"{getattr(processor, 'image_token', '')}\n"
    return "".join(token if each["type"] == "image" else each["text"] for each in message["content"])


def fitted(processor: Any, messages: list[Message], render: Render) -> list[Message]:
    """Messages in the form that a processor's template takes.

    Args:
        processor: With a chat template; it remembers the form.
        messages: Of parts, see `prompt`.
        render: Writes messages as the template does.

    Raises:
        UserError: The template puts no picture into a prompt, whatever it is given.
    """
    place = processor.__dict__.get(FORM)
    if place is None:
        place = processor.__dict__[FORM] = _form(processor, render)
    return [FORMS[place](processor, each) for each in messages]


def knows_pictures(processor: Any) -> bool:
    """Whether the template, once it has rendered, takes pictures as parts of their own."""
    return not processor.__dict__.get(FORM)


def _form(processor: Any, render: Render) -> int:
    for place, form in enumerate(FORMS):
        try:
            shown, alone = (
                render([form(processor, {"role": "user", "content": [*pictures, {"type": "text", "text": PROBE}]})])
                for pictures in ([{"type": "image"}], [])
            )  # fmt: skip
        except Exception:  # templates raise what they like where they are given what they do not take
            continue
        takes = shown != alone and (place == 0 or shown.count(getattr(processor, "image_token", "\0")) == 1)
        if takes and shown.count(PROBE) == 1 and not any(each in shown for each in AS_PYTHON):
            return place
    raise UserError(
        "The model's chat template puts no image into a prompt: copy all of the model's files, or name its "
        "instruction-tuned version."
    )
