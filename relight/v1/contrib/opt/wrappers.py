"""Optimizers around other optimizers: moving averages and decoupled weight decay."""

from __future__ import annotations

from typing import Any

from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import gather
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.assign import scatter_add
from relight.v1.functions.control import group, no_op
from relight.v1.functions.variable_lists import global_variables
from relight.v1.train.adam import AdamOptimizer
from relight.v1.train.momentum import MomentumOptimizer
from relight.v1.train.moving_averages import ExponentialMovingAverage
from relight.v1.train.optimizer import Optimizer


@export("contrib.opt.MovingAverageOptimizer")
class MovingAverageOptimizer(Optimizer):
    """Lets another optimizer train, and keeps moving averages of the variables it updates.

    `swapping_saver` saves the averages under the names of the variables, so that a model that is
    restored without this optimizer uses the averages.
    """

    def __init__(
        self,
        opt: Optimizer,
        average_decay: Any = 0.9999,
        num_updates: Any = None,
        sequential_update: bool = True,
    ):
        super().__init__(False, "MovingAverage")
        self._optimizer = opt
        self._ema = ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped: dict[str, str] | None = None
        self._sequential_update = sequential_update

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """What the other optimizer computes."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """The other optimizer's step, and (after it, when `sequential_update`) the averages'."""
        grads_and_vars = list(grads_and_vars)
        train_op = self._optimizer.apply_gradients(
            grads_and_vars, global_step=global_step, name=name
        )
        var_list = [v for g, v in grads_and_vars if g is not None]
        before = [train_op] if self._sequential_update else []
        with get_default_graph().control_dependencies(before):
            averages_op = self._ema.apply(var_list)
        self._swapped = {}
        for var in var_list:
            average = self._ema.average(var)
            self._swapped[var.op.name] = average.op.name
            self._swapped[average.op.name] = var.op.name
        return group(train_op, averages_op, name="train_with_avg")

    def get_slot(self, var: Any, name: str) -> Any:
        """A slot of the other optimizer."""
        return self._optimizer.get_slot(var, name)

    def get_slot_names(self) -> list[str]:
        """The slot names of the other optimizer."""
        return self._optimizer.get_slot_names()

    def variables(self) -> list[Any]:
        """The variables of the other optimizer."""
        return self._optimizer.variables()

    def swapping_saver(
        self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any
    ) -> Any:
        """A Saver that exchanges each variable and its average.

        RuntimeError before `apply_gradients`; ValueError when only one of both is to be saved.
        """
        if self._swapped is None:
            raise RuntimeError(
                "Must call apply_gradients or minimize before creating the swapping_saver"
            )
        from relight.v1.train.saver import Saver

        if var_list is None:
            var_list = global_variables()
        if not isinstance(var_list, dict):
            var_list = {v.op.name: v for v in var_list}
        by_name = {}
        for key, item in var_list.items():
            parts = item if isinstance(item, list) or hasattr(item, "_get_partitions") else None
            by_name.update({key: item} if parts is None else {p.op.name: p for p in parts})
        swapped = {
            key: [self._other(by_name, p.op.name, p) for p in item]
            if isinstance(item, list)
            else self._other(by_name, key, item)
            for key, item in var_list.items()
        }
        return Saver(swapped, name=name, **kwargs)

    def _other(self, by_name: dict[str, Any], name: str, variable: Any) -> Any:
        assert self._swapped is not None
        other = self._swapped.get(name)
        if other is None:
            return variable
        if other not in by_name:
            raise ValueError(
                f"Variable to swap {other} is not part of variables to save. This breaks "
                "MovingAverageOptimizer."
            )
        return by_name[other]


@export("contrib.opt.DecoupledWeightDecayExtension")
class DecoupledWeightDecayExtension:
    """Mixed into an optimizer class: weights decay apart from the gradient (Loshchilov and Hutter).

    Before each update variable -= weight_decay * variable, for the variables of `decay_var_list`
    (all when None).
    """

    def __init__(self, weight_decay: Any, **kwargs: Any):
        self._decay_var_list: Any = None
        self._weight_decay = weight_decay
        super().__init__(**kwargs)

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
        decay_var_list: Any = None,
    ) -> Operation:
        """`Optimizer.minimize`; `decay_var_list` says which variables decay."""
        pairs = self.compute_gradients(  # type: ignore[attr-defined]
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not "
                f"support gradients, between variables {[str(v) for _, v in pairs]} and loss "
                f"{loss}."
            )
        return self.apply_gradients(pairs, global_step, name, decay_var_list)

    def apply_gradients(
        self,
        grads_and_vars: Any,
        global_step: Any = None,
        name: str | None = None,
        decay_var_list: Any = None,
    ) -> Operation:
        """`Optimizer.apply_gradients`; `decay_var_list` says which variables decay."""
        self._decay_var_list = set(decay_var_list) if decay_var_list else None
        return super().apply_gradients(grads_and_vars, global_step, name)  # type: ignore[misc]

    def _prepare(self) -> None:
        value = self._weight_decay
        convert_to_tensor(value() if callable(value) else value, name="weight_decay")
        super()._prepare()  # type: ignore[misc]

    def _decays(self, var: Any) -> bool:
        return not self._decay_var_list or var in self._decay_var_list

    def _decay(self, var: Any) -> Any:
        if not self._decays(var):
            return no_op()
        return var.assign_sub(self._weight_decay * var, self._use_locking)  # type: ignore[attr-defined]

    def _decay_rows(self, var: Any, indices: Tensor, add: Any) -> Any:
        if not self._decays(var):
            return no_op()
        return add(var, indices, -self._weight_decay * gather(var, indices))

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        with get_default_graph().control_dependencies([self._decay(var)]):
            return super()._apply_dense(grad, var)  # type: ignore[misc]

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        with get_default_graph().control_dependencies([self._decay(handle)]):
            return super()._resource_apply_dense(grad, handle)  # type: ignore[misc]

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        lock = self._use_locking  # type: ignore[attr-defined]
        decayed = self._decay_rows(
            var, grad.indices, lambda v, rows, value: scatter_add(v, rows, value, lock)
        )
        with get_default_graph().control_dependencies([decayed]):
            return super()._apply_sparse(grad, var)  # type: ignore[misc]

    def _resource_scatter_add(self, slot: Any, rows: Tensor, value: Tensor) -> Tensor:
        added = raw.ResourceScatterAdd(slot.handle, rows, value)
        with get_default_graph().control_dependencies([added]):
            return slot.value()

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        decayed = self._decay_rows(handle, indices, self._resource_scatter_add)
        with get_default_graph().control_dependencies([decayed]):
            return super()._resource_apply_sparse(grad, handle, indices)  # type: ignore[misc]


@export("contrib.opt.extend_with_decoupled_weight_decay")
def extend_with_decoupled_weight_decay(base_optimizer: type) -> type:
    """A class like `base_optimizer` with a first argument `weight_decay`."""

    class OptimizerWithDecoupledWeightDecay(
        DecoupledWeightDecayExtension,
        base_optimizer,  # type: ignore[misc, valid-type]
    ):
        """An optimizer with decoupled weight decay."""

        def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any):
            self._decay_var_list = None
            self._weight_decay = weight_decay
            base_optimizer.__init__(self, *args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


@export("contrib.opt.MomentumWOptimizer")
class MomentumWOptimizer(DecoupledWeightDecayExtension, MomentumOptimizer):
    """Momentum with decoupled weight decay."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ):
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            momentum=momentum,
            use_locking=use_locking,
            name=name,
            use_nesterov=use_nesterov,
        )


@export("contrib.opt.AdamWOptimizer")
class AdamWOptimizer(DecoupledWeightDecayExtension, AdamOptimizer):
    """Adam with decoupled weight decay."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ):
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            use_locking=use_locking,
            name=name,
        )
