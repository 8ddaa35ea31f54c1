"""Plans for several devices: the steps of each device become a lane, and lanes run at once.

What a step must wait for is what it reads, what its operation's control inputs stand for, and what
other steps do to the same variable. Where such a step is in another lane, that lane opens a lock
after it, and the values that go across are left in cells.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

from relight.engine import codegen, lanes
from relight.engine.devices import Device
from relight.engine.placement import HOLDERS
from relight.engine.steps import CONVERSIONS, Plan, Step, Value
from relight.graph import opdef
from relight.graph.node import Operation, Tensor

_READERS = frozenset(
    (
        "read",
        "ReadVariableOp",
        "ResourceGather",
        "ResourceGatherNd",
        "VarIsInitializedOp",
        "IsVariableInitialized",
        "VariableShape",
    )
)
_GAIN = 0.9  # the share of one thread's time that lanes may take to be worth their while
_HEAVY = frozenset(
    (
        "MatMul",
        "BatchMatMul",
        "BatchMatMulV2",
        "If",
        "StatelessIf",
        "While",
        "StatelessWhile",
        "PyFunc",
    )
)


def divide(plan: Plan, placed: dict[Operation, Device]) -> bool:
    """Set `plan.function` to one that runs the steps of each device in a thread of its own.

    False, and nothing is changed, where that would not let steps run at once.
    """
    fallback = min(placed.values(), key=_order, default=None)
    if fallback is None:
        return False
    devices = [placed.get(s.node, fallback) if s.node else fallback for s in plan.steps]
    gpus = [d for d in set(devices) if d.device_type == "GPU"]
    if gpus:  # a GPU's steps only take starting: the first GPU shares a lane with the processor
        shared = min(gpus, key=_order)
        devices = [shared if (d.device_type, d.index) == ("CPU", 0) else d for d in devices]
    order = sorted(set(devices), key=_order)
    if len(order) < 2:
        return False
    lane_of = [order.index(d) for d in devices]
    before = dependencies(plan)
    cost = [_cost(s) for s in plan.steps]
    turn, seconds = _interleave(cost, lane_of, _in_turn(plan, lane_of, before), len(order))
    if seconds > _GAIN * sum(cost):
        return False
    place = {old: new for new, old in enumerate(turn)}
    plan.steps = [plan.steps[i] for i in turn]
    lane_of = [lane_of[i] for i in turn]
    before = [{place[k] for k in before[i]} for i in turn]
    _generate(plan, lane_of, before, [d.name.rpartition("/")[2] for d in order])
    return True


def _order(device: Device) -> tuple[str, int]:
    return device.device_type, device.index


def dependencies(plan: Plan) -> list[set[int]]:
    """For each step, the earlier ones that must have run."""
    makers = {v: i for i, s in enumerate(plan.steps) for v in s.outputs if v is not None}
    done = _Done(plan)
    before: list[set[int]] = []
    written: dict[Any, int] = {}
    read: defaultdict[Any, set[int]] = defaultdict(set)
    for i, step in enumerate(plan.steps):
        needs = {makers[v] for v in step.flat_inputs() if v in makers}
        if step.what not in CONVERSIONS:
            for node in step.nodes:
                needs |= done.before(node)
        for holder in _variables(step):
            if step.what in _READERS:
                read[holder].add(i)
            else:
                needs |= read.pop(holder, set())
            if holder in written:
                needs.add(written[holder])
            if step.what not in _READERS:
                written[holder] = i
        before.append({k for k in needs if k < i})
    return before


class _Done:
    """Which steps stand for an operation; for one that has none, those of what it waits for."""

    def __init__(self, plan: Plan):
        self._fed = set(plan.feeds)
        self._steps: dict[Operation, set[int]] = {}
        for i, step in enumerate(plan.steps):
            if step.what not in CONVERSIONS:
                for node in step.nodes:
                    self._steps.setdefault(node, set()).add(i)

    def before(self, node: Operation) -> set[int]:
        """The steps that a step of `node` waits for."""
        found: set[int] = set()
        for needed in self._needs(node):
            found |= self._done(needed)
        return found

    def _needs(self, node: Operation) -> Iterable[Operation]:
        yield from (t.op for t in node._inputs if t not in self._fed)
        yield from node._control_inputs

    def _done(self, node: Operation) -> set[int]:
        known = self._steps.get(node)
        if known is not None:
            return known
        found: set[int] = set()
        seen, waiting = {node}, [node]
        while waiting:
            for needed in self._needs(waiting.pop()):
                steps = self._steps.get(needed)
                if steps is not None:
                    found |= steps
                elif needed not in seen:
                    seen.add(needed)
                    waiting.append(needed)
        self._steps[node] = found
        return found


def _variables(step: Step) -> set[Any]:
    """The variables that a step reads or writes, by name."""
    found = set()
    for value in step.flat_inputs():
        if value.kind == "R" and value.tensor is not None:
            holder = _holder(value.tensor)
            if holder.type in HOLDERS:
                found.add(holder._attrs.get("shared_name") or holder.name)
    return found


def _holder(tensor: Tensor) -> Operation:
    """The operation behind a reference or handle, through those that hand it on."""
    node = tensor.op
    while node._inputs and node.type not in HOLDERS:
        node = node._inputs[0].op
    return node


def _cost(step: Step) -> float:
    """Roughly how long a step takes; the unit is that of an elementwise step."""
    if step.what in CONVERSIONS:
        return 0.1
    heavy = step.what.startswith(("Conv", "MaxPool")) or step.what.split("+")[0] in _HEAVY
    return 10.0 if heavy else 1.0


def _in_turn(plan: Plan, lane_of: list[int], before: list[set[int]]) -> list[set[int]]:
    """`before`, where each step with an effect outside of variables also comes after the last such
    step of its lane: queues, readers and Python functions are used in the order of the plan."""
    last: dict[int, int] = {}
    found = []
    for i, step in enumerate(plan.steps):
        needs = before[i]
        if _acts(step):
            if lane_of[i] in last:
                needs = needs | {last[lane_of[i]]}
            last[lane_of[i]] = i
        found.append(needs)
    return found


def _acts(step: Step) -> bool:
    if step.what in CONVERSIONS or _variables(step):
        return False
    nodes = [n for n in (*step.nodes, step.node) if n is not None and n.type not in HOLDERS]
    return any(n.graph._is_function(n.type) or _is_active(opdef.record(n.type)) for n in nodes)


def _is_active(record: opdef.OpRecord) -> bool:
    return record.is_stateful or record.writes is not None


def _interleave(
    cost: list[float], lane_of: list[int], before: list[set[int]], count: int
) -> tuple[list[int], float]:
    """(an order of the steps, when lanes that keep it would be done).

    A plan has one tower after the other. In that order a lane would come to the batch of the second
    tower, which lies in a queue on its device, only when the first tower is done. So the lane that
    is free first takes its next step, and what this waits for in any lane goes before all else.
    """
    lanes_left = [deque(i for i, k in enumerate(lane_of) if k == lane) for lane in range(count)]
    busy = [0.0] * count
    end: dict[int, float] = {}  # in the order of the steps
    while any(lanes_left):
        lane = min((k for k in range(count) if lanes_left[k]), key=busy.__getitem__)
        stack = [lanes_left[lane][0]]
        while stack:
            i = stack[-1]
            missing = [k for k in before[i] if k not in end]
            if i not in end and missing:
                stack.extend(sorted(missing, reverse=True))
                continue
            stack.pop()
            if i not in end:
                start = max([busy[lane_of[i]], *(end[k] for k in before[i])])
                end[i] = busy[lane_of[i]] = start + cost[i]
        for left in lanes_left:
            while left and left[0] in end:
                left.popleft()
    return list(end), max(busy)


class _Crossings:
    """Where lanes wait for each other, and what they hand over."""

    def __init__(self, plan: Plan, lane_of: list[int], before: list[set[int]], count: int):
        self.waits: dict[int, list[int]] = {}  # step -> places to wait at before it
        self.opens: dict[int, list[int]] = {}  # step -> places to open after it
        self.opened_by: list[list[int]] = [[] for _ in range(count)]
        self.left: dict[int, list[tuple[Value, list[int]]]] = {}  # step -> (value, cells)
        self.taken: dict[int, list[tuple[Value, int]]] = {}  # step -> (value, cell)
        self.places = self.cells = 0
        known = [[-1] * count for _ in range(count)]  # lane -> up to which step it knows others
        for i in range(len(plan.steps)):
            lane = lane_of[i]
            latest: dict[int, int] = {}
            for k in before[i]:
                if lane_of[k] != lane and k > known[lane][lane_of[k]]:
                    latest[lane_of[k]] = max(k, latest.get(lane_of[k], -1))
            for other, k in sorted(latest.items()):
                known[lane][other] = k
                self.waits.setdefault(i, []).append(self.places)
                self.opens.setdefault(k, []).append(self.places)
                self.places += 1
        for i in range(len(plan.steps)):
            self.opened_by[lane_of[i]] += self.opens.get(i, [])
        self._hand_over(plan, lane_of)

    def _hand_over(self, plan: Plan, lane_of: list[int]) -> None:
        makers = {v: i for i, s in enumerate(plan.steps) for v in s.outputs if v is not None}
        has: set[tuple[Value, int]] = set()
        cells: dict[Value, list[int]] = {}
        for i, step in enumerate(plan.steps):
            for value in step.flat_inputs():
                maker = makers.get(value)
                if maker is None or lane_of[maker] == lane_of[i] or (value, lane_of[i]) in has:
                    continue
                has.add((value, lane_of[i]))
                self.taken.setdefault(i, []).append((value, self.cells))
                cells.setdefault(value, []).append(self.cells)
                self.cells += 1
        for value, numbers in cells.items():
            self.left.setdefault(makers[value], []).append((value, numbers))


def _generate(plan: Plan, lane_of: list[int], before: list[set[int]], names: list[str]) -> None:
    """One function a lane, in one text."""
    crossings = _Crossings(plan, lane_of, before, len(names))
    makers = {v: i for i, s in enumerate(plan.steps) for v in s.outputs if v is not None}
    namespace = codegen.begin(plan)
    lines: list[str] = []
    for lane, name in enumerate(names):
        inside = [i for i, k in enumerate(lane_of) if k == lane]
        results = [
            (place, value, copy)
            for place, (value, copy) in enumerate(
                zip(plan.fetched_values, plan.copies, strict=True)
            )
            if (lane_of[makers[value]] if value in makers else 0) == lane
        ]
        lines.append(f"def lane{lane}(S, F, R, opening):  # {name}")
        used = {v for i in inside for v in plan.steps[i].flat_inputs()} | {v for _, v, _ in results}
        for k, value in enumerate(plan.fed_values):
            if value in used:
                lines.append(f"    {value.name} = F[{k}]")
        dead = _last_uses(plan, inside, {v for _, v, _ in results})
        for i in inside:
            for place in crossings.waits.get(i, ()):
                lines.append(f"    R.wait({place})")
            for value, cell in crossings.taken.get(i, ()):
                lines.append(f"    {value.name} = R.take({cell})")
            for line in codegen.step_lines(plan.steps[i], i, namespace):
                lines.append("    " + line)
                plan.line_steps[len(lines)] = plan.steps[i]
            for value, cells in crossings.left.get(i, ()):
                targets = " = ".join(f"R.cells[{cell}]" for cell in cells)
                lines.append(f"    {targets} = {value.name}")
            if dead.get(i):
                lines.append(f"    del {', '.join(dead[i])}")
            lines += ["    opening.popleft().release()"] * len(crossings.opens.get(i, ()))
        found = [f"{p}: {v.name}.copy()" if c else f"{p}: {v.name}" for p, v, c in results]
        lines += [f"    return {{{', '.join(found)}}}", ""]
    codegen.define(plan, lines, namespace)
    plan.function = lanes.function(
        [namespace[f"lane{k}"] for k in range(len(names))],
        crossings.opened_by,
        crossings.places,
        crossings.cells,
        len(plan.fetched_values),
    )


def _last_uses(plan: Plan, inside: list[int], kept: set[Value]) -> dict[int, list[str]]:
    """Step -> names that no later step of its lane uses."""
    last: dict[Value, int] = {}
    for i in inside:
        for value in plan.steps[i].outputs:
            if value is not None:
                last[value] = i
        for value in plan.steps[i].flat_inputs():
            last[value] = i
    dead: dict[int, list[str]] = {}
    for value, i in last.items():
        if value not in kept and value not in plan.constants:
            dead.setdefault(i, []).append(value.name)
    return dead
