"""Moving averages of variables and tensors."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.ops.math_nodes import cast, truediv
from relight.ops.math_nodes import div as floor_or_true
from relight.ops.math_nodes import pow as power_of
from relight.v1.functions.assign import assign, assign_sub
from relight.v1.functions.control import group
from relight.v1.functions.init import Zeros
from relight.v1.functions.variable_lists import (
    global_variables,
    moving_average_variables,
    trainable_variables,
)
from relight.v1.functions.variable_scope import get_variable, get_variable_scope, variable_scope
from relight.v1.functions.variables import Variable, lifted
from relight.v1.train import slot_creator

_HOLDERS = ("Variable", "VariableV2", "VarHandleOp")


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """variable -= (1 - decay) * (variable - value); gives the new average.

    `zero_debias`: the variable begins with zero, and the average is corrected for that (Kingma and
    Ba 2015, section 3), with two more variables `biased` and `local_step`.
    """
    with name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        weight = convert_to_tensor(1.0 - decay, name="decay")
        if weight.dtype != variable.dtype.base_dtype:
            weight = cast(weight, variable.dtype.base_dtype)
        if zero_debias:
            return _zero_debias(variable, value, weight)
        return assign_sub(variable, (variable - value) * weight, name=scope)


def _zero_debias(variable: Any, value: Any, weight: Tensor) -> Any:
    with variable_scope(variable.name[: -len(":0")], values=[variable, value, weight]):
        with get_default_graph().colocate_with(variable.op):
            biased = get_variable(
                _unused("biased"),
                initializer=Zeros(),
                shape=variable.get_shape(),
                dtype=variable.dtype,
                trainable=False,
            )
            local_step = get_variable(
                _unused("local_step"),
                shape=[],
                dtype=variable.dtype,
                initializer=Zeros(),
                trainable=False,
            )
    changed = assign_sub(biased, (biased - value) * weight)
    steps = local_step.assign_add(1)
    correction = 1 - power_of(1.0 - weight, steps)
    scope = get_default_graph().get_name_scope()
    return assign(variable, changed / correction, name=scope + "/")


def _unused(name: str) -> str:
    """`name`, numbered when the current scope has such a variable already."""
    scope = get_variable_scope()
    if scope.reuse:
        return name
    taken = {v.op.name for v in scope.global_variables()}
    if f"{scope.name}/{name}" not in taken:
        return name
    number = 1
    while f"{scope.name}/{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def weighted_moving_average(
    value: Any,
    decay: Any,
    weight: Any,
    truediv: bool = True,
    collections: Any = None,
    name: str | None = None,
) -> Any:
    """The moving average of `value` times `weight` divided by that of `weight`."""
    collections = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
    with variable_scope(name, "WeightedMovingAvg", [value, weight, decay]) as scope:
        sums = [
            get_variable(
                what,
                shape=tensor.get_shape(),
                dtype=tensor.dtype,
                initializer=Zeros(),
                trainable=False,
                collections=collections,
            )
            for what, tensor in (("value_x_weight", value), ("weight", weight))
        ]
        above = assign_moving_average(sums[0], value * weight, decay, zero_debias=False)
        below = assign_moving_average(sums[1], weight, decay, zero_debias=False)
        return (_truediv if truediv else floor_or_true)(above, below, name=scope.name)


_truediv = truediv


@export("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """Averages in which older values count exponentially less.

    average = decay * average + (1 - decay) * value. With `num_updates` the decay is limited to
    (1 + num_updates) / (10 + num_updates), so that averages move faster at the start. The average
    of a variable begins with the variable's initial value; that of another tensor with zeros,
    corrected for that with `zero_debias`.
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ):
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        """The name that averages carry: `<variable>/<name>`."""
        return self._name

    def apply(self, var_list: Any = None) -> Operation:
        """An operation that updates the averages of `var_list` (all trainable variables if None).

        Makes the averages that do not exist yet. Raises TypeError for other types than floats.
        """
        if var_list is None:
            var_list = trainable_variables()
        debiased = set()
        for var in var_list:
            if var.dtype.base_dtype not in (
                dtypes.bfloat16,
                dtypes.float16,
                dtypes.float32,
                dtypes.float64,
            ):
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if var in self._averages:
                continue
            with lifted():
                self._averages[var] = self._make_average(var)
            if not isinstance(var, Variable) and self._zero_debias:
                debiased.add(var)
        with name_scope(self.name) as scope:
            decay = convert_to_tensor(self._decay, name="decay")
            if self._num_updates is not None:
                updates_so_far = cast(self._num_updates, dtypes.float32, name="num_updates")
                decay = raw.Minimum(decay, (1.0 + updates_so_far) / (10.0 + updates_so_far))
            updates = [
                assign_moving_average(self._averages[v], v, decay, v in debiased) for v in var_list
            ]
            return group(*updates, name=scope)

    def _make_average(self, var: Any) -> Any:
        if isinstance(var, Variable):
            average = slot_creator.create_slot(
                var, var.initialized_value(), self.name, colocate_with_primary=True
            )
            get_default_graph().add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
            return average
        return slot_creator.create_zeros_slot(
            var, self.name, colocate_with_primary=var.op.type in _HOLDERS
        )

    def average(self, var: Any) -> Any:
        """The variable that holds the average of `var`, or None."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the variable that holds, or would hold, the average of `var`."""
        if var in self._averages:
            return self._averages[var].op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self.name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Any]:
        """{name in a checkpoint: variable}: averaged variables are restored from their averages.

        `moving_avg_variables` are those with averages: by default the trainable ones and those in
        the collection `moving_average_variables`.
        """
        if moving_avg_variables is None:
            moving_avg_variables = trainable_variables() + moving_average_variables()
        averaged = list(dict.fromkeys(moving_avg_variables))
        names = {self.average_name(v): v for v in averaged}
        averaged_names = {v.name for v in averaged}
        for var in dict.fromkeys(global_variables()):
            if var.name not in averaged_names and var.op.name not in names:
                names[var.op.name] = var
        return names
