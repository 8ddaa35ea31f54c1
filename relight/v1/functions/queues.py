"""Queues in the graph: `tf.FIFOQueue`, `tf.RandomShuffleQueue` and their kin."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from relight.graph import dtypes as dtypes_lib
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.seeds import get_seed
from relight.graph.shapes import Dimension, TensorShape, as_shape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value


def _as_type_list(dtypes: Any) -> list[Any]:
    """One type or several as a list of DTypes."""
    items = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes]
    return [dtypes_lib.as_dtype(d) for d in items]


def _as_shape_list(shapes: Any, partial: bool = False) -> list[TensorShape] | None:
    """One shape or several as a list of TensorShapes; None stays None.

    `partial`: sizes may be unknown. ValueError for what is not known enough, TypeError for what is
    no list of shapes.
    """
    if partial and (
        not isinstance(shapes, Sequence)
        or not shapes
        or any(s is None or isinstance(s, int) for s in shapes)
    ):
        raise ValueError("When providing partial shapes, a list of shapes must be provided.")
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, (tuple, list)):
        raise TypeError("shapes must be a TensorShape or a list or tuple of TensorShapes.")
    if all(s is None or isinstance(s, int) for s in shapes):  # the sizes of a single shape
        shapes = [shapes]
    shapes = [as_shape(s) for s in shapes]
    if not partial and not all(s.is_fully_defined() for s in shapes):
        raise ValueError(f"All shapes must be fully defined: {shapes}")
    if any(s.ndims is None for s in shapes):
        raise ValueError(f"All shapes must have a defined rank: {shapes}")
    return shapes


def _as_name_list(names: Any, dtypes: list[Any]) -> list[str] | None:
    if names is None:
        return None
    names = list(names) if isinstance(names, (list, tuple)) else [names]
    if len(names) != len(dtypes):
        raise ValueError("List of names must have the same length as the list of dtypes")
    return names


@export("QueueBase", "queue.QueueBase", "io.QueueBase")
class QueueBase:
    """What all queues share: enqueue, dequeue, close, size.

    Args:
      dtypes: list of the types of the components of a row.
      shapes: list of their static shapes, or None when rows may differ.
      names: list of names; rows are dictionaries with these keys then. None: rows are lists.
      queue_ref: the tensor that stands for the queue.

    Raises:
      ValueError: lists of different lengths.
    """

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Tensor) -> None:
        self._dtypes = dtypes
        if shapes is not None:
            if len(shapes) != len(dtypes):
                raise ValueError("Queue shapes must have the same length as dtypes")
            self._shapes = [TensorShape(s) for s in shapes]
        else:
            self._shapes = [TensorShape(None) for _ in dtypes]
        if names is not None and len(names) != len(dtypes):
            raise ValueError("Queue names must have the same length as dtypes")
        self._names = names
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.rpartition("/")[2]

    @property
    def queue_ref(self) -> Tensor:
        """The tensor that stands for the queue."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """Name of the queue's node."""
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[Any]:
        """Types of the components."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """Static shapes of the components."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """Names of the components, or None."""
        return self._names

    @property
    def _suffix(self) -> str:
        """`V2` when the handle is a resource, else nothing: the form of the ops that fit it."""
        return "V2" if self._queue_ref.dtype == dtypes_lib.resource else ""

    def _components(self, vals: Any) -> list[Tensor]:
        """A row (or batch) as tensors in the order of the components."""
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names, key=str) != sorted(vals, key=str):
                raise ValueError(
                    "Keys in dictionary to enqueue do not match names of Queue.  Dictionary: "
                    f"({sorted(vals)}), Queue: ({sorted(self._names)})"
                )
            vals = [vals[k] for k in self._names]
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a Queue with names")
            if not isinstance(vals, (list, tuple)):
                vals = [vals]
        return [
            convert_to_tensor(v, dtype=dtype, name=f"component_{i}")
            for i, (v, dtype) in enumerate(zip(vals, self._dtypes, strict=False))
        ]

    @staticmethod
    def _scope_values(vals: Any) -> list[Any]:
        if isinstance(vals, dict):
            return list(vals.values())
        return list(vals) if isinstance(vals, (list, tuple)) else [vals]

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """The operation that puts one row in, and waits while the queue is full.

        `vals` is a tensor, a list of them, or a dictionary for a queue with names. CancelledError
        at run time when the queue is closed.
        """
        with name_scope(name, f"{self._name}_enqueue", self._scope_values(vals)) as scope:
            tensors = self._components(vals)
            for tensor, shape in zip(tensors, self._shapes, strict=False):
                tensor.get_shape().assert_is_compatible_with(shape)
            build = getattr(raw, "QueueEnqueue" + self._suffix)
            return build(self._queue_ref, tensors, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """The operation that puts in one row for each entry of dimension 0 of `vals`."""
        with name_scope(name, f"{self._name}_EnqueueMany", self._scope_values(vals)) as scope:
            tensors = self._components(vals)
            batch = Dimension(tensors[0].get_shape().with_rank_at_least(1)[0])
            for tensor, shape in zip(tensors, self._shapes, strict=False):
                static = tensor.get_shape().with_rank_at_least(1)
                batch = batch.merge_with(static[0])
                static[1:].assert_is_compatible_with(shape)
            build = getattr(raw, "QueueEnqueueMany" + self._suffix)
            return build(self._queue_ref, tensors, name=scope)

    def _row(self, tensors: list[Tensor]) -> Any:
        """Dequeued tensors as callers get them: one, a list, or a dictionary."""
        if self._names:
            return dict(zip(self._names, tensors, strict=True))
        return tensors[0] if len(tensors) == 1 else tensors

    def _set_shapes(self, tensors: list[Tensor], front: list[Any]) -> Any:
        for tensor, shape in zip(tensors, self._shapes, strict=True):
            tensor.set_shape(TensorShape(front).concatenate(shape) if front else shape)
        return self._row(tensors)

    def dequeue(self, name: str | None = None) -> Any:
        """The tensors of one row taken out; waits while the queue is empty.

        OutOfRangeError at run time when it is closed and empty.
        """
        build = getattr(raw, "QueueDequeue" + self._suffix)
        tensors = build(self._queue_ref, self._dtypes, name=name or f"{self._name}_Dequeue")
        return self._set_shapes(tensors, [])

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """The tensors of `n` rows, joined along dimension 0; waits until there are so many.

        OutOfRangeError at run time when the queue is closed and holds fewer.
        """
        build = getattr(raw, "QueueDequeueMany" + self._suffix)
        tensors = build(
            self._queue_ref,
            n=n,
            component_types=self._dtypes,
            name=name or f"{self._name}_DequeueMany",
        )
        count = constant_value(tensors[0].op.inputs[1])
        return self._set_shapes(tensors, [None if count is None else int(count)])

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """As `dequeue_many`, but the last rows of a closed queue may be fewer."""
        build = getattr(raw, "QueueDequeueUpTo" + self._suffix)
        tensors = build(
            self._queue_ref,
            n=n,
            component_types=self._dtypes,
            name=name or f"{self._name}_DequeueUpTo",
        )
        return self._set_shapes(tensors, [None])

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """The operation after which no more rows get in.

        Rows that wait to get in still do, unless `cancel_pending_enqueues`.
        """
        build = getattr(raw, "QueueClose" + self._suffix)
        return build(
            self._queue_ref,
            cancel_pending_enqueues=cancel_pending_enqueues,
            name=name or f"{self._name}_Close",
        )

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether it is closed, a bool scalar."""
        build = getattr(raw, "QueueIsClosed" + self._suffix)
        return build(self._queue_ref, name=name or f"{self._name}_Is_Closed")

    def size(self, name: str | None = None) -> Tensor:
        """How many rows it holds, an int32 scalar."""
        build = getattr(raw, "QueueSize" + self._suffix)
        return build(self._queue_ref, name=name or f"{self._name}_Size")


