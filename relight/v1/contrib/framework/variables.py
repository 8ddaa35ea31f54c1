"""`tf.contrib.framework`: model variables, and finding, choosing and assigning variables."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.device import DeviceSpec
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation
from relight.v1.contrib.framework.arg_scope import add_arg_scope
from relight.v1.functions.array import placeholder
from relight.v1.functions.control import group
from relight.v1.functions.variable_scope import VariableScope, get_variable, get_variable_scope
from relight.v1.functions.variables import (
    Variable,
    VariableAggregation,
    VariableSynchronization,
)


@export("contrib.framework.assert_or_get_global_step", "contrib.slim.assert_or_get_global_step")
def assert_or_get_global_step(graph: Any = None, global_step_tensor: Any = None) -> Any:
    """The given global step, checked, or the graph's own."""
    from relight.v1.train import training_util

    if global_step_tensor is None:
        return training_util.get_global_step(graph)
    training_util.assert_global_step(global_step_tensor)
    return global_step_tensor


@export("contrib.framework.local_variable", "contrib.slim.local_variable")
def local_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> Any:
    """A variable of LOCAL_VARIABLES, which training leaves alone and checkpoints lack."""
    return _untrained(initial_value, GraphKeys.LOCAL_VARIABLES, validate_shape, name, use_resource)


@export("contrib.framework.global_variable", "contrib.slim.global_variable")
def global_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> Any:
    """A variable of GLOBAL_VARIABLES that training leaves alone."""
    return _untrained(initial_value, GraphKeys.GLOBAL_VARIABLES, validate_shape, name, use_resource)


def _untrained(value: Any, collection: str, validate: bool, name: Any, resource: Any) -> Any:
    return Variable(
        value,
        trainable=False,
        collections=[collection],
        validate_shape=validate,
        use_resource=resource,
        name=name,
    )


@export("contrib.framework.variable", "contrib.slim.variable")
@add_arg_scope
def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`tf.get_variable` on a device, its arguments open to `arg_scope`."""
    collections = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
    getter: Callable[..., Any] = get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=get_variable_scope().reuse)
    with get_default_graph().device(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=list(dict.fromkeys(collections)),
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
        )


@export("contrib.framework.model_variable", "contrib.slim.model_variable")
@add_arg_scope
def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = dtypes.float32,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`variable`, also in MODEL_VARIABLES."""
    collections = [
        *(collections or []),
        GraphKeys.GLOBAL_VARIABLES,
        GraphKeys.MODEL_VARIABLES,
    ]
    return variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        device=device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        use_resource=use_resource,
        synchronization=synchronization,
        aggregation=aggregation,
    )


@export("contrib.framework.add_model_variable", "contrib.slim.add_model_variable")
def add_model_variable(var: Any) -> None:
    """Add a variable to MODEL_VARIABLES, unless it is there."""
    collection = get_default_graph().get_collection_ref(GraphKeys.MODEL_VARIABLES)
    if not any(v is var for v in collection):
        collection.append(var)


