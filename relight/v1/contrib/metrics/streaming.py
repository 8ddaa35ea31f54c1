"""Metrics over many batches: tf.metrics with the predictions before the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1 import metrics

streaming_mean = metrics.mean
streaming_mean_tensor = metrics.mean_tensor


def _predictions_first(metric: Callable[..., Any], what: str) -> Callable[..., Any]:
    def streaming(
        predictions: Any,
        labels: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        return metric(
            labels=labels,
            predictions=predictions,
            weights=weights,
            metrics_collections=metrics_collections,
            updates_collections=updates_collections,
            name=name,
        )

    streaming.__name__ = "streaming_" + what
    streaming.__doc__ = f"(value, update operation) of `tf.metrics.{what}`."
    return streaming


streaming_accuracy = _predictions_first(metrics.accuracy, "accuracy")
streaming_precision = _predictions_first(metrics.precision, "precision")
streaming_recall = _predictions_first(metrics.recall, "recall")
streaming_true_positives = _predictions_first(metrics.true_positives, "true_positives")
streaming_true_negatives = _predictions_first(metrics.true_negatives, "true_negatives")
streaming_false_positives = _predictions_first(metrics.false_positives, "false_positives")
streaming_false_negatives = _predictions_first(metrics.false_negatives, "false_negatives")
streaming_mean_absolute_error = _predictions_first(
    metrics.mean_absolute_error, "mean_absolute_error"
)
streaming_mean_squared_error = _predictions_first(metrics.mean_squared_error, "mean_squared_error")
streaming_root_mean_squared_error = _predictions_first(
    metrics.root_mean_squared_error, "root_mean_squared_error"
)


def streaming_auc(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
) -> Any:
    """(value, update operation) of `tf.metrics.auc`."""
    return metrics.auc(
        predictions=predictions,
        labels=labels,
        weights=weights,
        metrics_collections=metrics_collections,
        num_thresholds=num_thresholds,
        curve=curve,
        updates_collections=updates_collections,
        name=name,
    )


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Tensor:
    """The (weighted) share of equal elements of one batch."""
    if not (labels.dtype.is_integer or labels.dtype in (dtypes.bool, dtypes.string)):
        raise ValueError(f"Labels should have bool, integer, or string dtype, not {labels.dtype}")
    if not labels.dtype.is_compatible_with(predictions.dtype):
        raise ValueError(
            f"Dtypes of predictions and labels should match. Given: predictions {predictions.dtype}"
            f", labels {labels.dtype}"
        )
    with name_scope(name, "accuracy", [predictions, labels]):
        same = nodes.cast(raw.Equal(predictions, labels), dtypes.float32)
        if weights is None:
            return nodes.reduce_mean(same)
        same = raw.Mul(same, weights)
        count = raw.Mul(raw.OnesLike(same), weights)
        return nodes.div(nodes.reduce_sum(same), nodes.reduce_sum(count))
