"""Tiny random checkpoints of families whose processors, templates or ends differ, laid out as on the hub.

The files of a processor are written by hand, so that no processor need be built here: some can't be without
torchvision, which is what the tests are about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE_PX = 56
HEAD_SCALE = 20.0
SENTENCES = (
    "A bright disc on the left, a bar on the right, a square, well seen on a plain film, no other finding.",
    "Describe what you see. You are a helpful assistant. user assistant system model USER ASSISTANT",
)
LLAVA = (
    "{% for m in messages %}{{ m['role'].upper() + ': ' }}"
    "{% for c in m['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in m['content'] | selectattr('type', 'equalto', 'text') %}{{ c['text'] + ' ' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
SMOL = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}"
    "{{ ':' if m['content'][0]['type'] == 'image' else ': ' }}"
    "{% for c in m['content'] %}{{ '<image>' if c['type'] == 'image' else c['text'] }}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
GLM = (
    "[gmask]<sop>{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{% for c in m.content %}"
    "{{ '<|begin_of_image|><|image|><|end_of_image|>' if c.type == 'image' else c.text }}{% endfor %}"
    "{% else %}<|assistant|>{{ '\n<think></think>\n' + m.content[0].text }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>"
    "{{ '\n<think></think>' if enable_thinking is defined and not enable_thinking else '' }}{% endif %}"
)
CHANNEL = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' }}"
    "{% for c in m['content'] %}{{ '<start_of_image>' if c['type'] == 'image' else c['text'] }}{% endfor %}"
    "{{ '<turn|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|turn>model\n' }}{% if not enable_thinking | default(false) %}"
    "{{ '<|channel>thought\n<channel|>' }}{% endif %}{% endif %}"
)
"""As Gemma 4's: the generation prompt ends in an empty thought that a training turn does not have."""


MISTRAL = (
    "{{ bos_token }}[SYSTEM_PROMPT]Today is {{ strftime_now('%Y-%m-%d') }}.[/SYSTEM_PROMPT]{% for m in messages %}"
    "{% if m['role'] == 'user' %}[INST]{% for c in m['content'] %}{{ '[IMG]' if c['type'] == 'image' else c['text'] }}"
    "{% endfor %}[/INST]{% else %}{{ m['content'][0]['text'] + eos_token }}{% endif %}{% endfor %}"
)


def chatml(image: str, after_role: str = "\n", thinking: str = "") -> str:
    """A template of the ChatML kind.

    Args:
        image: What stands for an image.
        after_role: Between a role and its text.
        thinking: `switch` for a template that `enable_thinking` turns, `always` for one that always opens a thought.
    """
    thought = "<think>\\n\\n</think>\\n\\n" if thinking else ""
    opened = {
        "": "",
        "always": "{{ '<think>\n' }}",
        "switch": "{{ '<think>\n\n</think>\n\n' if enable_thinking is defined and enable_thinking is false "
        "else '<think>\n' }}",
    }[thinking]
    return (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '" + after_role.replace("\n", "\\n") + "' }}"
        "{% if m['role'] == 'assistant' %}{{ '" + thought + "' }}{% endif %}"
        "{% for c in m['content'] %}{{ '" + image.replace("\n", "\\n") + "' if c['type'] == 'image' else c['text'] }}"
        "{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant" + after_role.replace("\n", "\\n") + "' }}"
        + opened + "{% endif %}"
    )  # fmt: skip


