"""`relight run --profile`, and the counting of operations behind it."""

import json
import time

import numpy as np
import pytest
import torch
from bare import python

import relight.v1 as tf
from relight.engine import flops
from relight.engine.profile import Profile
from relight.engine.trace import CONVERSIONS

PROGRAM = """
import sys
import tensorflow as tf
x = tf.placeholder(tf.float32, [None, 64])
w = tf.Variable(tf.ones([64, 32]), name="weights")
y = tf.matmul(x, w, name="product")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(5):
        session.run(y, {x: [[1.0] * 64] * 8})
print("done")
sys.exit(3)
"""


@pytest.mark.slow
def test_profile_of_a_program(tmp_path):
    """The table names node and line, the trace has each step, the exit code is the program's."""
    (tmp_path / "program.py").write_text(PROGRAM)
    code, out, err = python(
        "-m", "relight", "run", "--profile=trace.json", "program.py", cwd=tmp_path
    )
    assert (code, out) == (3, "done\n"), err
    assert "between runs that are fed: " in err and "waited for input" not in err
    row = next(line for line in err.splitlines() if line.startswith("product"))
    assert "MatMul" in row and "program.py:6" in row and " 5 " in row
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    products = [e for e in events if e["name"] == "MatMul"]
    assert len(products) == 5 and all(e["dur"] > 0 and e["ts"] >= 0 for e in products)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile"], "--profile needs a program"),
        (["--profile", "missing.py"], "can't open file 'missing.py'"),
        (["--profile=no/folder/t.json", "program.py"], "cannot write the trace"),
    ],
)
def test_profile_of_nothing(tmp_path, arguments, says):
    (tmp_path / "program.py").write_text(PROGRAM)
    code, _, err = python("-m", "relight", "run", *arguments, cwd=tmp_path)
    assert code != 0 and says in err.replace("\n", " ")


def _profiled(build):
    with tf.Graph().as_default() as graph:
        fetch = build()
        profile = Profile()
        with tf.Session(graph=graph) as session:
            session.run(tf.global_variables_initializer())
            profile.start()
            try:
                session.run(fetch)
            finally:
                profile.stop()
            session.run(fetch)
    assert profile.runs == 1
    # Conversions between torch and NumPy carry the names of the nodes that they serve.
    return {c.node: c for c in profile.most_expensive() if c.what not in CONVERSIONS}


def test_costs_of_a_convolution_and_its_gradients():
    """2 * [1, 8, 8, 6] results * [3, 3, 4] each; the two gradients take as much again each."""

    def build():
        x = tf.Variable(tf.ones([1, 8, 8, 4]))
        w = tf.Variable(tf.ones([3, 3, 4, 6]))
        y = tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME", name="conv")
        return [y, *tf.gradients(y, [x, w])]

    costs = _profiled(build)
    once = 2 * 8 * 8 * 6 * 3 * 3 * 4
    assert costs["conv"].flops == once
    assert sum(c.flops for n, c in costs.items() if n.startswith("gradients")) == 2 * once


@pytest.mark.parametrize("transposed", [False, True])
def test_costs_of_a_product(transposed):
    def build():
        a = tf.Variable(tf.ones([5, 7] if not transposed else [7, 5]))
        b = tf.Variable(tf.ones([7, 3]))
        return tf.matmul(a, b, transpose_a=transposed, name="product")

    cost = _profiled(build)["product"]
    assert (cost.flops, cost.calls) == (2 * 5 * 7 * 3, 1)
    assert cost.share_of_floor(1e9) == pytest.approx(cost.flops / 1e9 / cost.seconds)
    assert cost.line is not None and cost.line[0] == __file__


def test_loops_are_looked_into():
    """The product of the body is counted each turn; its time is not the loop's as well."""

    def build():
        w = tf.Variable(tf.ones([64, 64]))
        return tf.while_loop(
            lambda i, x: i < 5,
            lambda i, x: (i + 1, tf.matmul(x, w, name="inner")),
            (0, tf.ones([256, 64])),
        )[1]

    costs = _profiled(build)
    inner = costs["inner"]
    assert (inner.calls, inner.flops) == (5, 5 * 2 * 256 * 64 * 64)
    loop = next(c for c in costs.values() if "While" in c.what)
    assert loop.calls == 1 and loop.seconds >= 0


def test_what_is_no_product_counts_nothing():
    one = torch.ones(3)
    assert flops.count("Add", [one, one], [one]) == 0
    factors = [object(), torch.ones(5, 3), torch.ones(5, 7)]
    assert flops.count("Sum of products", factors, [object()]) == 2 * 5 * 3 * 7
    assert flops.count("MatMul", [torch.ones(0, 4), torch.ones(4, 2)], [torch.ones(0, 2)]) == 0
    assert flops.count("StringJoin", [], [np.array(b"x", object)]) == 0


def _waits(step, turns):
    profile = Profile()
    profile.start()
    try:
        for _ in range(turns):
            step()
    finally:
        profile.stop()
    return profile.input


def _slow(value):
    time.sleep(0.02)
    return value


@pytest.mark.parametrize("kind", ["queue", "dataset"])
def test_waiting_for_input_is_counted(kind):
    """What needs 20 ms to make, by a thread or by the step itself."""
    made = lambda x: tf.py_func(_slow, [x], tf.int64)
    with tf.Graph().as_default(), tf.Session() as session:
        if kind == "queue":
            queue = tf.FIFOQueue(2, tf.int64, [[]])
            runner = tf.train.QueueRunner(queue, [queue.enqueue(made(np.int64(3)))])
            coordinator = tf.train.Coordinator()
            running = runner.create_threads(session, coordinator, start=True)
            taken = queue.dequeue() * 2
        else:
            taken = tf.data.Dataset.range(9).map(made).make_one_shot_iterator().get_next() * 2
        found = _waits(lambda: session.run(taken), 6)
        if kind == "queue":
            coordinator.request_stop()
            session.run(queue.close(cancel_pending_enqueues=True))
            coordinator.join(running)
    assert (found.runs, found.fed_runs) == (5, 0)  # neither the first one nor the input thread's
    assert (0 if kind == "queue" else 5 * 0.02) < found.waited <= found.seconds
    assert found.shares() == (found.waited / found.seconds, None)


def test_the_programs_time_between_fed_runs_is_counted():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2])
        y = x + 1

        def step():
            time.sleep(0.01)
            session.run(y, {x: [1.0, 2.0]})

        found = _waits(step, 4)
    assert (found.runs, found.fed_runs) == (0, 3)
    assert 0.03 <= found.between <= found.fed_seconds
