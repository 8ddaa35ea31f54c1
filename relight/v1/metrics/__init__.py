# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.metrics`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.metrics.counts import (
    false_negatives, false_negatives_at_thresholds, false_positives,
    false_positives_at_thresholds, precision, precision_at_thresholds, recall,
    recall_at_thresholds, true_negatives, true_negatives_at_thresholds, true_positives,
    true_positives_at_thresholds,
)
from relight.v1.metrics.curves import (
    auc, sensitivity_at_specificity, specificity_at_sensitivity,
)
from relight.v1.metrics.means import (
    accuracy, mean, mean_absolute_error, mean_cosine_distance, mean_iou, mean_per_class_accuracy,
    mean_relative_error, mean_squared_error, mean_tensor, percentage_below,
    root_mean_squared_error,
)
from relight.v1.metrics.top_k import (
    average_precision_at_k, average_precision_at_k as sparse_average_precision_at_k,
    precision_at_k, precision_at_k as sparse_precision_at_k, precision_at_top_k, recall_at_k,
    recall_at_top_k,
)

__getattr__ = missing("tf.metrics")

__all__ = [
    "accuracy", "auc", "average_precision_at_k", "false_negatives",
    "false_negatives_at_thresholds", "false_positives", "false_positives_at_thresholds", "mean",
    "mean_absolute_error", "mean_cosine_distance", "mean_iou", "mean_per_class_accuracy",
    "mean_relative_error", "mean_squared_error", "mean_tensor", "percentage_below", "precision",
    "precision_at_k", "precision_at_thresholds", "precision_at_top_k", "recall", "recall_at_k",
    "recall_at_thresholds", "recall_at_top_k", "root_mean_squared_error",
    "sensitivity_at_specificity", "sparse_average_precision_at_k", "sparse_precision_at_k",
    "specificity_at_sensitivity", "true_negatives", "true_negatives_at_thresholds",
    "true_positives", "true_positives_at_thresholds",
]
