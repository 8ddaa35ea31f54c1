"""Input through queues: producers of names and slices, and batches of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.array_nodes import gather, shape, size
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value
from relight.ops.math_nodes import cast, range
from relight.v1.functions.checks import Assert
from relight.v1.functions.control import no_op
from relight.v1.functions.control_flow import cond
from relight.v1.functions.queues import (
    FIFOQueue,
    PaddingFIFOQueue,
    QueueBase,
    RandomShuffleQueue,
    fullness_summary,
)
from relight.v1.functions.random import random_shuffle
from relight.v1.functions.variables import Variable
from relight.v1.train.queue_runner import QueueRunner, add_queue_runner


@export("train.match_filenames_once", "io.match_filenames_once")
def match_filenames_once(pattern: Any, name: str | None = None) -> Any:
    """A local variable that holds the names of the files that match when it is initialized."""
    with name_scope(name, "matching_filenames", [pattern]) as scope:
        return Variable(
            name=scope,
            initial_value=raw.MatchingFiles(pattern),
            trainable=False,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )


@export("train.limit_epochs")
def limit_epochs(tensor: Tensor, num_epochs: int | None = None, name: str | None = None) -> Tensor:
    """`tensor`, which can be computed `num_epochs` times; then OutOfRangeError.

    Counts in a local variable: run `tf.local_variables_initializer()`. ValueError for a number that
    is not positive.
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name, "limit_epochs", [tensor]) as scope:
        zero = constant(0, dtype=dtypes.int64)
        epochs = Variable(
            zero, name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES]
        )
        counter = epochs.count_up_to(num_epochs)
        with get_default_graph().control_dependencies([counter]):
            return raw.Identity(tensor, name=scope)


# -- producers -----------------------------------------------------------------------------------


@export("train.input_producer")
def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> QueueBase:
    """A queue of the rows of a tensor, again and again, filled by a queue runner.

    Args:
      input_tensor: [n, ...].
      element_shape: shape of a row, where it is not known from `input_tensor`.
      num_epochs: passes before OutOfRangeError; None: no end.
      shuffle: whether the rows of each pass are in random order.
      seed: of that order.
      capacity: rows that the queue holds.
      shared_name: queues of one shared name are one queue.
      summary_name: of a scalar summary of how full it is.
      name: of the queue.
      cancel_op: see `tf.train.QueueRunner`.

    Raises: ValueError when the shape of a row is not known.
    """
    with name_scope(name, "input_producer", [input_tensor]):
        rows = convert_to_tensor(input_tensor, name="input_tensor")
        row_shape = rows.shape[1:].merge_with(element_shape)
        if not row_shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be "
                "specified"
            )
        if shuffle:
            rows = random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(
            capacity=capacity,
            dtypes=[rows.dtype.base_dtype],
            shapes=[row_shape],
            shared_name=shared_name,
            name=name,
        )
        enqueue = queue.enqueue_many([rows])
        add_queue_runner(QueueRunner(queue, [enqueue], cancel_op=cancel_op))
        if summary_name is not None:
            _fullness(summary_name, queue, 0, capacity)
        return queue


def _fullness(name: str, queue: QueueBase, least: int, capacity: int) -> None:
    count = queue.size() if least == 0 else raw.Maximum(0, queue.size() - least)
    fullness_summary(name, cast(count, dtypes.float32) * (1.0 / (capacity - least)))


@export("train.string_input_producer")
def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> QueueBase:
    """A queue of strings, such as file names; ValueError for an empty list."""
    message = "string_input_producer requires a non-null input tensor"
    if not isinstance(string_tensor, Tensor) and not string_tensor:
        raise ValueError(message)
    with name_scope(name, "input_producer", [string_tensor]) as scope:
        strings = convert_to_tensor(string_tensor, dtype=dtypes.string)
        check = Assert(raw.Greater(size(strings), 0), [message])
        with get_default_graph().control_dependencies([check]):
            strings = raw.Identity(strings)
        return input_producer(
            strings,
            [],
            num_epochs,
            shuffle,
            seed,
            capacity,
            shared_name,
            f"fraction_of_{capacity}_full",
            scope,
            cancel_op,
        )


@export("train.range_input_producer")
def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> QueueBase:
    """A queue of the integers from 0 to `limit` - 1; see `input_producer`."""
    with name_scope(name, "input_producer", [limit]) as scope:
        return input_producer(
            range(limit),
            [],
            num_epochs,
            shuffle,
            seed,
            capacity,
            shared_name,
            f"fraction_of_{capacity}_full",
            scope,
        )


