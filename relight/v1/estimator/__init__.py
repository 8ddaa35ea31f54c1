# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.estimator`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.estimator import (
    experimental, export, inputs,
)
from relight.v1.estimator.estimator import (
    Estimator,
)
from relight.v1.estimator.exporter import (
    BestExporter, Exporter, FinalExporter, LatestExporter,
)
from relight.v1.estimator.extenders import (
    add_metrics,
)
from relight.v1.estimator.mode_keys import (
    ModeKeys,
)
from relight.v1.estimator.model_fn import (
    EstimatorSpec,
)
from relight.v1.estimator.run_config import (
    RunConfig,
)
from relight.v1.estimator.training import (
    EvalSpec, TrainSpec, train_and_evaluate,
)
from relight.v1.train.basic_session_run_hooks import (
    CheckpointSaverHook, CheckpointSaverListener, FeedFnHook, FinalOpsHook, GlobalStepWaiterHook,
    LoggingTensorHook, NanLossDuringTrainingError, NanTensorHook, ProfilerHook, SecondOrStepTimer,
    StepCounterHook, StopAtStepHook, SummarySaverHook,
)
from relight.v1.train.session_run_hook import (
    SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues,
)
from relight.v1.train.warm_starting import (
    VocabInfo, WarmStartSettings,
)

__getattr__ = missing("tf.estimator")

__all__ = [
    "BestExporter", "CheckpointSaverHook", "CheckpointSaverListener", "Estimator",
    "EstimatorSpec", "EvalSpec", "Exporter", "FeedFnHook", "FinalExporter", "FinalOpsHook",
    "GlobalStepWaiterHook", "LatestExporter", "LoggingTensorHook", "ModeKeys",
    "NanLossDuringTrainingError", "NanTensorHook", "ProfilerHook", "RunConfig",
    "SecondOrStepTimer", "SessionRunArgs", "SessionRunContext", "SessionRunHook",
    "SessionRunValues", "StepCounterHook", "StopAtStepHook", "SummarySaverHook", "TrainSpec",
    "VocabInfo", "WarmStartSettings", "add_metrics", "experimental", "export", "inputs",
    "train_and_evaluate",
]
