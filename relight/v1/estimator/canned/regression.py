"""The head of regressors: mean squared error."""

from __future__ import annotations

from typing import Any

from relight.graph.node import Tensor
from relight.v1.estimator.canned.classification import mean_of_predictions
from relight.v1.estimator.canned.head import Head, LossSpec
from relight.v1.estimator.canned.head_checks import call_loss_fn, checked_labels, checked_logits
from relight.v1.estimator.canned.keys import (
    DEFAULT_SERVING_KEY,
    PREDICT_SERVING_KEY,
    REGRESS_SERVING_KEY,
    MetricKeys,
    PredictionKeys,
)
from relight.v1.estimator.export.outputs import PredictOutput, RegressionOutput
from relight.v1.functions.math import to_float
from relight.v1.losses.losses import Reduction, mean_squared_error
from relight.v1.metrics.means import mean


class RegressionHead(Head):
    """Squared error of labels [batch, label_dimension].

    `inverse_link_fn` makes predictions of logits, which are the predictions otherwise.
    """

    _per_logit_weights = True

    def __init__(
        self,
        weight_column: Any = None,
        label_dimension: int = 1,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        inverse_link_fn: Any = None,
        name: str | None = None,
    ):
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        if label_dimension < 1:
            raise ValueError(f"Invalid label_dimension {label_dimension}.")
        self._logits_dimension = label_dimension
        self._inverse_link_fn = inverse_link_fn

    @property
    def logits_dimension(self) -> int:
        """The number of predicted numbers."""
        return self._logits_dimension

    def _predict(self, logits: Any) -> tuple[Tensor, dict[str, Tensor]]:
        logits = checked_logits(logits, self._logits_dimension)
        if not self._inverse_link_fn:
            return logits, {PredictionKeys.PREDICTIONS: logits}
        return logits, {
            PredictionKeys.PREDICTIONS: self._inverse_link_fn(logits),
            PredictionKeys.LOGITS: logits,
        }

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        output = RegressionOutput(value=predictions[PredictionKeys.PREDICTIONS])
        return {
            DEFAULT_SERVING_KEY: output,
            REGRESS_SERVING_KEY: output,
            PREDICT_SERVING_KEY: PredictOutput(predictions),
        }

    def _unweighted_loss(self, labels: Any, logits: Tensor, features: Any) -> tuple[Tensor, Tensor]:
        labels = to_float(checked_labels(labels, logits, self._logits_dimension))
        if self._loss_fn:
            loss = call_loss_fn(self._loss_fn, labels, logits, features, self._logits_dimension)
        else:
            loss = mean_squared_error(labels=labels, predictions=logits, reduction=Reduction.NONE)
        return loss, labels

    def _metrics(
        self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any, regularization: Any
    ) -> dict[str, Any]:
        keys, weights = MetricKeys, loss.weights
        predicted = predictions[PredictionKeys.PREDICTIONS]
        metrics = {
            self._key(keys.LOSS_MEAN): mean(loss.unreduced_loss, weights=weights),
            self._key(keys.PREDICTION_MEAN): mean_of_predictions(predicted, weights),
            self._key(keys.LABEL_MEAN): mean(labels, weights=weights),
        }
        self._add_regularization_metric(metrics, regularization)
        return metrics
