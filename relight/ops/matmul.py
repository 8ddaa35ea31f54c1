"""Matrix products: MatMul, BatchMatMul, SparseMatMul, Cross, and their gradients."""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import array_nodes, shape_rules
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.gemm import mm
from relight.ops.math import gradient
from relight.ops.shape_rules import all_same, broadcast_sizes, merge_size, sizes


def _sizes(x: torch.Tensor) -> str:
    return "[" + ",".join(map(str, x.shape)) + "]"


def _product(node: Any) -> Any:
    transpose_a = bool(node._attrs.get("transpose_a"))
    transpose_b = bool(node._attrs.get("transpose_b"))

    def failed(a: torch.Tensor, b: torch.Tensor) -> errors.InvalidArgumentError | None:
        for x, place in ((a, 0), (b, 1)):
            if x.dim() != 2:
                return errors.InvalidArgumentError(
                    None,
                    None,
                    f"In[{place}] is not a matrix. Instead it has shape {_sizes(x)}",
                )
        inner_a = a.shape[0 if transpose_a else 1]
        if inner_a != b.shape[1 if transpose_b else 0]:
            return errors.InvalidArgumentError(
                None,
                None,
                f"Matrix size-incompatible: In[0]: {_sizes(a)}, In[1]: {_sizes(b)}",
            )
        return None

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        try:
            return mm(a.t() if transpose_a else a, b.t() if transpose_b else b)
        except (RuntimeError, IndexError):
            error = failed(a, b)
            if error is None:
                raise
            raise error from None

    return kernel


op("MatMul", shape=shape_rules.matmul, specialise=True)(_product)


@op("SparseMatMul", shape=shape_rules.matmul, specialise=True)
def SparseMatMul(node: Any) -> Any:
    """The product, in float32, of matrices that are said to hold many zeros."""
    product = _product(node)
    return lambda a, b: product(a.float(), b.float())


def _batched(node: Any) -> Any:
    adj_x, adj_y = bool(node._attrs["adj_x"]), bool(node._attrs["adj_y"])
    conjugate = node._inputs[0].dtype.is_complex

    def swapped(x: torch.Tensor, adjoint: bool) -> torch.Tensor:
        if not adjoint:
            return x
        return x.mH if conjugate else x.mT

    def failed(x: torch.Tensor, y: torch.Tensor) -> errors.InvalidArgumentError | None:
        for value, place in ((x, 0), (y, 1)):
            if value.dim() < 2:
                return errors.InvalidArgumentError(
                    None, None, f"In[{place}] ndims must be >= 2: {value.dim()}"
                )
        inner_x, inner_y = swapped(x, adj_x).shape[-1], swapped(y, adj_y).shape[-2]
        if inner_x != inner_y:
            return errors.InvalidArgumentError(
                None,
                None,
                f"In[0] mismatch In[1] shape: {inner_x} vs. {inner_y}: {_sizes(x)} {_sizes(y)} "
                f"{int(adj_x)} {int(adj_y)}",
            )
        return errors.InvalidArgumentError(
            None,
            None,
            f"In[0] and In[1] must have compatible batch dimensions: {_sizes(x)} vs. {_sizes(y)}",
        )

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.dim() < 2 or y.dim() < 2:
            raise failed(x, y)  # type: ignore[misc]
        try:
            return torch.matmul(swapped(x, adj_x), swapped(y, adj_y))
        except RuntimeError:
            error = failed(x, y)
            if error is None:
                raise
            raise error from None

    return kernel


op("BatchMatMul", shape=shape_rules.batch_matmul, specialise=True)(_batched)
op("BatchMatMulV2", shape=shape_rules.batch_matmul, specialise=True)(_batched)


def _cross_shape(node: Any) -> list[Any]:
    for i in (0, 1):
        static = sizes(node, i)
        if static is not None and not static:
            raise ShapeError("Shape must be at least rank 1 but is rank 0")
        if static is not None and static[-1] not in (None, 3):
            raise ShapeError(f"Dimension must be 3 but is {static[-1]}")
    return all_same(node)


@op("Cross", shape=_cross_shape)
def Cross(a, b):
    """The cross product of the vectors along the last dimension, which has size 3."""
    if a.shape != b.shape:
        raise errors.InvalidArgumentError(
            None, None, f"Both inputs must be of same shape: {_sizes(a)} vs. {_sizes(b)}"
        )
    if a.dim() == 0 or a.shape[-1] != 3:
        raise errors.InvalidArgumentError(
            None, None, f"Cross-products are only defined for 3-element vectors: {_sizes(a)}"
        )
    return torch.linalg.cross(a, b)


def _einsum_labels(term: str, rank: int | None) -> list[str] | None:
    """A label a dimension; those of an ellipsis are numbered from the right. None: not known."""
    before, dots, after = term.partition("...")
    if not dots:
        return list(term)
    if rank is None:
        return None
    middle = rank - len(before) - len(after)
    return [*before, *(f".{i}" for i in range(middle, 0, -1)), *after]


