"""Profiles: what each node of a program costs, added up over all its runs."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import threading
import time
from typing import Any

import torch

from relight.engine import control, flops, interpreter, session, threads, waiting
from relight.engine.steps import Plan, Step
from relight.ops import gemm

MAX_EVENTS = 100_000  # of the latest runs, for the trace: some 20 MB of file

_TAKES_INPUT = waiting.TAKERS | {
    "IteratorGetNext",
    "IteratorGetNextSync",
    "IteratorGetNextAsOptional",
}


@dataclasses.dataclass
class Cost:
    """What one node took in all.

    Attributes:
      node: its name; the first one's where several were joined.
      what: the op type, or what the joined step does.
      line: (file, line) of the program that made it, or None.
      calls: how often it ran.
      seconds: the time in its kernel.
      flops: floating-point operations in products of matrices.
    """

    node: str
    what: str
    line: tuple[str, int] | None
    calls: int = 0
    seconds: float = 0.0
    flops: int = 0

    def share_of_floor(self, rate: float) -> float | None:
        """The time that its products need at `rate` (operations a second) over the time taken."""
        return self.flops / rate / self.seconds if self.flops and self.seconds else None


@dataclasses.dataclass
class Input:
    """How long runs waited for what they compute with.

    The first run of a plan does not count: queues fill meanwhile. Nor do the runs of input threads,
    which wait for other things.

    Attributes:
      runs: how many took rows out of queues or elements of datasets.
      seconds: the time in these runs.
      waited: the part of it that passed before they had rows and elements.
      fed_runs: how many other ones were given feeds.
      fed_seconds: the time in these, and before each since the run before it.
      between: the time before them: the program's own work, which makes the feeds.
    """

    runs: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    fed_runs: int = 0
    fed_seconds: float = 0.0
    between: float = 0.0

    def shares(self) -> tuple[float | None, float | None]:
        """Waited for input, and passed between fed runs; None where there were no such runs."""
        return (
            self.waited / self.seconds if self.runs else None,
            self.between / self.fed_seconds if self.fed_runs else None,
        )


class Profile:
    """Adds up the costs of nodes in all sessions between `start` and `stop`."""

    def __init__(self) -> None:
        self.runs = 0
        self.seconds = 0.0  # inside of runs, what passes between the kernels included
        self._costs: dict[tuple[str, str], Cost] = {}
        self._events: collections.deque[tuple[Cost, int, int, int]] = collections.deque(
            maxlen=MAX_EVENTS
        )
        self._lock = threading.Lock()
        self.input = Input()
        self._met: dict[int, Plan] = {}  # by identity: those that have had their first run
        # For each thread: seconds in the bodies of the step that is running, seconds that the run
        # waited for input (None: it takes none), and when the last run ended.
        self._within = threading.local()

    def start(self) -> None:
        """Let all runs go through this profile. They run step by step: a little slower."""
        session.run_plans_by(self.run)
        control.run_instead = self.run_body

    def stop(self) -> None:
        """Let runs go their own way again."""
        session.run_plans_by(None)
        control.run_instead = None

    def run(self, plan: Plan, state: Any, feeds: list[Any]) -> list[Any]:
        """The fetched values of a plan, its steps timed."""
        within = self._within
        within.waited = None
        start = time.perf_counter()
        try:
            return self.run_body(plan, state, feeds)
        finally:
            end = time.perf_counter()
            with self._lock:
                self.runs += 1
                self.seconds += end - start
                if id(plan) in self._met and not threads.is_beside():
                    self._note_input(plan, start, end)
                self._met[id(plan)] = plan
            within.last_end = end

    def _note_input(self, plan: Plan, start: float, end: float) -> None:
        found, waited = self.input, self._within.waited
        if waited is not None:
            found.runs += 1
            found.seconds += end - start
            found.waited += waited
        elif plan.feeds:
            before = getattr(self._within, "last_end", start)
            found.fed_runs += 1
            found.fed_seconds += end - before
            found.between += start - before

    def run_body(self, plan: Plan, state: Any, feeds: list[Any]) -> list[Any]:
        """The values of a plan or a function body. The time of a body is not its loop's too."""
        thread = threading.get_ident()
        within = self._within
        around, within.seconds = getattr(within, "seconds", 0.0), 0.0

        def note(step: Step, start: int, end: int, given: list[Any], results: list[Any]) -> None:
            seconds, within.seconds = (end - start) * 1e-9 - within.seconds, 0.0
            if step.node is None:
                return
            if step.what in _TAKES_INPUT:
                within.waited = (getattr(within, "waited", None) or 0.0) + (end - start) * 1e-9
            count = flops.count(step.what, given, results)
            with self._lock:
                cost = self._cost(step)
                cost.calls += 1
                cost.seconds += seconds
                cost.flops += count
                self._events.append((cost, start, end, thread))

        began = time.perf_counter()
        try:
            return interpreter.walk(plan, state, feeds, note)
        finally:
            within.seconds = around + time.perf_counter() - began

    def _cost(self, step: Step) -> Cost:
        assert step.node is not None
        key = step.node.name, step.what
        found = self._costs.get(key)
        if found is None:
            found = self._costs[key] = Cost(step.node.name, step.what, step.node.user_line)
        return found

    def most_expensive(self, count: int | None = None) -> list[Cost]:
        """The costs by time, the greatest first."""
        with self._lock:
            return sorted(self._costs.values(), key=lambda c: -c.seconds)[:count]

    def write_trace(self, path: str) -> int:
        """Write the latest steps as a Chrome trace (chrome://tracing, Perfetto); how many.

        Format: "Trace Event Format", complete events, times in microseconds. The file appears whole
        or not at all. OSError when it cannot be written.
        """
        with self._lock:
            noted = list(self._events)
        origin = min((start for _, start, _, _ in noted), default=0)
        events = [
            {
                "name": cost.what,
                "cat": "node",
                "ph": "X",
                "ts": (start - origin) / 1e3,
                "dur": (end - start) / 1e3,
                "pid": os.getpid(),
                "tid": thread,
                "args": {"node": cost.node, "line": _place(cost.line)},
            }
            for cost, start, end, thread in noted
        ]
        part = f"{path}.{os.getpid()}.part"
        try:
            with open(part, "w", encoding="utf-8") as file:
                json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file)
            os.replace(part, path)
        except OSError:
            if os.path.exists(part):
                os.remove(part)
            raise
        return len(events)


def _place(line: tuple[str, int] | None) -> str:
    return "" if line is None else f"{line[0]}:{line[1]}"


def matrix_rate(size: int = 1024, seconds: float = 0.3) -> float:
    """Operations a second of float32 matrix products [size, size] here: the best within a time."""
    a = torch.randn(size, size)
    best = float("inf")
    end = time.perf_counter() + seconds
    with torch.inference_mode():
        gemm.mm(a, a)
        while time.perf_counter() < end:
            start = time.perf_counter()
            gemm.mm(a, a)
            best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
