# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib import (
    data, factorization, framework, graph_editor, layers, legacy_seq2seq, lookup, losses, opt,
    rnn, seq2seq, slim, staging, summary, tensorboard, training, util,
)

__getattr__ = missing("tf.contrib")

__all__ = [
    "data", "factorization", "framework", "graph_editor", "layers", "legacy_seq2seq", "lookup",
    "losses", "opt", "rnn", "seq2seq", "slim", "staging", "summary", "tensorboard", "training",
    "util",
]
