"""Heads of classifiers: of two classes, and of more."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.estimator.canned.head import Head, LossSpec
from relight.v1.estimator.canned.head_checks import (
    call_loss_fn,
    checked_classes,
    checked_labels,
    checked_logits,
    checked_range,
)
from relight.v1.estimator.canned.keys import (
    CLASSIFY_SERVING_KEY,
    DEFAULT_SERVING_KEY,
    PREDICT_SERVING_KEY,
    REGRESS_SERVING_KEY,
    MetricKeys,
    PredictionKeys,
)
from relight.v1.estimator.export.outputs import (
    ClassificationOutput,
    PredictOutput,
    RegressionOutput,
)
from relight.v1.functions.lookup import (
    index_table_from_tensor,
    index_to_string_table_from_tensor,
)
from relight.v1.functions.math import argmax, to_float
from relight.v1.functions.nn import softmax
from relight.v1.functions.nn_losses import sigmoid_cross_entropy_with_logits
from relight.v1.functions.strings import as_string
from relight.v1.functions.weights_broadcast import broadcast_weights
from relight.v1.losses.losses import Reduction, sparse_softmax_cross_entropy
from relight.v1.metrics.counts import (
    precision,
    precision_at_thresholds,
    recall,
    recall_at_thresholds,
)
from relight.v1.metrics.curves import auc
from relight.v1.metrics.means import accuracy, mean


class _Classifier(Head):
    """What both classifiers' heads share."""

    def __init__(self, label_vocabulary: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self._label_vocabulary = label_vocabulary

    @property
    def _classes(self) -> int:
        raise NotImplementedError

    def _for_each_example(self, of: Tensor, names: bool) -> Tensor:
        """[batch, classes]: the ids (int32) or names (string) of all classes."""
        batch = array_nodes.shape(of)[0]
        values: Any = nodes.range(self._classes) if not (names and self._label_vocabulary) else None
        if names:
            values = self._label_vocabulary or as_string(values)
        return raw.Tile(raw.ExpandDims(values, 0), [batch, 1])

    def _names_of(self, class_ids: Tensor) -> Tensor:
        """string [batch, 1]: the names of the predicted classes."""
        if not self._label_vocabulary:
            return as_string(class_ids, name="str_classes")
        table = index_to_string_table_from_tensor(
            self._label_vocabulary, name="class_string_lookup"
        )
        return table.lookup(class_ids)

    def _label_table(self) -> Any:
        return index_table_from_tensor(tuple(self._label_vocabulary), name="class_id_lookup")

    def _classification(self, scores: Tensor) -> ClassificationOutput:
        return ClassificationOutput(
            scores=scores, classes=self._for_each_example(scores, names=True)
        )

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        output = self._classification(predictions[PredictionKeys.PROBABILITIES])
        return {
            DEFAULT_SERVING_KEY: output,
            CLASSIFY_SERVING_KEY: output,
            PREDICT_SERVING_KEY: PredictOutput(predictions),
        }


class MultiClassHead(_Classifier):
    """Softmax cross entropy over more than two classes; labels are ids, or names."""

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        name: str | None = None,
    ):
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise ValueError(
                "label_vocabulary should be a list or a tuple. Given type: "
                f"{type(label_vocabulary)}"
            )
        super().__init__(
            label_vocabulary=label_vocabulary,
            weight_column=weight_column,
            loss_reduction=loss_reduction,
            loss_fn=loss_fn,
            name=name,
        )
        if n_classes is None:
            raise ValueError("n_classes cannot be None")
        self._n_classes = checked_classes(n_classes)

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
            all_class_ids = self._for_each_example(logits, names=False)
            all_classes = self._for_each_example(logits, names=True)
            class_ids = argmax(logits, axis=-1, name=PredictionKeys.CLASS_IDS)
            class_ids = raw.ExpandDims(class_ids, -1)
            classes = self._names_of(class_ids)
            probabilities = softmax(logits, name=PredictionKeys.PROBABILITIES)
        return logits, {
            PredictionKeys.LOGITS: logits,
            PredictionKeys.PROBABILITIES: probabilities,
            PredictionKeys.CLASS_IDS: class_ids,
            PredictionKeys.CLASSES: classes,
            PredictionKeys.ALL_CLASS_IDS: all_class_ids,
            PredictionKeys.ALL_CLASSES: all_classes,
        }

    def _label_ids(self, labels: Tensor) -> Tensor:
        if self._label_vocabulary is None:
            if not labels.dtype.is_integer:
                raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype}.")
            ids = labels
        else:
            if labels.dtype != dtypes.string:
                raise ValueError(
                    "Labels dtype should be string if there is a vocabulary. Instead got "
                    f"{labels.dtype}"
                )
            ids = self._label_table().lookup(labels)
        return checked_range(ids, self._n_classes)

    def _unweighted_loss(self, labels: Any, logits: Tensor, features: Any) -> tuple[Tensor, Tensor]:
        ids = self._label_ids(checked_labels(labels, logits, 1))
        if self._loss_fn:
            return call_loss_fn(self._loss_fn, ids, logits, features), ids
        loss = sparse_softmax_cross_entropy(labels=ids, logits=logits, reduction=Reduction.NONE)
        return raw.ExpandDims(loss, -1), ids

    def _metrics(
        self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any, regularization: Any
    ) -> dict[str, Any]:
        labels, class_ids = loss.processed_labels, predictions[PredictionKeys.CLASS_IDS]
        keys, weights = MetricKeys, loss.weights
        values = [labels, class_ids, weights, loss.unreduced_loss, regularization]
        with name_scope(None, "metrics", values):
            metrics = {
                self._key(keys.LOSS_MEAN): mean(
                    loss.unreduced_loss, weights=weights, name=keys.LOSS_MEAN
                ),
                self._key(keys.ACCURACY): accuracy(
                    labels=labels, predictions=class_ids, weights=weights, name=keys.ACCURACY
                ),
            }
            self._add_regularization_metric(metrics, regularization)
        return metrics


