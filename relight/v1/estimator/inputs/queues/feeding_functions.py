"""Queues that are fed from arrays, data frames and generators."""

from __future__ import annotations

import collections
import random
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.graph import name_scope
from relight.ops.build import raw
from relight.ops.math_nodes import cast
from relight.v1 import logging
from relight.v1.estimator.inputs.queues.feeding_queue_runner import FeedingQueueRunner
from relight.v1.functions.queues import (
    FIFOQueue,
    PaddingFIFOQueue,
    QueueBase,
    RandomShuffleQueue,
    fullness_summary,
)
from relight.v1.train.queue_runner import add_queue_runner


class _Rows:
    """Walks over `length` rows in order, round and round, `batch_size` at a time.

    `random_start` begins at a row that Python's generator draws (seeded with `seed`); an epoch then
    ends with the row before it. The last batch of the last epoch is cut short.
    """

    def __init__(
        self, length: int, batch_size: int, random_start: bool, seed: Any, num_epochs: int | None
    ) -> None:
        self._length = length
        self._batch_size = batch_size
        self._num_epochs = num_epochs
        self._epoch = 0
        random.seed(seed)
        self._next = random.randrange(length) if random_start else 0
        self._epoch_end = (self._next - 1) % length

    def take(self) -> tuple[np.ndarray, Any]:
        """(the numbers of the next rows, a key that picks them from an array)."""
        if self._num_epochs is not None and self._epoch >= self._num_epochs:
            raise errors.OutOfRangeError(None, None, f"Already emitted {self._epoch} epochs.")
        start, length = self._next, self._length
        numbers = np.arange(start, start + self._batch_size, dtype=np.int64) % length
        ends = np.flatnonzero(numbers == self._epoch_end)
        self._epoch += len(ends)
        if self._num_epochs is not None and self._epoch >= self._num_epochs:
            last = ends[-(self._epoch - self._num_epochs + 1)]
            numbers = numbers[: last + 1]
            self._epoch = self._num_epochs
        self._next = (int(numbers[-1]) + 1) % length
        stop = start + len(numbers)
        # Rows that follow one another need no copy before they are put in the queue.
        return numbers, slice(start, stop) if stop <= length else numbers


def _check_placeholders(placeholders: Sequence[Any], count: int) -> None:
    if len(placeholders) != count:
        raise ValueError(f"Expected {count} placeholders; got {len(placeholders)}.")


class _ArraysFeedFn:
    """Feeds the row numbers and the rows of arrays of one length to `placeholders`."""

    def __init__(
        self,
        placeholders: Sequence[Any],
        arrays: Sequence[np.ndarray],
        batch_size: int,
        random_start: bool = False,
        seed: Any = None,
        num_epochs: int | None = None,
    ) -> None:
        _check_placeholders(placeholders, len(arrays) + 1)
        length = len(arrays[0])
        if any(len(a) != length for a in arrays):
            raise ValueError("Array lengths must match.")
        self._placeholders = placeholders
        self._arrays = arrays
        self._rows = _Rows(length, batch_size, random_start, seed, num_epochs)

    def __call__(self) -> dict[Any, Any]:
        numbers, key = self._rows.take()
        values = [numbers, *(a[key] for a in self._arrays)]
        return dict(zip(self._placeholders, values, strict=True))


class _PandasFeedFn:
    """Feeds the index and the columns of a data frame."""

    def __init__(
        self,
        placeholders: Sequence[Any],
        frame: Any,
        batch_size: int,
        random_start: bool = False,
        seed: Any = None,
        num_epochs: int | None = None,
    ) -> None:
        _check_placeholders(placeholders, len(frame.columns) + 1)
        self._placeholders = placeholders
        self._frame = frame
        self._rows = _Rows(len(frame), batch_size, random_start, seed, num_epochs)

    def __call__(self) -> dict[Any, Any]:
        _, key = self._rows.take()
        rows = self._frame.iloc[key]
        values = [rows.index.values, *(rows[c].values for c in rows.columns)]
        return dict(zip(self._placeholders, values, strict=True))


