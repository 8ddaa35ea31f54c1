"""Constants as protos, and values that are known without running anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes, tensor_proto
from relight.graph.export import export
from relight.graph.shapes import TensorShape
from relight.ops import constants

get_static_value = export("get_static_value", "contrib.util.constant_value")(
    constants.constant_value
)


@export("make_tensor_proto", "contrib.util.make_tensor_proto")
def make_tensor_proto(
    values: Any,
    dtype: Any = None,
    shape: Any = None,
    verify_shape: bool = False,
    allow_broadcast: bool = False,
) -> Any:
    """A `TensorProto` of a Python or numpy value (itself, when it is one already).

    A value with fewer elements than `shape` is filled up with its last one, unless `verify_shape`
    forbids it; with `allow_broadcast` only a single value is. Raises TypeError for elements that
    do not suit `dtype` or another shape, ValueError for too many elements.
    """
    from tensorboard.compat.proto import tensor_pb2

    if allow_broadcast and verify_shape:
        raise ValueError("allow_broadcast and verify_shape are not both allowed.")
    if isinstance(values, tensor_pb2.TensorProto):
        return values
    array, element_type = constants.as_array(values, dtype)
    if shape is not None:
        wanted = tuple(TensorShape(shape).as_list())
        count = int(np.prod(wanted, dtype=np.int64))
        refused = (
            array.size != 1 and array.size != count
            if allow_broadcast
            else verify_shape and array.shape != wanted
        )
        if refused:
            raise TypeError(f"Expected Tensor's shape: {wanted}, got {array.shape}.")
        if array.size > count:
            raise ValueError(
                f"Too many elements provided. Needed at most {count}, but received {array.size}"
            )
        if 1 < array.size < count:  # the proto repeats the last of its values
            array = constants.as_array(array, element_type, wanted)[0]
        elif array.size:
            array = (
                array.reshape(wanted)
                if array.size == count
                else np.broadcast_to(array.reshape(()), wanted)
            )
    return tensor_proto.to_proto(array, element_type)


@export("make_ndarray", "contrib.util.make_ndarray")
def make_ndarray(tensor: Any) -> np.ndarray:
    """The value of a `TensorProto` as a numpy array; TypeError for an unsupported type."""
    if dtypes.as_dtype(tensor.dtype).name in ("resource", "variant"):
        raise TypeError(f"Unsupported tensor type: {tensor.dtype}")
    return tensor_proto.from_proto(tensor).copy()
