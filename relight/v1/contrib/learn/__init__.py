"""`tf.contrib.learn`: the parts that programs still use."""

from relight.v1._missing import missing
from relight.v1.contrib.learn import datasets, preprocessing

__getattr__ = missing("tf.contrib.learn")

__all__ = ["datasets", "preprocessing"]
