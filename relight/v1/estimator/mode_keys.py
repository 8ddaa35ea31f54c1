"""`tf.estimator.ModeKeys`: what a model function is asked to build."""

from __future__ import annotations

from relight.graph.export import export


@export("estimator.ModeKeys")
class ModeKeys:
    """Training, evaluation, or prediction (also called inference)."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"
