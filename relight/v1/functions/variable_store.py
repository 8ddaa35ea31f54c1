"""The named variables of a graph that `tf.get_variable` makes and finds again."""

from __future__ import annotations

import enum
import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from relight.graph import dtypes, stack
from relight.graph.collections import GraphKeys
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import init
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.variables import (
    SaveSliceInfo,
    Variable,
    VariableAggregation,
    VariableSynchronization,
    check_modes,
    lifted,
)


class _ReuseMode(enum.Enum):
    """The type of `tf.AUTO_REUSE`."""

    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE


class PartitionInfo:
    """What an initializer is told about the part that it is to initialize."""

    def __init__(self, full_shape: Any, var_offset: Any):
        if not isinstance(full_shape, Sequence) or isinstance(full_shape, str):
            raise TypeError(
                f"`full_shape` must be a sequence (like tuple or list) instead of "
                f"{type(full_shape).__name__}"
            )
        if not isinstance(var_offset, Sequence) or isinstance(var_offset, str):
            raise TypeError(
                f"`var_offset` must be a sequence (like tuple or list) instead of "
                f"{type(var_offset).__name__}"
            )
        if len(full_shape) != len(var_offset):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(var_offset)} while "
                f"full_shape is of length {len(full_shape)}."
            )
        for i, (offset, size) in enumerate(zip(var_offset, full_shape, strict=True)):
            if not 0 <= offset < size:
                raise ValueError(
                    f"Expected 0 <= offset < shape but found offset={offset}, shape={size} for "
                    f"var_offset={var_offset}, full_shape={full_shape} (dimension {i})"
                )
        self._full_shape = list(full_shape)
        self._var_offset = list(var_offset)

    @property
    def full_shape(self) -> list[int]:
        """The shape of the whole variable."""
        return self._full_shape

    @property
    def var_offset(self) -> list[int]:
        """Where the part begins."""
        return self._var_offset

    def single_offset(self, shape: Any) -> int:
        """Where the part begins along the one dimension that is cut."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self._var_offset[axis]

    def single_slice_dim(self, shape: Any) -> int | None:
        """The one dimension that is cut, None when none is; ValueError for several."""
        if len(shape) != len(self._full_shape):
            raise ValueError(
                f"Expected equal length, but received shape={shape} of length {len(shape)} while "
                f"self.full_shape={self._full_shape} is of length {len(self._full_shape)}."
            )
        cut = []
        for i, (size, whole) in enumerate(zip(shape, self._full_shape, strict=True)):
            if self._var_offset[i] + size > whole:
                raise ValueError(
                    f"With self.var_offset={self._var_offset}, a partition of shape={shape} would "
                    f"exceed self.full_shape={self._full_shape} in dimension {i}."
                )
            if size != whole:
                cut.append(i)
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape={shape} and "
                f"self.full_shape={self._full_shape} since slice dim could be either dimension "
                f"{cut[0]} or {cut[1]}."
            )
        return cut[0] if cut else None


def _has_parameter(function: Callable[..., Any], name: str) -> bool:
    """Whether a function takes a keyword: by name, or as one of `**kwargs`."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters or any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )


