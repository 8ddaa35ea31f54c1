"""What gradient rules need to know of broadcasting: which dimensions to sum over."""

from __future__ import annotations

import weakref
from typing import Any

from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import known_value

Sizes = tuple[int, ...]
_known_axes: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def static_sizes(tensor: Any) -> Sizes | None:
    """The sizes of a tensor when all are known, else None."""
    sizes = tensor.shape._sizes
    return None if sizes is None or None in sizes else sizes


def same_known_shape(x: Any, y: Any, grad: Any) -> bool:
    """Whether no broadcasting took place, for all that is known statically."""
    sizes = static_sizes(x)
    return sizes is not None and sizes == y.shape._sizes == grad.shape._sizes


def gradient_axes(x: Tensor, y: Tensor) -> tuple[Any, Any, Any, Any]:
    """(shape of x, axes to sum for x, shape of y, axes to sum for y), computed when run."""
    sx, sy = array_nodes.shape(x), array_nodes.shape(y)
    rx, ry = raw.BroadcastGradientArgs(sx, sy)
    return sx, rx, sy, ry


def smart_axes(x: Tensor, y: Tensor, grad: Any) -> tuple[tuple[Any, Any, bool], ...]:
    """For x and for y: (its shape, the axes to sum, whether its gradient must be reshaped).

    With known shapes these are Python tuples. The nodes that TensorFlow makes once a graph to find
    the axes are made too.
    """
    if not isinstance(grad, Tensor):
        sx, rx, sy, ry = gradient_axes(x, y)
        return (sx, rx, True), (sy, ry, True)
    xs, ys = static_sizes(x), static_sizes(y)
    if xs is None or ys is None:
        sx = array_nodes.shape_internal(x, optimize=False)
        sy = array_nodes.shape_internal(y, optimize=False)
        rx, ry = raw.BroadcastGradientArgs(sx, sy)
        return (sx, rx, True), (sy, ry, True)
    known = _known_axes.setdefault(get_default_graph(), {})
    if (xs, ys) not in known:
        found = raw.BroadcastGradientArgs(xs, ys)
        known[xs, ys] = tuple(tuple(known_value(t).tolist()) for t in found)
    rx, ry = known[xs, ys]
    target = grad.shape._sizes
    return (xs, rx, xs != target), (ys, ry, ys != target)


def summed(grad: Any, axes: Any, shape: Any) -> Tensor:
    """The gradient of a broadcast operand: summed over `axes` and given the operand's shape."""
    return raw.Reshape(nodes.reduce_sum(grad, axes), shape)
