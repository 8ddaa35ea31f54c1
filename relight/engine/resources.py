"""The state of a session: variables, queues, tables and random streams, by name."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any

import torch

from relight.graph import errors

_storage_use_count: Callable[[int], int] = torch._C._storage_Use_Count  # type: ignore[attr-defined]


class Variable:
    """The memory of one variable. `value` is None before the first assignment.

    A tensor that was read is never changed afterwards: an update in place happens only when nothing
    else holds the tensor or its storage (`owned`), else it makes a new one.
    """

    __slots__ = ("_lock", "dtype", "name", "shape", "value")

    def __init__(self, name: str, dtype: Any = None, shape: Any = None):
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.value: torch.Tensor | None = None
        self._lock = threading.Lock()

    def read(self) -> torch.Tensor:
        """The current value; FailedPreconditionError when there is none."""
        value = self.value
        if value is None:
            with self._lock:  # an update in place may be under way in another thread
                value = self.value
            if value is None:
                raise errors.FailedPreconditionError(
                    None, None, f"Attempting to use uninitialized value {self.name}"
                )
        return value

    def is_initialized(self) -> bool:
        """Whether it has a value."""
        if self.value is not None:
            return True
        with self._lock:
            return self.value is not None

    def assign(self, value: torch.Tensor) -> None:
        """Set the value; the caller gives up `value`."""
        with self._lock:
            self.value = value

    def update(self, function: Callable[[torch.Tensor], torch.Tensor | None]) -> None:
        """Let `function` change the value in place (or return a new one), alone."""
        with self._lock:
            value = self.value
            if value is None:
                raise errors.FailedPreconditionError(
                    None, None, f"Attempting to use uninitialized value {self.name}"
                )
            self.value = None  # readers wait for the lock meanwhile
            values = [value]
            del value
            try:
                if not _owned(values, 0):
                    values[0] = values[0].clone(memory_format=torch.preserve_format)
                changed = function(values[0])
                if changed is not None:
                    values[0] = changed
            finally:
                self.value = values[0]


def _owned(values: list[torch.Tensor], i: int) -> bool:
    """Whether nothing but the list holds its item `i`, and nothing else shares its storage.

    The tensor is counted where it lies: how many references a name and a call add depends on the
    version of Python. Two are left, that of the list and that of the argument of the counting.
    """
    if sys.getrefcount(values[i]) > 2:
        return False
    return _storage_use_count(values[i].untyped_storage()._cdata) <= 2


def update_all(variables: list[Variable], function: Callable[[list[torch.Tensor]], None]) -> None:
    """Let `function` change the values of several variables in place at once."""
    locked: list[Variable] = []
    values: list[torch.Tensor] = []
    try:
        # One order for all threads, so that two updates cannot wait for each other.
        for variable in sorted(set(variables), key=id):
            variable._lock.acquire()
            locked.append(variable)
        for variable in variables:
            value = variable.value
            if value is None:
                raise errors.FailedPreconditionError(
                    None, None, f"Attempting to use uninitialized value {variable.name}"
                )
            variable.value = None
            values.append(value)
            del value
        for i in range(len(values)):
            if not _owned(values, i):
                values[i] = values[i].clone(memory_format=torch.preserve_format)
        function(values)
    finally:
        for variable, value in zip(variables, values, strict=False):
            variable.value = value
        for variable in locked:
            variable._lock.release()


class State:
    """What a session keeps between runs. Resources are found by (kind, container, name)."""

    def __init__(self, graph: Any, device: torch.device):
        self.graph = graph
        self.device = device
        self.variables: dict[str, Variable] = {}
        self.resources: dict[Any, Any] = {}
        self.streams: dict[Any, Any] = {}
        self.lock = threading.RLock()
        self.closed = False
        self.timeout: float | None = None  # seconds that a blocking operation may wait
        self.on_close: list[Callable[[], None]] = []
        # Under which key the variable of a name and node is kept, where sessions share them.
        self.owner: Callable[[str, Any], Any] | None = None

    def variable(
        self, name: str, dtype: Any = None, shape: Any = None, node: Any = None
    ) -> Variable:
        """The variable of that name (and node), made without a value when it is new."""
        key = name if self.owner is None else self.owner(name, node)
        found = self.variables.get(key)
        if found is None:
            with self.lock:
                found = self.variables.setdefault(key, Variable(name, dtype, shape))
        return found

    def resource(self, key: Any, make: Callable[[], Any]) -> Any:
        """The resource under `key`, made when it is new. One with `close` is closed at the end."""
        found = self.resources.get(key)
        if found is None:
            with self.lock:
                found = self.resources.get(key)
                if found is None:
                    if self.closed:  # a thread that still runs must not wait in something new
                        raise errors.CancelledError(None, None, "Session has been closed.")
                    found = self.resources[key] = make()
        return found

    @staticmethod
    def engine(name: str) -> Any:
        """A module of this package, for kernels: ops declare resources that the engine runs."""
        return importlib.import_module("relight.engine." + name)

    def stream(self, node: Any) -> Any:
        """The random stream of a node: seeded by its attrs, else PyTorch's generator."""
        found = self.streams.get(node)
        if found is None:
            with self.lock:
                found = self.streams.get(node)
                if found is None:
                    found = self.streams[node] = _new_stream(node)
        return found

    def close(self) -> None:
        """Cancel what waits in resources (queues), unless other sessions share them."""
        with self.lock:
            self.closed = True
            resources = list(self.resources.values()) if self.owner is None else []
            actions, self.on_close = self.on_close, []
        for action in actions:
            action()
        for item in resources:
            cancel = getattr(item, "cancel", None)
            if cancel is not None:
                cancel()


def _new_stream(node: Any) -> Any:
    from relight.engine.random import make_stream

    return make_stream(node._attrs.get("seed", 0), node._attrs.get("seed2", 0))
