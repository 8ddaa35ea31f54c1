"""Parts of tensors: slices, splits, padding, reversal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from relight.graph.graph import ShapeError
from relight.graph.opdef import op
from relight.ops import array_nodes as nodes
from relight.ops.array import invalid, shape_text
from relight.ops.array_shapes import axis_of
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.shape_rules import from_input, same, sizes, with_rank

MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


class _Dimension:
    """What a strided slice does to one dimension of its input."""

    __slots__ = ("begin", "count", "shrink", "step")

    def __init__(self, begin: int, count: int | None, step: int, shrink: bool):
        self.begin = begin  # the first element
        self.step = step
        self.count = count  # how many elements are taken; None when the size is unknown
        self.shrink = shrink  # whether the dimension disappears


class Strided:
    """A strided slice of a tensor of `shape` (sizes may be None), resolved dimension by dimension.

    `begin`, `end`, `strides`: one entry for each of the written indices; None for unknown bounds.
    """

    def __init__(
        self,
        shape: Sequence[int | None],
        begin: Sequence[int] | None,
        end: Sequence[int] | None,
        strides: Sequence[int],
        masks: dict[str, int],
    ):
        self.dimensions: list[_Dimension] = []
        self.layout: list[int | None] = []  # per output dimension: the input's, or None: new
        entries = self._entries(len(shape), len(strides), masks)
        place = 0
        for entry in entries:
            if entry is None:
                self._whole(shape[place])
                self.layout.append(place)
                place += 1
                continue
            if masks["new_axis_mask"] >> entry & 1:
                self.layout.append(None)
                continue
            if place >= len(shape):
                raise ShapeError(
                    f"Index out of range using input dim {place}; input has only {len(shape)} dims"
                )
            self._one(shape[place], place, entry, begin, end, strides, masks)
            place += 1

    @staticmethod
    def _entries(rank: int, count: int, masks: dict[str, int]) -> list[int | None]:
        """The written indices in order; None for each dimension that is taken whole."""
        new, ellipsis = masks["new_axis_mask"], masks["ellipsis_mask"]
        if ellipsis & (ellipsis - 1):
            raise ShapeError("Multiple ellipses in slice spec not allowed")
        used = sum(1 for i in range(count) if not (new >> i & 1) and not (ellipsis >> i & 1))
        whole = [None] * max(rank - used, 0)
        result: list[int | None] = []
        for i in range(count):
            if ellipsis >> i & 1:
                result.extend(whole)
            else:
                result.append(i)
        return result if ellipsis else result + whole

    def _whole(self, size: int | None) -> None:
        self.dimensions.append(_Dimension(0, size, 1, False))

    def _one(
        self, size: int | None, place: int, i: int, begin: Any, end: Any, strides: Any, masks: Any
    ) -> None:
        step = strides[i]
        shrink = bool(masks["shrink_axis_mask"] >> i & 1)
        if step == 0:
            raise ShapeError(f"strides[{i}] must be non-zero")
        open_begin = bool(masks["begin_mask"] >> i & 1)
        open_end = bool(masks["end_mask"] >> i & 1)
        if shrink and step <= 0:
            raise ShapeError("only stride 1 allowed on non-range indexing.")
        if not shrink:
            self.layout.append(place)
        if shrink:
            first = 0
            if begin is not None and not open_begin:
                first = begin[i]
                if size is not None:
                    first = first + size if first < 0 else first
                    if not 0 <= first < size:
                        raise ShapeError(
                            f"slice index {begin[i]} of dimension {place} out of bounds."
                        )
            self.dimensions.append(_Dimension(first, 1, 1, True))
            return
        if (begin is None and not open_begin) or (end is None and not open_end):
            if open_begin and open_end:
                self._whole(size)
            else:
                self.dimensions.append(_Dimension(0, None, step, False))
            return
        if size is None:
            self.dimensions.append(_Dimension(0, None, step, False))
            return
        low, high = (0, size) if step > 0 else (-1, size - 1)

        def bound(value: int) -> int:
            value = value + size if value < 0 else value
            return min(max(value, low), high)

        first = (low if step > 0 else high) if open_begin else bound(begin[i])
        last = (high if step > 0 else low) if open_end else bound(end[i])
        span = last - first
        count = 0 if span == 0 or (span < 0) != (step < 0) else math.ceil(span / step)
        self.dimensions.append(_Dimension(first, count, step, False))

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of the slice."""
        return tuple(1 if p is None else self.dimensions[p].count for p in self.layout)

    @property
    def kept(self) -> list[int]:
        """The sizes before dimensions are dropped and added."""
        return [d.count for d in self.dimensions]  # type: ignore[misc]

    def index(self) -> tuple[Any, ...]:
        """The slices for numpy (whose steps may be negative)."""
        return tuple(_slice(d) for d in self.dimensions)

    def forward(self) -> tuple[tuple[slice, ...], list[int]]:
        """(slices with positive steps, dimensions to be flipped after them) for torch."""
        parts, flips = [], []
        for i, d in enumerate(self.dimensions):
            if d.step > 0 or not d.count:
                parts.append(_slice(d) if d.count else slice(0, 0))
                continue
            lowest = d.begin + (d.count - 1) * d.step
            parts.append(slice(lowest, d.begin + 1, -d.step))
            flips.append(i)
        return tuple(parts), flips


