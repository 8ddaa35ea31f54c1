"""Defaults for keyword arguments of layers inside a `with` block: `arg_scope`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.export import export

_stack: list[dict[str, dict[str, Any]]] = [{}]
_keywords: dict[str, tuple[str, ...]] = {}


@export("contrib.framework.current_arg_scope", "contrib.slim.current_arg_scope")
def current_arg_scope() -> dict[str, dict[str, Any]]:
    """The defaults in force: keyword arguments by function key."""
    return _stack[-1]


@export("contrib.slim.arg_scope_func_key")
def arg_scope_func_key(op: Any) -> str:
    """The key of a function in an argument scope."""
    return getattr(op, "_key_op", str(op))


@export("contrib.framework.has_arg_scope", "contrib.slim.has_arg_scope")
def has_arg_scope(func: Any) -> bool:
    """Whether a function was decorated with `add_arg_scope`."""
    return arg_scope_func_key(func) in _keywords


@export("contrib.framework.arg_scoped_arguments", "contrib.slim.arg_scoped_arguments")
def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The names of a decorated function's arguments that have defaults."""
    if not has_arg_scope(func):
        raise AssertionError(f"{func} is not decorated with @add_arg_scope")
    return _keywords[arg_scope_func_key(func)]


@export("contrib.framework.arg_scope", "contrib.slim.arg_scope")
@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """Let `kwargs` be defaults of the listed functions; or open a scope made earlier (a dict).

    The functions must be decorated with `add_arg_scope`.
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError(
                "When attempting to re-use a scope by suppling adictionary, kwargs must be empty."
            )
        scope = list_ops_or_scope.copy()
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = current_arg_scope().copy()
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                name = (getattr(op, "__module__", ""), getattr(op, "__name__", str(op)))
                raise ValueError(f"{name} is not decorated with @add_arg_scope")
            key = arg_scope_func_key(op)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
    _stack.append(scope)
    try:
        yield scope
    finally:
        _stack.pop()


@export("contrib.framework.add_arg_scope", "contrib.slim.add_arg_scope")
def add_arg_scope(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: let `arg_scope` set defaults for the function's keyword arguments."""
    key = arg_scope_func_key(func)

    @functools.wraps(func)
    def with_defaults(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**current_arg_scope().get(key, {}), **kwargs})

    code = func.__code__
    defaults = len(func.__defaults__ or ())
    _keywords[key] = code.co_varnames[code.co_argcount - defaults : code.co_argcount]
    with_defaults._key_op = key  # type: ignore[attr-defined]
    return with_defaults
