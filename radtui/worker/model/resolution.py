"""How many tokens an image may take, by the switches that its processor has: pixels, tiles, crops, splitting.

One setting for training, watching and describing. Switches are known by their names, never by a family's; what a tile
takes is what the processor makes of one. A processor without such a switch is said, not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from radtui.worker.model.processors import IMAGE_OPTIONS, PILLOW_SUFFIX

GEMMA4_TOKENS = (70, 140, 280, 560, 1120)  # Source: transformers, image_processing_gemma4
FRAME_TOKENS = 4  # that are written around a tile at most: its frame, its row and column
MIN_CROP_PX = 256  # Source: transformers, Gemma 3's processor: its defaults where pan and scan is on
MIN_CROP_RATIO = 1.2
MOST_TILES = ("max_patches", "max_tiles", "max_num_tiles", "max_slice_nums", "dynamic_hd")
"""Names under which processors hold how many tiles an image is cut into at most."""
LEAST_TILES = ("min_patches", "min_tiles")
CUTTING = ("crop_to_patches", "do_image_splitting", "slice_mode")
"""Names of the switch beside them that lets an image be cut at all."""
WHOLE_OR_PARTS = ("do_image_splitting", "split_image")
"""Names of that switch where nothing says into how many parts."""
LARGE_PX = (2048, 1024)  # a picture that is cut as finely as any
TILE_PX = ("tile_size", "scale_resolution")
LARGE_STRIP, LONGEST_STRIP = 4, 64  # tiles side by side in a picture that is tried


def apply(processor: Any, image_tokens: int, config: Any = None) -> str:
    """Set a processor so that an image takes about so many tokens at most, or the least it can.

    Args:
        processor: Changed in place; with a chat template.
        image_tokens: The most; 0 leaves the model's own.
        config: The model's own, for families whose model must know the same list of grids; changed in place.

    Returns:
        A sentence where the setting is not or not wholly kept; else empty.
    """
    if not image_tokens:
        return ""
    image = processor.image_processor
    for fits, setter in SWITCHES:
        if fits(image):
            return setter(processor, image, image_tokens, config)
    kind = type(image).__name__.removesuffix("Fast").removesuffix(PILLOW_SUFFIX)
    return f"image_tokens is not used: no switch of {kind} for it is known; max_side_px shrinks images for every model."


def _has(*names: str) -> Callable[[Any], bool]:
    """Whether an image processor has all of these, whatever they are set to."""
    return lambda image: all(hasattr(image, name) for name in names)


def _has_edges(*edges: str) -> Callable[[Any], bool]:
    """Whether an image processor cuts patches out of a picture whose size is bounded by these edges alone."""
    return lambda image: hasattr(image, "patch_size") and _edges(image) == set(edges)


def _edges(image: Any) -> set[str]:
    size = getattr(image, "size", None) or {}
    return {name for name in ("shortest_edge", "longest_edge", "height", "width") if _edge(size, name)}


def _edge(size: Any, name: str) -> Any:
    return size.get(name) if isinstance(size, dict) else getattr(size, name, None)


def _taken(processor: Any, width_px: int, height_px: int) -> int:
    """Tokens that the processor, as it is set, makes of a picture of this size."""
    from radtui.worker.model.counting import ImageTokens  # which imports torch

    return ImageTokens(processor, []).of((width_px, height_px))


def _pixels(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Qwen, GLM: the product of sides; GLM's counts every frame that it makes of an image, Qwen's does not."""
    side = image.patch_size * image.merge_size  # px of a token's square
    high = math.isqrt(tokens + 1) * side + side
    least = _edge(image.size, "shortest_edge")
    for frames in (getattr(image, "temporal_patch_size", 1), 1):
        most = tokens * side * side * frames
        image.size = {"shortest_edge": min(least, most), "longest_edge": most}
        if frames == 1 or _taken(processor, 2 * high, high) <= tokens:
            break
    return ""


