"""`If`, `While` and calls: function bodies planned like graphs, run as Python `if` and `while`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from relight.engine import known_shapes
from relight.engine.shape_lists import only_shapes_read
from relight.engine.steps import Step, Value
from relight.graph import dtypes, errors, opdef
from relight.graph.node import Operation
from relight.ops.gemm import RowsOf, SumOfProducts
from relight.ops.lists import ListValue, ShapeList

Placed = dict[Operation, Any] | None  # the devices of the operations, where there are several
NODES = frozenset(("If", "StatelessIf", "While", "StatelessWhile"))
CALLS = frozenset(("PartitionedCall", "StatefulPartitionedCall"))


def kind_of(tensor: Any) -> str:
    """How a value travels in and out of a body: torch tensor, host array or resource itself."""
    if tensor.dtype._is_ref_dtype or tensor.dtype.base_dtype in (dtypes.resource, dtypes.variant):
        return "R"
    return "H" if tensor.dtype.base_dtype is dtypes.string else "T"


class Body:
    """A function that a node runs: plans for the shapes that its inputs come with.

    `keep`: only these outputs (and, of a loop, these inputs) are wanted. `loop`: each output is
    the next turn's input, so a shape holds only if the function keeps it. `only_handed_on`: see
    `Plan`.
    """

    def __init__(
        self,
        node: Operation,
        attr: str | None,
        keep: Sequence[int] | None = None,
        loop: bool = False,
        outputs: bool = True,
        placed: Placed = None,
        only_handed_on: frozenset[int] = frozenset(),
    ):
        name = node.type if attr is None else str(node._attrs[attr])
        function = node.graph._get_function(name)
        if function is None:
            raise errors.NotFoundError(
                node.node_def, node, f"Function {name} is not defined in the graph of {node.name}"
            )
        self.function, self.loop, self._placed = function, loop, placed
        self.inputs, self.outputs = list(function.inputs), list(function.outputs)
        if keep is not None and outputs:
            self.outputs = [self.outputs[i] for i in keep]
        if keep is not None and loop:
            self.inputs = [self.inputs[i] for i in keep]
        self._only_handed_on = only_handed_on
        self.lists = popped_lists(self.inputs, self.outputs if loop and outputs else None)
        self.plans: dict[Any, Any] = {}
        self.general: Any = None

    def plan(self, values: Sequence[Any]) -> Any:
        """The plan for inputs such as these."""
        lists = self.lists
        key = tuple(
            [
                v.shape if type(v) is torch.Tensor else _elements(v) if i in lists else None
                for i, v in enumerate(values)
            ]
        )
        found = self.plans.get(key)
        if found is None:
            found = self._made(key) if len(self.plans) < _MAX_SHAPES else None
            if found is None:
                found = self.general_plan()
            if len(self.plans) < _MAX_SHAPES:
                self.plans[key] = found
        return found

    def general_plan(self) -> Any:
        """The plan for inputs of any shapes."""
        if self.general is None:
            self.general = self._make(None)
        return self.general

    def _make(self, shapes: Any, elements: Any = None) -> Any:
        from relight.engine import plan

        return plan.make(
            self.function,
            self.outputs,
            self.inputs,
            body=True,
            shapes=shapes,
            elements=elements,
            placed=self._placed,
            only_handed_on=self._only_handed_on,
        )

    def _made(self, key: Sequence[Any]) -> Any:
        """The plan for these shapes; in a loop, only for those that a turn leaves as they are."""
        from relight.engine import plan

        shapes = [None if i in self.lists or k is None else tuple(k) for i, k in enumerate(key)]
        elements = {
            t: tuple(k)
            for i, (t, k) in enumerate(zip(self.inputs, key, strict=True))
            if i in self.lists and k is not None
        }
        nodes = plan.prune(self.outputs, set(self.inputs))
        while self.loop and len(self.outputs) == len(self.inputs):
            with known_shapes.fed(self.inputs, shapes, nodes, elements) as fits:
                if not fits:
                    return None
                changed = [
                    i
                    for i, (shape, output) in enumerate(zip(shapes, self.outputs, strict=True))
                    if shape is not None and output._shape._sizes != shape
                ]
            if not changed:
                break
            for i in changed:
                shapes[i] = None
        return self._make(shapes, elements)


def is_call(node: Operation) -> bool:
    """Whether a node calls a function of its graph, by an attr or as its own type."""
    return node.type in CALLS or node.graph._is_function(node.type)


def lower_call(
    node: Operation, arguments: list[Value], outputs: list[Value | None], placed: Placed = None
) -> Step:
    """The step of a node that calls a function."""
    body = Body(node, "f" if node.type in CALLS else None, placed=placed)
    single = len(outputs) == 1

    def call(state: Any, inputs: list[Any]) -> Any:
        given = run_body(body.plan(inputs), state, inputs)
        return given[0] if single else given

    return Step(
        "call", call, [arguments], outputs, node, takes_session=True, fresh=False, nodes=(node,)
    )


_MAX_SHAPES = 6  # further shapes share one plan that knows none


def popped_lists(inputs: Sequence[Any], outputs: Sequence[Any] | None) -> set[int]:
    """Which inputs are lists whose elements stay as they are: handed on, or popped from.

    In a function that is no loop (`outputs` is None) that holds for all lists.
    """
    found = set()
    for i, tensor in enumerate(inputs):
        if tensor.dtype.base_dtype is not dtypes.variant:
            continue
        if outputs is not None and len(outputs) == len(inputs):
            source = outputs[i]
            while source is not tensor and source.op.type == "TensorListPopBack":
                source = source.op._inputs[0]
            if source is not tensor:
                continue
        found.add(i)
    return found


def _elements(value: Any) -> Any:
    """The shape that all elements of a list have, else None."""
    if not isinstance(value, ListValue) or not value.items:
        return None
    first = getattr(value.items[0], "shape", None)
    for item in value.items:
        if type(item) is not torch.Tensor or item.shape != first:
            return None
    return first


def truth(node: Operation, value: Any) -> bool:
    """Whether a condition holds: a bool, else a non-zero number or non-empty string or tensor."""
    if hasattr(value, "numel"):
        return bool(value) if value.ndim == 0 else value.numel() > 0
    if hasattr(value, "ndim") and value.ndim == 0:
        return bool(value.item())
    return len(value) > 0


def lower(
    node: Operation, arguments: list[Any], outputs: list[Value | None], placed: Placed = None
) -> Step:
    """The step of an If or While node."""
    make = _if if node.type in ("If", "StatelessIf") else _while
    function = make(node, None, placed)
    return Step(
        node.type,
        function,
        arguments,
        outputs,
        node,
        takes_session=True,
        nodes=(node,),
        fresh=False,
    )


def _if(node: Operation, keep: Sequence[int] | None, placed: Placed) -> Any:
    then_body = Body(node, "then_branch", keep, placed=placed)
    else_body = Body(node, "else_branch", keep, placed=placed)

    def run_if(state: Any, condition: Any, inputs: list[Any]) -> list[Any]:
        chosen = then_body if truth(node, condition) else else_body
        return run_body(chosen.plan(inputs), state, inputs)

    return run_if


def _while(node: Operation, keep: Sequence[int] | None, placed: Placed) -> Any:
    cond_body = Body(node, "cond", keep, loop=True, outputs=False, placed=placed)
    places = {t: i for i, t in enumerate(cond_body.inputs)}
    asked = {places[t] for t in _sources(cond_body.outputs, places)}
    others = frozenset(places.values()) - asked
    inner_body = Body(node, "body", keep, loop=True, placed=placed, only_handed_on=others)
    lists = only_shapes_read(node)
    hollow = [i for i, k in enumerate(keep or range(len(node._outputs))) if k in lists]

    def run_while(state: Any, values: list[Any]) -> list[Any]:
        cond_plan = cond_body.general_plan()
        inner_plan = None
        for i in hollow:
            values[i] = ShapeList(values[i].items, values[i].element_shape)
        while truth(node, run_body(cond_plan, state, values)[0]):
            if inner_plan is None:
                inner_plan = inner_body.plan(values)
            values = run_body(inner_plan, state, values)
        return [v.total() if type(v) in _SUMS else v for v in values]

    return run_while


_SUMS = (SumOfProducts, RowsOf)


def trim(step: Step, used: set[Value], placed: Placed = None) -> bool:
    """Take from an If or While step what nothing needs; False when nothing of it is needed."""
    node = step.node
    assert node is not None
    wanted = [i for i, v in enumerate(step.outputs) if v is not None and v in used]
    branches = ("then_branch", "else_branch") if "If" in node.type else ("body", "cond")
    functions = [node.graph._get_function(str(node._attrs[a])) for a in branches]
    if None in functions:
        return True  # an error when it is run
    places = _places(step)
    if places is None:
        return True
    if "If" in node.type:
        for function in functions:
            wanted += [i for i, k in enumerate(places) if _effects(function.outputs[k])]
    else:
        wanted = _loop_needs(functions[0], functions[1], places, wanted)
    keep = sorted(set(wanted))
    if not keep:
        return False
    if len(keep) == len(step.outputs):
        return True
    step.outputs = [step.outputs[i] for i in keep]
    kept_places = [places[i] for i in keep]
    step.kept = kept_places
    if "If" in node.type:
        step.function = _if(node, kept_places, placed)
    else:
        step.inputs = [[step.inputs[0][i] for i in keep]]
        step.function = _while(node, kept_places, placed)
    return True


def _places(step: Step) -> list[int] | None:
    """The node's outputs that the step's stand for."""
    return list(range(len(step.outputs))) if step.kept is None else step.kept


def _loop_needs(body: Any, cond: Any, places: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """Positions (in `places`) of the loop variables that the wanted ones and the turns need."""
    position = {k: i for i, k in enumerate(places)}
    body_inputs = {t: k for k, t in enumerate(body.inputs)}
    cond_inputs = {t: k for k, t in enumerate(cond.inputs)}
    needed = {places[i] for i in wanted}
    needed.update(k for k in places if _effects(body.outputs[k]))
    needed.update(cond_inputs[t] for t in _sources(cond.outputs, cond_inputs))
    waiting = list(needed)
    while waiting:
        k = waiting.pop()
        for tensor in _sources([body.outputs[k]], body_inputs):
            other = body_inputs[tensor]
            if other not in needed:
                needed.add(other)
                waiting.append(other)
    return [position[k] for k in needed]


def _sources(tensors: Sequence[Any], inputs: Any) -> list[Any]:
    """Those of `inputs` that the tensors are computed from."""
    found, seen, waiting = [], set(), list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor in inputs:
            found.append(tensor)
            continue
        if tensor.op in seen:
            continue
        seen.add(tensor.op)
        waiting.extend(tensor.op._inputs)
        controls = list(tensor.op._control_inputs)
        while controls:
            op = controls.pop()
            if op not in seen:
                seen.add(op)
                waiting.extend(op._inputs)
                controls.extend(op._control_inputs)
    return found


def _effects(tensor: Any) -> bool:
    """Whether computing a tensor of a function does something, or may raise an error asked for."""
    seen, waiting = set(), [tensor.op]
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        record = opdef.record(op.type)
        if op.type != "Placeholder" and (record.is_stateful or record.writes is not None):
            return True
        if op._control_inputs:
            return True
        waiting.extend(t.op for t in op._inputs)
    return False


# Runs the plans of bodies in place of their generated functions: the profiler.
run_instead: Callable[[Any, Any, list[Any]], list[Any]] | None = None


def run_body(plan: Any, state: Any, inputs: list[Any]) -> list[Any]:
    """Run a body; an error in it names the body's node."""
    try:
        if run_instead is not None:
            return run_instead(plan, state, inputs)
        return plan.function(state, inputs)
    except Exception as error:
        from relight.engine import explain

        explain.raise_explained(plan, error)
