# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.linalg`."""

from relight.ops.linalg_nodes import (
    adjoint, cholesky_solve, eye, matrix_band_part as band_part, matrix_diag as diag,
    matrix_diag_part as diag_part, matrix_set_diag as set_diag, matrix_transpose,
    matrix_transpose as transpose,
)
from relight.ops.math_nodes import (
    matmul,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.functions.clip import (
    global_norm,
)
from relight.v1.functions.einsum import (
    einsum, tensordot,
)
from relight.v1.functions.linalg import (
    cholesky, cross, diag as tensor_diag, diag_part as tensor_diag_part, logdet, logm, lu,
    matrix_determinant as det, matrix_inverse as inv, matrix_rank, matrix_solve as solve,
    matrix_solve_ls as lstsq, matrix_square_root as sqrtm,
    matrix_triangular_solve as triangular_solve, matvec, norm, normalize, pinv, qr,
    self_adjoint_eig as eigh, self_adjoint_eigvals as eigvalsh, slogdet, svd, trace,
)
from relight.v1.functions.matrix_functions import (
    matrix_exponential as expm, tridiagonal_matmul, tridiagonal_solve,
)
from relight.v1.functions.nn_norm import (
    l2_normalize,
)

__getattr__ = missing("tf.linalg")

__all__ = [
    "adjoint", "band_part", "cholesky", "cholesky_solve", "cross", "det", "diag", "diag_part",
    "eigh", "eigvalsh", "einsum", "expm", "eye", "global_norm", "inv", "l2_normalize", "logdet",
    "logm", "lstsq", "lu", "matmul", "matrix_rank", "matrix_transpose", "matvec", "norm",
    "normalize", "pinv", "qr", "set_diag", "slogdet", "solve", "sqrtm", "svd", "tensor_diag",
    "tensor_diag_part", "tensordot", "trace", "transpose", "triangular_solve",
    "tridiagonal_matmul", "tridiagonal_solve",
]
