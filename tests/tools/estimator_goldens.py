"""Records what the Estimator example logs and builds under real TensorFlow 1.15.

    ORACLE=python3.7 python tests/tools/estimator_goldens.py

writes tests/golden/logs/estimator.txt and tests/golden/graphs/*.json.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = """
import json, os, sys, tempfile, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")
sys.path.insert(0, sys.argv[1])
import estimator_program
import tensorflow as tf
path = os.path.join(sys.argv[1], "..", "examples", "mnist_cnn_estimator.py")
example = estimator_program.load(path)
with tempfile.TemporaryDirectory() as folder:
    found = estimator_program.record(tf, example, os.path.join(folder, "model"))
with open(sys.argv[2], "w") as f:
    json.dump(found, f)
"""


def main() -> None:
    """Run the oracle and write the goldens."""
    oracle = os.environ.get("ORACLE", "python3.7")
    target = TESTS / "golden" / "estimator.tmp"
    try:
        subprocess.run([oracle, "-c", PROGRAM, str(TESTS), str(target)], check=True)
        found = json.loads(target.read_text())
    finally:
        target.unlink(missing_ok=True)
    (TESTS / "golden" / "logs").mkdir(exist_ok=True)
    (TESTS / "golden" / "graphs").mkdir(exist_ok=True)
    lines = [*found["log"], "FILES " + " ".join(found["files"])]
    (TESTS / "golden" / "logs" / "estimator.txt").write_text("\n".join(lines) + "\n")
    for mode, graph in found["graphs"].items():
        rows = ",\n".join(json.dumps(node, separators=(",", ":")) for node in graph["nodes"])
        groups = json.dumps(graph["collections"], indent=1)
        path = TESTS / "golden" / "graphs" / f"{mode}.json"
        path.write_text(f'{{"nodes": [\n{rows}\n],\n"collections": {groups}}}\n')
    print(f"{len(found['log'])} log lines, graphs of {list(found['graphs'])}", file=sys.stderr)


if __name__ == "__main__":
    main()
