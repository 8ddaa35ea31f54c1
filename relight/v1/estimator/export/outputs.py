"""`tf.estimator.export`: what a served model gives, as a kind of signature."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Tensor

DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default"


@export("estimator.export.ExportOutput")
class ExportOutput:
    """Base of the kinds of output."""

    _SEPARATOR_CHAR = "/"

    def _checked(
        self, outputs: Any, default_name: str, error_label: str | None = None
    ) -> dict[str, Tensor]:
        """{name: tensor} of one tensor or a dict; ValueError for other keys or values."""
        if not isinstance(outputs, dict):
            outputs = {default_name: outputs}
        label = error_label or default_name
        found = {}
        for key, value in outputs.items():
            if isinstance(key, tuple):
                key = self._SEPARATOR_CHAR.join(key)
            if not isinstance(key, str):
                raise ValueError(f"{label} output key must be a string; got {key}.")
            if not isinstance(value, Tensor):
                raise ValueError(f"{label} output value must be a Tensor; got {value}.")
            found[key] = value
        return found


@export("estimator.export.ClassificationOutput")
class ClassificationOutput(ExportOutput):
    """Classes (string [batch, classes]), their scores (floating, same shape), or both."""

    def __init__(self, scores: Any = None, classes: Any = None):
        if scores is not None and not (isinstance(scores, Tensor) and scores.dtype.is_floating):
            raise ValueError(f"Classification scores must be a float32 Tensor; got {scores}")
        if classes is not None and not (
            isinstance(classes, Tensor) and classes.dtype == dtypes.string
        ):
            raise ValueError(f"Classification classes must be a string Tensor; got {classes}")
        if scores is None and classes is None:
            raise ValueError("At least one of scores and classes must be set.")
        self._scores = scores
        self._classes = classes

    @property
    def scores(self) -> Any:
        """The scores, or None."""
        return self._scores

    @property
    def classes(self) -> Any:
        """The classes, or None."""
        return self._classes


@export("estimator.export.RegressionOutput")
class RegressionOutput(ExportOutput):
    """One floating tensor of values."""

    def __init__(self, value: Any):
        if not (isinstance(value, Tensor) and value.dtype.is_floating):
            raise ValueError(f"Regression output value must be a float32 Tensor; got {value}")
        self._value = value

    @property
    def value(self) -> Tensor:
        """The values."""
        return self._value


@export("estimator.export.PredictOutput")
class PredictOutput(ExportOutput):
    """Any tensors, by name; a single one is called "output"."""

    def __init__(self, outputs: Any):
        self._outputs = self._checked(outputs, "output", "Prediction")

    @property
    def outputs(self) -> dict[str, Tensor]:
        """{name: tensor}."""
        return self._outputs


def with_default_output(export_outputs: Any, predictions: Any) -> dict[str, ExportOutput]:
    """The outputs of a model with one that is served by default; the predictions when None.

    Raises TypeError for what are no ExportOutputs, ValueError when several are given and none is
    the default one.
    """
    if export_outputs is None:
        export_outputs = {DEFAULT_SERVING_SIGNATURE_DEF_KEY: PredictOutput(predictions)}
    if not isinstance(export_outputs, dict):
        raise TypeError(f"export_outputs must be dict, given: {export_outputs}")
    for value in export_outputs.values():
        if not isinstance(value, ExportOutput):
            raise TypeError(
                f"Values in export_outputs must be ExportOutput objects. Given: {export_outputs}"
            )
    if DEFAULT_SERVING_SIGNATURE_DEF_KEY not in export_outputs:
        if len(export_outputs) > 1:
            raise ValueError(
                "Multiple export_outputs were provided, but none of them is specified as the "
                "default.  Do this by naming one of them with "
                "signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY."
            )
        for value in list(export_outputs.values()):
            export_outputs[DEFAULT_SERVING_SIGNATURE_DEF_KEY] = value
    return export_outputs
