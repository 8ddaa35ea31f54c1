"""`cond`, `case`, `switch_case` and `while_loop`, as structured `If` and `While` nodes.

The branches and bodies become function graphs (`relight.graph.function.FuncGraph`); the tensors
that they use from outside are captured. Gradients are built in `relight.ops.control`.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.function import FuncGraph, unique_function_name
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, known_value
from relight.ops.control import add_if, add_while
from relight.v1.functions import nest


def _components(value: Any) -> list[Tensor]:
    """The tensors of a value: itself, or the parts of a sparse or sliced one."""
    if isinstance(value, SparseTensor):
        return [value.indices, value.values, value.dense_shape]
    if isinstance(value, IndexedSlices):
        parts = [value.values, value.indices]
        return parts if value.dense_shape is None else [*parts, value.dense_shape]
    flow = getattr(value, "_flow_components", None)  # TensorArray
    return flow() if flow is not None else [value]


def _recompose(template: Any, parts: Sequence[Tensor]) -> Any:
    if isinstance(template, SparseTensor):
        return SparseTensor(*parts)
    if isinstance(template, IndexedSlices):
        return IndexedSlices(*parts)
    rebuild = getattr(template, "_from_components", None)
    return rebuild(parts) if rebuild is not None else parts[0]


def _is_value(item: Any) -> bool:
    return isinstance(item, (Tensor, SparseTensor, IndexedSlices)) or hasattr(
        item, "_flow_components"
    )


def _as_value(item: Any) -> Any:
    """A branch's result as tensor; an operation becomes a constant that waits for it."""
    if isinstance(item, Operation):
        with get_default_graph().control_dependencies([item]):
            return constant(True, name="done")
    if _is_value(item):
        return item
    return convert_to_tensor(item)


def _build(
    name: str, function: Callable[..., Any], arguments: Sequence[Any] = (), nodes_before: int = 0
) -> Any:
    """(body graph, structure of its result): `function` traced in a new FuncGraph.

    `nodes_before`: how many nodes come before it where TensorFlow counts them for seeds.
    """
    body = FuncGraph(name)
    body._counts_on = True
    body._node_count = nodes_before
    with body.as_default():
        result = function(*arguments)
    return body, result


def _finish_branch(body: FuncGraph, result: Any) -> list[Any]:
    with body.as_default():
        values = [_as_value(v) for v in nest.flatten(result)]
        parts = [p for v in values for p in _components(v)]
        parts = [raw.Identity(p) if p.dtype._is_ref_dtype else p for p in parts]
        body.outputs = [body._own(p) for p in parts]
    return values


@export("cond")
def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """`true_fn()` if the scalar bool `pred` holds, else `false_fn()`: only that one runs.

    Both must give the same structure of tensors with the same types; single-item lists are opened
    unless `strict`. Raises TypeError for functions that cannot be called or a Python bool as
    `pred`, ValueError and TypeError when the branches' results differ.
    """
    if fn1 is not None:
        if true_fn is not None:
            raise TypeError("cond(): true_fn and fn1 may not be set simultaneously.")
        true_fn = fn1
    elif true_fn is None:
        raise TypeError("cond(): true_fn argument required")
    if fn2 is not None:
        if false_fn is not None:
            raise TypeError("cond(): false_fn and fn2 may not be set simultaneously.")
        false_fn = fn2
    elif false_fn is None:
        raise TypeError("cond(): false_fn argument required")
    if not callable(true_fn):
        raise TypeError("true_fn must be callable.")
    if not callable(false_fn):
        raise TypeError("false_fn must be callable.")
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool")
    with name_scope(name, "cond", [pred]) as scope:
        pred = convert_to_tensor(pred, name="pred")
        if pred.dtype.base_dtype is not dtypes.bool:
            raise TypeError(f"pred must be a bool tensor, not {pred.dtype.name}")
        graph = get_default_graph()
        # Default seeds count nodes. TensorFlow makes Switch, switch_t, switch_f and pred_id here,
        # a Switch for each capture, and a Merge for each output.
        count = graph._node_count + 4
        captured = len(_captures(graph))
        then_body, then_result = _build(
            unique_function_name(scope, "true"), true_fn, nodes_before=count
        )
        then_values = _finish_branch(then_body, then_result)
        count = then_body._node_count
        else_body, else_result = _build(
            unique_function_name(scope, "false"), false_fn, nodes_before=count
        )
        else_values = _finish_branch(else_body, else_result)
        _check_same(then_result, else_result, then_values, else_values)
        if not then_values:  # nothing to give back: an operation that runs the chosen branch
            for body in (then_body, else_body):
                with body.as_default():
                    body.outputs = [constant(True, name="done")]
        count = else_body._node_count + len(else_body.outputs)
        outputs = add_if(pred, then_body, else_body, scope)
        count += len(_captures(graph)) - captured
        for output, a, b in zip(outputs, then_body.outputs, else_body.outputs, strict=True):
            output.set_shape(a.shape.most_specific_compatible_shape(b.shape))
        if then_result is None and else_result is None:
            graph._node_count = count
            return outputs[0].op
        with name_scope(scope):
            identities = [raw.Identity(o) if not _is_handle(o) else o for o in outputs]
        packed = _pack(then_result, then_values, identities)
        graph._node_count = count
    if not strict:
        packed = _unpack_single(packed)
    return packed


