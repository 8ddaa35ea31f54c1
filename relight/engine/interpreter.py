"""A plain interpreter of plans: the same steps, one by one, for those who want to look at each."""

from __future__ import annotations

import time
from typing import Any

import torch

from relight.engine import explain, waiting
from relight.engine.codegen import last_uses
from relight.engine.steps import Plan, Seen, Step, Value, arguments_of, fetched, flatten
from relight.graph import dtypes
from relight.graph.shapes import TensorShape
from relight.ops.call import to_numpy


def run(plan: Plan, state: Any, feeds: list[Any]) -> list[Any]:
    """The fetched values, computed step by step. AssertionError when a value has not the type or
    static shape that the graph promises."""

    def check(step: Step, start: int, end: int, arguments: list[Any], results: list[Any]) -> None:
        for value, item in zip(step.outputs, results, strict=True):
            if value is not None:
                _check(value, item)

    return walk(plan, state, feeds, check)


def walk(plan: Plan, state: Any, feeds: list[Any], seen: Seen) -> list[Any]:
    """The fetched values. After each step `seen` gets it, its start and end (nanoseconds since
    1970, the device's work included), its arguments and its results.

    What a step raises comes as the `tf.errors` exception that names its node.
    """
    if isinstance(plan.function, waiting.Concurrent):
        return plan.function.walk(state, feeds, seen)
    values: dict[Value, Any] = dict(plan.constants)
    values.update(zip(plan.fed_values, feeds, strict=True))
    last_use = last_uses(plan)
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
    for i, step in enumerate(plan.steps):
        arguments = arguments_of(step, values)
        assert step.function is not None
        start = time.time_ns()
        try:
            given = step.function(*([state] if step.takes_session else []), *arguments)
            if on_gpu:
                torch.cuda.synchronize()
        except Exception as error:
            explain.raise_explained(plan, error, step)
        end = time.time_ns()
        results = flatten(given, len(step.outputs))
        seen(step, start, end, arguments, results)
        for value, item in zip(step.outputs, results, strict=True):
            if value is not None:
                values[value] = item
        del arguments, given, results  # an update in place needs to be alone with its value
        for value in last_use.get(i, ()):
            values.pop(value, None)
    return fetched(plan, values)


def _check(value: Value, item: Any) -> None:
    tensor = value.tensor
    if tensor is None or value.kind == "R" or item is None:  # None: the branch was not taken
        return
    array = to_numpy(item) if isinstance(item, torch.Tensor) else item
    wanted = tensor.dtype.base_dtype
    found = dtypes.string if array.dtype == object else dtypes.as_dtype(array.dtype)
    if not wanted.is_quantized:
        assert found == wanted, f"{tensor.name} is {found.name}, not {wanted.name}"
    assert tensor.shape.is_compatible_with(TensorShape(array.shape)), (
        f"{tensor.name} has shape {array.shape}, not {tensor.shape}"
    )
