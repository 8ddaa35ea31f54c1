"""What all metrics share: their local variables, the shapes of their inputs, where results go."""

from __future__ import annotations

from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.array import expand_dims
from relight.v1.functions.control_flow import cond
from relight.v1.functions.counts import remove_squeezable_dimensions
from relight.v1.functions.variables import (
    Variable,
    VariableAggregation,
    VariableSynchronization,
)


def metric_variable(
    shape: Any, dtype: Any, validate_shape: bool = True, name: str | None = None
) -> Any:
    """A variable of zeros that adds up a metric: local, not trained, in METRIC_VARIABLES."""
    return Variable(
        lambda: arrays.zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        validate_shape=validate_shape,
        synchronization=VariableSynchronization.ON_READ,
        aggregation=VariableAggregation.SUM,
        name=name,
    )


def collect(collections: Any, value: Any) -> None:
    """Add `value` to the collections, if any are given."""
    if collections:
        get_default_graph().add_to_collections(collections, value)


def read(variable: Any, collections: Any) -> Tensor:
    """The value of a metric's variable, added to the metric collections."""
    value = raw.Identity(variable)
    collect(collections, value)
    return value


def squeezed(predictions: Any, labels: Any, weights: Any) -> tuple[Tensor, Any, Any]:
    """Predictions, labels and weights whose ranks agree, as far as a last dimension of 1 allows."""
    predictions = convert_to_tensor(predictions)
    if labels is not None:
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = convert_to_tensor(weights)
    rank_w, rank_p = weights.shape.ndims, predictions.shape.ndims
    if rank_w == 0:
        return predictions, labels, weights
    if rank_w is not None and rank_p is not None:
        if rank_w - rank_p == 1:
            weights = arrays.squeeze(weights, [-1])
        elif rank_p - rank_w == 1:
            weights = expand_dims(weights, [-1])
        return predictions, labels, weights
    return predictions, labels, _fitted_at_run_time(weights, predictions)


def _fitted_at_run_time(weights: Tensor, predictions: Tensor) -> Tensor:
    """The weights with one dimension less or more, as the ranks at run time ask for."""
    rank = arrays.rank(weights)
    difference = rank - arrays.rank(predictions)

    def expand() -> Tensor:
        return cond(raw.Equal(difference, -1), lambda: expand_dims(weights, [-1]), lambda: weights)

    static = weights.shape
    keeps = static.ndims is not None and not static.dims[-1].is_compatible_with(1)

    def adjust() -> Tensor:
        return cond(
            raw.Equal(difference, 1),
            (lambda: weights) if keeps else (lambda: arrays.squeeze(weights, [-1])),
            expand,
        )

    return cond(raw.Equal(rank, 0), lambda: weights, adjust)
