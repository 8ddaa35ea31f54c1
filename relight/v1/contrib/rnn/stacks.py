"""Layers of bidirectional recurrent networks, and an LSTM cell with layer normalization."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.functions import init
from relight.v1.functions.array import split
from relight.v1.functions.math import sigmoid
from relight.v1.functions.nn import bias_add, dropout
from relight.v1.functions.rnn import bidirectional_dynamic_rnn, static_bidirectional_rnn
from relight.v1.functions.rnn_cells import LSTMStateTuple, RNNCell, raw_tanh
from relight.v1.functions.variable_scope import get_variable, variable_scope


def _check(cells_fw: Any, cells_bw: Any, states_fw: Any, states_bw: Any) -> None:
    for name, cells in (("fw", cells_fw), ("bw", cells_bw)):
        if not cells:
            raise ValueError(f"Must specify at least one {name} cell for BidirectionalRNN.")
        if not isinstance(cells, list):
            raise ValueError(f"cells_{name} must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for name, states in (("fw", states_fw), ("bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(
                f"initial_states_{name} must be a list of state tensors (one per layer)."
            )


@export("contrib.rnn.stack_bidirectional_rnn")
def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """`static_bidirectional_rnn` layer upon layer: (outputs, states forwards, backwards)."""
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw = [], []
    layer = inputs
    with variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope(f"cell_{i}"):
                layer, state_fw, state_bw = static_bidirectional_rnn(
                    cell_fw,
                    cell_bw,
                    layer,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    dtype=dtype,
                )
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return layer, tuple(states_fw), tuple(states_bw)


@export("contrib.rnn.stack_bidirectional_dynamic_rnn")
def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
    swap_memory: bool = False,
) -> Any:
    """`bidirectional_dynamic_rnn` layer upon layer: (outputs, states forwards, backwards)."""
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw = [], []
    layer = inputs
    with variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope(f"cell_{i}"):
                outputs, (state_fw, state_bw) = bidirectional_dynamic_rnn(
                    cell_fw,
                    cell_bw,
                    layer,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations,
                    dtype=dtype,
                    swap_memory=swap_memory,
                    time_major=time_major,
                )
                layer = array_nodes.concat(outputs, 2)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return layer, tuple(states_fw), tuple(states_bw)


@export("contrib.rnn.LayerNormBasicLSTMCell")
class LayerNormBasicLSTMCell(RNNCell):
    """LSTM with layer normalization (Ba et al., 2016) and recurrent dropout (Semeniuta, 2016)."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = raw_tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: bool | None = None,
    ):
        del input_size
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._activation = activation
        self._forget_bias = forget_bias
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed
        self._layer_norm = layer_norm
        self._norm_gain = norm_gain
        self._norm_shift = norm_shift

    @property
    def state_size(self) -> LSTMStateTuple:
        """The sizes of c and h."""
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._num_units

    def _norm(self, x: Any, scope: str, dtype: Any) -> Any:
        sizes = [x.shape.as_list()[-1]]
        with variable_scope(scope):
            gain = init.Constant(self._norm_gain)
            shift = init.Constant(self._norm_shift)
            get_variable("gamma", shape=sizes, initializer=gain, dtype=dtype)
            get_variable("beta", shape=sizes, initializer=shift, dtype=dtype)
        with variable_scope(scope, reuse=True):
            beta = get_variable("beta", shape=sizes, dtype=dtype)
            gamma = get_variable("gamma", shape=sizes, dtype=dtype)
        mean = nodes.reduce_mean(x, [-1], keepdims=True)
        variance = nodes.reduce_mean(raw.SquaredDifference(x, mean), [-1], keepdims=True)
        return (x - mean) * raw.Rsqrt(variance + 1e-12) * gamma + beta

    def _linear(self, x: Any) -> Any:
        kernel = get_variable("kernel", [x.shape.as_list()[-1], 4 * self._num_units], dtype=x.dtype)
        result = nodes.matmul(x, kernel)
        if self._layer_norm:
            return result
        return bias_add(result, get_variable("bias", [4 * self._num_units], dtype=x.dtype))

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step; the gates lie in the order input, new, forget, output."""
        c, h = state
        gates = self._linear(array_nodes.concat([inputs, h], 1))
        i, j, f, o = split(gates, 4, axis=1)
        if self._layer_norm:
            i, j, f, o = (
                self._norm(x, name, inputs.dtype)
                for x, name in ((i, "input"), (j, "transform"), (f, "forget"), (o, "output"))
            )
        new = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            new = dropout(new, self._keep_prob, seed=self._seed)
        c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * new
        if self._layer_norm:
            c = self._norm(c, "state", inputs.dtype)
        h = self._activation(c) * sigmoid(o)
        return h, LSTMStateTuple(c, h)
