"""Heads of `tf.contrib.learn`: from a model's logits to ModelFnOps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1 import logging
from relight.v1.contrib.layers.layers import linear
from relight.v1.contrib.learn.model_fn import ModeKeys, ModelFnOps
from relight.v1.functions.lookup import (
    index_table_from_tensor,
    index_to_string_table_from_tensor,
)
from relight.v1.functions.math import argmax
from relight.v1.functions.nn import softmax, sparse_softmax_cross_entropy_with_logits
from relight.v1.functions.nn_losses import sigmoid_cross_entropy_with_logits
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor
from relight.v1.functions.strings import as_string
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.functions.weights_broadcast import broadcast_weights
from relight.v1.metrics.counts import precision_at_thresholds, recall_at_thresholds
from relight.v1.metrics.curves import auc
from relight.v1.metrics.means import accuracy, mean
from relight.v1.summary.summary_ops import scalar


class PredictionKey:
    """Names of predictions."""

    CLASSES = "classes"
    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    LOGISTIC = "logistic"
    SCORES = "scores"
    TOP_K = "top_k"
    GENERIC = "output"


class Head:
    """Predictions, loss, metrics and training operation of logits [batch, n].

    `weight_column_name` is the feature with the examples' weights, `label_name` that of the
    labels where they are a dict; `head_name` is the scope and a suffix of metrics.
    """

    _scope = "head"

    def __init__(
        self,
        logits_dimension: int,
        label_name: str | None = None,
        weight_column_name: str | None = None,
        head_name: str | None = None,
    ):
        if logits_dimension is None or logits_dimension < 1:
            raise ValueError(f"Invalid logits_dimension {logits_dimension}.")
        self.logits_dimension = logits_dimension
        self.label_name = label_name
        self.weight_column_name = weight_column_name
        self.head_name = head_name

    def create_model_fn_ops(
        self,
        features: dict[str, Any],
        mode: str,
        labels: Any = None,
        train_op_fn: Callable[[Tensor], Any] | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        """ModelFnOps; training takes `train_op_fn` from the loss to an operation.

        Instead of `logits`, `logits_input` [batch, n] may be given, of which a layer makes them.
        """
        values = [*features.values(), labels, logits, logits_input]
        with variable_scope(scope, default_name=self.head_name or self._scope, values=values):
            labels = None if mode == ModeKeys.INFER or labels is None else self._tensor(labels)
            logits = self._logits(logits, logits_input)
            predictions = self._predictions(logits)
            loss, train_op, metrics = None, None, None
            if labels is not None:
                weights = _weights(features, self.weight_column_name)
                loss, average = self._loss(labels, logits, weights)
                with name_scope(""):
                    scalar(self._key("loss"), array_nodes.identity(average))
                if mode == ModeKeys.TRAIN:
                    if train_op_fn is None:
                        raise ValueError("train_op_fn can not be None in TRAIN mode")
                    array_nodes.shape(logits)[0]  # TensorFlow's graph has the batch's size here
                    with name_scope(None, "train_op", [loss]):
                        train_op = train_op_fn(loss)
                metrics = self._metrics(average, predictions, labels, weights)
            return ModelFnOps(
                mode=mode,
                predictions=predictions,
                loss=loss,
                train_op=train_op,
                eval_metric_ops=metrics,
                output_alternatives=self._alternatives(predictions),
            )

    def _logits(self, logits: Any, logits_input: Any) -> Tensor:
        if (logits is None) == (logits_input is None):
            both = "Both logits and" if logits is not None else "Neither logits nor"
            raise ValueError(f"{both} logits_input supplied.")
        if logits is None:
            return linear(logits_input, self.logits_dimension, scope="logits")
        return convert_to_tensor(logits, name="logits")

    def _tensor(self, labels: Any) -> Any:
        labels = labels[self.label_name] if isinstance(labels, dict) else labels
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            raise ValueError("SparseTensor is not supported.")
        return labels

    def _key(self, key: str) -> str:
        return f"{key}/{self.head_name}" if self.head_name else key

    def _predictions(self, logits: Tensor) -> dict[str, Tensor]:
        raise NotImplementedError

    def _loss(self, labels: Any, logits: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def _metrics(
        self, loss: Tensor, predictions: dict[str, Tensor], labels: Any, weights: Any
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _alternatives(self, predictions: dict[str, Tensor]) -> dict[Any, Any]:
        raise NotImplementedError


def _weights(features: dict[str, Any], name: str | None) -> Any:
    if not name:
        return None
    if name not in features:
        raise ValueError(f"Weights {name} missing from features.")
    with name_scope(None, "weight_tensor", list(features.values())):
        weights = nodes.cast(features[name], dtypes.float32)
        if weights.shape.ndims != 1:
            return weights
        logging.warning(f"Weights {name} has shape {weights.shape}, expanding to make it 2d.")
        return array_nodes.reshape(weights, (-1, 1))


def _weighted(losses: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
    """(the loss to train, the loss to show)."""
    with name_scope("loss", None, [losses, weights]) as scope:
        if weights is None:
            loss = nodes.reduce_mean(losses, name=scope)
            return loss, loss
        weights = broadcast_weights(weights, losses)
        with name_scope(None, "weighted_loss", [losses, weights]) as name:
            weighted = raw.Mul(losses, weights, name=name)
        loss = nodes.reduce_mean(weighted, name=scope)
        total = nodes.cast(nodes.reduce_sum(weights), dtypes.float32)
        average = nodes.div(nodes.reduce_sum(weighted), total, name="weighted_average_loss")
        return loss, average


def _mean_of(values: Any, weights: Any) -> Any:
    values = nodes.cast(values, dtypes.float32)
    if weights is not None:
        weights = broadcast_weights(nodes.cast(weights, dtypes.float32), values)
    return mean(values, weights)


def _class_alternatives(head: Head, kind: str, predictions: Any, names: Any) -> dict[Any, Any]:
    probabilities = predictions[PredictionKey.PROBABILITIES]
    with name_scope(None, "_classification_output_alternatives", [probabilities]):
        batch = array_nodes.shape(probabilities)[0]
        if names:
            row = raw.ExpandDims(names, 0)
            classes = raw.Tile(row, [batch, 1], name="classes_tensor")
        else:
            row = raw.ExpandDims(nodes.range(array_nodes.shape(probabilities)[1]), 0)
            classes = as_string(raw.Tile(row, [batch, 1]), name="classes_tensor")
    exported = {
        PredictionKey.PROBABILITIES: probabilities,
        PredictionKey.CLASSES: classes,
    }
    return {head.head_name: (kind, exported)}


class MultiClassHead(Head):
    """Softmax cross entropy; `label_keys` are the names of the classes."""

    _scope = "multi_class_head"

    def __init__(self, n_classes: int, label_keys: Any = None, **kwargs: Any):
        super().__init__(n_classes, **kwargs)
        if n_classes <= 2:
            raise ValueError(f"n_classes must be > 2: {n_classes}.")
        if label_keys and len(label_keys) != n_classes:
            raise ValueError("Length of label_keys must equal n_classes.")
        self._label_keys = label_keys

    def _predictions(self, logits: Tensor) -> dict[str, Tensor]:
        key = PredictionKey
        with name_scope(None, "predictions", [logits]):
            classes = argmax(logits, 1, name=key.CLASSES)
            if self._label_keys:
                table = index_to_string_table_from_tensor(
                    self._label_keys, name="class_string_lookup"
                )
                classes = table.lookup(classes)
            probabilities = softmax(logits, name=key.PROBABILITIES)
        return {key.LOGITS: logits, key.PROBABILITIES: probabilities, key.CLASSES: classes}

    def _tensor(self, labels: Any) -> Any:
        labels = super()._tensor(labels)
        if not self._label_keys:
            return labels, labels
        table = index_table_from_tensor(self._label_keys, name="label_id_lookup")
        return labels, table.lookup(labels)

    def _loss(self, labels: Any, logits: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
        ids = labels[1]
        with name_scope(None, "softmax_cross_entropy_loss", [logits, ids]) as scope:
            if not ids.dtype.is_integer:
                raise ValueError(f"Labels dtype should be integer Instead got {ids.dtype}.")
            is_column = ids.shape.ndims == 2
            if is_column:
                ids = array_nodes.squeeze(ids, axis=(1,))
            losses = sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits, name=scope)
            if is_column:
                losses = raw.ExpandDims(losses, 1)
            return _weighted(losses, weights)

    def _metrics(
        self, loss: Tensor, predictions: dict[str, Tensor], labels: Any, weights: Any
    ) -> dict[str, Any]:
        with name_scope("metrics", None, [loss]):
            return {
                self._key("loss"): mean(loss),
                self._key("accuracy"): accuracy(
                    labels[0], predictions[PredictionKey.CLASSES], weights
                ),
            }

    def _alternatives(self, predictions: dict[str, Tensor]) -> dict[Any, Any]:
        return _class_alternatives(self, "classification", predictions, self._label_keys)


class BinaryHead(Head):
    """Sigmoid cross entropy of labels 0 and 1, with one logit."""

    _scope = "binary_logistic_head"
    _threshold = 0.5

    def __init__(self, **kwargs: Any):
        super().__init__(1, **kwargs)

    def _predictions(self, logits: Tensor) -> dict[str, Tensor]:
        key = PredictionKey
        with name_scope(None, "predictions", [logits]):
            both = array_nodes.concat((array_nodes.zeros_like(logits), logits), 1)
            return {
                key.LOGITS: logits,
                key.LOGISTIC: raw.Sigmoid(logits, name=key.LOGISTIC),
                key.PROBABILITIES: softmax(both, name=key.PROBABILITIES),
                key.CLASSES: argmax(both, 1, name=key.CLASSES),
            }

    def _loss(self, labels: Any, logits: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
        with name_scope(None, "log_loss_with_two_classes", [logits, labels]) as scope:
            labels = nodes.cast(labels, dtypes.float32)
            if labels.shape.ndims == 1:
                labels = raw.ExpandDims(labels, 1)
            losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name=scope)
            return _weighted(losses, weights)

    def _metrics(
        self, loss: Tensor, predictions: dict[str, Tensor], labels: Any, weights: Any
    ) -> dict[str, Any]:
        classes = predictions[PredictionKey.CLASSES]
        logistic = predictions[PredictionKey.LOGISTIC]
        with name_scope("metrics", None, [loss, labels, weights, *predictions.values()]):
            found = {
                "loss": mean(loss),
                "accuracy": accuracy(labels, classes, weights),
                "labels/prediction_mean": _mean_of(logistic, weights),
                "labels/actual_label_mean": _mean_of(labels, weights),
                "accuracy/baseline_label_mean": _mean_of(labels, weights),
                "auc": _auc(logistic, labels, weights, "ROC"),
                "auc_precision_recall": _auc(logistic, labels, weights, "PR"),
            }
            limit = self._threshold
            above = nodes.cast(raw.GreaterEqual(logistic, limit), dtypes.float32)
            found[f"accuracy/threshold_{limit:f}_mean"] = accuracy(labels, above, weights)
            for name, metric in (
                ("precision", precision_at_thresholds),
                ("recall", recall_at_thresholds),
            ):
                value, update = metric(labels, logistic, (limit,), weights)
                key = f"{name}/positive_threshold_{limit:f}_mean"
                found[key] = (array_nodes.squeeze(value), array_nodes.squeeze(update))
            return {self._key(key): value for key, value in found.items()}

    def _alternatives(self, predictions: dict[str, Tensor]) -> dict[Any, Any]:
        return _class_alternatives(self, "logistic_regression", predictions, None)


def _auc(predictions: Tensor, labels: Tensor, weights: Any, curve: str) -> Any:
    if labels.dtype.base_dtype != dtypes.bool:
        logging.warning("Casting %s labels to bool.", labels.dtype)
        labels = nodes.cast(labels, dtypes.bool)
    if weights is not None:
        weights = broadcast_weights(nodes.cast(weights, dtypes.float32), predictions)
    return auc(labels, predictions, weights, curve=curve)


class RegressionHead(Head):
    """Squared error of labels [batch, n] or, for one logit, [batch]."""

    _scope = "regression_head"

    def _predictions(self, logits: Tensor) -> dict[str, Tensor]:
        key = PredictionKey.SCORES
        with name_scope(None, "predictions", [logits]):
            if self.logits_dimension == 1:
                logits = array_nodes.squeeze(logits, axis=(1,), name=key)
            return {key: array_nodes.identity(logits)}

    def _loss(self, labels: Any, logits: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
        with name_scope(None, "mean_squared_loss", [logits, labels]) as scope:
            if labels.shape.ndims == 1:
                labels = raw.ExpandDims(labels, 1)
            logits.shape.assert_is_compatible_with(labels.shape)
            labels = nodes.cast(labels, dtypes.float32)
            return _weighted(raw.SquaredDifference(logits, labels, name=scope), weights)

    def _metrics(
        self, loss: Tensor, predictions: dict[str, Tensor], labels: Any, weights: Any
    ) -> dict[str, Any]:
        with name_scope("metrics", None, [loss]):
            return {self._key("loss"): mean(loss)}

    def _alternatives(self, predictions: dict[str, Tensor]) -> dict[Any, Any]:
        return {self.head_name: ("linear_regression", predictions)}


def multi_class_head(
    n_classes: int, weight_column_name: str | None = None, label_keys: Any = None
) -> Head:
    """The head of a classifier of so many classes."""
    if n_classes is None or n_classes < 2:
        raise ValueError(f"n_classes must be > 1 for classification: {n_classes}.")
    if n_classes > 2:
        return MultiClassHead(n_classes, label_keys, weight_column_name=weight_column_name)
    if label_keys:
        raise ValueError("label_keys is not supported for n_classes=2.")
    return BinaryHead(weight_column_name=weight_column_name)
