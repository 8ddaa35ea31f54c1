"""Run whole programs with relight, shortened, and look at what they print and write.

    python tests/tools/run_programs.py FOLDER [--full] [--only NAME] [--time-limit SECONDS]

Each program of FOLDER runs in a folder of its own by `relight run`. Its text is the original with
the step counts replaced (not with --full). A program that is not in the table runs unchanged and
has to end with exit code 0. The last line printed is "N passed, N failed".
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Paths outside of the program's own folder become paths in it.
ELSEWHERE = ((r'(["\'])/tmp/', r"\1tmp/"),)


@dataclass(frozen=True)
class Program:
    """How to shorten a program and how to see that it worked.

    Attributes:
      shorten: (pattern, replacement) pairs; each pattern has to be found.
      prints: patterns that the output (both streams) has to have, in this order.
      accuracy: a pattern whose first group is an accuracy, and the least it has to be, shortened
        and in full. The last match counts.
      files: paths, as globs, that have to be there afterwards.
    """

    shorten: tuple[tuple[str, str], ...] = ()
    prints: tuple[str, ...] = ()
    accuracy: tuple[str, float, float] | None = None
    files: tuple[str, ...] = field(default=())


ESTIMATOR_LOG = (
    r"INFO:tensorflow:Create CheckpointSaverHook\.",
    r"INFO:tensorflow:loss = \d+\.\d+, step = [01]",
    r"INFO:tensorflow:Loss for final step: \d+\.\d+",
    r"INFO:tensorflow:Restoring parameters from ",
    r"'accuracy': ",
)
ESTIMATOR_ACCURACY = (r"'accuracy': (?:np\.float32\()?([\d.]+)", 0.5, 0.965)
ESTIMATOR_FILES = (
    "**/mnist_convnet_model/checkpoint",
    "**/mnist_convnet_model/model.ckpt-*.index",
    "**/mnist_convnet_model/events.out.tfevents.*",
    "**/mnist_convnet_model/graph.pbtxt",
)
CNN = Program(((r"steps=20000", "steps=1000"),), ESTIMATOR_LOG, ESTIMATOR_ACCURACY, ESTIMATOR_FILES)

PROGRAMS = {
    "basics_004_matmul.py": Program(
        prints=(r"\[\[12\.\]\]", r"\[array\(\[\[12\.\]\], dtype=float32\)\]")
    ),
    "basics_004_rest.py": Program(
        prints=(
            r"\[-2\. -1\.\]",
            r"0\s+1\s+2\s+3",
            r"\[(?:np\.float32\()?21\.0\)?, (?:np\.float32\()?7\.0\)?\]",
            r"\[array\(\[14\.\], dtype=float32\)\]",
        )
    ),
    "softmax_004.py": Program(
        ((r"range\(1000\)", "range(300)"),), accuracy=(r"^(0\.\d+)", 0.8, 0.895)
    ),
    "ema_mlp_003.py": Program(
        ((r"TRAINING_STEPS = 20000", "TRAINING_STEPS = 1001"),),
        (r"After 0 training step", r"After 1001 training step\(s\),test accuracy", r"loadModel ok"),
        (r"test accuracy using average ?model is ([\d.]+)", 0.93, 0.982),
        ("MNIST_data/mmnist_model.ckpt.meta", "MNIST_data/mmnist_model.ckpt.index"),
    ),
    "fully_connected_feed_004.py": Program(
        ((r"max_steps=2000", "max_steps=1000"),),
        (
            r"Step 0: loss = 2\.\d\d",
            r"Training Data Eval:",
            r"Validation Data Eval:",
            r"Test Data Eval:",
            r"Num examples: 10000  Num correct: \d+  Precision @ 1: 0\.\d+",
        ),
        (r"Precision @ 1: ([\d.]+)", 0.75, 0.895),
        ("logs/**/events.out.tfevents.*", "logs/**/model.ckpt-*.index"),
    ),
    "deep_mnist_004.py": Program(
        ((r"range\(12001\)", "range(201)"),),
        (r"step: 0, training accuracy:", r"\*\*\*\*\* test accuracy: "),
        (r"test accuracy: ([\d.]+)", 0.75, 0.991),
        ("**/events.out.tfevents.*",),
    ),
    "cnn_mnist_000.py": CNN,
    "cnn_mnist_001.py": CNN,
    "deep_cnn_002.py": CNN,
}


def shortened(text: str, program: Program, full: bool) -> str:
    """The program's text as it runs; ValueError when a pattern of the table is not in it."""
    for pattern, replacement in ELSEWHERE:
        text = re.sub(pattern, replacement, text)
    for pattern, replacement in () if full else program.shorten:
        text, count = re.subn(pattern, replacement, text)
        if not count:
            raise ValueError(f"nothing to shorten: {pattern!r} is not in the program")
    return text


def problems(program: Program, output: str, folder: Path, full: bool) -> list[str]:
    """What is wrong with a run that ended with exit code 0."""
    found = []
    position = 0
    for pattern in program.prints:
        match = re.compile(pattern, re.M).search(output, position)
        if match is None:
            found.append(f"does not print {pattern!r} (in this place)")
        else:
            position = match.end()
    if program.accuracy:
        pattern, short, long = program.accuracy
        values = re.findall(pattern, output, re.M)
        least = long if full else short
        if not values:
            found.append(f"prints no accuracy like {pattern!r}")
        elif float(values[-1]) < least:
            found.append(f"accuracy {values[-1]}, expected at least {least}")
    for path in program.files:
        if not any(folder.glob(path)):
            found.append(f"has not written {path}")
    return found


def run(path: Path, full: bool, time_limit: float) -> list[str]:
    """Runs one program and returns what is wrong, with the end of its output."""
    program = PROGRAMS.get(path.name, Program())
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / path.name
        try:
            copy.write_text(shortened(path.read_text(encoding="utf-8"), program, full), "utf-8")
            result = subprocess.run(
                [sys.executable, "-m", "relight", "run", path.name],
                cwd=folder,
                env=environment,
                text=True,
                errors="replace",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=time_limit,
            )
        except ValueError as error:
            return [str(error)]
        except subprocess.TimeoutExpired:
            return [f"did not end within {time_limit:.0f} s"]
        if result.returncode:
            found = [f"exit code {result.returncode}"]
        else:
            found = problems(program, result.stdout, folder, full)
        return found + result.stdout.splitlines()[-12:] if found else []


def main() -> None:
    """Runs the programs, prints a line for each and exits with 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true", help="do not shorten")
    parser.add_argument("--only", help="a part of the name")
    parser.add_argument("--time-limit", type=float, help="seconds for one program")
    args = parser.parse_args()
    limit = args.time_limit or (7200 if args.full else 240)
    passed = failed = 0
    for path in sorted(args.folder.resolve().glob("*.py")):
        if args.only and args.only not in path.name:
            continue
        start = time.monotonic()
        found = run(path, args.full, limit)
        print(f"{'FAILED' if found else 'passed'}  {path.name}  {time.monotonic() - start:.1f} s")
        for line in found:
            print(f"        {line}")
        sys.stdout.flush()
        passed, failed = passed + (not found), failed + bool(found)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
