"""Plans of one row, run for many rows at once: what input threads do again and again.

`RowBatch` takes a plan without side effects and gives the values of many runs. Values that differ
from run to run *vary*: they have a further first dimension. A step of which no input varies runs
once; where a rule in `_RULES` knows how, a step takes all rows in one call of its kernel; any other
step runs row by row. What cannot be done raises, and the caller then runs the plan row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from relight.engine import control
from relight.engine.steps import Plan, Step, Value, arguments_of, flatten
from relight.graph import opdef

Run = Callable[[Any, int, list[Any]], Any]  # (state, rows, inputs) -> output or list of outputs
Flags = list[Any]  # for each input whether it varies; a list of these for a list input


class CannotBatchError(Exception):
    """The rows must be computed one by one."""


class RowBatch:
    """A plan for many rows. CannotBatchError when it has effects.

    `varying`: which fed values have a row dimension.
    """

    def __init__(self, plan: Plan, varying: Sequence[bool]):
        self.plan = plan
        self.varying = {v for v, flag in zip(plan.fed_values, varying, strict=True) if flag}
        self.row_by_row: list[str] = []  # steps that run so
        ends = _ends(plan)
        self._work = [
            (self._instruction(step), step, end) for step, end in zip(plan.steps, ends, strict=True)
        ]
        self.flags = [v in self.varying for v in plan.fetched_values]

    def _instruction(self, step: Step) -> Run:
        flags: Flags = [
            [v in self.varying for v in item] if isinstance(item, list) else item in self.varying
            for item in step.inputs
        ]
        varies = any(any(f) if isinstance(f, list) else f for f in flags)
        _check_pure(step)
        if not varies:
            return _once(step)
        self.varying.update(v for v in step.outputs if v is not None)
        if step.what.endswith(_IN_PLACE) and not flags[0]:
            raise CannotBatchError(f"{step.what} writes over what all rows share")
        if step.what in _FUSED_RULES:
            run = _FUSED_RULES[step.what](step, flags)
        elif step.node is not None and step.what == step.node.type:
            rule = _RULES.get(step.what)
            run = rule(step, flags) if rule is not None else None
        else:
            run = _conversion(step)
        if run is None:
            self.row_by_row.append(step.what)
        return run or _by_rows(step, flags)

    def run(self, state: Any, rows: int, feeds: Sequence[Any]) -> list[Any]:
        """The fetched values; those of `flags` that hold have a first dimension of `rows`."""
        values: dict[Value, Any] = dict(self.plan.constants)
        values.update(zip(self.plan.fed_values, feeds, strict=True))
        for run, step, end in self._work:
            given = run(state, rows, arguments_of(step, values))
            results = flatten(given, len(step.outputs))
            for value, item in zip(step.outputs, results, strict=True):
                if value is not None:
                    values[value] = item
            for value in end:
                del values[value]
        return [values[v] for v in self.plan.fetched_values]


def _ends(plan: Plan) -> list[list[Value]]:
    """For each step the values that nothing needs after it.

    They go at once: the next step of the same size gets their memory, which the cache still holds.
    """
    seen = {*plan.fetched_values, *plan.constants}
    found: list[list[Value]] = []
    for step in reversed(plan.steps):
        used = [*step.flat_inputs(), *(v for v in step.outputs if v is not None)]
        found.append([v for v in dict.fromkeys(used) if v not in seen])
        seen.update(used)
    return found[::-1]


def _check_pure(step: Step) -> None:
    node = step.node
    assert node is not None
    if step.what in control.NODES:
        for attr in ("then_branch", "else_branch", "cond", "body"):
            if attr in node._attrs:
                function = node.graph._get_function(str(node._attrs[attr]))
                if function is None or any(control._effects(t) for t in function.outputs):
                    raise CannotBatchError(f"{node.name} has effects")
        return
    if step.what in ("tensor", "numpy", "read", "Assert"):
        return
    makes_resource = all(v is None or v.kind == "R" for v in step.outputs) and not step.inputs
    if step.takes_session and step.outputs and makes_resource:
        return
    for made in step.nodes or (node,):
        record = opdef.record(made.type)
        if record.is_stateful or record.writes is not None:
            raise CannotBatchError(f"{made.name} ({made.type}) has effects")
    if step.takes_session:
        raise CannotBatchError(f"{node.name} ({node.type}) uses the session")


def _called(step: Step) -> Callable[..., Any]:
    """The step's function of (state, *inputs)."""
    function = step.function
    assert function is not None
    if step.takes_session:
        return function
    return lambda state, *inputs: function(*inputs)


def _once(step: Step) -> Run:
    function = _called(step)
    return lambda state, rows, inputs: function(state, *inputs)


