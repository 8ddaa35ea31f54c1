"""`tf.raw_ops`: every op of TensorFlow 1.15 as a function of keyword arguments."""

from __future__ import annotations

import functools
from typing import Any

from relight.graph.opdef import signature_lines
from relight.ops.build import raw


@functools.cache
def _keyword_only(op_type: str) -> Any:
    build = getattr(raw, op_type)

    def raw_op(**kwargs: Any) -> Any:
        return build(**kwargs)

    raw_op.__name__ = raw_op.__qualname__ = op_type
    raw_op.__doc__ = build.__doc__
    return raw_op


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in signature_lines():
        raise AttributeError(f"module 'tf.raw_ops' has no attribute '{name}'")
    return _keyword_only(name)


def __dir__() -> list[str]:
    return sorted(signature_lines())
