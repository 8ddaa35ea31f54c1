"""`tf.contrib.slim.prefetch_queue`: whole batches made ahead of their use."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.ops.math_nodes import cast
from relight.v1.functions.queues import (
    FIFOQueue,
    PaddingFIFOQueue,
    QueueBase,
    fullness_summary,
)
from relight.v1.train.queue_runner import QueueRunner, add_queue_runner


@export("contrib.slim.prefetch_queue.prefetch_queue")
def prefetch_queue(
    tensors: Any,
    capacity: int = 8,
    num_threads: int = 1,
    dynamic_pad: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> QueueBase:
    """A queue of up to `capacity` tuples (or dicts) of tensors, filled by `num_threads` threads.

    A queue runner for it is added to the graph's, and a summary of how full it is. With
    `dynamic_pad` dimensions of the shapes may be unknown.
    """
    names = sorted(tensors) if isinstance(tensors, dict) else None
    values = tensors if names is None else [tensors[n] for n in names]
    with name_scope(name, "prefetch_queue", values) as scope:
        del scope
        kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queue = kind(
            capacity=capacity,
            dtypes=[t.dtype for t in values],
            shapes=[t.get_shape() for t in values],
            names=names,
            shared_name=shared_name,
        )
        enqueue = queue.enqueue(tensors)
        add_queue_runner(QueueRunner(queue, [enqueue] * num_threads))
        full = cast(queue.size(), dtypes.float32) * (1.0 / capacity)
        fullness_summary(f"fraction_of_{capacity}_full", full)
    return queue
