"""Optimizers by name, by function, or as they are."""

from __future__ import annotations

from typing import Any

from relight.v1.train.adagrad import AdagradOptimizer
from relight.v1.train.adam import AdamOptimizer
from relight.v1.train.ftrl import FtrlOptimizer
from relight.v1.train.gradient_descent import GradientDescentOptimizer
from relight.v1.train.optimizer import Optimizer
from relight.v1.train.rmsprop import RMSPropOptimizer

_BY_NAME = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}


def optimizer_instance(given: Any, learning_rate: float | None = None) -> Optimizer:
    """The optimizer of a name (with `learning_rate`), of a function without arguments, or itself.

    ValueError for an unknown name or another object.
    """
    if isinstance(given, str):
        if given not in _BY_NAME:
            raise ValueError(
                f"Unsupported optimizer name: {given}. Supported names are: "
                f"{tuple(sorted(_BY_NAME))}"
            )
        if not learning_rate:
            raise ValueError("learning_rate must be specified when opt is string.")
        return _BY_NAME[given](learning_rate=learning_rate)
    if callable(given):
        given = given()
    if not isinstance(given, Optimizer):
        raise ValueError(f"The given object is not an Optimizer instance. Given: {given}")
    return given
