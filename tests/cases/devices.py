"""Devices: names, what nodes ask for, and what cannot be had."""

NAMES = [
    "/cpu:1", "/gpu", "/job:a/task:2/device:CPU:*", "/device:CPU:0", "/tpu:0", "/TPU:0", "/device:CPU",
    "/cpu:0/gpu:1", "/job:a/cpu:x", "", "/job", "cpu:1", "/device:xla_cpu:1", "/device:cpu:1",
    "/task:a", "/device:gpu:*", "/Job:x", "/CPU:*",
]  # fmt: skip


def _name(name):
    def case(tf, np):
        spec = tf.DeviceSpec.from_string(name)
        parts = (spec.job, spec.replica, spec.task, spec.device_type, spec.device_index)
        return {"text": spec.to_string(), "parts": [str(p) for p in parts]}

    return case


CASES = {"name_%d" % i: _name(n) for i, n in enumerate(NAMES)}


def specs(tf, np):
    d = tf.DeviceSpec(job="ps", device_type="CPU", device_index=0)
    merged = d.make_merged_spec(tf.DeviceSpec(task=2)).to_string()
    replaced = d.replace(job=None, device_type="gpu").to_string()
    d.merge_from(tf.DeviceSpec(task=3, device_type="GPU"))
    return {"all": [merged, replaced, d.to_string()], "equal": [tf.DeviceSpec() == tf.DeviceSpec()]}


def merging(tf, np):
    found = []
    for outer, inner in [
        ("/job:a/cpu:0", "/gpu:1"), ("/cpu:0", "/job:b"), ("/device:CPU:*", "/gpu:1"),
        ("/gpu:1", "/cpu"), ("/gpu:1", "/device:GPU:*"), ("/cpu:0", None), ("/cpu:0", ""),
    ]:  # fmt: skip
        with tf.Graph().as_default(), tf.device(outer), tf.device(inner):
            found.append(tf.constant(1.0).device)
    return {"devices": found}


def functions(tf, np):
    def by_type(op):
        return "/cpu:1" if op.type == "Const" else ""

    with tf.Graph().as_default():
        found = []
        with tf.device(by_type):
            a = tf.constant(1.0)
            found += [a, tf.identity(a)]
            with tf.device("/gpu:0"):
                found += [tf.constant(1.0), tf.identity(a)]
        with tf.device("/job:w"):
            with tf.device(lambda op: "/task:3"):
                found.append(tf.constant(2.0))
            with tf.device(tf.DeviceSpec(device_type="GPU", device_index=1)):
                found.append(tf.constant(2.0))
        with tf.device(lambda op: tf.DeviceSpec(task=len(op.inputs))):
            found.append(tf.add(a, 1.0))
    return {"devices": [t.device for t in found]}


def error_function(tf, np):
    with tf.device(lambda op: None):
        tf.constant(1.0)


def variables(tf, np):
    with tf.Graph().as_default():
        with tf.device("/cpu:1"):
            v = tf.get_variable("v", [2])
            r = tf.get_variable("r", [2], use_resource=True)
        with tf.device("/gpu:0"):
            u = tf.assign(v, [1.0, 2.0])
            s = r.assign_add([1.0, 2.0])
            read = r.read_value()
            slot = tf.train.MomentumOptimizer(0.1, 0.9)
            slot.minimize(tf.reduce_sum(v * r))
        found = [v, r, v.initializer, r.initializer, r.handle, v.value(), r.value(), u, s, read]
        found += [slot.get_slot(v, "momentum"), slot.get_slot(r, "momentum")]
        with tf.device("/gpu:0"), tf.get_default_graph().colocate_with(r.handle):
            q = tf.constant(1.0)
        with tf.get_default_graph().colocate_with(v), tf.device("/gpu:0"):
            w = tf.constant(1.0)
    groups = [g for t in (q, w) for g in t.op.colocation_groups()]
    return {"devices": [t.device for t in found + [q, w]], "groups": groups}


def session_devices(tf, np):
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as sess:
        found = [d for d in sess.list_devices() if d.device_type == "CPU"]
    return {
        "names": [d.name for d in found],
        "bytes": [d.memory_limit_bytes for d in found],
        "type": [d.device_type for d in found],
    }


def no_gpu(tf, np):
    return {"found": [str(tf.test.is_gpu_available()), tf.test.gpu_device_name()]}


def error_no_cpu(tf, np):
    tf.Session(config=tf.ConfigProto(device_count={"CPU": 0}))


def _placed(device, soft, cpus):
    def case(tf, np):
        with tf.Graph().as_default():
            with tf.device(device):
                v = tf.Variable([1.0, 2.0], name="v")
                y = tf.add(v, 1.0, name="y")
            z = tf.multiply(y, 2.0, name="z")
            config = tf.ConfigProto(allow_soft_placement=soft, device_count={"CPU": cpus})
            with tf.Session(config=config) as sess:
                sess.run(v.initializer)
                return {"z": sess.run(z)}

    return case