def _is_handle(tensor: Tensor) -> bool:
    return tensor.dtype.base_dtype in (dtypes.resource, dtypes.variant)


def _pack(structure: Any, values: Sequence[Any], outputs: Sequence[Tensor]) -> Any:
    rebuilt, position = [], 0
    for value in values:
        count = len(_components(value))
        rebuilt.append(_recompose(value, outputs[position : position + count]))
        position += count
    return nest.pack_sequence_as(structure, rebuilt)


def _unpack_single(result: Any) -> Any:
    if isinstance(result, (list, tuple)) and len(result) == 1 and not hasattr(result, "_fields"):
        return result[0]
    return result


def _check_same(then_result: Any, else_result: Any, then_values: Any, else_values: Any) -> None:
    if (then_result is None) != (else_result is None):
        raise ValueError("true_fn and false_fn must both return None or both return a value.")
    if len(then_values) != len(else_values):
        raise ValueError(
            "Cannot return different number of outputs from the two branches of cond: "
            f"{len(then_values)} and {len(else_values)}"
        )
    try:
        nest.assert_same_structure(then_result, else_result)
    except (ValueError, TypeError) as error:
        raise TypeError(f"Incompatible return types of true_fn and false_fn: {error}") from None
    for a, b in zip(then_values, else_values, strict=True):
        parts_a, parts_b = _components(a), _components(b)
        if type(a) is not type(b) or len(parts_a) != len(parts_b):
            raise TypeError(
                "Incompatible return types of true_fn and false_fn: "
                f"{type(a).__name__} and {type(b).__name__}"
            )
        for x, y in zip(parts_a, parts_b, strict=True):
            if x.dtype.base_dtype != y.dtype.base_dtype:
                raise ValueError(
                    "Outputs of true_fn and false_fn must have the same type: "
                    f"{x.dtype.base_dtype.name}, {y.dtype.base_dtype.name}"
                )


def smart_cond(
    pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None
) -> Any:
    """`cond`, decided at once when `pred` is a Python bool, 0, 1 or a constant tensor."""
    known = smart_constant_value(pred)
    if known is not None:
        return true_fn() if known else false_fn()
    return cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)


def smart_constant_value(pred: Any) -> bool | None:
    """The bool that `pred` is bound to be, or None. TypeError when it is no bool at all."""
    if isinstance(pred, Tensor):
        value = known_value(pred)
        return None if value is None else bool(value)
    if hasattr(pred, "_as_graph_element"):
        return None
    if isinstance(pred, bool) or (isinstance(pred, int) and pred in (0, 1)):
        return bool(pred)
    if hasattr(pred, "item") and getattr(pred, "ndim", 1) == 0:
        return bool(pred)
    raise TypeError(f"`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: {pred}")


# -- case ------------------------------------------------------------------------------------------


