"""Write the namespace files of `relight.v1` from the `@export` marks in the source.

    python tools/namespaces.py            write them
    python tools/namespaces.py --check    exit 1 when one is not as it would be written

A file is only written when it begins with the mark below, or does not exist: modules that are
written by hand stay as they are, and are imported by their parent namespace.
"""

from __future__ import annotations

import ast
import pathlib
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent / "relight"
V1 = ROOT / "v1"
MARK = "# Written by tools/namespaces.py from the `@export` marks; do not edit."
# Parts of v1 that are no public namespace, or that are reached in another way.
PRIVATE = {"functions", "examples", "contrib", "python", "core"}
SCANNED = ("graph", "ops", "engine", "formats", "v1")
LAZY_ROOTS = ("contrib",)


def marks(path: pathlib.Path) -> list[tuple[str, str]]:
    """(public name, Python name) of each `@export` in a file."""
    found = []
    for node in ast.parse(path.read_text()).body:
        calls: list[ast.expr] = []
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            calls, name = node.decorator_list, node.name
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if isinstance(node.targets[0], ast.Name):
                calls, name = [node.value.func], node.targets[0].id
        for call in calls:
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id == "export"
            ):
                found += [(ast.literal_eval(a), name) for a in call.args]
    return found


def collect() -> dict[str, dict[str, tuple[str, str]]]:
    """Namespace -> {public name: (module, Python name)}."""
    spaces: dict[str, dict[str, tuple[str, str]]] = {"": {}}
    for room in SCANNED:
        for path in sorted((ROOT / room).rglob("*.py")):
            try:
                names = marks(path)
            except SyntaxError as error:
                sys.exit(f"{path}: {error}")
            module = "relight." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for public, python in names:
                space, _, short = public.rpartition(".")
                table = spaces.setdefault(space, {})
                if table.get(short, (module, python)) != (module, python):
                    sys.exit(f"tf.{public} is exported by {table[short][0]} and by {module}")
                table[short] = (module, python)
    for space in list(spaces):  # every parent namespace exists
        while "." in space:
            space = space.rpartition(".")[0]
            spaces.setdefault(space, {})
    return spaces


def _by_hand(path: pathlib.Path) -> bool:
    return path.exists() and not path.read_text().startswith(MARK)


def file_of(space: str, spaces: dict) -> pathlib.Path:
    """Where a namespace is written: a package when it has sub-namespaces or a folder."""
    base = V1.joinpath(*space.split(".")) if space else V1
    has_children = any(s.startswith(space + ".") for s in spaces) or not space
    return base / "__init__.py" if has_children or base.is_dir() else base.with_suffix(".py")


def children(space: str, spaces: dict) -> set[str]:
    """Sub-namespaces: exported ones and, under tf itself, modules written by hand."""
    prefix = space + "." if space else ""
    found = {
        s[len(prefix) :].split(".")[0] for s in spaces if s.startswith(prefix) and s != space and s
    }
    if not space:
        for path in V1.iterdir():
            stem = path.stem if path.suffix == ".py" else path.name
            is_package = (path / "__init__.py").exists()
            if (path.suffix == ".py" or is_package) and not stem.startswith("_"):
                if stem not in PRIVATE and (is_package or _by_hand(path)):
                    found.add(stem)
    return found - set(LAZY_ROOTS) - PRIVATE if not space else found


def _filled(items: list[str]) -> list[str]:
    """Items with commas, as many a line as fit."""
    text = textwrap.fill(
        ", ".join(i.replace(" ", "\0") for i in items),
        98,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in (text + ",").split("\n")]


def render(space: str, spaces: dict) -> str:
    """The text of one namespace file."""
    title = "tf" + ("." + space if space else "")
    rules = "I001, N813, RUF100" if space else "E402, I001, N813, RUF100"
    lines = [MARK, f"# ruff: noqa: {rules}", "# fmt: off", f'"""`{title}`."""', ""]
    if not space:
        lines += ["from relight import loading as _loading", "", "_collector = _loading.begin()"]
    imports: dict[str, list[str]] = {}
    names = []
    for public, (module, python) in spaces[space].items():
        names.append(public)
        text = public if public == python else f"{python} as {public}"
        imports.setdefault(module, []).append(text)
    package = "relight.v1" + ("." + space if space else "")
    kids = sorted(children(space, spaces) - set(names))
    if kids:
        imports[package] = kids
        names += kids
    imports.setdefault("relight.v1._missing", []).append("missing")
    for module in sorted(imports):
        lines += [f"from {module} import (", *_filled(sorted(imports[module])), ")"]
    lines += ["", f'__getattr__ = missing("{title}")']
    if not space:
        lines += ['__version__ = "1.15.0"', "_loading.end(_collector)"]
        names.append("__version__")
    lines += ["", "__all__ = [", *_filled([f'"{n}"' for n in sorted(names)]), "]", ""]
    return "\n".join(lines)


def main() -> None:
    """Write or check every namespace file."""
    spaces = collect()
    stale = []
    for space in sorted(spaces):
        path = file_of(space, spaces)
        text = render(space, spaces)
        old = path.with_suffix("") / "__init__.py" if path.name != "__init__.py" else None
        if _by_hand(path):
            if spaces[space] or not path.read_text().startswith("#"):
                print(
                    f"note: {path.relative_to(ROOT.parent)} is written by hand; "
                    f"{len(spaces[space])} exported names are not in it"
                )
            continue
        if old is not None and old.exists():
            continue
        if not path.exists() or path.read_text() != text:
            stale.append(str(path.relative_to(ROOT.parent)))
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_suffix(".py.new")
                temporary.write_text(text)
                temporary.replace(path)
    if stale:
        print(("stale: " if "--check" in sys.argv else "wrote: ") + ", ".join(stale))
        sys.exit(1 if "--check" in sys.argv else 0)


if __name__ == "__main__":
    main()
