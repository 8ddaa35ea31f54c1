"""`tf.contrib.learn.monitors`: the older kind of hooks."""

from __future__ import annotations

import copy
import time
from typing import Any

from relight.graph.graph import get_default_graph
from relight.v1 import logging
from relight.v1.estimator.estimator import Estimator
from relight.v1.estimator.util import fn_args
from relight.v1.train import checkpoint_management, training_util
from relight.v1.train.session_run_hook import SessionRunArgs, SessionRunHook


class BaseMonitor:
    """Is called around each step of training. Subclasses override what they need."""

    def __init__(self) -> None:
        self._begun = False
        self._current_epoch: int | None = None
        self._current_step: int | None = None
        self._max_steps: int | None = None
        self._estimator: Any = None

    @property
    def run_on_all_workers(self) -> bool:
        """Whether workers other than the chief call the monitor."""
        return False

    def set_estimator(self, estimator: Any) -> None:
        """Tell the Estimator that trains."""
        if estimator is None:
            raise ValueError("Missing estimator.")
        self._estimator = estimator

    def begin(self, max_steps: int | None = None) -> None:
        """Training begins."""
        if self._begun:
            raise ValueError("begin called twice without end.")
        self._max_steps = max_steps
        self._begun = True

    def end(self, session: Any = None) -> None:
        """Training ends."""
        if not self._begun:
            raise ValueError("end called without begin.")
        self._max_steps = None
        self._begun = False

    def epoch_begin(self, epoch: int) -> None:
        """An epoch begins."""
        if self._current_epoch is not None:
            raise ValueError("epoch_begin called twice without epoch_end.")
        if epoch < 0:
            raise ValueError(f"Invalid epoch {epoch}.")
        self._current_epoch = epoch

    def epoch_end(self, epoch: int) -> None:
        """An epoch ends."""
        if self._current_epoch != epoch:
            raise ValueError("epoch_end expected %s but got %s.", self._current_epoch, epoch)
        self._current_epoch = None

    def step_begin(self, step: int) -> list[Any]:
        """What to fetch with this step: tensors or their names."""
        if step < 0 or (self._max_steps is not None and step > self._max_steps):
            raise ValueError(f"Invalid step {step}.")
        self._current_step = step
        return []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        """Take what was fetched; True ends training."""
        if self._current_step != step:
            raise ValueError("step_end expected %s but got %s.", self._current_step, step)
        self._current_step = None
        return False

    def post_step(self, step: int, session: Any) -> None:
        """The step is over; the session may be used."""


class EveryN(BaseMonitor):
    """Is called every so many steps, and in the first ones."""

    def __init__(self, every_n_steps: int = 100, first_n_steps: int = 1):
        super().__init__()
        self._every_n_steps = every_n_steps
        self._first_n_steps = first_n_steps
        self._last_successful_step: int | None = None
        self._last_active_step = 0
        self._every_n_step_begin_called = False

    def every_n_step_begin(self, step: int) -> list[Any]:
        """What to fetch with this step."""
        return []

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Take what was fetched; True ends training."""
        return False

    def every_n_post_step(self, step: int, session: Any) -> None:
        """The step is over."""

    def step_begin(self, step: int) -> list[Any]:
        """Calls `every_n_step_begin` when it is time to."""
        super().step_begin(step)
        due = step <= self._first_n_steps or step >= self._every_n_steps + self._last_active_step
        self._every_n_step_begin_called = due or step == self._max_steps
        return self.every_n_step_begin(step) if self._every_n_step_begin_called else []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        """Calls `every_n_step_end` when it is time to."""
        super().step_end(step, output)
        return self._every_n_step_begin_called and self.every_n_step_end(step, output)

    def post_step(self, step: int, session: Any) -> None:
        """Calls `every_n_post_step` when it is time to."""
        super().post_step(step, session)
        if self._every_n_step_begin_called:
            self.every_n_post_step(step, session)
            self._last_active_step = step
        self._last_successful_step = step

    def end(self, session: Any = None) -> None:
        """Calls `every_n_post_step` once more, unless the last step had it."""
        super().end(session=session)
        if self._last_successful_step != self._last_active_step:
            self.every_n_post_step(self._last_successful_step or 0, session)


class PrintTensor(EveryN):
    """Logs tensors: a dict from tags to names, or a list of names."""

    def __init__(self, tensor_names: Any, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        if not isinstance(tensor_names, dict):
            tensor_names = {item: item for item in tensor_names}
        self._tensor_names = tensor_names

    def every_n_step_begin(self, step: int) -> list[Any]:
        """Fetch the tensors."""
        super().every_n_step_begin(step)
        return list(self._tensor_names.values())

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Log them."""
        super().every_n_step_end(step, outputs)
        shown = [
            f"{tag} = {outputs[name]!s}"
            for tag, name in self._tensor_names.items()
            if name in outputs
        ]
        logging.info("Step %d: %s", step, ", ".join(shown))
        return False