def tokenizer(
    specials: list[str], end: str, start: str = "", pad: str = "<pad>", adds_start: bool = False, **named: str
) -> Any:
    """A byte-level tokenizer of some 350 tokens.

    Args:
        specials: Special tokens beside the following.
        end: The token that ends a text.
        start: The first token; empty for none.
        pad: The padding.
        adds_start: Whether the tokenizer, not the template, writes the first token.
        named: Special tokens under names that a processor asks for.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    all_specials = list(dict.fromkeys([*([start] if start else []), end, pad, *specials, *named.values()]))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=360, special_tokens=all_specials, initial_alphabet=alphabet)
    )
    if adds_start:
        bpe.post_processor = processors.TemplateProcessing(single=f"{start} $A", special_tokens=[(start, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=start or None, eos_token=end, pad_token=pad, model_max_length=4096,
        extra_special_tokens=named,
    )  # fmt: skip


def text_config(words: Any, **changes: Any) -> dict[str, Any]:
    """A language model of two small layers for this tokenizer."""
    return {
        "vocab_size": len(words), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
        "bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id,
    } | changes  # fmt: skip


def ids(words: Any, **named: str) -> dict[str, int]:
    """Token ids under the names of a configuration."""
    return {name: words.convert_tokens_to_ids(token) for name, token in named.items()}


def write(
    folder: Path, model: Any, words: Any, template: str, kind: str, image: dict[str, Any],
    own: dict[str, Any] | None = None, video: str = "", ends: list[int] | None = None,
) -> Path:  # fmt: skip
    """Write a checkpoint as the hub has it.

    Args:
        folder: Where.
        model: With random weights.
        words: Its tokenizer.
        template: Its chat template.
        kind: Class of its processor.
        image: Configuration of its image processor.
        own: What else its processor takes.
        video: Class of its video processor; empty where the family has none.
        ends: Tokens that end generation; the tokenizer's end where None.
    """
    import torch

    with torch.no_grad():
        # Drawn small, as for a long training: no change of the layers before it could make one token likely.
        model.get_output_embeddings().weight.mul_(HEAD_SCALE)
        for name, parameter in model.named_parameters():
            if name.endswith("mm_input_projection_weight"):
                torch.nn.init.normal_(parameter, std=0.05)  # zeros as constructed: it would see nothing
    model.generation_config.eos_token_id = ends or words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    files: dict[str, dict[str, Any]] = {
        "preprocessor_config.json": image | {"processor_class": kind},
        "processor_config.json": (own or {}) | {"processor_class": kind},
    }
    if video:
        files["video_preprocessor_config.json"] = {"video_processor_type": video, "processor_class": kind}
    for name, values in files.items():
        (folder / name).write_text(json.dumps(values))
    if template:
        (folder / "chat_template.jinja").write_text(template)
    return folder


QWEN_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
QWEN_SPECIALS = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
ROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}


def qwen_words(*more: str) -> Any:
    return tokenizer(
        [*QWEN_SPECIALS, *more], "<|im_end|>", pad="<|endoftext|>", image_token="<|image_pad|>",
        video_token="<|video_pad|>",
    )  # fmt: skip


def qwen_ids(words: Any) -> dict[str, int]:
    return ids(
        words, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>", vision_start_token_id="<|vision_start|>",
        vision_end_token_id="<|vision_end|>",
    )  # fmt: skip


def qwen_images(patch: int, tokens: int) -> dict[str, Any]:
    side = 2 * patch  # px of a token's square
    return {
        "image_processor_type": "Qwen2VLImageProcessor", "patch_size": patch, "merge_size": 2, "temporal_patch_size": 2,
        "size": {"shortest_edge": side * side, "longest_edge": side * side * tokens},
    }  # fmt: skip


def qwen2_5_vl(folder: Path) -> Path:
    """Qwen2.5-VL: image tokens by size, windows in its vision tower."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    words = qwen_words()
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 14,
        "window_size": 112, "fullatt_block_indexes": [1],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(
        vision_config=vision, text_config=text_config(words, rope_parameters=ROPE), **qwen_ids(words)
    )
    return write(
        folder, Qwen2_5_VLForConditionalGeneration(config), words, chatml(QWEN_IMAGE), "Qwen2_5_VLProcessor",
        qwen_images(14, 16), video="Qwen2VLVideoProcessor",
    )  # fmt: skip


