"""`tf.feature_column.make_parse_example_spec`."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.v1.feature_column.columns import FeatureColumn


@export("feature_column.make_parse_example_spec")
def make_parse_example_spec(feature_columns: Any) -> dict[str, Any]:
    """{feature: how it is read} of all columns, for `tf.io.parse_example`.

    ValueError for columns that read a feature in different ways.
    """
    result: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(
                f"All feature_columns must be _FeatureColumn instances. Given: {column}"
            )
        for key, value in column.parse_example_spec.items():
            if key in result and value != result[key]:
                raise ValueError(
                    f"feature_columns contain different parse_spec for key {key}. Given {value} "
                    f"and {result[key]}"
                )
            result[key] = value
    return result
