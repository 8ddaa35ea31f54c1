"""tf.sort and tf.argsort: the best k along a dimension, where k is its whole size."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value


@export("sort")
def sort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None
) -> Tensor:
    """The values in order along one axis; `direction`: `ASCENDING` or `DESCENDING`."""
    with name_scope(name, "sort"):
        return _sorted(values, axis, direction, False)


@export("argsort")
def argsort(
    values: Any,
    axis: int = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """int32 positions that put the values in order along one axis; equal ones stay as they are."""
    del stable  # it always is
    with name_scope(name, "argsort"):
        return _sorted(values, axis, direction, True)


def _sorted(values: Any, axis: Any, direction: str, places: bool) -> Tensor:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{direction} should be one of ASCENDING, DESCENDING")
    axis = convert_to_tensor(axis, name="axis")
    known = constant_value(axis)
    if axis.shape.ndims != 0 or known is None:
        raise ValueError("axis must be a constant scalar")
    values = convert_to_tensor(values, name="values")
    if direction == "DESCENDING":
        return _descending(values, int(known), places)
    found = _descending(-values, int(known), places)
    return found if places else -found


def _descending(values: Tensor, axis: int, places: bool) -> Tensor:
    size = array_nodes.shape(values)[axis]
    rank = array_nodes.rank(values)
    static = values.shape.ndims
    if axis == -1 or axis + 1 == static:
        return raw.TopKV2(values, size)[places]
    swap: Any
    if static is not None:
        place = axis % static
        order = np.arange(static)
        order[[place, -1]] = order[[-1, place]]
        swap = constant(order, name="transposition")
    else:
        start: Any = axis if axis >= 0 else axis + rank
        swap = array_nodes.concat(
            [nodes.range(start), [rank - 1], nodes.range(start + 1, rank - 1), [start]], axis=0
        )
    found = raw.TopKV2(array_nodes.transpose(values, swap), size)[places]
    return array_nodes.transpose(found, swap)
