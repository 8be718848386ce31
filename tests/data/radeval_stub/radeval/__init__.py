"""A stand-in with the interface of radeval 2.2.1 that score jobs use: names of metrics, keys of values, labels.

Values are made of the words of both texts. Every text that is asked about is noted in STUB_NOTES, a line each, and
takes STUB_SECONDS. The weights of "green" are not in the cache.
"""

import os
import time
from pathlib import Path

KEYS = {
    "radgraph": ["radgraph_simple", "radgraph_partial", "radgraph_complete"],
    "radcliq": ["radcliq_v1"],
    "ratescore": ["ratescore"],
    "green": ["green"],
    "bleu": ["bleu"],
    "rouge": ["rouge1", "rouge2", "rougeL"],
}


class LocalEntryNotFoundError(FileNotFoundError):
    """What huggingface_hub raises without a network."""


def note(metric, texts):
    with Path(os.environ["STUB_NOTES"]).open("a") as file:
        for text in texts:
            file.write(f"{metric}\t{text}\n")
            file.flush()
            time.sleep(float(os.environ.get("STUB_SECONDS", "0")))


def _shared(text, reference):
    said, known = set(text.lower().split()), set(reference.lower().split())
    return len(said & known) / max(1, len(said | known))


class RadEval:
    def __init__(
        self, metrics=None, openai_api_key=None, gemini_api_key=None, per_sample=False, detailed=False,
        show_progress=True, cache_dir=None,
    ):  # fmt: skip
        print("a library that prints")
        assert os.environ["HF_HUB_OFFLINE"] == "1" and per_sample and not detailed and not show_progress
        (self.metric,) = metrics
        if self.metric == "green":
            raise OSError("no file") from LocalEntryNotFoundError("outgoing traffic has been disabled")
        if self.metric == "radgraph":  # 2.2.1 imports parts of itself by its old name
            from RadEval.metrics.f1chexbert import f1chexbert

            import radeval.metrics.f1chexbert.f1chexbert as own

            assert f1chexbert is own
        if self.metric not in KEYS:
            raise ValueError(f"Unknown metric '{self.metric}'. Available: {sorted(KEYS)}")

    def __call__(self, refs, hyps):
        if not (isinstance(hyps, list) and isinstance(refs, list)):
            raise TypeError("hyps and refs must be of type list")
        note(self.metric, hyps)
        sign = 2 if self.metric == "radcliq" else 1
        values = [sign * _shared(text, reference) for text, reference in zip(hyps, refs, strict=True)]
        if self.metric == "radcliq":
            values = [2 - value for value in values]
        if self.metric == "ratescore":
            values[0] = float("nan")
        return dict.fromkeys(KEYS[self.metric], values)
