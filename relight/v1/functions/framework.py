"""The graph part of the namespace: graphs, sessions, scopes, collections, conversion."""

from __future__ import annotations

from typing import Any

from relight.engine import session
from relight.graph import collections, composite, device, dtypes, graph, node, shapes
from relight.graph.export import export
from relight.ops import build, constants

Graph = export("Graph")(graph.Graph)
GraphKeys = export("GraphKeys")(collections.GraphKeys)
Operation = export("Operation")(node.Operation)
Tensor = export("Tensor")(node.Tensor)
IndexedSlices = export("IndexedSlices")(composite.IndexedSlices)
SparseTensor = export("SparseTensor", "sparse.SparseTensor")(composite.SparseTensor)
SparseTensorValue = export("SparseTensorValue")(composite.SparseTensorValue)
TensorShape = export("TensorShape")(shapes.TensorShape)
Dimension = export("Dimension")(shapes.Dimension)
DeviceSpec = export("DeviceSpec")(device.DeviceSpec)
Session = export("Session")(session.Session)
InteractiveSession = export("InteractiveSession")(session.InteractiveSession)
name_scope = export("name_scope", "keras.backend.name_scope")(graph.name_scope)
get_default_graph = export("get_default_graph")(graph.get_default_graph)
get_default_session = export("get_default_session")(graph.get_default_session)
reset_default_graph = export("reset_default_graph")(graph.reset_default_graph)
constant = export("constant")(constants.constant)
register_tensor_conversion_function = export("register_tensor_conversion_function")(
    build.register_conversion
)

DType = export("DType", "dtypes.DType")(dtypes.DType)
as_dtype = export("as_dtype", "dtypes.as_dtype")(dtypes.as_dtype)
float16 = export("float16", "dtypes.float16")(dtypes.float16)
half = export("half", "dtypes.half")(dtypes.half)
float32 = export("float32", "dtypes.float32")(dtypes.float32)
float64 = export("float64", "dtypes.float64")(dtypes.float64)
double = export("double", "dtypes.double")(dtypes.double)
bfloat16 = export("bfloat16", "dtypes.bfloat16")(dtypes.bfloat16)
int8 = export("int8", "dtypes.int8")(dtypes.int8)
int16 = export("int16", "dtypes.int16")(dtypes.int16)
int32 = export("int32", "dtypes.int32")(dtypes.int32)
int64 = export("int64", "dtypes.int64")(dtypes.int64)
uint8 = export("uint8", "dtypes.uint8")(dtypes.uint8)
uint16 = export("uint16", "dtypes.uint16")(dtypes.uint16)
uint32 = export("uint32", "dtypes.uint32")(dtypes.uint32)
uint64 = export("uint64", "dtypes.uint64")(dtypes.uint64)
bool = export("bool", "dtypes.bool")(dtypes.bool)
string = export("string", "dtypes.string")(dtypes.string)
complex64 = export("complex64", "dtypes.complex64")(dtypes.complex64)
complex128 = export("complex128", "dtypes.complex128")(dtypes.complex128)
resource = export("resource", "dtypes.resource")(dtypes.resource)
variant = export("variant", "dtypes.variant")(dtypes.variant)
qint8 = export("qint8", "dtypes.qint8")(dtypes.qint8)
quint8 = export("quint8", "dtypes.quint8")(dtypes.quint8)
qint16 = export("qint16", "dtypes.qint16")(dtypes.qint16)
quint16 = export("quint16", "dtypes.quint16")(dtypes.quint16)
qint32 = export("qint32", "dtypes.qint32")(dtypes.qint32)
QUANTIZED_DTYPES = export("QUANTIZED_DTYPES", "dtypes.QUANTIZED_DTYPES")(dtypes.QUANTIZED_DTYPES)


@export("convert_to_tensor")
def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: Any = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
) -> node.Tensor:
    """`value` as a Tensor: itself, or a constant. See `relight.ops.build.convert_to_tensor`."""
    hint = dtype_hint if dtype_hint is not None else preferred_dtype
    return build.convert_to_tensor(value, dtype, name, hint)


@export("device")
def device_(device_name_or_function: Any) -> Any:
    """Ask for a device for operations made inside the `with` block."""
    return graph.get_default_graph().device(device_name_or_function)


@export("colocate_with")
def colocate_with(op: Any, ignore_existing: Any = False) -> Any:
    """Place operations made inside the `with` block where `op` is."""
    return graph.get_default_graph().colocate_with(op, ignore_existing)


@export("container")
def container(container_name: str) -> Any:
    """Name the resource container of stateful operations made inside the `with` block."""
    return graph.get_default_graph().container(container_name)


@export("add_to_collection")
def add_to_collection(name: Any, value: Any) -> None:
    """Append `value` to a collection of the default graph."""
    graph.get_default_graph().add_to_collection(name, value)


@export("add_to_collections")
def add_to_collections(names: Any, value: Any) -> None:
    """Append `value` to several collections of the default graph."""
    graph.get_default_graph().add_to_collections(names, value)


@export("get_collection")
def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph, optionally filtered by a name pattern."""
    return graph.get_default_graph().get_collection(key, scope)


@export("get_collection_ref")
def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself."""
    return graph.get_default_graph().get_collection_ref(key)


@export("set_random_seed", "random.set_random_seed")
def set_random_seed(seed: int) -> None:
    """Set the seed of the default graph."""
    graph.get_default_graph().seed = seed


@export("op_scope")
def op_scope(values: Any, name: Any, default_name: Any = None) -> Any:
    """`name_scope(name, default_name, values)` in the old order of arguments."""
    return graph.name_scope(name, default_name=default_name, values=values)
