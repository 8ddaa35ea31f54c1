"""Plans: the steps that compute given fetches from given feeds, in order.

A plan is made by named passes over a list of `Step`s (see `relight.engine.passes`), and becomes one
Python function (`relight.engine.codegen`). `relight.engine.interpreter` runs the same steps.

A value has one of three kinds:
* "T": a torch tensor,
* "H": a numpy array on the host (strings, shapes, axes; fetches and feeds),
* "R": a resource itself (a variable, a queue), not what it holds.
"""

from __future__ import annotations

import heapq
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from relight.engine import control, flow, flow_steps, known_shapes
from relight.engine.devices import Device
from relight.engine.steps import Plan, Step, Value
from relight.graph import dtypes, errors, opdef
from relight.graph.node import Operation, Tensor
from relight.ops import call

_HOST_ONLY = (dtypes.string,)
_HANDLES = (dtypes.resource, dtypes.variant)
Placed = dict[Operation, Device]


def prune(fetches: Sequence[Any], fed: set[Tensor]) -> list[Operation]:
    """The operations that the fetches need, given the fed tensors, in an order that respects edges.

    Among those that are free to run, the one made first comes first.
    """
    needed: set[Operation] = set()
    waiting = [f.op if isinstance(f, Tensor) else f for f in fetches if f not in fed]
    while waiting:
        node = waiting.pop()
        if node in needed:
            continue
        needed.add(node)
        for t in node._inputs:
            if t not in fed and t.op not in needed:
                waiting.append(t.op)
        for c in node._control_inputs:
            if c not in needed:
                waiting.append(c)
    ordered = sorted(needed, key=lambda n: n._id)
    place = {n: i for i, n in enumerate(ordered)}
    in_order = all(
        place[b] < place[n]
        for n in ordered
        for b in [*(t.op for t in n._inputs if t not in fed), *n._control_inputs]
        if b in place
    )
    return ordered if in_order else _topological(needed, fed)


