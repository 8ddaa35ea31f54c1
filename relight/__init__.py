"""relight runs TensorFlow 1 programs, unmodified, on PyTorch.

    import relight
    relight.install()
    import tensorflow as tf      # is relight.v1

or, without touching the program, ``relight run program.py``.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "install", "v1"]


# PyTorch's OpenMP threads wait for each other by spinning, for milliseconds: when other processes
# want the cores, a step can take a hundred times its time. Ten thousand turns (some tens of
# microseconds) cost nothing on an idle machine and bound that. Read when PyTorch is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def install() -> None:
    """Makes ``import tensorflow`` import relight from now on; a second call changes nothing.

    Raises:
      ImportError: when the real TensorFlow is imported already.
    """
    from relight import alias

    alias.install()


def __getattr__(name: str) -> Any:
    # The namespace imports torch, which takes seconds: only where it is used.
    if name == "v1":
        return importlib.import_module("relight.v1")
    raise AttributeError(f"module 'relight' has no attribute '{name}'")
