"""GPUs: what is placed on them, the copies between memories, and runs on a real one.

Where there is no GPU, a stand-in takes its place: a device whose memory is the processor's under
another name (`cpu:0`, not `cpu`), so that plans have all their copies and can be run.
"""

from __future__ import annotations

import contextlib
import types
import warnings

import numpy as np
import pytest
import test_flow
import torch
from test_cuda_graphs import PROGRAMS, trained

import relight.v1 as tf
from relight.engine import devices, memories, plan
from relight.ops import call

HAS_GPU = torch.cuda.is_available()


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


@pytest.fixture
def two_gpus(monkeypatch):
    found = tuple(devices.Device("GPU", i, torch.device("cpu", i), 1 << 30) for i in range(2))
    monkeypatch.setattr(devices, "gpus", lambda: found)


def steps_of(sess, fetches, feeds=()):
    placed = sess._placer.place(sess.graph)
    return plan.make(sess.graph, list(fetches), list(feeds), placed=placed).steps


def copies(steps):
    """(where to, the node whose value it is) of each copy of a plan."""
    return [(str(s.function.keywords["memory"]), s.node.name) for s in steps if s.what == "copy"]


def placed_on(sess):
    return {n.name: d.name.rpartition("/")[2] for n, d in sess._placer.place(sess.graph).items()}


def network(labels, x, keep):
    """A small convolutional network: (loss, logits)."""
    h = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu, padding="same")
    h = tf.layers.batch_normalization(tf.layers.max_pooling2d(h, 2, 2), training=True)
    h = tf.nn.dropout(tf.layers.dense(tf.layers.flatten(h), 16, tf.nn.relu), keep, seed=3)
    logits = tf.layers.dense(h, 3)
    return tf.losses.sparse_softmax_cross_entropy(labels, logits), logits


