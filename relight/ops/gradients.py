"""`tf.gradients`: the gradient of a graph as more graph, op by op in reverse order.

Each op's rule is the `gradient` of its record. Nodes get TensorFlow's names: `gradients/Fill`,
`gradients/<op>_grad/...`, and several gradients of one tensor are summed in `gradients/AddN`.
"""

from __future__ import annotations

import collections
import contextlib
import enum
from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes, opdef
from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw, register_conversion
from relight.ops.constants import constant

_registered: dict[str, Callable[..., Any] | None] = {}


@export("AggregationMethod")
class AggregationMethod:
    """How gradients of one tensor from several paths are summed. All give the same sum."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


@export("UnconnectedGradients")
class UnconnectedGradients(enum.Enum):
    """What `tf.gradients` gives for an x that no y depends on: None, or zeros of its shape."""

    NONE = "none"
    ZERO = "zero"


@export("RegisterGradient")
class RegisterGradient:
    """Decorator that registers a gradient function `(op, *grads)` under a name.

    The name is an op type, or one that `Graph.gradient_override_map` maps an op type to.
    """

    def __init__(self, op_type: str):
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Register `f`; KeyError when the name has a gradient already."""
        _register(self._op_type, f)
        return f


def _register(name: str, function: Callable[..., Any] | None) -> None:
    if name in opdef.signature_lines():
        known = opdef.record(name)
        if known.gradient_function is not None or not known.differentiable:
            raise KeyError(f"Registering two gradient with name '{name}'!")
    if name in _registered:
        raise KeyError(f"Registering two gradient with name '{name}'!")
    _registered[name] = function


@export("NotDifferentiable", "NoGradient")
def NotDifferentiable(op_type: str) -> None:
    """Declare that ops of this type have no gradient."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


def gradient_function(op: Operation) -> Callable[..., Any] | None:
    """The rule for one operation, None for an op without gradient; LookupError if unknown."""
    name = op._attrs.get("_gradient_op_type", op.type)
    if isinstance(name, bytes):
        name = name.decode()
    special = op.graph._gradient_functions.get(name)
    if special is not None:
        return special
    if name in _registered:
        return _registered[name]
    known = opdef._records.get(name)
    if known is not None:
        if known.gradient_function is not None:
            return known.gradient_function
        if not known.differentiable:
            return None
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")


def _trainable(tensor: Tensor) -> bool:
    return tensor.dtype.base_dtype in (
        dtypes.float16,
        dtypes.float32,
        dtypes.float64,
        dtypes.complex64,
        dtypes.complex128,
        dtypes.resource,
        dtypes.variant,
        dtypes.bfloat16,
    )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _source(value: Any) -> Tensor:
    """The tensor that gradients with respect to `value` flow to."""
    handle = getattr(value, "handle", None)
    if isinstance(handle, Tensor):
        return handle
    if isinstance(value, (IndexedSlices, SparseTensor)):
        return value.values
    return convert_to_tensor(value, name="x", as_ref=True)


@export("gradients")
def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Symbolic derivatives of sum(ys) with respect to each of xs, None where there is no path.

    `grad_ys` weighs the ys, `stop_gradients` are treated as constants. Raises TypeError for ys
    that are not real or complex floating point, LookupError for an op without a rule.
    """
    return build(
        ys,
        xs,
        grad_ys,
        name,
        colocate_gradients_with_ops,
        gate_gradients,
        aggregation_method,
        stop_gradients,
        unconnected_gradients,
    )