class _GeneratorFeedFn:
    """Feeds batches of the dictionaries that a generator function gives, sorted by key."""

    def __init__(
        self,
        placeholders: Sequence[Any],
        generator: Callable[[], Iterator[dict[str, Any]]],
        batch_size: int,
        random_start: bool = False,
        seed: Any = None,
        num_epochs: int | None = None,
        pad_value: Any = None,
    ) -> None:
        del random_start
        first = next(generator())
        _check_placeholders(placeholders, len(first))
        self._keys = sorted(first)
        self._placeholders = placeholders
        self._generator = generator
        self._iterator = generator()
        self._batch_size = batch_size
        self._num_epochs = num_epochs
        self._epoch = 0
        self._pad_value = pad_value
        random.seed(seed)

    def __call__(self) -> dict[Any, Any]:
        if self._num_epochs and self._epoch >= self._num_epochs:
            raise errors.OutOfRangeError(None, None, f"Already emitted {self._epoch} epochs.")
        columns: list[list[Any]] = [[] for _ in self._keys]
        values = 0  # TensorFlow counts the values of a row, not the rows
        while values < self._batch_size:
            try:
                row = next(self._iterator)
            except StopIteration:
                self._epoch += 1
                self._iterator = self._generator()
                row = next(self._iterator)
            for column, key in zip(columns, self._keys, strict=True):
                if key not in row:
                    raise KeyError(
                        "key mismatch between dicts emitted by GenFun Expected "
                        f"{self._keys} keys; got {row.keys()}"
                    )
                column.append(row[key])
                values += 1
        if self._pad_value is not None:
            columns = [pad_if_needed(c, self._pad_value) for c in columns]
        return {p: np.asarray(c) for p, c in zip(self._placeholders, columns, strict=True)}


def pad_if_needed(samples: list[Any], fill: Any = 0) -> Any:
    """Samples of equal shape but for the last size, filled up with `fill` to the longest.

    Gives one array [n, ..., longest], or the list as it is when all have one length. ValueError
    when other sizes differ.
    """
    fronts = [s.shape[:-1] if s.ndim > 0 else -1 for s in samples]
    if any(f != fronts[0] for f in fronts):
        raise ValueError("Array shapes must match.")
    lengths = [s.shape[-1] if s.ndim > 0 else 0 for s in samples]
    if all(n == lengths[0] for n in lengths):
        return samples
    batch = np.full((len(samples), *fronts[0], max(lengths)), fill, samples[0].dtype)
    for target, sample, n in zip(batch, samples, lengths, strict=True):
        target[..., :n] = sample
    return batch


def _is_frame(data: Any) -> bool:
    try:
        import pandas
    except ImportError:
        return False
    return isinstance(data, pandas.DataFrame)


def _column_type(dtype: Any) -> dtypes.DType:
    """The type of a pandas column; the string types of newer versions are strings."""
    if getattr(dtype, "name", "") in ("str", "string") and not isinstance(dtype, np.dtype):
        return dtypes.string
    return dtypes.as_dtype(getattr(dtype, "numpy_dtype", dtype))


def _described(data: Any) -> tuple[Any, list[Any], list[Any]]:
    """(function that makes the feed function, types, shapes of the queue's components)."""
    if isinstance(data, (np.ndarray, collections.OrderedDict)):
        arrays = [data] if isinstance(data, np.ndarray) else list(data.values())
        kinds = [dtypes.int64, *(dtypes.as_dtype(a.dtype) for a in arrays)]
        return (
            lambda p, *a, **k: _ArraysFeedFn(p, arrays, *a, **k),
            kinds,
            [(), *(a.shape[1:] for a in arrays)],
        )
    if isinstance(data, types.FunctionType):
        first = next(data())
        values = [first[key] for key in sorted(first)]
        return (
            lambda p, *a, **k: _GeneratorFeedFn(p, data, *a, **k),
            [dtypes.as_dtype(v.dtype) for v in values],
            [v.shape for v in values],
        )
    if _is_frame(data):
        kinds = [_column_type(t) for t in [data.index.dtype, *data.dtypes]]
        return lambda p, *a, **k: _PandasFeedFn(p, data, *a, **k), kinds, [() for _ in kinds]
    raise TypeError(
        "data must be either a numpy array or pandas DataFrame if pandas is installed; got "
        f"{type(data).__name__}"
    )


