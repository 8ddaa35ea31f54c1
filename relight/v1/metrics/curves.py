"""`tf.metrics`: the area under a curve, and points on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops import array_nodes as arrays
from relight.ops import math_nodes as maths
from relight.ops.build import raw
from relight.v1 import logging
from relight.v1.functions.array import where
from relight.v1.functions.math import argmax, argmin, equal, multiply
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.metrics.counts import counts_at_thresholds
from relight.v1.metrics.streaming import collect

Metric = tuple[Tensor, Tensor]
_SMALL = 1e-7  # how far the outer thresholds lie outside of [0, 1]
_EPSILON = 1e-6  # keeps rates finite when nothing was counted


def _even_thresholds(count: int) -> list[float]:
    return [(i + 1) * 1.0 / (count - 1) for i in range(count - 2)]


@export("metrics.auc")
def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Sequence[float] | None = None,
) -> Metric:
    """The area under the ROC or the precision-recall curve ("PR"): (value, update).

    Args:
      labels: taken as bool, the shape of `predictions`.
      predictions: in [0, 1].
      num_thresholds: how many points of the curve; `thresholds` names those inside (0, 1) instead.
      summation_method: "trapezoidal", "minoring", "majoring", or "careful_interpolation", which for
        PR follows Davis & Goadrich 2006 (https://doi.org/10.1145/1143844.1143874) in the integral
        of each segment.

    Raises:
      ValueError: for another curve or summation method.
    """
    with variable_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
        if thresholds is not None:
            inner = sorted(thresholds)
            num_thresholds = len(inner) + 2
        else:
            inner = _even_thresholds(num_thresholds)
        values, updates = counts_at_thresholds(
            labels, predictions, [0.0 - _SMALL, *inner, 1.0 + _SMALL], weights
        )

        def area(counts: dict[str, Any], name: str) -> Tensor:
            return _area(counts, curve, summation_method, num_thresholds, name)

        value = area(values, "value")
        collect(metrics_collections, value)
        update = area(updates, "update_op")
        collect(updates_collections, update)
        return value, update


def _interpolated_pr_area(tp: Any, fp: Any, fn: Any, count: int) -> Tensor:
    """The area when true and false positives grow linearly between two thresholds."""
    d_tp = tp[: count - 1] - tp[1:]
    p = tp + fp
    slope = maths.div_no_nan(d_tp, raw.Maximum(p[: count - 1] - p[1:], 0), name="prec_slope")
    intercept = tp[1:] - multiply(slope, p[1:])
    ratio = where(
        raw.LogicalAnd(p[: count - 1] > 0, p[1:] > 0),
        maths.div_no_nan(p[: count - 1], raw.Maximum(p[1:], 0), name="recall_relative_ratio"),
        arrays.ones_like(p[1:]),
    )
    return maths.reduce_sum(
        maths.div_no_nan(
            slope * (d_tp + intercept * raw.Log(ratio)),
            raw.Maximum(tp[1:] + fn[1:], 0),
            name="pr_auc_increment",
        ),
        name="interpolate_pr_auc",
    )


def _area(counts: dict[str, Any], curve: str, method: str, count: int, name: str) -> Tensor:
    tp, fn, tn, fp = (counts[k] for k in ("tp", "fn", "tn", "fp"))
    if curve == "PR":
        if method == "trapezoidal":
            logging.warning(
                "Trapezoidal rule is known to produce incorrect PR-AUCs; please switch to "
                '"careful_interpolation" instead.'
            )
        elif method == "careful_interpolation":
            return _interpolated_pr_area(tp, fp, fn, count)
    recall = maths.div(tp + _EPSILON, tp + fn + _EPSILON)
    if curve == "ROC":
        x, y = maths.div(fp, fp + tn + _EPSILON), recall
    else:
        x, y = recall, maths.div(tp + _EPSILON, tp + fp + _EPSILON)
    if method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
        raise ValueError(f"Invalid summation_method: {method}")
    width = x[: count - 1] - x[1:]
    if method == "minoring":
        height = raw.Minimum(y[: count - 1], y[1:])
    elif method == "majoring":
        height = raw.Maximum(y[: count - 1], y[1:])
    else:
        height = (y[: count - 1] + y[1:]) / 2.0
    return maths.reduce_sum(multiply(width, height), name=name)


# -- one point of the curve ------------------------------------------------------------------------


def _at_point(
    scope: str,
    end: float,
    compute: Callable[[dict[str, Any], str], Tensor],
    arguments: tuple[Any, Any, Any],
    num_thresholds: int,
    collections: tuple[Any, Any],
    name: str | None,
) -> Metric:
    labels, predictions, weights = arguments
    with variable_scope(name, scope, (predictions, labels, weights)):
        limits = [0.0 - _SMALL, *_even_thresholds(num_thresholds), end]
        values, updates = counts_at_thresholds(labels, predictions, limits, weights)
        value = compute(values, "value")
        collect(collections[0], value)
        update = compute(updates, "update_op")
        collect(collections[1], update)
        return value, update


@export("metrics.sensitivity_at_specificity")
def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """tp / (tp + fn) at the threshold where tn / (tn + fp) comes nearest to `specificity`.

    Gives (value, update). Raises ValueError for a specificity outside of [0, 1].
    """
    if specificity < 0 or specificity > 1:
        raise ValueError("`specificity` must be in the range [0, 1].")

    def compute(counts: dict[str, Any], name: str) -> Tensor:
        tp, tn, fp, fn = (counts[k] for k in ("tp", "tn", "fp", "fn"))
        rates = maths.div(tn, tn + fp + _SMALL)
        index = argmin(maths.abs(rates - specificity), 0)
        index = maths.cast(index, dtypes.int32)
        return maths.div(tp[index], tp[index] + fn[index] + _SMALL, name)

    return _at_point(
        "sensitivity_at_specificity", 1.0 + _SMALL, compute, (labels, predictions, weights),
        num_thresholds, (metrics_collections, updates_collections), name,
    )  # fmt: skip


@export("metrics.specificity_at_sensitivity")
def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """tn / (tn + fp) at the threshold where tp / (tp + fn) comes nearest to `sensitivity`.

    Among equally near thresholds the highest counts. Gives (value, update). Raises ValueError for
    a sensitivity outside of [0, 1].
    """
    if sensitivity < 0 or sensitivity > 1:
        raise ValueError("`sensitivity` must be in the range [0, 1].")

    def compute(counts: dict[str, Any], name: str) -> Tensor:
        tp, tn, fp, fn = (counts[k] for k in ("tp", "tn", "fp", "fn"))
        rates = maths.div(tp, tp + fn + _SMALL)
        nearest = maths.reduce_min(maths.abs(rates - sensitivity))
        hits = maths.cast(equal(maths.abs(rates - sensitivity), nearest), dtypes.int64)
        # The first place where the running count of hits is highest is the last hit.
        index = maths.cast(argmax(maths.cumsum(hits), 0), dtypes.int32)
        return maths.div(tn[index], tn[index] + fp[index] + _SMALL, name)

    # The last threshold lies below 1 here, in TensorFlow 1.15 too.
    return _at_point(
        "specificity_at_sensitivity", 1.0 - _SMALL, compute, (labels, predictions, weights),
        num_thresholds, (metrics_collections, updates_collections), name,
    )  # fmt: skip
