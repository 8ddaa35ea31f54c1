"""Where tensors live: steps of a GPU get their inputs there, through explicit steps that copy.

Values begin in the processor's memory: feeds, constants, and what the processor computes. A step
that is placed on a GPU reads and makes tensors in the GPU's memory, except that it is computed by
the processor after all when it has no tensor to work on but small integers: shapes, indices and
random numbers are, as in TensorFlow, not worth the GPU's while. A variable lives where its
operation is placed. Each copy is a step of its own, made once for all that read the value there.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from relight.engine.devices import Device
from relight.engine.placement import runs_on_gpu
from relight.engine.steps import Plan, Step, Value
from relight.graph import dtypes, opdef
from relight.graph.node import Operation, Tensor

HOST = torch.device("cpu")
# Their kernels answer from what the processor knows of a variable.
_ANSWERED_BY_HOST = frozenset(("VarIsInitializedOp", "IsVariableInitialized", "VariableShape"))


def settle(plan: Plan, placed: dict[Operation, Device]) -> None:
    """Decide where each tensor of a plan lives, and insert the steps that copy between devices."""
    if all(d.memory == HOST for d in placed.values()):
        return
    at: dict[Value, torch.device] = {}
    copies: dict[tuple[Value, torch.device], Value] = {}
    steps: list[Step] = []

    def moved(value: Any, memory: torch.device, step: Step) -> Any:
        if value is None or value.kind != "T" or at.get(value, HOST) == memory:
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
        memory = HOST if step.what == "tensor" else _memory(step, placed)
        if step.what != "read":
            step.inputs = [
                [moved(v, memory, step) for v in item]
                if isinstance(item, list)
                else moved(item, memory, step)
                for item in step.inputs
            ]
        made = HOST if step.what in _ANSWERED_BY_HOST else memory
        at.update({v: made for v in step.outputs if v is not None and v.kind == "T"})
        steps.append(step)
    plan.steps = steps
    plan.memories = at


def _fetched_new(plan: Plan, value: Value | None) -> None:
    """What was copied from a device belongs to the one fetch that asks for it."""
    places = [i for i, v in enumerate(plan.fetched_values) if v is value]
    if len(places) == 1:
        plan.copies[places[0]] = False


def _memory(step: Step, placed: dict[Operation, Device]) -> torch.device:
    """Where a step computes."""
    variables = [v for v in step.flat_inputs() if v.kind == "R" and v.tensor is not None]
    if step.what == "read":
        return _home(variables[0].tensor, placed)
    if step.node is None or not all(_computed(n) for n in step.nodes):
        return HOST
    held = {_home(v.tensor, placed) for v in variables}
    if held:
        return held.pop() if len(held) == 1 else HOST
    device = placed.get(step.node)
    if device is None or not any(
        v.kind == "T" and v.tensor is not None and v.tensor._dtype.base_dtype is not dtypes.int32
        for v in step.flat_inputs()
    ):
        return HOST
    return device.memory


def _computed(node: Operation) -> bool:
    """Whether a node's kernel works on tensors where they are."""
    return runs_on_gpu(node) and not opdef.record(node.type).host_out


def _home(tensor: Tensor | None, placed: dict[Operation, Device]) -> torch.device:
    """Where the variable of a reference or handle keeps its value."""
    assert tensor is not None
    node = tensor.op
    while node._inputs:
        node = node._inputs[0].op
    device = placed.get(node)
    return HOST if device is None or not runs_on_gpu(node) else device.memory


def _copy(value: Value, copied: Value, memory: torch.device, reader: Step) -> Step:
    node = reader.node if value.tensor is None else value.tensor.op
    function = functools.partial(_to, memory=memory)
    return Step("copy", function, [value], [copied], node, nodes=() if node is None else (node,))


def _to(tensor: torch.Tensor, memory: torch.device) -> torch.Tensor:
    """A tensor in another memory. What leaves the host goes without waiting for the GPU."""
    if memory.type == HOST.type:
        return tensor.to(memory)
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
