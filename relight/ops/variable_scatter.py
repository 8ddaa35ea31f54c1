"""Changing and reading parts of variables: rows, slices at n-dimensional places, strided slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from relight.graph import errors
from relight.graph.composite import IndexedSlices
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops import slicing
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.ops.shape_rules import sizes
from relight.ops.state import handle_shape, held_shape, merge_shapes, read_resource


def _error(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _text(shape: Any) -> str:
    return "[" + ",".join(str(s) for s in shape) + "]"


def check_indices(indices: torch.Tensor, size: int) -> None:
    """InvalidArgumentError when an index is not in [0, size)."""
    if indices.numel() == 0:
        return
    low, high = torch.aminmax(indices)
    if int(low) >= 0 and int(high) < size:
        return
    bad = int(((indices < 0) | (indices >= size)).flatten().nonzero()[0])
    place = ",".join(str(int(i)) for i in np.unravel_index(bad, tuple(indices.shape) or (1,)))
    where = f"[{place}]" if indices.ndim else ""
    raise _error(f"indices{where} = {int(indices.flatten()[bad])} is not in [0, {size})")


# -- rows ------------------------------------------------------------------------------------------


def _divide(value: torch.Tensor, places: torch.Tensor, rows: torch.Tensor) -> None:
    whole = not value.is_floating_point() and not value.is_complex()
    for i, place in enumerate(places.tolist()):  # a row that is named twice is divided twice
        value[place] = (
            torch.div(value[place], rows[i], rounding_mode="trunc")
            if whole
            else value[place] / rows[i]
        )


def _multiply(value: torch.Tensor, places: torch.Tensor, rows: torch.Tensor) -> None:
    for i, place in enumerate(places.tolist()):
        value[place] *= rows[i]


def _replace(value: torch.Tensor, places: torch.Tensor, rows: torch.Tensor) -> None:
    value[places] = rows


ROWS: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]] = {
    "Update": _replace,
    "Add": lambda value, places, rows: value.index_add_(0, places, rows),
    "Sub": lambda value, places, rows: value.index_add_(0, places, rows, alpha=-1),
    "Mul": _multiply,
    "Div": _divide,
    "Min": lambda value, places, rows: value.index_reduce_(0, places, rows, "amin"),
    "Max": lambda value, places, rows: value.index_reduce_(0, places, rows, "amax"),
}


def _scatter_kernel(change: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(ref: Any, indices: torch.Tensor, updates: torch.Tensor) -> Any:
        def scatter(value: torch.Tensor) -> None:
            if value.ndim < 1:
                raise _error(f"params must be at least 1-D, got shape {_text(value.shape)}")
            wanted = (*indices.shape, *value.shape[1:])
            if updates.ndim and tuple(updates.shape) != wanted:
                raise _error(
                    "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape "
                    f"= [], got updates.shape {_text(updates.shape)}, indices.shape "
                    f"{_text(indices.shape)}, params.shape {_text(value.shape)}"
                )
            check_indices(indices, len(value))
            places = indices.reshape(-1).long()
            rows = updates.expand(wanted).reshape(len(places), *value.shape[1:])
            change(value, places, rows)

        if isinstance(updates, np.ndarray):
            ref.assign(_scatter_strings(ref.read(), indices, updates))
        else:
            ref.update(scatter)
        return ref

    return kernel


def _scatter_strings(value: np.ndarray, indices: torch.Tensor, updates: np.ndarray) -> np.ndarray:
    check_indices(indices, len(value))
    value = value.copy()
    value[indices.numpy()] = updates
    return value


def _scatter_shape(node: Any) -> list[Any]:
    whole = held_shape(node, 0)
    indices, updates = sizes(node, 1), sizes(node, 2)
    if whole is not None and len(whole) < 1:
        raise ShapeError(f"Shape must be at least rank 1 but is rank {len(whole)}")
    if None not in (whole, indices, updates) and updates != ():
        merge_shapes((*indices, *whole[1:]), updates)
    return [whole] if node._outputs else []


for _kind, _change in ROWS.items():
    _function = _scatter_kernel(_change)
    op(f"Scatter{_kind}", shape=_scatter_shape, writes="ref")(_function)
    op(f"ResourceScatter{_kind}", shape=_scatter_shape, writes="resource")(
        lambda resource, indices, updates, _f=_function: (
            read_resource(resource),
            _f(resource, indices, updates),
            None,
        )[-1]
    )
    not_differentiable(f"Scatter{_kind}", f"ResourceScatter{_kind}")


# -- n-dimensional places --------------------------------------------------------------------------


def _nd_kernel(kind: str) -> Callable[..., Any]:
    def kernel(ref: Any, indices: torch.Tensor, updates: torch.Tensor) -> Any:
        def scatter(value: torch.Tensor) -> None:
            depth = indices.shape[-1]
            inner = value.shape[depth:]
            wanted = (*indices.shape[:-1], *inner)
            if tuple(updates.shape) != wanted:
                raise _error(
                    "Must have updates.shape = indices.shape[:batch_dim] + "
                    f"params_shape[slice_dim:], got updates.shape: {_text(updates.shape)}, "
                    f"indices.shape: {_text(indices.shape)}, params_shape: {_text(value.shape)}, "
                    f"slice_dim: {depth}, and batch_dim: {indices.ndim - 1}"
                )
            places = indices.reshape(-1, depth).long()
            _check_nd(places, indices, value.shape)
            rows = updates.reshape(len(places), *inner)
            columns = tuple(places.unbind(-1))
            if not columns:
                raise _error("indices must address at least one dimension")
            if kind == "Update":
                value.index_put_(columns, rows)
            else:
                value.index_put_(columns, -rows if kind == "Sub" else rows, accumulate=True)

        ref.update(scatter)
        return ref

    return kernel


def _check_nd(places: torch.Tensor, indices: torch.Tensor, shape: Any) -> None:
    limits = torch.tensor(shape[: places.shape[-1]], device=places.device)
    bad = ((places < 0) | (places >= limits)).any(-1).nonzero()
    if len(bad):
        first = int(bad[0])
        place = np.unravel_index(first, tuple(indices.shape[:-1]) or (1,))
        raise _error(
            f"indices{_text(int(p) for p in place)} = {places[first].tolist()} does not index into "
            f"shape {_text(shape)}"
        )


def _nd_shape(node: Any) -> list[Any]:
    whole, indices, updates = held_shape(node, 0), sizes(node, 1), sizes(node, 2)
    if whole is not None and indices is not None and updates is not None:
        depth = indices[-1]
        if depth is not None and depth <= len(whole):
            merge_shapes((*indices[:-1], *whole[depth:]), updates)
    return [whole] if node._outputs else []


for _kind in ("Update", "Add", "Sub"):
    _function = _nd_kernel(_kind)
    op(f"ScatterNd{_kind}", shape=_nd_shape, writes="ref")(_function)
    op(f"ResourceScatterNd{_kind}", shape=_nd_shape, writes="ref")(
        lambda ref, indices, updates, _f=_function: (
            read_resource(ref),
            _f(ref, indices, updates),
            None,
        )[-1]
    )
    not_differentiable(f"ScatterNd{_kind}", f"ResourceScatterNd{_kind}")


# -- strided slices --------------------------------------------------------------------------------


def _slice_assign(node: Any) -> Callable[..., Any]:
    masks = {m: node._attrs[m] for m in slicing.MASKS}
    is_ref = bool(node._outputs)

    def assign(ref: Any, begin: Any, end: Any, strides: Any, part: torch.Tensor) -> Any:
        if not is_ref:
            read_resource(ref)

        def change(value: torch.Tensor) -> None:
            slicing.update_slice(value, begin, end, strides, part, masks)

        ref.update(change)
        return ref if is_ref else None

    return assign


_BOUNDS = ("begin", "end", "strides")
op(
    "StridedSliceAssign",
    shape=lambda node: [sizes(node, 0)],
    specialise=True,
    writes="ref",
    host=_BOUNDS,
)(_slice_assign)
op("ResourceStridedSliceAssign", specialise=True, writes="ref", host=_BOUNDS)(_slice_assign)
not_differentiable("StridedSliceAssign", "ResourceStridedSliceAssign")


# -- reading parts of resource variables -----------------------------------------------------------


def _gather_shape(node: Any) -> list[Any]:
    whole, indices = handle_shape(node._inputs[0]), sizes(node, 1)
    if whole is None or indices is None:
        return [None]
    if not whole:
        raise ShapeError("Shape must be at least rank 1 but is rank 0")
    batch = node._attrs.get("batch_dims", 0)
    return [(*indices, *whole[batch + 1 :])]


@op("ResourceGather", shape=_gather_shape, specialise=True)
def ResourceGather(node: Any) -> Any:
    """The rows at `indices` of a resource variable: [*indices.shape, *row]."""
    batch = node._attrs.get("batch_dims", 0)

    def gather(resource: Any, indices: torch.Tensor) -> Any:
        value = read_resource(resource)
        if isinstance(value, np.ndarray):
            return value[indices.numpy()]
        check_indices(indices, value.shape[batch])
        if not batch:
            rows = value.index_select(0, indices.reshape(-1))
            return rows.reshape((*indices.shape, *value.shape[1:]))
        flat = value.reshape(-1, *value.shape[batch:])
        places = indices.reshape(len(flat), -1)
        rows = torch.stack([f.index_select(0, p) for f, p in zip(flat, places, strict=True)])
        return rows.reshape(*indices.shape, *value.shape[batch + 1 :])

    return gather


@ResourceGather.gradient
def _(op, grad):
    from relight.ops import array_nodes as nodes

    handle, indices = op.inputs
    known = TensorShape.of(handle_shape(handle))
    if known.is_fully_defined():
        shape = constant(known.as_list(), dtype="int32")
    else:
        shape = raw.VariableShape(handle, name="VariableShape")
    size = raw.ExpandDims(nodes.size(indices), 0)
    values_shape = nodes.concat([size, shape[1:]], 0)
    values = nodes.reshape(grad, values_shape)
    return [IndexedSlices(values, nodes.reshape(indices, size), shape), None]


def _gather_nd_shape(node: Any) -> list[Any]:
    whole, indices = handle_shape(node._inputs[0]), sizes(node, 1)
    if whole is None or indices is None or indices[-1] is None:
        return [None]
    return [(*indices[:-1], *whole[indices[-1] :])]


@op("ResourceGatherNd", shape=_gather_nd_shape)
def ResourceGatherNd(resource, indices):
    """The slices at `indices` [..., depth] of a resource variable: [..., *slice]."""
    value = read_resource(resource)
    depth = indices.shape[-1]
    places = indices.reshape(-1, depth).long()
    _check_nd(places, indices, value.shape)
    return value[tuple(places.unbind(-1))].reshape(*indices.shape[:-1], *value.shape[depth:])


not_differentiable("ResourceGatherNd")
