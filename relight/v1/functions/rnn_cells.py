"""`tf.nn.rnn_cell`: one step of a recurrent network, as a layer of (inputs, state).

The weights are variables of the cell's scope, with TensorFlow's names (`basic_lstm_cell/kernel`).
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value
from relight.v1.functions import init, nest
from relight.v1.functions.array import split
from relight.v1.functions.clip import clip_by_value
from relight.v1.functions.math import sigmoid
from relight.v1.functions.nn import bias_add
from relight.v1.functions.partitioned_variables import PartitionedVariable, fixed_size_partitioner
from relight.v1.functions.variable_lists import trainable_variables
from relight.v1.functions.variable_scope import get_variable_scope, variable_scope
from relight.v1.layers import lookup
from relight.v1.layers.base import Layer
from relight.v1.layers.input_spec import InputSpec


def check_cell(name: str, cell: Any) -> None:
    """Raise TypeError unless `cell` has what the recurrent functions use of a cell."""
    needs = (
        (hasattr(cell, "output_size"), "'output_size' property is missing"),
        (hasattr(cell, "state_size"), "'state_size' property is missing"),
        (
            hasattr(cell, "get_initial_state") or hasattr(cell, "zero_state"),
            "either 'zero_state' or 'get_initial_state' method is required",
        ),
        (callable(cell), "is not callable"),
    )
    missing = [text for there, text in needs if not there]
    if missing:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(missing)}.")


def _vector(size: Any, name: str) -> Tensor:
    """A size or sizes, static or a tensor, as a 1-D int32 tensor."""
    if isinstance(size, Tensor):
        if size.shape.ndims == 0:
            return raw.ExpandDims(size, 0)
        if size.shape.ndims != 1:
            raise ValueError(f"{name} tensor must be either a scalar or vector, but saw {size}")
        return size
    shape = _as_shape(size)
    if not shape.is_fully_defined():
        raise ValueError(f"Provided a {name} of None: {size}")
    return constant(shape.as_list(), dtype=dtypes.int32)


def _as_shape(size: Any) -> TensorShape:
    if isinstance(size, TensorShape):
        return size
    if isinstance(size, Tensor):
        known = constant_value(size)
        return TensorShape(None) if known is None else TensorShape(known.ravel().tolist())
    return TensorShape([size] if size is None or not nest.is_sequence(size) else size)


def joined_shape(prefix: Any, suffix: Any) -> Tensor:
    """[prefix..., suffix...] as a tensor; each is an int, a shape, or a tensor."""
    return array_nodes.concat([_vector(prefix, "prefix"), _vector(suffix, "suffix")], 0)


def joined_static(prefix: Any, suffix: Any) -> TensorShape:
    """[prefix..., suffix...] as far as it is known."""
    for size, name in ((prefix, "prefix"), (suffix, "suffix")):
        if isinstance(size, Tensor) or _as_shape(size).is_fully_defined():
            _vector(size, name)  # a node that TensorFlow leaves here, which later names count on
    unknown = isinstance(prefix, Tensor) and constant_value(prefix) is None
    before = TensorShape([None]) if unknown else _as_shape(prefix)
    return before.concatenate(_as_shape(suffix))


def zero_state_of(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros [batch, size...] for each size of a nest of sizes."""

    def make(size: Any) -> Tensor:
        state = array_nodes.zeros(joined_shape(batch_size, size), dtype=dtype)
        state.set_shape(joined_static(batch_size, size))
        return state

    return nest.map_structure(make, state_size)


def _check_types(tensors: Any) -> None:
    for tensor in nest.flatten(tensors):
        _check_type(tensor.dtype)


