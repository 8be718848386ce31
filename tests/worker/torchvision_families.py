"""Families whose image processor, or whose tower of timm, needs a torchvision that works, as tiny checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .families import CHANNEL, LLAVA, ids, text_config, tokenizer, write
from .more_families import WITH_TORCHVISION, headed
from .rare_families import TURNS, built

BATCH_STATISTICS = {
    "model_type": "timm_wrapper",
    "architecture": "test_byobnet",
    "do_pooling": False,
    "num_classes": 0,
}
TIMM_WIDTH, TIMM_STRIDE = 256, 32  # of that tower


def kimi_k25(folder: Path) -> Path:
    """Kimi K2.5: squares of any number before DeepSeek's layers with experts."""
    words = tokenizer(
        TURNS, "</s>", start="<s>", image_token="<|media_pad|>", video_token="<|kimi_k25_video_placeholder|>"
    )
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "pos_emb_height": 8, "pos_emb_width": 8,
    }  # fmt: skip
    text = text_config(
        words, num_key_value_heads=4, kv_lora_rank=16, q_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=8,
        v_head_dim=16, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, n_shared_experts=1,
        first_k_dense_replace=1, n_group=1, topk_group=1,
    )  # fmt: skip
    model = built(
        "kimi_k25", vision_config=vision, text_config={"model_type": "deepseek_v3", **text}, projection_hidden_size=32,
        **ids(words, image_token_id="<|media_pad|>", video_token_id="<|kimi_k25_video_placeholder|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "Kimi_K25ImageProcessor", "patch_size": 14, "merge_size": 2, "max_patches": 64,
        "size": {"max_height": 16, "max_width": 16},
    }  # fmt: skip
    return write(
        folder,
        model,
        words,
        headed("<|media_pad|>"),
        "Kimi_K25Processor",
        image,
        video="Kimi_K25VideoProcessor",
    )


def phi4_multimodal(folder: Path) -> Path:
    """Phi-4-multimodal: tiles of a fixed size; transformers has it as a model of several kinds of input alone."""
    words = tokenizer(TURNS, "</s>", start="<s>", image_token="<|image|>", audio_token="<|audio|>")
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        **ids(words, image_token_id="<|image|>"),
    }  # fmt: skip
    hearing = {
        "hidden_size": 32, "intermediate_size": 64, "num_blocks": 1, "num_attention_heads": 2, "ext_pw_out_channel": 32,
        "nemo_conv_channels": 32, **ids(words, audio_token_id="<|audio|>"),
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 1.0}
    model = built(
        "phi4_multimodal",
        vision_config=vision,
        audio_config=hearing,
        **text_config(words, rope_parameters=rope),
    )
    image = {"image_processor_type": "Phi4MultimodalImageProcessor", "dynamic_hd": 4}
    write(folder, model, words, headed("<|image|>"), "Phi4MultimodalProcessor", image)
    file = folder / "preprocessor_config.json"
    hears = {"feature_extractor_type": "Phi4MultimodalFeatureExtractor"}
    file.write_text(json.dumps(json.loads(file.read_text()) | hears))
    return folder


def step3p7(folder: Path) -> Path:
    """Step 3.7: windows that slide over a picture, and the whole."""
    words = tokenizer(
        [*TURNS, "<im_patch>", "<patch_start>", "<patch_end>", "<patch_newline>", "<im_start>", "<im_end>"], "</s>",
        start="<s>", image_token="<im_patch>",
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 112,
        "patch_size": 14, "max_position_embeddings": 64, "mlp_ratio": 2.0,
    }  # fmt: skip
    text = text_config(
        words, head_dim=16, n_routed_experts=4, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
        share_expert_dim=32, layer_types=["full_attention", "sliding_attention"], sliding_window=64,
        num_sliding_attention_heads=4, mlp_layer_types=["dense", "sparse"],
    )  # fmt: skip
    model = built(
        "step3p7", vision_config=vision, text_config=text, **ids(words, image_token_id="<im_patch>")
    )
    image = {
        "image_processor_type": "Step3p7ImageProcessor", "size": {"height": 112, "width": 112}, "patch_size": 56,
        "max_image_size": 448,
    }  # fmt: skip
    return write(folder, model, words, headed("<im_patch>"), "Step3p7Processor", image)


