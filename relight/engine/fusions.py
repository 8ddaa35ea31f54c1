"""Passes that join steps into fewer, quicker ones. Each keeps every value that something reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from relight.engine.steps import Plan, Step, Value
from relight.graph.node import Operation
from relight.ops.gemm import addmm


def readers(plan: Plan) -> dict[Value, list[Step | None]]:
    """Value -> the steps that read it, once a reading; None stands for a fetch."""
    found: dict[Value, list[Step | None]] = {}
    for step in plan.steps:
        for value in step.flat_inputs():
            found.setdefault(value, []).append(step)
    for value in plan.fetched_values:
        found.setdefault(value, []).append(None)
    return found


def makers(plan: Plan) -> dict[Value, Step]:
    """Value -> the step that makes it."""
    return {v: s for s in plan.steps for v in s.outputs if v is not None}


class Uses:
    """Who makes and who reads each value of a plan, as the plan stands when this is made."""

    def __init__(self, plan: Plan):
        self.read_by, self.made_by = readers(plan), makers(plan)

    def lone(self, value: Any, *types: str) -> Step | None:
        """The step that makes a value for a single reader; of these types only, where given."""
        step = self.made_by.get(value)
        if step is None or len(self.read_by.get(value, ())) != 1:
            return None
        return step if not types or is_node(step, *types) else None

    def lone_of(self, value: Value, whats: frozenset[str]) -> Step | None:
        """The same for steps that do one of `whats`, fused ones included."""
        step = self.lone(value)
        return step if step is not None and step.what in whats else None


def same_known_shapes(node: Operation | None) -> bool:
    """Whether all inputs of a node have one and the same fully defined shape."""
    assert node is not None
    first, *others = (t.shape for t in node._inputs)
    return first.is_fully_defined() and all(
        s.is_fully_defined() and s.as_list() == first.as_list() for s in others
    )


def is_node(step: Step | None, *types: str) -> bool:
    """Whether a step is still the plain node of one of these op types."""
    return step is not None and step.node is not None and step.what in types


# -- bias ------------------------------------------------------------------------------------------


def is_bias_gradient(plan: Plan, step: Step | None, rank: int) -> bool:
    """Whether a step sums a float tensor of that rank over all dimensions but the last."""
    if step is None or step.node is None:
        return False
    if is_node(step, "BiasAddGrad"):
        return step.node._attrs["data_format"] == "NHWC"
    if not is_node(step, "Sum"):
        return False
    attrs, axes = step.node._attrs, plan.constants.get(step.inputs[1])
    if axes is None or attrs["keep_dims"] or not attrs["T"].is_floating:
        return False
    return sorted(axes.reshape(-1).tolist()) == list(range(rank - 1))


def fuse_bias(plan: Plan) -> None:
    """MatMul or Conv2D whose result goes into one BiasAdd (or `+ vector`) alone: one kernel."""
    uses = Uses(plan)
    gone: set[Step] = set()
    for step in plan.steps:
        parts = _bias_parts(step)
        if parts is None:
            continue
        product, bias = parts
        maker = uses.lone(product)
        if maker is None or maker in gone:
            continue
        function = _with_bias(maker)
        if function is None:
            continue
        gone.add(maker)
        step.what = maker.what + "+Bias"
        step.function = function
        step.inputs = [*maker.inputs, bias]
        step.nodes = (*maker.nodes, *step.nodes)
        step.views = None
    plan.steps = [s for s in plan.steps if s not in gone]


def _bias_parts(step: Step) -> tuple[Value, Value] | None:
    """(product, bias) of a BiasAdd, or of an addition of a vector to rows."""
    if is_node(step, "BiasAdd"):
        assert step.node is not None
        if step.node._attrs.get("data_format", "NHWC") != "NHWC":
            return None
        return step.inputs[0], step.inputs[1]
    if not is_node(step, "Add", "AddV2"):
        return None
    assert step.node is not None
    a, b = (t.shape._sizes for t in step.node._inputs)
    if a is None or b is None or len(b) != 1 or len(a) < 2 or a[-1] != b[0] or b[0] is None:
        return None
    return step.inputs[0], step.inputs[1]


def _with_bias(maker: Step) -> Callable[..., Any] | None:
    if is_node(maker, "MatMul"):
        assert maker.node is not None
        attrs = maker.node._attrs
        if not attrs["T"].is_floating:
            return None
        return _matmul_bias(bool(attrs["transpose_a"]), bool(attrs["transpose_b"]))
    if is_node(maker, "Conv2D"):
        from relight.ops import nn_conv

        return nn_conv.conv2d_with_bias(maker.node)
    return None


def _matmul_bias(transpose_a: bool, transpose_b: bool) -> Callable[..., Any]:
    if not transpose_a and not transpose_b:
        return lambda a, b, bias: addmm(bias, a, b)
    return lambda a, b, bias: addmm(bias, a.mT if transpose_a else a, b.mT if transpose_b else b)


# -- relu ------------------------------------------------------------------------------------------

_NEW_MEMORY = frozenset(
    [
        "MatMul",
        "Conv2D",
        "BiasAdd",
        "Add",
        "AddV2",
        "MatMul+Bias",
        "Conv2D+Bias",
        "FusedBatchNorm",
        "FusedBatchNormV3",
        "Mul",
        "Sub",
        "DepthwiseConv2dNative",
        "MaxPool",
        "MaxPool with indices",
    ]
)


def relu_in_place(plan: Plan) -> None:
    """A Relu that alone reads fresh memory writes its result there."""
    uses = Uses(plan)
    for step in plan.steps:
        if not is_node(step, "Relu") or uses.lone_of(step.inputs[0], _NEW_MEMORY) is None:
            continue
        step.what = "Relu in place"
        step.function = torch.relu_
        step.fresh = True
        step.views = None