class BinaryHead(_Classifier):
    """Sigmoid cross entropy of two classes with one logit; labels are 0 and 1, or names.

    `thresholds` in (0, 1) add accuracy, precision and recall at these probabilities.
    """

    def __init__(
        self,
        weight_column: Any = None,
        thresholds: Any = None,
        label_vocabulary: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        name: str | None = None,
    ):
        thresholds = tuple(thresholds) if thresholds else ()
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise TypeError(
                f"label_vocabulary should be a list or tuple. Given type: {type(label_vocabulary)}"
            )
        for threshold in thresholds:
            if not 0.0 < threshold < 1.0:
                raise ValueError(f"thresholds not in (0, 1): {(thresholds,)}.")
        super().__init__(
            label_vocabulary=label_vocabulary,
            weight_column=weight_column,
            loss_reduction=loss_reduction,
            loss_fn=loss_fn,
            name=name,
        )
        self._thresholds = thresholds

    @property
    def logits_dimension(self) -> int:
        """1: the logit of class 1."""
        return 1

    @property
    def _classes(self) -> int:
        return 2

    def _predict(self, logits: Any) -> tuple[Tensor, dict[str, Tensor]]:
        keys = PredictionKeys
        with name_scope(None, "predictions", [logits]):
            logits = checked_logits(logits, self.logits_dimension)
            logistic = raw.Sigmoid(logits, name=keys.LOGISTIC)
            both = array_nodes.concat(
                (array_nodes.zeros_like(logits), logits), axis=-1, name="two_class_logits"
            )
            probabilities = softmax(both, name=keys.PROBABILITIES)
            class_ids = argmax(both, axis=-1, name=keys.CLASS_IDS)
            class_ids = raw.ExpandDims(class_ids, -1)
            all_class_ids = self._for_each_example(logits, names=False)
            all_classes = self._for_each_example(logits, names=True)
            classes = self._names_of(class_ids)
        return logits, {
            keys.LOGITS: logits,
            keys.LOGISTIC: logistic,
            keys.PROBABILITIES: probabilities,
            keys.CLASS_IDS: class_ids,
            keys.CLASSES: classes,
            keys.ALL_CLASS_IDS: all_class_ids,
            keys.ALL_CLASSES: all_classes,
        }

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        regression = RegressionOutput(value=predictions[PredictionKeys.LOGISTIC])
        return {**super()._export_outputs(predictions), REGRESS_SERVING_KEY: regression}

    def _unweighted_loss(self, labels: Any, logits: Tensor, features: Any) -> tuple[Tensor, Tensor]:
        labels = checked_labels(labels, logits, 1)
        if self._label_vocabulary is not None:
            labels = self._label_table().lookup(labels)
        labels = checked_range(to_float(labels), n_classes=2)
        if self._loss_fn:
            return call_loss_fn(self._loss_fn, labels, logits, features), labels
        return sigmoid_cross_entropy_with_logits(labels=labels, logits=logits), labels

    def _metrics(
        self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any, regularization: Any
    ) -> dict[str, Any]:
        keys, weights = MetricKeys, loss.weights
        labels = loss.processed_labels
        logits = predictions[PredictionKeys.LOGITS]
        logistic = predictions[PredictionKeys.LOGISTIC]
        class_ids = predictions[PredictionKeys.CLASS_IDS]
        values = [labels, logits, logistic, class_ids, weights, loss.unreduced_loss, regularization]
        hard = {"labels": labels, "predictions": class_ids, "weights": weights}
        soft = {"labels": labels, "predictions": logistic, "weights": weights}
        with name_scope(None, "metrics", values):
            labels_mean = mean_of_floats(labels, weights, keys.LABEL_MEAN, "labels")
            metrics = {
                keys.LOSS_MEAN: mean(loss.unreduced_loss, weights=weights, name=keys.LOSS_MEAN),
                keys.ACCURACY: accuracy(**hard, name=keys.ACCURACY),
                keys.PRECISION: precision(**hard, name=keys.PRECISION),
                keys.RECALL: recall(**hard, name=keys.RECALL),
                keys.PREDICTION_MEAN: mean_of_floats(
                    logistic, weights, keys.PREDICTION_MEAN, "predictions"
                ),
                keys.LABEL_MEAN: labels_mean,
                keys.ACCURACY_BASELINE: _accuracy_baseline(labels_mean),
                keys.AUC: auc_of_floats(**soft, name=keys.AUC),
                keys.AUC_PR: auc_of_floats(**soft, curve="PR", name=keys.AUC_PR),
            }
            metrics = {self._key(key): value for key, value in metrics.items()}
            self._add_regularization_metric(metrics, regularization)
            metrics.update(metrics_at(self._thresholds, soft, self._key))
        return metrics


