"""tf.contrib.graph_editor: who takes what afterwards, copies, names, values."""


def _net(tf):
    a = tf.constant([1.0, 2.0], name="a")
    with tf.name_scope("inner"):
        b = tf.multiply(a, 3.0, name="b")
        c = tf.add(b, a, name="c")
    d = tf.square(c, name="d")
    e = tf.subtract(d, b, name="e")
    return a, b, c, d, e


def _links(tf):
    """Every node with its inputs; control inputs begin with ^."""
    nodes = []
    for op in tf.get_default_graph().get_operations():
        waits = ["^" + c.name for c in op.control_inputs]
        nodes.append(" ".join([op.name] + [t.name for t in op.inputs] + waits))
    return nodes


def _names(items):
    return sorted(item.name for item in items)


def example(tf, np):
    ge = tf.contrib.graph_editor
    a = tf.constant(1.0, shape=[2, 3], name="a")
    b = tf.constant(2.0, shape=[2, 3], name="b")
    c = tf.add(tf.placeholder(np.float32), tf.placeholder(np.float32), name="c")
    ge.swap_inputs(c.op, [a, b])
    return {"c": c, "links": _links(tf)}


def reroute_tensors(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    z = tf.constant([5.0, 6.0], name="z")
    one = ge.reroute_ts([z], [b], cannot_modify=[e.op])
    two = ge.swap_ts([c], [d], can_modify=[e.op])
    return {"changes": [one, two], "e": e, "d": d, "links": _links(tf)}


def reroute_unlike(tf, np):
    ge = tf.contrib.graph_editor
    ge.reroute_ts([tf.zeros([2])], [tf.zeros([3])])


def reroute_counts(tf, np):
    ge = tf.contrib.graph_editor
    ge.reroute_ts([tf.zeros([2])], [tf.zeros([2]), tf.zeros([2])])


def reroute_subgraphs(tf, np):
    ge = tf.contrib.graph_editor
    x, y = tf.constant([1.0, 2.0], name="x"), tf.constant([3.0, 4.0], name="y")
    f, g = tf.negative(x, name="f"), tf.square(y, name="g")
    p, q = tf.identity(f, name="p"), tf.identity(g, name="q")
    result = {"before": [p, q]}
    first, second = ge.sgv(f.op), ge.sgv(g.op)
    ge.swap_outputs(first, second)
    result["outputs"] = _links(tf)
    ge.swap_inputs(first, second)
    result["inputs"] = _links(tf)
    result["view"] = [t.name for t in first.inputs] + [t.name for t in second.inputs]
    ge.reroute_ios(ge.sgv(f.op), ge.sgv(g.op))
    result["last"] = _links(tf)
    result["after"] = [p, q]
    return result


def walks(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    with tf.control_dependencies([d]):
        f = tf.no_op(name="f")
    outputs = ge.ControlOutputs(tf.get_default_graph())
    return {
        "forward": _names(ge.get_forward_walk_ops(b)),
        "forward_op": _names(ge.get_forward_walk_ops([b.op], inclusive=False)),
        "forward_stop": _names(ge.get_forward_walk_ops([b.op], stop_at_ts=[c])),
        "forward_waits": _names(ge.get_forward_walk_ops([c.op], control_outputs=outputs)),
        "backward": _names(ge.get_backward_walk_ops(d)),
        "backward_out": _names(ge.get_backward_walk_ops([d.op], inclusive=False, stop_at_ts=[b])),
        "backward_waits": _names(ge.get_backward_walk_ops(f, control_inputs=True)),
        "within": _names(ge.get_forward_walk_ops(a, within_ops=[b.op, c.op, d.op])),
        "within_fn": _names(ge.get_forward_walk_ops([b.op], within_ops_fn=lambda op: op != c.op)),
        "between": _names(ge.get_walks_intersection_ops(b, d)),
        "union": _names(ge.get_walks_union_ops(d, b)),
        "bounded": _names(ge.get_within_boundary_ops(tf.get_default_graph(), d.op, [b.op])),
        "around": _names(ge.get_ops_ios(c.op)),
        "consuming": _names(ge.get_consuming_ops([a, b])),
        "generating": _names(ge.get_generating_ops([a, b])),
        "waits": _names(outputs.get(d.op)),
    }


def selection(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    graph = tf.get_default_graph()
    ops, ts = ge.select_ops_and_ts("^inner/", r"(?#ts)^d:\d$", graph=graph)
    boundary = ge.compute_boundary_ts([b.op, c.op])
    view = ge.sgv([b.op, c.op], a, e)
    return {
        "ops": _names(ops),
        "ts": _names(ts),
        "scope": _names(ge.get_name_scope_ops(graph, "inner")),
        "some": _names(ge.select_ops("inner", graph=graph, positive_filter=lambda op: op == b.op)),
        "tensors": _names(ge.filter_ts_from_regex([c.op], ":0")),
        "boundary": [_names(part) for part in boundary],
        "view": [_names(view.ops), _names(view.inputs), _names(view.outputs)],
        "through": _names(view.passthroughs),
        "mapped": [t.name for t in view.remap([1], [0, 0]).outputs],
        "consumers": _names(view.consumers()),
        "lines": str(view).split("\n")[1:],
        "empty": [str(ge.SubGraphView()), bool(ge.SubGraphView())],
    }


def select_without_graph(tf, np):
    tf.contrib.graph_editor.select_ops("x")


def not_ops(tf, np):
    tf.contrib.graph_editor.make_list_of_op([tf.zeros([1])])


def copied(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    tf.add_to_collection("mine", d)
    tf.add_to_collection("losses", d)
    view, info = ge.copy(ge.sgv([c.op, d.op]), dst_scope="twin", src_scope="")
    other = tf.constant([10.0, 20.0], name="other")
    again, more = ge.copy_with_input_replacements([c.op, d.op], {b: other}, dst_scope="twin")
    return {
        "links": _links(tf),
        "inputs": [t.name for t in view.inputs],
        "outputs": [t.name for t in view.outputs],
        "of_d": info.transformed(d).name,
        "back": info.original(info.transformed(d.op)).name,
        "nested": [t.name for t in info.transformed([c, d])],
        "missing": [info.transformed(e) is None, info.transformed(e, lambda t: t).name],
        "value": more.transformed(d),
        "collections": sorted(tf.get_default_graph().get_all_collection_keys()),
        "losses": [t.name for t in tf.get_collection("losses")],
    }


def copied_elsewhere(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    graph = tf.Graph()
    view, info = ge.copy(tf.get_default_graph(), graph)
    with tf.Session(graph=graph) as sess:
        value = sess.run("e:0")
    part, _ = ge.copy(ge.sgv_scope("inner", tf.get_default_graph()), graph, "part", "inner")
    return {"value": value, "names": [op.name for op in graph.get_operations()]}


def replaced(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    v = tf.Variable([1.0, 1.0], name="v")
    new = ge.graph_replace(e, {c: v * 2.0})
    both = ge.graph_replace([d, {"e": e}], {b: tf.constant([0.0, 1.0])}, dst_scope="again")
    gradient = tf.gradients(new, v)[0]
    return {
        "new": new,
        "gradient": gradient,
        "both": [both[0], both[1]["e"]],
        "names": [new.name, both[0].name, both[1]["e"].name],
        "links": _links(tf),
    }


def replaced_apart(tf, np):
    a, b, c, d, e = _net(tf)
    tf.contrib.graph_editor.graph_replace(b, {e: a})


def detached(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    view, before, behind = ge.detach(ge.sgv(c.op, d.op))
    return {"before": _names(before), "behind": _names(behind), "links": _links(tf)}


def connected(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.negative(x, name="y")
    ge.connect(ge.sgv(b.op), ge.sgv(y.op))
    result = {"y": y, "one": _links(tf)}
    ge.bypass(ge.sgv(d.op))
    result["two"] = _links(tf)
    return result


def control_edges(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    ge.add_control_inputs(b.op, [a.op])
    ge.add_control_inputs(e.op, [a.op, b.op])
    one = _links(tf)
    ge.remove_control_inputs(e.op, a.op)
    ge.detach_control_inputs(ge.sgv(e.op))
    return {"one": one, "two": _links(tf)}


def control_edge_missing(tf, np):
    a, b, c, d, e = _net(tf)
    tf.contrib.graph_editor.remove_control_inputs(e.op, [a.op])


def placeholders(tf, np):
    ge = tf.contrib.graph_editor
    a, b, c, d, e = _net(tf)
    made = [
        ge.make_placeholder_from_tensor(b),
        ge.make_placeholder_from_tensor(b, scope="there"),
        ge.make_placeholder_from_dtype_and_shape(tf.int32, [2]),
        ge.ph(tf.int32, scope="x", prefix="y"),
    ]
    return {
        "names": [t.name for t in made],
        "shapes": [str(t.shape) for t in made],
        "plain": ge.placeholder_name(),
        "again": ge.placeholder_name(made[0]),
        "regex": [ge.can_be_regex("a"), ge.can_be_regex(3), ge.make_regex("a.").pattern],
    }