@export("RandomShuffleQueue", "queue.RandomShuffleQueue", "io.RandomShuffleQueue")
class RandomShuffleQueue(QueueBase):
    """A queue whose rows come out in random order.

    Args:
      capacity: most rows that it holds.
      min_after_dequeue: rows that stay in it until it is closed, so that they mix.
      dtypes, shapes, names: see `QueueBase`; `shapes` must be fully defined.
      seed: with it, or with the graph's seed, the order is the same each time.
      shared_name: queues of one shared name are one queue.
      name: name of the node.
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        dtypes = _as_type_list(dtypes)
        shapes = _as_shape_list(shapes)
        names = _as_name_list(names, dtypes)
        seed1, seed2 = get_seed(seed)
        if seed1 is None and seed2 is None:
            seed1, seed2 = 0, 0
        elif seed is None and shared_name is not None:
            # Queues that share a name must agree, wherever in their graphs they are.
            text = (str(seed1) + shared_name).encode()
            seed2 = int(hashlib.md5(text).hexdigest()[:8], 16) & 0x7FFFFFFF
        reference = raw.RandomShuffleQueueV2(
            component_types=dtypes,
            shapes=shapes or [],
            capacity=capacity,
            min_after_dequeue=min_after_dequeue,
            seed=seed1,
            seed2=seed2,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(dtypes, shapes, names, reference)


@export("FIFOQueue", "queue.FIFOQueue")
class FIFOQueue(QueueBase):
    """A queue whose rows come out in the order in which they got in; see `QueueBase`."""

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str | None = "fifo_queue",
    ) -> None:
        dtypes = _as_type_list(dtypes)
        shapes = _as_shape_list(shapes)
        names = _as_name_list(names, dtypes)
        reference = raw.FIFOQueueV2(
            component_types=dtypes,
            shapes=shapes or [],
            capacity=capacity,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(dtypes, shapes, names, reference)


@export("PaddingFIFOQueue", "queue.PaddingFIFOQueue", "io.PaddingFIFOQueue")
class PaddingFIFOQueue(QueueBase):
    """A FIFO queue whose rows may differ in the sizes that are None in `shapes`.

    `dequeue_many` fills shorter rows up with zeros.
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        dtypes = _as_type_list(dtypes)
        shapes = _as_shape_list(shapes, partial=True)
        names = _as_name_list(names, dtypes)
        if len(dtypes) != len(shapes or ()):
            raise ValueError(
                "Shapes must be provided for all components, but received "
                f"{len(dtypes)} dtypes and {len(shapes or ())} shapes."
            )
        reference = raw.PaddingFIFOQueueV2(
            component_types=dtypes,
            shapes=shapes,
            capacity=capacity,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(dtypes, shapes, names, reference)


@export("PriorityQueue", "queue.PriorityQueue", "io.PriorityQueue")
class PriorityQueue(QueueBase):
    """A queue whose rows of lowest priority come out first.

    The priority, an int64, is a further first component: `types` and `shapes` are those of the
    others.
    """

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        types = _as_type_list(types)
        shapes = _as_shape_list(shapes)
        reference = raw.PriorityQueueV2(
            component_types=types,
            shapes=shapes or [],
            capacity=capacity,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(
            [dtypes_lib.int64, *types],
            [TensorShape([]), *shapes] if shapes else shapes,
            names,
            reference,
        )


def fullness_summary(name: str, value: Tensor) -> Tensor:
    """A scalar summary of how full a queue is, collected with the graph's summaries.

    Signs that a node's name cannot have become `_`.
    """
    name = re.sub(r"[^-/\w.]", "_", name).lstrip("/")
    with name_scope(name, None, [value]) as scope:
        summary = raw.ScalarSummary(scope.rstrip("/"), value, name=scope)
        get_default_graph().add_to_collection(GraphKeys.SUMMARIES, summary)
    return summary
