"""Record the graphs that real TensorFlow 1.15 builds from tests/programs.

    ORACLE=python3.7 python tests/tools/graphs.py [--all] [PROGRAM ...]

writes tests/golden/graphs/PROGRAM.json for programs that are new or changed, or all of them.
"""

import json
import os
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)


def record(name):
    """Describe the graphs of one program, built by the TensorFlow of this interpreter."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import graphs
    import tensorflow as tf
    from programs import digits

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    found = graphs.program(tf, name, digits.load(500))
    lines = json.dumps({"_source": graphs.source_digest(name), "graphs": found}, sort_keys=True)
    path = os.path.join(graphs.FOLDER, name + ".json")
    with open(path + ".new", "w") as f:
        f.write(lines.replace('", "', '",\n"').replace('], "', '],\n"') + "\n")
    os.replace(path + ".new", path)
    sizes = ", ".join("%s %d" % (key, len(graph["nodes"])) for key, graph in found.items())
    print("%s: nodes: %s" % (name, sizes))


def main():
    """Record in child processes of the oracle's interpreter."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--record"]:
        record(arguments[1])
        return
    import graphs
    import programs

    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    for name in [a for a in arguments if not a.startswith("--")] or programs.GRAPHS:
        path = os.path.join(graphs.FOLDER, name + ".json")
        fresh = os.path.exists(path) and graphs.load(name)["_source"] == graphs.source_digest(name)
        if not fresh or "--all" in arguments:
            command = [oracle, os.path.abspath(__file__), "--record", name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
