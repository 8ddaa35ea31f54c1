"""Elementary functions of float32 tensors on the CPU by the quickest library at hand.

PyTorch's `tanh`, `log`, `sin` and their kin go to MKL, which keeps its AVX-512 code for Intel's
processors. NumPy has AVX-512 code for all: 3 us in place of 37 for `tanh` of 16,384 numbers on one
core of an AMD EPYC. Both are within a few units in the last place. `RELIGHT_VECTOR_MATH=torch` (or
`numpy`) chooses by hand.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

FEW = 512  # numbers up to which a call costs more than the function
ROW = 32  # numbers in one piece that are enough for NumPy's vectors
GRAIN = 32768  # numbers from which PyTorch shares the work among threads

# Name in torch -> (name in NumPy, how many times as fast it is on one core)
_QUICKER = {
    "tanh": ("tanh", 11),
    "log": ("log", 3),
    "sin": ("sin", 2.5),
    "cos": ("cos", 2.5),
    "tan": ("tan", 5),
    "asin": ("arcsin", 5),
    "acos": ("arccos", 5),
    "atan": ("arctan", 9),
    "sinh": ("sinh", 3.5),
    "cosh": ("cosh", 3.5),
    "asinh": ("arcsinh", 20),
    "acosh": ("arccosh", 15),
    "atanh": ("arctanh", 3),
}


def _has_avx512() -> bool:
    core: Any = np._core if hasattr(np, "_core") else np.core  # its name before NumPy 2
    return bool(core._multiarray_umath.__cpu_features__.get("AVX512_SKX"))


def _is_intel() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return (
                re.search(r"^vendor_id\s*:\s*GenuineIntel", file.read(), re.MULTILINE) is not None
            )
    except OSError:  # not Linux: PyTorch is left to it
        return True


@functools.cache
def uses_numpy() -> bool:
    """Whether NumPy's functions are used. ValueError for an unknown `RELIGHT_VECTOR_MATH`."""
    wish = os.environ.get("RELIGHT_VECTOR_MATH", "")
    if wish not in ("", "torch", "numpy"):
        raise ValueError(f"RELIGHT_VECTOR_MATH must be 'torch' or 'numpy', not {wish!r}")
    if wish:
        return wish == "numpy"
    return not _is_intel() and _has_avx512()


def quickest(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """`torch.<name>`, by NumPy for the float32 tensors on the CPU that it is quicker for."""
    plain: Callable[[torch.Tensor], torch.Tensor] = getattr(torch, name)
    if not uses_numpy():
        return plain
    numpy_name, gain = _QUICKER[name]
    function: Any = getattr(np, numpy_name)

    def run(x: torch.Tensor) -> torch.Tensor:
        count = x.numel()
        if (
            count < FEW
            or x.dtype is not torch.float32
            or not x.is_cpu
            or not (x.is_contiguous() or _has_rows(x))
            or (count >= GRAIN and gain < torch.get_num_threads())
        ):
            return plain(x)
        out = torch.empty_like(x)
        with np.errstate(all="ignore"):  # infinities and NaN come without a warning, as from torch
            function(x.numpy(), out=out.numpy())
        return out

    return run


def _has_rows(x: torch.Tensor) -> bool:
    """Whether the last axis lies in one piece, as in a part of a split."""
    return x.stride(-1) == 1 and x.shape[-1] >= ROW
