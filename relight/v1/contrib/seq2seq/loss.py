"""`tf.contrib.seq2seq.sequence_loss`: cross-entropy of padded sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.v1.functions.math import count_nonzero
from relight.v1.functions.nn import sparse_softmax_cross_entropy_with_logits


def _check(tensor: Any, rank: int, text: str) -> None:
    if tensor.shape.ndims != rank:
        raise ValueError(text)


@export("contrib.seq2seq.sequence_loss")
def sequence_loss(
    logits: Tensor,
    targets: Tensor,
    weights: Tensor,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """Weighted cross-entropy of sequences.

    Args:
      logits: [batch, time, classes], float.
      targets: [batch, time], int.
      weights: [batch, time], float; 0 for padding.
      average_across_timesteps, average_across_batch: sum along that axis, then divide by the sum
        of the weights.
      sum_over_timesteps, sum_over_batch: sum along that axis, then divide by the number of weights
        that are not 0.
      softmax_loss_function: called with `labels` and `logits`, in place of the softmax.
      name: the scope, by default "sequence_loss".

    Returns:
      A scalar, [batch], [time] or [batch, time]: the axes that are neither averaged nor summed.

    Raises:
      ValueError: for tensors of other ranks, or both ways of reducing the same axis.
    """
    _check(logits, 3, "Logits must be a [batch_size x sequence_length x logits] tensor")
    _check(targets, 2, "Targets must be a [batch_size x sequence_length] tensor")
    _check(weights, 2, "Weights must be a [batch_size x sequence_length] tensor")
    for axis, average, total in (
        ("timesteps", average_across_timesteps, sum_over_timesteps),
        ("batch", average_across_batch, sum_over_batch),
    ):
        if average and total:
            raise ValueError(
                f"average_across_{axis} and sum_over_{axis} cannot be set to True at same time."
            )
    with name_scope(name, "sequence_loss", [logits, targets, weights]):
        classes = array_nodes.shape(logits)[2]
        flat = array_nodes.reshape(logits, [-1, classes])
        labels = array_nodes.reshape(targets, [-1])
        function = softmax_loss_function or sparse_softmax_cross_entropy_with_logits
        losses = function(labels=labels, logits=flat)
        losses *= array_nodes.reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            losses = nodes.reduce_sum(losses)
            return nodes.div_no_nan(losses, nodes.reduce_sum(weights))
        if sum_over_timesteps and sum_over_batch:
            losses = nodes.reduce_sum(losses)
            return nodes.div_no_nan(losses, nodes.cast(count_nonzero(weights), losses.dtype))
        losses = array_nodes.reshape(losses, array_nodes.shape(logits)[0:2])
        if average_across_timesteps or average_across_batch:
            axis = [0] if average_across_batch else [1]
            losses = nodes.reduce_sum(losses, axis=axis)
            return nodes.div_no_nan(losses, nodes.reduce_sum(weights, axis=axis))
        if sum_over_timesteps or sum_over_batch:
            axis = [0] if sum_over_batch else [1]
            losses = nodes.reduce_sum(losses, axis=axis)
            count = nodes.cast(count_nonzero(weights, axis=axis), losses.dtype)
            return nodes.div_no_nan(losses, count)
        return losses
