"""Replay of steps as CUDA graphs, on a stand-in for a GPU (see `emulated_graphs.py`)."""

from __future__ import annotations

import dataclasses
import gc
import sys
import threading
import warnings
from unittest import mock

import numpy as np
import pytest
import torch
from emulated_graphs import EmulatedGraphs
from test_devices import random_graph

import relight.v1 as tf
from relight.engine import cuda_graphs, devices, segments
from relight.ops import call

pytestmark = pytest.mark.slow  # PyTorch loads much of itself to look at single operations

STEPS = cuda_graphs.WARM_RUNS + 5


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


@pytest.fixture
def gpu(monkeypatch):
    """One GPU that the processor stands in for; the log of its captures and replays."""
    log: list[str] = []
    one = (devices.Device("GPU", 0, torch.device("cpu", 0), 1 << 30),)
    monkeypatch.setattr(devices, "gpus", lambda: one)
    monkeypatch.setattr(cuda_graphs, "graphs_of", lambda memory: EmulatedGraphs(log))
    monkeypatch.setattr(call, "at_hand", lambda tensor: False)  # kernels take the way of a GPU
    monkeypatch.delenv(cuda_graphs.VARIABLE, raising=False)
    return log


def replaying(sess):
    """The plans of a session's graph that replay segments."""
    found = []
    for made in sess.graph._plans.values():
        for plan in [*made._by_shape.values(), made._general]:
            function = None if plan is None else plan.function
            if isinstance(function, cuda_graphs.Replaying) and function._arranged is not None:
                found.append(function)
    return found


# -- programs --------------------------------------------------------------------------------------


def data(*shape, seed=0):
    return np.random.RandomState(seed).rand(*shape).astype(np.float32)


def classes(count, rows=8):
    return np.random.RandomState(1).randint(0, count, rows)


def softmax_regression():
    x, y = tf.placeholder(tf.float32, [None, 12]), tf.placeholder(tf.float32, [None, 3])
    w, b = tf.Variable(tf.zeros([12, 3])), tf.Variable(tf.zeros([3]))
    predicted = tf.nn.softmax(tf.matmul(x, w) + b)
    loss = tf.reduce_mean(-tf.reduce_sum(y * tf.log(predicted), 1))
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    right = tf.equal(tf.argmax(predicted, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
    return [train, loss, accuracy], lambda i: {x: data(8, 12, seed=i), y: np.eye(3)[classes(3)]}


def moving_average(optimizer):
    """Two layers, a decaying rate, an L2 loss and moving averages of the variables."""
    x, y = tf.placeholder(tf.float32, [None, 12]), tf.placeholder(tf.int64, [None])
    step = tf.Variable(0, trainable=False)
    variables = [tf.Variable(tf.truncated_normal(s, stddev=0.1)) for s in ([12, 9], [9, 3])]
    biases = [tf.Variable(tf.constant(0.1, shape=[n])) for n in (9, 3)]
    average = tf.train.ExponentialMovingAverage(0.99, step)
    averages = average.apply(tf.trainable_variables())
    hidden = tf.nn.relu(tf.matmul(x, variables[0]) + biases[0])
    logits = tf.matmul(hidden, variables[1]) + biases[1]
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    ) + sum(tf.contrib.layers.l2_regularizer(0.01)(v) for v in variables)
    rate = tf.train.exponential_decay(0.1, step, 2, 0.9)
    train = optimizer(rate).minimize(loss, global_step=step)
    with tf.control_dependencies([train, averages]):
        both = tf.no_op(name="train")
    return [both, loss, rate], lambda i: {x: data(8, 12, seed=i), y: classes(3)}


def conv_net():
    """Convolutions, pooling, one-hot labels, a keep probability that is fed, Adam."""
    x, y = tf.placeholder(tf.float32, [None, 64]), tf.placeholder(tf.int32, [None])
    keep = tf.placeholder(tf.float32)
    h = tf.reshape(x, [-1, 8, 8, 1])
    for count in (4, 6):
        h = tf.layers.conv2d(h, count, 3, padding="same", activation=tf.nn.relu)
        h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    h = tf.nn.dropout(tf.layers.dense(tf.layers.flatten(h), 10, tf.nn.relu), keep, seed=2)
    logits = tf.layers.dense(h, 3)
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.one_hot(y, 3), logits=logits)
    )
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    return [train, loss], lambda i: {x: data(8, 64, seed=i), y: classes(3), keep: 0.5 + i / 100}