def _einsum_shape(node: Any) -> list[Any]:
    inputs, _, output = node._attrs["equation"].replace(" ", "").partition("->")
    found: dict[str, int | None] = {}
    dots: int | None = 0  # how many dimensions the ellipses stand for
    for i, term in enumerate(inputs.split(",")):
        static = sizes(node, i)
        labels = _einsum_labels(term, None if static is None else len(static))
        if labels is None:
            dots = None
            continue
        if static is None:
            static = (None,) * len(labels)
        if len(labels) != len(static):
            raise ShapeError(f"Shape must be rank {len(labels)} but is rank {len(static)}")
        for label, size in zip(labels, static, strict=True):
            if label[0] != ".":
                found[label] = merge_size(found.get(label), size)
                continue
            dots = None if dots is None else max(dots, int(label[1:]))
            (found[label],) = broadcast_sizes((found.get(label, 1),), (size,)) or (None,)
    if dots is None and "..." in output:
        return [None]
    labels = _einsum_labels(output, (dots or 0) + len(output.replace("...", "")))
    assert labels is not None
    return [tuple(found.get(label) for label in labels)]


@op("Einsum", shape=_einsum_shape, specialise=True)
def Einsum(node: Any) -> Any:
    """The sum of products that the equation names."""
    equation = node._attrs["equation"]

    def kernel(inputs: list[torch.Tensor]) -> torch.Tensor:
        try:
            return torch.einsum(equation, *inputs).clone()
        except RuntimeError as error:
            raise errors.InvalidArgumentError(
                None, None, f"the equation {equation!r} does not fit: {error}"
            ) from None

    return kernel


# -- gradients -----------------------------------------------------------------------------------


@gradient("MatMul")
def _(op, grad):
    transpose_a, transpose_b = op._attrs["transpose_a"], op._attrs["transpose_b"]
    a, b = nodes.conj(op.inputs[0]), nodes.conj(op.inputs[1])
    if not transpose_a and not transpose_b:
        return raw.MatMul(grad, b, transpose_b=True), raw.MatMul(a, grad, transpose_a=True)
    if not transpose_a:
        return raw.MatMul(grad, b), raw.MatMul(grad, a, transpose_a=True)
    if not transpose_b:
        return raw.MatMul(b, grad, transpose_b=True), raw.MatMul(a, grad)
    both = {"transpose_a": True, "transpose_b": True}
    return raw.MatMul(b, grad, **both), raw.MatMul(grad, a, **both)


@gradient("SparseMatMul")
def _(op, grad):
    transpose_a, transpose_b = op._attrs["transpose_a"], op._attrs["transpose_b"]
    a, b = op.inputs
    sparse = {
        a: op._attrs["a_is_sparse"],
        b: op._attrs["b_is_sparse"],
        grad: grad.op.type == "ReluGrad",
    }

    def product(x: Any, y: Any, dtype: Any, transpose_x: bool = False, transpose_y: bool = False):
        x_sparse, y_sparse = sparse[x], sparse[y]
        if transpose_y:
            y = array_nodes.transpose(y)
        result = nodes.matmul(
            x, y, transpose_a=transpose_x, a_is_sparse=x_sparse, b_is_sparse=y_sparse
        )
        return nodes.cast(result, dtype) if result.dtype != dtype else result

    if not transpose_a and not transpose_b:
        return (
            product(grad, b, a.dtype, transpose_y=True),
            product(a, grad, b.dtype, transpose_x=True),
        )
    if not transpose_a:
        return product(grad, b, a.dtype), product(grad, a, b.dtype, transpose_x=True)
    if not transpose_b:
        return product(b, grad, a.dtype, transpose_y=True), product(a, grad, b.dtype)
    return product(b, grad, a.dtype, True, True), product(grad, a, b.dtype, True, True)


def _batched_gradients(op: Any, grad: Any) -> tuple[Any, Any]:
    x, y = op.inputs
    adj_x, adj_y = op._attrs["adj_x"], op._attrs["adj_y"]
    if not adj_x and not adj_y:
        return nodes.matmul(grad, y, adjoint_b=True), nodes.matmul(x, grad, adjoint_a=True)
    if not adj_x:
        return nodes.matmul(grad, y), nodes.matmul(grad, x, adjoint_a=True)
    if not adj_y:
        return nodes.matmul(y, grad, adjoint_b=True), nodes.matmul(x, grad)
    both = {"adjoint_a": True, "adjoint_b": True}
    return nodes.matmul(y, grad, **both), nodes.matmul(grad, x, **both)


@gradient("BatchMatMul")
def _(op, grad):
    return _batched_gradients(op, grad)


@gradient("BatchMatMulV2")
def _(op, grad):
    x, y = op.inputs
    grad_x, grad_y = _batched_gradients(op, grad)
    if not (x.shape.is_fully_defined() and x.shape._sizes == y.shape._sizes):
        sx, sy = array_nodes.shape(x), array_nodes.shape(y)
        rx, ry = raw.BroadcastGradientArgs(sx[:-2], sy[:-2])
        grad_x = raw.Reshape(nodes.reduce_sum(grad_x, rx), sx)
        grad_y = raw.Reshape(nodes.reduce_sum(grad_y, ry), sy)
    return grad_x, grad_y