def _all_rows(step: Step) -> Run:
    """A kernel that treats the rows as it treats its own leading dimensions."""
    function = step.function
    assert function is not None
    return lambda state, rows, inputs: function(*inputs)


def _conversion(step: Step) -> Run | None:
    return _all_rows(step) if step.what in ("tensor", "numpy") else None


def _row(value: Any, flag: Any, i: int) -> Any:
    if isinstance(flag, list):
        return [_row(v, f, i) for v, f in zip(value, flag, strict=True)]
    return value[i, ...] if flag else value


def _by_rows(step: Step, flags: Flags) -> Run:
    function = _called(step)
    count = len(step.outputs)

    def run(state: Any, rows: int, inputs: list[Any]) -> list[Any]:
        results = []
        for i in range(rows):
            given = [_row(v, f, i) for v, f in zip(inputs, flags, strict=True)]
            results.append(flatten(function(state, *given), count))
        return [_stacked(list(parts)) for parts in zip(*results, strict=True)]

    return run


def _stacked(parts: list[Any]) -> Any:
    first = parts[0]
    if any(p.shape != first.shape for p in parts):
        raise CannotBatchError("rows differ in shape")
    return torch.stack(parts) if isinstance(first, torch.Tensor) else np.stack(parts)


# -- rules: a step and which of its inputs vary -> how to run it, or None --------------------------


def _elementwise(step: Step, flags: Flags) -> Run | None:
    """The rows of all inputs get one rank, so that broadcasting never meets the row dimension."""
    function = step.function
    assert function is not None
    if len(flags) == 1:
        return _all_rows(step)

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        ranks = [v.ndim - f for v, f in zip(inputs, flags, strict=True)]
        rank = max(ranks)
        aligned = [
            v.reshape(rows, *[1] * (rank - r), *v.shape[1:]) if f and r < rank else v
            for v, f, r in zip(inputs, flags, ranks, strict=True)
        ]
        return function(*aligned)

    return run


def _reduction(step: Step, flags: Flags) -> Run | None:
    function = step.function
    assert function is not None
    if flags[1]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        value, axes = inputs
        rank = value.ndim - 1
        if any(not -rank <= a < rank for a in axes.reshape(-1).tolist()):
            raise CannotBatchError("an axis is out of range")
        return function(value, np.where(axes < 0, axes, axes + 1))

    return run


def _reshape(step: Step, flags: Flags) -> Run | None:
    if flags[1]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        return inputs[0].reshape(rows, *inputs[1].tolist())

    return run


def _transpose(step: Step, flags: Flags) -> Run | None:
    if flags[1]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        value, order = inputs
        rank = value.ndim - 1
        return value.permute(0, *(1 + p % rank for p in order.tolist()))

    return run


def _expand(step: Step, flags: Flags) -> Run | None:
    if flags[1]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        axis = int(inputs[1])
        return inputs[0].unsqueeze(axis if axis < 0 else axis + 1)

    return run


def _strided_slice(step: Step, flags: Flags) -> Run | None:
    """The same slice behind a whole first dimension."""
    if any(flags[1:]):
        return None
    assert step.node is not None
    attrs = step.node._attrs
    masks = {n: attrs[n] << 1 for n in attrs if n.endswith("_mask")}
    masks["begin_mask"] |= 1
    masks["end_mask"] |= 1
    kernel = opdef.record(step.what).kernel
    assert kernel is not None
    function = kernel(SimpleNamespace(_attrs={**attrs, **masks}))

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        value, begin, end, strides = inputs
        return function(
            value,
            np.concatenate([[0], begin]),
            np.concatenate([[0], end]),
            np.concatenate([[1], strides]),
        )

    return run


def _slice(step: Step, flags: Flags) -> Run | None:
    """Windows of one size, each at its own place."""
    if not flags[0] or flags[2]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        value, begin, size = inputs
        begins = begin if flags[1] else np.broadcast_to(begin, (rows, *begin.shape))
        shape = np.array(value.shape[1:])
        if size.shape != shape.shape or begins.shape != (rows, *shape.shape):
            raise CannotBatchError("begin or size has not the rank of the value")
        sizes = np.where(size < 0, shape, size) if not flags[1] else size
        if (sizes < 0).any() or (begins < 0).any() or (begins + sizes > shape).any():
            raise CannotBatchError("a slice reaches out of its value")
        widths = sizes.tolist()
        source = value.numpy()
        if 0 in widths:
            return torch.from_numpy(np.empty((rows, *widths), source.dtype))
        windows = np.lib.stride_tricks.sliding_window_view(
            source, widths, axis=tuple(range(1, source.ndim))
        )
        places = (np.arange(rows), *begins.T)
        chosen = windows[places]  # a copy, of the windows asked for
        return torch.from_numpy(_packed(chosen))

    return run


