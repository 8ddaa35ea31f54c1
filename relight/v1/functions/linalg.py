"""Linear algebra: the public functions of `tf.linalg` that are about one or two matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import dimension_value
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.linalg_nodes import (
    cholesky_solve,
    matrix_diag_part,
    regularised_gramian_cholesky,
)

cross = export("linalg.cross", "cross")(raw.Cross)
cholesky = export("linalg.cholesky", "cholesky")(raw.Cholesky)
lu = export("linalg.lu")(raw.Lu)
matrix_determinant = export("linalg.det", "matrix_determinant")(raw.MatrixDeterminant)
matrix_inverse = export("linalg.inv", "matrix_inverse")(raw.MatrixInverse)
matrix_solve = export("linalg.solve", "matrix_solve")(raw.MatrixSolve)
matrix_square_root = export("linalg.sqrtm", "matrix_square_root")(raw.MatrixSquareRoot)
matrix_triangular_solve = export("linalg.triangular_solve", "matrix_triangular_solve")(
    raw.MatrixTriangularSolve
)
qr = export("linalg.qr", "qr")(raw.Qr)
slogdet = export("linalg.slogdet")(raw.LogMatrixDeterminant)
logm = export("linalg.logm")(raw.MatrixLogarithm)
diag = export("linalg.tensor_diag", "diag")(raw.Diag)
diag_part = export("linalg.tensor_diag_part", "diag_part")(raw.DiagPart)
sparse_matmul = export("sparse_matmul")(raw.SparseMatMul)


@export("linalg.matvec")
def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """[..., m, k] x [..., k] -> [..., m]."""
    with name_scope(name, "MatVec", [a, b]):
        product = nodes.matmul(
            a,
            raw.ExpandDims(b, -1),
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return array_nodes.squeeze(product, axis=-1)


@export("linalg.trace", "trace")
def trace(x: Any, name: str | None = None) -> Tensor:
    """[..., m, n] -> [...]: the sum of the main diagonal."""
    with name_scope(name, "Trace", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return nodes.reduce_sum(matrix_diag_part(x), [-1], name=scope)


@export("linalg.logdet")
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of a Hermitian positive definite matrix."""
    with name_scope(name, "logdet", [matrix]):
        chol = raw.Cholesky(matrix)
        logs = raw.Log(nodes.real(matrix_diag_part(chol)))
        return 2.0 * nodes.reduce_sum(logs, axis=[-1])


@export("linalg.eigh", "self_adjoint_eig")
def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(eigenvalues [..., n], rising; eigenvectors [..., n, n] in columns) of Hermitian matrices."""
    e, v = raw.SelfAdjointEigV2(tensor, compute_v=True, name=name)
    return e, v


@export("linalg.eigvalsh", "self_adjoint_eigvals")
def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues [..., n], rising, of Hermitian matrices."""
    return raw.SelfAdjointEigV2(tensor, compute_v=False, name=name).e


@export("linalg.svd", "svd")
def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """(s, u, v) with tensor = u diag(s) v^H, or s alone without `compute_uv`."""
    s, u, v = raw.Svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (nodes.real(s), u, v) if compute_uv else nodes.real(s)


# -- least squares ---------------------------------------------------------------------------------


def _composite(fast: bool, matrix: Tensor) -> bool:
    """Whether TensorFlow solves by Cholesky nodes instead of the one node."""
    if fast is False:
        return False
    static = matrix.shape
    if not static.is_fully_defined():
        return True
    size = static.num_elements() * matrix.dtype.size
    return not (size > 256000 and static[:-2].num_elements() > min(static.as_list()[-2:]))


