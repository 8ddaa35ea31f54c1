"""`tf.contrib.estimator`: heads for tf.estimator's DNNEstimator, LinearEstimator and the like."""

from relight.v1._missing import missing
from relight.v1.contrib.estimator.heads import (
    binary_classification_head,
    logistic_regression_head,
    multi_class_head,
    poisson_regression_head,
    regression_head,
)
from relight.v1.contrib.estimator.multi_label import multi_label_head
from relight.v1.estimator.canned.dnn import dnn_logit_fn_builder
from relight.v1.estimator.canned.linear import linear_logit_fn_builder
from relight.v1.estimator.export.receivers import build_raw_supervised_input_receiver_fn
from relight.v1.estimator.extenders import add_metrics
from relight.v1.estimator.model_fn import call_logit_fn

__getattr__ = missing("tf.contrib.estimator")

__all__ = [
    "add_metrics",
    "binary_classification_head",
    "build_raw_supervised_input_receiver_fn",
    "call_logit_fn",
    "dnn_logit_fn_builder",
    "linear_logit_fn_builder",
    "logistic_regression_head",
    "multi_class_head",
    "multi_label_head",
    "poisson_regression_head",
    "regression_head",
]
