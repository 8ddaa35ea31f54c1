"""`tf.contrib.legacy_seq2seq`: encoders and decoders unrolled over lists of inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.embedding import embedding_lookup
from relight.v1.functions.math import argmax
from relight.v1.functions.nn import xw_plus_b
from relight.v1.functions.rnn import static_rnn
from relight.v1.functions.variable_scope import get_variable, get_variable_scope, variable_scope


@export("contrib.legacy_seq2seq.rnn_decoder")
def rnn_decoder(
    decoder_inputs: Iterable[Tensor],
    initial_state: Any,
    cell: Any,
    loop_function: Callable[[Tensor, int], Tensor] | None = None,
    scope: Any = None,
) -> tuple[list[Tensor], Any]:
    """Run `cell` over a list of inputs.

    Args:
      decoder_inputs: for each step [batch, input].
      initial_state: the cell's state before the first step.
      cell: an RNNCell.
      loop_function: makes of (output of the step before [batch, output], step) the next input; of
        `decoder_inputs` only the first counts then.
      scope: the variable scope, by default "rnn_decoder".

    Returns:
      (the output of each step [batch, output], the last state).
    """
    with variable_scope(scope or "rnn_decoder"):
        state = initial_state
        outputs: list[Tensor] = []
        for i, given in enumerate(decoder_inputs):
            if loop_function is not None and i > 0:
                with variable_scope("loop_function", reuse=True):
                    given = loop_function(outputs[-1], i)
            if i > 0:
                get_variable_scope().reuse_variables()
            output, state = cell(given, state)
            outputs.append(output)
    return outputs, state


@export("contrib.legacy_seq2seq.basic_rnn_seq2seq")
def basic_rnn_seq2seq(
    encoder_inputs: list[Tensor],
    decoder_inputs: list[Tensor],
    cell: Any,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> tuple[list[Tensor], Any]:
    """Encode a list of inputs into a state, decode another from it, each with its variables.

    Args:
      encoder_inputs, decoder_inputs: for each step [batch, input].
      cell: an RNNCell; the encoder has a copy of it.
      dtype: of the initial state.
      scope: the variable scope, by default "basic_rnn_seq2seq".

    Returns:
      (the decoder's output of each step, its last state).
    """
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


@export("contrib.legacy_seq2seq.tied_rnn_seq2seq")
def tied_rnn_seq2seq(
    encoder_inputs: list[Tensor],
    decoder_inputs: list[Tensor],
    cell: Any,
    loop_function: Callable[[Tensor, int], Tensor] | None = None,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> tuple[list[Tensor], Any]:
    """`basic_rnn_seq2seq` whose encoder and decoder share their variables.

    `loop_function` is that of `rnn_decoder`; the scope is by default "tied_rnn_seq2seq".
    """
    with variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function=loop_function, scope=scope)


def _most_likely_embedded(
    embedding: Any, output_projection: Any, update_embedding: bool
) -> Callable[[Tensor, int], Tensor]:
    """A loop function: the embedding of the symbol that the output before makes most likely."""

    def loop_function(previous: Tensor, step: int) -> Tensor:
        if output_projection is not None:
            previous = xw_plus_b(previous, output_projection[0], output_projection[1])
        found = embedding_lookup(embedding, argmax(previous, 1))
        return found if update_embedding else raw.StopGradient(found, name="StopGradient")

    return loop_function


@export("contrib.legacy_seq2seq.embedding_rnn_decoder")
def embedding_rnn_decoder(
    decoder_inputs: list[Tensor],
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> tuple[list[Tensor], Any]:
    """`rnn_decoder` over symbols, which it embeds.

    Args:
      decoder_inputs: for each step [batch], int.
      initial_state: the cell's state before the first step.
      cell: an RNNCell.
      num_symbols: the number of symbols.
      embedding_size: the length of a symbol's vector.
      output_projection: (weights [output, num_symbols], biases [num_symbols]) that make an output
        into logits of symbols.
      feed_previous: the input of each step after the first is the likeliest symbol of the output
        before it: greedy decoding.
      update_embedding_for_previous: whether gradients reach the embedding through such symbols.
      scope: the variable scope, by default "embedding_rnn_decoder".

    Returns:
      (the output of each step, the last state).
    """
    with variable_scope(scope or "embedding_rnn_decoder") as scope:
        if output_projection is not None:
            weights = convert_to_tensor(output_projection[0], dtype=scope.dtype)
            weights.shape.assert_is_compatible_with([None, num_symbols])
            biases = convert_to_tensor(output_projection[1], dtype=scope.dtype)
            biases.shape.assert_is_compatible_with([num_symbols])
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        loop_function = None
        if feed_previous:
            loop_function = _most_likely_embedded(
                embedding, output_projection, update_embedding_for_previous
            )
        embedded = (embedding_lookup(embedding, i) for i in decoder_inputs)
        return rnn_decoder(embedded, initial_state, cell, loop_function=loop_function)
