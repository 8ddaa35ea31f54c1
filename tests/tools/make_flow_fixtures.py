"""Write tests/data/flow: graphs with old control flow, and what TensorFlow 1.15 computes with them.

Run by Python with TensorFlow 1.15: `python tests/tools/make_flow_fixtures.py [name ...]`. A program
builds a graph and gives a list of runs, (fetches, feeds) by name. Its GraphDef goes to
`<name>.pb.gz`; `runs.json` holds the values, or class and first line of the error, of each run in
order, after `init` has been run. Of one program there is a `<name>.meta.gz` as well.
"""

import gzip
import json
import os
import re
import sys

import numpy as np
import tensorflow as tf

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "flow")
PROGRAMS = {}
META = "cond_in_while"  # of this one the MetaGraphDef is kept too


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def numbers(*shape, **options):
    random = np.random.RandomState(options.get("seed", 0))
    return (random.uniform(-1, 1, shape) * options.get("scale", 1)).astype(np.float32)


def variable(name, *shape, **options):
    return tf.get_variable(
        name, initializer=numbers(*shape, **options), use_resource=options.get("resource", False)
    )


def minimize(loss, optimizer=None):
    tf.identity(loss, name="loss")
    optimizer = optimizer or tf.train.GradientDescentOptimizer(0.1)
    optimizer.minimize(loss, name="train")


@program
def cond_training():
    """A branch with weights of its own, one that shares them, and values that cross branches."""
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w, v = variable("w", 3, 2), variable("v", 3, 2, seed=1)
    y = tf.cond(
        p,
        lambda: tf.tanh(tf.matmul(x, w, name="inner_true")),
        lambda: tf.nn.softplus(tf.matmul(x, v)) + tf.matmul(x, w),
    )
    tf.identity(y, name="y")
    minimize(tf.reduce_sum(tf.square(y)))
    feeds = [{"x:0": numbers(4, 3, seed=i), "p:0": i % 2 == 0} for i in range(5)]
    runs = [(["y:0", "loss:0", "train"], f) for f in feeds]
    return runs + [
        (["w:0", "v:0"], {}),
        ("cond/inner_true:0", feeds[0]),
        ("cond/inner_true:0", feeds[1]),
        (["y:0", "cond/inner_true"], feeds[1]),
        ("cond/Merge:1", feeds[0]),
        ("cond/Merge:1", feeds[1]),
    ]


@program
def while_training():
    """A loop with an invariant, values saved for its gradient, and an early end."""
    n = tf.placeholder(tf.int32, [], name="n")
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    w = variable("w", 3, 3)

    def body(i, a, total):
        a = tf.tanh(tf.matmul(a, w))
        return i + 1, a, total + tf.reduce_sum(a * a)

    out = tf.while_loop(lambda i, a, t: tf.logical_and(i < n, t < 20.0), body, [0, x, 0.0])
    for tensor, name in zip(out, ["count", "last", "total"]):
        tf.identity(tensor, name=name)
    minimize(out[2])
    runs = [
        (["count:0", "last:0", "total:0", "loss:0", "train"], {"n:0": k, "x:0": numbers(2, 3)})
        for k in (3, 0, 1, 7)
    ]
    return runs + [("w:0", {}), ("while/Tanh:0", runs[0][1]), ("while/Tanh", runs[0][1])]


