"""Coverage of TensorFlow 1.15's public names, ops and gradients, plain and weighted by use.

    python tests/tools/api.py             print the coverage (= make api)
    python tests/tools/api.py --write     and write SUPPORT.md and tests/data/coverage.json
    python tests/tools/api.py --programs FOLDER   names that the Python sources of a folder use

What TensorFlow has is kept beside the tests: `relight/v1/names.txt` (every public name),
`data/api.txt` (arguments of functions and classes), `data/gradients.txt` (ops that TensorFlow
differentiates), `data/symbols.csv` (how often programs on the web use each name).
"""

from __future__ import annotations

import csv
import functools
import importlib
import json
import pkgutil
import sys
import types
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
DATA = TESTS / "data"
ROOT = TESTS.parent
SUPPORT = ROOT / "SUPPORT.md"
FIGURES = DATA / "coverage.json"
sys.path.insert(0, str(ROOT))


@functools.cache
def arguments() -> dict[str, tuple[str, str]]:
    """Public function or class of TensorFlow 1.15 -> ("" or "class", argument list as text)."""
    found = {}
    for line in (DATA / "api.txt").read_text().splitlines():
        kind, head = ("class", line[6:]) if line.startswith("class ") else ("", line)
        names, _, args = head.partition("(")
        for name in names.split():
            found[name] = (kind, args.rpartition(")")[0])
    return found


@functools.cache
def namespaces() -> dict[str, list[str]]:
    """Namespace of TensorFlow 1.15 ("" is tf itself) -> public members that are no namespaces."""
    text = (ROOT / "relight" / "v1" / "names.txt").read_text()
    spaces = {}
    for line in text.splitlines():
        space, _, members = line.partition(":")
        spaces[space] = members.split()
    return {
        space: [m for m in members if (f"{space}.{m}" if space else m) not in spaces]
        for space, members in spaces.items()
    }


@functools.cache
def differentiated() -> list[str]:
    """Ops of which TensorFlow 1.15 has a gradient."""
    return (DATA / "gradients.txt").read_text().split()


@functools.cache
def uses() -> dict[str, int]:
    """Name as programs write it, without `tf.` -> how often programs on the web use it."""
    with open(DATA / "symbols.csv", newline="") as f:
        return {row["symbol"]: int(row["uses"]) for row in csv.DictReader(f)}


_MISSING = object()


def find(name: str) -> Any:
    """The thing of that public name in relight, or `_MISSING`."""
    import relight.v1 as tf

    thing: Any = tf
    if name.startswith("examples."):  # modules of their own, which programs import by name
        try:
            importlib.import_module("relight.v1." + name.rpartition(".")[0])
        except ModuleNotFoundError:
            return _MISSING
    for part in name.split("."):
        try:
            thing = getattr(thing, part)
        except (AttributeError, ImportError):
            return _MISSING
    return thing


def supported(name: str) -> bool:
    """Whether relight has that public name."""
    return find(name) is not _MISSING


def exported() -> dict[str, Any]:
    """Every public name that relight defines, contrib included, with the thing."""
    import relight.v1 as tf

    found: dict[str, Any] = {}
    waiting: list[tuple[str, types.ModuleType]] = [("", tf)]
    contrib = importlib.import_module("relight.v1.contrib")
    for info in pkgutil.walk_packages(contrib.__path__, "relight.v1.contrib."):
        module = importlib.import_module(info.name)
        if hasattr(module, "__all__"):
            waiting.append((info.name.removeprefix("relight.v1."), module))
    seen = set()
    while waiting:
        space, module = waiting.pop()
        if space in seen:
            continue
        seen.add(space)
        for short in getattr(module, "__all__", ()):
            name = f"{space}.{short}" if space else short
            thing = getattr(module, short)
            if isinstance(thing, types.ModuleType):
                if thing.__name__.startswith("relight.v1"):
                    waiting.append((name, thing))
            elif not short.startswith("_"):
                found[name] = thing
    return dict(sorted(found.items()))


