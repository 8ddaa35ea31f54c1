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
from relight.v1.estimator.canned.baseline import (
    BaselineClassifier, BaselineEstimator, BaselineRegressor,
)
from relight.v1.estimator.canned.combined import (
    DNNLinearCombinedClassifier, DNNLinearCombinedEstimator, DNNLinearCombinedRegressor,
)
from relight.v1.estimator.canned.dnn import (
    DNNClassifier, DNNEstimator, DNNRegressor,
)
from relight.v1.estimator.canned.linear import (
    LinearClassifier, LinearEstimator, LinearRegressor,
)
from relight.v1.estimator.canned.parsing import (
    classifier_parse_example_spec, regressor_parse_example_spec,
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
    "BaselineClassifier", "BaselineEstimator", "BaselineRegressor", "BestExporter",
    "CheckpointSaverHook", "CheckpointSaverListener", "DNNClassifier", "DNNEstimator",
    "DNNLinearCombinedClassifier", "DNNLinearCombinedEstimator", "DNNLinearCombinedRegressor",
    "DNNRegressor", "Estimator", "EstimatorSpec", "EvalSpec", "Exporter", "FeedFnHook",
    "FinalExporter", "FinalOpsHook", "GlobalStepWaiterHook", "LatestExporter", "LinearClassifier",
    "LinearEstimator", "LinearRegressor", "LoggingTensorHook", "ModeKeys",
    "NanLossDuringTrainingError", "NanTensorHook", "ProfilerHook", "RunConfig",
    "SecondOrStepTimer", "SessionRunArgs", "SessionRunContext", "SessionRunHook",
    "SessionRunValues", "StepCounterHook", "StopAtStepHook", "SummarySaverHook", "TrainSpec",
    "VocabInfo", "WarmStartSettings", "add_metrics", "classifier_parse_example_spec",
    "experimental", "export", "inputs", "regressor_parse_example_spec", "train_and_evaluate",
]
