"""Python functions as nodes: `PyFunc`, `PyFuncStateless`, `EagerPyFunc`.

A node holds a token; the function is kept by the graph that it was added to. So a graph that was
loaded cannot run code: its tokens name nothing.
"""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes, errors
from relight.graph.function import FuncGraph
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import unknown

_numbers = itertools.count()
_CLASSES: list[tuple[type[BaseException], Any]] = [
    (TypeError, errors.InvalidArgumentError),
    (ValueError, errors.InvalidArgumentError),
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
]


def _owner(graph: Any) -> Any:
    return graph.outermost if isinstance(graph, FuncGraph) else graph


def register(graph: Any, function: Callable[..., Any]) -> str:
    """Keep a function with a graph; the token under which a node of the graph finds it."""
    token = f"pyfunc_{next(_numbers)}"
    _owner(graph).__dict__.setdefault("_python_functions", {})[token] = function
    return token


def _py_func(node: Any) -> Any:
    token = node._attrs["token"]
    expected = node._attrs["Tout"]

    def call(inputs: list[np.ndarray]) -> list[np.ndarray]:
        function = _owner(node.graph).__dict__.get("_python_functions", {}).get(token)
        if function is None:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"callback {token} is not found: this graph has no such Python function (a graph "
                "that was loaded from a file cannot hold any)",
            )
        # Kernels work on their own memory: a function may change what it is given.
        given = function(*(i.copy() if i.ndim else i[()] for i in inputs))
        return _checked(token, given, expected)

    return _with_errors(call)


def _with_errors(call: Callable[[list[np.ndarray]], list[np.ndarray]]) -> Any:
    def guarded(inputs: list[np.ndarray]) -> list[np.ndarray]:
        try:
            return call(inputs)
        except errors.OpError:
            raise
        except (Exception, SystemExit) as error:
            kind = next((k for t, k in _CLASSES if isinstance(error, t)), errors.UnknownError)
            trace = "".join(traceback.format_tb(error.__traceback__))
            raise kind(
                None,
                None,
                f"{type(error).__name__}: {error}\nTraceback (most recent call last):\n{trace}",
            ) from error

    return guarded


def as_array(value: Any, dtype: Any = None) -> np.ndarray:
    """What a Python function gave, as an array; text becomes bytes."""
    array = np.asarray(value, dtype=dtype, order="C")
    if array.dtype.kind == "U" or (array.dtype.kind == "O" and dtype is None):
        flat = [v.encode() if isinstance(v, str) else v for v in array.ravel().tolist()]
    elif array.dtype.kind == "S":
        flat = array.ravel().tolist()
    elif array.dtype.kind == "O":
        flat = [v if isinstance(v, bytes) else str(v).encode() for v in array.ravel().tolist()]
    else:
        return array
    result = np.empty(array.shape, np.object_)
    for i, item in enumerate(flat):
        result.reshape(-1)[i] = item
    return result


def _checked(token: str, given: Any, expected: list[dtypes.DType]) -> list[np.ndarray]:
    items = given if isinstance(given, (list, tuple)) else [given]
    if given is None:
        items = []
    if len(items) != len(expected):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"{token} returns {len(items)} values, but expects to see {len(expected)} values.",
        )
    arrays = [as_array(v) for v in items]
    for i, (array, dtype) in enumerate(zip(arrays, expected, strict=True)):
        if array.dtype != np.dtype(dtype.as_numpy_dtype):
            found = dtypes.as_dtype(array.dtype)
            raise errors.InvalidArgumentError(
                None,
                None,
                f"{i}-th value returned by {token} is {dtypes.runtime_name(found)}, but expects "
                f"{dtypes.runtime_name(dtype)}",
            )
    # A later change of an array by the program must not change the graph's value.
    return [a.copy() for a in arrays]


for _name, _stateful in (("PyFunc", True), ("PyFuncStateless", False), ("EagerPyFunc", True)):
    op(_name, shape=unknown, specialise=True, host=("input",), host_out=True, stateful=_stateful)(
        _py_func
    )
    not_differentiable(_name)