def _needs_no_arguments(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return all(
        p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters
    )


class VariableStore:
    """Variables and partitioned variables by full name."""

    def __init__(self) -> None:
        self._vars: dict[str, Any] = {}
        self._partitioned_vars: dict[str, PartitionedVariable] = {}

    def get_variable(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """The variable of that name: found, or made, as `reuse` (True, False, AUTO_REUSE) says."""
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        dtype = getattr(dtype, "base_dtype", dtype)
        synchronization, aggregation, trainable = check_modes(
            synchronization, aggregation, trainable, name
        )
        settings = {
            "shape": shape,
            "dtype": dtype,
            "initializer": initializer,
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        if custom_getter is None:
            return self._get(name, **settings, constraint=constraint)
        if _has_parameter(custom_getter, "constraint"):
            settings["constraint"] = constraint
        return custom_getter(getter=self._get, name=name, **settings)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """The getter that a custom getter is given."""
        settings = {
            "shape": shape,
            "dtype": dtype,
            "initializer": initializer,
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "constraint": constraint,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        is_scalar = isinstance(shape, Sequence) and not shape
        if partitioner is not None and not is_scalar:
            if not callable(partitioner):
                raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
            with name_scope(None):
                return self._get_partitioned_variable(name, partitioner, **settings)
        if reuse is True and partitioner is None and name in self._partitioned_vars:
            return self._get_partitioned_variable(name, None, **settings)
        if f"{name}/part_0" in self._vars:
            raise ValueError(
                "No partitioner was provided, but a partitioned version of the variable was "
                f"found: {name}/part_0. Perhaps a variable of the same name was already created "
                "with partitioning?"
            )
        return self._get_single_variable(name, **settings)

    # -- partitioned -------------------------------------------------------------------------------

    def _get_partitioned_variable(
        self,
        name: str,
        partitioner: Any,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        reuse: Any = None,
        **settings: Any,
    ) -> PartitionedVariable:
        if name in self._vars:
            raise ValueError(
                "A partitioner was provided, but an unpartitioned version of the variable was "
                f"found: {name}.  Perhaps a variable of the same name was already created without "
                "partitioning?"
            )
        shape = as_shape(shape)
        dtype = dtypes.as_dtype(dtype)
        if isinstance(initializer, Tensor):
            shape = shape.merge_with(initializer.shape)
        partitions = None
        if not reuse or partitioner:
            partitions = _partitions(partitioner, shape, dtype)
        if name in self._partitioned_vars:
            return self._found_partitioned(name, shape, dtype, reuse, partitions)
        if reuse is True:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with "
                "tf.get_variable(). Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in "
                "VarScope?"
            )
        assert partitions is not None
        axis, count = next(((i, p) for i, p in enumerate(partitions) if p > 1), (0, 1))
        self._check_parts(name, count)
        parts = []
        for i, (offset, part_shape) in enumerate(_slices(shape.as_list(), count, axis)):
            part_name = f"{name}/part_{i}"
            with name_scope(part_name + "/PartitionedInitializer"):
                initial, init_shape, dtype = _part_initializer(
                    initializer, offset, part_shape, dtype
                )
            with name_scope(None):
                part = self._get_single_variable(
                    part_name,
                    shape=init_shape,
                    dtype=dtype,
                    initializer=initial,
                    partition_info=PartitionInfo(shape.as_list(), offset),
                    reuse=reuse,
                    **settings,
                )
            part._set_save_slice_info(SaveSliceInfo(name, shape.as_list(), offset, part_shape))
            parts.append(part)
        whole = PartitionedVariable(name, shape, dtype, parts, partitions)
        self._partitioned_vars[name] = whole
        return whole

    def _found_partitioned(
        self, name: str, shape: TensorShape, dtype: Any, reuse: Any, partitions: Any
    ) -> PartitionedVariable:
        found = self._partitioned_vars[name]
        if reuse is False:
            raise ValueError(
                f"Partitioned variable with name {name} already exists. Did you mean to set "
                "reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
            )
        what = f"Trying to reuse partitioned variable {name}, but specified"
        if not shape.is_compatible_with(found.shape):
            raise ValueError(f"{what} shape {shape} and found shape {found.shape}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{what} dtype {dtype.name} and found dtype {found.dtype.name}.")
        if partitions is not None and found._get_partitions() != partitions:
            raise ValueError(
                f"{what} partitions {partitions} and found partitions {found._get_partitions()}."
            )
        return found

    def _check_parts(self, name: str, count: int) -> None:
        if f"{name}/part_0" not in self._vars:
            return
        different = (
            "Partitioner returned a different partitioning than what was already found.  "
            f"Partitioner returned {count} shards, and shard {name}/part_0 was found, but "
        )
        if f"{name}/part_{count - 1}" not in self._vars:
            raise ValueError(f"{different}{name}/part_{count - 1} was not.")
        if f"{name}/part_{count}" in self._vars:
            raise ValueError(f"{different}so was the extra shard {name}/part_{count}.")

    # -- single ------------------------------------------------------------------------------------

    def _get_single_variable(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        partition_info: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        from_value = initializer is not None and not callable(initializer)
        if shape is not None and from_value:
            raise ValueError("If initializer is a constant, do not specify shape.")
        dtype = dtypes.as_dtype(dtype)
        shape = as_shape(shape)
        if name in self._vars:
            return self._found_single(name, shape, dtype, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). Did "
                "you mean to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        if initializer is None:
            initializer = default_initializer(name, dtype)
        with lifted():
            initial_value, variable_dtype = _initial_value(
                initializer, from_value, shape, dtype, partition_info
            )
        made = Variable(
            initial_value=initial_value,
            name=name,
            trainable=trainable,
            collections=collections,
            caching_device=caching_device,
            dtype=variable_dtype,
            validate_shape=validate_shape,
            constraint=constraint,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
        )
        self._vars[name] = made
        if regularizer:
            graph = get_default_graph()
            with graph.colocate_with(made.op), name_scope(name + "/Regularizer/"):
                with lifted():
                    loss = regularizer(made)
            if loss is not None:
                graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
        return made

    def _found_single(self, name: str, shape: TensorShape, dtype: Any, reuse: Any) -> Any:
        found = self._vars[name]
        if reuse is False:
            message = (
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
            if found.dtype._is_ref_dtype:
                frames = [f for f in found.op._frames if stack.is_user_code(f[0].co_filename)]
                text = "".join(traceback.format_list(stack.extract(tuple(frames[:5]))[::-1]))
                message += f" Originally defined at:\n\n{text}"
            raise ValueError(message)
        what = f"Trying to share variable {name}, but specified"
        if not shape.is_compatible_with(found.shape):
            raise ValueError(f"{what} shape {shape} and found shape {found.shape}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{what} dtype {dtype.name} and found dtype {found.dtype.name}.")
        return found


def default_initializer(name: str, dtype: dtypes.DType) -> Callable[..., Any]:
    """Glorot's uniform initializer for floating point, zeros for integers, bools and strings."""
    if dtype.is_floating:
        return init.GlorotUniform()
    if dtype.is_integer or dtype.is_unsigned or dtype.is_bool or dtype == dtypes.string:
        return init.Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def _initial_value(
    initializer: Any, from_value: bool, shape: TensorShape, dtype: dtypes.DType, info: Any
) -> tuple[Any, Any]:
    """(value or function for `tf.Variable`, its dtype argument)."""
    if from_value:
        return initializer, None
    if inspect.isclass(initializer):
        initializer = initializer()
    if shape.is_fully_defined():
        return (
            lambda: initializer(shape.as_list(), dtype=dtype, partition_info=info),
            dtype.base_dtype,
        )
    if _needs_no_arguments(initializer):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the "
        "shape should not be provided or an instance of `tf.keras.initializers.*' and `shape` "
        "should be fully defined."
    )


def _part_initializer(
    initializer: Any, offset: list[int], shape: list[int], dtype: Any
) -> tuple[Any, Any, Any]:
    """(initializer, shape, dtype) of one part."""
    if initializer is None or callable(initializer):
        return initializer, shape, dtype
    if isinstance(initializer, Tensor):
        part = raw.Slice(initializer, offset, shape)
        return part, None, part.dtype.base_dtype
    return raw.Slice(convert_to_tensor(initializer, dtype=dtype), offset, shape), None, dtype


def _partitions(partitioner: Any, shape: TensorShape, dtype: Any) -> list[int]:
    """How many parts along each dimension, checked."""
    if not shape.is_fully_defined():
        raise ValueError(
            f"Shape of a new partitioned variable must be fully defined, but instead was {shape}."
        )
    if shape.ndims < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    slicing = partitioner(shape=shape, dtype=dtype)
    if not isinstance(slicing, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {slicing}")
    if len(slicing) != shape.ndims:
        raise ValueError(
            "Partitioner returned a partition list that does not match the Variable's rank: "
            f"{slicing} vs. {shape}"
        )
    if any(p < 1 for p in slicing):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {slicing}")
    if sum(p > 1 for p in slicing) > 1:
        raise ValueError(
            f"Can only slice a variable along one dimension: shape: {shape}, partitioning: "
            f"{slicing}"
        )
    return slicing  # type: ignore[return-value]


def _slices(full_shape: list[int], count: int, axis: int) -> Iterator[tuple[list[int], list[int]]]:
    """(offset, shape) of each part: sizes differ by at most one, larger ones first."""
    size, excess = divmod(full_shape[axis], count)
    begin = 0
    for i in range(count):
        offset, shape = [0] * len(full_shape), list(full_shape)
        offset[axis], shape[axis] = begin, size + (i < excess)
        begin += shape[axis]
        yield offset, shape
