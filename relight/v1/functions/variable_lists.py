"""Lists of variables, the operations that initialize them, and those that ask whether they are."""

from __future__ import annotations

import os
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import boolean_mask
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.v1.functions.control import group, no_op


@export("global_variables")
def global_variables(scope: str | None = None) -> list[Any]:
    """The variables of the default graph that a checkpoint saves; `scope`: a name pattern."""
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@export("all_variables")
def all_variables() -> list[Any]:
    """The old name of `global_variables`."""
    return global_variables()


@export("local_variables")
def local_variables(scope: str | None = None) -> list[Any]:
    """The variables of the default graph that are not saved; `scope`: a name pattern."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@export("model_variables")
def model_variables(scope: str | None = None) -> list[Any]:
    """The variables that inference needs, as layers of contrib mark them."""
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@export("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimizers update unless told otherwise; `scope`: a name pattern."""
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@export("moving_average_variables")
def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables that moving averages are kept of; `scope`: a name pattern."""
    return get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


@export("variables_initializer", "initializers.variables")
def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """One operation that initializes all variables of a list."""
    if var_list:
        return group(*[v.initializer for v in var_list], name=name)
    return no_op(name=name)


@export("initialize_variables")
def initialize_variables(var_list: Any, name: str = "init") -> Operation:
    """The old name of `variables_initializer`."""
    return variables_initializer(var_list, name=name)


@export("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer() -> Operation:
    """One operation that initializes all global variables."""
    return variables_initializer(global_variables())


@export("initialize_all_variables")
def initialize_all_variables() -> Operation:
    """The old name of `global_variables_initializer`."""
    return global_variables_initializer()


@export("local_variables_initializer", "initializers.local_variables")
def local_variables_initializer() -> Operation:
    """One operation that initializes all local variables."""
    return variables_initializer(local_variables())


@export("initialize_local_variables")
def initialize_local_variables() -> Operation:
    """The old name of `local_variables_initializer`."""
    return local_variables_initializer()


@export("is_variable_initialized")
def is_variable_initialized(variable: Any) -> Tensor:
    """bool []: whether a variable has a value."""
    if variable.dtype._is_ref_dtype:
        return raw.IsVariableInitialized(variable)
    return variable.is_initialized()


def _every_variable() -> list[Any]:
    """Global and local variables; when there are none, what variable operations give."""
    found = global_variables() + local_variables()
    return found or [
        op.outputs[0]
        for op in get_default_graph().get_operations()
        if op.type in ("Variable", "VariableV2", "AutoReloadVariable")
    ]


@export("assert_variables_initialized")
def assert_variables_initialized(var_list: Any = None) -> Any:
    """A tensor whose computation fails when a variable has no value; None without variables."""
    variables = _every_variable() if var_list is None else list(var_list) or _every_variable()
    if not variables:
        return None
    ranks = []
    for variable in variables:
        with get_default_graph().colocate_with(variable.op):
            ranks.append(raw.Rank(variable))
    return ranks[0] if len(ranks) == 1 else raw.Pack(ranks, axis=0, name="stack")


@export("report_uninitialized_variables")
def report_uninitialized_variables(
    var_list: Any = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """string [n]: the names of those variables that have no value."""
    variables = _every_variable() if var_list is None else var_list
    with name_scope(name):
        initialized = [is_variable_initialized(v) for v in variables]
        device = os.environ.get("TF_DEVICE_FOR_UNINITIALIZED_VARIABLE_REPORTING", "/cpu:0")
        with get_default_graph().device(device):
            if not variables:
                return constant([], dtype=dtypes.string)
            mask = raw.LogicalNot(raw.Pack(initialized, axis=0, name="stack"))
            names = constant([v.op.name for v in variables])
            return boolean_mask(names, mask)
