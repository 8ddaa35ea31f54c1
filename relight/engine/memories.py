"""Where tensors live: steps of a GPU get their inputs there, through explicit steps that copy.

Values begin in the processor's memory: feeds, constants, and what the processor computes. A step
that is placed on a GPU reads and makes tensors in the GPU's memory, except that it is computed by
the processor after all when it has no tensor to work on but small integers: shapes, indices and
random numbers are, as in TensorFlow, not worth the GPU's while. A variable lives where its
operation is placed. Each copy is a step of its own, made once for all that read the value there.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any

import torch

from relight.engine.devices import Device
from relight.engine.placement import VARIABLES, holder, runs_on_gpu
from relight.engine.steps import Plan, Step, Value, mapped
from relight.graph import dtypes, opdef
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops import call

HOST = torch.device("cpu")
# They choose and run bodies (`engine/flow_steps.py`), which the processor computes.
_RUN_BODIES = frozenset(("when", "unless", "loop", "join", "alive"))
# Their kernels answer from what the processor knows of a variable.
_ANSWERED_BY_HOST = frozenset(("VarIsInitializedOp", "IsVariableInitialized", "VariableShape"))


def settle(plan: Plan, placed: dict[Operation, Device], body: bool = False) -> None:
    """Decide where each tensor of a plan lives, and insert the steps that copy between devices.

    `body`: it is the body of a function, which the processor runs; only its variables may be
    elsewhere. Tensors come to a body and leave it in the processor's memory.
    """
    if all(d.memory == HOST for d in placed.values()):
        return
    at: dict[Value, torch.device] = {}
    copies: dict[tuple[Value, torch.device], Value] = {}
    steps: list[Step] = []

    def moved(value: Value, memory: torch.device, step: Step | None) -> Value:
        if value.kind != "T" or at.get(value, HOST) == memory:
            return value
        found = copies.get((value, memory))
        if found is None:
            found = copies[value, memory] = Value(value.tensor, "T")
            at[found] = memory
            if value in plan.constants:
                plan.constants[found] = plan.constants[value].to(memory)
            else:
                steps.append(_copy(value, found, memory, step))
        return found

    for step in plan.steps:
        if step.what == "numpy":  # a copy to the processor when the tensor is not there
            if at.get(step.inputs[0], HOST) != HOST:
                step.views = None
                _fetched_new(plan, step.outputs[0])
            steps.append(step)
            continue
        memory = HOST if step.what == "tensor" else _memory(step, placed, at, body)
        if step.what != "read":
            # The rate of moving averages is taken as a number.
            stay = 1 if step.what.startswith("MovingAverage") else 0
            move = functools.partial(moved, memory=memory, step=step)
            step.inputs = step.inputs[:stay] + mapped(step.inputs[stay:], move)
        made = HOST if step.what in _ANSWERED_BY_HOST else memory
        at.update({v: made for v in step.outputs if v is not None and v.kind == "T"})
        steps.append(step)
    plan.fetched_values = [moved(v, HOST, None) for v in plan.fetched_values]
    plan.steps = steps
    plan.memories = at


def _fetched_new(plan: Plan, value: Value | None) -> None:
    """What was copied from a device belongs to the one fetch that asks for it."""
    places = [i for i, v in enumerate(plan.fetched_values) if v is value]
    if len(places) == 1:
        plan.copies[places[0]] = False


def _memory(
    step: Step, placed: dict[Operation, Device], at: dict[Value, torch.device], body: bool
) -> torch.device:
    """Where a step computes."""
    if step.what in _RUN_BODIES:
        return HOST
    variables = [v for v in step.flat_inputs() if v.kind == "R" and v.tensor is not None]
    if step.what == "read":
        return _home(variables[0].tensor, placed)
    if step.node is None or not all(_computed(n) for n in step.nodes):
        return HOST
    held = {_home(v.tensor, placed) for v in variables}
    if held:
        return held.pop() if len(held) == 1 else HOST
    device = placed.get(step.node)
    if body or device is None or _is_small(step, at):
        return HOST
    return device.memory


def _is_small(step: Step, at: dict[Value, torch.device]) -> bool:
    """Whether a step computes indices, or numbers from numbers that the processor has."""
    taken = [v for v in step.flat_inputs() if v.kind == "T"]
    if all(v.tensor is not None and v.tensor._dtype.base_dtype is dtypes.int32 for v in taken):
        return True
    return all(at.get(v, HOST) == HOST for v in taken) and all(
        v is None or v.kind != "T" or (v.tensor is not None and v.tensor._shape._sizes == ())
        for v in (*taken, *step.outputs)
    )


def _computed(node: Operation) -> bool:
    """Whether a node's kernel works on tensors where they are."""
    return runs_on_gpu(node) and not opdef.record(node.type).host_out


