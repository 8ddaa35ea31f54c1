"""The names of TensorFlow that Python sources use, read with `ast`: nothing is run.

A name is what is reached from an import of tensorflow through attributes, cut where TensorFlow's
public names end: of `tf.train.Saver().save` and `tf.float32.name` these are `train.Saver` and
`float32`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

ROOTS = ("tensorflow.compat.v1", "tensorflow")


def _below(module: str) -> str | None:
    """The part of a module's name below tensorflow; None for other modules."""
    for root in ROOTS:
        if module == root:
            return ""
        if module.startswith(root + "."):
            return module[len(root) + 1 :]
    return None


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(name in the program, name below tensorflow) of each import of something of TensorFlow's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                below = _below(alias.name)
                if below is not None:
                    yield (alias.asname, below) if alias.asname else ("tensorflow", "")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            below = _below(node.module)
            if below is not None:
                for alias in node.names:
                    if alias.name != "*":
                        full = f"{below}.{alias.name}" if below else alias.name
                        yield alias.asname or alias.name, full.removeprefix("compat.v1.")


def _chain(node: ast.AST) -> list[str] | None:
    """`a.b.c` as its parts."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else None


def used(source: str, public: Callable[[str], bool]) -> set[str]:
    """The public names that a program uses. SyntaxError for what is not Python 3."""
    tree = ast.parse(source)
    roots = dict(_imports(tree))
    found = {_cut(name, public) for name in roots.values() if name}
    for node in ast.walk(tree):
        parts = _chain(node) if isinstance(node, ast.Attribute) else None
        if parts and parts[0] in roots:
            whole = ".".join(filter(None, [roots[parts[0]], *parts[1:]]))
            found.add(_cut(whole.removeprefix("compat.v1."), public))
    # `tf.nn` is on the way to `tf.nn.relu`, not a name of its own.
    found -= {"", "compat", "compat.v1"}
    return {n for n in found if not any(o.startswith(n + ".") for o in found)}


def _cut(name: str, public: Callable[[str], bool]) -> str:
    """The longest beginning of a name that is public; nothing when TensorFlow has none such."""
    while name and not public(name):
        name = name.rpartition(".")[0]
    return name


def scan(folder: Path, public: Callable[[str], bool]) -> tuple[dict[str, set[str]], list[str]]:
    """({program: its names}, programs that cannot be read) for the sources below a folder."""
    programs: dict[str, set[str]] = {}
    unread: list[str] = []
    for path in sorted(folder.rglob("*.py")):
        try:
            names = used(path.read_text(errors="replace"), public)
        except (SyntaxError, ValueError):
            unread.append(str(path.relative_to(folder)))
            continue
        if names:
            programs[str(path.relative_to(folder))] = names
    return programs, unread