def batch_normalization():
    x, y = tf.placeholder(tf.float32, [8, 6, 6, 2]), tf.placeholder(tf.int64, [8])
    h = x
    for _ in range(2):
        h = tf.layers.conv2d(h, 4, 3, padding="same", use_bias=False)
        h = tf.nn.relu(tf.layers.batch_normalization(h, training=True))
    loss = tf.losses.sparse_softmax_cross_entropy(y, tf.layers.dense(tf.layers.flatten(h), 3))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return [train, loss], lambda i: {x: data(8, 6, 6, 2, seed=i), y: classes(3)}


def lstm():
    """Unrolled, with its state kept in variables from run to run."""
    x, y = tf.placeholder(tf.float32, [8, 5, 4]), tf.placeholder(tf.float32, [8, 6])
    cell = tf.nn.rnn_cell.BasicLSTMCell(6)
    kept = [tf.Variable(tf.zeros([8, 6]), trainable=False) for _ in range(2)]
    outputs, state = tf.nn.static_rnn(
        cell, tf.unstack(x, axis=1), tf.nn.rnn_cell.LSTMStateTuple(*kept)
    )
    loss = tf.reduce_mean(tf.squared_difference(outputs[-1], y))
    grads, variables = zip(*tf.train.RMSPropOptimizer(0.01).compute_gradients(loss), strict=True)
    grads, norm = tf.clip_by_global_norm(grads, 0.5)
    train = tf.train.RMSPropOptimizer(0.01).apply_gradients(zip(grads, variables, strict=True))
    keep = [k.assign(s) for k, s in zip(kept, state, strict=True)]
    return [train, keep, loss, norm], lambda i: {x: data(8, 5, 4, seed=i), y: data(8, 6, seed=i)}


def embeddings():
    """Rows of a table by index, resource variables, Adagrad."""
    x, y = tf.placeholder(tf.int32, [8, 4]), tf.placeholder(tf.float32, [8, 1])
    table = tf.get_variable("table", [10, 5], use_resource=True)
    rows = tf.nn.embedding_lookup(table, x)
    h = tf.layers.dense(tf.reshape(tf.tanh(rows), [8, 20]), 7, tf.nn.sigmoid)
    loss = tf.losses.mean_squared_error(y, tf.layers.dense(h, 1))
    train = tf.train.AdagradOptimizer(0.1).minimize(loss)
    feed = np.random.RandomState(2).randint(0, 10, (8, 4))
    return [train, loss], lambda i: {x: feed, y: data(8, 1, seed=i)}


PROGRAMS = {
    "softmax": softmax_regression,
    "average-sgd": lambda: moving_average(tf.train.GradientDescentOptimizer),
    "average-momentum": lambda: moving_average(lambda r: tf.train.MomentumOptimizer(r, 0.9)),
    "average-adam": lambda: moving_average(tf.train.AdamOptimizer),
    "conv": conv_net,
    "batch-normalization": batch_normalization,
    "lstm": lstm,
    "embeddings": embeddings,
}


