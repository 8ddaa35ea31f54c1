"""Run every program in every engine, interleaved, and print (and write) the ratios.

    python -m benchmarks [PROGRAM ...] [--rounds N] [--write docs/benchmarks.md]

TensorFlow is found through the interpreters that $TENSORFLOW_2 (2.15.1) and $TENSORFLOW_1 (1.15.0)
name; one that is not there is reported as missing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

from benchmarks.programs import PROGRAMS

HERE = pathlib.Path(__file__).resolve().parent
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def engines() -> dict[str, tuple[str, str] | None]:
    """Column title -> (interpreter, engine name), None where it is missing."""
    found: dict[str, tuple[str, str] | None] = {"relight": (sys.executable, "relight")}
    for title, variable in (("TF 2.15.1", "TENSORFLOW_2"), ("TF 1.15.0", "TENSORFLOW_1")):
        interpreter = os.environ.get(variable)
        found[title] = (interpreter, "tensorflow") if interpreter else None
    found["PyTorch"] = (sys.executable, "torch")
    return found


def measure(program: str, interpreter: str, engine: str) -> dict[str, float]:
    """One run in a process of its own."""
    done = subprocess.run(
        [interpreter, str(HERE / "worker.py"), program, engine],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise SystemExit(f"{program} in {engine} failed:\n{done.stderr[-2000:]}")
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
                    cells.append("missing")
                    continue
                value = statistics.median(r[key] for r in runs)
                ratio = "" if title == "relight" else f" ({ours / value:.2f}×)"
                cells.append(f"{value * unit:.3g}{ratio}")
            lines.append(f"| {program} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("programs", nargs="*", choices=[[], *PROGRAMS], default=[])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    found = engines()
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    for program in options.programs or PROGRAMS:
        rows: dict[str, list[dict[str, float]]] = {}
        for _ in range(options.rounds):
            for title, engine in found.items():
                if engine is not None:
                    rows.setdefault(title, []).append(measure(program, *engine))
        results[program] = rows
        print(
            program,
            {
                t: f"{statistics.median(r['median'] for r in v) * 1e3:.3g} ms"
                for t, v in rows.items()
            },
            flush=True,
        )
    stamp = f"{datetime.date.today()}, {processor()}, Python {platform.python_version()}"
    text = (
        f"Measured {stamp}; {options.rounds} interleaved rounds. In brackets: relight's figure "
        f"over this one, so below 1 relight is ahead.\n{table(results, list(found))}"
    )
    print(text)
    if options.write:
        old = options.write.read_text() if options.write.exists() else f"{BEGIN}\n{END}\n"
        head, _, rest = old.partition(BEGIN)
        tail = rest.partition(END)[2]
        options.write.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")


if __name__ == "__main__":
    main()
