"""`tf.raw_ops`: one function an op of TensorFlow, made from its signature; keyword arguments only.

`tf.raw_ops.MatMul(a=x, b=y, transpose_a=True, name=None)` adds one node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import opdef
from relight.ops.build import raw


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in opdef.signature_lines():
        raise AttributeError(f"module 'tf.raw_ops' has no attribute {name!r}")
    build = getattr(raw, name)

    def raw_op(**kwargs: Any) -> Any:
        return build(**kwargs)

    raw_op.__name__ = raw_op.__qualname__ = name
    raw_op.__doc__ = build.__doc__
    globals()[name] = raw_op
    return raw_op


def __dir__() -> list[str]:
    return sorted(opdef.signature_lines())
