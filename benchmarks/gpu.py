"""Time a step of the programs on a GPU, with CUDA graphs and without, and on the processor.

    python -m benchmarks.gpu [PROGRAM ...] [--steps N]

Without names: cnn, resnet20, transformer, softmax. Each run is a process of its own; a time is that
of N steps, after which the GPU is waited for, over N. The last columns say how many of the steps of
a plan are replayed, in how many graphs, and what fetching the loss would cost: N steps that are
waited for one by one. Ends with 1 where there is no CUDA device.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from typing import Any

WAYS = {
    "graphs": {},
    "no graphs": {"RELIGHT_CUDA_GRAPHS": "0"},
    "processor": {"CUDA_VISIBLE_DEVICES": ""},
}


def measured(program: str, steps: int) -> dict[str, Any]:
    """Seconds a step of a program here, and how it was run."""
    import torch

    import relight.v1 as tf
    from benchmarks.programs import PROGRAMS

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RuntimeWarning)
        step = PROGRAMS[program][0](tf)
        for _ in range(10):
            step()
    wait()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    wait()
    together = (time.perf_counter() - start) / steps
    start = time.perf_counter()
    for _ in range(steps):
        step()
        wait()
    alone = (time.perf_counter() - start) / steps
    memory = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else 0.0
    return {
        "together": together,
        "alone": alone,
        "memory": memory,
        "graphs": _graphs(tf.get_default_graph()),
        "warnings": [str(w.message) for w in told if w.category is RuntimeWarning],
    }


def _graphs(graph: Any) -> list[tuple[int, list[int]]]:
    """(steps, steps in each CUDA graph) of the plans that replay."""
    from relight.engine.cuda_graphs import Replaying

    found = []
    for made in graph._plans.values():
        for plan in [*made._by_shape.values(), made._general]:
            if plan is not None and isinstance(plan.function, Replaying):
                sizes = plan.function.sizes()
                if sizes:
                    found.append((len(plan.steps), sizes))
    return found


def _in_process(program: str, steps: int, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--one", program, "--steps", str(steps)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **environment},
    )
    if done.returncode:
        return {"error": done.stderr.strip()[-2000:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> int:
    """Print a line for each program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.steps)))
        return 0
    import torch

    if not torch.cuda.is_available():
        print("benchmarks.gpu: PyTorch sees no CUDA device", file=sys.stderr)
        return 1
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, ms a step")
    print(
        "| program | graphs | no graphs | processor | waiting each step | MiB | steps: in graphs |"
    )
    print("|---|---:|---:|---:|---:|---:|---|")
    for program in options.programs or ["cnn", "resnet20", "transformer", "softmax"]:
        found = {}
        for way, environment in WAYS.items():
            steps = options.steps if way != "processor" else min(options.steps, 20)
            found[way] = _in_process(program, steps, environment)
        times = [f"{f['together'] * 1e3:.3f}" if "together" in f else "-" for f in found.values()]
        first = found["graphs"]
        if "error" not in first:
            plans = ", ".join(f"{n}: {'+'.join(map(str, sizes))}" for n, sizes in first["graphs"])
            times += [f"{first['alone'] * 1e3:.3f}", f"{first['memory']:.0f}", plans or "none"]
        print(f"| {program} | {' | '.join(times)} |", flush=True)
        for way, result in found.items():
            for line in result.get("warnings", []) + [result[k] for k in ("error",) if k in result]:
                print(f"{program}, {way}: {line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
