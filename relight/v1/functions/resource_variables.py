"""Resource variables: a handle (`VarHandleOp`) that is read by `ReadVariableOp`.

A resource variable `w` is the nodes `w/Initializer/...`, `w`, `w/IsInitialized/VarIsInitializedOp`,
`w/Assign` and `w/Read/ReadVariableOp`.
"""

from __future__ import annotations

import contextlib
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw, register_conversion
from relight.v1.functions.initial_values import safe_initial_value
from relight.v1.functions.variables import (
    Variable,
    _check_arguments,
    _check_slices,
    check_modes,
    lifted,
    prepend_scope,
)

_use_by_default = False


@export("enable_resource_variables")
def enable_resource_variables() -> None:
    """Make `tf.Variable` and `tf.get_variable` give resource variables unless told otherwise."""
    global _use_by_default
    _use_by_default = True


@export("disable_resource_variables")
def disable_resource_variables() -> None:
    """Make `tf.Variable` and `tf.get_variable` give reference variables unless told otherwise."""
    global _use_by_default
    _use_by_default = False


@export("resource_variables_enabled")
def resource_variables_enabled() -> bool:
    """Whether variables are resource variables unless told otherwise."""
    return _use_by_default


def is_resource_variable(value: Any) -> bool:
    """Whether a value is a resource variable, or acts as one."""
    return isinstance(value, BaseResourceVariable) or hasattr(
        value, "_should_act_as_resource_variable"
    )


