"""A data set and a small model of radtui's own, to see a model learn without network and GPU.

`vocabulary` has the words, `cases` deals patients, `phantoms` draws them, `captions` describes them, `source` yields
them to the import. The base model in `assets/demo-base` is made by `tools/demo_base`.
"""
