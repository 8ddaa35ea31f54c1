"""Lower precision: matrix products and convolutions in bfloat16 (or float16 on a GPU).

As in mixed precision training (Micikevicius et al. 2018) variables, updates, losses, sums and
everything else stay in float32. What lies between products and only chooses, moves or cuts values
(relu, max pooling, reshapes) stays in the low precision too, so that a chain of layers is converted
once at either end.

Switched on by `RELIGHT_PRECISION=bf16`, or for a session by
`ConfigProto.graph_options.rewrite_options.auto_mixed_precision` (which is what
`tf.train.experimental.enable_mixed_precision_graph_rewrite` sets).
"""

from __future__ import annotations

import contextlib
import contextvars
import math
import os
from collections.abc import Iterator
from typing import Any

import torch
from tensorboard.compat.proto import rewriter_config_pb2

from relight.engine.steps import Plan, Step, Value, mapped
from relight.graph import dtypes

VARIABLE = "RELIGHT_PRECISION"
_NAMES = {"": None, "fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
SMALL = 1 << 21  # multiply-adds below which the conversions cost more than they save

_PRODUCTS = frozenset(
    [
        "MatMul",
        "MatMul+Bias",
        "BatchMatMul",
        "BatchMatMulV2",
        "Conv2D",
        "Conv2D+Bias",
        "Conv2D gradients",
        "Conv2DBackpropInput",
        "Conv2DBackpropFilter",
    ]
)
# What gives some of the numbers that it is given: exact in any precision.
_CHOOSES = frozenset(
    [
        "Relu",
        "Relu in place",
        "ReluGrad",
        "ReluGrad in place",
        "MaxPool",
        "MaxPool with indices",
        "MaxPoolGrad by indices",
        "Reshape",
        "Squeeze",
        "ExpandDims",
        "Transpose",
    ]
)


def from_environment() -> torch.dtype | None:
    """The low precision that the environment asks for. ValueError for an unknown one, and for fp16
    without a GPU: processors multiply it slower than float32."""
    name = os.environ.get(VARIABLE, "").lower()
    if name not in _NAMES:
        known = ", ".join(repr(n) for n in _NAMES if n)
        raise ValueError(f"{VARIABLE} must be one of {known}, not {name!r}")
    found = _NAMES[name]
    if found is torch.float16 and not torch.cuda.is_available():
        raise ValueError(f"{VARIABLE}=fp16 needs a GPU; bf16 works here")
    return found


_DEFAULT = from_environment()
_asked: contextvars.ContextVar[torch.dtype | None] = contextvars.ContextVar(
    "precision", default=_DEFAULT
)


_rewrites = False


def rewrite(wanted: bool) -> None:
    """Whether sessions whose ConfigProto says nothing rewrite their graphs."""
    global _rewrites
    _rewrites = wanted


def of_config(config: Any) -> torch.dtype | None:
    """The low precision of a session with this ConfigProto (or None), where the environment asks
    for none.

    It is bfloat16 on processors that multiply it in hardware; elsewhere nothing changes, as
    TensorFlow's rewriting changes nothing where it does not help.
    """
    if VARIABLE in os.environ:
        return None
    levels = rewriter_config_pb2.RewriterConfig
    level = levels.DEFAULT
    if config is not None:
        level = config.graph_options.rewrite_options.auto_mixed_precision
    if level != levels.ON and not (_rewrites and level == levels.DEFAULT):
        return None
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else None


@contextlib.contextmanager
def using(low: torch.dtype | None) -> Iterator[None]:
    """Make plans in that precision inside the `with` block; None: in that of the environment."""
    token = _asked.set(_DEFAULT if low is None else low)
    try:
        yield
    finally:
        _asked.reset(token)


def lower_products(plan: Plan) -> None:
    """Products, and what lies between them, compute in the low precision that is asked for."""
    low = _asked.get()
    if low is not None:
        _Lowering(plan, low).run()


class _Lowering:
    def __init__(self, plan: Plan, low: torch.dtype):
        self.plan = plan
        self.low = low
        self.steps: list[Step] = []
        self.lowered: dict[Value, Value] = {}  # a float32 value -> the same in low precision
        self.unmade: set[Value] = set()  # float32 values that exist in low precision only

    def run(self) -> None:
        for step in self.plan.steps:
            product = step.what in _PRODUCTS and not _is_small(step)
            if product or (step.what in _CHOOSES and self.lies_between(step)):
                self.compute_low(step)
            else:
                for value in step.flat_inputs():
                    self.raise_again(value, step)
                self.steps.append(step)
        for value in self.plan.fetched_values:
            self.raise_again(value, None)
        self.plan.steps = self.steps

    def lies_between(self, step: Step) -> bool:
        """Whether all float32 inputs come in low precision anyway."""
        inputs = [v for v in step.flat_inputs() if _is_float32(v)]
        return bool(inputs) and all(v in self.unmade for v in inputs)

    def compute_low(self, step: Step) -> None:
        step.inputs = mapped(step.inputs, lambda v: self.in_low(v, step))
        self.steps.append(step)
        for i, value in enumerate(step.outputs):
            if value is not None and _is_float32(value):
                made = Value(None, "T")
                step.outputs[i] = made
                self.lowered[value] = made
                self.unmade.add(value)

    def in_low(self, value: Value, step: Step) -> Value:
        if not _is_float32(value):
            return value
        found = self.lowered.get(value)
        if found is None:
            found = self.lowered[value] = Value(None, "T")
            constant = self.plan.constants.get(value)
            if constant is not None:
                self.plan.constants[found] = constant.to(self.low)
            else:
                self.steps.append(self.cast(value, found, self.low, step))
        return found

    def raise_again(self, value: Value, step: Step | None) -> None:
        """Convert a value that exists in low precision only, for a step that needs float32."""
        if value in self.unmade:
            self.unmade.discard(value)
            self.steps.append(self.cast(self.lowered[value], value, torch.float32, step))

    @staticmethod
    def cast(source: Value, made: Value, dtype: torch.dtype, step: Step | None) -> Step:
        node = None if step is None else step.node
        name = "to float32" if dtype is torch.float32 else "to low precision"
        return Step(name, lambda x: x.to(dtype), [source], [made], node)


def _is_float32(value: Value) -> bool:
    return (
        value.kind == "T"
        and value.tensor is not None
        and value.tensor.dtype.base_dtype is dtypes.float32
    )


def _is_small(step: Step) -> bool:
    """Whether the product is known to take few operations."""
    assert step.node is not None
    shapes = [t.shape for t in (*step.node._inputs, *step.node._outputs)]
    sizes = [s.num_elements() or 0 for s in shapes if s.is_fully_defined() and s.ndims]
    if len(sizes) < len(step.node._inputs) + 1 or "Conv" in step.what:
        return False
    # [m, k] x [k, n] -> [m, n]: mkn is the root of the product of the three sizes.
    return math.isqrt(math.prod(sorted(sizes)[-3:])) < SMALL
