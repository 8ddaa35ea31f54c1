"""`tf.contrib.learn`: the parts that programs still use."""

from relight.v1._missing import missing
from relight.v1.contrib.learn import datasets, learn_runner, monitors, preprocessing
from relight.v1.contrib.learn.dnn import DNNClassifier, DNNRegressor
from relight.v1.contrib.learn.estimator import (
    BaseEstimator,
    Estimator,
    NotFittedError,
    SKCompat,
    infer_real_valued_columns_from_input,
    infer_real_valued_columns_from_input_fn,
)
from relight.v1.contrib.learn.experiment import Experiment, ExportStrategy
from relight.v1.contrib.learn.head import Head, PredictionKey
from relight.v1.contrib.learn.metric_spec import MetricSpec
from relight.v1.contrib.learn.model_fn import ModeKeys, ModelFnOps
from relight.v1.contrib.learn.run_config import RunConfig

__getattr__ = missing("tf.contrib.learn")

__all__ = [
    "BaseEstimator",
    "DNNClassifier",
    "DNNRegressor",
    "Estimator",
    "Experiment",
    "ExportStrategy",
    "Head",
    "MetricSpec",
    "ModeKeys",
    "ModelFnOps",
    "NotFittedError",
    "PredictionKey",
    "RunConfig",
    "SKCompat",
    "datasets",
    "infer_real_valued_columns_from_input",
    "infer_real_valued_columns_from_input_fn",
    "learn_runner",
    "monitors",
    "preprocessing",
]
