# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.opt`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.opt.adam_variants import (
    AdaMaxOptimizer, AddSignOptimizer, LazyAdamOptimizer, NadamOptimizer, PowerSignOptimizer,
)
from relight.v1.contrib.opt.lars import (
    LARSOptimizer,
)
from relight.v1.contrib.opt.wrappers import (
    AdamWOptimizer, DecoupledWeightDecayExtension, MomentumWOptimizer, MovingAverageOptimizer,
    extend_with_decoupled_weight_decay,
)

__getattr__ = missing("tf.contrib.opt")

__all__ = [
    "AdaMaxOptimizer", "AdamWOptimizer", "AddSignOptimizer", "DecoupledWeightDecayExtension",
    "LARSOptimizer", "LazyAdamOptimizer", "MomentumWOptimizer", "MovingAverageOptimizer",
    "NadamOptimizer", "PowerSignOptimizer", "extend_with_decoupled_weight_decay",
]