@export("linalg.lstsq", "matrix_solve_ls")
def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """The x that minimises ||A x - rhs||^2 + l2_regularizer ||x||^2.

    With `fast`, by the normal equations and Cholesky; else by a complete decomposition.
    """
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.dtype == dtypes.complex128 and l2_regularizer != 0:
        raise NotImplementedError(
            "matrix_solve_ls is currently disabled for complex128 and l2_regularizer != 0 due to "
            "poor accuracy."
        )
    if not _composite(fast, matrix):
        return raw.MatrixSolveLs(matrix, rhs, l2_regularizer, fast=fast, name=name)

    def tall() -> Tensor:
        chol = regularised_gramian_cholesky(matrix, l2_regularizer, first_kind=True)
        return cholesky_solve(chol, nodes.matmul(matrix, rhs, adjoint_a=True))

    def wide() -> Tensor:
        chol = regularised_gramian_cholesky(matrix, l2_regularizer, first_kind=False)
        return nodes.matmul(matrix, cholesky_solve(chol, rhs), adjoint_a=True)

    with name_scope(name, "matrix_solve_ls", [matrix, rhs, l2_regularizer]):
        static = matrix.shape[-2:]
        if static.is_fully_defined():
            rows, columns = static.as_list()
            return tall() if rows >= columns else wide()
        from relight.v1.functions.control_flow import cond

        shape = array_nodes.shape(matrix)[-2:]
        return cond(shape[-2] >= shape[-1], tall, wide)


# -- norms -----------------------------------------------------------------------------------------


def _check_norm(ord: Any, axis: Any) -> tuple[bool, Any]:
    """(whether it is a matrix norm, the axis as a tuple or None)."""
    message = "'axis' must be None, an integer, or a tuple of 2 unique integers"
    if isinstance(axis, (tuple, list)) and len(axis) == 2:
        axis = tuple(axis)
        if not all(isinstance(a, int) for a in axis) or axis[0] == axis[1]:
            raise ValueError(message)
        supported = ["euclidean", "fro", 1, 2, np.inf]
        if ord not in supported:
            raise ValueError(f"'ord' must be a supported matrix norm in {supported}, got {ord}")
        return True, axis
    if not (isinstance(axis, int) or axis is None):
        raise ValueError(message)
    if ord not in ["euclidean", 1, 2, np.inf] and (isinstance(ord, str) or not ord > 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    return False, None if axis is None else (axis,)


@export("norm", "linalg.norm")
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    keep_dims: Any = None,
) -> Tensor:
    """A vector norm over one axis (or all elements), or a matrix norm over two axes.

    `ord`: "euclidean", a positive number, or infinity; for matrices "euclidean", "fro", 1, 2
    (the greatest singular value) or infinity.
    """
    keepdims = bool(array_nodes.deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims))
    is_matrix, axis = _check_norm(ord, axis)
    with name_scope(name, "norm", [tensor]):
        tensor = convert_to_tensor(tensor)
        if ord in ("fro", "euclidean", 2, 2.0):
            if is_matrix and ord in (2, 2.0):
                result = _spectral_norm(tensor, axis)
            else:
                squares = tensor * nodes.conj(tensor)
                result = raw.Sqrt(nodes.reduce_sum(squares, axis, keepdims=True))
        else:
            result = nodes.abs(tensor)
            first = None if axis is None else axis[0]
            if ord == 1:
                result = nodes.reduce_sum(result, first, keepdims=True)
                if is_matrix:
                    result = nodes.reduce_max(result, axis[-1], keepdims=True)
            elif ord == np.inf:
                if is_matrix:
                    result = nodes.reduce_sum(result, axis[1], keepdims=True)
                result = nodes.reduce_max(result, first, keepdims=True)
            else:
                powers = nodes.reduce_sum(nodes.pow(result, ord), axis, keepdims=True)
                result = nodes.pow(powers, 1.0 / ord)
        return result if keepdims else array_nodes.squeeze(result, axis)


