"""Record loss curves of tests/programs under real TensorFlow 1.15, with one thread and with two.

    ORACLE=python3.7 python tests/tools/curves.py [--all] [PROGRAM ...]

writes tests/golden/curves/PROGRAM.json for programs that are new or changed, or all of them. That
TensorFlow's own two runs differ shows how rounding grows in a program: no other implementation can
be held to less.
"""

import json
import os
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)


def run(name, threads, path):
    """Run one program under the TensorFlow of this interpreter and write what it gave."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import curves
    import tensorflow as tf
    from programs import digits

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    with open(path, "w") as f:
        json.dump(curves.run(tf, name, digits.load(), threads=int(threads)), f)


def record(oracle, name):
    """Run one program twice, in processes of the oracle, and store its golden."""
    import curves

    found = {"_source": curves.source_digest(name)}
    for threads in ("1", "2"):  # a process each: its first session makes its thread pool
        with tempfile.NamedTemporaryFile("r", suffix=".json") as f:
            arguments = [os.path.abspath(__file__), "--run", name, threads, f.name]
            subprocess.run([oracle] + arguments, check=True)
            one = json.load(f)
        before = one.pop("before")
        if found.setdefault("before", before) != before:
            sys.exit(name + ": TensorFlow's first values depend on the number of threads")
        found["threads" + threads] = one
    os.makedirs(curves.FOLDER, exist_ok=True)
    path = os.path.join(curves.FOLDER, name + ".json")
    with open(path + ".new", "w") as f:
        f.write(_lines(found))
    os.replace(path + ".new", path)
    own = curves.distances(found["threads1"]["losses"], found["threads2"]["losses"])
    print("%s: TensorFlow's two runs differ by %.1e, %.1e" % (name, own[curves.START - 1], own[-1]))


def _lines(found):
    """JSON with one line for each part and variable."""
    text = json.dumps(found, sort_keys=True)
    for mark in ('"_source"', '"before"', '"threads1"', '"threads2"', '"losses"', '"after"'):
        text = text.replace(mark, "\n" + mark)
    return text.replace('], "', '],\n "') + "\n"


def main():
    """Record programs that are new or changed, or all."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--run"]:
        run(*arguments[1:])
        return
    import curves
    import programs

    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    for name in [a for a in arguments if not a.startswith("--")] or programs.NAMES:
        path = os.path.join(curves.FOLDER, name + ".json")
        fresh = os.path.exists(path) and curves.load(name)["_source"] == curves.source_digest(name)
        if not fresh or "--all" in arguments:
            record(oracle, name)


if __name__ == "__main__":
    main()
