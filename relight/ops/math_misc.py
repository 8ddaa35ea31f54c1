"""Selection, clipping, ranges, histograms and counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.constants import known_value
from relight.ops.shape_rules import broadcast_sizes, merge, same, sizes
from relight.ops.state import torch_dtype


def _text(shape: Any) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


# -- selection -------------------------------------------------------------------------------------


def _select_shape(node: Any) -> list[Any]:
    condition = sizes(node, 0)
    data = merge(sizes(node, 1), sizes(node, 2))
    if condition is None or data is None:
        return [data]
    if len(condition) == 0:
        return [data]
    if len(condition) == 1 and len(data) != 1:
        if not data:
            raise ShapeError("Shape must be at least rank 1 but is rank 0")
        merge(condition, data[:1])
        return [data]
    return [merge(data, condition)]


def _select(node: Any) -> Any:
    name, strings = node.name, node._attrs["T"].name == "string"
    choose = (lambda c, t, e: np.where(c.numpy(), t, e)) if strings else torch.where

    def mismatch(a: Any, b: Any, place: int) -> errors.InvalidArgumentError:
        return errors.InvalidArgumentError(
            None,
            None,
            f"Inputs to operation {name} of type Select must have the same size and shape.  "
            f"Input 0: {_text(a.shape)} != input {place}: {_text(b.shape)}",
        )

    def kernel(condition: torch.Tensor, t: Any, e: Any) -> Any:
        if condition.shape != t.shape:
            if t.shape != e.shape:
                raise mismatch(t, e, 2)
            rank = len(t.shape)
            if condition.dim() == 1 and rank > 1:
                if condition.shape[0] != t.shape[0]:
                    raise errors.InvalidArgumentError(
                        None,
                        None,
                        "Number of batches of 'then' must match size of 'cond', but saw: "
                        f"{t.shape[0]} vs. {condition.shape[0]}",
                    )
                condition = condition.reshape([-1] + [1] * (rank - 1))
            elif condition.dim() != 0:
                raise mismatch(condition, t, 1)
        elif t.shape != e.shape:
            raise mismatch(t, e, 2)
        return choose(condition, t, e)

    return kernel


op("Select", shape=_select_shape, specialise=True)(_select)


def _select_v2_shape(node: Any) -> list[Any]:
    return [broadcast_sizes(sizes(node, 0), broadcast_sizes(sizes(node, 1), sizes(node, 2)))]


@op("SelectV2", shape=_select_v2_shape, specialise=True)
def SelectV2(node: Any) -> Any:
    """Elements of t where the condition holds, else of e; all three are broadcast."""
    if node._attrs["T"].name == "string":
        return lambda condition, t, e: np.where(condition.numpy(), t, e)

    def kernel(condition: torch.Tensor, t: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        try:
            return torch.where(condition, t, e)
        except RuntimeError:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"condition {_text(condition.shape)}, then {_text(t.shape)}, and else "
                f"{_text(e.shape)} must be broadcastable",
            ) from None

    return kernel


@op("ClipByValue", shape=same)
def ClipByValue(t, clip_value_min, clip_value_max):
    """t, brought into [min, max]; the bounds are scalars or have the shape of t."""
    for bound in (clip_value_min, clip_value_max):
        if bound.dim() and bound.shape != t.shape:
            raise errors.InvalidArgumentError(
                None,
                None,
                "clip_value_min and clip_value_max must be either of the same shape as input, or "
                f"a scalar. input shape: {_text(t.shape)}clip_value_min shape: "
                f"{_text(clip_value_min.shape)}clip_value_max shape: "
                f"{_text(clip_value_max.shape)}",
            )
    return torch.minimum(torch.maximum(t, clip_value_min), clip_value_max)


# -- ranges ----------------------------------------------------------------------------------------


def range_size(start: Any, limit: Any, delta: Any) -> int:
    """How many elements a range has; ValueError in TensorFlow's words for bad bounds."""
    if delta == 0:
        raise ValueError(f"Requires delta != 0: {_number(delta)}")
    if delta > 0 and start > limit:
        raise ValueError(
            f"Requires start <= limit when delta > 0: {_number(start)}/{_number(limit)}"
        )
    if delta < 0 and start < limit:
        raise ValueError(
            f"Requires start >= limit when delta < 0: {_number(start)}/{_number(limit)}"
        )
    if isinstance(start, int):
        return (abs(limit - start) + abs(delta) - 1) // abs(delta)
    return math.ceil(abs((limit - start) / delta))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _range_shape(node: Any) -> list[Any]:
    values = []
    for i in (0, 1, 2):
        static = sizes(node, i)
        if static:
            raise ShapeError(f"Shape must be rank 0 but is rank {len(static)}")
        values.append(known_value(node._inputs[i]))
    if any(v is None for v in values):
        return [(None,)]
    try:
        return [(range_size(*(v.item() for v in values)),)]
    except ValueError as error:
        raise ShapeError(str(error)) from None


