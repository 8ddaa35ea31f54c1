"""Plans that choose between all threads and one, on a clock that the test moves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

import relight.v1 as tf
from relight.engine import pace, plan, threads

CORES = 4


class Machine:
    """A run of the plan takes `all_threads` seconds with all threads and `one` with one."""

    def __init__(self, monkeypatch, all_threads, one):
        self.all_threads, self.one = all_threads, one
        self.now, self.threads, self.used = 0.0, CORES, []
        monkeypatch.setattr(torch, "get_num_threads", lambda: self.threads)
        self.paced = pace.Paced(self._function, self._use, lambda: self.now)

    def _use(self, count):
        self.threads = count

    def _function(self, state, feeds):
        self.used.append(self.threads)
        if feeds == ["bad"]:
            raise ValueError("bad feed")
        self.now += self.one if self.threads == 1 else self.all_threads
        return feeds

    def run(self, times):
        """How many of these runs had one thread."""
        self.used.clear()
        for _ in range(times):
            assert self.paced(None, [7]) == [7]
            assert self.threads == CORES  # between runs nothing has changed
        return self.used.count(1)


def test_an_idle_machine_keeps_all_threads(monkeypatch):
    machine = Machine(monkeypatch, all_threads=0.010, one=0.018)
    assert machine.run(20) <= 3  # one trial
    assert not machine.paced.alone
    assert machine.run(20_000) <= 30  # trials become rare
    assert machine.now < 20_020 * 0.010 * 1.01


def test_a_busy_machine_goes_on_with_one_thread(monkeypatch):
    machine = Machine(monkeypatch, all_threads=0.200, one=0.020)
    machine.run(12)
    assert machine.paced.alone
    start = machine.now
    machine.run(2000)
    assert machine.now - start < 2000 * 0.020 * 1.10  # trials of all threads are dear: few


def test_a_machine_that_becomes_busy_and_idle_again(monkeypatch):
    machine = Machine(monkeypatch, all_threads=0.010, one=0.018)
    machine.run(5000)
    machine.all_threads, machine.one = 0.150, 0.020
    machine.run(60)
    assert machine.paced.alone
    machine.all_threads, machine.one = 0.010, 0.018
    machine.run(1500)
    assert not machine.paced.alone


def test_one_run_that_stalls_changes_nothing(monkeypatch):
    machine = Machine(monkeypatch, all_threads=0.010, one=0.018)
    machine.run(100)
    for _ in range(50):
        machine.all_threads = 0.500
        machine.run(1)
        machine.all_threads = 0.010
        machine.run(40)
        assert not machine.paced.alone


def test_an_error_gives_the_threads_back(monkeypatch):
    machine = Machine(monkeypatch, all_threads=0.200, one=0.020)
    machine.run(20)
    assert machine.paced.alone
    with pytest.raises(ValueError, match="bad feed"):
        machine.paced(None, ["bad"])
    assert machine.threads == CORES


# -- which plans -----------------------------------------------------------------------------------


@pytest.fixture
def cores(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: CORES)


def _product(**options):
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.matmul(x, tf.random_uniform([3, 4], **options))


def _is_paced(x, y):
    return isinstance(plan.make(tf.get_default_graph(), [y], [x]).function, pace.Paced)


@pytest.mark.skipif(threads.setter() is None, reason="no OpenMP library that is known")
def test_products_are_paced(cores, monkeypatch):
    with tf.Graph().as_default():
        x, y = _product()
        assert _is_paced(x, y)
        assert not _is_paced(x, x + 1.0)  # nothing to share among threads
        assert _is_paced(x, tf.cond(x[0, 0] > 0, lambda: y, lambda: -y))
        monkeypatch.setenv("RELIGHT_PACE", "fixed")
        assert not _is_paced(x, y)
        monkeypatch.setenv("RELIGHT_PACE", "quick")
        with pytest.raises(ValueError, match="RELIGHT_PACE must be 'fixed' or empty, not 'quick'"):
            _is_paced(x, y)


def test_seeded_graphs_are_not(cores):
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        assert not _is_paced(*_product())
    with tf.Graph().as_default():
        assert not _is_paced(*_product(seed=3))


PROGRAM = """
import numpy as np, torch, relight.v1 as tf
from relight.engine import pace
x = tf.placeholder(tf.float32, [64, 300])
w = tf.Variable(tf.ones([300, 300]))
y = tf.matmul(x, w)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    found = [sess.run(y, {x: np.ones([64, 300])}) for _ in range(200)]
    (call,) = [c for k, c in tf.get_default_graph()._plans.items() if c.feeds]
    assert isinstance(call.plan_for([np.ones([64, 300], np.float32)]).function, pace.Paced)
    assert all((f == 300).all() for f in found)
    print(torch.get_num_threads())
"""


@pytest.mark.slow
@pytest.mark.skipif(threads.setter() is None, reason="no OpenMP library that is known")
def test_a_program_with_two_threads():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2"]
