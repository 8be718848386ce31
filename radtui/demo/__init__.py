"""A data set and a small model of radtui's own, to see a model learn without network and GPU.

`vocabulary` has the words, `cases` deals patients, `phantoms` draws them, `captions` describes them, `source` yields
them to the import. `pretrain` and its modules make the base model in `assets/demo-base`; they alone import torch.
"""