def build(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate: bool = False,
    gate: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
    source_graph: Any = None,
) -> list[Any]:
    """`gradients`, with the graph that holds ys when it is not the default graph."""
    try:
        zero_unconnected = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO
    except ValueError:
        raise ValueError(
            f"Unknown value for unconnected_gradients: {unconnected_gradients!r}"
        ) from None
    ys, xs = _as_list(ys), _as_list(xs)
    stop = [] if stop_gradients is None else _as_list(stop_gradients)
    grad_list = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    if len(ys) != len(grad_list):
        raise ValueError(f"grad_ys has {len(grad_list)} items for {len(ys)} ys")
    elements = [v for v in [*ys, *xs, *stop, *grad_list] if isinstance(v, (Tensor, IndexedSlices))]
    with name_scope(name, "gradients", elements) as scope:
        graph = source_graph or get_default_graph()
        get_default_graph().unique_name("uid")  # TensorFlow takes this name here
        targets = [convert_to_tensor(_value(y), name="y") for y in ys]
        sources = [_source(x) for x in xs]
        stops = {_source(s) for s in stop}
        start = _initial(grad_list, targets, colocate)
        found = _Backward(
            graph, targets, sources, stops, start, scope, colocate, gate, aggregation_method
        ).run()
    if not zero_unconnected:
        return found
    return [_zeros_for(x) if g is None else g for x, g in zip(xs, found, strict=True)]


def _zeros_for(x: Any) -> Tensor:
    """Zeros for an x that no y depends on: made outside of the scope of the gradients."""
    from relight.ops.array_nodes import zeros_like as zeros_like_known

    return zeros_like_known(convert_to_tensor(x))


def _value(y: Any) -> Any:
    return y.values if isinstance(y, SparseTensor) else y


def _initial(grad_ys: list[Any], ys: list[Tensor], colocate: bool) -> list[Any]:
    """The gradient that each y starts with: ones, or what the caller gives."""
    result: list[Any] = []
    for i, (grad, y) in enumerate(zip(grad_ys, ys, strict=True)):
        with _colocation(y.op, colocate):
            if grad is None:
                if y.dtype.is_complex:
                    raise TypeError(
                        f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})"
                    )
                if not _trainable(y):
                    print_dtype = y.dtype.base_dtype
                    raise TypeError(
                        f"Gradient of {y.name} of type {print_dtype!r} is not defined: "
                        "ys must be floating point"
                    )
                result.append(_ones(y, i))
                continue
            if isinstance(grad, IndexedSlices):
                result.append(grad)
                continue
            tensor = convert_to_tensor(grad, dtype=y.dtype.base_dtype, name=f"grad_ys_{i}")
            result.append(raw.Identity(tensor, name=f"grad_ys_{i}"))
    return result


def _ones(y: Tensor, i: int) -> Tensor:
    shape = shape_of(y)
    return raw.Fill(shape, constant(1, dtype=y.dtype.base_dtype, name=f"grad_ys_{i}"))


def shape_of(tensor: Tensor, name: str = "Shape", out_type: Any = dtypes.int32) -> Tensor:
    """The shape of a tensor as a tensor: a constant when it is known statically."""
    static = tensor.shape
    if static.is_fully_defined():
        return constant(static.as_list(), dtype=out_type, name=name)
    return raw.Shape(tensor, out_type=out_type, name=name)


@contextlib.contextmanager
def _colocation(op: Operation, wanted: bool):
    if not wanted:
        yield
        return
    with get_default_graph().colocate_with(op):
        yield


