"""Clipping by value and by norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant


def _values(t: Any, name: str = "t") -> Tensor:
    return convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name=name)


def _like(t: Any, values: Tensor) -> Any:
    if isinstance(t, IndexedSlices):
        return IndexedSlices(values, t.indices, t.dense_shape)
    return values


@export("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """A Tensor or IndexedSlices with every value brought into [min, max].

    The bounds broadcast to the shape of t; ValueError when they would make it larger.
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        values = _values(t)
        below = raw.Minimum(values, clip_value_max)
        values.shape.merge_with(below.shape)
        between = raw.Maximum(below, clip_value_min, name=scope)
        values.shape.merge_with(between.shape)
        return _like(t, between)


@export("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """A Tensor or IndexedSlices scaled down so that its L2 norm (over `axes`) is <= clip_norm."""
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as scope:
        values = _values(t)
        square = nodes.reduce_sum(values * values, axes, keepdims=True)
        positive = square > 0
        # The root of 1 where the sum is 0: its gradient there would be infinite.
        safe = raw.Select(positive, square, array_nodes.ones_like(square))
        norm = raw.Select(positive, raw.Sqrt(safe), square)
        scaled = values * clip_norm
        values.shape.merge_with(scaled.shape)
        clipped = raw.Identity(scaled / raw.Maximum(norm, clip_norm), name=scope)
        return _like(t, clipped)


def _list(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError("t_list should be a sequence")
    return list(t_list)


def _all_values(t_list: list[Any]) -> list[Any]:
    return [None if t is None else _values(t, f"t_{i}") for i, t in enumerate(t_list)]


@export("linalg.global_norm", "global_norm")
def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The L2 norm of all tensors (or IndexedSlices) of a list taken together; None is left out."""
    t_list = _list(t_list)
    with name_scope(name, "global_norm", [t for t in t_list if t is not None]):
        halves = []
        for value in _all_values(t_list):
            if value is not None:
                with get_default_graph().colocate_with(value.op):
                    halves.append(raw.L2Loss(value))
        half = nodes.reduce_sum(array_nodes.stack(halves))
        return raw.Sqrt(half * constant(2.0, dtype=half.dtype), name="global_norm")


@export("clip_by_global_norm")
def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """(list scaled down so that its global norm is <= clip_norm, the global norm before).

    `use_norm` replaces the global norm. When the norm is not finite, everything becomes NaN.
    """
    t_list = _list(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    present = [t for t in t_list if t is not None]
    with name_scope(name, "clip_by_global_norm", [*present, clip_norm]) as scope:
        scale = _scale(clip_norm, use_norm)
        clipped = []
        for i, (t, value) in enumerate(zip(t_list, _all_values(t_list), strict=True)):
            if value is None:
                clipped.append(None)
                continue
            with get_default_graph().colocate_with(value.op):
                clipped.append(_like(t, raw.Identity(value * scale, name=f"{scope}_{i}")))
    return clipped, use_norm


def _scale(clip_norm: Any, use_norm: Any) -> Tensor:
    inverse = 1.0 / use_norm
    factor = clip_norm * raw.Minimum(inverse, constant(1.0, dtype=use_norm.dtype) / clip_norm)
    finite = raw.IsFinite(use_norm)
    return raw.Select(finite, factor, constant(float("nan"), dtype=use_norm.dtype))


@export("clip_by_average_norm")
def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """A tensor scaled down so that its L2 norm divided by its size is <= clip_norm."""
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        t = convert_to_tensor(t, name="t")
        count = nodes.cast(array_nodes.size(t), dtypes.float32)
        inverse = raw.Rsqrt(nodes.reduce_sum(t * t, nodes.range(array_nodes.rank(t))))
        scaled = t * clip_norm * raw.Minimum(inverse * count, constant(1.0) / clip_norm)
        return raw.Identity(scaled, name=scope)
