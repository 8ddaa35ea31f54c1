"""Enqueue operations that threads run again and again, made to do many runs in one.

A queue runner's thread reads a record, prepares it, and puts it into a queue. For small records
what that costs is mostly the price of running a plan. A `Producer` reads as many records as have
room in the queue (up to a limit), draws the random numbers for all, and runs the rest as a
`RowBatch`. It does no more than the threads would have done on their own by then: rows get into the
queue in the order of their records, the numbers drawn for a row are those of a run of its own, and
an error reaches the thread after the rows before it got in. One thread at a time works.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.engine import ending, explain, origins, plan
from relight.engine.random import TorchStream
from relight.engine.row_batches import CannotBatchError, RowBatch
from relight.engine.steps import Step
from relight.graph import errors
from relight.graph.node import Operation
from relight.ops.constants import known_value
from relight.ops.state import torch_dtype

_MOST_ROWS = 128
_MOST_BYTES = 1 << 20  # of the rows of a batch, so that they stay in the processor's cache
_MOST_FAILURES = 3

DRAWS = {
    "RandomUniform": "uniform",
    "RandomStandardNormal": "normal",
    "TruncatedNormal": "truncated_normal",
    "RandomUniformInt": "uniform_int",
}
_QUEUES = ("FIFOQueue", "FIFOQueueV2", "RandomShuffleQueue", "RandomShuffleQueueV2")


class _Records:
    """What one reader node gives, read ahead; an error waits for the records before it."""

    def __init__(self, session: Any, node: Operation):
        self.node = node
        self._handles = session.make_callable([node._inputs[0], node._inputs[1]])
        self.rows: deque[tuple[bytes, bytes]] = deque()
        self.error: Exception | None = None
        self.tell: Callable[..., str] | None = None  # the reader's

    def fill(self, count: int, timeout: float | None) -> int:
        """Have up to `count` records, at least one, and say how many there are."""
        if not self.rows and self.error is not None:
            error, self.error = self.error, None
            raise error
        if len(self.rows) < count and self.error is None:
            reader, queue = self._handles()
            self.tell = reader.tell
            records, self.error = reader.read_ahead(queue, count - len(self.rows), timeout)
            self.rows.extend(records)
            if not self.rows:
                assert self.error is not None
                error, self.error = self.error, None
                raise error
        return len(self.rows)

    def take(self, count: int) -> list[np.ndarray]:
        """Keys and values [count] of the first records."""
        pairs = [self.rows.popleft() for _ in range(count)]
        columns = [np.empty(count, np.object_), np.empty(count, np.object_)]
        for column, values in zip(columns, zip(*pairs, strict=True), strict=True):
            column[:] = values
        return columns


class Numbers:
    """What one random node draws: for each row the numbers that a run of its own would draw."""

    def __init__(self, node: Operation):
        self.node = node
        self._shape = tuple(_constant(node._inputs[0]).tolist())
        name = "Tout" if node.type == "RandomUniformInt" else "dtype"
        self._dtype = torch_dtype(node._attrs[name])
        self._bounds = tuple(int(_constant(t)) for t in node._inputs[1:])
        if self._bounds and self._bounds[0] >= self._bounds[1]:
            raise CannotBatchError(f"{node.name} has no numbers to draw from")

    def draw(self, state: Any, count: int) -> np.ndarray:
        """[count, *shape]"""
        stream = state.stream(self.node)
        draw = getattr(stream, DRAWS[self.node.type])
        if isinstance(stream, TorchStream):
            return draw((count, *self._shape), *self._bounds, self._dtype).numpy()
        rows = [draw(self._shape, *self._bounds, self._dtype) for _ in range(count)]
        return torch.stack(rows).numpy()


def _constant(tensor: Any) -> np.ndarray:
    value = known_value(tensor)
    if value is None:
        raise CannotBatchError(f"{tensor.name} is not constant")
    return value


class Producer:
    """Runs an enqueue operation many times in a call. CannotBatchError when it cannot be done."""

    def __init__(self, session: Any, op: Operation):
        if op.type not in ("QueueEnqueue", "QueueEnqueueV2") or session._state.device.type != "cpu":
            raise CannotBatchError(f"{op.name} puts no single row into a queue")
        maker = op._inputs[0].op
        shapes = maker._attrs.get("shapes") or ()
        if maker.type not in _QUEUES or not shapes:
            raise CannotBatchError(f"{maker.name} takes rows of unknown shapes")
        self._session, self._op = session, op
        self._state = session._state
        self._plain = session.make_callable(op)
        self._queue = session.make_callable([op._inputs[0]])
        self._records: list[_Records] = []
        self._numbers: list[Numbers] = []
        self._feeds: list[Any] = []
        for node in plan.prune([op], set()):
            self._add_source(node)
        if not self._records:
            raise CannotBatchError(f"{op.name} reads no records")
        self._most = self._rows_at_once(shapes, maker._attrs["component_types"])
        components = list(op._inputs[1:])
        self._width = len(components)
        # What the operation waits for besides its inputs belongs to each run.
        made = plan.make(session.graph, [*components, *op._control_inputs], self._feeds)
        assert made is not None
        self._batch = RowBatch(made, [True] * len(self._feeds))
        self._one = session._make_call(op, self._feeds)
        self._lock = threading.Lock()
        self._failures = 0

    def _add_source(self, node: Operation) -> None:
        if node.type == "ReaderReadV2":
            self._records.append(_Records(self._session, node))
        elif node.type in DRAWS:
            self._numbers.append(Numbers(node))
        else:
            return
        if node._control_inputs:
            raise CannotBatchError(f"{node.name} waits for other operations")
        self._feeds.extend(node._outputs)

    @staticmethod
    def _rows_at_once(shapes: Any, types: Any) -> int:
        size = 0
        for shape, dtype in zip(shapes, types, strict=True):
            if not shape.is_fully_defined():
                raise CannotBatchError("rows may differ in shape")
            width = np.dtype(dtype.as_numpy_dtype).itemsize
            size += width * int(np.prod(shape.as_list(), dtype=np.int64))
        found = min(_MOST_ROWS, _MOST_BYTES // max(size, 1))
        if found < 2:
            raise CannotBatchError("rows are large")
        return found

    def __call__(self) -> None:
        """Do at least one run. Raises what a run raises."""
        with self._lock:
            session = self._session
            if session._closed:
                raise RuntimeError(ending.CLOSED)
            if self._failures >= _MOST_FAILURES and not any(r.rows for r in self._records):
                self._plain()
                return
            queue = self._queue()[0]
            count = max(1, min(self._most, queue.capacity - queue.size()))
            with torch.inference_mode():
                self._produce(queue, count)

    def _produce(self, queue: Any, count: int) -> None:
        for records in self._records:
            try:
                count = min(count, records.fill(count, self._state.timeout))
            except errors.OpError as error:
                raise self._told(error, records.node) from error
        sources: dict[Operation, list[np.ndarray]] = {}
        for records in self._records:
            sources[records.node] = records.take(count)
        for numbers in self._numbers:
            sources[numbers.node] = [numbers.draw(self._state, count)]
        feeds = [sources[t.op][t.value_index] for t in self._feeds]
        components = self._computed(count, feeds)
        if components is None:
            self._row_by_row(count, feeds, sources)
            return
        try:
            queue.enqueue_many(components, self._state.timeout)
        except errors.InvalidArgumentError:  # nothing got in; the first row tells of its own shape
            self._failures += 1
            self._row_by_row(count, feeds, sources)
        except errors.OpError as error:
            raise self._told(error, self._op) from error

    def _computed(self, count: int, feeds: list[np.ndarray]) -> list[np.ndarray] | None:
        """The components for all rows; None when they must be computed one by one."""
        if self._failures >= _MOST_FAILURES:
            return None
        try:
            found = self._batch.run(self._state, count, feeds)
        except Exception:  # the rows themselves tell which of them fails, and why
            self._failures += 1
            return None
        return [
            value if flag else np.broadcast_to(value, (count, *value.shape))
            for value, flag in zip(found, self._batch.flags, strict=True)
        ]

    def _row_by_row(
        self, count: int, feeds: list[np.ndarray], sources: dict[Operation, list[np.ndarray]]
    ) -> None:
        for i in range(count):
            try:
                self._session._execute(self._one, [f[i, ...] for f in feeds])
            except Exception as error:
                places = [(r.tell, sources[r.node][0][i]) for r in self._records]
                origins.add(error, *places)
                for records in self._records:  # those behind the row that failed
                    keys, values = sources[records.node]
                    rest = list(zip(keys[i + 1 :], values[i + 1 :], strict=True))
                    records.rows.extendleft(reversed(rest))
                raise

    def _told(self, error: errors.OpError, node: Operation) -> Exception:
        return explain.explain(self._batch.plan, error, Step(node.type, None, [], [], node))


def runner(session: Any, op: Operation) -> Callable[[], Any]:
    """A function for several threads that runs an enqueue operation, maybe many times a call."""

    def make() -> Any:
        try:
            return Producer(session, op)
        except CannotBatchError:
            return False

    return session._state.resource(("producer", op), make) or session.make_callable(op)
