"""Devices at run time: placement logs, lanes of several processors, errors and waits in them."""

from __future__ import annotations

import random
import threading
import time

import numpy as np
import pytest

import relight.v1 as tf
from relight.engine import plan
from relight.engine.devices import local_devices
from relight.engine.placement import Placer

TWO = tf.ConfigProto(device_count={"CPU": 2})


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def lanes_of(sess, fetches, feeds=()):
    """The divided plan of a call: its text, "" when it has one lane."""
    placed = sess._placer.place(sess.graph)
    made = plan.make(sess.graph, list(fetches), list(feeds), placed=placed)
    return made.source if "def lane1" in made.source else ""


# -- placement -------------------------------------------------------------------------------------

# What TensorFlow 1.15 printed for `program` with two processors, without the lines on XLA.
PLACED = """\
v: (VariableV2): /job:localhost/replica:0/task:0/device:CPU:0
v/Assign: (Assign): /job:localhost/replica:0/task:0/device:CPU:0
v/read: (Identity): /job:localhost/replica:0/task:0/device:CPU:0
w: (VariableV2): /job:localhost/replica:0/task:0/device:CPU:1
w/Assign: (Assign): /job:localhost/replica:0/task:0/device:CPU:1
w/read: (Identity): /job:localhost/replica:0/task:0/device:CPU:1
mul: (Mul): /job:localhost/replica:0/task:0/device:CPU:0
AssignAdd: (AssignAdd): /job:localhost/replica:0/task:0/device:CPU:0
r/IsInitialized/VarIsInitializedOp: (VarIsInitializedOp): /job:localhost/replica:0/task:0/device:CPU:0
r/Assign: (AssignVariableOp): /job:localhost/replica:0/task:0/device:CPU:0
r/Read/ReadVariableOp: (ReadVariableOp): /job:localhost/replica:0/task:0/device:CPU:0
Read/ReadVariableOp: (ReadVariableOp): /job:localhost/replica:0/task:0/device:CPU:0
Identity: (Identity): /job:localhost/replica:0/task:0/device:CPU:1
PlaceholderWithDefault: (PlaceholderWithDefault): /job:localhost/replica:0/task:0/device:CPU:1
Size: (Size): /job:localhost/replica:0/task:0/device:CPU:1
q_enqueue: (QueueEnqueueV2): /job:localhost/replica:0/task:0/device:CPU:1
init: (NoOp): /job:localhost/replica:0/task:0/device:CPU:0
v/initial_value: (Const): /job:localhost/replica:0/task:0/device:CPU:0
w/initial_value: (Const): /job:localhost/replica:0/task:0/device:CPU:1
AssignAdd/value: (Const): /job:localhost/replica:0/task:0/device:CPU:1
r/Initializer/zeros: (Const): /job:localhost/replica:0/task:0/device:CPU:0
r: (VarHandleOp): /job:localhost/replica:0/task:0/device:CPU:0
q: (FIFOQueueV2): /job:localhost/replica:0/task:0/device:CPU:1
x: (Placeholder): /job:localhost/replica:0/task:0/device:CPU:0
free: (Const): /job:localhost/replica:0/task:0/device:CPU:0
"""  # noqa: E501


def program(tf):
    """Operations on two devices: references, resources, a queue, and some that are free."""
    with tf.device("/cpu:0"):
        v = tf.Variable([1.0, 1.0], name="v")
    with tf.device("/cpu:1"):
        w = tf.Variable([1.0, 1.0], name="w")
    y = v * w
    with tf.device("/cpu:1"):
        tf.raw_ops.AssignAdd(ref=v._ref(), value=[1.0, 1.0])
    with tf.device("/cpu:0"):
        r = tf.get_variable("r", [2], use_resource=True, initializer=tf.zeros_initializer())
    with tf.device("/cpu:1"):
        read = r.read_value()
        tf.size(tf.placeholder_with_default(read, None))
        q = tf.FIFOQueue(3, [tf.float32], shapes=[[2]], name="q")
    q.enqueue(y)
    tf.no_op(name="init")
    tf.placeholder(tf.float32, name="x")
    return tf.constant(1.0, name="free")


