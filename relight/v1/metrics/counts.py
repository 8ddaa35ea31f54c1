"""`tf.metrics`: counts of true and false positives and negatives, precision and recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes as maths
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.array import expand_dims, tile, where
from relight.v1.functions.assign import assign_add
from relight.v1.functions.math import equal, multiply
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.functions.weights_broadcast import broadcast_weights
from relight.v1.metrics.streaming import collect, metric_variable, read, squeezed

Metric = tuple[Tensor, Tensor]

# Each count: its name in scopes and variables, whether the label and the prediction are positive.
KINDS = {
    "tp": ("true_positives", True, True),
    "fn": ("false_negatives", True, False),
    "tn": ("true_negatives", False, False),
    "fp": ("false_positives", False, True),
}


def _count_where(
    condition: Tensor, weights: Any, metrics_collections: Any, updates_collections: Any
) -> Metric:
    """How often (or with what weight) a bool tensor has been true: (value, update)."""
    from relight.v1.functions.checks import assert_type
    from relight.v1.functions.rank_checks import assert_rank_in

    assert_type(condition, dtypes.bool)
    count = metric_variable([], dtypes.float32, name="count")
    values = maths.cast(condition, dtypes.float32)
    if weights is not None:
        check = assert_rank_in(weights, (0, arrays.rank(values)))
        with get_default_graph().control_dependencies((check,)):
            weights = maths.cast(weights, dtypes.float32)
            values = multiply(values, weights)
    value = read(count, metrics_collections)
    update = assign_add(count, maths.reduce_sum(values))
    collect(updates_collections, update)
    return value, update


def _as_bools(labels: Any, predictions: Any, weights: Any) -> tuple[Tensor, Any, Any]:
    predictions = maths.cast(predictions, dtypes.bool)
    return squeezed(predictions, maths.cast(labels, dtypes.bool), weights)


def _counter(kind: str) -> Callable[..., Metric]:
    scope, label, prediction = KINDS[kind]

    def count(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Metric:
        with variable_scope(name, scope, (predictions, labels, weights)):
            predictions, labels, weights = _as_bools(labels, predictions, weights)
            both = raw.LogicalAnd(equal(labels, label), equal(predictions, prediction))
            return _count_where(both, weights, metrics_collections, updates_collections)

    count.__name__ = count.__qualname__ = scope
    count.__doc__ = (
        f"How often (or with what weight) labels are {label} and predictions {prediction}, both "
        "taken as bool: (value, update)."
    )
    return count


def _counter_at_thresholds(kind: str) -> Callable[..., Metric]:
    scope, label, prediction = KINDS[kind]

    def count(
        labels: Any,
        predictions: Any,
        thresholds: Sequence[float],
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Metric:
        with variable_scope(name, scope, (predictions, labels, weights)):
            values, updates = counts_at_thresholds(
                labels, predictions, thresholds, weights, includes=(kind,)
            )
            value = read(values[kind], metrics_collections)
            collect(updates_collections, updates[kind])
            return value, updates[kind]

    count.__name__ = count.__qualname__ = scope + "_at_thresholds"
    count.__doc__ = (
        f"Counts of labels {label} with predictions {'above' if prediction else 'not above'} each "
        "of the thresholds: (value, update), both [len(thresholds)]. Predictions are in [0, 1]."
    )
    return count


true_positives = export("metrics.true_positives")(_counter("tp"))
true_negatives = export("metrics.true_negatives")(_counter("tn"))
false_positives = export("metrics.false_positives")(_counter("fp"))
false_negatives = export("metrics.false_negatives")(_counter("fn"))
true_positives_at_thresholds = export("metrics.true_positives_at_thresholds")(
    _counter_at_thresholds("tp")
)
true_negatives_at_thresholds = export("metrics.true_negatives_at_thresholds")(
    _counter_at_thresholds("tn")
)
false_positives_at_thresholds = export("metrics.false_positives_at_thresholds")(
    _counter_at_thresholds("fp")
)
false_negatives_at_thresholds = export("metrics.false_negatives_at_thresholds")(
    _counter_at_thresholds("fn")
)


def counts_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    includes: Sequence[str] = ("tp", "fn", "tn", "fp"),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counts named in `includes` at each threshold: their variables and their updates.

    A prediction is positive when it is greater than the threshold. InvalidArgumentError at run
    time for predictions outside of [0, 1].
    """
    from relight.v1.functions.checks import assert_greater_equal, assert_less_equal

    predictions = convert_to_tensor(predictions)
    words = "predictions must be in [0, 1]"
    checks = [
        assert_greater_equal(predictions, maths.cast(0.0, predictions.dtype), message=words),
        assert_less_equal(predictions, maths.cast(1.0, predictions.dtype), message=words),
    ]
    with get_default_graph().control_dependencies(checks):
        predictions, labels, weights = squeezed(
            maths.cast(predictions, dtypes.float32), maths.cast(labels, dtypes.bool), weights
        )
    count = len(thresholds)
    column = arrays.reshape(predictions, [-1, 1])
    labels_row = arrays.reshape(maths.cast(labels, dtypes.bool), [1, -1])
    number = column.shape.as_list()[0]
    if number is None:
        number = arrays.shape(column)[0]
    limits = tile(expand_dims(constant(list(thresholds)), [1]), arrays.stack([1, number]))
    positive = {}
    positive[True, "prediction"] = raw.Greater(tile(arrays.transpose(column), [count, 1]), limits)
    if "fn" in includes or "tn" in includes:
        positive[False, "prediction"] = raw.LogicalNot(positive[True, "prediction"])
    positive[True, "label"] = tile(labels_row, [count, 1])
    if "fp" in includes or "tn" in includes:
        positive[False, "label"] = raw.LogicalNot(positive[True, "label"])
    tiled = None
    if weights is not None:
        weights = broadcast_weights(maths.cast(weights, dtypes.float32), predictions)
        tiled = tile(arrays.reshape(weights, [1, -1]), [count, 1])
        limits.shape.assert_is_compatible_with(tiled.shape)
    values, updates = {}, {}
    for kind, (name, label, prediction) in KINDS.items():
        if kind not in includes:
            continue
        values[kind] = metric_variable([count], dtypes.float32, name=name)
        both = raw.LogicalAnd(positive[label, "label"], positive[prediction, "prediction"])
        hits = maths.cast(both, dtypes.float32)
        if tiled is not None:
            hits *= tiled
        updates[kind] = assign_add(values[kind], maths.reduce_sum(hits, 1))
    return values, updates


