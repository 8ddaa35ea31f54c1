"""Loss curves of seeded programs, described and compared (Python 3.7: the oracle runs it too)."""

import hashlib
import importlib
import json
import os

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "curves")
STEPS = 100
SAMPLES = 64  # of each variable
START = 10  # steps in which rounding has not grown yet
FLOOR = 1e-6  # relative; a float32 loss, a sum of 50 to 100 terms, is itself known to some 2e-7


def source_digest(name):
    """A digest of what a program is made of: curves of another source are stale."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
    digest = hashlib.sha1()
    for part in (name, "digits", "loop", "estimator"):
        with open(os.path.join(folder, part + ".py"), "rb") as f:
            digest.update(f.read())
    return digest.hexdigest()[:12]


def run(tf, name, data, steps=STEPS, threads=None):
    """What a program gives: its losses, and its variables before (exactly) and after."""
    config = None
    if threads:
        config = tf.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
        )
    program = importlib.import_module("programs." + name)
    found = program.run(tf, np, data, steps, config)
    return {
        "losses": [_exact(v) for v in found["losses"]],
        "before": {k: _identity(v) for k, v in sorted(found["before"].items())},
        "after": {k: _samples(v) for k, v in sorted(found["after"].items())},
    }


def _exact(value):
    """A float32 by the fewest digits that give it again."""
    return float("%.9g" % value)


def _identity(value):
    """Type, shape, and a digest of every bit."""
    value = np.ascontiguousarray(value)
    digest = hashlib.sha1(value.tobytes()).hexdigest()[:16]
    return "%s%s %s" % (value.dtype, list(value.shape), digest)


def _samples(value):
    flat = np.asarray(value).ravel()
    places = np.linspace(0, flat.size - 1, min(SAMPLES, flat.size)).astype(np.int64)
    return [_exact(v) for v in flat[places]]


def load(name):
    """The golden of a program: "threads2" and "threads1" are TensorFlow's runs with that many."""
    with open(os.path.join(FOLDER, name + ".json")) as f:
        return json.load(f)


def distances(a, b):
    """Relative distance of two curves at each step, no smaller than at the steps before."""
    a, b = np.array(a, np.float64), np.array(b, np.float64)
    return np.maximum.accumulate(np.abs(a - b) / np.abs(a))


def variable_distances(a, b):
    """{variable: relative distance of its samples, in the 2-norm}."""
    found = {}
    for name in a:
        x, y = np.array(a[name], np.float64), np.array(b[name], np.float64)
        found[name] = float(np.linalg.norm(x - y) / max(np.linalg.norm(x), 1e-30))
    return found
