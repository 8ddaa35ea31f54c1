"""``relight check``: which names of TensorFlow a program uses, and which of them relight has.

The program is read, not run: imports, attribute chains, and plain assignments such as
``slim = tf.contrib.slim`` are followed within one file.
"""

from __future__ import annotations

import ast
import importlib
import types
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from relight import alias

_NOTHING = object()


class _Names(ast.NodeVisitor):
    """Collects qualified names, "tf.nn.relu" to the lines where they stand."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}
        self.used: dict[str, set[int]] = defaultdict(set)

    def visit_Import(self, node: ast.Import) -> None:
        """``import tensorflow.contrib.slim as slim`` binds a name."""
        for item in node.names:
            if _ours(item.name):
                if item.name != "tensorflow":
                    self.used[item.name].add(node.lineno)
                if item.asname:
                    self.bound[item.asname] = item.name
                else:
                    self.bound["tensorflow"] = "tensorflow"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from tensorflow.x import y`` binds and uses a name."""
        if node.level == 0 and node.module and _ours(node.module):
            for item in node.names:
                if item.name == "*":
                    continue
                name = f"{node.module}.{item.name}"
                self.used[name].add(node.lineno)
                self.bound[item.asname or item.name] = name

    def visit_Assign(self, node: ast.Assign) -> None:
        """``flags = tf.app.flags`` binds a name."""
        name = self._chain(node.value)
        if name is not None:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.bound[target.id] = name
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """The longest chain of attributes counts as one name."""
        name = self._chain(node)
        if name is None:
            self.generic_visit(node)
        else:
            self.used[name].add(node.lineno)

    def _chain(self, node: ast.AST) -> str | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bound:
            return None
        return ".".join([self.bound[node.id], *reversed(parts)])


def _ours(module: str) -> bool:
    return module == "tensorflow" or module.startswith("tensorflow.")


def names_used(source: str, filename: str = "<program>") -> dict[str, list[int]]:
    """The qualified names ("tensorflow.nn.relu") in a program's text, with their lines.

    Raises:
      SyntaxError: when it is not Python 3.
    """
    visitor = _Names()
    visitor.visit(ast.parse(source, filename))
    return {name: sorted(lines) for name, lines in visitor.used.items()}


def missing_part(qualified: str) -> str | None:
    """The part of a name up to what relight lacks, or None when it has all of it.

    Only modules are looked into: what follows a class or a function is that thing's own affair.
    """
    parts = qualified.split(".")
    here: object = importlib.import_module("tensorflow")
    for end in range(2, len(parts) + 1):
        if not isinstance(here, types.ModuleType):
            return None
        found = getattr(here, parts[end - 1], _NOTHING)
        if found is _NOTHING:
            try:
                found = importlib.import_module(".".join(parts[:end]))
            except ModuleNotFoundError:
                return ".".join(parts[:end])
        here = found
    return None


def _files(programs: Iterable[str]) -> Iterator[Path]:
    for program in programs:
        path = Path(program)
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def check(programs: Iterable[str], show_all: bool = False) -> int:
    """Prints the names of each program and returns the command's exit code."""
    alias.install()
    supported: dict[str, list[str]] = defaultdict(list)
    lacking: dict[str, list[str]] = defaultdict(list)
    unreadable = 0
    for path in _files(programs):
        try:
            names = names_used(path.read_text(encoding="utf-8"), str(path))
        except (SyntaxError, UnicodeDecodeError) as error:
            click.echo(f"{path}: not Python 3: {error}", err=True)
            unreadable += 1
            continue
        for name, lines in names.items():
            lack = missing_part(name)
            table, key = (supported, name) if lack is None else (lacking, lack)
            table[key] += [f"{path.name}:{line}" for line in lines]
    for title, table in (("supported", supported if show_all else {}), ("missing", lacking)):
        for name in sorted(table):
            places = list(dict.fromkeys(table[name]))
            more = f" and {len(places) - 5} more" if len(places) > 5 else ""
            shown = "tf" + name.removeprefix("tensorflow")
            click.echo(f"{title:9}  {shown:50}  {', '.join(places[:5])}{more}")
    click.echo(f"{len(supported)} names supported, {len(lacking)} missing")
    return 2 if unreadable else int(bool(lacking))
