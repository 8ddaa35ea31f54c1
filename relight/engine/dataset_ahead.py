"""Elements of datasets that threads make ahead of time.

Where a program asks for it (`prefetch`, parallel maps), and where nobody can tell: an iterator over
a *quiet* dataset whose elements take long makes the next ones while the step computes.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

import torch

from relight.engine import control, ending, plan, threads
from relight.engine.random import TorchStream
from relight.graph import errors, opdef
from relight.graph.importer import PYTHON_OPS

Element = Any
_TIMED, _TIMED_AT_MOST = 3, 64  # elements, before it is decided whether to begin a thread
_WORTH_A_THREAD = 150e-6  # seconds; handing an element over takes some 30e-6
_MADE_AHEAD = 3


class _Buffer:
    """What a thread has made ahead. A place in it is an element, an error, or the end."""

    def __init__(self, size: int, few: int):
        self.size = size
        self.few = few  # items that are left when the thread is woken to make more
        self.items: deque[tuple[str, Any]] = deque()
        self.condition = threading.Condition()
        self.stopped = self.asleep = False

    def stop(self) -> None:
        with self.condition:
            self.stopped = True
            self.condition.notify_all()

    def wait_for_room(self) -> bool:
        """The thread waits until something should be made; whether it should go on."""
        if len(self.items) >= self.size:
            with self.condition:
                self.asleep = True
                self.condition.wait_for(lambda: self.stopped or len(self.items) < self.size)
                self.asleep = False
        return not self.stopped

    def take(self) -> tuple[str, Any] | None:
        """The first item; None when the thread was stopped before there was one.

        Taking an item needs no lock: a deque's ends are safe, and one side only adds.
        """
        if not self.items:
            with self.condition:
                self.condition.notify_all()
                self.condition.wait_for(lambda: self.items or self.stopped)
            if not self.items:
                return None
        item = self.items.popleft()
        if self.asleep and len(self.items) <= self.few:
            with self.condition:
                self.condition.notify_all()
        return item

    def fill(self, source: Iterator[Element]) -> None:
        """The thread's work: until the end of the source, or a stop."""
        threads.use_one_core()
        with torch.inference_mode():
            while self.wait_for_room():
                try:
                    item = ("element", next(source))
                except StopIteration:
                    item = ("end", None)
                except BaseException as error:  # it belongs to the thread that asks for elements
                    item = ("error", error)
                self.items.append(item)
                if len(self.items) == 1:
                    with self.condition:
                        self.condition.notify_all()
                if item[0] == "end":
                    return


class Ahead:
    """An iterator whose elements a thread makes ahead of time, up to `size` of them.

    The thread ends with the session, with the source, or when nothing refers to the iterator. It
    goes on when no more than `few` elements are left (None: as soon as there is room).
    """

    def __init__(self, state: Any, source: Iterator[Element], size: int, few: int | None = None):
        self._source: Iterator[Element] | None = source
        self._buffer = buffer = _Buffer(size, size - 1 if few is None else few)
        self._ended = False
        end_with(state, self, buffer)

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        if self._ended:
            raise StopIteration
        buffer = self._buffer
        if self._source is not None:
            thread = threading.Thread(
                target=buffer.fill, args=(self._source,), name="dataset-ahead", daemon=True
            )
            ending.wait_at_exit(thread).start()
            self._source = None
        found = buffer.take()
        if found is None:
            raise errors.CancelledError(None, None, "The iterator was cancelled.")
        kind, item = found
        if kind == "end":
            self._ended = True
            raise StopIteration
        if kind == "error":
            raise item
        return item


class _Work(Protocol):
    def stop(self) -> None: ...


def end_with(state: Any, iterator: Iterator[Element], work: _Work) -> None:
    """Stop the work of threads when the session ends, or when nothing refers to the iterator."""
    alive = weakref.ref(work)  # the session does not keep what the iterator has let go

    def stop() -> None:
        found = alive()
        if found is not None:
            found.stop()

    state.on_close.append(stop)
    weakref.finalize(iterator, work.stop)


# -- what nobody asked for -------------------------------------------------------------------------


def is_quiet(state: Any, body: control.Body) -> bool:
    """Whether nobody can tell when a function is called, and how often.

    It draws no seeded random numbers (the next pass would get later ones), changes nothing, looks
    at nothing that changes, and calls no Python.
    """
    for node in plan.prune(body.outputs, set(body.inputs)):
        inner = [a for a, v in node._attrs.items() if node.graph._get_function(str(v)) is not None]
        if node.type.startswith(("GeneratorDataset", "CacheDataset")):
            return False
        if not all(is_quiet(state, control.Body(node, a)) for a in inner):
            return False
        if node.type in control.NODES or node.type in ("Placeholder", "Assert"):
            continue
        if node.type in PYTHON_OPS:  # said to be without state or not
            return False
        record = opdef.record(node.type)
        if record.writes is not None or (record.is_stateful and not _is_harmless(state, node)):
            return False
    return True


def _is_harmless(state: Any, node: Any) -> bool:
    if "Dataset" in node.type:
        return True  # a description; what its functions do was looked at
    return "seed2" in node._attrs and isinstance(state.stream(node), TorchStream)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_leisure(dataset: Any, elements: Iterator[Element]) -> Iterator[Element]:
    """A pass over a dataset, made ahead of time where nobody can tell and where it is worth it."""
    if isinstance(elements, Ahead) or _cores() < 2 or not dataset.is_quiet():
        return elements
    return _AtLeisure(dataset.state, elements)


class _AtLeisure:
    """An iterator that goes over to a thread when its elements turn out to take long."""

    def __init__(self, state: Any, source: Iterator[Element]):
        self._state, self._source = state, source
        self._met = 0
        self._seconds = 0.0
        self._decided = False

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        if self._decided:
            return next(self._source)
        start = time.perf_counter()
        element = next(self._source)
        self._met += 1
        if self._met > 1:  # the first one makes plans and fills buffers
            self._seconds += time.perf_counter() - start
        if self._met > _TIMED:
            # An average: batches that a buffer gives at once come between ones that take long.
            if self._seconds > _WORTH_A_THREAD * (self._met - 1):
                # Waking the thread costs the step some time: not for each element.
                self._source = Ahead(self._state, self._source, _MADE_AHEAD, few=1)
                self._decided = True
            elif self._met > _TIMED_AT_MOST:
                self._decided = True
        return element
