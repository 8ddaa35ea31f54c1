"""Deep estimators: fully connected layers over dense feature columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.v1.estimator.canned.classification import binary_or_multi_class_head
from relight.v1.estimator.canned.optimizers import optimizer_instance
from relight.v1.estimator.canned.regression import RegressionHead
from relight.v1.estimator.estimator import Estimator
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.feature_column.columns import is_feature_column_v2
from relight.v1.feature_column.input_layer import DenseFeatures, joined_columns
from relight.v1.functions.init import GlorotUniform
from relight.v1.functions.nn import relu
from relight.v1.functions.nn_norm import zero_fraction
from relight.v1.functions.partitioned_variables import min_max_variable_partitioner
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.layers.base_layer import as_tensors
from relight.v1.layers.core import Dense, Dropout
from relight.v1.layers.normalization import BatchNormalization
from relight.v1.losses.losses import Reduction
from relight.v1.summary.summary_ops import histogram, scalar

_LEARNING_RATE = 0.05
# Embedding tables below this size are not parted among parameter servers.
_MIN_SLICE_SIZE = 64 << 20


def add_layer_summaries(value: Tensor, tag: str) -> None:
    """A layer's activations, and how many of them are zero, for TensorBoard."""
    scalar(f"{tag}/fraction_of_zero_values", zero_fraction(value))
    histogram(f"{tag}/activation", value)


def check_features(features: Any) -> None:
    """ValueError unless features are a dict."""
    if not isinstance(features, dict):
        raise ValueError(
            f"features should be a dictionary of `Tensor`s. Given type: {type(features)}"
        )


def input_partitioner(config: Any) -> Any:
    """How the variables of an input layer are parted."""
    return min_max_variable_partitioner(
        max_partitions=config.num_ps_replicas if config else 0, min_slice_size=_MIN_SLICE_SIZE
    )


class _DNNModel:
    """Layers in the current variable scope, which they are named after."""

    def __init__(
        self,
        units: int,
        hidden_units: Any,
        feature_columns: Any,
        activation_fn: Any,
        dropout: float | None,
        input_layer_partitioner: Any,
        batch_norm: bool,
    ):
        self._feature_columns = feature_columns
        self._input_layer: Any = None
        if is_feature_column_v2(feature_columns):
            self._input_layer = DenseFeatures(feature_columns, name="input_layer")
        self._partitioner = input_layer_partitioner
        self._hidden: list[tuple[str, Dense, Any, Any]] = []
        for i, count in enumerate(hidden_units):
            with variable_scope(f"hiddenlayer_{i}") as scope:
                dense = _dense(count, activation_fn, scope)
                dropped = None if dropout is None else Dropout(rate=dropout)
                normalized = None
                if batch_norm:
                    normalized = BatchNormalization(
                        momentum=0.999,
                        trainable=True,
                        name=f"batchnorm_{i}",
                        _scope=f"batchnorm_{i}",
                    )
                    normalized._use_resource_variables = True
                self._hidden.append((scope.name, dense, dropped, normalized))
        with variable_scope("logits") as scope:
            self._logits = _dense(units, None, scope)
            self._logits_scope = scope.name

    def __call__(self, features: Any, mode: str) -> Tensor:
        """{name: tensor} -> logits [batch, units]."""
        training = mode == ModeKeys.TRAIN
        features = as_tensors(features)
        # The model's own scope of names is opened, but its nodes are named as the variables are.
        with name_scope("dnn"), name_scope(_enclosing_name_scope()):
            with variable_scope("input_from_feature_columns", partitioner=self._partitioner):
                net = self._input(features)
            for scope_name, dense, dropout, normalization in self._hidden:
                net = dense(net)
                if dropout is not None and training:
                    net = dropout(net, training=True)
                if normalization is not None:
                    net = normalization(net, training=training)
                add_layer_summaries(net, scope_name)
            logits = self._logits(net)
            add_layer_summaries(logits, self._logits_scope)
        return logits

    def _input(self, features: Any) -> Tensor:
        if self._input_layer is not None:
            return self._input_layer(features)
        with variable_scope(None, "input_layer"):
            return joined_columns(features, self._feature_columns)


def _enclosing_name_scope() -> str:
    return get_default_graph().get_name_scope().rsplit("/", 1)[0] + "/"


def _dense(units: int, activation: Any, scope: Any) -> Dense:
    layer = Dense(
        units=units,
        activation=activation,
        kernel_initializer=GlorotUniform(),
        name=scope,
        _scope=scope,
    )
    layer._use_resource_variables = True
    return layer