def train(config, optimizer=None, steps=4):
    """The losses and accuracies of a few training steps, everything seeded."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [8, 6, 6, 1])
        labels = tf.placeholder(tf.int64, [8])
        loss, logits = network(labels, x, 0.9)
        right = tf.equal(tf.argmax(logits, 1), labels)
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        step = tf.train.get_or_create_global_step()
        optimizer = optimizer or tf.train.AdamOptimizer(0.01)
        updates = optimizer.minimize(loss, global_step=step)
        text = tf.string_join(["step ", tf.as_string(step)])
        rs = np.random.RandomState(0)
        feed = {x: rs.rand(8, 6, 6, 1).astype(np.float32), labels: rs.randint(0, 3, 8)}
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            found = [sess.run([updates, loss, accuracy], feed)[1:] for _ in range(steps)]
            return found, sess.run([step, text]), sess.run(tf.trainable_variables())


CPU_ONLY = tf.ConfigProto(device_count={"GPU": 0})
OPTIMIZERS = {
    "sgd": lambda: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9),
    "adam": lambda: tf.train.AdamOptimizer(0.01),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.01),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.1),
}


def test_what_goes_to_a_gpu(two_gpus):
    w = tf.get_variable("w", [3, 3])
    count = tf.get_variable("count", [], tf.int32)
    text = tf.as_string(tf.matmul(w, w, name="product"), name="text")
    q = tf.FIFOQueue(3, [tf.float32], name="q")
    q.enqueue(w, name="put")
    called = tf.py_func(lambda a: a, [w], tf.float32, name="called")
    with tf.device("/gpu:1"):
        tf.tanh(called, name="second")
    tf.shape(text, name="shape")
    with tf.Session() as sess:
        assert [d.name.rpartition("/")[2] for d in sess.list_devices()] == [
            "device:CPU:0", "device:GPU:0", "device:GPU:1",
        ]  # fmt: skip
        found = placed_on(sess)
    on = {"w": 0, "w/Assign": 0, "w/read": 0, "product": 0, "second": 1}
    for name in ("w", "w/Assign", "w/read", "product", "second"):
        assert found[name] == f"device:GPU:{on[name]}", name
    for name in ("count", "count/Assign", "count/read", "text", "q", "put", "called"):
        assert found[name] == "device:CPU:0", name
    assert count.op.device == ""


def test_an_operation_without_kernel_for_gpus(two_gpus):
    with tf.device("/gpu:0"):
        tf.as_string(tf.constant(1.0), name="text")
    message = "no supported kernel for GPU devices is available"
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sess.run("text:0")
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        assert sess.run("text:0") == b"1.000000"


def test_visible_devices(two_gpus):
    options = tf.GPUOptions(visible_device_list="1")
    found = devices.local_devices(tf.ConfigProto(gpu_options=options))
    assert [(d.index, d.memory.index) for d in found if d.device_type == "GPU"] == [(0, 1)]
    one = devices.local_devices(tf.ConfigProto(device_count={"GPU": 1}))
    assert [d.device_type for d in one] == ["CPU", "GPU"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="invalid GPU id"):
        devices.local_devices(tf.ConfigProto(gpu_options=tf.GPUOptions(visible_device_list="7")))


def test_each_value_is_copied_once(two_gpus):
    x = tf.placeholder(tf.float32, [4, 4], name="x")
    a, b = tf.tanh(x, name="a"), tf.sigmoid(x, name="b")
    with tf.device("/cpu:0"):
        c = tf.add(tf.exp(a, name="on_cpu"), 1.0, name="c")
    with tf.device("/gpu:1"):
        d = tf.add(tf.add(a, b), c, name="d")
    with tf.Session() as sess:
        found = copies(steps_of(sess, [d], [x]))
        data = np.random.RandomState(0).rand(4, 4).astype(np.float32)
        value = sess.run(d, {x: data})
    assert sorted(found) == [
        ("cpu", "a"), ("cpu:0", "x"), ("cpu:1", "a"), ("cpu:1", "b"), ("cpu:1", "c"),
    ]  # fmt: skip
    expected = np.tanh(data) + 1 / (1 + np.exp(-data)) + np.exp(np.tanh(data)) + 1
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_constants_are_copied_when_the_plan_is_made(two_gpus):
    x = tf.placeholder(tf.float32, [2])
    y = tf.multiply(x, tf.constant([3.0, 4.0]))
    with tf.Session() as sess:
        assert len(copies(steps_of(sess, [y], [x]))) == 1
        assert list(sess.run(y, {x: [1.0, 2.0]})) == [3.0, 8.0]


def test_shapes_and_random_numbers_stay_with_the_processor(two_gpus):
    x = tf.placeholder(tf.float32, [None, 3])
    rows = tf.shape(x)[0] * 2
    noise = tf.random_uniform(tf.stack([rows, 3]), seed=1)
    y = tf.concat([x, x], 0) + noise
    with tf.Session() as sess:
        steps = steps_of(sess, [y], [x])
        kinds = [name for _, name in copies(steps)]
        assert "random_uniform/RandomUniform" in kinds or "random_uniform" in kinds
        assert not any(n.startswith(("strided_slice", "stack", "mul")) for n in kinds)
        assert sess.run(y, {x: np.zeros((2, 3))}).shape == (4, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_beside_a_stand_in(two_gpus, name):
    alone = train(CPU_ONLY, OPTIMIZERS[name]())
    beside = train(None, OPTIMIZERS[name]())
    assert alone[:2] == beside[:2]
    for a, b in zip(alone[2], beside[2], strict=True):
        np.testing.assert_array_equal(a, b)


def towers(config, target, count=2):
    """Losses of towers whose variables the processor keeps; `target`: a device for each tower."""
    rs = np.random.RandomState(0)
    data, labels = rs.rand(16, 12).astype(np.float32), rs.randint(0, 3, 16)
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
        grads, losses = [], []
        with tf.variable_scope(tf.get_variable_scope()):
            for i in range(count):
                with tf.device(target % i), tf.name_scope(f"tower_{i}"):
                    with tf.device("/cpu:0"):
                        w = tf.get_variable("w", [12, 3])
                    logits = tf.matmul(tf.constant(data[8 * i : 8 * i + 8]), w)
                    loss = tf.losses.sparse_softmax_cross_entropy(labels[8 * i : 8 * i + 8], logits)
                    tf.get_variable_scope().reuse_variables()
                    grads.append(optimizer.compute_gradients(loss))
                    losses.append(loss)
        with tf.device("/cpu:0"):
            means = [
                (tf.reduce_mean(tf.stack([g for g, _ in pairs]), 0), pairs[0][1])
                for pairs in zip(*grads, strict=True)
            ]
            step = optimizer.apply_gradients(means)
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            return [sess.run([step, *losses])[1:] for _ in range(5)]


def test_towers_on_stand_ins(two_gpus):
    soft = tf.ConfigProto(allow_soft_placement=True, device_count={"GPU": 0})
    assert towers(None, "/gpu:%d") == towers(soft, "/gpu:%d")


def test_variables_of_two_gpus_are_updated_apart(two_gpus):
    pairs = []
    for i in range(2):
        with tf.device(f"/gpu:{i}"):
            pairs += [
                tf.get_variable(f"v{i}{k}", [2], initializer=tf.ones_initializer()) for k in "ab"
            ]
    loss = tf.add_n([tf.reduce_sum(v * v) for v in pairs])
    train_op = tf.train.GradientDescentOptimizer(0.25).minimize(loss)
    with tf.Session() as sess:
        updates = [s.what for s in steps_of(sess, [train_op]) if "GradientDescent" in s.what]
        assert updates == ["ApplyGradientDescent x 2"] * 2
        sess.run(tf.global_variables_initializer())
        sess.run(train_op)
        assert [list(v) for v in sess.run(pairs)] == [[0.5, 0.5]] * 4


def test_a_loop_is_run_by_the_processor(two_gpus):
    v = tf.get_variable("v", [3], use_resource=True, initializer=tf.ones_initializer())
    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    end = tf.while_loop(
        lambda i, h: i < 5, lambda i, h: (i + 1, tf.tanh(h + v * w)), [0, tf.ones([3]) * w]
    )[1]
    y = tf.reduce_sum(end * w)
    grads = tf.gradients(y, [w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        assert placed_on(sess)["v"] == "device:CPU:0"  # a body reads it where it runs
        found = sess.run([y, *grads])
    with tf.Session(config=CPU_ONLY) as sess:
        sess.run(tf.global_variables_initializer())
        for a, b in zip(found, sess.run([y, *grads]), strict=True):
            np.testing.assert_array_equal(a, b)


def test_numbers_are_the_processors(two_gpus, tmp_path):
    """Steps, rates and decays that are made of numbers stay where they are read as numbers."""
    x = tf.placeholder(tf.float32, [4, 3], name="x")
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [3, 2])
    scale = tf.get_variable("scale", [], initializer=tf.ones_initializer())
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) * scale))
    total, update = tf.metrics.mean(loss)
    rate = tf.train.exponential_decay(0.1, step, 3, 0.9)
    train_op = tf.train.AdamOptimizer(rate).minimize(loss, global_step=step)
    averages = tf.train.ExponentialMovingAverage(0.9, step)
    with tf.control_dependencies([train_op]):
        both = averages.apply([w])
    saver = tf.train.Saver()
    with tf.Session() as sess:
        assert placed_on(sess)["beta1_power"] == "device:GPU:0"  # as TensorFlow has it
        found = copies(steps_of(sess, [both, rate], [x]))
        assert sorted(found) == [("cpu:0", "x")]
        elsewhere = {
            v.op.name for v in tf.global_variables() + tf.local_variables()
            if not memories.is_counter(v.op)
        }  # fmt: skip
        assert elsewhere >= {"w", "w/Adam", "scale", "scale/Adam", "mean_1/total"}
        assert not elsewhere & {"global_step", "beta1_power", "beta2_power"}
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        sess.run([both, update], {x: np.ones((4, 3))})
        path = saver.save(sess, str(tmp_path / "model"))
        saver.restore(sess, path)
        assert sess.run([step, total]) == [1, pytest.approx(sess.run(total))]


def branches(config):
    """What conditions read and write of variables that are elsewhere."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        w = tf.get_variable("w", [3])
        r = tf.get_variable("r", [3], use_resource=True)
        x = tf.placeholder(tf.float32, [3])
        first = tf.Variable(w.initialized_value() * 2.0)

        def change():
            with tf.control_dependencies([w.assign(w * x), r.assign_add(x)]):
                return tf.identity(w.read_value()) + r

        y = tf.cond(x[0] > 0.5, change, lambda: tf.tanh(w) * r)
        with tf.control_dependencies([y]):
            after = w.read_value() * 2.0 + r.read_value()
        with tf.Session(config=config) as sess:
            places = {n: d for n, d in placed_on(sess).items() if n in ("w", "r", "Variable")}
            sess.run([w.initializer, r.initializer])
            sess.run(first.initializer)
            feeds = [np.random.RandomState(i).rand(3) for i in range(6)]
            return [sess.run([y, after, first], {x: f}) for f in feeds], places