@export("contrib.framework.get_variables", "contrib.slim.get_variables")
def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[Any]:
    """Variables whose names begin as `scope` (a name, pattern or scope) and end with `suffix`."""
    if isinstance(scope, VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = (scope or "") + ".*" + (suffix if ":" in suffix else suffix + ":")
    return get_default_graph().get_collection(collection, scope)


@export("contrib.framework.get_model_variables", "contrib.slim.get_model_variables")
def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of MODEL_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


@export("contrib.framework.get_local_variables", "contrib.slim.get_local_variables")
def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of LOCAL_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


@export("contrib.framework.get_trainable_variables", "contrib.slim.get_trainable_variables")
def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of TRAINABLE_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


@export("contrib.framework.get_variables_to_restore", "contrib.slim.get_variables_to_restore")
def get_variables_to_restore(include: Any = None, exclude: Any = None) -> list[Any]:
    """The variables of the scopes `include` (all by default) that are in none of `exclude`."""
    for what, scopes in (("include", include), ("exclude", exclude)):
        if scopes is not None and not isinstance(scopes, (list, tuple)):
            raise TypeError(f"{what} is provided but is not a list or a tuple.")
    if include is None:
        found = get_variables()
    else:
        found = [v for scope in include for v in get_variables(scope)]
    unwanted = {id(v) for scope in exclude or () for v in get_variables(scope)}
    return [v for v in found if id(v) not in unwanted]


@export("contrib.framework.get_variables_by_suffix", "contrib.slim.get_variables_by_suffix")
def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """The variables whose names end with `suffix`."""
    return get_variables(scope=scope, suffix=suffix)


@export("contrib.framework.get_variables_by_name", "contrib.slim.get_variables_by_name")
def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The variables whose names are, or end with a slash and, `given_name`."""
    return get_variables(scope=scope, suffix=f"/{given_name}:|^{given_name}:")


@export("contrib.framework.get_unique_variable", "contrib.slim.get_unique_variable")
def get_unique_variable(var_op_name: str) -> Any:
    """The variable of that name; ValueError when there is none."""
    candidates = get_variables(scope=var_op_name)
    if not candidates:
        raise ValueError(f"Couldn't find variable {var_op_name}")
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Variable {var_op_name} does not uniquely identify a variable")


@export("contrib.framework.get_variable_full_name", "contrib.slim.get_variable_full_name")
def get_variable_full_name(var: Any) -> str:
    """The name in checkpoints: that of the whole variable for a part of one."""
    info = var._save_slice_info
    return info.full_name if info else var.op.name


def _assignments(pairs: list[tuple[Any, Any]]) -> tuple[Operation, dict[Any, Any]]:
    """One operation that sets variables to fed placeholders, and the feeds."""
    feeds, assigns = {}, []
    for var, value in pairs:
        fed = placeholder(
            dtype=var.dtype.base_dtype, shape=var.get_shape(), name="placeholder/" + var.op.name
        )
        assigns.append(var.assign(fed))
        feeds[fed] = value
    return group(*assigns), feeds


@export("contrib.framework.assign_from_values", "contrib.slim.assign_from_values")
def assign_from_values(var_names_to_values: dict[str, Any]) -> tuple[Operation, dict[Any, Any]]:
    """(operation, feeds) that set variables, by name, to arrays of their shapes."""
    pairs = []
    for name, value in var_names_to_values.items():
        found = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, name)
        if not found:
            raise ValueError(f"Variable {name} wasn't found")
        if len(found) > 1:
            found = [v for v in found if v.op.name == name]
            if not found:
                raise ValueError(f"Variable {name} doesn't uniquely identify a variable")
        pairs.append((found[0], value.reshape(found[0].get_shape().as_list())))
    return _assignments(pairs)


@export("contrib.framework.assign_from_values_fn", "contrib.slim.assign_from_values_fn")
def assign_from_values_fn(var_names_to_values: dict[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that sets variables as `assign_from_values` says."""
    assign_op, feeds = assign_from_values(var_names_to_values)
    return lambda session: session.run(assign_op, feeds)


@export("contrib.framework.assign_from_checkpoint", "contrib.slim.assign_from_checkpoint")
def assign_from_checkpoint(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False
) -> tuple[Operation, dict[Any, Any]]:
    """(operation, feeds) that set variables to a checkpoint's values.

    `var_list` is a list of variables, or a dict from names in the checkpoint to one or several.
    """
    from relight.v1 import logging
    from relight.v1.train.checkpoint_reader import NewCheckpointReader

    by_name: dict[str, list[Any]] = {}
    if isinstance(var_list, (tuple, list)):
        for var in var_list:
            by_name.setdefault(get_variable_full_name(var), []).append(var)
    else:
        for name, value in var_list.items():
            by_name[name] = list(value) if isinstance(value, (tuple, list)) else [value]
    reader = NewCheckpointReader(model_path)
    pairs = []
    for name, variables in by_name.items():
        if not reader.has_tensor(name):
            message = f"Checkpoint is missing variable [{name}]"
            if not ignore_missing_vars:
                raise ValueError(message)
            logging.warning(message)
            continue
        value = reader.get_tensor(name)
        pairs += [(var, _part(var, name, value)) for var in variables]
    return _assignments(pairs)


def _part(var: Any, name: str, value: Any) -> Any:
    info = var._save_slice_info
    if info:
        ends = zip(info.var_offset, info.var_shape, strict=True)
        return value[tuple(slice(start, start + size) for start, size in ends)]
    if var.get_shape().as_list() != list(value.shape):
        raise ValueError(
            f"Total size of new array must be unchanged for {name} lh_shape: [{value.shape}], "
            f"rh_shape: [{var.get_shape()}]"
        )
    return value


@export("contrib.framework.assign_from_checkpoint_fn", "contrib.slim.assign_from_checkpoint_fn")
def assign_from_checkpoint_fn(
    model_path: str,
    var_list: Any,
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> Callable[[Any], Any] | None:
    """A function of a session that restores variables from a checkpoint; None without any."""
    from relight.v1 import logging
    from relight.v1.train.checkpoint_reader import NewCheckpointReader
    from relight.v1.train.saver import Saver

    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = NewCheckpointReader(model_path)
        if not isinstance(var_list, dict):
            var_list = {var.op.name: var for var in var_list}
        for name in var_list:
            if not reader.has_tensor(name):
                logging.warning("Variable %s missing in checkpoint %s", name, model_path)
        var_list = {name: var for name, var in var_list.items() if reader.has_tensor(name)}
    if not var_list:
        logging.warning("No Variables to restore")
        return None
    saver = Saver(var_list, reshape=reshape_variables)
    return lambda session: saver.restore(session, model_path)


@export("contrib.framework.VariableDeviceChooser", "contrib.slim.VariableDeviceChooser")
class VariableDeviceChooser:
    """A device function that deals variables out to the tasks of a job in turn."""

    def __init__(
        self,
        num_tasks: int = 0,
        job_name: str = "ps",
        device_type: str = "CPU",
        device_index: int = 0,
        replica: Any = None,
    ):
        self._job_name = job_name
        self._device_type = device_type
        self._device_index = device_index
        self._replica = replica
        self._num_tasks = num_tasks
        self._next_task_id = 0

    def __call__(self, op: Any) -> str:
        settings: dict[str, Any] = {}
        if self._num_tasks > 0:
            settings = {"job": self._job_name, "task": self._next_task_id}
            self._next_task_id = (self._next_task_id + 1) % self._num_tasks
        return DeviceSpec(
            replica=self._replica,
            device_type=self._device_type,
            device_index=self._device_index,
            **settings,
        ).to_string()


@export("contrib.framework.filter_variables", "contrib.slim.filter_variables")
def filter_variables(
    var_list: Any,
    include_patterns: Any = None,
    exclude_patterns: Any = None,
    reg_search: bool = True,
) -> list[Any]:
    """The variables whose names one of `include_patterns` finds, and none of `exclude_patterns`.

    `reg_search=False`: the patterns must match at the beginning of the names.
    """
    match = re.search if reg_search else re.match

    def any_of(patterns: Any, var: Any) -> bool:
        return any(match(pattern, var.name) for pattern in patterns)

    return [
        var
        for var in var_list
        if (include_patterns is None or any_of(include_patterns, var))
        and (exclude_patterns is None or not any_of(exclude_patterns, var))
    ]
