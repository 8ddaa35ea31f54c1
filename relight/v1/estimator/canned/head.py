"""What the heads of canned estimators share: from logits to an EstimatorSpec."""

from __future__ import annotations

from typing import Any, NamedTuple

from relight.graph.collections import GraphKeys
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor
from relight.v1.estimator.canned.head_checks import (
    check_loss_fn,
    checked_weights,
)
from relight.v1.estimator.canned.keys import MetricKeys
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.estimator.model_fn import EstimatorSpec
from relight.v1.functions.control import group
from relight.v1.functions.math import add_n
from relight.v1.losses.losses import Reduction, compute_weighted_loss
from relight.v1.metrics.means import mean
from relight.v1.summary.summary_ops import scalar
from relight.v1.train import training_util


class LossSpec(NamedTuple):
    """A head's loss of a batch, and what it is made of."""

    training_loss: Tensor
    unreduced_loss: Tensor
    weights: Any
    processed_labels: Tensor


class Head:
    """Makes predictions, loss, metrics and a training operation of a model's logits.

    Args:
      weight_column: a feature, or a numeric column, with the examples' weights.
      loss_reduction: a `tf.losses.Reduction`.
      loss_fn: a function of labels and logits (and features) used instead of the head's loss.
      name: the head's name scope, and a suffix of its metrics.
    """

    # Whether weights may have the shape of the logits.
    _per_logit_weights = False

    def __init__(
        self,
        weight_column: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        name: str | None = None,
    ):
        if loss_reduction not in Reduction.all() or loss_reduction == Reduction.NONE:
            raise ValueError(f"Invalid loss_reduction: {loss_reduction}")
        if loss_fn:
            check_loss_fn(loss_fn)
        self._weight_column = weight_column
        self._loss_reduction = loss_reduction
        self._loss_fn = loss_fn
        self._name = name

    @property
    def name(self) -> str | None:
        """The head's name."""
        return self._name

    @property
    def logits_dimension(self) -> int:
        """The last dimension of the logits."""
        raise NotImplementedError

    # -- to be defined by each head ----------------------------------------------------------------

    def _predict(self, logits: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """(checked logits, predictions)."""
        raise NotImplementedError

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        """What is served."""
        raise NotImplementedError

    def _unweighted_loss(self, labels: Any, logits: Tensor, features: Any) -> tuple[Tensor, Tensor]:
        """(the loss of each example, the labels in the form that metrics want)."""
        raise NotImplementedError

    def _metrics(
        self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any, regularization: Any
    ) -> dict[str, Any]:
        """{name: (value, update)}."""
        raise NotImplementedError

    # -- shared ------------------------------------------------------------------------------------

    def create_loss(self, features: Any, mode: Any, logits: Any, labels: Any) -> LossSpec:
        """The loss of a batch: labels [batch] or [batch, n], logits [batch, n]."""
        del mode
        logits = convert_to_tensor(logits)
        unweighted, processed = self._unweighted_loss(labels, logits, features)
        weights = checked_weights(
            features, self._weight_column, logits, per_logit=self._per_logit_weights
        )
        loss = compute_weighted_loss(unweighted, weights=weights, reduction=self._loss_reduction)
        return LossSpec(loss, unweighted, weights, processed)

    def create_estimator_spec(
        self,
        features: Any,
        mode: Any,
        logits: Any,
        labels: Any = None,
        optimizer: Any = None,
        train_op_fn: Any = None,
        regularization_losses: Any = None,
    ) -> EstimatorSpec:
        """An EstimatorSpec for logits [batch, n].

        Training takes an optimizer, or `train_op_fn` from the loss to an operation;
        `regularization_losses` are added to the loss.
        """
        with name_scope(self._name, "head"):
            logits, predictions = self._predict(logits)
            if mode == ModeKeys.PREDICT:
                exported = self._export_outputs(predictions)
            else:
                loss = self.create_loss(features, mode, logits, labels)
                total, regularization = _with_regularization(
                    loss.training_loss, regularization_losses
                )
            if mode == ModeKeys.TRAIN:
                train_op = _train_op(total, optimizer, train_op_fn)
                mean_loss = None
                if self._loss_reduction == Reduction.SUM:
                    ones = array_nodes.ones_like(loss.unreduced_loss)
                    mean_loss = loss.training_loss / nodes.reduce_sum(loss.weights * ones)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions=predictions, export_outputs=exported)
        if mode == ModeKeys.EVAL:
            metrics = self._metrics(predictions, loss, labels, regularization)
            return EstimatorSpec(mode, predictions=predictions, loss=total, eval_metric_ops=metrics)
        with name_scope(""):
            scalar(self._key(MetricKeys.LOSS), total)
            if mean_loss is not None:
                scalar(self._key(MetricKeys.LOSS_MEAN), mean_loss)
            if regularization is not None:
                scalar(self._key(MetricKeys.LOSS_REGULARIZATION), regularization)
        return EstimatorSpec(mode, predictions=predictions, loss=total, train_op=train_op)

    def _key(self, key: str) -> str:
        return f"{key}/{self._name}" if self._name else key

    def _add_regularization_metric(self, metrics: dict[str, Any], regularization: Any) -> None:
        if regularization is not None:
            key = MetricKeys.LOSS_REGULARIZATION
            metrics[self._key(key)] = mean(regularization, name=key)


def _with_regularization(loss: Tensor, losses: Any) -> tuple[Tensor, Any]:
    """(the loss to train, the sum of the regularization losses or None)."""
    if not losses:
        return loss, None
    regularization = add_n(losses)
    return add_n([loss, regularization]), regularization


def _train_op(loss: Tensor, optimizer: Any, train_op_fn: Any) -> Any:
    if optimizer is not None:
        if train_op_fn is not None:
            raise ValueError("train_op_fn and optimizer cannot both be set.")
        train_op = optimizer.minimize(loss, global_step=training_util.get_global_step())
    elif train_op_fn is not None:
        train_op = train_op_fn(loss)
    else:
        raise ValueError("train_op_fn and optimizer cannot both be None.")
    updates = get_default_graph().get_collection(GraphKeys.UPDATE_OPS)
    return group(train_op, *updates) if updates else train_op