for _device in [
    "/cpu:0",
    "/cpu:1",
    "/gpu:0",
    "/job:localhost/cpu:7",
    "/job:worker",
    "/device:FOO:0",
]:
    for _soft in (False, True):
        for _cpus in (1, 2):
            _label = "placed%s_%s_%d" % (_device.replace("/", "_").replace(":", "_"), _soft, _cpus)
            CASES[_label] = _placed(_device, _soft, _cpus)


def error_not_needed(tf, np):
    """A node that is not fetched is placed all the same."""
    with tf.Graph().as_default():
        with tf.device("/gpu:0"):
            tf.constant(1.0, name="absent")
        x = tf.constant(2.0, name="x")
        with tf.Session() as sess:
            sess.run(x)


def later(tf, np):
    """What is added between two runs is placed before the second one."""
    with tf.Graph().as_default():
        x = tf.constant(2.0, name="x")
        with tf.Session() as sess:
            first = sess.run(x)
            with tf.device("/gpu:1"):
                tf.constant(1.0, name="absent")
            try:
                sess.run(x)
            except tf.errors.InvalidArgumentError as error:
                return {"first": first, "error": ["explicitly assigned to" in error.message]}


def _conflict(soft):
    def case(tf, np):
        with tf.Graph().as_default():
            with tf.device("/cpu:0"):
                tf.constant(1.0, name="x")
            group = tf.AttrValue(list=tf.AttrValue.ListValue(s=[b"loc:@x"]))
            with tf.get_default_graph()._attr_scope({"_class": group}), tf.device("/cpu:1"):
                y = tf.constant(1.0, name="y")
            config = tf.ConfigProto(allow_soft_placement=soft, device_count={"CPU": 2})
            with tf.Session(config=config) as sess:
                return {"y": sess.run(y)}

    return case


CASES["conflict"] = _conflict(False)
CASES["conflict"].message = False  # TensorFlow's tells the `with tf.device` lines in place of names
CASES["conflict_soft"] = _conflict(True)


def unknown_group(tf, np):
    group = tf.AttrValue(list=tf.AttrValue.ListValue(s=[b"loc:@nothere"]))
    with tf.get_default_graph()._attr_scope({"_class": group}):
        return {"y": tf.constant(1.0, name="y")}


def towers(tf, np):
    """The devices of a graph of towers, gradients and updates included."""
    with tf.Graph().as_default() as graph, tf.device("/cpu:0"):
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(0.1, step, 10, 0.9, staircase=True)
        optimizer = tf.train.MomentumOptimizer(rate, 0.9)
        grads = []
        with tf.variable_scope(tf.get_variable_scope()):
            for i in range(2):
                with tf.device("/gpu:%d" % i), tf.name_scope("tower_%d" % i):
                    x, labels = tf.ones([4, 3]), tf.constant([0, 1, 0, 1])
                    with tf.device("/cpu:0"):
                        w = tf.get_variable("w", [3, 2], initializer=tf.zeros_initializer())
                        b = tf.get_variable("b", [2], initializer=tf.zeros_initializer())
                    logits = tf.nn.relu(tf.matmul(x, w) + b)
                    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                        labels=labels, logits=logits
                    )
                    loss = tf.reduce_mean(losses) + 0.01 * tf.nn.l2_loss(w)
                    tf.get_variable_scope().reuse_variables()
                    grads.append(optimizer.compute_gradients(loss))
        means = []
        for pairs in zip(*grads):
            stacked = tf.concat([tf.expand_dims(g, 0) for g, _ in pairs], 0)
            means.append((tf.reduce_mean(stacked, 0), pairs[0][1]))
        train = optimizer.apply_gradients(means, global_step=step)
        averages = tf.train.ExponentialMovingAverage(0.9, step)
        tf.group(train, averages.apply(tf.trainable_variables()), name="all")
        init = tf.global_variables_initializer()
        config = tf.ConfigProto(allow_soft_placement=True, device_count={"CPU": 2})
        with tf.Session(config=config) as sess:
            sess.run(init)
            sess.run("all")
            values = sess.run(tf.global_variables())
        nodes = {}
        for n in graph.as_graph_def().node:
            if "cond" not in n.name and "IsVariableInitialized" not in n.name:  # ours are If nodes
                nodes.setdefault(n.device, []).append("%s %s" % (n.name, n.attr["_class"].list.s))
    counts = ["%s: %d" % (device, len(names)) for device, names in sorted(nodes.items())]
    joined = "|".join("%s %s" % (d, sorted(names)) for d, names in sorted(nodes.items()))
    digest = sum((i % 9973 + 1) * ord(c) for i, c in enumerate(joined))
    return {"counts": counts, "digest": [str(digest)], "values": values}