def _tokens(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """GLM 5, Muse: the setting itself."""
    _set(processor, max_image_tokens=tokens)
    if getattr(image, "min_image_tokens", None):
        _set(processor, min_image_tokens=min(image.min_image_tokens, tokens))
    return ""


def _squares(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Kimi: squares that the vision tower sees, of which several make a token."""
    image.max_patches = tokens * image.merge_size**2
    return ""


def _area(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Emu3: the product of sides, a token standing for a square of its own size."""
    image.max_pixels = tokens * image.spatial_factor**2
    image.min_pixels = min(image.min_pixels, image.max_pixels)
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
    """Rows of tiles that the tokenizer has names for; many where tiles have no names."""
    vocabulary = processor.tokenizer.get_vocab()
    for named in ("<row_{0}_col_{0}>", "<|img_row_{0}_col_{0}|>"):
        rows = 0
        while named.format(rows + 1) in vocabulary:
            rows += 1
        if rows:
            return rows
    return LONGEST_STRIP


def _parts(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """Idefics2, Aria: an image as a whole, or its parts beside it, as many as the family likes."""
    name = next(each for each in WHOLE_OR_PARTS if hasattr(image, each))
    least = 0
    for cut in (True, False):
        _set(processor, **{name: cut})
        least = _taken(processor, *LARGE_PX)
        if least <= tokens + FRAME_TOKENS * (1 + 4 * cut):
            return ""
    return _at_least(least)


def _tiles(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """InternVL, Aya, Ovis2, Cohere2, Llama 4, LFM2, MiniCPM, Phi 4: tiles by an image's shape, and a thumbnail."""
    side = _tile_px(image)
    cut = _Cut(processor)

    def taking(tiles: int) -> int:
        cut.into(tiles)
        high = side * (3 if tiles < LARGE_STRIP else 1)  # LFM2 cuts nothing that is hardly larger than a tile
        return _taken(processor, high * tiles, high)

    whole = taking(1)
    if whole > tokens + FRAME_TOKENS and hasattr(image, "max_image_tokens"):  # LFM2: of what is not cut
        _tokens(processor, image, tokens, config)
        whole = taking(1)
    if whole > tokens + FRAME_TOKENS:
        return _at_least(whole)
    each = max((taking(2) - whole) / 2, 1)  # two tiles and a thumbnail against one tile
    tiles = min(int((tokens - whole) / each + 0.5), LONGEST_STRIP, _named_rows(processor))
    while tiles > 1 and taking(tiles) > tokens + FRAME_TOKENS * (tiles + 1):
        tiles -= 1
    cut.into(max(tiles, 1))
    return ""


def _tile_px(image: Any) -> int:
    named = next((getattr(image, name) for name in TILE_PX if getattr(image, name, None)), None)
    return int(named or _edge(image.size, "height") or _edge(image.size, "shortest_edge"))


class _Cut:
    """An image processor's switches for tiles.

    Args:
        processor: Its processor.
    """

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        image = processor.image_processor
        self.most = next(name for name in MOST_TILES if hasattr(image, name))
        self.least = {name: getattr(image, name) for name in LEAST_TILES if hasattr(image, name)}
        self.switch = next((name for name in CUTTING if hasattr(image, name)), "")

    def into(self, tiles: int) -> None:
        """Let an image be cut into so many tiles at most; 1 leaves it whole."""
        least = {name: min(least, tiles) for name, least in self.least.items()}
        _set(
            self.processor, **{self.most: tiles, **least}, **({self.switch: tiles > 1} if self.switch else {})
        )


def _set(processor: Any, **values: Any) -> None:
    """Set an image processor for good, and in each call: a processor's own defaults go before what is set for good."""
    for name, value in values.items():
        setattr(processor.image_processor, name, value)
    processor.__dict__.setdefault(IMAGE_OPTIONS, {}).update(values)


def _grids(processor: Any, image: Any, tokens: int, config: Any) -> str:
    """LLaVA-NeXT, OneVision: of the grids, those with few enough tiles; the model picks from the same list."""
    side = max(_edge(image.size, "shortest_edge") or 0, _edge(image.size, "height") or 0)
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


def _has_tiles(image: Any) -> bool:
    return any(hasattr(image, name) for name in MOST_TILES)


SWITCHES: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, int, Any], str]], ...] = (
    (_has("max_soft_tokens"), _soft),
    (_has("do_pan_and_scan"), _crops),
    (_has("image_grid_pinpoints"), _grids),
    (_has("merge_size", "max_image_tokens"), _tokens),
    (_has("merge_size", "max_patches"), _squares),
    (lambda image: _has("merge_size")(image) and _edges(image) == {"shortest_edge", "longest_edge"}, _pixels),
    (_has("max_pixels", "spatial_factor"), _area),
    (_has("do_image_splitting", "max_image_size"), _splitting),
    (_has_tiles, _tiles),
    (lambda image: any(hasattr(image, name) for name in WHOLE_OR_PARTS), _parts),
    (_has_edges("longest_edge"), _longest),
)
"""What tells a switch, and what sets it; the first that is there is taken."""
