"""The engine: plans and their passes, feeds, fetches, threads, errors, what is fetched stays."""

from __future__ import annotations

import collections
import threading

import numpy as np
import plans
import pytest

import relight.v1 as tf
from relight.engine import folding, passes, plan
from relight.graph.graph import Graph


@pytest.fixture
def graph():
    with tf.Graph().as_default() as made:
        yield made


# -- fetches ---------------------------------------------------------------------------------------

Pair = collections.namedtuple("Pair", "first second")


def test_fetch_structures(graph):
    a, b = tf.constant(1.0, name="a"), tf.constant([2.0], name="b")
    op = tf.no_op()
    with tf.Session() as sess:
        assert sess.run(a) == 1.0 and type(sess.run(a)) is np.float32
        assert sess.run([a, [b, (a,)]]) == [1.0, [np.array([2.0], np.float32), (1.0,)]]
        assert sess.run({"x": a, "y": {"z": op}}) == {"x": 1.0, "y": {"z": None}}
        found = sess.run(Pair(a, b))
        assert type(found) is Pair and found.first == 1.0
        ordered = sess.run(collections.OrderedDict([("z", a), ("a", b)]))
        assert type(ordered) is collections.OrderedDict and list(ordered) == ["z", "a"]
        assert sess.run("a:0") == 1.0 and sess.run("b") is None
        assert sess.run([]) == [] and sess.run({}) == {} and sess.run(op) is None
        assert sess.run([a, a]) == [1.0, 1.0]


def test_fetch_composites(graph):
    sparse = tf.SparseTensor([[0, 1]], [5.0], [1, 2])
    slices = tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([3]), tf.constant([4, 1]))
    with tf.Session() as sess:
        found, other = sess.run([sparse, slices])
        assert type(found).__name__ == "SparseTensorValue" and found.values.tolist() == [5.0]
        assert type(other).__name__ == "IndexedSlicesValue" and other.indices.tolist() == [3]
        fed = tf.sparse_placeholder(tf.float32)
        dense = tf.sparse_tensor_to_dense(fed)
        value = tf.SparseTensorValue([[1]], [7.0], [3])
        assert sess.run(dense, {fed: value}).tolist() == [0, 7, 0]
        assert sess.run(dense, {fed: ([[0]], [1.0], [2])}).tolist() == [1, 0]


def test_bad_fetches(graph):
    a = tf.constant(1.0)
    with tf.Graph().as_default():
        foreign = tf.constant(2.0)
    with tf.Session(graph=a.graph) as sess:
        with pytest.raises(TypeError, match="Fetch argument None has invalid type"):
            sess.run(None)
        with pytest.raises(TypeError, match="has invalid type"):
            sess.run([a, 3])
        with pytest.raises(ValueError, match="is not an element of this graph"):
            sess.run(foreign)
        with pytest.raises(ValueError, match="nothing"):
            sess.run("nothing:0")
        with pytest.raises(TypeError):
            sess.run([{1, 2}])  # unhashable and no structure
    with tf.Session(graph=tf.Graph()) as sess, pytest.raises(RuntimeError, match="graph is empty"):
        sess.run([])


# -- feeds -----------------------------------------------------------------------------------------


def test_feeds(graph):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    n = tf.placeholder(tf.int32, [])
    middle = x * 2.0
    y = middle + tf.cast(n, tf.float32)
    with tf.Session() as sess:
        assert sess.run(y, {x: [[1, 2]], n: 1}).tolist() == [[3, 5]]
        assert sess.run(y, {"x:0": np.ones((2, 2)), n: np.int64(0)}).shape == (2, 2)
        assert sess.run(y, {middle: [[5.0, 5.0]], n: 1}).tolist() == [[6, 6]]
        assert sess.run(x, {x: [[1, 2]]}).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (np.ones((2, 3)), ValueError, r"Cannot feed value of shape \(2, 3\)"),
        (np.ones(2), ValueError, r"which has shape '\(\?, 2\)'"),
        ([["a", "b"]], ValueError, "could not convert"),
    ],
)
def test_bad_feed_values(graph, value, error, match):
    x = tf.placeholder(tf.float32, [None, 2])
    with tf.Session() as sess, pytest.raises(error, match=match):
        sess.run(x + 1.0, {x: value})


