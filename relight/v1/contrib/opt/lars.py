"""Momentum whose learning rate is scaled layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.ops.math_nodes import cast
from relight.v1.functions.array import where
from relight.v1.functions.linalg import norm
from relight.v1.train.momentum import MomentumOptimizer


@export("contrib.opt.LARSOptimizer")
class LARSOptimizer(MomentumOptimizer):
    """Layer-wise adaptive rate scaling (You et al. 2017).

    After weight_decay * w was added to the dense gradient g of a variable w, it is multiplied by
    eeta * |w| / (|g| + weight_decay * |w| + epsilon), g without the decay.
    Variables whose names hold a string of `skip_list`, and sparse gradients, are not scaled.
    Slot: `momentum`. Raises ValueError for negative `momentum` or `weight_decay`.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any = 0.9,
        weight_decay: float = 0.0001,
        eeta: float = 0.001,
        epsilon: float = 0.0,
        name: str = "LARSOptimizer",
        skip_list: Sequence[str] | None = None,
        use_nesterov: bool = False,
    ):
        if momentum < 0.0:
            raise ValueError(f"momentum should be positive: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"weight_decay should be positive: {weight_decay}")
        super().__init__(learning_rate, momentum, False, name, use_nesterov)
        self._weight_decay = weight_decay
        self._eeta = eeta
        self._epsilon = epsilon
        self._skip_list = skip_list

    def compute_lr(self, grad: Tensor, var: Any) -> tuple[Any, Tensor]:
        """(learning rate, gradient) of a variable, scaled and with the decay added."""
        if self._skip_list is not None and any(part in var.name for part in self._skip_list):
            return self._learning_rate, grad
        w_norm, g_norm = norm(var, ord=2), norm(grad, ord=2)
        ratio = where(
            raw.Greater(x=w_norm, y=0),
            where(
                raw.Greater(x=g_norm, y=0),
                self._eeta * w_norm / (g_norm + self._weight_decay * w_norm + self._epsilon),
                1.0,
            ),
            1.0,
        )
        return self._learning_rate * ratio, grad + self._weight_decay * var

    def _scaled(self, grad: Tensor, var: Any) -> dict[str, Any]:
        rate, grad = self.compute_lr(grad, var)
        return {
            "lr": cast(1.0, var.dtype.base_dtype),
            "grad": grad * rate,
            "momentum": self._momentum,
            "use_locking": False,
            "use_nesterov": self._use_nesterov,
        }

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        scaled = self._scaled(grad, var)
        return raw.ApplyMomentum(var=var._ref(), accum=self.get_slot(var, "momentum")._ref(),
                                 **scaled)  # fmt: skip

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        scaled = self._scaled(grad, handle)
        slot = self.get_slot(handle, "momentum")
        return raw.ResourceApplyMomentum(var=handle.handle, accum=slot.handle, **scaled)
