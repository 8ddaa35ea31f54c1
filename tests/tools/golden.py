"""Record goldens under real TensorFlow 1.15.

    python tests/tools/golden.py [FAMILY ...]             record families that are new or changed
    python tests/tools/golden.py --all                    record every family anew

The oracle's interpreter is $ORACLE (a Python 3.7 that has tensorflow-cpu 1.15.0). Each family runs
in a process of its own.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = os.path.join(HERE, "cases")
GOLDEN = os.path.join(HERE, "golden")
sys.path.insert(0, HERE)


def record(family):
    """Run one family under the TensorFlow of this interpreter and store what it gave."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import harness
    import tensorflow as tf

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    results = {}
    for name, function in harness.cases(family).items():
        results[name] = harness.run(tf, function)
    path = os.path.join(GOLDEN, family + ".json")
    lines = ["{", '"_source": %s' % json.dumps(harness.source_digest(family, CASES))]
    for name in sorted(results):
        text = json.dumps(results[name], sort_keys=True)
        if len(text) > 6000:
            print("note: %s/%s takes %d bytes" % (family, name, len(text)))
        lines[-1] += ","
        lines.append("%s: %s" % (json.dumps(name), text))
    with open(path + ".new", "w") as f:
        f.write("\n".join(lines) + "\n}\n")
    os.replace(path + ".new", path)
    print("%s: %d cases" % (family, len(results)))


def main():
    """Record in child processes of the oracle's interpreter."""
    import harness

    arguments = sys.argv[1:]
    if arguments[:1] == ["--record"]:
        record(arguments[1])
        return
    flags = [a for a in arguments if a.startswith("--")]
    names = [a for a in arguments if not a.startswith("--")] or harness.families(CASES)
    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    failed = False
    for name in names:
        old = harness.load(os.path.join(GOLDEN, name + ".json")).get("_source")
        fresh = old == harness.source_digest(name, CASES)
        if fresh and "--all" not in flags:
            continue
        done = subprocess.run([oracle, os.path.abspath(__file__), "--record", name])
        failed |= done.returncode != 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
