"""What input functions and model functions take and give."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from relight.graph.graph import get_default_graph
from relight.v1.train.session_run_hook import SessionRunHook


def fn_args(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the arguments that a call can still give: without `self` and bound ones."""
    if isinstance(function, functools.partial):
        names = fn_args(function.func)[len(function.args) :]
        return tuple(n for n in names if n not in (function.keywords or {}))
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = function.__call__  # an object that can be called
    names = tuple(inspect.getfullargspec(function).args)
    if inspect.ismethod(function) and function.__self__ is not None:
        names = names[1:]
    return names


class DatasetInitializerHook(SessionRunHook):
    """Initializes a dataset's iterator in each new session."""

    def __init__(self, iterator: Any):
        self._iterator = iterator

    def begin(self) -> None:
        """Find the operation while the graph can still grow."""
        self._initializer = self._iterator.initializer

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Run it."""
        session.run(self._initializer)


def parse_input_fn_result(result: Any) -> tuple[Any, Any, list[SessionRunHook]]:
    """(features, labels or None, hooks) of what an input function returned.

    It may be a dataset of them, a pair of features and labels, or features alone. Raises
    ValueError for a tuple or list of another length.
    """
    hooks: list[SessionRunHook] = []
    make_iterator = getattr(result, "_make_initializable_iterator", None)
    if make_iterator is None and hasattr(result, "output_types"):
        make_iterator = getattr(result, "make_initializable_iterator", None)
    if make_iterator is not None:
        iterator = make_iterator()
        hooks.append(DatasetInitializerHook(iterator))
        result = iterator.get_next()
    features, labels = parse_iterator_result(result)
    return features, labels, hooks


def parse_iterator_result(result: Any) -> tuple[Any, Any]:
    """(features, labels or None)."""
    if isinstance(result, (list, tuple)):
        if len(result) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return result[0], result[1]
    return result, None


def is_dense_tensor_like(value: Any) -> bool:
    """Whether a value is a Tensor or a variable."""
    from relight.graph.node import Tensor
    from relight.v1.functions.variables import Variable

    return isinstance(value, (Tensor, Variable))


def in_default_graph(value: Any) -> bool:
    """Whether a tensor, variable or operation belongs to the default graph."""
    return value.graph is get_default_graph()
