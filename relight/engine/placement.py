"""Placement: which device each operation of a graph runs on, as TensorFlow 1.15's placer decides.

1. Operations of one colocation group (`_class: loc:@name`), and those that take a variable or other
   resource and the one that makes it, run on one device. Their asked-for devices are merged; in a
   group around a resource the device of the resource holds.
2. The device asked for must exist. Under `allow_soft_placement` any device of the same task serves.
3. Among the devices that are left, GPUs come before CPUs and lower numbers before higher ones.
   Size, Shape and Rank follow their input; an operation without inputs follows the one that reads
   it.

All operations are placed, also those that a call of `Session.run` does not need.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from relight.engine.devices import Device
from relight.graph import dtypes, errors, opdef
from relight.graph.device import DeviceSpec
from relight.graph.node import Operation, Tensor

_FIELDS = ("job", "replica", "task", "device_type", "device_index")
Request = tuple[Any, ...]  # the fields of a device name, None for those left open
_OPEN: Request = (None,) * 5
_PRIORITY = {"GPU": 0, "CPU": 1}
_METADATA = frozenset(("Size", "Shape", "Rank"))


@functools.lru_cache(maxsize=4096)
def _parsed(name: str) -> Request:
    spec = DeviceSpec.from_string(name)
    return tuple(getattr(spec, field) for field in _FIELDS)


def _text(request: Request) -> str:
    return DeviceSpec(*request).to_string()


def _fits(device: Device, request: Request) -> bool:
    own = (device.job, 0, device.task, device.device_type, device.index)
    return all(r is None or r == o for r, o in zip(request, own, strict=True))


def _rank(device: Device) -> tuple[Any, ...]:
    return _PRIORITY[device.device_type], device.job, device.task, device.index


def runs_on_gpu(node: Operation) -> bool:
    """Whether a node may be placed on a GPU.

    What has to do with strings, files, queues, Python functions or function bodies is left to the
    processor, and so are variables of int32, as in TensorFlow. What computes shapes may be placed
    on a GPU, as there, although the processor does it (see `relight.engine.memories`).
    """
    if node.type in _HOST or node.graph._is_function(node.type):
        return False
    if any(t._dtype.base_dtype in _HOST_TYPES for t in (*node._inputs, *node._outputs)):
        return False
    definition = opdef.op_def(node.type)
    if any(a.kind in _FUNCTIONS for a in definition.attrs.values()):
        return False
    if node.type in HOLDERS:
        return node._attrs["dtype"].base_dtype is not dtypes.int32
    if opdef.record(node.type).takes_session and node.type not in _RANDOM:
        return any(t._dtype._is_ref_dtype or t._dtype is dtypes.resource for t in node._inputs)
    return True


_HOST_TYPES = (dtypes.string, dtypes.variant)
_FUNCTIONS = ("func", "list(func)")
# What makes the reference or the handle of a variable; and of a memory that lives for one run.
VARIABLES = frozenset(("VariableV2", "Variable", "VarHandleOp"))
HOLDERS = VARIABLES | {"TemporaryVariable"}
_RANDOM = frozenset(
    ("RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt")
)
# Python's own, and kernels that make their results in the processor's memory.
_HOST = frozenset(
    ("PyFunc", "PyFuncStateless", "EagerPyFunc", "Print", "PrintV2", "Assert", "SparseReshape")
)


_RUN_ONCE = frozenset(("If", "StatelessIf", "PartitionedCall", "StatefulPartitionedCall"))


def holder(tensor: Tensor) -> Operation:
    """The operation that makes the resource behind a reference or handle, inside of functions too.

    An input of a function that captured nothing is its placeholder.
    """
    while True:
        node = tensor.op
        if node._inputs:
            tensor = node._inputs[0]
            continue
        graph: Any = node.graph
        outer = graph.captured_by(tensor) if graph.building_function else tensor
        if outer is tensor:
            return node
        tensor = outer


def _known_inside(node: Operation) -> bool:
    """Whether the functions of a node know which resources they use: those loaded from a file do
    not."""
    for name, definition in opdef.op_def(node.type).attrs.items():
        if definition.kind != "func":
            continue
        function = node.graph._get_function(str(node._attrs[name]))
        for tensor in () if function is None else function.inputs:
            held = tensor._dtype._is_ref_dtype or tensor._dtype is dtypes.resource
            if held and tensor._consumers and holder(tensor) is tensor.op:
                return False
    return True


class Placer:
    """Places the operations of graphs on `devices`; `soft`: `allow_soft_placement`."""

    def __init__(self, devices: Sequence[Device], soft: bool):
        self.devices = tuple(devices)
        self.soft = soft
        self.single = len(self.devices) == 1
        self._sorted = sorted(self.devices, key=_rank)
        self._fine: set[str] = {""}  # device names that the only device answers to
        self._checked = 0
        self._found: tuple[Any, dict[Operation, Device]] | None = None

    @property
    def key(self) -> Any:
        """What plans depend on: None where all operations run on the only device."""
        return None if self.single else (self.devices, self.soft)

    def check(self, graph: Any) -> None:
        """InvalidArgumentError when an operation of `graph` asks for what cannot be had."""
        if not self.single:
            self.place(graph)
            return
        nodes = graph._nodes_by_id
        for i in range(self._checked, len(nodes)):
            name = nodes[i]._device
            if name in self._fine:
                continue
            request = _parsed(name)
            if not _fits(self.devices[0], (*request[:3], None, None) if self.soft else request):
                self.place(graph)  # says which one and why
            self._fine.add(name)
        self._checked = len(nodes)

    def place(self, graph: Any) -> dict[Operation, Device]:
        """The device of each operation of `graph`, in the order in which they are placed.

        InvalidArgumentError when an operation asks for a device that is not there, or operations
        that belong together ask for different ones.
        """
        state = (graph, len(graph._nodes_by_id), graph._mutations)
        if self._found is None or self._found[0] != state:
            self._found = (state, self._place(graph))
        return self._found[1]

    def _place(self, graph: Any) -> dict[Operation, Device]:
        nodes = list(graph._nodes_by_id)
        groups = _Groups(nodes, self.soft)
        placed: dict[Operation, Device] = {}
        generators = []
        for node in nodes:
            if not node._inputs and len(node._outputs) == 1:
                if not node._outputs[0]._dtype._is_ref_dtype:
                    generators.append(node)
                    continue
            choice = self._choices(node, groups)
            followed = placed.get(node._inputs[0].op) if node.type in _METADATA else None
            placed[node] = followed if followed is not None and followed in choice else choice[0]
        for node in generators:
            choice = self._choices(node, groups)
            readers = [*node._outputs[0]._consumers, *node._control_outputs]
            around = {placed.get(r) for r in readers}
            followed = around.pop() if len(around) == 1 else None
            placed[node] = followed if followed is not None and followed in choice else choice[0]
        return placed

    def _choices(self, node: Operation, groups: _Groups) -> Sequence[Device]:
        """The devices that a node may run on, best first."""
        root = groups.root(node)
        request = groups.request(root)
        gpu = root not in groups.bound_to_cpu
        key = (request, gpu)
        found = groups.choices.get(key)
        if found is None:
            found = self._matching(request, gpu)
            if not found and self.soft:
                found = self._matching((*request[:3], None, None), gpu)
            groups.choices[key] = found
        if not found:
            raise errors.InvalidArgumentError(node.node_def, node, self._reason(node, request))
        return found

    def _matching(self, request: Request, gpu: bool) -> list[Device]:
        return [d for d in self._sorted if _fits(d, request) and (gpu or d.device_type == "CPU")]

    def _reason(self, node: Operation, request: Request) -> str:
        """Why a node cannot be placed, in TensorFlow's words."""
        listed = ", ".join(d.name for d in self.devices)
        asked = _parsed(node._device)
        if asked != request:
            text = (
                f"Could not satisfy explicit device specification '{node._device}' because the "
                f"node {_where(node)} was colocated with a group of nodes that required "
                f"incompatible device '{_text(request)}'. All available devices [{listed}]. "
            )
        elif self._matching(request, True):
            text = (
                f"Could not satisfy explicit device specification '{node._device}' because no "
                f"supported kernel for {asked[3]} devices is available.\nOp: {node.type}"
            )
        else:
            text = (
                f"{_where(node)} was explicitly assigned to {node._device} but available devices "
                f"are [ {listed} ]. Make sure the device specification refers to a valid device."
            )
            if asked[3] == "GPU" and not any(d.device_type == "GPU" for d in self.devices):
                text += " The requested device appears to be a GPU, but CUDA is not enabled."
        return f"Cannot assign a device for operation {node.name}: {text}\n\t [[{node.name}]]"


