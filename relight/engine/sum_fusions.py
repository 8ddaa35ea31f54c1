"""What the turns of a loop add to a value: the gradients of a recurrent network's weights.

The gradient of weights that all turns share is a sum of products `a^T b`, one a turn. A product of
the rows of several turns is quicker than one a turn, each of which writes a whole gradient that the
sum then reads; so turns hand on the factors, and `SumOfProducts` multiplies many at once.
"""

from __future__ import annotations

import dataclasses

from relight.engine.fusions import Uses, is_bias_gradient, is_node
from relight.engine.steps import Plan, Step, Value
from relight.ops.gemm import gather_layer, gather_product


@dataclasses.dataclass
class _Growing:
    """A value that each turn of a loop adds something to, and does nothing else with."""

    place: int
    given: Value
    addition: Step
    term: Value


def sum_products(plan: Plan) -> None:
    """A product `a^T b` that a loop's turn adds to a value (and the sum of the rows of b, added to
    another): the turn hands on the factors."""
    uses = Uses(plan)
    growing = [g for i in sorted(plan.only_handed_on) if (g := _growing(plan, uses, i)) is not None]
    row_sums: dict[Value, tuple[_Growing, Step]] = {}
    for sums in growing:
        adding = uses.lone(sums.term)
        if adding is not None and is_bias_gradient(plan, adding, rank=2):
            row_sums[adding.inputs[0]] = sums, adding
    gone: set[Step] = set()
    for sums in growing:
        factors = _factors(uses, sums.term)
        if factors is None:
            continue
        step, product = sums.addition, uses.made_by[sums.term]
        bias = row_sums.pop(factors[1], None)
        parts = [product, step]
        step.inputs, step.function = [sums.given, *factors], gather_product
        changed = [sums]
        gone.add(product)
        if bias is not None:
            rows, adding = bias
            parts += [adding, rows.addition]
            step.inputs, step.function = [*step.inputs, rows.given], gather_layer
            changed.append(rows)
            gone |= {adding, rows.addition}
        step.what = "Sum of products"
        step.nodes = tuple(n for part in parts for n in part.nodes)
        step.views, step.fresh = None, False
        step.outputs = [Value(g.addition.outputs[0].tensor, "R") for g in changed]  # type: ignore[union-attr]
        for g, value in zip(changed, step.outputs, strict=True):
            assert value is not None
            plan.fetched_values[g.place] = value
    plan.steps = [s for s in plan.steps if s not in gone]


def _growing(plan: Plan, uses: Uses, place: int) -> _Growing | None:
    given, handed_on = plan.fed_values[place], plan.fetched_values[place]
    step = uses.made_by.get(handed_on)
    if not is_node(step, "AddN", "Add", "AddV2"):
        return None
    assert step is not None and step.node is not None
    pair = step.inputs[0] if step.what == "AddN" else step.inputs
    if len(pair) != 2 or given not in pair or given.tensor is None:
        return None
    if len(uses.read_by[given]) != 1 or uses.read_by[handed_on] != [None]:
        return None
    before, after = given.tensor.shape, step.node._outputs[0].shape
    if not before.is_fully_defined() or before.as_list() != after.as_list():
        return None  # or the sum may broadcast
    return _Growing(place, given, step, pair[1] if pair[0] is given else pair[0])


def _factors(uses: Uses, term: Value) -> tuple[Value, Value] | None:
    """a and b of a value `a^T b` that nothing else reads."""
    step = uses.lone(term, "MatMul")
    if step is None or step.node is None:
        return None
    attrs = step.node._attrs
    if not attrs["T"].is_floating or not attrs["transpose_a"] or attrs["transpose_b"]:
        return None
    return step.inputs[0], step.inputs[1]
