"""Runs cases and describes what they gave, under relight or under real TensorFlow (Python 3.7).

A description is JSON: {"values": {label: ...}, "nodes": [...]} or {"error": class, "message":
text}.
"""

import hashlib
import importlib
import json
import os
import re
import sys
import types

import numpy as np

MAX_VALUES = 48  # longer arrays are described by samples and moments
MAX_NODES = 60  # longer node lists by a digest


def families(folder):
    """Names of all families of cases."""
    return sorted(f[:-3] for f in os.listdir(folder) if f.endswith(".py") and not f.startswith("_"))


def cases(family):
    """{name: function} of one family, in the order of the file."""
    module = importlib.import_module("cases." + family)
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and not name.startswith("_"):
            if value.__module__ == module.__name__:
                found[name] = value
    for name, value in getattr(module, "CASES", {}).items():
        found[name] = value
    return found


def source_digest(family, folder):
    """A digest of a family's source: goldens of another source are stale."""
    with open(os.path.join(folder, family + ".py"), "rb") as f:
        return hashlib.sha1(f.read()).hexdigest()[:12]


def run(tf, function):
    """The description of one case."""
    tf.reset_default_graph()
    graph = tf.get_default_graph()
    try:
        wanted = function(tf, np)
        values = _evaluate(tf, graph, wanted)
    except Exception as error:  # the class and the words are the result
        if os.environ.get("RELIGHT_CASE_RAISE"):
            raise
        return {"error": _error_class(error), "message": _first_line(error)}
    described = {"values": {k: describe(v) for k, v in sorted(values.items())}}
    family = sys.modules.get(function.__module__)
    if getattr(function, "nodes", getattr(family, "NODES", True)):
        described["nodes"] = _nodes(graph)
    return described


def _error_class(error):
    for cls in type(error).__mro__:
        if cls.__name__ in (
            "FailedPreconditionError",
            "InvalidArgumentError",
            "OutOfRangeError",
            "NotFoundError",
            "UnimplementedError",
            "InternalError",
            "AbortedError",
            "CancelledError",
            "AlreadyExistsError",
            "PermissionDeniedError",
            "DataLossError",
            "UnknownError",
            "ResourceExhaustedError",
            "DeadlineExceededError",
        ):
            return cls.__name__
    return type(error).__name__


def _first_line(error):
    text = getattr(error, "message", None) or str(error)
    text = re.sub(r"\(defined at [^)]*\)\s*", "", str(text))  # a place on one machine
    return text.split("\n")[0][:300]


def _is_symbolic(value):
    return hasattr(value, "graph") or hasattr(value, "_as_graph_element")


def _evaluate(tf, graph, wanted):
    """Replace symbolic values by what a session gives for them."""
    symbolic = {k: v for k, v in wanted.items() if _has_symbolic(v)}
    values = {k: v for k, v in wanted.items() if k not in symbolic}
    static = {}
    for label, value in symbolic.items():
        shape = getattr(value, "shape", None)
        if shape is not None and hasattr(shape, "as_list"):
            static[label] = str(shape)
    if symbolic:
        nodes_before = len(graph.get_operations())
        with tf.Session(graph=graph) as session:
            if any(graph.get_collection(c) for c in ("variables", "local_variables")):
                with graph.as_default():
                    session.run(
                        [tf.global_variables_initializer(), tf.local_variables_initializer()]
                    )
            results = session.run(symbolic)
        graph._case_nodes = nodes_before
        for label, result in results.items():
            values[label] = result
    for label, shape in static.items():
        values["static " + label] = shape
    return values


def _has_symbolic(value):
    if isinstance(value, (list, tuple)):
        return any(_has_symbolic(v) for v in value)
    if isinstance(value, dict):
        return any(_has_symbolic(v) for v in value.values())
    return _is_symbolic(value)


def _nodes(graph):
    count = getattr(graph, "_case_nodes", None)
    operations = graph.get_operations()[:count]
    lines = []
    for op in operations:
        control = ["^" + c.name for c in op.control_inputs]
        if len(control) > 8:  # TensorFlow's edge sets keep the order of up to 8 edges only
            control.sort()
        inputs = [t.name for t in op.inputs] + control
        lines.append(
            "%s %s(%s)%s"
            % (op.name, op.type, ",".join(inputs), " @" + op.device if op.device else "")
        )
    if len(lines) > MAX_NODES:
        text = "\n".join(lines).encode()
        return {
            "count": len(lines),
            "digest": hashlib.sha1(text).hexdigest()[:16],
            "types": _type_counts(operations),
        }
    return lines


def _type_counts(operations):
    counts = {}
    for op in operations:
        counts[op.type] = counts.get(op.type, 0) + 1
    return counts