@program
def dynamic_rnn_training():
    """An LSTM over sequences of several lengths, trained with Adam."""
    x = tf.placeholder(tf.float32, [None, None, 2], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    with tf.variable_scope("net", initializer=tf.constant_initializer(numbers(5, 12))):
        outputs, state = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    tf.identity(outputs, name="outputs")
    tf.identity(state.h, name="h")
    minimize(tf.reduce_mean(tf.square(outputs - 0.5)), tf.train.AdamOptimizer(0.1))
    feeds = [
        {"x:0": numbers(3, 4, 2, seed=i), "lengths:0": np.array([4, 2, 3], np.int32)}
        for i in range(3)
    ]
    feeds.append({"x:0": numbers(2, 6, 2, seed=5), "lengths:0": np.array([1, 5], np.int32)})
    return [(["outputs:0", "h:0", "loss:0", "train"], f) for f in feeds] + [
        ("net/rnn/basic_lstm_cell/kernel:0", {})
    ]


@program
def gru_stack_training():
    """Two GRU layers with dropout's shape arithmetic left out, unrolled in time order."""
    x = tf.placeholder(tf.float32, [3, 2, 2], name="x")
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(2) for _ in range(2)])
    with tf.variable_scope("net", initializer=tf.constant_initializer(0.3)):
        outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, time_major=True)
    minimize(tf.reduce_sum(outputs[-1]))
    return [(["loss:0", "train"], {"x:0": numbers(3, 2, 2)})] * 3


@program
def nested_loops():
    """A loop in a loop; the inner one's length depends on the outer one's turn."""
    w = variable("w", 2, 2, scale=0.7)
    n = tf.placeholder(tf.int32, [], name="n")

    def outer(i, a):
        _, b = tf.while_loop(
            lambda j, b: j <= i, lambda j, b: (j + 1, tf.tanh(tf.matmul(b, w) + a)), [0, a * 0.5]
        )
        return i + 1, b + a * w

    _, out = tf.while_loop(lambda i, a: i < n, outer, [0, tf.ones([2, 2])])
    tf.identity(out, name="out")
    minimize(tf.reduce_sum(out))
    return [(["out:0", "loss:0", "train"], {"n:0": k}) for k in (3, 1, 4)] + [("w:0", {})]


@program
def cond_in_while():
    """A condition that changes from turn to turn, with its gradient."""
    w = variable("w", 3)
    n = tf.placeholder(tf.int32, [], name="n")

    def body(i, a):
        b = tf.cond(
            tf.equal(i % 2, 0),
            lambda: tf.sin(a * w),
            lambda: tf.cond(i > 2, lambda: a * a + w, lambda: tf.exp(-a)),
        )
        return i + 1, b

    _, out = tf.while_loop(lambda i, a: i < n, body, [0, tf.ones([3])])
    tf.identity(out, name="out")
    minimize(tf.reduce_sum(out))
    return [(["out:0", "loss:0", "train"], {"n:0": k}) for k in (5, 1, 2, 6)] + [("w:0", {})]


@program
def while_in_cond():
    """A loop in one branch, with its gradient."""
    p = tf.placeholder(tf.bool, [], name="p")
    w = variable("w", 2)

    def loop():
        return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w + 1), [0, w])[1]

    out = tf.cond(p, loop, lambda: w * 3)
    tf.identity(out, name="out")
    minimize(tf.reduce_sum(out * out))
    runs = [(["out:0", "loss:0", "train"], {"p:0": k}) for k in (True, False, True)]
    return runs + [("w:0", {})]


@program
def case():
    """tf.case: the first that holds, exclusive ones, and a default."""
    x = tf.placeholder(tf.float32, [], name="x")
    v = variable("v")
    first = tf.case(
        [(x > 2, lambda: v * 2), (x > 0, lambda: v * v * x)], default=lambda: -v, name="first"
    )
    other = tf.case(
        [(x > 2, lambda: tf.constant(1)), (x < 0, lambda: tf.constant(2))], exclusive=True
    )
    tf.identity(first, name="y")
    tf.identity(other, name="z")
    minimize(first)
    return [(["y:0", "loss:0", "train"], {"x:0": k}) for k in (3.0, 1.0, -1.0)] + [
        ("z:0", {"x:0": 3.0}),
        ("z:0", {"x:0": -1.0}),
        ("z:0", {"x:0": 1.0}),
        ("v:0", {}),
    ]