def trained(program, steps=STEPS):
    """What each step of a seeded program fetches, and its variables in the end."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        fetches, feed = program()
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = [sess.run(fetches, feed(i)) for i in range(steps)]
            return [f[1:] for f in found], sess.run(tf.global_variables()), replaying(sess)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        if isinstance(a, (list, tuple)):
            assert_same(a, b)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_train_alike_with_and_without_graphs(gpu, monkeypatch, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = trained(PROGRAMS[name])
    assert gpu.count("replay") >= STEPS - cuda_graphs.WARM_RUNS - 1 and found[2]
    assert gpu.count("capture") <= 2, gpu  # of one or two segments, once each
    gpu.clear()
    monkeypatch.setenv(cuda_graphs.VARIABLE, "0")
    plain = trained(PROGRAMS[name])
    assert not gpu and not plain[2]
    assert_same(found[0], plain[0])
    assert_same(found[1], plain[1])


# PyTorch has no meta kernel of batch_norm_update_stats.
@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "batch-normalization"])
def test_segments_run_on_tensors_without_values(gpu, name):
    """On meta tensors whatever looks at a value raises, and so does what mixes memories."""
    there = torch.device("meta")
    for sess, function in kept(PROGRAMS[name]):
        for segment in function._static[sess._state]._segments:
            part = segment._part
            with torch.inference_mode():
                constants = {
                    v: torch.empty(c.shape, dtype=c.dtype, device=there) if v.kind == "T" else c
                    for v, c in part.plan.constants.items()
                }
                given = [torch.empty(s, dtype=t, device=there) for t, s in segment._types]
                plan = dataclasses.replace(function._plan, constants=constants)
                made = segments.plan_of(plan, part.segment).function(None, given)
            assert made and all(v.device == there for v in made)


def kept(program):
    """(session, plan) for each plan of a program that replays."""
    tf.set_random_seed(1)
    fetches, feed = program()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(STEPS):
            sess.run(fetches, feed(i))
        found = replaying(sess)
        assert found
        return [(sess, function) for function in found]


# -- what must not go wrong ------------------------------------------------------------------------


def both_ways(gpu, monkeypatch, program):
    """What `program()` gives with graphs, which it must use, after checking it against none."""
    found = []
    for switch in ("1", "0"):
        monkeypatch.setenv(cuda_graphs.VARIABLE, switch)
        with tf.Graph().as_default():
            tf.set_random_seed(1)
            found.append(program())
        assert "replay" in gpu
    assert_same(*found)
    return found[0]


def network(rows=8):
    """(train, loss, hidden, x, y, weights) of a small network with momentum."""
    x, y = tf.placeholder(tf.float32, [rows, 6]), tf.placeholder(tf.float32, [rows, 2])
    w = tf.get_variable("w", [6, 5])
    hidden = tf.tanh(tf.matmul(x, w) * 2.0 + 0.5)
    loss = tf.losses.mean_squared_error(y, tf.layers.dense(hidden, 2, name="top"))
    train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return train, loss, hidden, x, y, w


def test_variables_assigned_from_outside(gpu, monkeypatch):
    def program():
        train, loss, _, x, y, w = network()
        value = tf.placeholder(tf.float32, w.shape)
        assign = w.assign(value)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = []
            for i in range(20):
                found.append(sess.run([train, loss], {x: data(8, 6, seed=i), y: data(8, 2)})[1])
                if i > 5 and i % 2:
                    sess.run(assign, {value: data(6, 5, seed=i)})
                if i == 12:
                    w.load(data(6, 5), sess)
            return [found, sess.run(tf.global_variables())]

    both_ways(gpu, monkeypatch, program)
    # Captured once, then once for each of the first moves; after these the variable is copied.
    assert gpu.count("capture") == 2 + cuda_graphs._MOVES
    assert gpu.count("replay") == 20 - cuda_graphs.WARM_RUNS - 1


def test_feeds_of_other_shapes(gpu, monkeypatch):
    def program():
        train, loss, hidden, x, y, _ = network(None)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = []
            for i in range(60):
                rows = 3 + i % 10  # more shapes than plans are made for
                feed = {x: data(rows, 6, seed=i), y: data(rows, 2)}
                found.append(sess.run([train, loss, hidden], feed)[1:])
            return found

    both_ways(gpu, monkeypatch, program)


def test_a_checkpoint_restored_between_steps(gpu, monkeypatch, tmp_path):
    def program():
        train, loss, _, x, y, _ = network()
        saver = tf.train.Saver()
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = []
            for i in range(16):
                if i == 3:
                    saver.save(sess, str(tmp_path / "model"))
                if i in (8, 12):
                    saver.restore(sess, str(tmp_path / "model"))
                found.append(sess.run([train, loss], {x: data(8, 6, seed=i), y: data(8, 2)})[1])
            return found

    both_ways(gpu, monkeypatch, program)


def test_fetched_values_do_not_change(gpu, monkeypatch):
    def program():
        train, loss, hidden, x, y, w = network()
        gradient = tf.gradients(loss, w)[0]
        kept, copies = [], []
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for i in range(STEPS):
                feed = {x: data(8, 6, seed=i), y: data(8, 2)}
                kept.append(sess.run([loss, hidden, gradient, w], feed))
                copies.append([np.array(v) for v in kept[-1]])
                sess.run(train, feed)
        assert_same(kept, copies)
        return kept

    both_ways(gpu, monkeypatch, program)


def test_values_that_outlive_a_run(gpu, monkeypatch):
    """What a queue or a variable keeps of a replay is not what the next one writes."""

    def program():
        train, _, hidden, x, y, _ = network()
        queue = tf.FIFOQueue(100, [tf.float32])
        last = tf.get_variable("last", [8, 5], trainable=False)
        put = queue.enqueue(hidden)
        keep = last.assign(hidden)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            seen = []
            for i in range(STEPS):
                feed = {x: data(8, 6, seed=i), y: data(8, 2)}
                sess.run([train, put, keep], feed)
                seen.append(sess.run(last))
            return [seen, [sess.run(queue.dequeue()) for _ in range(STEPS)]]

    seen, dequeued = both_ways(gpu, monkeypatch, program)
    assert_same(seen, dequeued)


def test_views_of_variables_do_not_hold_them(gpu, monkeypatch):
    """An update in place finds its variable alone, although a replay gave a view of it."""

    def program():
        x, w = tf.placeholder(tf.float32, [8, 6]), tf.get_variable("w", [6, 5])
        turned = tf.reshape(w, [5, 6], name="turned")
        seen = tf.py_func(lambda a: a.copy(), [turned], tf.float32)
        with tf.control_dependencies([seen]):
            loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w) * 2.0 + 0.5)))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            feed = {x: data(8, 6)}
            return [sess.run([train, loss, seen], feed)[1:] for _ in range(STEPS)]

    both_ways(gpu, monkeypatch, program)
    assert gpu.count("capture") == 1


def test_a_step_may_write_over_what_another_segment_gave(gpu, monkeypatch):
    def program():
        _, _, hidden, x, _, w = network()
        product = tf.matmul(tf.sigmoid(tf.matmul(x, w)) + 1.0, tf.sigmoid(tf.ones([5, 5]) * w[0]))
        called = tf.py_func(lambda a: a + 1, [hidden], tf.float32)
        called.set_shape([8, 5])
        total = tf.add(product, called * 3.0, name="total")
        end = tf.reduce_sum(tf.exp(total * 0.01)) + tf.reduce_mean(tf.tanh(total))
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = [sess.run(end, {x: data(8, 6, seed=i)}) for i in range(STEPS)]
            for function in replaying(sess):
                whats = [[s.what for s in p.segment.steps] for p in function._parts]
                assert len(whats) == 2 and "add scaled in place" in whats[1]
            return found

    both_ways(gpu, monkeypatch, program)


def test_writes_keep_their_order(gpu, monkeypatch):
    """Also where the second one does not depend on the segment that the first one waits for."""

    def program():
        train, loss, hidden, x, y, _ = network()
        kept = tf.get_variable("kept", [], trainable=False)
        first = kept.assign(tf.reduce_sum(hidden * 2.0))
        with tf.control_dependencies([first]):
            second = kept.assign_add(1.0)
        with tf.control_dependencies([second]):
            after = kept.read_value() * 2.0
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            feeds = [{x: data(8, 6, seed=i), y: data(8, 2)} for i in range(STEPS)]
            return [[sess.run([after, loss, train], f)[:2], sess.run(kept)] for f in feeds]

    both_ways(gpu, monkeypatch, program)


def test_sessions_have_graphs_of_their_own(gpu, monkeypatch):
    def program():
        train, loss, hidden, x, y, _ = network()
        init = tf.global_variables_initializer()
        with tf.Session() as one, tf.Session() as two:
            one.run(init)
            two.run(init)
            feeds = [{x: data(8, 6, seed=i), y: data(8, 2)} for i in range(3 * STEPS)]
            found = [(one if i % 3 else two).run([train, loss, hidden], f)[1:] for i, f in
                     enumerate(feeds)]  # fmt: skip
            for function in replaying(one):
                assert len(function._static) == 2
            return found

    both_ways(gpu, monkeypatch, program)
    assert gpu.count("capture") == 2


def test_static_memory_ends_with_the_session(gpu):
    _, loss, _, x, y, _ = network()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(STEPS):
            sess.run(loss, {x: data(8, 6), y: data(8, 2)})
        (function,) = replaying(sess)
        assert len(function._static) == 1
    del sess
    gc.collect()
    assert len(function._static) == 0


def test_threads_share_a_session(gpu):
    """A run that finds the static memory taken goes on without it."""
    _, _, hidden, x, _, _ = network()
    inside, go_on = threading.Event(), threading.Event()

    def wait(value):
        if waits:
            inside.set()
            assert go_on.wait(20)
        return value

    end = tf.py_func(wait, [tf.tanh(hidden * 0.5 + 0.1) - 1.0], tf.float32)
    waits = False
    found = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        expected = [sess.run(end, {x: data(8, 6, seed=i)}) for i in range(STEPS)]
        count = gpu.count("replay")
        waits = True
        thread = threading.Thread(
            target=lambda: found.append(sess.run([hidden, end], {x: data(8, 6, seed=0)}))
        )
        other = threading.Thread(
            target=lambda: found.append(sess.run(end, {x: data(8, 6, seed=0)}))
        )
        other.start()
        assert inside.wait(20)
        waits = False
        np.testing.assert_array_equal(sess.run(end, {x: data(8, 6, seed=1)}), expected[1])
        go_on.set()
        other.join(20)
        assert gpu.count("replay") == count + 1
        np.testing.assert_array_equal(found[0], expected[0])

        many = [
            threading.Thread(
                target=lambda i=i: found.append((i, sess.run(end, {x: data(8, 6, seed=i)})))
            )
            for i in range(STEPS)
        ]
        found.clear()
        for thread in many:
            thread.start()
        for thread in many:
            thread.join(20)
    for i, value in found:
        np.testing.assert_array_equal(value, expected[i])
    assert len(found) == STEPS


def test_a_capture_that_fails(gpu, monkeypatch):
    """It is told once and by name; the program goes on as if there were no graphs."""
    monkeypatch.setattr(cuda_graphs, "graphs_of", lambda memory: EmulatedGraphs(gpu, "aten::addmm"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RuntimeWarning)
        found = trained(conv_net)
    (warning,) = [w for w in told if w.category is RuntimeWarning]
    assert "from node Reshape on run one by one" in str(warning.message)
    assert "not permitted when stream is capturing" in str(warning.message)
    assert "[[node dense/BiasAdd" in str(warning.message)
    assert gpu == ["warm-up", "capture"]
    monkeypatch.setenv(cuda_graphs.VARIABLE, "0")
    plain = trained(conv_net)
    assert_same(found[:2], plain[:2])


@pytest.mark.parametrize("when", range(STEPS))
def test_errors_name_their_node(gpu, when):
    """An error is the program's whenever it comes, and the runs after it are right."""
    train, _, hidden, x, y, w = network()
    checked = tf.check_numerics(hidden, "not finite", name="here")
    total = tf.reduce_sum(checked * 2.0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(STEPS + 2):
            feed = {x: data(8, 6, seed=i), y: data(8, 2)}
            if i == when:
                feed[x][0, 0] = np.nan
                with pytest.raises(tf.errors.InvalidArgumentError, match="not finite") as caught:
                    sess.run([total, train], feed)
                assert caught.value.op is checked.op
                sess.run(tf.global_variables_initializer())
            else:
                values = sess.run(w)
                found, _ = sess.run([total, train], feed)
                expected = 2 * np.tanh(feed[x] @ values * 2 + 0.5).sum()
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert "replay" in gpu


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(gpu, monkeypatch, seed):
    """Reads and writes of variables keep their order around segments."""

    def program():
        fed, fetches = random_graph(seed, 1, "gpu")
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            found = []
            for i in range(STEPS):
                found.append(sess.run(fetches, {fed: data(4, 4, seed=i)})[:10])
            return [found, sess.run(tf.global_variables())]

    both_ways(gpu, monkeypatch, program)


# -- which steps -----------------------------------------------------------------------------------

HERE = torch.device("cpu", 0)


def reason(function, *values, memory=HERE):
    watch = segments.Watch(memory)
    with torch.inference_mode(), watch:
        function(*values)
    return watch.reason


def test_what_can_be_captured():
    a = torch.rand(4, 4)
    for function in (
        lambda x: x.mT.reshape(16),
        lambda x: torch.einsum("ij,jk->ik", x, x),
        lambda x: x[:, torch.zeros(2, dtype=torch.long)] * 2.0 + 1,
        lambda x: torch.where(x > 0.5, 0, x).to(torch.float64),
        lambda x: x.new_full((), 3.0) + x,
        lambda x: torch.nn.functional.max_pool2d(x[None], 2, return_indices=True),
        lambda x: torch._foreach_mul([x, x], 2.0),
    ):
        assert reason(function, a) == ""


def test_what_cannot_be_captured():
    a = torch.rand(4, 4)
    for function, words in (
        (lambda x: float(x[0, 0]), "waits for a value"),
        (lambda x: x[0, 0] if x.sum() > 0 else x, "waits for a value"),
        (lambda x: torch.equal(x, x), "waits for a value"),
        (lambda x: x.nonzero(), "depends on values"),
        (lambda x: x[x > 0.5], "takes a mask"),
        (lambda x: torch.where(x > 0.5), "depends on values"),
        (lambda x: x.unique(), "depends on values"),
        (lambda x: torch.repeat_interleave(torch.tensor([1, 2])), ""),
        (lambda x: torch.rand(3) + x[0, 0], "draws random numbers"),
        (lambda x: torch.nn.functional.dropout(x), "draws random numbers"),
        (lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]), "Python values"),
        (lambda x: torch.linalg.inv(x), "may wait"),
    ):
        assert words in reason(function, a) != ""


