"""`tf.contrib.learn.MetricSpec`: a metric function and what it is computed of."""

from __future__ import annotations

from typing import Any

from relight.v1 import logging
from relight.v1.estimator.util import fn_args

_LABELS = ("labels", "label", "targets", "target")
_PREDICTIONS = ("predictions", "prediction", "logits", "logit")
_WEIGHTS = ("weights", "weight")


class MetricSpec:
    """A metric of a model.

    Args:
      metric_fn: a function of predictions, and maybe labels and weights.
      prediction_key, label_key: which of the predictions and labels, where they are dicts.
      weight_key: the feature with the examples' weights.

    Raises:
      ValueError: for a function that lacks an argument for a given key.
    """

    def __init__(
        self,
        metric_fn: Any,
        prediction_key: str | None = None,
        label_key: str | None = None,
        weight_key: str | None = None,
    ):
        self._fn = metric_fn
        function = getattr(metric_fn, "func", metric_fn)
        self._metric_fn_name = getattr(function, "__name__", str(metric_fn))
        self._args = fn_args(metric_fn)
        self._labels = self._argument(_LABELS, label_key is not None)
        self._predictions = self._argument(_PREDICTIONS, False)
        self._weights = self._argument(_WEIGHTS, weight_key is not None)
        self._prediction_key = prediction_key
        self._label_key = label_key
        self._weight_key = weight_key

    @property
    def prediction_key(self) -> str | None:
        """Which of the predictions."""
        return self._prediction_key

    @property
    def label_key(self) -> str | None:
        """Which of the labels."""
        return self._label_key

    @property
    def weight_key(self) -> str | None:
        """The feature with weights."""
        return self._weight_key

    @property
    def metric_fn(self) -> Any:
        """The metric as a function of `labels`, `predictions` and `weights`."""
        return self._call

    def _argument(self, candidates: tuple[str, ...], required: bool) -> str | None:
        """The one of `candidates` that the metric function takes."""
        found = [name for name in candidates if name in self._args]
        if len(found) > 1:
            raise ValueError(f"Ambiguous arguments {found}, must provide only one of {candidates}.")
        if not found:
            if required:
                raise ValueError(f"{candidates} missing from {self._metric_fn_name}({self._args}).")
            return None
        if found[0] != candidates[0]:
            logging.warning(
                "Canonical arg %s missing from %s(%s), using %s.",
                candidates[0],
                self._metric_fn_name,
                self._args,
                found[0],
            )
        return found[0]

    def _call(self, labels: Any = None, predictions: Any = None, weights: Any = None) -> Any:
        given = {}
        if weights is not None and self._weights:
            given[self._weights] = weights
        if self._labels and not self._predictions and self._labels == self._args[0]:
            return self._fn(labels, predictions, **given)
        if self._labels:
            given[self._labels] = labels
        if self._predictions:
            return self._fn(**given, **{self._predictions: predictions})
        return self._fn(predictions, **given)

    def __str__(self) -> str:
        return (
            f"MetricSpec(metric_fn={self._metric_fn_name}, prediction_key={self.prediction_key}, "
            f"label_key={self.label_key}, weight_key={self.weight_key})"
        )

    def create_metric_ops(self, inputs: Any, labels: Any, predictions: Any) -> Any:
        """What the function gives for a model's features, labels and predictions."""
        prediction = _chosen("prediction", predictions, self.prediction_key)
        label = _chosen("label", labels, self.label_key)
        weights = inputs[self.weight_key] if self.weight_key else None
        try:
            return self._call(labels=label, predictions=prediction, weights=weights)
        except Exception as error:
            logging.error("Could not create metric ops for %s, %s.", self, error)
            raise


def _chosen(name: str, given: Any, key: str | None) -> Any:
    if key:
        if not isinstance(given, dict):
            raise ValueError(
                f"MetricSpec with {name}_key specified requires {name}s dict, got {given}.\nYou "
                f"must not provide a {name}_key if you only have a single Tensor as {name}s."
            )
        if key not in given:
            raise KeyError(f"Key '{key}' missing from {given.keys()}.")
        return given[key]
    if isinstance(given, dict):
        if len(given) != 1:
            raise ValueError(
                f"MetricSpec without specified {name}_key requires {name}s tensor or single "
                f"element dict, got {given}"
            )
        return next(iter(given.values()))
    return given
