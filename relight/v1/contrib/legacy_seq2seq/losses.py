"""`tf.contrib.legacy_seq2seq`: losses of sequences that are lists, one tensor a time step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.v1.functions.math import add_n
from relight.v1.functions.nn import sparse_softmax_cross_entropy_with_logits
from relight.v1.functions.variable_scope import get_variable_scope, variable_scope


@export("contrib.legacy_seq2seq.sequence_loss_by_example")
def sequence_loss_by_example(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """Weighted cross-entropy of each sequence: [batch].

    Args:
      logits: for each step [batch, classes].
      targets: for each step [batch], int.
      weights: for each step [batch], float.
      average_across_timesteps: divide by the sum of the weights.
      softmax_loss_function: called with `labels` and `logits`, in place of the softmax.
      name: the scope, by default "sequence_loss_by_example".

    Raises:
      ValueError: when the lists differ in length.
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(
            "Lengths of logits, weights, and targets must be the same "
            f"{len(logits)}, {len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", logits + targets + weights):
        losses = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                target = array_nodes.reshape(target, [-1])
                loss = sparse_softmax_cross_entropy_with_logits(labels=target, logits=logit)
            else:
                loss = softmax_loss_function(labels=target, logits=logit)
            losses.append(loss * weight)
        total = add_n(losses)
        if average_across_timesteps:
            # The small number is for sequences whose weights are all 0.
            total /= add_n(weights) + 1e-12
    return total


@export("contrib.legacy_seq2seq.sequence_loss")
def sequence_loss(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of `sequence_loss_by_example`, by default divided by the batch size: a scalar."""
    with name_scope(name, "sequence_loss", logits + targets + weights):
        cost = nodes.reduce_sum(
            sequence_loss_by_example(
                logits,
                targets,
                weights,
                average_across_timesteps=average_across_timesteps,
                softmax_loss_function=softmax_loss_function,
            )
        )
        if not average_across_batch:
            return cost
        batch = array_nodes.shape(targets[0])[0]
        return cost / nodes.cast(batch, cost.dtype)


@export("contrib.legacy_seq2seq.model_with_buckets")
def model_with_buckets(
    encoder_inputs: list[Any],
    decoder_inputs: list[Any],
    targets: list[Any],
    weights: list[Any],
    buckets: Sequence[tuple[int, int]],
    seq2seq: Callable[[list[Any], list[Any]], tuple[Any, Any]],
    softmax_loss_function: Callable[..., Any] | None = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> tuple[list[Any], list[Tensor]]:
    """A model for several lengths of input and output, which share their variables.

    Args:
      encoder_inputs, decoder_inputs: a tensor for each step, up to the longest bucket's.
      targets: for each step of the output [batch], int.
      weights: for each step of the output [batch], float.
      buckets: pairs (steps of the input, steps of the output), the longest last.
      seq2seq: the model: of the two inputs (outputs, state).
      softmax_loss_function: called with `labels` and `logits`, in place of the softmax.
      per_example_loss: losses [batch] instead of scalars.
      name: the scope, by default "model_with_buckets".

    Returns:
      (outputs, losses), each with one entry a bucket.

    Raises:
      ValueError: when a list is shorter than the last bucket.
    """
    for what, given, needed in (
        ("encoder_inputs", encoder_inputs, buckets[-1][0]),
        ("targets", targets, buckets[-1][1]),
        ("weights", weights, buckets[-1][1]),
    ):
        if len(given) < needed:
            raise ValueError(
                f"Length of {what} ({len(given)}) must be at least that of last bucket ({needed})."
            )
    loss = sequence_loss_by_example if per_example_loss else sequence_loss
    outputs, losses = [], []
    everything = encoder_inputs + decoder_inputs + targets + weights
    with name_scope(name, "model_with_buckets", everything):
        for j, (steps_in, steps_out) in enumerate(buckets):
            with variable_scope(get_variable_scope(), reuse=True if j > 0 else None):
                found, _ = seq2seq(encoder_inputs[:steps_in], decoder_inputs[:steps_out])
                outputs.append(found)
                losses.append(
                    loss(
                        found,
                        targets[:steps_out],
                        weights[:steps_out],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return outputs, losses
