"""Passes that compute or remove steps while a plan is made: constants, neutral operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relight.engine import control
from relight.engine.steps import Plan, Step, Value, arguments_of, mapped
from relight.graph import errors, opdef
from relight.ops import call
from relight.ops.constants import known_value

MAX_BYTES = 1 << 16  # larger results are cheaper to compute again than to keep


def replace(plan: Plan, mapping: dict[Value, Value]) -> None:
    """Use other values in place of those that a pass has made away with."""
    if not mapping:
        return

    def final(value: Value) -> Value:
        while value in mapping:
            value = mapping[value]
        return value

    for step in plan.steps:
        step.inputs = mapped(step.inputs, final)
    plan.fetched_values = [final(v) for v in plan.fetched_values]


_IDENTITIES = frozenset(
    ["Identity", "StopGradient", "PreventGradient", "PlaceholderWithDefault", "Snapshot"]
)


def forward_identities(plan: Plan) -> None:
    """A step that only hands its input on disappears; its readers use the input itself."""
    mapping: dict[Value, Value] = {}
    kept: list[Step] = []
    for step in plan.steps:
        if step.what in _IDENTITIES and len(step.outputs) == 1 and step.outputs[0] is not None:
            source = step.inputs[0]
            if source.kind == step.outputs[0].kind:
                mapping[step.outputs[0]] = source
                continue
        kept.append(step)
    plan.steps = kept
    replace(plan, mapping)


def _bytes(item: Any) -> int:
    if isinstance(item, torch.Tensor):
        return item.numel() * item.element_size()
    return item.nbytes if isinstance(item, np.ndarray) else MAX_BYTES + 1


def _foldable(step: Step) -> bool:
    if step.takes_session or not step.outputs or step.function is None:
        return False
    # Lists and optionals of tensors (variants) are Python objects: they stay out of constants.
    if any(v is not None and v.kind == "R" for v in step.outputs):
        return False
    if step.what in ("tensor", "numpy"):
        return True
    if step.node is None or step.what != step.node.type:
        return False
    return not opdef.record(step.node.type).is_stateful


def fold_constants(plan: Plan) -> None:
    """Steps whose inputs are all constants, or whose value follows from static shapes, run now.

    A step that fails is left in the plan, so that the error comes when it is run.
    """
    constants = plan.constants
    kept: list[Step] = []
    for step in plan.steps:
        if not _foldable(step):
            kept.append(step)
            continue
        known = _from_shapes(step)
        if known is None and all(v in constants for v in step.flat_inputs()):
            known = _computed(step, constants)
        if known is None:
            kept.append(step)
            continue
        for i, (value, item) in enumerate(zip(step.outputs, known, strict=True)):
            if value is not None and item is not None:
                constants[value] = item
                step.outputs[i] = None
        if any(v is not None for v in step.outputs):  # a ShapeN of which a part is known
            kept.append(step)
    plan.steps = kept


def _from_shapes(step: Step) -> list[Any] | None:
    if step.node is None or step.node.type not in ("Shape", "ShapeN", "Size", "Rank"):
        return None
    source = step.node._inputs[0].op
    if step.node.type == "Rank" and any(t.dtype._is_ref_dtype for t in source._inputs):
        return None  # tf.assert_variables_initialized fails by reading a variable for its rank
    # Of the values of this step: a conversion of one of several results has one.
    known = [None if v is None or v.tensor is None else known_value(v.tensor) for v in step.outputs]
    if all(k is None for k in known):
        return None
    return [
        k if k is None or v is None or v.kind != "T" else call.to_torch(np.array(k, order="C"))
        for v, k in zip(step.outputs, known, strict=True)
    ]


def _computed(step: Step, constants: dict[Value, Any]) -> list[Any] | None:
    arguments = arguments_of(step, constants)
    assert step.function is not None
    try:
        given = step.function(*arguments)
    except (errors.OpError, RuntimeError, ValueError, TypeError, IndexError, ArithmeticError):
        return None
    flat: list[Any] = []
    for item in given if isinstance(given, (list, tuple)) else [given]:
        flat.extend(item if isinstance(item, (list, tuple)) else [item])
    if len(flat) != len(step.outputs) or sum(map(_bytes, flat)) > MAX_BYTES:
        return None
    # A constant must not be a view of another one's memory that a later pass could free or change.
    return [i.clone() if isinstance(i, torch.Tensor) else i for i in flat]


def scalar(plan: Plan, value: Value) -> float | None:
    """The number that a constant scalar holds, or None."""
    item = plan.constants.get(value)
    if item is None or getattr(item, "ndim", 1) != 0:
        return None
    if isinstance(item, np.ndarray) and item.dtype == np.object_:
        return None
    number = item.item()
    return None if isinstance(number, (bool, complex)) else number


def drop_neutral(plan: Plan) -> None:
    """x * 1, x / 1, a sum over no axes, a reshape to the same shape and the like hand x on.

    x + 0 stays: it turns -0 into 0. Only behind a random uniform number, which is never -0, it
    goes.
    """
    mapping: dict[Value, Value] = {}
    uniform: set[Value] = set()
    kept: list[Step] = []
    for step in plan.steps:
        step.inputs = [
            mapping.get(item, item) if isinstance(item, Value) else item for item in step.inputs
        ]
        source = _neutral_source(plan, step, uniform)
        out = step.outputs[0] if step.outputs else None
        if source is not None and out is not None and len(step.outputs) == 1:
            mapping[out] = source
            continue
        if step.what == "RandomUniform" and out is not None:
            uniform.add(out)
        kept.append(step)
    plan.steps = kept
    replace(plan, mapping)


def _neutral_source(plan: Plan, step: Step, uniform: set[Value]) -> Value | None:
    what = step.what
    if step.node is None or what != step.node.type:
        return None
    if what in ("Mul", "RealDiv", "Div"):
        a, b = step.inputs
        if scalar(plan, b) == 1:
            return a
        return b if what == "Mul" and scalar(plan, a) == 1 else None
    if what in ("Add", "AddV2"):
        a, b = step.inputs
        return a if a in uniform and scalar(plan, b) == 0 else None
    if what in ("Sum", "Mean", "Max", "Min", "Prod"):
        axes = plan.constants.get(step.inputs[1])
        return step.inputs[0] if axes is not None and axes.size == 0 else None
    if what in ("Reshape", "BroadcastTo"):
        return step.inputs[0] if _same_static(step) else None
    if what == "Tile":
        multiples = plan.constants.get(step.inputs[1])
        ones = multiples is not None and bool((multiples == 1).all())
        return step.inputs[0] if ones else None
    if what == "Cast":
        same = step.node._attrs["SrcT"] == step.node._attrs["DstT"]
        return step.inputs[0] if same else None
    return None


def _same_static(step: Step) -> bool:
    assert step.node is not None
    before, after = step.node._inputs[0].shape, step.node._outputs[0].shape
    return before.is_fully_defined() and before._sizes == after._sizes


def merge_equal(plan: Plan) -> None:
    """Of stateless steps that do the same to the same values, the first stands for all."""
    seen: dict[Any, Step] = {}
    mapping: dict[Value, Value] = {}
    kept: list[Step] = []
    for step in plan.steps:
        step.inputs = mapped(step.inputs, lambda v: mapping.get(v, v))
        key = _key(plan, step)
        twin = None if key is None else seen.get(key)
        if twin is None:
            if key is not None:
                seen[key] = step
            kept.append(step)
            continue
        for mine, other in zip(step.outputs, twin.outputs, strict=True):
            if mine is not None and other is not None:
                mapping[mine] = other
    plan.steps = kept
    replace(plan, mapping)


def _key(plan: Plan, step: Step) -> Any:
    if not _foldable(step) or step.node is None or step.what != step.node.type:
        return None
    if any(v.kind == "R" for v in step.flat_inputs()):
        return None  # what a variable holds may have changed in between
    attrs = tuple(sorted((k, repr(v)) for k, v in step.node._attrs.items() if k[0] != "_"))
    return step.what, attrs, tuple(token(plan, item) for item in step.inputs)


def token(plan: Plan, item: Any) -> Any:
    """What an input is known by: the same for small constants that are equal."""
    if isinstance(item, list):
        return tuple(token(plan, v) for v in item)
    constant = plan.constants.get(item) if isinstance(item, Value) else None
    if (
        isinstance(constant, torch.Tensor)
        and constant.numel() <= 16
        and constant.device.type == "cpu"
    ):
        return "tensor", str(constant.dtype), constant.shape, str(constant.tolist())
    if isinstance(constant, np.ndarray) and constant.dtype != np.object_ and constant.size <= 16:
        return "constant", str(constant.dtype), constant.shape, constant.tobytes()
    return item


_PURE = frozenset(("tensor", "numpy", "read"))


def drop_unused(plan: Plan) -> None:
    """Steps without effect whose results nothing reads disappear, and unread constants too."""
    used: set[Value] = set(plan.fetched_values)
    kept: list[Step] = []
    for step in reversed(plan.steps):
        outputs = [v for v in step.outputs if v is not None]
        if step.node is not None and step.what in control.NODES:
            needed = control.trim(step, used, plan.placed)
        else:
            needed = any(v in used for v in outputs) or not _removable(plan, step)
        if needed:
            used.update(step.flat_inputs())
            kept.append(step)
    kept.reverse()
    plan.steps = kept
    plan.constants = {v: c for v, c in plan.constants.items() if v in used}


_RAISES = frozenset(("CheckNumerics", "PreventGradient", "EnsureShape"))


def _removable(plan: Plan, step: Step) -> bool:
    """Whether a step may go when nothing reads it: it has no effect and was not asked for."""
    if step.what in _PURE:
        return True
    if step.node is None or step.takes_session or not step.outputs or step.what in _RAISES:
        return False
    if any(n in plan.targets or opdef.record(n.type).is_stateful for n in step.nodes):
        return False
    return all(opdef.record(n.type).writes is None for n in step.nodes)
