"""`tf.contrib.layers`: penalties on weights."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.math import add_n, multiply

Regularizer = Callable[[Any], Any]


def _check_scale(scale: Any, name: str) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{name} cannot be an integer: {scale}")


def _norm(scale: Any, scope: str | None, default: str, penalty: Regularizer) -> Regularizer:
    """scale times a penalty of the weights."""
    from relight.v1 import logging

    _check_scale(scale, "scale")
    if isinstance(scale, numbers.Real):
        if scale < 0.0:
            end = "." if default == "l2_regularizer" else ""
            raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}{end}")
        if scale == 0.0:
            logging.info("Scale of 0 disables regularizer.")
            return lambda _: None

    def regularizer(weights: Any, name: str | None = None) -> Tensor:
        with name_scope(scope, default, [weights]) as full:
            factor = convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return multiply(factor, penalty(weights), name=full)

    return regularizer


@export("contrib.layers.l1_regularizer", "contrib.slim.l1_regularizer")
def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """scale times the sum of the absolute values; no penalty for a scale of 0.0."""
    return _norm(scale, scope, "l1_regularizer", lambda w: nodes.reduce_sum(nodes.abs(w)))


@export("contrib.layers.l2_regularizer", "contrib.slim.l2_regularizer")
def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """scale times half the sum of the squares; no penalty for a scale of 0.0."""
    return _norm(scale, scope, "l2_regularizer", raw.L2Loss)


@export("contrib.layers.l1_l2_regularizer", "contrib.slim.l1_l2_regularizer")
def l1_l2_regularizer(
    scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None
) -> Any:
    """The sum of both penalties."""
    _check_scale(scale_l1, "scale_l1")
    _check_scale(scale_l2, "scale_l2")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=scope)


@export("contrib.layers.sum_regularizer", "contrib.slim.sum_regularizer")
def sum_regularizer(regularizer_list: Any, scope: str | None = None) -> Any:
    """The sum of several regularizers; None without any."""
    given = [regularizer for regularizer in regularizer_list if regularizer is not None]
    if not given:
        return None

    def sum_of(weights: Any) -> Any:
        with name_scope(scope, "sum_regularizer", [weights]) as name:
            penalties = [
                p for p in (regularizer(weights) for regularizer in given) if p is not None
            ]
            return add_n(penalties, name=name) if penalties else None

    return sum_of


@export("contrib.layers.apply_regularization", "contrib.slim.apply_regularization")
def apply_regularization(regularizer: Regularizer, weights_list: Any = None) -> Tensor:
    """The sum of the penalties of all weights (those of WEIGHTS by default), a scalar.

    It is added to REGULARIZATION_LOSSES.
    """
    graph = get_default_graph()
    weights = weights_list or graph.get_collection(GraphKeys.WEIGHTS)
    if not weights:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty", values=weights) as scope:
        penalties = [regularizer(w) for w in weights]
        penalties = [constant(0.0) if p is None else p for p in penalties]
        for p in penalties:
            if p.shape.ndims != 0:
                raise ValueError(
                    "regularizer must return a scalar Tensor instead of a Tensor with rank "
                    f"{p.shape.ndims}."
                )
        total = add_n(penalties, name=scope)
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
        return total