@export("train.slice_input_producer")
def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """One row of each tensor at a time, the rows in random order; see `input_producer`."""
    with name_scope(name, "input_producer", list(tensor_list)):
        tensors = _as_tensors(tensor_list)
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        queue = range_input_producer(
            shape(tensors[0])[0],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
        )
        index = queue.dequeue()
        return [gather(t, index) for t in tensors]


# -- batches -------------------------------------------------------------------------------------


def _as_tensors(values: Sequence[Any]) -> list[Any]:
    tensors = []
    for value in values:
        if isinstance(value, SparseTensor):
            raise TypeError(
                "relight puts dense tensors in queues only: SparseTensors are not supported in "
                "tf.train.batch and its kin"
            )
        tensors.append(value if isinstance(value, IndexedSlices) else convert_to_tensor(value))
    return tensors


def _as_list(tensors: Any) -> list[Any]:
    if isinstance(tensors, dict):
        return [tensors[k] for k in sorted(tensors, key=str)]
    return list(tensors)


def _as_lists(tensors_list: Any) -> list[list[Any]]:
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    if isinstance(tensors_list[0], dict):
        keys = set(tensors_list[0])
        if any(set(t) != keys for t in tensors_list[1:]):
            raise ValueError("All dictionaries in tensors_list must have the same keys")
    return [_as_list(t) for t in tensors_list]


def _like(original: Any, values: Any) -> Any:
    """Dequeued values in the form of what was given."""
    if not isinstance(original, dict):
        return values
    values = [values] if len(original) == 1 else values
    return {k: values[i] for i, k in enumerate(sorted(original, key=str))}


def _keep(keep_input: Any, enqueue_many: bool) -> Tensor:
    keep = convert_to_tensor(keep_input)
    rank = keep.shape.ndims
    if rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if not enqueue_many and rank == 1:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if rank > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep


def _types(lists: list[list[Tensor]]) -> list[Any]:
    types = [t.dtype for t in lists[0]]
    for other in lists[1:]:
        found = [t.dtype for t in other]
        if found != types:
            raise TypeError(
                "Expected types to be consistent: "
                f"{', '.join(t.name for t in types)} vs. {', '.join(t.name for t in found)}."
            )
    return types


def _shapes(lists: list[list[Tensor]], shapes: Any, enqueue_many: bool) -> Any:
    if shapes is not None:
        return shapes
    merged = []
    for column in zip(*lists, strict=True):
        for tensor in column:
            if tensor.shape.ndims is None:
                raise ValueError(f"Cannot infer Tensor's rank: {tensor}")
        statics = [as_shape(t.shape) for t in column]
        if enqueue_many:
            statics = [s.with_rank_at_least(1)[1:] for s in statics]
        for static in statics[1:]:
            statics[0].merge_with(static)  # ValueError when they cannot be one shape
        merged.append(TensorShape(statics[0]).as_list())
    return merged


def _enqueue_op(
    queue: QueueBase, tensors: list[Tensor], keep: Tensor, enqueue_many: bool
) -> Operation:
    """The operation that puts in what `keep` says."""
    put: Callable[..., Operation] = queue.enqueue_many if enqueue_many else queue.enqueue
    if keep.shape.ndims == 1:
        chosen = cast(keep, dtypes.int32)
        return put([raw.DynamicPartition(t, chosen, num_partitions=2)[1] for t in tensors])
    known = constant_value(keep)
    if known is not None:
        return put(tensors) if known else no_op()
    return cond(keep, lambda: put(tensors), no_op)