def _slice(d: _Dimension) -> slice:
    assert d.count is not None
    stop = d.begin + d.count * d.step
    return slice(d.begin, None if stop < 0 else stop, d.step)


def _resolve(shape: Any, begin: Any, end: Any, strides: Any, masks: dict[str, int]) -> Strided:
    try:
        return Strided(list(shape), begin.tolist(), end.tolist(), strides.tolist(), masks)
    except ShapeError as error:
        raise invalid(str(error)) from None


def _strided_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    begin, end, strides = (known_value(t) for t in node._inputs[1:4])
    masks = {m: node._attrs[m] for m in MASKS}
    if known is None or strides is None:
        return [None]
    found = Strided(
        known,
        None if begin is None else begin.tolist(),
        None if end is None else end.tolist(),
        strides.tolist(),
        masks,
    )
    return [found.shape]


@op(
    "StridedSlice", shape=_strided_shape, host=("begin", "end", "strides"), views=0, specialise=True
)
def StridedSlice(node: Any) -> Any:
    """`input[begin:end:strides]` with the masks of `tf.strided_slice`."""
    masks = {m: node._attrs[m] for m in MASKS}

    def strided_slice(value, begin, end, strides):
        spec = _resolve(value.shape, begin, end, strides, masks)
        if isinstance(value, np.ndarray):
            return value[spec.index()].reshape(spec.shape)
        index, flips = spec.forward()
        value = value[index]
        if flips:
            value = value.flip(flips)
        if spec.layout == list(range(value.ndim)):
            return value
        return value.reshape(spec.shape)

    return strided_slice


@StridedSlice.gradient
def _(op, grad):
    value, begin, end, strides = op.inputs
    shape = nodes.shape(value, out_type=begin.dtype)
    masks = {m: op.get_attr(m) for m in MASKS}
    return [raw.StridedSliceGrad(shape, begin, end, strides, grad, **masks), None, None, None]


@op(
    "StridedSliceGrad",
    shape=from_input(0),
    host=("shape", "begin", "end", "strides"),
    specialise=True,
)
def StridedSliceGrad(node: Any) -> Any:
    """Zeros of `shape` with `dy` at the place of the slice."""
    masks = {m: node._attrs[m] for m in MASKS}

    def strided_slice_grad(shape, begin, end, strides, dy):
        spec = _resolve(shape.tolist(), begin, end, strides, masks)
        if tuple(dy.shape) != spec.shape:
            raise invalid(
                f"shape of dy was {shape_text(dy.shape)} instead of {shape_text(spec.shape)}"
            )
        result = dy.new_zeros(shape.tolist())
        index, flips = spec.forward()
        part = dy.reshape(spec.kept)
        result[index] = part.flip(flips) if flips else part
        return result

    return strided_slice_grad


@StridedSliceGrad.gradient
def _(op, grad):
    masks = {m: op.get_attr(m) for m in MASKS}
    begin, end, strides = op.inputs[1:4]
    return [None, None, None, None, nodes.strided_slice(grad, begin, end, strides, **masks)]


