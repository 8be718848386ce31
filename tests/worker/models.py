"""Tiny random models of other architectures, each a folder that transformers' Auto classes load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIDE_PX = 56
SPECIALS = ["<s>", "</s>", "<pad>", "<image>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}{{ IMAGE }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% if m['role'] == 'assistant' %}{{ '</s>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def tokenizer(image_token: str, **named: str) -> Any:
    """A byte-level tokenizer whose tokenizer, not its template, writes the first token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    specials = [*SPECIALS, *(each for each in (image_token, *named.values()) if each not in SPECIALS)]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = ["A bright disc on the left, a bar on the right, well seen. Describe what you see."]
    bpe.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=320, special_tokens=specials, initial_alphabet=alphabet)
    )
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=1024,
        extra_special_tokens={"image_token": image_token, **named},
    )  # fmt: skip


def text_config(vocab_size: int, **changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": vocab_size, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024, "bos_token_id": 0,
        "eos_token_id": 1, "pad_token_id": 2,
    } | changes  # fmt: skip


def write_llava(folder: Path) -> Path:
    """LLaVA: a CLIP tower, a projector, a Llama; one fixed number of image tokens."""
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    words = tokenizer("<image>")
    config = LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
            "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "projection_dim": 64,
        },
        text_config={"model_type": "llama", **text_config(len(words))},
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    size = {"height": SIDE_PX, "width": SIDE_PX}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": SIDE_PX}, crop_size=size), tokenizer=words,
        patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=TEMPLATE.replace("IMAGE", "'<image>'"),
    )  # fmt: skip
    return _save(LlavaForConditionalGeneration(config), processor, folder)


def write_llava_next(folder: Path) -> Path:
    """LLaVA-NeXT: an image is cut by its own shape, so rows differ in their number of image tokens."""
    from transformers import (
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessorPil,
        LlavaNextProcessor,
    )

    words = tokenizer("<image>")
    grids = [[SIDE_PX, 2 * SIDE_PX], [2 * SIDE_PX, SIDE_PX]]
    config = LlavaNextConfig(
        vision_config={
            "model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
            "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "projection_dim": 64,
        },
        text_config={"model_type": "llama", **text_config(len(words))},
        image_grid_pinpoints=grids, image_token_id=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    size = {"height": SIDE_PX, "width": SIDE_PX}
    processor = LlavaNextProcessor(
        image_processor=LlavaNextImageProcessorPil(
            size={"shortest_edge": SIDE_PX}, crop_size=size, image_grid_pinpoints=grids
        ),
        tokenizer=words, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=TEMPLATE.replace("IMAGE", "'<image>'"),
    )  # fmt: skip
    return _save(LlavaNextForConditionalGeneration(config), processor, folder)


def write_gemma3(folder: Path) -> Path:
    """Gemma 3 (MedGemma's class): image tokens attend to each other, so training needs to know which they are."""
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessorPil,
        Gemma3Processor,
    )

    words = tokenizer("<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    ids = {
        "boi_token_index": words.convert_tokens_to_ids("<start_of_image>"),
        "eoi_token_index": words.convert_tokens_to_ids("<end_of_image>"),
        "image_token_id": words.convert_tokens_to_ids("<image_soft_token>"),
    }
    config = Gemma3Config(
        vision_config={
            "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "vision_use_head": False,
        },
        text_config=text_config(len(words), head_dim=16, sliding_window=64, layer_types=[
            "sliding_attention", "full_attention"]),
        mm_tokens_per_image=4, **ids,
    )  # fmt: skip
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(size={"height": SIDE_PX, "width": SIDE_PX}), tokenizer=words,
        image_seq_length=4, chat_template=TEMPLATE.replace("IMAGE", "'<start_of_image>'"),
    )  # fmt: skip
    return _save(Gemma3ForConditionalGeneration(config), processor, folder)


def write_qwen2_vl(folder: Path) -> Path:
    """Qwen2-VL: patches of all images in one long row, image tokens by size, positions in three dimensions."""
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessorPil,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    words = tokenizer(
        "<|image_pad|>", video_token="<|video_pad|>", start="<|vision_start|>", end="<|vision_end|>"
    )
    ids = {
        f"{name}_token_id": words.convert_tokens_to_ids(token)
        for name, token in (
            ("image", "<|image_pad|>"), ("video", "<|video_pad|>"), ("vision_start", "<|vision_start|>"),
            ("vision_end", "<|vision_end|>"),
        )
    }  # fmt: skip
    config = Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "patch_size": 14},
        text_config=text_config(
            len(words),
            rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
        ),
        **ids,
    )
    picture = "'<|vision_start|><|image_pad|><|vision_end|>'"
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=84 * 84), tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(), chat_template=TEMPLATE.replace("IMAGE", picture),
    )  # fmt: skip
    return _save(Qwen2VLForConditionalGeneration(config), processor, folder)


def _save(model: Any, processor: Any, folder: Path) -> Path:
    model.generation_config.eos_token_id = 1
    model.generation_config.pad_token_id = 2
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
