"""The matrix exponential, and systems with tridiagonal matrices."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import dimension_value
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.ops.linalg_nodes import eye, matrix_diag_part, matrix_transpose

# Coefficients of the Pade approximants of exp by order, lowest power first (Higham, "The Scaling
# and Squaring Method for the Matrix Exponential Revisited", 2005).
_PADE = {
    3: (120.0, 60.0, 12.0),
    5: (30240.0, 15120.0, 3360.0, 420.0, 30.0),
    7: (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0),
    9: (
        17643225600.0,
        8821612800.0,
        2075673600.0,
        302702400.0,
        30270240.0,
        2162160.0,
        110880.0,
        3960.0,
        90.0,
    ),
    13: (
        64764752532480000.0,
        32382376266240000.0,
        7771770303897600.0,
        1187353796428800.0,
        129060195264000.0,
        10559470521600.0,
        670442572800.0,
        33522128640.0,
        1323241920.0,
        40840800.0,
        960960.0,
        16380.0,
        182.0,
    ),
}
# Below these 1-norms the approximants of the orders are exact to the precision; and the norm to
# which a matrix is scaled down for the last of them.
_SINGLE = ((3, 5, 7), (4.258730016922831e-001, 1.880152677804762e000), 3.925724783138660)
_DOUBLE = (
    (3, 5, 7, 9, 13),
    (
        1.495585217958292e-002,
        2.539398330063230e-001,
        9.504178996162932e-001,
        2.097847961257068e000,
    ),
    5.371920351148152,
)


def _pade(matrix: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """The odd and the even part of the numerator of the Pade approximant."""
    b = [constant(c, matrix.dtype) for c in _PADE[order]]
    identity = eye(
        array_nodes.shape(matrix)[-2],
        batch_shape=array_nodes.shape(matrix)[:-2],
        dtype=matrix.dtype,
    )
    powers = {2: nodes.matmul(matrix, matrix)}
    top = 6 if order == 13 else order - 1
    for power in range(4, top + 1, 2):
        powers[power] = nodes.matmul(powers[power - 2], powers[2])
    if order == 13:
        p2, p4, p6 = powers[2], powers[4], powers[6]
        odd = (
            nodes.matmul(p6, p6 + b[11] * p4 + b[9] * p2)
            + b[7] * p6
            + b[5] * p4
            + b[3] * p2
            + b[1] * identity
        )
        u = nodes.matmul(matrix, odd)
        inner = b[12] * p6 + b[10] * p4 + b[8] * p2
        v = nodes.matmul(p6, inner) + b[6] * p6 + b[4] * p4 + b[2] * p2 + b[0] * identity
        return u, v
    odd = powers[top]
    for power in range(top - 2, 0, -2):
        odd = odd + b[power + 1] * powers[power]
    u = nodes.matmul(matrix, odd + b[1] * identity)
    v = b[top] * powers[top]
    for power in range(top - 2, 0, -2):
        v = v + b[power] * powers[power]
    return u, v + b[0] * identity


def _choose(norm: Tensor, bounds: tuple[float, ...], cases: list[Tensor]) -> Tensor:
    """The case of the first bound that the norm is below, matrix by matrix."""
    if not bounds:
        return cases[0]
    small = raw.Less(norm, constant(bounds[0], norm.dtype))
    return raw.Select(small, cases[0], _choose(norm, bounds[1:], cases[1:]))


@export("linalg.expm")
def matrix_exponential(input: Any, name: str | None = None) -> Tensor:
    """exp(A) of square matrices [..., n, n], by scaling and squaring of Pade approximants."""
    with name_scope(name, "matrix_exponential", [input]):
        matrix = convert_to_tensor(input, name="input")
        static = matrix.shape
        if static.ndims is not None and static.as_list()[-2:] == [0, 0]:
            return matrix
        batch: Any = static[:-2]
        if not batch.is_fully_defined():
            batch = array_nodes.shape(matrix)[:-2]
        tail = array_nodes.shape(matrix)[-2:]
        matrix = array_nodes.reshape(matrix, array_nodes.concat(([-1], tail), axis=0))
        rank = array_nodes.size(array_nodes.shape(matrix))
        norm = nodes.reduce_max(nodes.reduce_sum(nodes.abs(matrix), axis=rank - 2), axis=-1)
        if matrix.dtype in (dtypes.float16, dtypes.float32, dtypes.complex64):
            orders, bounds, largest = _SINGLE
        elif matrix.dtype in (dtypes.float64, dtypes.complex128):
            orders, bounds, largest = _DOUBLE
        else:
            raise ValueError(f"tf.linalg.expm does not support matrices of type {matrix.dtype}")
        result, squarings = _scaled(matrix, norm, orders, bounds, largest)
        result = _squared(result, squarings, norm)
        if not matrix.shape.is_fully_defined():
            last = array_nodes.shape(result)[-2:]
            return array_nodes.reshape(result, array_nodes.concat((batch, last), axis=0))
        return array_nodes.reshape(result, batch.concatenate(result.shape[-2:]))


def _scaled(
    matrix: Tensor, norm: Tensor, orders: Any, bounds: Any, largest: float
) -> tuple[Tensor, Tensor]:
    """(the exponential of the scaled matrices, how often each is to be squared)."""
    ratio = raw.Log(norm / constant(largest, norm.dtype))
    squarings = raw.Maximum(raw.Floor(ratio / raw.Log(constant(2.0, norm.dtype))), 0)
    parts = [_pade(matrix, order) for order in orders[:-1]]
    two = constant(2.0, dtype=matrix.dtype)
    scale = nodes.pow(two, nodes.cast(squarings, matrix.dtype))[..., None, None]
    parts.append(_pade(matrix / scale, orders[-1]))
    u = _choose(norm, bounds, [p[0] for p in parts])
    v = _choose(norm, bounds, [p[1] for p in parts])
    return raw.MatrixSolve(-u + v, u + v), squarings


def _squared(result: Tensor, squarings: Tensor, norm: Tensor) -> Tensor:
    from relight.v1.functions.control_flow import while_loop

    most = nodes.reduce_max(squarings)

    def body(i: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        return i + 1, raw.Select(raw.Less(i, squarings), nodes.matmul(r, r), r)

    first = constant(0.0, norm.dtype)
    return while_loop(lambda i, r: raw.Less(i, most), body, [first, result])[1]


# -- tridiagonal systems ---------------------------------------------------------------------------


@export("linalg.tridiagonal_solve")
def tridiagonal_solve(
    diagonals: Any,
    rhs: Any,
    diagonals_format: str = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
) -> Tensor:
    """Solve A x = rhs for tridiagonal matrices A.

    `diagonals_format`: "compact" [..., 3, m] (above, main, below), "sequence" of the three, or
    "matrix" [..., m, m].
    """
    if diagonals_format == "sequence":
        diagonals = _from_sequence(diagonals)
    elif diagonals_format == "matrix":
        diagonals = _from_matrix(diagonals)
    elif diagonals_format != "compact":
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    diagonals, rhs = convert_to_tensor(diagonals), convert_to_tensor(rhs)
    return _solve_compact(diagonals, rhs, transpose_rhs, conjugate_rhs, partial_pivoting, name)


def _from_sequence(diagonals: Any) -> Tensor:
    if not isinstance(diagonals, (tuple, list)) or len(diagonals) != 3:
        raise ValueError("Expected diagonals to be a sequence of length 3.")
    above, main, below = diagonals
    for other in (below, above):
        if not other.shape[:-1].is_compatible_with(main.shape[:-1]):
            raise ValueError(
                "Tensors representing the three diagonals must have the same shape,except for the "
                f"last dimension, got {below.shape}, {main.shape}, {above.shape}"
            )
    m = dimension_value(main.shape[-1])

    def padded(t: Tensor, what: str, pads: list[int]) -> Tensor:
        n = dimension_value(t.shape[-1])
        if not n or n == m:
            return t
        if n == m - 1:
            return raw.Pad(t, [[0, 0]] * (len(t.shape) - 1) + [pads])
        raise ValueError(f"Expected {what} to be have length {m} or {m - 1}, got {n}.")

    below = padded(below, "subdiagonal", [1, 0])
    above = padded(above, "superdiagonal", [0, 1])
    return array_nodes.stack((above, main, below), axis=-2)


def _matrix_size(diagonals: Any, both: bool) -> int:
    m1, m2 = (dimension_value(diagonals.shape[i]) for i in (-1, -2))
    if m1 and m2 and m1 != m2:
        raise ValueError(f"Expected last two dimensions of diagonals to be same, got {m1} and {m2}")
    size = (m1 and m2) if both else (m1 or m2)
    if not size:
        raise ValueError('The size of the matrix needs to be known for diagonals_format="matrix"')
    return size


def _from_matrix(diagonals: Any) -> Tensor:
    m = _matrix_size(diagonals, both=False)
    unused = [0, 0]
    places = [
        [[1, 0], [0, 0], unused],
        *([[i + 1, i], [i, i], [i - 1, i]] for i in range(1, m - 1)),
        [unused, [m - 1, m - 1], [m - 2, m - 1]],
    ]
    found = raw.GatherNd(array_nodes.transpose(diagonals), places)
    return array_nodes.transpose(found)


def _solve_compact(
    diagonals: Tensor,
    rhs: Tensor,
    transpose_rhs: bool,
    conjugate_rhs: bool,
    pivoting: bool,
    name: str | None,
) -> Tensor:
    rank, rhs_rank = len(diagonals.shape), len(rhs.shape)
    if rank < 2:
        raise ValueError(f"Expected diagonals to have rank at least 2, got {rank}")
    if rhs_rank not in (rank, rank - 1):
        raise ValueError(f"Expected the rank of rhs to be {rank - 1} or {rank}, got {rhs_rank}")
    count = dimension_value(diagonals.shape[-2])
    if count and count != 3:
        raise ValueError(f"Expected 3 diagonals got {count}")
    if not diagonals.shape[:-2].is_compatible_with(rhs.shape[: rank - 2]):
        raise ValueError(
            f"Batch shapes {diagonals.shape[:-2]} and {rhs.shape[: rank - 2]} are incompatible"
        )

    def solved(right: Tensor) -> Tensor:
        m, n = dimension_value(diagonals.shape[-1]), dimension_value(right.shape[-2])
        if m and n and m != n:
            raise ValueError(
                "Expected number of left-hand sided and right-hand sides to be equal, got "
                f"{m} and {n}"
            )
        return raw.TridiagonalSolve(diagonals, right, partial_pivoting=pivoting, name=name)

    if rhs_rank == rank - 1:
        if conjugate_rhs:
            rhs = nodes.conj(rhs)
        return array_nodes.squeeze(solved(raw.ExpandDims(rhs, -1)), -1)
    if transpose_rhs:
        rhs = matrix_transpose(rhs, conjugate=conjugate_rhs)
    elif conjugate_rhs:
        rhs = nodes.conj(rhs)
    result = solved(rhs)
    return matrix_transpose(result) if transpose_rhs else result


@export("linalg.tridiagonal_matmul")
def tridiagonal_matmul(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None
) -> Tensor:
    """The product of tridiagonal matrices and rhs [..., m, n]; formats as `tridiagonal_solve`."""
    if diagonals_format == "compact":
        parts = [diagonals[..., i, :] for i in (0, 1, 2)]
    elif diagonals_format == "sequence":
        parts = list(diagonals)
    elif diagonals_format == "matrix":
        m = _matrix_size(diagonals, both=True)
        main = matrix_diag_part(diagonals)
        turned = array_nodes.transpose(diagonals)
        above = [[i + 1, i] for i in range(m - 1)] + [[0, 0]]
        below = [[0, 0]] + [[i - 1, i] for i in range(1, m)]
        upper = array_nodes.transpose(raw.GatherNd(turned, above))
        parts = [upper, main, array_nodes.transpose(raw.GatherNd(turned, below))]
    else:
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    parts = [raw.ExpandDims(p, -2) for p in parts]
    return raw.TridiagonalMatMul(*parts, rhs, name=name)