class _Backward:
    """One backward pass: gradients collected by tensor, ops visited when all theirs are there."""

    def __init__(
        self,
        graph: Any,
        ys: list[Tensor],
        xs: list[Tensor],
        stops: set[Tensor],
        start: list[Any],
        scope: str,
        colocate: bool,
        gate: bool,
        aggregation_method: Any,
    ):
        self.graph = graph
        self.ys, self.xs, self.stops = ys, xs, stops
        self.scope = scope
        self.colocate, self.gate = colocate, gate
        self.method = aggregation_method
        self.x_set = set(xs)
        self.collected: dict[Tensor, list[Any]] = collections.defaultdict(list)
        self.final: dict[Tensor, Any] = {}
        for y, grad in zip(ys, start, strict=True):
            self.collected[y].append(grad)

    def _inputs(self, op: Operation) -> Sequence[Tensor]:
        """The inputs of an op; in a function body, what was captured stands for its placeholder."""
        graph = op.graph
        if not graph.building_function:
            return op._inputs
        return [t if t in self.x_set else graph.captured_by(t) for t in op._inputs]

    def _consumers(self, tensor: Tensor) -> list[Operation]:
        """The readers of a tensor, those inside the function body being built included."""
        found = list(tensor._consumers)
        graph = self.graph
        while graph is not None and graph.building_function:
            inner = graph.captures.get(tensor)
            if inner is not None:
                found.extend(self._consumers(inner))
            graph = graph.outer_graph
        return found

    def _between(self) -> tuple[set[Operation], dict[Operation, int]]:
        """Ops on a path from xs to ys, with the number of gradients each waits for."""
        forward: set[Operation] = set()
        queue = [x.op for x in self.xs]
        while queue:
            op = queue.pop()
            if op in forward:
                continue
            forward.add(op)
            for out in op._outputs:
                if _trainable(out):
                    queue.extend(self._consumers(out))
        pending: dict[Operation, int] = collections.defaultdict(int)
        between: set[Operation] = set()
        queue = [y.op for y in self.ys]
        while queue:
            op = queue.pop()
            if op in between or op not in forward:
                continue
            between.add(op)
            queue.extend(t.op for t in self._inputs(op))
        for op in between:
            for t in self._inputs(op):
                if t.op in between:
                    pending[t.op] += 1
        return between, pending

    def run(self) -> list[Any]:
        between, pending = self._between()
        ready: collections.deque[Operation] = collections.deque()
        queued: set[Operation] = set()
        for y in self.ys:
            if y.op in between and pending[y.op] == 0 and y.op not in queued:
                queued.add(y.op)
                ready.append(y.op)
        stop_ops = self._stop_ops(between)
        while ready:
            op = ready.popleft()
            with _colocation(op, self.colocate):
                self._visit(op, stop_ops)
            for t in self._inputs(op):
                if t.op not in between:
                    continue
                pending[t.op] -= 1
                if pending[t.op] == 0 and t.op not in queued:
                    queued.add(t.op)
                    ready.append(t.op)
        return [self._sum(x) for x in self.xs]

    def _stop_ops(self, between: set[Operation]) -> set[Operation]:
        """Ops of xs that no other x lies behind, where the pass can end."""
        stop_ops = {x.op for x in self.xs if not any(t.op in between for t in self._inputs(x.op))}
        return stop_ops | {s.op for s in self.stops}

    def _sum(self, tensor: Tensor) -> Any:
        """The gradient of one tensor: the sum of what its readers sent."""
        grads = [g for g in self.collected.pop(tensor, []) if g is not None]
        if not grads:
            return self.final.get(tensor)
        if tensor in self.final:
            grads.insert(0, self.final[tensor])
        total = grads[0] if len(grads) == 1 else aggregate(grads, self.method)
        self.final[tensor] = total
        return total

    def _visit(self, op: Operation, stop_ops: set[Operation]) -> None:
        grads = [self._sum(t) for t in op._outputs]
        if op in stop_ops or not any(g is not None for g in grads):
            return
        rule = gradient_function(op)
        if rule is None:
            return
        for i, grad in enumerate(grads):
            if grad is None and _trainable(op._outputs[i]):
                # An output that nothing reads still needs a gradient for the rule: zeros.
                grads[i] = zeros_like(op._outputs[i])
        with name_scope(op.name + "_grad"), get_default_graph()._original_op(op):
            answer = rule(op, *grads)
            inputs = _as_list(answer)
            inputs = _check_gradients(op, inputs)
            if self.gate and len([g for g in inputs if g is not None]) > 1:
                with (
                    get_default_graph().device(None),
                    get_default_graph().colocate_with(None, ignore_existing=True),
                ):
                    inputs = tuple_of(inputs)
        for i, (tensor, grad) in enumerate(zip(self._inputs(op), inputs, strict=True)):
            if grad is None:
                continue
            if isinstance(grad, Tensor) and tensor.dtype != dtypes.resource:
                try:
                    grad.set_shape(tensor.shape)
                except ValueError:
                    raise ValueError(
                        "Incompatible shapes between op input and calculated input gradient.  "
                        f"Forward operation: {op.name}.  Input index: {i}. Original input shape: "
                        f"{tensor.shape}.  "
                        f"Calculated input gradient shape: {grad.shape}"
                    ) from None
            self.collected[tensor].append(grad)


