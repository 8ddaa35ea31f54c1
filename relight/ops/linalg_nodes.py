"""Builders of linear-algebra nodes that gradient rules and the public functions share."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw

matrix_band_part = export("linalg.band_part", "matrix_band_part")(raw.MatrixBandPart)


@export("linalg.diag", "matrix_diag")
def matrix_diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
) -> Tensor:
    """[..., n] -> [..., n, n] with the input on the diagonal, 0 elsewhere.

    As in TensorFlow 1.15, `k`, `num_rows`, `num_cols` and `padding_value` have no effect yet.
    """
    del k, num_rows, num_cols, padding_value
    return raw.MatrixDiag(diagonal, name=name)


@export("linalg.diag_part", "matrix_diag_part")
def matrix_diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0
) -> Tensor:
    """[..., m, n] -> [..., min(m, n)]: the main diagonal; `k` has no effect in TensorFlow 1.15."""
    del k, padding_value
    return raw.MatrixDiagPart(input, name=name)


@export("linalg.set_diag", "matrix_set_diag")
def matrix_set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0) -> Tensor:
    """The input with another main diagonal; `k` has no effect in TensorFlow 1.15."""
    del k
    return raw.MatrixSetDiag(input, diagonal, name=name)


@export("linalg.transpose", "linalg.matrix_transpose", "matrix_transpose")
def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """[..., m, n] -> [..., n, m]; with `conjugate`, conjugated too. ValueError below rank 2."""
    with name_scope(name, values=[a]):
        a = convert_to_tensor(a, name="a")
        rank = a.shape.ndims
        if rank is not None:
            if rank < 2:
                raise ValueError(
                    f"Argument 'a' should be a (batch) matrix, with rank >= 2.  Found: {a.shape}"
                )
            perm: Any = [*range(rank - 2), rank - 1, rank - 2]
        else:
            count = array_nodes.rank(a)
            perm = array_nodes.concat((raw.Range(0, count - 2, 1), [count - 1, count - 2]), 0)
        return array_nodes.transpose(a, perm=perm, conjugate=conjugate)


@export("linalg.adjoint")
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transpose of (a batch of) matrices."""
    with name_scope(name, "adjoint", [matrix]):
        matrix = convert_to_tensor(matrix, name="matrix")
        return matrix_transpose(matrix, conjugate=True)


@export("eye", "linalg.eye")
def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The identity matrix [num_rows, num_columns], repeated over `batch_shape`."""
    elements = [v for v in (num_rows, num_columns, batch_shape) if v is not None]
    with name_scope(name, default_name="eye", values=elements):
        is_square = num_columns is None
        batch: Any = [] if batch_shape is None else batch_shape
        num_columns = num_rows if num_columns is None else num_columns
        if isinstance(num_rows, Tensor) or isinstance(num_columns, Tensor):
            size = raw.Minimum(num_rows, num_columns)
        else:
            if not all(isinstance(n, (int, np.integer)) for n in (num_rows, num_columns)):
                raise TypeError("num_rows and num_columns must be positive integer values.")
            is_square = num_rows == num_columns
            size = min(num_rows, num_columns)
        if isinstance(batch, Tensor) or isinstance(size, Tensor):
            batch = convert_to_tensor(batch, name="shape", dtype=dtypes.int32)
            shape = array_nodes.concat((batch, [size]), axis=0)
            if not is_square:
                whole = array_nodes.concat((batch, [num_rows, num_columns]), axis=0)
        else:
            shape = [*batch, size]
            whole = [*batch, num_rows, num_columns]
        ones = array_nodes.ones(shape, dtype=dtype)
        if is_square:
            return matrix_diag(ones)
        return matrix_set_diag(array_nodes.zeros(whole, dtype=dtype), ones)


@export("linalg.cholesky_solve", "cholesky_solve")
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The solution x of `A x = rhs` by the Cholesky factor of A."""
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        y = raw.MatrixTriangularSolve(chol, rhs, adjoint=False, lower=True)
        return raw.MatrixTriangularSolve(chol, y, adjoint=True, lower=True)


def regularised_gramian_cholesky(matrix: Tensor, l2_regularizer: Any, first_kind: bool) -> Tensor:
    """The Cholesky factor of A^H A + lambda I (first kind) or of A A^H + lambda I."""
    gramian = nodes.matmul(matrix, matrix, adjoint_a=first_kind, adjoint_b=not first_kind)
    if isinstance(l2_regularizer, Tensor) or l2_regularizer != 0:
        matrix_shape = array_nodes.shape(matrix)
        batch = matrix_shape[:-2]
        place = -1 if first_kind else -2
        identity = eye(matrix_shape[place], batch_shape=batch, dtype=matrix.dtype)
        size = matrix.shape[place]
        identity.set_shape(matrix.shape[:-2].concatenate([size, size]))
        gramian += l2_regularizer * identity
    return raw.Cholesky(gramian)
