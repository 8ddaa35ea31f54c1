"""Staging areas and maps: tuples of values that wait between runs, by their order or by keys."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from typing import Any

from relight.engine.waits import Waits
from relight.graph import errors


def _bytes(values: Sequence[Any]) -> int:
    return sum(getattr(v, "nbytes", 0) for v in values)


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


class _Store(Waits):
    """What areas and maps share: limits, and waits for room.

    `capacity`: most tuples in it; `memory_limit`: most bytes of all of them. 0: no limit.
    """

    def __init__(self, capacity: int, memory_limit: int):
        super().__init__("Staging")
        self._capacity, self._limit = capacity, memory_limit
        self._held = 0

    def size(self) -> int:
        """How many tuples there are."""
        raise NotImplementedError

    def _wait_for_room(self, size: int, whole: bool, timeout: float | None) -> None:
        """Until `size` bytes more, and one tuple more when they are a `whole` one, may come in.

        The condition is held. ResourceExhaustedError when they never may.
        """
        if self._limit and size > self._limit:
            raise errors.ResourceExhaustedError(
                None,
                None,
                f"Attempted to insert tensors with combined size of '{size}' bytes into Staging "
                f"Area with a memory limit of '{self._limit}'.",
            )

        def room() -> bool:
            full = whole and self._capacity and self.size() >= self._capacity
            heavy = self._limit and self._held + size > self._limit
            return not full and not heavy

        self._wait(room, timeout)

    def _changed(self, more_bytes: int) -> None:
        self._held += more_bytes
        self._condition.notify_all()


class StagingArea(_Store):
    """A buffer of tuples, first in, first out. Safe to use from many threads."""

    def __init__(self, capacity: int, memory_limit: int):
        super().__init__(capacity, memory_limit)
        self._rows: deque[list[Any]] = deque()

    def put(self, values: Sequence[Any], timeout: float | None = None) -> None:
        """Put a tuple in; waits while there is no room. ResourceExhaustedError when it is larger
        than the memory limit."""
        size = _bytes(values)
        with self._condition:
            self._wait_for_room(size, True, timeout)
            self._rows.append(list(values))
            self._changed(size)

    def get(self, timeout: float | None = None) -> list[Any]:
        """Take the first tuple out; waits for one."""
        with self._condition:
            self._wait(lambda: bool(self._rows), timeout)
            values = self._rows.popleft()
            self._changed(-_bytes(values))
            return values

    def peek(self, index: int, timeout: float | None = None) -> list[Any]:
        """The tuple at a place, which stays; waits until there are so many."""
        with self._condition:
            self._wait(lambda: len(self._rows) > index, timeout)
            return list(self._rows[index])

    def size(self) -> int:
        """How many tuples there are."""
        return len(self._rows)

    def clear(self) -> None:
        """Drop all tuples."""
        with self._condition:
            self._rows.clear()
            self._changed(-self._held)


_ABSENT = object()


def _check_order(indices: Sequence[int]) -> None:
    if any(a >= b for a, b in itertools.pairwise(indices)):
        raise _invalid("Indices are not strictly ordered")


class StagingMap(_Store):
    """Tuples of `width` values under keys, which come and go whole or in parts.

    A tuple can be read when all its values have come. Without a key one takes the smallest key of
    an `ordered` map, else the oldest one. A key that has a whole tuple keeps it: another one is
    dropped. Safe to use from many threads.

    The memory limit counts all values; TensorFlow counts the last one of a tuple that comes whole.
    """

    def __init__(self, capacity: int, memory_limit: int, width: int, ordered: bool):
        super().__init__(capacity, memory_limit)
        self._width, self._ordered = width, ordered
        self._whole: dict[int, list[Any]] = {}
        self._parts: dict[int, list[Any]] = {}

    def put(
        self,
        key: int,
        indices: Sequence[int],
        values: Sequence[Any],
        timeout: float | None = None,
    ) -> None:
        """Put the values with these places in the tuple of `key` in; waits while there is no room.

        InvalidArgumentError for places that do not ascend, are not there or have a value.
        """
        _check_order(indices)
        if len(indices) != len(values):
            raise _invalid(f"{len(values)} values were given for {len(indices)} indices")
        size = _bytes(values)
        with self._condition:
            complete = len(indices) == self._width
            self._wait_for_room(size, complete, timeout)
            row = [_ABSENT] * self._width if complete else self._parts.get(key)
            fresh = row is None
            row = [_ABSENT] * self._width if row is None else row
            for index in indices:
                self._check(key, index)
                if row[index] is not _ABSENT:
                    raise _invalid(
                        f"The tensor for index '{index}' for key '{key}' was already initialized "
                        f"'{self._width}'."
                    )
            for index, value in zip(indices, values, strict=True):
                row[index] = value
            self._held += size
            if not any(v is _ABSENT for v in row):
                if not complete:
                    self._parts.pop(key, None)
                if key in self._whole:
                    self._held -= _bytes(row)
                self._whole.setdefault(key, row)
            elif fresh:
                self._parts[key] = row
            self._condition.notify_all()

    def _check(self, key: int, index: int) -> None:
        if not 0 <= index < self._width:
            raise _invalid(
                f"Index '{index % 2**64}' for key '{key}' was out of bounds '{self._width}'."
            )

    def _value(self, key: int, index: int) -> Any:
        self._check(key, index)
        value = self._whole[key][index]
        if value is _ABSENT:
            raise _invalid(f"Tensor at index '{index}' for key '{key}' has already been removed.")
        return value

    def peek(self, key: int, indices: Sequence[int], timeout: float | None = None) -> list[Any]:
        """Values of the tuple of `key`, which stay; waits for it."""
        with self._condition:
            self._wait(lambda: key in self._whole, timeout)
            return [self._value(key, i) for i in indices]

    def get(self, key: int, indices: Sequence[int], timeout: float | None = None) -> list[Any]:
        """Take values of the tuple of `key` out; waits for it. Its last value takes the key along.

        InvalidArgumentError when a value is not there any more; those before it are gone then.
        """
        with self._condition:
            self._wait(lambda: key in self._whole, timeout)
            return self._take(key, indices)

    def get_any(
        self, indices: Sequence[int], timeout: float | None = None
    ) -> tuple[int, list[Any]]:
        """(key, values) as `get`, of whichever key comes first; waits for one."""
        with self._condition:
            self._wait(lambda: bool(self._whole), timeout)
            key = min(self._whole) if self._ordered else next(iter(self._whole))
            return key, self._take(key, indices)

    def _take(self, key: int, indices: Sequence[int]) -> list[Any]:
        _check_order(indices)
        row, taken = self._whole[key], []
        for index in indices:
            value = self._value(key, index)
            taken.append(value)
            row[index] = _ABSENT
            self._held -= _bytes([value])
        if all(v is _ABSENT for v in row):
            del self._whole[key]
        self._condition.notify_all()
        return taken

    def size(self) -> int:
        """How many whole tuples there are."""
        return len(self._whole)

    def incomplete_size(self) -> int:
        """How many tuples lack values."""
        return len(self._parts)

    def clear(self) -> None:
        """Drop all tuples."""
        with self._condition:
            self._whole.clear()
            self._parts.clear()
            self._changed(-self._held)
