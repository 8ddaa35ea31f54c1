"""`tf.estimator.Estimator`: trains, evaluates and predicts with a model function."""

from __future__ import annotations

import contextlib
import copy
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from relight.graph import errors
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph
from relight.v1 import logging
from relight.v1.estimator import model_fn as model_fn_lib
from relight.v1.estimator import results
from relight.v1.estimator.evaluation import (
    StopAfterNEvalsHook,
    evaluate_once,
    get_or_create_eval_step,
)
from relight.v1.estimator.export import saving
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.estimator.prediction import Predictions
from relight.v1.estimator.run_config import RunConfig, TaskType, get_default_session_config
from relight.v1.estimator.util import fn_args, parse_input_fn_result
from relight.v1.functions.control import group
from relight.v1.functions.framework import set_random_seed
from relight.v1.metrics.means import mean
from relight.v1.summary.summary_ops import scalar
from relight.v1.train import checkpoint_management, checkpoint_utils, training_util
from relight.v1.train.basic_session_run_hooks import (
    CheckpointSaverHook,
    CheckpointSaverListener,
    LoggingTensorHook,
    NanTensorHook,
    StepCounterHook,
    StopAtStepHook,
    SummarySaverHook,
)
from relight.v1.train.checkpoint_reader import NewCheckpointReader
from relight.v1.train.monitored_session import MonitoredTrainingSession
from relight.v1.train.saver import Saver
from relight.v1.train.scaffold import Scaffold
from relight.v1.train.session_run_hook import SessionRunHook
from relight.v1.train.warm_starting import warm_start, warm_start_settings


