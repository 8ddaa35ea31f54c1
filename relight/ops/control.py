"""`If` and `While` nodes, and their gradients.

A gradient of a body is a body again. What it needs of the forward body's insides becomes a further
output of the forward node: wrapped in an optional in the branches of an `If` (the other branch
gives none), pushed on a list turn by turn in a `While`. This is the form in which TensorFlow writes
control flow (v2), after "TensorFlow: A system for large-scale machine learning", §3.4, and Yu et
al., "Dynamic Control Flow in Large-Scale Machine Learning" (EuroSys 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import attrs as attr_values
from relight.graph import dtypes, opdef
from relight.graph.function import FuncGraph, unique_function_name
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops import gradients
from relight.ops.build import raw

_HANDLES = (dtypes.resource, dtypes.variant)


def _stateful(*bodies: FuncGraph) -> bool:
    return any(
        opdef.record(op.type).is_stateful
        for b in bodies
        for op in b._nodes_by_id
        if op.type != "Placeholder"
    )


def _register(graph: Any, body: FuncGraph) -> attr_values.FunctionName:
    graph._add_function(body)
    return attr_values.FunctionName(body.name)


def _types(tensors: Sequence[Tensor]) -> list[dtypes.DType]:
    return [t.dtype.base_dtype for t in tensors]


# -- If --------------------------------------------------------------------------------------------


def _match_inputs(bodies: Sequence[FuncGraph]) -> list[Tensor]:
    """Give all bodies the same captures in the same order; the captured tensors."""
    wanted = list(dict.fromkeys(t for b in bodies for t in b.captures))
    for body in bodies:
        for tensor in wanted:
            body.capture(tensor)
        body.inputs = [body.captures[t] for t in wanted]
    return wanted


def add_if(pred: Tensor, then_body: FuncGraph, else_body: FuncGraph, name: str) -> list[Tensor]:
    """An `If` node (a `StatelessIf` when nothing in it has effects); its outputs."""
    captured = _match_inputs((then_body, else_body))
    graph = get_default_graph()
    stateful = _stateful(then_body, else_body)
    node = graph._add(
        "If" if stateful else "StatelessIf",
        [pred, *captured],
        [t.dtype.base_dtype for t in then_body.outputs],
        name,
        {
            "Tcond": pred.dtype.base_dtype,
            "Tin": _types(captured),
            "Tout": _types(then_body.outputs),
            "then_branch": _register(graph, then_body),
            "else_branch": _register(graph, else_body),
            "output_shapes": _common_shapes(then_body.outputs, else_body.outputs),
        },
        skip=2,
    )
    return node.outputs


def _common_shapes(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Any]:
    return [x.shape.most_specific_compatible_shape(y.shape) for x, y in zip(a, b, strict=True)]


class _GradientGraph(FuncGraph):
    """The body of a gradient: tensors of the forward body are fetched through `intermediate`."""

    def __init__(self, name: str, forward: FuncGraph, intermediate: Callable[[Tensor], Tensor]):
        super().__init__(name)
        self.forward = forward
        self._fetch = intermediate
        self.fetched: dict[Tensor, Tensor] = {}

    def _own(self, tensor: Any) -> Tensor:
        if isinstance(tensor, Tensor) and tensor.graph is self.forward:
            found = self.fetched.get(tensor)
            if found is None:
                with self.as_default(), self.control_dependencies(None):
                    found = self.fetched[tensor] = self._fetch(tensor)
            return found
        return super()._own(tensor)

    def _own_control(self, op: Operation) -> Operation | None:
        return None


def _forward_body(op: Operation, attr: str) -> FuncGraph:
    body = op.graph._get_function(str(op._attrs[attr]))
    if body is None:
        raise LookupError(f"No gradient for '{op.name}': its function {op._attrs[attr]} is missing")
    return body


def _constant_in(graph: FuncGraph, tensor: Tensor) -> Tensor | None:
    """A copy of a constant of the forward body in the gradient's: cheaper than carrying it."""
    if tensor.op.type != "Const":
        return None
    source = tensor.op
    return graph._add("Const", [], [tensor.dtype], source.name, dict(source._attrs)).outputs[0]