def figures() -> dict[str, Any]:
    """Everything that the table, the page and the rule need."""
    from relight.engine import control
    from relight.graph import opdef
    from relight.ops import flow

    importlib.import_module("relight.v1")
    spaces = {
        space: (
            [m for m in members if supported(f"{space}.{m}" if space else m)],
            [m for m in members if not supported(f"{space}.{m}" if space else m)],
        )
        for space, members in namespaces().items()
        if members
    }
    # The engine itself runs control flow: these records have a shape rule or gradient, no kernel.
    structured = {n: opdef.record(n) for n in sorted([*control.NODES, *flow.NODES])}
    records = {**opdef.records(), **structured}
    all_ops = list(opdef.signature_lines())
    gradients = [n for n in differentiated() if opdef.record(n).gradient_function is not None]
    total_uses = sum(uses().values())
    known = {name for space in spaces for name in _full(space, *spaces[space])}
    found = {n: c for n, c in uses().items() if supported(n)}
    return {
        "spaces": spaces,
        "records": records,
        "all_ops": all_ops,
        "gradients": gradients,
        "found_uses": found,
        "summary": {
            "names": sum(len(have) for s, (have, _) in spaces.items() if not _contrib(s)),
            "names in contrib": sum(len(have) for s, (have, _) in spaces.items() if _contrib(s)),
            "ops": sum(n in records for n in all_ops),
            "gradients": len(gradients),
            "shape rules": sum(r.shape is not None for r in records.values()),
            "names used": len(found),
            "uses, percent": round(100 * sum(found.values()) / total_uses, 1),
        },
        "totals": {
            "names": sum(len(h) + len(m) for s, (h, m) in spaces.items() if not _contrib(s)),
            "names in contrib": sum(len(h) + len(m) for s, (h, m) in spaces.items() if _contrib(s)),
            "ops": len(all_ops),
            "gradients": len(differentiated()),
            "shape rules": len(records),
            "names used": len(uses()),
            "uses, percent": 100,
        },
        "known": known,
    }


def _full(space: str, have: list[str], lack: list[str]) -> list[str]:
    return [f"{space}.{m}" if space else m for m in [*have, *lack]]


def _contrib(space: str) -> bool:
    return space == "contrib" or space.startswith("contrib.")


def page(found: dict[str, Any]) -> str:
    """The text of SUPPORT.md."""
    lines = [
        "# What relight supports",
        "",
        "Written by `python tests/tools/api.py --write` from the source; do not edit.",
        "TensorFlow 1.15.0 is the reference. A name that is not here raises an `AttributeError`",
        "that says so; a graph with an op that has no kernel loads, and says so when it is run.",
        "",
        "| | relight | TensorFlow 1.15 |",
        "|---|---:|---:|",
    ]
    labels = {
        "names": "public names, `tf.contrib` aside",
        "names in contrib": "public names in `tf.contrib`",
        "ops": "ops with a kernel",
        "gradients": "ops with a gradient",
        "shape rules": "ops with a kernel that have a shape rule",
        "names used": "names that programs on the web use",
        "uses, percent": "uses of names by programs on the web, percent",
    }
    for key, label in labels.items():
        lines.append(f"| {label} | {found['summary'][key]} | {found['totals'][key]} |")
    lines += ["", "## Names", "", "| namespace | has | of | missing |", "|---|---:|---:|---|"]
    for space, (have, lack) in sorted(found["spaces"].items()):
        if _contrib(space) and not have:
            continue
        title = f"tf.{space}" if space else "tf"
        text = "" if not lack else ", ".join(f"`{m}`" for m in sorted(lack))
        lines.append(f"| `{title}` | {len(have)} | {len(have) + len(lack)} | {text} |")
    empty = [s for s, (have, _) in sorted(found["spaces"].items()) if _contrib(s) and not have]
    lines += ["", "Nothing yet of: " + ", ".join(f"`tf.{s}`" for s in _tops(empty)) + "."]
    lines += [
        "",
        "## The names that programs use most and that are missing",
        "",
        "| name | uses |",
        "|---|---:|",
    ]
    missing = [(n, c) for n, c in uses().items() if n not in found["found_uses"]]
    missing.sort(key=lambda item: (-item[1], item[0]))
    lines += [f"| `tf.{name}` | {count} |" for name, count in missing[:40]]
    records = found["records"]
    lines += ["", "## Ops", ""]
    for title, names in _op_groups(found):
        lines += [f"**{title}** ({len(names)}): " + (" ".join(names) or "none") + ".", ""]
    lines += [
        f"**no kernel** ({len(found['all_ops']) - len(records)}): "
        + " ".join(n for n in found["all_ops"] if n not in records)
        + ".",
        "",
    ]
    return "\n".join(lines)


