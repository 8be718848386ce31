"""Further families as tiny random checkpoints, beside those of `families`: what people tune less often, or only now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .families import (
    FAMILIES,
    GLM,
    IDEFICS_VISION,
    LLAVA,
    MISTRAL,
    QWEN_IMAGE,
    ROPE,
    SIDE_PX,
    SIGLIP,
    SMOL,
    chatml,
    ids,
    qwen3_5_like,
    qwen_ids,
    qwen_images,
    qwen_words,
    text_config,
    tokenizer,
    write,
)  # fmt: skip

CLIP = {
    "model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
    "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "projection_dim": 64,
}  # fmt: skip
GRIDS = [[SIDE_PX * rows, SIDE_PX * columns] for rows in (1, 2) for columns in (1, 2)]
HEADED = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' }}"
    "{% for c in m['content'] %}{{ '@' if c['type'] == 'image' else c['text'] }}{% endfor %}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def headed(image: str) -> str:
    """A template with a header and an end for each turn, and this for an image."""
    return HEADED.replace("@", image)


def llava_next(folder: Path) -> Path:
    """LLaVA-NeXT (LLaVA 1.6): the grid that suits an image's shape, and the whole image."""
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration

    words = tokenizer([], "</s>", start="<s>", adds_start=True, image_token="<image>")
    config = LlavaNextConfig(
        vision_config=CLIP, text_config={"model_type": "llama", **text_config(words)}, image_grid_pinpoints=GRIDS[1:],
        **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "LlavaNextImageProcessor", "size": {"shortest_edge": SIDE_PX},
        "crop_size": {"height": SIDE_PX, "width": SIDE_PX}, "image_grid_pinpoints": GRIDS[1:],
    }  # fmt: skip
    own = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return write(
        folder, LlavaNextForConditionalGeneration(config), words, LLAVA, "LlavaNextProcessor", image, own
    )


def vipllava(folder: Path) -> Path:
    """VipLLaVA: features of several vision layers side by side."""
    from transformers import VipLlavaConfig, VipLlavaForConditionalGeneration

    words = tokenizer([], "</s>", start="<s>", adds_start=True, image_token="<image>")
    config = VipLlavaConfig(
        vision_config=CLIP, text_config={"model_type": "llama", **text_config(words)}, vision_feature_layers=[-2, 1],
        **ids(words, image_token_index="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": SIDE_PX},
        "crop_size": {"height": SIDE_PX, "width": SIDE_PX},
    }  # fmt: skip
    own = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return write(folder, VipLlavaForConditionalGeneration(config), words, LLAVA, "LlavaProcessor", image, own)


