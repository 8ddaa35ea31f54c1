"""A plain interpreter of plans: the same steps, one by one, with types and shapes checked."""

from __future__ import annotations

from typing import Any

import torch

from relight.engine.steps import Plan, Value
from relight.graph import dtypes
from relight.graph.shapes import TensorShape
from relight.ops.call import to_numpy


def run(plan: Plan, state: Any, feeds: list[Any]) -> list[Any]:
    """The fetched values, computed step by step. AssertionError when a value has not the type or
    static shape that the graph promises."""
    values: dict[Value, Any] = dict(plan.constants)
    values.update(zip(plan.fed_values, feeds, strict=True))
    for step in plan.steps:
        arguments = [
            [values[v] for v in item]
            if isinstance(item, list)
            else None
            if item is None
            else values[item]
            for item in step.inputs
        ]
        assert step.function is not None
        given = step.function(*([state] if step.takes_session else []), *arguments)
        flat = _flatten(given, len(step.outputs))
        for value, item in zip(step.outputs, flat, strict=True):
            if value is not None:
                _check(value, item)
                values[value] = item
    return [
        values[v].copy() if c else values[v]
        for v, c in zip(plan.fetched_values, plan.copies, strict=True)
    ]


def _flatten(given: Any, count: int) -> list[Any]:
    if count == 0:
        return []
    if count == 1 and not isinstance(given, (list, tuple)):
        return [given]
    flat: list[Any] = []
    for item in given:
        flat.extend(item if isinstance(item, list) else [item])
    return flat


def _check(value: Value, item: Any) -> None:
    tensor = value.tensor
    if tensor is None or value.kind == "R":
        return
    array = to_numpy(item) if isinstance(item, torch.Tensor) else item
    wanted = tensor.dtype.base_dtype
    found = dtypes.string if array.dtype == object else dtypes.as_dtype(array.dtype)
    if not wanted.is_quantized:
        assert found == wanted, f"{tensor.name} is {found.name}, not {wanted.name}"
    assert tensor.shape.is_compatible_with(TensorShape(array.shape)), (
        f"{tensor.name} has shape {array.shape}, not {tensor.shape}"
    )
