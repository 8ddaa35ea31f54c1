"""What a namespace says about a name that it does not have.

A name of TensorFlow 1.15 that relight lacks and a name that TensorFlow never had are two different
things to somebody who reads the message; both are an AttributeError, so ``hasattr`` works.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

NAMES_FILE = Path(__file__).with_name("names.txt")


@functools.cache
def tensorflow_names() -> frozenset[str]:
    """Every public name of TensorFlow 1.15, like "nn.conv2d": modules, functions, classes, values.

    The file holds one line a namespace: its name, a colon, then its members.
    """
    names: set[str] = set()
    for line in NAMES_FILE.read_text(encoding="utf-8").splitlines():
        space, _, members = line.partition(":")
        if space:
            names.add(space)
        prefix = f"{space}." if space else ""
        names.update(prefix + member for member in members.split())
    return frozenset(names)


def message(qualified: str) -> str:
    """The text about the missing name `qualified`, such as "tf.nn.conv5d"."""
    if canonical(qualified) in tensorflow_names():
        return f"relight does not support {qualified} yet; see SUPPORT.md"
    space, _, name = qualified.rpartition(".")
    return f"module '{space or qualified}' has no attribute '{name}' (nor has TensorFlow 1.15)"


def canonical(qualified: str) -> str:
    """The name without "tf." and "compat.v1.": "tf.compat.v1.nn.relu" is "nn.relu"."""
    name = qualified.removeprefix("tensorflow.").removeprefix("tf.")
    while name.startswith("compat.v1."):
        name = name.removeprefix("compat.v1.")
    return name


def _submodule(qualified: str) -> ModuleType | None:
    """The module of the namespace `qualified`, imported now; None where there is none."""
    module = "relight.v1" + qualified.removeprefix("tf")
    if qualified.rpartition(".")[2].startswith("_"):
        return None
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Anything else that is missing inside of the module is an error to be seen.
        if error.name in (module, module.replace("relight.v1", "tensorflow", 1)):
            return None
        raise


def missing(
    namespace: str, lazy: dict[str, Callable[[], Any]] | None = None
) -> Callable[[str], Any]:
    """A module's ``__getattr__``: ``__getattr__ = missing("tf.nn")``.

    ``tf.contrib`` and what is below it are imported at their first use, as in TensorFlow: most
    programs need none of it.

    Args:
      namespace: the namespace as programs write it, for the message.
      lazy: attributes made at their first use, by name.
    """

    def __getattr__(name: str) -> Any:
        if lazy and name in lazy:
            return lazy[name]()
        if name == "contrib" or namespace.startswith("tf.contrib"):
            found = _submodule(f"{namespace}.{name}")
            if found is not None:
                return found
        if name.startswith("__"):
            raise AttributeError(f"module '{namespace}' has no attribute '{name}'")
        raise AttributeError(message(f"{namespace}.{name}"))

    return __getattr__
