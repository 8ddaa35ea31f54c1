"""Slots: what an optimizer or average keeps for each variable, named `<variable>/<name>`."""

from __future__ import annotations

import contextlib
from typing import Any

from relight.graph.graph import get_default_graph
from relight.ops import array_nodes
from relight.v1.functions.init import Zeros
from relight.v1.functions.resource_variables import is_resource_variable
from relight.v1.functions.variable_scope import get_variable, get_variable_scope, variable_scope
from relight.v1.functions.variables import RefVariable, SaveSliceInfo, Variable


def _slot_variable(primary: Any, value: Any, validate_shape: bool, shape: Any, dtype: Any) -> Any:
    scope = get_variable_scope()
    partitioner = scope.partitioner
    scope.set_partitioner(None)  # the primary is a part already
    try:
        use_resource = None
        if is_resource_variable(primary):
            use_resource = True
        elif isinstance(primary, RefVariable):
            use_resource = False
        slot = get_variable(
            "",
            initializer=value,
            trainable=False,
            use_resource=use_resource,
            shape=shape if callable(value) else None,
            dtype=dtype,
            validate_shape=validate_shape,
        )
    finally:
        scope.set_partitioner(partitioner)
    if isinstance(primary, Variable) and primary._save_slice_info:
        info = primary._save_slice_info
        name = slot.name[len(primary.op.name + "/") : -2]
        slot._set_save_slice_info(
            SaveSliceInfo(
                f"{info.full_name}/{name}",
                info.full_shape[:],
                info.var_offset[:],
                info.var_shape[:],
            )
        )
    return slot


def _colocated(primary: Any, wanted: bool) -> Any:
    return get_default_graph().colocate_with(primary.op) if wanted else contextlib.nullcontext()


def create_slot(primary: Any, val: Any, name: str, colocate_with_primary: bool = True) -> Any:
    """A slot of `primary` that begins with the tensor `val`."""
    validate_shape = val.shape.is_fully_defined()
    with variable_scope(None, primary.op.name + "/" + name):
        with _colocated(primary, colocate_with_primary):
            return _slot_variable(primary, val, validate_shape, None, None)


def create_slot_with_initializer(
    primary: Any,
    initializer: Any,
    shape: Any,
    dtype: Any,
    name: str,
    colocate_with_primary: bool = True,
) -> Any:
    """A slot of `primary` of the given shape and type, with an initializer."""
    with variable_scope(None, primary.op.name + "/" + name):
        with _colocated(primary, colocate_with_primary):
            return _slot_variable(primary, initializer, shape.is_fully_defined(), shape, dtype)


def create_zeros_slot(
    primary: Any, name: str, dtype: Any = None, colocate_with_primary: bool = True
) -> Any:
    """A slot of `primary` that begins with zeros of its shape and (by default) type."""
    dtype = primary.dtype if dtype is None else dtype
    shape = primary.get_shape()
    if shape.is_fully_defined():
        return create_slot_with_initializer(
            primary, Zeros(), shape, dtype, name, colocate_with_primary
        )
    value = primary.initialized_value() if isinstance(primary, Variable) else primary
    zeros = array_nodes.zeros(array_nodes.shape(value), dtype=dtype)
    return create_slot(primary, zeros, name, colocate_with_primary)