def _packed(value: np.ndarray) -> np.ndarray:
    """The same in the order of its dimensions.

    A short last one is copied place by place, as loops over few elements are slow: the channels
    of an image whose memory has one channel after the other.
    """
    if value.flags.c_contiguous or value.ndim < 2 or not 1 < value.shape[-1] <= 4:
        return np.ascontiguousarray(value)
    result = np.empty(value.shape, value.dtype)
    for i in range(value.shape[-1]):
        result[..., i] = value[..., i]
    return result


def _pad(step: Step, flags: Flags) -> Run | None:
    """The same around a whole first dimension."""
    function = step.function
    assert function is not None
    if any(flags[1:]):
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        value, paddings, *rest = inputs
        if paddings.shape != (value.ndim - 1, 2):
            raise CannotBatchError("paddings are not two for each dimension")
        return function(value, np.concatenate([np.zeros((1, 2), paddings.dtype), paddings]), *rest)

    return run


def _squeeze(step: Step, flags: Flags) -> Run | None:
    assert step.node is not None
    listed = step.node._attrs["squeeze_dims"]

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        shape = inputs[0].shape[1:]
        if any(not -len(shape) <= d < len(shape) or shape[d] != 1 for d in listed):
            raise CannotBatchError("a dimension cannot be squeezed")
        dropped = {d % len(shape) for d in listed} or {i for i, s in enumerate(shape) if s == 1}
        return inputs[0].reshape(rows, *(s for i, s in enumerate(shape) if i not in dropped))

    return run


def _clip(step: Step, flags: Flags) -> Run | None:
    """Between two bounds for all rows."""
    function = step.function
    assert function is not None
    if any(flags[1:]):
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        if any(bound.ndim for bound in inputs[1:]):
            raise CannotBatchError("the bounds are no scalars")
        return function(*inputs)

    return run


def _varied(values: list[Any], flags: list[bool], rows: int) -> list[Any]:
    """Values with a dimension of rows, those that lack it repeated."""
    return [
        v
        if flag
        else v.expand(rows, *v.shape)
        if isinstance(v, torch.Tensor)
        else np.broadcast_to(v, (rows, *v.shape))
        for v, flag in zip(values, flags, strict=True)
    ]


def _pack(step: Step, flags: Flags) -> Run | None:
    assert step.node is not None
    axis = step.node._attrs["axis"]

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        values = _varied(inputs[0], flags[0], rows)
        first = values[0]
        if not -first.ndim <= axis < first.ndim or any(v.shape != first.shape for v in values):
            raise CannotBatchError("the values cannot be packed")
        place = axis if axis < 0 else axis + 1
        return (
            torch.stack(values, place)
            if isinstance(first, torch.Tensor)
            else np.stack(values, place)
        )

    return run


def _concat(step: Step, flags: Flags) -> Run | None:
    function = step.function
    assert function is not None
    if flags[1]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        values = _varied(inputs[0], flags[0], rows)
        axis, rank = inputs[1], values[0].ndim - 1
        if any(v.ndim - 1 != rank for v in values) or not -rank <= int(axis) < rank:
            raise CannotBatchError("the values cannot be joined")
        return function(values, np.where(axis < 0, axis, axis + 1))

    return run


def _one_hot(step: Step, flags: Flags) -> Run | None:
    assert step.node is not None
    if any(flags[1:]) or step.node._attrs["axis"] != -1:
        return None
    return _all_rows(step)


def _flip(step: Step, flags: Flags) -> Run | None:
    return _reduction(step, flags)  # axes are counted in the same way


def _assert(step: Step, flags: Flags) -> Run | None:
    if not flags[0]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> None:
        if not bool(inputs[0].all()):
            raise CannotBatchError("an assertion does not hold")

    return run


def _contrast(step: Step, flags: Flags) -> Run | None:
    function = step.function
    assert function is not None
    if not flags[0]:
        return None

    def run(state: Any, rows: int, inputs: list[Any]) -> Any:
        images, factor = inputs  # the kernel multiplies [..., h, w * c]
        return function(
            images, factor.reshape(rows, *[1] * (images.ndim - 2)) if flags[1] else factor
        )

    return run


def _strings(step: Step, flags: Flags) -> Run | None:
    return _all_rows(step)