class BaseResourceVariable(Variable):
    """What resource variables and what their assignments give have in common."""

    _cached_value: Tensor | None = None
    _graph_element: Tensor
    _handle: Tensor
    _shape: TensorShape
    _dtype: dtypes.DType

    @property
    def handle(self) -> Tensor:
        """The resource tensor."""
        return self._handle

    @property
    def op(self) -> Operation:
        """The `VarHandleOp` operation."""
        return self._handle.op

    @property
    def name(self) -> str:
        """The name of the handle: `w:0`."""
        return self._handle.name

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    def _shape_as_list(self) -> list[int | None] | None:
        return None if self._shape.ndims is None else self._shape.as_list()

    @property
    def graph(self) -> Any:
        """The graph that holds the handle."""
        return self._handle.graph

    @property
    def device(self) -> str:
        """The device of the handle."""
        return self._handle.device

    @property
    def create(self) -> Operation:
        """The operation that sets the initial value."""
        return self._initializer_op

    def set_shape(self, shape: Any) -> None:
        """Resource variables keep the shape that they were made with."""
        raise NotImplementedError("ResourceVariable does not implement set_shape()")

    def _as_graph_element(self) -> Tensor:
        return self._graph_element

    def is_initialized(self, name: str | None = None) -> Tensor:
        """bool []: whether the variable has a value."""
        return raw.VarIsInitializedOp(self._handle, name=name)

    def _read(self) -> Tensor:
        return raw.ReadVariableOp(self._handle, dtype=self._dtype)

    def value(self) -> Tensor:
        """A tensor with the value: a new `ReadVariableOp`, or what `caching_device` caches."""
        if self._cached_value is not None:
            return self._cached_value
        graph = get_default_graph()
        with graph.colocate_with(None, ignore_existing=True), graph.device(self.device):
            return self._read()

    def read_value(self) -> Tensor:
        """A new tensor with the value that the variable has when the tensor is computed."""
        with name_scope("Read"), get_default_graph().device(self.device):
            value = self._read()
        return raw.Identity(value)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`: [*indices.shape, *row]."""
        with name_scope("Gather" if name is None else name) as scope:
            value = raw.ResourceGather(self._handle, indices, dtype=self._dtype, name=scope)
        return raw.Identity(value)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The slices at `indices` [..., depth]: [..., *slice]."""
        with name_scope("GatherNd" if name is None else name) as scope:
            value = raw.ResourceGatherNd(self._handle, indices, dtype=self._dtype, name=scope)
        return raw.Identity(value)

    @contextlib.contextmanager
    def _after_cache(self):
        """Writes come after the read that `caching_device` made."""
        if self._cached_value is None:
            yield
            return
        with get_default_graph().control_dependencies([self._cached_value]):
            yield

    def _lazy_read(self, op: Operation) -> Variable:
        return _UnreadVariable(self, op)

    def assign(
        self,
        value: Any,
        use_locking: bool | None = None,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set the variable; with `read_value` gives the variable as it is after that."""
        tensor = convert_to_tensor(value, dtype=self._dtype)
        self._shape.assert_is_compatible_with(tensor.shape)
        op = raw.AssignVariableOp(self._handle, tensor, name=name)
        return self._lazy_read(op) if read_value else op

    def _assign_change(self, kind: str, delta: Any, name: str | None, read_value: bool) -> Any:
        with self._after_cache():
            build = getattr(raw, f"Assign{kind}VariableOp")
            op = build(self._handle, convert_to_tensor(delta, dtype=self._dtype), name=name)
        return self._lazy_read(op) if read_value else op

    def assign_add(
        self,
        delta: Any,
        use_locking: bool | None = None,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add to the variable: an `AssignAddVariableOp` node."""
        return self._assign_change("Add", delta, name, read_value)

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool | None = None,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract from the variable: an `AssignSubVariableOp` node."""
        return self._assign_change("Sub", delta, name, read_value)

    def _scatter(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        _check_slices(sparse_delta)
        values = convert_to_tensor(sparse_delta.values, self._dtype)
        build = getattr(raw, f"ResourceScatter{kind}")
        return self._lazy_read(build(self._handle, sparse_delta.indices, values, name=name))

    def _scatter_nd(self, kind: str, indices: Any, updates: Any, name: str | None) -> Any:
        build = getattr(raw, f"ResourceScatterNd{kind}")
        updates = convert_to_tensor(updates, self._dtype)
        return self._lazy_read(build(self._handle, indices, updates, name=name))

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: Any, **masks: int
    ) -> Any:
        with self._after_cache():
            value = convert_to_tensor(value, dtype=self._dtype)
            return self._lazy_read(
                raw.ResourceStridedSliceAssign(
                    self._handle, begin, end, strides, value, name=name, **masks
                )
            )

    def count_up_to(self, limit: int) -> Tensor:
        """The value before one is added; OutOfRangeError once it is `limit`."""
        return raw.ResourceCountUpTo(self._handle, limit=limit, T=self._dtype)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """This variable as `VariableDef`; None outside `export_scope`."""
        snapshot = self._graph_element if self._cached_value is None else self._cached_value
        proto = self._proto(self._handle, snapshot, export_scope)
        if proto is not None:
            proto.is_resource = True
        return proto

    def numpy(self) -> Any:
        """A graph has no values; use `eval`."""
        raise NotImplementedError("numpy() is only available when eager execution is enabled.")

    def _in_place(self, _: Any) -> Any:
        raise RuntimeError(
            "In-place operators (+=, -=, *=, /=, **=) do not change a resource variable. Use "
            "variable.assign, assign_add or assign_sub to change its value, or "
            "`variable = variable + value` to get a new Tensor object."
        )

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = _in_place


class ResourceVariable(BaseResourceVariable):
    """A variable whose operation gives a handle (`VarHandleOp`)."""

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        variable_def: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        distribute_strategy: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ):
        del validate_shape, distribute_strategy
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._from_proto(variable_def, import_scope)
            return
        self._synchronization, self._aggregation, self._trainable = check_modes(
            synchronization, aggregation, trainable, name
        )
        collections = _check_arguments(initial_value, collections, constraint)
        if isinstance(initial_value, Tensor) and initial_value.graph.building_function:
            raise ValueError(
                "Tensor-typed variable initializers must either be wrapped in an init_scope or "
                "callable (e.g., `tf.Variable(lambda : tf.truncated_normal([10, 40]))`) when "
                "building functions."
            )
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections.append(GraphKeys.TRAINABLE_VARIABLES)
        with lifted():
            values = [] if callable(initial_value) else [initial_value]
            with name_scope(name, "Variable", values) as scope:
                self._build(initial_value, scope, dtype, shape, caching_device)
                get_default_graph().add_to_collections(collections, self)
        self._constraint = constraint

    def _build(
        self, initial_value: Any, scope: str, dtype: Any, shape: Any, caching_device: Any
    ) -> None:
        graph = get_default_graph()
        name = scope[:-1]
        with graph._attr_scope({"_class": [f"loc:@{name}"]}):
            with name_scope("Initializer"), graph.device(None):
                value = convert_to_tensor(
                    initial_value() if callable(initial_value) else initial_value,
                    name="initial_value",
                    dtype=dtype,
                )
            if shape is None:
                shape = value.shape
            elif not value.shape.is_compatible_with(shape):
                raise ValueError(
                    f"The initial value's shape ({value.shape}) is not compatible with the "
                    f"explicitly supplied `shape` argument ({shape})."
                )
            self._dtype = value.dtype.base_dtype
            self._handle = raw.VarHandleOp(
                shape=shape, dtype=self._dtype, shared_name=name, name=scope
            )
        self._shape = TensorShape(shape)
        self._initial_value = value
        with name_scope("IsInitialized"):
            self._is_initialized_op = raw.VarIsInitializedOp(self._handle)
        with (
            name_scope("Assign") as assign_scope,
            graph.colocate_with(None, ignore_existing=True),
            graph.device(self.device),
        ):
            self._initializer_op = raw.AssignVariableOp(
                self._handle, safe_initial_value(scope, value), name=assign_scope
            )
        with name_scope("Read"):
            with graph.device(self.device):
                self._graph_element = self._read()
            if caching_device is not None:
                with (
                    graph.colocate_with(None, ignore_existing=True),
                    graph.device(caching_device),
                ):
                    self._cached_value = raw.Identity(self._graph_element)

    def _from_proto(self, proto: Any, import_scope: str | None) -> None:
        if not proto.is_resource:
            raise ValueError("Trying to restore Variable as ResourceVariable.")
        graph = get_default_graph()
        self._handle = graph.as_graph_element(prepend_scope(proto.variable_name, import_scope))
        self._shape = TensorShape(self._handle.op._attrs["shape"])
        self._dtype = self._handle.op._attrs["dtype"]
        if proto.snapshot_name:
            snapshot = graph.as_graph_element(prepend_scope(proto.snapshot_name, import_scope))
            if snapshot.op.type != "ReadVariableOp":
                self._cached_value = snapshot
            while snapshot.op.type != "ReadVariableOp":
                snapshot = snapshot.op.inputs[0]
            self._graph_element = snapshot
        else:
            self._graph_element = graph.get_tensor_by_name(
                self._handle.op.name + "/Read/ReadVariableOp:0"
            )
        self._common_from_proto(proto, import_scope)


class _UnreadVariable(BaseResourceVariable):
    """A variable after an assignment: reading it reads what the assignment has set."""

    def __init__(self, variable: BaseResourceVariable, parent: Operation):
        self._handle = variable._handle
        self._dtype = variable._dtype
        self._shape = variable._shape
        self._parent_op = parent
        self._synchronization, self._aggregation, self._trainable = check_modes(
            None, None, None, None
        )
        self._initial_value = self._initializer_op = self._constraint = None
        if not get_default_graph().building_function:
            self._graph_element = self._read()

    @property
    def name(self) -> str:
        """The name of the assignment."""
        return self._parent_op.name

    @property
    def op(self) -> Operation:
        """The assignment."""
        return self._parent_op

    def _as_graph_element(self) -> Tensor:
        if "_graph_element" not in self.__dict__:
            self._graph_element = self._read()
        return self._graph_element

    def _read(self) -> Tensor:
        with get_default_graph().control_dependencies([self._parent_op]):
            return raw.ReadVariableOp(self._handle, dtype=self._dtype)

    def value(self) -> Tensor:
        """The value after the assignment."""
        return self._read()

    def read_value(self) -> Tensor:
        """The value after the assignment."""
        return self._read()


def _convert(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    del name
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name!r} for variable of type "
            f"{value.dtype.name!r}"
        )
    return value.read_value().op.inputs[0] if as_ref else value.value()


register_conversion(BaseResourceVariable, _convert)
