"""Diagonals and bands of (batches of) matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.graph import ShapeError, get_default_graph
from relight.graph.opdef import op
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import Sizes, merge, merge_size, same, sizes, with_rank_at_least


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _text(shape: Any) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


# -- bands -----------------------------------------------------------------------------------------


@op("MatrixBandPart", shape=same, host=("num_lower", "num_upper"))
def MatrixBandPart(input, num_lower, num_upper):
    """The elements at most num_lower below and num_upper above the diagonal (negative: all)."""
    if input.dim() < 2:
        raise _invalid(f"input must be at least 2-dim, received shape: {_text(input.shape)}")
    rows, columns = input.shape[-2:]
    lower, upper = int(num_lower), int(num_upper)
    if lower > rows:
        raise _invalid(
            f"num_lower must be negative or less or equal to number of rows ({rows}) got: {lower}"
        )
    if upper > columns:
        raise _invalid(
            "num_upper must be negative or less or equal to number of columns "
            f"({columns}) got: {upper}"
        )
    device = input.device
    offset = torch.arange(columns, device=device) - torch.arange(rows, device=device)[:, None]
    outside = torch.zeros((rows, columns), dtype=torch.bool, device=device)
    if lower >= 0:
        outside |= offset < -lower
    if upper >= 0:
        outside |= offset > upper
    return input.masked_fill(outside, 0)


# -- one diagonal ----------------------------------------------------------------------------------


def _diag_shape(node: Any) -> list[Sizes]:
    static = sizes(node, 0)
    if static is None:
        return [None]
    if not static:
        raise ShapeError("Shape must be at least rank 1 but is rank 0")
    return [(*static, static[-1])]


def _part_shape(node: Any) -> list[Sizes]:
    static = with_rank_at_least(sizes(node, 0), 2)
    if static is None:
        return [None]
    rows, columns = static[-2:]
    return [(*static[:-2], None if None in (rows, columns) else min(rows, columns))]


def _set_shape(node: Any) -> list[Sizes]:
    static = with_rank_at_least(sizes(node, 0), 2)
    diagonal = sizes(node, 1)
    if static is None and diagonal is not None:
        k = known_value(node._inputs[2]) if node.type == "MatrixSetDiagV2" else np.array(0)
        if k is None:
            return [None]
        low, high = _bounds(k)
        return [(*diagonal[: -1 if low == high else -2], None, None)]
    if static is None or diagonal is None:
        return [static]
    if not diagonal:
        raise ShapeError("Shape must be at least rank 1 but is rank 0")
    if node.type != "MatrixSetDiagV2":
        batch = merge(static[:-2], diagonal[:-1])
        rows, columns = static[-2:]
        if rows is not None and columns is not None:
            merge_size(min(rows, columns), diagonal[-1])
        return [(*batch, rows, columns)]
    return [static]


@op("MatrixDiag", shape=_diag_shape)
def MatrixDiag(diagonal):
    """[..., n] -> [..., n, n] with the input on the diagonal, 0 elsewhere."""
    if diagonal.dim() < 1:
        raise _invalid(f"input must be at least 1-dim, received shape: {_text(diagonal.shape)}")
    return torch.diag_embed(diagonal)


@op("MatrixDiagPart", shape=_part_shape)
def MatrixDiagPart(input):
    """[..., m, n] -> [..., min(m, n)]: the main diagonal."""
    if input.dim() < 2:
        raise _invalid(f"input must be at least 2-dim, received shape: {_text(input.shape)}")
    return torch.diagonal(input, dim1=-2, dim2=-1).clone()


@op("MatrixSetDiag", shape=_set_shape)
def MatrixSetDiag(input, diagonal):
    """The input [..., m, n] with another main diagonal [..., min(m, n)]."""
    if input.dim() < 2:
        raise _invalid(f"input must be at least 2-dim, received shape: {_text(input.shape)}")
    expected = (*input.shape[:-2], min(input.shape[-2:]))
    if tuple(diagonal.shape) != expected:
        raise _invalid(
            "Either first dimensions of diagonal don't match input.shape[:-2], or "
            "diagonal.shape[:-1] is not equal to the longests diagonal in range "
            f"[lower_diag_index:upper_diag_index].\nInput shape: {_text(input.shape)}\n"
            f"Diagonal shape: {_text(diagonal.shape)}"
        )
    result = input.clone()
    torch.diagonal(result, dim1=-2, dim2=-1).copy_(diagonal)
    return result


# The names that these ops had before TensorFlow 1.0.
for _name, _record, _shape in (
    ("MatrixBandPart", MatrixBandPart, same),
    ("MatrixDiag", MatrixDiag, _diag_shape),
    ("MatrixDiagPart", MatrixDiagPart, _part_shape),
    ("MatrixSetDiag", MatrixSetDiag, _set_shape),
):
    op(f"Batch{_name}", shape=_shape, host=tuple(_record.host))(_record.kernel)

# -- several diagonals -----------------------------------------------------------------------------


def _bounds(k: np.ndarray) -> tuple[int, int]:
    """(lowest, highest) diagonal of `k`: a number or a pair."""
    values = k.ravel().tolist()
    if len(values) not in (1, 2):
        raise _invalid(f"diag_index must have only one or two elements, received {len(values)}")
    low, high = values[0], values[-1]
    if low > high:
        raise _invalid(f"lower_diag_index must not be larger than upper_diag_index: {low} > {high}")
    return int(low), int(high)


def _length(rows: int, columns: int, low: int, high: int) -> int:
    """The length of the longest of the diagonals low ... high."""
    return min(rows + min(high, 0), columns - max(low, 0))


def _diagonal(matrix: torch.Tensor, k: int) -> torch.Tensor:
    return torch.diagonal(matrix, offset=k, dim1=-2, dim2=-1)


def _one_or_many(low: int, high: int, diagonals: torch.Tensor) -> torch.Tensor:
    """[..., number, length] whether one diagonal [..., length] or several are given."""
    return diagonals.unsqueeze(-2) if low == high else diagonals


def _diag_v2_shape(node: Any) -> list[Sizes]:
    diagonal = sizes(node, 0)
    k, rows, columns = (known_value(t) for t in node._inputs[1:4])
    if diagonal is None or k is None:
        return [None]
    low, high = _bounds(k)
    batch = diagonal[:-1] if low == high else diagonal[:-2]
    length = diagonal[-1]
    if length is None or rows is None or columns is None:
        return [(*batch, None, None)]
    return [(*batch, *_matrix_sizes(length, low, high, int(rows), int(columns)))]


def _matrix_sizes(length: int, low: int, high: int, rows: int, columns: int) -> tuple[int, int]:
    """The smallest matrix with diagonals of that length, where -1 leaves a size open."""
    least_rows, least_columns = length - min(high, 0), length + max(low, 0)
    if rows == -1 and columns == -1:
        size = max(least_rows, least_columns)
        return size, size
    return (least_rows if rows == -1 else rows, least_columns if columns == -1 else columns)


def _part_v2_shape(node: Any) -> list[Sizes]:
    whole, k = with_rank_at_least(sizes(node, 0), 2), known_value(node._inputs[1])
    if whole is None or k is None:
        return [None]
    low, high = _bounds(k)
    rows, columns = whole[-2:]
    length = None if None in (rows, columns) else _length(rows, columns, low, high)
    number = () if low == high else (high - low + 1,)
    return [(*whole[:-2], *number, length)]


@op("MatrixDiagV2", shape=_diag_v2_shape, specialise=True, host=("k", "num_rows", "num_cols"))
def MatrixDiagV2(node: Any) -> Any:
    """Matrices with the given diagonals, highest first, and padding elsewhere."""

    def kernel(diagonal: Any, k: Any, num_rows: Any, num_cols: Any, padding: Any) -> Any:
        low, high = _bounds(k)
        given = diagonal if low != high else diagonal.unsqueeze(-2)
        length = given.shape[-1]
        rows, columns = _matrix_sizes(length, low, high, int(num_rows), int(num_cols))
        if _length(rows, columns, low, high) != length:
            raise _invalid(
                "num_rows and num_cols are not consistent with lower_diag_index, "
                "upper_diag_index, and the length of the given diagonals."
            )
        result = padding.expand((*given.shape[:-2], rows, columns)).clone()
        for i, place in enumerate(range(high, low - 1, -1)):
            target = _diagonal(result, place)
            target.copy_(given[..., i, : target.shape[-1]])
        return result

    return kernel


@op("MatrixDiagPartV2", shape=_part_v2_shape, specialise=True, host=("k",))
def MatrixDiagPartV2(node: Any) -> Any:
    """The diagonals k (a number, or lowest and highest), highest first, padded to one length."""

    def kernel(matrix: Any, k: Any, padding: Any) -> Any:
        low, high = _bounds(k)
        length = _length(matrix.shape[-2], matrix.shape[-1], low, high)
        shape = (*matrix.shape[:-2], high - low + 1, length)
        result = padding.expand(shape).clone()
        for i, place in enumerate(range(high, low - 1, -1)):
            found = _diagonal(matrix, place)
            result[..., i, : found.shape[-1]] = found
        return result.squeeze(-2) if low == high else result

    return kernel


@op("MatrixSetDiagV2", shape=_set_shape, specialise=True, host=("k",))
def MatrixSetDiagV2(node: Any) -> Any:
    """The input with other diagonals k (a number, or lowest and highest)."""

    def kernel(matrix: Any, diagonal: Any, k: Any) -> Any:
        low, high = _bounds(k)
        given = _one_or_many(low, high, diagonal)
        result = matrix.clone()
        for i, place in enumerate(range(high, low - 1, -1)):
            target = _diagonal(result, place)
            target.copy_(given[..., i, : target.shape[-1]])
        return result

    return kernel


# -- diagonals of tensors --------------------------------------------------------------------------


def _tensor_diag_shape(node: Any) -> list[Sizes]:
    static = sizes(node, 0)
    return [None if static is None else (*static, *static)]


@op("Diag", shape=_tensor_diag_shape)
def Diag(diagonal):
    """[d1, ..., dn] -> [d1, ..., dn, d1, ..., dn] with the input where both halves are equal."""
    return torch.diag(diagonal.reshape(-1)).reshape((*diagonal.shape, *diagonal.shape))


def _tensor_part_shape(node: Any) -> list[Sizes]:
    static = sizes(node, 0)
    if static is None:
        return [None]
    if not static or len(static) % 2:
        raise ShapeError(f"Input must have even and non-zero rank, input rank is {len(static)}")
    half = len(static) // 2
    return [merge(static[:half], static[half:])]


@op("DiagPart", shape=_tensor_part_shape)
def DiagPart(input):
    """The inverse of Diag: the elements where both halves of the index are equal."""
    half = input.dim() // 2
    if input.dim() % 2 or not half or input.shape[:half] != input.shape[half:]:
        raise _invalid(f"Invalid shape {_text(input.shape)}: dimensions i and i + rank/2 differ")
    count = int(np.prod(input.shape[:half]))
    return torch.diagonal(input.reshape(count, count)).reshape(input.shape[:half]).clone()


# -- gradients -------------------------------------------------------------------------------------


@gradient("MatrixBandPart")
def _(op, grad):
    return raw.MatrixBandPart(grad, op.inputs[1], op.inputs[2]), None, None


@gradient("Diag")
def _(op, grad):
    return raw.DiagPart(grad)


@gradient("DiagPart")
def _(op, grad):
    return raw.Diag(grad)


@gradient("MatrixDiag")
def _(op, grad):
    return raw.MatrixDiagPart(grad, name="diag_part")


@gradient("MatrixDiagPart")
def _(op, grad):
    rows_columns = op.inputs[0].shape[-2:]
    if rows_columns.is_fully_defined() and rows_columns[0] == rows_columns[1]:
        return raw.MatrixDiag(grad, name="diag")
    return raw.MatrixSetDiag(array_nodes.zeros_like(op.inputs[0]), grad, name="set_diag")


@gradient("MatrixSetDiag")
def _(op, grad):
    whole = op.inputs[0].shape.merge_with(grad.shape)
    batch = whole[:-2].merge_with(op.inputs[1].shape[:-1])
    rows_columns = whole[-2:]
    if batch.is_fully_defined() and rows_columns.is_fully_defined():
        shape: Any = [*batch.as_list(), min(rows_columns.as_list())]
    else:
        with get_default_graph().colocate_with(grad.op):
            grad_shape, rank = array_nodes.shape(grad), array_nodes.rank(grad)
            batch_shape = raw.Slice(grad_shape, [0], [rank - 2])
            matrix_shape = raw.Slice(grad_shape, [rank - 2], [2])
            smaller = nodes.reduce_min(matrix_shape)
            shape = array_nodes.concat([batch_shape, [smaller]], 0)
    zeros = array_nodes.zeros(shape, dtype=grad.dtype)
    grad_input = raw.MatrixSetDiag(grad, zeros, name="set_diag")
    return grad_input, raw.MatrixDiagPart(grad, name="diag_part")


@gradient("MatrixDiagV2")
def _(op, grad):
    zero = array_nodes.zeros([], dtype=grad.dtype)
    return raw.MatrixDiagPartV2(grad, op.inputs[1], zero), None, None, None, None


@gradient("MatrixDiagPartV2")
def _(op, grad):
    zeros = array_nodes.zeros_like(op.inputs[0])
    return raw.MatrixSetDiagV2(zeros, grad, op.inputs[1]), None, None


@gradient("MatrixSetDiagV2")
def _(op, grad):
    zeros = array_nodes.zeros_like(op.inputs[1])
    grad_input = raw.MatrixSetDiagV2(grad, zeros, op.inputs[2])
    zero = array_nodes.zeros([], dtype=grad.dtype)
    return grad_input, raw.MatrixDiagPartV2(grad, op.inputs[2], zero), None