def test_bad_feeds(graph):
    x = tf.placeholder(tf.int8, [])
    with tf.Graph().as_default():
        foreign = tf.placeholder(tf.float32)
    graph.prevent_feeding(kept := tf.constant(1))
    with tf.Session(graph=graph) as sess:
        with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
            sess.run(x, {foreign: 1})
        with pytest.raises(TypeError, match="feed_dict must be a dictionary"):
            sess.run(x, [(x, 1)])
        with pytest.raises(TypeError, match="cannot be a tf.Tensor"):
            sess.run(x, {x: kept})
        with pytest.raises(TypeError, match="not compatible with Tensor type"):
            sess.run(x, {x: 1000})
        with pytest.raises(ValueError, match="may not be fed"):
            sess.run(kept, {kept: 1})
        with pytest.raises(tf.errors.InvalidArgumentError, match="must feed a value"):
            sess.run(x)


# -- plans -----------------------------------------------------------------------------------------


def test_plans_are_kept_until_the_graph_changes(graph, monkeypatch):
    made = []
    original = plan.make
    monkeypatch.setattr(plan, "make", lambda *a, **k: made.append(a) or original(*a, **k))
    x = tf.placeholder(tf.float32)
    y = x + 1.0
    with tf.Session() as sess:
        for value in range(3):
            assert sess.run([y], {x: value}) == [value + 1]
        assert len(made) == 1
        sess.run({"y": y}, {x: 0})
        sess.run([y], {x: 0, y: 5})
        assert len(made) == 3
        tf.constant(3)  # another node changes no plan that was made
        sess.run([y], {x: 0})
        assert len(made) == 3
        y.op._update_input(1, tf.constant(10.0))
        assert sess.run([y], {x: 0}) == [10]
        assert len(made) == 4
    with tf.Session() as other:  # plans belong to the graph
        other.run([y], {x: 0})
        assert len(made) == 4


def test_make_callable(graph):
    x = tf.placeholder(tf.float32)
    with tf.Session() as sess:
        double = sess.make_callable(x * 2.0, [x])
        assert double(3.0) == 6.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="You must feed a value"):
            double()
    with pytest.raises(RuntimeError, match="closed Session"):
        double(1.0)


def test_closed_session(graph):
    a = tf.constant(1)
    sess = tf.Session()
    sess.close()
    sess.close()
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        sess.run(a)


def test_device_list(graph):
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.Session(config=config) as sess:
        names = [d.name for d in sess.list_devices()]
    assert names == [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in range(2)]


def _plan(fetches, feeds=(), only=None):
    """(plan, number of steps before the passes): with all passes, or with some by name."""
    chosen = passes.PASSES if only is None else [*only, passes.copy_fetches]
    with plans.only(list(chosen)):
        return plan.make(tf.get_default_graph(), fetches, list(feeds))


def _kinds(made):
    return [s.what for s in made.steps]


X = np.random.RandomState(0).randn(2, 3).astype(np.float32)


def _identities():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.exp(tf.identity(tf.stop_gradient(x)))


def _constants():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, x + tf.sqrt(tf.constant([1.0, 4.0, 9.0])) * tf.cast(tf.size(x), tf.float32)


def _neutral():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.exp(tf.reduce_sum(tf.reshape(x, [2, 3]) * 1.0, []) / 1.0)


def _equal():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.exp(x) + tf.exp(x)


def _unused():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.split(x, 3, 1)[1]