@program
def functional():
    """map_fn, scan, foldl and foldr, with gradients."""
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = variable("w", 2)
    mapped = tf.map_fn(lambda r: tf.tanh(r * w), x)
    scanned = tf.scan(lambda a, r: a * 0.5 + r * w, x, initializer=tf.zeros([2]))
    left = tf.foldl(lambda a, r: a * r + w, x)
    right = tf.foldr(lambda a, r: a - r * w, x)
    for tensor, name in zip([mapped, scanned, left, right], ["mapped", "scanned", "left", "right"]):
        tf.identity(tensor, name=name)
    minimize(tf.add_n([tf.reduce_sum(t) for t in (mapped, scanned, left, right)]))
    names = ["mapped:0", "scanned:0", "left:0", "right:0", "loss:0", "train"]
    return [(names, {"x:0": numbers(k, 2)}) for k in (4, 1, 3)] + [("w:0", {})]


@program
def tensor_array():
    """Writes and reads by index, unstack, stack, concat, split, size, with gradients."""
    x = tf.placeholder(tf.float32, [4, 2], name="x")
    w = variable("w", 2)
    source = tf.TensorArray(tf.float32, 4, clear_after_read=False).unstack(x)
    sums = tf.TensorArray(tf.float32, 0, dynamic_size=True)

    def body(i, out):
        value = source.read(i) * w + source.read(3 - i)
        return i + 1, out.write(i, value)

    _, sums = tf.while_loop(lambda i, out: i < source.size(), body, [0, sums])
    stacked = sums.stack()
    parts = tf.TensorArray(tf.float32, 2, infer_shape=False).split(stacked[:, 0], [1, 3])
    joined = parts.concat()
    tf.identity(stacked, name="stacked")
    tf.identity(joined, name="joined")
    tf.identity(sums.size(), name="size")
    minimize(tf.reduce_sum(stacked * stacked) + tf.reduce_sum(joined[1:]))
    runs = [(["stacked:0", "joined:0", "size:0", "loss:0", "train"], {"x:0": numbers(4, 2)})] * 2
    return runs + [("w:0", {})]


@program
def assigning():
    """Branches and loops that assign to variables of both kinds."""
    p = tf.placeholder(tf.bool, [], name="p")
    a = variable("a", 2)
    b = variable("b", 2, resource=True)
    c = variable("c")
    done = tf.cond(
        p,
        lambda: tf.group(tf.assign_add(a, [1.0, 2.0]), b.assign_sub([1.0, 1.0])),
        lambda: tf.group(tf.assign(a, b.read_value() * 2)),
    )
    tf.group(done, name="step")
    with tf.control_dependencies([done]):
        tf.identity(a, name="after")
    tf.identity(tf.cond(p, lambda: tf.assign(a, a * 10), lambda: a), name="chosen")

    def body(i):
        with tf.control_dependencies([tf.assign_add(c, 2.0)]):
            return i + 1

    tf.identity(tf.while_loop(lambda i: i < 4, body, [0]), name="turns")
    runs = []
    for k in (True, False, True):
        runs += [
            ("step", {"p:0": k}),
            (["a:0", "b/Read/ReadVariableOp:0"], {}),
            ("after:0", {"p:0": k}),
        ]
    runs += [("chosen:0", {"p:0": True}), ("chosen:0", {"p:0": False}), ("turns:0", {})]
    return runs + [("c:0", {}), ("turns:0", {}), ("c:0", {})]