def _if_gradient(op: Operation, *grads: Any) -> list[Any]:
    branches = [_forward_body(op, a) for a in ("then_branch", "else_branch")]
    pred = op._inputs[0]
    scope = get_default_graph()._name_stack
    extra: list[tuple[int, Tensor, Tensor]] = []  # branch, inner tensor, outer optional
    bodies: list[_GradientGraph] = []
    per_branch: list[list[Any]] = []
    for i, forward in enumerate(branches):
        outer_of = dict(zip(forward.inputs, op._inputs[1:], strict=True))

        def fetch(tensor: Tensor, i: int = i, outer_of: dict = outer_of) -> Tensor:
            body = bodies[i]
            if tensor in outer_of:
                return body._own(outer_of[tensor])
            copied = _constant_in(body, tensor)
            if copied is not None:
                return copied
            optional = _add_if_output(op, branches, i, tensor)
            extra.append((i, tensor, optional))
            inner = body.capture(optional)
            return raw.OptionalGetValue(
                inner, output_types=[tensor.dtype.base_dtype], output_shapes=[tensor.shape]
            )[0]

        body = _GradientGraph(unique_function_name(forward.name, "_grad"), forward, fetch)
        bodies.append(body)
        per_branch.append(_branch_gradients(body, forward, grads))
    results: list[Any] = []
    present: list[int] = []
    for j in range(len(op._inputs) - 1):
        if any(g[j] is not None for g in per_branch):
            present.append(j)
    for body, found, forward in zip(bodies, per_branch, branches, strict=True):
        with body.as_default():
            body.outputs = [
                body._own(gradients.dense(found[j]))
                if found[j] is not None
                else raw.ZerosLike(body._own(forward.inputs[j]))
                for j in present
            ]
    if not present:
        return [None] * len(op._inputs)
    outputs = add_if(pred, bodies[0], bodies[1], scope + "/If")
    for output, j in zip(outputs, present, strict=True):
        output.set_shape(op._inputs[j + 1].shape)
    by_input = dict(zip(present, outputs, strict=True))
    results = [by_input.get(j) for j in range(len(op._inputs) - 1)]
    return [None, *[None if r is None else raw.Identity(r) for r in results]]


def _branch_gradients(body: _GradientGraph, forward: FuncGraph, grads: Sequence[Any]) -> list[Any]:
    """Gradients of one forward body with respect to its inputs, built inside `body`."""
    pairs = [
        (y, g)
        for y, g in zip(forward.outputs, grads, strict=False)
        if g is not None and gradients._trainable(y) and y.dtype.base_dtype is not dtypes.resource
    ]
    xs = forward.inputs
    usable = [
        x
        for x in xs
        if gradients._trainable(x)
        and not x.dtype._is_ref_dtype
        and x.dtype.base_dtype is not dtypes.resource
        # Optionals come from gradients of this node; lists of tensors have gradients.
        and not any(c.type == "OptionalGetValue" for c in x._consumers)
    ]
    if not pairs or not usable:
        return [None] * len(xs)
    with body.as_default():
        inner = [body._own(gradients.dense(g)) for _, g in pairs]
        found = gradients.build([y for y, _ in pairs], usable, inner, source_graph=forward)
    by_input = dict(zip(usable, found, strict=True))
    return [by_input.get(x) for x in xs]


def _add_if_output(
    op: Operation, branches: Sequence[FuncGraph], which: int, tensor: Tensor
) -> Tensor:
    """Make a forward tensor of one branch a further (optional) output of the If node."""
    for i, forward in enumerate(branches):
        with forward.as_default(), forward.control_dependencies(None):
            if i == which:
                forward.outputs.append(raw.OptionalFromValue([tensor]))
            else:
                forward.outputs.append(raw.OptionalNone())
    return _add_output(op, "Tout", dtypes.variant)


