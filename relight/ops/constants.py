"""Constants: making them from Python and numpy values, and finding them again in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes, opdef, tensor_proto
from relight.graph.graph import get_default_graph, shape_requests
from relight.graph.node import Tensor
from relight.graph.opdef import op
from relight.graph.shapes import Dimension, TensorShape
from relight.ops.build import register_conversion


def _nested_shape(value: Any) -> list[int]:
    """The shape of nested lists by their first elements."""
    shape = []
    while isinstance(value, (list, tuple)):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return shape


def _first_mismatch(value: Any, dtype: dtypes.DType) -> Any:
    """The first leaf of nested lists whose Python type does not suit `dtype`, or None."""
    if isinstance(value, (list, tuple)):
        for item in value:
            found = _first_mismatch(item, dtype)
            if found is not None:
                return found
        return None
    if isinstance(value, np.ndarray):
        return None if value.dtype != np.object_ else _first_mismatch(value.ravel().tolist(), dtype)
    if value is None:
        return "None"
    number = isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)
    if dtype is dtypes.string:
        fits = isinstance(value, (str, bytes))
    elif dtype.is_bool:
        fits = isinstance(value, (bool, np.bool_))
    elif dtype.is_integer or dtype.is_quantized:
        fits = isinstance(value, (int, np.integer, Dimension)) and not isinstance(value, bool)
    elif dtype.is_floating:
        fits = number and not isinstance(value, (complex, np.complexfloating))
    else:
        fits = number
    return None if fits else value


def as_array(value: Any, dtype: Any = None, shape: Any = None) -> tuple[np.ndarray, dtypes.DType]:
    """(array, dtype) of a constant's value; an array of strings holds bytes.

    With `shape`, a value with fewer elements is filled up with its last one. Raises TypeError for
    elements that do not suit `dtype`, ValueError for ragged lists or too many elements.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype).base_dtype
    if isinstance(value, Dimension):
        value = value.value
    if shape is not None and not isinstance(value, (np.ndarray, np.generic)):
        static = TensorShape(shape)
        if static.num_elements() == 0:  # no element of the value is needed
            kind = np.float64 if dtype is None else tensor_proto.numpy_dtype(dtype)
            value, shape = np.empty(static.as_list(), kind), None
    if value is None:
        raise ValueError("None values not supported.")
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if dtype is not None and dtype is not dtypes.string and array.dtype.kind not in "OSU":
            array = array.astype(tensor_proto.numpy_dtype(dtype), copy=False)
    else:
        array = _array_of_python(value, dtype)
    if array.dtype.kind in "SUO" or (dtype is dtypes.string and array.size == 0):
        array, dtype = _bytes_array(array, value, dtype), dtypes.string
    elif dtype is None:
        dtype = dtypes.as_dtype(array.dtype)
    if shape is not None:
        array = _to_shape(array, shape)
    return array, dtype


def _array_of_python(value: Any, dtype: dtypes.DType | None) -> np.ndarray:
    if dtype is not None:
        bad = _first_mismatch(value, dtype)
        if bad is not None:
            raise TypeError(
                f"Expected {dtype.name}, got {bad!r} of type '{type(bad).__name__}' instead."
                if bad != "None"
                else f"Expected {dtype.name}, got None of type 'NoneType' instead."
            )
    if isinstance(value, (list, tuple)):
        value = _plain(value)
    wanted = None if dtype in (None, dtypes.string) else tensor_proto.numpy_dtype(dtype)
    if isinstance(_first_leaf(value), (str, bytes)):
        wanted = np.dtype(object)  # text and bytes may stand side by side
    try:
        with np.errstate(over="ignore"):
            array = np.array(value, dtype=wanted)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"Argument must be a dense tensor: {value!r} - got shape {_nested_shape(value)}, "
            f"but it is ragged or out of range ({error})."
        ) from None
    if dtype is None:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        elif array.dtype == np.int64:
            narrow = array.astype(np.int32)
            array = narrow if np.array_equal(narrow, array) else array
        elif array.size == 0 and array.dtype.kind not in "OSU":
            array = array.astype(np.float32)
    if array.dtype == np.object_ and _first_mismatch(value, dtypes.string) is not None:
        raise TypeError(
            f"Failed to convert object of type {type(value)} to Tensor. Contents: "
            f"{value}. Consider casting elements to a supported type."
        )
    return array


