"""Hooks of Estimators: evaluation while training goes on, stopping by checkpoints."""

from __future__ import annotations

import time
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import Graph, get_default_graph
from relight.v1.estimator.estimator import Estimator, checked_hooks, saved_step
from relight.v1.estimator.evaluation import StopAfterNEvalsHook
from relight.v1.train import training_util
from relight.v1.train.basic_session_run_hooks import SecondOrStepTimer, StopAtStepHook
from relight.v1.train.scaffold import Scaffold
from relight.v1.train.session_run_hook import SessionRunArgs, SessionRunHook


@export("estimator.experimental.InMemoryEvaluatorHook")
class InMemoryEvaluatorHook(SessionRunHook):
    """Evaluates with the variables of the running training, without a checkpoint.

    Args:
      estimator: the Estimator that trains.
      input_fn: gives the data to evaluate with.
      steps: how many batches; None for all.
      hooks: SessionRunHooks of the evaluation.
      name: tells several evaluations apart.
      every_n_iter: evaluate after so many steps; also at the beginning and at the end.

    Raises:
      ValueError: for an interval that is not positive, or several machines.
    """

    def __init__(
        self,
        estimator: Estimator,
        input_fn: Any,
        steps: int | None = None,
        hooks: Any = None,
        name: str | None = None,
        every_n_iter: int = 100,
    ):
        if every_n_iter is None or every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        config = estimator.config
        if config.num_ps_replicas > 0 or config.num_worker_replicas > 1:
            raise ValueError("InMemoryEvaluator supports only single machine (aka Local) setting.")
        self._estimator = estimator
        self._input_fn = input_fn
        self._eval_dir = estimator.eval_dir(name)
        self._hooks = checked_hooks(hooks)
        if steps is not None:
            if steps <= 0:
                raise ValueError(f"Must specify steps > 0, given: {steps}")
            self._hooks.append(StopAfterNEvalsHook(num_evals=steps))
        self._timer = SecondOrStepTimer(every_steps=every_n_iter)

    def begin(self) -> None:
        """Build the graph of the evaluation."""
        self._timer.reset()
        self._iteration = 0
        self._graph = Graph()
        with self._graph.as_default():
            self._scaffold, self._update, self._values, self._all_hooks = (
                self._estimator._build_evaluation(self._input_fn, self._hooks, None)
            )
            if self._scaffold.saver is not None:
                raise ValueError("InMemoryEvaluator does not support custom saver")
            if self._scaffold.init_fn is not None:
                raise ValueError("InMemoryEvaluator does not support custom init_fn")
            self._evaluated = _global_variables()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Evaluate the first values."""
        if get_default_graph().get_collection(GraphKeys.SAVEABLE_OBJECTS):
            raise ValueError(
                "InMemoryEvaluator does not support saveables other than global variables."
            )
        self._trained = {
            name: v for name, v in _global_variables().items() if name in self._evaluated
        }
        self._evaluate(session)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Evaluate when it is time to."""
        self._iteration += 1
        if self._timer.should_trigger_for_step(self._iteration):
            self._evaluate(run_context.session)

    def end(self, session: Any) -> None:
        """Evaluate the last values."""
        self._evaluate(session)

    def _evaluate(self, session: Any) -> None:
        values = session.run(self._trained)

        def load(scaffold: Any, session: Any) -> None:
            for name, value in values.items():
                self._evaluated[name].load(value, session)

        with self._graph.as_default():
            self._estimator._run_evaluation(
                None,
                Scaffold(init_fn=load, copy_from_scaffold=self._scaffold),
                self._update,
                self._values,
                self._all_hooks,
                self._eval_dir,
            )
        self._timer.update_last_triggered_step(self._iteration)


def _global_variables() -> dict[str, Any]:
    found = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)
    return {variable.name: variable for variable in found}


@export("estimator.experimental.make_stop_at_checkpoint_step_hook")
def make_stop_at_checkpoint_step_hook(
    estimator: Estimator, last_step: int, wait_after_file_check_secs: float = 30
) -> SessionRunHook:
    """A hook that ends training at a step; of other workers than the chief, once it is saved."""
    if estimator.config.is_chief:
        return StopAtStepHook(last_step=last_step)
    return _StopAtCheckpointStepHook(estimator.model_dir, last_step, wait_after_file_check_secs)


class _StopAtCheckpointStepHook(SessionRunHook):
    """Stops when the chief has saved a checkpoint of the last step."""

    def __init__(self, model_dir: str, last_step: int, wait_secs: float):
        if last_step is None:
            raise ValueError("last_step must be specified.")
        if model_dir is None:
            raise ValueError("model_dir must be specified.")
        self._model_dir = model_dir
        self._last_step = last_step
        self._wait_secs = wait_secs

    def begin(self) -> None:
        self._step = training_util.get_or_create_global_step_read()
        if self._step is None:
            raise RuntimeError("Global step should be created to use StopAtCheckpointStepHook.")

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results + 1 < self._last_step:
            return
        if saved_step(self._model_dir) >= self._last_step:
            run_context.request_stop()
        else:
            time.sleep(self._wait_secs)
