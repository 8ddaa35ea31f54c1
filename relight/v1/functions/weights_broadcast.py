"""Weights next to values: the checks and the broadcast that losses and metrics share.

Weights are either a scalar, or have the rank of the values and in each dimension size 1 or theirs.
"""

from __future__ import annotations

from typing import Any

from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.v1.functions.array import expand_dims
from relight.v1.functions.control import no_op
from relight.v1.functions.control_flow import cond

_PREFIX = "weights can not be broadcast to values."


def _same_or_one(weights_shape: Tensor, values_shape: Tensor) -> Tensor:
    """Whether each size in `weights_shape` is 1 or the one in `values_shape`, of the same rank."""
    from relight.v1.functions.sets import difference

    with name_scope(None, "has_invalid_dims", (weights_shape, values_shape)) as scope:
        column = expand_dims(values_shape, -1)
        allowed = arrays.concat((column, arrays.ones_like(column)), axis=1)
        invalid = difference(expand_dims(weights_shape, -1), allowed)
        count = arrays.size(invalid.values, name="num_invalid_dims")
        return raw.Equal(0, count, name=scope)


def _valid_nonscalar(
    weights_rank: Tensor, weights_shape: Tensor, values_rank: Tensor, values_shape: Tensor
) -> Tensor:
    parts = (weights_rank, weights_shape, values_rank, values_shape)
    with name_scope(None, "has_valid_nonscalar_shape", parts) as scope:
        same_rank = raw.Equal(values_rank, weights_rank, name="is_same_rank")
        return cond(
            same_rank,
            lambda: _same_or_one(weights_shape, values_shape),
            lambda: same_rank,
            name=scope,
        )


def assert_broadcastable(weights: Any, values: Any) -> Any:
    """An operation that fails unless `weights` can stand beside `values`.

    Raises ValueError at once where static shapes tell that they cannot.
    """
    from relight.v1.functions.checks import Assert

    with name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        with name_scope(None, "weights", (weights,)) as weights_scope:
            weights = convert_to_tensor(weights, name=weights_scope)
            weights_shape = arrays.shape(weights, name="shape")
            weights_rank = arrays.rank(weights, name="rank")
        with name_scope(None, "values", (values,)) as values_scope:
            values = convert_to_tensor(values, name=values_scope)
            values_shape = arrays.shape(values, name="shape")
            values_rank = arrays.rank(values, name="rank")
        static_w, static_v = weights.shape.ndims, values.shape.ndims
        if static_w is not None and static_v is not None:
            if static_w == 0:
                return no_op(name="static_scalar_check_success")
            if static_w != static_v:
                raise ValueError(
                    f"{_PREFIX} values.rank={static_v}. weights.rank={static_w}. "
                    f"values.shape={values.shape}. weights.shape={weights.shape}."
                )
            sizes_w, sizes_v = constant_value(weights_shape), constant_value(values_shape)
            if sizes_w is not None and sizes_v is not None:
                for i, (size_w, size_v) in enumerate(zip(sizes_w, sizes_v, strict=True)):
                    if size_w not in (1, size_v):
                        raise ValueError(
                            f"{_PREFIX} Mismatch at dim {i}. values.shape={sizes_v} "
                            f"weights.shape={sizes_w}."
                        )
                return no_op(name="static_dims_check_success")
        is_scalar = raw.Equal(0, weights_rank, name="is_scalar")
        data = [
            _PREFIX, "weights.shape=", weights.name, weights_shape,
            "values.shape=", values.name, values_shape, "is_scalar=", is_scalar,
        ]  # fmt: skip
        valid = cond(
            is_scalar,
            lambda: is_scalar,
            lambda: _valid_nonscalar(weights_rank, weights_shape, values_rank, values_shape),
            name="is_valid_shape",
        )
        return Assert(valid, data, name=scope)


def broadcast_weights(weights: Any, values: Any) -> Tensor:
    """`weights` with the shape of `values`, whose type they get."""
    with name_scope(None, "broadcast_weights", (weights, values)) as scope:
        values = convert_to_tensor(values, name="values")
        weights = convert_to_tensor(weights, dtype=values.dtype.base_dtype, name="weights")
        shapes = weights.shape, values.shape
        if all(s.is_fully_defined() for s in shapes) and shapes[0].is_compatible_with(shapes[1]):
            return weights
        with get_default_graph().control_dependencies((assert_broadcastable(weights, values),)):
            return raw.Mul(weights, arrays.ones_like(values), name=scope)
