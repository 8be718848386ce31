"""As in radeval 2.2.1: the labels of each text, on a device that must be there."""

import torch

from radeval import note


class F1CheXbert:
    def __init__(self, *, refs_filename=None, hyps_filename=None, device="cuda", batch_size=64):
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("Found no NVIDIA driver on your system")

    def get_labels(self, reports, mode="rrg", on_batch_done=None):
        note("f1chexbert", reports)
        return [
            [int("nodule" in text.lower())] * 2 + [0] * 11 + [int("nodule" not in text.lower())]
            for text in reports
        ]