def _pool():
    x = tf.placeholder(tf.float32, [2, 3])
    image = tf.reshape(x, [1, 2, 3, 1])
    y = tf.nn.max_pool(image, [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
    return x, tf.gradients(y * y, x)[0]


def _conv_gradients():
    x = tf.placeholder(tf.float32, [2, 3])
    image = tf.reshape(x, [1, 2, 3, 1])
    kernel = tf.reshape(tf.range(4.0), [2, 2, 1, 1])
    y = tf.nn.conv2d(image, kernel, [1, 1, 1, 1], "VALID")
    a, b = tf.gradients(y * y, [x, kernel])
    return x, tf.concat([tf.reshape(a, [-1]), tf.reshape(b, [-1])], 0)


def _conv_bias_gradients():
    """A bias that is added with `+`, so that its gradient is a Sum."""
    x = tf.placeholder(tf.float32, [2, 3])
    kernel = tf.reshape(tf.range(8.0), [2, 2, 1, 2])
    bias = tf.constant([1.0, 2.0])
    y = tf.nn.conv2d(tf.reshape(x, [1, 2, 3, 1]), kernel, [1, 1, 1, 1], "VALID") + bias
    a, b = tf.gradients(y * y, [kernel, bias])
    return x, tf.concat([tf.reshape(a, [-1]), b], 0)


def _bias():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.nn.bias_add(tf.matmul(x, tf.ones([3, 4])), tf.range(4.0))


def _bias_by_addition():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.matmul(x, tf.ones([3, 4])) + tf.range(4.0)


def _relu():
    x = tf.placeholder(tf.float32, [2, 3])
    return x, tf.nn.relu(tf.matmul(x, tf.ones([3, 4])))


# (pass, program, whether the plan gets shorter or a step changes its kind)
PASSES = [
    (folding.forward_identities, _identities, "shorter"),
    (folding.fold_constants, _constants, "shorter"),
    (folding.drop_neutral, _neutral, "shorter"),
    (folding.merge_equal, _equal, "shorter"),
    (passes.conv_fusions.share_pool_indices, _pool, "MaxPoolGrad by indices"),
    (passes.conv_fusions.join_conv_gradients, _conv_gradients, "shorter"),
    (passes.conv_fusions.join_conv_gradients, _conv_bias_gradients, "Conv2D gradients"),
    (passes.fusions.fuse_bias, _bias, "MatMul+Bias"),
    (passes.fusions.fuse_bias, _bias_by_addition, "MatMul+Bias"),
    (passes.fusions.relu_in_place, _relu, "Relu in place"),
]


@pytest.mark.parametrize(
    ("function", "program", "effect"),
    PASSES,
    ids=[f"{f.__name__}-{p.__name__}" for f, p, _ in PASSES],
)
def test_pass(graph, function, program, effect):
    """A pass changes the plan as it should and changes no result; nor do all of them together."""
    x, y = program()
    before = _plan([y], [x], only=[])
    needed = [folding.fold_constants, folding.drop_neutral, folding.drop_unused]
    own_base = effect == "shorter" and function in [*needed, folding.merge_equal]
    base = [] if own_base else needed[:1]
    start = _plan([y], [x], only=base)
    after = _plan([y], [x], only=[*base, function])
    whole = _plan([y], [x])
    if effect == "shorter":
        assert len(after.steps) < len(start.steps), after.describe()
    else:
        assert effect in _kinds(after) and effect not in _kinds(start), after.describe()
    assert len(whole.steps) <= len(before.steps)
    with tf.Session() as sess:
        wanted = plans.run(before, sess, X)[0]
        for made in (start, after, whole):
            np.testing.assert_allclose(plans.run(made, sess, X)[0], wanted, rtol=1e-5, atol=1e-6)


def test_drop_unused(graph):
    x = tf.placeholder(tf.float32, [2, 3])
    a = tf.exp(x)
    made = _plan([tf.shape(a)], [x], only=[folding.fold_constants, folding.drop_unused])
    assert made.steps == []
    kept = _plan([a.op], [x])  # a fetched operation runs, though nothing reads it
    assert "Exp" in _kinds(kept)


def test_updates_run_together(graph):
    rate = tf.placeholder(tf.float32, [])
    variables = [tf.Variable(np.full(3, i, np.float32)) for i in range(4)]
    loss = tf.add_n([tf.reduce_sum(v * v) for v in variables])
    train = tf.train.GradientDescentOptimizer(rate).minimize(loss)
    whole = _plan([train], [rate])
    assert [k for k in _kinds(whole) if k.startswith("ApplyGradientDescent")] == [
        "ApplyGradientDescent x 4"
    ]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train, {rate: 0.25})
        assert [v[0] for v in sess.run(variables)] == [0, 0.5, 1.0, 1.5]


def test_generated_source_is_readable(graph):
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    y = tf.exp(tf.matmul(x, tf.ones([3, 2]), name="product"), name="power")
    made = _plan([y], [x])
    lines = made.source.splitlines()
    assert lines[0] == "def plan(S, F):" and lines[-1].startswith("    return [")
    (line,) = [n for n in lines if "# Exp power" in n]
    assert "test_engine.py:" in line
    assert any(n.strip().startswith("del ") for n in lines)
    assert [n.split(":")[0] for n in made.log] == [p.__name__ for p in passes.PASSES]


# -- errors ----------------------------------------------------------------------------------------


def test_error_names_node_and_line(graph):
    x = tf.placeholder(tf.int32, name="x")
    y = tf.gather(tf.constant([1, 2, 3]), x, name="picked")
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        sess.run(y, {x: 7})
    assert caught.value.op is y.op and caught.value.node_def.name == "picked"
    assert caught.value.error_code == tf.errors.INVALID_ARGUMENT
    assert "picked" in str(caught.value) and "test_engine.py" in str(caught.value)


@pytest.mark.parametrize("use_resource", [False, True])
def test_uninitialised_variable(graph, use_resource):
    v = tf.get_variable("v", [], use_resource=use_resource)
    w = tf.get_variable("w", initializer=1.0, use_resource=use_resource)
    with tf.Session() as sess:
        sess.run(w.initializer)
        assert sess.run(w) == 1.0
        with pytest.raises(tf.errors.FailedPreconditionError, match="v"):
            sess.run(v + 1.0)
        kind = tf.errors.NotFoundError if use_resource else tf.errors.FailedPreconditionError
        with pytest.raises(kind, match="v"):  # as TensorFlow: the resource does not exist yet
            sess.run(v.assign_add(1.0))
        assert sess.run(tf.report_uninitialized_variables()).tolist() == [b"v"]


def test_failure_leaves_the_session_usable(graph):
    x = tf.placeholder(tf.float32)
    y = tf.check_numerics(x, "bad number")
    with tf.Session() as sess:
        with pytest.raises(tf.errors.InvalidArgumentError, match="bad number"):
            sess.run(y, {x: np.nan})
        assert sess.run(y, {x: 1.0}) == 1.0


# -- what was read stays ---------------------------------------------------------------------------


@pytest.mark.parametrize("use_resource", [False, True])
def test_fetched_values_never_change(graph, use_resource):
    v = tf.get_variable("v", initializer=np.zeros(3, np.float32), use_resource=use_resource)
    add = tf.assign_add(v, np.ones(3, np.float32))
    scatter = tf.scatter_update(v, [0], [9.0])
    with tf.Session() as sess:
        sess.run(v.initializer)
        read, assigned = sess.run(v), sess.run(add)
        kept = [read.copy(), assigned.copy()]
        for _ in range(3):
            sess.run(add)
        sess.run(scatter)
        assert read.tolist() == kept[0].tolist() == [0, 0, 0]
        assert assigned.tolist() == kept[1].tolist() == [1, 1, 1]
        mine = sess.run(v)
        mine[:] = 100  # what the program does with a fetched array stays with the program
        assert sess.run(v).tolist() == [9, 4, 4]


def test_fetches_do_not_share_memory(graph):
    x = tf.placeholder(tf.float32, [4])
    y = tf.exp(x)
    c = tf.constant([1.0, 2.0])
    with tf.Session() as sess:
        fed = np.zeros(4, np.float32)
        a, b, same, halves, constant = sess.run(
            [y, tf.reshape(y, [2, 2]), tf.identity(x), tf.split(y, 2), c], {x: fed}
        )
        a[:] = 7
        same[:] = 8
        constant[:] = 9
        halves[0][:] = 10
        assert b.tolist() == [[1, 1], [1, 1]] and fed.tolist() == [0, 0, 0, 0]
        assert halves[1].tolist() == [1, 1] and sess.run(c).tolist() == [1, 2]


def test_fed_and_computed_memory_is_not_assigned(graph):
    x = tf.placeholder(tf.float32, [2])
    v, w = tf.Variable([0.0, 0.0]), tf.Variable([0.0, 0.0])
    fed = np.ones(2, np.float32)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run([tf.assign(v, x), tf.assign(w, v)], {x: fed})
        sess.run(tf.assign(w, v))
        fed[:] = 50
        assert sess.run(v).tolist() == [1, 1]
        sess.run(tf.assign_add(v, [1.0, 1.0]))
        assert sess.run(w).tolist() == [1, 1] and sess.run(v).tolist() == [2, 2]


def test_reads_see_assignments_that_they_wait_for(graph):
    v = tf.get_variable("v", initializer=1.0, use_resource=True)
    before = v.read_value()
    with tf.control_dependencies([before]):
        assign = v.assign(5.0)
    with tf.control_dependencies([assign]):
        after = v.read_value()
    with tf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run([before, after]) == [1.0, 5.0]


# -- threads ---------------------------------------------------------------------------------------


def test_many_threads_run_one_session(graph):
    x = tf.placeholder(tf.float32, [])
    y = tf.reduce_sum(tf.fill([100], x) * 2.0)
    count = tf.Variable(0)
    add = tf.assign_add(count, 1, use_locking=True)
    errors = []
    with tf.Session() as sess:
        sess.run(count.initializer)

        def work(number):
            try:
                for i in range(25):
                    value = float(number * 25 + i)
                    assert sess.run(y, {x: value}) == 200 * value
                    sess.run(add)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not errors
        assert sess.run(count) == 200


def test_sessions_do_not_share_variables(graph):
    v = tf.Variable(0)
    with tf.Session() as one, tf.Session() as two:
        for sess in (one, two):
            sess.run(v.initializer)
        one.run(tf.assign(v, 3))
        assert (one.run(v), two.run(v)) == (3, 0)


def test_interactive_session():
    tf.reset_default_graph()
    sess = tf.InteractiveSession(graph=Graph())
    try:
        assert tf.constant(3).eval() == 3
        assert tf.get_default_session() is sess and tf.get_default_graph() is sess.graph
    finally:
        sess.close()
    assert tf.get_default_session() is None


@pytest.mark.parametrize("dtype", [tf.float32, tf.int32, tf.bool])
def test_fetched_arrays_lie_row_by_row(graph, dtype):
    """Programs take their bytes, and set their shapes in place."""
    values = np.arange(320).reshape(40, 8) % 7
    array = values.astype(dtype.as_numpy_dtype)
    x = tf.placeholder(dtype, [None, 8])
    turned = tf.transpose(x)
    fetches = [turned, tf.transpose(tf.stack([x, x]), [2, 0, 1])[1:], tf.reverse(turned, [0])]
    if dtype is tf.float32:
        fetches += [tf.nn.relu(turned), tf.nn.softmax(x), tf.nn.log_softmax(x), turned * 2.0]
    with tf.Session() as session:
        for fetch, found in zip(fetches, session.run(fetches, {x: array}), strict=True):
            assert found.flags.c_contiguous, fetch
        for fetch in fetches:
            assert session.run(fetch, {x: array}).flags.c_contiguous, fetch


@pytest.mark.parametrize(
    "rows, classes", [(100, 1), (100, 2), (31, 10), (32, 10), (100, 15), (100, 16)]
)
def test_softmax_of_short_rows(graph, rows, classes):
    """Taken down the columns; infinities and NaN stay in their rows."""
    values = np.random.RandomState(0).randn(rows, classes).astype(np.float32) * 10
    values[1, 0], values[2, 0], values[3, 0], values[4] = np.nan, np.inf, -np.inf, -np.inf
    x = tf.placeholder(tf.float32, [None, classes])
    labels = np.arange(rows) % classes
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = values.astype(np.float64)
        logs = wide - wide.max(1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(1, keepdims=True))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)
    fetches = [tf.nn.softmax(x), tf.nn.log_softmax(x), losses, *losses.op.outputs[1:]]
    fetches += tf.gradients(losses, x)
    with tf.Session() as session:
        found = session.run(fetches, {x: values})
    gradient = np.exp(logs) - np.eye(classes)[labels]
    wanted = [np.exp(logs), logs, -logs[np.arange(rows), labels], gradient, gradient]
    for one, other in zip(found, wanted, strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