@export("case")
def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """The result of the first function whose predicate holds, else of `default`.

    `pred_fn_pairs` is a list of (bool scalar, callable) or a dict of them. With `exclusive`, more
    than one true predicate is an error while running.
    """
    pairs = _case_pairs(pred_fn_pairs, exclusive)
    with name_scope(name, "case", [p for p, _ in pairs]):
        if default is None:
            *rest, (last_pred, last_fn) = pairs
            default = _guarded(last_pred, last_fn, [p for p, _ in pairs])
            pairs = rest
        if not callable(default):
            raise TypeError("default must be callable.")
        chain = default
        for pred, function in reversed(pairs):
            chain = functools.partial(
                cond, pred, true_fn=function, false_fn=chain, strict=strict, name="cond"
            )
        if not exclusive:
            return chain()
        every = raw.Pack([p for p, _ in _case_pairs(pred_fn_pairs, exclusive)], name="preds_c")
        count = raw.Sum(raw.Cast(every, DstT=dtypes.int32), [0], name="num_true_conds")
        at_most_one = raw.Less(count, 2, name="at_most_one_true_cond")
        message = "case: more than one of the conditions evaluated as True but exclusive=True"
        with get_default_graph().control_dependencies([raw.Assert(at_most_one, [message, every])]):
            return chain()


def _guarded(pred: Tensor, function: Callable[[], Any], every: list[Tensor]) -> Callable[[], Any]:
    def last() -> Any:
        message = "None of the conditions evaluated as True. Conditions: "
        with get_default_graph().control_dependencies(
            [raw.Assert(pred, [message, raw.Pack(every)])]
        ):
            return nest.map_structure(
                lambda v: raw.Identity(v) if isinstance(v, Tensor) else v, function()
            )

    return last


def _case_pairs(pred_fn_pairs: Any, exclusive: bool) -> list[tuple[Tensor, Callable[[], Any]]]:
    if isinstance(pred_fn_pairs, dict):
        if isinstance(pred_fn_pairs, collections.OrderedDict) or not exclusive:
            items = list(pred_fn_pairs.items())
        else:
            items = sorted(pred_fn_pairs.items(), key=lambda i: i[0].name)
    elif isinstance(pred_fn_pairs, (list, tuple)):
        items = list(pred_fn_pairs)
    else:
        raise TypeError("fns must be a list, tuple, or dict")
    if not items:
        raise ValueError("pred_fn_pairs must not be empty")
    for item in items:
        if not isinstance(item, tuple) or len(item) != 2:
            raise TypeError("Each entry in pred_fn_pairs must be a 2-tuple")
        if not isinstance(item[0], Tensor) or item[0].dtype.base_dtype is not dtypes.bool:
            raise TypeError("pred must be a tf.bool Tensor")
        if not callable(item[1]):
            raise TypeError(f"fn for pred {item[0].name} must be callable.")
    return items


@export("switch_case")
def switch_case(
    branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case"
) -> Any:
    """The result of the branch that the int32 scalar `branch_index` names, else of `default`."""
    if isinstance(branch_fns, dict):
        pairs = sorted(branch_fns.items())
    else:
        pairs = list(
            branch_fns if branch_fns and isinstance(branch_fns[0], tuple) else enumerate(branch_fns)
        )
    if not pairs:
        raise ValueError("branch_fns must not be empty")
    if default is None:
        default = pairs[-1][1]
    with name_scope(name, "switch_case", [branch_index]):
        index = convert_to_tensor(branch_index, dtype=dtypes.int32, name="branch_index")
        chain = default
        for key, function in reversed(pairs):
            chain = functools.partial(
                cond, raw.Equal(index, key), true_fn=function, false_fn=chain, name="cond"
            )
        return chain()


# -- loops -----------------------------------------------------------------------------------------