def zeros_like(tensor: Tensor, name: str = "zeros_like") -> Tensor:
    """Zeros with the shape of a tensor: a constant-shaped node when its shape is known."""
    return raw.ZerosLike(tensor, name=name)


def _check_gradients(op: Operation, grads: list[Any]) -> list[Any]:
    if len(grads) != len(op._inputs):
        raise ValueError(
            f"Num gradients {len(grads)} generated for op {op.node_def} do not match num inputs "
            f"{len(op._inputs)}"
        )
    checked = []
    for grad in grads:
        if grad is None or isinstance(grad, (Tensor, IndexedSlices)):
            checked.append(grad)
        else:
            checked.append(convert_to_tensor(grad))
    return checked


def tuple_of(tensors: Sequence[Any], name: str = "tuple") -> list[Any]:
    """The same tensors, each of which is there only when all have been computed."""
    from relight.v1.functions.control import tuple as grouped

    return grouped(list(tensors), name=name)


def aggregate(grads: Sequence[Any], method: Any = None) -> Any:
    """The sum of several gradients of one tensor: dense by AddN, sliced ones by concatenation."""
    if all(isinstance(g, Tensor) for g in grads):
        with get_default_graph().colocate_with(grads[0].op, ignore_existing=True):
            return raw.AddN(list(grads))
    slices = _of_one_index_type([as_slices(g) for g in grads])
    values = raw.ConcatV2([s.values for s in slices], 0, name="concat")
    indices = raw.ConcatV2([s.indices for s in slices], 0, name="concat")
    return IndexedSlices(values, indices, slices[0].dense_shape)


def _of_one_index_type(slices: list[IndexedSlices]) -> list[IndexedSlices]:
    """The same slices with int64 indices, unless the indices of all of them are int32."""
    short = [s.indices.dtype.base_dtype is dtypes.int32 for s in slices]
    if all(short) or not any(short):
        return slices
    return [
        IndexedSlices(s.values, raw.Cast(s.indices, DstT=dtypes.int64, name="Cast"), s.dense_shape)
        if is_short
        else s
        for s, is_short in zip(slices, short, strict=True)
    ]


def as_slices(grad: Any) -> IndexedSlices:
    """A gradient as IndexedSlices: a dense one with every row."""
    if isinstance(grad, IndexedSlices):
        return grad
    shape = raw.Shape(grad)
    first = raw.StridedSlice(shape, [0], [1], [1], shrink_axis_mask=1)
    return IndexedSlices(grad, raw.Range(0, first, 1), shape)


def _convert_slices(
    value: IndexedSlices, dtype: Any = None, name: str | None = None, as_ref: bool = False
) -> Any:
    """IndexedSlices as a tensor: slices of the same row are summed."""
    del as_ref
    if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtypes.as_dtype(dtype).name} for IndexedSlices "
            f"with dtype {value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(
            f"Tensor conversion requested for IndexedSlices without dense_shape: {value}"
        )
    with name_scope(None, "strided_slice", [value.dense_shape]) as scope:
        bounds = [
            constant([i], dtypes.int32, name=n)
            for i, n in ((0, "stack"), (1, "stack_1"), (1, "stack_2"))
        ]
        first = raw.StridedSlice(value.dense_shape, *bounds, shrink_axis_mask=1, name=scope)
    return raw.UnsortedSegmentSum(value.values, value.indices, first, name=name)


register_conversion(IndexedSlices, _convert_slices)


def dense(grad: Any) -> Tensor:
    """A gradient as a Tensor: IndexedSlices are summed into their rows."""
    return convert_to_tensor(grad) if isinstance(grad, IndexedSlices) else grad
