"""Where values come from outside: placeholders, and ops that hand a value on."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes, errors
from relight.graph.opdef import op
from relight.ops.shape_rules import from_attr, same


def _unfed(node: Any) -> Any:
    shape = node._attrs.get("shape")
    described = (
        ""
        if shape is None or shape._sizes is None
        else " and shape [" + ",".join("?" if s is None else str(s) for s in shape._sizes) + "]"
    )
    message = (
        f"You must feed a value for placeholder tensor '{node.name}' with dtype "
        f"{dtypes.runtime_name(node._attrs['dtype'])}{described}"
    )

    def kernel() -> Any:
        raise errors.InvalidArgumentError(None, None, message)

    return kernel


op("Placeholder", shape=from_attr(), specialise=True, stateful=True)(_unfed)
op("PlaceholderV2", shape=from_attr(), specialise=True, stateful=True)(_unfed)


@op("PlaceholderWithDefault", shape=from_attr(), views=0)
def PlaceholderWithDefault(value):
    """The input, unless something is fed in its place."""
    return value


@op("Identity", shape=same, views=0)
def Identity(value):
    """The input itself."""
    return value


@Identity.gradient
def _(op, grad):
    return [grad]


@op("NoOp")
def NoOp():
    """Nothing: a node for control edges."""
