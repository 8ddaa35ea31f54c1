"""What a graph consists of, as text (Python 3.7: the oracle describes its graphs with this too).

A node is a line: name, op type, inputs with control inputs, device, attrs; its static output shapes
are among the attrs. A collection is a list of lines of what a MetaGraphDef stores of it.
"""

import hashlib
import importlib
import json
import os
import re

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "graphs")
LONG = 100  # longer attrs are cut and end with a digest

# Where programs hold a tf.cond: an If node here, Switch and Merge nodes in TensorFlow.
CONDITIONALS = {
    "moving_average": (
        # the first value of a moving average is that of its variable, if that has one already
        r"cond(_\d+)?",
        # what TensorFlow adds when it sees that the value comes of a variable after all
        r"Variable(_\d+)?/ExponentialMovingAverage/(cond|IsVariableInitialized)",
    ),
    # the global step is read from its initial value as long as it has no other
    "cnn_estimator": ("global_step/cond",),
    "cnn_one_hot": ("global_step/cond",),
}


def source_digest(name):
    """A digest of what a program is made of: graphs of another source are stale."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
    digest = hashlib.sha1()
    for part in (name, "loop", "estimator"):
        with open(os.path.join(folder, part + ".py"), "rb") as f:
            digest.update(f.read())
    return digest.hexdigest()[:12]


def describe(tf, graph):
    """{"nodes": lines, "collections": {name: lines}, "producer", "min_consumer"} of a graph."""
    nodes = [_node(tf, node) for node in graph.as_graph_def(add_shapes=True).node]
    meta = tf.train.export_meta_graph(graph=graph)
    versions = meta.graph_def.versions
    return {
        "nodes": nodes,
        "collections": {k: _collection(v) for k, v in sorted(meta.collection_def.items())},
        "versions": [
            versions.producer,
            versions.min_consumer,
            meta.meta_info_def.tensorflow_version,
        ],
        "ops": [op.name for op in meta.meta_info_def.stripped_op_list.op],
    }


def program(tf, name, data):
    """{graph's name: description} of all graphs of a program."""
    module = importlib.import_module("programs." + name)
    return {key: describe(tf, graph) for key, graph in module.graphs(tf, np, data)}


def _node(tf, node):
    attrs = []
    for key in sorted(node.attr):
        text = "%s=%s" % (key, _attr(tf, node.attr[key]))
        text = re.sub(r"_temp_[0-9a-f]{32}", "_temp_RANDOM", text)  # the saver draws this name
        if len(text) > LONG:
            text = text[: LONG // 2] + "#" + hashlib.sha1(text.encode()).hexdigest()[:10]
        attrs.append(text)
    inputs = list(node.input)
    control = [i for i in inputs if i.startswith("^")]
    if len(control) > 8:  # TensorFlow's edge sets keep the order of up to 8 edges only
        inputs = inputs[: -len(control)] + sorted(control)
    line = "%s %s(%s)" % (node.name, node.op, ", ".join(inputs))
    return " ".join([line] + (["@" + node.device] if node.device else []) + attrs)


def _attr(tf, attr):
    kind = attr.WhichOneof("value")
    if kind is None:
        return "none"
    value = getattr(attr, kind)
    if kind == "list":
        for field, values in value.ListFields():
            return "[%s]" % ",".join(_scalar(tf, field.name, v) for v in values)
        return "[]"
    return _scalar(tf, kind, value)


def _scalar(tf, kind, value):
    if kind == "s":
        return repr(value)[1:]
    if kind == "type":
        return tf.as_dtype(value).name
    if kind == "shape":
        return _shape(value)
    if kind == "f":
        return "%.9g" % value
    if kind == "tensor":
        array = np.ascontiguousarray(tf.make_ndarray(value))
        data = repr(array.tolist()) if array.dtype == object or array.size < 9 else _digest(array)
        return "%s%s:%s" % (tf.as_dtype(value.dtype).name, _shape(value.tensor_shape), data)
    if kind == "func":
        return "func:" + value.name
    return str(value)


def _digest(array):
    return hashlib.sha1(array.tobytes()).hexdigest()[:12]


def _shape(shape):
    return "?" if shape.unknown_rank else str([d.size for d in shape.dim]).replace(" ", "")


def _collection(definition):
    kind = definition.WhichOneof("kind")
    values = getattr(definition, kind).value
    if kind == "bytes_list":
        return [kind] + [" ".join(_fields(v)) for v in values]
    if kind == "any_list":
        return [kind] + [v.type_url + " " + v.value.decode("latin-1") for v in values]
    return [kind] + [v if isinstance(v, str) else str(v) for v in values]


def _fields(data):
    """The fields of a serialized VariableDef, QueueRunnerDef or SaverDef as `number:value`."""

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    at, found = 0, []
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            size, at = varint(at)
            value, at = data[at : at + size].decode("latin-1"), at + size
        else:  # fixed size: 8 or 4 bytes
            size = 8 if key & 7 == 1 else 4
            value, at = data[at : at + size].hex(), at + size
        found.append("%d:%s" % (key >> 3, value))
    return found


def load(name):
    """The golden of a program."""
    with open(os.path.join(FOLDER, name + ".json")) as f:
        return json.load(f)


# -- comparing -------------------------------------------------------------------------------------


def differences(theirs, ours, conditionals=()):
    """What differs between two descriptions, one sentence each.

    `conditionals` are patterns of the scopes of `tf.cond`, Switch and Merge nodes in TensorFlow and
    an If node here: their nodes are skipped, and what they give has one name in both.
    """
    first, second = _named(theirs["nodes"], conditionals), _named(ours["nodes"], conditionals)
    problems = ["TensorFlow has " + first[k] for k in first if k not in second]
    problems += ["relight has " + second[k] for k in second if k not in first]
    problems += [
        "TensorFlow: %s\n   relight: %s" % (first[k], second[k])
        for k in first
        if k in second and first[k] != second[k]
    ]
    if not problems and list(first) != list(second):
        problems.append("the order of the nodes differs")
    for key in sorted(set(theirs["collections"]) | set(ours["collections"])):
        if key == "cond_context" and conditionals:
            continue
        a, b = [
            [_result(line, conditionals) for line in side["collections"].get(key, ["missing"])]
            for side in (theirs, ours)
        ]
        if a != b:
            problems.append("collection %s: %r, relight %r" % (key, a, b))
    if theirs["versions"] != ours["versions"]:
        problems.append("versions %r, relight %r" % (theirs["versions"], ours["versions"]))
    if not conditionals and theirs["ops"] != ours["ops"]:
        problems.append("op list %r, relight %r" % (theirs["ops"], ours["ops"]))
    return problems


def _named(lines, conditionals):
    """{name: line} of the nodes outside of conditionals."""
    found = {}
    for line in lines:
        name = line.split(" ", 1)[0]
        if not any(re.match(p + "(/|$)", name) for p in conditionals):
            found[name] = _result(line, conditionals)
    return found


def _result(line, conditionals):
    """A line in which the output of a conditional has one name, Merge's or Identity's."""
    for p in conditionals:
        line = re.sub(r"((?:^|(?<=[ (:]))" + p + r")/(Merge|Identity)[\w/]*", r"\1/RESULT", line)
    return line
