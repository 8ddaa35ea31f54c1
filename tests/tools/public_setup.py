"""Ready a public program to run: its text, a copy of its repository, its environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What other libraries have renamed since, in a module that Python imports when it starts.
RENAMED = """
import importlib, importlib.abc, importlib.machinery, importlib.util, sys

NAMES = {"sklearn.cross_validation": "sklearn.model_selection"}

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in NAMES else None
    def create_module(self, spec):
        return importlib.import_module(NAMES[spec.name])
    def exec_module(self, module):
        pass

sys.meta_path.append(Finder())

if importlib.util.find_spec("matplotlib"):
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.legend import Legend

    if not hasattr(FigureCanvasBase, "set_window_title"):
        FigureCanvasBase.set_window_title = lambda self, title: None
    if not hasattr(Legend, "draggable"):
        Legend.draggable = Legend.set_draggable
"""

# Files of a repository that are too large to copy are none that its programs read.
LARGEST_FILE = 16 << 20


def code_of_notebook(text: str) -> str:
    """A notebook's code cells as one program.

    Lines for IPython (`%magic` and `!command`) are left out. A cell whose stored output is an
    error is meant to raise one: the program goes on after it.
    """
    parts = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] != "code":
            continue
        lines = "".join(cell["source"]).split("\n")
        code = "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
        raises = any(output["output_type"] == "error" for output in cell.get("outputs", ()))
        if raises:
            code = (
                f"try:\n    exec(compile({as_python3(code)!r}, 'cell', 'exec'), globals())\n"
                "except Exception as error:\n    print('%s: %s' % (type(error).__name__, error))"
            )
        parts.append(code)
    return "\n\n".join(parts) + "\n"


def as_python3(text: str) -> str:
    """`text`, by lib2to3 when only Python 2 can read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "program", "exec")
            return text
        except SyntaxError:
            from lib2to3 import refactor

            fixes = refactor.get_fixers_from_package("lib2to3.fixes")
            return str(refactor.RefactoringTool(fixes).refactor_string(text + "\n", "program"))


def led_into(folder: Path, text: str) -> str:
    """`text` with the paths below /tmp leading into `folder`."""
    return re.sub(r"""(["'= ])/tmp(?=[/"'])""", rf"\g<1>{folder}/tmp", text)


def copy(source: Path, target: Path, folder: Path) -> None:
    """Copies a repository; its programs' paths below /tmp lead into `folder`."""

    def leave_out(directory: str, names: list[str]) -> set[str]:
        found = {name for name in names if name == ".git"}
        for name in names:
            path = Path(directory, name)
            if path.is_file() and path.stat().st_size > LARGEST_FILE:
                found.add(name)
        return found

    shutil.copytree(source, target, ignore=leave_out)
    for path in target.rglob("*.py"):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if "/tmp" in text:
            path.write_text(led_into(folder, text), "utf-8", errors="surrogateescape")


def environment_of(folder: Path, checkout: Path, data: Path) -> dict[str, str]:
    """The environment variables of a run."""
    # A tree that contains a folder `tensorflow` must not hide the installed package.
    own = [] if (checkout / "tensorflow").is_dir() else [str(checkout)]
    paths = [str(folder / "site"), str(ROOT), *own]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(data / "matplotlib"),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_VISIBLE_DEVICES": "",
    }