def test_branches_use_variables_elsewhere(two_gpus):
    (here, _), (there, places) = branches(CPU_ONLY), branches(None)
    assert set(places.values()) == {"device:GPU:0"}
    for a, b in zip(here, there, strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(test_flow.RUNS))
def test_loaded_graphs_beside_a_stand_in(two_gpus, name):
    """Old control flow, stacks and lists, functions as operations."""
    test_flow.test_loaded_graph_computes_what_tensorflow_does(name)


def test_partial_runs_use_variables_elsewhere(two_gpus):
    w = tf.get_variable("w", [2, 2], initializer=tf.ones_initializer())
    a, b = tf.placeholder(tf.float32, [2, 2]), tf.placeholder(tf.float32, [2, 2])
    first = tf.matmul(a, w)
    second = first * b
    with tf.Session() as sess:
        sess.run(w.initializer)
        handle = sess.partial_run_setup([first, second], [a, b])
        assert sess.partial_run(handle, first, {a: np.ones((2, 2))}).tolist() == [[2, 2], [2, 2]]
        assert sess.partial_run(handle, second, {b: np.eye(2)}).tolist() == [[2, 0], [0, 2]]


def test_nothing_is_copied_for_processors_alone():
    with tf.device("/cpu:1"):
        y = tf.tanh(tf.placeholder_with_default([1.0], [1]))
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as sess:
        made = plan.make(sess.graph, [y], [], placed=sess._placer.place(sess.graph))
        before = list(made.steps)
        memories.settle(made, sess._placer.place(sess.graph))
        assert made.steps == before


