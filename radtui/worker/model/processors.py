"""A model's processor on any install: with torchvision where it works, else with Pillow's image processors.

Beside a CPU build of torch the usual torchvision wheel raises at import, and transformers, which only looks whether
the package is there, then fails with models that need none of it. So a package that does not import is hidden.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import json
import logging
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from radtui.jobs.packages import torchvision_command
from radtui.records import UserError

log = logging.getLogger("radtui.worker")
NEEDS_TORCHVISION = re.compile(r"torchvision|load video processor", re.IGNORECASE)
VIDEO = "video_processor"
IMAGE_OPTIONS = "_image_options"  # of a processor: what its calls are given beside images
BORROWERS = {"gemma4": "Gemma4Processor", "pixtral": "PixtralProcessor"}
PILLOW_SUFFIX = "Pil"  # of transformers' classes


@functools.cache
def torchvision_state() -> str:
    """`works`, `absent`, or `broken`: installed and raising at import. A broken one is hidden from here on."""
    if importlib.util.find_spec("torchvision") is None:
        return "absent"
    try:
        import torchvision  # noqa: F401
    except Exception as error:  # an operator or a library that this torch has not, in a dozen classes
        log.warning("torchvision does not import and is left out: %s", error)
        _hide_torchvision()
        return "broken"
    return "works"


def _hide_torchvision() -> None:
    """Make `find_spec` and `import` say that there is none, in transformers' remembered answers too."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    sys.modules["torchvision"] = None  # type: ignore[assignment]
    if asked := sys.modules.get("transformers.utils.import_utils"):
        for name in (
            "is_torchvision_available",
            "is_torchvision_v2_available",
            "is_torchvision_greater_or_equal",
        ):
            getattr(getattr(asked, name, None), "cache_clear", lambda: None)()


def load(name: str, trust_remote_code: bool = False) -> Any:
    """A model's processor, read from this machine or the hub as the library is set.

    Args:
        name: Hub id or folder.
        trust_remote_code: Whether Python code that comes with the model may run.

    Raises:
        UserError: Its image processor exists for torchvision alone, and that does not work here.
        Exception: Whatever the library raises.
    """
    state = torchvision_state()
    from transformers import AutoProcessor

    if state == "works":
        return AutoProcessor.from_pretrained(name, trust_remote_code=trust_remote_code)
    try:
        return AutoProcessor.from_pretrained(name, trust_remote_code=trust_remote_code)
    except Exception as error:  # the library raises a class of its own for each way to lack it
        if not _lacks_torchvision(error):
            raise
        log.info("%s with Pillow's image processor: %s", name, str(error).strip().splitlines()[0])
    try:
        with _pillow_instead():
            processor = AutoProcessor.from_pretrained(name, trust_remote_code=trust_remote_code)
        if has_no_video(processor):
            processor.video_processor.images = getattr(processor, "image_processor", None)
        return processor
    except Exception as error:
        if not _lacks_torchvision(error):
            raise
        there = "which is not installed" if state == "absent" else "and the one installed does not import"
        command = torchvision_command(metadata.version("torch"))
        raise UserError(f"{name} needs torchvision, {there}: {command}.") from error


