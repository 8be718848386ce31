"""The small Mllama: tokenizer, processor and a model of about five million parameters with random weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tools.demo_base.pretrain_images import TILE_PX

VOCABULARY = 1024  # tokens: a caption is then about as many tokens as words and a half
_SPECIALS = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|eot_id|>", "<|finetune_right_pad_id|>", "<|image|>",
)  # fmt: skip
# Words with the blank before them, numbers, marks, line ends, blanks. Line ends are one piece whatever follows (as in
# Llama 3): else "\n\n" before an answer and at the end of a prompt would be different tokens, and a model trained
# on one could not go on from the other.
_PIECES = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+"
# Llama 3's turns; an image is a token where it stands in the message.
CHAT_TEMPLATE = (
    "{{- bos_token }}{% for m in messages %}"
    "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}{{ '<|image|>' }}{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def build_tokenizer(texts: Iterable[str]) -> Any:
    """Train a byte-level BPE of `VOCABULARY` tokens on `texts`, with Llama 3's special tokens."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(_SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    turns = ["user\n\n", "assistant\n\n"] * 100  # the chat's own words become single tokens
    bpe.train_from_iterator([*texts, *turns], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="<|finetune_right_pad_id|>",
        model_max_length=512,
        chat_template=CHAT_TEMPLATE,
    )


def build_processor(tokenizer: Any) -> Any:
    """Return the processor of one tile of `TILE_PX` pixels, with transformers' Pillow image processor."""
    from transformers import MllamaImageProcessorPil, MllamaProcessor

    images = MllamaImageProcessorPil(size={"height": TILE_PX, "width": TILE_PX}, max_image_tiles=1)
    return MllamaProcessor(image_processor=images, tokenizer=tokenizer, chat_template=CHAT_TEMPLATE)


def build_model(tokenizer: Any) -> Any:
    """Return a MllamaForConditionalGeneration with random weights and open gates.

    Mllama starts its cross-attention gates at 0, where a model learns to do without the image before it learns to
    look; here they start at 1.
    """
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration
    from transformers.models.mllama.configuration_mllama import MllamaTextConfig, MllamaVisionConfig

    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    vision = MllamaVisionConfig(
        hidden_size=192, num_hidden_layers=5, num_global_layers=1, attention_heads=6, intermediate_size=512,
        vision_output_dim=384, image_size=TILE_PX, patch_size=12, max_num_tiles=1,
        intermediate_layers_indices=[3], supported_aspect_ratios=[[1, 1]],
    )  # fmt: skip
    text = MllamaTextConfig(
        vocab_size=VOCABULARY, hidden_size=192, num_hidden_layers=6, num_attention_heads=6, num_key_value_heads=3,
        intermediate_size=512, cross_attention_layers=[1, 3, 4], max_position_embeddings=512, **ids,
    )  # fmt: skip
    image_token = tokenizer.convert_tokens_to_ids("<|image|>")
    model = MllamaForConditionalGeneration(
        MllamaConfig(vision_config=vision, text_config=text, image_token_index=image_token)
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("cross_attn_attn_gate", "cross_attn_mlp_gate", "gate_attn", "gate_ffn")):
                parameter.fill_(1.0)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model
