"""Run every program in every engine, interleaved, and print (and write) the ratios.

    python -m benchmarks [PROGRAM ...] [--rounds N] [--write docs/benchmarks.md] [--plot FILE.png]

`--plot` needs matplotlib. TensorFlow is found through the interpreters that $TENSORFLOW_2 (2.15.1)
and $TENSORFLOW_1 (1.15.0) name; one that is not there is reported as missing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys

from benchmarks.programs import PROGRAMS

HERE = pathlib.Path(__file__).resolve().parent
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
ONCE = ("torch.compile",)  # compiling takes up to a minute: in the first round only


def engines() -> dict[str, tuple[str, str] | None]:
    """Column title -> (interpreter, engine name), None where it is missing."""
    found: dict[str, tuple[str, str] | None] = {"relight": (sys.executable, "relight")}
    for title, variable in (("TF 2.15.1", "TENSORFLOW_2"), ("TF 1.15.0", "TENSORFLOW_1")):
        interpreter = os.environ.get(variable)
        found[title] = (interpreter, "tensorflow") if interpreter else None
    found["PyTorch"] = (sys.executable, "torch")
    found["torch.compile"] = (sys.executable, "compile") if shutil.which("gcc") else None
    return found


class Failed(Exception):
    """A program that ended with an error in one engine."""


def measure(
    program: str, interpreter: str, engine: str, environment: dict[str, str] | None = None
) -> dict[str, float]:
    """One run in a process of its own. Failed when it ends with an error."""
    done = subprocess.run(
        [interpreter, str(HERE / "worker.py"), program, engine],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
    )
    if done.returncode:
        raise Failed(f"{program} in {engine} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def processor() -> str:
    """The processor's name, the cores this process may use."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        models = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
        name = models[0] if models else name
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def table(results: dict[str, dict[str, list[dict[str, float]]]], titles: list[str]) -> str:
    """Markdown: step time, time to the first step, memory; ratios of relight to the others."""
    lines = []
    for key, unit, heading in (
        ("median", 1e3, "Step time (ms), median"),
        ("first", 1, "Import to first step (s)"),
        ("build", 1e3, "Building the graph and setting the variables (ms)"),
        ("memory", 1, "Peak memory (MB)"),
    ):
        lines += [
            f"\n**{heading}**\n",
            "| program | " + " | ".join(titles) + " |",
            "|" + "---|" * (len(titles) + 1),
        ]
        for program, by_engine in results.items():
            ours = statistics.median(r[key] for r in by_engine["relight"])
            cells = []
            for title in titles:
                runs = by_engine.get(title)
                if not runs:
                    cells.append("missing" if runs is None else "failed")
                    continue
                value = statistics.median(r[key] for r in runs)
                ratio = "" if title == "relight" else f" ({ours / value:.2f}×)"
                cells.append(f"{value * unit:.3g}{ratio}")
            lines.append(f"| {program} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n" + floor_table(results)


def floor_table(results: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """Markdown: planning time, and how near relight's steps come to the time of their products."""
    lines = [
        "\n**Planning, and the share of the floor** (the time that the step's matrix products take "
        "at the rate of [1024, 1024] × [1024, 1024], over the step's)\n",
        "| program | planning (µs a node) | GFLOP a step | GFLOP/s of products | share |",
        "|---|---|---|---|---|",
    ]
    for program, by_engine in results.items():
        runs = by_engine["relight"]
        planning, flops, rate, step = (
            statistics.median(r[key] for r in runs)
            for key in ("planning", "flops", "rate", "median")
        )
        share = f"{flops / rate / step:.2f}" if flops else ""
        lines.append(
            f"| {program} | {planning * 1e6:.0f} | {flops / 1e9:.3g} | {rate / 1e9:.0f} | {share} |"
        )
    return "\n".join(lines) + "\n"


def plot(results: dict[str, dict[str, list[dict[str, float]]]], path: pathlib.Path) -> None:
    """Bars of relight's step time over each other engine's, a group for each program."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    others = [t for t in next(iter(results.values())) if t != "relight"]
    figure, axes = pyplot.subplots(figsize=(9, 0.55 * len(results) + 1.2), layout="constrained")
    height = 0.8 / max(len(others), 1)
    for i, title in enumerate(others):
        ratios = [
            statistics.median(r["median"] for r in rows["relight"])
            / statistics.median(r["median"] for r in rows[title])
            if rows.get(title)
            else 0.0
            for rows in results.values()
        ]
        places = [k + i * height for k in range(len(results))]
        axes.barh(places, [min(r, 2.5) for r in ratios], height, label=title)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks([k + 0.4 - height / 2 for k in range(len(results))], list(results))
    axes.invert_yaxis()
    axes.set_xlim(0, 2.5)
    axes.set_xlabel("relight's step time over the other's: left of 1 relight is ahead")
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("programs", nargs="*", choices=[[], *PROGRAMS], default=[])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    options = parser.parse_args()
    found = engines()
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    for program in options.programs or PROGRAMS:
        rows: dict[str, list[dict[str, float]]] = {}
        for i in range(options.rounds):
            for title, engine in found.items():
                if engine is None or (i and title in ONCE):
                    continue
                try:
                    rows.setdefault(title, []).append(measure(program, *engine))
                except Failed as error:
                    if title == "relight":
                        raise
                    print(error, file=sys.stderr)
        results[program] = rows
        print(
            program,
            {
                t: f"{statistics.median(r['median'] for r in v) * 1e3:.3g} ms"
                for t, v in rows.items()
                if v
            },
            flush=True,
        )
    stamp = f"{datetime.date.today()}, {processor()}, Python {platform.python_version()}"
    text = (
        f"Measured {stamp}; {options.rounds} interleaved rounds. In brackets: relight's figure "
        f"over this one, so below 1 relight is ahead.\n{table(results, list(found))}"
    )
    print(text)
    if options.plot:
        plot(results, options.plot)
    if options.write:
        old = options.write.read_text() if options.write.exists() else f"{BEGIN}\n{END}\n"
        head, _, rest = old.partition(BEGIN)
        tail = rest.partition(END)[2]
        options.write.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")


if __name__ == "__main__":
    main()
