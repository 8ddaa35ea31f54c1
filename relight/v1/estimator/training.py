"""`tf.estimator.train_and_evaluate`: training with an evaluation after each checkpoint."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.v1 import logging
from relight.v1.estimator.estimator import Estimator
from relight.v1.estimator.exporter import Exporter
from relight.v1.estimator.run_config import TaskType
from relight.v1.train.basic_session_run_hooks import CheckpointSaverListener, SecondOrStepTimer
from relight.v1.train.session_run_hook import SessionRunHook


def _check_input_fn(input_fn: Any) -> None:
    if not callable(input_fn):
        raise TypeError(f"`input_fn` must be callable, given: {input_fn}")


def _checked_hooks(hooks: Any) -> tuple[Any, ...]:
    hooks = tuple(hooks or ())
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"All hooks must be `SessionRunHook` instances, given: {hook}")
    return hooks


def _checked_exporters(exporters: Any) -> tuple[Any, ...]:
    if not exporters:
        return ()
    if isinstance(exporters, Exporter):
        exporters = [exporters]
    wrong = TypeError(
        f"`exporters` must be an Exporter, an iterable of Exporter, or `None`, found {exporters}."
    )
    try:
        exporters = tuple(exporters)
    except TypeError:
        raise wrong from None
    names: list[str] = []
    for exporter in exporters:
        if not isinstance(exporter, Exporter):
            raise wrong
        every = [getattr(e, "name", None) for e in exporters]
        if not exporter.name:
            raise ValueError(
                "An Exporter cannot have a name that is `None` or empty. All exporter names: "
                f"{every}"
            )
        if not isinstance(exporter.name, str):
            raise ValueError(f"An Exporter must have a string name. Given: {type(exporter.name)}")
        if exporter.name in names:
            raise ValueError(
                "`exporters` must have unique names. Such a name cannot be `None`. All exporter "
                f"names: {every}"
            )
        names.append(exporter.name)
    return exporters


class _TrainFields(NamedTuple):
    input_fn: Any
    max_steps: Any
    hooks: Any


@export("estimator.TrainSpec")
class TrainSpec(_TrainFields):
    """How to train: the input, the global step to train up to, and SessionRunHooks."""

    __slots__ = ()

    def __new__(cls, input_fn: Any, max_steps: int | None = None, hooks: Any = None) -> TrainSpec:
        _check_input_fn(input_fn)
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        return super().__new__(cls, input_fn, max_steps, _checked_hooks(hooks))


class _EvalFields(NamedTuple):
    input_fn: Any
    steps: Any
    name: Any
    hooks: Any
    exporters: Any
    start_delay_secs: Any
    throttle_secs: Any


@export("estimator.EvalSpec")
class EvalSpec(_EvalFields):
    """How to evaluate: the input, how many batches, and when.

    Args:
      steps: how many batches; None for all.
      name: tells several evaluations apart.
      exporters: Exporters that are called after each evaluation.
      start_delay_secs: how long an evaluator of its own waits at first.
      throttle_secs: evaluate at most once in so many seconds.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Any,
        steps: int | None = 100,
        name: str | None = None,
        hooks: Any = None,
        exporters: Any = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> EvalSpec:
        _check_input_fn(input_fn)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be string, given: {name}")
        hooks, exporters = _checked_hooks(hooks), _checked_exporters(exporters)
        if start_delay_secs < 0:
            raise ValueError(f"Must specify start_delay_secs >= 0, given: {start_delay_secs}")
        if throttle_secs < 0:
            raise ValueError(f"Must specify throttle_secs >= 0, given: {throttle_secs}")
        return super().__new__(
            cls, input_fn, steps, name, hooks, exporters, start_delay_secs, throttle_secs
        )


