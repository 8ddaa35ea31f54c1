"""`tf.contrib.metrics`: the metrics of tf.metrics by their older names."""

from relight.v1._missing import missing
from relight.v1.contrib.metrics.streaming import (
    accuracy,
    streaming_accuracy,
    streaming_auc,
    streaming_false_negatives,
    streaming_false_positives,
    streaming_mean,
    streaming_mean_absolute_error,
    streaming_mean_squared_error,
    streaming_mean_tensor,
    streaming_precision,
    streaming_recall,
    streaming_root_mean_squared_error,
    streaming_true_negatives,
    streaming_true_positives,
)

__getattr__ = missing("tf.contrib.metrics")

__all__ = [
    "accuracy",
    "streaming_accuracy",
    "streaming_auc",
    "streaming_false_negatives",
    "streaming_false_positives",
    "streaming_mean",
    "streaming_mean_absolute_error",
    "streaming_mean_squared_error",
    "streaming_mean_tensor",
    "streaming_precision",
    "streaming_recall",
    "streaming_root_mean_squared_error",
    "streaming_true_negatives",
    "streaming_true_positives",
]