@export("estimator.Estimator")
class Estimator:
    """Trains, evaluates and predicts with a model, and keeps it in a directory.

    Args:
      model_fn: builds the model: a function of `features` and, as it wishes, of `labels`, `mode`,
        `params` and `config`, that returns an EstimatorSpec.
      model_dir: where checkpoints and events are kept; a temporary directory when neither this nor
        the configuration names one.
      config: a RunConfig.
      params: a dict (or HParams) for `model_fn`.
      warm_start_from: a checkpoint, a SavedModel, or WarmStartSettings, to take first values from.

    An `input_fn`, wherever one is asked for, takes any of `mode`, `params`, `config`, and returns
    features, a pair of features and labels, or a Dataset of either.

    Raises:
      ValueError: when `model_fn` takes other arguments, or when config and `model_dir` disagree.
    """

    def __init__(
        self,
        model_fn: Any,
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        warm_start_from: Any = None,
    ):
        self._assert_members_are_not_overridden()
        self._config = _complete_config(config, model_dir)
        self._model_dir = self._config.model_dir
        self._session_config = self._config.session_config
        logging.info("Using config: %s", str(vars(self._config)))
        self._device_fn = self._config.device_fn
        if model_fn is None:
            raise ValueError("model_fn must be provided to Estimator.")
        model_fn_lib.verify_model_fn_args(model_fn, params)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})
        self._warm_start_settings = warm_start_settings(warm_start_from)
        self._predictions = Predictions()

    @property
    def model_dir(self) -> str:
        """Where checkpoints and events are kept."""
        return self._model_dir

    @property
    def config(self) -> RunConfig:
        """A copy of the configuration."""
        return copy.deepcopy(self._config)

    @property
    def params(self) -> Any:
        """A copy of the parameters."""
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Any:
        """The model function as a function of features, labels, mode and config."""

        def public_model_fn(features: Any, labels: Any, mode: Any, config: Any) -> Any:
            return self._call_model_fn(features, labels, mode, config)

        return public_model_fn

    # -- what has been trained ---------------------------------------------------------------------

    def get_variable_value(self, name: str) -> Any:
        """The value of a variable in the newest checkpoint; ValueError when there is none."""
        self._check_checkpoint_available()
        return checkpoint_utils.load_variable(self.model_dir, name)

    def get_variable_names(self) -> list[str]:
        """The names of all variables in the newest checkpoint; ValueError when there is none."""
        self._check_checkpoint_available()
        return [name for name, _ in checkpoint_utils.list_variables(self.model_dir)]

    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint's files, or None."""
        return checkpoint_management.latest_checkpoint(self.model_dir)

    def _check_checkpoint_available(self) -> None:
        if not self.latest_checkpoint():
            raise ValueError(f"Could not find trained model in model_dir: {self.model_dir}.")

    def eval_dir(self, name: str | None = None) -> str:
        """Where the events of evaluations (of this name) are written."""
        return os.path.join(self._model_dir, "eval_" + name if name else "eval")

    # -- training ----------------------------------------------------------------------------------

    def train(
        self,
        input_fn: Any,
        hooks: Any = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Any = None,
    ) -> Estimator:
        """Train on from the newest checkpoint, and return the Estimator.

        Args:
          input_fn: gives the training data; see Estimator.
          hooks: SessionRunHooks.
          steps: how many steps to train; without it, until the input ends.
          max_steps: the global step to train up to, instead of `steps`.
          saving_listeners: CheckpointSaverListeners.

        Raises:
          ValueError: for both `steps` and `max_steps`, or one that is not positive.
        """
        if self.config.task_type in (TaskType.EVALUATOR, TaskType.PS):
            raise ValueError(
                "Train has been called wrong configuration. Please use "
                "tf.estimator.train_and_evaluate which calls proper API according to given "
                f"configuration. Current configuration: {self.config}."
            )
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        for what, value in (("steps", steps), ("max_steps", max_steps)):
            if value is not None and value <= 0:
                raise ValueError(f"Must specify {what} > 0, given: {value}")
        if max_steps is not None and max_steps <= saved_step(self._model_dir):
            logging.info("Skipping training since max_steps has already saved.")
            return self
        hooks = checked_hooks(hooks)
        if steps is not None or max_steps is not None:
            hooks.append(StopAtStepHook(steps, max_steps))
        listeners = list(saving_listeners or [])
        for listener in listeners:
            if not isinstance(listener, CheckpointSaverListener):
                raise TypeError(
                    f"saving_listeners must be a list of CheckpointSaverListener, given: {listener}"
                )
        loss = self._train_model(input_fn, hooks, listeners)
        logging.info("Loss for final step: %s.", loss)
        return self

    def _train_model(self, input_fn: Any, hooks: list[Any], listeners: list[Any]) -> Any:
        self._predictions.close()
        graph = Graph()
        with graph.as_default(), _device(graph, self._device_fn):
            set_random_seed(self._config.tf_random_seed)
            self._create_and_assert_global_step(graph)
            training_util.get_or_create_global_step_read(graph)
            features, labels, worker_hooks = parse_input_fn_result(
                self._call_input_fn(input_fn, ModeKeys.TRAIN)
            )
            spec = self._call_model_fn(features, labels, ModeKeys.TRAIN, self.config)
            step = training_util.get_global_step(graph)
            return self._train_with_spec(spec, worker_hooks, hooks, step, listeners)

    def _train_with_spec(
        self, spec: Any, worker_hooks: list[Any], hooks: list[Any], step: Any, listeners: list[Any]
    ) -> Any:
        config, graph = self._config, get_default_graph()
        if self._warm_start_settings:
            self._warm_start()
        summaries = graph.get_collection(GraphKeys.SUMMARIES)
        if not any(s.op.name == "loss" for s in summaries):
            scalar("loss", spec.loss)
        graph.add_to_collection(GraphKeys.LOSSES, spec.loss)
        worker_hooks = [*worker_hooks, *hooks, NanTensorHook(spec.loss)]
        if config.log_step_count_steps is not None:
            worker_hooks.append(
                LoggingTensorHook(
                    {"loss": spec.loss, "step": step}, every_n_iter=config.log_step_count_steps
                )
            )
        worker_hooks.extend(spec.training_hooks)
        if not (spec.scaffold.saver or graph.get_collection(GraphKeys.SAVERS)):
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
        chief_hooks = self._saver_hooks(spec, worker_hooks, listeners)
        summary_steps, log_steps = config.save_summary_steps, config.log_step_count_steps
        jobs = config.cluster_spec.jobs if config.cluster_spec else []
        if TaskType.WORKER in jobs and TaskType.MASTER in jobs:
            worker_hooks.extend(self._first_worker_hooks(spec))
            summary_steps, log_steps = 0, None
        with MonitoredTrainingSession(
            master=config.master,
            is_chief=config.is_chief,
            checkpoint_dir=self._model_dir,
            scaffold=spec.scaffold,
            hooks=worker_hooks,
            chief_only_hooks=(*chief_hooks, *spec.training_chief_hooks),
            save_checkpoint_secs=0,  # the saver hook is among the chief's hooks
            save_summaries_steps=summary_steps,
            config=self._session_config,
            max_wait_secs=config.session_creation_timeout_secs,
            log_step_count_steps=log_steps,
        ) as session:
            loss = None
            any_step_done = False
            while not session.should_stop():
                _, loss = session.run([spec.train_op, spec.loss])
                any_step_done = True
        if not any_step_done:
            logging.warning(
                "Training with estimator made no steps. Perhaps input is empty or misspecified."
            )
        return loss

    def _saver_hooks(self, spec: Any, worker_hooks: list[Any], listeners: list[Any]) -> list[Any]:
        """The hook that saves checkpoints, unless the model brings one; listeners join it."""
        config = self._config
        savers = [
            h
            for h in (*worker_hooks, *spec.training_chief_hooks)
            if isinstance(h, CheckpointSaverHook)
        ]
        made = []
        if (config.save_checkpoints_secs or config.save_checkpoints_steps) and not savers:
            hook = CheckpointSaverHook(
                self._model_dir,
                save_secs=config.save_checkpoints_secs,
                save_steps=config.save_checkpoints_steps,
                scaffold=spec.scaffold,
            )
            made, savers = [hook], [hook]
        if listeners and not savers:
            raise ValueError(
                "There should be a CheckpointSaverHook to use saving_listeners. Please set one of "
                "the RunConfig.save_checkpoints_steps or RunConfig.save_checkpoints_secs."
            )
        for listener in listeners:
            if listener not in savers[0]._listeners:
                savers[0]._listeners.append(listener)
        return made

    def _first_worker_hooks(self, spec: Any) -> list[Any]:
        """Where a master saves nothing of this, the first worker writes summaries and speed."""
        config = self._config
        hooks: list[Any] = []
        if config.task_type != TaskType.WORKER or config.task_id != 0:
            return hooks
        if config.save_summary_steps:
            hooks.append(
                SummarySaverHook(
                    save_steps=config.save_summary_steps,
                    output_dir=config.model_dir,
                    scaffold=spec.scaffold,
                )
            )
        if config.log_step_count_steps:
            hooks.append(
                StepCounterHook(
                    every_n_steps=config.log_step_count_steps, output_dir=config.model_dir
                )
            )
        return hooks

    def _warm_start(self) -> None:
        logging.info("Warm-starting with WarmStartSettings: %s", self._warm_start_settings)
        warm_start(*self._warm_start_settings)

    # -- evaluation --------------------------------------------------------------------------------

    def evaluate(
        self,
        input_fn: Any,
        steps: int | None = None,
        hooks: Any = None,
        checkpoint_path: str | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Evaluate a checkpoint: {metric: value}, with "loss" and "global_step".

        Args:
          input_fn: gives the data; see Estimator.
          steps: how many batches; without it, until the input ends.
          hooks: SessionRunHooks.
          checkpoint_path: the newest checkpoint when None; without any the model is initialized.
          name: tells several evaluations apart in the logs and in TensorBoard.

        Raises:
          ValueError: for steps that are not positive.
        """
        hooks = checked_hooks(hooks)
        if steps is not None:
            if steps <= 0:
                raise ValueError(f"Must specify steps > 0, given: {steps}")
            hooks.append(StopAfterNEvalsHook(num_evals=steps))
        if not checkpoint_path:
            checkpoint_path = self.latest_checkpoint()
            if not checkpoint_path:
                logging.info(
                    "Could not find trained model in model_dir: %s, running initialization to "
                    "evaluate.",
                    self._model_dir,
                )
        with Graph().as_default():
            scaffold, update, values, hooks = self._build_evaluation(
                input_fn, hooks, checkpoint_path
            )
            return self._run_evaluation(
                checkpoint_path, scaffold, update, values, hooks, self.eval_dir(name)
            )

    def _run_evaluation(
        self,
        checkpoint_path: str | None,
        scaffold: Any,
        update: Any,
        values: dict[str, Any],
        hooks: list[Any],
        directory: str,
    ) -> dict[str, Any]:
        """Run an evaluation that was built, and write what it finds."""
        found = evaluate_once(
            checkpoint_path=checkpoint_path,
            master=self._config.evaluation_master,
            scaffold=scaffold,
            eval_ops=update,
            final_ops=values,
            hooks=hooks,
            config=self._session_config,
        )
        results.write_metrics(directory, found)
        if checkpoint_path:
            results.write_checkpoint_path(directory, checkpoint_path, found[GraphKeys.GLOBAL_STEP])
        return found

    def _build_evaluation(
        self, input_fn: Any, hooks: list[Any], checkpoint_path: str | None
    ) -> tuple[Any, Any, dict[str, Any], list[Any]]:
        """(scaffold, update operation, {name: value}, hooks) of an evaluation."""
        set_random_seed(self._config.tf_random_seed)
        self._create_and_assert_global_step(get_default_graph())
        features, labels, input_hooks = parse_input_fn_result(
            self._call_input_fn(input_fn, ModeKeys.EVAL)
        )
        spec = self._call_model_fn(features, labels, ModeKeys.EVAL, self.config)
        metrics = spec.eval_metric_ops
        if model_fn_lib.LOSS_METRIC_KEY in metrics:
            raise _reserved(model_fn_lib.LOSS_METRIC_KEY)
        metrics[model_fn_lib.LOSS_METRIC_KEY] = mean(spec.loss)
        in_order = sorted(metrics.items())
        values = {name: metric[0] for name, metric in in_order}
        update = group(*(metric[1] for _, metric in in_order))
        step = training_util.get_global_step(get_default_graph())
        self._maybe_warm_start(checkpoint_path)
        if GraphKeys.GLOBAL_STEP in values:
            raise _reserved(GraphKeys.GLOBAL_STEP)
        values[GraphKeys.GLOBAL_STEP] = step
        scaffold = spec.scaffold
        if scaffold and scaffold.local_init_op:
            # The default one initializes the metrics, and only what exists when it is made.
            get_or_create_eval_step()
            scaffold = Scaffold(
                local_init_op=group(scaffold.local_init_op, Scaffold.default_local_init_op()),
                copy_from_scaffold=scaffold,
            )
        return scaffold, update, values, [*input_hooks, *hooks, *(spec.evaluation_hooks or ())]

    def _maybe_warm_start(self, checkpoint_path: str | None) -> None:
        if not checkpoint_path and self._warm_start_settings:
            self._warm_start()

    # -- prediction --------------------------------------------------------------------------------

    def predict(
        self,
        input_fn: Any,
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: str | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Yield the predictions of a checkpoint, example by example.

        Args:
          input_fn: gives the features; labels, if any, are left aside. See Estimator.
          predict_keys: which of the predictions to compute; all when None.
          hooks: SessionRunHooks.
          checkpoint_path: the newest checkpoint when None; without any the model is initialized.
          yield_single_examples: False yields batches as the model gives them.

        Without hooks, the model and its session are kept: a later call with features of the same
        names, types and shapes on the same checkpoint computes at once.

        Raises:
          ValueError: for predictions of different batch sizes, or unknown `predict_keys`.
        """
        hooks = checked_hooks(hooks)
        if not checkpoint_path:
            checkpoint_path = self.latest_checkpoint()
        if not checkpoint_path:
            logging.info(
                "Could not find trained model in model_dir: %s, running initialization to predict.",
                self._model_dir,
            )
        batches = self._predictions.batches(self, input_fn, predict_keys, hooks, checkpoint_path)
        with contextlib.closing(batches):
            for batch in batches:
                if not yield_single_examples:
                    yield batch
                elif not isinstance(batch, dict):
                    yield from batch
                else:
                    for i in range(_batch_length(batch)):
                        yield {key: value[i] for key, value in batch.items()}

    # -- export ------------------------------------------------------------------------------------

    def export_saved_model(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Any,
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        experimental_mode: Any = ModeKeys.PREDICT,
    ) -> bytes:
        """Write a checkpoint as a SavedModel for serving; its directory, as bytes.

        Args:
          export_dir_base: where a directory named by the time is made.
          serving_input_receiver_fn: gives a ServingInputReceiver.
          assets_extra: {name in `assets.extra`: file that is copied}.
          as_text: write text protos.
          checkpoint_path: the newest checkpoint when None.
          experimental_mode: which of the model's graphs to write.

        Raises:
          ValueError: when there is no checkpoint, or it lacks a variable.
        """
        if not serving_input_receiver_fn:
            raise ValueError("An input_receiver_fn must be defined.")
        return self._export_all_saved_models(
            export_dir_base,
            {experimental_mode: serving_input_receiver_fn},
            assets_extra,
            as_text,
            checkpoint_path,
        )

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Any,
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """The older name of `export_saved_model`."""
        if not serving_input_receiver_fn:
            raise ValueError("An input_receiver_fn must be defined.")
        return self._export_all_saved_models(
            export_dir_base,
            {ModeKeys.PREDICT: serving_input_receiver_fn},
            assets_extra,
            as_text,
            checkpoint_path,
            strip_default_attrs,
        )

    def experimental_export_all_saved_models(
        self,
        export_dir_base: Any,
        input_receiver_fn_map: dict[str, Any],
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
    ) -> bytes:
        """Write one SavedModel with a graph for each mode in `input_receiver_fn_map`."""
        return self._export_all_saved_models(
            export_dir_base, input_receiver_fn_map, assets_extra, as_text, checkpoint_path
        )

    def _export_all_saved_models(
        self,
        export_dir_base: Any,
        input_receiver_fn_map: dict[str, Any],
        assets_extra: dict[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        strip_default_attrs: bool = True,
    ) -> bytes:
        return saving.export_all(
            self,
            export_dir_base,
            input_receiver_fn_map,
            assets_extra,
            as_text,
            checkpoint_path,
            strip_default_attrs,
        )

    # -- the functions of the user -----------------------------------------------------------------

    def _create_global_step(self, graph: Any) -> Any:
        return training_util.create_global_step(graph)

    def _create_and_assert_global_step(self, graph: Any) -> Any:
        step = self._create_global_step(graph)
        assert step is training_util.get_global_step()
        assert step.dtype.is_integer
        return step

    def _call_input_fn(self, input_fn: Any, mode: Any) -> Any:
        names = fn_args(input_fn)
        given: dict[str, Any] = {}
        if "mode" in names:
            given["mode"] = mode
        if "params" in names:
            given["params"] = self.params
        if "config" in names:
            given["config"] = self.config
        with get_default_graph().device("/cpu:0"):
            return input_fn(**given)

    def _call_model_fn(self, features: Any, labels: Any, mode: Any, config: Any) -> Any:
        names = fn_args(self._model_fn)
        given: dict[str, Any] = {}
        if "labels" in names:
            given["labels"] = labels
        elif labels is not None:
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        if "mode" in names:
            given["mode"] = mode
        if "params" in names:
            given["params"] = self.params
        if "config" in names:
            given["config"] = config
        logging.info("Calling model_fn.")
        spec = self._model_fn(features=features, **given)
        logging.info("Done calling model_fn.")
        if not isinstance(spec, model_fn_lib.EstimatorSpec):
            raise ValueError("model_fn should return an EstimatorSpec.")
        return spec

    def _assert_members_are_not_overridden(self) -> None:
        """Subclasses may add to an Estimator, but not change what it does."""
        if type(self).__name__ == "TPUEstimator":
            return
        allowed = {"model_fn", "_create_and_assert_global_step", "_export_all_saved_models"}
        members = {m for m in dir(Estimator) if not m.startswith("__")}
        shared = members & set(type(self).__dict__) - allowed
        changed = [m for m in shared if getattr(Estimator, m) != getattr(type(self), m)]
        if changed:
            raise ValueError(
                "Subclasses of Estimator cannot override members of Estimator. "
                f"{type(self)} does override {changed}"
            )


def _reserved(name: str) -> ValueError:
    ticks = "`" if name == GraphKeys.GLOBAL_STEP else '"'
    return ValueError(
        f"Metric with name {ticks}{name}{ticks} is not allowed, because Estimator already defines "
        "a default metric with the same name."
    )


def _device(graph: Graph, device_fn: Any) -> Any:
    return contextlib.nullcontext() if device_fn is None else graph.device(device_fn)


def checked_hooks(hooks: Any) -> list[Any]:
    """A list of hooks; TypeError for something else among them."""
    hooks = list(hooks or [])
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"Hooks must be a SessionRunHook, given: {hook}")
    return hooks


def _batch_length(batch: dict[str, Any]) -> int:
    length = None
    for key, value in batch.items():
        length = length or value.shape[0]
        if value.shape[0] != length:
            raise ValueError(
                f"Batch length of predictions should be same. {key} has different batch length "
                "than others."
            )
    return length or 0


def saved_step(model_dir: str) -> int:
    """The global step of the newest checkpoint, 0 where there is none that can be read."""
    path = checkpoint_management.latest_checkpoint(model_dir)
    if path is None:
        return 0
    try:
        return int(NewCheckpointReader(path).get_tensor(GraphKeys.GLOBAL_STEP))
    except errors.OpError:
        return 0


def _complete_config(config: Any, model_dir: Any) -> RunConfig:
    """The configuration with a session configuration and a directory."""
    if config is None:
        config = RunConfig()
        logging.info("Using default config.")
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config}.")
    if config.train_distribute or config.eval_distribute:
        raise ValueError(
            "relight trains on one device: RunConfig.train_distribute and eval_distribute must be "
            "None."
        )
    if config.num_ps_replicas > 0:
        raise ValueError(
            "relight trains in one process: TF_CONFIG must not name parameter servers, given: "
            f"{config.cluster_spec}"
        )
    if config.session_config is None:
        config = RunConfig.replace(config, session_config=get_default_session_config())
    if isinstance(model_dir, os.PathLike):
        model_dir = os.fspath(model_dir)
    if model_dir is not None and config.model_dir not in (None, model_dir):
        raise ValueError(
            "`model_dir` are set both in constructor and `RunConfig`, but with different values. "
            f"In constructor: '{model_dir}', in `RunConfig`: '{config.model_dir}' "
        )
    if model_dir:
        return RunConfig.replace(config, model_dir=model_dir)
    if config.model_dir is None:
        model_dir = tempfile.mkdtemp()
        logging.warning("Using temporary folder as model directory: %s", model_dir)
        return RunConfig.replace(config, model_dir=model_dir)
    return config
