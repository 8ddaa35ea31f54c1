"""`tf.estimator.export`: what a served model gives, as a kind of signature."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops.constants import constant
from relight.v1.functions import saved_model_signatures as signatures

DEFAULT_SERVING_SIGNATURE_DEF_KEY = signatures.DEFAULT_SERVING_SIGNATURE_DEF_KEY


@export("estimator.export.ExportOutput")
class ExportOutput:
    """Base of the kinds of output."""

    _SEPARATOR_CHAR = "/"

    def as_signature_def(self, receiver_tensors: dict[str, Any]) -> Any:
        """The SignatureDef from tensors that a server feeds to this output.

        Raises ValueError when this kind of output cannot be served with these inputs.
        """
        raise NotImplementedError(f"{type(self).__name__} has no as_signature_def")

    @staticmethod
    def _single_string(receiver_tensors: dict[str, Any], what: str) -> Any:
        values = list(receiver_tensors.values())
        if len(values) != 1 or values[0].dtype != dtypes.string:
            raise ValueError(f"{what} input must be a single string Tensor; got {receiver_tensors}")
        return values[0]

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

    def as_signature_def(self, receiver_tensors: dict[str, Any]) -> Any:
        """A classification's signature."""
        examples = self._single_string(receiver_tensors, "Classification")
        return signatures.classification_signature_def(examples, self.classes, self.scores)


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

    def as_signature_def(self, receiver_tensors: dict[str, Any]) -> Any:
        """A regression's signature."""
        examples = self._single_string(receiver_tensors, "Regression")
        return signatures.regression_signature_def(examples, self.value)


@export("estimator.export.PredictOutput")
class PredictOutput(ExportOutput):
    """Any tensors, by name; a single one is called "output"."""

    def __init__(self, outputs: Any):
        self._outputs = self._checked(outputs, "output", "Prediction")

    @property
    def outputs(self) -> dict[str, Tensor]:
        """{name: tensor}."""
        return self._outputs

    def as_signature_def(self, receiver_tensors: dict[str, Any]) -> Any:
        """A prediction's signature."""
        return signatures.predict_signature_def(receiver_tensors, self.outputs)


class SupervisedOutput(ExportOutput):
    """Loss, predictions and metrics of a graph that trains or evaluates, by prefixed names."""

    def __init__(self, method_name: str, loss: Any, predictions: Any, metrics: Any):
        self._method_name = method_name
        self.loss = None if loss is None else self._prefixed(loss, "loss")
        self.predictions = None
        if predictions is not None:
            self.predictions = self._prefixed(predictions, "predictions")
        self.metrics = None if metrics is None else self._checked_metrics(metrics)

    def _prefixed(self, outputs: Any, name: str) -> dict[str, Tensor]:
        found = self._checked(outputs, name)
        return {self._with_prefix(key, name): value for key, value in found.items()}

    def _with_prefix(self, key: str, name: str) -> str:
        return key if key.startswith(name) else name + self._SEPARATOR_CHAR + key

    def _checked_metrics(self, metrics: Any) -> dict[str, Any]:
        if not isinstance(metrics, dict):
            metrics = {"metrics": metrics}
        outputs: dict[str, Any] = {}
        for key, (value, update) in metrics.items():
            if isinstance(key, tuple):
                key = self._SEPARATOR_CHAR.join(key)
            if not isinstance(key, str):
                raise ValueError(f"metrics output key must be a string; got {key}.")
            key = self._with_prefix(key, "metrics")
            if not isinstance(value, Tensor):
                raise ValueError(f"{key} output value must be a Tensor; got {value}.")
            if not isinstance(update, (Tensor, Operation)):
                raise ValueError(f"{key} update_op must be a Tensor or Operation; got {update}.")
            if isinstance(update, Operation):  # a signature holds tensors
                with get_default_graph().control_dependencies([update]):
                    update = constant([], name="metric_op_wrapper")
            outputs[key + "/value"] = value
            outputs[key + "/update_op"] = update
        return outputs

    def as_signature_def(self, receiver_tensors: dict[str, Any]) -> Any:
        """The signature of training or evaluation."""
        return signatures.supervised_signature_def(
            self._method_name, receiver_tensors, self.loss, self.predictions, self.metrics
        )


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
