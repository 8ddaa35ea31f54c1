"""Run public TensorFlow 1 programs with relight and write down how far they come.

    python tests/tools/public_programs.py LIST PROGRAMS DATA [--results FILE] [--only PART] ...

LIST is a CSV file with the columns repo, path, commit, data, tags, args, tf115 and tf115_reason.
PROGRAMS holds a folder OWNER+NAME (or OWNER+NAME@COMMIT, seven digits) for each repository; DATA
holds mnist/ and cifar-10-batches-bin/ in their original formats. No program is part of relight.

Each program runs in a temporary copy of its repository, from its own folder, with its data laid
out where it looks for it. Its step counts stay as they are; only paths that begin with /tmp/ are
led into the temporary folder, a notebook becomes the sequence of its code cells, and text that is
only Python 2 passes through lib2to3. A program is

    ok      when it ends with exit code 0, and no thread or process of it with a traceback,
    alive   when it is still running, without a traceback, at the time limit,
    error   otherwise; the reason is the last line of its traceback.

--results reads and updates a CSV file; --markdown writes the table of all results.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from public_data import lay_out
from public_setup import RENAMED, as_python3, code_of_notebook, copy, environment_of, led_into

GOOD = ("ok", "alive")

# Groups of tags that the summary counts.
CORE_TAGS = "session-basics linear mlp cnn rnn autoencoder saver tensorboard".split()

# What has to run before a program, in the same folder, by the end of their paths.
BEFORE = {
    "fully_connected_reader.py": "convert_to_records.py",
    "cifar10_eval.py": "cifar10_train.py",
    "4.2.2 variables_to_restore函数的使用样例.ipynb": "4.2.1 滑动平均类的保存.ipynb",
    "7. 数据集基本使用方法.ipynb": "1. TFRecord样例程序.ipynb",
    "8. 数据集高层操作.ipynb": "1. TFRecord样例程序.ipynb",
    "mnist/v3/predict.py": "mnist/v3/train.py",
    "char-rnn-tensorflow/sample.py": "char-rnn-tensorflow/train.py",
}

# Folders that a program wants to find, in its own.
FOLDERS = {"4.3. pb文件保存方法.ipynb": "Saved_model", "4.1. projector_data_prepare.ipynb": "log"}


@dataclass(frozen=True)
class Program:
    """A row of the list."""

    repo: str
    path: str
    commit: str
    data: str
    tags: str
    args: str
    tf115: str
    tf115_reason: str

    @property
    def name(self) -> str:
        """The repository and the path, as one."""
        return f"{self.repo}/{self.path}"

    def checkout(self, programs: Path) -> Path:
        """The folder that holds the program's repository."""
        name = self.repo.replace("/", "+")
        exact = programs / f"{name}@{self.commit[:7]}"
        return exact if exact.is_dir() else programs / name


@dataclass
class Result:
    """How a program ended."""

    repo: str
    path: str
    tags: str
    tf115: str
    result: str
    seconds: float
    reason: str

    @property
    def name(self) -> str:
        """The repository and the path, as one."""
        return f"{self.repo}/{self.path}"


@dataclass(frozen=True)
class Setting:
    """What is the same for all runs."""

    programs: Path
    data: Path
    command: list[str]
    time_limit: float
    outputs: Path | None


def read_list(path: Path) -> list[Program]:
    """The rows of the list."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [Program(**{field: row[field] for field in Program.__annotations__}) for row in rows]


def start(program: Program, setting: Setting, folder: Path) -> tuple[int | None, str, float]:
    """Runs one program in `folder`, where its repository is copied to.

    Returns the exit code (None: still running at the limit), both streams and the seconds.
    """
    checkout = folder / program.checkout(setting.programs).name
    source = checkout / program.path
    if source.name in FOLDERS:
        (source.parent / FOLDERS[source.name]).mkdir()
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".ipynb":
        text = led_into(folder, code_of_notebook(text))
        source = source.with_suffix(".py")
    source.write_text(as_python3(text), encoding="utf-8")
    arguments = shlex.split(led_into(folder, program.args))
    arguments += lay_out(program.data, source, folder, setting.data, setting.programs)
    begin = time.monotonic()
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*setting.command, source.name, *arguments],
            cwd=source.parent,
            env=environment_of(folder, checkout, setting.data),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(setting.time_limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            # The program may have children: the group ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, log.read_text(encoding="utf-8", errors="replace"), time.monotonic() - begin


def reason_of(output: str) -> str:
    """The line that says best why a program failed."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    raised = [n for n, line in enumerate(lines) if line.startswith("Traceback (most recent call")]
    for line in lines[raised[-1] + 1 :] if raised else ():
        if not line.startswith(" "):
            return line
    return lines[-1] if lines else "ends without a word"


def run(program: Program, before: Program | None, setting: Setting) -> Result:
    """Runs `program`, after `before`, in a new folder."""
    with tempfile.TemporaryDirectory(prefix="programs-") as name:
        folder = Path(name).resolve()
        (folder / "tmp").mkdir()
        (folder / "site").mkdir()
        (folder / "site/sitecustomize.py").write_text(RENAMED)
        checkout = program.checkout(setting.programs)
        seconds = 0.0
        if not (checkout / program.path).is_file():
            state, reason, output = "error", "the program is not in its repository's folder", ""
        else:
            copy(checkout, folder / checkout.name, folder)
            for part in (before, program):
                if part is not None:
                    code, output, seconds = start(part, setting, folder)
            if code in (0, None) and "Traceback (most recent call" not in output:
                state, reason = "ok" if code == 0 else "alive", ""
            else:
                state, reason = "error", reason_of(output).replace(str(folder), "")
    if setting.outputs is not None:
        setting.outputs.mkdir(parents=True, exist_ok=True)
        file = re.sub(r"[/ ]", "_", program.name) + ".txt"
        (setting.outputs / file).write_text(output, encoding="utf-8")
    fields = (program.repo, program.path, program.tags, program.tf115, state, round(seconds, 1))
    return Result(*fields, reason[:300])


def read_results(path: Path | None) -> dict[str, Result]:
    """The results of earlier runs, by name."""
    if path is None or not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        found = [
            Result(**{**row, "seconds": float(row["seconds"])}) for row in csv.DictReader(stream)
        ]
    return {result.name: result for result in found}


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Writes the CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(Result.__annotations__))
        writer.writeheader()
        writer.writerows(asdict(result) for result in results)


