"""`tf.custom_gradient` and its kin: functions that bring their own gradient."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes, gradients
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1 import logging, nest
from relight.v1.functions.control_flow import while_loop
from relight.v1.functions.resource_variables import is_resource_variable
from relight.v1.functions.variable_scope import get_variable_scope

_uids = itertools.count(1)
_HOLDERS = ("VariableV2", "VarHandleOp")


@export("custom_gradient")
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: `f(*tensors)` gives (result, function from its gradients to those of tensors).

    When `f` uses variables they must be resource variables, and the gradient function takes a
    keyword `variables` and gives (gradients of tensors, gradients of variables). Raises ValueError
    for keyword arguments of `f` and TypeError for variables that it does not account for.
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when "
                "eager execution is enabled."
            )
        return _apply(f, args)

    return decorated


def _scope_variables() -> list[Any]:
    scope = get_variable_scope()
    return scope.global_variables() + scope.local_variables()


def _apply(f: Callable[..., Any], args: Any) -> Any:
    tensors = [convert_to_tensor(a) for a in args]
    before = set(_scope_variables())
    result, grad_fn = f(*tensors)
    for variable in _scope_variables():
        if variable not in before and not is_resource_variable(variable):
            raise TypeError(
                "All variables used by a function wrapped with @custom_gradient must be "
                "`ResourceVariable`s. Ensure that no `variable_scope` is created with "
                "`use_resource=False`."
            )
    results = nest.flatten(result)
    variables = _used_variables(tensors, results)
    _check_signature(grad_fn, variables)
    count = len(results)

    def gradient(_: Any, *grads: Any) -> list[Any]:
        grads = grads[:count]
        if not variables:
            return [None] * count + nest.flatten(grad_fn(*grads))
        input_grads, variable_grads = grad_fn(*grads, variables=variables)
        if len(variable_grads) != len(variables):
            raise ValueError(
                "Must return gradient for each variable from @custom_gradient grad_fn."
            )
        return [None] * count + nest.flatten(input_grads) + list(variable_grads)

    graph = get_default_graph()
    name = f"CustomGradient-{next(_uids)}"
    graph._gradient_functions[name] = gradient
    with graph.gradient_override_map({"IdentityN": name}):
        passed = raw.IdentityN([*results, *tensors, *variables])
    for variable in variables:
        convert_to_tensor(variable)  # TensorFlow's tape reads them here
    return nest.pack_sequence_as(result, passed[:count])


def _used_variables(tensors: list[Tensor], results: list[Any]) -> list[Any]:
    """The trainable variables between the arguments and the results."""
    stops = set(tensors)
    waiting = [raw.Identity(r) for r in results]
    seen = set()
    holders = set()
    while waiting:
        tensor = waiting.pop()
        if tensor in stops or tensor.op in seen:
            continue
        seen.add(tensor.op)
        if tensor.op.type in _HOLDERS:
            holders.add(tensor.op)
        waiting.extend(tensor.op._inputs)
    found = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)
    return [v for v in found if v.op in holders and v.trainable]


def _check_signature(grad_fn: Callable[..., Any], variables: list[Any]) -> None:
    parameters = inspect.signature(grad_fn).parameters.values()
    named = any(p.name == "variables" or p.kind is p.VAR_KEYWORD for p in parameters)
    if variables and not named:
        raise TypeError(
            "If using @custom_gradient with a function that uses variables, then grad_fn must "
            "accept a keyword argument 'variables'."
        )
    if named and not variables:
        if not get_variable_scope().use_resource:
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, the enclosing "
                "variable scope must have use_resource=True."
            )
        logging.warn(
            "@custom_gradient grad_fn has 'variables' in signature, but no ResourceVariables were "
            "used on the forward pass."
        )


@export("recompute_grad")
def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function like `f` whose gradient computes `f` again instead of keeping its values."""

    @custom_gradient
    def inner(*args: Any, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)

        def grad(dresult: Any, variables: Any = None) -> Any:
            own = [] if variables is None else list(variables)
            with get_default_graph().control_dependencies([dresult]):
                again = f(*args, **kwargs)
            found = gradients.gradients(again, [*args, *own], grad_ys=[dresult])
            return found[: len(args)], found[len(args) :]

        return result, grad

    return inner


@export("grad_pass_through")
def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function like `f` that hands the gradient of its result on as that of its arguments."""

    @custom_gradient
    def passing(*args: Any, **kwargs: Any) -> Any:
        def grad(*grads: Any, **kwargs: Any) -> Any:
            variables = kwargs.get("variables")
            if variables is not None:
                return grads, [None] * len(variables)
            return grads

        return f(*args, **kwargs), grad

    return passing


@export("hessians")
def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Tensor]:
    """The second derivatives of sum(ys) by each x: [*x.shape, *x.shape], row by row."""
    del name
    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    first = gradients.gradients(
        ys,
        xs,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
    )
    found = []
    for grad, x in zip(first, xs, strict=True):
        x = convert_to_tensor(x)
        flat = array_nodes.reshape(grad, [-1])
        count = array_nodes.size(x)
        rows = raw.TensorListReserve(array_nodes.shape(x), count, element_dtype=x.dtype.base_dtype)

        def add_row(i: Tensor, rows: Tensor, flat: Tensor = flat, x: Tensor = x) -> Any:
            row = gradients.gradients(flat[i], x)[0]
            return i + 1, raw.TensorListSetItem(rows, i, row)

        _, rows = while_loop(lambda i, _, count=count: i < count, add_row, [constant(0), rows])
        stacked = raw.TensorListStack(rows, array_nodes.shape(x), element_dtype=x.dtype.base_dtype)
        shape = array_nodes.shape(x)
        found.append(array_nodes.reshape(stacked, array_nodes.concat((shape, shape), 0)))
    return found
