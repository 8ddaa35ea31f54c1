"""`tf.contrib.estimator.multi_label_head`: several classes an example."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.estimator.canned import classification
from relight.v1.estimator.canned.head import LossSpec
from relight.v1.estimator.canned.head_checks import (
    call_loss_fn,
    checked_labels,
    checked_logits,
    checked_range,
)
from relight.v1.estimator.canned.keys import (
    MetricKeys,
    PredictionKeys,
)
from relight.v1.functions.checks import assert_integer, assert_less, assert_non_negative
from relight.v1.functions.sparse import sparse_to_indicator
from relight.v1.losses.losses import Reduction, sigmoid_cross_entropy
from relight.v1.metrics.curves import auc
from relight.v1.metrics.means import mean


class MultiLabelHead(classification._Classifier):
    """Sigmoid cross entropy of each class; labels are 0 and 1 [batch, n_classes] or sparse ids."""

    def __init__(
        self,
        n_classes: int,
        thresholds: tuple[float, ...],
        class_ids: tuple[int, ...],
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._n_classes = n_classes
        self._thresholds = thresholds
        self._class_ids = class_ids

    @property
    def logits_dimension(self) -> int:
        """The number of classes."""
        return self._n_classes

    @property
    def _classes(self) -> int:
        return self._n_classes

    def _predict(self, logits: Any) -> tuple[Tensor, dict[str, Tensor]]:
        logits = checked_logits(logits, self.logits_dimension)
        with name_scope(None, "predictions", [logits]):
            probabilities = raw.Sigmoid(logits, name=PredictionKeys.PROBABILITIES)
        return logits, {
            PredictionKeys.LOGITS: logits,
            PredictionKeys.PROBABILITIES: probabilities,
        }

    def _indicators(self, labels: Any) -> Tensor:
        """Labels as 0 and 1 [batch, n_classes]."""
        if labels is None:
            return checked_labels(None, labels, self._n_classes)
        if not isinstance(labels, SparseTensor):
            message = "labels must be an integer indicator Tensor with values in [0, 1]"
            return checked_range(labels, 2, message=message)
        if labels.dtype == dtypes.string:
            ids = self._label_table().lookup(labels.values)
            labels = SparseTensor(labels.indices, ids, labels.dense_shape)
            found = sparse_to_indicator(labels, self._n_classes)
            return nodes.cast(found, dtypes.int64, name="ToInt64")
        values = labels.values
        message = f"labels must be an integer SparseTensor with values in [0, {self._n_classes})"
        limit = convert_to_tensor(self._n_classes, dtype=labels.dtype)
        checks = [
            assert_integer(values, message=message),
            assert_less(values, limit, message=message),
            assert_non_negative(values, message=message),
        ]
        with get_default_graph().control_dependencies(checks):
            found = sparse_to_indicator(labels, self._n_classes)
            return nodes.cast(found, dtypes.int64, name="ToInt64")

    def _unweighted_loss(self, labels: Any, logits: Tensor, features: Any) -> tuple[Tensor, Tensor]:
        labels = checked_labels(self._indicators(labels), logits, self.logits_dimension)
        if self._loss_fn:
            return call_loss_fn(self._loss_fn, labels, logits, features), labels
        losses = sigmoid_cross_entropy(
            multi_class_labels=labels, logits=logits, reduction=Reduction.NONE
        )
        return nodes.reduce_mean(losses, axis=-1, keepdims=True), labels

    def _metrics(
        self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any, regularization: Any
    ) -> dict[str, Any]:
        keys, weights, labels = MetricKeys, loss.weights, loss.processed_labels
        soft = {
            "labels": labels,
            "predictions": predictions[PredictionKeys.PROBABILITIES],
            "weights": weights,
        }
        with name_scope(None, "metrics", [*soft.values(), loss.unreduced_loss, regularization]):
            found = {
                keys.LOSS_MEAN: mean(loss.unreduced_loss, weights=weights, name=keys.LOSS_MEAN),
                keys.AUC: auc(**soft, name=keys.AUC),
                keys.AUC_PR: auc(**soft, curve="PR", name=keys.AUC_PR),
            }
            metrics = {self._key(key): value for key, value in found.items()}
            self._add_regularization_metric(metrics, regularization)
            metrics.update(classification.metrics_at(self._thresholds, soft, self._key))
            for class_id in self._class_ids:
                metrics.update(self._metrics_of(class_id, **soft))
        return metrics

    def _metrics_of(
        self, class_id: int, labels: Tensor, predictions: Tensor, weights: Any
    ) -> dict[str, Any]:
        rank = array_nodes.rank(predictions) - 1
        begin = array_nodes.concat([array_nodes.zeros([rank], dtypes.int32), [class_id]], axis=0)
        size = array_nodes.concat([-1 * array_nodes.ones([rank], dtypes.int32), [1]], axis=0)
        soft = {
            "predictions": raw.Slice(predictions, begin, size),
            "labels": raw.Slice(labels, begin, size),
            "weights": weights,
        }
        keys, value = MetricKeys, class_id
        names = keys.PROBABILITY_MEAN_AT_CLASS, keys.AUC_AT_CLASS, keys.AUC_PR_AT_CLASS
        if self._label_vocabulary is not None:
            names = keys.PROBABILITY_MEAN_AT_NAME, keys.AUC_AT_NAME, keys.AUC_PR_AT_NAME
            value = self._label_vocabulary[class_id]
        probability, roc, pr = (name % value for name in names)
        return {
            self._key(probability): classification.mean_of_floats(
                soft["predictions"], weights, probability, "predictions"
            ),
            self._key(roc): classification.auc_of_floats(**soft, name=roc),
            self._key(pr): classification.auc_of_floats(**soft, curve="PR", name=pr),
        }


def multi_label_head(
    n_classes: int,
    weight_column: Any = None,
    thresholds: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    loss_fn: Any = None,
    classes_for_class_based_metrics: Any = None,
    name: str | None = None,
) -> MultiLabelHead:
    """A head of examples with any number of classes.

    Args:
      n_classes: the number of classes.
      weight_column: a feature, or a numeric column, with the examples' weights.
      thresholds: add accuracy, precision and recall at these probabilities.
      label_vocabulary: the names of the classes, where labels are sparse strings.
      loss_reduction: a `tf.losses.Reduction`.
      loss_fn: a function of labels and logits used instead of sigmoid cross entropy.
      classes_for_class_based_metrics: ids or names of classes that get metrics of their own.
      name: the head's name scope, and a suffix of its metrics.

    Raises:
      ValueError: for arguments that do not fit.
    """
    thresholds = tuple(thresholds) if thresholds else ()
    if n_classes is None or n_classes < 2:
        raise ValueError(
            f"n_classes must be > 1 for multi-class classification. Given: {n_classes}"
        )
    for threshold in thresholds:
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"thresholds must be in (0, 1) range. Given: {threshold}")
    if label_vocabulary is not None:
        if not isinstance(label_vocabulary, (list, tuple)):
            raise ValueError(
                f"label_vocabulary must be a list or tuple. Given type: {type(label_vocabulary)}"
            )
        if len(label_vocabulary) != n_classes:
            raise ValueError(
                f"Length of label_vocabulary must be n_classes ({n_classes}). Given: "
                f"{len(label_vocabulary)}"
            )
    classes = tuple(classes_for_class_based_metrics or ())
    if classes and isinstance(classes[0], str):
        if not label_vocabulary:
            raise ValueError(
                "label_vocabulary must be provided when classes_for_class_based_metrics are sting."
            )
        classes = tuple(label_vocabulary.index(c) for c in classes)
    for class_id in classes:
        if not 0 <= class_id < n_classes:
            raise ValueError(
                f"All classes_for_class_based_metrics must be in range [0, {n_classes - 1}]. "
                f"Given: {class_id}"
            )
    return MultiLabelHead(
        n_classes,
        thresholds,
        classes,
        label_vocabulary=label_vocabulary,
        weight_column=weight_column,
        loss_reduction=loss_reduction,
        loss_fn=loss_fn,
        name=name,
    )