def check(processor: Any, name: str) -> None:
    """Refuse what takes no images or no conversations; give a tokenizer's template and padding where they are missing.

    Raises:
        UserError: The model cannot be asked about images in a conversation.
    """
    if getattr(processor, "image_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise UserError(f"{name} takes no images: name a vision-language model.")
    if not processor.chat_template and getattr(processor.tokenizer, "chat_template", None):
        processor.chat_template = processor.tokenizer.chat_template
    if not processor.chat_template:
        raise UserError(
            f"{name} has no chat template, so radtui cannot tell how a question is put to it: name its "
            "instruction-tuned version, or where its family has none, choose a model of radtui model list."
        )
    if isinstance(processor.chat_template, dict) and "default" not in processor.chat_template:
        named = processor.chat_template
        if len(named) > 1:
            raise UserError(
                f"{name} has {len(named)} chat templates ({', '.join(sorted(named))}) and none of them is the default: "
                "keep the one to use as its chat_template.jinja."
            )
        (processor.chat_template,) = named.values()
    if processor.tokenizer.pad_token_id is None:
        if processor.tokenizer.eos_token is None:
            raise UserError(
                f"The tokenizer of {name} names no token that ends a text (eos_token in tokenizer_config.json): copy "
                "the tokenizer's files of the model that it was made from."
            )
        processor.tokenizer.pad_token = processor.tokenizer.eos_token


def _lacks_torchvision(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is about torchvision, or about the video part that needs it."""
    while error is not None:
        if isinstance(error, OSError) and "video processor" not in str(error):
            return False  # a file that is not on this machine
        if NEEDS_TORCHVISION.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


class NoVideoPart(dict[str, Any]):
    """Stands for a video processor: some ask it for its settings, as MiniCPM-V does, even where there is no video.

    It holds what the files say of it. Any other setting is that of the image processor, else None.
    """

    images: Any = None  # the image processor, once there is one

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name, getattr(self.images, name, None))


def has_no_video(processor: Any) -> bool:
    """Whether a processor was read without its video part."""
    return isinstance(getattr(processor, VIDEO, None), NoVideoPart)


@contextlib.contextmanager
def _pillow_instead() -> Iterator[None]:
    """Image processors by Pillow, and none for videos, which radtui has none of."""
    from transformers import processing_utils
    from transformers.models.auto.image_processing_auto import AutoImageProcessor
    from transformers.video_processing_utils import BaseVideoProcessor

    _stand_in()
    mapping = processing_utils.MODALITY_TO_AUTOPROCESSOR_MAPPING
    names = dict(mapping._MAPPING_NAMES)
    check = processing_utils.ProcessorMixin.check_argument_for_proper_class
    # Some classes, PaddleOCR-VL's and many that come with their model, name the Auto classes themselves.
    by_name = processing_utils.ProcessorMixin.get_possibly_dynamic_module

    class PillowImages:
        """Reads an image processor of the Pillow kind."""

        @staticmethod
        def from_pretrained(name: str, **options: Any) -> Any:
            """As AutoImageProcessor's."""
            try:
                return AutoImageProcessor.from_pretrained(name, **{**options, "backend": "pil"})
            except ValueError:
                return _pillow_class(name).from_pretrained(name, **options)

    class NoVideos:
        """Stands where a video processor would be read."""

        @staticmethod
        def from_pretrained(name: str, **options: Any) -> NoVideoPart:
            """What stands for it."""
            with contextlib.suppress(OSError, KeyError, TypeError):
                return NoVideoPart(BaseVideoProcessor.get_video_processor_dict(name)[0])
            return NoVideoPart()

    def checked(self: Any, argument_name: str, argument: Any) -> Any:
        return None if isinstance(argument, NoVideoPart) else check(self, argument_name, argument)

    def named(class_name: str) -> Any:
        own = {"AutoImageProcessor": PillowImages, "AutoVideoProcessor": NoVideos}
        return own.get(class_name) or by_name(class_name)

    here = sys.modules[__name__]
    here._PillowImages, here._NoVideos = PillowImages, NoVideos  # type: ignore[attr-defined]
    mapping._MAPPING_NAMES.update(
        image_processor=(__name__, "_PillowImages"), video_processor=(__name__, "_NoVideos")
    )
    processing_utils.ProcessorMixin.check_argument_for_proper_class = checked
    processing_utils.ProcessorMixin.get_possibly_dynamic_module = staticmethod(named)
    try:
        yield
    finally:
        mapping._MAPPING_NAMES.clear()
        mapping._MAPPING_NAMES.update(names)
        processing_utils.ProcessorMixin.check_argument_for_proper_class = check
        processing_utils.ProcessorMixin.get_possibly_dynamic_module = staticmethod(by_name)


def _stand_in() -> None:
    """Let processors that borrow arithmetic from a torchvision module take it from the Pillow module beside it.

    Both define it under the same names; without this Gemma 4, Pixtral and Mistral 3 could not be read at all.
    """
    for family, kind in BORROWERS.items():
        package = f"transformers.models.{family}"
        with contextlib.suppress(ImportError, AttributeError):
            twin = importlib.import_module(f"{package}.image_processing_pil_{family}")
            sys.modules.setdefault(f"{package}.image_processing_{family}", twin)
            processing = importlib.import_module(f"{package}.processing_{family}")
            setattr(importlib.import_module(package), kind, getattr(processing, kind))


def _pillow_class(name: str) -> Any:
    """The Pillow class of a model's image processor where transformers' own table finds it only with torchvision.

    Raises:
        ImportError: There is none.
    """
    from transformers.models.auto.auto_mappings import IMAGE_PROCESSOR_MAPPING_NAMES
    from transformers.models.auto.configuration_auto import model_type_to_module_name
    from transformers.models.auto.image_processing_auto import get_image_processor_config

    named = str(get_image_processor_config(name).get("image_processor_type", ""))
    wanted = re.sub("(Fast|Pil)$", "", named) + PILLOW_SUFFIX
    for model_type, kinds in IMAGE_PROCESSOR_MAPPING_NAMES.items():
        if wanted in kinds.values():
            family = model_type_to_module_name(model_type)
            with contextlib.suppress(ImportError, AttributeError):
                module = importlib.import_module(
                    f"transformers.models.{family}.image_processing_pil_{family}"
                )
                return getattr(module, wanted)
    raise ImportError(f"{named} needs torchvision")


def save(processor: Any, folder: str | Path) -> None:
    """Write a processor into a folder, so that it loads on machines with and without torchvision.

    Args:
        processor: From `load`.
        folder: Made where it is missing.
    """
    kind, place = type(processor), Path(folder)
    if not has_no_video(processor):
        processor.save_pretrained(place)
    else:  # the library refuses one with a part missing, and ERNIE's own method asks its video part for a font
        from transformers import ProcessorMixin

        with _knowing_only(kind, [each for each in kind.get_attributes() if each != VIDEO]):
            ProcessorMixin.save_pretrained(processor, place)
    written = place / "processor_config.json"
    values = json.loads(written.read_text()) if written.exists() else {}
    if has_no_video(processor) and processor.video_processor:
        values[VIDEO] = processor.video_processor  # what the files said of it
    image = values.get("image_processor", {})
    name = str(image.get("image_processor_type", ""))
    if name.endswith(PILLOW_SUFFIX):
        image["image_processor_type"] = name.removesuffix(PILLOW_SUFFIX)
    if values:
        written.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


@contextlib.contextmanager
def _knowing_only(kind: type, attributes: list[str]) -> Iterator[None]:
    """A processor's class that knows of these parts alone."""
    kind.get_attributes = classmethod(lambda cls: attributes)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del kind.get_attributes  # type: ignore[attr-defined]
