"""Items of old control flow (`relight.engine.flow`) as steps of a plan.

The items of a Block or Loop become a plan of their own, with its own passes, like the body of an
`If` or `While`. A value that was not computed because its condition does not hold is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.engine import control, flow
from relight.engine.steps import Plan, Step, Value
from relight.graph import errors
from relight.graph.node import Operation, Tensor


def lower(lowering: Any, item: Any) -> None:
    """Add the steps of one item to a plan in the making (`plan.Lowering`)."""
    if isinstance(item, flow.Pass):
        lowering._note_writes(item.tensor.op)
        lowering.aliases[item.tensor] = lowering.aliases.get(item.source, item.source)
    elif isinstance(item, flow.Join):
        _join(lowering, item)
    elif isinstance(item, flow.Block):
        _block(lowering, item)
    else:
        _loop(lowering, item)


def check_alive(lowering: Any, tensor: Tensor) -> None:
    """A step that raises InvalidArgumentError when a fetched tensor has no value."""
    kind = control.kind_of(tensor)
    known = (tensor, kind) in lowering.values or tensor in lowering.aliases
    inputs = [lowering.want(tensor, kind)] if known else []
    checked = _made(lowering, tensor)
    lowering.aliases.pop(tensor, None)
    lowering.plan.steps.append(
        Step("alive", _alive, inputs, [checked], takes_session=True, fresh=False)
    )


def _alive(state: Any, value: Any = None) -> Any:
    if value is None:
        raise errors.InvalidArgumentError(None, None, "Retval[0] does not have value")
    return value


def _made(lowering: Any, tensor: Tensor) -> Value:
    kind = control.kind_of(tensor)
    value = Value(tensor, kind)
    lowering.values[tensor, kind] = value
    return value


def _natural(lowering: Any, tensors: Sequence[Tensor]) -> list[Value]:
    return [lowering.want(t, control.kind_of(t)) for t in tensors]


def _body(
    lowering: Any, items: Sequence[Any], inputs: Sequence[Tensor], outputs: Sequence[Tensor]
) -> Plan:
    from relight.engine import plan

    placed = lowering.placed
    inner = plan.Lowering(lowering.plan.graph, list(inputs), list(outputs), True, placed)
    inner.plan.targets = lowering.plan.targets
    # What is written, and before what, is told node by node for the graph as a whole.
    inner.written, inner.written_before = lowering.written, lowering.written_before
    return plan.finish(inner.lower(items), True, placed)


# -- Merge -----------------------------------------------------------------------------------------


def _join(lowering: Any, item: flow.Join) -> None:
    lowering._note_writes(item.node)
    sources = _natural(lowering, [t for _, t in item.choices])
    outputs = [_made(lowering, t) for t in item.node._outputs]
    whole = item.node._outputs[0].dtype._is_ref_dtype
    step = Step(
        "join",
        _first_alive([(i, t.dtype._is_ref_dtype and not whole) for i, t in item.choices]),
        [sources],
        list(outputs),
        item.node,
        takes_session=True,
        fresh=False,
        nodes=(item.node,),
    )
    lowering.plan.steps.append(step)


def _first_alive(choices: list[tuple[int, bool]]) -> Callable[..., Any]:
    """The function of a Merge. `choices`: index, and whether it is a variable to be read."""
    import torch

    indices = [(torch.tensor(i, dtype=torch.int32), reads) for i, reads in choices]

    def join(state: Any, values: list[Any]) -> tuple[Any, Any]:
        for value, (index, reads) in zip(values, indices, strict=True):
            if value is not None:
                return value.read().cpu() if reads else value, index
        return None, None

    return join


# -- conditions ------------------------------------------------------------------------------------


def _block(lowering: Any, block: flow.Block) -> None:
    tensor, side = block.condition
    kind = control.kind_of(tensor)
    source = lowering.aliases.get(tensor, tensor)
    if side is not flow.ALIVE and (source, "H") in lowering.values:
        kind = "H"
    condition = lowering.want(tensor, kind)
    inputs = _natural(lowering, block.inputs)
    body = _body(lowering, block.items, block.inputs, block.outputs)
    outputs: list[Value | None] = [_made(lowering, t) for t in block.outputs]
    lowering.plan.steps.append(
        Step(
            "when" if side is flow.ALIVE or side else "unless",
            _conditional(body, side, len(outputs)),
            [condition, inputs],
            outputs,
            tensor.op,
            takes_session=True,
            fresh=False,
            nodes=_nodes(block.items),
        )
    )


def _conditional(body: Plan, side: Any, count: int) -> Callable[..., Any]:
    nothing = None if count == 1 else [None] * count

    def run(state: Any, condition: Any, inputs: list[Any]) -> Any:
        holds = condition is not None if side is flow.ALIVE else bool(condition) is side
        if not holds:
            return nothing
        outputs = control.run_body(body, state, inputs)
        return outputs[0] if count == 1 else outputs

    return run


def _nodes(items: Sequence[Any]) -> tuple[Operation, ...]:
    found: list[Operation] = []
    for item in items:
        if isinstance(item, Operation):
            found.append(item)
        elif isinstance(item, flow.Join):
            found.append(item.node)
        elif isinstance(item, (flow.Block, flow.Loop)):
            found.extend(_nodes(item.items))
    return tuple(found)


# -- loops -----------------------------------------------------------------------------------------


def _loop(lowering: Any, loop: flow.Loop) -> None:
    values: list[Value] = []
    places: dict[Value, int] = {}

    def place(outer: Tensor | None, inner: Tensor) -> int | None:
        """Where what is entered stands among the inputs, as the Enter gives it: of a reference to
        a variable its value."""
        if outer is None:
            return None
        value = lowering.want(outer, control.kind_of(inner))
        if value not in places:
            places[value] = len(values)
            values.append(value)
        return places[value]

    first, rest = loop.inputs[: len(loop.turning)], loop.inputs[len(loop.turning) :]
    starts = [place(outer, inner) for outer, inner in zip(first, loop.turning, strict=True)]
    known: list[flow.Pass] = []  # a constant of the graph around is one in the loop too
    constants: list[tuple[Tensor, int]] = []
    for outer, inner in zip(rest, loop.constants, strict=True):
        source = None if outer is None else lowering.aliases.get(outer, outer)
        if source is not None and flow.is_constant(source, lowering.fed):
            known.append(flow.Pass(inner, source))
        else:
            at = place(outer, inner)
            assert at is not None
            constants.append((inner, at))
    for tensor in [*loop.turning, *loop.constants]:
        for enter in (t.op for t in tensor.op._inputs if t.op.type in flow.ENTER):
            lowering._note_writes(enter)
        lowering._note_writes(tensor.op)
    feeds = [*loop.turning, *loop.turns, *(inner for inner, _ in constants)]
    body = _body(
        lowering,
        [*known, *loop.items],
        feeds,
        [*loop.again, *loop.leaving],
    )
    for tensor in loop.outputs:
        lowering._note_writes(tensor.op)
    outputs: list[Value | None] = [_made(lowering, t) for t in loop.outputs]
    named = [*loop.outputs, *loop.turning, *loop.constants][0]
    lowering.plan.steps.append(
        Step(
            "loop",
            _turning(body, starts, len(loop.turns), [p for _, p in constants], len(outputs)),
            [values],
            outputs,
            named.op,
            takes_session=True,
            fresh=False,
            nodes=_nodes(loop.items),
        )
    )


def _turning(
    body: Plan, starts: list[int | None], counted: int, constants: list[int], outputs: int
) -> Callable[..., Any]:
    """The function of a loop: turns go on as long as a NextIteration gets a value."""
    import torch

    size = len(starts)
    come_in = torch.tensor(0, dtype=torch.int32)
    come_round = torch.tensor(1, dtype=torch.int32)

    def run(state: Any, given: list[Any]) -> Any:
        fixed = [given[i] for i in constants]
        turning = [None if i is None else given[i] for i in starts]
        index = come_in
        left: list[Any] = [None] * outputs
        while True:
            made = control.run_body(body, state, [*turning, *([index] * counted), *fixed])
            turning = made[:size]
            for i, value in enumerate(made[size:]):
                if value is not None:
                    left[i] = value
            if all(v is None for v in turning):
                return left[0] if outputs == 1 else left
            index = come_round

    return run