def mean_of_predictions(predictions: Any, weights: Any) -> Any:
    """The metric "prediction/mean"."""
    return mean_of_floats(predictions, weights, MetricKeys.PREDICTION_MEAN, "predictions")


def mean_of_floats(values: Any, weights: Any, name: str, node: str) -> Any:
    """The weighted mean of numbers of any type."""
    with name_scope(name, node + "_mean", [values, weights]) as scope:
        values = to_float(values, name=node)
        if weights is not None:
            weights = broadcast_weights(weights, values)
        return mean(values, weights=weights, name=scope)


def _accuracy_baseline(labels_mean: Any) -> Any:
    """The accuracy of always giving the class that is more frequent."""
    with name_scope(None, "accuracy_baseline", labels_mean):
        value, update = labels_mean
        return (
            raw.Maximum(value, 1.0 - value, name="value"),
            raw.Maximum(update, 1 - update, name="update_op"),
        )


def auc_of_floats(
    labels: Any, predictions: Any, weights: Any, curve: str = "ROC", name: Any = None
) -> Any:
    """The weighted area under a curve of probabilities of any type."""
    with name_scope(name, "auc", [predictions, labels, weights]) as scope:
        predictions = to_float(predictions, name="predictions")
        if weights is not None:
            weights = broadcast_weights(weights, predictions)
        return auc(labels=labels, predictions=predictions, weights=weights, curve=curve, name=scope)


def _accuracy_at(labels: Any, predictions: Any, weights: Any, threshold: float, name: str) -> Any:
    with name_scope(name, None, [predictions, labels, weights, threshold]) as scope:
        above = to_float(raw.GreaterEqual(predictions, threshold))
        return accuracy(labels=labels, predictions=above, weights=weights, name=scope)


def _squeezed_at(metric: Any) -> Any:
    def at_threshold(
        labels: Any, predictions: Any, weights: Any, threshold: float, name: str
    ) -> Any:
        with name_scope(name, None, [predictions, labels, weights, threshold]) as scope:
            value, update = metric(
                labels=labels,
                predictions=predictions,
                thresholds=(threshold,),
                weights=weights,
                name=scope,
            )
            return array_nodes.squeeze(value), array_nodes.squeeze(update)

    return at_threshold


def metrics_at(thresholds: Any, soft: dict[str, Any], key_of: Any) -> dict[str, Any]:
    """Accuracy, precision and recall of probabilities, at each threshold."""
    found = {}
    for threshold in thresholds:
        for key, metric in (
            (MetricKeys.ACCURACY_AT_THRESHOLD, _accuracy_at),
            (MetricKeys.PRECISION_AT_THRESHOLD, _precision_at),
            (MetricKeys.RECALL_AT_THRESHOLD, _recall_at),
        ):
            name = key % threshold
            found[key_of(name)] = metric(**soft, threshold=threshold, name=name)
    return found


_precision_at = _squeezed_at(precision_at_thresholds)
_recall_at = _squeezed_at(recall_at_thresholds)


def binary_or_multi_class_head(
    n_classes: int, weight_column: Any, label_vocabulary: Any, loss_reduction: str
) -> Head:
    """The head of a classifier of so many classes."""
    if n_classes == 2:
        return BinaryHead(
            weight_column=weight_column,
            label_vocabulary=label_vocabulary,
            loss_reduction=loss_reduction,
        )
    return MultiClassHead(
        n_classes,
        weight_column=weight_column,
        label_vocabulary=label_vocabulary,
        loss_reduction=loss_reduction,
    )
