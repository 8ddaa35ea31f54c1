"""`tf.estimator.EstimatorSpec`: what a model function returns, checked when it is made."""

from __future__ import annotations

from typing import Any, NamedTuple

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.graph.shapes import TensorShape
from relight.ops.array_nodes import reshape
from relight.v1 import logging
from relight.v1.estimator.export.outputs import with_default_output
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.estimator.util import fn_args, in_default_graph, is_dense_tensor_like
from relight.v1.functions.nest import flatten
from relight.v1.functions.variables import Variable
from relight.v1.train.scaffold import Scaffold
from relight.v1.train.session_run_hook import SessionRunHook

LOSS_METRIC_KEY = "loss"
AVERAGE_LOSS_METRIC_KEY = "average_loss"
_VALID_MODEL_FN_ARGS = {"features", "labels", "mode", "params", "self", "config"}


class _Fields(NamedTuple):
    mode: Any
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: Any
    export_outputs: Any
    training_chief_hooks: Any
    training_hooks: Any
    scaffold: Any
    evaluation_hooks: Any
    prediction_hooks: Any


@export("estimator.EstimatorSpec")
class EstimatorSpec(_Fields):
    """The operations of a model in one mode.

    Args:
      mode: one of `ModeKeys`.
      predictions: a tensor or a dict of them; needed to predict.
      loss: a scalar tensor (or one element); needed to train and to evaluate.
      train_op: an operation; needed to train.
      eval_metric_ops: {name: (value tensor, update operation)}, or Keras metrics.
      export_outputs: {signature name: ExportOutput} for serving.
      training_chief_hooks, training_hooks, evaluation_hooks, prediction_hooks: SessionRunHooks.
      scaffold: a tf.train.Scaffold.

    Raises:
      ValueError: when something needed is missing, or is not of the default graph.
      TypeError: when something is of the wrong kind.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: Any,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Any = None,
        export_outputs: Any = None,
        training_chief_hooks: Any = None,
        training_hooks: Any = None,
        scaffold: Any = None,
        evaluation_hooks: Any = None,
        prediction_hooks: Any = None,
    ) -> EstimatorSpec:
        train_op = _checked_train_op(train_op, mode)
        loss = _checked_loss(loss, mode)
        predictions = _checked_predictions(predictions, mode)
        if mode == ModeKeys.PREDICT:
            export_outputs = with_default_output(export_outputs, predictions)
        return super().__new__(
            cls,
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            export_outputs=export_outputs,
            training_hooks=_checked_hooks(training_hooks),
            evaluation_hooks=_checked_hooks(evaluation_hooks),
            prediction_hooks=_checked_hooks(prediction_hooks),
            training_chief_hooks=_checked_hooks(training_chief_hooks),
            eval_metric_ops=_checked_metrics(eval_metric_ops),
            scaffold=_checked_scaffold(scaffold),
        )

    def _replace(self, **kwds: Any) -> EstimatorSpec:
        """A copy with other fields, checked again. The mode cannot change."""
        if "mode" in kwds and self.mode != kwds["mode"]:
            raise ValueError("mode of EstimatorSpec cannot be changed.")
        fields = [kwds.pop(name, value) for name, value in zip(self._fields, self, strict=True)]
        return EstimatorSpec(*fields)


def _foreign(what: str, name: str) -> ValueError:
    return ValueError(
        f'{what} with "{name}" must be from the default graph. Possible causes of this error '
        f"include: \n\n1) {what} was created outside the context of the default graph.\n\n"
        "2) The object passed through to EstimatorSpec was not created in the most recent call to "
        '"model_fn".'
    )


def _checked_train_op(train_op: Any, mode: Any) -> Any:
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        return None
    if not (isinstance(train_op, Operation) or is_dense_tensor_like(train_op)):
        raise TypeError(f"train_op must be Operation or Tensor, given: {train_op}")
    if isinstance(train_op, Variable):
        train_op = train_op.op
    if not in_default_graph(train_op):
        raise _foreign("train_op", train_op.name)
    return train_op


def _check_is_tensor(value: Any, name: str) -> Any:
    if not is_dense_tensor_like(value):
        raise TypeError(f"{name} must be Tensor, given: {value}")
    return value


def _checked_loss(loss: Any, mode: Any) -> Any:
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        return None
    shape = _check_is_tensor(loss, "loss").shape
    if shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss}")
    if not shape.is_compatible_with(TensorShape([])):
        loss = reshape(loss, [])
    if not in_default_graph(loss):
        raise _foreign("loss", loss.name)
    return loss


def _checked_predictions(predictions: Any, mode: Any) -> Any:
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        return {}
    if isinstance(predictions, dict):
        predictions = {k: _check_is_tensor(v, f"predictions[{k}]") for k, v in predictions.items()}
        for key, value in predictions.items():
            if not in_default_graph(value):
                raise _foreign("prediction values", f"{key}: {value.name}")
        return predictions
    if not in_default_graph(_check_is_tensor(predictions, "predictions")):
        raise _foreign("prediction values", predictions.name)
    return predictions


def _checked_hooks(hooks: Any) -> tuple[Any, ...]:
    hooks = tuple(hooks or ())
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"All hooks must be SessionRunHook instances, given: {hook}")
    return hooks


def _is_keras_metric(value: Any) -> bool:
    return hasattr(value, "updates") and hasattr(value, "result") and hasattr(value, "variables")


def _checked_metrics(metrics: Any) -> dict[str, Any]:
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise TypeError(f"eval_metric_ops must be a dict, given: {metrics}")
    for key, value in metrics.items():
        if _is_keras_metric(value):
            if not value.updates:
                raise ValueError(f'Please call update_state(...) on the "{value.name}" metric')
        elif not isinstance(value, tuple) or len(value) != 2:
            raise TypeError(
                "Values of eval_metric_ops must be (metric_value, update_op) tuples, given: "
                f"{value} for key: {key}"
            )
    added: dict[int, Any] = {}
    for key, value in list(metrics.items()):
        keras = _is_keras_metric(value)
        parts = [*value.updates, value.result()] if keras else flatten(value)
        for part in parts:
            if not in_default_graph(part):
                raise _foreign("eval_metric_ops", f"{key}: {part.name}")
        if keras:
            added.update({id(v): v for v in value.variables})
            metrics[key] = (parts[-1], parts[0])
    graph = get_default_graph()
    for collection in (GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES):
        present = {id(v) for v in graph.get_collection(collection)}
        for variable in added.values():
            if id(variable) not in present:
                graph.add_to_collection(collection, variable)
    return metrics


def _checked_scaffold(scaffold: Any) -> Scaffold:
    scaffold = scaffold or Scaffold()
    if not isinstance(scaffold, Scaffold):
        raise TypeError(f"scaffold must be tf.train.Scaffold. Given: {scaffold}")
    return scaffold


def verify_model_fn_args(model_fn: Any, params: Any) -> None:
    """ValueError unless a model function takes `features` (and `params` where there are any)."""
    names = set(fn_args(model_fn))
    if "features" not in names:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in names:
        raise ValueError(
            f"model_fn ({model_fn}) does not include params argument, but params ({params}) is "
            "passed to Estimator."
        )
    if params is None and "params" in names:
        logging.warning(
            "Estimator's model_fn (%s) includes params argument, but params are not passed to "
            "Estimator.",
            model_fn,
        )
    unknown = list(names - _VALID_MODEL_FN_ARGS)
    if unknown:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {unknown}")


@export("estimator.experimental.call_logit_fn")
def call_logit_fn(logit_fn: Any, features: Any, mode: Any, params: Any, config: Any) -> Any:
    """The logits of a function of features and whichever of mode, params and config it takes.

    Raises ValueError unless it gives a Tensor or a dict from names to Tensors.
    """
    names = fn_args(logit_fn)
    given = {"mode": mode, "params": params, "config": config}
    result = logit_fn(features=features, **{k: v for k, v in given.items() if k in names})
    is_dict = isinstance(result, dict) and all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in result.items()
    )
    if not (is_dict or isinstance(result, Tensor)):
        raise ValueError(
            "logit_fn should return a Tensor or a dictionary mapping strings to Tensors.  "
            f"logit_fn returned: {result}"
        )
    return result
