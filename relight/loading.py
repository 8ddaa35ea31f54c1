"""Loading without the garbage collector's help.

PyTorch and relight bring some hundred thousand objects, all of which stay. The collector would look
through all of them several times while they are made: a quarter of the time that loading takes.
"""

from __future__ import annotations

import gc

_SELDOM = (100_000, 50, 1000)
Thresholds = tuple[int, int, int]


def begin() -> Thresholds:
    """Let the collector look seldom; gives the thresholds for `end`."""
    before = gc.get_threshold()
    if before[0]:  # 0: the program wants no collector
        gc.set_threshold(*_SELDOM)
    return before


def end(before: Thresholds) -> None:
    """The collector's thresholds of before."""
    gc.set_threshold(*before)