def describe(value):
    """A result as JSON: arrays by type, shape and (some) values."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"float": repr(float(value))}
    if isinstance(value, bytes):
        return {"bytes": _text(value)}
    if isinstance(value, dict):
        return {"dict": {str(k): describe(v) for k, v in sorted(value.items())}}
    if isinstance(value, (list, tuple)):
        return {"list": [describe(v) for v in value]}
    array = np.asarray(value)
    record = {
        "dtype": "string" if array.dtype == object else str(array.dtype),
        "shape": list(array.shape),
    }
    flat = array.ravel()
    if array.dtype == object:
        record["values"] = [_text(v) for v in flat[:MAX_VALUES].tolist()]
    elif array.dtype.names:
        record["values"] = flat[array.dtype.names[0]][:MAX_VALUES].tolist()
    elif flat.size <= MAX_VALUES:
        record["values"] = _numbers(flat)
    else:
        places = np.linspace(0, flat.size - 1, 24).astype(np.int64)
        record["samples"] = _numbers(flat[places])
        record["sum"] = _numbers(np.array([_wide(flat).sum(), np.abs(_wide(flat)).sum()]))
    return record


def _wide(flat):
    return flat.astype(np.complex128 if np.iscomplexobj(flat) else np.float64)


def _text(value):
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return "hex:" + value.hex()
    return str(value)


def _numbers(flat):
    if np.iscomplexobj(flat):
        return [[float("%.9g" % v.real), float("%.9g" % v.imag)] for v in flat.tolist()]
    if str(flat.dtype) in ("float16", "float32", "bfloat16"):
        return [_finite("%.9g" % v) for v in flat.astype(np.float64).tolist()]
    if flat.dtype == np.float64:
        return [_finite("%.17g" % v) for v in flat.tolist()]
    return flat.tolist()


def _finite(text):
    value = float(text)
    return value if np.isfinite(value) else text  # JSON has no nan, inf


def load(path):
    """A golden file, or {} when there is none."""
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        return json.load(f)


# -- comparing -------------------------------------------------------------------------------------


def differences(golden, found, rtol=1e-5, atol=1e-6, seeded=True, message=True):
    """What differs between two descriptions, one sentence each; [] when they agree."""
    if "error" in golden or "error" in found:
        if golden.get("error") != found.get("error"):
            return ["TensorFlow: %s, relight: %s" % (_short(golden), _short(found))]
        return _message_difference(golden, found) if message else []
    problems = []
    for label in sorted(set(golden["values"]) | set(found["values"])):
        if label not in found["values"]:
            problems.append("%s is missing" % label)
        elif label not in golden["values"]:
            problems.append("%s is not in the golden" % label)
        else:
            problems += _compare(
                label, golden["values"][label], found["values"][label], rtol, atol, seeded
            )
    if "nodes" in found and "nodes" in golden:
        problems += _node_differences(golden["nodes"], found["nodes"])
    return problems


def _short(description):
    if "error" in description:
        return "%s(%s)" % (description["error"], description["message"])
    return "no error"


def _message_difference(golden, found):
    """Facts of the message: its numbers and quoted names appear in ours too."""
    facts = re.findall(r"\[[\d,?]*\]|\b\d+\b|'[\w/:]+'", golden["message"])
    missing = [f for f in facts if f not in found["message"]]
    if missing:
        return [
            "message lacks %s: %r, TensorFlow's: %r"
            % (missing, found["message"], golden["message"])
        ]
    return []


def _compare(label, a, b, rtol, atol, seeded):
    if isinstance(a, dict) and isinstance(b, dict):
        if "dtype" in a and "dtype" in b:
            return _compare_arrays(label, a, b, rtol, atol, seeded)
        if "list" in a and "list" in b and len(a["list"]) == len(b["list"]):
            return [
                p
                for i, (x, y) in enumerate(zip(a["list"], b["list"]))
                for p in _compare("%s[%d]" % (label, i), x, y, rtol, atol, seeded)
            ]
        if "dict" in a and "dict" in b and sorted(a["dict"]) == sorted(b["dict"]):
            return [
                p
                for k in a["dict"]
                for p in _compare(
                    "%s.%s" % (label, k), a["dict"][k], b["dict"][k], rtol, atol, seeded
                )
            ]
        if "float" in a and "float" in b:
            x, y = float(a["float"]), float(b["float"])
            return (
                []
                if np.isclose(x, y, rtol, atol, equal_nan=True)
                else ["%s: %r, relight %r" % (label, x, y)]
            )
    return [] if a == b else ["%s: %r, relight %r" % (label, a, b)]


def _compare_arrays(label, a, b, rtol, atol, seeded):
    for part in ("dtype", "shape"):
        if a[part] != b[part]:
            return ["%s: %s %s, relight %s" % (label, part, a[part], b[part])]
    if not seeded:
        return []
    problems = []
    for part in ("values", "samples", "sum"):
        if part not in a:
            continue
        if a["dtype"] in ("string", "bool") or "int" in a["dtype"]:
            same = a[part] == b[part]
        else:
            x, y = _array(a[part]), _array(b[part])
            scale = 10 if part == "sum" else 1
            if a["dtype"] in ("float16", "bfloat16"):
                same = np.allclose(x, y, max(rtol, 1e-2), max(atol, 1e-2), equal_nan=True)
            else:
                same = np.allclose(x, y, rtol * scale, atol * scale, equal_nan=True)
        if not same:
            problems.append(
                "%s: %s %s, relight %s" % (label, part, str(a[part])[:200], str(b[part])[:200])
            )
    return problems


def _array(values):
    return np.array(
        [complex(*v) if isinstance(v, list) else float(v) for v in values], np.complex128
    )


def _node_differences(a, b):
    if isinstance(a, list) and isinstance(b, list):
        if a == b:
            return []
        missing = [n for n in a if n not in b][:6]
        extra = [n for n in b if n not in a][:6]
        return ["nodes differ: TensorFlow has %s, relight has %s" % (missing, extra)]
    if a != b:
        return ["nodes differ: %s, relight %s" % (str(a)[:300], str(b)[:300])]
    return []
