"""Linear algebra of (batches of) matrices: decompositions, solving, functions of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops.shape_rules import Sizes, merge, merge_size, same, sizes, with_rank_at_least
from relight.ops.state import torch_dtype


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _text(shape: Any) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _swapped(matrix: torch.Tensor) -> torch.Tensor:
    return matrix.mH if matrix.is_complex() else matrix.mT


# -- shapes ----------------------------------------------------------------------------------------


def _square(static: Sizes) -> Sizes:
    static = with_rank_at_least(static, 2)
    if static is None:
        return None
    size = merge_size(static[-2], static[-1])
    return (*static[:-2], size, size)


def _square_shape(node: Any) -> list[Sizes]:
    return [_square(sizes(node, 0))]


def _determinant_shape(node: Any) -> list[Sizes]:
    static = _square(sizes(node, 0))
    return [None if static is None else static[:-2]] * len(node._outputs)


def _solve_shape(node: Any) -> list[Sizes]:
    matrix = with_rank_at_least(sizes(node, 0), 2)
    rhs = with_rank_at_least(sizes(node, 1), 2)
    if node.type not in ("MatrixSolveLs", "BatchMatrixSolveLs"):
        matrix = _square(matrix)
    if matrix is None and rhs is None:
        return [None]
    batch: Sizes = None
    rows = columns = width = None
    if matrix is not None:
        batch, rows, columns = matrix[:-2], matrix[-2], matrix[-1]
    if rhs is not None:
        batch = merge(batch, rhs[:-2])
        rows, width = merge_size(rows, rhs[-2]), rhs[-1]
    assert batch is not None
    least_squares = node.type in ("MatrixSolveLs", "BatchMatrixSolveLs")
    return [(*batch, columns if least_squares else rows, width)]


def _smaller(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return 0 if 0 in (a, b) else None
    return min(a, b)


def _svd_shape(node: Any) -> list[Sizes]:
    static = with_rank_at_least(sizes(node, 0), 2)
    attrs = node._attrs
    empty: Sizes = (0,)
    if static is None:
        return [None, None, None] if attrs["compute_uv"] else [None, empty, empty]
    batch, (m, n) = static[:-2], static[-2:]
    p = _smaller(m, n)
    if not attrs["compute_uv"]:
        return [(*batch, p), empty, empty]
    if attrs["full_matrices"]:
        return [(*batch, p), (*batch, m, m), (*batch, n, n)]
    return [(*batch, p), (*batch, m, p), (*batch, n, p)]


def _qr_shape(node: Any) -> list[Sizes]:
    static = with_rank_at_least(sizes(node, 0), 2)
    if static is None:
        return [None, None]
    batch, (m, n) = static[:-2], static[-2:]
    if node._attrs["full_matrices"]:
        return [(*batch, m, m), (*batch, m, n)]
    p = _smaller(m, n)
    return [(*batch, m, p), (*batch, p, n)]


def _eigen_shape(node: Any) -> list[Sizes]:
    static = _square(sizes(node, 0))
    compute_v = node._attrs["compute_v"]
    if static is None:
        return [None, None if compute_v else (0,)]
    return [static[:-1], static if compute_v else (0,)]


def _lu_shape(node: Any) -> list[Sizes]:
    static = _square(sizes(node, 0))
    return [static, None if static is None else static[:-1]]


# -- kernels ---------------------------------------------------------------------------------------


def _check_square(matrix: torch.Tensor) -> None:
    if matrix.dim() < 2:
        raise _invalid(f"Input tensor 0 must have rank >= 2, got {matrix.dim()}")
    if matrix.shape[-1] != matrix.shape[-2]:
        raise _invalid("Input matrix must be square.")


def _wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """Half precision, which LAPACK lacks, by way of float32."""

    def kernel(*matrices: torch.Tensor) -> Any:
        if matrices[0].dtype is not torch.float16:
            return function(*matrices)
        result = function(*(m.float() for m in matrices))
        if isinstance(result, tuple):
            return tuple(r.half() if r.is_floating_point() else r for r in result)
        return result.half()

    return kernel


def _cholesky(matrix: torch.Tensor) -> torch.Tensor:
    """The lower triangular L with L L^H equal to the matrix, whose lower half alone is read."""
    _check_square(matrix)
    if not matrix.numel():
        return matrix.clone()
    result, info = torch.linalg.cholesky_ex(matrix)
    if bool((info != 0).any()):
        raise _invalid("Cholesky decomposition was not successful. The input might not be valid.")
    return result


def _cholesky_gradient(factor: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """The gradient of the matrix, symmetric, from that of its Cholesky factor."""
    inner = torch.tril(factor.mT @ torch.tril(grad))
    half = inner - 0.5 * torch.diag_embed(torch.diagonal(inner, dim1=-2, dim2=-1))
    left = torch.linalg.solve_triangular(factor.mT, half, upper=True)
    whole = torch.linalg.solve_triangular(factor.mT, left.mT, upper=True).mT
    return 0.5 * (whole + whole.mT)


def _inverse(adjoint: bool) -> Callable[..., torch.Tensor]:
    def kernel(matrix: torch.Tensor) -> torch.Tensor:
        _check_square(matrix)
        if not matrix.numel():
            return matrix.clone()
        result, info = torch.linalg.inv_ex(_swapped(matrix) if adjoint else matrix)
        if bool((info != 0).any()):
            raise _invalid("Input is not invertible.")
        return result.contiguous()

    return kernel


def _determinant(matrix: torch.Tensor) -> torch.Tensor:
    _check_square(matrix)
    return torch.linalg.det(matrix)


def _log_determinant(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    _check_square(matrix)
    sign, logarithm = torch.linalg.slogdet(matrix)
    return sign, logarithm.to(matrix.dtype)


def _same_rows(matrix: torch.Tensor, rhs: torch.Tensor) -> None:
    if rhs.dim() < 2 or matrix.shape[:-2] != rhs.shape[:-2]:
        raise _invalid(
            f"Input matrix and right-hand side must have the same batch dimensions: "
            f"{_text(matrix.shape)} vs. {_text(rhs.shape)}"
        )
    if matrix.shape[-2] != rhs.shape[-2]:
        raise _invalid("Input matrix and rhs are incompatible.")


def _solve(adjoint: bool) -> Callable[..., torch.Tensor]:
    def kernel(matrix: torch.Tensor, rhs: torch.Tensor) -> torch.Tensor:
        _check_square(matrix)
        _same_rows(matrix, rhs)
        if not matrix.numel() or not rhs.numel():
            return rhs.clone()
        result, info = torch.linalg.solve_ex(_swapped(matrix) if adjoint else matrix, rhs)
        if bool((info != 0).any()):
            raise _invalid("Input matrix is not invertible.")
        return result.contiguous()

    return kernel


def _triangular_solve(lower: bool, adjoint: bool) -> Callable[..., torch.Tensor]:
    def kernel(matrix: torch.Tensor, rhs: torch.Tensor) -> torch.Tensor:
        _check_square(matrix)
        _same_rows(matrix, rhs)
        if not matrix.numel() or not rhs.numel():
            return rhs.clone()
        if bool((torch.diagonal(matrix, dim1=-2, dim2=-1) == 0).any()):
            raise _invalid("Input matrix is not invertible.")
        used = _swapped(matrix) if adjoint else matrix
        result = torch.linalg.solve_triangular(used, rhs, upper=lower == adjoint)
        return result.contiguous()

    return kernel


def _least_squares(fast: bool) -> Callable[..., torch.Tensor]:
    def kernel(matrix: torch.Tensor, rhs: torch.Tensor, regularizer: np.ndarray) -> torch.Tensor:
        _same_rows(matrix, rhs)
        rows, columns = matrix.shape[-2:]
        if not fast:
            return (torch.linalg.pinv(matrix) @ rhs).contiguous()
        gram = _swapped(matrix) @ matrix if rows >= columns else matrix @ _swapped(matrix)
        gram = gram + float(regularizer) * torch.eye(
            gram.shape[-1], dtype=gram.dtype, device=gram.device
        )
        factor, info = torch.linalg.cholesky_ex(gram)
        if bool((info != 0).any()):
            raise _invalid(
                "Input matrix was rank deficient or ill-conditioned. Try setting "
                "fast=False or provide a larger l2_regularizer > 0."
            )
        if rows >= columns:
            return torch.cholesky_solve(_swapped(matrix) @ rhs, factor).contiguous()
        return _swapped(matrix) @ torch.cholesky_solve(rhs, factor)

    return kernel


def _eigen(compute_v: bool) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    def kernel(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        _check_square(matrix)
        if compute_v:
            values, vectors = torch.linalg.eigh(matrix)
            return values.to(matrix.dtype), vectors.contiguous()
        values = torch.linalg.eigvalsh(matrix)
        return values.to(matrix.dtype), matrix.new_empty((0,))

    return kernel


def _svd(compute_uv: bool, full: bool) -> Callable[..., Any]:
    def kernel(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        if not compute_uv:
            values = torch.linalg.svdvals(matrix)
            return values.to(matrix.dtype), matrix.new_empty((0,)), matrix.new_empty((0,))
        u, s, vh = torch.linalg.svd(matrix, full_matrices=full)
        return s.to(matrix.dtype), u.contiguous(), _swapped(vh).contiguous()

    return kernel


def _qr(full: bool) -> Callable[..., Any]:
    def kernel(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        q, r = torch.linalg.qr(matrix, mode="complete" if full else "reduced")
        return q.contiguous(), r.contiguous()

    return kernel


def _lu(index_type: torch.dtype) -> Callable[..., Any]:
    def kernel(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        _check_square(matrix)
        factors, pivots, info = torch.linalg.lu_factor_ex(matrix)
        if bool((info != 0).any()):
            raise _invalid("Input is not invertible.")
        flat = pivots.reshape(-1, pivots.shape[-1]).cpu().numpy() - 1
        order = np.tile(np.arange(pivots.shape[-1]), (flat.shape[0], 1))
        for row, swaps in zip(order, flat, strict=True):
            for i, j in enumerate(swaps):
                row[i], row[j] = row[j], row[i]
        permutation = torch.from_numpy(order).reshape(pivots.shape)
        return factors.contiguous(), permutation.to(matrix.device, index_type)

    return kernel


# -- functions of matrices -------------------------------------------------------------------------


def _square_root(matrix: torch.Tensor) -> torch.Tensor:
    """The principal square root, by the iteration of Denman and Beavers in product form.

    Higham, "Functions of Matrices", SIAM 2008, equation 6.29.
    """
    _check_square(matrix)
    wide = matrix.to(torch.complex128 if matrix.is_complex() else torch.float64)
    eye = torch.eye(matrix.shape[-1], dtype=wide.dtype, device=wide.device)
    product, root = wide, wide
    for _ in range(100):
        inverse = torch.linalg.inv(product)
        root = 0.5 * (root @ (eye + inverse))
        updated = 0.5 * (eye + 0.5 * (product + inverse))
        if bool(torch.linalg.matrix_norm(updated - eye).max() < 1e-14 * matrix.shape[-1]):
            product = updated
            break
        product = updated
    return root.to(matrix.dtype)


def _logarithm(matrix: torch.Tensor) -> torch.Tensor:
    """The principal logarithm: square roots until close to I, then partial fractions.

    Higham, "Functions of Matrices", SIAM 2008, section 11.5: the Pade approximant of log(I + X) is
    the sum of w_j X (I + x_j X)^-1 over the nodes x_j of the Gauss-Legendre rule on [0, 1].
    """
    _check_square(matrix)
    wide = matrix.to(torch.complex128)
    eye = torch.eye(matrix.shape[-1], dtype=wide.dtype, device=wide.device)
    halvings = 0
    while halvings < 60 and bool(torch.linalg.matrix_norm(wide - eye).max() > 0.25):
        wide = _square_root(wide)
        halvings += 1
    offset = wide - eye
    points, weights = np.polynomial.legendre.leggauss(12)
    total = torch.zeros_like(wide)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        total = total + weight * torch.linalg.solve(eye + point * offset, offset)
    return (total * 2.0**halvings).to(matrix.dtype)


def _exponential(matrix: torch.Tensor) -> torch.Tensor:
    _check_square(matrix)
    return torch.linalg.matrix_exp(matrix)


# -- records ---------------------------------------------------------------------------------------


def _plain(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda node: _wide(function)


def _from_attrs(make: Callable[..., Any], *names: str) -> Callable[[Any], Any]:
    return lambda node: _wide(make(*(bool(node._attrs[n]) for n in names)))


for _prefix in ("", "Batch"):
    op(f"{_prefix}Cholesky", shape=_square_shape, specialise=True)(_plain(_cholesky))
    op(f"{_prefix}CholeskyGrad", shape=same, specialise=True)(_plain(_cholesky_gradient))
    op(f"{_prefix}MatrixInverse", shape=_square_shape, specialise=True)(
        _from_attrs(_inverse, "adjoint")
    )
    op(f"{_prefix}MatrixDeterminant", shape=_determinant_shape, specialise=True)(
        _plain(_determinant)
    )
    op(f"{_prefix}MatrixSolve", shape=_solve_shape, specialise=True)(_from_attrs(_solve, "adjoint"))
    op(f"{_prefix}MatrixTriangularSolve", shape=_solve_shape, specialise=True)(
        _from_attrs(_triangular_solve, "lower", "adjoint")
    )
    op(f"{_prefix}MatrixSolveLs", shape=_solve_shape, specialise=True, host=("l2_regularizer",))(
        lambda node: _least_squares(bool(node._attrs["fast"]))
    )
    op(f"{_prefix}SelfAdjointEigV2", shape=_eigen_shape, specialise=True)(
        _from_attrs(_eigen, "compute_v")
    )
    op(f"{_prefix}Svd", shape=_svd_shape, specialise=True)(
        _from_attrs(_svd, "compute_uv", "full_matrices")
    )


def _eigen_joined(matrix: torch.Tensor) -> torch.Tensor:
    """[..., n + 1, n]: the eigenvalues in the first row, the eigenvectors in the columns below."""
    _check_square(matrix)
    values, vectors = torch.linalg.eigh(matrix)
    return torch.cat([values.unsqueeze(-2).to(matrix.dtype), vectors], -2)


def _eigen_joined_shape(node: Any) -> list[Sizes]:
    static = _square(sizes(node, 0))
    if static is None:
        return [None]
    size = static[-1]
    return [(*static[:-2], None if size is None else size + 1, size)]


for _name in ("SelfAdjointEig", "BatchSelfAdjointEig"):
    op(_name, shape=_eigen_joined_shape, specialise=True)(_plain(_eigen_joined))
op("LogMatrixDeterminant", shape=_determinant_shape, specialise=True)(_plain(_log_determinant))
op("Qr", shape=_qr_shape, specialise=True)(_from_attrs(_qr, "full_matrices"))
op("MatrixExponential", shape=_square_shape, specialise=True)(_plain(_exponential))
op("MatrixLogarithm", shape=_square_shape, specialise=True)(_plain(_logarithm))
op("MatrixSquareRoot", shape=_square_shape, specialise=True)(_plain(_square_root))


@op("Lu", shape=_lu_shape, specialise=True)
def Lu(node: Any) -> Any:
    """L and U in one matrix, and the permutation p for which (L U)[i] is row p[i] of the input."""
    return _wide(_lu(torch_dtype(node._attrs["output_idx_type"])))


# -- tridiagonal matrices --------------------------------------------------------------------------


def _tridiagonal(super_: torch.Tensor, main: torch.Tensor, sub: torch.Tensor) -> torch.Tensor:
    """The dense matrix of three diagonals [..., n]; the ends that stick out are left out."""
    return (
        torch.diag_embed(main)
        + torch.diag_embed(super_[..., :-1], offset=1)
        + torch.diag_embed(sub[..., 1:], offset=-1)
    )


@op("TridiagonalMatMul", shape=lambda node: [sizes(node, 3)])
def TridiagonalMatMul(superdiag, maindiag, subdiag, rhs):
    """The product of a tridiagonal matrix, given by diagonals [..., 1, m], and rhs [..., m, n]."""
    result = maindiag.mT * rhs
    result[..., :-1, :] += superdiag.mT[..., :-1, :] * rhs[..., 1:, :]
    result[..., 1:, :] += subdiag.mT[..., 1:, :] * rhs[..., :-1, :]
    return result


def _tridiagonal_solve_shape(node: Any) -> list[Sizes]:
    diagonals, rhs = sizes(node, 0), sizes(node, 1)
    if diagonals is not None and diagonals[-2] not in (None, 3):
        raise ShapeError(f"Dimension must be 3 but is {diagonals[-2]}")
    return [rhs]


@op("TridiagonalSolve", shape=_tridiagonal_solve_shape)
def TridiagonalSolve(diagonals, rhs):
    """Solve A x = rhs [..., m, k] for a tridiagonal A, given by its diagonals [..., 3, m]."""
    matrix = _tridiagonal(*diagonals.unbind(-2))
    result, info = torch.linalg.solve_ex(matrix, rhs)
    if bool((info != 0).any()):
        raise _invalid("The first diagonal element is zero or the matrix is not invertible.")
    return result.contiguous()