def perception_lm(folder: Path) -> Path:
    """PerceptionLM: a tower of timm's, tiles and a thumbnail."""
    words = tokenizer(TURNS, "</s>", start="<s>", image_token="<|image|>", video_token="<|video|>")
    vision = {
        "model_type": "timm_wrapper", "architecture": "vit_pe_core_tiny_patch16_384", "num_classes": 0,
        "do_pooling": False,
        "model_args": {"embed_dim": 64, "img_size": [64, 64], "depth": 2, "num_heads": 4, "global_pool": "",
                       "use_post_transformer_norm": False, "init_values": 0.1, "ref_feat_shape": [4, 4]},
    }  # fmt: skip
    model = built(
        "perception_lm", vision_config=vision, text_config={"model_type": "llama", **text_config(words)},
        projector_pooling_ratio=2, **ids(words, image_token_id="<|image|>", video_token_id="<|video|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "PerceptionLMImageProcessor", "tile_size": 64, "max_num_tiles": 4,
        "size": {"height": 64, "width": 64},
    }  # fmt: skip
    own = {"patch_size": 16, "pooling_ratio": 2}
    return write(
        folder, model, words, headed("<|image|>"), "PerceptionLMProcessor", image, own,
        video="PerceptionLMVideoProcessor",
    )  # fmt: skip


def gemma3n(folder: Path) -> Path:
    """Gemma 3n: a tower of timm's with batch statistics, text layers that share keys, and hearing."""
    words = tokenizer(
        ["<|turn>", "<turn|>", "<|channel>", "<channel|>"], "<eos>", start="<bos>", adds_start=True,
        image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>",
        audio_token="<audio_soft_token>", boa_token="<start_of_audio>", eoa_token="<end_of_audio>",
    )  # fmt: skip
    count = len(words)
    text = text_config(
        words, head_dim=16, sliding_window=64, layer_types=["sliding_attention", "full_attention"], num_hidden_layers=2,
        num_kv_shared_layers=0, hidden_size_per_layer_input=16, vocab_size_per_layer_input=count, laurel_rank=8,
        intermediate_size=[128, 128], activation_sparsity_pattern=[0.0, 0.0],
    )  # fmt: skip
    vision = {
        "architecture": "test_byobnet",
        "hidden_size": TIMM_WIDTH,
        "vocab_size": 8,
        "vocab_offset": count,
    }
    hearing = {
        "hidden_size": 32, "vocab_size": 8, "vocab_offset": count + 8, "conf_num_attention_heads": 2,
        "conf_num_hidden_layers": 1, "sscp_conv_channel_size": [8, 8],
    }  # fmt: skip
    model = built(
        "gemma3n", text_config=text, vision_config=vision, audio_config=hearing, vision_soft_tokens_per_image=4,
        audio_soft_tokens_per_image=4,
        **ids(words, boi_token_id="<start_of_image>", eoi_token_id="<end_of_image>",
              image_token_id="<image_soft_token>", audio_token_id="<audio_soft_token>",
              boa_token_id="<start_of_audio>", eoa_token_id="<end_of_audio>"),
    )  # fmt: skip
    image = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 64, "width": 64}}
    ends = [words.eos_token_id, words.convert_tokens_to_ids("<turn|>")]
    template = CHANNEL.replace("<|channel>thought\n<channel|>", "").replace(
        "<start_of_image>", "<image_soft_token>"
    )
    write(
        folder, model, words, template, "Gemma3nProcessor", image,
        {"image_seq_length": 4, "audio_seq_length": 4}, ends=ends,
    )  # fmt: skip
    file = folder / "preprocessor_config.json"
    hears = {"feature_extractor_type": "Gemma3nAudioFeatureExtractor"}
    file.write_text(json.dumps(json.loads(file.read_text()) | hears))
    return folder


