"""A model without its weights: shapes of tensors that hold nothing, and what a pass over them would hold at once.

Weights and activations are tensors of PyTorch's device `meta`, which have a shape and no storage. A pass over them
runs the model's own code and PyTorch's own derivatives, so nothing is known here about any architecture; every new
tensor's bytes are counted until it is freed. Whole numbers (token ids, masks, sizes of tiles) are real, since models
decide by them; that takes no memory worth the name.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental import _config as symbolic
from torch.nn import functional
from torch.utils import flop_counter
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from radtui.worker.model import attention_kernels

PRODUCTS = ("aten::mm", "aten::bmm", "aten::addmm", "aten::convolution")
GROUPED = "aten::_grouped_mm"  # one product of each expert's tokens with its weights
CHOSEN = "aten::topk"  # experts for each token, by scores that are not known here
INDEXED = ("aten::index", "aten::index_put", "aten::index_put_")
_open_ledgers: list[Ledger] = []
LARGE = 1 << 20  # elements of a real floating-point tensor that is counted instead of computed


class Ledger(TorchDispatchMode):
    """Counts the bytes of all tensors without storage that operations make, until nobody holds them.

    Operations that mix real and empty tensors, which PyTorch refuses, give empty ones. Floating-point operations of
    matrix products and convolutions are counted too, by PyTorch's own formulas.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held = 0  # bytes now
        self.peak = 0
        self.flops = 0
        self._known: dict[int, weakref.finalize[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and count what it made."""
        kwargs = kwargs or {}
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        empty = [each for each in tensors if each.is_meta]
        if not empty and _is_meta(kwargs.get("device")):
            kept = _kept_real(func, args, kwargs)
            if kept is not None:
                return kept
        elif len(empty) < len(tensors) and (empty or _too_large(func, tensors)):
            if func._schema.name in INDEXED:
                args = (args[0], _places(args[1]), *args[2:])
            args, kwargs = tree_map(_emptied, (args, kwargs))
        if func._schema.name == "aten::_local_scalar_dense" and empty and empty[0].dtype == torch.bool:
            return True  # a question about pixels, such as whether a picture shows anything
        if func._schema.name == "aten::_to_copy" and empty and not _is_meta(kwargs.get("device", "meta")):
            kwargs = kwargs | {"device": "meta"}  # to where the token ids are, which are real
        before = {each.untyped_storage()._cdata for each in empty}
        made = _run(func, args, kwargs) if func._schema.name != GROUPED else _grouped(func, args, kwargs)
        if func._schema.name == GROUPED:
            self.flops += 2 * args[0].numel() * args[1].shape[-1]  # each row goes through one expert
        if (formula := flop_counter.flop_registry.get(func._overloadpacket)) is not None:
            self.flops += int(formula(*args, **kwargs, out_val=made))
        if func._schema.name == CHOSEN and empty:
            made = (made[0], _spread_evenly(made[1], args[0].shape))
        for each in tree_leaves(made):
            if isinstance(each, Tensor) and each.is_meta:
                self._count(each.untyped_storage(), before)
        return made

    def _count(self, storage: Any, before: set[int]) -> None:
        key = storage._cdata
        if key in self._known or key in before:
            return
        size = storage.nbytes()
        self.held += size
        self.peak = max(self.peak, self.held)
        self._known[key] = weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self.held -= size
        self._known.pop(key, None)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation; on whole numbers that a CPU counts only as floats, as those."""
    try:
        return func(*args, **kwargs)
    except NotImplementedError:
        counted = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        if not counted or any(each.is_meta or each.is_floating_point() for each in counted):
            raise

    def as_floats(value: Any) -> Any:
        return value.float() if isinstance(value, Tensor) else value

    return func(*tree_map(as_floats, args), **tree_map(as_floats, kwargs)).to(counted[0].dtype)


def _kept_real(func: Any, args: Any, kwargs: dict[str, Any]) -> Tensor | None:
    """Whole numbers that are made on `meta` or moved there, made real instead; None for other tensors."""
    here = kwargs | {"device": torch.device("cpu")}
    planned = func(*tree_map(_emptied, args), **kwargs)
    if not isinstance(planned, Tensor) or planned.is_floating_point() or planned.numel() > LARGE:
        return None
    made: Tensor = func(*args, **here)
    return made


def _is_meta(device: Any) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _too_large(func: Any, tensors: list[Tensor]) -> bool:
    """Whether an operation on real tensors is work, whose shape is all that matters here."""
    floats = [each for each in tensors if each.is_floating_point()]
    return any(each.numel() > LARGE for each in floats) or (bool(floats) and func._schema.name in PRODUCTS)


def _grouped(func: Any, args: Any, kwargs: dict[str, Any]) -> Tensor:
    """Experts' products in the precision asked for: PyTorch's check of empty tensors knows 16 bits alone."""
    asked = kwargs.get("out_dtype") or args[0].dtype

    def lowered(value: Any) -> Any:
        is_float = isinstance(value, Tensor) and value.is_floating_point()
        return value.to(torch.bfloat16) if is_float else value

    made: Tensor = func(*tree_map(lowered, args), **tree_map(lowered, kwargs))
    return made.to(asked)


def _spread_evenly(chosen: Tensor, of: torch.Size) -> Tensor:
    """Real places in the stead of unknown ones, each taken as often as any: models cut tokens apart by them.

    Args:
        chosen: On `meta`, of any shape; its last dimension is the one along which is chosen, as experts are.
        of: Shape of what is chosen from.
    """
    if chosen.numel() > LARGE or chosen.dim() == 0 or chosen.shape[:-1] != of[:-1]:
        return chosen
    return (torch.arange(chosen.numel()) % of[-1]).reshape(chosen.shape)


def _places(indices: Any) -> list[Any]:
    """Indices with real masks as the numbers they stand for: how many those are decides a shape."""
    places: list[Any] = []
    for each in indices:
        masks = isinstance(each, Tensor) and not each.is_meta and each.dtype == torch.bool
        places += each.nonzero().unbind(1) if masks else [each]
    return places


def _emptied(value: Any) -> Any:
    return value.to("meta") if isinstance(value, Tensor) and not value.is_meta else value


def _add_flops(count: int) -> None:
    """Add operations that no formula counts to the ledger that is open."""
    if _open_ledgers:
        _open_ledgers[-1].flops += count


class _Attention(torch.autograd.Function):
    """What a fused attention kernel holds: queries, keys, values and its output, never the scores.

    It computes two products of queries with keys forward and four backward; what a kernel computes twice to save
    memory is no work of the model's.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        ctx.product = 2 * query.numel() * key.shape[-2]
        _add_flops(2 * ctx.product)
        # Laid out as the query, as the fused kernels do.
        output = torch.empty_like(query)[..., : value.shape[-1]]
        ctx.save_for_backward(query, key, value, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, _ = ctx.saved_tensors
        _add_flops(4 * ctx.product)
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _directly(
    query: Tensor, key: Tensor, value: Tensor, scale: float
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """What `_Attention` counts, for those who call a kernel themselves."""
    _add_flops(2 * 2 * query.numel() * key.shape[-2])
    return torch.empty_like(query), (None,)


def _directly_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *rest: Any
) -> tuple[Tensor, Tensor, Tensor]:
    _add_flops(4 * 2 * query.numel() * key.shape[-2])
    return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


attention_kernels.of_device["meta"] = attention_kernels.Kernel(_directly, _directly_backward)


@contextlib.contextmanager
def _fused_attention() -> Iterator[None]:
    """On `meta` PyTorch would take attention apart and count its scores, which no GPU keeps."""
    own = functional.scaled_dot_product_attention

    def attend(query: Tensor, key: Tensor, value: Tensor, *rest: Any, **options: Any) -> Any:
        if query.is_meta:
            return _Attention.apply(query, key, value)
        return own(query, key, value, *rest, **options)

    functional.scaled_dot_product_attention = attend
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = own


@contextlib.contextmanager
def _lists_stay_real() -> Iterator[None]:
    """Whole numbers made of a list, such as a grid's sides, are real wherever they are to be: no mode sees that."""
    own = torch.tensor

    def make(data: Any, **options: Any) -> Tensor:
        made = own(data, **options)
        return own(data, **options | {"device": "cpu"}) if _is_whole(made) else made

    torch.tensor = make
    try:
        yield
    finally:
        torch.tensor = own


def _is_whole(made: Tensor) -> bool:
    return made.is_meta and not made.is_floating_point() and made.numel() <= LARGE


@contextlib.contextmanager
def _no_autocast() -> Iterator[None]:
    """PEFT switches autocast off around experts' weights, by their device, and there is none of `meta` to switch."""
    own = torch.autocast

    def switch(device_type: str, *rest: Any, **options: Any) -> Any:
        return contextlib.nullcontext() if device_type == "meta" else own(device_type, *rest, **options)

    torch.autocast = switch
    try:
        yield
    finally:
        torch.autocast = own


@dataclass(frozen=True, slots=True)
class PassCost:
    """What a forward and backward pass holds at once beside the weights, and what it computes."""

    peak_bytes: int
    flops: int  # of matrix products, convolutions and attention


def pass_bytes(model: Any, batch: dict[str, Tensor], dtype: torch.dtype) -> int:
    """The `peak_bytes` of `pass_cost`."""
    return pass_cost(model, batch, dtype).peak_bytes


def pass_cost(model: Any, batch: dict[str, Tensor], dtype: torch.dtype) -> PassCost:
    """Run a forward and backward pass that only counts; gradients are left empty.

    Args:
        model: On `meta`, in training mode, with trainable parameters.
        batch: Real tensors, as the collator makes them.
        dtype: Of the arithmetic.
    """
    inputs = {
        # A mask is of whole numbers whatever it is stored as.
        name: value.to("meta", dtype) if value.is_floating_point() and "mask" not in name else value
        for name, value in batch.items()
    }
    sizes = sum(each.nbytes for each in inputs.values() if each.is_meta)
    try:
        # A mask made of pixels, which are not real here, is taken to leave nothing out.
        with (
            Ledger() as ledger,
            _fused_attention(),
            _no_autocast(),
            _lists_stay_real(),
            symbolic.patch(meta_nonzero_assume_all_nonzero=True),
        ):
            _open_ledgers.append(ledger)
            model(**inputs).loss.backward()
        return PassCost(ledger.peak + sizes, ledger.flops)
    finally:
        _open_ledgers.clear()
        model.zero_grad(set_to_none=True)
