# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.keras.losses`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.keras.loss_functions import (
    binary_crossentropy, categorical_crossentropy, categorical_hinge, cosine_proximity,
    cosine_proximity as cosine, cosine_proximity as cosine_similarity, hinge,
    kullback_leibler_divergence, kullback_leibler_divergence as KLD,
    kullback_leibler_divergence as kld, logcosh, mean_absolute_error, mean_absolute_error as MAE,
    mean_absolute_error as mae, mean_absolute_percentage_error,
    mean_absolute_percentage_error as MAPE, mean_absolute_percentage_error as mape,
    mean_squared_error, mean_squared_error as MSE, mean_squared_error as mse,
    mean_squared_logarithmic_error, mean_squared_logarithmic_error as MSLE,
    mean_squared_logarithmic_error as msle, poisson, sparse_categorical_crossentropy,
    squared_hinge,
)

__getattr__ = missing("tf.keras.losses")

__all__ = [
    "KLD", "MAE", "MAPE", "MSE", "MSLE", "binary_crossentropy", "categorical_crossentropy",
    "categorical_hinge", "cosine", "cosine_proximity", "cosine_similarity", "hinge", "kld",
    "kullback_leibler_divergence", "logcosh", "mae", "mape", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "mse", "msle", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
]
