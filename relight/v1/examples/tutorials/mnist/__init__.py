"""`tensorflow.examples.tutorials.mnist`: the digits (`input_data`) and a small network
(`mnist`)."""

from relight.v1.examples.tutorials.mnist import input_data, mnist

__all__ = ["input_data", "mnist"]
