# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.train.experimental`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.train.loss_scale import (
    DynamicLossScale, FixedLossScale, LossScale,
)
from relight.v1.train.mixed_precision import (
    MixedPrecisionLossScaleOptimizer, disable_mixed_precision_graph_rewrite,
    enable_mixed_precision_graph_rewrite,
)

__getattr__ = missing("tf.train.experimental")

__all__ = [
    "DynamicLossScale", "FixedLossScale", "LossScale", "MixedPrecisionLossScaleOptimizer",
    "disable_mixed_precision_graph_rewrite", "enable_mixed_precision_graph_rewrite",
]