class ValidationMonitor(EveryN):
    """Evaluates new checkpoints while training goes on, and may end it early.

    Args:
      x, y, input_fn, batch_size, eval_steps, metrics, hooks, name: those of `evaluate`.
      every_n_steps: look for a new checkpoint every so many steps, but not more often than every
        `check_interval_secs` seconds.
      early_stopping_rounds: stop when `early_stopping_metric` did not improve for so many steps.
      early_stopping_metric_minimize: whether smaller is better.
    """

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        eval_steps: int | None = None,
        every_n_steps: int = 100,
        metrics: Any = None,
        hooks: Any = None,
        early_stopping_rounds: int | None = None,
        early_stopping_metric: str = "loss",
        early_stopping_metric_minimize: bool = True,
        name: str | None = None,
        check_interval_secs: float | None = 5,
    ):
        super().__init__(every_n_steps=every_n_steps, first_n_steps=-1)
        if x is None and input_fn is None:
            raise ValueError("Either x or input_fn should be provided.")
        self.x, self.y, self.input_fn = x, y, input_fn
        self.batch_size = batch_size
        self.eval_steps = eval_steps
        self.metrics = metrics
        self.hooks = hooks
        self.early_stopping_rounds = early_stopping_rounds
        self.early_stopping_metric = early_stopping_metric
        self.early_stopping_metric_minimize = early_stopping_metric_minimize
        self.name = name
        self._best_value_step: int | None = None
        self._best_value: Any = None
        self._best_metrics: Any = None
        self._early_stopped = False
        self._latest_path: str | None = None
        self._latest_path_step: int | None = None
        self._last_check: float | None = None
        self._check_interval_secs = check_interval_secs

    @property
    def early_stopped(self) -> bool:
        """Whether the monitor ended training."""
        return self._early_stopped

    @property
    def best_step(self) -> int | None:
        """The step with the best value."""
        return self._best_value_step

    @property
    def best_value(self) -> Any:
        """The best value of the metric."""
        return self._best_value

    @property
    def best_metrics(self) -> Any:
        """All metrics at the step with the best value."""
        return self._best_metrics

    def _evaluate(self) -> dict[str, Any]:
        if isinstance(self._estimator, Estimator):
            if any(v is not None for v in (self.x, self.y, self.batch_size, self.metrics)):
                raise ValueError(
                    "tf.estimator.Estimator does not support following arguments: x, y, "
                    "batch_size, metrics. Should set as `None` in ValidationMonitor"
                )
            return self._estimator.evaluate(
                input_fn=self.input_fn, steps=self.eval_steps, hooks=self.hooks, name=self.name
            )
        return self._estimator.evaluate(
            x=self.x,
            y=self.y,
            input_fn=self.input_fn,
            batch_size=self.batch_size,
            steps=self.eval_steps,
            metrics=self.metrics,
            hooks=self.hooks,
            name=self.name,
        )

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Evaluate a new checkpoint."""
        super().every_n_step_end(step, outputs)
        if self._estimator is None:
            raise ValueError("Missing call to set_estimator.")
        now, interval = time.time(), self._check_interval_secs
        if None not in (interval, self._last_check) and now - self._last_check <= interval:
            logging.debug(
                "Skipping evaluation since less than %d seconds have passed since last check for a "
                "new checkpoint.",
                interval,
            )
            return False
        self._last_check = now
        path = checkpoint_management.latest_checkpoint(self._estimator.model_dir)
        if path is None:
            logging.debug(
                "Skipping evaluation since model has not been saved yet at step %d.", step
            )
            return False
        if path == self._latest_path:
            logging.debug(
                "Skipping evaluation due to same checkpoint %s for step %d as for step %d.",
                path,
                step,
                self._latest_path_step,
            )
            return False
        self._latest_path, self._latest_path_step = path, step
        found = self._evaluate()
        shown = ", ".join(f"{name} = {value!s}" for name, value in found.items())
        logging.info("Validation (step %d): %s", step, shown)
        return self.early_stopping_rounds is not None and self._is_over(step, found)

    def _is_over(self, step: int, found: dict[str, Any]) -> bool:
        metric = self.early_stopping_metric
        if metric not in found:
            raise ValueError(f"Metric {metric} missing from outputs {set(found)}.")
        value = found[metric]
        if self._best_value is None or (
            value < self._best_value
            if self.early_stopping_metric_minimize
            else value > self._best_value
        ):
            self._best_value = value
            self._best_metrics = copy.deepcopy(found)
            self._best_value_step = step
        if step - (self._best_value_step or 0) < (self.early_stopping_rounds or 0):
            return False
        logging.info(
            f"Stopping. Best step: {self._best_value_step} with {metric} = {self._best_value}."
        )
        self._early_stopped = True
        return True


class StopAtStep(BaseMonitor):
    """Ends training after so many steps, or at a step."""

    def __init__(self, num_steps: int | None = None, last_step: int | None = None):
        super().__init__()
        if (num_steps is None) == (last_step is None):
            raise ValueError("One of num_steps or last_step must be specified.")
        self._num_steps = num_steps
        self._last_step = last_step

    @property
    def run_on_all_workers(self) -> bool:
        """True."""
        return True

    def step_begin(self, step: int) -> list[Any]:
        """Count from the first step."""
        super().step_begin(step)
        if self._last_step is None:
            self._last_step = step + (self._num_steps or 0) - 1
        return []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        """True at the last step."""
        super().step_end(step, output)
        return step >= (self._last_step or 0)


class RunHookAdapterForMonitors(SessionRunHook):
    """Monitors as a hook."""

    def __init__(self, monitors: list[Any]):
        self._monitors = monitors

    def begin(self) -> None:
        """Begin with all monitors."""
        self._last_step: int | None = None
        self._global_step = training_util.get_global_step()
        for monitor in self._monitors:
            monitor.begin(max_steps=None)

    def before_run(self, run_context: Any) -> SessionRunArgs:
        """Ask the monitors what to fetch."""
        if self._last_step is None:
            self._last_step = run_context.session.run(self._global_step) + 1
        wanted: dict[Any, Any] = {}
        for monitor in self._monitors:
            requests = monitor.step_begin(self._last_step)
            if requests and not isinstance(requests, list):
                raise ValueError("Monitor.step_begin should return a list.")
            wanted.update({request: _element(request) for request in requests or []})
        request = {"global_step": self._global_step}
        if wanted:
            request["monitors"] = wanted
        return SessionRunArgs(request)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Hand out what was fetched."""
        found = run_values.results.get("monitors", {})
        for monitor in self._monitors:
            if monitor.step_end(self._last_step, found):
                run_context.request_stop()
        for monitor in self._monitors:
            monitor.post_step(self._last_step, run_context.session)
        self._last_step = run_values.results["global_step"] + 1

    def end(self, session: Any) -> None:
        """End with all monitors."""
        self._last_step = None
        for monitor in self._monitors:
            if "session" in fn_args(monitor.end):
                monitor.end(session=session)
            else:
                monitor.end()


def replace_monitors_with_hooks(monitors_or_hooks: Any, estimator: Any) -> list[Any]:
    """Hooks as they are, and one hook for all monitors among them."""
    given = list(monitors_or_hooks or [])
    hooks = [m for m in given if isinstance(m, SessionRunHook)]
    monitors = [m for m in given if not isinstance(m, SessionRunHook)]
    if not estimator.config.is_chief:
        monitors = [m for m in monitors if m.run_on_all_workers]
    for monitor in monitors:
        monitor.set_estimator(estimator)
    if monitors:
        hooks.append(RunHookAdapterForMonitors(monitors))
    return hooks


def _element(request: Any) -> Any:
    graph = get_default_graph()
    if not isinstance(request, str):
        if getattr(request, "graph", None) is not graph:
            raise ValueError(
                f"Passed {request} should have graph attribute that is equal to current graph "
                f"{graph}."
            )
        return request
    return graph.as_graph_element(request if ":" in request else request + ":0")