@op("Range", shape=_range_shape, specialise=True, host=("start", "limit", "delta"), host_out=True)
def Range(node: Any) -> Any:
    """start, start + delta, ... up to limit, without it."""
    numpy_type = node._attrs["Tidx"].as_numpy_dtype
    integers = node._attrs["Tidx"].is_integer

    def kernel(start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> np.ndarray:
        for value, name in ((start, "start"), (limit, "limit"), (delta, "delta")):
            if value.ndim:
                raise errors.InvalidArgumentError(
                    None, None, f"{name} must be a scalar, not shape {_text(value.shape)}"
                )
        first, step = start.item(), delta.item()
        try:
            count = range_size(first, limit.item(), step)
        except ValueError as error:
            raise errors.InvalidArgumentError(None, None, str(error)) from None
        if integers:
            return np.arange(count, dtype=numpy_type) * numpy_type(step) + numpy_type(first)
        # TensorFlow adds the step up in the element type, which decides the last digits.
        steps = np.full(max(count, 1), delta, numpy_type)
        steps[0] = start
        return np.cumsum(steps, dtype=numpy_type)[:count]

    return kernel


def _lin_space_shape(node: Any) -> list[Any]:
    for i in (0, 1, 2):
        static = sizes(node, i)
        if static:
            raise ShapeError(f"Shape must be rank 0 but is rank {len(static)}")
    count = known_value(node._inputs[2])
    if count is None:
        return [(None,)]
    if int(count) <= 0:
        raise ShapeError(f"Requires num > 0: {int(count)}")
    return [(int(count),)]


@op("LinSpace", shape=_lin_space_shape, host=("start", "stop", "num"), host_out=True)
def LinSpace(start, stop, num):
    """num values at equal distances from start to stop, both included."""
    count = int(num)
    if count <= 0:
        raise errors.InvalidArgumentError(None, None, f"Requires num > 0: {count}")
    kind = start.dtype.type
    if count == 1:
        return np.array([start], kind)
    step = kind((kind(stop) - kind(start)) / kind(count - 1))
    result = (kind(start) + step * np.arange(count, dtype=kind)).astype(kind)
    result[-1] = stop
    return result


not_differentiable("Range", "LinSpace")


# -- counts ----------------------------------------------------------------------------------------


def _histogram_shape(node: Any) -> list[Any]:
    count = known_value(node._inputs[2])
    return [(None if count is None else int(count),)]


@op("HistogramFixedWidth", shape=_histogram_shape, specialise=True, host=("nbins",))
def HistogramFixedWidth(node: Any) -> Any:
    """How many values fall into each of nbins equal parts of value_range; int32 or int64."""
    dtype = torch_dtype(node._attrs["dtype"])

    def kernel(values: torch.Tensor, bounds: torch.Tensor, nbins: np.ndarray) -> torch.Tensor:
        if bounds.shape != (2,):
            raise errors.InvalidArgumentError(
                None,
                None,
                f"value_range should be a vector of 2 elements, but got shape "
                f"{_text(bounds.shape)}",
            )
        low, high, count = bounds[0], bounds[1], int(nbins)
        if not low < high:
            raise errors.InvalidArgumentError(
                None,
                None,
                "value_range should satisfy value_range[0] < value_range[1], but got "
                f"'[{low.item():g}, {high.item():g}]'",
            )
        if count <= 0:
            raise errors.InvalidArgumentError(
                None, None, f"nbins should be a positive number, but got '{count}'"
            )
        flat = values.reshape(-1).double()
        width = (high.double() - low.double()) / count
        places = torch.floor((flat - low) / width).clamp(0, count - 1).to(torch.int64)
        return torch.bincount(places, minlength=count).to(dtype)

    return kernel


def _bincount_shape(node: Any) -> list[Any]:
    size = known_value(node._inputs[1])
    return [(None if size is None else int(size),)]


@op("Bincount", shape=_bincount_shape, host=("size",))
def Bincount(arr, size, weights):
    """How often (or with which total weight) each of 0 ... size - 1 occurs; others are ignored."""
    if int(size) < 0:
        raise errors.InvalidArgumentError(None, None, f"size ({int(size)}) must be non-negative")
    if weights.numel() and weights.shape != arr.shape:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"If weights are passed, they must have the same shape ({_text(weights.shape)}) as arr "
            f"({_text(arr.shape)})",
        )
    flat = arr.reshape(-1).to(torch.int64)
    if flat.numel() and bool((flat < 0).any()):
        raise errors.InvalidArgumentError(None, None, "Input arr must be non-negative!")
    inside = flat < int(size)
    total = weights.new_zeros(int(size))
    amounts = weights.reshape(-1) if weights.numel() else torch.ones_like(flat, dtype=weights.dtype)
    return total.index_add(0, flat[inside], amounts[inside])


@op("Bucketize", shape=same, specialise=True)
def Bucketize(node: Any) -> Any:
    """The number of boundaries that are not greater than each value; int32."""
    boundaries = torch.tensor(list(node._attrs["boundaries"]), dtype=torch.float32)
    return lambda x: torch.bucketize(
        x.double(), boundaries.double().to(x.device), right=True, out_int32=True
    )


@op("CompareAndBitpack", shape=lambda node: [_packed(sizes(node, 0))])
def CompareAndBitpack(input, threshold):
    """[..., 8 n] -> uint8 [..., n]: the bits `input > threshold`, the first one highest."""
    if threshold.dim():
        raise errors.InvalidArgumentError(
            None, None, f"Compare must be a scalar, but saw shape: {_text(threshold.shape)}"
        )
    if not input.dim() or input.shape[-1] % 8:
        raise errors.InvalidArgumentError(
            None,
            None,
            "Inner dimension of input should be divisible by 8, but saw shape: "
            f"{_text(input.shape)}",
        )
    bits = (input > threshold).reshape((*input.shape[:-1], input.shape[-1] // 8, 8))
    weights = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=input.device)
    return (bits * weights).sum(-1, dtype=torch.uint8)


def _packed(static: Any) -> Any:
    if not static or static[-1] is None:
        return None if static is None else (*static[:-1], None)
    if static[-1] % 8:
        raise ShapeError(f"Dimension size must be evenly divisible by 8 but is {static[-1]}")
    return (*static[:-1], static[-1] // 8)


not_differentiable("HistogramFixedWidth")
