"""How examples for classifiers and regressors are read."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.v1.feature_column.numeric import NumericColumn, numeric_column
from relight.v1.feature_column.parse_spec import make_parse_example_spec
from relight.v1.functions.parsing import FixedLenFeature


@export("estimator.classifier_parse_example_spec")
def classifier_parse_example_spec(
    feature_columns: Any,
    label_key: str,
    label_dtype: Any = dtypes.int64,
    label_default: Any = None,
    weight_column: Any = None,
) -> dict[str, Any]:
    """How `tf.io.parse_example` reads the columns' features, the label and the weights."""
    return _with_label(feature_columns, label_key, (1,), label_dtype, label_default, weight_column)


@export("estimator.regressor_parse_example_spec")
def regressor_parse_example_spec(
    feature_columns: Any,
    label_key: str,
    label_dtype: Any = dtypes.float32,
    label_default: Any = None,
    label_dimension: int = 1,
    weight_column: Any = None,
) -> dict[str, Any]:
    """How `tf.io.parse_example` reads the columns' features, the labels and the weights."""
    return _with_label(
        feature_columns, label_key, (label_dimension,), label_dtype, label_default, weight_column
    )


def _with_label(
    feature_columns: Any, key: str, shape: Any, dtype: Any, default: Any, weight_column: Any
) -> dict[str, Any]:
    spec = make_parse_example_spec(feature_columns)
    if key in spec:
        raise ValueError(
            f"label should not be used as feature. label_key: {key}, features: {spec.keys()}"
        )
    spec[key] = FixedLenFeature(shape, dtype, default)
    if weight_column is None:
        return spec
    if isinstance(weight_column, str):
        weight_column = numeric_column(weight_column)
    if not isinstance(weight_column, NumericColumn):
        raise ValueError(
            "weight_column should be an instance of tf.feature_column.numeric_column. Given type: "
            f"{type(weight_column)} value: {weight_column}"
        )
    if weight_column.key in spec:
        raise ValueError(
            "weight_column should not be used as feature. weight_column: "
            f"{weight_column.key}, features: {spec.keys()}"
        )
    spec.update(weight_column.parse_example_spec)
    return spec
