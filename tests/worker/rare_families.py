"""Families that are tuned seldom, or were only just made, as tiny random checkpoints like those of `families`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .families import (
    GLM,
    QWEN3_VISION,
    QWEN_IMAGE,
    ROPE,
    SIDE_PX,
    SIGLIP,
    chatml,
    ids,
    qwen3_5_like,
    qwen_ids,
    qwen_images,
    qwen_words,
    text_config,
    tokenizer,
    write,
)
from .more_families import CLIP, GRIDS, LLAVA, glm_parts, headed, minicpmv4_6
from .tiled import write_tiled_mllama

GRID_TOKENS = {"image_token": "<image>", "image_break_token": "<|break|>", "image_end_token": "<|end|>"}
TURNS = ["<|user|>", "<|assistant|>"]


def built(kind: str, **parts: Any) -> Any:
    """A model with random weights of a kind that transformers knows, from parts of its configuration."""
    from transformers import AutoConfig

    from radtui.worker.model import kinds

    config = AutoConfig.for_model(kind, **parts)
    return kinds.auto_class(config).from_config(config)


def lighton_ocr(folder: Path) -> Path:
    """LightOnOCR: Pixtral's tower before Qwen3."""
    words = tokenizer(TURNS, "</s>", start="<s>", **GRID_TOKENS)
    vision = {
        "model_type": "pixtral", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 112, "patch_size": 14, "head_dim": 16,
    }  # fmt: skip
    model = built(
        "lighton_ocr", vision_config=vision, text_config={"model_type": "qwen3", **text_config(words, head_dim=16)},
        **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {"image_processor_type": "PixtralImageProcessor", "size": {"longest_edge": 112}, "patch_size": 14}
    own = {"patch_size": 14, "spatial_merge_size": 2}
    return write(folder, model, words, headed("<image>"), "LightOnOcrProcessor", image, own)


def qianfan_ocr(folder: Path) -> Path:
    """Qianfan-OCR: InternVL's tiles before Qwen3."""
    words = tokenizer(
        ["<|im_start|>", "<image>"], "<|im_end|>", pad="<|endoftext|>", start_image_token="<img>",
        end_image_token="</img>", context_image_token="<IMG_CONTEXT>",
    )  # fmt: skip
    vision = {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": [SIDE_PX, SIDE_PX], "patch_size": [14, 14],
    }  # fmt: skip
    model = built(
        "qianfan_ocr", vision_config=vision, text_config={"model_type": "qwen3", **text_config(words, head_dim=16)},
        **ids(words, image_token_id="<IMG_CONTEXT>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "GotOcr2ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_to_patches": True, "max_patches": 6, "min_patches": 1,
    }  # fmt: skip
    return write(
        folder, model, words, chatml("<image>\n"), "QianfanOCRProcessor", image, {"image_seq_length": 4}
    )


SAM = {
    "model_type": "sam_vision_model", "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2,
    "num_attention_heads": 2, "image_size": 128, "patch_size": 16, "window_size": 4, "global_attn_indexes": [1],
    "mlp_dim": 64, "num_pos_feats": 8,
}  # fmt: skip


def deepseek_vl_hybrid(folder: Path) -> Path:
    """DeepSeek-VL 7B: a second tower for a larger picture."""
    words = tokenizer(TURNS, "</s>", start="<s>", image_token="<image_placeholder>")
    model = built(
        "deepseek_vl_hybrid", vision_config=SIGLIP, high_res_vision_config=SAM,
        text_config={"model_type": "llama", **text_config(words)}, **ids(words, image_token_id="<image_placeholder>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "DeepseekVLHybridImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "high_res_size": {"height": 128, "width": 128}, "min_size": 14,
    }  # fmt: skip
    return write(
        folder,
        model,
        words,
        headed("<image_placeholder>"),
        "DeepseekVLHybridProcessor",
        image,
        {"num_image_tokens": 16},
    )


def hunyuan_vl(folder: Path) -> Path:
    """Hunyuan-VL: tokens by size, a token at the end of each row."""
    words = tokenizer(
        [*TURNS, "<|newline|>"], "</s>", start="<s>", image_token="<|image|>", image_start_token="<|im_begin|>",
        image_end_token="<|im_stop|>",
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "out_hidden_size": 64, "text_hidden_size": 64, "max_image_size": 112, "min_image_size": 28,
        "img_max_token_num": 64, "max_vit_seq_len": 256,
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    model = built(
        "hunyuan_vl", vision_config=vision, text_config=text_config(words, head_dim=16, rope_parameters=rope),
        **ids(words, image_token_id="<|image|>", im_start_id="<|im_begin|>", im_end_id="<|im_stop|>",
              im_newline_id="<|newline|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "HunYuanVLImageProcessor", "patch_size": 14, "merge_size": 2, "temporal_patch_size": 1,
        "size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 16},
    }  # fmt: skip
    return write(
        folder, model, words, headed("<|im_begin|><|image|><|im_stop|>"), "HunYuanVLProcessor", image
    )


def janus(folder: Path) -> Path:
    """Janus: a model that also draws; what draws is left alone."""
    words = tokenizer(
        TURNS, "</s>", start="<s>", image_token="<image_placeholder>", boi_token="<begin_of_image>",
        eoi_token="<end_of_image>",
    )  # fmt: skip
    vision = {
        "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14,
        "projection_dim": 64, "num_image_tokens": 16, "mlp_ratio": 2,
    }  # fmt: skip
    drawing = {
        "embed_dim": 8, "num_embeddings": 32, "latent_channels": 32, "base_channels": 32, "channel_multiplier": [1, 1],
        "num_patches": 4, "image_token_embed_dim": 64, "num_res_blocks": 1, "projection_dim": 64,
        "num_hidden_layers": 1,
    }  # fmt: skip
    model = built(
        "janus", vision_config=vision, vq_config=drawing, text_config={"model_type": "llama", **text_config(words)},
        **ids(words, image_token_id="<image_placeholder>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "JanusImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX}, "min_size": 14,
    }  # fmt: skip
    return write(
        folder, model, words, headed("<image_placeholder>"), "JanusProcessor", image, {"num_image_tokens": 16}
    )


def emu3(folder: Path) -> Path:
    """Emu3: a picture is words of a codebook; its tower has no attention for LoRA in the text's sense."""
    code = [f"<|visual token {number:06d}|>" for number in range(16)]
    words = tokenizer(
        [*TURNS, *code, "<|extra_200|>"], "</s>", start="<s>", image_token="<image>", boi_token="<|image start|>",
        eoi_token="<|image end|>", image_wrapper_token="<|image token|>", eof_token="<|extra_201|>",
    )  # fmt: skip
    seen = {
        "codebook_size": 16, "embed_dim": 4, "latent_channels": 4, "base_channels": 32,
        "channel_multiplier": [1, 1, 1, 1], "num_res_blocks": 1, "hidden_size": 32, "attn_resolutions": [3],
    }  # fmt: skip
    names = [*code, "<|extra_200|>", "<image>"]
    model = built(
        "emu3", vq_config=seen, text_config=text_config(words),
        vocabulary_map=dict(zip(names, words.convert_tokens_to_ids(names), strict=True)),
    )  # fmt: skip
    image = {
        "image_processor_type": "Emu3ImageProcessor", "min_pixels": 32 * 32, "max_pixels": 48 * 48, "spatial_factor": 8,
    }  # fmt: skip
    return write(folder, model, words, headed("<image>"), "Emu3Processor", image)


def _glm_files(folder: Path, model: Any, words: Any, kind: str, image: dict[str, Any], video: str) -> Path:
    ends = [words.eos_token_id, *ids(words, user="<|user|>", observation="<|observation|>").values()]
    return write(folder, model, words, GLM, kind, image, video=video, ends=ends)


def _glm_images(kind: str) -> dict[str, Any]:
    return {
        "image_processor_type": kind, "patch_size": 14, "merge_size": 2, "temporal_patch_size": 2,
        "size": {"shortest_edge": 28 * 28 * 2, "longest_edge": 28 * 28 * 2 * 16},
    }  # fmt: skip


def glm_ocr(folder: Path) -> Path:
    """GLM-OCR."""
    words, parts = glm_parts(head_dim=16)
    return _glm_files(
        folder, built("glm_ocr", **parts), words, "Glm46VProcessor", _glm_images("Glm46VImageProcessor"),
        "Glm46VVideoProcessor",
    )  # fmt: skip


def glmga(folder: Path) -> Path:
    """GLM-GA: GLM-4.6V's class with an image processor of its own."""
    words, parts = glm_parts(model_type="glm4v_text")
    parts["vision_config"]["model_type"] = "glm4v_vision"
    return _glm_files(
        folder, built("glmga", **parts), words, "Glm46VProcessor", _glm_images("GlmgaImageProcessor"),
        "GlmgaVideoProcessor",
    )  # fmt: skip


def _omni_words() -> Any:
    return tokenizer(
        ["<|im_start|>"], "<|im_end|>", pad="<|endoftext|>", image_token="<|IMAGE|>", audio_token="<|AUDIO|>",
        video_token="<|VIDEO|>", vision_bos_token="<|vision_bos|>", vision_eos_token="<|vision_eos|>",
        audio_bos_token="<|audio_bos|>", audio_eos_token="<|audio_eos|>",
    )  # fmt: skip


def _omni(folder: Path, kind: str, thinker: dict[str, Any], words: Any, patch: int, processor: str) -> Path:
    """A model that hears and speaks, of which the thinker alone is written: names of its weights say so."""
    from transformers import AutoConfig

    part = built(f"{kind}_thinker", **thinker)
    write(
        folder, part, words, chatml("<|vision_bos|><|IMAGE|><|vision_eos|>"), processor, qwen_images(patch, 16),
        video="Qwen2VLVideoProcessor",
    )  # fmt: skip
    file = folder / "preprocessor_config.json"
    hearing = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 16,
        "n_fft": 400,
        "hop_length": 160,
    }
    file.write_text(json.dumps(json.loads(file.read_text()) | hearing))
    _prefixed(folder / "model.safetensors", "thinker.")
    whole = AutoConfig.for_model(kind, thinker_config=part.config.to_dict())
    whole.architectures = [_class_name(kind)]
    whole.save_pretrained(folder)
    return folder


def _class_name(kind: str) -> str:
    """The class of a whole, as its configuration names it."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES

    return str(MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES[kind])


def _prefixed(file: Path, prefix: str) -> None:
    from safetensors.torch import load_file, save_file

    save_file({prefix + name: tensor for name, tensor in load_file(file).items()}, file, {"format": "pt"})


HEARING = {
    "num_mel_bins": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 32,
    "max_source_positions": 100, "output_dim": 64,
}  # fmt: skip


def _omni_ids(words: Any, suffix: str) -> dict[str, int]:
    named = {"audio": "<|AUDIO|>", "image": "<|IMAGE|>", "video": "<|VIDEO|>"}
    return {f"{name}_token_{suffix}": words.convert_tokens_to_ids(token) for name, token in named.items()}


def qwen2_5_omni(folder: Path) -> Path:
    """Qwen2.5-Omni: hears and speaks; what is tuned is the part that thinks."""
    words = _omni_words()
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 14,
        "window_size": 112, "fullatt_block_indexes": [1],
    }  # fmt: skip
    thinker = {
        "vision_config": vision, "audio_config": HEARING, "text_config": text_config(words, rope_parameters=ROPE),
        **_omni_ids(words, "index"),
        **ids(words, audio_start_token_id="<|audio_bos|>", audio_end_token_id="<|audio_eos|>",
              vision_start_token_id="<|vision_bos|>", vision_end_token_id="<|vision_eos|>"),
    }  # fmt: skip
    return _omni(folder, "qwen2_5_omni", thinker, words, 14, "Qwen2_5OmniProcessor")


def qwen3_omni_moe(folder: Path) -> Path:
    """Qwen3-Omni: the same with experts."""
    words = _omni_words()
    text = text_config(
        words, head_dim=16, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
        rope_parameters={**ROPE, "mrope_interleaved": True},
    )  # fmt: skip
    thinker = {
        "vision_config": QWEN3_VISION, "audio_config": HEARING | {"downsample_hidden_size": 8}, "text_config": text,
        **_omni_ids(words, "id"),
        **ids(words, audio_start_token_id="<|audio_bos|>", audio_end_token_id="<|audio_eos|>",
              vision_start_token_id="<|vision_bos|>", vision_end_token_id="<|vision_eos|>"),
    }  # fmt: skip
    return _omni(folder, "qwen3_omni_moe", thinker, words, 16, "Qwen3OmniMoeProcessor")


def cohere_compass(folder: Path) -> Path:
    """Cohere's Compass: Qwen3-VL's tower before Command's layers."""
    words = tokenizer(
        TURNS, "</s>", start="<s>", image_token="<|IMAGE_PAD|>", video_token="<|VIDEO_PAD|>",
        vision_start_token="<|VISION_START|>", vision_end_token="<|VISION_END|>",
    )  # fmt: skip
    layers = ["sliding_attention", "full_attention"]
    text = text_config(
        words, sliding_window=64, layer_types=layers, rope_parameters=dict.fromkeys(layers, ROPE)
    )
    model = built(
        "cohere_compass", vision_config=QWEN3_VISION, text_config=text,
        **ids(words, image_token_id="<|IMAGE_PAD|>", video_token_id="<|VIDEO_PAD|>",
              vision_start_token_id="<|VISION_START|>", vision_end_token_id="<|VISION_END|>"),
    )  # fmt: skip
    image = qwen_images(16, 16) | {"image_processor_type": "CohereCompassImageProcessor"}
    shown = headed("<|VISION_START|><|IMAGE_PAD|><|VISION_END|>")
    return write(
        folder, model, words, shown, "CohereCompassProcessor", image, video="CohereCompassVideoProcessor"
    )


def cosmos3_edge(folder: Path) -> Path:
    """Cosmos Edge."""
    words = qwen_words()
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 16,
        "num_patches": 64,
    }  # fmt: skip
    text = text_config(words, head_dim=16, rope_parameters={**ROPE, "mrope_interleaved": True})
    model = built(
        "cosmos3_edge", vision_config=vision, text_config=text, projector_hidden_size=64, **qwen_ids(words)
    )
    image = qwen_images(16, 16) | {
        "image_processor_type": "Cosmos3EdgeImageProcessor",
        "temporal_patch_size": 1,
    }
    return write(
        folder,
        model,
        words,
        chatml(QWEN_IMAGE),
        "Cosmos3EdgeProcessor",
        image,
        video="Cosmos3EdgeVideoProcessor",
    )


def cosmos3_omni(folder: Path) -> Path:
    """Cosmos Omni: Qwen3-VL's parts under a name of its own."""
    words = qwen_words()
    text = text_config(words, head_dim=16, rope_parameters={**ROPE, "mrope_interleaved": True})
    model = built(
        "cosmos3_omni", vision_config={"model_type": "qwen3_vl_vision", **QWEN3_VISION},
        text_config={"model_type": "qwen3_vl_text", **text}, **qwen_ids(words),
    )  # fmt: skip
    return write(
        folder,
        model,
        words,
        chatml(QWEN_IMAGE),
        "Qwen3VLProcessor",
        qwen_images(16, 16),
        video="Qwen3VLVideoProcessor",
    )


def deepseek_ocr2(folder: Path) -> Path:
    """DeepSeek-OCR 2: tiles and a larger whole, seen by a small language model."""
    words = tokenizer(TURNS, "</s>", start="<s>", image_token="<image>")
    sam = {name: value for name, value in SAM.items() if name not in ("model_type", "num_pos_feats")}
    sam |= {"image_size": 256, "patch_size": 4, "downsample_channels": [16, 32]}
    seeing = text_config(
        words, hidden_size=32, intermediate_size=64, num_attention_heads=2, num_key_value_heads=2
    )
    text = text_config(
        words, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, n_shared_experts=1,
        mlp_layer_types=["dense", "sparse"], num_key_value_heads=4,
    )  # fmt: skip
    model = built(
        "deepseek_ocr2", vision_config={"sam_config": sam, "encoder_config": seeing}, text_config=text,
        **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "DeepseekOcr2ImageProcessor", "size": {"height": 256, "width": 256}, "tile_size": 192,
        "max_patches": 4,
    }  # fmt: skip
    return write(folder, model, words, headed("<image>"), "DeepseekOcr2Processor", image, {"patch_size": 4})


VIDEO_SIDE = {"size": {"shortest_edge": SIDE_PX}, "crop_size": {"height": SIDE_PX, "width": SIDE_PX}}


def video_llava(folder: Path) -> Path:
    """Video-LLaVA: made for videos, and takes pictures."""
    words = tokenizer(
        ["USER", "ASSISTANT"],
        "</s>",
        start="<s>",
        adds_start=True,
        image_token="<image>",
        video_token="<video>",
    )
    model = built(
        "video_llava", vision_config=CLIP, text_config={"model_type": "llama", **text_config(words)},
        **ids(words, image_token_index="<image>", video_token_index="<video>"),
    )  # fmt: skip
    image = {"image_processor_type": "VideoLlavaImageProcessor", **VIDEO_SIDE}
    own = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return write(
        folder, model, words, LLAVA, "VideoLlavaProcessor", image, own, video="VideoLlavaVideoProcessor"
    )


def llava_next_video(folder: Path) -> Path:
    """LLaVA-NeXT-Video: LLaVA-NeXT's grids, with tokens for videos beside them."""
    words = tokenizer([], "</s>", start="<s>", adds_start=True, image_token="<image>", video_token="<video>")
    model = built(
        "llava_next_video", vision_config=CLIP, text_config={"model_type": "llama", **text_config(words)},
        image_grid_pinpoints=GRIDS[1:], **ids(words, image_token_index="<image>", video_token_index="<video>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "LlavaNextImageProcessor",
        "image_grid_pinpoints": GRIDS[1:],
        **VIDEO_SIDE,
    }
    own = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return write(
        folder,
        model,
        words,
        LLAVA,
        "LlavaNextVideoProcessor",
        image,
        own,
        video="LlavaNextVideoVideoProcessor",
    )


def qwen4_exp(folder: Path) -> Path:
    """Qwen4-Exp: several residual streams, and tables of hashed n-grams beside the tokens' embeddings."""
    from transformers import Qwen4ExpConfig, Qwen4ExpForConditionalGeneration

    return qwen3_5_like(
        folder, Qwen4ExpConfig, Qwen4ExpForConditionalGeneration,
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
        hc_count=2, hc_lowrank=8, ple_layer_ids=[1], ple_embed_dim=32, ngram_size=2, heads_per_ngram=2,
        ngram_vocab_size_base=64, make_ngram_vocab_size_divisible_by=8, split_ngram_parts=2, indexer_n_heads=2,
        indexer_kv_heads=1, indexer_head_dim=16, indexer_budget=4096, indexer_compress_ratio=4,
    )  # fmt: skip


def glm5_next(folder: Path) -> Path:
    """GLM-5 Next: linear attention and attention to chosen groups of tokens, several residual streams, experts."""
    words, parts = glm_parts(
        num_key_value_heads=4, q_lora_rank=16, kv_lora_rank=16, qk_nope_head_dim=16, qk_rope_head_dim=0, v_head_dim=16,
        moe_intermediate_size=32, n_routed_experts=4, num_experts_per_tok=2, mlp_layer_types=["dense", "sparse"],
        layer_types=["linear_attention", "deepseek_sparse_attention"], indexer_types=["full", "full"], index_topk=64,
        index_kpool=4, index_head_dim=16, index_n_heads=2, linear_head_dim=16, linear_num_heads=4, hc_mult=2,
    )  # fmt: skip
    del parts["text_config"]["rope_parameters"]  # it knows places by its linear attention
    parts["vision_config"]["projection_intermediate_size"] = 64
    image = {
        "image_processor_type": "Glm5NextImageProcessor", "patch_size": 14, "merge_size": 2, "temporal_patch_size": 2,
        "min_image_tokens": 4, "max_image_tokens": 16,
    }  # fmt: skip
    ends = [words.eos_token_id, *ids(words, user="<|user|>", observation="<|observation|>").values()]
    return write(
        folder, built("glm5_next", **parts), words, GLM, "Glm5NextProcessor", image, video="Glm5NextVideoProcessor",
        ends=ends,
    )  # fmt: skip


RARE_FAMILIES: dict[str, Callable[[Path], Path]] = {
    "mllama": write_tiled_mllama, "lighton_ocr": lighton_ocr, "qianfan_ocr": qianfan_ocr,
    "deepseek_vl_hybrid": deepseek_vl_hybrid, "hunyuan_vl": hunyuan_vl, "janus": janus, "emu3": emu3,
    "glm_ocr": glm_ocr, "glmga": glmga, "qwen2_5_omni": qwen2_5_omni,
    "qwen3_omni_moe": qwen3_omni_moe, "cohere_compass": cohere_compass, "cosmos3_edge": cosmos3_edge,
    "cosmos3_omni": cosmos3_omni, "deepseek_ocr2": deepseek_ocr2, "video_llava": video_llava,
    "llava_next_video": llava_next_video, "minicpmv4_6": minicpmv4_6, "qwen4_exp": qwen4_exp,
    "glm5_next": glm5_next,
}  # fmt: skip
"""Those that load without torchvision, by name."""
