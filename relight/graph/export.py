"""`@export("nn.relu")`: under which public names TensorFlow has a function, class or value.

The names are written once, where the thing is defined. `tools/namespaces.py` reads them and writes
the namespace files of `relight.v1` (`v1/nn.py` for `tf.nn`) as explicit, sorted imports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def export(*names: str) -> Callable[[T], T]:
    """Decorator, or `NAME = export("name")(value)`: the public names without the leading `tf.`."""
    if not names or not all(isinstance(n, str) and n for n in names):
        raise ValueError("export needs at least one public name")

    def mark(thing: T) -> T:
        return thing

    return mark
