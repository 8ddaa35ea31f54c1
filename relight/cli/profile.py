"""`relight run --profile`: the costs of a program's nodes as a table, and a Chrome trace."""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console
from rich.table import Table

from relight.engine.profile import Cost, Input, Profile, matrix_rate

ROWS = 10
DEFAULT_TRACE = "relight-profile.json"


class Report:
    """Profiles from its making on; `finish` prints and writes what came of it."""

    def __init__(self, trace: str = DEFAULT_TRACE):
        self._trace = os.path.abspath(trace)
        self._profile = Profile()
        self._start = time.perf_counter()
        self._profile.start()

    def finish(self) -> None:
        """Print the most expensive nodes to stderr, and write the trace."""
        self._profile.stop()
        seconds = time.perf_counter() - self._start
        console = Console(stderr=True, width=None if sys.stderr.isatty() else 132)
        profile = self._profile
        if not profile.runs:
            console.print("relight: the program ran no session: there is nothing to profile")
            return
        costs = profile.most_expensive()
        kernels = sum(c.seconds for c in costs)
        rate = matrix_rate()
        console.print(
            f"\nrelight: {profile.runs:,} runs in {profile.seconds:.2f} s of {seconds:.2f} s; "
            f"{kernels:.2f} s in {len(costs)} nodes; "
            f"matrix products here: {rate / 1e9:.0f} GFLOP/s"
        )
        console.print(_table(costs[:ROWS], kernels, rate))
        for line in _input_lines(profile.input):
            console.print(line)
        try:
            count = profile.write_trace(self._trace)
        except OSError as error:
            console.print(f"relight: cannot write the trace {self._trace}: {error.strerror}")
            return
        console.print(f"relight: the latest {count:,} steps are in {self._trace}", soft_wrap=True)


def _input_lines(found: Input) -> list[str]:
    """What is to be said about waiting for input."""
    waited, between = found.shares()
    lines = []
    if waited is not None:
        lines.append(
            f"relight: waited for input: {waited:.1%} of {found.seconds:.2f} s in {found.runs:,} "
            "runs that take rows or elements (the first of each kind apart)"
        )
    if between is not None:
        lines.append(
            f"relight: between runs that are fed: {between:.1%} of {found.fed_seconds:.2f} s in "
            f"{found.fed_runs:,} runs: the program's own work"
        )
    return lines


def _table(costs: list[Cost], total: float, rate: float) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("node", overflow="fold")
    table.add_column("op", overflow="fold")
    for name in ("calls", "ms", "share", "ms/call", "GFLOP/s", "of floor"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("line", overflow="fold")
    for cost in costs:
        floor = cost.share_of_floor(rate)
        table.add_row(
            cost.node,
            cost.what,
            f"{cost.calls:,}",
            f"{cost.seconds * 1e3:,.1f}",
            f"{cost.seconds / total:.0%}",
            f"{cost.seconds / cost.calls * 1e3:.3f}",
            "" if floor is None else f"{cost.flops / cost.seconds / 1e9:.0f}",
            "" if floor is None else f"{floor:.0%}",
            "" if cost.line is None else f"{os.path.basename(cost.line[0])}:{cost.line[1]}",
        )
    return table
