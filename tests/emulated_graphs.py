"""A stand-in for CUDA graphs on the processor, which keeps to their rules about memory.

Capturing records PyTorch's operations with the addresses that they read and write, and changes
nothing. A replay runs them again on these addresses, whatever lies there by then: nothing that was
captured is kept alive, and what a graph gives lies at the same place after each replay. Copies
from the host are carried out late, when the next replay begins.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from relight.engine.segments import tensors_of


class EmulatedGraphs:
    """What `relight.engine.cuda_graphs.CudaGraphs` does on a GPU. `log` says what was called;
    `fails` names an operation that cannot be captured."""

    def __init__(self, log: list[str] | None = None, fails: str = ""):
        self.log = [] if log is None else log
        self.fails = fails
        self._late: list[tuple[torch.Tensor, torch.Tensor]] = []

    def new_pool(self) -> Any:
        return None

    def warm_up(self, run: Any) -> None:
        self.log.append("warm-up")
        run()

    def capture(self, run: Any, pool: Any) -> Any:
        self.log.append("capture")
        self._carry_out()
        recording = Recording(self.fails)
        try:
            with recording:
                made = run()
        except Exception:
            raise RuntimeError("operation failed due to a previous error during capture")
        recording.end()

        def replay() -> None:
            self.log.append("replay")
            self._carry_out()
            recording.replay()

        return replay, made

    def _carry_out(self) -> None:
        late, self._late = self._late, []
        for target, source in late:
            target.copy_(source)

    def upload(self, target: torch.Tensor, source: torch.Tensor) -> None:
        self._late.append((target, source.clone()))


class Recording(TorchDispatchMode):
    """The operations called under it, for `replay` after `end`."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self._fails = fails
        self._calls: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self._made: dict[int, torch.Tensor] = {}  # by the address of their memory
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.name() == self._fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        for tensor in _written(func, args, kwargs):
            address = tensor.untyped_storage().data_ptr()
            if address not in self._made and tensor.data_ptr() not in self._before:
                self._before[tensor.data_ptr()] = (_at_address(tensor), tensor.clone())
        outside = {_memory(t) for t in tensors_of([args, kwargs])} - set(self._made)
        given = self._by_address(args), self._by_address(kwargs)
        made = func(*args, **kwargs)
        results = []
        for tensor in tensors_of(made):
            if _memory(tensor) not in outside:
                self._made.setdefault(_memory(tensor), tensor)
            results.append(self._by_address(tensor))
        self._calls.append((func, *given, results))
        return made

    def _by_address(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value if _memory(value) in self._made else _at_address(value)
        if isinstance(value, (list, tuple)):
            return type(value)([self._by_address(v) for v in value])
        if isinstance(value, dict):
            return {k: self._by_address(v) for k, v in value.items()}
        return value

    def end(self) -> None:
        """Undo what capturing would not have done, and spoil what it would not have made."""
        for target, source in self._before.values():
            target.copy_(source)
        for tensor in self._made.values():
            storage = tensor.untyped_storage()
            if storage.nbytes():
                ctypes.memset(storage.data_ptr(), 0xFF, storage.nbytes())

    def replay(self) -> None:
        for func, args, kwargs, results in self._calls:
            for made, result in zip(tensors_of(func(*args, **kwargs)), results, strict=True):
                if made.data_ptr() != result.data_ptr():
                    result.copy_(made)


def _written(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    found = []
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors_of(args[i] if i < len(args) else kwargs.get(argument.name))
    return found


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _at_address(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor on the same memory that does not keep it alive."""
    if tensor.numel() == 0:
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
    count = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    size = count * tensor.element_size()
    memory = (ctypes.c_char * size).from_address(tensor.data_ptr())
    flat = torch.frombuffer(memory, dtype=tensor.dtype)
    return flat.as_strided(tensor.shape, tensor.stride())
