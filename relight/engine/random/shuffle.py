"""Random order of elements: RandomShuffleQueue, `tf.data`'s shuffle, and the seeds of its
iterations.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .philox import Philox, WordStream


def sequential_words(seed: int, seed2: int) -> WordStream:
    """32-bit words in order for a seed pair; (0, 0) starts at a place chosen by the system."""
    if seed == 0 and seed2 == 0:
        seed, seed2 = secrets.randbits(64), secrets.randbits(64)
    return WordStream(Philox.from_seeds(seed, seed2))


class ShuffleQueueOrder:
    """Which element a RandomShuffleQueue gives out next.

    Elements enter at the end; the one taken is replaced by the last. Call with the queue's lock
    held.
    """

    def __init__(self, seed: int, seed2: int) -> None:
        self._words = sequential_words(seed, seed2)

    def next_index(self, size: int) -> int:
        """The position, in [0, size), of the element to take out of a queue of `size` elements."""
        return self._words.uint32() % size

    def take(self, elements: list[Any]) -> Any:
        """Remove the next element from `elements` and return it."""
        index = self.next_index(len(elements))
        chosen = elements[index]
        elements[index] = elements[-1]
        elements.pop()
        return chosen


class IterationSeeds:
    """The seed pairs that successive passes over a shuffled dataset with `reshuffle_each_iteration`
    use.

    One object serves one initialisation of an iterator: a new one starts anew. Without
    `reshuffle_each_iteration` every pass uses the dataset's own pair. `shuffle` directly followed
    by `repeat` does not come here: TensorFlow 1.15 fuses the two (`DatasetShuffle` with `count`),
    which uses the dataset's own pair once for all passes. `position` may be saved and set.
    """

    def __init__(self, seed: int, seed2: int) -> None:
        self._words = sequential_words(seed, seed2)

    @property
    def position(self) -> int:
        return self._words.position

    def seek(self, position: int) -> None:
        """Continue as if `position` words had been drawn."""
        self._words.seek(position)

    def next_seeds(self) -> tuple[int, int]:
        """The pair for the next iteration."""
        return self._words.uint32(), self._words.uint32()


_MOST_EPOCHS_IN_BUFFER = 3


class DatasetShuffle:
    """One iteration of `Dataset.shuffle(buffer_size)` or `shuffle_and_repeat(buffer_size, count)`.

    `source` starts one pass over the input. `count` is the number of passes; -1 repeats for ever.
    The buffer is filled before each element is given out; elements of one pass leave before those
    of the next. Raises ValueError unless buffer_size > 0 and (count > 0 or count == -1).
    """

    def __init__(
        self,
        source: Callable[[], Iterator[Any]],
        buffer_size: int,
        seed: int,
        seed2: int,
        count: int = 1,
    ) -> None:
        if buffer_size <= 0:
            raise ValueError("buffer_size must be greater than zero.")
        if count != -1 and count <= 0:
            raise ValueError("count must be greater than zero or equal to -1.")
        self._source = source
        self._size = buffer_size
        self._count = count
        self._words = sequential_words(seed, seed2)
        self._input: Iterator[Any] | None = None
        self._started = False
        self._epoch = 0
        self._held = 0
        self._ring: dict[int, Any] = {}
        self._slices: deque[list[int]] = deque(
            [[0, 0]]
        )  # [first, end) of the elements of each pass in the ring

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        first_call = not self._started
        if first_call:
            self._started = True
            self._input = self._source()
        while self._input is not None and self._held < self._size:
            found = False
            element = None
            while self._count == -1 or self._epoch < self._count:
                try:
                    element = next(self._input)
                    found = True
                    first_call = False
                    break
                except StopIteration:
                    if (
                        first_call and self._count == -1
                    ):  # an empty input would be repeated without end
                        self._input = None
                        raise
                self._epoch += 1
                end = self._slices[-1][1]
                self._slices.append([end, end])
                self._input = self._source()
            if found:
                current = self._slices[-1]
                self._ring[current[1] % self._size] = element
                self._held += 1
                current[1] += 1
            else:
                self._input = None
            if len(self._slices) > _MOST_EPOCHS_IN_BUFFER:
                break
        if self._held == 0:
            raise StopIteration
        while self._slices[0][0] == self._slices[0][1]:
            self._slices.popleft()
        current = self._slices[0]
        index = (current[0] + self._words.uint32() % (current[1] - current[0])) % self._size
        start = current[0] % self._size
        chosen = self._ring[index]
        self._ring[index] = self._ring[start]
        self._ring[start] = None
        current[0] += 1
        self._held -= 1
        return chosen
