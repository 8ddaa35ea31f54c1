"""Gradients of reductions, with TensorFlow's nodes."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.broadcast_gradients import static_sizes
from relight.ops.build import raw
from relight.ops.constants import constant, constant_value, known_value
from relight.ops.math import gradient

_known_shapes: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def _safe_quotient(x: Any, y: Any) -> Any:
    """`x // y` of sizes, where 0 // 0 shall be 0."""
    return x // raw.Maximum(y, 1)


@gradient("ArgMax", "ArgMin")
def _(op, grad):
    return [None, None]


def _sum(op: Any, grad: Any) -> Any:
    x = op.inputs[0]
    static = x.shape._sizes
    axes = None if static is None else constant_value(op.inputs[1])
    if axes is not None:
        rank = len(static)
        if np.array_equal(axes, np.arange(rank)):  # all dimensions
            grad = raw.Reshape(grad, [1] * rank)
            whole = array_nodes.shape(x) if None in static else constant(static, dtype=dtypes.int32)
            return raw.Tile(grad, whole)
        if None not in static:
            kept, repeats = _static_reduction(static, tuple(axes.reshape(-1).tolist()))
            return raw.Tile(raw.Reshape(grad, kept), repeats)
    whole = array_nodes.shape(x)
    with get_default_graph().colocate_with(whole.op):
        kept = nodes.reduced_shape(whole, op.inputs[1])
        repeats = _safe_quotient(whole, kept)
    return raw.Tile(raw.Reshape(grad, kept), repeats)


def _static_reduction(static: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """(shape with 1 at the axes, how often each dimension is repeated), for known sizes.

    The nodes with which TensorFlow works them out, once a graph, are made too.
    """
    known = _known_shapes.setdefault(get_default_graph(), {})
    if (static, axes) not in known:
        kept = tuple(known_value(nodes.reduced_shape(static, axes)).tolist())
        repeats = tuple(known_value(_safe_quotient(static, kept)).tolist())
        known[static, axes] = (kept, repeats)
    return known[static, axes]


@gradient("Sum")
def _(op, grad):
    return [_sum(op, grad), None]


@gradient("Mean")
def _(op, grad):
    total = _sum(op, grad)
    x, y = op.inputs[0], op.outputs[0]
    before, after = static_sizes(x), static_sizes(y)
    if before is not None and after is not None:
        factor = constant(math.prod(before) // max(math.prod(after), 1), dtype=total.dtype)
    else:
        shapes = array_nodes.shape(x), array_nodes.shape(y)
        factor = _safe_quotient(nodes.reduce_prod(shapes[0]), nodes.reduce_prod(shapes[1]))
    return nodes.truediv(total, nodes.cast(factor, total.dtype)), None


@gradient("Max", "Min")
def _(op, grad):
    x, axes = op.inputs
    kept = nodes.reduced_shape(array_nodes.shape(x), axes)
    y = raw.Reshape(op.outputs[0], kept)
    grad = raw.Reshape(grad, kept)
    # Equal extremes share the gradient.
    chosen = nodes.cast(raw.Equal(y, x), grad.dtype)
    count = raw.Reshape(nodes.reduce_sum(chosen, axes), kept)
    return [nodes.divide(chosen, count) * grad, None]


@gradient("Prod")
def _(op, grad):
    x = op.inputs[0]
    whole = array_nodes.shape(x)
    axes = raw.Reshape(op.inputs[1], [-1])
    kept = nodes.reduced_shape(whole, op.inputs[1])
    repeats = _safe_quotient(whole, kept)
    grad = raw.Tile(raw.Reshape(grad, kept), repeats)
    # The product of the others, also where an element is 0: running products from both ends, with
    # the reduced dimensions brought into one.
    with get_default_graph().device("/cpu:0"):
        rank = array_nodes.rank(x)
        axes = (axes + rank) % rank
        reduced = nodes.cast(axes, dtypes.int32)
        index = nodes.range(0, rank)
        other, _ = raw.ListDiff(index, reduced)
        perm = array_nodes.concat([reduced, other], 0)
        reduced_count = nodes.reduce_prod(array_nodes.gather(whole, reduced))
        other_count = nodes.reduce_prod(array_nodes.gather(whole, other))
    permuted = array_nodes.transpose(x, perm)
    permuted_shape = array_nodes.shape(permuted)
    matrix = raw.Reshape(permuted, (reduced_count, other_count))
    left = nodes.cumprod(matrix, axis=0, exclusive=True)
    right = nodes.cumprod(matrix, axis=0, exclusive=True, reverse=True)
    y = raw.Reshape(nodes.conj(left) * nodes.conj(right), permuted_shape)
    out = grad * array_nodes.transpose(y, raw.InvertPermutation(perm))
    return raw.Reshape(out, whole), None
