"""Write tests/data/samples.json: nodes of the cases, and the static shapes that TensorFlow infers.

    python tests/tools/samples.py            run all cases, keep nodes, ask the oracle

The oracle's interpreter is $ORACLE (a Python 3.7 that has tensorflow-cpu 1.15.0).
"""

import json
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HERE)

import harness
import replay

# They wait for what another node puts in.
WAITING = ("Stage", "Unstage", "StagePeek", "StageSize", "Peek")

PER_OP = 4
MAX_ELEMENTS = 3000
MAX_TEXT = 600
# Their kernels call Python functions, files or bodies of other nodes.
LEFT_OUT = ("PyFunc", "EagerPyFunc", "PyFuncStateless", "ReadFile", "MatchingFiles", "Assert")


def collect():
    """Run the cases under relight and note nodes with what they were given: {op: [sample]}."""
    sys.path.insert(0, os.path.dirname(HERE))
    import plans

    import relight.v1 as tf
    from relight.ops import call

    found = {}
    bind = call.bind

    def noting(node):
        kernel = bind(node)
        if not _usable(node):
            return kernel
        skip = int(_record(node.type).takes_session)

        def noted(*arguments):
            _note(node, arguments[skip:], found)
            return kernel(*arguments)

        return noted

    call.bind = noting
    cases = os.path.join(HERE, "cases")
    # Infinities and empty tensors say little of shapes and nothing of slopes: they come last.
    with plans.bare():
        for family in sorted(harness.families(cases), key=lambda name: name == "edges"):
            for function in harness.cases(family).values():
                harness.run(tf, function)
    return found


def _record(op_type):
    from relight.graph import opdef

    return opdef.record(op_type)


def _usable(node):
    """Whether a node can stand alone: no handles, references or function bodies."""
    tensors = list(node.inputs) + list(node.outputs)
    if node.type in LEFT_OUT or node.type.endswith(WAITING) or not node.inputs or not node.outputs:
        return False
    if any(t.dtype._is_ref_dtype or t.dtype.name in ("resource", "variant") for t in tensors):
        return False
    return not any(
        a.kind in ("func", "list(func)") for a in _record(node.type).definition.attrs.values()
    )


def _note(node, arguments, found):
    import torch
    from google.protobuf import text_format

    from relight.ops import call

    flat = []
    for item in arguments:
        flat.extend(item if isinstance(item, (list, tuple)) else [item])
    arrays = [call.to_numpy(a) if isinstance(a, torch.Tensor) else a for a in flat]
    if not all(isinstance(a, np.ndarray) for a in arrays) or len(arrays) != len(node.inputs):
        return
    if sum(a.size for a in arrays) > MAX_ELEMENTS or node.type in found.get("", ()):
        return
    if sum(len(v) for a in arrays if a.dtype == object for v in a.ravel()) > MAX_TEXT:
        return
    proto = node.node_def
    proto.name = "node"
    del proto.input[:]
    for key in [k for k in proto.attr if k.startswith("_")]:
        del proto.attr[key]
    proto.device = ""
    text = text_format.MessageToString(proto, as_one_line=True)
    key = (text, tuple(a.ndim for a in arrays))
    samples = found.setdefault(node.type, {})
    if key not in samples and len(samples) < 3 * PER_OP:
        samples[key] = {
            "op": node.type,
            "node": text,
            "inputs": [replay.encode(np.array(a)) for a in arrays],
        }


def ask():
    """Under TensorFlow: read samples from standard input, add their static shapes, print them."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import tensorflow as tf
    from google.protobuf import text_format

    for sample in json.load(sys.stdin):
        node = text_format.Parse(sample["node"], tf.NodeDef())
        arrays = [
            replay.decode(r, lambda n: tf.as_dtype(n).as_numpy_dtype) for r in sample["inputs"]
        ]
        sample["static"] = {w: replay.static_shapes(tf, node, arrays, w) for w in replay.WAYS}
        if sample["static"]["known"] is None:
            continue  # ops that were removed, and inputs that are refused when it is run
        print(json.dumps(sample, sort_keys=True))


def _chosen(samples):
    """At most PER_OP samples of one op: different ranks and types first."""
    seen, first, rest = set(), [], []
    for sample in samples.values():
        kind = tuple((i[0], len(i[1])) for i in sample["inputs"])
        (rest if kind in seen else first).append(sample)
        seen.add(kind)
    return (first + rest)[:PER_OP]


def main():
    """Collect here, ask in a child process of the oracle's interpreter, write."""
    if "--ask" in sys.argv:
        ask()
        return
    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    found = collect()
    samples = [s for op in sorted(found) for s in _chosen(found[op])]
    done = subprocess.run(
        [oracle, os.path.abspath(__file__), "--ask"],
        input=json.dumps(samples).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    lines = done.stdout.decode().split("\n")[:-1]
    with open(replay.PATH + ".new", "w") as f:
        f.write("[\n" + ",\n".join(lines) + "\n]\n")
    os.replace(replay.PATH + ".new", replay.PATH)
    print("%d samples of %d ops" % (len(lines), len(found)))


if __name__ == "__main__":
    main()