def _warn(shuffle: bool, num_threads: int, num_epochs: int | None) -> None:
    if num_threads > 1 and num_epochs is not None:
        logging.warning(
            "enqueue_data: num_epochs counts for each of the %d threads, so there will be more "
            "epochs than asked for. Use one thread to limit epochs.",
            num_threads,
        )
        if shuffle:
            logging.warning(
                "enqueue_data: the threads all read the data in order into one shuffling queue; "
                "the rows will likely not be well mixed."
            )
    if not shuffle and num_threads > 1:
        logging.warning(
            "enqueue_data: without shuffling, several threads all read the data in order, and rows "
            "come several times. Use one thread to read rows in order."
        )


def enqueue_data(
    data: Any,
    capacity: int,
    shuffle: bool = False,
    min_after_dequeue: Any = None,
    num_threads: int = 1,
    seed: int | None = None,
    name: str = "enqueue_input",
    enqueue_size: int = 1,
    num_epochs: int | None = None,
    pad_value: Any = None,
) -> QueueBase:
    """A queue filled with the rows of arrays, of a pandas data frame, or of a generator.

    The first component is the row number (of a data frame its index; a generator has none).

    Args:
      data: an array, an OrderedDict of arrays, a DataFrame, or a function that makes a generator of
        dictionaries of arrays.
      capacity: most rows in the queue.
      shuffle: take rows out in random order, and start at a random row.
      min_after_dequeue: rows that stay in a shuffling queue; a quarter of `capacity` by default.
      num_threads: threads that enqueue.
      seed: of the shuffling and the first row.
      name: name scope of the nodes.
      enqueue_size: rows that are put in at once.
      num_epochs: passes over the data, for each thread; None for no end.
      pad_value: fill samples of a generator up to the longest with it.

    Raises:
      TypeError: data of another kind.
      NotImplementedError: padding without a generator, or together with shuffling.
    """
    with name_scope(name):
        make_feed_fn, kinds, shapes = _described(data)
        padded = pad_value is not None
        if padded and not isinstance(data, types.FunctionType):
            raise NotImplementedError("padding is only available with generator usage")
        if shuffle and padded:
            raise NotImplementedError(
                "padding and shuffling data at the same time is not implemented"
            )
        _warn(shuffle, num_threads, num_epochs)
        least = 0
        queue: QueueBase
        if shuffle:
            least = int(capacity / 4 if min_after_dequeue is None else min_after_dequeue)
            queue = RandomShuffleQueue(capacity, least, dtypes=kinds, shapes=shapes, seed=seed)
        elif padded:
            loose = [(*s[:-1], None) if s else s for s in shapes]
            queue = PaddingFIFOQueue(capacity, dtypes=kinds, shapes=loose)
        else:
            queue = FIFOQueue(capacity, dtypes=kinds, shapes=shapes)
        enqueue_ops, feed_fns = [], []
        for i in range(num_threads):
            # No shapes: any number of rows fits.
            placeholders = [raw.Placeholder(dtype=k) for k in kinds]
            enqueue_ops.append(queue.enqueue_many(placeholders))
            feed_fns.append(
                make_feed_fn(
                    placeholders,
                    enqueue_size,
                    random_start=shuffle,
                    seed=None if seed is None else (i + 1) * seed,
                    num_epochs=num_epochs,
                    **({"pad_value": pad_value} if padded else {}),
                )
            )
        add_queue_runner(
            FeedingQueueRunner(queue=queue, enqueue_ops=enqueue_ops, feed_fns=feed_fns)
        )
        waiting = raw.Maximum(0, queue.size() - least)
        full = cast(waiting, dtypes.float32) * (1.0 / (capacity - least))
        fullness_summary(
            f"queue/{queue.name}fraction_over_{least}_of_{capacity - least}_full", full
        )
        return queue
