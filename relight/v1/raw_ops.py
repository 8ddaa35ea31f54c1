"""`tf.raw_ops`: one function an op of TensorFlow, made from its signature; keyword arguments only.

`tf.raw_ops.MatMul(a=x, b=y, transpose_a=True, name=None)` adds one node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph import opdef
from relight.ops.build import raw

# Arguments that TensorFlow's Python names otherwise than the op's signature does.
_REDUCTIONS = ("All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum")
_RENAMED: dict[str, dict[str, str]] = {
    **{name: {"axis": "reduction_indices"} for name in _REDUCTIONS},
    "ExpandDims": {"axis": "dim"},
    "Select": {"x": "t", "y": "e"},
    "Split": {"axis": "split_dim"},
    "SplitV": {"axis": "split_dim"},
    "Squeeze": {"axis": "squeeze_dims"},
    "Where": {"condition": "input"},
}


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in opdef.signature_lines():
        raise AttributeError(f"module 'tf.raw_ops' has no attribute {name!r}")
    build, renamed = getattr(raw, name), _RENAMED.get(name, {})

    def raw_op(**kwargs: Any) -> Any:
        return build(**{renamed.get(key, key): value for key, value in kwargs.items()})

    raw_op.__name__ = raw_op.__qualname__ = name
    raw_op.__doc__ = build.__doc__
    globals()[name] = raw_op
    return raw_op


def __dir__() -> list[str]:
    return sorted(opdef.signature_lines())
