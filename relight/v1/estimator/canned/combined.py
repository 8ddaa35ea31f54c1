"""Wide and deep estimators: a linear and a deep model whose logits are added."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.v1.estimator.canned.classification import binary_or_multi_class_head
from relight.v1.estimator.canned.dnn import (
    add_layer_summaries,
    check_features,
    dnn_logit_fn_builder,
    input_partitioner,
)
from relight.v1.estimator.canned.linear import linear_logit_fn_builder
from relight.v1.estimator.canned.optimizers import optimizer_instance
from relight.v1.estimator.canned.regression import RegressionHead
from relight.v1.estimator.estimator import Estimator
from relight.v1.functions.assign import assign_add
from relight.v1.functions.control import group
from relight.v1.functions.nn import relu
from relight.v1.functions.partitioned_variables import min_max_variable_partitioner
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.losses.losses import Reduction
from relight.v1.train import training_util
from relight.v1.train.sync_replicas_optimizer import SyncReplicasOptimizer

_DNN_LEARNING_RATE = 0.001
_LINEAR_LEARNING_RATE = 0.005


def _optimizer(given: Any, learning_rate: float) -> Any:
    optimizer = optimizer_instance(given, learning_rate=learning_rate)
    if isinstance(optimizer, SyncReplicasOptimizer):
        raise ValueError(
            "SyncReplicasOptimizer does not support multi optimizers case. Therefore, it is not "
            "supported in DNNLinearCombined model. If you want to use this optimizer, please use "
            "either DNN or Linear model."
        )
    return optimizer


def _check_columns(linear: Any, dnn: Any) -> list[Any]:
    columns = list(linear or []) + list(dnn or [])
    if not columns:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    return columns


class _Part:
    """The logits of one of the two models, and how its variables are trained."""

    def __init__(self, scope: str, logits: Tensor, optimizer: Any):
        self.scope = scope
        self.logits = logits
        self.optimizer = optimizer

    def train_op(self, loss: Tensor) -> Any:
        variables = get_default_graph().get_collection(
            GraphKeys.TRAINABLE_VARIABLES, scope=self.scope
        )
        return self.optimizer.minimize(loss, var_list=variables)


def _combined_model_fn(
    head: Any,
    *,
    linear_feature_columns: Any,
    linear_optimizer: Any,
    dnn_feature_columns: Any,
    dnn_optimizer: Any,
    dnn_hidden_units: Any,
    dnn_activation_fn: Any,
    dnn_dropout: float | None,
    input_layer_partitioner: Any,
    batch_norm: bool = False,
    linear_sparse_combiner: str = "sum",
) -> Callable[..., Any]:
    def dnn_part(features: Any, mode: str, config: Any, partitioner: Any) -> _Part:
        optimizer = _optimizer(dnn_optimizer, _DNN_LEARNING_RATE)
        if not dnn_hidden_units:
            raise ValueError(
                "dnn_hidden_units must be defined when dnn_feature_columns is specified."
            )
        own = min_max_variable_partitioner(max_partitions=config.num_ps_replicas if config else 0)
        with variable_scope("dnn", values=tuple(features.values()), partitioner=own) as scope:
            logit_fn = dnn_logit_fn_builder(
                units=head.logits_dimension,
                hidden_units=dnn_hidden_units,
                feature_columns=dnn_feature_columns,
                activation_fn=dnn_activation_fn,
                dropout=dnn_dropout,
                batch_norm=batch_norm,
                input_layer_partitioner=partitioner,
            )
            return _Part(scope.name, logit_fn(features=features, mode=mode), optimizer)

    def linear_part(features: Any, partitioner: Any) -> _Part:
        rate = min(_LINEAR_LEARNING_RATE, 1.0 / math.sqrt(len(linear_feature_columns)))
        optimizer = _optimizer(linear_optimizer, rate)
        with variable_scope(
            "linear", values=tuple(features.values()), partitioner=partitioner
        ) as scope:
            logit_fn = linear_logit_fn_builder(
                units=head.logits_dimension,
                feature_columns=linear_feature_columns,
                sparse_combiner=linear_sparse_combiner,
            )
            logits = logit_fn(features=features)
            add_layer_summaries(logits, scope.name)
            return _Part(scope.name, logits, optimizer)

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        check_features(features)
        _check_columns(linear_feature_columns, dnn_feature_columns)
        partitioner = input_layer_partitioner or input_partitioner(config)
        parts = []
        if dnn_feature_columns:
            parts.append(dnn_part(features, mode, config, partitioner))
        if linear_feature_columns:
            parts.append(linear_part(features, partitioner))
        logits = parts[0].logits
        if len(parts) == 2:
            logits = logits + parts[1].logits

        def train_op_fn(loss: Tensor) -> Any:
            step = training_util.get_global_step()
            trained = group(*(part.train_op(loss) for part in parts))
            with get_default_graph().control_dependencies([trained]):
                return assign_add(step, 1).op

        return head.create_estimator_spec(
            features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=logits
        )

    return model_fn


@export("estimator.DNNLinearCombinedClassifier")
class DNNLinearCombinedClassifier(Estimator):
    """A linear and a deep classifier, trained together, each by an optimizer of its own.

    At least one of both kinds of columns must be given; the arguments are those of
    LinearClassifier and DNNClassifier.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ):
        self._feature_columns = _check_columns(linear_feature_columns, dnn_feature_columns)
        head = binary_or_multi_class_head(
            n_classes, weight_column, label_vocabulary, loss_reduction
        )
        model_fn = _combined_model_fn(
            head,
            linear_feature_columns=linear_feature_columns,
            linear_optimizer=linear_optimizer,
            dnn_feature_columns=dnn_feature_columns,
            dnn_optimizer=dnn_optimizer,
            dnn_hidden_units=dnn_hidden_units,
            dnn_activation_fn=dnn_activation_fn,
            dnn_dropout=dnn_dropout,
            input_layer_partitioner=input_layer_partitioner,
            batch_norm=batch_norm,
            linear_sparse_combiner=linear_sparse_combiner,
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from
        )


