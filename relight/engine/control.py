"""`If` and `While`: function bodies planned like graphs, run as real Python `if` and `while`."""

from __future__ import annotations

from typing import Any

from relight.engine.steps import Step, Value
from relight.graph import dtypes, errors
from relight.graph.node import Operation

NODES = frozenset(("If", "StatelessIf", "While", "StatelessWhile"))


def kind_of(tensor: Any) -> str:
    """How a value travels in and out of a body: torch tensor, host array or resource itself."""
    if tensor.dtype._is_ref_dtype or tensor.dtype.base_dtype in (dtypes.resource, dtypes.variant):
        return "R"
    return "H" if tensor.dtype.base_dtype is dtypes.string else "T"


def body_plan(node: Operation, attr: str) -> Any:
    """The plan of the function that an attr of a node names, made once a function."""
    from relight.engine import plan

    name = str(node._attrs[attr])
    function = node.graph._get_function(name)
    if function is None:
        raise errors.NotFoundError(
            node.node_def, node, f"Function {name} is not defined in the graph of {node.name}"
        )
    made = function._plans.get("body")
    if made is None or made[0] != (function._mutations, len(function.outputs)):
        body = plan.make(function, list(function.outputs), list(function.inputs), body=True)
        made = function._plans["body"] = ((function._mutations, len(function.outputs)), body)
    return made[1]


def truth(node: Operation, value: Any) -> bool:
    """Whether a condition holds: a bool, else a non-zero number or non-empty string or tensor."""
    if hasattr(value, "numel"):
        return bool(value) if value.ndim == 0 else value.numel() > 0
    if hasattr(value, "ndim") and value.ndim == 0:
        return bool(value.item())
    return len(value) > 0


def lower(node: Operation, arguments: list[Any], outputs: list[Value | None]) -> Step:
    """The step of an If or While node."""
    function = _if(node) if node.type in ("If", "StatelessIf") else _while(node)
    return Step(
        node.type, function, arguments, outputs, node, takes_session=True, nodes=(node,),
        fresh=False,
    )


def _if(node: Operation) -> Any:
    then_plan = body_plan(node, "then_branch")
    else_plan = body_plan(node, "else_branch")

    def run_if(state: Any, condition: Any, inputs: list[Any]) -> list[Any]:
        chosen = then_plan if truth(node, condition) else else_plan
        return run_body(chosen, state, inputs)

    return run_if


def _while(node: Operation) -> Any:
    cond_plan = body_plan(node, "cond")
    inner_plan = body_plan(node, "body")

    def run_while(state: Any, values: list[Any]) -> list[Any]:
        while truth(node, run_body(cond_plan, state, values)[0]):
            values = run_body(inner_plan, state, values)
        return values

    return run_while


def run_body(plan: Any, state: Any, inputs: list[Any]) -> list[Any]:
    """Run a body; an error in it names the body's node."""
    try:
        return plan.function(state, inputs)
    except Exception as error:
        from relight.engine import explain

        made = explain.explain(plan, error)
        if made is error:
            raise
        raise made from error
