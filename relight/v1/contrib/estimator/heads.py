"""Heads of `tf.contrib.estimator`; their loss is the mean over the batch by default."""

from __future__ import annotations

from typing import Any

from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.v1.estimator.canned.classification import BinaryHead, MultiClassHead
from relight.v1.estimator.canned.head import Head
from relight.v1.estimator.canned.head_checks import checked_range
from relight.v1.estimator.canned.regression import RegressionHead
from relight.v1.functions.nn_losses import log_poisson_loss, sigmoid_cross_entropy_with_logits
from relight.v1.losses.losses import Reduction


def multi_class_head(
    n_classes: int,
    weight_column: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    loss_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head of more than two classes with softmax cross entropy (or `loss_fn`)."""
    return MultiClassHead(
        n_classes=n_classes,
        weight_column=weight_column,
        label_vocabulary=label_vocabulary,
        loss_reduction=loss_reduction,
        loss_fn=loss_fn,
        name=name,
    )


def binary_classification_head(
    weight_column: Any = None,
    thresholds: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    loss_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head of two classes with sigmoid cross entropy (or `loss_fn`).

    `thresholds` add accuracy, precision and recall at these probabilities.
    """
    return BinaryHead(
        weight_column=weight_column,
        thresholds=thresholds,
        label_vocabulary=label_vocabulary,
        loss_reduction=loss_reduction,
        loss_fn=loss_fn,
        name=name,
    )


def regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    loss_fn: Any = None,
    inverse_link_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head of numbers with the squared error (or `loss_fn`).

    `inverse_link_fn` makes predictions of logits.
    """
    return RegressionHead(
        weight_column=weight_column,
        label_dimension=label_dimension,
        loss_reduction=loss_reduction,
        loss_fn=loss_fn,
        inverse_link_fn=inverse_link_fn,
        name=name,
    )


def poisson_regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    compute_full_loss: bool = True,
    name: str | None = None,
) -> Head:
    """A head of counts: the predictions are exp(logits), the loss Poisson's."""

    def poisson_loss(labels: Any, logits: Tensor) -> Tensor:
        return log_poisson_loss(
            targets=labels, log_input=logits, compute_full_loss=compute_full_loss
        )

    return RegressionHead(
        weight_column=weight_column,
        label_dimension=label_dimension,
        loss_reduction=loss_reduction,
        loss_fn=poisson_loss,
        inverse_link_fn=raw.Exp,
        name=name,
    )


def logistic_regression_head(
    weight_column: Any = None,
    loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    name: str | None = None,
) -> Head:
    """A head of labels in [0, 1]: the predictions are sigmoid(logits)."""

    def logistic_loss(labels: Any, logits: Tensor) -> Tensor:
        labels = checked_range(labels, n_classes=2, message="Labels must be in range [0, 1]")
        return sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    return RegressionHead(
        weight_column=weight_column,
        label_dimension=1,
        loss_reduction=loss_reduction,
        loss_fn=logistic_loss,
        inverse_link_fn=raw.Sigmoid,
        name=name,
    )
