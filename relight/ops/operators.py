"""Python's operators on tensors: `a + b`, `a @ b`, `a[1:, ...]`, `a < b`.

`relight.ops.math_nodes` and `array_nodes` set them to the functions that build the nodes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from relight.graph.composite import SparseTensor
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops.build import convert_to_tensor


def set_binary(function: Callable[..., Any], op_name: str) -> None:
    """Define `__<op_name>__` and its reflected form by `function(x, y, name=)`."""

    @functools.wraps(function)
    def forward(x: Any, y: Any) -> Any:
        with name_scope(None, op_name, [x, y]) as name:
            if isinstance(x, Tensor) and isinstance(y, Tensor):
                return function(x, y, name=name)
            if not isinstance(y, SparseTensor):
                try:
                    y = convert_to_tensor(y, preferred_dtype=x.dtype.base_dtype, name="y")
                except TypeError:
                    if hasattr(type(y), f"__r{op_name}__"):
                        return NotImplemented
                    raise
            return function(x, y, name=name)

    @functools.wraps(function)
    def backward(y: Any, x: Any) -> Any:
        with name_scope(None, op_name, [x, y]) as name:
            x = convert_to_tensor(x, dtype=y.dtype.base_dtype, name="x")
            return function(x, y, name=name)

    setattr(Tensor, f"__{op_name}__", forward)
    setattr(Tensor, f"__r{op_name}__", backward)


def set_unary(function: Callable[..., Any], op_name: str) -> None:
    """Define `__<op_name>__` by `function(x)`."""

    @functools.wraps(function)
    def forward(x: Any) -> Any:
        return function(x)

    setattr(Tensor, f"__{op_name}__", forward)


def set_comparison(function: Callable[..., Any], op_name: str) -> None:
    """Define a comparison by `function(x, y)`; it has no reflected form."""

    @functools.wraps(function)
    def forward(x: Any, y: Any) -> Any:
        return function(x, y)

    setattr(Tensor, f"__{op_name}__", forward)


def copy_operators(target: type, value: Callable[[Any], Tensor]) -> None:
    """Give another class (variables) the operators of Tensor, applied to `value(self)`."""
    names = [
        *(f"__{r}{n}__" for n in _BINARY for r in ("", "r")),
        "__invert__",
        "__neg__",
        "__abs__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__getitem__",
    ]
    for name in names:
        if not hasattr(Tensor, name):
            continue
        setattr(target, name, _delegate(name, value))


_BINARY = (
    "add",
    "sub",
    "mul",
    "div",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
)


def _delegate(name: str, value: Callable[[Any], Tensor]) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        return getattr(Tensor, name)(value(self), *args)

    method.__name__ = name
    return method
