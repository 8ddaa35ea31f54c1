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
from typing import Any

import torch

from relight.engine import explain, lanes
from relight.engine.steps import Plan, Step, Value
from relight.graph.node import Operation

_V2 = ("", "V2")
TAKERS = frozenset(
    [
        *(f"QueueDequeue{how}{v}" for how in ("", "Many", "UpTo") for v in _V2),
        *(f"ReaderRead{how}{v}" for how in ("", "UpTo") for v in _V2),
        *("Unstage", "StagePeek", "BarrierTakeMany"),
        *("AccumulatorTakeGradient", "SparseAccumulatorTakeGradient"),
    ]
)
GIVERS = frozenset(
    [
        *(f"QueueEnqueue{how}{v}" for how in ("", "Many") for v in _V2),
        *("QueueClose", "QueueCloseV2", "Stage", "BarrierInsertMany", "BarrierClose"),
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
    plan.function = _Concurrent(plan, behind, {*takers, *givers})
    plan.log.append("arrange: steps wait for each other, and run in threads")


class _Concurrent:
    """The function of a plan whose waiting steps run in threads."""

    def __init__(self, plan: Plan, behind: list[set[int]], waiting: set[int]):
        self._plan, self._behind, self._waiting = plan, behind, waiting
        self.__code__ = type(self).__call__.__code__  # where tracebacks look for a plan's lines

    def __call__(self, state: Any, feeds: list[Any]) -> list[Any]:
        plan = self._plan
        values: dict[Value, Any] = dict(plan.constants)
        values.update(zip(plan.fed_values, feeds, strict=True))
        left = list(range(len(plan.steps)))
        done: set[int] = set()
        answers: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
        workers = state.resource(("lanes",), lanes.Workers)
        run, running = lanes.Run(0, 0), 0
        try:
            while left or running:
                still = []
                for i in left:
                    if not self._behind[i] <= done:
                        still.append(i)
                    elif i in self._waiting:
                        task = (i, state, self._inputs(i, values), answers, run)
                        workers.start(functools.partial(self._wait, *task))
                        running += 1
                    else:
                        self._store(i, self._call(i, state, self._inputs(i, values)), values)
                left = still
                if running:
                    place, given, error = answers.get()
                    running -= 1
                    if error is not None:
                        raise error
                    self._store(place, given, values)
                    done.add(place)
        except BaseException as error:  # an interrupt ends the waits too
            run.fail(error)
            for _ in range(running):
                answers.get()
            raise
        finally:
            run.error = None  # its traceback holds this frame
        return [
            values[v].copy() if c else values[v]
            for v, c in zip(plan.fetched_values, plan.copies, strict=True)
        ]

    def _inputs(self, place: int, values: dict[Value, Any]) -> list[Any]:
        return [
            [values[v] for v in item]
            if isinstance(item, list)
            else None
            if item is None
            else values[item]
            for item in self._plan.steps[place].inputs
        ]

    def _call(self, place: int, state: Any, inputs: list[Any]) -> Any:
        step = self._plan.steps[place]
        assert step.function is not None
        try:
            return step.function(*([state] if step.takes_session else []), *inputs)
        except Exception as error:
            explain.raise_explained(self._plan, error, step)

    def _wait(
        self, place: int, state: Any, inputs: list[Any], answers: Any, run: lanes.Run
    ) -> None:
        """A waiting step, in a thread of its own."""
        lanes._current.run = run
        answer: tuple[int, Any, BaseException | None]
        try:
            with torch.inference_mode():
                answer = (place, self._call(place, state, inputs), None)
        except BaseException as error:  # it belongs to the thread that made the run
            answer = (place, None, error)
        finally:
            lanes._current.run = None
        answers.put(answer)

    def _store(self, place: int, given: Any, values: dict[Value, Any]) -> None:
        step: Step = self._plan.steps[place]
        if not step.outputs:
            return
        flat: list[Any] = []
        for item in given if isinstance(given, (list, tuple)) else [given]:
            flat.extend(item if isinstance(item, list) else [item])
        for value, item in zip(step.outputs, flat, strict=True):
            if value is not None:
                values[value] = item
