"""The queues of a session: rows that wait between the threads that make and the ones that use them.

A call that cannot be served at once becomes an *attempt* and waits its turn: enqueues are served in
the order in which they came, and so are dequeues, each as far as rows or room allow. Closing is an
attempt among the enqueues, so that what was handed over before it still gets in.

Rows are numpy arrays. Where all shapes are known, `relight.engine.rows` keeps them in arrays, and
putting in or taking out many rows is a few array copies.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.engine import lanes, rows
from relight.graph import dtypes, errors
from relight.graph.shapes import TensorShape
from relight.ops.shape_rules import text

_NOTHING, _SOME, _DONE = range(3)
_UNLIMITED = 2**31 - 1
_numbers = itertools.count()

Shape = tuple[int | None, ...]


class _Attempt:
    """One call under way: `step` does what can be done now and says how far it came."""

    __slots__ = ("done", "error", "event", "step", "undo")

    def __init__(self, step: Callable[[], int], undo: Callable[[], None] | None = None):
        self.step = step
        self.undo = undo  # puts back what was taken, when the call is given up
        self.event: threading.Event | None = None
        self.error: Exception | None = None
        self.done = False

    def finish(self, error: Exception | None = None) -> None:
        self.error = error
        self.done = True
        if self.event is not None:
            self.event.set()


def _cancelled(what: str) -> errors.CancelledError:
    return errors.CancelledError(None, None, f"{what} operation was cancelled")


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


class Queue:
    """A queue of rows, each one array a component. Safe to use from many threads.

    Args:
      name: how messages name it; a number is put before it when `shared` is False.
      dtypes: type of each component.
      shapes: static shapes of the components, or () when rows may differ.
      capacity: most rows that it holds; -1 for no limit.
    """

    kind = "FIFOQueue"
    _looks_ahead = True  # whether a closed queue gives out no row of a batch that is too large

    def __init__(
        self,
        name: str,
        dtypes: Sequence[dtypes.DType],
        shapes: Sequence[TensorShape],
        capacity: int,
        shared: bool = False,
    ):
        self.name = name if shared else f"_{next(_numbers)}_{name}"
        self.dtypes = list(dtypes)
        self.shapes: list[Shape] = [self._sizes(s) for s in shapes]
        self.requested_capacity = capacity
        self.capacity = _UNLIMITED if capacity < 0 else capacity
        self.is_closed = False
        self._lock = threading.Lock()
        self._enqueues: deque[_Attempt] = deque()
        self._dequeues: deque[_Attempt] = deque()
        self._ended = False
        self._rows = self._new_rows()

    @staticmethod
    def _sizes(shape: TensorShape) -> Shape:
        sizes = shape._sizes
        if sizes is None:
            raise _invalid(f"a queue needs shapes of known rank, got {shape}")
        return sizes

    def _new_rows(self) -> Any:
        fixed = bool(self.shapes) and all(
            None not in s and t.base_dtype not in (dtypes.resource, dtypes.variant)
            for s, t in zip(self.shapes, self.dtypes, strict=True)
        )
        return self._fixed_rows() if fixed else self._loose_rows()

    def _fixed_rows(self) -> Any:
        return rows.Ring(self.shapes, self.dtypes, self.capacity)

    def _loose_rows(self) -> Any:
        return rows.Loose(len(self.dtypes))

    # -- putting in --------------------------------------------------------------------------------

    def enqueue(self, components: Sequence[np.ndarray], timeout: float | None = None) -> None:
        """Put one row in; waits while the queue is full."""
        self._check_count(components)
        for i, value in enumerate(components):
            self._check_shape(i, value.shape, ())

        def step() -> int:
            self._refuse_when_closed()
            if self._rows.size >= self.capacity:
                return _NOTHING
            self._rows.add_one(components)
            return _DONE

        self._submit(self._enqueues, _Attempt(step), "Enqueue", timeout)

    def enqueue_many(self, components: Sequence[np.ndarray], timeout: float | None = None) -> None:
        """Put rows in, one for each entry of dimension 0; waits while the queue is full."""
        self._check_count(components)
        for i, value in enumerate(components):
            if value.ndim < 1:
                self._check_shape(i, value.shape, (1,))
                raise _invalid(f"Component {i} must have at least 1 dimension to be parted in rows")
        total = components[0].shape[0]
        for i, value in enumerate(components):
            if value.shape[0] != total:
                raise _invalid(
                    "All input tensors must have the same size in the 0th dimension. Component "
                    f"{i} has {value.shape[0]}, and should have {total}"
                )
            self._check_shape(i, value.shape, (total,))
        if total == 0:
            return
        start = 0

        def step() -> int:
            nonlocal start
            self._refuse_when_closed()
            room = min(self.capacity - self._rows.size, total - start)
            if room <= 0:
                return _NOTHING
            self._rows.add(components, start, start + room)
            start += room
            return _DONE if start == total else _SOME

        self._submit(self._enqueues, _Attempt(step), "Enqueue", timeout)

    def _refuse_when_closed(self) -> None:
        if self.is_closed:
            raise errors.CancelledError(None, None, f"{self.kind} '{self.name}' is closed.")

    def _check_count(self, components: Sequence[Any]) -> None:
        if len(components) != len(self.dtypes):
            raise _invalid(
                f"Wrong number of components in tuple. Expected {len(self.dtypes)}, got "
                f"{len(components)}"
            )

    def _check_shape(self, i: int, given: Sequence[int], front: Shape) -> None:
        if not self.shapes:
            return
        wanted = (*front, *self.shapes[i])
        if len(wanted) != len(given) or any(
            w is not None and w != g for w, g in zip(wanted, given, strict=True)
        ):
            raise _invalid(
                f"Shape mismatch in tuple component {i}. Expected {text(wanted)}, got {text(given)}"
            )

    # -- taking out --------------------------------------------------------------------------------

    def dequeue(self, timeout: float | None = None) -> list[np.ndarray]:
        """Take one row out; waits while there is none. OutOfRangeError when it will never come."""
        taken: list[list[np.ndarray]] = []

        def step() -> int:
            if self._available() > 0:
                taken.append(self._rows.take_one())
                return _DONE
            if self.is_closed:
                raise self._insufficient(1)
            return _NOTHING

        self._submit(self._dequeues, _Attempt(step), "Dequeue", timeout)
        return taken[0]

    def dequeue_many(self, n: int, timeout: float | None = None) -> list[np.ndarray]:
        """Take `n` rows out, joined along a new dimension 0; waits until there were so many.

        OutOfRangeError when the queue is closed and holds fewer.
        """
        return self._dequeue_rows(n, False, timeout)

    def dequeue_up_to(self, n: int, timeout: float | None = None) -> list[np.ndarray]:
        """As `dequeue_many`, but of a closed queue the rows that are left, at least one."""
        return self._dequeue_rows(n, True, timeout)

    def _dequeue_rows(self, n: int, or_less: bool, timeout: float | None) -> list[np.ndarray]:
        if n < 0:
            raise _invalid(f"Dequeue{'UpTo' if or_less else 'Many'}Op requested {n} < 0 elements")
        if not self.shapes:
            raise _invalid(
                f"{self.kind}'s DequeueMany and DequeueUpTo require the components to have "
                "specified shapes."
            )
        if n == 0:
            return self._empty()
        pieces: list[Any] = []
        left = n

        def give_back() -> None:
            nonlocal left
            for piece in reversed(pieces):
                self._rows.put_back(piece)
            pieces.clear()
            left = n

        def step() -> int:
            nonlocal left
            if self.is_closed and self._rows.size < (left if self._looks_ahead else 1):
                insufficient = self._insufficient(left)
                give_back()
                if not or_less or self._rows.size == 0:
                    if or_less and self._enqueues:
                        return _NOTHING
                    raise insufficient
                left = min(n, self._rows.size)
            count = min(self._available(), left)
            if count <= 0:
                return _NOTHING
            pieces.append(self._rows.take(count))
            left -= count
            return _DONE if left == 0 else _SOME

        self._submit(self._dequeues, _Attempt(step, give_back), "Dequeue", timeout)
        return self._rows.join(pieces)

    def _available(self) -> int:
        """How many rows may be taken out now."""
        return self._rows.size

    def _empty(self) -> list[np.ndarray]:
        return [
            np.zeros((0, *(0 if s is None else s for s in shape)), dtype.as_numpy_dtype)
            for shape, dtype in zip(self.shapes, self.dtypes, strict=True)
        ]

    def _insufficient(self, n: int) -> errors.OutOfRangeError:
        return errors.OutOfRangeError(
            None,
            None,
            f"{self.kind} '{self.name}' is closed and has insufficient elements (requested {n}, "
            f"current size {self._rows.size})",
        )

    # -- the end -----------------------------------------------------------------------------------

    def close(self, cancel_pending_enqueues: bool = False) -> None:
        """Let no more rows in: once those that wait are in, or at once, cancelling them.

        CancelledError when it is closed already, unless `cancel_pending_enqueues`.
        """
        if not cancel_pending_enqueues:

            def step() -> int:
                if self.is_closed:
                    raise errors.CancelledError(
                        None, None, f"Queue '{self.name}' is already closed."
                    )
                self.is_closed = True
                return _DONE

            self._submit(self._enqueues, _Attempt(step), "Enqueue", None)
            return
        with self._lock:
            self.is_closed = True
            self._cancel_all(self._enqueues, "Enqueue")
            self._serve()

    def cancel(self) -> None:
        """The session ends: all that wait get CancelledError, and so do later calls."""
        with self._lock:
            self._ended = True
            self._cancel_all(self._enqueues, "Enqueue")
            self._cancel_all(self._dequeues, "Dequeue")

    @staticmethod
    def _cancel_all(attempts: deque[_Attempt], what: str) -> None:
        while attempts:
            attempts.popleft().finish(_cancelled(what))

    def size(self) -> int:
        """How many rows it holds."""
        return self._rows.size

    # -- attempts ----------------------------------------------------------------------------------

    def _submit(
        self, attempts: deque[_Attempt], attempt: _Attempt, what: str, timeout: float | None
    ) -> None:
        with self._lock:
            if self._ended:
                raise _cancelled(what)
            attempts.append(attempt)
            self._serve()
            if not attempt.done:
                attempt.event = threading.Event()
        if attempt.event is not None:
            try:
                with lanes.cancellable(lambda: self._cancel(attempts, attempt, what)):
                    in_time = attempt.event.wait(timeout)
            except BaseException:  # an interrupt: nobody waits for this call any more
                self._give_up(attempts, attempt)
                raise
            if not in_time and self._give_up(attempts, attempt):
                raise errors.DeadlineExceededError(None, None, "Timed out waiting for notification")
        if attempt.error is not None:
            raise attempt.error

    def _cancel(self, attempts: deque[_Attempt], attempt: _Attempt, what: str) -> None:
        if self._give_up(attempts, attempt):
            attempt.finish(_cancelled(what))

    def _give_up(self, attempts: deque[_Attempt], attempt: _Attempt) -> bool:
        with self._lock:
            if attempt.done:
                return False
            attempts.remove(attempt)
            if attempt.undo is not None:
                attempt.undo()
            self._serve()
            return True

    def _serve(self) -> None:
        """Serve all attempts as far as possible; the lock is held."""
        moved = True
        while moved:
            moved = self._serve_side(self._enqueues)
            moved = self._serve_side(self._dequeues) or moved

    @staticmethod
    def _serve_side(attempts: deque[_Attempt]) -> bool:
        moved = False
        while attempts:
            attempt = attempts[0]
            error: Exception | None = None
            try:
                result = attempt.step()
            except Exception as raised:  # it belongs to the call that waits, not to this one
                result, error = _DONE, raised
            if result == _NOTHING:
                break
            moved = True
            if result == _SOME:
                break
            attempts.popleft()
            attempt.finish(error)
        return moved


class FIFOQueue(Queue):
    """First in, first out."""


class PaddingFIFOQueue(Queue):
    """First in, first out; sizes of rows may differ where their shape has None.

    Taking many rows out fills the shorter ones up with zeros (empty strings).
    """

    kind = "PaddingFIFOQueue"


class RandomShuffleQueue(Queue):
    """Gives rows out in random order, the original's for the same seeds.

    `min_after_dequeue` rows stay in it until it is closed, so that they mix.
    """

    kind = "RandomShuffleQueue"

    def __init__(
        self,
        name: str,
        dtypes: Sequence[dtypes.DType],
        shapes: Sequence[TensorShape],
        capacity: int,
        shared: bool = False,
        min_after_dequeue: int = 0,
        seed: int = 0,
        seed2: int = 0,
    ):
        if min_after_dequeue < 0:
            raise _invalid(f"min_after_dequeue {min_after_dequeue} must be >= 0")
        if 0 <= capacity <= min_after_dequeue:
            raise _invalid(f"min_after_dequeue {min_after_dequeue} must be < capacity {capacity}")
        self._seeds = (seed, seed2)
        self._minimum = min_after_dequeue
        super().__init__(name, dtypes, shapes, capacity, shared)

    def _fixed_rows(self) -> Any:
        return rows.Shuffled(self.shapes, self.dtypes, self.capacity, *self._seeds)

    def _loose_rows(self) -> Any:
        return rows.LooseShuffled(len(self.dtypes), *self._seeds)

    def _available(self) -> int:
        return self._rows.size if self.is_closed else self._rows.size - self._minimum


class PriorityQueue(Queue):
    """Gives the rows of the lowest priority out first; component 0 is the priority, an int64.

    `dequeue_up_to` is no different from `dequeue_many`, as in the original.
    """

    kind = "PriorityQueue"
    _looks_ahead = False

    def dequeue_up_to(self, n: int, timeout: float | None = None) -> list[np.ndarray]:
        """As `dequeue_many`."""
        return self._dequeue_rows(n, False, timeout)

    def _new_rows(self) -> Any:
        return rows.Heap(len(self.dtypes))


KINDS: dict[str, type[Queue]] = {
    c.kind: c for c in (FIFOQueue, RandomShuffleQueue, PaddingFIFOQueue, PriorityQueue)
}
