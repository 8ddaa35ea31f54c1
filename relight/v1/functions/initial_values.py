"""Initial values that depend on other variables, made independent of the order of initialization.

See `safe_initial_value`.
"""

from __future__ import annotations

from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.node import Operation, Tensor

_STOP = ("IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If", "StatelessIf")
_HOLDERS = ("Variable", "VariableV2", "VarHandleOp")


def safe_initial_value(name: str, value: Tensor) -> Tensor:
    """`value` with every reference variable in it replaced by its initialized value.

    So variables can be initialized in any order. A value in a cycle is left as it is.
    """
    order = _dependency_order(value.op)
    if order is None:
        return value
    needed: set[Operation] = set()
    waiting = [value.op]
    while waiting:
        op = waiting.pop()
        if op not in needed:
            needed.add(op)
            if op.type not in _STOP and op.type not in _HOLDERS:
                waiting.extend(t.op for t in op._inputs)
    safe: dict[Operation, Operation] = {}
    for op in order:
        if op in needed:
            safe[op] = _safe_op(name, op, safe)
    return safe[value.op].outputs[value.value_index]


def _dependency_order(start: Operation) -> list[Operation] | None:
    """All operations that `start` needs, dependencies first; None when there is a cycle."""
    order: list[Operation] = []
    state: dict[Operation, int] = {}
    stack = [start]
    while stack:
        op = stack[-1]
        if state.get(op, 0) == 0:
            state[op] = 1
            for needed in [*(t.op for t in op._inputs), *op._control_inputs]:
                if state.get(needed, 0) == 1:
                    return None
                if needed not in state:
                    stack.append(needed)
            continue
        stack.pop()
        if state[op] == 1:
            state[op] = 2
            order.append(op)
    return order


def _safe_op(name: str, op: Operation, safe: dict[Operation, Operation]) -> Operation:
    if op.type in _STOP:
        return op
    if op.type in _HOLDERS:
        found = _variable_of(op)
        return op if found is None else found.initialized_value().op
    inputs = [safe[t.op].outputs[t.value_index] for t in op._inputs]
    if inputs == op._inputs:
        return op
    return op.graph._add(
        "Switch" if op.type == "RefSwitch" else op.type,
        inputs,
        [t.dtype.base_dtype for t in op._outputs],
        f"{op.name}_{name}".replace(":", "_"),
        dict(op._attrs),
    )


def _variable_of(op: Operation) -> Any:
    for collection in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        for variable in op.graph.get_collection(collection):
            if variable.name in (op.name, op.name + ":0"):
                return variable
    return None
