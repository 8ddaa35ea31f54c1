"""Control edges: `group`, `tuple`, `no_op`, `control_dependencies`."""

from __future__ import annotations

import builtins
from typing import Any

from relight.graph.composite import IndexedSlices, SparseTensor
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw


@export("control_dependencies")
def control_dependencies(control_inputs: Any) -> Any:
    """Let operations made inside the `with` block run after `control_inputs`."""
    return get_default_graph().control_dependencies(control_inputs)


@export("no_op")
def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing, to hang control edges on."""
    return raw.NoOp(name=name)


def _no_op_on(device: str | None, deps: list[Any], name: str | None) -> Operation:
    graph = get_default_graph()
    with graph.control_dependencies(deps):
        if device is None:
            return raw.NoOp(name=name)
        with graph.device(device):
            return raw.NoOp(name=name)


@export("group")
def group(*inputs: Any, **kwargs: Any) -> Operation:
    """One operation that is done when all `inputs` (tensors, operations, nests of them) are.

    `name` is the only keyword. Inputs of several devices are first joined device by device.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError("Unknown keyword arguments: " + ", ".join(kwargs))
    flat = list(_flatten(inputs))
    with name_scope(name, "group_deps", flat) as scope:
        if not flat:
            return no_op(name=scope)
        by_device: dict[str, list[Any]] = {}
        for item in flat:
            element = item if isinstance(item, (Tensor, Operation)) else _element(item)
            if element is None:
                raise TypeError(
                    f"Expected tf.group() expected Tensor objects not None or '{type(item)}'"
                )
            by_device.setdefault(element.device, []).append(element)
        if len(by_device) == 1:
            ((device, deps),) = by_device.items()
            return _no_op_on(device or None, deps, scope)
        joined = [
            _no_op_on(device or None, by_device[device], None) for device in sorted(by_device)
        ]
        with get_default_graph().control_dependencies(joined):
            return no_op(name=scope)


def _element(item: Any) -> Any:
    if isinstance(item, (IndexedSlices, SparseTensor)) or hasattr(item, "_handle"):
        return item.op
    convert = getattr(item, "_as_graph_element", None)
    return convert() if convert is not None else getattr(item, "op", None)


def _flatten(items: Any) -> Any:
    for item in items:
        if isinstance(item, dict):
            yield from _flatten(item[k] for k in sorted(item))
        elif isinstance(item, (builtins.list, builtins.tuple)):
            yield from _flatten(item)
        else:
            yield item


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """`output_tensor`, available only after `dependencies` have run."""
    with name_scope(name, "control_dependency", [*dependencies, output_tensor]) as scope:
        graph = get_default_graph()
        with graph.colocate_with(output_tensor), graph.control_dependencies(dependencies):
            output_tensor = _as_value(output_tensor)
            if isinstance(output_tensor, IndexedSlices):
                return IndexedSlices(
                    raw.Identity(output_tensor.values, name=scope),
                    output_tensor.indices,
                    output_tensor.dense_shape,
                )
            return raw.Identity(output_tensor, name=scope)


def _as_value(value: Any) -> Any:
    if isinstance(value, (IndexedSlices, Operation)):
        return value
    return convert_to_tensor(value)


@export("tuple")
def tuple(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The same tensors, each available only when all (and `control_inputs`) have been computed."""
    with name_scope(name, "tuple", [t for t in tensors if t is not None]):
        values = [
            t if t is None or isinstance(t, (IndexedSlices, Operation)) else convert_to_tensor(t)
            for t in tensors
        ]
        gating = [v if isinstance(v, Operation) else v.op for v in values if v is not None]
        for item in control_inputs or ():
            if not isinstance(item, (Tensor, Operation)):
                raise TypeError(f"Control input must be Operation or Tensor: {item}")
            gating.append(item.op if isinstance(item, Tensor) else item)
        unique = sorted(builtins.set(gating), key=lambda op: op._id)
        if not unique:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        gate = group(*unique)
        result: list[Any] = []
        for value in values:
            if value is None:
                result.append(None)
            elif isinstance(value, Operation):
                with get_default_graph().control_dependencies([gate]):
                    result.append(value)
            else:
                result.append(with_dependencies([gate], value))
        return result
