"""Make the demo's base model from scratch: python -m tools.demo_base.pretrain --out DIR --seed 0 --device cuda.

It draws phantoms, writes exercises about them, trains a tokenizer and the small Mllama on these, saves all of it as a
checkpoint that transformers loads, and checks that the model describes anatomy and names no finding.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import torch

from tools.demo_base.pretrain_check import check
from tools.demo_base.pretrain_lessons import Book, Lessons, deal_rows, encode, gather, pixels_of, texts_of
from tools.demo_base.pretrain_model import build_model, build_processor, build_tokenizer

_WARMUP = 150  # steps


def loss_of(model: Any, lessons: Lessons, pictures: int, questions: int) -> torch.Tensor:
    """Return the loss of a random batch; the vision tower sees each picture once for all of its questions."""
    chosen, rows = deal_rows(lessons, pictures, questions)
    core = model.model
    seen = core.vision_model(**pixels_of(lessons, chosen)).last_hidden_state
    # (picture, patch, feature)
    seen = core.multi_modal_projector(seen).reshape(pictures, -1, core.hidden_size)
    texts = texts_of(lessons, rows, model.config.image_token_index)
    loss: torch.Tensor = model(**texts, cross_attention_states=seen.repeat_interleave(questions, dim=0)).loss
    return loss


def train(model: Any, lessons: Lessons, given: argparse.Namespace) -> None:
    """Train all weights: AdamW, a short warm-up, then a cosine to zero over the steps or `limit_s`, what ends first."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=given.peak, betas=(0.9, 0.98), weight_decay=0.03)
    start, losses = time.perf_counter(), []
    model.train()
    for step in range(given.steps):
        share = max(step / given.steps, (time.perf_counter() - start) / given.limit_s)
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = given.peak * min(1, (step + 1) / _WARMUP) * (0.5 + 0.5 * math.cos(math.pi * share))
        loss = loss_of(model, lessons, given.pictures, given.questions)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
        if step % 200 == 199:
            mean = torch.stack(losses[-200:]).mean().item()
            print(f"step {step + 1} loss {mean:.4f} {time.perf_counter() - start:.0f} s", flush=True)


def save(model: Any, processor: Any, out: Path) -> None:
    """Write a checkpoint: weights in half precision to keep it small, declared float32 so that they load as such."""
    model.half().save_pretrained(out)
    processor.save_pretrained(out)
    file = out / "config.json"
    config = json.loads(file.read_text())
    for part in (config, config["text_config"], config["vision_config"]):
        part["dtype"] = "float32"
    file.write_text(json.dumps(config, indent=2) + "\n")
    model.float()


def begin(start: Path | None, book: Book) -> tuple[Any, Any]:
    """Return model and processor: those of a checkpoint, or new ones with a tokenizer trained on the exercises."""
    if start is not None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        return AutoModelForImageTextToText.from_pretrained(start), AutoProcessor.from_pretrained(start)
    asked = [exercise for _, questions in book for exercise in questions]
    sample = asked[:: max(1, len(asked) // 40_000)]
    processor = build_processor(build_tokenizer(text for q in sample for text in (q.prompt, q.answer)))
    return build_model(processor.tokenizer), processor


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_base.pretrain", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="go on from this checkpoint instead of random weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--images", type=int, default=60_000, help="phantoms to draw")
    parser.add_argument("--steps", type=int, default=8_000)
    parser.add_argument("--pictures", type=int, default=128, help="different pictures a step")
    parser.add_argument("--questions", type=int, default=4, help="exercises of each picture a step")
    parser.add_argument("--peak", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many draw")
    parser.add_argument("--limit-s", type=float, default=math.inf, help="seconds of training at most")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    """Run the recipe."""
    options = arguments(given)
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    book = gather(options.images, options.seed, options.processes)
    model, processor = begin(options.start, book)
    lessons = encode(processor.tokenizer, book).to(options.device)
    model.to(options.device)
    print(f"{len(book)} pictures, {len(lessons.tokens)} exercises, {options.device}", flush=True)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters", flush=True)
    train(model, lessons, options)
    save(model, processor, options.out)
    print(json.dumps(check(options.out, device=options.device)), flush=True)


if __name__ == "__main__":
    main()
