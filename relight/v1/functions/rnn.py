"""`tf.nn.dynamic_rnn`, `static_rnn` and their kin: cells over sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions import nest
from relight.v1.functions.array import where
from relight.v1.functions.array_gather import reverse_sequence
from relight.v1.functions.checks import Assert
from relight.v1.functions.control_flow import cond, while_loop
from relight.v1.functions.rnn_cells import RNNCell, check_cell, joined_shape, joined_static
from relight.v1.functions.tensor_array import TensorArray
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.layers.base_layer import BaseLayer


def _cache_reads(scope: Any) -> None:
    """Variables of the loop keep their reads on their own device, unless the scope says more."""
    if scope.caching_device is None:
        scope.set_caching_device(lambda op: op.device)


@export("contrib.rnn.transpose_batch_time")
def transpose_batch_time(x: Tensor) -> Tensor:
    """[a, b, ...] to [b, a, ...]; scalars and vectors as they are."""
    static = x.shape
    if static.rank is not None and static.rank < 2:
        return x
    rank = array_nodes.rank(x)
    order = array_nodes.concat(([1, 0], nodes.range(2, rank)), axis=0)
    result = array_nodes.transpose(x, order)
    if static.rank is not None:
        sizes = static.as_list()
        result.set_shape([sizes[1], sizes[0], *sizes[2:]])
    return result


@export("contrib.rnn.best_effort_input_batch_size")
def best_effort_input_batch_size(flat_input: Sequence[Tensor]) -> Any:
    """The batch size of time-major inputs: an int where one of them tells, else a tensor."""
    for tensor in flat_input:
        static = tensor.shape
        if static.rank is None:
            continue
        if static.rank < 2:
            raise ValueError(f"Expected input tensor {tensor} to have rank at least 2")
        if static.as_list()[1] is not None:
            return static.as_list()[1]
    return array_nodes.shape(flat_input[0])[1]


def _state_type(explicit: Any, state: Any) -> Any:
    if explicit is not None:
        return explicit
    if not nest.is_sequence(state):
        return state.dtype
    found = [part.dtype for part in nest.flatten(state)]
    if not found:
        raise ValueError("Unable to infer dtype from empty state.")
    if any(dtype != found[0] for dtype in found):
        raise ValueError(
            "State has tensors of different inferred_dtypes. Unable to infer a single "
            "representative dtype."
        )
    return found[0]


def _initial_state(cell: Any, state: Any, batch_size: Any, dtype: Any, message: str) -> Any:
    if state is not None:
        return state
    if not dtype:
        raise ValueError(message)
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return cell.zero_state(batch_size, dtype)


def _is_keras_cell(cell: Any) -> bool:
    """Whether a cell takes and gives its state as a list."""
    return (
        not isinstance(cell, RNNCell)
        and isinstance(cell, BaseLayer)
        and getattr(cell, "zero_state", None) is None
    )


def _passed_through(condition: Tensor, old: Any, new: Any) -> Any:
    """Where `condition` [batch] holds the old rows, else the new; arrays and scalars are new."""
    if isinstance(old, TensorArray) or old.shape.rank == 0:
        return new
    with get_default_graph().colocate_with(new.op):
        return where(condition, old, new)


class _Steps:
    """Steps of sequences of different lengths: rows that have ended keep state and give zeros."""

    def __init__(self, lengths: Tensor, zero_output: Any):
        self.lengths = lengths
        self.shortest = nodes.reduce_min(lengths)
        self.longest = nodes.reduce_max(lengths)
        self.zero_output = zero_output

    def run(self, time: Any, state: Any, call: Callable[[], Any], branches: bool) -> Any:
        """One step; with `branches`, nothing is computed once all rows have ended."""
        old = nest.flatten(self.zero_output) + nest.flatten(state)

        def stepped() -> list[Any]:
            output, new_state = call()
            nest.assert_same_structure(self.zero_output, output)
            nest.assert_same_structure(state, new_state)
            return nest.flatten(output) + nest.flatten(new_state)

        def copied(new: list[Any]) -> list[Any]:
            return [_passed_through(ended, o, n) for o, n in zip(old, new, strict=True)]

        ended = time >= self.lengths
        if not branches:
            result = copied(stepped())
        else:

            def partly() -> list[Any]:
                new = stepped()
                return cond(time < self.shortest, lambda: new, lambda: copied(new), strict=True)

            result = cond(time >= self.longest, lambda: old, partly, strict=True)
        for before, after in zip(old, result, strict=True):
            if not isinstance(after, TensorArray):
                after.set_shape(before.shape)
        count = len(nest.flatten(self.zero_output))
        return (
            nest.pack_sequence_as(self.zero_output, result[:count]),
            nest.pack_sequence_as(state, result[count:]),
        )


@export("nn.dynamic_rnn")
def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """(outputs [batch, time, ...], last state) of a cell over sequences, as a loop.

    `inputs` is [batch, time, depth] ([time, batch, depth] if `time_major`, and so are the outputs),
    or a nest of such. `sequence_length` [batch]: beyond it a row's outputs are zeros and its state
    stays. Without `initial_state` the state starts as zeros of `dtype`. Raises ValueError when
    neither is given or sizes do not fit, TypeError for something that is no cell.
    """
    check_cell("cell", cell)
    with variable_scope(scope or "rnn") as opened:
        _cache_reads(opened)
        flat = nest.flatten(inputs)
        if not time_major:
            flat = [convert_to_tensor(x) for x in flat]
            flat = [transpose_batch_time(x) for x in flat]
        parallel_iterations = parallel_iterations or 32
        if sequence_length is not None:
            sequence_length = nodes.cast(sequence_length, dtypes.int32)
            if sequence_length.shape.rank not in (None, 1):
                raise ValueError(
                    "sequence_length must be a vector of length batch_size, but saw shape: "
                    f"{sequence_length.shape}"
                )
            sequence_length = array_nodes.identity(sequence_length, name="sequence_length")
        batch_size = best_effort_input_batch_size(flat)
        state = _initial_state(
            cell,
            initial_state,
            batch_size,
            dtype,
            "If there is no initial_state, you must give a dtype.",
        )
        if sequence_length is not None:
            with get_default_graph().control_dependencies(
                [_assert_shape(sequence_length, [batch_size])]
            ):
                sequence_length = array_nodes.identity(sequence_length, name="CheckSeqLen")
        inputs = nest.pack_sequence_as(inputs, flat)
        outputs, state = _dynamic_loop(
            cell, inputs, state, parallel_iterations, swap_memory, sequence_length, dtype
        )
        if not time_major:
            outputs = nest.map_structure(transpose_batch_time, outputs)
        return outputs, state


def _assert_shape(x: Tensor, shape: Sequence[Any]) -> Any:
    found, wanted = array_nodes.shape(x), array_nodes.stack(shape)
    return Assert(
        nodes.reduce_all(raw.Equal(found, wanted)),
        [f"Expected shape for Tensor {x.name} is ", wanted, " but saw shape: ", found],
    )


def _dynamic_loop(
    cell: Any, inputs: Any, state: Any, parallel: int, swap: bool, lengths: Any, dtype: Any
) -> Any:
    flat = nest.flatten(inputs)
    output_sizes = nest.flatten(cell.output_size)
    steps = array_nodes.shape(flat[0])[0]
    batch_size = best_effort_input_batch_size(flat)
    shapes = [x.shape.with_rank_at_least(3) for x in flat]
    known_steps, known_batch = shapes[0].as_list()[:2]
    for shape in shapes:
        if not shape[2:].is_fully_defined():
            raise ValueError(
                "Input size (depth of inputs) must be accessible via shape inference, but saw "
                "value None."
            )
        if shape.as_list()[0] != known_steps:
            raise ValueError(
                "Time steps is not the same for all the elements in the input in a batch."
            )
        if shape.as_list()[1] != known_batch:
            raise ValueError("Batch_size is not the same for all the elements in the input.")
    output_type = _state_type(dtype, state)
    ragged = None
    if lengths is not None:
        zeros = [array_nodes.zeros(joined_shape(batch_size, s), output_type) for s in output_sizes]
        ragged = _Steps(lengths, nest.pack_sequence_as(cell.output_size, zeros))
    graph = get_default_graph()
    if lengths is None:
        # TensorFlow makes zeros of each output's shape here too, which nothing takes: six or
        # seven nodes. They count for default seeds.
        graph._node_count += len(output_sizes) * (7 if isinstance(batch_size, Tensor) else 6)
    time = constant(0, dtype=dtypes.int32, name="time")
    with name_scope("dynamic_rnn"):
        count = graph._node_count + len(output_sizes)
        results = [
            TensorArray(output_type, size=steps, element_shape=joined_static(known_batch, size))
            for size in output_sizes
        ]
        graph._node_count = count
        sources = [
            TensorArray(x.dtype.base_dtype, size=steps, element_shape=x.shape[1:]).unstack(x)
            for x in flat
        ]
    keras = _is_keras_cell(cell)

    def step(time: Tensor, arrays: Any, state: Any) -> Any:
        rows = [source.read(time) for source in sources]
        for row, shape in zip(rows, shapes, strict=True):
            row.set_shape(shape[1:])
        current = nest.pack_sequence_as(inputs, rows)
        if keras and not nest.is_sequence(state):
            state = [state]

        def call() -> Any:
            return cell(current, state)

        output, new_state = call() if ragged is None else ragged.run(time, state, call, False)
        if keras and len(new_state) == 1:
            new_state = new_state[0]
        values = nest.flatten(output)
        arrays = tuple(a.write(time, v) for a, v in zip(arrays, values, strict=True))
        return time + 1, arrays, new_state

    # One step at least, so that the arrays know the shape of their elements.
    bound = raw.Minimum(steps, raw.Maximum(1, steps if ragged is None else ragged.longest))
    _, results, state = while_loop(
        cond=lambda time, *_: time < bound,
        body=step,
        loop_vars=(time, tuple(results), state),
        parallel_iterations=parallel,
        maximum_iterations=steps,
        swap_memory=swap,
    )
    outputs = [array.stack() for array in results]
    for output, size in zip(outputs, output_sizes, strict=True):
        output.set_shape(joined_static([known_steps, known_batch], size))
    return nest.pack_sequence_as(cell.output_size, outputs), state


@export("nn.bidirectional_dynamic_rnn")
def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """((outputs forwards, backwards), (last state forwards, backwards)), as `dynamic_rnn`.

    The second cell goes through the sequences from their ends; its outputs are in input order.
    """
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)
    common = {
        "sequence_length": sequence_length,
        "dtype": dtype,
        "parallel_iterations": parallel_iterations,
        "swap_memory": swap_memory,
        "time_major": time_major,
    }

    def reverse(x: Any) -> Tensor:
        if sequence_length is None:
            return raw.ReverseV2(x, [time_axis])
        return reverse_sequence(
            input=x, seq_lengths=sequence_length, seq_axis=time_axis, batch_axis=batch_axis
        )

    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as opened:
            output_fw, state_fw = dynamic_rnn(
                cell_fw, inputs, initial_state=initial_state_fw, scope=opened, **common
            )
        with variable_scope("bw") as opened:
            backwards = nest.map_structure(reverse, inputs)
            reversed_output, state_bw = dynamic_rnn(
                cell_bw, backwards, initial_state=initial_state_bw, scope=opened, **common
            )
    output_bw = nest.map_structure(reverse, reversed_output)
    return (output_fw, output_bw), (state_fw, state_bw)


@export("nn.raw_rnn")
def raw_rnn(
    cell: Any,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """(array of what was emitted, last state, last loop state) of a cell that `loop_fn` drives.

    `loop_fn(time, cell output, cell state, loop state)` gives (finished [batch], next input, next
    cell state, what to emit, next loop state); at first all but the time are None, and what to
    emit says its structure (None: that of the output).
    """
    check_cell("cell", cell)
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with variable_scope(scope or "rnn") as opened:
        _cache_reads(opened)
        time = constant(0, dtype=dtypes.int32)
        finished, inputs, state, emits, first_loop_state = loop_fn(time, None, None, None)
        loop_state = (
            constant(0, dtype=dtypes.int32) if first_loop_state is None else (first_loop_state)
        )
        flat = nest.flatten(inputs)
        rows = TensorShape([None])
        for x in flat:
            rows = rows.merge_with(x.shape.with_rank_at_least(1)[:1])
        known_batch = rows.as_list()[0]
        batch_size = array_nodes.shape(flat[0])[0] if known_batch is None else known_batch
        nest.assert_same_structure(state, cell.state_size)
        state = nest.map_structure(convert_to_tensor, state)
        if emits is None:
            emits = cell.output_size
            sizes = nest.flatten(emits)
            types = [nest.flatten(state)[0].dtype] * len(sizes)
        else:
            parts = nest.flatten(emits)
            sizes = [p.shape if p.shape.is_fully_defined() else array_nodes.shape(p) for p in parts]
            types = [p.dtype for p in parts]
        arrays = [
            TensorArray(
                dtype,
                dynamic_size=True,
                element_shape=joined_static(known_batch, size),
                size=0,
                name=f"rnn_output_{i}",
            )
            for i, (dtype, size) in enumerate(zip(types, sizes, strict=True))
        ]
        zeros = [
            array_nodes.zeros(joined_shape(batch_size, size), dtype)
            for dtype, size in zip(types, sizes, strict=True)
        ]
        array = nest.pack_sequence_as(emits, arrays)
        nothing = nest.pack_sequence_as(emits, zeros)

        def body(
            time: Tensor, finished: Tensor, inputs: Any, array: Any, state: Any, loop_state: Any
        ) -> Any:
            output, cell_state = cell(inputs, state)
            nest.assert_same_structure(state, cell_state)
            nest.assert_same_structure(cell.output_size, output)
            following = time + 1
            ended, next_inputs, next_state, emitted, next_loop_state = loop_fn(
                following, output, cell_state, loop_state
            )
            nest.assert_same_structure(state, next_state)
            nest.assert_same_structure(inputs, next_inputs)
            nest.assert_same_structure(array, emitted)

            def copied(old: Any, new: Any) -> Any:
                return nest.map_structure(lambda o, n: _passed_through(finished, o, n), old, new)

            emitted = copied(nothing, emitted)
            next_state = copied(state, next_state)
            array = nest.map_structure(lambda a, v: a.write(time, v), array, emitted)
            return (
                following,
                raw.LogicalOr(finished, ended),
                next_inputs,
                array,
                next_state,
                loop_state if next_loop_state is None else next_loop_state,
            )

        returned = while_loop(
            lambda time, finished, *_: raw.LogicalNot(nodes.reduce_all(finished)),
            body,
            loop_vars=[time, finished, inputs, array, state, loop_state],
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        array, state, loop_state = returned[-3:]
        return array, state, None if first_loop_state is None else loop_state


@export("nn.static_rnn", "contrib.rnn.static_rnn")
def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """([output of each step], last state) of a cell over a list of inputs [batch, depth], unrolled.

    `sequence_length` [batch]: beyond it a row's outputs are zeros and its state stays. Raises
    TypeError when `inputs` is no list, ValueError when it is empty or sizes do not fit.
    """
    check_cell("cell", cell)
    if not nest.is_sequence(inputs):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope(scope or "rnn") as opened:
        _cache_reads(opened)
        first = nest.flatten(inputs)[0]
        known_batch = _static_batch(inputs, first)
        batch_size = known_batch or array_nodes.shape(first)[0]
        state = _initial_state(
            cell,
            initial_state,
            batch_size,
            dtype,
            "If no initial_state is provided, dtype must be specified",
        )
        ragged = None
        if sequence_length is not None:
            ragged = _static_steps(cell, sequence_length, batch_size, known_batch, dtype, state)
        keras = _is_keras_cell(cell)
        if keras and not nest.is_sequence(state):
            state = [state]
        outputs = []
        for time, current in enumerate(inputs):
            if time > 0:
                opened.reuse_variables()

            def call(current: Any = current, state: Any = state) -> Any:
                return cell(current, state)

            output, state = call() if ragged is None else ragged.run(time, state, call, True)
            outputs.append(output)
        if keras and len(state) == 1:
            state = state[0]
        return outputs, state


def _static_batch(inputs: Any, first: Tensor) -> int | None:
    """The batch size of a list of inputs, if known; their other sizes must be."""
    if first.shape.rank == 1:
        return first.shape.as_list()[0]
    rows = TensorShape([None])
    for x in nest.flatten(inputs):
        shape = x.shape.with_rank_at_least(2)
        rows = rows.merge_with(shape[:1])
        for i, size in enumerate(shape.as_list()[1:]):
            if size is None:
                raise ValueError(
                    f"Input size (dimension {i} of inputs) must be accessible via shape "
                    "inference, but saw value None."
                )
    return rows.as_list()[0]


def _static_steps(
    cell: Any, lengths: Any, batch_size: Any, known_batch: int | None, dtype: Any, state: Any
) -> _Steps:
    lengths = convert_to_tensor(lengths, name="sequence_length")
    if lengths.shape.rank not in (None, 1):
        raise ValueError("sequence_length must be a vector of length batch_size")

    def zeros(size: Any) -> Tensor:
        output = array_nodes.zeros(joined_shape(batch_size, size), _state_type(dtype, state))
        output.set_shape(joined_static(known_batch, size))
        return output

    zero_output = nest.map_structure(zeros, cell.output_size)
    return _Steps(nodes.cast(lengths, dtypes.int32), zero_output)


@export("nn.static_state_saving_rnn", "contrib.rnn.static_state_saving_rnn")
def static_state_saving_rnn(
    cell: Any,
    inputs: Any,
    state_saver: Any,
    state_name: Any,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """`static_rnn` that starts from `state_saver.state(name)` and saves the state it ends with.

    `state_name` is a name, or a tuple of names for a state that is one. The last output and the
    state wait for `state_saver.save_state(name, state)`.
    """
    nested = nest.is_sequence(cell.state_size)
    if nested != nest.is_sequence(state_name):
        raise ValueError(
            "state_name should be the same type as cell.state_size.  state_name: "
            f"{state_name}, cell.state_size: {cell.state_size}"
        )
    names = nest.flatten(state_name)
    if len(names) != len(nest.flatten(cell.state_size)):
        raise ValueError(
            f"#elems(state_name) != #elems(state_size): {len(names)} vs. "
            f"{len(nest.flatten(cell.state_size))}"
        )
    start = nest.pack_sequence_as(cell.state_size, [state_saver.state(n) for n in names])
    outputs, state = static_rnn(
        cell, inputs, initial_state=start, sequence_length=sequence_length, scope=scope
    )
    saved = [
        state_saver.save_state(n, part) for n, part in zip(names, nest.flatten(state), strict=True)
    ]
    with get_default_graph().control_dependencies(saved):
        outputs[-1] = nest.map_structure(array_nodes.identity, outputs[-1])
        state = nest.map_structure(array_nodes.identity, state)
    return outputs, state


def _reversed(sequence: Any, lengths: Any) -> list[Any]:
    """A list of step values in reverse; with `lengths`, each row from its own end."""
    if lengths is None:
        return list(reversed(sequence))
    opened = [nest.flatten(value) for value in sequence]
    results: list[list[Any]] = [[] for _ in sequence]
    for parts in zip(*opened, strict=True):
        shape = TensorShape(None)
        for part in parts:
            shape = shape.merge_with(part.shape)
        turned = reverse_sequence(array_nodes.stack(parts), lengths, 0, 1)
        for result, part in zip(results, array_nodes.unstack(turned), strict=True):
            part.set_shape(shape)
            result.append(part)
    return [nest.pack_sequence_as(s, r) for s, r in zip(sequence, results, strict=True)]


@export("nn.static_bidirectional_rnn", "contrib.rnn.static_bidirectional_rnn")
def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """([outputs of both cells side by side of each step], last state forwards, backwards)."""
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    if not nest.is_sequence(inputs):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as opened:
            outputs_fw, state_fw = static_rnn(
                cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=opened
            )
        with variable_scope("bw") as opened:
            backwards = _reversed(inputs, sequence_length)
            turned, state_bw = static_rnn(
                cell_bw, backwards, initial_state_bw, dtype, sequence_length, scope=opened
            )
    outputs_bw = _reversed(turned, sequence_length)
    joined = [
        array_nodes.concat([a, b], 1)
        for a, b in zip(nest.flatten(outputs_fw), nest.flatten(outputs_bw), strict=True)
    ]
    return nest.pack_sequence_as(outputs_fw, joined), state_fw, state_bw