def _add_output(op: Operation, types_attr: str, dtype: Any, shape: Any = ()) -> Tensor:
    output = Tensor(op, len(op._outputs), dtype)
    output.set_shape(shape)
    op._outputs.append(output)
    op._attrs[types_attr] = [*op._attrs[types_attr], dtype]
    op._attrs["output_shapes"] = [t.shape for t in op._outputs]
    op.graph._note_mutation()
    return output


opdef.record("If").gradient(_if_gradient)
opdef.record("StatelessIf").gradient(_if_gradient)


# -- While -----------------------------------------------------------------------------------------


def _match_loop(cond_body: FuncGraph, body: FuncGraph, count: int) -> list[Tensor]:
    """Make captures of either body loop variables of both that stay as they are."""
    captured = list(dict.fromkeys([*body.captures, *cond_body.captures]))
    for graph in (cond_body, body):
        for tensor in captured:
            graph.capture(tensor)
        graph.inputs = [*graph.inputs[:count], *(graph.captures[t] for t in captured)]
    body.outputs = [*body.outputs[:count], *(body.captures[t] for t in captured)]
    return captured


def add_while(
    values: Sequence[Tensor],
    cond_body: FuncGraph,
    body: FuncGraph,
    name: str,
    parallel_iterations: int = 10,
) -> list[Tensor]:
    """A `While` node over `values` and what its bodies capture; one output a loop variable."""
    captured = _match_loop(cond_body, body, len(values))
    graph = get_default_graph()
    inputs = [*values, *captured]
    stateful = _stateful(cond_body, body)
    types = [t.dtype if t.dtype._is_ref_dtype else t.dtype.base_dtype for t in inputs]
    node = graph._add(
        "While" if stateful else "StatelessWhile",
        inputs,
        types,
        name,
        {
            "T": _types(inputs),
            "cond": _register(graph, cond_body),
            "body": _register(graph, body),
            "output_shapes": [t.shape for t in body.outputs],
            "parallel_iterations": parallel_iterations,
            "_num_original_outputs": len(inputs),
        },
        skip=2,
    )
    for output, inner in zip(node.outputs, body.inputs, strict=True):
        output.set_shape(inner.shape)
    return node.outputs


def _while_gradient(op: Operation, *grads: Any) -> list[Any]:
    forward = _forward_body(op, "body")
    forward_cond = _forward_body(op, "cond")
    return _WhileGradient(op, forward, forward_cond).build(list(grads))


