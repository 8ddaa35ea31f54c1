"""Gradients of linear algebra, with TensorFlow's nodes."""

from __future__ import annotations

from typing import Any

from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.ops.linalg_nodes import (
    adjoint,
    cholesky_solve,
    eye,
    matrix_band_part,
    matrix_diag,
    matrix_diag_part,
    matrix_set_diag,
    matrix_transpose,
    regularised_gramian_cholesky,
)
from relight.ops.math import gradient

matmul = nodes.matmul


@gradient("MatrixInverse")
def _(op, grad):
    inverse = op.outputs[0]
    return -matmul(inverse, matmul(grad, inverse, adjoint_b=True), adjoint_a=True)


def _last_two_ones(c: Any) -> Any:
    return array_nodes.concat([array_nodes.shape(c), [1, 1]], 0)


@gradient("MatrixDeterminant")
def _(op, grad):
    c = op.outputs[0]
    inverse = raw.MatrixInverse(op.inputs[0], adjoint=True)
    product = grad * c
    return raw.Reshape(product, _last_two_ones(c)) * inverse


@gradient("LogMatrixDeterminant")
def _(op, _, grad_b):
    c = op.outputs[1]
    inverse = raw.MatrixInverse(op.inputs[0], adjoint=True)
    return raw.Reshape(grad_b, _last_two_ones(c)) * inverse


@gradient("Cholesky")
def _(op, grad):
    factor = op.outputs[0]
    rows = array_nodes.shape(factor)[-1]
    batch = array_nodes.shape(factor)[:-2]
    identity = eye(rows, batch_shape=batch, dtype=factor.dtype)
    inverse = raw.MatrixTriangularSolve(factor, identity)
    middle = matmul(factor, grad, adjoint_a=True)
    middle = matrix_set_diag(middle, 0.5 * matrix_diag_part(middle))
    middle = matrix_band_part(middle, -1, 0)
    grad_a = matmul(matmul(inverse, middle, adjoint_a=True), inverse)
    grad_a += adjoint(grad_a)
    return grad_a * 0.5


@gradient("Qr")
def _(op, dq, dr):
    q, r = op.outputs
    if q.dtype.is_complex:
        raise NotImplementedError(f"QrGrad not implemented for dtype: {q.dtype}")
    if r.shape.ndims is None or None in r.shape.as_list()[-2:]:
        raise NotImplementedError("QrGrad not implemented with dynamic shapes.")
    if r.shape.as_list()[-2] != r.shape.as_list()[-1]:
        raise NotImplementedError(
            "QrGrad not implemented when ncols > nrows or full_matrices is true and ncols != nrows."
        )
    qdq = matmul(q, dq, adjoint_a=True)
    qdq_odd = qdq - adjoint(qdq)
    rdr = matmul(r, dr, adjoint_b=True)
    rdr_odd = rdr - adjoint(rdr)
    lower = matrix_band_part(qdq_odd + rdr_odd, -1, 0)

    def times_inverse(x: Any) -> Any:
        """x times the adjoint of the inverse of r."""
        return adjoint(raw.MatrixTriangularSolve(r, adjoint(x), lower=False, adjoint=False))

    first = matmul(q, dr + times_inverse(lower))
    second = times_inverse(dq - matmul(q, qdq))
    return first + second


@gradient("MatrixSolve")
def _(op, grad):
    adjoint_a = op._attrs["adjoint"]
    c = op.outputs[0]
    grad_b = raw.MatrixSolve(op.inputs[0], grad, adjoint=not adjoint_a)
    if adjoint_a:
        return -matmul(c, grad_b, adjoint_b=True), grad_b
    return -matmul(grad_b, c, adjoint_b=True), grad_b


@gradient("MatrixTriangularSolve")
def _(op, grad):
    adjoint_a, lower = op._attrs["adjoint"], op._attrs["lower"]
    c = op.outputs[0]
    grad_b = raw.MatrixTriangularSolve(op.inputs[0], grad, lower=lower, adjoint=not adjoint_a)
    grad_a = -matmul(c, grad_b, adjoint_b=True) if adjoint_a else -matmul(grad_b, c, adjoint_b=True)
    return matrix_band_part(grad_a, *((-1, 0) if lower else (0, -1))), grad_b


def _overdetermined(op: Any, grad: Any) -> list[Any]:
    a, b = op.inputs[0], op.inputs[1]
    x = op.outputs[0]
    regularizer = nodes.cast(op.inputs[2], a.dtype.base_dtype)
    chol = regularised_gramian_cholesky(a, regularizer, first_kind=True)
    z = cholesky_solve(chol, grad)
    xzt = matmul(x, z, adjoint_b=True)
    symmetric = xzt + matrix_transpose(xzt)
    grad_a = -matmul(a, symmetric) + matmul(b, z, adjoint_b=True)
    return [grad_a, matmul(a, z), None]


