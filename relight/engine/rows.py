"""What queues keep their rows in.

All have `size`, `add_one(components)`, `add(components, start, stop)` for the rows [start, stop) of
batches, `take_one()`, `take(n)` for a *piece* of n rows, `put_back(piece)` for one that was taken
in vain, and `join(pieces)`, which makes batches. They copy what they are given and give out copies.
The caller holds the queue's lock, except for `join`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from relight.engine.random import ShuffleQueueOrder
from relight.graph import dtypes

Arrays = list[np.ndarray]
_FIRST_LENGTH = 64
_MOST_BYTES_AT_ONCE = 1 << 26


class _Stored:
    """Arrays of [length, *shape] for each component, which grow up to `capacity` rows."""

    def __init__(
        self,
        shapes: Sequence[Any],
        types: Sequence[dtypes.DType],
        capacity: int,
    ):
        self._capacity = capacity
        kinds = [np.dtype(t.as_numpy_dtype) for t in types]
        row = sum(
            k.itemsize * int(np.prod(s, dtype=np.int64))  # type: ignore[arg-type]
            for k, s in zip(kinds, shapes, strict=True)
        )
        # A queue of moderate size gets its memory at once; a large one as it fills.
        whole = capacity * max(row, 1) <= _MOST_BYTES_AT_ONCE
        self._length = capacity if whole else min(capacity, _FIRST_LENGTH)
        self._arrays: Arrays = [
            np.empty((self._length, *s), k)  # type: ignore[arg-type]
            for k, s in zip(kinds, shapes, strict=True)
        ]
        self.size = 0

    def _grown(self, needed: int) -> int:
        return min(self._capacity, max(2 * self._length, needed))

    @staticmethod
    def join(pieces: list[Arrays]) -> Arrays:
        """The rows of all pieces as batches."""
        if len(pieces) == 1:
            return pieces[0]
        return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


class Ring(_Stored):
    """First in, first out: the rows from `_first` on, around the end of the arrays."""

    def __init__(self, shapes: Any, types: Any, capacity: int):
        super().__init__(shapes, types, capacity)
        self._first = 0

    def _reserve(self, count: int) -> None:
        if self.size + count <= self._length:
            return
        length = self._grown(self.size + count)
        grown = []
        for old in self._arrays:
            new = np.empty((length, *old.shape[1:]), old.dtype)
            head = old[self._first : self._first + self.size]
            new[: len(head)] = head
            new[len(head) : self.size] = old[: self.size - len(head)]
            grown.append(new)
        self._arrays, self._length, self._first = grown, length, 0

    def add(self, components: Sequence[np.ndarray], start: int, stop: int) -> None:
        """Put the rows [start, stop) of batches at the end."""
        count = stop - start
        self._reserve(count)
        self._store((self._first + self.size) % self._length, components, start, count)
        self.size += count

    def _store(self, at: int, components: Sequence[np.ndarray], start: int, count: int) -> None:
        head = min(count, self._length - at)
        for array, value in zip(self._arrays, components, strict=True):
            array[at : at + head] = value[start : start + head]
            if head < count:
                array[: count - head] = value[start + head : start + count]

    def add_one(self, components: Sequence[np.ndarray]) -> None:
        """Put one row at the end."""
        self._reserve(1)
        at = (self._first + self.size) % self._length
        for array, value in zip(self._arrays, components, strict=True):
            array[at] = value[()] if value.ndim == 0 else value
        self.size += 1

    def take(self, n: int) -> Arrays:
        """Take the first n rows out."""
        first, head = self._first, min(n, self._length - self._first)
        taken = []
        for array in self._arrays:
            if head == n:
                taken.append(array[first : first + n].copy())
            else:
                taken.append(np.concatenate((array[first:], array[: n - head])))
        self._first = (first + n) % self._length
        self.size -= n
        return taken

    def take_one(self) -> Arrays:
        """Take the first row out."""
        return [a[0, ...] if a.ndim > 1 else a.reshape(()) for a in self.take(1)]

    def put_back(self, piece: Arrays) -> None:
        """Put rows before the first one. There is room or, after later enqueues, it is made."""
        count = len(piece[0])
        if self.size + count > self._length:
            self._capacity = max(self._capacity, self.size + count)
            self._reserve(count)
        self._first = (self._first - count) % self._length
        self._store(self._first, piece, 0, count)
        self.size += count


class Shuffled(_Stored):
    """Random order: `_order` lists the places of the rows as the original would list the rows."""

    def __init__(self, shapes: Any, types: Any, capacity: int, seed: int, seed2: int):
        super().__init__(shapes, types, capacity)
        self._draw = ShuffleQueueOrder(seed, seed2).next_index
        self._order: list[int] = []
        self._free: list[int] = list(range(self._length))[::-1]

    def _places(self, count: int) -> list[int]:
        if count > len(self._free):
            length = self._grown(self.size + count)
            grown = []
            for old in self._arrays:
                new = np.empty((length, *old.shape[1:]), old.dtype)
                new[: self._length] = old
                grown.append(new)
            self._free[:0] = range(length - 1, self._length - 1, -1)
            self._arrays, self._length = grown, length
        places = self._free[-count:]
        del self._free[-count:]
        return places

    def add(self, components: Sequence[np.ndarray], start: int, stop: int) -> None:
        """Put the rows [start, stop) of batches in."""
        count = stop - start
        places = self._places(count)
        for array, value in zip(self._arrays, components, strict=True):
            array[places] = value[start:stop]
        self._order += places
        self.size += count

    def add_one(self, components: Sequence[np.ndarray]) -> None:
        """Put one row in."""
        (place,) = self._places(1)
        for array, value in zip(self._arrays, components, strict=True):
            array[place] = value[()] if value.ndim == 0 else value
        self._order.append(place)
        self.size += 1

    def take(self, n: int) -> Arrays:
        """Take n rows out, each drawn from those that are left."""
        order, draw, places = self._order, self._draw, []
        for size in range(self.size, self.size - n, -1):
            index = draw(size)
            places.append(order[index])
            order[index] = order[-1]
            order.pop()
        taken = [array.take(places, axis=0) for array in self._arrays]
        self._free += places
        self.size -= n
        return taken

    def take_one(self) -> Arrays:
        """Take one row out."""
        return [a[0, ...] if a.ndim > 1 else a.reshape(()) for a in self.take(1)]

    def put_back(self, piece: Arrays) -> None:
        """Put rows in that had been taken out, the last one first."""
        count = len(piece[0])
        self._capacity = max(self._capacity, self.size + count)
        self.add([a[::-1] for a in piece], 0, count)


class Loose:
    """First in, first out: rows of any shapes, kept one by one."""

    def __init__(self, count: int):
        self._rows: Any = deque()
        self._count = count

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def add(self, components: Sequence[np.ndarray], start: int, stop: int) -> None:
        """Put the rows [start, stop) of batches at the end."""
        for i in range(start, stop):
            self._put([c[i, ...].copy() for c in components])

    def add_one(self, components: Sequence[Any]) -> None:
        """Put one row at the end."""
        self._put([c.copy() if isinstance(c, np.ndarray) else c for c in components])

    def _put(self, row: list[Any]) -> None:
        self._rows.append(row)

    def take(self, n: int) -> list[list[Any]]:
        """Take n rows out."""
        return [self.take_one() for _ in range(n)]

    def take_one(self) -> list[Any]:
        """Take one row out."""
        return self._rows.popleft()

    def put_back(self, piece: list[list[Any]]) -> None:
        """Put rows before the first one."""
        self._rows.extendleft(reversed(piece))

    def join(self, pieces: list[list[list[Any]]]) -> Arrays:
        """The rows of all pieces as batches, shorter ones filled up with zeros."""
        taken = [row for piece in pieces for row in piece]
        return [_padded([row[i] for row in taken]) for i in range(self._count)]


def _padded(values: Arrays) -> np.ndarray:
    """Arrays of one rank in one array, each in a corner of its own slice of zeros."""
    first = values[0]
    if all(v.shape == first.shape for v in values):
        return np.stack(values)
    shape = tuple(np.max([v.shape for v in values], axis=0).tolist())
    if first.dtype == np.object_:
        batch = np.full((len(values), *shape), b"", np.object_)
    else:
        batch = np.zeros((len(values), *shape), first.dtype)
    for i, value in enumerate(values):
        place: Any = (i, *(slice(s) for s in value.shape))
        batch[place] = value
    return batch


class LooseShuffled(Loose):
    """Random order for rows of any shapes."""

    def __init__(self, count: int, seed: int, seed2: int):
        super().__init__(count)
        self._rows = []
        self._order = ShuffleQueueOrder(seed, seed2)

    def take_one(self) -> list[Any]:
        """Take one row out, drawn from all."""
        return self._order.take(self._rows)

    def put_back(self, piece: list[list[Any]]) -> None:
        """Put rows in that had been taken out, the last one first."""
        self._rows.extend(reversed(piece))


class Heap(Loose):
    """The row of the lowest priority first, a binary heap.

    Rows of equal priority come in the order that the usual two-step removal gives: the hole at the
    top sinks to the bottom along the better child (the second of two equal ones), and the last row
    rises from there. C++'s `std::priority_queue` does the same.
    """

    def __init__(self, count: int):
        super().__init__(count)
        self._rows: list[tuple[int, list[Any]]] = []

    def _put(self, row: list[Any]) -> None:
        self._rows.append((int(row[0]), row))
        self._rise(len(self._rows) - 1, self._rows[-1])

    def _rise(self, hole: int, entry: tuple[int, list[Any]]) -> None:
        entries = self._rows
        while hole > 0:
            parent = (hole - 1) // 2
            if entries[parent][0] <= entry[0]:
                break
            entries[hole] = entries[parent]
            hole = parent
        entries[hole] = entry

    def take_one(self) -> list[Any]:
        """Take the row of the lowest priority out."""
        entries = self._rows
        top = entries[0][1]
        last = entries.pop()
        size = len(entries)
        if size:
            hole = 0
            while (child := 2 * hole + 2) < size:
                if entries[child][0] > entries[child - 1][0]:
                    child -= 1
                entries[hole] = entries[child]
                hole = child
            if child == size:
                entries[hole] = entries[child - 1]
                hole = child - 1
            self._rise(hole, last)
        return top

    def put_back(self, piece: list[list[Any]]) -> None:
        """Put rows in that had been taken out."""
        for row in piece:
            self._put(row)
