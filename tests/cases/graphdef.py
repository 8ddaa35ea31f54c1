"""GraphDefs in and out: importing, cutting, freezing, and what is refused."""


def _graph(tf):
    with tf.Graph().as_default() as g:
        a = tf.placeholder(tf.float32, [2], name="a")
        b = tf.constant([1.0, 2.0], name="b")
        with tf.device("/cpu:0"):
            v = tf.Variable([1.0, 2.0], name="v")
        with tf.control_dependencies([b, tf.no_op("n")]):
            tf.add(a, v, name="c")
    return g.as_graph_def()


def _listing(tf):
    return [
        "%s %s %s %s" % (o.name, o.type, [t.name for t in o.inputs], o.device)
        for o in tf.get_default_graph().get_operations()
    ]


def plain(tf, np):
    tf.import_graph_def(_graph(tf))
    return {"ops": _listing(tf)}


def without_scope(tf, np):
    tf.constant(0.0, name="b")
    c = tf.import_graph_def(_graph(tf), name="", return_elements=["c:0", "c"])
    return {"found": [c[0].name, c[1].name, c[1].type], "ops": _listing(tf)}


def mapped(tf, np):
    x = tf.constant([5.0, 6.0])
    (c, start) = tf.import_graph_def(
        _graph(tf), input_map={"a:0": x}, return_elements=["c:0", "v/Assign"], name="q"
    )
    with tf.Session() as sess:
        sess.run(start)
        return {"c": sess.run(c)}


def mapped_values(tf, np):
    (c,) = tf.import_graph_def(
        _graph(tf), input_map={"a": [5.0, 6.0]}, return_elements=["c:0"], name="q"
    )
    return {"ops": _listing(tf), "c": c.name}


def twice_in_scopes(tf, np):
    with tf.name_scope("outer"):
        tf.import_graph_def(_graph(tf), name="x")
        tf.import_graph_def(_graph(tf), name="x")
    return {"ops": _listing(tf)}


def in_device_scope(tf, np):
    with tf.device("/job:w/task:1"), tf.control_dependencies([tf.no_op("first")]):
        tf.import_graph_def(_graph(tf), name="x")
    return {"ops": _listing(tf)}


def unknown_map(tf, np):
    tf.import_graph_def(_graph(tf), input_map={"zz:0": tf.constant(1.0)})


def unknown_element(tf, np):
    tf.import_graph_def(_graph(tf), return_elements=["nope"])


def unknown_output(tf, np):
    tf.import_graph_def(_graph(tf), return_elements=["c:3"])


def not_a_graph(tf, np):
    tf.import_graph_def("x")


def bad_map(tf, np):
    tf.import_graph_def(_graph(tf), input_map=[1])


def bad_elements(tf, np):
    tf.import_graph_def(_graph(tf), return_elements=[1])


def values_without_scope(tf, np):
    tf.import_graph_def(_graph(tf), name="", input_map={"a:0": [1.0, 2.0]})


def wrong_type(tf, np):
    tf.import_graph_def(_graph(tf), input_map={"a:0": tf.constant([1, 2])})


def _damaged(change, message=True):
    def case(tf, np):
        graph = _graph(tf)
        change(graph)
        tf.import_graph_def(graph, name="z")

    case.message = message
    return case


def _identity(graph, inputs, dtype=1):
    node = graph.node.add(name="u", op="Identity", input=inputs)
    node.attr["T"].type = dtype
    return node


def _cycle(graph):
    for name, other in (("m", "k"), ("k", "m")):
        graph.node.add(name=name, op="Identity", input=[other]).attr["T"].type = 1


def _matmul(graph):
    graph.node.add(name="m", op="MatMul", input=["a", "a"]).attr["T"].type = 1


def _colocated(graph):
    _identity(graph, ["a"]).attr["_class"].list.s.append(b"loc:@xx")


def _shapes(graph):
    _identity(graph, ["a"]).attr["_output_shapes"].list.shape.add().dim.add(size=7)


def _extra(graph):
    _identity(graph, ["a"]).attr["zzz"].i = 1


def unknown_op(tf, np):
    """Only the class: TensorFlow's message names the host."""
    graph = _graph(tf)
    graph.node.add(name="u", op="NoSuchOp")
    try:
        tf.import_graph_def(graph)
    except tf.errors.NotFoundError as error:
        return {"begin": error.message[:33]}
    return {"begin": "no error"}