def test_log_of_placement(capfd):
    fetch = program(tf)
    config = tf.ConfigProto(device_count={"CPU": 2}, log_device_placement=True)
    with tf.Session(config=config) as sess:
        sess.run(fetch)
        assert capfd.readouterr().out == "Device mapping: no known devices.\n" + PLACED
        sess.run(fetch)
        assert capfd.readouterr().out == ""


def test_local_devices():
    from relight.v1.train import device_lib

    found = device_lib.list_local_devices(TWO)
    assert [(d.name, d.device_type) for d in found[:2]] == [
        ("/device:CPU:0", "CPU"),
        ("/device:CPU:1", "CPU"),
    ]
    assert found[0].memory_limit == 256 << 20 and found[0].incarnation != found[1].incarnation


def test_one_device_keeps_one_function():
    with tf.device("/cpu:1"):
        x = tf.constant([1.0, 2.0]) * tf.placeholder_with_default([1.0, 1.0], [2])
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        assert sess._placer.key is None
        sess.run(x)
    assert all("lane" not in c.general().source for c in tf.get_default_graph()._plans.values())


def test_absent_gpus_and_visible_ones():
    assert [d.name for d in local_devices(tf.ConfigProto(device_count={"GPU": 0}))] == [
        "/job:localhost/replica:0/task:0/device:CPU:0"
    ]


# -- lanes -----------------------------------------------------------------------------------------


def towers(count=2, depth=3):
    """Two chains of products on CPU:0 and CPU:1 from one fed matrix, their sum on CPU:0."""
    x = tf.placeholder(tf.float32, [8, 8])
    ends = []
    for i in range(count):
        with tf.device(f"/cpu:{i}"):
            h = x
            for _ in range(depth):
                h = tf.tanh(tf.matmul(h, x)) + i
            ends.append(h)
    with tf.device("/cpu:0"):
        return x, ends, tf.add_n(ends)