def _spectral_norm(tensor: Tensor, axis: tuple[int, int]) -> Tensor:
    """The greatest singular value over two axes, which are kept with size 1.

    TensorFlow permutes with loops over the axes; here the permutation is known statically.
    """
    rank = tensor.shape.ndims
    if rank is None:
        raise ValueError("the matrix 2-norm needs a tensor of known rank")
    places = [a % rank for a in axis]
    before = [i for i in range(rank) if i not in places] + places
    after = [before.index(i) for i in range(rank)]
    values = raw.Svd(
        array_nodes.transpose(tensor, perm=before), compute_uv=False, full_matrices=False
    ).s
    greatest = nodes.reduce_max(nodes.abs(values), axis=-1, keepdims=True)
    return array_nodes.transpose(raw.ExpandDims(greatest, -1), perm=after)


@export("linalg.normalize")
def normalize(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """(the tensor divided by its norm over `axis`, the norm with its dimensions kept)."""
    with name_scope(name, "normalize", [tensor]):
        tensor = convert_to_tensor(tensor)
        length = norm(tensor, ord, axis, keepdims=True)
        return tensor / nodes.cast(length, tensor.dtype), length


# -- rank and inverse of any matrix ----------------------------------------------------------------


def _check_matrix(a: Tensor, validate: bool) -> Tensor:
    if not a.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {a.dtype.name}).")
    if a.shape.ndims is not None:
        if a.shape.ndims < 2:
            raise ValueError(f"Input `a` must have at least 2 dimensions (saw: {a.shape.ndims}).")
    elif validate:
        from relight.graph.graph import get_default_graph
        from relight.v1.functions.checks import assert_rank_at_least

        check = assert_rank_at_least(
            a, rank=2, message="Input `a` must have at least 2 dimensions."
        )
        with get_default_graph().control_dependencies([check]):
            return raw.Identity(a)
    return a


@export("linalg.matrix_rank")
def matrix_rank(
    a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """How many singular values of each matrix [..., m, n] are greater than `tol`; int32."""
    with name_scope(name or "matrix_rank"):
        a = _check_matrix(
            convert_to_tensor(a, preferred_dtype=dtypes.float32, name="a"), validate_args
        )
        s = svd(a, compute_uv=False)
        if tol is None:
            static = a.shape[-2:]
            if static.is_fully_defined():
                size: Any = np.max(static.as_list())  # int64, as in TensorFlow
            else:
                size = nodes.reduce_max(array_nodes.shape(a)[-2:])
            eps = np.finfo(a.dtype.as_numpy_dtype).eps
            greatest = eps * nodes.cast(size, a.dtype)
            tol = greatest * nodes.reduce_max(s, axis=-1, keepdims=True)
        return nodes.reduce_sum(nodes.cast(s > tol, dtypes.int32), axis=-1)


@export("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The Moore-Penrose inverse [..., n, m] of matrices [..., m, n].

    Singular values below `rcond` times the greatest count as 0.
    """
    with name_scope(name or "pinv"):
        a = _check_matrix(convert_to_tensor(a, name="a"), validate_args)
        kind = a.dtype.as_numpy_dtype
        if rcond is None:
            shape = [dimension_value(a.shape[i]) for i in (-2, -1)]
            counts = [
                n if n is not None else array_nodes.shape(a)[i]
                for n, i in zip(shape, (-2, -1), strict=True)
            ]
            if all(isinstance(n, int) for n in counts):
                size: Any = float(max(counts))
            else:
                size = nodes.cast(raw.Maximum(*counts), a.dtype)
            rcond = 10.0 * size * np.finfo(kind).eps
        rcond = convert_to_tensor(rcond, dtype=a.dtype, name="rcond")
        s, u, v = svd(a, full_matrices=False, compute_uv=True)
        cutoff = rcond * nodes.reduce_max(s, axis=-1)
        s = raw.SelectV2(s > raw.ExpandDims(cutoff, -1), s, np.array(np.inf, kind))
        result = nodes.matmul(v / raw.ExpandDims(s, -2), u, adjoint_b=True)
        if a.shape.ndims is not None:
            sizes = a.shape.as_list()
            result.set_shape([*sizes[:-2], sizes[-1], sizes[-2]])
        return result
