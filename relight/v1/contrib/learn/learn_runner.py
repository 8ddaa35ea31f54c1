"""`tf.contrib.learn.learn_runner`: makes an Experiment and does what its task is to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.v1 import logging
from relight.v1.contrib.learn.experiment import Experiment
from relight.v1.contrib.learn.run_config import RunConfig
from relight.v1.contrib.training.hparam import HParams


def run(
    experiment_fn: Callable[..., Experiment],
    output_dir: str | None = None,
    schedule: str | None = None,
    run_config: Any = None,
    hparams: Any = None,
) -> Any:
    """Call a method of the Experiment that `experiment_fn` makes.

    Args:
      experiment_fn: a function of `run_config` and `hparams`, or of `output_dir`.
      output_dir: the model's directory; or
      run_config: a `tf.contrib.learn.RunConfig` with a directory.
      schedule: the method's name, "train_and_evaluate" by default.
      hparams: HParams for `experiment_fn`.

    Raises:
      ValueError: for arguments that do not fit together, or an unknown schedule.
      TypeError: for a function that makes something else.
      RuntimeError: when the Estimator does not have this configuration.
    """
    if output_dir is not None and run_config is not None:
        raise ValueError("Cannot provide both `output_dir` and `run_config`")
    if output_dir is None and run_config is None:
        raise ValueError("Must set value for `output_dir` or `run_config`")
    if not callable(experiment_fn):
        raise TypeError(f'Experiment builder "{experiment_fn}" is not callable.')
    if run_config is not None:
        experiment = _with_run_config(experiment_fn, run_config, hparams)
    else:
        if not output_dir:
            raise ValueError("Must specify an output directory")
        if hparams is not None:
            raise ValueError("Must set `hparams` as None for `experiment_fn` with `output_dir`.")
        experiment = _checked(experiment_fn(output_dir=output_dir))
    return _do(experiment, schedule or "train_and_evaluate")


def _checked(experiment: Any) -> Experiment:
    if not isinstance(experiment, Experiment):
        raise TypeError(
            "Experiment builder did not return an Experiment instance, got "
            f"{type(experiment)} instead."
        )
    return experiment


def _with_run_config(experiment_fn: Any, config: Any, hparams: Any) -> Experiment:
    if not isinstance(config, RunConfig):
        raise ValueError("`run_config` must be `tf.contrib.learn.RunConfig` instance")
    if not config.model_dir:
        raise ValueError("Must specify a model directory `model_dir` in `run_config`.")
    if hparams is not None and not isinstance(hparams, HParams):
        raise ValueError("`hparams` must be `HParams` instance")
    expected = config.uid()
    experiment = _checked(experiment_fn(config, hparams))
    found = experiment.estimator.config
    if not hasattr(found, "uid"):
        raise RuntimeError(
            "Pass `run_config` argument of the `experiment_fn` to the Estimator in Experiment. It "
            "is likely a different `RunConfig` is passed to `Estimator` or the `config` "
            "constructor argument in `Estimator` is not set."
        )
    if found.uid() != expected:
        raise RuntimeError(
            "`RunConfig` instance is expected to be used by the `Estimator` inside the "
            f"`Experiment`. expected {expected}, but got {found.uid()}"
        )
    return experiment


def _do(experiment: Experiment, schedule: str) -> Any:
    task = getattr(experiment, schedule, None)
    if callable(task):
        return task()
    valid = [n for n in dir(experiment) if not n.startswith("_")]
    valid = [n for n in valid if callable(getattr(experiment, n))]
    if task is None:
        logging.error("Schedule references non-existent task %s", schedule)
        logging.error("Allowed values for this experiment are: %s", valid)
        raise ValueError(f"Schedule references non-existent task {schedule}")
    logging.error("Schedule references non-callable member %s", schedule)
    logging.error("Allowed values for this experiment are: %s", valid)
    raise TypeError(f"Schedule references non-callable member {schedule}")
