"""Barriers: rows under keys that are put together from parts, and taken when they are whole.

Whole rows wait in a queue. They are taken in the order in which the first parts of their keys came.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from relight.engine.queues import PriorityQueue
from relight.graph import dtypes, errors
from relight.graph.shapes import TensorShape
from relight.ops.call import boxed
from relight.ops.shape_rules import text

_FIRST = -(2**63)


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


class Barrier:
    """Rows of `len(types)` components under keys. Safe to use from many threads.

    Args:
      name: how messages name it.
      types, shapes: of each component; the shapes are fully known.
    """

    def __init__(self, name: str, types: Sequence[dtypes.DType], shapes: Sequence[TensorShape]):
        if len(shapes) != len(types):
            raise _invalid("All of the component shapes must be specified")
        for shape in shapes:
            if shape._sizes is None or None in shape._sizes:
                raise _invalid(f"Shape {text(shape._sizes)} is not fully defined")
        self.name, self.types = name, list(types)
        self._shapes = [tuple(s._sizes or ()) for s in shapes]
        scalar = TensorShape([])
        self._ready = PriorityQueue(
            name, [dtypes.int64, dtypes.string, *types], [scalar, scalar, *shapes], -1
        )
        self._lock = threading.Lock()
        self._parts: dict[bytes, list[Any]] = {}  # key: number of the insertion, components
        self._insertions = 0
        self._closed = self._cancelled = False

    def insert_many(self, component: int, keys: np.ndarray, values: np.ndarray) -> None:
        """Set a component of the rows of `keys` [n] to `values` [n, ...].

        InvalidArgumentError for a wrong shape or a component that has a value already; keys before
        that one are set. CancelledError for new keys of a closed barrier.
        """
        self._check(component, keys, values)
        whole: list[list[Any]] = []
        try:
            with self._lock:
                self._refuse_when_closed(keys)
                self._insert(component, keys, values, whole)
        finally:
            for row in whole:
                self._ready.enqueue(row)
            with self._lock:
                if self._closed and not self._parts and not self._ready.is_closed:
                    self._ready.close()

    def _insert(
        self, component: int, keys: np.ndarray, values: np.ndarray, whole: list[list[Any]]
    ) -> None:
        number, new = _FIRST + self._insertions, False
        for place, key in enumerate(keys.tolist()):
            row = self._parts.get(key)
            if row is None:
                if self._closed:
                    raise errors.CancelledError(
                        None,
                        None,
                        f"Barrier {self.name} is closed, but attempted to insert a brand new key: "
                        f"{key.decode(errors='replace')}.  Pending enqueues cancelled: 0.  "
                        f"Insertion index: {place}.  Number of incomplete keys: "
                        f"{len(self._parts)}.",
                    )
                row = self._parts[key] = [np.int64(number), *[None] * len(self.types)]
                self._insertions += not new
                new = True
            elif row[component + 1] is not None:
                raise _invalid(
                    f"Key {key.decode(errors='replace')} already has a value for component "
                    f"{component} in barrier {self.name}"
                )
            row[component + 1] = np.asarray(values[place], dtype=values.dtype)
            if all(v is not None for v in row):
                del self._parts[key]
                whole.append([np.asarray(row[0]), boxed(key), *row[1:]])

    def check_component(self, component: int) -> None:
        """InvalidArgumentError when there is no such component."""
        if not 0 <= component < len(self.types):
            raise _invalid(
                f"The component ID is out of range {component} > num_components "
                f"(= {len(self.types)})"
            )

    def _check(self, component: int, keys: np.ndarray, values: np.ndarray) -> None:
        self.check_component(component)
        if keys.shape != values.shape[:1]:
            raise _invalid(f"{len(keys)} keys were given for values of shape {text(values.shape)}")
        wanted = self._shapes[component]
        if values.shape[1:] != wanted:
            raise _invalid(  # before the components a row has its number and its key
                f"Shape mismatch in tuple component {component + 2}. Expected {text(wanted)}, got "
                f"{text(values.shape[1:])}"
            )

    def _refuse_when_closed(self, keys: np.ndarray) -> None:
        new = sum(key not in self._parts for key in keys.tolist())
        if self._closed and (self._cancelled or (new and not self._parts)):
            raise errors.CancelledError(
                None,
                None,
                f"Barrier {self.name} is closed.  Pending enqueues cancelled: "
                f"{int(self._cancelled)}.  Number of new insertions: {new}.  Number of incomplete "
                f"keys: {len(self._parts)}.",
            )

    def take_many(
        self, n: int, allow_small_batch: bool, timeout: float | None
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """(numbers of the insertions [n], keys [n], components [n, ...]); waits for so many rows.

        Of a closed barrier with `allow_small_batch` also fewer, but at least one.
        OutOfRangeError when they will never come.
        """
        if n < 0:
            raise _invalid(f"BarrierTakeMany requested {n} < 0 elements")
        with self._lock:
            if self._closed:
                there = self._ready.size()
                if allow_small_batch:
                    n = min(n, there)
                else:
                    there += len(self._parts)
                if there < max(n, 1):
                    raise errors.OutOfRangeError(
                        None,
                        None,
                        f"Barrier '{self.name}' is closed and has insufficient elements "
                        f"(requested {n}, total size {there})",
                    )
        numbers, keys, *components = self._ready.dequeue_many(n, timeout)
        return numbers, keys, components

    def close(self, cancel_pending_enqueues: bool) -> None:
        """Let no new keys in; with `cancel_pending_enqueues` no further components either.

        CancelledError when it is closed already, unless this cancels and that did not.
        """
        with self._lock:
            if self._closed and (self._cancelled or not cancel_pending_enqueues):
                raise errors.CancelledError(None, None, f"Barrier '{self.name}' is already closed.")
            self._closed, self._cancelled = True, cancel_pending_enqueues
            if cancel_pending_enqueues:
                self._parts.clear()
            if not self._parts and not self._ready.is_closed:
                self._ready.close()

    def cancel(self) -> None:
        """The session ends: all that wait get CancelledError."""
        self._ready.cancel()

    def ready_size(self) -> int:
        """How many rows are whole."""
        return self._ready.size()

    def incomplete_size(self) -> int:
        """How many rows lack components."""
        return len(self._parts)
