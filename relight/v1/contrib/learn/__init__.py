"""`tf.contrib.learn`: the part that programs still use, its data sets."""

from relight.v1.contrib.learn import datasets

__all__ = ["datasets"]