@export("estimator.train_and_evaluate")
def train_and_evaluate(estimator: Any, train_spec: Any, eval_spec: Any) -> Any:
    """Train, and evaluate each checkpoint that is saved, not more often than `throttle_secs`.

    TF_CONFIG may make this process a chief, a lone worker or an evaluator; without it training and
    evaluation take turns. Gives (the last metrics, the results of the last exports) then.

    Raises:
      TypeError: for specs of the wrong kind.
      ValueError: for a task that relight does not have.
    """
    _check_eval_spec(eval_spec)
    executor = _Executor(estimator, train_spec, eval_spec)
    config = estimator.config
    logging.info("Not using Distribute Coordinator.")
    if config.task_type == TaskType.EVALUATOR and config.task_id > 0:
        raise ValueError(
            "For distributed training, there can only be one `evaluator` task (with task id 0).  "
            f"Given task id {config.task_id}"
        )
    return executor.run()


def _check_eval_spec(eval_spec: Any) -> None:
    if not isinstance(eval_spec, EvalSpec):
        raise TypeError(
            f"`eval_spec` must have type `tf.estimator.EvalSpec`. Got: {type(eval_spec)}"
        )


class _Evaluation(NamedTuple):
    """What became of an attempt to evaluate: the metrics, or why there are none."""

    status: str
    metrics: Any = None
    checkpoint_path: Any = None


_EVALUATED = "evaluated"
_MISSING_CHECKPOINT = "missing checkpoint"
_NO_NEW_CHECKPOINT = "no new checkpoint"


class _Evaluator:
    """Evaluates the newest checkpoint, each one once, and exports it."""

    def __init__(self, estimator: Any, eval_spec: EvalSpec, max_training_steps: int | None):
        self._estimator = estimator
        self._eval_spec = eval_spec
        self._max_training_steps = max_training_steps
        self._previous_path: str | None = None
        self._last_warning_time = 0.0

    def evaluate_and_export(self) -> tuple[_Evaluation, list[Any]]:
        path = self._estimator.latest_checkpoint()
        if not path:
            self._warn(
                "Estimator is not trained yet. Will start an evaluation when a checkpoint is ready."
            )
            return _Evaluation(_MISSING_CHECKPOINT), []
        if path == self._previous_path:
            self._warn(
                "No new checkpoint ready for evaluation. Skip the current evaluation pass as "
                "evaluation results are expected to be same for the same checkpoint."
            )
            return _Evaluation(_NO_NEW_CHECKPOINT), []
        spec = self._eval_spec
        metrics = self._estimator.evaluate(
            input_fn=spec.input_fn,
            steps=spec.steps,
            name=spec.name,
            checkpoint_path=path,
            hooks=spec.hooks,
        )
        final = bool(
            self._max_training_steps and metrics[GraphKeys.GLOBAL_STEP] >= self._max_training_steps
        )
        base = os.path.join(self._estimator.model_dir, "export")
        exports = [
            exporter.export(
                estimator=self._estimator,
                export_path=os.path.join(base, exporter.name),
                checkpoint_path=path,
                eval_result=metrics,
                is_the_final_export=final,
            )
            for exporter in spec.exporters
        ]
        if final:
            logging.debug("Calling exporter with the `is_the_final_export=True`.")
        self._last_warning_time = 0
        self._previous_path = path
        return _Evaluation(_EVALUATED, metrics, path), exports

    def _warn(self, message: str) -> None:
        now = time.time()
        if now - self._last_warning_time > 600:
            logging.warning(message)
            self._last_warning_time = now