def _home(tensor: Tensor | None, placed: dict[Operation, Device]) -> torch.device:
    """Where the variable of a reference or handle keeps its value."""
    assert tensor is not None
    node = holder(tensor)
    device = placed.get(node)
    if device is None or device.memory == HOST or not runs_on_gpu(node) or is_counter(node):
        return HOST
    return device.memory


_counters: weakref.WeakKeyDictionary[Operation, bool] = weakref.WeakKeyDictionary()


def is_counter(node: Operation) -> bool:
    """Whether a variable is one number that is computed from numbers alone: steps, rates, decays.

    The processor keeps it: what a GPU makes of single numbers would have to be waited for, as soon
    as they are rates of an update. This is decided when the variable is first used, and holds from
    then on, whatever is added to the graph.
    """
    if node.type not in VARIABLES:  # of a stack, a list, an input of a function
        return False
    found = _counters.get(node)
    if found is None:
        found = _counters[node] = _from_numbers(node)
    return found


def _from_numbers(variable: Operation) -> bool:
    """Whether a variable, and those that it is computed from, have single numbers written to them
    that come from single numbers."""
    seen: set[Any] = set()
    waiting: list[Any] = [variable]
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        if isinstance(item, Operation):  # a variable
            if TensorShape(item._attrs["shape"])._sizes != ():
                return False
            waiting += _written(item)
            continue
        node = item.op
        if node.type in VARIABLES:
            waiting.append(node)
        elif node.type in ("Identity", "ReadVariableOp"):
            waiting.append(node._inputs[0])
        elif runs_on_gpu(node) and item._dtype.base_dtype is not dtypes.int32:
            if item._shape._sizes != ():
                return False
            host = opdef.record(node.type).host
            for argument, group in call.arguments(node):
                if argument.name not in host:
                    waiting += group if isinstance(group, list) else [group]
    return True


def _written(variable: Operation) -> list[Tensor]:
    """What is written to a variable, by whatever takes a reference to it."""
    values: list[Tensor] = []
    seen: set[Operation] = set()
    waiting = list(variable._outputs)
    while waiting:
        for node in waiting.pop()._consumers:
            if node in seen or opdef.record(node.type).writes is None:
                continue
            seen.add(node)
            waiting += [t for t in node._outputs if t._dtype._is_ref_dtype]
            host = opdef.record(node.type).host
            for argument, group in call.arguments(node):
                if argument.is_ref or argument.dtype is dtypes.resource or argument.name in host:
                    continue
                values += group if isinstance(group, list) else [group]
    return values


def _copy(value: Value, copied: Value, memory: torch.device, reader: Step | None) -> Step:
    node = value.tensor.op if value.tensor is not None else reader.node if reader else None
    function = functools.partial(_to, memory=memory)
    return Step("copy", function, [value], [copied], node, nodes=() if node is None else (node,))


def _to(tensor: torch.Tensor | None, memory: torch.device) -> torch.Tensor | None:
    """A tensor in another memory. What leaves the host goes without waiting for the GPU.

    None is the value of what a loaded graph's control flow did not compute.
    """
    if tensor is None or memory.type == HOST.type:
        return None if tensor is None else tensor.to(memory)
    return staged(tensor).to(memory, non_blocking=True)


def staged(tensor: torch.Tensor) -> torch.Tensor:
    """What to copy to a GPU in place of a tensor: one of the host in page-locked memory.

    The GPU takes such memory by itself while the program goes on; PyTorch's allocator gives it to
    others when that is over. Small tensors the driver takes along with the call.
    """
    if tensor.device.type != HOST.type or tensor.nbytes <= _TAKEN_ALONG:
        return tensor
    return tensor.pin_memory()


_TAKEN_ALONG = 1 << 16  # bytes
