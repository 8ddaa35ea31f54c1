"""Mixed precision as 1.15 switches it on: an optimizer that scales the loss, and a graph rewriting.

The rewriting itself is a pass over plans, `relight.engine.precision`.
"""

from __future__ import annotations

from typing import Any

from relight.engine import precision
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.v1.functions.control import group, no_op
from relight.v1.functions.control_flow import smart_cond
from relight.v1.train import loss_scale as loss_scales
from relight.v1.train.optimizer import Optimizer


@export("train.experimental.MixedPrecisionLossScaleOptimizer")
class MixedPrecisionLossScaleOptimizer(Optimizer):
    """Scales the loss before gradients are taken, and the gradients back before they are applied.

    With a dynamic scale a step whose gradients are not all finite changes nothing but the scale.

    Args:
      opt: the `tf.train.Optimizer` that applies the gradients.
      loss_scale: a number, "dynamic", or a `tf.train.experimental.LossScale`.
    """

    def __init__(self, opt: Optimizer, loss_scale: Any):
        if not isinstance(opt, Optimizer):
            raise ValueError(f'"opt" must be an instance of Optimizer, but got: {type(opt)}')
        self._optimizer = opt
        super().__init__(opt._use_locking, opt.get_name())
        self._loss_scale = loss_scales.get(loss_scale)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """[(gradient, variable)], computed of the scaled loss and scaled back."""
        scaled = loss * self._loss_scale()
        pairs = self._optimizer.compute_gradients(
            loss=scaled,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        reciprocal = 1 / self._loss_scale()
        return [(_times(grad, reciprocal), variable) for grad, variable in pairs]

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Any:
        """An operation that applies gradients, with a dynamic scale only when all are finite."""
        if not isinstance(self._loss_scale, loss_scales.DynamicLossScale):
            return self._optimizer.apply_gradients(grads_and_vars, global_step, name)
        pairs = tuple(grads_and_vars)
        name = name if name is not None else self.get_name()
        update, all_finite = self._loss_scale.update([g for g, _ in pairs])
        apply = smart_cond(
            all_finite,
            lambda: self._optimizer.apply_gradients(pairs, global_step, name + "-wrapped"),
            no_op,
        )
        return group(apply, update, name=name)


def _times(grad: Any, factor: Any) -> Any:
    if grad is None:
        return None
    if isinstance(grad, IndexedSlices):
        return IndexedSlices(grad.values * factor, grad.indices, grad.dense_shape)
    return grad * factor


@export("train.experimental.enable_mixed_precision_graph_rewrite")
def enable_mixed_precision_graph_rewrite(opt: Any, loss_scale: Any = "dynamic") -> Any:
    """`opt` with loss scaling; sessions made from now on compute products in low precision.

    On processors that is bfloat16, where the hardware multiplies it.

    Raises:
      ValueError: when `opt` is no optimizer, or scales the loss already.
    """
    if isinstance(opt, MixedPrecisionLossScaleOptimizer):
        raise ValueError(
            '"opt" must not already be an instance of a MixedPrecisionLossScaleOptimizer. '
            "`enable_mixed_precision_graph_rewrite` will automatically wrap the optimizer with a "
            "MixedPrecisionLossScaleOptimizer."
        )
    if not isinstance(opt, Optimizer):
        raise ValueError(
            '"opt" must be an instance of a tf.train.Optimizer or a tf.keras.optimizers.Optimizer, '
            f"but got: {opt}"
        )
    made = MixedPrecisionLossScaleOptimizer(opt, loss_scale)
    precision.rewrite(True)
    return made


@export("train.experimental.disable_mixed_precision_graph_rewrite")
def disable_mixed_precision_graph_rewrite() -> None:
    """Sessions made from now on compute in the precision of the graph."""
    precision.rewrite(False)
