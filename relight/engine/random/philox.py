"""Philox-4x32-10 counter-based random bits, laid out as TensorFlow 1.15 lays them out.

A generator is a 64-bit key and a 128-bit counter. Every counter value gives one *block* of four
32-bit words, a pure function of key and counter, so any part of a stream can be computed alone.

* `PhiloxRandom(seed, seed2)`: key = `seed` (low word first), counter = `seed2 << 64`. The lower 64
  counter bits number the blocks.
* A kernel keeps one generator for its life and reserves a range of blocks per execution; see
  `GuardedPhilox`.

Source of the algorithm: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
SC 2011.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF
MASK128 = (1 << 128) - 1

_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], dtype=np.uint64)
_KEY_STEP = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_U32 = np.uint64(32)
_LOW32 = np.uint64(MASK32)

CHUNK = 16384
"""Blocks computed at a time: few enough that the scratch arrays stay in the processor's cache."""


class Philox(NamedTuple):
    """A position in a stream: `key` (64 bits) and `counter` (128 bits) as Python integers."""

    key: int
    counter: int

    @classmethod
    def from_seeds(cls, seed: int, seed2: int) -> Philox:
        """Where a TensorFlow kernel with the attributes `seed` and `seed2` starts."""
        return cls(seed & MASK64, (seed2 & MASK64) << 64)

    def skip(self, blocks: int) -> Philox:
        """The same stream, `blocks` blocks (of four words) further on."""
        return Philox(self.key, (self.counter + blocks) & MASK128)

    def chunks(self, blocks: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Compute the next `blocks` blocks, piece by piece.

        Yields (first, even, odd): `first` is the number of the piece's first block; `even` and
        `odd` are [2, b] uint64 arrays whose lower 32 bits are the words (0, 2) and (1, 3) of each
        block. The upper 32 bits are zero in `even` and undefined in `odd`. Both arrays are scratch
        memory of the thread: they are valid until it asks for further blocks, of any generator.
        """
        scratch = _scratch()
        for first in range(0, blocks, CHUNK):
            size = min(CHUNK, blocks - first)
            start = (self.counter + first) & MASK128
            low = start & MASK64
            counters = scratch.counters[:size]
            np.add(scratch.ramp[:size], np.uint64(low), out=counters)
            if (
                low + size - 1 > MASK64
            ):  # the carry into the upper half: the two parts have different high words
                split = MASK64 + 1 - low
                even, odd = np.empty((2, 2, size), dtype=np.uint64)
                for part, high in (
                    (slice(0, split), start >> 64),
                    (slice(split, size), (start >> 64) + 1),
                ):
                    even[:, part], odd[:, part] = _encrypt(self.key, counters[part], high & MASK64)
                yield first, even, odd
            else:
                yield first, *_encrypt(self.key, counters, start >> 64)

    def blocks_at(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Blocks at arbitrary places: `offsets` [b] of uint64, counted from here. Returns fresh
        (even, odd) [2, b].

        The sum of counter and offset must not carry out of the lower 64 bits; TensorFlow's own
        streams never do.
        """
        even = np.empty((2, offsets.size), dtype=np.uint64)
        odd = np.empty_like(even)
        low = np.uint64(self.counter & MASK64)
        for first in range(0, offsets.size, CHUNK):
            part = slice(first, min(first + CHUNK, offsets.size))
            counters = offsets[part] + low
            even[:, part], odd[:, part] = _encrypt(self.key, counters, self.counter >> 64)
        return even, odd

    def words(self, count: int) -> np.ndarray:
        """The next `count` 32-bit words in stream order, [count] uint32."""
        blocks = (count + 3) // 4
        out = np.empty((blocks, 2), dtype=np.uint64)
        for first, even, odd in self.chunks(blocks):
            out[first : first + even.shape[1]] = pack_pairs(even, odd).T
        return out.view(np.uint32).reshape(-1)[:count]


def pack_pairs(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """`low | high << 32` as uint64: in the memory of a little-endian machine the word of `low`,
    then that of `high`.

    The upper halves of `low` must be zero; those of `high` do not matter.
    """
    packed = np.left_shift(high, _U32, dtype=np.uint64)
    return np.bitwise_or(packed, low, out=packed)


class _Scratch:
    """Working memory of one thread."""

    def __init__(self) -> None:
        self.ramp = np.arange(CHUNK, dtype=np.uint64)
        self.counters = np.empty(CHUNK, dtype=np.uint64)
        self.state = np.empty((3, 2 * CHUNK), dtype=np.uint64)


_local = threading.local()


def _scratch() -> _Scratch:
    scratch = getattr(_local, "scratch", None)
    if scratch is None:
        scratch = _local.scratch = _Scratch()
    return scratch


def _encrypt(key: int, counters: np.ndarray, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten rounds over `counters` [b] (lower 64 counter bits, overwritten) with the upper 64 bits
    `high`.

    The words (0, 2) and (1, 3) are kept as two [2, b] arrays, so that one call does both
    multiplications of a round. Products are 64 bits wide: the upper half goes on into the other
    row, the lower half becomes the odd word.
    """
    size = counters.size
    even, product, odd = (buffer[: 2 * size].reshape(2, size) for buffer in _scratch().state)
    key0, key1 = key & MASK32, key >> 32
    word2, word3 = high & MASK32, high >> 32

    # First round: words 2 and 3 are the same for the whole piece, so only one product is an array.
    np.bitwise_and(counters, _LOW32, out=product[0])
    np.multiply(product[0], _MULTIPLIERS[0, 0], out=product[0])
    product1 = word2 * int(_MULTIPLIERS[1, 0])
    np.right_shift(counters, _U32, out=even[0])
    np.bitwise_xor(even[0], np.uint64((product1 >> 32) ^ key0), out=even[0])
    np.right_shift(product[0], _U32, out=even[1])
    np.bitwise_xor(even[1], np.uint64(word3 ^ key1), out=even[1])
    odd[0] = product1 & MASK32
    np.bitwise_and(product[0], _LOW32, out=odd[1])

    keys = np.empty((2, 1), dtype=np.uint64)
    for round_ in range(1, _ROUNDS):
        keys[0, 0] = (key0 + round_ * _KEY_STEP[0]) & MASK32
        keys[1, 0] = (key1 + round_ * _KEY_STEP[1]) & MASK32
        np.multiply(even, _MULTIPLIERS, out=product)
        np.bitwise_xor(odd, keys, out=odd)
        np.right_shift(product[::-1], _U32, out=even)
        np.bitwise_xor(even, odd, out=even)
        if round_ < _ROUNDS - 1:
            np.bitwise_and(product[::-1], _LOW32, out=odd)
    return even, product[::-1]


class GuardedPhilox:
    """The generator of one kernel: hands out ranges of its stream, safely from several threads.

    `seed == seed2 == 0` means "not seeded" to TensorFlow: such a generator starts at a place chosen
    by the system.
    """

    def __init__(self, seed: int, seed2: int) -> None:
        if seed == 0 and seed2 == 0:
            seed, seed2 = secrets.randbits(64), secrets.randbits(64)
        self._lock = threading.Lock()
        self._position = Philox.from_seeds(seed, seed2)

    def reserve_blocks(self, blocks: int) -> Philox:
        """Take the next `blocks` blocks; returns the generator that stands at the first of them."""
        with self._lock:
            position = self._position
            self._position = position.skip(blocks)
        return position

    def reserve_words(self, words: int) -> Philox:
        """Take whole blocks that hold at least `words` 32-bit words."""
        return self.reserve_blocks((words + 3) // 4)


class WordStream:
    """32-bit words one at a time, in stream order: what TensorFlow's sequential samplers draw from.

    `position` counts the words drawn so far. Not locked: the owner does that.
    """

    _LONGEST = 4096

    def __init__(self, generator: Philox) -> None:
        self._start = generator
        self._buffer: list[int] = []
        self._next = 0
        self._base = 0
        self._length = 16

    @property
    def position(self) -> int:
        return self._base + self._next

    def seek(self, position: int) -> None:
        """Continue as if `position` words had been drawn."""
        block, rest = divmod(position, 4)
        self._base, self._next = block * 4, rest
        self._buffer = self._start.skip(block).words(self._length).tolist()

    def uint32(self) -> int:
        """The next word, in [0, 2**32)."""
        if self._next == len(self._buffer):
            self._base += self._next
            self._next = 0
            self._buffer = self._start.skip(self._base // 4).words(self._length).tolist()
            self._length = min(2 * self._length, self._LONGEST)
        word = self._buffer[self._next]
        self._next += 1
        return word

    def uint64(self) -> int:
        """The next two words, the lower half first."""
        low = self.uint32()
        return low | self.uint32() << 32

    def float32(self) -> float:
        """Uniform in [0, 1), a multiple of 2**-23."""
        return (self.uint32() & 0x7FFFFF) * 2.0**-23

    def float64(self) -> float:
        """Uniform in [0, 1), a multiple of 2**-52."""
        high = self.uint32() & 0xFFFFF
        return (high << 32 | self.uint32()) * 2.0**-52

    def below(self, bound: int, bits: int = 32) -> int:
        """Uniform integer in [0, bound), without bias: draws again where `bits`-wide numbers do not
        divide evenly.
        """
        draw = self.uint32 if bits == 32 else self.uint64
        if bound <= 0:
            draw()
            return 0
        if bound & (bound - 1) == 0:
            return draw() & (bound - 1)
        span = (1 << bits) - 1
        reject_below = span % bound + 1
        while (word := draw()) < reject_below:
            continue
        return word % bound