class _EvaluateAfterSave(CheckpointSaverListener):
    """Evaluates when a checkpoint was saved, not more often than every so many seconds."""

    def __init__(self, evaluator: _Evaluator, throttle_secs: float):
        self._evaluator = evaluator
        self._throttle_secs = throttle_secs
        self.evaluation: _Evaluation | None = None
        self.exports: Any = None

    def begin(self) -> None:
        """Start the clock."""
        self._timer = SecondOrStepTimer(every_secs=self._throttle_secs)
        self._is_first_save = True

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Evaluate, but not the checkpoint that training starts with."""
        if self._is_first_save:
            self._is_first_save = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            logging.info(
                "Skip the current checkpoint eval due to throttle secs "
                f"({self._throttle_secs} secs)."
            )

    def end(self, session: Any, global_step_value: int) -> None:
        """Evaluate the last checkpoint, unless that has been done."""
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: int) -> None:
        self._timer.update_last_triggered_step(step)
        self.evaluation, self.exports = self._evaluator.evaluate_and_export()
        if self.evaluation.status != _EVALUATED:
            raise RuntimeError(
                "There was no new checkpoint after the training. Eval status: "
                f"{self.evaluation.status}"
            )


class _Executor:
    """Runs what this process's task in a cluster is."""

    def __init__(self, estimator: Any, train_spec: Any, eval_spec: EvalSpec):
        if not isinstance(estimator, Estimator):
            raise TypeError(
                f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}"
            )
        if not isinstance(train_spec, TrainSpec):
            raise TypeError(
                f"`train_spec` must have type `tf.estimator.TrainSpec`. Got: {type(train_spec)}"
            )
        self._estimator = estimator
        self._train_spec = train_spec
        self._eval_spec = eval_spec

    def run(self) -> Any:
        config = self._estimator.config
        if config.task_type == TaskType.EVALUATOR:
            return self._evaluate_forever()
        if not config.cluster_spec:
            logging.info("Running training and evaluation locally (non-distributed).")
            return self._run_local()
        jobs = config.cluster_spec.jobs
        if len(jobs) > 1 or len(config.cluster_spec.job_tasks(jobs[0])) > 1:
            raise ValueError(
                "relight trains in one process: the cluster in TF_CONFIG must have one task, "
                f"given: {config.cluster_spec}"
            )
        logging.info("Skip starting Tensorflow server as there is only one node in the cluster.")
        if config.task_type == TaskType.MASTER:
            self._train([self._listener()])
            return None
        if config.task_type not in (TaskType.CHIEF, TaskType.WORKER):
            raise ValueError(
                f"Task type {config.task_type} is not supported. Supported task types are "
                "['chief', 'evaluator', 'master', 'worker']"
            )
        self._train(None)
        return None

    def _evaluator(self) -> _Evaluator:
        return _Evaluator(self._estimator, self._eval_spec, self._train_spec.max_steps)

    def _listener(self) -> _EvaluateAfterSave:
        return _EvaluateAfterSave(self._evaluator(), self._eval_spec.throttle_secs)

    def _train(self, listeners: list[Any] | None) -> None:
        self._estimator.train(
            input_fn=self._train_spec.input_fn,
            max_steps=self._train_spec.max_steps,
            hooks=list(self._train_spec.hooks),
            saving_listeners=listeners,
        )

    def _run_local(self) -> tuple[Any, Any]:
        config = self._estimator.config
        logging.info(
            "Start train and evaluate loop. The evaluate will happen after every checkpoint. "
            "Checkpoint frequency is determined based on RunConfig arguments: "
            f"save_checkpoints_steps {config.save_checkpoints_steps} or "
            f"save_checkpoints_secs {config.save_checkpoints_secs}."
        )
        listener = self._listener()
        self._train([listener])
        evaluation = listener.evaluation or _Evaluation(_MISSING_CHECKPOINT)
        return evaluation.metrics, listener.exports

    def _evaluate_forever(self) -> None:
        """Evaluate new checkpoints that another process saves, until `max_steps` is reached."""
        delay, throttle = self._eval_spec.start_delay_secs, self._eval_spec.throttle_secs
        if delay:
            logging.info("Waiting %f secs before starting eval.", delay)
            time.sleep(delay)
        evaluator, limit = self._evaluator(), self._train_spec.max_steps
        while True:
            start = time.time()
            evaluation, _ = evaluator.evaluate_and_export()
            rest = throttle - (time.time() - start)
            if rest > 0:
                logging.info("Waiting %f secs before starting next eval run.", rest)
                time.sleep(rest)
            elif throttle == 0 and evaluation.status != _EVALUATED:
                logging.warning(
                    "EvalSpec.throttle_secs is set as 0. This might overload the job before "
                    "finding (next) new checkpoint. Please consider to increase it."
                )
            if evaluation.status == _EVALUATED and limit:
                step = evaluation.metrics.get(GraphKeys.GLOBAL_STEP)
                if step and step >= limit:
                    logging.info(
                        "Exiting evaluation, global_step=%s >= train max_steps=%s", step, limit
                    )
                    return
