"""Variables in parts along one dimension, and functions that say how many parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import raw, register_conversion

Partitioner = Callable[..., list[int]]


class PartitionedVariable:
    """A list of variables that stand for one: reading it concatenates them."""

    def __init__(self, name: str, shape: Any, dtype: Any, variable_list: Any, partitions: Any):
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        if any(v._get_save_slice_info() is None for v in variable_list):
            raise ValueError(
                "All variables must have a save_slice_info available: "
                f"{[v.name for v in variable_list]}"
            )
        if len(shape) != len(partitions):
            raise ValueError(f"len(shape) != len(partitions): {shape} vs. {partitions}")
        full_shapes = [v._get_save_slice_info().full_shape for v in variable_list]
        if any(TensorShape(s) != TensorShape(shape) for s in full_shapes):
            raise ValueError(
                f"All variables' full shapes must match shape: {shape}; but full shapes were: "
                f"{full_shapes}"
            )
        self._variable_list = sorted(
            variable_list, key=lambda v: v._get_save_slice_info().var_offset
        )
        self._name = name
        self._shape = TensorShape(shape)
        self._dtype = dtype
        self._partitions = partitions

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self._name

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self._shape

    @property
    def graph(self) -> Any:
        """The graph that holds the parts."""
        return self._variable_list[0].graph

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        if len(self._partition_axes()) > 1:
            raise ValueError(
                f"Cannot get a length for {len(self._partition_axes())} > 1 partition axes"
            )
        return len(self._variable_list)

    def _partition_axes(self) -> list[int]:
        return [i for i, p in enumerate(self._partitions) if p > 1] or [0]

    def _get_variable_list(self) -> list[Any]:
        return self._variable_list

    def _get_partitions(self) -> Any:
        return self._partitions

    def as_tensor(self) -> Tensor:
        """The whole as one tensor, named like the variable."""
        with get_default_graph().control_dependencies(None):
            if len(self._variable_list) == 1:
                with name_scope(None):
                    return raw.Identity(self._variable_list[0], name=self._name)
            axes = self._partition_axes()
            if len(axes) > 1:
                raise NotImplementedError(
                    f"Cannot concatenate along more than one dimension: {axes}.  Multi-axis "
                    "partition concat is not supported"
                )
            with name_scope(self._name + "/ConcatPartitions/"):
                whole = raw.ConcatV2(list(self._variable_list), axes[0], name="concat")
            with name_scope(None):
                return raw.Identity(whole, name=self._name)

    def _assign_parts(self, assign: Callable[[Any, Any], Any], value: Any) -> list[Any]:
        axes = self._partition_axes()
        if len(axes) > 1:
            raise NotImplementedError(
                f"Cannot do assign action along more than one dimension: {axes}.  Multi-axis "
                "partition assign action is not supported "
            )
        if isinstance(value, list):
            if len(value) != len(self._variable_list):
                raise ValueError(f"{len(value)} values for {len(self._variable_list)} partitions")
            values = value
        elif isinstance(value, PartitionedVariable):
            values = list(value)
        else:
            from relight.v1.functions.array import split

            sizes = [v.shape[axes[0]].value for v in self._variable_list]
            values = split(value, sizes, axis=axes[0])
        return [assign(v, part) for v, part in zip(self._variable_list, values, strict=True)]

    def _assign_with(
        self, method: str, value: Any, use_locking: bool, name: Any, read_value: bool
    ) -> list[Any]:
        done = self._assign_parts(
            lambda variable, part: getattr(variable, method)(
                part, use_locking=use_locking, name=name, read_value=read_value
            ),
            value,
        )
        return done if read_value else [getattr(d, "op", d) for d in done]

    def assign(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> list[Any]:
        """Set each part from a tensor of the whole, a list of parts or a partitioned variable."""
        return self._assign_with("assign", value, use_locking, name, read_value)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> list[Any]:
        """Add to each part; see `assign`."""
        return self._assign_with("assign_add", value, use_locking, name, read_value)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> list[Any]:
        """Subtract from each part; see `assign`."""
        return self._assign_with("assign_sub", value, use_locking, name, read_value)


def _convert(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    del name
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{value.dtype.name}'"
        )
    if as_ref:
        raise NotImplementedError("PartitionedVariable doesn't support being used as a reference.")
    return value.as_tensor()


register_conversion(PartitionedVariable, _convert)


def _element_bytes(dtype: Any, bytes_per_string_element: int) -> int:
    return bytes_per_string_element if dtype.base_dtype is dtypes.string else dtype.size


@export("variable_axis_size_partitioner")
def variable_axis_size_partitioner(
    max_shard_bytes: int,
    axis: int = 0,
    bytes_per_string_element: int = 16,
    max_shards: int | None = None,
) -> Partitioner:
    """A partitioner that cuts along `axis` into parts of at most `max_shard_bytes`."""
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive.")
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        if not isinstance(shape, TensorShape):
            raise ValueError(f"shape is not a TensorShape: {shape}")
        if not shape.is_fully_defined():
            raise ValueError(f"shape is not fully defined: {shape}")
        if not isinstance(dtype, dtypes.DType):
            raise ValueError(f"dtype is not a DType: {dtype}")
        size = shape.as_list()[axis]
        row_bytes = shape.num_elements() / size * _element_bytes(dtype, bytes_per_string_element)
        shards = math.ceil(size / max(1, math.floor(max_shard_bytes / row_bytes)))
        parts = [1] * shape.ndims
        parts[axis] = min(max_shards, shards) if max_shards else shards
        return parts

    return partitioner


@export("min_max_variable_partitioner")
def min_max_variable_partitioner(
    max_partitions: int = 1,
    axis: int = 0,
    min_slice_size: int = 256 << 10,
    bytes_per_string_element: int = 16,
) -> Partitioner:
    """A partitioner that makes up to `max_partitions` parts of at least `min_slice_size` bytes."""

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        if axis >= len(shape):
            raise ValueError(
                f"Can not partition variable along axis {axis} when shape is only {shape}"
            )
        whole = shape.num_elements() * _element_bytes(dtype, bytes_per_string_element)
        parts = [1] * len(shape)
        wanted = math.ceil(whole / min_slice_size)
        parts[axis] = max(1, min(shape.as_list()[axis], max_partitions, wanted))
        return parts

    return partitioner


@export("fixed_size_partitioner")
def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """A partitioner that cuts along `axis` into `num_shards` parts."""

    def partitioner(shape: Any, **_: Any) -> list[int]:
        parts = [1] * len(shape)
        parts[axis] = min(num_shards, shape.as_list()[axis])
        return parts

    return partitioner


@export("create_partitioned_variables")
def create_partitioned_variables(
    shape: Any,
    slicing: Any,
    initializer: Any,
    dtype: Any = dtypes.float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a variable of `shape`, cut into `slicing[i]` parts along dimension i."""
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: "
            f"{shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    from relight.v1.functions.variable_scope import get_partitioned_variable, variable_scope

    with variable_scope(name, "PartitionedVariable", reuse=reuse):
        whole = get_partitioned_variable(
            name=None,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            trainable=trainable,
            partitioner=lambda **_: slicing,
            collections=collections,
        )
        return list(whole)