def fast_vlm(folder: Path) -> Path:
    """FastVLM: a tower of timm's with batch statistics."""
    words = tokenizer([], "</s>", start="<s>", adds_start=True, image_token="<image>")
    model = built(
        "fast_vlm", vision_config={**BATCH_STATISTICS, "hidden_size": TIMM_WIDTH}, image_seq_length=4,
        text_config={"model_type": "qwen2", **text_config(words)}, **ids(words, image_token_index="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 2 * TIMM_STRIDE},
        "crop_size": {"height": 2 * TIMM_STRIDE, "width": 2 * TIMM_STRIDE},
    }  # fmt: skip
    own = {
        "patch_size": TIMM_STRIDE,
        "vision_feature_select_strategy": "full",
        "num_additional_image_tokens": 0,
    }
    return write(folder, model, words, LLAVA, "LlavaProcessor", image, own)


def gemma4_unified(folder: Path) -> Path:
    """Gemma 4 in one: no tower, patches go into the text layers."""
    words = tokenizer(
        ["<|turn>", "<turn|>", "<|channel>", "<channel|>"], "<eos>", start="<bos>", adds_start=True,
        image_token="<|image|>", boi_token="<|image>", eoi_token="<image|>", audio_token="<|audio|>",
        boa_token="<|audio>", eoa_token="<audio|>", video_token="<|video|>",
    )  # fmt: skip
    text = text_config(
        words,
        head_dim=16,
        global_head_dim=16,
        sliding_window=64,
        layer_types=["sliding_attention", "full_attention"],
    )
    named = ids(
        words, image_token_id="<|image|>", boi_token_id="<|image>", eoi_token_id="<image|>", audio_token_id="<|audio|>",
        boa_token_id="<|audio>", eoa_token_index="<audio|>", video_token_id="<|video|>",
    )  # fmt: skip
    vision = {"mm_embed_dim": 64, "output_proj_dims": 64, "mm_posemb_size": 64}
    model = built("gemma4_unified", text_config=text, vision_config=vision, audio_config=None, **named)
    ends = [words.eos_token_id, words.convert_tokens_to_ids("<turn|>")]
    template = CHANNEL.replace("<start_of_image>", "<|image|>")
    write(folder, model, words, template, "Gemma4UnifiedProcessor", {}, ends=ends)
    (folder / "preprocessor_config.json").unlink()
    values = {
        "image_processor": {"image_processor_type": "Gemma4UnifiedImageProcessor", "max_soft_tokens": 70},
        "feature_extractor": {"feature_extractor_type": "Gemma4UnifiedAudioFeatureExtractor"},
        "video_processor": {"video_processor_type": "Gemma4UnifiedVideoProcessor"},
        "image_seq_length": 70, "processor_class": "Gemma4UnifiedProcessor",
    }  # fmt: skip
    (folder / "processor_config.json").write_text(json.dumps(values))
    return folder


MINIMAX_IMAGE, MINIMAX_VIDEO = "]<]image[>[", "]<]video[>["


def minimax_m3_vl(folder: Path) -> Path:
    """MiniMax M3: attention to chosen blocks, experts; a processor that offers types of tokens, which it takes not."""
    words = tokenizer(
        [*TURNS, MINIMAX_IMAGE, MINIMAX_VIDEO, "]<]start of image[>[", "]<]end of image[>["],
        "</s>",
        start="<s>",
    )
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "image_size": 112,
    }  # fmt: skip
    text = text_config(
        words, head_dim=16, rotary_dim=8, dense_intermediate_size=64, shared_intermediate_size=32, num_local_experts=4,
        num_experts_per_tok=2, mlp_layer_types=["dense", "sparse"], index_n_heads=2, index_head_dim=16,
        layer_types=["full_attention", "minimax_m3_sparse"], index_block_size=16, index_topk_blocks=16,
    )  # fmt: skip
    model = built(
        "minimax_m3_vl", vision_config=vision, text_config=text, projector_hidden_size=64,
        **ids(words, image_token_index=MINIMAX_IMAGE, video_token_index=MINIMAX_VIDEO),
    )  # fmt: skip
    image = {
        "image_processor_type": "MiniMaxM3VLImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 2, "size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 16},
    }  # fmt: skip
    return write(
        folder, model, words, headed(MINIMAX_IMAGE), "MiniMaxM3VLProcessor", image, video="MiniMaxM3VLVideoProcessor"
    )  # fmt: skip