def _topological(nodes: set[Operation], fed: set[Tensor]) -> list[Operation]:
    before = {
        n: {t.op for t in n._inputs if t not in fed and not flow.goes_back(n, t)}
        | set(n._control_inputs)
        for n in nodes
    }
    after: dict[Operation, list[Operation]] = {n: [] for n in nodes}
    for node, needs in before.items():
        for need in needs:
            after[need].append(node)
    ready = [(n._id, n) for n in nodes if not before[n]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, node = heapq.heappop(ready)
        ordered.append(node)
        for follower in after[node]:
            before[follower].discard(node)
            if not before[follower]:
                heapq.heappush(ready, (follower._id, follower))
    if len(ordered) < len(nodes):
        stuck = sorted(n.name for n in nodes - set(ordered))
        raise errors.InvalidArgumentError(
            None, None, f"the graph has a cycle through {', '.join(stuck[:5])}"
        )
    return ordered


class Lowering:
    """Turns nodes into steps, with conversions between the kinds of values where needed."""

    def __init__(
        self,
        graph: Any,
        feeds: list[Tensor],
        fetches: list[Any],
        body: bool = False,
        placed: Placed | None = None,
    ):
        self.body, self.placed = body, placed
        self.plan = Plan(graph, feeds, [f for f in fetches if isinstance(f, Tensor)], [], [], [])
        self.plan.targets = {f for f in fetches if isinstance(f, Operation)}
        self.fed = {t: i for i, t in enumerate(feeds)}
        self.values: dict[tuple[Tensor, str], Value] = {}
        self.aliases: dict[Tensor, Tensor] = {}
        self.doubtful: set[Tensor] = set()  # fetches that may have no value
        self.written: dict[Operation, frozenset[Operation]] = {}
        self.written_before: dict[Operation, frozenset[Operation]] = {}
        for tensor in feeds:
            kind = self._outer_kind(tensor)
            value = Value(tensor, kind)
            self.plan.fed_values.append(value)
            self.values[tensor, kind] = value

    def _outer_kind(self, tensor: Tensor) -> str:
        """The kind of a feed or fetch: numpy for users, the natural one for a function body."""
        if self.body:
            return control.kind_of(tensor)
        return "R" if tensor.dtype.base_dtype in _HANDLES else "H"

    def lower(self, nodes: Sequence[Any]) -> Plan:
        """The plan for operations, or items of old control flow (`flow.arrange`), in order."""
        for node in nodes:
            if not isinstance(node, Operation):
                flow_steps.lower(self, node)
                continue
            fed_whole = node._outputs and all(t in self.fed for t in node._outputs)
            self._note_writes(node)
            if node.type in ("NoOp", "ControlTrigger") or fed_whole:
                continue
            if node.type == "Const":
                self._constant(node)
            elif control.is_call(node):
                self._call(node)
            else:
                self._node(node)
        for tensor in self.plan.fetches:
            if tensor in self.doubtful:
                flow_steps.check_alive(self, tensor)
            kind = self._outer_kind(tensor)
            self.plan.fetched_values.append(self.want(tensor, kind))
        return self.plan

    def _note_writes(self, node: Operation) -> None:
        """Keep which reference variables are written before a node, and before what follows it."""
        before: frozenset[Operation] = _NONE
        for other in [*(t.op for t in node._inputs), *node._control_inputs]:
            found = self.written.get(other)
            if found:
                before = before | found if before else found
        if before:
            self.written_before[node] = before
        if opdef.record(node.type).writes is not None:
            targets = [_holder(t) for t in node._inputs if t.dtype._is_ref_dtype]
            before = before.union(targets)
        if before:
            self.written[node] = before

    def _reread(self, node: Operation, tensor: Tensor) -> Tensor:
        """The reference behind `<variable>/read` when the variable is written before `node`.

        In TensorFlow such a tensor shares the variable's memory, so a node that must wait for an
        assignment sees what was assigned, although the read has no such control input.
        """
        source = tensor.op
        if source.type != "Identity" or tensor in self.fed or node not in self.written_before:
            return tensor
        reference = source._inputs[0]
        if not reference.dtype._is_ref_dtype or (reference, "R") not in self.values:
            return tensor
        holder = _holder(reference)
        if holder in self.written_before[node] and holder not in self.written_before.get(
            source, _NONE
        ):
            return reference
        return tensor

    def _constant(self, node: Operation) -> None:
        tensor = node._outputs[0]
        if tensor in self.fed:
            return
        value = Value(tensor, "H")
        self.values[tensor, "H"] = value
        self.plan.constants[value] = node._attrs["value"]

    def _call(self, node: Operation) -> None:
        arguments = [self.want(t, control.kind_of(t)) for t in node._inputs]
        outputs: list[Value | None] = []
        for tensor in node._outputs:
            value = Value(tensor, control.kind_of(tensor))
            outputs.append(value)
            if tensor not in self.fed:
                self.values[tensor, value.kind] = value
        self.plan.steps.append(control.lower_call(node, arguments, outputs, self.placed))

    def _node(self, node: Operation) -> None:
        record = opdef.record(node.type)
        structured = node.type in control.NODES
        try:
            function = None if structured else call.bind(node)
        except KeyError:
            raise errors.UnimplementedError(
                node.node_def,
                node,
                f"relight has no kernel for the op {node.type!r} yet (see SUPPORT.md)",
            ) from None
        arguments: list[Any] = []
        for arg, group in call.arguments(node):
            host = arg.name in record.host
            if isinstance(group, list):
                arguments.append(
                    [
                        self.want(self._reread(node, t), self._kind(t, arg, host, structured))
                        for t in group
                    ]
                )
            else:
                arguments.append(
                    self.want(self._reread(node, group), self._kind(group, arg, host, structured))
                )
        outputs: list[Value | None] = []
        for tensor in node._outputs:
            if tensor.dtype.base_dtype in _HANDLES or tensor.dtype._is_ref_dtype:
                kind = "R"
            elif tensor.dtype.base_dtype in _HOST_ONLY or record.host_out:
                kind = "H"
            else:
                kind = "T"
            value = Value(tensor, kind)
            outputs.append(value)
            if tensor not in self.fed:
                self.values[tensor, kind] = value
        if structured:
            self.plan.steps.append(control.lower(node, arguments, outputs, self.placed))
            return
        self.plan.steps.append(
            Step(
                node.type,
                function,
                arguments,
                outputs,
                node,
                takes_session=record.takes_session,
                views=record.views,
                nodes=(node,),
            )
        )

    @staticmethod
    def _kind(tensor: Tensor, arg: opdef.ArgDef, host: bool, structured: bool) -> str:
        if structured:
            return control.kind_of(tensor)
        if arg.is_ref or tensor.dtype.base_dtype in _HANDLES:
            return "R"
        if host or tensor.dtype.base_dtype in _HOST_ONLY:
            return "H"
        return "T"

    def want(self, tensor: Tensor, kind: str) -> Value:
        """The value of a tensor in the wanted kind, converted when it exists in another one."""
        tensor = self.aliases.get(tensor, tensor)
        found = self.values.get((tensor, kind))
        if found is not None:
            return found
        if (tensor, "R") in self.values:  # what a variable holds is read anew each time
            reference = self.values[tensor, "R"]
            read = Value(tensor, "H" if tensor.dtype.base_dtype in _HOST_ONLY else "T")
            self.plan.steps.append(
                Step(
                    "read",
                    _read,
                    [reference],
                    [read],
                    tensor.op,
                    fresh=False,
                    inline="{0}.value",
                    nodes=(tensor.op,),
                )
            )
            return read if kind == read.kind else self._convert(read, kind, tensor)
        other = "H" if kind == "T" else "T"
        source = self.values.get((tensor, other))
        if source is None and flow.is_constant(tensor, self.fed):  # from around a body
            self._constant(tensor.op)
            return self.want(tensor, kind)
        if source is None:
            raise errors.InternalError(
                None, tensor.op, f"no value of {tensor.name} was computed before its use"
            )
        converted = self._convert(source, kind, tensor)
        self.values[tensor, kind] = converted
        return converted

    def _convert(self, source: Value, kind: str, tensor: Tensor) -> Value:
        converted = Value(tensor, kind)
        if kind == "T" and source in self.plan.constants:
            array = self.plan.constants[source]
            self.plan.constants[converted] = call.to_torch(np.array(array, order="C"))
            return converted
        name, function = ("tensor", call.to_torch) if kind == "T" else ("numpy", call.to_numpy)
        self.plan.steps.append(
            Step(name, function, [source], [converted], tensor.op, views=0, nodes=(tensor.op,))
        )
        return converted


_NONE: frozenset[Operation] = frozenset()


def _holder(reference: Tensor) -> Operation:
    """The operation that holds the variable of a reference, through assignments that hand it on."""
    node = reference.op
    while node._inputs and node._inputs[0].dtype._is_ref_dtype:
        node = node._inputs[0].op
    return node


def _read(variable: Any) -> torch.Tensor:
    return variable.read()


def make(
    graph: Any,
    fetches: list[Any],
    feeds: list[Tensor],
    body: bool = False,
    shapes: Sequence[tuple[int, ...] | None] | None = None,
    elements: Any = None,
    placed: Placed | None = None,
    only_handed_on: frozenset[int] = frozenset(),
) -> Plan | None:
    """The finished plan, generated function included, for fetched tensors and operations.

    `body`: it is the body of a function, and takes and gives values in their natural kinds.
    `shapes`: the plan is for feeds of these shapes only (None: of any); None is given when they do
    not fit. `elements`: the shape of what fed lists hold. `placed`: the device of each operation of
    the graph, where there are several. `only_handed_on`: see `Plan`; it needs `shapes`.
    """
    nodes = prune(fetches, set(feeds))
    if flow.present(nodes):
        if shapes is not None:
            return None
        return _make_arranged(graph, nodes, fetches, feeds, body, placed)
    with torch.inference_mode():
        if shapes is None:
            lowering = Lowering(graph, feeds, fetches, body, placed)
            return finish(lowering.lower(nodes), body, placed)
        with known_shapes.fed(feeds, shapes, nodes, elements) as fits:
            if not fits:
                return None
            lowering = Lowering(graph, feeds, fetches, body, placed)
            lowering.plan.only_handed_on = only_handed_on
            return finish(lowering.lower(nodes), body, placed)


def _make_arranged(
    graph: Any,
    nodes: list[Operation],
    fetches: list[Any],
    feeds: list[Tensor],
    body: bool,
    placed: Placed | None,
) -> Plan:
    """The plan for nodes among which is the control flow of a loaded graph."""
    arranged = flow.arrange(nodes, set(feeds), fetches)
    lowering = Lowering(graph, feeds, fetches, body, placed)
    lowering.doubtful = arranged.doubtful | arranged.dead
    with torch.inference_mode():
        return finish(lowering.lower(arranged.items), body, placed)


def finish(plan: Plan, body: bool, placed: Placed | None = None) -> Plan:
    """Let the passes loose on lowered steps, and generate the function, or one a device."""
    from relight.engine import codegen, cuda_graphs, divide, memories, pace, passes, waiting

    plan.placed = placed
    debug = "plan" in os.environ.get("RELIGHT_DEBUG", "")
    if debug:
        print(f"--- lowered: {len(plan.steps)} steps", plan.describe(), sep="\n", file=sys.stderr)
    for function in passes.PASSES:
        if body and function is passes.copy_fetches:
            plan.copies = [False] * len(plan.fetched_values)
            continue
        before = len(plan.steps)
        function(plan)
        plan.log.append(f"{function.__name__}: {before} -> {len(plan.steps)} steps")
    if placed is not None:
        memories.settle(plan, placed, body)
    if body or placed is None or not divide.divide(plan, placed):
        codegen.generate(plan)
        if not body:
            waiting.arrange(plan)
            if plan.memories:
                cuda_graphs.enable(plan)
            else:
                pace.apply(plan)
    if debug:
        print("\n".join(plan.log), plan.source, sep="\n", file=sys.stderr)
    return plan