def test_lanes_give_what_one_thread_gives():
    x, ends, total = towers()
    data = np.random.RandomState(0).rand(8, 8).astype(np.float32)
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        alone = sess.run([total, *ends], {x: data})
    with tf.Session(config=TWO) as sess:
        assert "R.take" in lanes_of(sess, [total], [x])
        for _ in range(50):
            for a, b in zip(alone, sess.run([total, *ends], {x: data}), strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_chain_over_two_devices_stays_one_function():
    x = tf.placeholder(tf.float32, [8, 8])
    for i in range(6):
        with tf.device(f"/cpu:{i % 2}"):
            x = tf.tanh(x)
    with tf.Session(config=TWO) as sess:
        assert lanes_of(sess, [x]) == ""


def test_lanes_run_at_once():
    """Two steps that wait for each other end only when both run."""
    meet = threading.Barrier(2, timeout=20)

    def wait(value):
        meet.wait()
        return value

    ends = []
    for i in range(2):
        with tf.device(f"/cpu:{i}"):
            ends.append(tf.py_func(wait, [tf.constant(float(i))], tf.float32))
    with tf.Session(config=TWO) as sess:
        assert sess.run(ends) == [0.0, 1.0]


def test_a_session_is_run_from_within_lanes():
    x, _, total = towers()
    data = np.ones((8, 8), np.float32)
    with tf.Session(config=TWO) as sess:

        def inner(i):
            return sess.run(total, {x: data})[0, 0] + i

        ends = []
        for i in range(2):
            with tf.device(f"/cpu:{i}"):
                ends.append(tf.py_func(inner, [np.float32(i)], tf.float32))
        first, second = sess.run(ends)
        assert second == first + 1


def test_control_inputs_hold_across_lanes():
    order = []

    def note(name, seconds):
        time.sleep(float(seconds))
        order.append(name)
        return np.float32(1.0)

    with tf.device("/cpu:0"):
        a = tf.py_func(note, ["a", np.float32(0.05)], tf.float32)
        side = tf.py_func(note, ["side", np.float32(0.2)], tf.float32)
    with tf.control_dependencies([tf.group(a)]):
        group = tf.no_op()
    with tf.device("/cpu:1"):
        other = tf.py_func(note, ["other", np.float32(0.0)], tf.float32)
        with tf.control_dependencies([group]):
            b = tf.py_func(note, ["b", np.float32(0.0)], tf.float32)
    with tf.Session(config=TWO) as sess:
        assert "lane1" in lanes_of(sess, [side, other, b])
        sess.run([side, other, b])
    assert [n.decode() for n in order] == ["other", "a", "b", "side"]


@pytest.mark.parametrize("resource", [False, True])
def test_variables_are_read_and_written_in_order(resource):
    with tf.device("/cpu:0"):
        v = tf.get_variable("v", [4], initializer=tf.zeros_initializer(), use_resource=resource)
    after = v.initializer
    for i in range(10):
        with tf.control_dependencies([after]), tf.device(f"/cpu:{i % 2}"):
            before = v.read_value() * 1.0
            filler = tf.tanh(tf.tanh(before))
        with tf.control_dependencies([before, filler]):
            add = v.assign_add([1.0] * 4)
        with tf.control_dependencies([add]), tf.device(f"/cpu:{(i + 1) % 2}"):
            after = tf.tanh(v.read_value()) * 0.0 + v.read_value()
    x, _, total = towers()
    with tf.Session(config=TWO) as sess:
        assert "lane1" in lanes_of(sess, [before, after, total], [x])
        for _ in range(20):
            found = sess.run([before, after, total], {x: np.zeros((8, 8), np.float32)})
            assert list(found[0]) == [9.0] * 4 and list(found[1]) == [10.0] * 4


def random_graph(seed, cpus, device="cpu"):
    """A graph of 40 steps on `cpus` devices of a kind, three variables among them: (fed, fetches).

    What is done to one variable is in order by control inputs, so that its values are defined.
    """
    pick = random.Random(seed)
    fed = tf.placeholder(tf.float32, [4, 4])
    values, variables, latest = [fed], [], [[], [], []]
    for k in range(3):
        with tf.device(f"/{device}:{k % cpus}"):
            ones = tf.ones_initializer()
            variables.append(tf.get_variable(f"v{k}", [4, 4], None, ones, use_resource=k == 1))
    for _ in range(40):
        kind, k = pick.randrange(6), pick.randrange(3)
        a, b = pick.choice(values), pick.choice(values)
        after = [tf.group(pick.choice(values))] if pick.random() < 0.5 else []
        after += latest[k] if kind > 3 else []
        with tf.device(f"/{device}:{pick.randrange(3) % cpus}"), tf.control_dependencies(after):
            if kind == 4:
                latest[k] = [variables[k].assign_add(a * 0.01).op]
                continue
            made = (
                lambda: tf.tanh(tf.matmul(a, b)),
                lambda: a * 0.5 + b,
                lambda: tf.nn.relu(a - b),
                lambda: tf.concat([a[:2], b[2:]], 0),
                None,
                lambda: variables[k].read_value() * 1.0,
            )[kind]()
            values.append(made)
            if kind == 5:
                latest[k] = [made.op]
    return fed, values[-10:] + [op for ops in latest for op in ops]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_give_the_same_on_three_devices(seed):
    found = []
    for cpus in (1, 3):
        config = tf.ConfigProto(device_count={"CPU": cpus})
        with tf.Graph().as_default(), tf.Session(config=config) as sess:
            fed, fetches = random_graph(seed, cpus)
            sess.run(tf.global_variables_initializer())
            data = np.random.RandomState(seed).rand(4, 4)
            runs = [sess.run(fetches, {fed: data})[:10] for _ in range(3)]
            found.append([*runs, sess.run(tf.global_variables())])
    for one, three in zip(*found, strict=True):
        for a, b in zip(one, three, strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_error_names_the_node_of_the_other_lane():
    x, _, total = towers()
    with tf.device("/cpu:1"):
        wrong = tf.check_numerics(tf.log(x), "bad", name="here")
    with tf.Session(config=TWO) as sess:
        assert "lane1" in lanes_of(sess, [total, wrong], [x])
        with pytest.raises(tf.errors.InvalidArgumentError, match="bad") as caught:
            sess.run([total, wrong], {x: -np.ones((8, 8), np.float32)})
        assert caught.value.op is wrong.op
        assert np.isfinite(sess.run([total, wrong], {x: np.ones((8, 8), np.float32)})[0]).all()


def test_an_error_ends_what_another_lane_waits_for():
    with tf.device("/cpu:0"):
        q = tf.FIFOQueue(3, [tf.float32], shapes=[[]])
        row = q.dequeue(name="row") + 1.0
    with tf.device("/cpu:1"):
        wrong = tf.py_func(lambda: 1 / 0, [], tf.float32, name="wrong")
    with tf.Session(config=TWO) as sess:
        assert "lane1" in lanes_of(sess, [row, wrong])
        with pytest.raises(tf.errors.OpError, match="division by zero"):
            sess.run([row, wrong])
        sess.run(q.enqueue(1.0))
        assert sess.run(row) == 2.0  # nothing was taken by the call that failed


def test_closing_ends_waiting_lanes():
    with tf.device("/cpu:1"):
        q = tf.FIFOQueue(3, [tf.float32], shapes=[[]])
        row = q.dequeue() * 2.0
    x, _, total = towers()
    sess = tf.Session(config=TWO)
    feed = {x: np.zeros((8, 8), np.float32)}
    found = []

    def run():
        try:
            found.append(sess.run([row, total], feed))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    sess.close()
    thread.join(10)
    assert not thread.is_alive() and isinstance(found[0], tf.errors.CancelledError)


def test_workers_end_with_their_session():
    x, _, total = towers()

    def workers():
        return [t for t in threading.enumerate() if t.name == "relight lane"]

    before = set(workers())
    with tf.Session(config=TWO) as sess:
        threads = [
            threading.Thread(target=sess.run, args=(total, {x: np.ones((8, 8), np.float32)}))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(workers()) - before
    for thread in set(workers()) - before:
        thread.join(10)
    assert not set(workers()) - before


def test_towers_train_alike_on_one_and_two_devices():
    rs = np.random.RandomState(0)
    data, labels = rs.rand(16, 12).astype(np.float32), rs.randint(0, 3, 16)

    def losses(count):
        with tf.Graph().as_default():
            tf.set_random_seed(1)
            optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
            found, ends = [], []
            with tf.variable_scope(tf.get_variable_scope()):
                for i in range(2):
                    with tf.device(f"/cpu:{i % count}"), tf.name_scope(f"tower_{i}"):
                        rows = slice(8 * i, 8 * i + 8)
                        with tf.device("/cpu:0"):
                            w = tf.get_variable("w", [12, 3])
                            b = tf.get_variable("b", [3], initializer=tf.zeros_initializer())
                        logits = tf.matmul(tf.constant(data[rows]), w) + b
                        loss = tf.losses.sparse_softmax_cross_entropy(labels[rows], logits)
                        tf.get_variable_scope().reuse_variables()
                        found.append(optimizer.compute_gradients(loss))
                        ends.append(loss)
            means = [
                (tf.reduce_mean(tf.stack([g for g, _ in pairs]), 0), pairs[0][1])
                for pairs in zip(*found, strict=True)
            ]
            train = optimizer.apply_gradients(means)
            config = tf.ConfigProto(device_count={"CPU": count})
            with tf.Session(config=config) as sess:
                sess.run(tf.global_variables_initializer())
                return [sess.run([train, *ends])[1:] for _ in range(20)]

    one, two = losses(1), losses(2)
    assert one == two and sum(two[-1]) < sum(two[0])


def fed_towers():
    """Two towers on devices of their own that take their batches from one queue on CPU:0; the
    means of their products, and the op that fills the queue."""
    with tf.device("/cpu:0"):
        batches = tf.FIFOQueue(100, [tf.float32], [[8, 8]])
        fill = batches.enqueue_many(tf.reshape(tf.range(100 * 64, dtype=tf.float32), [-1, 8, 8]))
    ends = []
    for i in range(2):
        with tf.device(f"/cpu:{i}"):
            x = batches.dequeue()
            h = x
            for _ in range(3):
                h = tf.tanh(tf.matmul(h, x))
            ends.append(tf.stack([tf.reduce_mean(x), tf.reduce_mean(h)]))
    return fill, ends


def test_towers_fed_by_a_queue_run_at_once():
    """The queue is on the first tower's device: its lane takes both batches before it computes."""
    fill, ends = fed_towers()
    with tf.Session(config=TWO) as sess:
        text = lanes_of(sess, ends).split("def lane1")[0]
        assert text.rindex("QueueDequeue") < text.index("MatMul")
        sess.run(fill)
        two = [sess.run(ends) for _ in range(20)]
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        sess.run(fill)
        one = [sess.run(ends) for _ in range(20)]
    np.testing.assert_array_equal(one, two)  # the first tower has the first batch in both


def test_calls_of_functions_run_in_lanes():
    proto = tf.GraphDef()
    f32 = tf.float32.as_datatype_enum
    twice = proto.library.function.add()
    twice.signature.name = "SquareOf"
    twice.signature.input_arg.add(name="x", type=f32)
    twice.signature.output_arg.add(name="y", type=f32)
    product = twice.node_def.add(name="product", op="MatMul", input=["x", "x"])
    product.attr["T"].type = f32
    twice.ret["y"] = "product:product:0"
    proto.node.add(name="x", op="Placeholder").attr["dtype"].type = f32
    for i in range(2):
        source = "x"
        for k in range(3):
            name = f"call_{i}_{k}"
            proto.node.add(name=name, op="SquareOf", input=[source], device=f"/cpu:{i}")
            product = proto.node.add(name=name + "m", op="MatMul", input=[name, "x"])
            product.attr["T"].type = f32
            product.device = f"/cpu:{i}"
            source = product.name
    x, *ends = tf.import_graph_def(
        proto, return_elements=["x:0", "call_0_2m:0", "call_1_2m:0"], name=""
    )
    data = np.random.RandomState(0).rand(4, 4).astype(np.float32) / 4
    expected = data
    for _ in range(3):
        expected = expected @ expected @ data
    with tf.Session(config=TWO) as sess:
        assert "lane1" in lanes_of(sess, ends, [x])
        for found in sess.run(ends, {x: data}):
            np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_trace_has_the_steps_of_each_device():
    x, _, total = towers()
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session(config=TWO) as sess:
        sess.run(total, {x: np.ones((8, 8), np.float32)}, options=options, run_metadata=metadata)
    found = {d.device: [n.node_name for n in d.node_stats] for d in metadata.step_stats.dev_stats}
    assert sorted(found) == [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in range(2)]
    assert "MatMul" in found[min(found)] and "MatMul_4" in found[max(found)]


def test_placer_is_incremental(graph):
    placer = Placer(local_devices(), soft=False)
    tf.constant(1.0)
    placer.check(graph)
    with tf.device("/cpu:1"):
        tf.constant(2.0, name="there")
    for _ in range(2):
        with pytest.raises(tf.errors.InvalidArgumentError, match="node there"):
            placer.check(graph)


def test_sessions_of_tests_place_softly():
    class Case(tf.test.TestCase):
        def test_soft(self):
            for made in (self.session(), self.cached_session()):
                with made as sess, tf.device("/gpu:7"):
                    assert sess.run(tf.constant(1.0)) == 1.0

        def test_forced(self):
            config = tf.ConfigProto(allow_soft_placement=True)
            with self.session(config=config, force_gpu=True) as sess:
                x = tf.constant(1.0)
                assert x.device == "/device:GPU:0"
                with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "available devices"):
                    sess.run(x)

    names = ["test_soft"] if tf.test.is_gpu_available() else ["test_soft", "test_forced"]
    found = []

    def run():  # in a thread of its own: a test case forgets the default graphs of its thread
        for name in names:
            try:
                Case(name).debug()
            except Exception as error:
                found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not found