QWEN3_VISION = {
    "depth": 3, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 16,
    "num_position_embeddings": 256, "deepstack_visual_indexes": [0, 1],
}  # fmt: skip


def qwen3_vl(folder: Path, thinking: str = "") -> Path:
    """Qwen3-VL: features of early vision layers go into the text layers."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    words = qwen_words(*(["<think>", "</think>"] if thinking else []))
    text = text_config(words, head_dim=16, rope_parameters={**ROPE, "mrope_interleaved": True})
    config = Qwen3VLConfig(vision_config=QWEN3_VISION, text_config=text, **qwen_ids(words))
    return write(
        folder, Qwen3VLForConditionalGeneration(config), words, chatml(QWEN_IMAGE, thinking=thinking),
        "Qwen3VLProcessor", qwen_images(16, 16), video="Qwen3VLVideoProcessor",
    )  # fmt: skip


def qwen3_vl_thinking(folder: Path) -> Path:
    """A template that always opens a thought."""
    return qwen3_vl(folder, "always")


def qwen3_5_like(folder: Path, config: Any, network: Any, **text: Any) -> Path:
    """A checkpoint of Qwen3.5 or of a kind that came of it.

    Args:
        folder: Where.
        config: The kind's class of configuration.
        network: Its model's class.
        text: What its text model has beside Qwen3.5's.
    """
    words = qwen_words("<think>", "</think>")
    vision = {name: value for name, value in QWEN3_VISION.items() if name != "deepstack_visual_indexes"}
    rope = {**ROPE, "mrope_section": [1, 1, 2], "mrope_interleaved": True, "partial_rotary_factor": 0.5}
    parts = text_config(
        words, head_dim=16, layer_types=["linear_attention", "full_attention"], linear_num_key_heads=2,
        linear_num_value_heads=4, linear_key_head_dim=16, linear_value_head_dim=16, rope_parameters=rope, **text,
    )  # fmt: skip
    model = network(config(vision_config=vision, text_config=parts, **qwen_ids(words)))
    return write(
        folder, model, words, chatml(QWEN_IMAGE, thinking="switch"), "Qwen3VLProcessor", qwen_images(16, 16),
        video="Qwen3VLVideoProcessor",
    )  # fmt: skip


def qwen3_5(folder: Path) -> Path:
    """Qwen3.5: linear attention in its text model, thinking by a switch of its template."""
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    return qwen3_5_like(folder, Qwen3_5Config, Qwen3_5ForConditionalGeneration)


def qwen3_vl_moe(folder: Path) -> Path:
    """Qwen3-VL with experts, whose weights are three-dimensional parameters and no linear layers."""
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    words = qwen_words()
    text = text_config(
        words, head_dim=16, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
        rope_parameters={**ROPE, "mrope_interleaved": True},
    )  # fmt: skip
    config = Qwen3VLMoeConfig(vision_config=QWEN3_VISION, text_config=text, **qwen_ids(words))
    return write(
        folder, Qwen3VLMoeForConditionalGeneration(config), words, chatml(QWEN_IMAGE), "Qwen3VLProcessor",
        qwen_images(16, 16), video="Qwen3VLVideoProcessor",
    )  # fmt: skip


SIGLIP = {
    "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "vision_use_head": False,
}  # fmt: skip
IDEFICS_VISION = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64,
    "patch_size": 16,
}  # fmt: skip


def _smol_words() -> Any:
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    return tokenizer(
        rows, "<end_of_utterance>", start="<|im_start|>", pad="<|im_end|>", image_token="<image>",
        fake_image_token="<fake_token_around_image>", end_of_utterance_token="<end_of_utterance>",
        global_image_token="<global-img>",
    )  # fmt: skip


def _smol_images(kind: str) -> dict[str, Any]:
    return {
        "image_processor_type": kind, "size": {"longest_edge": 128}, "max_image_size": {"longest_edge": 64},
        "do_image_splitting": True,
    }  # fmt: skip


def smolvlm(folder: Path) -> Path:
    """SmolVLM2: an image is cut into tiles, with tokens that name their rows and columns."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    words = _smol_words()
    config = SmolVLMConfig(
        vision_config=IDEFICS_VISION, text_config={"model_type": "llama", **text_config(words)}, scale_factor=2,
        pad_token_id=words.pad_token_id, **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    return write(
        folder, SmolVLMForConditionalGeneration(config), words, SMOL, "SmolVLMProcessor",
        _smol_images("SmolVLMImageProcessor"), {"image_seq_len": 4}, video="SmolVLMVideoProcessor",
    )  # fmt: skip


def idefics3(folder: Path) -> Path:
    """Idefics3: SmolVLM's forerunner, without a video part."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    words = _smol_words()
    config = Idefics3Config(
        vision_config=IDEFICS_VISION, text_config={"model_type": "llama", **text_config(words)}, scale_factor=2,
        pad_token_id=words.pad_token_id, **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    return write(
        folder, Idefics3ForConditionalGeneration(config), words, SMOL, "Idefics3Processor",
        _smol_images("Idefics3ImageProcessor"), {"image_seq_len": 4},
    )  # fmt: skip


def internvl(folder: Path) -> Path:
    """InternVL3: tiles by the image's shape and a thumbnail of the whole."""
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    words = tokenizer(
        ["<|im_start|>", "<|im_end|>"], "<|im_end|>", pad="<|endoftext|>", start_image_token="<img>",
        end_image_token="</img>", context_image_token="<IMG_CONTEXT>", video_token="<video>",
    )  # fmt: skip
    vision = {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": [SIDE_PX, SIDE_PX], "patch_size": [14, 14],
    }  # fmt: skip
    config = InternVLConfig(
        vision_config=vision, text_config={"model_type": "qwen2", **text_config(words)}, downsample_ratio=0.5,
        **ids(words, image_token_id="<IMG_CONTEXT>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "GotOcr2ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "crop_to_patches": True, "max_patches": 6, "min_patches": 1,
    }  # fmt: skip
    return write(
        folder, InternVLForConditionalGeneration(config), words, chatml("<IMG_CONTEXT>\n"), "InternVLProcessor", image,
        {"image_seq_length": 4}, video="InternVLVideoProcessor",
    )  # fmt: skip


def llava(folder: Path) -> Path:
    """LLaVA 1.5: its template puts images first and writes nothing behind an answer."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    words = tokenizer([], "</s>", start="<s>", adds_start=True, image_token="<image>")
    vision = {
        "model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
        "num_attention_heads": 4, "image_size": SIDE_PX, "patch_size": 14, "projection_dim": 64,
    }  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config={"model_type": "llama", **text_config(words)},
        **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": SIDE_PX},
        "crop_size": {"height": SIDE_PX, "width": SIDE_PX},
    }  # fmt: skip
    own = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return write(folder, LlavaForConditionalGeneration(config), words, LLAVA, "LlavaProcessor", image, own)


def llava_onevision(folder: Path) -> Path:
    """LLaVA-OneVision: the grid that suits an image's shape, packed to its real height and width."""
    from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

    words = tokenizer(
        ["<|im_start|>", "<|im_end|>"],
        "<|im_end|>",
        pad="<|endoftext|>",
        image_token="<image>",
        video_token="<video>",
    )
    grids = [[SIDE_PX * rows, SIDE_PX * columns] for rows in (1, 2) for columns in (1, 2)]
    config = LlavaOnevisionConfig(
        vision_config=SIGLIP, text_config={"model_type": "qwen2", **text_config(words)}, image_grid_pinpoints=grids,
        **ids(words, image_token_id="<image>", video_token_id="<video>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "LlavaOnevisionImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "image_grid_pinpoints": grids,
    }  # fmt: skip
    own = {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
    return write(
        folder, LlavaOnevisionForConditionalGeneration(config), words, chatml("<image>", " "),
        "LlavaOnevisionProcessor", image, own, video="LlavaOnevisionVideoProcessor",
    )  # fmt: skip


def glm4v(folder: Path) -> Path:
    """GLM-4.1V: nothing stands behind an answer but the next turn's `<|user|>`, which also ends generation."""
    from transformers import Glm4vConfig, Glm4vForConditionalGeneration

    words = tokenizer(
        ["[gmask]", "<sop>", "<|user|>", "<|assistant|>", "<|observation|>", "<|begin_of_image|>", "<|end_of_image|>",
         "<|begin_of_video|>", "<|end_of_video|>", "<think>", "</think>"],
        "<|endoftext|>", pad="<|pad|>", image_token="<|image|>", video_token="<|video|>",
    )  # fmt: skip
    named = ids(
        words, image_token_id="<|image|>", video_token_id="<|video|>", image_start_token_id="<|begin_of_image|>",
        image_end_token_id="<|end_of_image|>", video_start_token_id="<|begin_of_video|>",
        video_end_token_id="<|end_of_video|>",
    )  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 14,
        "image_size": 336,
    }  # fmt: skip
    config = Glm4vConfig(
        vision_config=vision,
        text_config=text_config(words, rope_parameters={**ROPE, "partial_rotary_factor": 1.0}), **named,
    )  # fmt: skip
    image = {
        "image_processor_type": "Glm4vImageProcessor", "patch_size": 14, "merge_size": 2, "temporal_patch_size": 2,
        "size": {"shortest_edge": 28 * 28 * 2, "longest_edge": 28 * 28 * 2 * 16},
    }  # fmt: skip
    ends = [words.eos_token_id, *ids(words, user="<|user|>", observation="<|observation|>").values()]
    return write(
        folder, Glm4vForConditionalGeneration(config), words, GLM, "Glm4vProcessor", image,
        video="Glm4vVideoProcessor", ends=ends,
    )  # fmt: skip


def gemma3(folder: Path) -> Path:
    """Gemma 3 (MedGemma's class): a fixed number of image tokens, which attend to each other."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    words = tokenizer(
        ["<|turn>", "<turn|>", "<|channel>", "<channel|>"], "<eos>", start="<bos>", adds_start=True,
        image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>",
    )  # fmt: skip
    text = text_config(
        words, head_dim=16, sliding_window=64, layer_types=["sliding_attention", "full_attention"]
    )
    named = ids(words, boi_token_index="<start_of_image>", eoi_token_index="<end_of_image>",
                image_token_id="<image_soft_token>")  # fmt: skip
    config = Gemma3Config(vision_config=SIGLIP, text_config=text, mm_tokens_per_image=4, **named)
    image = {"image_processor_type": "Gemma3ImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX}}
    ends = [words.eos_token_id, words.convert_tokens_to_ids("<turn|>")]
    plain = CHANNEL.replace("<|channel>thought\n<channel|>", "")
    return write(
        folder, Gemma3ForConditionalGeneration(config), words, plain, "Gemma3Processor", image,
        {"image_seq_length": 4}, ends=ends,
    )  # fmt: skip


def gemma4(folder: Path) -> Path:
    """Gemma 4: soft tokens by an image's shape; its generation prompt is none of its training turns'."""
    from transformers import Gemma4Config, Gemma4ForConditionalGeneration

    words = tokenizer(
        ["<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>"], "<eos>", start="<bos>", adds_start=True,
        image_token="<|image|>", boi_token="<|image>", eoi_token="<image|>", audio_token="<|audio|>",
        boa_token="<|audio>", eoa_token="<audio|>", video_token="<|video|>",
    )  # fmt: skip
    vision = {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 4, "head_dim": 16, "global_head_dim": 16, "patch_size": 16, "pooling_kernel_size": 3,
        "position_embedding_size": 1024,
    }  # fmt: skip
    text = text_config(
        words, head_dim=16, global_head_dim=16, sliding_window=64, num_kv_shared_layers=0,
        layer_types=["sliding_attention", "full_attention"], hidden_size_per_layer_input=0,
        vocab_size_per_layer_input=len(words),
    )  # fmt: skip
    named = ids(
        words, image_token_id="<|image|>", boi_token_id="<|image>", eoi_token_id="<image|>", audio_token_id="<|audio|>",
        boa_token_id="<|audio>", eoa_token_id="<audio|>", eoa_token_index="<audio|>", video_token_id="<|video|>",
    )  # fmt: skip
    config = Gemma4Config(vision_config=vision, text_config=text, audio_config=None, **named)
    ends = [words.eos_token_id, words.convert_tokens_to_ids("<turn|>")]
    write(
        folder, Gemma4ForConditionalGeneration(config), words, CHANNEL.replace("<start_of_image>", "<|image|>"),
        "Gemma4Processor", {}, ends=ends,
    )  # fmt: skip
    (folder / "preprocessor_config.json").unlink()
    parts = {
        "image_processor": {"image_processor_type": "Gemma4ImageProcessor", "max_soft_tokens": 70},
        "feature_extractor": {"feature_extractor_type": "Gemma4AudioFeatureExtractor"},
        "video_processor": {"video_processor_type": "Gemma4VideoProcessor"},
    }
    values = {**parts, "image_seq_length": 70, "processor_class": "Gemma4Processor"}
    (folder / "processor_config.json").write_text(json.dumps(values))
    return folder


def mistral3(folder: Path) -> Path:
    """Mistral Small 3.1: rows of image tokens with breaks; its template writes today's date."""
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration

    words = tokenizer(
        ["[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"], "</s>", start="<s>", image_token="[IMG]",
        image_break_token="[IMG_BREAK]", image_end_token="[IMG_END]",
    )  # fmt: skip
    vision = {
        "model_type": "pixtral", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 112, "patch_size": 14, "head_dim": 16,
    }  # fmt: skip
    config = Mistral3Config(
        vision_config=vision, text_config={"model_type": "mistral", **text_config(words, head_dim=16)},
        spatial_merge_size=2, **ids(words, image_token_id="[IMG]"),
    )  # fmt: skip
    image = {"image_processor_type": "PixtralImageProcessor", "size": {"longest_edge": 112}, "patch_size": 14}
    own = {
        "patch_size": 14, "spatial_merge_size": 2, "image_token": "[IMG]", "image_break_token": "[IMG_BREAK]",
        "image_end_token": "[IMG_END]",
    }  # fmt: skip
    return write(
        folder, Mistral3ForConditionalGeneration(config), words, MISTRAL, "PixtralProcessor", image, own
    )


def paligemma(folder: Path) -> Path:
    """PaliGemma: no chat template."""
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

    words = tokenizer([], "<eos>", start="<bos>", adds_start=True, image_token="<image>")
    config = PaliGemmaConfig(
        vision_config={**SIGLIP, "projection_dim": 64}, projection_dim=64,
        text_config={"model_type": "gemma", **text_config(words, head_dim=16)}, **ids(words, image_token_id="<image>"),
    )  # fmt: skip
    image = {
        "image_processor_type": "SiglipImageProcessor", "size": {"height": SIDE_PX, "width": SIDE_PX},
        "image_seq_length": 16,
    }  # fmt: skip
    return write(folder, PaliGemmaForConditionalGeneration(config), words, "", "PaliGemmaProcessor", image)


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl, "qwen3_vl_thinking": qwen3_vl_thinking, "qwen3_5": qwen3_5,
    "qwen3_vl_moe": qwen3_vl_moe, "smolvlm": smolvlm, "idefics3": idefics3, "internvl": internvl, "llava": llava,
    "llava_onevision": llava_onevision, "glm4v": glm4v, "gemma3": gemma3, "gemma4": gemma4, "mistral3": mistral3,
}  # fmt: skip
"""Those that load without torchvision and have a chat template, by name."""
