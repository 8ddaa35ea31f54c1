"""`tf.contrib.learn.ModelFnOps`: what a model function of that library returns."""

from __future__ import annotations

from typing import Any, NamedTuple

from relight.graph.node import Operation
from relight.graph.shapes import TensorShape
from relight.ops.array_nodes import reshape
from relight.ops.build import convert_to_tensor
from relight.v1.functions.sets import convert_to_tensor_or_sparse_tensor
from relight.v1.train.session_run_hook import SessionRunHook


class ModeKeys:
    """What a model is built for."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"

    @classmethod
    def validate(cls, key: Any) -> None:
        """ValueError for another mode."""
        if key not in (cls.TRAIN, cls.EVAL, cls.INFER):
            raise ValueError(f"Invalid mode {key}.")


class _Fields(NamedTuple):
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: Any
    output_alternatives: Any
    training_chief_hooks: Any
    training_hooks: Any
    scaffold: Any
    mode: Any


class ModelFnOps(_Fields):
    """The operations of a model in one mode.

    Args:
      mode: one of ModeKeys.
      predictions: a tensor or a dict of them; needed to evaluate and to predict.
      loss: a scalar; needed to train and to evaluate.
      train_op: an operation; needed to train.
      eval_metric_ops: {name: (value, update operation) or value}.
      output_alternatives: {name: (kind of problem, {name: tensor})} to serve.
      training_chief_hooks, training_hooks: SessionRunHooks.
      scaffold: a tf.train.Scaffold.

    Raises:
      ValueError: when something needed is missing.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Any = None,
        output_alternatives: Any = None,
        training_chief_hooks: Any = None,
        training_hooks: Any = None,
        scaffold: Any = None,
    ) -> ModelFnOps:
        ModeKeys.validate(mode)
        if train_op is None:
            if mode == ModeKeys.TRAIN:
                raise ValueError("Missing train_op.")
        elif not isinstance(train_op, Operation):
            train_op = convert_to_tensor(train_op).op
        if loss is None:
            if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
                raise ValueError("Missing loss.")
        else:
            loss = convert_to_tensor(loss)
            if loss.shape.num_elements() not in (None, 1):
                raise ValueError(f"Loss must be scalar: {loss}.")
            if not loss.shape.is_compatible_with(TensorShape([])):
                loss = reshape(loss, [])
        if predictions is None:
            if mode in (ModeKeys.INFER, ModeKeys.EVAL):
                raise ValueError("Missing predictions.")
        elif isinstance(predictions, dict):
            predictions = {k: convert_to_tensor_or_sparse_tensor(v) for k, v in predictions.items()}
        else:
            predictions = convert_to_tensor_or_sparse_tensor(predictions)
        if eval_metric_ops is None:
            eval_metric_ops = {}
        elif not isinstance(eval_metric_ops, dict):
            raise ValueError("eval_metric_ops must be a dict.")
        hooks = [list(training_hooks or []), list(training_chief_hooks or [])]
        for hook in hooks[0] + hooks[1]:
            if not isinstance(hook, SessionRunHook):
                raise TypeError(
                    "All hooks returned from model_fn must be SessionRunHook instances, got "
                    f"instance of {type(hook)}: {hook}"
                )
        return super().__new__(
            cls,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=eval_metric_ops,
            output_alternatives=output_alternatives,
            training_chief_hooks=hooks[1],
            training_hooks=hooks[0],
            scaffold=scaffold,
            mode=mode,
        )
