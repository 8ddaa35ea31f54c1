"""Momentum, classical and Nesterov's."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.v1.train.optimizer import KernelOptimizer


@export("train.MomentumOptimizer")
class MomentumOptimizer(KernelOptimizer):
    """accumulation = momentum * accumulation + gradient; variable -= learning_rate * accumulation.

    `use_nesterov`: Sutskever et al. 2013. Slot: `momentum`.
    """

    _kind = "Momentum"
    _slot_order = ("momentum",)
    _order = ("learning_rate", "grad", "momentum")

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._keep(learning_rate=self._learning_rate, momentum=self._momentum)
        self._learning_rate_tensor = self._rates["learning_rate"]
        self._momentum_tensor = self._rates["momentum"]

    def _attrs(self) -> dict[str, Any]:
        return {"use_locking": self._use_locking, "use_nesterov": self._use_nesterov}
