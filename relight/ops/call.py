"""Kernels made callable: attrs bound once, inputs grouped as the signature says."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch

from relight.graph import errors, opdef

# Feeds and constants may be read-only arrays; no kernel writes into its inputs.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


@functools.cache
def _attr_parameters(kernel: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(kernel).parameters.values()
    except ValueError:  # a function of torch's that does not tell: it takes the inputs alone
        return ()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def bind(node: Any) -> Callable[..., Any]:
    """The kernel of a node with its attrs bound: a function of its inputs alone.

    A `takes_session` kernel takes the session's state first. KeyError when there is no kernel.
    """
    record = opdef.record(node.type)
    if record.kernel is None:
        raise KeyError(node.type)
    if getattr(node, "_loaded", False):  # set by the importer on nodes that run Python code
        raise errors.FailedPreconditionError(
            None,
            node,
            f"node {node.name!r} ({node.type}) was loaded from a GraphDef and would run a Python "
            "function of this process; a file may not choose what code is executed",
        )
    return record.kernel(node) if record.specialise else with_attrs(record.kernel, node)


def with_attrs(kernel: Callable[..., Any], node: Any) -> Callable[..., Any]:
    """A kernel with the attrs that it names bound to those of a node."""
    names = _attr_parameters(kernel)
    if not names:
        return kernel
    return functools.partial(kernel, **{n: node._attrs.get(n) for n in names})


def grouped(node: Any, values: Sequence[Any]) -> list[Any]:
    """One entry an input of the signature: a value, or a list for a list input."""
    result: list[Any] = []
    position = 0
    for arg in opdef.op_def(node.type).inputs:
        if not arg.is_list:
            result.append(values[position])
            position += 1
            continue
        count = arg.count(node._attrs)
        result.append(list(values[position : position + count]))
        position += count
    return result


_empty, _OBJECT = np.empty, np.dtype(object)  # looked up once: `boxed` runs for every record


def boxed(value: bytes) -> np.ndarray:
    """A scalar string value, which numpy makes of no bytes by itself."""
    array = _empty((), _OBJECT)
    array[()] = value
    return array


def arguments(node: Any) -> Iterator[tuple[opdef.ArgDef, Any]]:
    """The inputs of a node's signature, and the tensor of each, or its list of tensors."""
    return zip(opdef.op_def(node.type).inputs, grouped(node, node._inputs), strict=True)


_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def to_torch(array: np.ndarray) -> torch.Tensor:
    """A numpy array as a torch tensor on the same memory where that is possible."""
    if array.dtype == _BFLOAT16:
        return torch.from_numpy(np.asarray(array, order="C").view(np.int16)).view(torch.bfloat16)
    if not array.flags.c_contiguous and min(array.strides) < 0:
        array = np.asarray(array, order="C")
    return torch.from_numpy(array)


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A torch tensor as a numpy array, row by row, on the same memory where that is possible."""
    if not tensor.is_cpu:
        tensor = tensor.cpu()
    if not tensor.is_contiguous():  # programs take the bytes of what they fetch
        tensor = tensor.contiguous()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(_BFLOAT16)
    if tensor.is_conj() or tensor.is_neg():
        tensor = tensor.resolve_conj().resolve_neg()
    return tensor.numpy()


def at_hand(tensor: torch.Tensor) -> bool:
    """Whether a kernel may look at the values of a tensor: a GPU would have to be waited for."""
    return tensor.is_cpu


def call_kernel(node: Any, values: Sequence[np.ndarray]) -> list[Any]:
    """Run the kernel of a stateless node on numpy values; numpy values (a list of outputs)."""
    record = opdef.record(node.type)
    arguments = []
    flat = grouped(node, list(values))
    for arg, value in zip(opdef.op_def(node.type).inputs, flat, strict=True):
        host = arg.name in record.host
        if isinstance(value, list):
            arguments.append([_as(v, host) for v in value])
        else:
            arguments.append(_as(value, host))
    with torch.inference_mode():
        outputs = bind(node)(*arguments)
    items = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    flat_items: list[Any] = []
    for item in items:
        flat_items.extend(item if isinstance(item, (list, tuple)) else [item])
    return [to_numpy(i) if isinstance(i, torch.Tensor) else np.asarray(i) for i in flat_items]


def _as(value: np.ndarray, host: bool) -> Any:
    return value if host or value.dtype == np.object_ else to_torch(value)
