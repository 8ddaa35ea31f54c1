"""Runs in which an operation waits for another one of the same run.

A generated function runs its steps one after the other. That is no order for a run such as
`session.run([area.put(x), area.get()])` on an empty staging area, whose two operations do not
depend on each other: the one that takes waits for the one that gives, or, when the area is full,
the other way round. `arrange` finds plans with such pairs and lets their waiting steps run in
threads of their own; every other step runs as soon as the waiting steps that it depends on are
done, in the order of the plan.
"""

from __future__ import annotations

import functools
import queue
import time
from typing import Any

import torch

from relight.engine import explain, lanes
from relight.engine.steps import Plan, Seen, Step, Value, arguments_of, fetched, flatten
from relight.graph.node import Operation

_V2 = ("", "V2")
_MAPS = ("Map", "OrderedMap")
TAKERS = frozenset(
    [
        *(f"QueueDequeue{how}{v}" for how in ("", "Many", "UpTo") for v in _V2),
        *(f"ReaderRead{how}{v}" for how in ("", "UpTo") for v in _V2),
        *("Unstage", "StagePeek", "BarrierTakeMany"),
        *(f"{m}{how}" for m in _MAPS for how in ("Unstage", "UnstageNoKey", "Peek")),
        *("AccumulatorTakeGradient", "SparseAccumulatorTakeGradient"),
    ]
)
GIVERS = frozenset(
    [
        *(f"QueueEnqueue{how}{v}" for how in ("", "Many") for v in _V2),
        *("QueueClose", "QueueCloseV2", "Stage", "BarrierInsertMany", "BarrierClose"),
        *("MapStage", "OrderedMapStage"),
        *("AccumulatorApplyGradient", "SparseAccumulatorApplyGradient"),
    ]
)


def _behind(plan: Plan) -> list[set[int]]:
    """For each step, the places of the waiting steps that it comes after by its edges."""
    place_of: dict[Operation, int] = {}
    for i, step in enumerate(plan.steps):
        if step.what in TAKERS or step.what in GIVERS:
            place_of.update(dict.fromkeys(step.nodes, i))
    by_node: dict[Operation, frozenset[int]] = {}
    fed = set(plan.feeds)

    def of_node(node: Operation) -> frozenset[int]:
        """Of a node, itself included."""
        waiting = [node]
        while waiting:
            top = waiting[-1]
            sources = [t.op for t in top._inputs if t not in fed] + list(top._control_inputs)
            missing = [s for s in sources if s not in by_node]
            if top not in by_node and missing and len(waiting) < _DEEPEST:
                waiting.extend(missing)
                continue
            waiting.pop()
            found = frozenset().union(*(by_node.get(s, _NONE) for s in sources))
            by_node[top] = found | {place_of[top]} if top in place_of else found
        return by_node[node]

    made_at: dict[Value, int] = {}
    behind: list[set[int]] = []
    for i, step in enumerate(plan.steps):
        found: set[int] = set()
        for value in step.flat_inputs():
            if value in made_at:
                found |= behind[made_at[value]]
                if made_at[value] in place_of.values():
                    found.add(made_at[value])
        for node in step.nodes:
            found |= of_node(node)
        found.discard(i)
        behind.append(found)
        made_at.update({v: i for v in step.outputs if v is not None})
    return behind


_NONE: frozenset[int] = frozenset()
_DEEPEST = 1 << 20


def arrange(plan: Plan) -> None:
    """Give a plan in which steps may wait for each other a function that lets them."""
    kinds = {s.what for s in plan.steps}
    if not (kinds & TAKERS and kinds & GIVERS):
        return
    behind = _behind(plan)
    takers = [i for i, s in enumerate(plan.steps) if s.what in TAKERS]
    givers = [i for i, s in enumerate(plan.steps) if s.what in GIVERS]
    if all(t in behind[g] or g in behind[t] for t in takers for g in givers):
        return
    plan.function = Concurrent(plan, behind, {*takers, *givers})
    plan.log.append("arrange: steps wait for each other, and run in threads")


class Concurrent:
    """The function of a plan whose waiting steps run in threads."""

    def __init__(self, plan: Plan, behind: list[set[int]], waiting: set[int]):
        self._plan, self._behind, self._waiting = plan, behind, waiting

    def __call__(self, state: Any, feeds: list[Any]) -> list[Any]:
        return self.walk(state, feeds, None)

    def walk(self, state: Any, feeds: list[Any], seen: Seen | None) -> list[Any]:
        """The fetched values. After each step `seen` gets it, in the thread that called."""
        plan = self._plan
        values: dict[Value, Any] = dict(plan.constants)
        values.update(zip(plan.fed_values, feeds, strict=True))
        left = list(range(len(plan.steps)))
        done: set[int] = set()
        answers: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
        workers = state.resource(("lanes",), lanes.Workers)
        run, running = lanes.Run(0, 0), 0

        def store(place: int, call: _Call) -> None:
            step = plan.steps[place]
            results = flatten(call.given, len(step.outputs))
            if seen is not None:
                seen(step, call.start, call.end, call.arguments, results)
            for value, item in zip(step.outputs, results, strict=True):
                if value is not None:
                    values[value] = item

        try:
            while left or running:
                still = []
                for i in left:
                    if not self._behind[i] <= done:
                        still.append(i)
                        continue
                    call = _Call(plan, plan.steps[i], arguments_of(plan.steps[i], values))
                    if i in self._waiting:
                        workers.start(functools.partial(call.wait, i, state, answers, run))
                        running += 1
                    else:
                        call(state, seen is not None)
                        store(i, call)
                left = still
                if running:
                    place, call, error = answers.get()
                    running -= 1
                    if error is not None:
                        raise error
                    store(place, call)
                    done.add(place)
        except BaseException as error:  # an interrupt ends the waits too
            run.fail(error)
            for _ in range(running):
                answers.get()
            raise
        finally:
            run.error = None  # its traceback holds this frame
        return fetched(plan, values)


class _Call:
    """One run of a step."""

    __slots__ = ("arguments", "end", "given", "plan", "start", "step")

    def __init__(self, plan: Plan, step: Step, arguments: list[Any]):
        self.plan, self.step, self.arguments = plan, step, arguments
        self.given: Any = None
        self.start = self.end = 0

    def __call__(self, state: Any, measure: bool) -> None:
        step = self.step
        assert step.function is not None
        self.start = time.time_ns()
        try:
            self.given = step.function(*([state] if step.takes_session else []), *self.arguments)
            if measure and torch.cuda.is_initialized():
                torch.cuda.synchronize()
        except Exception as error:
            explain.raise_explained(self.plan, error, step)
        self.end = time.time_ns()

    def wait(self, place: int, state: Any, answers: Any, run: lanes.Run) -> None:
        """A waiting step, in a thread of its own."""
        lanes._current.run = run
        answer: tuple[int, Any, BaseException | None]
        try:
            with torch.inference_mode():
                self(state, False)
            answer = (place, self, None)
        except BaseException as error:  # it belongs to the thread that made the run
            answer = (place, None, error)
        finally:
            lanes._current.run = None
        answers.put(answer)