@export("estimator.DNNLinearCombinedRegressor")
class DNNLinearCombinedRegressor(Estimator):
    """A linear and a deep regressor, trained together, each by an optimizer of its own.

    At least one of both kinds of columns must be given; the arguments are those of
    LinearRegressor and DNNRegressor.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ):
        self._feature_columns = _check_columns(linear_feature_columns, dnn_feature_columns)
        model_fn = _combined_model_fn(
            RegressionHead(weight_column, label_dimension, loss_reduction),
            linear_feature_columns=linear_feature_columns,
            linear_optimizer=linear_optimizer,
            dnn_feature_columns=dnn_feature_columns,
            dnn_optimizer=dnn_optimizer,
            dnn_hidden_units=dnn_hidden_units,
            dnn_activation_fn=dnn_activation_fn,
            dnn_dropout=dnn_dropout,
            input_layer_partitioner=input_layer_partitioner,
            batch_norm=batch_norm,
            linear_sparse_combiner=linear_sparse_combiner,
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from
        )


@export("estimator.DNNLinearCombinedEstimator")
class DNNLinearCombinedEstimator(Estimator):
    """A linear and a deep model with a head of one's own.

    At least one of both kinds of columns must be given.
    """

    def __init__(
        self,
        head: Any,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        linear_sparse_combiner: str = "sum",
    ):
        self._feature_columns = _check_columns(linear_feature_columns, dnn_feature_columns)
        model_fn = _combined_model_fn(
            head,
            linear_feature_columns=linear_feature_columns,
            linear_optimizer=linear_optimizer,
            dnn_feature_columns=dnn_feature_columns,
            dnn_optimizer=dnn_optimizer,
            dnn_hidden_units=dnn_hidden_units,
            dnn_activation_fn=dnn_activation_fn,
            dnn_dropout=dnn_dropout,
            input_layer_partitioner=input_layer_partitioner,
            linear_sparse_combiner=linear_sparse_combiner,
        )
        super().__init__(model_fn=model_fn, model_dir=model_dir, config=config)
