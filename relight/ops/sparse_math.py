"""Arithmetic of sparse tensors: sums, reductions, softmax, element-wise operations."""

from __future__ import annotations

import math
from typing import Any

import torch

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes as nodes
from relight.ops import math_nodes
from relight.ops.array import invalid
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.shape_rules import sizes, with_rank
from relight.ops.sparse import coordinates, places, scatter_matching


def _add_shape(node: Any) -> list[Any]:
    shape = sizes(node, 2)
    rank = None if shape is None else shape[0]
    return [(None, rank), (None,), (rank,)]


@op("SparseAdd", shape=_add_shape, host=("a_shape", "b_shape"))
def SparseAdd(a_indices, a_values, a_shape, b_indices, b_values, b_shape, thresh):
    """The sum of two sparse tensors; elements smaller than `thresh` in magnitude are left out."""
    if len(a_shape) != len(b_shape):
        raise invalid(
            f"Ranks of input tensors must match, but saw ranks: {len(a_shape)} and {len(b_shape)}"
        )
    for i, (x, y) in enumerate(zip(a_shape.tolist(), b_shape.tolist(), strict=True)):
        if x != y:
            raise invalid(f"Input shapes must match: got {x} and {y} for dimension {i}")
    flat = torch.cat([places(a_indices, a_shape), places(b_indices, a_shape)])
    unique, inverse = flat.unique(return_inverse=True)
    total = a_values.new_zeros(len(unique)).index_add_(0, inverse, torch.cat([a_values, b_values]))
    in_both = torch.bincount(inverse, minlength=len(unique)) > 1  # the threshold is for sums only
    kept = ~in_both | (total.abs() >= thresh)
    return (
        coordinates(unique[kept], a_shape.tolist()),
        total[kept],
        torch.tensor(a_shape.tolist(), dtype=torch.int64),
    )


@SparseAdd.gradient
def _(op, _indices, grad, _shape):
    a, b = raw.SparseAddGrad(grad, op.inputs[0], op.inputs[3], op.outputs[0])
    a.set_shape(op.inputs[1].shape)
    b.set_shape(op.inputs[4].shape)
    return [None, a, None, None, b, None, None]


def _add_grad_shape(node: Any) -> list[Any]:
    a, b = sizes(node, 1), sizes(node, 2)
    return [(None if a is None else a[0],), (None if b is None else b[0],)]


@op("SparseAddGrad", shape=_add_grad_shape)
def SparseAddGrad(grad, a_indices, b_indices, sum_indices):
    """The gradient of each value of both summands: that of their sum, or zero."""
    return (
        scatter_matching(grad, a_indices, sum_indices),
        scatter_matching(grad, b_indices, sum_indices),
    )


# -- reductions ----------------------------------------------------------------------------------


def _reduced(node: Any) -> list[Any]:
    shape = constant_value_as_shape(node._inputs[2])._sizes
    axes = known_value(node._inputs[3])
    keep = node._attrs["keep_dims"]
    if shape is None or axes is None:
        return [None]
    dropped = {int(a) % len(shape) for a in axes.reshape(-1).tolist()}
    if keep:
        return [tuple(1 if i in dropped else s for i, s in enumerate(shape))]
    return [tuple(s for i, s in enumerate(shape) if i not in dropped)]


def _groups(indices: Any, shape: Any, axes: Any) -> tuple[torch.Tensor, list[int]]:
    """(place of each value in the result, shape of the result with reduced dimensions as 1)."""
    whole = [int(s) for s in shape]
    rank = len(whole)
    dropped = set()
    for axis in axes.reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise invalid(f"Invalid reduction dimension {axis}, for input with {rank} dimensions.")
        dropped.add(axis % rank)
    kept_shape = [1 if i in dropped else s for i, s in enumerate(whole)]
    mask = torch.tensor([0 if i in dropped else 1 for i in range(rank)], device=indices.device)
    flat = places(indices * mask, kept_shape)
    return flat, kept_shape


def _final_shape(kept: list[int], axes: Any, keep: bool) -> list[int]:
    if keep:
        return kept
    rank = len(kept)
    dropped = {a % rank for a in axes.reshape(-1).tolist()}
    return [s for i, s in enumerate(kept) if i not in dropped]


def _reduction(how: str) -> Any:
    def kernel(indices, values, shape, axes, *, keep_dims):
        flat, kept = _groups(indices, shape, axes)
        result = values.new_zeros(math.prod(kept))
        if how == "sum":
            result.index_add_(0, flat, values)
        else:
            result.scatter_reduce_(0, flat, values, "amax", include_self=False)
        return result.reshape(_final_shape(kept, axes, keep_dims))

    return kernel


_HOST = ("input_shape", "reduction_axes")
SparseReduceSum = op("SparseReduceSum", shape=_reduced, host=_HOST)(_reduction("sum"))
SparseReduceMax = op("SparseReduceMax", shape=_reduced, host=_HOST)(_reduction("max"))


def _sparse_reduction(how: str) -> Any:
    def kernel(indices, values, shape, axes, *, keep_dims):
        flat, kept = _groups(indices, shape, axes)
        unique, inverse = flat.unique(return_inverse=True)
        result = values.new_zeros(len(unique))
        if how == "sum":
            result.index_add_(0, inverse, values)
        else:
            result.scatter_reduce_(0, inverse, values, "amax", include_self=False)
        final = _final_shape(kept, axes, keep_dims)
        return coordinates(unique, final), result, torch.tensor(final, dtype=torch.int64)

    return kernel


def _unknown_sparse(node: Any) -> list[Any]:
    return [None, None, None]


