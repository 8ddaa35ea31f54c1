"""RMSProp: Hinton 2012."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.ops import array_nodes
from relight.v1.functions.init import Ones
from relight.v1.train.optimizer import KernelOptimizer


@export("train.RMSPropOptimizer")
class RMSPropOptimizer(KernelOptimizer):
    """Steps divided by the root of the running mean square of the gradient, with momentum.

    `centered` divides by the running variance instead. Slots: `rms`, `momentum` and, when
    centered, `mg` (the running mean).
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._decay = decay
        self._momentum = momentum
        self._epsilon = epsilon
        self._centered = centered
        self._kind = "CenteredRMSProp" if centered else "RMSProp"
        self._slot_order = ("mg", "rms", "momentum") if centered else ("rms", "momentum")
        self._order = ("learning_rate", "decay", "momentum", "epsilon", "grad")

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype, shape = var.dtype.base_dtype, var.get_shape()
            ones = Ones(dtype=dtype) if shape.is_fully_defined() else array_nodes.ones_like(var)
            self._get_or_make_slot_with_initializer(var, ones, shape, dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._keep(
            learning_rate=self._learning_rate,
            decay=self._decay,
            momentum=self._momentum,
            epsilon=self._epsilon,
        )
