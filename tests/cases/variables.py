"""Variables: nodes, values, assignment, lists, protos; reference and resource variables alike."""


def _both(function, **options):
    """Two cases: with reference and with resource variables."""
    made = []
    for resource in (False, True):

        def case(tf, np, resource=resource):
            return function(tf, np, lambda *a, **k: tf.Variable(*a, use_resource=resource, **k))

        for key, value in options.items():
            setattr(case, key, value)
        made.append(case)
    return made


def _reading(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    return {
        "itself": w,
        "plus": w + 1.0,
        "radd": 1.0 + w,
        "neg": -w,
        "slice": w[0:1],
        "item": w[1],
        "read": w.read_value(),
        "value": w.value(),
        "less": w < 1.5,
        "power": w**2.0,
        "stack": tf.stack([w, w]),
        "repr": repr(w),
        "initial": w.initial_value,
        "name": w.name,
        "op": w.op.type,
        "dtype": w.dtype.name,
        "shape": str(w.shape),
        "trainable": w.trainable,
        "initializer": w.initializer.name,
        "device": w.device,
        "convert": tf.convert_to_tensor(w).op.type,
    }


def _assigning(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    set_op = w.assign([3.0, 4.0])
    add, sub = w.assign_add([0.5, 0.5]), w.assign_sub([1.0, 1.0])
    plain = w.assign([9.0, 9.0], read_value=False)
    found = {"plain": plain.type}
    with tf.Session() as session:
        session.run(w.initializer)
        for label, op in (("set", set_op), ("add", add), ("sub", sub), ("plain run", plain)):
            found[label] = session.run(op)
            found[label + " after"] = session.run(w)
        w.load([7.0, 8.0], session)
        found["load"] = w.eval(session)
    return found


def _functions(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    a = tf.assign(w, [3.0, 4.0], name="set")
    b = tf.assign_add(w, [0.5, 0.5])
    c = tf.assign_sub(w, [1.0, 1.0])
    with tf.Session() as session:
        session.run(w.initializer)
        return {"a": session.run(a), "b": session.run(b), "c": session.run(c)}


def _from_function(tf, np, variable):
    w = variable(lambda: tf.zeros([2, 3]), name="w")
    v = variable(lambda: 3, name="v", dtype=tf.int64)
    return {"w": w, "v": v}


def _initialized(tf, np, variable):
    w, v = variable(1.0, name="w"), variable([2.0], name="v")
    asked = tf.report_uninitialized_variables()
    one = tf.is_variable_initialized(w)
    with tf.Session() as session:
        before = session.run([asked, one])
        session.run(w.initializer)
        between = session.run([asked, one])
        session.run(v.initializer)
        after = session.run([asked, one])
    return {"before": before, "between": between, "after": after}


def _initialized_value(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    v = variable(w.initialized_value() * 2.0, name="v")
    u = variable(v * 2.0, name="u")
    x = w.initialized_value()
    with tf.Session() as session:
        before = session.run(x)
        session.run([u.initializer])
        first = session.run(u)
        session.run(tf.global_variables_initializer())
        session.run(w.assign([5.0, 6.0]))
        return {"before": before, "first": first, "u": session.run(u), "after": session.run(x)}


def _uninitialized(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    with tf.Session() as session:
        session.run(w + 1.0)


def _uninitialized_add(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    with tf.Session() as session:
        session.run(w.assign_add([1.0, 1.0], read_value=False))


def _bad_shape(tf, np, variable):
    variable([1.0, 2.0], name="w").assign([1.0, 2.0, 3.0])


def _bad_type(tf, np, variable):
    variable([1.0, 2.0], name="w").assign([1, 2])


def _no_value(tf, np, variable):
    variable(name="w")


def _bad_collections(tf, np, variable):
    variable(1.0, collections="variables")


def _bad_constraint(tf, np, variable):
    variable(1.0, constraint=3)


def _iterate(tf, np, variable):
    list(variable([1.0, 2.0]))


def _sliced(tf, np, variable):
    w = variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="w")
    rows = w[1:, :2].assign([[7.0, 8.0]])
    column = w[:, ::-1][0]
    item = w[0, 2].assign(9.0)
    with tf.Session() as session:
        session.run(w.initializer)
        return {
            "rows": session.run(rows),
            "column": session.run(column),
            "item": session.run(item),
            "w": session.run(w),
        }


def _counting(tf, np, variable):
    w = variable(0, name="w")
    up = w.count_up_to(2)
    found = []
    with tf.Session() as session:
        session.run(w.initializer)
        for _ in range(3):
            try:
                found.append(int(session.run(up)))
            except tf.errors.OutOfRangeError as error:
                found.append(error.message.split("\n")[0])
        return {"found": found, "w": session.run(w)}


def _caching(tf, np, variable):
    w = variable([1.0, 2.0], name="w", caching_device="/cpu:0")
    return {"w": w + 1.0}


def _protos(tf, np, variable):
    w = variable([1.0, 2.0], name="w", trainable=False)
    proto = w.to_proto()
    again = type(w).from_proto(proto)
    return {
        "proto": [
            proto.variable_name,
            proto.initializer_name,
            proto.snapshot_name,
            proto.is_resource,
            proto.initial_value_name,
            proto.trainable,
        ],
        "again": [again.name, again.initializer.name, again.value().dtype.name, again.trainable],
        "scoped": w.to_proto(export_scope="other") is None,
    }


def _control(tf, np, variable):
    """Reading under control dependencies sees the assignment."""
    w = variable(1.0, name="w")
    with tf.control_dependencies([w.assign(5.0)]):
        after = w.read_value()
    with tf.control_dependencies([w.assign_add(1.0)]):
        more = tf.identity(w.read_value() * 2.0)
    with tf.Session() as session:
        session.run(w.initializer)
        return {"after": session.run(after), "more": session.run(more)}


def _kept(tf, np, variable):
    """A fetched value does not change afterwards."""
    w = variable([1.0, 2.0], name="w")
    grow = w.assign_add([1.0, 1.0], read_value=False)
    with tf.Session() as session:
        session.run(w.initializer)
        first = session.run(w)
        session.run(grow)
        second = session.run(w)
        second += 100.0
        return {"first": first, "third": session.run(w)}


def _types(tf, np, variable):
    return {
        "int64": variable(np.array([1, 2], np.int64)),
        "bool": variable([True, False]),
        "string": variable([b"a", b"bc"]),
        "complex": variable([1 + 2j]),
        "uint8": variable([1, 2], dtype=tf.uint8),
        "half": variable([1.5], dtype=tf.float16),
    }


def _gradients(tf, np, variable):
    w = variable([1.0, 2.0], name="w")
    y = tf.reduce_sum(w * w * 3.0)
    first = tf.gradients(y, [w])[0]
    return {"first": first, "second": tf.gradients(first, [w])[0]}


_TWICE = {
    "reading": _reading,
    "assigning": _assigning,
    "functions": _functions,
    "from_function": _from_function,
    "initialized": _initialized,
    "sliced": _sliced,
    "counting": _counting,
    "caching": _caching,
    "protos": _protos,
    "control": _control,
    "kept": _kept,
    "types": _types,
    "gradients": _gradients,
    "error_uninitialized": _uninitialized,
    "error_uninitialized_add": _uninitialized_add,
    "error_shape": _bad_shape,
    "error_type": _bad_type,
    "error_no_value": _no_value,
    "error_collections": _bad_collections,
    "error_constraint": _bad_constraint,
    "error_iterate": _iterate,
}
CASES = {}
for _name, _function in _TWICE.items():
    CASES[_name], CASES["resource_" + _name] = _both(_function)
CASES["resource_error_uninitialized_add"].message = False  # TensorFlow names a missing container
# The initialized value is an If node, not Switch and Merge.
CASES["initialized_value"], CASES["resource_initialized_value"] = _both(
    _initialized_value, nodes=False
)


def lists(tf, np):
    tf.Variable(1.0, name="a")
    tf.Variable(1.0, name="b", trainable=False)
    tf.Variable(1.0, name="c", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    tf.Variable(1.0, name="d", collections=["mine", tf.GraphKeys.MODEL_VARIABLES], trainable=False)
    init = tf.global_variables_initializer()
    local = tf.local_variables_initializer()
    return {
        "global": [v.name for v in tf.global_variables()],
        "scoped": [v.name for v in tf.global_variables("a")],
        "trainable": [v.name for v in tf.trainable_variables()],
        "local": [v.name for v in tf.local_variables()],
        "model": [v.name for v in tf.model_variables()],
        "mine": [v.name for v in tf.get_collection("mine")],
        "old": [v.name for v in tf.all_variables()],
        "names": [init.name, local.name],
    }


def empty_lists(tf, np):
    names = [
        tf.global_variables_initializer().name,
        tf.local_variables_initializer().name,
        tf.initialize_all_variables().name,
        tf.variables_initializer([], name="none").name,
    ]
    return {
        "names": names,
        "report": tf.report_uninitialized_variables(),
        "assert": tf.assert_variables_initialized() is None,
    }


def assert_initialized(tf, np):
    w, v = tf.Variable(1.0, name="w"), tf.Variable([1.0], name="v")
    return {"ranks": tf.assert_variables_initialized([w, v])}


def error_assert_initialized(tf, np):
    w = tf.Variable(1.0, name="w")
    check = tf.assert_variables_initialized()
    with tf.Session() as session:
        session.run(check)
    del w


def validate_shape(tf, np):
    """Without `validate_shape` the shape is open and can change."""
    x = tf.placeholder_with_default([1.0, 2.0], [None])
    w = tf.Variable(x, validate_shape=False, name="w")
    longer = tf.assign(w, [1.0, 2.0, 3.0], validate_shape=False)
    with tf.Session() as session:
        session.run(w.initializer)
        return {"before": session.run(w), "after": session.run(longer), "shape": str(w.shape)}


def error_validate_shape(tf, np):
    tf.Variable(tf.placeholder_with_default([1.0, 2.0], [None]), name="w")


def error_shape_at_run(tf, np):
    w = tf.Variable([1.0, 2.0], name="w")
    value = tf.placeholder(tf.float32)
    change = tf.assign(w, value)
    with tf.Session() as session:
        session.run(w.initializer)
        session.run(change, {value: [1.0, 2.0, 3.0]})


def creator_scope(tf, np):
    def creator(next_creator, **kwargs):
        kwargs["name"] = "made_" + kwargs["name"]
        return next_creator(**kwargs)

    with tf.variable_creator_scope(creator):
        tf.Variable(1.0, name="w")
        tf.get_variable("v", initializer=2.0)
    return {"names": [v.name for v in tf.global_variables()]}


def _after_write(write, read):
    """A node that waits for an assignment sees it, although `w/read` does not wait for it."""

    def case(tf, np):
        w = tf.Variable([1.0, 2.0], name="w")
        with tf.control_dependencies([write(tf, w)]):
            y = read(tf, w)
        with tf.Session() as session:
            session.run(w.initializer)
            return {"y": session.run(y)}

    return case


_WRITES = {
    "add": lambda tf, w: w.assign_add([1.0, 1.0]),
    "set": lambda tf, w: w.assign([5.0, 5.0]),
    "scaled": lambda tf, w: w.assign(w * 2.0),
    "grouped": lambda tf, w: tf.group(w.assign_add([1.0, 1.0])),
}
for _name, _write in _WRITES.items():
    CASES["sum_after_" + _name] = _after_write(_write, lambda tf, w: w + 1.0)
    CASES["chain_after_" + _name] = _after_write(_write, lambda tf, w: (w + 1.0) * w)
    CASES["value_after_" + _name] = _after_write(_write, lambda tf, w: w.value())
    CASES["identity_after_" + _name] = _after_write(_write, lambda tf, w: tf.identity(w))


def sparse_read(tf, np):
    w = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], name="w", use_resource=True)
    rows = w.sparse_read([[2, 0]])
    items = w.gather_nd([[1, 0]])
    loss = tf.reduce_sum(w.sparse_read([0, 0, 2]))
    grad = tf.gradients(loss, w)[0]
    return {
        "rows": rows,
        "items": items,
        "values": grad.values,
        "indices": grad.indices,
        "dense": tf.convert_to_tensor(grad),
        "shape": grad.dense_shape,
    }


def temporary(tf, np):
    ref = tf.raw_ops.TemporaryVariable(shape=[2], dtype=tf.float32, var_name="t")
    ref = tf.assign(ref, [1.0, 2.0])
    ref = tf.assign_add(ref, [3.0, 4.0])
    return {"final": tf.raw_ops.DestroyTemporaryVariable(ref=ref, var_name="t")}


def resource_ops(tf, np):
    w = tf.Variable([[1.0, 2.0]], name="w", use_resource=True)
    shape = tf.raw_ops.VariableShape(input=w.handle)
    wide = tf.raw_ops.VariableShape(input=w.handle, out_type=tf.int64)
    with tf.Session() as session:
        session.run(w.initializer)
        shapes = session.run([shape, wide])
        session.run(tf.raw_ops.DestroyResourceOp(resource=w.handle, ignore_lookup_error=True))
        return {"shapes": shapes, "left": session.run(w.is_initialized())}


def order_of_steps(tf, np):
    """Two sessions have variables of their own."""
    w = tf.Variable(1.0, name="w")
    grow = w.assign_add(1.0)
    with tf.Session() as one, tf.Session() as two:
        one.run(w.initializer)
        two.run(w.initializer)
        one.run(grow)
        one.run(grow)
        return {"one": one.run(w), "two": two.run(w)}


def dense_shape_of_parts(tf, np):
    x = tf.get_variable(
        "x", [5, 2], initializer=tf.ones_initializer(), partitioner=tf.fixed_size_partitioner(2)
    )
    parts = list(x)
    set_all = x.assign(tf.zeros([5, 2]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first = session.run(x.as_tensor())
        session.run(set_all)
        return {
            "first": first,
            "then": session.run(x.as_tensor()),
            "count": len(x),
            "specs": [p._get_save_slice_info().spec for p in parts],
            "names": [p.name for p in parts],
            "shape": str(x.get_shape()),
        }
