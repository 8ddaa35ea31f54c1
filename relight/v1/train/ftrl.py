"""FTRL-proximal: McMahan et al. 2013."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops.constants import constant
from relight.v1.train.optimizer import KernelOptimizer

_STRENGTHS = ("l1_regularization_strength", "l2_regularization_strength")
_SHRINKAGE = "l2_shrinkage_regularization_strength"


@export("train.FtrlOptimizer")
class FtrlOptimizer(KernelOptimizer):
    """Follow the regularized leader, with L1 and L2 penalties. Slots: `accum`, `linear`.

    `l2_shrinkage_regularization_strength` adds a penalty on the variable's size to the gradient.
    """

    _slot_order = ("accum", "linear")

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ):
        super().__init__(use_locking, name)
        if initial_accumulator_value < 0.0:
            raise ValueError(
                f"initial_accumulator_value {initial_accumulator_value:f} needs to be positive or "
                "zero"
            )
        if learning_rate_power > 0.0:
            raise ValueError(
                f"learning_rate_power {learning_rate_power:f} needs to be negative or zero"
            )
        strengths = {
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            _SHRINKAGE: l2_shrinkage_regularization_strength,
        }
        for key, value in strengths.items():
            if value < 0.0:
                raise ValueError(f"{key} {value:f} needs to be positive or zero")
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._strengths = strengths
        self._accum_name = accum_name
        self._linear_name = linear_name
        shrinks = l2_shrinkage_regularization_strength > 0.0
        self._kind = "FtrlV2" if shrinks else "Ftrl"
        self._order = (
            "grad",
            "learning_rate",
            *_STRENGTHS,
            *([_SHRINKAGE] if shrinks else []),
            "learning_rate_power",
        )

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            with get_default_graph().colocate_with(var.op):
                value = constant(
                    self._initial_accumulator_value,
                    dtype=var.dtype.base_dtype,
                    shape=var.get_shape(),
                )
                self._get_or_make_slot(var, value, "accum", self._accum_name or self._name)
                self._zeros_slot(var, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        self._keep(
            learning_rate=self._learning_rate,
            **self._strengths,
            learning_rate_power=self._learning_rate_power,
        )