# -- kernels that do not wait for values -----------------------------------------------------------


def on_a_gpu(monkeypatch, fetches):
    """Fetched values, from kernels that go the way that they go on a GPU."""
    with monkeypatch.context() as patch, tf.Session(config=CPU_ONLY) as sess:
        patch.setattr(call, "at_hand", lambda tensor: False)
        return sess.run(fetches)


def test_kernels_give_the_same_without_looking(monkeypatch):
    rs = np.random.RandomState(0)
    x = tf.placeholder_with_default(rs.rand(6, 4, 3).astype(np.float32), [6, 4, 3])
    rows = tf.placeholder_with_default(rs.randint(0, 6, 5), [5])
    places = tf.placeholder_with_default(rs.randint(0, 3, (5, 2)), [5, 2])
    fetches = {
        "gather": tf.gather(x, rows),
        "gather_nd": tf.gather_nd(x, places),
        "gather_whole": tf.gather_nd(x, places[:, :0]),
        "scatter": tf.scatter_nd(places, tf.gather_nd(x, places), [6, 4, 3]),
        "segments": tf.unsorted_segment_sum(x[:5], rows, 7),
        "greatest": tf.unsorted_segment_max(x[:5], rows, 7),
        "arg": tf.argmax(x, 1),
        "least": tf.reduce_min(x, [0, 2]),
        "quotient": tf.floordiv(rows, places[:, 0] + 1),
        "power": tf.pow(rows, places[:, 1]),
        "stitched": tf.dynamic_stitch([[0, 2], [1, 2]], [x[0, :2], x[1, :2]]),
        "reversed": tf.reverse_sequence(x, [1, 2, 3, 4, 0, 2], 1),
    }
    with tf.Session(config=CPU_ONLY) as sess:
        here = sess.run(fetches)
    there = on_a_gpu(monkeypatch, fetches)
    for name, value in here.items():
        np.testing.assert_array_equal(value, there[name], err_msg=name)


def test_labels_and_indices_out_of_range_on_a_gpu(monkeypatch):
    """Nothing can be raised there; TensorFlow gives NaN and zeros, and leaves rows out."""
    rs = np.random.RandomState(0)
    logits = tf.constant(rs.rand(4, 3).astype(np.float32))
    good = tf.placeholder_with_default(np.array([0, 2, 1, 1]), [4])
    bad = tf.placeholder_with_default(np.array([0, 3, 1, -1]), [4])
    losses = [
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        for labels in (good, bad)
    ]
    grads = [tf.gradients(loss, logits)[0] for loss in losses]
    with tf.Session(config=CPU_ONLY) as sess:
        right = sess.run([losses[0], grads[0]])
        with pytest.raises(tf.errors.InvalidArgumentError, match="outside the valid range"):
            sess.run(losses[1])
    good_ones, bad_ones = on_a_gpu(monkeypatch, list(zip(losses, grads, strict=True)))
    for a, b, c in zip(right, good_ones, bad_ones, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(c[[0, 2]], a[[0, 2]])
        assert np.isnan(c[[1, 3]]).all()
    found = on_a_gpu(
        monkeypatch,
        [
            tf.gather(logits, bad),
            tf.gather_nd(logits, tf.stack([bad, good], 1)),
            tf.unsorted_segment_sum(logits, bad, 3),
            tf.scatter_nd(bad[:, None], logits, [3, 3]),
        ],
    )
    assert [bool(row.any()) for row in found[0]] == [True, True, True, False]
    assert [v != 0 for v in found[1]] == [True, True, True, False]
    values = on_a_gpu(monkeypatch, logits)
    for sums in found[2:]:
        np.testing.assert_array_equal(sums, [values[0], values[2], [0, 0, 0]])


# -- memories that cannot be mixed -----------------------------------------------------------------


@pytest.fixture
def meta_gpu(monkeypatch):
    """A GPU whose memory holds no values: what comes from it is zeros. PyTorch refuses to mix its
    tensors with the processor's, and to tell a value of them."""
    meta = (devices.Device("GPU", 0, torch.device("meta"), 1 << 30),)

    def moved(tensor, memory):
        if memory == memories.HOST and tensor.is_meta:
            return torch.zeros(tensor.shape, dtype=tensor.dtype)
        return tensor.to(memory)

    monkeypatch.setattr(devices, "gpus", lambda: meta)
    monkeypatch.setattr(memories, "_to", moved)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: moved(self, memories.HOST))


