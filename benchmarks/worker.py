"""Time one program in one engine: `python worker.py PROGRAM ENGINE`; prints one JSON line.

Engines: relight, tensorflow (that of this interpreter), torch. The syntax is Python 3.7's.
"""

import json
import os
import resource
import sys
import time

START = time.perf_counter()
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _tensorflow():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import warnings

    warnings.filterwarnings("ignore")
    import tensorflow as tf

    if tf.__version__.startswith("2"):
        tf = tf.compat.v1
        tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def main():
    """Build, warm up, time each step."""
    program, engine = sys.argv[1:3]
    from benchmarks.programs import PROGRAMS

    build, steps = PROGRAMS[program]
    if engine == "torch":
        from benchmarks.torch_programs import PROGRAMS as TORCH

        step = TORCH[program]()
    elif engine == "relight":
        import relight.v1 as tf

        step = build(tf)
    else:
        step = build(_tensorflow())
    step()
    first = time.perf_counter() - START
    for _ in range(5):
        step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    times.sort()
    print(
        json.dumps(
            {
                "first": first,
                "median": times[len(times) // 2],
                "best": times[len(times) // 20],
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
            }
        )
    )


if __name__ == "__main__":
    main()