SparseReduceSumSparse = op("SparseReduceSumSparse", shape=_unknown_sparse, host=_HOST)(
    _sparse_reduction("sum")
)
SparseReduceMaxSparse = op("SparseReduceMaxSparse", shape=_unknown_sparse, host=_HOST)(
    _sparse_reduction("max")
)


@SparseReduceSum.gradient
def _(op, grad):
    indices, _, shape, axes = op.inputs
    kept = math_nodes.reduced_shape(shape, axes)
    grad = nodes.reshape(grad, kept)
    scale = shape // math_nodes.cast(kept, dtypes.int64)
    return [None, raw.GatherNd(grad, indices // scale), None, None]


@op("SparseSoftmax", shape=lambda node: [with_rank(sizes(node, 1), 1)], host=("sp_shape",))
def SparseSoftmax(indices, values, shape):
    """Softmax over the present elements of the last dimension."""
    rows = places(indices[:, :-1], shape[:-1]) if len(shape) > 1 else indices[:, 0] * 0
    unique, inverse = rows.unique(return_inverse=True)
    most = values.new_full((len(unique),), -torch.inf).scatter_reduce_(0, inverse, values, "amax")
    powers = (values - most[inverse]).exp()
    total = values.new_zeros(len(unique)).index_add_(0, inverse, powers)
    return powers / total[inverse]


@SparseSoftmax.gradient
def _(op, grad):
    indices, shape = op.inputs[0], op.inputs[2]
    output = SparseTensor(indices, op.outputs[0], shape)
    gradient = SparseTensor(indices, grad, shape)
    product = SparseTensor(indices, output.values * gradient.values, shape)
    total = -raw.SparseReduceSum(
        product.indices, product.values, product.dense_shape, [-1], keep_dims=True
    )
    summed = raw.SparseDenseCwiseAdd(gradient.indices, gradient.values, gradient.dense_shape, total)
    result = SparseTensor(gradient.indices, summed, gradient.dense_shape)
    return [None, result.values * output.values, None]


# -- element by element --------------------------------------------------------------------------


def _elementwise(name: str, function: Any) -> Any:
    @op(name, shape=lambda node: [(_first(node),)], host=("sp_shape",))
    def kernel(indices, values, shape, dense):
        target = [int(s) for s in shape]
        try:
            whole = dense.expand(target)
        except RuntimeError:
            raise invalid(
                f"{name} broadcasts dense to sparse only; got incompatible shapes: "
                f"[{','.join(map(str, target))}] vs. [{','.join(map(str, dense.shape))}]"
            ) from None
        return function(values, whole[tuple(indices.T)])

    return kernel


def _first(node: Any) -> int | None:
    known = sizes(node, 0)
    return None if known is None else known[0]


def _divide(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if a.dtype.is_floating_point or a.dtype.is_complex:
        return a / b
    return torch.div(a, b, rounding_mode="trunc")


SparseDenseCwiseAdd = _elementwise("SparseDenseCwiseAdd", torch.add)
SparseDenseCwiseMul = _elementwise("SparseDenseCwiseMul", torch.mul)
SparseDenseCwiseDiv = _elementwise("SparseDenseCwiseDiv", _divide)


def _scaled(op: Any, grad: Any, multiply: bool) -> list[Any]:
    indices, values, shape, dense = op.inputs
    dense_shape = math_nodes.cast(nodes.shape(dense), dtypes.int64)
    added = raw.ExpandDims(nodes.size(shape) - nodes.size(dense_shape), 0)
    augmented = nodes.concat([nodes.ones(added, dtypes.int64), dense_shape], 0)
    scaling = shape // augmented
    scaled = indices // scaling
    scaled = raw.Slice(scaled, nodes.concat([[0], added], 0), [-1, -1])
    found = raw.GatherNd(dense, scaled)
    if multiply:
        value_grad = grad * found
        dense_grad = grad * values
    else:
        value_grad = grad / found
        dense_grad = grad * (-values / raw.Square(found))
    sparse = SparseTensor(scaled, dense_grad, dense_shape)
    back = raw.SparseTensorDenseAdd(
        sparse.indices, sparse.values, sparse.dense_shape, nodes.zeros_like(dense)
    )
    return [None, value_grad, None, back]


@SparseDenseCwiseMul.gradient
def _(op, grad):
    return _scaled(op, grad, True)


@SparseDenseCwiseDiv.gradient
def _(op, grad):
    return _scaled(op, grad, False)


def _not_implemented(name: str) -> Any:
    def rule(op, *grads):
        raise NotImplementedError(f"Gradient for {name} is currently not implemented yet.")

    return rule


def _extreme(name: str, function: Any) -> Any:
    @op(name, shape=lambda node: [(None, None), (None,)], host=("a_shape", "b_shape"))
    def kernel(a_indices, a_values, a_shape, b_indices, b_values, b_shape):
        if a_shape.tolist() != b_shape.tolist():
            raise invalid(
                f"Operands' shapes do not match: got {a_shape.tolist()} and {b_shape.tolist()}"
            )
        a, b = places(a_indices, a_shape), places(b_indices, a_shape)
        unique, inverse = torch.cat([a, b]).unique(return_inverse=True)
        left = a_values.new_zeros(len(unique))
        right = left.clone()
        left[inverse[: len(a)]] = a_values
        right[inverse[len(a) :]] = b_values
        return coordinates(unique, a_shape.tolist()), function(left, right)

    kernel.gradient(_not_implemented(name))
    return kernel


def _rank(node: Any) -> int | None:
    known = sizes(node, 0)
    return None if known is None else known[1]


SparseSparseMaximum = _extreme("SparseSparseMaximum", torch.maximum)
SparseSparseMinimum = _extreme("SparseSparseMinimum", torch.minimum)
SparseDenseCwiseAdd.gradient(_not_implemented("SparseDenseCwiseAdd"))

not_differentiable("SparseAddGrad")
