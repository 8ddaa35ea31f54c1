"""`Dataset.map(num_parallel_calls=n)`: a function of several elements at a time, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch

from relight.engine import control, dataset_ahead, ending, plan, threads
from relight.graph import errors, opdef

Function = Callable[[Any], Any]
_HARMLESS = frozenset(("Placeholder", "Assert", "Print", "PrintV2"))


def order_matters(body: control.Body) -> bool:
    """Whether what a function does depends on which of its calls comes first.

    Random operations draw from a stream, variables are written, Python functions may do anything.
    """
    for node in plan.prune(body.outputs, set(body.inputs)):
        record = opdef.record(node.type)
        if node.type in control.NODES:
            for attr in ("then_branch", "else_branch", "cond", "body"):
                if attr in node._attrs and order_matters(control.Body(node, attr)):
                    return True
        elif node.type not in _HARMLESS and (record.is_stateful or record.writes is not None):
            return True
    return False


class _Work:
    """What the threads share. Answers: ("element", value), ("error", error) and ("end", None)."""

    def __init__(self, function: Function, source: Iterator[Any], ahead: int):
        self.function, self.source, self.ahead = function, source, ahead
        self.taking = threading.Lock()
        self.condition = threading.Condition()
        self.answers: dict[int, tuple[str, Any]] = {}
        self.taken = self.given = 0
        self.ended = self.stopped = False

    def stop(self) -> None:
        with self.condition:
            self.stopped = True
            self.condition.notify_all()

    def _take(self) -> tuple[int, tuple[str, Any]] | None:
        """The number of the next element, and it; None when there is no work any more."""
        with self.taking:
            with self.condition:
                self.condition.wait_for(
                    lambda: self.stopped or self.ended or self.taken - self.given < self.ahead
                )
                if self.stopped or self.ended:
                    return None
                number = self.taken
                self.taken += 1
            try:
                return number, ("element", next(self.source))
            except StopIteration:
                self.ended = True
                return number, ("end", None)
            except BaseException as error:  # it belongs to the thread that asks for elements
                return number, ("error", error)

    def run(self) -> None:
        """A thread's work."""
        threads.use_one_core()
        with torch.inference_mode():
            while (taken := self._take()) is not None:
                number, (kind, value) = taken
                if kind == "element":
                    try:
                        value = self.function(value)
                    except BaseException as error:
                        kind, value = "error", error
                with self.condition:
                    self.answers[number] = (kind, value)
                    self.condition.notify_all()


class Together:
    """An iterator of function(element) that `threads` threads compute, in the source's order.

    They work ahead of the reader by at most `threads` elements, and end with the session, with the
    source, or when nothing refers to the iterator.
    """

    def __init__(self, state: Any, function: Function, source: Iterator[Any], threads: int):
        self._work = work = _Work(function, source, threads)
        self._threads = threads
        self._started = self._ended = False
        dataset_ahead.end_with(state, self, work)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        work = self._work
        if not self._started:
            self._started = True
            for _ in range(self._threads):
                thread = threading.Thread(target=work.run, name="dataset-map", daemon=True)
                ending.wait_at_exit(thread).start()
        with work.condition:
            work.condition.wait_for(lambda: work.given in work.answers or work.stopped)
            if work.given not in work.answers:
                raise errors.CancelledError(None, None, "The iterator was cancelled.")
            kind, value = work.answers.pop(work.given)
            if kind != "end":
                work.given += 1
            work.condition.notify_all()
        if kind == "end":
            self._ended = True
            raise StopIteration
        if kind == "error":
            raise value
        return value