@export("while_loop")
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Shapes must stay the same from turn to turn unless `shape_invariants` allows less. Raises
    TypeError and ValueError for functions that cannot be called, empty `loop_vars`, a body whose
    result has another structure, type or shape.
    """
    del swap_memory, back_prop
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    if not nest.is_sequence(loop_vars) or not loop_vars:
        if not loop_vars and not isinstance(loop_vars, Tensor):
            raise ValueError("No loop variables provided")
        loop_vars = [loop_vars]
    with name_scope(name, "while", nest.flatten(loop_vars)) as scope:
        loop = _Loop(cond, body, loop_vars, shape_invariants, maximum_iterations, scope)
        result = loop.build(parallel_iterations)
    if return_same_structure:
        return result
    return _unpack_single(result)


def _captures(graph: Any) -> Any:
    """What a body captures; nothing for the program's graph."""
    return graph.captures if isinstance(graph, FuncGraph) else ()


class _Loop:
    """The making of one While node."""

    def __init__(
        self, cond: Any, body: Any, loop_vars: Any, invariants: Any, maximum: Any, scope: str
    ):
        self.cond, self.body = cond, body
        self.structure = (
            list(loop_vars)
            if isinstance(loop_vars, tuple) and not hasattr(loop_vars, "_fields")
            else loop_vars
        )
        self.scope = scope
        self.values = [
            v if _is_value(v) else convert_to_tensor(v) for v in nest.flatten(self.structure)
        ]
        self.parts = [p for v in self.values for p in _components(v)]
        self.parts = [raw.Identity(p) if p.dtype._is_ref_dtype else p for p in self.parts]
        self.shapes = self._invariants(invariants)
        self.maximum = maximum

    def _invariants(self, invariants: Any) -> list[TensorShape]:
        if invariants is None:
            return [p.shape for p in self.parts]
        flat = nest.flatten_up_to(self.structure, invariants)
        shapes: list[TensorShape] = []
        for value, given in zip(self.values, flat, strict=True):
            parts = _components(value)
            if len(parts) == 1:
                shape = given if isinstance(given, TensorShape) else TensorShape(given)
                if not shape.is_compatible_with(parts[0].shape):
                    raise ValueError(
                        f"The shape invariant specified for {parts[0].name} is not compatible "
                        f"with the initial shape of the loop variable. It enters the loop with "
                        f"shape {parts[0].shape}, but the specified shape invariant is {shape}."
                    )
                shapes.append(shape)
            elif isinstance(value, SparseTensor):
                shape = TensorShape(given)
                shapes += [
                    TensorShape([None, shape.rank]),
                    TensorShape([None]),
                    TensorShape([shape.rank]),
                ]
            else:
                shapes += [TensorShape(None)] * len(parts)
        return shapes

    def _traced(self, graph: FuncGraph, function: Any, count: int) -> Any:
        """Call a user's function with the placeholders of a body graph.

        `count`: the nodes before it, where TensorFlow's dataflow form counts them for seeds.
        """
        with graph.as_default():
            counter = graph.add_input(dtypes.int32, [], "while_loop_counter")
            maximum = graph.add_input(dtypes.int32, [], "while_maximum_iterations")
            inner = [
                graph.add_input(p.dtype, s, "placeholder")
                for p, s in zip(self.parts, self.shapes, strict=True)
            ]
            structured = self._pack(inner)
            graph._counts_on = True
            graph._node_count = count
            arguments = structured if isinstance(structured, (list, tuple)) else [structured]
            return counter, maximum, inner, function(*arguments)

    def _pack(self, parts: Sequence[Tensor]) -> Any:
        return _pack(self.structure, self.values, parts)

    def build(self, parallel_iterations: int) -> Any:
        graph = get_default_graph()
        # Default seeds count nodes. TensorFlow makes Enter, Merge, Switch, Identity, NextIteration
        # and Exit for each loop variable, a LoopCond, an Enter for each capture; with a limit a
        # counter is one of the variables: a constant, compared (the limit is captured) and added.
        limited = self.maximum is not None
        wide = len(self.parts) + limited
        captured = len(_captures(graph))
        count = graph._node_count + (limited and 1 + (not isinstance(self.maximum, Tensor)))
        maximum = (
            constant(-1, name="maximum_iterations")
            if self.maximum is None
            else (convert_to_tensor(self.maximum, dtype=dtypes.int32, name="maximum_iterations"))
        )
        counter = constant(0, name="loop_counter")
        cond_graph = FuncGraph(unique_function_name(self.scope, "cond"))
        body_graph = FuncGraph(unique_function_name(self.scope, "body"))
        before = count + 2 * wide + 2 * limited
        c_counter, c_maximum, _, answer = self._traced(cond_graph, self.cond, before)
        with cond_graph.as_default():
            answer = convert_to_tensor(_unpack_single(answer))
            if answer.dtype.base_dtype is not dtypes.bool:
                raise TypeError(f"The loop condition must be a bool, not {answer.dtype.name}")
            count = cond_graph._node_count + limited
            if limited:
                answer = raw.LogicalAnd(raw.Less(c_counter, c_maximum), answer)
            cond_graph.outputs = [cond_graph._own(answer)]
        before = count + 1 + 2 * wide + 2 * limited
        b_counter, b_maximum, inner, result = self._traced(body_graph, self.body, before)
        with body_graph.as_default():
            outputs = [body_graph._own(o) for o in self._body_outputs(result)]
            shared = sum(t in cond_graph.captures for t in body_graph.captures)
            count = body_graph._node_count - shared + 2 * wide
            body_graph.outputs = [raw.AddV2(b_counter, 1), b_maximum, *outputs]
        self._check_shapes(inner, outputs)
        results = add_while(
            [counter, maximum, *self.parts],
            cond_graph,
            body_graph,
            self.scope,
            parallel_iterations,
        )
        for tensor, shape in zip(results[2:], self.shapes, strict=False):
            tensor.set_shape(shape)
        with name_scope(self.scope):
            identities = [o if _is_handle(o) else raw.Identity(o) for o in results]
        graph._node_count = count + len(_captures(graph)) - captured
        return self._pack(identities[2 : 2 + len(self.parts)])

    def _body_outputs(self, result: Any) -> list[Tensor]:
        if not nest.is_sequence(result) or (
            isinstance(result, dict) and not isinstance(self.structure, dict)
        ):
            result = [result]
        if isinstance(result, tuple) and not hasattr(result, "_fields"):
            result = list(result)
        structure = self.structure
        if (
            isinstance(structure, (list, tuple))
            and len(structure) == 1
            and (len(nest.flatten(result)) == len(self.values))
            and len(result) != 1
        ):
            result = [result]
        try:
            nest.assert_same_structure(structure, result)
        except (ValueError, TypeError) as error:
            raise ValueError(
                "The two structures don't have the same nested structure: the loop variables and "
                f"what body returns. {error}"
            ) from None
        outputs: list[Tensor] = []
        for template, value in zip(self.values, nest.flatten(result), strict=True):
            if not _is_value(value):
                if isinstance(value, Operation):
                    raise TypeError(f"body must return tensors, not the operation {value.name}")
                first = _components(template)[0]
                value = convert_to_tensor(value, preferred_dtype=first.dtype.base_dtype)
            outputs += _components(value)
        outputs = [raw.Identity(o) if o.dtype._is_ref_dtype else o for o in outputs]
        for before, after in zip(self.parts, outputs, strict=True):
            if before.dtype.base_dtype != after.dtype.base_dtype:
                raise TypeError(
                    f"Loop var {before.name} enters the loop with type "
                    f"{before.dtype.base_dtype!r} but has type {after.dtype.base_dtype!r} after 1 "
                    "iteration."
                )
        return outputs

    def _check_shapes(self, inner: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        for before, shape, after in zip(inner, self.shapes, outputs, strict=True):
            if _is_handle(before):
                continue
            if not _no_less_general(shape, after.shape):
                start = self.parts[list(inner).index(before)]
                raise ValueError(
                    f"Input tensor '{start.name}' enters the loop with shape {shape}, but has "
                    f"shape {after.shape} after one iteration. To allow the shape to vary across "
                    "iterations, use the `shape_invariants` argument of tf.while_loop to specify "
                    "a less-specific shape."
                )


def _no_less_general(invariant: TensorShape, shape: TensorShape) -> bool:
    """Whether every shape that `shape` allows is allowed by `invariant`."""
    if invariant._sizes is None:
        return True
    if shape._sizes is None or len(shape._sizes) != len(invariant._sizes):
        return False
    return all(i is None or i == s for i, s in zip(invariant._sizes, shape._sizes, strict=True))