def muse_glimmer(folder: Path) -> Path:
    """Muse Glimmer: a tower that looks through windows, before text layers with gates."""
    words = tokenizer(
        [*TURNS, "<|patch|>", "<|image_start|>", "<|image_end|>", "<|video|>", "<|vid_frame_separator|>",
         "<|vid_start|>", "<|vid_end|>"], "</s>", start="<s>",
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 14,
        "pos_emb_height": 8, "pos_emb_width": 8, "max_position_embeddings": 64,
    }  # fmt: skip
    # What its logits are multiplied with goes by the width: 1 / sqrt(hidden_size / 256).
    text = text_config(words, head_dim=16, sliding_window=64, output_multiplier=2.0)
    model = built(
        "muse_glimmer", vision_config=vision, text_config=text, out_hidden_size=128, projector_hidden_size=64,
        **ids(words, image_token_id="<|patch|>", video_token_id="<|video|>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "MuseGlimmerImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 2, "max_image_tokens": 16,
    }  # fmt: skip
    return write(
        folder, model, words, headed("<|patch|>"), "MuseGlimmerProcessor", image, video="MuseGlimmerVideoProcessor"
    )  # fmt: skip


def inkling(folder: Path) -> Path:
    """Inkling: squares of 40 px, places by a learnt bias; it hears, too."""
    words = tokenizer(
        [*TURNS, "<|content_image|>", "<|content_audio_input|>"], "</s>", start="<s>", image_token="<|image|>",
        audio_token="<|audio|>",
    )  # fmt: skip
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 40}
    text = text_config(
        words, head_dim=16, swa_num_attention_heads=4, swa_num_key_value_heads=2, swa_head_dim=16,
        sliding_window_size=64, d_rel=4, rel_extent=64, layer_types=["hybrid_sliding", "hybrid"],
        mlp_layer_types=["dense", "sparse"], moe_intermediate_size=32, n_routed_experts=4, num_experts_per_tok=2,
        n_shared_experts=1, logits_mup_width_multiplier=1.0,
    )  # fmt: skip
    model = built(
        "inkling_mm_model", vision_config=vision, text_config=text,
        audio_config={"n_mel_bins": 8, "mel_vocab_size": 16},
        **ids(words, image_token_id="<|image|>", audio_token_id="<|audio|>", image_bos_token_id="<|content_image|>",
              audio_bos_token_id="<|content_audio_input|>"),
    )  # fmt: skip
    image = {"image_processor_type": "InklingImageProcessor", "size": {"height": 40, "width": 40}}
    write(folder, model, words, headed("<|content_image|><|image|>"), "InklingProcessor", image)
    file = folder / "preprocessor_config.json"
    hears = {"feature_extractor_type": "InklingFeatureExtractor"}
    file.write_text(json.dumps(json.loads(file.read_text()) | hears))
    return folder


TORCHVISION_FAMILIES: dict[str, Callable[[Path], Path]] = {
    **WITH_TORCHVISION, "kimi_k25": kimi_k25, "phi4_multimodal": phi4_multimodal, "step3p7": step3p7,
    "perception_lm": perception_lm, "gemma3n": gemma3n, "fast_vlm": fast_vlm, "gemma4_unified": gemma4_unified,
    "minimax_m3_vl": minimax_m3_vl, "muse_glimmer": muse_glimmer, "inkling": inkling,
}  # fmt: skip
"""Those that load only where torchvision works, by name."""
