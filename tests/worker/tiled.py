"""A small Mllama whose images are cut into up to four tiles, as the 11B model's are."""

from __future__ import annotations

from pathlib import Path

from .conftest import SIDE_PX, TEMPLATE, make_tokenizer

RATIOS = [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]]


def write_tiled_mllama(folder: Path) -> Path:
    """Write a Mllama of 4 tiles of 56 px with random weights; gates that start at zero are opened."""
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.configuration_mllama import MllamaTextConfig, MllamaVisionConfig

    try:
        import torchvision  # noqa: F401
        from transformers import MllamaImageProcessor as ImageProcessor
    except ImportError:
        from transformers import MllamaImageProcessorPil as ImageProcessor

    tokenizer = make_tokenizer()
    vision = MllamaVisionConfig(
        hidden_size=64, num_hidden_layers=2, num_global_layers=1, attention_heads=4, intermediate_size=96,
        vision_output_dim=128, image_size=SIDE_PX, patch_size=14, max_num_tiles=4,
        intermediate_layers_indices=[0], supported_aspect_ratios=RATIOS,
    )  # fmt: skip
    text = MllamaTextConfig(
        vocab_size=len(tokenizer), hidden_size=96, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, intermediate_size=192, cross_attention_layers=[1, 3], max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    config = MllamaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids("<|image|>")
    )
    torch.manual_seed(0)
    model = MllamaForConditionalGeneration(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.rpartition(".")[2] in ("gate", "cross_attn_attn_gate", "cross_attn_mlp_gate"):
                parameter.fill_(1.0)
            elif "vision" in name and parameter.dim() > 1:
                parameter.mul_(6.0)  # else attention is nearly uniform, and a wrong mask would hardly show
            elif "layers" in name and parameter.dim() > 1:
                parameter.mul_(4.0)  # else decoding soon repeats one token
            elif "lm_head" in name:
                parameter.mul_(20.0)  # else two tokens are too often equally likely
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    processor = MllamaProcessor(
        image_processor=ImageProcessor(size={"height": SIDE_PX, "width": SIDE_PX}, max_image_tiles=4),
        tokenizer=tokenizer, chat_template=TEMPLATE,
    )  # fmt: skip
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
