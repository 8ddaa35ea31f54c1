"""`tf.estimator.add_metrics`: an Estimator with further evaluation metrics."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.v1.estimator.estimator import Estimator
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.estimator.util import fn_args


@export("estimator.add_metrics")
def add_metrics(estimator: Any, metric_fn: Any) -> Estimator:
    """An Estimator like `estimator` that also evaluates the metrics of `metric_fn`.

    `metric_fn` takes any of features, labels, predictions, config and returns {name: metric};
    ValueError when it takes something else.
    """
    names = fn_args(metric_fn)
    unknown = list(set(names) - {"features", "labels", "predictions", "config"})
    if unknown:
        raise ValueError(f"metric_fn ({metric_fn}) has following not expected args: {unknown}")

    def new_model_fn(features: Any, labels: Any, mode: Any, config: Any) -> Any:
        spec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        given = {
            "features": features,
            "labels": labels,
            "predictions": spec.predictions,
            "config": config,
        }
        metrics = spec.eval_metric_ops or {}
        metrics.update(metric_fn(**{k: v for k, v in given.items() if k in names}))
        return spec._replace(eval_metric_ops=metrics)

    return Estimator(
        model_fn=new_model_fn,
        model_dir=estimator.model_dir,
        config=estimator.config,
        warm_start_from=estimator._warm_start_settings,
    )
