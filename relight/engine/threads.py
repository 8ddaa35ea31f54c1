"""How many cores a thread's kernels use.

Every thread that runs kernels has a team of OpenMP threads of its own. A thread beside the training
step (an input queue's, a dataset's) must not bring one: its team would wait, spinning, on the cores
that the step computes on.
"""

from __future__ import annotations

import ctypes
import functools
import re
import threading
from collections.abc import Callable

import torch

_marks = threading.local()


@functools.cache
def setter() -> Callable[[int], None] | None:
    """OpenMP's `omp_set_num_threads`, which holds for the calling thread; None where PyTorch's
    library is not to be found. (`torch.set_num_threads` is for new threads, too.)"""
    try:
        with open("/proc/self/maps", encoding="utf-8") as file:
            loaded = set(re.findall(r"/\S*libg?i?omp\S*\.so\S*", file.read()))
        return ctypes.CDLL(loaded.pop()).omp_set_num_threads if len(loaded) == 1 else None
    except OSError:
        return None


def use_one_core() -> bool:
    """Let the kernels of the calling thread run on it alone; whether that could be done."""
    _marks.beside = True
    torch.get_num_threads()  # PyTorch sets its own number when a thread asks first
    found = setter()
    if found is None:
        return False
    found(1)
    return torch.get_num_threads() == 1


def is_beside() -> bool:
    """Whether the calling thread works beside the training step: it called `use_one_core`."""
    return getattr(_marks, "beside", False)
