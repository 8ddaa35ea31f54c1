"""`tf.contrib.learn.Estimator`: the Estimator before tf.estimator, of arrays or input functions."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from relight.graph.collections import GraphKeys
from relight.graph.composite import SparseTensorValue
from relight.graph.graph import Graph
from relight.graph.node import Tensor
from relight.v1 import logging
from relight.v1.contrib.layers.feature_columns import infer_real_valued_columns
from relight.v1.contrib.learn.feeding import DataFeeder
from relight.v1.contrib.learn.metric_spec import MetricSpec
from relight.v1.contrib.learn.model_fn import ModeKeys, ModelFnOps
from relight.v1.contrib.learn.monitors import replace_monitors_with_hooks
from relight.v1.contrib.learn.run_config import RunConfig
from relight.v1.estimator import results
from relight.v1.estimator.estimator import saved_step
from relight.v1.estimator.evaluation import StopAfterNEvalsHook, evaluate_once
from relight.v1.estimator.run_config import get_default_session_config
from relight.v1.estimator.util import fn_args
from relight.v1.functions.array import placeholder
from relight.v1.functions.control import group
from relight.v1.functions.framework import set_random_seed
from relight.v1.metrics.means import mean
from relight.v1.train import checkpoint_management, checkpoint_utils, training_util
from relight.v1.train.basic_session_run_hooks import (
    CheckpointSaverHook,
    FeedFnHook,
    LoggingTensorHook,
    NanTensorHook,
    StopAtStepHook,
)
from relight.v1.train.monitored_session import (
    ChiefSessionCreator,
    MonitoredSession,
    MonitoredTrainingSession,
)
from relight.v1.train.saver import Saver
from relight.v1.train.scaffold import Scaffold


class NotFittedError(ValueError, AttributeError):
    """A model was used before it was trained."""


def _check_input(x: Any, y: Any, input_fn: Any, feed_fn: Any, batch_size: Any) -> None:
    if input_fn is None:
        if x is None:
            raise ValueError("Either x or input_fn must be provided.")
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            raise ValueError("Inputs cannot be tensors. Please provide input_fn.")
        if feed_fn is not None:
            raise ValueError("Can not provide both feed_fn and x or y.")
    elif x is not None or y is not None:
        raise ValueError("Can not provide both input_fn and x or y.")
    elif batch_size is not None:
        raise ValueError("Can not provide both input_fn and batch_size.")


def _input_of(
    x: Any, y: Any, input_fn: Any, feed_fn: Any, batch_size: Any, shuffle=False, epochs: Any = 1
) -> tuple[Any, Any]:
    """(input function, feed function or None)."""
    _check_input(x, y, input_fn, feed_fn, batch_size)
    if input_fn is not None:
        return input_fn, feed_fn
    feeder = DataFeeder(x, y, batch_size=batch_size, shuffle=shuffle, epochs=epochs)
    return feeder.input_builder, feeder.feed_dict


def infer_real_valued_columns_from_input_fn(input_fn: Any) -> list[Any]:
    """Columns of numbers for the features that an input function gives."""
    with Graph().as_default():
        features, _ = input_fn()
        return infer_real_valued_columns(features)


def infer_real_valued_columns_from_input(x: Any) -> list[Any]:
    """Columns of numbers for an array [n, numbers], or for each of a dict of arrays."""
    return infer_real_valued_columns_from_input_fn(_input_of(x, None, None, None, None)[0])


class BaseEstimator:
    """Trains, evaluates and predicts with a model that subclasses build."""

    def __init__(self, model_dir: str | None = None, config: Any = None):
        if config is None:
            config = RunConfig()
            logging.info("Using default config.")
        self._config = config
        self._session_config = config.session_config or get_default_session_config()
        if None not in (model_dir, config.model_dir) and model_dir != config.model_dir:
            raise ValueError(
                "model_dir are set both in constructor and RunConfig, but with different values. "
                f"In constructor: '{model_dir}', in RunConfig: '{config.model_dir}' "
            )
        self._model_dir = model_dir or config.model_dir
        if self._model_dir is None:
            self._model_dir = tempfile.mkdtemp()
            logging.warning("Using temporary folder as model directory: %s", self._model_dir)
        if config.model_dir is None:
            self._config = config.replace(model_dir=self._model_dir)
        logging.info("Using config: %s", str(vars(self._config)))
        # What features and labels looked like: (type, shape) of each.
        self._features_info: Any = None
        self._labels_info: Any = None

    @property
    def config(self) -> Any:
        """A copy of the configuration."""
        return copy.deepcopy(self._config)

    @property
    def model_dir(self) -> str:
        """Where checkpoints and events are kept."""
        return self._model_dir

    def get_variable_value(self, name: str) -> Any:
        """The value of a variable in the newest checkpoint."""
        return checkpoint_utils.load_variable(self.model_dir, name)

    def get_variable_names(self) -> list[str]:
        """The names of all variables in the newest checkpoint."""
        return [name for name, _ in checkpoint_utils.list_variables(self.model_dir)]

    # -- to be defined by subclasses ---------------------------------------------------------------

    def _get_train_ops(self, features: Any, labels: Any) -> ModelFnOps:
        raise NotImplementedError

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> ModelFnOps:
        raise NotImplementedError

    def _get_predict_ops(self, features: Any) -> ModelFnOps:
        raise NotImplementedError

    # -- training ----------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int | None = None,
        batch_size: int | None = None,
        monitors: Any = None,
        max_steps: int | None = None,
    ) -> BaseEstimator:
        """Train on from the newest checkpoint, and return the Estimator.

        Args:
          x, y: arrays of examples and labels, for ever in a random order; or
          input_fn: gives features and labels as tensors.
          steps: how many steps; without it, until the input ends.
          batch_size: how many examples of x; all when None.
          monitors: monitors or SessionRunHooks.
          max_steps: the global step to train up to, instead of `steps`.

        Raises:
          ValueError: for both of two alternatives.
        """
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        _check_input(x, y, input_fn, None, batch_size)
        if x is not None:
            SKCompat(self).fit(x, y, batch_size, steps, max_steps, monitors)
            return self
        if max_steps is not None and max_steps <= saved_step(self._model_dir):
            logging.info("Skipping training since max_steps has already saved.")
            return self
        hooks = replace_monitors_with_hooks(monitors, self)
        if steps is not None or max_steps is not None:
            hooks.append(StopAtStepHook(steps, max_steps))
        loss = self._train_model(input_fn, hooks)
        logging.info("Loss for final step: %s.", loss)
        return self

    def partial_fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int = 1,
        batch_size: int | None = None,
        monitors: Any = None,
    ) -> BaseEstimator:
        """`fit` for a few steps; each call begins with the checkpoint of the last."""
        logging.warning(
            "The current implementation of partial_fit is not optimized for use in a loop. "
            "Consider using fit() instead."
        )
        return self.fit(
            x=x, y=y, input_fn=input_fn, steps=steps, batch_size=batch_size, monitors=monitors
        )

    def _train_model(self, input_fn: Any, hooks: list[Any]) -> Any:
        config, graph = self._config, Graph()
        with graph.as_default():
            set_random_seed(config.tf_random_seed)
            step = training_util.create_global_step(graph)
            features, labels = input_fn()
            self._check_inputs(features, labels)
            training_util.get_or_create_global_step_read(graph)
            ops = self._get_train_ops(features, labels)
            graph.add_to_collection(GraphKeys.LOSSES, ops.loss)
            hooks = [
                *hooks,
                NanTensorHook(ops.loss),
                LoggingTensorHook({"loss": ops.loss, "step": step}, every_n_iter=100),
            ]
            scaffold = ops.scaffold or Scaffold()
            if not (scaffold.saver or graph.get_collection(GraphKeys.SAVERS)):
                graph.add_to_collection(
                    GraphKeys.SAVERS,
                    Saver(
                        sharded=True,
                        max_to_keep=config.keep_checkpoint_max,
                        keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
                        defer_build=True,
                        save_relative_paths=True,
                    ),
                )
            chief_hooks = []
            saves = config.save_checkpoints_secs or config.save_checkpoints_steps
            given = [*hooks, *ops.training_hooks, *ops.training_chief_hooks]
            if saves and not any(isinstance(h, CheckpointSaverHook) for h in given):
                chief_hooks = [
                    CheckpointSaverHook(
                        self._model_dir,
                        save_secs=config.save_checkpoints_secs,
                        save_steps=config.save_checkpoints_steps,
                        scaffold=scaffold,
                    )
                ]
            with MonitoredTrainingSession(
                master=config.master,
                is_chief=config.is_chief,
                checkpoint_dir=self._model_dir,
                scaffold=scaffold,
                hooks=[*hooks, *ops.training_hooks],
                chief_only_hooks=[*chief_hooks, *ops.training_chief_hooks],
                save_checkpoint_secs=0,
                save_summaries_steps=config.save_summary_steps,
                max_wait_secs=config.session_creation_timeout_secs,
                config=self._session_config,
            ) as session:
                loss = None
                while not session.should_stop():
                    _, loss = session.run([ops.train_op, ops.loss])
            return loss

    # -- evaluation --------------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
        checkpoint_path: str | None = None,
        hooks: Any = None,
        log_progress: bool = True,
    ) -> Any:
        """Evaluate the newest checkpoint (or another): {metric: value}, with "global_step".

        Args:
          x, y: arrays; or
          input_fn, feed_fn: give features and labels as tensors, and feeds for them.
          batch_size: how many examples of x; all when None.
          steps: how many batches; until the input ends when None.
          metrics: {name: MetricSpec} besides the model's own.
          name: tells several evaluations apart.

        Raises:
          NotFittedError: when there is no checkpoint.
        """
        _check_input(x, y, input_fn, feed_fn, batch_size)
        if x is not None:
            return SKCompat(self).score(x, y, batch_size, steps, metrics, name)
        _check_metrics(metrics)
        return self._evaluate_model(
            input_fn, steps, feed_fn, metrics, name, checkpoint_path, hooks, log_progress
        )

    def _evaluate_model(
        self,
        input_fn: Any,
        steps: int | None,
        feed_fn: Any = None,
        metrics: Any = None,
        name: str | None = "",
        checkpoint_path: str | None = None,
        hooks: Any = None,
        log_progress: bool = True,
    ) -> dict[str, Any]:
        path = checkpoint_path or self._checkpoint()
        directory = os.path.join(self._model_dir, "eval_" + name if name else "eval")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            step = training_util.create_global_step(graph)
            features, labels = input_fn()
            self._check_inputs(features, labels)
            ops = self._get_eval_ops(features, labels, metrics)
            update, values = _updates_and_values(ops.eval_metric_ops)
            hooks = list(hooks or [])
            if feed_fn:
                hooks.append(FeedFnHook(feed_fn))
            if steps == 0:
                logging.warning(
                    "evaluation steps are 0. If `input_fn` does not raise `OutOfRangeError`, the "
                    "evaluation will never stop. Use steps=None if intended."
                )
            if steps:
                hooks.append(StopAfterNEvalsHook(steps, log_progress=log_progress))
            values[GraphKeys.GLOBAL_STEP] = step
            found = evaluate_once(
                checkpoint_path=path,
                master=self._config.evaluation_master,
                scaffold=ops.scaffold,
                eval_ops=update,
                final_ops=values,
                hooks=hooks,
                config=self._session_config,
            )
            results.write_metrics(directory, found)
        return found

    def _checkpoint(self) -> str:
        path = checkpoint_management.latest_checkpoint(self._model_dir)
        if not path:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        return path

    # -- prediction --------------------------------------------------------------------------------

    def predict(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """Predictions of the newest checkpoint: an iterator over examples, or over batches.

        `outputs` chooses among the predictions; `as_iterable=False` gives all at once.
        """
        _check_input(x, None, input_fn, None, batch_size)
        if x is not None and not as_iterable:
            return SKCompat(self).predict(x, batch_size)
        input_fn, feed_fn = _input_of(x, None, input_fn, None, batch_size)
        return self._infer_model(input_fn, feed_fn, outputs, as_iterable, iterate_batches)

    def _infer_model(
        self,
        input_fn: Any,
        feed_fn: Any = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        path = self._checkpoint()
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            training_util.create_global_step(graph)
            given = input_fn()
            features = given[0] if isinstance(given, (list, tuple)) else given
            ops = self._get_predict_ops(features)
            predictions = _chosen_predictions(ops.predictions, outputs)
            session = MonitoredSession(
                session_creator=ChiefSessionCreator(
                    checkpoint_filename_with_path=path,
                    scaffold=ops.scaffold,
                    config=self._session_config,
                )
            )
            if as_iterable:
                return _predicted(session, predictions, feed_fn, iterate_batches)
            with session:
                if not session.should_stop():
                    return session.run(predictions, feed_fn() if feed_fn else None)
        return None

    def _check_inputs(self, features: Any, labels: Any) -> None:
        """Remember the types of the first input; ValueError for another one later."""
        found = _signature(features)
        if self._features_info is None:
            self._features_info = found
        elif not _compatible(found, self._features_info):
            raise ValueError(
                f"Features are incompatible with given information. Given features: {features}, "
                f"required signatures: {self._features_info}."
            )
        if labels is None:
            return
        found = _signature(labels)
        if self._labels_info is None:
            self._labels_info = found
        elif not _compatible(found, self._labels_info):
            raise ValueError(
                f"Labels are incompatible with given information. Given labels: {labels}, required "
                f"signatures: {self._labels_info}."
            )


def _signature(tensors: Any) -> Any:
    if isinstance(tensors, dict):
        return {key: _signature(value) for key, value in tensors.items()}
    return None if tensors is None else (tensors.dtype, tensors.shape)


def _compatible(found: Any, required: Any) -> bool:
    if isinstance(required, dict):
        return isinstance(found, dict) and all(
            key in found and _compatible(found[key], value) for key, value in required.items()
        )
    if found is None or required is None or isinstance(found, dict):
        return found is required
    return found[0] == required[0] and found[1].is_compatible_with(required[1])


def _placeholders(signature: Any) -> Any:
    if isinstance(signature, dict):
        return {key: _placeholders(value) for key, value in signature.items()}
    if signature is None:
        return None
    return placeholder(dtype=signature[0], shape=[None, *signature[1].as_list()[1:]])


def _check_metrics(metrics: Any) -> None:
    if metrics is not None and not isinstance(metrics, dict):
        raise ValueError(f"Metrics argument should be None or dict. Got {metrics}.")


def _updates_and_values(metrics: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    updates, values = [], {}
    for name, metric in metrics.items():
        if isinstance(metric, (list, tuple)) and len(metric) == 2:
            values[name] = metric[0]
            updates.append(metric[1])
        else:
            values[name] = metric
    return group(*updates) if updates else None, values


def _chosen_predictions(predictions: Any, outputs: Any) -> Any:
    if not outputs:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("outputs argument is not valid in case of non-dict predictions.")
    chosen = {key: value for key, value in predictions.items() if key in outputs}
    if not chosen:
        raise ValueError(
            f"Expected to run at least one output from {predictions.keys()}, provided {outputs}."
        )
    return chosen


def _predicted(
    session: Any, predictions: Any, feed_fn: Any, iterate_batches: bool
) -> Iterator[Any]:
    constant = feed_fn is None and not session.graph.get_collection(GraphKeys.QUEUE_RUNNERS)
    with session:
        while not session.should_stop():
            batch = session.run(predictions, feed_fn() if feed_fn else None)
            if iterate_batches:
                yield batch
            elif not isinstance(batch, dict):
                yield from batch
            else:
                first = next(iter(batch.values()))
                sparse = isinstance(first, SparseTensorValue)
                for i in range(first.dense_shape[0] if sparse else first.shape[0]):
                    yield {key: value[i] for key, value in batch.items()}
            if constant:
                return


def _metric_ops(metrics: Any, features: Any, labels: Any, predictions: Any) -> dict[str, Any]:
    """{name: metric} of MetricSpecs, or of functions of predictions and labels."""
    single = (
        next(iter(labels.values())) if isinstance(labels, dict) and len(labels) == 1 else labels
    )
    found: dict[str, Any] = {}
    for name, metric in sorted((metrics or {}).items()):
        if isinstance(metric, MetricSpec):
            found[name] = metric.create_metric_ops(features, labels, predictions)
            continue
        logging.warning(
            "Please specify metrics using MetricSpec. Using bare functions or (key, fn) tuples is "
            "deprecated and support for it will be removed on Oct 1, 2016."
        )
        if not isinstance(name, tuple):
            if isinstance(predictions, dict):
                raise ValueError(
                    "Metrics passed provide only name, no prediction, but predictions are dict. "
                    f"Metrics: {metrics}, Labels: {single}."
                )
            found[name] = metric(predictions, single)
            continue
        if len(name) != 2:
            raise ValueError(
                f"Invalid metric for {name}. It returned a tuple with len {len(name)}, expected 2."
            )
        if not isinstance(predictions, dict):
            raise ValueError(
                "Metrics passed provide (name, prediction), but predictions are not dict. "
                f"Metrics: {metrics}, Predictions: {predictions}."
            )
        label = labels[name[1]] if isinstance(labels, dict) and name[1] in labels else single
        found[name[0]] = metric(predictions[name[1]], label)
    return found


class Estimator(BaseEstimator):
    """Trains, evaluates and predicts with a model function.

    Args:
      model_fn: a function of features and labels, and as it wishes of `mode`, `params`, `config`
        and `model_dir`, that gives ModelFnOps or (predictions, loss, train_op).
      model_dir: where checkpoints and events are kept.
      config: a RunConfig.
      params: a dict for `model_fn`.
      feature_engineering_fn: makes other features and labels of the input's.
    """

    def __init__(
        self,
        model_fn: Any = None,
        model_dir: str | None = None,
        config: Any = None,
        params: Any = None,
        feature_engineering_fn: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ):
        super().__init__(model_dir=model_dir, config=config)
        if model_fn is not None:
            takes_params = "params" in fn_args(model_fn)
            if params is not None and not takes_params:
                raise ValueError(
                    f"Estimator's model_fn ({model_fn}) does not have a params argument, but "
                    f"params ({params}) were passed to the Estimator's constructor."
                )
            if params is None and takes_params:
                logging.warning(
                    "Estimator's model_fn (%s) includes params argument, but params are not passed "
                    "to Estimator.",
                    model_fn,
                )
        self._model_fn = model_fn
        self.params = params
        self._feature_engineering_fn = feature_engineering_fn

    @property
    def model_fn(self) -> Any:
        """The model function as a function of features, labels, mode and config."""
        return lambda features, labels, mode, config: self._call_model_fn(
            features, labels, mode, config=config
        )

    def _call_model_fn(
        self, features: Any, labels: Any, mode: str, metrics: Any = None, config: Any = None
    ) -> ModelFnOps:
        if self._feature_engineering_fn is not None:
            features, labels = self._feature_engineering_fn(features, labels)
        settings = {
            "mode": mode,
            "params": self.params,
            "config": config or self.config,
            "model_dir": self.model_dir,
        }
        names = fn_args(self._model_fn)
        found = self._model_fn(
            features, labels, **{k: v for k, v in settings.items() if k in names}
        )
        if not isinstance(found, ModelFnOps):
            if len(found) != 3:
                raise ValueError(
                    "Unrecognized value returned by model_fn, please return ModelFnOps."
                )
            found = ModelFnOps(mode=mode, predictions=found[0], loss=found[1], train_op=found[2])
        if metrics:
            found.eval_metric_ops.update(_metric_ops(metrics, features, labels, found.predictions))
        return found

    def _get_train_ops(self, features: Any, labels: Any) -> ModelFnOps:
        return self._call_model_fn(features, labels, ModeKeys.TRAIN)

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> ModelFnOps:
        found = self._call_model_fn(features, labels, ModeKeys.EVAL, metrics)
        if "loss" not in found.eval_metric_ops:
            found.eval_metric_ops["loss"] = mean(found.loss)
        return found

    def _get_predict_ops(self, features: Any) -> ModelFnOps:
        return self._call_model_fn(features, _placeholders(self._labels_info), ModeKeys.INFER)


class SKCompat:
    """An Estimator with the methods of scikit-learn: fit, score and predict take arrays."""

    def __init__(self, estimator: BaseEstimator):
        self._estimator = estimator

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """{"estimator": the Estimator}."""
        return {"estimator": self._estimator}

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = 128,
        steps: int | None = None,
        max_steps: int | None = None,
        monitors: Any = None,
    ) -> SKCompat:
        """Train with batches of x and y in a random order."""
        input_fn, feed_fn = _input_of(x, y, None, None, batch_size, shuffle=True, epochs=None)
        hooks = [FeedFnHook(feed_fn), *(monitors or [])]
        self._estimator.fit(input_fn=input_fn, steps=steps, max_steps=max_steps, monitors=hooks)
        return self

    def score(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = 128,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """The metrics of x and y, once through."""
        input_fn, feed_fn = _input_of(x, y, None, None, batch_size)
        _check_metrics(metrics)
        return self._estimator._evaluate_model(
            input_fn, steps, feed_fn=feed_fn, metrics=metrics, name=name
        )

    def predict(self, x: Any, batch_size: int | None = 128, outputs: Any = None) -> Any:
        """The predictions of all examples: an array, or a dict of arrays."""
        input_fn, feed_fn = _input_of(x, None, None, None, batch_size)
        batches = list(
            self._estimator._infer_model(
                input_fn, feed_fn, outputs, as_iterable=True, iterate_batches=True
            )
        )
        if not isinstance(batches[0], dict):
            return np.concatenate(batches, axis=0)
        return {key: np.concatenate([b[key] for b in batches], axis=0) for key in batches[0]}
