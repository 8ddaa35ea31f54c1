"""Seeded programs start from TensorFlow's very numbers and follow its losses step by step."""

import os

import numpy as np
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

import curves
import programs
from programs import digits

import relight.v1 as tf

# TensorFlow with one thread and with two differs by rounding only. So do we, but in more places.
TIMES_OWN = 4.0


@pytest.fixture(scope="module")
def data():
    return digits.load()


def _followed(golden, found):
    """Steps of a run that are further from TensorFlow's than rounding takes them, as lines."""
    steps = len(found)
    first, second = (golden[key]["losses"][:steps] for key in ("threads1", "threads2"))
    own = curves.distances(first, second)
    ours = curves.distances(second, found)
    allowed = np.maximum(curves.FLOOR, TIMES_OWN * own)
    allowed[: curves.START] = curves.FLOOR
    return [
        f"step {i}: TensorFlow {second[i]!r}, relight {found[i]!r}, {ours[i]:.1e} apart, "
        f"{allowed[i]:.1e} allowed"
        for i in range(steps)
        if ours[i] > allowed[i]
    ]


SLOW_CNN = pytest.param("cnn_estimator", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["softmax", SLOW_CNN])
def test_the_first_steps_are_tensorflows(name, data):
    """Initial values bit for bit; losses of ten steps, in which rounding has not grown yet."""
    golden = curves.load(name)
    found = curves.run(tf, name, data, steps=curves.START)
    assert found["before"] == golden["before"]
    wrong = _followed(golden, found["losses"])
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", programs.NAMES)
def test_the_curve_is_tensorflows(name, data):
    golden = curves.load(name)
    found = curves.run(tf, name, data)
    wrong = _followed(golden, found["losses"])
    assert not wrong, "\n".join(wrong)
    own = curves.variable_distances(golden["threads1"]["after"], golden["threads2"]["after"])
    ours = curves.variable_distances(golden["threads2"]["after"], found["after"])
    far = {k: (own[k], ours[k]) for k in own if ours[k] > max(curves.FLOOR, TIMES_OWN * own[k])}
    assert not far, far


def test_goldens_are_current():
    """A curve of another source than today's was not made by these programs."""
    stale = [n for n in programs.NAMES if curves.load(n)["_source"] != curves.source_digest(n)]
    assert not stale, "run `make golden`"
