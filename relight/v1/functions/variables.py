"""Variables: `tf.Variable`, and the reference variables (`VariableV2`) that it makes by default.

A reference variable `w` is the nodes `w/initial_value`, `w`, `w/Assign` and `w/read`, and an entry
in the collections `variables` and (when trainable) `trainable_variables`.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from typing import Any

from tensorboard.compat.proto import variable_pb2

from relight.graph.collections import GraphKeys
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.function import init_scope
from relight.graph.graph import get_default_graph, get_default_session, name_scope
from relight.graph.node import Operation, Tensor, _Reference
from relight.graph.shapes import TensorShape, unknown_shape
from relight.ops import array_nodes, math_nodes  # noqa: F401 - they set Tensor's operators
from relight.ops.build import convert_to_tensor, raw, register_conversion
from relight.ops.operators import copy_operators
from relight.v1.functions.initial_values import safe_initial_value


@export("VariableSynchronization")
class VariableSynchronization(enum.Enum):
    """When the copies of a distributed variable are brought together."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


@export("VariableAggregation")
class VariableAggregation(enum.Enum):
    """How the copies of a distributed variable are brought together."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3

    def __hash__(self) -> int:
        return hash(self.value)


def check_modes(
    synchronization: Any, aggregation: Any, trainable: bool | None, name: str | None
) -> tuple[VariableSynchronization, VariableAggregation, bool]:
    """The enumerators for two modes given as enumerator, number or None, and the final `trainable`.

    Raises ValueError for a number that stands for no mode.
    """
    try:
        aggregation = VariableAggregation(aggregation or 0)
    except ValueError:
        raise ValueError(
            f"Invalid variable aggregation mode: {aggregation} for variable: {name}"
        ) from None
    try:
        synchronization = VariableSynchronization(synchronization or 0)
    except ValueError:
        raise ValueError(
            f"Invalid variable synchronization mode: {synchronization} for variable: {name}"
        ) from None
    if trainable is None:
        trainable = synchronization is not VariableSynchronization.ON_READ
    return synchronization, aggregation, trainable


def strip_scope(name: str, scope: str | None) -> str:
    """A name without the leading `scope/` (and without that of a `loc:@` or `^` reference)."""
    if not scope:
        return name
    scope = scope.rstrip("/")
    prefix = next((p for p in ("loc:@", "^") if name.startswith(p)), "")
    rest = name[len(prefix) :]
    return prefix + rest.removeprefix(scope + "/") if rest.startswith(scope + "/") else name


def prepend_scope(name: str, scope: str | None) -> str:
    """A name with `scope/` put before it (after `loc:@` or `^`)."""
    if not scope:
        return name
    scope = scope.rstrip("/")
    prefix = next((p for p in ("loc:@", "^") if name.startswith(p)), "")
    return f"{prefix}{scope}/{name[len(prefix) :]}"


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """Build in the program's own graph, in the current name scope, without control inputs."""
    scope = get_default_graph().get_name_scope()
    with init_scope():
        graph = get_default_graph()
        with graph.name_scope(scope + "/" if scope else None), graph.control_dependencies(None):
            yield


def _creators(graph: Any) -> list[Callable[..., Any]]:
    """The functions of `tf.variable_creator_scope` around us, outermost first."""
    found: list[Callable[..., Any]] = []
    while graph is not None:
        found = [*getattr(graph, "_variable_creators", ()), *found]
        graph = getattr(graph, "outer_graph", None)
    return found


