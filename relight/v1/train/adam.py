"""Adam: Kingma and Ba 2015."""

from __future__ import annotations

from typing import Any

from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.function import init_scope
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.ops.math_nodes import cast
from relight.v1.functions.assign import assign, assign_sub, scatter_add
from relight.v1.functions.control import group
from relight.v1.train.optimizer import KernelOptimizer


@export("train.AdamOptimizer")
class AdamOptimizer(KernelOptimizer):
    """Steps scaled by running means of the gradient and of its square, corrected for their start.

    The correction is in the step size, so `epsilon` is the paper's "epsilon hat". Slots: `m`, `v`;
    the variables `beta1_power` and `beta2_power` hold the powers that the correction needs. A
    sparse gradient lets the means of all rows decay.
    """

    _kind = "Adam"
    _slot_order = ("m", "v")
    _order = (
        "beta1_power",
        "beta2_power",
        "learning_rate",
        "beta1",
        "beta2",
        "epsilon",
        "grad",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ):
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon
        self._lr_t: Any = None
        self._beta1_t: Any = None
        self._beta2_t: Any = None
        self._epsilon_t: Any = None

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        with init_scope():
            graph = get_default_graph()
        return (
            self._get_non_slot_variable("beta1_power", graph),
            self._get_non_slot_variable("beta2_power", graph),
        )

    def _create_slots(self, var_list: list[Any]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        self._create_non_slot_variable(self._beta2, "beta2_power", first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _prepare(self) -> None:
        self._keep(
            learning_rate=self._lr, beta1=self._beta1, beta2=self._beta2, epsilon=self._epsilon
        )
        self._lr_t = self._rates["learning_rate"]
        self._beta1_t = self._rates["beta1"]
        self._beta2_t = self._rates["beta2"]
        self._epsilon_t = self._rates["epsilon"]

    def _rate(self, name: str, dtype: Any, resource: bool, sparse: bool) -> Any:
        if name in ("beta1_power", "beta2_power"):
            return cast(self._get_beta_accumulators()[name == "beta2_power"], dtype)
        return super()._rate(name, dtype, resource, sparse)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        return self._apply_sparse_shared(
            grad.values,
            var,
            grad.indices,
            lambda slot, rows, value: scatter_add(slot, rows, value, use_locking=self._use_locking),
        )

    def _resource_scatter_add(self, slot: Any, rows: Tensor, value: Tensor) -> Tensor:
        added = raw.ResourceScatterAdd(slot.handle, rows, value)
        with get_default_graph().control_dependencies([added]):
            return slot.value()

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        return self._apply_sparse_shared(grad, handle, indices, self._resource_scatter_add)

    def _apply_sparse_shared(self, grad: Tensor, var: Any, indices: Tensor, add: Any) -> Any:
        dtype = var.dtype.base_dtype
        graph = get_default_graph()
        beta1_power, beta2_power = self._get_beta_accumulators()
        beta1_power, beta2_power = cast(beta1_power, dtype), cast(beta2_power, dtype)
        rate, beta1 = cast(self._lr_t, dtype), cast(self._beta1_t, dtype)
        beta2, epsilon = cast(self._beta2_t, dtype), cast(self._epsilon_t, dtype)
        step = rate * raw.Sqrt(1 - beta2_power) / (1 - beta1_power)

        def decay_and_add(slot: Any, beta: Tensor, value: Tensor) -> Any:
            decayed = assign(slot, slot * beta, use_locking=self._use_locking)
            with graph.control_dependencies([decayed]):
                return add(slot, indices, value)

        m = decay_and_add(self.get_slot(var, "m"), beta1, grad * (1 - beta1))
        v = decay_and_add(self.get_slot(var, "v"), beta2, (grad * grad) * (1 - beta2))
        root = raw.Sqrt(v)
        update = assign_sub(var, step * m / (root + epsilon), use_locking=self._use_locking)
        return group(update, m, v)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            beta1_power, beta2_power = self._get_beta_accumulators()
            with graph.colocate_with(beta1_power.op):
                powers = [
                    power.assign(power * beta, use_locking=self._use_locking)
                    for power, beta in ((beta1_power, self._beta1_t), (beta2_power, self._beta2_t))
                ]
        return group(*update_ops, *powers, name=name_scope)
