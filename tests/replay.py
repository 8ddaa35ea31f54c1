"""Single nodes of the cases, kept with their inputs, to be built and run again in other ways.

`tests/data/samples.json` holds them, written by `tests/tools/samples.py`: for every op, a few nodes
with distinct attrs, types and ranks, and the static shapes that real TensorFlow 1.15 infers when
more or less is known of the inputs. The syntax is Python 3.7's: real TensorFlow runs this too.
"""

import json
import os
import zlib

import numpy as np

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "samples.json")
KEPT = 48  # longer inputs are drawn anew from the range of their values

# What is known of the inputs: integers that are few (sizes, axes, paddings) are constants unless
# said otherwise, and everything else is fed.
WAYS = {
    "known": "full shapes of what is fed",
    "dims": "ranks only of what is fed",
    "rank": "nothing of what is fed",
    "first": "full shapes, but nothing of the first input",
    "values": "full shapes, and no constants",
    "nothing": "no shapes and no constants",
}


def encode(array):
    """An input as JSON: [type, shape, values or range of values]."""
    array = np.asarray(array)
    if array.dtype == object:
        values = [v.decode("latin-1") for v in array.ravel().tolist()]
        return ["string", list(array.shape), values]
    flat = array.ravel()
    if np.iscomplexobj(flat):
        flat = np.stack([flat.real, flat.imag], 1).ravel().astype(np.float64)
    elif flat.dtype != np.bool_ and flat.dtype.kind not in "iu":
        flat = flat.astype(np.float64)
    if flat.size > KEPT:
        finite = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
        bounds = {"from": _number(finite.min()), "to": _number(finite.max())} if finite.size else {}
        return [str(array.dtype), list(array.shape), bounds]
    return [str(array.dtype), list(array.shape), [_number(v) for v in flat.tolist()]]


def _number(value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return float("%.6g" % value) if np.isfinite(value) else str(value)
    return value


def decode(record, dtype_of):
    """The array of a JSON input. `dtype_of`: from a type's name to numpy's type."""
    name, shape, values = record
    if name == "string":
        array = np.empty(len(values), object)
        array[:] = [v.encode("latin-1") for v in values]
        return array.reshape(shape)
    dtype = np.dtype(dtype_of(name))
    parts = 2 if dtype.kind == "c" else 1
    count = int(np.prod(shape, dtype=np.int64)) * parts
    if isinstance(values, dict):
        flat = draw(values.get("from", 0), values.get("to", 0), count, dtype)
    else:
        kind = np.float64 if parts == 2 or dtype.kind not in "iub" else dtype
        flat = np.array([float(v) if isinstance(v, str) else v for v in values], kind)
    if parts == 2:
        flat = flat[0::2] + 1j * flat[1::2]
    return flat.astype(dtype).reshape(shape)


def draw(low, high, count, dtype):
    """`count` values between two bounds (included for integers), always the same ones."""
    random = np.random.RandomState(zlib.crc32(("%s %s %s" % (low, high, count)).encode()))
    if np.dtype(dtype).kind == "b":
        return random.rand(count) < 0.5
    if np.dtype(dtype).kind in "iu":
        return low + np.floor(random.rand(count) * (float(high) - float(low) + 1)).astype(np.int64)
    return random.uniform(low, high, count)


def is_constant(array):
    """Whether an input is what programs mostly give as a constant: sizes, axes, paddings."""
    return array.dtype in (np.int32, np.int64) and array.ndim <= 2 and array.size <= KEPT


def feeds_and_constants(tf, arrays, way):
    """(tensors, feeds) for the inputs of a node, of which as much is known as `way` says."""
    tensors, feeds = [], {}
    for i, array in enumerate(arrays):
        dtype = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
        if is_constant(array) and way not in ("values", "nothing"):
            tensors.append(tf.constant(array, dtype, array.shape))
            continue
        shape = list(array.shape)
        if way in ("rank", "nothing") or (way == "first" and i == 0):
            shape = None
        elif way == "dims":
            shape = [None] * array.ndim
        tensors.append(tf.placeholder(dtype, shape))
        feeds[tensors[-1]] = array
    return tensors, feeds


def build(tf, node, tensors):
    """The outputs of a node (a NodeDef) on these inputs, in the default graph."""
    graph_def = tf.GraphDef()
    graph_def.versions.producer = 134
    added = graph_def.node.add()
    added.CopyFrom(node)
    del added.input[:]
    added.input.extend("input%d" % i for i in range(len(tensors)))
    given = {"input%d" % i: t for i, t in enumerate(tensors)}
    (operation,) = tf.import_graph_def(
        graph_def, input_map=given, return_elements=[added.name], name=""
    )
    return list(operation.outputs)


def static_shapes(tf, node, arrays, way):
    """The static shapes of a node's outputs as text, or None when it is refused."""
    with tf.Graph().as_default():
        tensors, _ = feeds_and_constants(tf, arrays, way)
        try:
            return [str(y.shape) for y in build(tf, node, tensors)]
        except (ValueError, TypeError, tf.errors.OpError):
            return None


def load():
    """All samples: dictionaries with `op`, `node` (a NodeDef's text), `inputs`, `static`."""
    with open(PATH) as f:
        return [json.loads(line.rstrip().rstrip(",")) for line in f if line.startswith("{")]