# Signatures are printed in another form in three messages: only their class is compared.
CASES = {
    "unknown_input": _damaged(lambda g: _identity(g, ["nope"])),
    "unknown_index": _damaged(lambda g: _identity(g, ["a:3"])),
    "input_type": _damaged(lambda g: _identity(g, ["a"], 3)),
    "missing_attr": _damaged(lambda g: g.node.add(name="u", op="Identity", input=["a"]), False),
    "same_name": _damaged(lambda g: g.node.add(name="a", op="NoOp")),
    "broken_shape": _damaged(_matmul),
    "cycle": _damaged(_cycle),
    "colocation": _damaged(_colocated),
    "output_shapes": _damaged(_shapes, False),
    "few_inputs": _damaged(lambda g: _identity(g, []), False),
    "many_inputs": _damaged(lambda g: _identity(g, ["a", "b"]), False),
    "extra_attr": _damaged(_extra, False),
    "control_first": _damaged(lambda g: g.node.add(name="m", op="NoOp", input=["^c", "a"])),
    "bad_name": _damaged(lambda g: g.node.add(name="a b", op="NoOp")),
    "no_name": _damaged(lambda g: g.node.add(name="", op="NoOp")),
}


def _filled(tf, value):
    def initializer(shape, dtype=None, partition_info=None):
        return tf.fill(shape, tf.cast(value, dtype))

    return initializer


def frozen(tf, np):
    v = tf.get_variable("v", [2], initializer=_filled(tf, 5.0))
    r = tf.get_variable("r", [2], use_resource=True, initializer=_filled(tf, 6.0))
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    tf.identity(tf.identity(x * v + r), name="y")
    tf.constant(1, name="unused")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        whole = tf.get_default_graph().as_graph_def()
        const = tf.graph_util.convert_variables_to_constants(sess, whole, ["y"])
        kept = tf.graph_util.convert_variables_to_constants(
            sess, whole, ["y"], variable_names_blacklist=["v"]
        )
    small = tf.graph_util.remove_training_nodes(const, protected_nodes=["y"])
    with tf.Graph().as_default():
        (y,) = tf.import_graph_def(small, return_elements=["y:0"])
        with tf.Session() as sess:
            value = sess.run(y, {"import/x:0": [[1.0, 2.0]]})
    return {
        "const": [(n.name, n.op, list(n.input), sorted(n.attr)) for n in const.node],
        "kept": [(n.name, n.op) for n in kept.node],
        "small": [(n.name, list(n.input)) for n in small.node],
        "y": value,
        "shape": str(tf.graph_util.tensor_shape_from_node_def_name(tf.get_default_graph(), "y")),
        "cpu": [
            tf.graph_util.must_run_on_cpu(tf.get_default_graph().get_operation_by_name(n))
            for n in ("unused", "v", "x")
        ],
    }


def sub_graph(tf, np):
    part = tf.graph_util.extract_sub_graph(_graph(tf), ["v/read"])
    return {"nodes": [n.name for n in part.node]}


def sub_graph_of_string(tf, np):
    tf.graph_util.extract_sub_graph(_graph(tf), "a")


def sub_graph_unknown(tf, np):
    tf.graph_util.extract_sub_graph(_graph(tf), ["zz"])


def written(tf, np):
    import os
    import shutil
    import tempfile

    folder = tempfile.mkdtemp()
    try:
        tf.constant(1.0, name="c")
        g = tf.get_default_graph()
        binary = tf.train.write_graph(g, os.path.join(folder, "a", "b"), "g.pb", as_text=False)
        text = tf.train.write_graph(g.as_graph_def(), folder, "g.pbtxt")
        with open(binary, "rb") as f:
            nodes = [n.name for n in tf.GraphDef.FromString(f.read()).node]
        with open(text) as f:
            first = f.readline().strip()
        return {"nodes": nodes, "first": first, "path": binary[len(folder) :]}
    finally:
        shutil.rmtree(folder)


def sorted_control_inputs(tf, np):
    before = [tf.no_op(n) for n in ("b1", "a_1", "aV", "A9", "a2")]
    with tf.control_dependencies(before):
        q = tf.constant(1, name="q")
    return {
        "graph": list(tf.get_default_graph().as_graph_def().node[-1].input),
        "node": list(q.op.node_def.input),
    }