def _underdetermined(op: Any, grad: Any) -> list[Any]:
    a, b = op.inputs[0], op.inputs[1]
    regularizer = nodes.cast(op.inputs[2], a.dtype.base_dtype)
    chol = regularised_gramian_cholesky(a, regularizer, first_kind=False)
    grad_b = cholesky_solve(chol, matmul(a, grad))
    z = cholesky_solve(chol, b)
    first = -matmul(grad_b, matmul(z, a, adjoint_a=True))
    rest = grad - matmul(a, grad_b, adjoint_a=True)
    return [first + matmul(z, rest, adjoint_b=True), grad_b, None]


@gradient("MatrixSolveLs")
def _(op, grad):
    if op._attrs["fast"] is False:
        raise ValueError("Gradient not defined for fast=False")
    static = op.inputs[0].shape[-2:]
    if not static.is_fully_defined():
        raise NotImplementedError(
            f"the gradient of {op.name} (MatrixSolveLs) needs a matrix of known size"
        )
    rows, columns = static.as_list()
    return _overdetermined(op, grad) if rows >= columns else _underdetermined(op, grad)


@gradient("SelfAdjointEigV2")
def _(op, grad_e, grad_v):
    e = op.outputs[0]
    with get_default_graph().control_dependencies([grad_e, grad_v]):
        if op._attrs["compute_v"]:
            v = op.outputs[1]
            # 1 / (e_i - e_j) off the diagonal: infinite where eigenvalues are equal.
            differences = raw.ExpandDims(e, -2) - raw.ExpandDims(e, -1)
            f = matrix_set_diag(raw.Reciprocal(differences), array_nodes.zeros_like(e))
            inner = matrix_diag(grad_e) + f * matmul(v, grad_v, adjoint_a=True)
            grad_a = matmul(v, matmul(inner, v, adjoint_b=True))
        else:
            v = raw.SelfAdjointEigV2(op.inputs[0], compute_v=True).v
            grad_a = matmul(v, matmul(matrix_diag(grad_e), v, adjoint_b=True))
        # Only the lower half of the input is read.
        grad_a = matrix_band_part(grad_a + adjoint(grad_a), -1, 0)
        return matrix_set_diag(grad_a, 0.5 * matrix_diag_part(grad_a))


@gradient("Svd")
def _(op, grad_s, grad_u, grad_v):
    a = op.inputs[0]
    a_shape = a.shape.with_rank_at_least(2)
    grad_s_matrix = matrix_diag(grad_s)
    if not op._attrs["compute_uv"]:
        _, u, v = raw.Svd(a, compute_uv=True, full_matrices=False)
        grad_a = matmul(u, matmul(grad_s_matrix, v, adjoint_b=True))
        grad_a.set_shape(a_shape)
        return grad_a
    full = op._attrs["full_matrices"]
    if a.dtype.is_complex:
        raise NotImplementedError(
            "SVD gradient is not implemented for complex types and compute_uv=True."
        )
    m, n = a_shape.as_list()[-2:]
    if m is None or n is None:
        raise NotImplementedError(
            "SVD gradient has not been implemented for input with unknown inner matrix shape."
        )
    s, u, v = op.outputs
    swapped = m > n
    if swapped:
        m, n, u, v, grad_u, grad_v = n, m, v, u, grad_v, grad_u
    with get_default_graph().control_dependencies([grad_s, grad_u, grad_v]):
        if full and abs(m - n) > 1:
            raise NotImplementedError(
                "svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True"
            )
        grad_a = _svd_gradient((s, u, v), (grad_s_matrix, grad_u, grad_v), m, n, full)
        if swapped:
            grad_a = matrix_transpose(grad_a)
        grad_a.set_shape(a_shape)
        return grad_a


def _svd_gradient(values: Any, grads: Any, m: int, n: int, full: bool) -> Any:
    """The gradient of an [m, n] matrix, m <= n, from those of its singular decomposition."""
    (s, u, v), (grad_s_matrix, grad_u, grad_v) = values, grads
    s_matrix = matrix_diag(s)
    squares = raw.Square(s)
    s_shape = array_nodes.shape(s)
    identity = eye(s_shape[-1], batch_shape=s_shape[:-1], dtype=s.dtype)
    differences = raw.ExpandDims(squares, -2) - raw.ExpandDims(squares, -1) + identity
    f = matrix_set_diag(raw.Reciprocal(differences), array_nodes.zeros_like(s))
    inverse = matrix_diag(raw.Reciprocal(s))
    v1, grad_v1 = v[..., :, :m], grad_v[..., :, :m]
    u_part = matmul(u, grad_u, adjoint_a=True)
    v_part = matmul(v1, grad_v1, adjoint_a=True)
    f_u, f_v = f * u_part, f * v_part
    core = (
        grad_s_matrix + matmul(f_u + adjoint(f_u), s_matrix) + matmul(s_matrix, f_v + adjoint(f_v))
    )
    first = matmul(u, matmul(core, v1, adjoint_b=True))
    if m == n:
        return first
    transposed = matrix_transpose(grad_v1)
    rest = transposed - matmul(matmul(transposed, v1), v1, adjoint_b=True)
    if full:
        v2, grad_v2 = v[..., :, m:n], grad_v[..., :, m:n]
        rest -= matmul(matmul(v1, grad_v2, adjoint_a=True), v2, adjoint_b=True)
    return first + matmul(matmul(u, inverse), rest)