def _run_batches(
    scope_name: str | None,
    what: str,
    original: Any,
    lists: list[list[Any]],
    batch_size: Any,
    keep_input: Any,
    make_queue: Callable[..., QueueBase],
    *,
    threads: int | None,
    capacity: int,
    least: int | None,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller: bool,
    shared_name: str | None,
) -> Any:
    """What all batching functions do; `threads` None: one thread for each list of tensors."""
    values = [t for one in lists for t in one]
    with name_scope(scope_name, what, [*values, keep_input]) as scope:
        if least is not None and capacity <= least:
            raise ValueError(f"capacity {capacity} must be bigger than min_after_dequeue {least}.")
        lists = [_as_tensors(one) for one in lists]
        if not lists or not lists[0]:
            raise ValueError("Expected at least one tensor in batch().")
        keep = _keep(keep_input, enqueue_many)
        queue = make_queue(
            capacity=capacity,
            dtypes=_types(lists),
            shapes=_shapes(lists, shapes, enqueue_many),
            shared_name=shared_name,
        )
        enqueues = [_enqueue_op(queue, one, keep, enqueue_many) for one in lists]
        if threads is not None:
            enqueues = enqueues * threads
        add_queue_runner(QueueRunner(queue, enqueues))
        if least is None:
            _fullness(f"fraction_of_{capacity}_full", queue, 0, capacity)
        else:
            count = raw.Maximum(0, queue.size() - least)
            full = cast(count, dtypes.float32) * (1.0 / (capacity - least))
            fullness_summary(f"fraction_over_{least}_of_{capacity - least}_full", full)
        take = queue.dequeue_up_to if allow_smaller else queue.dequeue_many
        return _like(original, take(batch_size, name=scope))


def _in_order(dynamic_pad: bool) -> Callable[..., QueueBase]:
    return PaddingFIFOQueue if dynamic_pad else FIFOQueue


def _shuffled(least: int, seed: int | None) -> Callable[..., QueueBase]:
    def make(**settings: Any) -> QueueBase:
        return RandomShuffleQueue(min_after_dequeue=least, seed=seed, **settings)

    return make


@export("train.batch")
def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of examples, made by threads that run `tensors` and fill a queue.

    Args:
      tensors: list or dictionary of the tensors of an example.
      batch_size: examples in a batch.
      num_threads: threads; with more than one the order is not kept.
      capacity: examples that the queue holds.
      enqueue_many: whether dimension 0 of the tensors runs over examples already.
      shapes: of the tensors of an example, where they are not known.
      dynamic_pad: fill examples of different sizes up with zeros.
      allow_smaller_final_batch: whether the last batch may be smaller; else the rest is left out.
      shared_name: queues of one shared name are one queue.
      name: of the nodes.

    Returns: batches in the form of `tensors`.
    """
    return maybe_batch(
        tensors,
        True,
        batch_size,
        num_threads,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


@export("train.maybe_batch")
def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, of the examples for which `keep_input` (a bool, or one for each) is True."""
    return _run_batches(
        name,
        "batch",
        tensors,
        [_as_list(tensors)],
        batch_size,
        keep_input,
        _in_order(dynamic_pad),
        threads=num_threads,
        capacity=capacity,
        least=None,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller=allow_smaller_final_batch,
        shared_name=shared_name,
    )


@export("train.batch_join")
def batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, with one thread for each list of tensors in `tensors_list`."""
    return maybe_batch_join(
        tensors_list,
        True,
        batch_size,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


@export("train.maybe_batch_join")
def maybe_batch_join(
    tensors_list: Any,
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch_join`, of the examples for which `keep_input` is True."""
    lists = _as_lists(tensors_list)
    return _run_batches(
        name,
        "batch_join",
        tensors_list[0],
        lists,
        batch_size,
        keep_input,
        _in_order(dynamic_pad),
        threads=None,
        capacity=capacity,
        least=None,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller=allow_smaller_final_batch,
        shared_name=shared_name,
    )


@export("train.shuffle_batch")
def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, in random order; `min_after_dequeue` examples stay in the queue to mix."""
    return maybe_shuffle_batch(
        tensors,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        num_threads,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


@export("train.maybe_shuffle_batch")
def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch`, of the examples for which `keep_input` is True."""
    return _run_batches(
        name,
        "shuffle_batch",
        tensors,
        [_as_list(tensors)],
        batch_size,
        keep_input,
        _shuffled(min_after_dequeue, seed),
        threads=num_threads,
        capacity=capacity,
        least=min_after_dequeue,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller=allow_smaller_final_batch,
        shared_name=shared_name,
    )


@export("train.shuffle_batch_join")
def shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch`, with one thread for each list of tensors in `tensors_list`."""
    return maybe_shuffle_batch_join(
        tensors_list,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


@export("train.maybe_shuffle_batch_join")
def maybe_shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch_join`, of the examples for which `keep_input` is True."""
    return _run_batches(
        name,
        "shuffle_batch_join",
        tensors_list[0],
        _as_lists(tensors_list),
        batch_size,
        keep_input,
        _shuffled(min_after_dequeue, seed),
        threads=None,
        capacity=capacity,
        least=min_after_dequeue,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller=allow_smaller_final_batch,
        shared_name=shared_name,
    )