@program
def exits():
    """Loops of strings, integers and bools, of no turns, without use of some results."""
    n = tf.placeholder(tf.int32, [], name="n")

    def body(i, s, flag, a):
        return i + 1, tf.string_join([s, tf.as_string(i)]), tf.logical_not(flag), a[::-1] * 2

    start = [0, tf.constant("<"), tf.constant(True), tf.constant([1, 2, 3], tf.int64)]
    out = tf.while_loop(lambda i, s, f, a: i < n, body, start)
    for tensor, name in zip(out, ["i", "s", "flag", "a"]):
        tf.identity(tensor, name=name)
    grown = tf.while_loop(
        lambda g: tf.size(g) < n,
        lambda g: tf.concat([g, g[-1:] + 1], 0),
        [tf.constant([5])],
        shape_invariants=[tf.TensorShape([None])],
    )
    tf.identity(grown, name="grown")
    return [(["i:0", "s:0", "flag:0", "a:0"], {"n:0": k}) for k in (0, 1, 5)] + [
        ("s:0", {"n:0": 3}),
        ("a:0", {"n:0": 2}),
        ("grown:0", {"n:0": 4}),
    ]


@program
def batch_norm():
    """Batch normalization that learns or not by a placeholder, with its moving averages."""
    training = tf.placeholder(tf.bool, [], name="training")
    x = tf.placeholder(tf.float32, [None, 2, 2, 3], name="x")
    y = tf.layers.batch_normalization(x, training=training, momentum=0.5)
    y = tf.layers.dense(tf.layers.flatten(y), 1, kernel_initializer=tf.constant_initializer(0.1))
    tf.identity(y, name="y")
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        minimize(tf.reduce_sum(tf.square(y - 1)), tf.train.GradientDescentOptimizer(0.001))
    feeds = [{"x:0": numbers(4, 2, 2, 3, seed=i), "training:0": True} for i in range(3)]
    test = {"x:0": numbers(2, 2, 2, 3, seed=9), "training:0": False}
    return [(["loss:0", "train"], f) for f in feeds] + [
        ("y:0", test),
        ("loss:0", test),
        (["batch_normalization/moving_mean:0", "batch_normalization/moving_variance:0"], {}),
    ]


@program
def asserting():
    """tf.Assert, which looks at its condition in a branch."""
    x = tf.placeholder(tf.float32, [None], name="x")
    with tf.control_dependencies([tf.assert_less(x, 3.0, message="too large")]):
        tf.identity(tf.reduce_sum(x), name="y")
    return [("y:0", {"x:0": [1.0, 2.0]}), ("y:0", {"x:0": [1.0, 4.0]})]


@program
def by_hand():
    """Switch and Merge that no function of TensorFlow's wrote: values crossing, dead nodes."""
    from tensorflow.python.ops import control_flow_ops as flow
    from tensorflow.python.ops import gen_control_flow_ops as raw

    p = tf.placeholder(tf.bool, [], name="p")
    q = tf.placeholder(tf.bool, [], name="q")
    x = tf.placeholder(tf.float32, [], name="x")
    p_false, p_true = flow.switch(x, p)
    q_false, q_true = flow.switch(x * 2, q)
    both = tf.add(p_true, q_true, name="both")
    flow.merge([both, p_false, q_false], name="any")
    flow.merge([p_true, q_true], name="either")
    later = tf.identity(flow.merge([both, tf.negative(p_false)])[0], name="later")
    with tf.control_dependencies([p_true]):
        tf.identity(x, name="held")
        trigger = raw.control_trigger()
    with tf.control_dependencies([trigger]):
        tf.identity(x, name="not_held")
    with tf.control_dependencies([p_true]):
        flow.merge([x, both], name="free")
    flow.merge([tf.exp(later), tf.constant(7.0)], name="always")
    runs = []
    for first in (True, False):
        for second in (True, False):
            feeds = {"p:0": first, "q:0": second, "x:0": 1.5}
            names = ["both", "any", "either", "later", "held", "not_held", "free"]
            if not first or second:
                names.append("any:1")
            runs += [(n if ":" in n else n + ":0", feeds) for n in names]
    return [r for r in runs if _decided(r)] + [("always:0", {"p:0": True, "q:0": False, "x:0": 1})]


def _decided(run):
    """Whether one input of the Merge at most is alive: of several, TensorFlow takes any."""
    name, feeds = run
    p, q = feeds["p:0"], feeds["q:0"]
    if name.startswith("any"):
        return (p and q) + (not p) + (not q) == 1
    if name.startswith("either"):
        return not (p and q)
    if name.startswith("free"):
        return not (p and q)
    return True