# PyTorch has no meta kernel of batch_norm_update_stats; sparse updates look at their indices.
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"batch-normalization", "embeddings"}))
def test_programs_do_not_mix_memories(meta_gpu, name):
    for fetched in trained(PROGRAMS[name], steps=2)[0]:
        assert fetched


# Two graphs assert what zeros are not.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(set(test_flow.RUNS) - {"asserting", "dynamic_rnn_training"})
)
def test_loaded_graphs_do_not_mix_memories(meta_gpu, name):
    with contextlib.suppress(AssertionError):  # of values that are zeros
        test_flow.test_loaded_graph_computes_what_tensorflow_does(name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_do_not_mix_memories(meta_gpu, name):
    w = tf.get_variable("w", [3, 2])
    v = tf.get_variable("v", [2], use_resource=True)
    x = tf.placeholder(tf.float32, [4, 3])
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + v))
    update = OPTIMIZERS[name]().minimize(loss, tf.train.get_or_create_global_step())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(2):
            sess.run([update, loss], {x: np.ones((4, 3))})
        held = {v.name: v.value.device.type for v in sess._state.variables.values()}
    assert held["w"] == held["v"] == "meta" and held["global_step"] == "cpu"
    assert all(held.get(n, "cpu") == "cpu" for n in ("beta1_power", "beta2_power"))


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["", "0", "1"])
def test_full_float32_unless_asked(monkeypatch, asked):
    flags = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [f.allow_tf32 for f in flags]
    properties = types.SimpleNamespace(name="none", major=9, minor=0, total_memory=1 << 30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: properties)
    monkeypatch.setenv("RELIGHT_TF32", asked)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (found,) = devices.gpus.__wrapped__()
        assert (found.name, found.memory) == (
            "/job:localhost/replica:0/task:0/device:GPU:0",
            torch.device("cuda", 0),
        )
        assert [f.allow_tf32 for f in flags] == [asked == "1"] * 2
    finally:
        for flag, value in zip(flags, before, strict=True):
            flag.allow_tf32 = value


# -- a real GPU ------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs a CUDA device")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_on_a_gpu(name):
    alone, there = train(CPU_ONLY, OPTIMIZERS[name]()), train(None, OPTIMIZERS[name]())
    np.testing.assert_allclose(np.array(alone[0]), np.array(there[0]), rtol=1e-3, atol=1e-4)
    assert alone[1] == there[1]


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs a CUDA device")
def test_a_gpu_computes_in_full_float32():
    a = np.random.RandomState(0).randn(256, 256).astype(np.float32)
    with tf.device("/gpu:0"):
        product = tf.matmul(tf.constant(a), tf.constant(a))
        image = tf.reshape(tf.constant(a), [1, 256, 256, 1])
        conv = tf.nn.conv2d(image, tf.constant(a[:5, :5].reshape(5, 5, 1, 1)), [1] * 4, "SAME")
    with tf.Session() as sess:
        found, filtered = sess.run([product, conv])
    exact = a.astype(np.float64) @ a.astype(np.float64)
    assert np.abs(found - exact).max() < 1e-3
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True, device_count={"GPU": 0})) as s:
        np.testing.assert_allclose(s.run(conv), filtered, rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs a CUDA device")
def test_towers_on_a_gpu():
    soft = tf.ConfigProto(allow_soft_placement=True, device_count={"GPU": 0})
    here, there = towers(soft, "/gpu:%d"), towers(None, "/gpu:0%.0s")
    np.testing.assert_allclose(np.array(here), np.array(there), rtol=1e-4)
    assert tf.test.gpu_device_name() == "/device:GPU:0"


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs a CUDA device")
def test_memory_grows_as_needed():
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    train(None)
    assert torch.cuda.memory_reserved() - before < 1 << 30  # not all that the GPU has


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="needs a CUDA device")
def test_branches_on_a_gpu():
    (here, _), (there, places) = branches(CPU_ONLY), branches(None)
    assert set(places.values()) == {"device:GPU:0"}
    for a, b in zip(here, there, strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
