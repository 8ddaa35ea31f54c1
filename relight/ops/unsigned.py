"""uint16, uint32 and uint64, for which PyTorch has storage but little arithmetic.

The kernels of the ops below work on them as int64. Sums, products and shifts of uint64 are right
for every value, since they wrap alike. Orders of uint64 are those of int64 once the highest bit is
turned over; divisions, and the sorted segments' extremes (0 where a segment is empty), are right
below 2^63.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from relight.graph.opdef import record
from relight.ops import (
    call,
    math_binary,
    math_misc,
    matmul,
    matrix_diagonals,
    reduce,
    segment,
)
from relight.ops.math import SIGNED
from relight.ops.state import torch_dtype

_FAMILIES = (math_binary, math_misc, matmul, matrix_diagonals, reduce, segment)  # declared first

WIDENED = [
    "Add",
    "AddV2",
    "Sub",
    "Mul",
    "Div",
    "RealDiv",
    "FloorDiv",
    "TruncateDiv",
    "Mod",
    "FloorMod",
    "TruncateMod",
    "DivNoNan",
    "Maximum",
    "Minimum",
    "SquaredDifference",
    "Less",
    "LessEqual",
    "Greater",
    "GreaterEqual",
    "ApproximateEqual",
    "Sum",
    "Mean",
    "Prod",
    "Max",
    "Min",
    "EuclideanNorm",
    "ArgMax",
    "ArgMin",
    "AddN",
    "AccumulateNV2",
    "Cumsum",
    "Cumprod",
    "ClipByValue",
    "Cross",
    "MatrixBandPart",
    "SegmentSum",
    "SegmentMean",
    "SegmentProd",
    "SegmentMax",
    "SegmentMin",
    "UnsortedSegmentSum",
    "UnsortedSegmentProd",
    "UnsortedSegmentMax",
    "UnsortedSegmentMin",
    "SparseSegmentSum",
]


# Ops that only compare: 0 .. 2^64 - 1 become -2^63 .. 2^63 - 1, and results of that type come back.
ORDERED = frozenset(
    [
        "Less", "LessEqual", "Greater", "GreaterEqual", "Maximum", "Minimum", "Max", "Min",
        "ArgMax", "ArgMin", "ClipByValue", "UnsortedSegmentMax", "UnsortedSegmentMin",
    ]
)  # fmt: skip
_HIGHEST = -(2**63)


def _turned(value: Any) -> Any:
    """A uint64 as the int64 of the same place in the order."""
    if getattr(value, "dtype", None) is torch.uint64:
        return value.view(torch.int64) ^ _HIGHEST
    return value


def _signed(value: Any) -> Any:
    if isinstance(value, list):
        return [_signed(v) for v in value]
    return value.to(torch.int64) if getattr(value, "dtype", None) in SIGNED else value


def widened(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A specialised kernel that sees wide unsigned inputs as int64."""

    def specialise(node: Any) -> Any:
        kernel = make(node)
        if not any(t.dtype.base_dtype.name in _NAMES for t in node._inputs):
            return kernel
        wanted = torch_dtype(node._outputs[0].dtype)
        if node.type in ORDERED and node._inputs[0].dtype.base_dtype.name == "uint64":

            def ordered(*inputs: Any) -> Any:
                found = kernel(*(_turned(v) for v in inputs))
                return (found ^ _HIGHEST).view(wanted) if wanted is torch.uint64 else found

            return ordered

        def wide(*inputs: Any) -> Any:
            return kernel(*(_signed(v) for v in inputs)).to(wanted)

        return wide

    specialise.__doc__ = make.__doc__
    return specialise


_NAMES = ("uint16", "uint32", "uint64")


def _made(kernel: Any, specialise: bool) -> Callable[[Any], Any]:
    if specialise:
        return kernel

    def make(node: Any) -> Any:
        return call.with_attrs(kernel, node)

    make.__doc__ = kernel.__doc__
    return make


for _name in WIDENED:
    _record = record(_name)
    _record.kernel = widened(_made(_record.kernel, _record.specialise))
    _record.specialise = True