# -- precision and recall ------------------------------------------------------------------------


def _ratio_or_zero(part: Any, rest: Any, name: str) -> Tensor:
    """part / (part + rest), 0 where the sum is 0."""
    return where(raw.Greater(part + rest, 0), maths.div(part, part + rest), 0, name)


@export("metrics.precision")
def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the positive predictions is right, tp / (tp + fp): (value, update)."""
    with variable_scope(name, "precision", (predictions, labels, weights)):
        predictions, labels, weights = _as_bools(labels, predictions, weights)
        hits, more_hits = true_positives(labels, predictions, weights)
        false, more_false = false_positives(labels, predictions, weights)
        value = _ratio_or_zero(hits, false, "value")
        collect(metrics_collections, value)
        update = _ratio_or_zero(more_hits, more_false, "update_op")
        collect(updates_collections, update)
        return value, update


@export("metrics.recall")
def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Which part of the positive labels is found, tp / (tp + fn): (value, update)."""
    with variable_scope(name, "recall", (predictions, labels, weights)):
        predictions, labels, weights = _as_bools(labels, predictions, weights)
        hits, more_hits = true_positives(labels, predictions, weights)
        missed, more_missed = false_negatives(labels, predictions, weights)
        value = _ratio_or_zero(hits, missed, "value")
        collect(metrics_collections, value)
        update = _ratio_or_zero(more_hits, more_missed, "update_op")
        collect(updates_collections, update)
        return value, update


_EPSILON = 1e-7  # keeps the quotients at thresholds finite, as TensorFlow does


@export("metrics.precision_at_thresholds")
def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Precision at each threshold: (value, update), both [len(thresholds)]."""
    with variable_scope(name, "precision_at_thresholds", (predictions, labels, weights)):
        values, updates = counts_at_thresholds(
            labels, predictions, thresholds, weights, includes=("tp", "fp")
        )
        return _quotients_at_thresholds(
            values, updates, "fp", "precision_", metrics_collections, updates_collections
        )


@export("metrics.recall_at_thresholds")
def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Recall at each threshold: (value, update), both [len(thresholds)]."""
    with variable_scope(name, "recall_at_thresholds", (predictions, labels, weights)):
        values, updates = counts_at_thresholds(
            labels, predictions, thresholds, weights, includes=("tp", "fn")
        )
        return _quotients_at_thresholds(
            values, updates, "fn", "recall_", metrics_collections, updates_collections
        )


def _quotients_at_thresholds(
    values: dict, updates: dict, other: str, prefix: str, metrics: Any, updated: Any
) -> Metric:
    def quotient(counts: dict, name: str) -> Tensor:
        return maths.div(counts["tp"], _EPSILON + counts["tp"] + counts[other], name=prefix + name)

    value = quotient(values, "value")
    collect(metrics, value)
    update = quotient(updates, "update_op")
    collect(updated, update)
    return value, update
