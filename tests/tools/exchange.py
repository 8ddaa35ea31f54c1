"""Let real TensorFlow 1.15 run relight's graphs, and relight run TensorFlow's.

    ORACLE=python3.7 python tests/tools/exchange.py [--all] [--live] [PROGRAM ...]

For each program of tests/programs: relight writes its training graph and a checkpoint, TensorFlow
loads them and runs a step, and the other way round. What TensorFlow's graph is and gave, and what
TensorFlow gave for which graph of relight's, goes to tests/data/exchange/. Without --all and --live
only what is new or changed is recorded; --live does everything and stores nothing. Exit code 1
when the two sides differ.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)


def _keep(spec, folder):
    """What a step feeds, as files: the other process reads it."""
    feeds = spec.pop("feeds")
    names = sorted(feeds)
    np.savez(os.path.join(folder, "feeds.npz"), *[feeds[n] for n in names])
    with open(os.path.join(folder, "spec.json"), "w") as f:
        json.dump(dict(spec, names=names), f)


def _kept(folder):
    with open(os.path.join(folder, "spec.json")) as f:
        spec = json.load(f)
    arrays = np.load(os.path.join(folder, "feeds.npz"))
    spec["feeds"] = {n: arrays["arr_%d" % i] for i, n in enumerate(spec.pop("names"))}
    return spec


def run(action, name, folder):
    """`export` or `step`, in the implementation of this interpreter."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import exchange
    from programs import digits

    if sys.version_info < (3, 8):
        import tensorflow as tf
    else:
        sys.path.insert(0, os.path.dirname(TESTS))
        import relight.v1 as tf
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    path = os.path.join(folder, "model")
    if action == "export":
        _keep(exchange.export(tf, name, digits.load(500), path), folder)
    else:
        with open(os.path.join(folder, "found.json"), "w") as f:
            json.dump(exchange.step(tf, path, _kept(folder)), f)


def _both(name, writer, reader):
    """What `reader` gives for the graph of `writer`, what `writer` itself gives, the MetaGraph."""
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for action, interpreter in (("export", writer), ("step", reader), ("step", writer)):
            arguments = [interpreter, os.path.abspath(__file__), "--run", action, name, folder]
            subprocess.run(arguments, check=True)
            if action == "step":
                with open(os.path.join(folder, "found.json")) as f:
                    results.append(json.load(f))
        with open(os.path.join(folder, "model.meta"), "rb") as f:
            return results[0], results[1], f.read(), _kept(folder)


def exchanged(oracle, name, store):
    """Exchange one program's graphs; the sentences that say how the two sides differ."""
    import exchange
    import graphs

    import relight.v1 as tf

    read, own, meta, _ = _both(name, sys.executable, oracle)
    problems = ["relight's graph: " + p for p in exchange.differences(read, own)]
    graph_def = tf.MetaGraphDef.FromString(meta).graph_def
    print("%-15s relight's graph in TensorFlow: %s" % (name, exchange.summary(read, own)))
    found, theirs, meta, spec = _both(name, oracle, sys.executable)
    problems += ["TensorFlow's graph: " + p for p in exchange.differences(theirs, found)]
    print("%-15s TensorFlow's graph in relight: %s" % (name, exchange.summary(theirs, found)))
    if store and not problems:
        os.makedirs(exchange.DATA, exist_ok=True)
        with open(os.path.join(exchange.DATA, name + ".meta.gz"), "wb") as f:
            f.write(gzip.compress(meta, mtime=0))
        recorded = {
            "_source": graphs.source_digest(name),
            "spec": {k: v for k, v in spec.items() if k != "feeds"},
            "feeds": sorted(spec["feeds"]),
            "tensorflow": theirs,
            "relight": {"graph": exchange.graph_digest(graph_def), "tensorflow": read},
        }
        with open(os.path.join(exchange.DATA, name + ".json"), "w") as f:
            text = json.dumps(recorded, sort_keys=True)
            f.write(text.replace('], "', '],\n"').replace('}, "', '},\n"') + "\n")
    return problems


def _current(name):
    """Whether a recording is of today's program and of the graph that relight makes today."""
    import exchange
    import graphs
    from programs import digits

    import relight.v1 as tf

    if not os.path.exists(os.path.join(exchange.DATA, name + ".json")):
        return False
    recorded = exchange.load(name)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        exchange.export(tf, name, digits.load(500), path)
        with open(path + ".meta", "rb") as f:
            graph_def = tf.MetaGraphDef.FromString(f.read()).graph_def
    same = recorded["relight"]["graph"] == exchange.graph_digest(graph_def)
    return same and recorded["_source"] == graphs.source_digest(name)


def main():
    """Exchange all programs, or those named."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--run"]:
        run(*arguments[1:])
        return
    import programs

    sys.path.insert(0, os.path.dirname(TESTS))
    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    live = "--live" in arguments
    failed = False
    for name in [a for a in arguments if not a.startswith("--")] or programs.NAMES:
        if live or "--all" in arguments or not _current(name):
            problems = exchanged(oracle, name, store=not live)
            print("".join("    %s\n" % p for p in problems), end="")
            failed |= bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