def update_slice(value: Any, begin: Any, end: Any, strides: Any, part: Any, masks: Any) -> Any:
    """Write `part` into the slice of `value`, in place; returns `value`."""
    spec = _resolve(value.shape, begin, end, strides, masks)
    index, flips = spec.forward()
    if isinstance(part, torch.Tensor) and tuple(part.shape) != spec.shape:
        part = part.expand(spec.shape)
    part = part.reshape(spec.kept)
    value[index] = part.flip(flips) if flips else part
    return value


# -- plain slices --------------------------------------------------------------------------------


def _slice_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    begin, size = known_value(node._inputs[1]), known_value(node._inputs[2])
    if known is None:
        for i in (1, 2):
            vector = sizes(node, i)
            if vector is not None and vector[0] is not None:
                known = (None,) * vector[0]
                break
        if known is None:
            return [None]
    for i in (1, 2):
        vector = sizes(node, i)
        if vector is not None and vector and vector[0] not in (None, len(known)):
            raise ShapeError(
                _sizes_differ(sizes(node, 1), sizes(node, 2))
                or f"Shape must be rank {vector[0]} but is rank {len(known)}"
            )
    if size is None:
        return [tuple(constant_value_as_shape(node._inputs[2])._sizes or (None,) * len(known))]
    result: list[int | None] = []
    for i, whole in enumerate(known):
        first = None if begin is None else int(begin[i])
        count = int(size[i])
        if count == -1:
            result.append(None if whole is None or first is None else whole - first)
        else:
            result.append(count)
    return [tuple(result)]


def _sizes_differ(a: Any, b: Any) -> str:
    if not a or not b or a[0] is None or b[0] is None or a[0] == b[0]:
        return ""
    return (
        f"Dimension 0 in both shapes must be equal, but are {a[0]} and {b[0]}. Shapes are "
        f"[{a[0]}] and [{b[0]}]."
    )


@op("Slice", shape=_slice_shape, host=("begin", "size"), views=0)
def Slice(value, begin, size):
    """`size[i]` elements (-1: all that follow) from `begin[i]` on along dimension i."""
    parts = []
    shape = value.shape
    if len(begin) != len(shape) or len(size) != len(shape):
        raise invalid(
            f"Expected begin and size arguments to be 1-D tensors of size {len(shape)}, "
            f"but got shapes {shape_text(begin.shape)} and {shape_text(size.shape)} "
            "instead."
        )
    for i, (first, count) in enumerate(zip(begin.tolist(), size.tolist(), strict=True)):
        whole = shape[i]
        if count == -1:
            count = whole - first
        if not 0 <= first <= whole:
            raise invalid(f"Expected begin[{i}] in [0, {whole}], but got {first}")
        if not 0 <= count <= whole - first:
            raise invalid(f"Expected size[{i}] in [0, {whole - first}], but got {count}")
        parts.append(slice(first, first + count))
    return value[tuple(parts)]


@Slice.gradient
def _(op, grad):
    value, begin = op.inputs[0], op.inputs[1]
    rank = nodes.rank(value)
    taken = nodes.shape(op.outputs[0])
    column = nodes.stack([rank, 1])
    before = nodes.reshape(begin, column)
    left = raw.Sub(nodes.shape(value), taken, name="sub")
    after = nodes.reshape(raw.Sub(left, begin, name="sub"), column)
    return [pad(grad, nodes.concat([before, after], 1)), None, None]


# -- splits --------------------------------------------------------------------------------------


def _split_shape(node: Any) -> list[Any]:
    known, place = sizes(node, 1), known_value(node._inputs[0])
    count = node._attrs["num_split"]
    if known is None:
        return [None] * count
    if place is None:
        return [(None,) * len(known)] * count
    rank = len(known)
    where = int(place)
    if not -rank <= where < rank:
        raise ShapeError(
            f"Dimension size, given by scalar input {where} must be in range [{-rank}, {rank})"
        )
    where %= rank
    whole = known[where]
    if whole is not None and whole % count:
        raise ShapeError(
            f"Dimension size must be evenly divisible by {count} but is {whole}\n\tNumber of ways "
            "to split should evenly divide the split dimension"
        )
    part = None if whole is None else whole // count
    return [(*known[:where], part, *known[where + 1 :])] * count


