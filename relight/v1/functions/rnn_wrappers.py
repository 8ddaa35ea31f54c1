"""Cells around cells: dropout, residual connections, devices."""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.ops.math_nodes import div
from relight.v1.functions import nest
from relight.v1.functions.nn import dropout
from relight.v1.functions.random import random_uniform
from relight.v1.functions.rnn_cells import LSTMStateTuple, RNNCell, check_cell
from relight.v1.functions.tensor_array import TensorArray


class _Wrapper(RNNCell):
    """A cell that changes what goes into or comes out of another one."""

    def __init__(self, cell: Any, **kwargs: Any):
        super().__init__(**kwargs)
        check_cell("cell", cell)
        self.cell = cell

    @property
    def state_size(self) -> Any:
        """The state size of the cell inside."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """The output size of the cell inside."""
        return self.cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros as state of the cell inside."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """One step: (output, new state)."""
        return self._step(inputs, state, self.cell.__call__, scope=scope)

    def call(self, inputs: Any, state: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """One step of the cell inside its `call`."""
        return self._step(inputs, state, self.cell.call, **kwargs)

    def _step(self, inputs: Any, state: Any, cell: Callable[..., Any], **kwargs: Any) -> Any:
        raise NotImplementedError


def _numbered_map(shallow: Any, function: Callable[..., Any], *structures: Any) -> Any:
    """`function(i, parts...)` over the leaves of `shallow`, numbered from 0."""
    number = -1

    def numbered(*parts: Any) -> Any:
        nonlocal number
        number += 1
        return function(number, *parts)

    return nest.map_structure_up_to(shallow, numbered, *structures)


def _droppable(state: Any) -> Any:
    """By default all of a state is dropped but the memory of an LSTM and arrays."""
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(state, TensorArray)


class _Dropout(_Wrapper):
    """`DropoutWrapper`, with its arguments written out."""

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._filter = dropout_state_filter_visitor or _droppable
        with name_scope("DropoutWrapperInit"):
            self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
            self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
            self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._variational_recurrent = variational_recurrent
        self._input_size = input_size
        self._seed = seed
        self._noise: dict[str, Any] = {"input": None, "state": None, "output": None}
        if not variational_recurrent:
            return
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        if _drops(self._input_keep_prob):
            if input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, "
                    "input_size must be provided"
                )
            self._make_noise("input", input_size, dtype)
        self._make_noise("state", cell.state_size, dtype)
        self._make_noise("output", cell.output_size, dtype)

    @property
    def wrapped_cell(self) -> Any:
        """The cell inside."""
        return self.cell

    def _make_noise(self, what: str, sizes: Any, dtype: Any) -> None:
        def make(i: int, size: Any) -> Tensor:
            sizes = TensorShape(size if nest.is_sequence(size) else [size]).as_list()
            shape = raw.ConcatV2([[1], sizes], 0)
            return random_uniform(shape, seed=self._seed_of(what, i), dtype=dtype)

        self._noise[what] = _numbered_map(sizes, make, sizes)

    def _seed_of(self, what: str, i: int) -> int | None:
        if self._seed is None:
            return None
        text = f"{self._seed}{what}_{i}".encode()
        return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:8], 16) & 0x7FFFFFFF

    def _dropped(self, what: str, values: Any, keep: Any, wanted: Any = None) -> Any:
        shallow = values if wanted is None else wanted

        def plain(i: int, do: Any, value: Any) -> Any:
            if isinstance(do, bool) and not do:
                return value
            return dropout(value, rate=1.0 - keep, seed=self._seed_of(what, i))

        def recurrent(i: int, do: Any, value: Any, noise: Any) -> Any:
            del i
            if isinstance(do, bool) and not do:
                return value
            result = div(value, keep) * raw.Floor(keep + noise)
            result.set_shape(value.shape)
            return result

        if self._variational_recurrent:
            return _numbered_map(shallow, recurrent, shallow, values, self._noise[what])
        return _numbered_map(shallow, plain, shallow, values)

    def _step(self, inputs: Any, state: Any, cell: Callable[..., Any], **kwargs: Any) -> Any:
        if _drops(self._input_keep_prob):
            inputs = self._dropped("input", inputs, self._input_keep_prob)
        output, state = cell(inputs, state, **kwargs)
        if _drops(self._state_keep_prob):
            wanted = nest.get_traverse_shallow_structure(self._filter, state)
            state = self._dropped("state", state, self._state_keep_prob, wanted)
        if _drops(self._output_keep_prob):
            output = self._dropped("output", output, self._output_keep_prob)
        return output, state


@export("nn.rnn_cell.DropoutWrapper", "contrib.rnn.DropoutWrapper")
class DropoutWrapper(_Dropout):
    """Dropout on the inputs, the output and the state of a cell.

    Arguments: cell, input_keep_prob=1.0, output_keep_prob=1.0, state_keep_prob=1.0,
    variational_recurrent=False, input_size=None, dtype=None, seed=None,
    dropout_state_filter_visitor=None. With `variational_recurrent` the same elements are dropped
    at each step (Gal and Ghahramani, 2016); that needs `dtype`, and `input_size` when inputs are
    dropped. `dropout_state_filter_visitor` says which parts of the state are dropped.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)


