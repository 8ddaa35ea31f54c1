"""Activations, initializers, regularizers and constraints by name, as layers take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.v1.functions import init, nn


def linear(x: Any) -> Any:
    """x itself: the activation of a layer that has none."""
    return x


def _hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5, kept in [0, 1]."""
    return raw.Maximum(raw.Minimum(x * 0.2 + 0.5, 1.0), 0.0)


_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "linear": linear,
    "relu": lambda x: raw.Relu(x),
    "elu": lambda x: raw.Elu(x),
    "selu": lambda x: raw.Selu(x),
    "softplus": lambda x: raw.Softplus(x),
    "softsign": lambda x: raw.Softsign(x),
    "sigmoid": lambda x: raw.Sigmoid(x),
    "tanh": lambda x: raw.Tanh(x),
    "exponential": lambda x: raw.Exp(x),
    "softmax": lambda x: nn.softmax(x),
    "hard_sigmoid": _hard_sigmoid,
}

_INITIALIZERS: dict[str, Any] = {
    "zeros": init.Zeros,
    "ones": init.Ones,
    "constant": init.Constant,
    "glorot_uniform": init.GlorotUniform,
    "glorot_normal": init.GlorotNormal,
    "he_normal": lambda: init.he_normal(),
    "he_uniform": lambda: init.he_uniform(),
    "lecun_normal": lambda: init.lecun_normal(),
    "lecun_uniform": lambda: init.lecun_uniform(),
    "orthogonal": init.Orthogonal,
    "identity": init.Identity,
}


def _named(table: dict[str, Any], kind: str, name: Any) -> Any:
    if name not in table:
        raise ValueError(f"Unknown {kind}:{name}")
    return table[name]


def activation(identifier: Any) -> Callable[..., Any]:
    """A function of a tensor: by name, given, or the identity for None."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return _named(_ACTIVATIONS, "activation function", identifier)
    if callable(identifier):
        return identifier
    raise TypeError(f"Could not interpret activation function identifier: {identifier!r}")


def initializer(identifier: Any) -> Any:
    """An initializer: by name, given, or None."""
    if isinstance(identifier, str):
        return _named(_INITIALIZERS, "initializer", identifier)()
    if isinstance(identifier, dict):
        made = getattr(init, identifier.get("class_name", ""), None)
        if not (isinstance(made, type) and issubclass(made, init.Initializer)):
            raise ValueError(f"Unknown initializer: {identifier.get('class_name')}")
        return made.from_config(identifier.get("config", {}))
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret initializer identifier: {identifier!r}")


def _l1_l2(l1: float, l2: float) -> Callable[[Any], Tensor]:
    def regularizer(x: Any) -> Tensor:
        parts = []
        if l1:
            parts.append(l1 * nodes.reduce_sum(nodes.abs(x)))
        if l2:
            parts.append(l2 * nodes.reduce_sum(raw.Square(x)))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    return regularizer


_REGULARIZERS = {"l1": (0.01, 0.0), "l2": (0.0, 0.01), "l1_l2": (0.01, 0.01)}


def regularizer(identifier: Any) -> Any:
    """A function from a variable to a loss: by name, given, or None."""
    if isinstance(identifier, str):
        return _l1_l2(*_named(_REGULARIZERS, "regularizer", identifier))
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret regularizer identifier: {identifier!r}")


def constraint(identifier: Any) -> Any:
    """A projection of a variable, applied after its updates: given, or None."""
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret constraint identifier: {identifier!r}")


def config(layer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Attributes of a layer for its `get_config`, functions and initializers in plain values."""
    return {name: _plain(getattr(layer, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, init.Initializer):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if callable(value):
        by_function = {id(function): name for name, function in _ACTIVATIONS.items()}
        return by_function.get(id(value), getattr(value, "__name__", type(value).__name__))
    return value
