"""Hooks that end training early, by what evaluations have found."""

from __future__ import annotations

import collections
import operator
import os
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.v1 import gfile, logging
from relight.v1.estimator.estimator import Estimator
from relight.v1.functions.assign import assign
from relight.v1.functions.init import Constant
from relight.v1.functions.variable_scope import AUTO_REUSE, get_variable, variable_scope
from relight.v1.summary.writer import summary_iterator
from relight.v1.train import training_util
from relight.v1.train.basic_session_run_hooks import SecondOrStepTimer
from relight.v1.train.session_run_hook import SessionRunArgs, SessionRunHook


@export("estimator.experimental.make_early_stopping_hook")
def make_early_stopping_hook(
    estimator: Any,
    should_stop_fn: Callable[[], bool],
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook for training that ends it once `should_stop_fn()` holds.

    The function is asked every so many seconds or steps. TypeError for something that is no
    Estimator, ValueError for both intervals.
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(
            f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}"
        )
    if run_every_secs is not None and run_every_steps is not None:
        raise ValueError("Only one of `run_every_secs` and `run_every_steps` must be set.")
    if estimator.config.is_chief:
        return _StopOnPredicateHook(should_stop_fn, run_every_secs, run_every_steps)
    return _CheckForStoppingHook()


def _beyond_threshold(higher: bool, direction: str) -> Callable[..., SessionRunHook]:
    better = operator.gt if higher else operator.lt

    def hook(
        estimator: Any,
        metric_name: str,
        threshold: float,
        eval_dir: str | None = None,
        min_steps: int = 0,
        run_every_secs: float | None = 60,
        run_every_steps: int | None = None,
    ) -> SessionRunHook:
        directory = estimator.eval_dir() if eval_dir is None else eval_dir

        def should_stop() -> bool:
            for step, metrics in read_eval_metrics(directory).items():
                if step < min_steps:
                    continue
                value = metrics[metric_name]
                if better(value, threshold):
                    logging.info(
                        'At step %s, metric "%s" has value %s which is %s the configured threshold '
                        "(%s) for early stopping.",
                        step,
                        metric_name,
                        value,
                        direction,
                        threshold,
                    )
                    return True
            return False

        return make_early_stopping_hook(estimator, should_stop, run_every_secs, run_every_steps)

    hook.__doc__ = f"""A hook that ends training once a metric is {direction} `threshold`.

    The metric is read from the events in `eval_dir`, the Estimator's by default, of steps from
    `min_steps` on.
    """
    return hook


stop_if_higher_hook = export("estimator.experimental.stop_if_higher_hook")(
    _beyond_threshold(True, "greater than")
)
stop_if_lower_hook = export("estimator.experimental.stop_if_lower_hook")(
    _beyond_threshold(False, "less than")
)


@export("estimator.experimental.stop_if_no_increase_hook")
def stop_if_no_increase_hook(
    estimator: Any,
    metric_name: str,
    max_steps_without_increase: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that ends training when a metric has not grown for so many steps."""
    should_stop = _no_improvement(
        estimator, metric_name, max_steps_without_increase, True, eval_dir, min_steps
    )
    return make_early_stopping_hook(estimator, should_stop, run_every_secs, run_every_steps)


@export("estimator.experimental.stop_if_no_decrease_hook")
def stop_if_no_decrease_hook(
    estimator: Any,
    metric_name: str,
    max_steps_without_decrease: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that ends training when a metric has not fallen for so many steps."""
    should_stop = _no_improvement(
        estimator, metric_name, max_steps_without_decrease, False, eval_dir, min_steps
    )
    return make_early_stopping_hook(estimator, should_stop, run_every_secs, run_every_steps)


def _no_improvement(
    estimator: Any,
    metric_name: str,
    max_steps: int,
    higher: bool,
    eval_dir: str | None,
    min_steps: int,
) -> Callable[[], bool]:
    directory = estimator.eval_dir() if eval_dir is None else eval_dir
    better = operator.gt if higher else operator.lt

    def should_stop() -> bool:
        best, best_step = None, 0
        for step, metrics in read_eval_metrics(directory).items():
            if step < min_steps:
                continue
            value = metrics[metric_name]
            if best is None or better(value, best):
                best, best_step = value, step
            if step - best_step >= max_steps:
                logging.info(
                    'No %s in metric "%s" for %s steps, which is greater than or equal to max '
                    "steps (%s) configured for early stopping.",
                    "increase" if higher else "decrease",
                    metric_name,
                    step - best_step,
                    max_steps,
                )
                return True
        return False

    return should_stop


def read_eval_metrics(eval_dir: str) -> dict[int, dict[str, float]]:
    """{global step: {metric: value}} of the events in a directory, in the order of steps."""
    found: dict[int, dict[str, float]] = collections.defaultdict(dict)
    for event in _events(eval_dir):
        if not event.HasField("summary"):
            continue
        values = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
        if values:
            found[event.step].update(values)
    return collections.OrderedDict(sorted(found.items()))


def _events(eval_dir: str) -> Iterator[Any]:
    if gfile.Exists(eval_dir):
        for path in gfile.Glob(os.path.join(eval_dir, "events.out.tfevents.*")):
            yield from summary_iterator(path)


def _stop_variable() -> Any:
    """The variable that tells other workers to stop."""
    with variable_scope("signal_early_stopping", values=[], reuse=AUTO_REUSE):
        return get_variable(
            name="STOP",
            shape=[],
            dtype=dtypes.bool,
            initializer=Constant(False),
            collections=[GraphKeys.GLOBAL_VARIABLES],
            trainable=False,
        )


class _StopOnPredicateHook(SessionRunHook):
    """Asks a function now and then whether to stop."""

    def __init__(self, should_stop_fn: Any, secs: float | None, steps: int | None):
        if not callable(should_stop_fn):
            raise TypeError("`should_stop_fn` must be callable.")
        self._should_stop_fn = should_stop_fn
        self._timer = SecondOrStepTimer(every_secs=secs, every_steps=steps)

    def begin(self) -> None:
        self._step = training_util.get_global_step()
        self._stop_op = assign(_stop_variable(), True)

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        step = run_values.results
        if not self._timer.should_trigger_for_step(step):
            return
        self._timer.update_last_triggered_step(step)
        if self._should_stop_fn():
            logging.info("Requesting early stopping at global step %d", step)
            run_context.session.run(self._stop_op)
            run_context.request_stop()


class _CheckForStoppingHook(SessionRunHook):
    """Stops once the chief has said so."""

    def begin(self) -> None:
        self._stop = _stop_variable()

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._stop)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results:
            logging.info("Early stopping requested, suspending run.")
            run_context.request_stop()
