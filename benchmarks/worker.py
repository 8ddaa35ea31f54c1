"""Time one program in one engine: `python worker.py PROGRAM ENGINE`; prints one JSON line.

Engines: relight, relight-PASS (without that pass over its plans), tensorflow (that of this
interpreter), torch, compile (torch.compile). The syntax is Python 3.7's.
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


def _torch(program, compiled):
    import torch

    from benchmarks import torch_cifar10, torch_networks, torch_programs

    programs = {
        **torch_programs.PROGRAMS,
        **torch_networks.PROGRAMS,
        **torch_cifar10.PROGRAMS,
    }
    return programs[program](torch.compile if compiled else lambda function: function)


class _Planning:
    """Adds up the time that relight's plans take, and the nodes that they are made for."""

    def __init__(self, without):
        from relight.engine import passes, plan

        if without:
            names = [p.__name__ for p in passes.PASSES]
            if without not in names:
                raise SystemExit("no pass {}; there are {}".format(without, ", ".join(names)))
            passes.PASSES[:] = [p for p in passes.PASSES if p.__name__ != without]
        self.seconds = 0.0
        self.nodes = 0
        make, prune = plan.make, plan.prune

        def timed(*args, **kwargs):
            start = time.perf_counter()
            try:
                return make(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        def counted(*args):
            nodes = prune(*args)
            self.nodes += len(nodes)
            return nodes

        plan.make, plan.prune = timed, counted


def _floor(step):
    """Operations in matrix products of one step, and how many a second this machine does."""
    from relight.engine.profile import Profile, matrix_rate

    profile = Profile()
    profile.start()
    step()
    profile.stop()
    return sum(c.flops for c in profile.most_expensive()), matrix_rate()


def main():
    """Build, warm up, time each step."""
    program, engine = sys.argv[1:3]
    from benchmarks.programs import PROGRAMS

    build, steps = PROGRAMS[program]
    planning = None
    before = time.perf_counter()
    if engine in ("torch", "compile"):
        step = _torch(program, engine == "compile")
    elif engine.partition("-")[0] == "relight":
        import relight.v1 as tf

        planning = _Planning(engine.partition("-")[2])
        before = time.perf_counter()
        step = build(tf)
    else:
        tf = _tensorflow()
        before = time.perf_counter()
        step = build(tf)
    built = time.perf_counter() - before
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
    found = {
        "first": first,
        "build": built,
        "median": times[len(times) // 2],
        "best": times[len(times) // 20],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }
    if planning is not None:
        found["planning"] = planning.seconds / max(planning.nodes, 1)
        if engine == "relight":
            found["flops"], found["rate"] = _floor(step)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