class _WhileGradient:
    """The gradient of a While node: a loop that runs the turns backwards.

    Loop variables: a counter, the number of forward turns, one gradient for each trainable loop
    variable of the forward node, and the lists of what the forward turns left behind.
    """

    def __init__(self, op: Operation, forward: FuncGraph, forward_cond: FuncGraph):
        self.op = op
        self.forward = forward
        self.forward_cond = forward_cond
        self.lists: dict[Tensor, Tensor] = {}  # forward inner tensor -> outer list after the loop
        # Outputs past these are lists that other gradients of this loop need: no gradient is
        # theirs.
        count = op._attrs["_num_original_outputs"]
        self.trainable = [
            i
            for i in range(count)
            if gradients._trainable(op._inputs[i])
            and not op._inputs[i].dtype._is_ref_dtype
            and op._inputs[i].dtype.base_dtype is not dtypes.resource
        ]
        self.invariant = {
            forward.inputs[i]: op._inputs[i]
            for i in range(count)
            if forward.outputs[i] is forward.inputs[i]
        }

    def build(self, grads: list[Any]) -> list[Any]:
        op, forward = self.op, self.forward
        start: list[Tensor] = []
        for i in self.trainable:
            grad = grads[i]
            start.append(
                gradients.zeros_like(op._outputs[i]) if grad is None else gradients.dense(grad)
            )
        turns = op._outputs[0]
        body = _GradientGraph(unique_function_name(forward.name, "_grad"), forward, self._fetch)
        self.body = body
        counter = body.add_input(dtypes.int32, [], "placeholder")
        inner_turns = body.add_input(dtypes.int32, [], "placeholder")
        inner_grads = [
            body.add_input(s.dtype, _loop_shape(s, op._outputs[i]), "placeholder")
            for s, i in zip(start, self.trainable, strict=True)
        ]
        self.list_updates: dict[Tensor, Tensor] = {}
        with body.as_default():
            ys = [forward.outputs[i] for i in self.trainable]
            xs = [forward.inputs[i] for i in self.trainable]
            found = gradients.build(ys, xs, inner_grads, source_graph=forward)
            outputs: list[Tensor] = [raw.AddV2(counter, 1), inner_turns]
            for x, grad in zip(xs, found, strict=True):
                if grad is None:
                    outputs.append(raw.ZerosLike(body._own(x)))
                else:
                    outputs.append(raw.Identity(gradients.dense(grad)))
            outputs = [body._own(o) for o in outputs]
        # The lists become loop variables: each turn takes the last entry off.
        list_values: list[Tensor] = []
        for outer, inner_list in self.list_updates.items():
            placeholder = body.captures.pop(outer)
            body._captured.pop(placeholder)
            body.inputs.remove(placeholder)
            body.inputs.insert(2 + len(inner_grads) + len(list_values), placeholder)
            list_values.append(outer)
            outputs.append(inner_list)
        body.outputs = outputs
        values = [_const(0), turns, *start, *list_values]
        cond = FuncGraph(unique_function_name(self.forward_cond.name, "_grad"))
        with cond.as_default():
            inputs = [
                cond.add_input(v.dtype, None if k > 1 else [], "placeholder")
                for k, v in enumerate(values)
            ]
            cond.outputs = [raw.Less(inputs[0], inputs[1])]
        scope = get_default_graph()._name_stack
        results = add_while(values, cond, body, scope + "/while_grad")
        answer: list[Any] = [None] * len(op._inputs)
        for place, i in enumerate(self.trainable):
            answer[i] = raw.Identity(results[2 + place])
        return answer

    def _fetch(self, tensor: Tensor) -> Tensor:
        """A tensor of the forward body, of the turn that is being gone through backwards."""
        body = self.body
        if tensor in self.invariant:
            return body._own(self.invariant[tensor])
        copied = _constant_in(body, tensor)
        if copied is not None:
            return copied
        outer = self.lists.get(tensor)
        if outer is None:
            outer = self.lists[tensor] = self._accumulate(tensor)
        current = body.capture(outer, "list")
        taken = raw.TensorListPopBack(
            current, _element_shape(tensor), element_dtype=tensor.dtype.base_dtype
        )
        self.list_updates[outer] = taken[0]
        value = taken[1]
        value.set_shape(tensor.shape)
        return value

    def _accumulate(self, tensor: Tensor) -> Tensor:
        """Let the forward loop push a tensor of its body on a list each turn; the final list."""
        op, forward = self.op, self.forward
        dtype = tensor.dtype.base_dtype
        graph = op.graph
        with graph.as_default(), graph.control_dependencies(None):
            empty = raw.EmptyTensorList(
                _element_shape(tensor), -1, element_dtype=dtype, name="accumulator"
            )
        inner = forward.add_input(dtypes.variant, [], "accumulator")
        with forward.as_default(), forward.control_dependencies(None):
            pushed = raw.TensorListPushBack(inner, tensor, element_dtype=dtype)
        forward.outputs.append(pushed)
        self.forward_cond.add_input(dtypes.variant, [], "accumulator")
        op._inputs.append(empty)
        empty._consumers.append(op)
        return _add_output(op, "T", dtypes.variant)


def _const(value: int) -> Tensor:
    from relight.ops.constants import constant

    return constant(value, name="grad_counter")


def _loop_shape(start: Tensor, output: Tensor) -> Any:
    return start.shape.most_specific_compatible_shape(output.shape)


def _element_shape(tensor: Tensor) -> Any:
    static = tensor.shape
    if static._sizes is None:
        return -1
    return [-1 if s is None else s for s in static._sizes] or _empty_shape()


def _empty_shape() -> Any:
    import numpy as np

    return np.zeros([0], np.int32)


opdef.record("While").gradient(_while_gradient)
opdef.record("StatelessWhile").gradient(_while_gradient)