class _Branch:
    """A branch of a condition for the rows that take it."""

    def __init__(self, node: Any, attr: str, keep: Sequence[int] | None):
        self._body = control.Body(node, attr, keep)
        self._batches: dict[Any, RowBatch] = {}

    def _plan(self, inputs: list[Any], flags: list[bool]) -> Plan:
        return self._body.plan([_row(v, f, 0) for v, f in zip(inputs, flags, strict=True)])

    def given_back(self, inputs: list[Any], flags: list[bool]) -> list[torch.Tensor] | None:
        """All rows of the outputs when each is an input as it came; otherwise None."""
        plan = self._plan(inputs, flags)
        rows = {v: i for v, i, f in zip(plan.fed_values, inputs, flags, strict=True) if f}
        if not all(v in rows for v in plan.fetched_values):
            return None
        return [rows[v] for v in plan.fetched_values]

    def run(self, state: Any, rows: int, inputs: list[Any], flags: list[bool]) -> list[Any]:
        plan = self._plan(inputs, flags)
        batch = self._batches.get(id(plan))
        if batch is None:
            batch = self._batches[id(plan)] = RowBatch(plan, flags)
        found = batch.run(state, rows, inputs)
        return [
            v if flag else torch.as_tensor(v).expand(rows, *v.shape)
            for v, flag in zip(found, batch.flags, strict=True)
        ]


def _chosen(value: Any, place: torch.Tensor) -> Any:
    """The rows of a value at these places."""
    if isinstance(value, torch.Tensor):
        return value.index_select(0, place)
    return value[place.numpy()]


def _if(step: Step, flags: Flags) -> Run | None:
    """Each branch runs for the rows that take it."""
    node = step.node
    assert node is not None
    if any(v is not None and v.kind != "T" for v in step.outputs):
        return None
    branches = [_Branch(node, a, step.kept) for a in ("then_branch", "else_branch")]
    conditional, given_flags = flags

    def run(state: Any, rows: int, inputs: list[Any]) -> list[Any]:
        condition, given = inputs
        if not conditional:
            chosen = branches[0 if control.truth(node, condition) else 1]
            return chosen.run(state, rows, given, given_flags)
        if condition.ndim != 1:
            raise CannotBatchError("a condition is no scalar")
        truths = condition.numpy() != 0
        results: list[torch.Tensor] | None = None
        parts: list[tuple[list[torch.Tensor], torch.Tensor]] = []
        for branch, taken in zip(branches, (truths, ~truths), strict=True):
            place = torch.from_numpy(np.flatnonzero(taken))
            if not len(place):
                continue
            if results is None:
                # Rows that stay as they are need not be moved: the other ones replace theirs.
                kept = branch.given_back(given, given_flags)
                if kept is not None:
                    results = [v.clone(memory_format=torch.contiguous_format) for v in kept]
                    continue
            own = [_chosen(v, place) if f else v for v, f in zip(given, given_flags, strict=True)]
            parts.append((branch.run(state, len(place), own, given_flags), place))
        return _joined(results, parts, rows)

    return run


def _joined(
    results: list[torch.Tensor] | None,
    parts: list[tuple[list[torch.Tensor], torch.Tensor]],
    rows: int,
) -> list[torch.Tensor]:
    """Put parts of the rows at their places in `results`, or in new memory."""
    if results is None:
        results = [v.new_empty((rows, *v.shape[1:])) for v in parts[0][0]]
    for part, place in parts:
        for result, value in zip(results, part, strict=True):
            if value.shape[1:] != result.shape[1:] or value.dtype != result.dtype:
                raise CannotBatchError("rows differ in shape")
            result.index_copy_(0, place, value)
    return results


_ELEMENTWISE = """
Abs Neg Square Sqrt Rsqrt Exp Log Log1p Floor Ceil Round Rint Sign Relu Relu6 Sigmoid Tanh Sin Cos
LogicalNot Cast Reciprocal IsNan IsInf IsFinite ZerosLike OnesLike Softplus
Add AddV2 Sub Mul RealDiv Div DivNoNan FloorDiv FloorMod TruncateDiv TruncateMod Mod Maximum Minimum
Pow SquaredDifference Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr
"""

_RULES: dict[str, Callable[[Step, Flags], Run | None]] = {
    **dict.fromkeys(_ELEMENTWISE.split(), _elementwise),
    **dict.fromkeys(("Sum", "Mean", "Max", "Min", "Prod", "All", "Any"), _reduction),
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ExpandDims": _expand,
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    "ReverseV2": _flip,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "Squeeze": _squeeze,
    "ClipByValue": _clip,
    "Pack": _pack,
    "ConcatV2": _concat,
    "OneHot": _one_hot,
    "Assert": _assert,
    "AdjustContrastv2": _contrast,
    "DecodeRaw": _strings,
    "If": _if,
    "StatelessIf": _if,
}

# Steps that passes made of several operations.
_FUSED_RULES: dict[str, Callable[[Step, Flags], Run | None]] = {"add scaled": _elementwise}
_IN_PLACE = " in place"