class _VariableType(type):
    """Makes `tf.Variable(...)` ask the creator scopes, and choose the kind of variable."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Variable:
            return super().__call__(*args, **kwargs)
        return _create(*args, **kwargs)


def _create(
    initial_value: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: Any = None,
    expected_shape: Any = None,
    import_scope: str | None = None,
    constraint: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
    shape: Any = None,
) -> Any:
    from relight.v1.functions.variable_scope import default_variable_creator

    def chain(creator: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
        return lambda **kwargs: creator(following, **kwargs)

    make: Callable[..., Any] = lambda **kwargs: default_variable_creator(None, **kwargs)
    for creator in _creators(get_default_graph()):
        make = chain(creator, make)
    return make(
        initial_value=initial_value,
        trainable=trainable,
        collections=collections,
        validate_shape=validate_shape,
        caching_device=caching_device,
        name=name,
        variable_def=variable_def,
        dtype=dtype,
        expected_shape=expected_shape,
        import_scope=import_scope,
        constraint=constraint,
        use_resource=use_resource,
        synchronization=synchronization,
        aggregation=VariableAggregation.NONE if aggregation is None else aggregation,
        shape=shape,
    )


class SaveSliceInfo:
    """Which part of a partitioned variable a variable is: names it in checkpoints."""

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Any = None,
        var_offset: Any = None,
        var_shape: Any = None,
        save_slice_info_def: Any = None,
        import_scope: str | None = None,
    ):
        if save_slice_info_def:
            full_name = prepend_scope(save_slice_info_def.full_name, import_scope)
            full_shape = list(save_slice_info_def.full_shape)
            var_offset = list(save_slice_info_def.var_offset)
            var_shape = list(save_slice_info_def.var_shape)
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The text form in checkpoints: `4 3 0,2:0,3` (full shape, then offset,size pairs)."""
        slices = zip(self.var_offset, self.var_shape, strict=True)
        return " ".join([*map(str, self.full_shape), ":".join(f"{o},{s}" for o, s in slices)])

    def to_proto(self, export_scope: str | None = None) -> Any:
        """This as `SaveSliceInfoDef`; None outside `export_scope`."""
        assert self.full_name is not None
        if export_scope is not None and not self.full_name.startswith(export_scope):
            return None
        return variable_pb2.SaveSliceInfoDef(
            full_name=strip_scope(self.full_name, export_scope),
            full_shape=self.full_shape,
            var_offset=self.var_offset,
            var_shape=self.var_shape,
        )