@program
def loop_by_hand():
    """Enter, NextIteration and Exit in another order: a value that starts later than another."""
    from tensorflow.python.ops import gen_control_flow_ops as raw

    n = tf.placeholder(tf.int32, [], name="n")
    i = raw.enter(tf.constant(0), "frame", name="enter_i")
    a = raw.enter(tf.constant(1.0), "frame", name="enter_a")
    limit = raw.enter(n, "frame", is_constant=True, name="limit")
    one = raw.enter(tf.constant(1), "frame", is_constant=True, name="one")
    two = raw.enter(tf.constant(2.0), "frame", is_constant=True, name="two")
    merge_i, _ = raw.merge([i, i], name="merge_i")
    merge_a, turn = raw.merge([a, a], name="merge_a")
    going = raw.loop_cond(tf.less(merge_i, limit))
    i_out, i_on = raw.switch(merge_i, going)
    a_out, a_on = raw.switch(merge_a, going)
    next_i = raw.next_iteration(tf.add(i_on, one))
    next_a = raw.next_iteration(a_on * two + tf.cast(turn, tf.float32))
    merge_i.op._update_input(1, next_i)
    merge_a.op._update_input(1, next_a)
    raw._exit(i_out, name="i")
    raw._exit(a_out, name="a")
    outside = tf.constant(3.0, name="outside")
    tf.add(a_on, outside, name="mixed")
    return [(["i:0", "a:0"], {"n:0": k}) for k in (3, 0, 1)] + [("mixed", {"n:0": 1})]


