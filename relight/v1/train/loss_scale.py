"""Loss scales: multiply the loss so that small gradients do not vanish in float16.

Source: Micikevicius et al. 2018, "Mixed Precision Training", §3.2.
"""

from __future__ import annotations

import abc
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.ops import math_nodes
from relight.ops.build import convert_to_tensor
from relight.v1.functions import control, control_flow, math, nest
from relight.v1.functions.variables import Variable


@export("train.experimental.LossScale")
class LossScale(abc.ABC):
    """A loss scale. Calling it gives the scale as a float32 scalar."""

    def __init__(self) -> None:
        self._weights: dict[str, Any] = {}

    @abc.abstractmethod
    def __call__(self) -> Any:
        """The current scale: a float32 scalar tensor."""

    @abc.abstractmethod
    def update(self, grads: Any) -> tuple[Any, Any]:
        """(operation that adapts the scale to unscaled `grads`, whether these may be applied)."""

    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The arguments to make it with again."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A loss scale of what `get_config` gave."""
        return cls(**config)

    def _add_weight(self, name: str, initial_value: Any, dtype: Any = None) -> Any:
        if name in self._weights:
            raise RuntimeError(f"Duplicate variables detected. {name}")
        made = Variable(initial_value, name=name, dtype=dtype, trainable=False, use_resource=True)
        self._weights[name] = made
        return made


@export("train.experimental.FixedLossScale")
class FixedLossScale(LossScale):
    """A scale that stays as it is.

    Raises:
      ValueError: for a value that is no number or less than 1.
    """

    def __init__(self, loss_scale_value: float):
        super().__init__()
        if not isinstance(loss_scale_value, (int, float)):
            raise ValueError("loss_scale_value must be a Python int or float.")
        if loss_scale_value < 1:
            raise ValueError("loss_scale_value must be at least 1.")
        self._loss_scale_value = float(loss_scale_value)

    def __call__(self) -> Any:
        return convert_to_tensor(self._loss_scale_value)

    def update(self, grads: Any) -> tuple[Any, Any]:
        """Nothing to do; gradients may always be applied."""
        del grads
        return control.no_op(), True

    def __repr__(self) -> str:
        return f"FixedLossScale({self._loss_scale_value})"

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it with again."""
        return {"loss_scale_value": self._loss_scale_value}


@export("train.experimental.DynamicLossScale")
class DynamicLossScale(LossScale):
    """A scale that grows by `multiplier` after `increment_period` steps of finite gradients, and
    shrinks by it (to 1 at least) when a gradient is not finite; that step is left out."""

    def __init__(
        self,
        initial_loss_scale: float = 2**15,
        increment_period: int = 2000,
        multiplier: float = 2.0,
    ):
        super().__init__()
        self._initial_loss_scale = float(initial_loss_scale)
        self._increment_period = int(increment_period)
        self._multiplier = float(multiplier)
        self._current_loss_scale = self._add_weight(
            "current_loss_scale", self._initial_loss_scale, dtypes.float32
        )
        self._num_good_steps = self._add_weight("good_steps", 0, dtypes.int64)

    @property
    def initial_loss_scale(self) -> float:
        """The scale at the beginning."""
        return self._initial_loss_scale

    @property
    def increment_period(self) -> int:
        """Steps of finite gradients after which the scale grows."""
        return self._increment_period

    @property
    def multiplier(self) -> float:
        """The factor of growing and shrinking."""
        return self._multiplier

    def __call__(self) -> Any:
        return convert_to_tensor(self._current_loss_scale)

    def update(self, grads: Any) -> tuple[Any, Any]:
        """(operation, boolean scalar): the gradients may be applied when all are finite."""
        scale, steps = self._current_loss_scale, self._num_good_steps
        is_finite = math_nodes.reduce_all(
            [math_nodes.reduce_all(math.is_finite(g)) for g in nest.flatten(grads) if g is not None]
        )

        def grow() -> Any:
            grown = scale * self._multiplier
            assign = control_flow.cond(
                math.is_finite(grown), lambda: scale.assign(grown).op, control.no_op
            )
            return control.group(assign, steps.assign(0))

        def finite() -> Any:
            return control_flow.cond(
                steps + 1 >= self._increment_period, grow, lambda: steps.assign_add(1).op
            )

        def not_finite() -> Any:
            shrunk = math.maximum(scale / self._multiplier, 1)
            return control.group(steps.assign(0), scale.assign(shrunk))

        return control_flow.cond(is_finite, finite, not_finite), is_finite

    def __repr__(self) -> str:
        return (
            f"DynamicLossScale(initial_loss_scale={self.initial_loss_scale}, "
            f"increment_period={self.increment_period}, multiplier={self.multiplier})"
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it with again."""
        return {
            "initial_loss_scale": self.initial_loss_scale,
            "increment_period": self.increment_period,
            "multiplier": self.multiplier,
        }


def get(identifier: Any) -> LossScale:
    """A loss scale of a number, the string "dynamic", or a loss scale.

    ValueError for anything else.
    """
    if isinstance(identifier, (int, float)):
        return FixedLossScale(identifier)
    if identifier == "dynamic":
        return DynamicLossScale()
    if isinstance(identifier, LossScale):
        return identifier
    if identifier is None:
        raise ValueError("loss_scale cannot be None")
    raise ValueError(f"Could not interpret loss scale identifier: {identifier}")
