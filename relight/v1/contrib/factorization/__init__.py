# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.factorization`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.factorization.clustering import (
    COSINE_DISTANCE, KMEANS_PLUS_PLUS_INIT, KMeans, RANDOM_INIT, SQUARED_EUCLIDEAN_DISTANCE,
)

__getattr__ = missing("tf.contrib.factorization")

__all__ = [
    "COSINE_DISTANCE", "KMEANS_PLUS_PLUS_INIT", "KMeans", "RANDOM_INIT",
    "SQUARED_EUCLIDEAN_DISTANCE",
]
