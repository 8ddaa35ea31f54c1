"""Adagrad, its proximal form, and dual averaging: Duchi et al. 2011; and Adadelta: Zeiler 2012."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.ops.math_nodes import cast
from relight.v1.functions.init import Constant
from relight.v1.train.optimizer import KernelOptimizer


def _check_positive(what: str, value: Any) -> None:
    if value <= 0.0:
        raise ValueError(f"{what} must be positive: {value}")


@export("train.AdagradOptimizer")
class AdagradOptimizer(KernelOptimizer):
    """Steps divided by the root of the sum of all squared gradients. Slot: `accumulator`."""

    _kind = "Adagrad"
    _slot_order = ("accumulator",)
    _order = ("learning_rate", "grad")

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ):
        _check_positive("initial_accumulator_value", initial_accumulator_value)
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype, shape = var.dtype.base_dtype, var.get_shape()
            if shape.is_fully_defined():
                init = Constant(self._initial_accumulator_value, dtype=dtype)
            else:
                init = self._filled_like(var, dtype)
            self._get_or_make_slot_with_initializer(
                var, init, shape, dtype, "accumulator", self._name
            )

    def _filled_like(self, var: Any, dtype: Any) -> Any:
        def init() -> Any:
            return cast(raw.Fill(array_nodes.shape(var), self._initial_accumulator_value), dtype)

        return init

    def _prepare(self) -> None:
        self._keep(learning_rate=self._learning_rate)


@export("train.ProximalAdagradOptimizer")
class ProximalAdagradOptimizer(KernelOptimizer):
    """An Adagrad step, then soft thresholding (L1) and shrinkage (L2). Slot: `accumulator`."""

    _kind = "ProximalAdagrad"
    _slot_order = ("accumulator",)
    _order = (
        "learning_rate",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "grad",
    )

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ):
        _check_positive("initial_accumulator_value", initial_accumulator_value)
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            with get_default_graph().colocate_with(var.op):
                value = constant(
                    self._initial_accumulator_value,
                    shape=var.get_shape(),
                    dtype=var.dtype.base_dtype,
                )
            self._get_or_make_slot(var, value, "accumulator", self._name)

    def _prepare(self) -> None:
        self._keep(
            learning_rate=self._learning_rate,
            l1_regularization_strength=self._l1_regularization_strength,
            l2_regularization_strength=self._l2_regularization_strength,
        )


@export("train.AdagradDAOptimizer")
class AdagradDAOptimizer(KernelOptimizer):
    """Adagrad by dual averaging, for sparse linear models.

    `global_step` counts the training steps. Slots: `gradient_accumulator`,
    `gradient_squared_accumulator`.
    """

    _kind = "AdagradDA"
    _slot_order = ("gradient_accumulator", "gradient_squared_accumulator")
    _order = ("grad", "learning_rate", "l1", "l2", "global_step")

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ):
        _check_positive(
            "initial_gradient_squared_accumulator_value",
            initial_gradient_squared_accumulator_value,
        )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._global_step = global_step
        self._initial_value = initial_gradient_squared_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            shape, dtype = var.get_shape(), var.dtype.base_dtype
            with get_default_graph().colocate_with(var.op):
                zeros = constant(0.0, shape=shape, dtype=dtype)
                squares = constant(self._initial_value, shape=shape, dtype=dtype)
            self._get_or_make_slot(var, zeros, "gradient_accumulator", self._name)
            self._get_or_make_slot(var, squares, "gradient_squared_accumulator", self._name)

    def _prepare(self) -> None:
        self._keep(learning_rate=self._learning_rate)
        with get_default_graph().colocate_with(self._rates["learning_rate"].op):
            self._global_step_on_worker = raw.Identity(self._global_step) + 1

    def _build(self, var: Any, grad: Any, indices: Any = None) -> Any:
        with get_default_graph().device(var.device):
            self._step = raw.Identity(self._global_step_on_worker)
        return super()._build(var, grad, indices)

    def _rate(self, name: str, dtype: Any, resource: bool, sparse: bool) -> Any:
        if name == "global_step":
            return self._step
        if name in ("l1", "l2"):
            return cast(getattr(self, f"_{name}_regularization_strength"), dtype)
        return super()._rate(name, dtype, resource, sparse)


@export("train.AdadeltaOptimizer")
class AdadeltaOptimizer(KernelOptimizer):
    """Steps scaled by running root mean squares of past updates. Slots: `accum`, `accum_update`."""

    _kind = "Adadelta"
    _slot_order = ("accum", "accum_update")
    _order = ("lr", "rho", "epsilon", "grad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ):
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._rho = rho
        self._epsilon = epsilon

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "accum", self._name)
            self._zeros_slot(var, "accum_update", self._name)

    def _prepare(self) -> None:
        self._keep(lr=self._lr, rho=self._rho, epsilon=self._epsilon)