def _tops(spaces: list[str]) -> list[str]:
    """Those that are not below another one of the list."""
    return [s for s in spaces if not any(s.startswith(other + ".") for other in spaces)]


def _op_groups(found: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Ops with a kernel, by what else they have."""
    wanted = set(differentiated())
    groups: dict[str, list[str]] = {
        "kernel and gradient": [],
        "kernel; TensorFlow has no gradient either": [],
        "kernel; the gradient is missing": [],
        "kernel without a shape rule (static shapes unknown)": [],
    }
    titles = list(groups)
    for name, record in found["records"].items():
        if record.gradient_function is not None:
            groups[titles[0]].append(name)
        elif name in wanted:
            groups[titles[2]].append(name)
        else:
            groups[titles[1]].append(name)
        if record.shape is None and record.definition.outputs:
            groups[titles[3]].append(name)
    return list(groups.items())


def show(found: dict[str, Any]) -> None:
    """Print the coverage."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="relight beside TensorFlow 1.15.0")
    for column, side in (("", "left"), ("has", "right"), ("of", "right"), ("%", "right")):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    for key, value in found["summary"].items():
        of = found["totals"][key]
        table.add_row(key, str(value), str(of), f"{100 * value / of:.1f}")
    console.print(table)
    by_space = Table(title="namespaces")
    for column, side in (("", "left"), ("has", "right"), ("of", "right"), ("missing", "left")):
        by_space.add_column(column, justify=side)  # type: ignore[arg-type]
    for space, (have, lack) in sorted(found["spaces"].items()):
        if have or not _contrib(space):
            text = " ".join(sorted(lack)[:6]) + (" ..." if len(lack) > 6 else "")
            count = len(have) + len(lack)
            by_space.add_row(f"tf.{space}".rstrip("."), str(len(have)), str(count), text)
    console.print(by_space)
    most = Table(title="missing names, by use")
    most.add_column("name")
    most.add_column("uses", justify="right")
    missing = [(n, c) for n, c in uses().items() if n not in found["found_uses"]]
    for name, count in sorted(missing, key=lambda item: (-item[1], item[0]))[:25]:
        most.add_row(f"tf.{name}", str(count))
    console.print(most)


def write(found: dict[str, Any]) -> None:
    """Write SUPPORT.md and the figures; the figures never fall."""
    old = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    fallen = {k: (v, found["summary"][k]) for k, v in old.items() if found["summary"][k] < v}
    if fallen:
        sys.exit(f"coverage fell: {fallen}")
    SUPPORT.write_text(page(found))
    FIGURES.write_text(json.dumps(found["summary"], indent=1) + "\n")


def public(name: str) -> bool:
    """Whether TensorFlow 1.15 has that public name, a namespace included."""
    space, _, short = name.rpartition(".")
    return name in namespaces() or short in namespaces().get(space, ())


def show_programs(folder: Path) -> None:
    """Print the share of a folder's programs all of whose names exist, and what is missing most."""
    import collections

    import program_names
    from rich.console import Console
    from rich.table import Table

    programs, unread = program_names.scan(folder, public)
    lacking = {p: {n for n in names if not supported(n)} for p, names in programs.items()}
    whole = sum(not names for names in lacking.values())
    console = Console()
    share = 100 * whole / max(len(programs), 1)
    console.print(
        f"{len(programs)} programs use TensorFlow; all names of {whole} exist ({share:.1f} %). "
        f"{len(unread)} more are not Python 3."
    )
    table = Table(title="names that programs lack")
    table.add_column("name")
    table.add_column("programs", justify="right")
    table.add_column("the only one", justify="right")
    counts = collections.Counter(n for names in lacking.values() for n in names)
    alone = collections.Counter(n for names in lacking.values() if len(names) == 1 for n in names)
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:40]:
        table.add_row(f"tf.{name}", str(count), str(alone[name]))
    console.print(table)


def main() -> None:
    """Print, and write with `--write`; with `--programs FOLDER` the names of programs instead."""
    if "--programs" in sys.argv[1:-1]:
        folder = Path(sys.argv[sys.argv.index("--programs") + 1])
        if not folder.is_dir():
            sys.exit(f"{folder} is no folder")
        show_programs(folder)
        return
    found = figures()
    show(found)
    if "--write" in sys.argv[1:]:
        write(found)


if __name__ == "__main__":
    main()
