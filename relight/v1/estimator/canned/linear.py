"""Linear estimators: a weighted sum over feature columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant
from relight.v1.estimator.canned.classification import binary_or_multi_class_head
from relight.v1.estimator.canned.dnn import check_features, input_partitioner
from relight.v1.estimator.canned.optimizers import optimizer_instance
from relight.v1.estimator.canned.regression import RegressionHead
from relight.v1.estimator.estimator import Estimator
from relight.v1.feature_column.columns import is_feature_column_v2
from relight.v1.feature_column.linear_model import LinearModel, ScopedLinearModel, expanded
from relight.v1.functions import nest
from relight.v1.functions.control_flow import cond
from relight.v1.functions.math import add_n, to_float
from relight.v1.functions.nn_norm import zero_fraction
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.losses.losses import Reduction
from relight.v1.summary.summary_ops import histogram, scalar
from relight.v1.train.ftrl import FtrlOptimizer

_LEARNING_RATE = 0.2


def _default_optimizer(feature_columns: Any) -> FtrlOptimizer:
    return FtrlOptimizer(min(_LEARNING_RATE, 1.0 / math.sqrt(len(feature_columns))))


def _fraction_of_zeros(variables: list[Any]) -> Tensor:
    """The share of zeros among the elements of all variables; NaN where there are none."""
    with name_scope("zero_fraction"):
        variables = nest.flatten(variables)
        with name_scope("total_size"):
            sizes = [array_nodes.size(v, out_type=dtypes.int64) for v in variables]
            total = add_n(sizes)
        with name_scope("total_zero"):
            zeros = add_n([_zeros_of(v, size) for v, size in zip(variables, sizes, strict=True)])
        with name_scope("compute"):
            fraction = zeros / nodes.cast(total, dtype=dtypes.float32, name="float32_size")
        return array_nodes.identity(fraction, name="zero_fraction_or_nan")


def _zeros_of(variable: Any, size: Tensor) -> Tensor:
    return cond(
        raw.Equal(size, constant(0, dtype=dtypes.int64)),
        true_fn=lambda: constant(0, dtype=dtypes.float32),
        false_fn=lambda: zero_fraction(variable) * to_float(size),
        name="zero_count",
    )


@export("estimator.experimental.linear_logit_fn_builder")
def linear_logit_fn_builder(
    units: int, feature_columns: Any, sparse_combiner: str = "sum"
) -> Callable[..., Tensor]:
    """A function of features that gives a linear model's logits [batch, units]."""

    def linear_logit_fn(features: Any) -> Tensor:
        if is_feature_column_v2(feature_columns):
            model = LinearModel(feature_columns, units, sparse_combiner, name="linear_model")
            logits = model(features)
            bias, variables = expanded([model.bias]), expanded(model.weights)
        else:
            scoped = ScopedLinearModel(feature_columns, units, sparse_combiner)
            logits = scoped(features)
            bias = scoped.cols_to_vars.pop("bias")
            variables = [v for made in scoped.cols_to_vars.values() for v in made]
        if units > 1:
            histogram("bias", bias)
        else:
            scalar("bias", bias[0][0])
        scalar("fraction_of_zero_weights", _fraction_of_zeros(variables))
        return logits

    return linear_logit_fn


def _linear_model_fn(
    head: Any, feature_columns: Any, optimizer: Any, partitioner: Any, sparse_combiner: str
) -> Callable[..., Any]:
    columns = tuple(feature_columns or [])

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        check_features(features)
        with variable_scope(
            "linear",
            values=tuple(features.values()),
            partitioner=partitioner or input_partitioner(config),
        ):
            logit_fn = linear_logit_fn_builder(
                units=head.logits_dimension,
                feature_columns=columns,
                sparse_combiner=sparse_combiner,
            )
            logits = logit_fn(features=features)
            chosen = optimizer_instance(
                optimizer or _default_optimizer(columns), learning_rate=_LEARNING_RATE
            )
            return head.create_estimator_spec(
                features=features, mode=mode, labels=labels, optimizer=chosen, logits=logits
            )

    return model_fn


@export("estimator.LinearClassifier")
class LinearClassifier(Estimator):
    """A linear classifier.

    Args:
      feature_columns: dense and categorical columns.
      model_dir: where checkpoints and events are kept.
      n_classes: the number of classes.
      weight_column: a feature, or a numeric column, with the examples' weights.
      label_vocabulary: the names of the classes, where labels are strings.
      optimizer: an optimizer, a function that makes one, or "Adagrad", "Adam", "Ftrl",
        "RMSProp", "SGD".
      config: a RunConfig.
      partitioner: parts the variables.
      warm_start_from: a checkpoint or WarmStartSettings to take first values from.
      loss_reduction: a `tf.losses.Reduction`.
      sparse_combiner: how the weights of several ids of an example become one.
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ):
        head = binary_or_multi_class_head(
            n_classes, weight_column, label_vocabulary, loss_reduction
        )
        super().__init__(
            model_fn=_linear_model_fn(
                head, feature_columns, optimizer, partitioner, sparse_combiner
            ),
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


@export("estimator.LinearRegressor")
class LinearRegressor(Estimator):
    """A linear regressor: `label_dimension` numbers for each example.

    The other arguments are those of LinearClassifier.
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ):
        head = RegressionHead(weight_column, label_dimension, loss_reduction)
        super().__init__(
            model_fn=_linear_model_fn(
                head, feature_columns, optimizer, partitioner, sparse_combiner
            ),
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


@export("estimator.LinearEstimator")
class LinearEstimator(Estimator):
    """A linear model with a head of one's own.

    The other arguments are those of LinearClassifier.
    """

    def __init__(
        self,
        head: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        sparse_combiner: str = "sum",
    ):
        super().__init__(
            model_fn=_linear_model_fn(
                head, feature_columns, optimizer, partitioner, sparse_combiner
            ),
            model_dir=model_dir,
            config=config,
        )