@op("Split", shape=_split_shape, host=("split_dim",), views=1)
def Split(split_dim, value, *, num_split):
    """Equal parts along a dimension."""
    place = int(split_dim.reshape(-1)[0])
    if not -value.ndim <= place < value.ndim:
        raise invalid(
            f"-input rank(-{value.ndim}) <= split_dim < input rank ({value.ndim}), but got {place}"
        )
    whole = value.shape[place]
    if whole % num_split:
        raise invalid(
            "Number of ways to split should evenly divide the split dimension, but got split_dim "
            f"{place} (size = {whole}) and num_split {num_split}"
        )
    if isinstance(value, np.ndarray):
        return list(np.split(value, num_split, place))
    if whole == 0:
        return [value] * num_split
    return list(value.split(whole // num_split, place))


@Split.gradient
def _(op, *grads):
    return [None, nodes.concat(list(grads), op.inputs[0])]


def _split_v_shape(node: Any) -> list[Any]:
    known, place = sizes(node, 0), known_value(node._inputs[2])
    parts = constant_value_as_shape(node._inputs[1])._sizes
    exact = known_value(node._inputs[1])
    count = node._attrs["num_split"]
    if known is None:
        return [None] * count
    if place is None:
        return [(None,) * len(known)] * count
    rank = len(known)
    where = axis_of(
        int(place),
        rank,
        f"Dimension size, given by scalar input {int(place)} must be in range [{-rank}, {rank})",
    )
    whole = known[where]
    if parts is None or len(parts) != count:
        parts = (None,) * count
    if whole is not None and exact is not None:
        rest = whole - int(exact[exact >= 0].sum())
        holes = int((exact == -1).sum())
        if rest < 0 or (holes == 0 and rest):
            raise ShapeError(
                "can't split axis of size "
                + str(whole)
                + " into pieces of size ["
                + ",".join(map(str, exact.tolist()))
                + "]"
            )
        parts = tuple(rest if s is None else s for s in parts)
    return [(*known[:where], p, *known[where + 1 :]) for p in parts]


@op("SplitV", shape=_split_v_shape, host=("size_splits", "split_dim"), views=0)
def SplitV(value, size_splits, split_dim):
    """Parts of given sizes along a dimension; one may be -1: the rest."""
    place = int(split_dim.reshape(-1)[0])
    parts = [int(s) for s in size_splits]
    if not -value.ndim <= place < value.ndim:
        raise invalid(
            f"-input rank(-{value.ndim}) <= split_dim < input rank ({value.ndim}), but got {place}"
        )
    whole = value.shape[place]
    rest = whole - sum(s for s in parts if s >= 0)
    if parts.count(-1) > 1:
        raise invalid("There can only be one -1 in the input.")
    if rest < 0 or (rest and -1 not in parts):
        raise invalid(
            "Determined shape must either match input shape along split_dim exactly if fully "
            "specified, or be less than the size of the input along split_dim if not fully "
            f"specified.  Got: {sum(s for s in parts if s >= 0)}"
        )
    parts = [rest if s == -1 else s for s in parts]
    if isinstance(value, np.ndarray):
        return list(np.split(value, np.cumsum(parts)[:-1], place))
    return list(value.split(parts, place))


@SplitV.gradient
def _(op, *grads):
    return [nodes.concat(list(grads), op.inputs[2]), None, None]


# -- padding -------------------------------------------------------------------------------------


def pad(tensor: Any, paddings: Any, name: str | None = None) -> Any:
    """Zeros around a tensor, with the static shape that partly known paddings allow."""
    return raw.Pad(tensor, paddings, name=name)


def _pad_shape(node: Any) -> list[Any]:
    known, table = sizes(node, 0), sizes(node, 1)
    amounts = known_value(node._inputs[1])
    if table is not None:
        if len(table) != 2:
            raise ShapeError(f"Shape must be rank 2 but is rank {len(table)}")
        if table[1] not in (None, 2):
            raise ShapeError(f"Dimension must be 2 but is {table[1]}")
    if known is None:
        rank = table[0] if table is not None else None
        return [None if rank is None else (None,) * rank]
    if table is not None and table[0] not in (None, len(known)):
        raise ShapeError(f"Shape must be rank {table[0]} but is rank {len(known)}")
    if amounts is None:
        return [(None,) * len(known)]
    if (amounts < 0).any():
        raise ShapeError("Paddings must be non-negative")
    return [
        tuple(
            None if s is None else s + int(a) + int(b)
            for s, (a, b) in zip(known, amounts.tolist(), strict=True)
        )
    ]


def _check_paddings(value: Any, paddings: Any) -> list[list[int]]:
    amounts = paddings.tolist()
    if paddings.ndim != 2 or paddings.shape[1] != 2:
        raise invalid(f"paddings must be a matrix with 2 columns: {shape_text(paddings.shape)}")
    if len(amounts) != value.ndim:
        raise invalid(
            "The first dimension of paddings must be the rank of inputs"
            f"{shape_text(paddings.shape)} {shape_text(value.shape)}"
        )
    for a, b in amounts:
        if a < 0 or b < 0:
            raise invalid(f"Paddings must be non-negative: {a} {b}")
    return amounts


def _padded(value: Any, paddings: Any, fill: Any) -> Any:
    amounts = _check_paddings(value, paddings)
    if isinstance(value, np.ndarray):
        return np.pad(value, amounts, constant_values=fill) if amounts else value.copy()
    shape = [s + a + b for s, (a, b) in zip(value.shape, amounts, strict=True)]
    result = value.new_full(shape, fill)
    result[tuple(slice(a, a + s) for s, (a, _) in zip(value.shape, amounts, strict=True))] = value
    return result


@op("Pad", shape=_pad_shape, host=("paddings",))
def Pad(value, paddings):
    """Zeros around a tensor: paddings[i] = (before, after) along dimension i."""
    return _padded(value, paddings, b"" if isinstance(value, np.ndarray) else 0)


@op("PadV2", shape=_pad_shape, host=("paddings", "constant_values"))
def PadV2(value, paddings, constant_values):
    """`Pad` with a given value."""
    return _padded(value, paddings, constant_values.item())


def _pad_gradient(op: Any, grad: Any) -> Any:
    value, paddings = op.inputs[0], op.inputs[1]
    before = raw.Slice(paddings, [0, 0], nodes.stack([nodes.rank(value), 1]))
    begin = nodes.reshape(before, [-1])
    return raw.Slice(grad, begin, nodes.shape(value))


@Pad.gradient
def _(op, grad):
    return [_pad_gradient(op, grad), None]


@PadV2.gradient
def _(op, grad):
    return [_pad_gradient(op, grad), None, None]


def _mirror_index(size: int, before: int, after: int, reflect: bool, i: int) -> torch.Tensor:
    """Which element stands at each place of a mirrored dimension."""
    limit = size - 1 if reflect else size
    if before > limit or after > limit:
        raise invalid(
            f"paddings must be {'less than' if reflect else 'no greater than'} the dimension size: "
            f"{before}, {after} not {'less than' if reflect else 'greater than'} {size}"
        )
    shift = 1 if reflect else 0
    left = torch.arange(before - 1 + shift, -1 + shift, -1)
    right = torch.arange(size - 1 - shift, size - 1 - shift - after, -1)
    return torch.cat([left, torch.arange(size), right])


def _mirror_shape(node: Any) -> list[Any]:
    return _pad_shape(node)


@op("MirrorPad", shape=_mirror_shape, host=("paddings",))
def MirrorPad(value, paddings, *, mode):
    """Mirrored elements around a tensor, without (REFLECT) or with (SYMMETRIC) the border."""
    amounts = _check_paddings(value, paddings)
    for i, (before, after) in enumerate(amounts):
        if before or after:
            index = _mirror_index(value.shape[i], before, after, mode == "REFLECT", i)
            if isinstance(value, np.ndarray):
                value = value.take(index.numpy(), i)
            else:
                value = value.index_select(i, index.to(value.device))
    return value.copy() if isinstance(value, np.ndarray) else value.clone()


def _mirror_grad_shape(node: Any) -> list[Any]:
    known, amounts = sizes(node, 0), known_value(node._inputs[1])
    if known is None:
        rows = sizes(node, 1)
        return [None if not rows or rows[0] is None else (None,) * rows[0]]
    if amounts is None:
        return [(None,) * len(known)]
    return [
        tuple(
            None if s is None else s - int(a) - int(b)
            for s, (a, b) in zip(known, amounts.tolist(), strict=True)
        )
    ]


@op("MirrorPadGrad", shape=_mirror_grad_shape, host=("paddings",))
def MirrorPadGrad(grad, paddings, *, mode):
    """The sum of what `MirrorPad` made of each element."""
    for i, (before, after) in enumerate(_check_paddings(grad, paddings)):
        if before or after:
            size = grad.shape[i] - before - after
            index = _mirror_index(size, before, after, mode == "REFLECT", i).to(grad.device)
            shape = list(grad.shape)
            shape[i] = size
            grad = grad.new_zeros(shape).index_add_(i, index, grad)
    return grad.clone()


@MirrorPad.gradient
def _(op, grad):
    return [raw.MirrorPadGrad(grad, op.inputs[1], mode=op.get_attr("mode")), None]


@MirrorPadGrad.gradient
def _(op, grad):
    return [raw.MirrorPad(grad, op.inputs[1], mode=op.get_attr("mode")), None]


# -- other orders --------------------------------------------------------------------------------


def _flip(value: Any, places: list[int]) -> Any:
    if isinstance(value, np.ndarray):
        return np.flip(value, places).copy()
    return value.flip(places) if places else value.clone()


def _flagged_shape(node: Any) -> list[Any]:
    flags = sizes(node, 1)
    if not flags or flags[0] is None:
        return [sizes(node, 0)]
    return [with_rank(sizes(node, 0), flags[0])]


@op("Reverse", shape=_flagged_shape, host=("dims",))
def Reverse(value, dims):
    """The elements in reverse order along the dimensions whose flag is True."""
    if value.dim() != len(dims):
        raise invalid(
            "'dims' must have the same number of values as 'input' has dimensions. 'input' has "
            f"{value.dim()}'dims' has {len(dims)} values"
        )
    return _flip(value, [i for i, flag in enumerate(dims.tolist()) if flag])


def _reverse_shape(node: Any) -> list[Any]:
    known, axes = sizes(node, 0), known_value(node._inputs[1])
    if known is not None and axes is not None:
        seen: set[int] = set()
        for i, axis in enumerate(axes.tolist()):
            place = axis_of(
                axis, len(known), f"'axis'[{i}] = {axis} is out of valid range [0, {len(known) - 1}"
            )
            if place in seen:
                raise ShapeError(f"axis {place} specified more than once.")
            seen.add(place)
    return [known]


@op("ReverseV2", shape=_reverse_shape, host=("axis",))
def ReverseV2(value, axis):
    """The elements in reverse order along some dimensions."""
    places = []
    for a in axis.tolist():
        if not -value.ndim <= a < value.ndim:
            raise invalid(f"'axis'[{len(places)}] = {a} is out of valid range [0, {value.ndim - 1}")
        places.append(a % value.ndim)
    if len(set(places)) < len(places):
        raise invalid(f"axis {places[-1]} specified more than once.")
    return _flip(value, places)


@Reverse.gradient
def _(op, grad):
    return [raw.Reverse(grad, op.inputs[1]), None]


@ReverseV2.gradient
def _(op, grad):
    return [raw.ReverseV2(grad, op.inputs[1]), None]


@op("Roll", shape=same, host=("shift", "axis"))
def Roll(value, shift, axis):
    """Elements moved by `shift` along `axis`; those that fall off come in at the other end."""
    shifts, places = np.atleast_1d(shift).tolist(), np.atleast_1d(axis).tolist()
    for place in places:
        if not -value.ndim <= place < value.ndim:
            raise invalid(f"axis {place} is out of range")
    if isinstance(value, np.ndarray):
        return np.roll(value, shifts, places)
    return value.roll(shifts, places) if shifts else value.clone()


@Roll.gradient
def _(op, grad):
    shift, axis = op.inputs[1], op.inputs[2]
    return [raw.Roll(grad, raw.Neg(shift), axis), None, None]
