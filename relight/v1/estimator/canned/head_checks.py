"""Checks of a head's labels, weights and logits, as nodes of the graph."""

from __future__ import annotations

from typing import Any

from relight.graph.composite import SparseTensor
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.estimator.util import fn_args
from relight.v1.feature_column.columns import FeatureCache
from relight.v1.feature_column.numeric import NumericColumn, numeric_column
from relight.v1.functions.checks import (
    Assert,
    assert_equal,
    assert_greater,
    assert_less_equal,
    assert_non_negative,
)
from relight.v1.functions.control import no_op
from relight.v1.functions.math import to_float
from relight.v1.functions.rank_checks import assert_rank_at_least
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor


def checked_labels(labels: Any, logits: Tensor, dimension: int) -> Tensor:
    """Labels [..., dimension] that fit logits [..., n]; a last dimension of 1 may be missing.

    ValueError for labels that cannot fit; others raise InvalidArgumentError when run.
    """
    if labels is None:
        raise ValueError(
            "You must provide a labels Tensor. Given: None. Suggested troubleshooting steps: Check "
            "that your data contain your label feature. Check that your input_fn properly parses "
            "and returns labels."
        )
    with name_scope(None, "labels", [labels, logits]) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            raise ValueError(
                "SparseTensor labels are not supported. labels must be a Tensor of shape [D0, D1, "
                f"..., DN, {dimension}], e.g. [batch_size, {dimension}]. Suggested Fix (1): Check "
                "the label feature in your data. Each example must contain "
                f"{dimension} value(s). If not, your choice of label was probably incorrect. "
                "Suggested Fix (2): In your input_fn, use tf.sparse_tensor_to_dense() to turn "
                "labels into a Tensor."
            )
        ranks = labels.shape.ndims, logits.shape.ndims
        if None not in ranks and ranks[0] == ranks[1] - 1:
            labels = raw.ExpandDims(labels, -1)
        labels_shape, logits_shape = array_nodes.shape(labels), array_nodes.shape(logits)
        message = (
            f"labels shape must be [D0, D1, ... DN, {dimension}]. Suggested Fix: check your "
            "n_classes argument to the estimator and/or the shape of your label."
        )
        at_least_two = assert_rank_at_least(labels, 2, message=message)
        with get_default_graph().control_dependencies([at_least_two]):
            last = labels.shape.as_list()[-1] if labels.shape.ndims is not None else None
            if last is not None and last != dimension:
                raise ValueError(
                    f"Mismatched label shape. Expected labels dimension={dimension}.  Received "
                    f"{last}. Suggested Fix:If your classifier expects one-hot encoding label,"
                    "check your n_classes argument to the estimator and/or the shape of your "
                    "label. Otherwise, check the shape of your label."
                )
            expected = array_nodes.concat([logits_shape[:-1], [dimension]], axis=0)
            same = assert_equal(
                expected,
                labels_shape,
                message=message,
                data=["expected_labels_shape: ", expected, "labels_shape: ", labels_shape],
            )
            with get_default_graph().control_dependencies([same]):
                return array_nodes.identity(labels, name=scope)


def checked_weights(
    features: dict[str, Any], weight_column: Any, logits: Tensor, per_logit: bool = False
) -> Any:
    """The examples' weights [..., 1] (or as logits, if `per_logit`); 1.0 without a column."""
    message = "weights shape must be [D0, D1, ... DN] or [D0, D1, ... DN, 1]"
    if per_logit:
        message = (
            "weights shape must be [D0, D1, ... DN], [D0, D1, ... DN, 1] or [D0, D1, ... DN, "
            "logits_dimension]"
        )
    with name_scope(None, "weights", [*features.values(), logits]) as scope:
        if weight_column is None:
            return 1.0
        if isinstance(weight_column, str):
            weight_column = numeric_column(key=weight_column, shape=(1,))
        if not isinstance(weight_column, NumericColumn):
            raise TypeError(
                "Weight column must be either a string or _NumericColumn. Given type: "
                f"{type(weight_column)}."
            )
        weights = weight_column.get_dense_tensor(FeatureCache(features), None)
        if not (weights.dtype.is_floating or weights.dtype.is_integer):
            raise ValueError(
                f"Weight column should be castable to float. Given dtype: {weights.dtype}"
            )
        weights = to_float(weights, name="weights")
        weights_shape = array_nodes.shape(weights, name="weights_shape")
        logits_shape = array_nodes.shape(logits, name="logits_shape")
        data = ["logits_shape: ", logits_shape, "weights_shape: ", weights_shape]
        ranks = weights.shape.ndims, logits.shape.ndims
        if None not in ranks and ranks[0] == ranks[1] - 1:
            same = assert_equal(logits_shape[:-1], weights_shape, message=message, data=data)
            with get_default_graph().control_dependencies([same]):
                return raw.ExpandDims(weights, -1, name=scope)
        supported = array_nodes.concat([logits_shape[:-1], [1]], axis=0)
        if per_logit:
            fits = nodes.reduce_any(
                [
                    nodes.reduce_all(raw.Equal(logits_shape, weights_shape)),
                    nodes.reduce_all(raw.Equal(supported, weights_shape)),
                ]
            )
            same = Assert(condition=fits, data=[message, *data])
        else:
            same = assert_equal(supported, weights_shape, message=message, data=data)
        with get_default_graph().control_dependencies([same]):
            return array_nodes.identity(weights, name=scope)