def qwen2_vl(folder: Path) -> Path:
    """Qwen2-VL."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    words = qwen_words()
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "patch_size": 14}
    config = Qwen2VLConfig(
        vision_config=vision, text_config=text_config(words, rope_parameters=ROPE), **qwen_ids(words)
    )
    return write(
        folder, Qwen2VLForConditionalGeneration(config), words, chatml(QWEN_IMAGE), "Qwen2VLProcessor",
        qwen_images(14, 16), video="Qwen2VLVideoProcessor",
    )  # fmt: skip


def qwen3_5_moe(folder: Path) -> Path:
    """Qwen3.5 with experts and a shared expert with a gate of its own."""
    from transformers import Qwen3_5MoeConfig, Qwen3_5MoeForConditionalGeneration

    return qwen3_5_like(
        folder, Qwen3_5MoeConfig, Qwen3_5MoeForConditionalGeneration,
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
    )  # fmt: skip


def idefics2(folder: Path) -> Path:
    """Idefics2: an image is resampled to a fixed number of tokens."""
    from transformers import Idefics2Config, Idefics2ForConditionalGeneration

    words = tokenizer(
        ["<end_of_utterance>"], "</s>", start="<s>", adds_start=True, image_token="<image>",
        image_boundary_token="<fake_token_around_image>",
    )  # fmt: skip
    resampler = {
        "hidden_size": 64, "resampler_n_latents": 8, "resampler_depth": 1, "resampler_n_heads": 4,
        "resampler_head_dim": 16, "num_key_value_heads": 2,
    }  # fmt: skip
    config = Idefics2Config(
        vision_config=IDEFICS_VISION, perceiver_config=resampler, pad_token_id=words.pad_token_id,
        text_config={"model_type": "mistral", **text_config(words)}, **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Idefics2ImageProcessor", "do_image_splitting": False,
        "size": {"longest_edge": 64, "shortest_edge": 32},
    }  # fmt: skip
    ends = [words.eos_token_id, words.convert_tokens_to_ids("<end_of_utterance>")]
    return write(
        folder, Idefics2ForConditionalGeneration(config), words, SMOL.replace("<|im_start|>", ""), "Idefics2Processor",
        image, {"image_seq_len": 8}, ends=ends,
    )  # fmt: skip


COHERE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|START_OF_TURN_TOKEN|>' + ('<|CHATBOT_TOKEN|><|START_RESPONSE|>' "
    "if m['role'] == 'assistant' else '<|USER_TOKEN|>') }}"
    "{% for c in m['content'] %}{{ '<image>' if c['type'] == 'image' else c['text'] }}{% endfor %}"
    "{{ ('<|END_RESPONSE|>' if m['role'] == 'assistant' else '') + '<|END_OF_TURN_TOKEN|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_RESPONSE|>' }}{% endif %}"
)


def aya_vision(folder: Path) -> Path:
    """Aya Vision: tiles by the image's shape, with words for each tile."""
    from transformers import AyaVisionConfig, AyaVisionForConditionalGeneration

    words = tokenizer(
        ["<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>",
         "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>", "TILE_", "TILE_GLOBAL",
         "<image>"],
        "<|END_OF_TURN_TOKEN|>", start="<BOS_TOKEN>", adds_start=True,
    )  # fmt: skip
    text = text_config(
        words, head_dim=16, sliding_window=64, layer_types=["sliding_attention", "full_attention"]
    )
    config = AyaVisionConfig(
        vision_config=SIGLIP, text_config={"model_type": "cohere2", **text}, downsample_factor=2,
        **ids(words, image_token_id="<|IMG_PATCH|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "GotOcr2ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_to_patches": True, "max_patches": 6, "min_patches": 1,
    }  # fmt: skip
    own = {"patch_size": 14, "img_size": SIDE_PX, "downsample_factor": 2}
    return write(
        folder, AyaVisionForConditionalGeneration(config), words, COHERE, "AyaVisionProcessor", image, own
    )


def ovis2(folder: Path) -> Path:
    """Ovis2: an image is words of a vocabulary of its own."""
    from transformers import Ovis2Config, Ovis2ForConditionalGeneration

    atoms = ["<IMG_ATOM>", "<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"]
    words = tokenizer(
        ["<|im_start|>", "<|im_end|>", *atoms], "<|im_end|>", pad="<|endoftext|>", image_token="<image>"
    )
    vision = {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": SIDE_PX, "patch_size": 14, "vocab_size": 100, "hidden_stride": 2,
        "num_visual_indicator_tokens": 5,
    }  # fmt: skip
    config = Ovis2Config(
        vision_config=vision, text_config={"model_type": "qwen2", **text_config(words)}, hidden_size=64,
        vocab_size=len(words), visual_indicator_token_ids=words.convert_tokens_to_ids(atoms[1:]),
        **ids(words, image_token_id="<IMG_ATOM>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Ovis2ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_to_patches": True, "max_patches": 4, "min_patches": 1,
    }  # fmt: skip
    return write(
        folder, Ovis2ForConditionalGeneration(config), words, chatml("<image>\n"), "Ovis2Processor", image,
        {"image_seq_length": 4, "image_token": "<image>"},
    )  # fmt: skip


def deepseek_vl(folder: Path) -> Path:
    """DeepSeek-VL: a fixed number of tokens of a padded square."""
    from transformers import DeepseekVLConfig, DeepseekVLForConditionalGeneration

    words = tokenizer(["<|user|>", "<|assistant|>"], "</s>", start="<s>", image_token="<image_placeholder>")
    config = DeepseekVLConfig(
        vision_config=SIGLIP, text_config={"model_type": "llama", **text_config(words)},
        **ids(words, image_token_id="<image_placeholder>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "DeepseekVLImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "min_size": 14,
    }  # fmt: skip
    return write(
        folder, DeepseekVLForConditionalGeneration(config), words, headed("<image_placeholder>"),
        "DeepseekVLProcessor", image, {"num_image_tokens": 16},
    )  # fmt: skip


GLM_SPECIALS = [
    "[gmask]", "<sop>", "<|user|>", "<|assistant|>", "<|observation|>", "<|begin_of_image|>", "<|end_of_image|>",
    "<|begin_of_video|>", "<|end_of_video|>", "<think>", "</think>",
]  # fmt: skip


def _glm(folder: Path, model: Any, words: Any, kind: str) -> Path:
    image = {
        "image_processor_type": f"{kind}ImageProcessor", "patch_size": 14, "merge_size": 2, "temporal_patch_size": 2,
        "size": {"shortest_edge": 28 * 28 * 2, "longest_edge": 28 * 28 * 2 * 16},
    }  # fmt: skip
    ends = [words.eos_token_id, *ids(words, user="<|user|>", observation="<|observation|>").values()]
    return write(
        folder, model, words, GLM, f"{kind}Processor", image, video=f"{kind}VideoProcessor", ends=ends
    )


def glm_parts(**more: Any) -> tuple[Any, dict[str, Any]]:
    """Tokenizer, and what GLM's configurations are made of."""
    words = tokenizer(
        GLM_SPECIALS, "<|endoftext|>", pad="<|pad|>", image_token="<|image|>", video_token="<|video|>"
    )
    named = ids(
        words, image_token_id="<|image|>", video_token_id="<|video|>", image_start_token_id="<|begin_of_image|>",
        image_end_token_id="<|end_of_image|>", video_start_token_id="<|begin_of_video|>",
        video_end_token_id="<|end_of_video|>",
    )  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 14,
        "image_size": 336,
    }  # fmt: skip
    text = text_config(words, rope_parameters={**ROPE, "partial_rotary_factor": 1.0}, **more)
    return words, {"vision_config": vision, "text_config": text, **named}


def glm46v(folder: Path) -> Path:
    """GLM-4.6V Flash."""
    from transformers import Glm46VConfig, Glm46VForConditionalGeneration

    words, parts = glm_parts(model_type="glm4v_text")
    parts["vision_config"]["model_type"] = "glm4v_vision"
    return _glm(folder, Glm46VForConditionalGeneration(Glm46VConfig(**parts)), words, "Glm46V")


def glm4v_moe(folder: Path) -> Path:
    """GLM-4.5V: experts, a router of its own class, one dense layer before them."""
    from transformers import Glm4vMoeConfig, Glm4vMoeForConditionalGeneration

    words, parts = glm_parts(
        head_dim=16, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, n_shared_experts=1,
        first_k_dense_replace=1, n_group=1, topk_group=1,
    )  # fmt: skip
    return _glm(folder, Glm4vMoeForConditionalGeneration(Glm4vMoeConfig(**parts)), words, "Glm4v")


def pixtral(folder: Path) -> Path:
    """Pixtral 12B: LLaVA's class around a tower that takes any size."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    words = tokenizer(
        ["[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"], "</s>", start="<s>", image_token="[IMG]",
        image_break_token="[IMG_BREAK]", image_end_token="[IMG_END]",
    )  # fmt: skip
    vision = {
        "model_type": "pixtral", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 112, "patch_size": 14, "head_dim": 16,
    }  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config={"model_type": "mistral", **text_config(words, head_dim=16)},
        vision_feature_layer=-1, vision_feature_select_strategy="full", **ids(words, image_token_id="[IMG]"),
    )  # fmt: skip
    image = {"image_processor_type": "PixtralImageProcessor", "size": {"longest_edge": 112}, "patch_size": 14}
    own = {
        "patch_size": 14, "spatial_merge_size": 1, "image_token": "[IMG]", "image_break_token": "[IMG_BREAK]",
        "image_end_token": "[IMG_END]",
    }  # fmt: skip
    return write(
        folder, LlavaForConditionalGeneration(config), words, MISTRAL, "PixtralProcessor", image, own
    )


def aria(folder: Path) -> Path:
    """Aria: experts as grouped products, an image as a few queries."""
    from transformers import AriaConfig, AriaForConditionalGeneration

    words = tokenizer(["<|user|>", "<|assistant|>"], "</s>", start="<s>", image_token="<|img|>")
    text = text_config(words, moe_num_experts=4, moe_topk=2, moe_num_shared_experts=1, head_dim=16)
    vision = {
        "model_type": "idefics3_vision", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 980, "patch_size": 140,
    }  # fmt: skip
    config = AriaConfig(
        vision_config=vision, text_config={"model_type": "aria_text", **text}, projector_patch_to_query_dict={49: 8},
        **ids(words, image_token_index="<|img|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "AriaImageProcessor", "max_image_size": 980, "min_image_size": 336,
        "split_image": False,
    }  # fmt: skip
    own = {"size_conversion": {"980": 8}}
    return write(
        folder, AriaForConditionalGeneration(config), words, headed("<|img|>"), "AriaProcessor", image, own
    )  # fmt: skip


def video_llama_3(folder: Path) -> Path:
    """VideoLLaMA 3: image tokens by size, merged per image."""
    from transformers import VideoLlama3Config, VideoLlama3ForConditionalGeneration

    words = qwen_words()
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
    }  # fmt: skip
    config = VideoLlama3Config(
        vision_config=vision, text_config={"model_type": "qwen2", **text_config(words)},
        **ids(words, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
    )  # fmt: skip
    side = 28
    image = {
        "image_processor_type": "VideoLlama3ImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 1, "size": {"shortest_edge": side * side, "longest_edge": side * side * 16},
    }  # fmt: skip
    return write(
        folder, VideoLlama3ForConditionalGeneration(config), words, chatml(QWEN_IMAGE), "VideoLlama3Processor",
        image, video="VideoLlama3VideoProcessor",
    )  # fmt: skip


def ernie4_5_vl_moe(folder: Path) -> Path:
    """ERNIE 4.5 VL: experts for text and experts for images, told apart by token types."""
    from transformers import Ernie4_5_VLMoeConfig, Ernie4_5_VLMoeForConditionalGeneration

    words = tokenizer(
        ["<|user|>", "<|assistant|>"], "</s>", start="<s>", image_token="<|IMAGE_PLACEHOLDER|>",
        image_start_token="<|IMAGE_START|>", image_end_token="<|IMAGE_END|>", video_token="<|VIDEO_PLACEHOLDER|>",
        video_start_token="<|VIDEO_START|>", video_end_token="<|VIDEO_END|>",
    )  # fmt: skip
    text = text_config(
        words, moe_num_experts=4, moe_k=2, moe_intermediate_size=[32, 16], moe_num_shared_experts=1,
        mlp_layer_types=["dense", "sparse"], rope_parameters={**ROPE, "mrope_section": [3, 3, 2]},
    )  # fmt: skip
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 14}
    named = ids(
        words, image_token_id="<|IMAGE_PLACEHOLDER|>", image_start_token_id="<|IMAGE_START|>",
        image_end_token_id="<|IMAGE_END|>", video_token_id="<|VIDEO_PLACEHOLDER|>",
        video_start_token_id="<|VIDEO_START|>", video_end_token_id="<|VIDEO_END|>",
    )  # fmt: skip
    config = Ernie4_5_VLMoeConfig(vision_config=vision, text_config=text, **named)
    image = {
        "image_processor_type": "Ernie4_5_VLMoeImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 1, "size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 16},
    }  # fmt: skip
    shown = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"
    return write(
        folder, Ernie4_5_VLMoeForConditionalGeneration(config), words, headed(shown),
        "Ernie4_5_VLMoeProcessor", image, video="Ernie4_5_VLMoeVideoProcessor",
    )  # fmt: skip


def granite4_vision(folder: Path) -> Path:
    """Granite 4 Vision: image features are added at several text layers."""
    from transformers import Granite4VisionConfig, Granite4VisionForConditionalGeneration

    words = tokenizer(["<|user|>", "<|assistant|>"], "</s>", start="<s>", image_token="<image>")
    config = Granite4VisionConfig(
        vision_config=SIGLIP, text_config=text_config(words, num_hidden_layers=5), image_grid_pinpoints=GRIDS[1:],
        downsample_rate="1/2", vision_feature_select_strategy="full",
        deepstack_layer_map=[[-1, 0]], spatial_target_layers=[1, 2, 3, 4],  # each projector has a text layer of its own
        qformer_config={"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4,
                        "encoder_hidden_size": 64},
        image_seq_length=4, **ids(words, image_token_index="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "LlavaNextImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_size": {"height": SIDE_PX, "width": SIDE_PX}, "image_grid_pinpoints": GRIDS[1:],
    }  # fmt: skip
    own = {"patch_size": 14, "vision_feature_select_strategy": "full", "downsample_rate": "1/2"}
    return write(
        folder, Granite4VisionForConditionalGeneration(config), words, headed("<image>"),
        "Granite4VisionProcessor", image, own,
    )  # fmt: skip


def paddleocr_vl(folder: Path) -> Path:
    """PaddleOCR-VL: a small reader of pages."""
    from transformers import PaddleOCRVLConfig, PaddleOCRVLForConditionalGeneration

    words = tokenizer(
        ["<|user|>", "<|assistant|>", "<|IMAGE_START|>", "<|IMAGE_END|>"], "</s>", start="<s>",
        image_token="<|IMAGE_PLACEHOLDER|>", video_token="<|video_pad|>",
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "image_size": 112,
    }  # fmt: skip
    config = PaddleOCRVLConfig(
        vision_config=vision, text_config=text_config(words, head_dim=16, rope_parameters=ROPE),
        **ids(words, image_token_id="<|IMAGE_PLACEHOLDER|>", video_token_id="<|video_pad|>",
              vision_start_token_id="<|IMAGE_START|>", vision_end_token_id="<|IMAGE_END|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "PaddleOCRVLImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 1, "size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 16},
    }  # fmt: skip
    shown = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"
    return write(
        folder, PaddleOCRVLForConditionalGeneration(config), words, headed(shown), "PaddleOCRVLProcessor",
        image,
    )  # fmt: skip


def exaone4_5(folder: Path) -> Path:
    """EXAONE 4.5: grouped heads in the vision tower."""
    from transformers import Exaone4_5_Config, Exaone4_5_ForConditionalGeneration

    words = qwen_words()
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2,
        "num_key_value_heads": 1, "patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1],
    }  # fmt: skip
    text = text_config(
        words, sliding_window=64, layer_types=["sliding_attention", "full_attention"], head_dim=16
    )
    config = Exaone4_5_Config(
        vision_config=vision, text_config={"model_type": "exaone4", **text},
        **ids(words, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
    )  # fmt: skip
    return write(
        folder, Exaone4_5_ForConditionalGeneration(config), words, chatml(QWEN_IMAGE), "Exaone4_5_Processor",
        qwen_images(14, 16), video="Qwen2VLVideoProcessor",
    )  # fmt: skip


def minicpmv4_6(folder: Path) -> Path:
    """MiniCPM-V 4.6: slices by an image's shape, a number before each image."""
    from transformers import MiniCPMV4_6Config, MiniCPMV4_6ForConditionalGeneration

    words = tokenizer(
        ["<|im_start|>", "<|im_end|>"], "<|im_end|>", pad="<|endoftext|>", image_token="<|image_pad|>",
        video_token="<|video_pad|>", image_start_token="<image>", image_end_token="</image>",
        slice_start_token="<slice>", slice_end_token="</slice>", image_id_start_token="<image_id>",
        image_id_end_token="</image_id>",
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "image_size": 112, "insert_layer_id": 0,
    }  # fmt: skip
    config = MiniCPMV4_6Config(
        vision_config=vision, text_config={"model_type": "qwen2", **text_config(words)}, insert_layer_id=0,
        image_size=112, **ids(words, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "MiniCPMV4_6ImageProcessor", "scale_resolution": 112, "patch_size": 14,
        "max_slice_nums": 2,
    }  # fmt: skip
    return write(
        folder, MiniCPMV4_6ForConditionalGeneration(config), words, chatml("<|image_pad|>"), "MiniCPMV4_6Processor",
        image, video="MiniCPMV4_6VideoProcessor",
    )  # fmt: skip


def cohere2_vision(folder: Path) -> Path:
    """Command A Vision: tiles, each closed by a token of its own."""
    from transformers import Cohere2VisionConfig, Cohere2VisionForConditionalGeneration

    words = tokenizer(
        ["<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"],
        "<|END_OF_TURN_TOKEN|>", start="<BOS_TOKEN>", adds_start=True, image_token="<image>",
        boi_token="<|START_OF_IMG|>", eoi_token="<|END_OF_IMG|>", img_line_break_token="<|IMG_LINE_BREAK|>",
    )  # fmt: skip
    text = text_config(
        words, head_dim=16, sliding_window=64, layer_types=["sliding_attention", "full_attention"]
    )
    config = Cohere2VisionConfig(
        vision_config=SIGLIP, text_config={"model_type": "cohere2", **text}, downsample_factor=2,
        alignment_intermediate_size=128, **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Cohere2VisionImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_to_patches": True, "max_patches": 6, "min_patches": 1, "patch_size": 2,
    }  # fmt: skip
    return write(
        folder, Cohere2VisionForConditionalGeneration(config), words, COHERE, "Cohere2VisionProcessor", image
    )


def llama4(folder: Path) -> Path:
    """Llama 4: tiles, and experts behind a router that returns two tensors."""
    from transformers import Llama4Config, Llama4ForConditionalGeneration

    words = tokenizer(
        ["<|user|>", "<|assistant|>", "<|image|>", "<|patch|>", "<|image_start|>", "<|image_end|>",
         "<|tile_x_separator|>", "<|tile_y_separator|>"],
        "<|eot|>", start="<|begin_of_text|>",
    )  # fmt: skip
    vision = {
        "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": SIDE_PX, "patch_size": 14, "pixel_shuffle_ratio": 0.5, "projector_input_dim": 64,
        "projector_output_dim": 64, "vision_output_dim": 64,
    }  # fmt: skip
    text = text_config(
        words, head_dim=16, intermediate_size_mlp=128, num_local_experts=4, moe_layers=[1],
        interleave_moe_layer_step=2, attention_chunk_size=512,
    )  # fmt: skip
    config = Llama4Config(
        vision_config=vision, text_config=text,
        **ids(words, image_token_index="<|patch|>", boi_token_index="<|image_start|>", eoi_token_index="<|image_end|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Llama4ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX}, "max_patches": 4,
    }  # fmt: skip
    return write(
        folder, Llama4ForConditionalGeneration(config), words, headed("<|image|>"), "Llama4Processor", image,
        {"patch_size": 14, "pixel_shuffle_ratio": 0.5},
    )  # fmt: skip


def lfm2_vl(folder: Path) -> Path:
    """LFM2-VL: short convolutions between attention layers, tiles with a thumbnail."""
    from transformers import Lfm2VlConfig, Lfm2VlForConditionalGeneration

    tiles = [f"<|img_row_{row}_col_{column}|>" for row in range(1, 4) for column in range(1, 4)]
    words = tokenizer(
        ["<|im_start|>", *tiles], "<|im_end|>", start="<|startoftext|>", adds_start=True, image_token="<image>",
        image_start_token="<|image_start|>", image_end_token="<|image_end|>", image_thumbnail="<|img_thumbnail|>",
    )  # fmt: skip
    vision = {
        "model_type": "siglip2_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "patch_size": 16, "num_patches": 64,
    }  # fmt: skip
    text = text_config(words, layer_types=["conv", "full_attention"], block_ff_dim=128)
    config = Lfm2VlConfig(
        vision_config=vision, text_config={"model_type": "lfm2", **text}, projector_hidden_size=64, downsample_factor=2,
        **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Lfm2VlImageProcessor", "tile_size": 128, "min_tiles": 2, "max_tiles": 4,
        "min_image_tokens": 4, "max_image_tokens": 16, "encoder_patch_size": 16, "max_num_patches": 64,
        "downsample_factor": 2,
    }  # fmt: skip
    return write(
        folder, Lfm2VlForConditionalGeneration(config), words, "{{ bos_token }}" + chatml("<image>"), "Lfm2VlProcessor",
        image,
    )  # fmt: skip


MORE_FAMILIES: dict[str, Callable[[Path], Path]] = {
    "llava_next": llava_next, "vipllava": vipllava, "qwen2_vl": qwen2_vl, "qwen3_5_moe": qwen3_5_moe,
    "idefics2": idefics2, "aya_vision": aya_vision, "ovis2": ovis2, "deepseek_vl": deepseek_vl, "glm46v": glm46v,
    "glm4v_moe": glm4v_moe, "pixtral": pixtral, "aria": aria, "video_llama_3": video_llama_3,
    "ernie4_5_vl_moe": ernie4_5_vl_moe, "granite4_vision": granite4_vision,
    "paddleocr_vl": paddleocr_vl, "exaone4_5": exaone4_5,
}  # fmt: skip
"""Those of them that load without torchvision and have a chat template, by name."""
MAKERS = FAMILIES | MORE_FAMILIES
WITH_TORCHVISION: dict[str, Callable[[Path], Path]] = {
    "llama4": llama4, "lfm2_vl": lfm2_vl, "cohere2_vision": cohere2_vision,
}  # fmt: skip
"""Those of them that load only where torchvision works."""
