"""How many tokens an image may take, in each family's own switches: pixels, tiles, crops, splitting.

One setting for training, watching and describing. A family that knows no such switch is said, not guessed.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from radtui.worker.model.processors import IMAGE_OPTIONS, PILLOW_SUFFIX

GEMMA4_TOKENS = (70, 140, 280, 560, 1120)  # Source: transformers, image_processing_gemma4
FRAME_TOKENS = 4  # that SmolVLM writes around a tile: its frame, its row and column
MIN_CROP_PX = 256  # Source: transformers, Gemma 3's processor: its defaults where pan and scan is on
MIN_CROP_RATIO = 1.2


def apply(processor: Any, image_tokens: int, config: Any = None) -> str:
    """Set a processor so that an image takes about so many tokens at most, or the least it can.

    Args:
        processor: Changed in place.
        image_tokens: The most; 0 leaves the model's own.
        config: The model's own, for families whose model must know the same list of grids; changed in place.

    Returns:
        A sentence where the setting is not or not wholly kept; else empty.
    """
    if not image_tokens:
        return ""
    image = processor.image_processor
    kind = type(image).__name__.removesuffix("Fast").removesuffix(PILLOW_SUFFIX)
    for names, setter in FAMILIES:
        if any(kind.startswith(name) for name in names):
            return setter(processor, image, image_tokens, config)
    return f"image_tokens is not used: no switch of {kind} for it is known; max_side_px shrinks images for every model."


def _pixels(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Qwen, GLM: the product of sides; GLM counts the two frames that it makes of an image."""
    side = image.patch_size * image.merge_size  # px of a token's square
    frames = image.temporal_patch_size if type(image).__name__.startswith("Glm") else 1
    most = tokens * side * side * frames
    image.size = {"shortest_edge": min(image.size["shortest_edge"], most), "longest_edge": most}
    return ""


def _crops(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Gemma 3: a fixed number for the whole image, and as many again for each crop of pan and scan."""
    each = processor.image_seq_length
    crops = tokens // each - 1
    if crops >= 2:
        # Its processor's own defaults go before what its image processor is set to.
        processor.__dict__[IMAGE_OPTIONS] = {
            "do_pan_and_scan": True, "pan_and_scan_max_num_crops": crops,
            "pan_and_scan_min_crop_size": image.pan_and_scan_min_crop_size or MIN_CROP_PX,
            "pan_and_scan_min_ratio_to_activate": image.pan_and_scan_min_ratio_to_activate or MIN_CROP_RATIO,
        }  # fmt: skip
        return ""
    return "" if tokens >= each else _at_least(each)


def _splitting(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """SmolVLM, Idefics3: tiles of a fixed size and the whole image; square at worst."""
    each = processor.image_seq_len
    tile = image.max_image_size["longest_edge"]
    across = min(math.isqrt(max(tokens // (each + FRAME_TOKENS) - 1, 0)), _named_rows(processor))
    image.do_image_splitting = across >= 2
    image.size = {"longest_edge": tile * max(across, 1)}
    return "" if tokens >= each else _at_least(each)


def _named_rows(processor: Any) -> int:
    """Rows of tiles that the tokenizer has names for."""
    vocabulary, rows = processor.tokenizer.get_vocab(), 0
    while f"<row_{rows + 1}_col_{rows + 1}>" in vocabulary:
        rows += 1
    return rows


def _patches(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """InternVL, Aya: tiles by the image's shape, and a thumbnail where there are several."""
    each = getattr(processor, "image_seq_length", None) or _aya_tile(processor)
    tiles = tokens // each - 1
    image.crop_to_patches = tiles >= 2
    image.max_patches = max(tiles, 1)
    image.min_patches = min(image.min_patches, image.max_patches)
    return "" if tokens >= each else _at_least(each)


def _aya_tile(processor: Any) -> int:
    side = processor.img_size // processor.patch_size  # its patch is of as many px as a token
    return int(side * side)


def _grids(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """LLaVA-NeXT, OneVision: of the grids, those with few enough tiles; the model picks from the same list."""
    side = max(image.size.get("shortest_edge") or 0, image.size.get("height") or 0)
    patch = getattr(processor, "patch_size", None)
    across = side // (patch or 14) * Fraction(getattr(processor, "downsample_rate", None) or 1)  # Granite's
    each = int(getattr(processor, "num_image_tokens", 0) or int(across) ** 2)
    grids = [list(grid) for grid in image.image_grid_pinpoints]
    fitting = [grid for grid in grids if (grid[0] * grid[1] // (side * side) + 1) * each <= tokens]
    least = min(grids, key=lambda grid: grid[0] * grid[1])
    kept = fitting or [grid for grid in grids if grid[0] * grid[1] == least[0] * least[1]]
    image.image_grid_pinpoints = kept
    if config is not None:
        config.image_grid_pinpoints = kept
    return "" if fitting else _at_least((least[0] * least[1] // (side * side) + 1) * each)


def _longest(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Pixtral, Mistral 3: the longest side."""
    step = processor.patch_size * getattr(processor, "spatial_merge_size", 1)
    image.size = {"longest_edge": max(1, math.isqrt(tokens)) * step}
    return ""


def _soft(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Gemma 4: one of five numbers."""
    kept = max((each for each in GEMMA4_TOKENS if each <= tokens), default=GEMMA4_TOKENS[0])
    image.max_soft_tokens = processor.image_seq_length = kept
    return "" if tokens >= kept else _at_least(kept)


def _at_least(tokens: int) -> str:
    return f"image_tokens is not kept: an image takes {tokens} tokens at least with this model."


FAMILIES = (
    (
        ("Qwen2VL", "Qwen2_5", "Qwen3VL", "Glm4v", "Glm46V", "VideoLlama3", "Ernie4_5_VL", "PaddleOCRVL"),
        _pixels,
    ),
    (("Gemma3",), _crops),
    (("SmolVLM", "Idefics3"), _splitting),
    (("GotOcr2", "InternVL", "Ovis2"), _patches),
    (("LlavaNext", "LlavaOnevision"), _grids),
    (("Pixtral",), _longest),
    (("Gemma4",), _soft),
)
"""Beginnings of image processors' class names, and what sets them."""