def counts(title: str, results: list[Result]) -> str:
    """One row of the summary: how many run here, and of those that TensorFlow 1.15 runs."""
    here = {state: sum(r.result == state for r in results) for state in ("ok", "alive", "error")}
    there = [r for r in results if r.tf115 in GOOD]
    both = sum(r.result in GOOD for r in there)
    share = f"{100 * both / len(there):.0f} %" if there else ""
    row = (title, len(results), *here.values(), len(there), both, share)
    return "| " + " | ".join(map(str, row)) + " |"


def markdown(results: list[Result], command: str, limit: float, note: str) -> str:
    """The report: counts by tag, what fails, and the table of all programs."""
    core = [r for r in results if set(r.tags.split(",")) & set(CORE_TAGS)]
    lines = [
        "# Public programs",
        "",
        "Public TensorFlow 1 programs, run unmodified with the step counts that they have, by",
        f"`{command}` on {datetime.date.today()}. `ok`: ended with exit code 0. `alive`: still "
        f"running normally after {limit:.0f} s.",
        "`error`: anything else. The column *TF 1.15* says how the same program ends with",
        "TensorFlow 1.15.0. Written by `tests/tools/public_programs.py`.",
        *(["", note] if note else []),
        "",
        "| tag | programs | ok | alive | error | run by TF 1.15 | of those here | share |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        counts("any of the first eight", core),
    ]
    tags = {tag for r in results for tag in r.tags.split(",")}
    for tag in [*CORE_TAGS, *sorted(tags - set(CORE_TAGS))]:
        lines.append(counts(tag, [r for r in results if tag in r.tags.split(",")]))
    lines += [counts("all", results), "", "## Programs", ""]
    lines += ["| program | tags | TF 1.15 | here | reason |", "| --- | --- | --- | --- | --- |"]
    for r in results:
        reason = re.sub(r"\s+", " ", r.reason.replace("|", "\\|").replace("<", "&lt;"))
        lines.append(f"| {r.name} | {r.tags} | {r.tf115} | {r.result} | {reason} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs the programs and exits with 1 when one fails that TensorFlow 1.15 runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=Path)
    parser.add_argument("programs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--command", help="interpreter; the default is relight's run")
    parser.add_argument("--only", action="append", default=[], help="a part of the name")
    parser.add_argument("--tags", default="", help="comma-separated; programs with one of them")
    parser.add_argument("--without-tags", default="", help="programs with none of them")
    parser.add_argument("--state", help="only programs with this state in --results")
    parser.add_argument("--time-limit", type=float, default=60, help="seconds for a program")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", type=Path, help="CSV file to update")
    parser.add_argument("--markdown", type=Path, help="report to write")
    parser.add_argument("--note", default="", help="a paragraph for the report")
    parser.add_argument("--outputs", type=Path, help="folder for what the programs print")
    args = parser.parse_args()
    rows = read_list(args.list)
    results = read_results(args.results)
    wanted, unwanted = (
        set(filter(None, (t or "").split(","))) for t in (args.tags, args.without_tags)
    )
    chosen = [
        row
        for row in rows
        if (not args.only or any(part in row.name for part in args.only))
        and (not wanted or wanted & set(row.tags.split(",")))
        and not unwanted & set(row.tags.split(","))
        and (not args.state or (row.name in results and results[row.name].result == args.state))
    ]
    command = (
        shlex.split(args.command) if args.command else [sys.executable, "-m", "relight", "run"]
    )
    setting = Setting(args.programs, args.data, command, args.time_limit, args.outputs)

    def prerequisite(program: Program) -> Program | None:
        for end, first in BEFORE.items():
            if program.name.endswith(end):
                return next(r for r in rows if r.repo == program.repo and r.name.endswith(first))
        return None

    with ThreadPoolExecutor(args.jobs) as pool:
        runs = [pool.submit(run, row, prerequisite(row), setting) for row in chosen]
        for finished in as_completed(runs):
            result = finished.result()
            results[result.name] = result
            worse = "  <-- runs with TensorFlow 1.15" if fails(result) else ""
            print(f"{result.result:6}{result.seconds:6.1f} s  {result.name}{worse}", flush=True)
            if result.reason:
                print(f"        {result.reason}", flush=True)
            if args.results:
                write_results(args.results, results.values())
    ordered = [results[row.name] for row in rows if row.name in results]
    if args.results:
        write_results(args.results, ordered)
    if args.markdown:
        shown = args.command or "relight run"
        args.markdown.write_text(
            markdown(ordered, shown, args.time_limit, args.note), encoding="utf-8"
        )
    failing = [results[row.name] for row in chosen if fails(results[row.name])]
    print(f"{len(chosen)} run, {len(failing)} of those that run with TensorFlow 1.15 fail")
    sys.exit(1 if failing else 0)


def fails(result: Result) -> bool:
    """Whether TensorFlow 1.15 runs the program and this command does not."""
    return result.tf115 in GOOD and result.result not in GOOD


if __name__ == "__main__":
    main()