@export("Variable")
class Variable(metaclass=_VariableType):
    """A value that a session keeps between runs, with an operation that sets it at the start.

    Calling `tf.Variable(...)` makes a reference variable, or, with `use_resource` (or when the
    variable scope says so), a resource variable. `initial_value` is a value, a tensor, or a
    function without arguments. Variables take part in expressions like the tensor that they hold.
    """

    SaveSliceInfo = SaveSliceInfo
    __array_priority__ = 100
    _save_slice_info: Any = None

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        shape: Any = None,
    ):
        raise NotImplementedError(f"{type(self).__name__} does not define its construction")

    def _abstract(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define this")

    # -- what it is --------------------------------------------------------------------------------

    @property
    def op(self) -> Operation:
        """The operation that holds the variable."""
        return self._abstract()

    @property
    def name(self) -> str:
        """The name of the variable's tensor: `w:0`."""
        return self._abstract()

    @property
    def _shared_name(self) -> str:
        return self.name[: self.name.index(":")]

    @property
    def dtype(self) -> Any:
        """The element type (a reference type for a reference variable)."""
        return self._abstract()

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._abstract()

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Add what the caller knows of the shape."""
        self._abstract()

    @property
    def graph(self) -> Any:
        """The graph that holds the variable."""
        return self.op.graph

    @property
    def device(self) -> str:
        """The device of the variable."""
        return self._abstract()

    @property
    def initializer(self) -> Operation:
        """The operation that sets the initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor:
        """The initial value's tensor."""
        return self._initial_value

    @property
    def constraint(self) -> Any:
        """The function that an optimizer applies to the variable after each update, or None."""
        return self._constraint

    @property
    def trainable(self) -> bool:
        """Whether optimizers update this variable unless told otherwise."""
        return self._trainable

    @property
    def synchronization(self) -> VariableSynchronization:
        """When copies of the variable are brought together."""
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        """How copies of the variable are brought together."""
        return self._aggregation

    # -- reading and setting -----------------------------------------------------------------------

    def value(self) -> Tensor:
        """A tensor with the variable's value."""
        return self._abstract()

    def read_value(self) -> Tensor:
        """A new tensor with the value that the variable has when the tensor is computed."""
        return self._abstract()

    def eval(self, session: Any = None) -> Any:
        """The value in `session` (the default session when None) as a numpy array."""
        return self._as_graph_element().eval(session=session)

    def initialized_value(self) -> Tensor:
        """The variable's value, or its initial value while it has none."""
        from relight.v1.functions.control_flow import cond
        from relight.v1.functions.variable_lists import is_variable_initialized

        with lifted():
            return cond(is_variable_initialized(self), self.read_value, lambda: self.initial_value)

    def load(self, value: Any, session: Any = None) -> None:
        """Set the value in `session` (the default session when None) to a numpy value."""
        session = session or get_default_session()
        if session is None:
            raise ValueError(
                "Either session argument should be provided or default session should be "
                "established"
            )
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set the variable by an operation; gives the new value, or it without `read_value`."""
        return self._abstract()

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add `delta` by an operation; gives the new value, or it without `read_value`."""
        return self._abstract()

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract `delta` by an operation; gives the new value, or it without `read_value`."""
        return self._abstract()

    def _scatter(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        return self._abstract()

    def _scatter_nd(self, kind: str, indices: Any, updates: Any, name: str | None) -> Any:
        return self._abstract()

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Subtract IndexedSlices from the rows that they name."""
        return self._scatter("Sub", sparse_delta, use_locking, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Add IndexedSlices to the rows that they name."""
        return self._scatter("Add", sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Take the maximum of the rows that IndexedSlices name and their values."""
        return self._scatter("Max", sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Take the minimum of the rows that IndexedSlices name and their values."""
        return self._scatter("Min", sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Multiply the rows that IndexedSlices name by their values."""
        return self._scatter("Mul", sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Divide the rows that IndexedSlices name by their values."""
        return self._scatter("Div", sparse_delta, use_locking, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Set the rows that IndexedSlices name to their values."""
        return self._scatter("Update", sparse_delta, use_locking, name)

    def batch_scatter_update(
        self, sparse_delta: Any, use_locking: bool = False, name: Any = None
    ) -> Any:
        """Set, batch entry by batch entry, the rows that IndexedSlices name to their values."""
        from relight.v1.functions.assign import batch_scatter_update

        _check_slices(sparse_delta)
        return batch_scatter_update(
            self, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name
        )

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Subtract `updates` [..., *slice] from the slices at `indices` [..., depth]."""
        return self._scatter_nd("Sub", indices, updates, name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Add `updates` [..., *slice] to the slices at `indices` [..., depth]."""
        return self._scatter_nd("Add", indices, updates, name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Set the slices at `indices` [..., depth] to `updates` [..., *slice]."""
        return self._scatter_nd("Update", indices, updates, name)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`; resource variables only."""
        raise AttributeError(f"{type(self).__name__} has no sparse_read")

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The slices at `indices` [..., depth]; resource variables only."""
        raise AttributeError(f"{type(self).__name__} has no gather_nd")

    def count_up_to(self, limit: int) -> Tensor:
        """The value before one is added; OutOfRangeError once it is `limit`."""
        return self._abstract()

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: Any, **masks: int
    ) -> Any:
        return self._abstract()

    # -- as data -----------------------------------------------------------------------------------

    def _as_graph_element(self) -> Any:
        return self._abstract()

    def to_proto(self, export_scope: str | None = None) -> Any:
        """This variable as `VariableDef`; None outside `export_scope`."""
        return self._abstract()

    def _proto(self, variable: Tensor, snapshot: Tensor, export_scope: str | None) -> Any:
        if export_scope is not None and not variable.name.startswith(export_scope):
            return None
        proto = variable_pb2.VariableDef(
            variable_name=strip_scope(variable.name, export_scope),
            initializer_name=strip_scope(self.initializer.name, export_scope),
            snapshot_name=strip_scope(snapshot.name, export_scope),
            trainable=self.trainable,
            synchronization=self.synchronization.value,
            aggregation=self.aggregation.value,
        )
        if self._initial_value is not None:
            proto.initial_value_name = strip_scope(self._initial_value.name, export_scope)
        if self._save_slice_info:
            proto.save_slice_info_def.MergeFrom(self._save_slice_info.to_proto(export_scope))
        return proto

    def _common_from_proto(self, proto: Any, import_scope: str | None) -> None:
        graph = get_default_graph()
        self._initializer_op = graph.as_graph_element(
            prepend_scope(proto.initializer_name, import_scope)
        )
        self._initial_value = (
            graph.as_graph_element(prepend_scope(proto.initial_value_name, import_scope))
            if proto.initial_value_name
            else None
        )
        self._synchronization, self._aggregation, self._trainable = check_modes(
            proto.synchronization, proto.aggregation, proto.trainable, proto.variable_name
        )
        self._save_slice_info = (
            SaveSliceInfo(save_slice_info_def=proto.save_slice_info_def, import_scope=import_scope)
            if proto.HasField("save_slice_info_def")
            else None
        )
        self._caching_device = None
        self._constraint = None

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable that a `VariableDef` describes, whose nodes are in the default graph."""
        if variable_def.is_resource:
            from relight.v1.functions.resource_variables import ResourceVariable

            return ResourceVariable(variable_def=variable_def, import_scope=import_scope)
        return RefVariable(variable_def=variable_def, import_scope=import_scope)

    def _set_save_slice_info(self, save_slice_info: Any) -> None:
        self._save_slice_info = save_slice_info

    def _get_save_slice_info(self) -> Any:
        return self._save_slice_info

    def experimental_ref(self) -> Any:
        """A hashable reference to this variable."""
        return _Reference(self)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("'Variable' object is not iterable.")

    def __copy__(self) -> Variable:
        return self

    def __deepcopy__(self, memo: dict) -> Variable:
        raise NotImplementedError(f"variable {self.name!r} cannot be copied: it is in a graph")

    def __repr__(self) -> str:
        return f"<tf.Variable {self.name!r} shape={self.get_shape()} dtype={self.dtype.name}>"


copy_operators(Variable, lambda v: v.value())
Variable.__getitem__ = array_nodes.slice_helper_var  # type: ignore[attr-defined]


def _absent(name: str) -> Any:
    raise AttributeError(f"a reference variable has no {name}")


def _check_slices(sparse_delta: Any) -> None:
    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(f"sparse_delta is not IndexedSlices: {sparse_delta}")


def _check_arguments(initial_value: Any, collections: Any, constraint: Any) -> list[Any]:
    """The collections of a new variable, after TensorFlow's checks of its arguments."""
    if initial_value is None:
        raise ValueError("initial_value must be specified.")
    if collections is None:
        collections = [GraphKeys.GLOBAL_VARIABLES]
    if not isinstance(collections, (list, tuple, set)):
        raise ValueError(
            "collections argument to Variable constructor must be a list, tuple, or set. "
            f"Got {collections} of type {type(collections)}"
        )
    if constraint is not None and not callable(constraint):
        raise ValueError("The `constraint` argument must be a callable.")
    return list(collections)


class RefVariable(Variable):
    """A variable whose operation gives a reference to the value (`VariableV2`)."""

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ):
        del expected_shape
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._from_proto(variable_def, import_scope)
            return
        collections = _check_arguments(initial_value, collections, constraint)
        self._synchronization, self._aggregation, self._trainable = check_modes(
            synchronization, aggregation, trainable, name
        )
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections.append(GraphKeys.TRAINABLE_VARIABLES)
        with lifted():
            values = [] if callable(initial_value) else [initial_value]
            with name_scope(name, "Variable", values) as scope:
                self._build(initial_value, scope, dtype, shape, validate_shape, caching_device)
            get_default_graph().add_to_collections(collections, self)
        self._caching_device = caching_device
        self._constraint = constraint

    def _build(
        self,
        initial_value: Any,
        scope: str,
        dtype: Any,
        shape: Any,
        validate_shape: bool,
        caching_device: Any,
    ) -> None:
        graph = get_default_graph()
        with contextlib.ExitStack() as stack:
            if callable(initial_value):
                stack.enter_context(graph._attr_scope({"_class": [f"loc:@{scope[:-1]}"]}))
                with name_scope("Initializer"), graph.device(None):
                    self._initial_value = convert_to_tensor(
                        initial_value(), name="initial_value", dtype=dtype
                    )
            else:
                self._initial_value = convert_to_tensor(
                    initial_value, name="initial_value", dtype=dtype
                )
            if shape is None:
                shape = self._initial_value.shape if validate_shape else unknown_shape()
            self._variable = raw.VariableV2(
                shape=shape, dtype=self._initial_value.dtype.base_dtype, name=scope
            )
        if validate_shape and not self._initial_value.shape.is_fully_defined():
            raise ValueError(f"initial_value must have a shape specified: {self._initial_value}")
        self._initializer_op = raw.Assign(
            self._variable,
            safe_initial_value(scope, self._initial_value),
            validate_shape=validate_shape,
        ).op
        if caching_device is not None:
            with graph.device(caching_device):
                self._snapshot = raw.Identity(self._variable, name="read")
        else:
            with graph.colocate_with(self._variable.op):
                self._snapshot = raw.Identity(self._variable, name="read")

    def _from_proto(self, proto: Any, import_scope: str | None) -> None:
        if not isinstance(proto, variable_pb2.VariableDef):
            raise TypeError(f"variable_def must be a VariableDef, not {type(proto).__name__}")
        graph = get_default_graph()
        self._variable = graph.as_graph_element(prepend_scope(proto.variable_name, import_scope))
        self._snapshot = graph.as_graph_element(prepend_scope(proto.snapshot_name, import_scope))
        self._common_from_proto(proto, import_scope)

    @property
    def op(self) -> Operation:
        """The `VariableV2` operation."""
        return self._variable.op

    @property
    def name(self) -> str:
        """The name of the reference: `w:0`."""
        return self._variable.name

    @property
    def dtype(self) -> Any:
        """The reference type, such as float32_ref."""
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._variable.shape

    @property
    def device(self) -> str:
        """The device of the variable."""
        return self._variable.device

    def set_shape(self, shape: Any) -> None:
        """Add what the caller knows of the shape."""
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    def _as_graph_element(self) -> Tensor:
        return self._variable

    # Only resource variables read parts of themselves: `hasattr` says so.
    sparse_read = property(lambda self: _absent("sparse_read"))  # type: ignore[assignment]
    gather_nd = property(lambda self: _absent("gather_nd"))  # type: ignore[assignment]

    def _ref(self) -> Tensor:
        return self._variable

    def value(self) -> Tensor:
        """The tensor `w/read`."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """A new Identity of the reference."""
        return raw.Identity(self._variable, name="read")

    def _changed(self, tensor: Tensor, read_value: bool) -> Any:
        return tensor if read_value else tensor.op

    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set the variable: an `Assign` node."""
        changed = raw.Assign(self._variable, value, use_locking=use_locking, name=name)
        return self._changed(changed, read_value)

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add to the variable: an `AssignAdd` node."""
        changed = raw.AssignAdd(self._variable, delta, use_locking=use_locking, name=name)
        return self._changed(changed, read_value)

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract from the variable: an `AssignSub` node."""
        changed = raw.AssignSub(self._variable, delta, use_locking=use_locking, name=name)
        return self._changed(changed, read_value)

    def _scatter(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        _check_slices(sparse_delta)
        return getattr(raw, f"Scatter{kind}")(
            self._variable,
            sparse_delta.indices,
            sparse_delta.values,
            use_locking=use_locking,
            name=name,
        )

    def _scatter_nd(self, kind: str, indices: Any, updates: Any, name: str | None) -> Any:
        return getattr(raw, f"ScatterNd{kind}")(
            self._variable, indices, updates, use_locking=True, name=name
        )

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: Any, **masks: int
    ) -> Any:
        return raw.StridedSliceAssign(
            self._variable, begin, end, strides, value, name=name, **masks
        )

    def count_up_to(self, limit: int) -> Tensor:
        """The value before one is added; OutOfRangeError once it is `limit`."""
        return raw.CountUpTo(self._variable, limit=limit)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """This variable as `VariableDef`; None outside `export_scope`."""
        return self._proto(self._variable, self._snapshot, export_scope)


def _convert_ref(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    del name
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{value.dtype.name}'"
        )
    return value._ref() if as_ref else value.value()


register_conversion(RefVariable, _convert_ref)
