# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.nn.rnn_cell`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.rnn_cells import (
    BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, LSTMStateTuple, MultiRNNCell, RNNCell,
)
from relight.v1.functions.rnn_wrappers import (
    DeviceWrapper, DropoutWrapper, ResidualWrapper,
)

__getattr__ = missing("tf.nn.rnn_cell")

__all__ = [
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell",
    "LSTMStateTuple", "MultiRNNCell", "RNNCell", "ResidualWrapper",
]
