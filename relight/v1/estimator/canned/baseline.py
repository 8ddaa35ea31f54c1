"""Estimators that leave the features aside: what they learn is the labels' mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops.build import raw
from relight.v1.estimator.canned.classification import binary_or_multi_class_head
from relight.v1.estimator.canned.optimizers import optimizer_instance
from relight.v1.estimator.canned.regression import RegressionHead
from relight.v1.estimator.estimator import Estimator
from relight.v1.feature_column.numeric import NumericColumn
from relight.v1.functions.checks import assert_equal
from relight.v1.functions.init import Zeros
from relight.v1.functions.variable_scope import get_variable, variable_scope
from relight.v1.losses.losses import Reduction
from relight.v1.train import training_util

_LEARNING_RATE = 0.3


def _weight_key(weight_column: Any) -> Any:
    if weight_column is None or isinstance(weight_column, str):
        return weight_column
    if isinstance(weight_column, NumericColumn):
        return weight_column.key
    raise TypeError(
        "Weight column must be either a string or _NumericColumn. Given type: "
        f"{type(weight_column)}."
    )


def _baseline_logits(features: dict[str, Any], outputs: int, weight_column: Any) -> Tensor:
    """[batch, outputs]: a bias for every example."""
    weight_key = _weight_key(weight_column)
    checks: list[Any] = []
    batch = None
    for key, feature in features.items():
        if key == weight_key:
            continue
        size = array_nodes.shape(feature)[0]
        if batch is None:
            batch = size
        else:
            checks.append(assert_equal(batch, size))
    with get_default_graph().control_dependencies(checks), variable_scope("baseline"):
        bias = get_variable("bias", shape=[outputs], initializer=Zeros)
        return raw.Mul(bias, array_nodes.ones([batch, outputs]))


def _baseline_model_fn(head: Any, optimizer: Any, weight_column: Any = None) -> Callable[..., Any]:
    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        logits = _baseline_logits(features, head.logits_dimension, weight_column)

        def train_op_fn(loss: Tensor) -> Any:
            chosen = optimizer_instance(optimizer, learning_rate=_LEARNING_RATE)
            return chosen.minimize(loss, global_step=training_util.get_global_step())

        return head.create_estimator_spec(
            features=features, mode=mode, logits=logits, labels=labels, train_op_fn=train_op_fn
        )

    return model_fn


@export("estimator.BaselineClassifier")
class BaselineClassifier(Estimator):
    """A classifier that predicts how often each class occurs, whatever the features are.

    The arguments are those of LinearClassifier.
    """

    def __init__(
        self,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        loss_reduction: str = Reduction.SUM,
    ):
        head = binary_or_multi_class_head(
            n_classes, weight_column, label_vocabulary, loss_reduction
        )
        super().__init__(
            model_fn=_baseline_model_fn(head, optimizer, weight_column),
            model_dir=model_dir,
            config=config,
        )


@export("estimator.BaselineRegressor")
class BaselineRegressor(Estimator):
    """A regressor that predicts the mean label, whatever the features are.

    The arguments are those of LinearRegressor.
    """

    def __init__(
        self,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        loss_reduction: str = Reduction.SUM,
    ):
        head = RegressionHead(weight_column, label_dimension, loss_reduction)
        super().__init__(
            model_fn=_baseline_model_fn(head, optimizer), model_dir=model_dir, config=config
        )


@export("estimator.BaselineEstimator")
class BaselineEstimator(Estimator):
    """A baseline with a head of one's own."""

    def __init__(
        self, head: Any, model_dir: Any = None, optimizer: Any = "Ftrl", config: Any = None
    ):
        super().__init__(
            model_fn=_baseline_model_fn(head, optimizer), model_dir=model_dir, config=config
        )