def checked_logits(logits: Any, dimension: int) -> Tensor:
    """Logits [..., dimension] as float32; ValueError for another last dimension."""
    message = "logits shape must be [D0, D1, ... DN, logits_dimension]"
    with name_scope(None, "logits", [logits]) as scope:
        logits = to_float(logits)
        logits_shape = array_nodes.shape(logits)
        at_least_two = assert_rank_at_least(logits, 2, data=[logits_shape], message=message)
        with get_default_graph().control_dependencies([at_least_two]):
            shape = logits.shape
            if shape.ndims is not None and shape.as_list()[-1] is not None:
                if isinstance(dimension, int) and shape.as_list()[-1] != dimension:
                    raise ValueError(f"{message}, got {shape}.")
                return logits
            same = assert_equal(dimension, logits_shape[-1], data=[logits_shape], message=message)
            with get_default_graph().control_dependencies([same]):
                return array_nodes.identity(logits, name=scope)


def checked_range(labels: Tensor, n_classes: int, message: str | None = None) -> Tensor:
    """Labels in [0, n_classes); others raise InvalidArgumentError when run."""
    with name_scope(None, "assert_range", [labels]):
        below = assert_less_equal(
            labels,
            convert_to_tensor(n_classes - 1, dtype=labels.dtype),
            message=message or "Labels must <= n_classes - 1",
        )
        above = assert_non_negative(labels, message=message or "Labels must >= 0")
        with get_default_graph().control_dependencies((below, above)):
            return array_nodes.identity(labels)


def checked_classes(n_classes: Any) -> Any:
    """A number of classes above 2; ValueError for a smaller one."""
    if isinstance(n_classes, int) and n_classes <= 2:
        raise ValueError(f"n_classes must be > 2: {n_classes}.")
    tensor = convert_to_tensor(n_classes)
    enough = assert_greater(tensor, 2, message="n_classes must be greater than 2")
    with get_default_graph().control_dependencies([enough]):
        no_op()
    return n_classes


def check_loss_fn(loss_fn: Any) -> None:
    """ValueError unless a loss function takes labels, logits and maybe features."""
    names = fn_args(loss_fn)
    for required in ("labels", "logits"):
        if required not in names:
            raise ValueError(f"loss_fn must contain argument: {required}. Given arguments: {names}")
    unknown = list(set(names) - {"labels", "logits", "features"})
    if unknown:
        raise ValueError(f"loss_fn has unexpected args: {unknown}")


def call_loss_fn(
    loss_fn: Any, labels: Tensor, logits: Tensor, features: Any, dimension: int = 1
) -> Tensor:
    """The user's loss [..., dimension], whose shape is checked when run."""
    given = {"features": features} if "features" in fn_args(loss_fn) else {}
    with name_scope(None, "call_loss_fn", [labels, logits, *features.values()]):
        loss = loss_fn(labels=labels, logits=logits, **given)
        logits_shape = array_nodes.shape(logits, name="logits_shape")
        expected = array_nodes.concat(
            [logits_shape[:-1], [dimension]], axis=0, name="expected_loss_shape"
        )
        loss_shape = array_nodes.shape(loss, name="loss_shape")
        same = Assert(
            nodes.reduce_all(raw.Equal(loss_shape, expected)),
            data=[
                f"loss_fn must return Tensor of shape [D0, D1, ... DN, {dimension}]. ",
                "logits_shape: ",
                logits_shape,
                "loss_shape: ",
                loss_shape,
            ],
            name="check_loss_shape",
        )
        with get_default_graph().control_dependencies([same]):
            return array_nodes.identity(loss)
