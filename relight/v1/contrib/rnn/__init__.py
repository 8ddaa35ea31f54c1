# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.rnn`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.rnn.stacks import (
    LayerNormBasicLSTMCell, stack_bidirectional_dynamic_rnn, stack_bidirectional_rnn,
)
from relight.v1.functions.rnn import (
    best_effort_input_batch_size, static_bidirectional_rnn, static_rnn, static_state_saving_rnn,
    transpose_batch_time,
)
from relight.v1.functions.rnn_cells import (
    BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, LSTMStateTuple, LayerRNNCell, MultiRNNCell,
    RNNCell,
)
from relight.v1.functions.rnn_wrappers import (
    DeviceWrapper, DropoutWrapper, ResidualWrapper,
)

__getattr__ = missing("tf.contrib.rnn")

__all__ = [
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell",
    "LSTMStateTuple", "LayerNormBasicLSTMCell", "LayerRNNCell", "MultiRNNCell", "RNNCell",
    "ResidualWrapper", "best_effort_input_batch_size", "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn", "static_bidirectional_rnn", "static_rnn",
    "static_state_saving_rnn", "transpose_batch_time",
]