def _first_leaf(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.value if isinstance(value, Dimension) else value


def _bytes_array(array: np.ndarray, value: Any, dtype: dtypes.DType | None) -> np.ndarray:
    if dtype not in (None, dtypes.string):
        raise TypeError(
            f"Expected {dtype.name}, got {value!r} of type '{type(value).__name__}' instead."
        )
    result = np.empty(array.shape, np.object_)
    if isinstance(value, bytes):  # numpy would strip trailing zero bytes
        result[()] = value
        return result
    source = array if array.dtype == np.object_ else np.array(value, dtype=np.object_)
    flat, target = source.reshape(-1), result.reshape(-1)
    for i, item in enumerate(flat):
        if not isinstance(item, (str, bytes)):
            raise TypeError(
                f"Expected string, got {item!r} of type '{type(item).__name__}' instead."
            )
        target[i] = item.encode() if isinstance(item, str) else bytes(item)
    return result


def _to_shape(array: np.ndarray, shape: Any) -> np.ndarray:
    static = TensorShape(shape)
    sizes = tuple(static.as_list())
    count = static.num_elements() or 0
    if array.shape == sizes:
        return array
    if array.size == count:
        return array.reshape(sizes)
    if array.size > count:
        raise ValueError(
            f"Too many elements provided. Needed at most {count}, but received {array.size}"
        )
    if array.size == 0:
        raise ValueError(f"No elements provided for a constant of shape {static}")
    if array.size == 1:
        return np.broadcast_to(array.reshape(()), sizes)
    flat = array.ravel()
    return np.concatenate([flat, np.repeat(flat[-1:], count - flat.size)]).reshape(sizes)


def constant(
    value: Any,
    dtype: Any = None,
    shape: Any = None,
    name: str = "Const",
    verify_shape: bool = False,
) -> Tensor:
    """A `Const` node of a Python or numpy value.

    Python floats become float32 and ints int32 (int64 when too large) unless `dtype` says
    otherwise. With `shape`, a shorter value is filled up with its last element; `verify_shape`
    forbids that.
    """
    array, element_type = as_array(value, dtype, None if verify_shape else shape)
    if verify_shape and shape is not None and tuple(TensorShape(shape).as_list()) != array.shape:
        raise TypeError(
            f"Expected Tensor's shape: {tuple(TensorShape(shape).as_list())}, got {array.shape}."
        )
    if array.flags.writeable:  # the node owns its value, whatever happens to the caller's array
        array = array.copy()
        array.flags.writeable = False
    graph = get_default_graph()
    node = graph._add(
        "Const", [], [element_type], name, {"value": array, "dtype": element_type}, skip=2
    )
    return node.outputs[0]


def _const_shape(node: Any) -> list[Any]:
    return [tuple(node._attrs["value"].shape)]


@op("Const", shape=_const_shape, specialise=True, host_out=True)
def Const(node: Any) -> Any:
    """A constant."""
    value = node._attrs["value"]
    return lambda: value


def _convert_constant(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False):
    del as_ref
    return constant(value, dtype=dtype, name=name or "Const")


def _convert_shape(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False):
    del as_ref
    if not value.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
    sizes = value.as_list()
    if dtype is None:
        dtype = dtypes.int64 if any(s >= 2**31 for s in sizes) else dtypes.int32
    elif dtype not in (dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype}")
    return constant(
        np.array(sizes, dtype.as_numpy_dtype), dtype=dtype, name=name or "shape_as_tensor"
    )


def _convert_dimension(
    value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False
):
    del as_ref
    if value.value is None:
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
    return constant(value.value, dtype=dtype or dtypes.int32, name=name or "shape_as_tensor")


def _convert_sequence(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False):
    """A list that contains tensors becomes a `Pack` of its items; they are cast to `dtype`."""
    if not _holds_tensor(value):
        return _convert_constant(value, dtype, name, as_ref)
    found = _tensor_dtype(value)
    if dtype is not None and found is not None and dtype != found:
        value = _cast_tensors(value, dtype)
    return _pack(value, dtype or found, name or "packed")


def _cast_tensors(value: Any, dtype: Any) -> Any:
    from relight.ops.build import raw

    if isinstance(value, (list, tuple)):
        return [_cast_tensors(v, dtype) for v in value]
    if _holds_tensor(value) and value.dtype.base_dtype != dtype:
        return raw.Cast(value, DstT=dtype)
    return value


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_tensor(v) for v in value)
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _tensor_dtype(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        for item in value:
            found = _tensor_dtype(item)
            if found is not None:
                return found
        return None
    dtype = getattr(value, "dtype", None)
    return dtype.base_dtype if isinstance(dtype, dtypes.DType) else None


def _pack(value: Any, dtype: Any, name: str) -> Any:
    """A `Pack` of items; a nested list without any tensor comes back as it is, after its scope."""
    from relight.graph.graph import name_scope
    from relight.ops.build import raw

    with name_scope(name) as scope:
        items: list[Any] = []
        must_pack = False
        for i, item in enumerate(value):
            if isinstance(item, (list, tuple)):
                item = _pack(item, dtype, str(i))
            elif _holds_tensor(item) and item.dtype.base_dtype != dtype:
                raise TypeError(
                    f"Cannot convert a list containing a tensor of dtype {item.dtype} to "
                    f"{dtype} (Tensor is: {item!r})"
                )
            must_pack = must_pack or (not isinstance(item, (list, tuple)) and _holds_tensor(item))
            items.append(item)
        if not must_pack:
            return items
        items = [
            item
            if not isinstance(item, (list, tuple)) and _holds_tensor(item)
            else constant(item, dtype=dtype, name=str(i))
            for i, item in enumerate(items)
        ]
        return raw.Pack(items, axis=0, name=scope)


register_conversion((list, tuple), _convert_sequence, 50)
register_conversion(TensorShape, _convert_shape, 60)
register_conversion(Dimension, _convert_dimension, 60)
register_conversion(object, _convert_constant, 1000)


# -- values known while the graph is built ---------------------------------------------------------

_MAX_ELEMENTS = 1 << 16  # larger constants are not computed for shape inference
_PYTHON_FOLDED = frozenset(
    [
        "Const",
        "Shape",
        "Size",
        "Rank",
        "Range",
        "Cast",
        "Concat",
        "ConcatV2",
        "ConcatOffset",
        "Pack",
        "Fill",
        "Equal",
        "NotEqual",
    ]
)


def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as numpy array when its op says it without running, else None.

    Looks through the ops that `tf.contrib.util.constant_value` looks through. With `partial`, a
    `Pack` of partly known scalars gives an object array with None for the unknown ones.
    """
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor)
    if partial and tensor.op.type == "Pack" and tensor.op._inputs and not tensor.op._attrs["axis"]:
        items = [constant_value(t, partial) for t in tensor.op._inputs]
        if any(i is None or i.dtype == np.object_ for i in items):
            return np.array([None if i is None else i.tolist() for i in items], dtype=np.object_)
    value = known_value(tensor, _PYTHON_FOLDED)
    if value is not None:
        tensor.graph.prevent_feeding(tensor)
    return value


def known_value(tensor: Tensor, op_types: frozenset[str] | None = None) -> Any:
    """The value of a tensor that follows from constants and static shapes alone, else None.

    `op_types` limits which ops are computed; None allows every stateless op with a kernel, as
    TensorFlow's shape inference does. What is found is noted for the message of a ShapeError.
    """
    value = _known(tensor, op_types)
    if value is not None:
        shape_requests.append((tensor, value))
    return value


def _known(tensor: Tensor, op_types: frozenset[str] | None = None, depth: int = 0) -> Any:
    node = tensor.op
    if node.type == "Const":
        return node._attrs["value"]
    if node.type == "PlaceholderWithDefault":
        return None  # another value may be fed
    if depth > 40 or (op_types is not None and node.type not in op_types):
        return None
    static = tensor.shape._sizes
    if node.type in ("Shape", "ShapeN", "Size", "Rank"):
        found = _of_shape(node, tensor.value_index)
        if found is not None or op_types is not None:
            return found
    if (
        static is not None
        and None not in static
        and int(np.prod(static, dtype=np.int64)) > _MAX_ELEMENTS
    ):
        return None
    record = opdef.record(node.type)
    if record.kernel is None or record.is_stateful or not node._inputs:
        return None
    if tensor.dtype.base_dtype in (dtypes.variant, dtypes.resource):
        return None  # no array holds it
    if node.type == "PlaceholderWithDefault":  # its value may be fed
        return None
    if any(t.dtype._is_ref_dtype for t in node._inputs) or node._attrs.get("_relight_opaque"):
        return None
    values = []
    for t in node._inputs:
        value = _known(t, op_types, depth + 1)
        if value is None or value.size > _MAX_ELEMENTS:
            return None
        values.append(value)
    from relight.ops.call import call_kernel

    try:
        return call_kernel(node, values)[tensor.value_index]
    except (RuntimeError, ValueError, TypeError, IndexError, ArithmeticError):
        return None  # a bad value is reported where it is run, with the node's name


def _of_shape(node: Any, index: int) -> Any:
    static = node._inputs[index].shape
    numpy_type = node._attrs.get("out_type", dtypes.int32).as_numpy_dtype
    if node.type == "Rank":
        return None if static.rank is None else np.array(static.rank, np.int32)
    if not static.is_fully_defined():
        return None
    if node.type == "Size":
        return np.array(static.num_elements(), numpy_type)
    return np.array(static.as_list(), numpy_type)


def constant_value_as_shape(tensor: Tensor) -> TensorShape:
    """The static shape that a 1-D integer tensor describes, as far as it is known (-1: unknown).

    ValueError for sizes below -1.
    """
    if not isinstance(tensor, Tensor):
        return TensorShape(tensor)
    shape = _as_shape(tensor)
    shape_requests.append((tensor, shape))
    return shape


def static_value_as_shape(tensor: Tensor) -> TensorShape:
    """`constant_value_as_shape` that looks only through the ops of `constant_value`."""
    return _as_shape(tensor, _PYTHON_FOLDED)


def _as_shape(tensor: Tensor, op_types: frozenset[str] | None = None) -> TensorShape:
    node = tensor.op
    rank = tensor.shape.with_rank(1)._sizes
    count = None if rank is None else rank[0]
    if node.type == "Shape":
        return node._inputs[0].shape
    if node.type == "ShapeN" and op_types is None:
        return node._inputs[tensor.value_index].shape
    if node.type == "Pack":
        sizes: list[int | None] = []
        for item in node._inputs:
            value = _known(item, op_types)
            sizes.append(None if value is None or int(value) < 0 else int(value))
        return TensorShape.of(tuple(sizes))
    if node.type in ("ConcatV2", "Concat"):
        parts = node._inputs[:-1] if node.type == "ConcatV2" else node._inputs[1:]
        whole = TensorShape([])
        for part in parts:
            whole = whole.concatenate(_as_shape(part, op_types))
        return whole
    if node.type == "StridedSlice":
        found = _sliced_shape(node, op_types)
        if found is not None:
            return found
    value = _known(tensor, op_types)
    if value is not None:
        for size in value.tolist():
            if size < -1:
                raise ValueError(f"Invalid value in tensor used for shape: {size}")
        return TensorShape.of(tuple(None if s < 0 else int(s) for s in value.tolist()))
    return TensorShape.of(None if count is None else (None,) * count)


def _sliced_shape(node: Any, op_types: frozenset[str] | None) -> TensorShape | None:
    bounds = [_known(t, op_types) for t in node._inputs[1:]]
    if any(b is None or b.shape != (1,) for b in bounds):
        return None
    attrs = node._attrs
    if attrs.get("ellipsis_mask") or attrs.get("new_axis_mask") or attrs.get("shrink_axis_mask"):
        return None
    begin, end, step = (int(b[0]) for b in bounds)
    whole = _as_shape(node._inputs[0], op_types)
    if whole._sizes is None:
        return None
    first = None if attrs.get("begin_mask", 0) & 1 else begin
    last = None if attrs.get("end_mask", 0) & 1 else end
    return TensorShape.of(whole._sizes[first:last:step])