@export("estimator.experimental.dnn_logit_fn_builder")
def dnn_logit_fn_builder(
    units: int,
    hidden_units: Any,
    feature_columns: Any,
    activation_fn: Any,
    dropout: float | None,
    input_layer_partitioner: Any,
    batch_norm: bool,
) -> Callable[..., Tensor]:
    """A function of features and mode that gives a deep model's logits [batch, units]."""
    if not isinstance(units, int):
        raise ValueError(f"units must be an int.  Given type: {type(units)}")

    def dnn_logit_fn(features: Any, mode: str) -> Tensor:
        model = _DNNModel(
            units,
            hidden_units,
            feature_columns,
            activation_fn,
            dropout,
            input_layer_partitioner,
            batch_norm,
        )
        return model(features, mode)

    return dnn_logit_fn


def dnn_model_fn(head: Any, **settings: Any) -> Callable[..., Any]:
    """The model function of a deep model with a head."""
    columns = tuple(settings.pop("feature_columns") or [])

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        optimizer = optimizer_instance(settings["optimizer"], learning_rate=_LEARNING_RATE)
        check_features(features)
        partitioner = min_max_variable_partitioner(
            max_partitions=config.num_ps_replicas if config else 0
        )
        with variable_scope("dnn", values=tuple(features.values()), partitioner=partitioner):
            logit_fn = dnn_logit_fn_builder(
                units=head.logits_dimension,
                hidden_units=settings["hidden_units"],
                feature_columns=columns,
                activation_fn=settings["activation_fn"],
                dropout=settings["dropout"],
                input_layer_partitioner=settings["input_layer_partitioner"]
                or input_partitioner(config),
                batch_norm=settings["batch_norm"],
            )
            logits = logit_fn(features=features, mode=mode)
            return head.create_estimator_spec(
                features=features, mode=mode, labels=labels, optimizer=optimizer, logits=logits
            )

    return model_fn


@export("estimator.DNNClassifier")
class DNNClassifier(Estimator):
    """A classifier of fully connected layers.

    Args:
      hidden_units: the sizes of the hidden layers.
      feature_columns: dense columns.
      model_dir: where checkpoints and events are kept.
      n_classes: the number of classes.
      weight_column: a feature, or a numeric column, with the examples' weights.
      label_vocabulary: the names of the classes, where labels are strings.
      optimizer: an optimizer, a function that makes one, or "Adagrad", "Adam", "Ftrl",
        "RMSProp", "SGD".
      activation_fn: of the hidden layers.
      dropout: the share of a hidden layer's outputs that training drops.
      input_layer_partitioner: parts the variables of the input layer.
      config: a RunConfig.
      warm_start_from: a checkpoint or WarmStartSettings to take first values from.
      loss_reduction: a `tf.losses.Reduction`.
      batch_norm: whether hidden layers are batch-normalized.
    """

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ):
        head = binary_or_multi_class_head(
            n_classes, weight_column, label_vocabulary, loss_reduction
        )
        model_fn = dnn_model_fn(
            head,
            hidden_units=hidden_units,
            feature_columns=feature_columns,
            optimizer=optimizer,
            activation_fn=activation_fn,
            dropout=dropout,
            input_layer_partitioner=input_layer_partitioner,
            batch_norm=batch_norm,
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from
        )


@export("estimator.DNNRegressor")
class DNNRegressor(Estimator):
    """A regressor of fully connected layers: `label_dimension` numbers for each example.

    The other arguments are those of DNNClassifier.
    """

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ):
        head = RegressionHead(weight_column, label_dimension, loss_reduction)
        model_fn = dnn_model_fn(
            head,
            hidden_units=hidden_units,
            feature_columns=feature_columns,
            optimizer=optimizer,
            activation_fn=activation_fn,
            dropout=dropout,
            input_layer_partitioner=input_layer_partitioner,
            batch_norm=batch_norm,
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from
        )


@export("estimator.DNNEstimator")
class DNNEstimator(Estimator):
    """Fully connected layers with a head of one's own.

    The other arguments are those of DNNClassifier.
    """

    def __init__(
        self,
        head: Any,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        batch_norm: bool = False,
    ):
        model_fn = dnn_model_fn(
            head,
            hidden_units=hidden_units,
            feature_columns=feature_columns,
            optimizer=optimizer,
            activation_fn=activation_fn,
            dropout=dropout,
            input_layer_partitioner=input_layer_partitioner,
            batch_norm=batch_norm,
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from
        )
