"""Runs with RunOptions: step by step with times (StepStats), or with a time limit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from tensorboard.compat.proto import config_pb2, graph_pb2

from relight.engine import explain, interpreter
from relight.engine.devices import PREFIX
from relight.engine.steps import CONVERSIONS, Plan, Step
from relight.graph import dtypes, graph_def
from relight.graph.shapes import TensorShape


def run(session: Any, plan: Any, values: list[Any], options: Any, metadata: Any) -> list[Any]:
    """The fetched values of a call, as `Session.run(..., options, run_metadata)` asks for it.

    With a `trace_level` and RunMetadata the steps are timed one by one into `step_stats`;
    `output_partition_graphs` adds the graph that was run; `timeout_in_ms` limits how long an
    operation may wait (DeadlineExceededError).
    """
    state = session._state
    if options is not None and options.timeout_in_ms > 0:
        state = copy.copy(state)  # shares everything but the limit
        state.timeout = options.timeout_in_ms / 1000
    traced = (
        metadata is not None
        and options is not None
        and options.trace_level != config_pb2.RunOptions.NO_TRACE
    )
    if metadata is not None:
        metadata.Clear()
    if traced:
        outputs = _run_steps(plan, state, values, metadata)
    else:
        outputs = _run_plain(plan, state, values)
    if metadata is not None and options is not None and options.output_partition_graphs:
        metadata.partition_graphs.append(_partition(plan))
    return outputs


def _run_plain(plan: Any, state: Any, values: list[Any]) -> list[Any]:
    try:
        with torch.inference_mode():
            return plan.function(state, values)
    except Exception as error:
        explain.raise_explained(plan, error)


def _run_steps(plan: Plan, state: Any, feeds: list[Any], metadata: Any) -> list[Any]:
    placed = plan.placed or {}
    by_device: dict[str, Any] = {}
    variables: dict[str, Any] = {}

    def note(step: Step, start: int, end: int, arguments: list[Any], results: list[Any]) -> None:
        if step.node is None:
            return
        if step.what == "read":
            # The value of a variable, which the step before it gave: a part of that entry.
            entry = variables.get(step.node.name)
            if entry is not None and not entry.output and isinstance(results[0], torch.Tensor):
                _describe(entry.output.add(slot=0), step.node.outputs[0].dtype, results[0])
                size = entry.output[0].tensor_description.allocation_description.requested_bytes
                entry.memory_stats.persistent_memory_size = size
        elif step.what not in CONVERSIONS:
            device = placed.get(step.node)
            name = f"{PREFIX}/device:CPU:0" if device is None else device.name
            if name not in by_device:
                by_device[name] = metadata.step_stats.dev_stats.add(device=name)
            entry = _add(by_device[name], step, start, end, arguments, results)
            variables[step.node.name] = entry

    with torch.inference_mode():
        return interpreter.walk(plan, state, feeds, note)


def _add(
    stats: Any, step: Step, start: int, end: int, arguments: list[Any], results: list[Any]
) -> Any:
    """One step as NodeExecStats; times in nanoseconds since 1970. Returns that of `step.node`.

    Where one kernel does the work of several nodes, its time is divided among them by the sizes of
    their outputs (evenly when one is not known), one after the other.
    """
    weights = [_elements(node) for node in step.nodes]
    if not all(weights):
        weights = [1] * len(step.nodes)
    entry, total, done = None, sum(weights), 0  # type: ignore[arg-type]
    for node, weight in zip(step.nodes, weights, strict=True):
        begin = start + (end - start) * done // total
        done += weight  # type: ignore[operator]
        added = _entry(stats, node, begin, start + (end - start) * done // total)
        if node is step.node:
            entry = added
    if entry is None:
        entry = _entry(stats, step.node, start, end)
    held = {_storage(item) for argument in arguments for item in _each(argument)}
    for slot, (value, item) in enumerate(zip(step.outputs, results, strict=True)):
        if value is None or value.tensor is None:
            continue
        if not isinstance(item, (torch.Tensor, np.ndarray)):
            continue
        output = entry.output.add(slot=slot)
        _describe(output, value.tensor.dtype, item)
        allocation = output.tensor_description.allocation_description
        if allocation.requested_bytes and _storage(item) not in held:  # not made in an input
            allocation.allocated_bytes = allocation.requested_bytes
            if not entry.memory:
                entry.memory.add(allocator_name=allocation.allocator_name)
            entry.memory[0].total_bytes += allocation.requested_bytes
            entry.memory[0].peak_bytes = entry.memory[0].total_bytes
            entry.memory[0].live_bytes = entry.memory[0].total_bytes
    return entry


def _entry(stats: Any, node: Any, start: int, end: int) -> Any:
    """The times of one node."""
    inputs = ", ".join(t.name.removesuffix(":0") for t in node._inputs)
    micros = max((end - start) // 1000, 1)
    return stats.node_stats.add(
        node_name=node.name,
        all_start_micros=start // 1000,
        op_start_rel_micros=0,
        op_end_rel_micros=micros,
        all_end_rel_micros=micros,
        all_start_nanos=start,
        op_end_rel_nanos=end - start,
        all_end_rel_nanos=end - start,
        scheduled_micros=start // 1000,
        scheduled_nanos=start,
        timeline_label=f"{node.name} = {node.type}({inputs})",
    )


def _describe(output: Any, dtype: dtypes.DType, item: Any) -> None:
    """Type, shape and memory of a value."""
    description = output.tensor_description
    description.dtype = dtype.base_dtype.as_datatype_enum
    description.shape.CopyFrom(TensorShape.of(tuple(item.shape)).as_proto())
    allocation = description.allocation_description
    allocation.requested_bytes = _size(item, dtype)
    allocation.allocator_name = "cpu"
    if isinstance(item, torch.Tensor):
        allocation.ptr = item.data_ptr()
        if item.device.type == "cuda":
            allocation.allocator_name = "GPU_0_bfc"


def _elements(node: Any) -> int | None:
    """How many elements the outputs of a node have; None when that is not known, or none."""
    counts = [t.shape.num_elements() for t in node.outputs]
    return None if None in counts else sum(counts) or None


def _each(argument: Any) -> list[Any]:
    return argument if isinstance(argument, list) else [argument]


def _storage(item: Any) -> int:
    """Where the memory of a value begins; an arbitrary number for what is no array."""
    if isinstance(item, torch.Tensor):
        return item.untyped_storage().data_ptr()
    return id(item)


def _size(item: Any, dtype: dtypes.DType) -> int:
    if isinstance(item, torch.Tensor):
        return item.numel() * item.element_size()
    if dtype.base_dtype is dtypes.string:
        return sum(len(v) for v in item.ravel().tolist())
    return item.nbytes


def _partition(plan: Plan) -> Any:
    """The nodes that were run, as GraphDef."""
    nodes = {n for step in plan.steps for n in step.nodes}
    nodes.update(v.tensor.op for v in plan.constants if v.tensor is not None)
    proto = graph_pb2.GraphDef()
    for node in sorted(nodes, key=lambda n: n._id):
        proto.node.append(graph_def.node_def(node))
    return proto