def _check_type(dtype: Any) -> None:
    if dtype is None:
        return
    dtype = dtypes.as_dtype(dtype)
    if not (dtype.is_floating or dtype.is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but saw dtype: {dtype}")


@export("nn.rnn_cell.RNNCell", "contrib.rnn.RNNCell")
class RNNCell(Layer):
    """A function `(inputs [batch, depth], state) -> (output, new state)` with weights.

    Subclasses define `state_size` and `output_size` (an int, a shape, or a nest of them) and
    `call(inputs, state)`; variables that `call` gets with `tf.get_variable` belong to the cell.
    """

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any):
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)
        self._is_tf_rnn_cell = True

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:  # type: ignore[override]
        """One step: (output, new state); `scope` holds the variables instead of the current one."""
        if scope is not None:
            with variable_scope(scope, custom_getter=self._rnn_get_variable) as opened:
                return super().__call__(inputs, state, scope=opened)
        entered = getattr(self, "rnncell_scope", None)
        if entered is None:
            entered = variable_scope(get_variable_scope(), custom_getter=self._rnn_get_variable)
            self.rnncell_scope = entered
        with entered:
            return super().__call__(inputs, state)

    def _rnn_get_variable(self, getter: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        variable = getter(*args, **kwargs)
        first = next(iter(variable)) if isinstance(variable, PartitionedVariable) else variable
        trainable = any(first is v for v in trainable_variables())
        known = self._trainable_weights if trainable else self._non_trainable_weights
        if all(variable is not v for v in known):
            known.append(variable)
        return variable

    @property
    def state_size(self) -> Any:
        """The size or sizes of the state, without the batch."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """The size or sizes of the output, without the batch."""
        raise NotImplementedError("Abstract method")

    def build(self, _: Any) -> None:
        """Nothing: `call` makes the variables unless a subclass does it here."""

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> Any:
        """Zeros as state for a batch: that of `inputs` [batch, ...], or the given size and type."""
        if inputs is not None:
            inputs = convert_to_tensor(inputs, name="inputs")
            static = inputs.shape.as_list()[0]
            if batch_size is not None:
                given = batch_size
                if isinstance(batch_size, Tensor):
                    value = constant_value(batch_size)
                    given = None if value is None else int(value)
                if static != given:
                    raise ValueError(
                        "batch size from input tensor is different from the input param. Input "
                        f"tensor batch: {static}, batch_size: {batch_size}"
                    )
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(
                    "dtype from input tensor is different from the input param. Input tensor "
                    f"dtype: {inputs.dtype}, dtype: {dtype}"
                )
            batch_size = static or array_nodes.shape(inputs)[0]
            dtype = inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state: "
                f"batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros [batch_size, size...] for each size of the state."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return zero_state_of(self.state_size, batch_size, dtype)


@export("contrib.rnn.LayerRNNCell")
class LayerRNNCell(RNNCell):
    """A cell that makes its variables in `build`, as layers do."""

    def __call__(
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """One step: (output, new state)."""
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)


class _UnitsCell(LayerRNNCell):
    """What the cells of `num_units` units have in common."""

    def __init__(
        self, num_units: int, activation: Any, reuse: Any, name: Any, dtype: Any, kwargs: Any
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        _check_type(self.dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = lookup.activation(activation) if activation else raw_tanh

    @property
    def state_size(self) -> Any:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def _depth(self, inputs_shape: Any) -> int:
        depth = TensorShape(inputs_shape).as_list()[-1]
        if depth is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {inputs_shape}")
        _check_type(self.dtype)
        return depth

    def _zeros(self) -> Any:
        return init.Zeros(dtype=dtypes.as_dtype(self.dtype or dtypes.float32))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this cell again."""
        config = dict(super().get_config())
        config.update(
            num_units=self._num_units,
            activation=_function_name(self._activation),
            reuse=self._reuse,
        )
        return config


def raw_tanh(x: Any, name: str | None = None) -> Tensor:
    """Hyperbolic tangent."""
    return raw.Tanh(x, name=name)


def _function_name(function: Any) -> Any:
    return "tanh" if function is raw_tanh else getattr(function, "__name__", function)


def _linear(parts: list[Any], kernel: Any, bias: Any) -> Tensor:
    """[parts side by side] @ kernel + bias."""
    return bias_add(nodes.matmul(array_nodes.concat(parts, 1), kernel), bias)


@export("nn.rnn_cell.BasicRNNCell", "contrib.rnn.BasicRNNCell")
class BasicRNNCell(_UnitsCell):
    """output = state = activation([inputs, state] @ kernel + bias)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)

    def build(self, inputs_shape: Any) -> None:
        """Make `kernel` [depth + units, units] and `bias` [units]."""
        depth = self._depth(inputs_shape)
        self._kernel = self.add_variable("kernel", shape=[depth + self._num_units, self._num_units])
        self._bias = self.add_variable("bias", shape=[self._num_units], initializer=self._zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step."""
        _check_types([inputs, state])
        output = self._activation(_linear([inputs, state], self._kernel, self._bias))
        return output, output


@export("nn.rnn_cell.GRUCell", "contrib.rnn.GRUCell")
class GRUCell(_UnitsCell):
    """Gated recurrent unit, Cho et al. (2014): reset and update gates, then a candidate."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: bool | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)
        self._kernel_initializer = lookup.initializer(kernel_initializer)
        self._bias_initializer = lookup.initializer(bias_initializer)

    def build(self, inputs_shape: Any) -> None:
        """Make kernels [depth + units, ...] and biases of the two gates and the candidate."""
        rows, units = self._depth(inputs_shape) + self._num_units, self._num_units
        gate_start = self._bias_initializer
        if gate_start is None:
            gate_start = init.Constant(1.0, dtype=dtypes.as_dtype(self.dtype or dtypes.float32))
        candidate_start = self._bias_initializer or self._zeros()
        self._gate_kernel = self.add_variable(
            "gates/kernel", shape=[rows, 2 * units], initializer=self._kernel_initializer
        )
        self._gate_bias = self.add_variable("gates/bias", shape=[2 * units], initializer=gate_start)
        self._candidate_kernel = self.add_variable(
            "candidate/kernel", shape=[rows, units], initializer=self._kernel_initializer
        )
        self._candidate_bias = self.add_variable(
            "candidate/bias", shape=[units], initializer=candidate_start
        )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step."""
        _check_types([inputs, state])
        gates = sigmoid(_linear([inputs, state], self._gate_kernel, self._gate_bias))
        reset, update = split(gates, 2, axis=1)
        kept = reset * state
        candidate = self._activation(
            _linear([inputs, kept], self._candidate_kernel, self._candidate_bias)
        )
        output = update * state + (1 - update) * candidate
        return output, output


@export("nn.rnn_cell.LSTMStateTuple", "contrib.rnn.LSTMStateTuple")
class LSTMStateTuple(collections.namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM cell: the memory c and the output h."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The type that c and h have in common; TypeError when they differ."""
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


@export("nn.rnn_cell.BasicLSTMCell", "contrib.rnn.BasicLSTMCell")
class BasicLSTMCell(_UnitsCell):
    """Long short-term memory without peepholes, after Zaremba et al. (2014), arXiv:1409.2329."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """The sizes of c and h, or their sum for a state that is one tensor."""
        if self._state_is_tuple:
            return LSTMStateTuple(self._num_units, self._num_units)
        return 2 * self._num_units

    def build(self, inputs_shape: Any) -> None:
        """Make `kernel` [depth + units, 4 units] and `bias` [4 units]."""
        depth = self._depth(inputs_shape)
        self._kernel = self.add_variable(
            "kernel", shape=[depth + self._num_units, 4 * self._num_units]
        )
        self._bias = self.add_variable(
            "bias", shape=[4 * self._num_units], initializer=self._zeros()
        )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step; the gates lie in the order input, new, forget, output."""
        _check_types([inputs, state])
        one = constant(1, dtype=dtypes.int32)
        if self._state_is_tuple:
            c, h = state
        else:
            c, h = split(state, 2, axis=one)
        gates = _linear([inputs, h], self._kernel, self._bias)
        i, j, f, o = split(gates, 4, axis=one)
        forget_bias = constant(self._forget_bias, dtype=f.dtype)
        new_c = raw.Add(
            raw.Mul(c, sigmoid(raw.Add(f, forget_bias))),
            raw.Mul(sigmoid(i), self._activation(j)),
        )
        new_h = raw.Mul(self._activation(new_c), sigmoid(o))
        if self._state_is_tuple:
            return new_h, LSTMStateTuple(new_c, new_h)
        return new_h, array_nodes.concat([new_c, new_h], 1)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this cell again."""
        config = super().get_config()
        config.update(forget_bias=self._forget_bias, state_is_tuple=self._state_is_tuple)
        return config


@export("nn.rnn_cell.LSTMCell", "contrib.rnn.LSTMCell")
class LSTMCell(_UnitsCell):
    """Long short-term memory with peepholes, clipping and projection; Sak et al. (2014)."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = lookup.initializer(initializer)
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        outputs = num_proj or num_units
        self._state_size = (
            LSTMStateTuple(num_units, outputs) if state_is_tuple else num_units + outputs
        )
        self._output_size = outputs

    @property
    def state_size(self) -> Any:
        """The sizes of c and h, or their sum for a state that is one tensor."""
        return self._state_size

    @property
    def output_size(self) -> int:
        """The size of the projection, or the number of units."""
        return self._output_size

    def build(self, inputs_shape: Any) -> None:
        """Make kernel, bias, peephole weights and the projection's kernel."""
        units = self._num_units
        rows = self._depth(inputs_shape) + self._output_size
        self._kernel = self.add_variable(
            "kernel",
            shape=[rows, 4 * units],
            initializer=self._initializer,
            partitioner=_shards(self._num_unit_shards),
        )
        self._bias = self.add_variable("bias", shape=[4 * units], initializer=self._zeros())
        if self._use_peepholes:
            self._w_f_diag, self._w_i_diag, self._w_o_diag = (
                self.add_variable(f"w_{gate}_diag", shape=[units], initializer=self._initializer)
                for gate in "fio"
            )
        if self._num_proj is not None:
            self._proj_kernel = self.add_variable(
                "projection/kernel",
                shape=[units, self._num_proj],
                initializer=self._initializer,
                partitioner=_shards(self._num_proj_shards),
            )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step; the gates lie in the order input, new, forget, output."""
        _check_types([inputs, state])
        if self._state_is_tuple:
            c, h = state
        else:
            c = raw.Slice(state, [0, 0], [-1, self._num_units])
            h = raw.Slice(state, [0, self._num_units], [-1, self._output_size])
        if inputs.shape.with_rank(2).as_list()[1] is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        i, j, f, o = split(_linear([inputs, h], self._kernel, self._bias), 4, axis=1)
        if self._use_peepholes:
            forget = sigmoid(f + self._forget_bias + self._w_f_diag * c)
            c = forget * c + sigmoid(i + self._w_i_diag * c) * self._activation(j)
        else:
            c = sigmoid(f + self._forget_bias) * c + sigmoid(i) * self._activation(j)
        if self._cell_clip is not None:
            c = clip_by_value(c, -self._cell_clip, self._cell_clip)
        gate = o + self._w_o_diag * c if self._use_peepholes else o
        h = sigmoid(gate) * self._activation(c)
        if self._num_proj is not None:
            h = nodes.matmul(h, self._proj_kernel)
            if self._proj_clip is not None:
                h = clip_by_value(h, -self._proj_clip, self._proj_clip)
        if self._state_is_tuple:
            return h, LSTMStateTuple(c, h)
        return h, array_nodes.concat([c, h], 1)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this cell again."""
        config = super().get_config()
        for key in (
            "use_peepholes",
            "cell_clip",
            "num_proj",
            "proj_clip",
            "num_unit_shards",
            "num_proj_shards",
            "forget_bias",
            "state_is_tuple",
        ):
            config[key] = getattr(self, "_" + key)
        return config


def _shards(count: int | None) -> Any:
    return None if count is None else fixed_size_partitioner(count)


@export("nn.rnn_cell.MultiRNNCell", "contrib.rnn.MultiRNNCell")
class MultiRNNCell(RNNCell):
    """Cells one after another: each takes the output of the one before, in scopes `cell_0`, ..."""

    def __init__(self, cells: Any, state_is_tuple: bool = True):
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_sequence(cells):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        self._cells = cells
        self._state_is_tuple = state_is_tuple
        if not state_is_tuple and any(nest.is_sequence(c.state_size) for c in cells):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set.  "
                f"State sizes are: {[c.state_size for c in cells]}"
            )

    @property
    def state_size(self) -> Any:
        """The cells' state sizes, as a tuple or their sum."""
        if self._state_is_tuple:
            return tuple(cell.state_size for cell in self._cells)
        return sum(cell.state_size for cell in self._cells)

    @property
    def output_size(self) -> Any:
        """The output size of the last cell."""
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros for the state of each cell."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return super().zero_state(batch_size, dtype)

    @property
    def trainable_weights(self) -> list[Any]:
        """The trainable weights of all cells."""
        if not self.trainable:
            return []
        return [w for c in self._cells if isinstance(c, Layer) for w in c.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other weights of all cells."""
        layers = [c for c in self._cells if isinstance(c, Layer)]
        weights = [w for c in layers for w in c.non_trainable_weights]
        if self.trainable:
            return weights
        return [w for c in layers for w in c.trainable_weights] + weights

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]
        """One step of each cell."""
        if self._state_is_tuple and not nest.is_sequence(state):
            raise ValueError(
                f"Expected state to be a tuple of length {len(self.state_size)}, but received: "
                f"{state}"
            )
        position, states = 0, []
        for i, cell in enumerate(self._cells):
            with variable_scope(f"cell_{i}"):
                if self._state_is_tuple:
                    current = state[i]
                else:
                    current = raw.Slice(state, [0, position], [-1, cell.state_size])
                    position += cell.state_size
                inputs, new_state = cell(inputs, current)
                states.append(new_state)
        if self._state_is_tuple:
            return inputs, tuple(states)
        return inputs, array_nodes.concat(states, 1)
