"""`tensorflow.python.client.timeline`: StepStats as a trace that Chrome shows (chrome://tracing).

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple


class AllocationMaximum(NamedTuple):
    """The largest use of an allocator: when (microseconds), how many bytes, by which tensors."""

    timestamp: int
    num_bytes: int
    tensors: set[str]


class StepStatsAnalysis(NamedTuple):
    """A trace and the largest memory use of each allocator."""

    chrome_trace: Any
    allocator_maximums: dict[str, AllocationMaximum]


class _ChromeTrace:
    """The events of a trace."""

    def __init__(self) -> None:
        self._metadata: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def process(self, name: str, pid: int) -> None:
        """Name a process (a row group)."""
        self._metadata.append(
            {"name": "process_name", "ph": "M", "pid": pid, "args": {"name": name}}
        )

    def event(
        self, ph: str, category: str, name: str, pid: int, tid: int, timestamp: int, **more: Any
    ) -> None:
        """Add an event; `timestamp` in microseconds."""
        self._events.append(
            {"ph": ph, "cat": category, "name": name, "pid": pid, "tid": tid, "ts": timestamp}
            | more
        )

    def format_to_string(self, pretty: bool = False) -> str:
        """The trace as JSON."""
        trace = {"traceEvents": self._metadata + self._events}
        if pretty:
            return json.dumps(trace, indent=4, separators=(",", ": "))
        return json.dumps(trace, separators=(",", ":"))


class _Tensor:
    """One output of a node: when it is made and last used, and its size."""

    def __init__(
        self, name: str, object_id: int, timestamp: int, pid: int, allocator: str, num_bytes: int
    ):
        self.name = name
        self.object_id = object_id
        self.create_time = timestamp
        self.pid = pid
        self.allocator = allocator
        self.num_bytes = num_bytes
        self.last_unref = timestamp


def _parse_label(label: str) -> tuple[str, list[str]]:
    """(op type, input names) of `node = Op(a, b)`."""
    match = re.match(r"(.*) = (.*)\((.*)\)", label)
    if match is None:
        return "unknown", []
    return match[2], match[3].split(", ") if match[3] else []


class Timeline:
    """A viewer of the StepStats in a run's RunMetadata."""

    def __init__(self, step_stats: Any, graph: Any = None):
        self._step_stats = step_stats
        self._graph = graph
        self._trace = _ChromeTrace()
        self._next_pid = 0
        self._compute_pids: dict[str, int] = {}
        self._tensor_pids: dict[str, int] = {}
        self._tensors: dict[str, _Tensor] = {}
        self._flow_starts: dict[str, tuple[int, int, int]] = {}
        self._next_flow_id = 0
        self._allocators_pid = 0

    def _process(self, name: str) -> int:
        pid = self._next_pid
        self._next_pid += 1
        self._trace.process(name, pid)
        return pid

    def _assign_lanes(self) -> None:
        """Give nodes that overlap in time different rows."""
        for device in self._step_stats.dev_stats:
            ends = [0]
            for node in device.node_stats:
                end = node.all_start_micros + node.all_end_rel_micros
                for lane, last in enumerate(ends):
                    if node.all_start_micros > last:
                        ends[lane] = end
                        break
                else:
                    lane = len(ends)
                    ends.append(end)
                node.thread_id = lane

    def _analyze_tensors(self, show_memory: bool) -> None:
        for device in self._step_stats.dev_stats:
            pid, tensors_pid = self._compute_pids[device.device], self._tensor_pids[device.device]
            for node in device.node_stats:
                start = node.all_start_micros
                end = start + node.all_end_rel_micros
                for index, output in enumerate(node.output):
                    name = f"{node.node_name}:{index}" if index else node.node_name
                    allocation = output.tensor_description.allocation_description
                    tensor = _Tensor(
                        name,
                        len(self._tensors),
                        start,
                        tensors_pid,
                        allocation.allocator_name,
                        allocation.requested_bytes,
                    )
                    tensor.last_unref = end
                    self._tensors[name] = tensor
                    self._flow_starts[name] = (end, pid, node.thread_id)
                    if show_memory:
                        described = str(output.tensor_description).replace('"', "")
                        place = (tensors_pid, node.thread_id)
                        self._trace.event("N", "Tensor", name, *place, start, id=tensor.object_id)
                        self._trace.event(
                            "O",
                            "Tensor",
                            name,
                            *place,
                            end - 1,
                            id=tensor.object_id,
                            args={"snapshot": {"tensor_description": described}},
                        )

    def _show_compute(self, show_dataflow: bool) -> None:
        for device in self._step_stats.dev_stats:
            pid = self._compute_pids[device.device]
            gpu_trace = "/stream:" in device.device or "/memcpy" in device.device
            for node in device.node_stats:
                self._show_node(node, pid, gpu_trace, show_dataflow)

    def _show_node(self, node: Any, pid: int, gpu_trace: bool, show_dataflow: bool) -> None:
        start, tid = node.all_start_micros, node.thread_id
        name, inputs = node.node_name, []
        if gpu_trace:
            name, op = [*name.split(":"), "unknown"][:2]
        elif name == "RecvTensor":
            op = "RecvTensor"
        else:
            op, inputs = _parse_label(node.timeline_label)
        args = {"name": name, "op": op} | {f"input{i}": n for i, n in enumerate(inputs)}
        self._trace.event("X", "Op", op, pid, tid, start, dur=node.all_end_rel_micros, args=args)
        for text in inputs:
            if text not in self._tensors and "/_" in text:
                text = text[: text.rfind("/_")]
            tensor = self._tensors.get(text)
            if tensor is None:
                continue
            tensor.last_unref = max(tensor.last_unref, start + node.all_end_rel_micros - 1)
            made, made_pid, made_tid = self._flow_starts[text]
            if show_dataflow and (made_pid, made_tid) != (pid, tid):
                flow = self._next_flow_id
                self._next_flow_id += 1
                self._trace.event("s", "DataFlow", text, made_pid, made_tid, made, id=flow)
                self._trace.event("t", "DataFlow", text, pid, tid, start, id=flow)

    def _show_memory(self) -> dict[str, AllocationMaximum]:
        changes: dict[str, list[tuple[int, int, str]]] = {}
        for name, tensor in self._tensors.items():
            self._trace.event(
                "D", "Tensor", name, tensor.pid, 0, tensor.last_unref, id=tensor.object_id
            )
            own = changes.setdefault(tensor.allocator, [])
            own.append((tensor.create_time, tensor.num_bytes, name))
            own.append((tensor.last_unref, -tensor.num_bytes, name))
        maximums = {}
        for allocator, items in changes.items():
            total, alive = 0, set()
            largest = AllocationMaximum(0, 0, set())
            for timestamp, num_bytes, name in sorted(items):  # at one time: what is freed first
                total += num_bytes
                if num_bytes < 0:
                    alive.discard(name)
                else:
                    alive.add(name)
                if total > largest.num_bytes:
                    largest = AllocationMaximum(timestamp, total, set(alive))
                self._trace.event(
                    "C", "Memory", allocator, self._allocators_pid, 0, timestamp,
                    args={allocator: total},
                )  # fmt: skip
            maximums[allocator] = largest
        return maximums

    def analyze_step_stats(
        self, show_dataflow: bool = True, show_memory: bool = True
    ) -> StepStatsAnalysis:
        """The trace and the largest memory uses."""
        self._allocators_pid = self._process("Allocators")
        for device in self._step_stats.dev_stats:
            self._compute_pids[device.device] = self._process(device.device + " Compute")
            self._tensor_pids[device.device] = self._process(device.device + " Tensors")
        self._assign_lanes()
        self._analyze_tensors(show_memory)
        self._show_compute(show_dataflow)
        return StepStatsAnalysis(self._trace, self._show_memory() if show_memory else {})

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False
    ) -> str:
        """The trace as JSON for chrome://tracing."""
        analysis = self.analyze_step_stats(show_dataflow, show_memory)
        return analysis.chrome_trace.format_to_string(pretty=True)