@program
def function_with_cond():
    """A function of the library that holds a condition and a loop."""
    from tensorflow.python.framework import function

    @function.Defun(tf.float32, tf.int32)
    def body(x, n):
        y = tf.cond(n > 2, lambda: x * 2, lambda: x - 1)
        return tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * 1.5), [0, y])[1]

    x = tf.placeholder(tf.float32, [2], name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    tf.identity(body(x, n), name="y")
    return [("y:0", {"x:0": [1.0, 2.0], "n:0": k}) for k in (3, 1)]


@program
def decoder():
    """A greedy decoder of tf.contrib.seq2seq, and the loss of a training decoder."""
    from tensorflow.contrib import seq2seq

    table = variable("table", 5, 3)
    ids = tf.placeholder(tf.int32, [2, None], name="ids")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    with tf.variable_scope("net", initializer=tf.constant_initializer(numbers(6, 3, seed=4))):
        cell = tf.nn.rnn_cell.BasicRNNCell(3)
        layer = tf.layers.Dense(5, kernel_initializer=tf.constant_initializer(numbers(3, 5)))
        state = cell.zero_state(2, tf.float32)
        training = seq2seq.BasicDecoder(
            cell, seq2seq.TrainingHelper(tf.nn.embedding_lookup(table, ids), lengths), state, layer
        )
        logits = seq2seq.dynamic_decode(training)[0].rnn_output
        greedy = seq2seq.GreedyEmbeddingHelper(table, tf.constant([0, 3]), 4)
        told = seq2seq.dynamic_decode(
            seq2seq.BasicDecoder(cell, greedy, state, layer), maximum_iterations=6
        )[0]
    tf.identity(told.sample_id, name="told")
    weights = tf.sequence_mask(lengths, dtype=tf.float32)
    minimize(seq2seq.sequence_loss(logits, ids, weights))
    feeds = {"ids:0": np.array([[1, 2, 3], [4, 0, 0]], np.int32), "lengths:0": [3, 1]}
    return [(["loss:0", "train"], feeds)] * 3 + [("told:0", {})]


@program
def bidirectional():
    """Forwards and backwards, sequence lengths, a static RNN with its conditions."""
    x = tf.placeholder(tf.float32, [2, 3, 2], name="x")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    with tf.variable_scope("net", initializer=tf.constant_initializer(0.2)):
        cells = [tf.nn.rnn_cell.BasicRNNCell(2) for _ in range(3)]
        (a, b), _ = tf.nn.bidirectional_dynamic_rnn(
            cells[0], cells[1], x, lengths, dtype=tf.float32
        )
        static, state = tf.nn.static_rnn(
            cells[2], tf.unstack(x, axis=1), dtype=tf.float32, sequence_length=lengths
        )
    tf.concat([a, b, tf.stack(static, 1)], 2, name="all")
    minimize(
        tf.reduce_sum(a) + tf.reduce_sum(b * b) + tf.reduce_sum(static[0]) + tf.reduce_sum(state)
    )
    runs = []
    for lengths in ([3, 2], [1, 1], [2, 0]):
        runs.append((["all:0", "loss:0", "train"], {"x:0": numbers(2, 3, 2), "lengths:0": lengths}))
    return runs


def plain(value):
    """A fetched value for JSON."""
    if value is None:
        return None
    array = np.asarray(value, object) if isinstance(value, bytes) else np.asarray(value)
    if array.dtype == object:
        items = [v.decode("latin-1") for v in array.ravel()]
    elif array.dtype == np.float32:
        items = [float("%.9g" % v) for v in array.ravel().tolist()]
    else:
        items = array.ravel().tolist()
    name = "string" if array.dtype == object else array.dtype.name
    return {"dtype": name, "shape": list(array.shape), "items": items}


def apart(runs):
    """Training steps by themselves: what is fetched beside one may be computed after it."""
    for fetches, feeds in runs:
        if isinstance(fetches, list) and "train" in fetches:
            yield [f for f in fetches if f != "train"], feeds
            yield "train", feeds
        else:
            yield fetches, feeds


def keep(name, data):
    """Write a compressed file that is the same whenever it is written."""
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as out:
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", mtime=0) as packed:
            packed.write(data)
    return path


def run_all(name):
    tf.reset_default_graph()
    runs = list(apart(PROGRAMS[name]()))
    tf.group(tf.global_variables_initializer(), name="init")
    graph_def = tf.get_default_graph().as_graph_def()
    if name == META:
        keep(name + ".meta.gz", tf.train.export_meta_graph().SerializeToString())
    told = []
    tf.reset_default_graph()
    tf.import_graph_def(graph_def, name="")
    with tf.Session() as session:
        session.run("init")
        for fetches, feeds in runs:
            entry = {"fetch": fetches, "feed": {k: plain(v) for k, v in feeds.items()}}
            for key in feeds:
                dtype = tf.get_default_graph().get_tensor_by_name(key).dtype
                entry["feed"][key]["dtype"] = dtype.name
            try:
                values = session.run(fetches, feeds)
                entry["values"] = [
                    plain(v) for v in (values if isinstance(fetches, list) else [values])
                ]
            except tf.errors.OpError as error:
                line = error.message.split("\n")[0]
                line = re.sub(r" \(defined at \S+?\) ", "", line)
                entry["error"] = [type(error).__name__, line]
            told.append(entry)
    path = keep(name + ".pb.gz", graph_def.SerializeToString())
    print(name, os.path.getsize(path), [e["error"] for e in told if "error" in e])
    return told


def main():
    path = os.path.join(FOLDER, "runs.json")
    told = json.load(open(path)) if os.path.exists(path) and sys.argv[1:] else {}
    for name in sys.argv[1:] or PROGRAMS:
        told[name] = run_all(name)
    with open(path, "w") as out:
        out.write("{\n")
        out.write(
            ",\n".join(
                '"%s": [\n%s\n]' % (n, ",\n".join(json.dumps(e, sort_keys=True) for e in told[n]))
                for n in sorted(told)
            )
        )
        out.write("\n}\n")


if __name__ == "__main__":
    main()
