# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.legacy_seq2seq`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.legacy_seq2seq.decoders import (
    basic_rnn_seq2seq, embedding_rnn_decoder, rnn_decoder, tied_rnn_seq2seq,
)
from relight.v1.contrib.legacy_seq2seq.losses import (
    model_with_buckets, sequence_loss, sequence_loss_by_example,
)

__getattr__ = missing("tf.contrib.legacy_seq2seq")

__all__ = [
    "basic_rnn_seq2seq", "embedding_rnn_decoder", "model_with_buckets", "rnn_decoder",
    "sequence_loss", "sequence_loss_by_example", "tied_rnn_seq2seq",
]
