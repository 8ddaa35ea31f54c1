"""Lets any test run beside a stand-in for a GPU: `pytest -p stand_in_gpu tests/test_cases.py`.

(With `tests` in PYTHONPATH.) The processor's memory, by another name, is the GPU's: plans are made
with placement, copies and CUDA graphs, and kernels do not look at values. Each plan is watched in
its first run already. Cases that are about devices fail then, and those that expect errors which
TensorFlow raises on a processor alone.
"""

from __future__ import annotations

import torch
from emulated_graphs import EmulatedGraphs

from relight.engine import cuda_graphs, devices, memories
from relight.engine.steps import Plan


def install() -> None:
    """From now on sessions have one GPU."""
    one = (devices.Device("GPU", 0, torch.device("cpu", 0), 1 << 30),)
    devices.gpus = lambda: one  # type: ignore[assignment]
    cuda_graphs.graphs_of = lambda memory: EmulatedGraphs()  # type: ignore[assignment]
    cuda_graphs.WARM_RUNS = 0
    settle = memories.settle

    def settled(plan: Plan, placed, body=False) -> None:
        """What is copied to the processor is a copy, although its memory is the same."""
        settle(plan, placed, body)
        for step in plan.steps:
            if step.what in ("numpy", "copy"):
                at = plan.memories.get(step.inputs[0], memories.HOST)
                if at != memories.HOST:
                    step.function = _copying(step.function)

    memories.settle = settled


def _copying(function):
    def copied(value):
        return function(None if value is None else value.clone())

    return copied


def pytest_configure(config) -> None:
    """As a plugin of pytest."""
    install()
