# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.estimator.export`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.estimator.export.outputs import (
    ClassificationOutput, ExportOutput, PredictOutput, RegressionOutput,
)
from relight.v1.estimator.export.receivers import (
    ServingInputReceiver, TensorServingInputReceiver, build_parsing_serving_input_receiver_fn,
    build_raw_serving_input_receiver_fn,
)

__getattr__ = missing("tf.estimator.export")

__all__ = [
    "ClassificationOutput", "ExportOutput", "PredictOutput", "RegressionOutput",
    "ServingInputReceiver", "TensorServingInputReceiver",
    "build_parsing_serving_input_receiver_fn", "build_raw_serving_input_receiver_fn",
]
