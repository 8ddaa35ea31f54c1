"""Queue runners whose enqueue operations are fed by functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import errors
from relight.v1.train.queue_runner import QueueRunner


class FeedingQueueRunner(QueueRunner):
    """A QueueRunner that calls `feed_fns[i]` for the feeds of each run of `enqueue_ops[i]`.

    A feed function gives a dictionary from tensors to values, and raises OutOfRangeError at the end
    of the input. ValueError when there are not as many functions as operations.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        feed_fns: Sequence[Callable[[], dict[Any, Any]] | None] | None = None,
        queue_closed_exception_types: Any = None,
    ) -> None:
        if queue_closed_exception_types is None:
            queue_closed_exception_types = (errors.OutOfRangeError, errors.CancelledError)
        super().__init__(
            queue,
            enqueue_ops,
            close_op,
            cancel_op,
            queue_closed_exception_types=queue_closed_exception_types,
        )
        if feed_fns is None:
            feed_fns = [None] * len(self._enqueue_ops)
        elif len(feed_fns) != len(self._enqueue_ops):
            raise ValueError(
                "If feed_fns is not None, it must have the same length as enqueue_ops."
            )
        self._feed_fns = feed_fns

    def _enqueuer(self, sess: Any, place: int) -> Callable[[], Any]:
        feed_fn = self._feed_fns[place]
        if feed_fn is None:
            return super()._enqueuer(sess, place)
        op = self._enqueue_ops[place]
        fed: list[Any] = []
        call: Any = None

        def enqueue() -> None:
            nonlocal fed, call
            feeds = feed_fn()
            if call is None or list(feeds) != fed:  # a made call spares the look at the fetches
                fed = list(feeds)
                call = sess.make_callable(op, feed_list=fed)
            call(*feeds.values())

        return enqueue

    def to_proto(self, export_scope: str | None = None) -> Any:
        """NotImplementedError: a proto cannot hold Python functions."""
        raise NotImplementedError(f"{type(self).__name__} does not support serialization to proto.")

    def _from_proto(self, proto: Any, scope: str | None) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} does not support initialization from proto."
        )
