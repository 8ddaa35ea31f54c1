"""`tf.assign` and `tf.scatter_*`: operations that change a variable."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.ops import array_nodes as array
from relight.ops.build import convert_to_tensor, raw


def _is_ref(variable: Any) -> bool:
    return variable.dtype._is_ref_dtype


@export("assign")
def assign(
    ref: Any,
    value: Any,
    validate_shape: bool | None = None,
    use_locking: bool | None = None,
    name: str | None = None,
) -> Any:
    """Set a variable; gives its new value. `validate_shape=False` lets its shape change."""
    if _is_ref(ref):
        return raw.Assign(
            ref, value, validate_shape=validate_shape, use_locking=use_locking, name=name
        )
    return ref.assign(value, name=name)


@export("assign_add")
def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: Any = None) -> Any:
    """Add to a variable; gives its new value."""
    if _is_ref(ref):
        return raw.AssignAdd(ref, value, use_locking=use_locking, name=name)
    return ref.assign_add(value)


@export("assign_sub")
def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: Any = None) -> Any:
    """Subtract from a variable; gives its new value."""
    if _is_ref(ref):
        return raw.AssignSub(ref, value, use_locking=use_locking, name=name)
    return ref.assign_sub(value)


@export("count_up_to")
def count_up_to(ref: Any, limit: int, name: str | None = None) -> Any:
    """The value of an integer variable before one is added; OutOfRangeError once it is `limit`."""
    if _is_ref(ref):
        return raw.CountUpTo(ref, limit=limit, name=name)
    return raw.ResourceCountUpTo(ref.handle, limit=limit, T=ref.dtype, name=name)


def _scatter(kind: str, ref: Any, indices: Any, updates: Any, use_locking: bool, name: Any) -> Any:
    if _is_ref(ref):
        build = getattr(raw, f"Scatter{kind}")
        return build(ref, indices, updates, use_locking=use_locking, name=name)
    build = getattr(raw, f"ResourceScatter{kind}")
    updates = convert_to_tensor(updates, ref.dtype)
    return ref._lazy_read(build(ref.handle, indices, updates, name=name))


@export("scatter_update")
def scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: Any = None
) -> Any:
    """Set the rows of a variable at `indices` to `updates` [*indices.shape, *row]."""
    return _scatter("Update", ref, indices, updates, use_locking, name)


@export("scatter_add")
def scatter_add(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Add `updates` [*indices.shape, *row] to the rows of a variable at `indices`."""
    return _scatter("Add", ref, indices, updates, use_locking, name)


@export("scatter_sub")
def scatter_sub(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Subtract `updates` [*indices.shape, *row] from the rows of a variable at `indices`."""
    return _scatter("Sub", ref, indices, updates, use_locking, name)


@export("scatter_mul")
def scatter_mul(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Multiply the rows of a variable at `indices` by `updates` [*indices.shape, *row]."""
    return _scatter("Mul", ref, indices, updates, use_locking, name)


@export("scatter_div")
def scatter_div(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Divide the rows of a variable at `indices` by `updates` [*indices.shape, *row]."""
    return _scatter("Div", ref, indices, updates, use_locking, name)


@export("scatter_max")
def scatter_max(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """The maximum of the rows of a variable at `indices` and `updates` [*indices.shape, *row]."""
    return _scatter("Max", ref, indices, updates, use_locking, name)


@export("scatter_min")
def scatter_min(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """The minimum of the rows of a variable at `indices` and `updates` [*indices.shape, *row]."""
    return _scatter("Min", ref, indices, updates, use_locking, name)


@export("scatter_nd_update")
def scatter_nd_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: Any = None
) -> Any:
    """Set the slices of a variable at `indices` [..., depth] to `updates` [..., *slice]."""
    return _scatter("NdUpdate", ref, indices, updates, use_locking, name)


@export("scatter_nd_add")
def scatter_nd_add(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Add `updates` [..., *slice] to the slices of a variable at `indices` [..., depth]."""
    return _scatter("NdAdd", ref, indices, updates, use_locking, name)


@export("scatter_nd_sub")
def scatter_nd_sub(
    ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: Any = None
) -> Any:
    """Subtract `updates` [..., *slice] from the slices of a variable at `indices` [..., depth]."""
    return _scatter("NdSub", ref, indices, updates, use_locking, name)


@export("batch_scatter_update")
def batch_scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: Any = None
) -> Any:
    """`scatter_update` in each batch entry: `indices` [batch..., n], `updates` [batch..., n, *row].

    Raises ValueError for indices of unknown rank.
    """
    with name_scope(name):
        indices = convert_to_tensor(indices, name="indices")
        indices_shape = array.shape(indices)
        rank = indices.shape.ndims
        if rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        nd_indices = raw.ExpandDims(indices, -1)
        parts = []
        for axis in range(rank - 1):  # the coordinates of the batch dimensions
            size = indices_shape[axis]
            shape = [1] * (rank + 1)
            shape[axis] = size
            coordinates = array.reshape(raw.Range(0, size, 1), shape)
            if coordinates.dtype.base_dtype != nd_indices.dtype:
                coordinates = raw.Cast(coordinates, DstT=nd_indices.dtype)
            parts.append(coordinates * array.ones_like(nd_indices))
        final_indices = array.concat([*parts, nd_indices], axis=-1)
        return scatter_nd_update(ref, final_indices, updates, use_locking=use_locking)