@gradient("MatrixSquareRoot")
def _(op, grad):
    """Solves the Sylvester equation `dA = R dR + dR R` by Kronecker products."""

    def kronecker(x: Any, y: Any) -> Any:
        x_shape, y_shape = array_nodes.shape(x), array_nodes.shape(y)
        x_order, y_order = x_shape[-1], y_shape[-1]
        count = [raw.Sub(array_nodes.size(x_shape), 2)]
        batch = raw.Slice(x_shape, [0], count)
        x_target = array_nodes.concat([batch, [x_order], [1], [x_order], [1]], 0)
        y_target = array_nodes.concat([batch, [1], [y_order], [1], [y_order]], 0)
        x_wide, y_wide = raw.Reshape(x, x_target), raw.Reshape(y, y_target)
        order = x_order * y_order
        target = array_nodes.concat([batch, [order], [order]], 0)
        return raw.Reshape(x_wide * y_wide, target)

    root = op.outputs[0]
    shape = array_nodes.shape(root)
    order = shape[-1]
    matrix_count = nodes.reduce_prod(shape[0:-2])
    identity = raw.Reshape(eye(order, dtype=root.dtype), [-1])
    identities = raw.Reshape(raw.Tile(identity, [matrix_count]), shape)
    transposed = matrix_transpose(root)
    k1, k2 = kronecker(identities, transposed), kronecker(root, identities)
    total = raw.Add(k1, k2)
    batch = raw.Slice(shape, [0], [raw.Sub(array_nodes.size(shape), 2)])
    vector_shape = array_nodes.concat([batch, [order * order], [1]], 0)
    vector = raw.Reshape(matrix_transpose(grad), vector_shape)
    solved = raw.MatrixSolve(total, vector)
    return matrix_transpose(raw.Reshape(solved, shape))


# -- tridiagonal matrices --------------------------------------------------------------------------


def _shift_pads(x: Any, pads: list[list[int]]) -> Any:
    rank = array_nodes.rank(x)
    zeros = array_nodes.zeros((rank - 2, 2), dtype="int32")
    return array_nodes.concat([zeros, constant(pads)], axis=0)


def _left(x: Any) -> Any:
    pads = _shift_pads(x, [[0, 1], [0, 0]])
    return raw.Pad(x[..., 1:, :], pads)


def _right(x: Any) -> Any:
    pads = _shift_pads(x, [[1, 0], [0, 0]])
    return raw.Pad(x[..., :-1, :], pads)


@gradient("TridiagonalMatMul")
def _(op, grad):
    upper, main, lower = (matrix_transpose(t, conjugate=True) for t in op.inputs[:3])
    rhs = nodes.conj(op.inputs[3])
    of_upper = nodes.reduce_sum(_left(rhs) * grad, axis=-1)
    of_main = nodes.reduce_sum(rhs * grad, axis=-1)
    of_lower = nodes.reduce_sum(_right(rhs) * grad, axis=-1)
    of_rhs = _right(upper * grad) + main * grad + _left(lower * grad)
    return *(raw.ExpandDims(t, -2) for t in (of_upper, of_main, of_lower)), of_rhs


@gradient("TridiagonalSolve")
def _(op, grad):
    diagonals, x = op.inputs[0], op.outputs[0]
    pivoting = op._attrs["partial_pivoting"]
    main = diagonals[..., 1, :]
    batch = array_nodes.zeros([*diagonals.shape.as_list()[:-2], 1], dtype=diagonals.dtype)
    upper = array_nodes.concat((diagonals[..., 2, 1:], batch), axis=-1)
    lower = array_nodes.concat((batch, diagonals[..., 0, :-1]), axis=-1)
    transposed = array_nodes.stack([upper, main, lower], axis=-2)
    grad_rhs = raw.TridiagonalSolve(transposed, grad, partial_pivoting=pivoting)
    on_main = nodes.reduce_sum(grad_rhs * x, axis=-1)
    sizes = x.shape.as_list()
    row = array_nodes.zeros([*sizes[:-2], 1, sizes[-1]], dtype=x.dtype)
    below = array_nodes.concat((x[..., 1:, :], row), axis=-2)
    on_upper = nodes.reduce_sum(grad_rhs * below, axis=-1)
    above = array_nodes.concat((row, x[..., :-1, :]), axis=-2)
    on_lower = nodes.reduce_sum(grad_rhs * above, axis=-1)
    return -array_nodes.stack([on_upper, on_main, on_lower], axis=-2), grad_rhs
