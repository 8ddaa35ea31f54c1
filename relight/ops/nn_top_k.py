"""The best classes: TopK, InTopK, NthElement."""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import dtypes, errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import merge_size, sizes, with_rank, with_rank_at_least


def _count(node: Any, index: int = 1) -> int | None:
    value = known_value(node._inputs[index])
    if value is None:
        return None
    if value.ndim:
        raise ShapeError(f"Shape must be rank 0 but is rank {value.ndim}")
    return int(value)


def _top_shape(node: Any) -> list[Any]:
    x = with_rank_at_least(sizes(node, 0), 1)
    if x is None:
        return [None, None]
    k = _count(node)
    if k is not None and x[-1] is not None and x[-1] < k:
        raise ShapeError(f"input must have last dimension >= k = {k} but is {x[-1]}")
    return [(*x[:-1], k)] * 2


def _top(x: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and places, the first of equal elements first, as TensorFlow promises."""
    if x.dim() == 0 or x.shape[-1] < k:
        what = (
            "input must be >= 1-D, got shape []"
            if x.dim() == 0
            else (f"input must have at least k columns. Had {x.shape[-1]}, needed {k}")
        )
        raise errors.InvalidArgumentError(None, None, what)
    values, places = torch.sort(x, dim=-1, descending=True, stable=True)
    return values[..., :k].contiguous(), places[..., :k].to(torch.int32)


@op("TopKV2", shape=_top_shape, host=("k",))
def TopKV2(x, k):
    """(values, indices) [..., k] of the greatest elements along the last dimension."""
    if int(k) < 0:
        raise errors.InvalidArgumentError(None, None, f"Need k >= 0, got {int(k)}")
    return _top(x, int(k))


@gradient("TopKV2")
def _(op, grad, _):
    in_shape = array_nodes.shape(op.inputs[0])
    place_shape = array_nodes.shape(op.outputs[1])
    wide = nodes.cast(place_shape, dtypes.int64)
    columns = array_nodes.gather(wide, array_nodes.size(place_shape) - 1)
    rows = array_nodes.reshape(op.outputs[1], array_nodes.stack([-1, columns]))
    wide = nodes.cast(in_shape, dtypes.int64)
    width = array_nodes.gather(wide, array_nodes.size(in_shape) - 1)
    count = array_nodes.shape(rows)[0]
    starts = nodes.range(0, nodes.cast(count, dtypes.int64) * width, width)
    starts = nodes.cast(raw.ExpandDims(starts, -1), dtypes.int32)
    places = array_nodes.reshape(rows + starts, [-1])
    scattered = raw.ScatterNd(
        raw.ExpandDims(places, -1),
        array_nodes.reshape(grad, [-1]),
        [nodes.reduce_prod(in_shape)],
    )
    result = array_nodes.reshape(scattered, in_shape)
    return [result, array_nodes.zeros([], dtype=dtypes.int32)]


def _in_top_shape(node: Any) -> list[Any]:
    predictions = with_rank(sizes(node, 0), 2)
    targets = with_rank(sizes(node, 1), 1)
    assert predictions is not None and targets is not None
    return [(merge_size(predictions[0], targets[0]),)]


def _in_top(predictions: torch.Tensor, targets: torch.Tensor, k: int) -> torch.Tensor:
    """False for targets out of range or not finite, and where a better class is not finite."""
    if predictions.dim() != 2 or targets.dim() != 1:
        raise errors.InvalidArgumentError(None, None, "predictions must be 2-dimensional")
    if predictions.shape[0] != targets.shape[0]:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"First dimension of predictions {predictions.shape[0]} must match length of targets "
            f"{targets.shape[0]}",
        )
    classes = predictions.shape[1]
    inside = (targets >= 0) & (targets < classes)
    places = torch.where(inside, targets, 0).long().unsqueeze(1)
    own = predictions.gather(1, places)
    better = (predictions > own).sum(1)
    finite = torch.isfinite(predictions).all(1)
    return inside & finite & (better < k)


@op("InTopK", shape=_in_top_shape)
def InTopK(predictions, targets, *, k):
    """Whether each target [batch] is among the k best of predictions [batch, classes]."""
    return _in_top(predictions, targets, k)


@op("InTopKV2", shape=_in_top_shape, host=("k",))
def InTopKV2(predictions, targets, k):
    """Whether each target [batch] is among the k best of predictions [batch, classes]."""
    return _in_top(predictions, targets, int(k))


def _nth_shape(node: Any) -> list[Any]:
    x = with_rank_at_least(sizes(node, 0), 1)
    if x is None:
        return [None]
    n = _count(node)
    if n is not None and x[-1] is not None and x[-1] <= n:
        raise ShapeError(f"Input must have last dimension > n = {n} but is {x[-1]}")
    return [x[:-1]]


@op("NthElement", shape=_nth_shape, host=("n",))
def NthElement(x, n, *, reverse=False):
    """The element that would be at place `n` of the last dimension if it were sorted."""
    place = int(n)
    if not 0 <= place < x.shape[-1]:
        what = "Need n >= 0, got" if place < 0 else "Input must have last dimension > n ="
        raise errors.InvalidArgumentError(None, None, f"{what} {place}")
    return torch.sort(x, dim=-1, descending=bool(reverse)).values[..., place].contiguous()


@gradient("NthElement")
def _(op, grad):
    x, y = op.inputs[0], op.outputs[0]
    chosen = nodes.cast(raw.Equal(raw.ExpandDims(y, -1), x), grad.dtype)
    grad = raw.ExpandDims(grad, -1)
    count = raw.ExpandDims(nodes.reduce_sum(chosen, -1), -1)
    return [nodes.div(chosen, count) * grad, None]
