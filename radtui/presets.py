"""Starting points of the training form, by name: whole settings that belong together."""

from __future__ import annotations

from radtui.records import UserError
from radtui.settings import TrainSettings

PRESETS: dict[str, TrainSettings] = {
    "default": TrainSettings(),
    # The report's recipe to the letter, with the public notebook's hyperparameters. It asks text first, counts the
    # prompt in the loss, and evaluates nothing.
    "seed": TrainSettings(
        message_order="text_first", describe_order="image_first", loss_on="all", max_steps=30, batch_size=2,
        gradient_accumulation=4,
        lora_seed=0, loader_workers=0, eval_split="", eval_every=0, eval_images=0, watch_images=0,
        checkpoint_every=0, gradient_checkpointing="unsloth", maskless_vision=False,
    ),
    # Gemma 3's shape: 256 tokens an image whatever its size. Texts fit a short sequence.
    "medgemma": TrainSettings(model="google/medgemma-4b-it", max_length_tokens=1024),
    # An image takes as many tokens as its size asks for, 9,701 for a detector's picture: a budget keeps steps even.
    "qwen-vl": TrainSettings(
        model="Qwen/Qwen2.5-VL-7B-Instruct", image_tokens=1024, batch_size=4, gradient_accumulation=2
    ),
    # A CPU, no GPU: the whole image as one tile, the vision layers left as they are. An image took 3.8 s of CPU time in
    # training at the true shape: 300 steps of 8 are two and a half hours of one core, and evaluations come on top.
    "laptop": TrainSettings(
        model="HuggingFaceTB/SmolVLM2-256M-Video-Instruct", image_tokens=72, max_length_tokens=512, max_steps=300,
        batch_size=2, gradient_accumulation=4, optimizer="adamw_torch", load_in_4bit=False, tune_vision=False,
        gradient_checkpointing="off", loader_workers=0, eval_images=16, watch_images=2, watch_tokens=64,
    ),
    # Two CPU cores, two minutes: a high rate on small matrices, and evaluations that are cheap enough to watch. The
    # demo's base has learnt to see; tuning its vision layers as well costs 1.7 times the seconds and finds less.
    "demo": TrainSettings(
        model="demo-base", max_steps=384, batch_size=16, learning_rate=3e-3, scheduler="cosine",
        warmup_steps=10, weight_decay=0.0, optimizer="adamw_torch", lora_alpha=32, load_in_4bit=False,
        tune_vision=False, gradient_checkpointing="off", loader_workers=0, eval_every=64, eval_images=48,
        checkpoint_every=64, max_length_tokens=256, watch_images=6, watch_tokens=64,
    ),
    # What the rated pairs' own training job does not say. A few dozen pairs are soon learnt by heart: a low rate and
    # few passes. Evaluating holds pairs back, so it is off.
    "preferences": TrainSettings(
        objective="dpo", epochs=3.0, batch_size=4, learning_rate=5e-6, warmup_steps=2, weight_decay=0.0,
        eval_every=0, eval_images=0, checkpoint_every=50,
    ),
    # What the corrected texts' own training job does not say. A tenth of the texts is held back; the adapter that does
    # best on it is kept, which is the one it began with where nothing does better.
    "corrections": TrainSettings(
        objective="corrections", epochs=4.0, learning_rate=7e-5, warmup_steps=3, weight_decay=0.0, keep_best=True,
        stop_after=3, checkpoint_every=50,
    ),
}  # fmt: skip
"""Starting points of the form, by name."""


def preset(name: str) -> TrainSettings:
    """A preset by name. Raises UserError when there is none."""
    if name not in PRESETS:
        raise UserError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]
