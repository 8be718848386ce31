"""LoRA's part added to a product in one pass over its tokens, with the activation behind or before it: Triton kernels.

Imported by `lora_adding` alone, where Triton and a GPU are. Everything is bound by the memory's speed, so what counts
is how often a token is read or written: the sums of 16 to 64 columns cost nothing beside that.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS, COLUMNS, WARPS = 64, 128, 4
LEAST_RANK = 16  # columns that a matrix unit takes at once


@triton.jit
def _sums(narrow, up, row, column, rows, columns, rank, up_rank, up_column, width: tl.constexpr):  # type: ignore[no-untyped-def]
    """The narrow part (row_block, width) times its wide matrix (width, column_block), in 32 bits."""
    place = tl.arange(0, width)
    inside = place < rank
    left = tl.load(
        narrow + row[:, None] * rank + place[None, :], mask=(row < rows)[:, None] & inside[None, :], other=0.0
    )
    right = tl.load(
        up + place[:, None] * up_rank + column[None, :] * up_column,
        mask=inside[:, None] & (column < columns)[None, :], other=0.0,
    )  # fmt: skip
    return tl.dot(left, right)


@triton.jit
def _add(  # type: ignore[no-untyped-def]
    output, narrow, up, activated, rows, columns, rank, up_rank, up_column,
    width: tl.constexpr, row_block: tl.constexpr, column_block: tl.constexpr, activates: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(1).to(tl.int64) * row_block + tl.arange(0, row_block)
    column = tl.program_id(0) * column_block + tl.arange(0, column_block)
    sums = _sums(narrow, up, row, column, rows, columns, rank, up_rank, up_column, width)
    places = row[:, None] * columns + column[None, :]
    inside = (row < rows)[:, None] & (column < columns)[None, :]
    whole = (tl.load(output + places, mask=inside, other=0.0).to(tl.float32) + sums).to(
        output.dtype.element_ty
    )
    tl.store(output + places, whole, mask=inside)
    if activates:
        x = whole.to(tl.float32)
        y = x * 0.5 * (1.0 + tl.erf(x * 0.7071067811865476))
        tl.store(activated + places, y.to(output.dtype.element_ty), mask=inside)


@triton.jit
def _activation_gradient(  # type: ignore[no-untyped-def]
    grad, narrow, up, wide, activated, rows, columns, rank, up_rank, up_column,
    width: tl.constexpr, row_block: tl.constexpr, column_block: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(1).to(tl.int64) * row_block + tl.arange(0, row_block)
    column = tl.program_id(0) * column_block + tl.arange(0, column_block)
    sums = _sums(narrow, up, row, column, rows, columns, rank, up_rank, up_column, width)
    places = row[:, None] * columns + column[None, :]
    inside = (row < rows)[:, None] & (column < columns)[None, :]
    kind = grad.dtype.element_ty
    of_output = (tl.load(grad + places, mask=inside, other=0.0).to(tl.float32) + sums).to(kind).to(tl.float32)
    x = tl.load(wide + places, mask=inside, other=0.0).to(tl.float32)
    share = 0.5 * (1.0 + tl.erf(x * 0.7071067811865476))
    slope = share + x * 0.3989422804014327 * tl.exp(-0.5 * x * x)
    tl.store(grad + places, (of_output * slope).to(kind), mask=inside)
    tl.store(activated + places, (x * share).to(kind), mask=inside)


def _grid(output: Tensor) -> tuple[int, int]:
    return triton.cdiv(output.shape[1], COLUMNS), triton.cdiv(output.shape[0], ROWS)


def _shapes(output: Tensor, narrow: Tensor, up: Tensor) -> tuple[int, int, int, int, int]:
    """Rows, columns, rank, and the strides of a matrix (rank, columns)."""
    return *output.shape, narrow.shape[1], *up.stride()


def _sizes(rank: int) -> dict[str, int]:
    return {
        "width": max(triton.next_power_of_2(rank), LEAST_RANK),
        "row_block": ROWS,
        "column_block": COLUMNS,
        "num_warps": WARPS,
    }


def add(output: Tensor, narrow: Tensor, up: Tensor) -> None:
    """Add `narrow @ up` to an output (n, out) where it lies; narrow is (n, r), up (r, out)."""
    with torch.cuda.device(output.device):
        _add[_grid(output)](
            output, narrow, up, output, *_shapes(output, narrow, up), **_sizes(narrow.shape[1]),
            activates=False,
        )  # fmt: skip


def add_and_activate(output: Tensor, narrow: Tensor, up: Tensor) -> Tensor:
    """The same, and the exact GELU of the sum, (n, out)."""
    activated = torch.empty_like(output)
    with torch.cuda.device(output.device):
        _add[_grid(output)](
            output, narrow, up, activated, *_shapes(output, narrow, up), **_sizes(narrow.shape[1]),
            activates=True,
        )  # fmt: skip
    return activated


def activation_gradient(grad: Tensor, narrow: Tensor, up: Tensor, wide: Tensor) -> Tensor:
    """Let `grad`, of GELU's output but for LoRA's part `narrow @ up`, become that of its input `wide`; gives GELU."""
    activated = torch.empty_like(wide)
    with torch.cuda.device(wide.device):
        _activation_gradient[_grid(wide)](
            grad, narrow, up, wide, activated, *_shapes(wide, narrow, up), **_sizes(narrow.shape[1])
        )
    return activated
