"""The passes that turn lowered steps into the final plan: small, in a fixed order, by name."""

from __future__ import annotations

from collections.abc import Callable

import torch

from relight.engine import (
    algebra_fusions,
    conv_fusions,
    folding,
    fusions,
    precision,
    sum_fusions,
    update_fusions,
)
from relight.engine.steps import Plan, Step, Value
from relight.graph import opdef


def _viewed(step: Step, i: int) -> Value | None:
    """The input that output `i` may share memory with: the parts of a split all share its input."""
    if step.views is None:
        return None
    source = step.inputs[step.views]
    if isinstance(source, list):  # a list is handed on item by item
        return source[min(i, len(source) - 1)]
    return source


def copy_fetches(plan: Plan) -> None:
    """Decide which fetched arrays must be copied, so that nothing fetched ever changes.

    A fetched array may be handed out as it is when its memory was made in this run and nothing else
    keeps it: not a feed, a constant, a variable, another fetch.
    """
    root: dict[Value, Value] = {}
    owned: set[Value] = set()
    for value in [*plan.fed_values, *plan.constants]:
        root[value] = value
    kept_by_state: set[Value] = set()
    for step in plan.steps:
        for i, made in enumerate(step.outputs):
            if made is None:
                continue
            source = _viewed(step, i)
            if source is not None:
                root[made] = root.get(source, source)
            else:
                root[made] = made
                if step.fresh and made.kind != "R":
                    owned.add(made)
        if any(v.kind == "R" for v in step.flat_inputs()):
            kept_by_state.update(root.get(v, v) for v in step.flat_inputs())
    roots = [root.get(v, v) for v in plan.fetched_values]
    plan.copies = []
    for fetched, source in zip(plan.fetched_values, roots, strict=True):
        handle = fetched.kind == "R"
        alone = source in owned and source not in kept_by_state and roots.count(source) == 1
        plan.copies.append(not handle and not alone)


def own_assigned(plan: Plan) -> None:
    """What comes from numpy memory (a feed, a Python function) is copied before it is assigned.

    Other tensors can be shared with a variable: an update in place looks whether it is alone.
    """
    root: dict[Value, Value] = {}
    steps: list[Step] = []
    for step in plan.steps:
        node = step.node
        if node is not None and step.what == node.type and opdef.record(node.type).writes:
            for i, given in enumerate(step.inputs):
                if isinstance(given, Value) and given.kind == "T":
                    origin = root.get(given, given)
                    if origin.kind == "H" and origin not in plan.constants:
                        copied = Value(given.tensor, "T")
                        steps.append(Step("clone", _clone, [given], [copied], node))
                        step.inputs[i] = copied
        for i, value in enumerate(step.outputs):
            source = _viewed(step, i)
            if value is not None and source is not None:
                root[value] = root.get(source, source)
        steps.append(step)
    plan.steps = steps


def _clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.clone()


PASSES: list[Callable[[Plan], None]] = [
    folding.forward_identities,
    folding.fold_constants,
    folding.drop_neutral,
    folding.merge_equal,
    folding.drop_unused,
    conv_fusions.share_pool_indices,
    conv_fusions.pool_before_relu,
    conv_fusions.join_conv_gradients,
    algebra_fusions.join_softmax_gradient,
    algebra_fusions.add_scaled,
    sum_fusions.sum_products,
    fusions.fuse_bias,
    fusions.relu_in_place,
    conv_fusions.relu_gradient_in_place,
    update_fusions.average_together,
    update_fusions.update_together,
    folding.drop_unused,
    precision.lower_products,
    own_assigned,
    copy_fetches,
]
