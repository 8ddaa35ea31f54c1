"""Plans that go on with one thread while other processes take the cores.

PyTorch's kernels share their work among OpenMP threads, which meet many times a step. When another
process runs on one of the cores, every meeting waits for a thread that is not running: beside one
busy process on two cores the steps of small networks take ten times as long, where one thread alone
would take less than twice as long. So a plan that multiplies matrices tries now and then how long
it takes with one thread, and keeps to the quicker way until a trial tells otherwise.

Sums come in another order with another number of threads. Plans of a graph that has a seed keep
all threads, so that equal seeds give equal numbers; `RELIGHT_PACE=fixed` lets every plan keep them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import torch

from relight.engine import control, flops, threads, waiting
from relight.engine.steps import Plan, Step
from relight.graph.graph import Graph

VARIABLE = "RELIGHT_PACE"
Function = Callable[[Any, list[Any]], list[Any]]

_WARM = 4  # runs that are not counted: they load code and fill caches
_FIRST = 4  # runs before the first trial
_TRIAL = 3  # runs of a trial
_REST = 32  # runs between trials at least; twice as many after each that changed nothing
_LONGEST_REST = {False: 4096, True: 256}  # with all threads, with one: the others may go
_SHARE = 30  # what trials cost must be that many times less than what goes on between them
_GAIN = 0.75  # the share of the time that one thread must take to be chosen
_RETURN = 0.9  # and the one that all threads must take to be chosen again
_SUDDEN = 1.6  # growth of a step's time that calls for a trial at once
_WEIGHT = 1 / 8  # of the newest run in the average
_STALL = 4  # times the usual time count at most, so that one run alone is not sudden growth


def apply(plan: Plan) -> None:
    """Let a plan choose between all threads and one, where that may change its time."""
    wish = os.environ.get(VARIABLE, "")
    if wish not in ("", "fixed"):
        raise ValueError(f"{VARIABLE} must be 'fixed' or empty, not {wish!r}")
    use = threads.setter()
    if (
        use is None
        or wish == "fixed"
        or torch.get_num_threads() == 1
        or not any(_is_work(s) for s in plan.steps)
        or _is_seeded(plan.graph)
        or isinstance(plan.function, waiting.Concurrent)
    ):
        return
    assert plan.function is not None
    plan.function = Paced(plan.function, use)


def _is_work(step: Step) -> bool:
    return flops.counts(step.what) or step.what in control.NODES


def _is_seeded(graph: Graph) -> bool:
    if graph.seed is not None:
        return True
    return any(op._attrs.get("seed") or op._attrs.get("seed2") for op in graph._nodes_by_id)


class Paced:
    """A plan's function that measures itself with all threads and with one.

    `use` sets the number of threads of the calling thread, `clock` gives seconds.
    """

    def __init__(
        self,
        function: Function,
        use: Callable[[int], None],
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._function, self._use, self._clock = function, use, clock
        self.alone = False  # whether one thread is what is used outside of trials
        self._usual = 0.0  # the average time of a run, outside of trials
        self._best = float("inf")  # of these averages, since the last change
        self._runs = -_WARM  # since the last trial
        self._spent = 0.0  # their time
        self._rest = _FIRST
        self._cost = 0.0  # what the last trial took beyond the usual time
        self._trial: list[float] | None = None

    def __call__(self, state: Any, feeds: list[Any]) -> list[Any]:
        count = torch.get_num_threads()
        if count == 1:
            return self._function(state, feeds)
        trial = self._trial is not None
        alone = self.alone is not trial
        start = self._clock()
        if alone:
            self._use(1)
            try:
                found = self._function(state, feeds)
            finally:
                self._use(count)
        else:
            found = self._function(state, feeds)
        (self._try if trial else self._note)(self._clock() - start)
        return found

    def _note(self, seconds: float) -> None:
        """One more run as usual; begins a trial when it is time."""
        self._runs += 1
        if self._runs <= 0:
            self._usual = seconds
            return
        self._spent += seconds
        counted = min(seconds, _STALL * self._usual)
        self._usual += (counted - self._usual) * _WEIGHT
        self._best = min(self._best, self._usual)
        rest = self._rest
        if self._usual > _SUDDEN * self._best:
            rest = min(rest, _REST)
        if self._runs >= rest and self._spent >= _SHARE * self._cost:
            self._trial = []

    def _try(self, seconds: float) -> None:
        """One more run of a trial; its end is the choice."""
        trial = self._trial
        if trial is None:  # another thread's run ended it
            return
        trial.append(seconds)
        if len(trial) == 1 or (len(trial) < _TRIAL and seconds < self._usual):
            return
        mean = sum(trial[1:]) / (len(trial) - 1)  # the first run changes the threads
        changed = mean < self._usual * (_RETURN if self.alone else _GAIN)
        self._cost = max(0.0, sum(trial) - len(trial) * self._usual)
        self._trial, self._runs, self._spent = None, 0, 0.0
        if changed:
            self.alone = not self.alone
            self._usual = mean
            self._rest = _REST
        else:
            self._rest = min(2 * max(self._rest, _REST), _LONGEST_REST[self.alone])
        self._best = self._usual