def test_tensors_of_other_memory_cannot_be_captured():
    there, here = torch.empty(3, device="meta"), torch.rand(3)
    meta = torch.device("meta")
    assert reason(lambda x: x + 1.0, there, memory=meta) == ""
    assert reason(lambda x: x + torch.ones(()), there, memory=meta) == ""
    assert "a tensor on cpu" in reason(lambda x: torch.zeros(3), there, memory=meta)
    assert "a tensor on meta" in reason(lambda x: x.to("meta"), here)
    assert "between the host" in reason(lambda x: torch.ones(()).to("meta"), there, memory=meta)


# -- the interface of PyTorch ----------------------------------------------------------------------


def test_calls_of_pytorch_have_its_signatures(monkeypatch):
    """On its CUDA functions replaced by ones that take the same arguments and do nothing."""
    names = "CUDAGraph Stream current_stream device graph graph_pool_handle set_stream stream"
    for name in names.split():
        monkeypatch.setattr(torch.cuda, name, mock.create_autospec(getattr(torch.cuda, name)))
    memory = torch.device("cuda", 1)
    graphs = cuda_graphs.CudaGraphs(memory)
    x = torch.ones(3)
    graphs.warm_up(lambda: [x])
    torch.cuda.stream.assert_called_once_with(torch.cuda.Stream.return_value)
    pool = graphs.new_pool()
    replay, made = graphs.capture(lambda: [x], pool)
    assert made == [x] and torch.cuda.graph.call_args.kwargs["pool"] is pool
    replay()
    torch.cuda.CUDAGraph.return_value.replay.assert_called_once_with()
    assert torch.cuda.device.call_args.args == (memory,)

    torch.cuda.set_stream.reset_mock()
    torch.cuda.graph.return_value.__exit__.return_value = False
    with pytest.raises(ZeroDivisionError):
        graphs.capture(lambda: [x / (1 // 0)], pool)
    torch.cuda.set_stream.assert_called_once_with(torch.cuda.current_stream.return_value)
    assert not cuda_graphs.CudaGraphs._one_at_a_time.locked()


# -- the stand-in ----------------------------------------------------------------------------------


def test_the_stand_in_works_by_address():
    with torch.inference_mode():
        x, w = torch.ones(3), torch.full((3,), 2.0)
        late = EmulatedGraphs()
        replay, (y, view) = late.capture(lambda: [(x * w).relu_(), x[1:]], None)
        assert not torch.equal(y, torch.full((3,), 2.0))  # nothing is computed before a replay
        replay()
        assert y.tolist() == [2.0, 2.0, 2.0]
        w.fill_(5.0)
        source = torch.full((3,), 7.0)
        late.upload(x, source)
        source.fill_(0.0)
        assert x.tolist() == [1.0, 1.0, 1.0]
        replay()
        assert y.tolist() == [35.0, 35.0, 35.0] and view.tolist() == [7.0, 7.0]
        before = sys.getrefcount(w)
        del replay
        assert sys.getrefcount(w) == before  # it was not held


def test_the_stand_in_changes_nothing_while_it_captures():
    with torch.inference_mode():
        x = torch.ones(3)
        replay, _ = EmulatedGraphs().capture(lambda: [x.add_(1.0), x.mul_(3.0)], None)
        assert x.tolist() == [1.0, 1.0, 1.0]
        replay()
        assert x.tolist() == [6.0, 6.0, 6.0]


# -- a real GPU ------------------------------------------------------------------------------------

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_train_alike_on_a_gpu(monkeypatch, name):
    """With graphs, without them, and on the processor."""
    monkeypatch.delenv(cuda_graphs.VARIABLE, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a capture that fails
        found = trained(PROGRAMS[name])
    assert found[2] and all(f.sizes() for f in found[2])
    for function in found[2]:
        for static in function._static.values():
            assert all(s._replay is not None for s in static._segments)
    monkeypatch.setenv(cuda_graphs.VARIABLE, "0")
    plain = trained(PROGRAMS[name])
    monkeypatch.setattr(devices, "gpus", lambda: ())
    here = trained(PROGRAMS[name])
    for one, other, rtol in ((found, plain, 1e-4), (found, here, 1e-2)):
        assert_close(one[0], other[0], rtol)
        assert_close(one[1], other[1], rtol)


def assert_close(one, other, rtol):
    for a, b in zip(one, other, strict=True):
        if isinstance(a, (list, tuple)):
            assert_close(a, b, rtol)
        elif a is not None:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize(
    "test",
    [
        test_variables_assigned_from_outside,
        test_feeds_of_other_shapes,
        test_fetched_values_do_not_change,
        test_values_that_outlive_a_run,
        test_sessions_have_graphs_of_their_own,
        test_views_of_variables_do_not_hold_them,
        test_a_step_may_write_over_what_another_segment_gave,
        test_writes_keep_their_order,
    ],
)
def test_what_must_not_go_wrong_on_a_gpu(monkeypatch, test):
    """The tests above, with the graphs of a GPU in place of the stand-in's."""
    log: list[str] = []

    class Logged(cuda_graphs.CudaGraphs):
        def warm_up(self, run):
            log.append("warm-up")
            super().warm_up(run)

        def capture(self, run, pool):
            replay, made = super().capture(run, pool)
            log.append("capture")
            return lambda: (log.append("replay"), replay()), made

    monkeypatch.setattr(cuda_graphs, "graphs_of", Logged)
    monkeypatch.setitem(globals(), "assert_same", lambda a, b: assert_close(a, b, 1e-4))
    test(log, monkeypatch)


@pytest.mark.gpu
@needs_gpu
def test_a_capture_that_waits_fails_and_leaves_the_gpu_well():
    graphs = cuda_graphs.CudaGraphs(torch.device("cuda", 0))
    x = torch.ones(3, device="cuda")
    stream = torch.cuda.current_stream()
    with pytest.raises(RuntimeError):
        graphs.capture(lambda: [x * x.sum().item()], graphs.new_pool())
    assert torch.cuda.current_stream() == stream
    replay, (y,) = graphs.capture(lambda: [x * 2.0], graphs.new_pool())
    replay()
    assert y.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.gpu
@needs_gpu
def test_uploads_take_what_the_source_has_at_the_call():
    graphs = cuda_graphs.CudaGraphs(torch.device("cuda", 0))
    for count in (3, 1 << 22):
        target = torch.empty(count, device="cuda")
        for value in range(20):
            source = torch.full((count,), float(value))
            graphs.upload(target, source)
            source.fill_(-1.0)
            assert bool((target == value).all())
