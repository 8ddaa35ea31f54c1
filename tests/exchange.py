"""A training graph and its checkpoint, written by one implementation and run by the other.

Python 3.7: real TensorFlow 1.15 runs this as well.
"""

import hashlib
import importlib
import json
import os
import re

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data", "exchange")  # TensorFlow's MetaGraphs, and what they gave
SAMPLES = 64


def export(tf, name, data, path):
    """Write a program's MetaGraph and initial values to `path`; what a step feeds and gives."""
    return importlib.import_module("programs." + name).export(tf, np, data, path)


def step(tf, path, spec, values=None):
    """Load a MetaGraph and run it: loss and output, then the variables after a training step.

    The first values are those of the checkpoint `values`, by default the one beside the MetaGraph.
    """
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(path + ".meta")
        saver.restore(session, values or path)
        loss, output = session.run([spec["loss"], spec["output"]], spec["feeds"])
        variables = {v.op.name: v for v in tf.global_variables()}
        before = session.run(variables)
        session.run(tf.get_default_graph().get_operation_by_name(spec["train"]), spec["feeds"])
        after = session.run(variables)
    moved = {k: np.float64(after[k]) - before[k] for k in variables}
    return {
        "loss": _samples(loss),
        "output": _samples(output),
        "after": {k: _samples(v) for k, v in sorted(after.items())},
        "moved": {k: _samples(v) for k, v in sorted(moved.items())},
    }


def _samples(value):
    flat = np.asarray(value).ravel()
    places = np.linspace(0, flat.size - 1, min(SAMPLES, flat.size)).astype(np.int64)
    return [float("%.9g" % v) for v in flat[places]]


def graph_digest(graph_def):
    """A digest of a GraphDef, functions included, without what a process counts or draws."""
    functions = sorted(graph_def.library.function, key=lambda f: _uncounted(f.signature.name))
    digest = hashlib.sha1()
    nodes = list(graph_def.node)
    for function in functions:
        digest.update(_uncounted(function.signature.name))
        digest.update(repr(sorted(function.ret.items())).encode())
        nodes += list(function.node_def)
    for node in nodes:
        digest.update(repr((node.name, node.op, list(node.input), node.device)).encode())
        for key in sorted(node.attr):
            attr = node.attr[key]
            value = attr.SerializeToString()
            if node.op == "Const" and b"_temp_" in value:
                continue  # the saver draws this name
            if node.op == "PyFunc" and key == "token":
                continue  # counted
            digest.update(key.encode())
            digest.update(_uncounted(attr.func.name) if attr.HasField("func") else value)
    return digest.hexdigest()[:16]


def _uncounted(name):
    """A function's name without the number that makes it unique in a process."""
    return re.sub(r"_\d+$", "", name).encode()


def load(name):
    """What was recorded for a program."""
    with open(os.path.join(DATA, name + ".json")) as f:
        return json.load(f)


def differences(theirs, ours, values=1e-6, movement=1e-4):
    """What differs between two results of `step`, one sentence each.

    Distances are in the 2-norm, relative to the values and to how far a variable moved.
    """
    problems = []
    outputs = 5 * values  # probabilities: the exponential of logits, which have rounding errors
    if sorted(theirs["after"]) != sorted(ours["after"]):
        problems.append("variables %s, %s" % (sorted(theirs["after"]), sorted(ours["after"])))
    for part, allowed in (("loss", values), ("output", outputs)):
        far, size = _distance(theirs[part], ours[part])
        if not far <= allowed * size:
            problems.append("%s: %.1e of %.1e apart" % (part, far, size))
    for name in sorted(set(theirs["after"]) & set(ours["after"])):
        far, size = _distance(theirs["after"][name], ours["after"][name])
        moved = float(np.linalg.norm(theirs["moved"][name]))
        if not far <= values * size + movement * moved:
            problems.append("%s: %.1e of %.1e apart, moved %.1e" % (name, far, size, moved))
    return problems


def summary(theirs, ours):
    """The largest relative distances, in a line."""
    far, size = _distance(theirs["loss"], ours["loss"])
    out, whole = _distance(theirs["output"], ours["output"])
    moved = 0.0
    for name in theirs["after"]:
        apart, _ = _distance(theirs["moved"][name], ours["moved"][name])
        moved = max(moved, apart / max(float(np.linalg.norm(theirs["moved"][name])), 1e-30))
    return "loss %.1e, output %.1e, step %.1e" % (far / size, out / whole, moved)


def _distance(a, b):
    a, b = np.array(a, np.float64), np.array(b, np.float64)
    if a.shape != b.shape:
        return float("inf"), 1.0
    return float(np.linalg.norm(a - b)), float(np.linalg.norm(a))