def _where(node: Operation) -> str:
    line = node.user_line
    place = f" (defined at {line[0]}:{line[1]}) " if line is not None else ""
    return f"node {node.name}{place}"


class _Groups:
    """Operations that run on one device: a forest with the merged request at each root."""

    def __init__(self, nodes: Sequence[Operation], soft: bool):
        self.soft = soft
        self.choices: dict[Any, list[Device]] = {}
        self._parent: dict[Operation, Operation] = {}
        self._merged: dict[Operation, Request] = {}
        for node in nodes:
            for group in node._attrs.get("_class") or ():
                name = group.decode() if isinstance(group, bytes) else group
                other = node.graph._nodes_by_name.get(name.removeprefix("loc:@"))
                if name.startswith("loc:@") and other is not None and other is not node:
                    self._join(node, other)
        self.captured: list[Tensor] = []  # resources that functions use, which the processor runs
        for node in nodes:
            self._follow_resources(node)
        # A group runs where all its members can.
        bound = [n for n in nodes if not runs_on_gpu(n)] + [t.op for t in self.captured]
        self.bound_to_cpu = {self.root(n) for n in bound}

    def root(self, node: Operation) -> Operation:
        """The operation that stands for the group of `node`."""
        parent = self._parent.get(node)
        if parent is None:
            return node
        while (above := self._parent.get(parent)) is not None:
            self._parent[node] = above
            node, parent = parent, above
        return parent

    def request(self, root: Operation) -> Request:
        """What a group asks for."""
        found = self._merged.get(root)
        return _parsed(root._device) if found is None else found

    def _join(self, node: Operation, other: Operation) -> None:
        a, b = self.root(node), self.root(other)
        if a is b:
            return
        mine, theirs = self.request(a), self.request(b)
        merged = list(theirs)
        for i, (m, t) in enumerate(zip(mine, theirs, strict=True)):
            if m is None or m == t:
                continue
            if t is None:
                merged[i] = m
            elif i >= 3 and self.soft:
                merged[i:] = [None] * (5 - i)
                break
            else:
                what = ("jobs", "replicas", "tasks", "types", "ids")[i]
                raise errors.InvalidArgumentError(
                    node.node_def,
                    node,
                    f"Cannot colocate nodes {_where(node)} placed on device {node._device} and "
                    f"{_where(other)} placed on device {other._device}: Cannot merge devices with "
                    f"incompatible {what}: '{_text(mine)}' and '{_text(theirs)}'\n\t "
                    f"[[{_where(node)}]]",
                )
        self._parent[a] = b
        self._merged[b] = tuple(merged)

    def _follow_resources(self, node: Operation) -> None:
        """A node that takes references or resources goes where they are."""
        taken = [t for t in node._inputs if t._dtype._is_ref_dtype or t._dtype is dtypes.resource]
        if not taken:
            return
        if node.graph._is_function(node.type):
            self.captured += taken
            return
        definition = opdef.op_def(node.type)
        if any(a.kind in _FUNCTIONS for a in definition.attrs.values()):
            # A function may use resources of several devices. One that runs once takes them from
            # where they are.
            if node.type not in _RUN_ONCE or not _known_inside(node):
                self.captured += taken
            return
        refs = any(a.is_ref for a in definition.inputs)
        for tensor in taken:
            if tensor._dtype._is_ref_dtype and not refs:
                continue  # it reads the value
            a, b = self.root(node), self.root(tensor.op)
            if a is b:
                continue
            if a is not node and self.request(a) != self.request(b):
                raise errors.InvalidArgumentError(
                    node.node_def,
                    node,
                    "Cannot place the graph because a reference or resource edge connects "
                    "colocation groups with incompatible resource devices: "
                    f"{_text(self.request(b))} vs {_text(self.request(a))}. The edge src node is "
                    f"{tensor.op.name} , and the dst node is {node.name}",
                )
            self._parent[a] = b
            self._merged[b] = self.request(b)


def report(placed: dict[Operation, Device]) -> str:
    """The lines of `log_device_placement`."""
    return "".join(f"{n.name}: ({n.type}): {d.name}\n" for n, d in placed.items())


def device_mapping(devices: Sequence[Device]) -> str:
    """What a session with `log_device_placement` says of its devices first."""
    lines = [f"{d.name} -> {d.description}\n" for d in devices if d.description]
    return "Device mapping:\n" + "".join(lines) if lines else "Device mapping: no known devices.\n"
