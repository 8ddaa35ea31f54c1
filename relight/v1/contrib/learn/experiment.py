"""`tf.contrib.learn.Experiment`: an Estimator with its data, and what to do with both."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from relight.graph.collections import GraphKeys
from relight.v1 import logging
from relight.v1.contrib.learn.estimator import BaseEstimator
from relight.v1.contrib.learn.monitors import ValidationMonitor, replace_monitors_with_hooks
from relight.v1.estimator.estimator import Estimator
from relight.v1.estimator.util import fn_args
from relight.v1.train import checkpoint_management
from relight.v1.train.basic_session_run_hooks import (
    CheckpointSaverHook,
    CheckpointSaverListener,
    GlobalStepWaiterHook,
)


class ExportStrategy(NamedTuple):
    """How a model is exported: a name, and a function of the Estimator and a directory.

    The function takes `checkpoint_path`, `eval_result` and `strip_default_attrs` as it wishes.
    """

    name: str
    export_fn: Callable[..., Any]
    strip_default_attrs: bool | None = None

    def export(
        self,
        estimator: Any,
        export_path: Any,
        checkpoint_path: str | None = None,
        eval_result: Any = None,
    ) -> Any:
        """What the function gives."""
        names = fn_args(self.export_fn)
        given: dict[str, Any] = {}
        if self.strip_default_attrs is not None:
            given["strip_default_attrs"] = self.strip_default_attrs
        if "checkpoint_path" in names:
            given["checkpoint_path"] = checkpoint_path
        if "eval_result" in names:
            given["eval_result"] = eval_result
        return self.export_fn(estimator, export_path, **given)


def _predicate(function: Any) -> Callable[..., bool]:
    """Whether to go on, as a function of metrics and checkpoint."""
    if function is None:
        return lambda eval_results, checkpoint_path: True
    if not callable(function):
        raise ValueError("`continuous_eval_predicate_fn` must be a callable, or None.")
    if "checkpoint_path" in fn_args(function):
        return function
    return lambda eval_results, checkpoint_path: function(eval_results)


class _EvaluateAndExport(CheckpointSaverListener):
    """Evaluates and exports each checkpoint that training saves."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self._latest_path: str | None = None
        self.eval_result: Any = None
        self.export_results: Any = None

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Evaluate and export a new checkpoint."""
        directory = self._experiment.estimator.model_dir
        logging.info("Checking for checkpoint in %s", directory)
        path = checkpoint_management.latest_checkpoint(directory)
        if not path:
            logging.warning("Skipping evaluation and export since model has not been saved yet.")
        elif path == self._latest_path:
            logging.warning("Skipping evaluation due to same latest checkpoint %s.", path)
        else:
            self._latest_path = path
            self.eval_result = self._experiment._evaluate("intermediate_export", path)
            self.export_results = self._experiment._export(self.eval_result, path)


class Experiment:
    """Training and evaluation of an Estimator of `tf.estimator` or `tf.contrib.learn`.

    Args:
      estimator: the Estimator.
      train_input_fn, eval_input_fn: give the data.
      eval_metrics: further metrics, for an Estimator of `tf.contrib.learn`.
      train_steps: the global step to train up to; until the input ends when None.
      eval_steps: how many batches to evaluate; until the input ends when None.
      train_monitors, eval_hooks: monitors or SessionRunHooks.
      local_eval_frequency: `min_eval_frequency` of `local_run`.
      eval_delay_secs: how long to wait before an evaluation.
      continuous_eval_throttle_secs: evaluate at most once in so many seconds.
      min_eval_frequency: look for a new checkpoint every so many steps; 0 for never.
      delay_workers_by_global_step: let later workers wait for steps instead of seconds.
      export_strategies: one ExportStrategy or several.
      train_steps_per_iteration: how long `continuous_train_and_eval` trains at a time.
      checkpoint_and_export: evaluate and export each checkpoint that is saved.
      saving_listeners: CheckpointSaverListeners, for an Estimator of `tf.estimator`.
      check_interval_secs: look for a new checkpoint at most once in so many seconds.

    Raises:
      ValueError: for arguments that do not fit together.
    """

    def __init__(
        self,
        estimator: Any,
        train_input_fn: Any,
        eval_input_fn: Any,
        eval_metrics: Any = None,
        train_steps: int | None = None,
        eval_steps: int | None = 100,
        train_monitors: Any = None,
        eval_hooks: Any = None,
        local_eval_frequency: int | None = None,
        eval_delay_secs: float = 120,
        continuous_eval_throttle_secs: float = 60,
        min_eval_frequency: int | None = None,
        delay_workers_by_global_step: bool = False,
        export_strategies: Any = None,
        train_steps_per_iteration: int | None = None,
        checkpoint_and_export: bool = False,
        saving_listeners: Any = None,
        check_interval_secs: float | None = 5,
    ):
        self._is_core = isinstance(estimator, Estimator)
        if self._is_core and eval_metrics is not None:
            raise ValueError(
                "`eval_metrics` must be `None` with `tf.estimator.Estimator`. Use "
                "`eval_metric_ops` in `tf.estimator.EstimatorSpec` instead."
            )
        if not self._is_core and not isinstance(estimator, BaseEstimator):
            raise ValueError(
                "`estimator` must implement `tf.contrib.learn.Evaluable` or "
                "`tf.estimator.Estimator`."
            )
        if not self._is_core and saving_listeners is not None:
            raise ValueError("`saving_listeners` must be `None` with `tf.contrib.learn.Estimator`.")
        if train_steps_per_iteration is not None and not isinstance(train_steps_per_iteration, int):
            raise ValueError("`train_steps_per_iteration` must be an integer.")
        self._estimator = estimator
        self._train_input_fn = train_input_fn
        self._eval_input_fn = eval_input_fn
        self._eval_metrics = eval_metrics
        self._train_steps = train_steps
        self._eval_steps = eval_steps
        self._local_eval_frequency = local_eval_frequency
        self._eval_delay_secs = eval_delay_secs
        self._throttle_secs = continuous_eval_throttle_secs
        self._checkpoint_and_export = checkpoint_and_export
        self._saving_listeners = saving_listeners
        self._min_eval_frequency = 1 if min_eval_frequency is None else min_eval_frequency
        self._check_interval_secs = check_interval_secs
        self._delay_workers_by_global_step = delay_workers_by_global_step
        self._train_monitors = list(train_monitors or [])
        self._eval_hooks = list(eval_hooks or [])
        self._train_steps_per_iteration = train_steps_per_iteration
        self._export_strategies: tuple[ExportStrategy, ...] = ()
        self.reset_export_strategies(export_strategies)

    @property
    def estimator(self) -> Any:
        """The Estimator."""
        return self._estimator

    @property
    def eval_metrics(self) -> Any:
        """The further metrics."""
        return self._eval_metrics

    @property
    def train_steps(self) -> int | None:
        """The global step to train up to."""
        return self._train_steps

    @property
    def eval_steps(self) -> int | None:
        """How many batches are evaluated."""
        return self._eval_steps

    def extend_train_hooks(self, additional_hooks: Any) -> None:
        """Add monitors or hooks of training."""
        self._train_monitors.extend(additional_hooks)

    def reset_export_strategies(self, new_export_strategies: Any = None) -> tuple[Any, ...]:
        """Take other export strategies; gives those before."""
        before, given = self._export_strategies, new_export_strategies
        if isinstance(given, ExportStrategy):
            given = (given,)
        for strategy in given or ():
            if not isinstance(strategy, ExportStrategy):
                raise ValueError(
                    "`export_strategies` must be an ExportStrategy, an iterable of ExportStrategy, "
                    f"or `None`, found {strategy}."
                )
        self._export_strategies = tuple(given or ())
        return before

    # -- what to do --------------------------------------------------------------------------------

    def train(self, delay_secs: float | None = None) -> Any:
        """Train; workers after the first begin later, unless `delay_secs` says when."""
        hooks: list[Any] = []
        if delay_secs is None:
            task = self._estimator.config.task_id or 0
            if self._delay_workers_by_global_step:
                hooks = [GlobalStepWaiterHook(int(8000.0 * math.log(task + 1)))]
                delay_secs = 0
            else:
                delay_secs = min(60, task * 5)
        if delay_secs > 0:
            logging.info("Waiting %d secs before starting training.", delay_secs)
            time.sleep(delay_secs)
        return self._train([*self._train_monitors, *hooks], max_steps=self._train_steps)

    def evaluate(self, delay_secs: float | None = None, name: str | None = None) -> Any:
        """Evaluate the newest checkpoint after a while."""
        self._wait(delay_secs, "Waiting %d secs before starting eval.")
        return self._evaluate(name or "one_pass")

    def local_run(self) -> Any:
        """`train_and_evaluate` with `local_eval_frequency`."""
        with _kept(self, "_min_eval_frequency"):
            self._min_eval_frequency = self._local_eval_frequency or 0
            return self.train_and_evaluate()

    def train_and_evaluate(self) -> tuple[Any, Any]:
        """Train, evaluating now and then; gives the last metrics and what exports gave."""
        config, listener = self._estimator.config, None
        with _kept(self, "_train_monitors"):
            monitors = list(self._train_monitors)
            secs, steps = config.save_checkpoints_secs, config.save_checkpoints_steps
            if self._checkpoint_and_export and (secs or steps):
                listener = _EvaluateAndExport(self)
                monitors.append(
                    CheckpointSaverHook(
                        checkpoint_dir=self._estimator.model_dir,
                        save_secs=secs,
                        save_steps=steps,
                        listeners=[listener],
                    )
                )
            elif self._min_eval_frequency:
                monitors.append(
                    ValidationMonitor(
                        input_fn=self._eval_input_fn,
                        eval_steps=self._eval_steps,
                        metrics=self._eval_metrics,
                        every_n_steps=self._min_eval_frequency,
                        check_interval_secs=self._check_interval_secs,
                        hooks=self._eval_hooks,
                    )
                )
            self._train_monitors = monitors
            self.train(delay_secs=0)
        if listener is not None:
            return listener.eval_result, listener.export_results
        found = self._evaluate(None)
        return found, self._export(found)

    def continuous_train_and_eval(self, continuous_eval_predicate_fn: Any = None) -> Any:
        """Train a while and evaluate, in turns."""
        goes_on = _predicate(continuous_eval_predicate_fn)
        steps = self._train_steps_per_iteration
        if steps is None:
            steps = 1000 if self._train_steps is None else int(self._train_steps / 10)
        path = found = exported = None
        while goes_on(found, checkpoint_path=path if found else None):
            if self._is_trained(found):
                logging.info("Stop training model as max steps reached")
                break
            logging.info("Training model for %s steps", steps)
            self._train(self._train_monitors, steps=steps)
            logging.info("Evaluating model now.")
            path = checkpoint_management.latest_checkpoint(self._estimator.model_dir)
            found = self._evaluate("one_pass", path)
            exported = self._export(found)
        return found, exported

    def continuous_eval(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        evaluate_checkpoint_only_once: bool = True,
        continuous_eval_predicate_fn: Any = None,
        name: str = "continuous",
    ) -> None:
        """Evaluate and export new checkpoints until training is over."""
        self._evaluate_continuously(
            self._eval_input_fn,
            name,
            delay_secs,
            throttle_delay_secs,
            evaluate_checkpoint_only_once,
            _predicate(continuous_eval_predicate_fn),
            exports=True,
        )

    def continuous_eval_on_train_data(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        continuous_eval_predicate_fn: Any = None,
        name: str = "continuous_on_train_data",
    ) -> None:
        """Evaluate new checkpoints with the training data until training is over."""
        self._evaluate_continuously(
            self._train_input_fn,
            name,
            delay_secs,
            throttle_delay_secs,
            True,
            _predicate(continuous_eval_predicate_fn),
            exports=False,
        )

    def test(self) -> Any:
        """Train and evaluate one step, to see that it works."""
        self._train(self._train_monitors, steps=1)
        found = self._evaluate("one_pass", steps=1, hooks=[])
        self._export(found)
        return found

    # -- how ---------------------------------------------------------------------------------------

    def _wait(self, secs: float | None, message: str) -> None:
        secs = self._eval_delay_secs if secs is None else secs
        if secs:
            logging.info(message, secs)
            time.sleep(secs)

    def _train(
        self, hooks: list[Any], steps: int | None = None, max_steps: int | None = None
    ) -> Any:
        hooks = replace_monitors_with_hooks(hooks, self._estimator)
        given = {"input_fn": self._train_input_fn, "steps": steps, "max_steps": max_steps}
        if self._is_core:
            return self._estimator.train(
                hooks=hooks, saving_listeners=self._saving_listeners, **given
            )
        return self._estimator.fit(monitors=hooks, **given)

    def _evaluate(
        self,
        name: str | None,
        checkpoint_path: str | None = None,
        input_fn: Any = None,
        steps: int | None = None,
        hooks: Any = None,
    ) -> Any:
        given = {
            "input_fn": input_fn or self._eval_input_fn,
            "steps": steps or self._eval_steps,
            "name": name,
            "checkpoint_path": checkpoint_path,
            "hooks": self._eval_hooks if hooks is None else hooks,
        }
        if not self._is_core:
            given["metrics"] = self._eval_metrics
        return self._estimator.evaluate(**given)

    def _export(self, eval_result: Any, checkpoint_path: str | None = None) -> list[Any]:
        base = os.path.join(self._estimator.model_dir, "export").encode()
        return [
            strategy.export(
                self._estimator,
                os.path.join(base, strategy.name.encode()),
                checkpoint_path=checkpoint_path,
                eval_result=eval_result,
            )
            for strategy in self._export_strategies
        ]

    def _is_trained(self, eval_result: Any) -> bool:
        step = (eval_result or {}).get(GraphKeys.GLOBAL_STEP)
        return bool(step and self._train_steps and step >= self._train_steps)

    def _evaluate_continuously(
        self,
        input_fn: Any,
        name: str,
        delay_secs: float | None,
        throttle_secs: float | None,
        only_once: bool,
        goes_on: Callable[..., bool],
        exports: bool,
    ) -> None:
        self._wait(delay_secs, "Waiting %f secs before starting eval.")
        throttle = self._throttle_secs if throttle_secs is None else throttle_secs
        previous: str | None = None
        found: Any = None
        last_warning = 0.0
        while goes_on(found, checkpoint_path=previous):
            if self._is_trained(found):
                logging.info(
                    "Exiting continuous eval, global_step=%s >= train_step=%s",
                    found[GraphKeys.GLOBAL_STEP],
                    self._train_steps,
                )
                return
            start = time.time()
            path = checkpoint_management.latest_checkpoint(self._estimator.model_dir)
            problem = None
            if not path:
                problem = (
                    "Estimator is not fitted yet. Will start an evaluation when a checkpoint is "
                    "ready."
                )
            elif only_once and path == previous:
                problem = "No new checkpoint ready for evaluation."
            if problem:
                found = {}
                if time.time() - last_warning > 600:
                    logging.warning(problem)
                    last_warning = time.time()
            else:
                found = self._evaluate(name, path, input_fn) or {}
                if exports:
                    self._export(found, path)
                last_warning, previous = 0.0, path
            rest = throttle - (time.time() - start)
            if rest > 0:
                logging.info("Waiting %f secs before starting next eval run.", rest)
                time.sleep(rest)


@contextlib.contextmanager
def _kept(holder: Any, attribute: str) -> Iterator[None]:
    """Give an attribute its value back afterwards."""
    value = getattr(holder, attribute)
    try:
        yield
    finally:
        setattr(holder, attribute, value)