def _probability(name: str, given: Any) -> Any:
    """A probability as float when it is known, else as tensor; ValueError outside [0, 1]."""
    tensor = convert_to_tensor(given)
    known = constant_value(tensor)
    if known is None:
        return tensor
    if known < 0 or known > 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {int(known)}")
    return float(known)


def _drops(keep: Any) -> bool:
    return not isinstance(keep, numbers.Real) or keep < 1


@export("nn.rnn_cell.ResidualWrapper", "contrib.rnn.ResidualWrapper")
class ResidualWrapper(_Wrapper):
    """A cell whose inputs are added to its outputs, or combined by `residual_fn(inputs,
    outputs)`."""

    def __init__(self, *args: Any, **kwargs: Any):
        cell, residual_fn, kwargs = _arguments("residual_fn", args, kwargs)
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def _step(self, inputs: Any, state: Any, cell: Callable[..., Any], **kwargs: Any) -> Any:
        outputs, state = cell(inputs, state, **kwargs)
        return (self._residual_fn or _sum)(inputs, outputs), state


def _arguments(name: str, args: Any, kwargs: Any, required: bool = False) -> Any:
    """(cell, the argument called `name`, the others) of a call like f(cell, name, **others)."""
    given = dict(kwargs)
    given.update(zip(("cell", name), args, strict=False))
    missing = [n for n in (("cell", name) if required else ("cell",)) if n not in given]
    if missing or len(args) > 2:
        raise TypeError(f"expected the arguments cell and {name}, not {args} and {kwargs}")
    return given.pop("cell"), given.pop(name, None), given


def _sum(inputs: Any, outputs: Any) -> Any:
    nest.assert_same_structure(inputs, outputs)
    nest.map_structure(lambda a, b: a.shape.assert_is_compatible_with(b.shape), inputs, outputs)
    return nest.map_structure(lambda a, b: a + b, inputs, outputs)


@export("nn.rnn_cell.DeviceWrapper", "contrib.rnn.DeviceWrapper")
class DeviceWrapper(_Wrapper):
    """A cell whose operations are placed on a device."""

    def __init__(self, *args: Any, **kwargs: Any):
        cell, device, kwargs = _arguments("device", args, kwargs, required=True)
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros as state of the cell inside, on the device."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            with get_default_graph().device(self._device):
                return self.cell.zero_state(batch_size, dtype)

    def _step(self, inputs: Any, state: Any, cell: Callable[..., Any], **kwargs: Any) -> Any:
        with get_default_graph().device(self._device):
            return cell(inputs, state, **kwargs)
