"""Relatives of Adam, and optimizers that look at the signs of gradients."""

from __future__ import annotations

import math
from typing import Any

from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops.array_nodes import gather
from relight.ops.build import raw
from relight.ops.math_nodes import cast
from relight.v1.functions.assign import assign, scatter_sub, scatter_update
from relight.v1.functions.control import group
from relight.v1.train.adam import AdamOptimizer
from relight.v1.train.optimizer import KernelOptimizer
from relight.v1.train.training_util import get_or_create_global_step


@export("contrib.opt.LazyAdamOptimizer")
class LazyAdamOptimizer(AdamOptimizer):
    """Adam that, for a sparse gradient, leaves the means of the other rows as they are."""

    def _constants(self, dtype: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(step size, beta1, beta2, epsilon) in the type of a variable."""
        powers = [cast(p, dtype) for p in self._get_beta_accumulators()]
        rate, beta1 = cast(self._lr_t, dtype), cast(self._beta1_t, dtype)
        beta2, epsilon = cast(self._beta2_t, dtype), cast(self._epsilon_t, dtype)
        return rate * raw.Sqrt(1 - powers[1]) / (1 - powers[0]), beta1, beta2, epsilon

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        step, beta1, beta2, epsilon = self._constants(var.dtype.base_dtype)
        rows, lock = grad.indices, self._use_locking
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_t = scatter_update(
            m, rows, beta1 * gather(m, rows) + (1 - beta1) * grad.values, use_locking=lock
        )
        v_t = scatter_update(
            v,
            rows,
            beta2 * gather(v, rows) + (1 - beta2) * raw.Square(grad.values),
            use_locking=lock,
        )
        mean, square = gather(m_t, rows), gather(v_t, rows)
        below = raw.Sqrt(square) + epsilon
        update = scatter_sub(var, rows, step * mean / below, use_locking=lock)
        return group(update, m_t, v_t)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        step, beta1, beta2, epsilon = self._constants(handle.dtype.base_dtype)
        m, v = self.get_slot(handle, "m"), self.get_slot(handle, "v")
        mean = beta1 * gather(m, indices) + (1 - beta1) * grad
        m_update = raw.ResourceScatterUpdate(m.handle, indices, mean)
        square = beta2 * gather(v, indices) + (1 - beta2) * raw.Square(grad)
        v_update = raw.ResourceScatterUpdate(v.handle, indices, square)
        change = step * mean / (raw.Sqrt(square) + epsilon)
        update = raw.ResourceScatterSub(handle.handle, indices, change)
        return group(update, m_update, v_update)


@export("contrib.opt.NadamOptimizer")
class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    def _attrs(self) -> dict[str, Any]:
        return {"use_locking": self._use_locking, "use_nesterov": True}

    def _apply_sparse_shared(self, grad: Tensor, var: Any, indices: Tensor, add: Any) -> Any:
        dtype = var.dtype.base_dtype
        powers = [cast(p, dtype) for p in self._get_beta_accumulators()]
        rate, beta1 = cast(self._lr_t, dtype), cast(self._beta1_t, dtype)
        beta2, epsilon = cast(self._beta2_t, dtype), cast(self._epsilon_t, dtype)
        step = rate * raw.Sqrt(1 - powers[1]) / (1 - powers[0])
        graph, lock = get_default_graph(), self._use_locking
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        scaled = grad * (1 - beta1)
        m_t = assign(m, m * beta1, use_locking=lock)
        with graph.control_dependencies([m_t]):
            m_t = add(m, indices, scaled)
            m_bar = scaled + beta1 * gather(m_t, indices)
        squares = (grad * grad) * (1 - beta2)
        v_t = assign(v, v * beta2, use_locking=lock)
        with graph.control_dependencies([v_t]):
            v_t = add(v, indices, squares)
        root = gather(raw.Sqrt(v_t), indices)
        update = scatter_sub(var, indices, step * m_bar / (root + epsilon), use_locking=lock)
        return group(update, m_bar, v_t)


@export("contrib.opt.AdaMaxOptimizer")
class AdaMaxOptimizer(AdamOptimizer):
    """Adam with the infinity norm (Kingma and Ba 2015, section 7)."""

    _kind = "AdaMax"
    _order = ("beta1_power", "learning_rate", "beta1", "beta2", "epsilon", "grad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
    ):
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _get_beta_accumulators(self) -> Any:
        return self._get_non_slot_variable("beta1_power", get_default_graph())

    def _create_slots(self, var_list: list[Any]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _rate(self, name: str, dtype: Any, resource: bool, sparse: bool) -> Any:
        if name == "beta1_power":
            return cast(self._get_beta_accumulators(), dtype)
        return super()._rate(name, dtype, resource, sparse)

    def _sparse_step(self, grad: Tensor, var: Any, indices: Tensor, put: Any, take: Any) -> Any:
        dtype = var.dtype.base_dtype
        power = cast(self._get_beta_accumulators(), dtype)
        rate, beta1 = cast(self._lr_t, dtype), cast(self._beta1_t, dtype)
        beta2, epsilon = cast(self._beta2_t, dtype), cast(self._epsilon_t, dtype)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        mean = beta1 * gather(m, indices) + (1 - beta1) * grad
        norm = raw.Maximum(beta2 * gather(v, indices), raw.Abs(grad))
        updates = [put(m, indices, mean), put(v, indices, norm)]
        change = (rate / (1 - power)) * (mean / (norm + epsilon))
        return group(take(var, indices, change), *updates)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        lock = self._use_locking
        return self._sparse_step(
            grad.values,
            var,
            grad.indices,
            lambda slot, rows, value: scatter_update(slot, rows, value, use_locking=lock),
            lambda target, rows, value: scatter_sub(target, rows, value, use_locking=lock),
        )

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        return self._sparse_step(
            grad,
            handle,
            indices,
            lambda slot, rows, value: raw.ResourceScatterUpdate(slot.handle, rows, value),
            lambda target, rows, value: raw.ResourceScatterSub(target.handle, rows, value),
        )

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            power = self._get_beta_accumulators()
            with graph.colocate_with(power.op):
                update = power.assign(power * self._beta1_t, use_locking=self._use_locking)
        return group(*update_ops, update, name=name_scope)


class _SignOptimizer(KernelOptimizer):
    """What AddSign and PowerSign have in common: a running mean `m` and a decay of the signs."""

    _slot_order = ("m",)

    def __init__(self, sign_decay_fn: Any, use_locking: bool, name: str):
        super().__init__(use_locking, name)
        if sign_decay_fn is not None and not callable(sign_decay_fn):
            raise TypeError("sign_decay_fn should be callable")
        self._sign_decay_fn = sign_decay_fn

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Any:
        """One operation that applies gradients; the decay of signs follows the global step."""
        if self._sign_decay_fn is None:
            self._sign_decay: Any = 1.0
        else:
            step = get_or_create_global_step() if global_step is None else global_step
            self._sign_decay = self._sign_decay_fn(step)
        return super().apply_gradients(grads_and_vars, global_step, name)

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "m", self._name)


@export("contrib.opt.AddSignOptimizer")
class AddSignOptimizer(_SignOptimizer):
    """variable -= learning_rate * (alpha + decay * sign(g) * sign(m)) * g: Bello et al. 2017."""

    _kind = "AddSign"
    _order = ("learning_rate", "alpha", "sign_decay", "beta", "grad")

    def __init__(
        self,
        learning_rate: Any = 0.1,
        alpha: Any = 1.0,
        beta: Any = 0.9,
        sign_decay_fn: Any = None,
        use_locking: bool = False,
        name: str = "AddSignOptimizer",
    ):
        super().__init__(sign_decay_fn, use_locking, name)
        self._lr, self._alpha, self._beta = learning_rate, alpha, beta

    def _prepare(self) -> None:
        self._keep(learning_rate=self._lr, beta=self._beta, alpha=self._alpha)
        self._keep(sign_decay=self._sign_decay)


@export("contrib.opt.PowerSignOptimizer")
class PowerSignOptimizer(_SignOptimizer):
    """variable -= learning_rate * base ** (decay * sign(g) * sign(m)) * g: Bello et al. 2017."""

    _kind = "PowerSign"
    _order = ("learning_rate", "logbase", "sign_decay", "beta", "grad")

    def __init__(
        self,
        learning_rate: Any = 0.1,
        base: Any = math.e,
        beta: Any = 0.9,
        sign_decay_fn: Any = None,
        use_locking: bool = False,
        name: str = "PowerSignOptimizer",
    ):
        super().__init__(sign_decay_fn, use_locking, name)
        self._lr, self._base, self._beta = learning_rate, base, beta

    def _prepare(self) -> None:
        self._keep(learning_rate=self._lr, beta=self._beta, logbase=math.log(self._base))
        self._keep(sign_decay=self._sign_decay)
