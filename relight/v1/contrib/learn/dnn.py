"""`tf.contrib.learn.DNNClassifier` and `DNNRegressor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.v1.contrib.layers.feature_columns import (
    RealValuedColumn,
    input_from_feature_columns,
)
from relight.v1.contrib.layers.layers import dropout as dropout_layer
from relight.v1.contrib.layers.layers import fully_connected
from relight.v1.contrib.layers.optimizers import optimize_loss
from relight.v1.contrib.learn.estimator import Estimator
from relight.v1.contrib.learn.head import PredictionKey, RegressionHead, multi_class_head
from relight.v1.contrib.learn.metric_spec import MetricSpec
from relight.v1.contrib.learn.model_fn import ModeKeys, ModelFnOps
from relight.v1.feature_column.input_layer import input_layer
from relight.v1.functions.nn import relu
from relight.v1.functions.nn_norm import zero_fraction
from relight.v1.functions.partitioned_variables import min_max_variable_partitioner
from relight.v1.functions.variable_scope import variable_scope
from relight.v1.summary.summary_ops import histogram, scalar
from relight.v1.train import training_util

_LEARNING_RATE = 0.05
_MIN_SLICE_SIZE = 64 << 20
_ACTIVATIONS = {"relu": relu, "tanh": raw.Tanh, "sigmoid": raw.Sigmoid}


def _activation(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if given not in _ACTIVATIONS:
        raise ValueError(
            f"Activation name should be one of [{', '.join(_ACTIVATIONS)}], you provided {given}."
        )
    return _ACTIVATIONS[given]


def _add_summaries(value: Tensor, tag: str) -> None:
    scalar(f"{tag}_fraction_of_zero_values", zero_fraction(value))
    histogram(f"{tag}_activation", value)


def _dnn_model_fn(
    features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None
) -> ModelFnOps:
    head, columns = params["head"], params["feature_columns"]
    activation, dropout = _activation(params["activation_fn"]), params["dropout"]
    optimizer = params["optimizer"] or "Adagrad"
    features = features if isinstance(features, dict) else {"": features}
    parts = config.num_ps_replicas if config else 0
    values = tuple(features.values())
    collections = {"variables_collections": ["dnn"]}
    with variable_scope("dnn", values=values, partitioner=min_max_variable_partitioner(parts)):
        partitioner = min_max_variable_partitioner(
            max_partitions=parts,
            min_slice_size=params["input_layer_min_slice_size"] or _MIN_SLICE_SIZE,
        )
        with variable_scope(
            "input_from_feature_columns", values=values, partitioner=partitioner
        ) as input_scope:
            if all(isinstance(column, RealValuedColumn) for column in columns):
                net = input_from_feature_columns(
                    features, columns, weight_collections=["dnn"], scope=input_scope
                )
            else:
                net = input_layer(features, columns, weight_collections=["dnn"])
        for i, units in enumerate(params["hidden_units"]):
            with variable_scope(f"hiddenlayer_{i}", values=(net,)) as scope:
                net = fully_connected(
                    net, units, activation_fn=activation, scope=scope, **collections
                )
                if dropout is not None and mode == ModeKeys.TRAIN:
                    net = dropout_layer(net, keep_prob=1.0 - dropout)
            _add_summaries(net, scope.name)
        with variable_scope("logits", values=(net,)) as scope:
            logits = fully_connected(
                net, head.logits_dimension, activation_fn=None, scope=scope, **collections
            )
        _add_summaries(logits, scope.name)

        def train_op_fn(loss: Tensor) -> Tensor:
            return optimize_loss(
                loss=loss,
                global_step=training_util.get_global_step(),
                learning_rate=_LEARNING_RATE,
                optimizer=optimizer() if callable(optimizer) else optimizer,
                clip_gradients=params["gradient_clip_norm"],
                name="dnn",
                summaries=[],
            )

        return head.create_model_fn_ops(
            features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=logits
        )


def _check_unsupported(enable_centered_bias: bool, embedding_lr_multipliers: Any) -> None:
    if enable_centered_bias:
        raise ValueError("relight's tf.contrib.learn does not support enable_centered_bias=True.")
    if embedding_lr_multipliers:
        raise ValueError("relight's tf.contrib.learn does not support embedding_lr_multipliers.")


class _DNN(Estimator):
    """What classifier and regressor share."""

    _main_output: str

    def _one_output(self, key: str, as_iterable: bool, **given: Any) -> Any:
        found = super().predict(outputs=[key], as_iterable=as_iterable, **given)
        return (row[key] for row in found) if as_iterable else found[key]

    def predict(  # type: ignore[override]
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
    ) -> Any:
        """Classes or scores, or those `outputs` that are named."""
        given = {"x": x, "input_fn": input_fn, "batch_size": batch_size}
        if not outputs:
            return self._one_output(self._main_output, as_iterable, **given)
        return super().predict(outputs=outputs, as_iterable=as_iterable, **given)


class DNNClassifier(_DNN):
    """A classifier of fully connected layers.

    Args:
      hidden_units: the sizes of the hidden layers.
      feature_columns: columns of `tf.contrib.layers.real_valued_column` or dense columns of
        `tf.feature_column`.
      model_dir: where checkpoints and events are kept.
      n_classes: the number of classes.
      weight_column_name: the feature with the examples' weights.
      optimizer: an optimizer, its name, or a function that makes one; Adagrad when None.
      activation_fn: of the hidden layers: a function, "relu", "tanh" or "sigmoid".
      dropout: the share of a hidden layer's outputs that training drops.
      gradient_clip_norm: the greatest norm of all gradients together.
      config: a RunConfig.
      feature_engineering_fn: makes other features and labels of the input's.
      input_layer_min_slice_size: the smallest part of a table among parameter servers.
      label_keys: the names of the classes, where labels are strings.

    Raises:
      ValueError: for `enable_centered_bias` and `embedding_lr_multipliers`, which are not there.
    """

    _main_output = PredictionKey.CLASSES

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: str | None = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: int | None = None,
        label_keys: Any = None,
    ):
        _check_unsupported(enable_centered_bias, embedding_lr_multipliers)
        self._feature_columns = tuple(feature_columns or [])
        super().__init__(
            model_fn=_dnn_model_fn,
            model_dir=model_dir,
            config=config,
            params={
                "head": multi_class_head(n_classes, weight_column_name, label_keys),
                "hidden_units": hidden_units,
                "feature_columns": self._feature_columns,
                "optimizer": optimizer,
                "activation_fn": activation_fn,
                "dropout": dropout,
                "gradient_clip_norm": gradient_clip_norm,
                "input_layer_min_slice_size": input_layer_min_slice_size,
            },
            feature_engineering_fn=feature_engineering_fn,
        )

    def predict_classes(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """The predicted class of each example."""
        found = self._one_output(
            PredictionKey.CLASSES, as_iterable, x=x, input_fn=input_fn, batch_size=batch_size
        )
        return found if as_iterable else found.reshape(-1)

    def predict_proba(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Iterator[Any]:
        """The probabilities [n_classes] of each example."""
        return self._one_output(
            PredictionKey.PROBABILITIES, as_iterable, x=x, input_fn=input_fn, batch_size=batch_size
        )


class DNNRegressor(_DNN):
    """A regressor of fully connected layers: `label_dimension` numbers for each example.

    The other arguments are those of DNNClassifier.
    """

    _main_output = PredictionKey.SCORES

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: str | None = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        label_dimension: int = 1,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: int | None = None,
    ):
        _check_unsupported(enable_centered_bias, embedding_lr_multipliers)
        self._feature_columns = tuple(feature_columns or [])
        super().__init__(
            model_fn=_dnn_model_fn,
            model_dir=model_dir,
            config=config,
            params={
                "head": RegressionHead(label_dimension, weight_column_name=weight_column_name),
                "hidden_units": hidden_units,
                "feature_columns": self._feature_columns,
                "optimizer": optimizer,
                "activation_fn": activation_fn,
                "dropout": dropout,
                "gradient_clip_norm": gradient_clip_norm,
                "input_layer_min_slice_size": input_layer_min_slice_size,
            },
            feature_engineering_fn=feature_engineering_fn,
        )

    def evaluate(  # type: ignore[override]
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
        checkpoint_path: str | None = None,
        hooks: Any = None,
    ) -> Any:
        """`Estimator.evaluate`; metrics that are functions are of the scores."""
        if metrics:
            metrics = {
                key
                if isinstance(metric, MetricSpec) or isinstance(key, tuple)
                else (key, PredictionKey.SCORES): metric
                for key, metric in metrics.items()
            }
        return super().evaluate(
            x=x,
            y=y,
            input_fn=input_fn,
            feed_fn=feed_fn,
            batch_size=batch_size,
            steps=steps,
            metrics=metrics,
            name=name,
            checkpoint_path=checkpoint_path,
            hooks=hooks,
        )

    def predict_scores(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """The predicted number (or numbers) of each example."""
        return self._one_output(
            PredictionKey.SCORES, as_iterable, x=x, input_fn=input_fn, batch_size=batch_size
        )
