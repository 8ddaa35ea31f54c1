"""tf.train.replica_device_setter: the devices of nodes."""


def _placed(**arguments):
    def case(tf, np):
        with tf.device(tf.train.replica_device_setter(**arguments)):
            a = tf.Variable([1.0, 2.0], name="a")
            b = tf.Variable(3.0, name="b")
            with tf.device("/gpu:0"):
                c = tf.Variable(4.0, name="c", use_resource=True)
                d = tf.add(a, b, name="d")
            with tf.device("/job:other"):
                e = tf.Variable(5.0, name="e")
            tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(d) * c)
        return {"devices": [v.device for v in (a, b, c, d, e)]}

    return case


CASES = {
    "tasks": _placed(ps_tasks=2),
    "cluster": _placed(cluster={"ps": ["a:1", "b:1", "c:1"], "worker": ["d:1"]}),
    "worker": _placed(ps_tasks=2, worker_device="/job:worker/task:3"),
    "unmerged": _placed(ps_tasks=2, merge_devices=False),
    "strategy": _placed(ps_tasks=3, ps_strategy=lambda op: 2),
    "types": _placed(ps_tasks=3, ps_ops=["Const"]),
}


def none(tf, np):
    found = [
        tf.train.replica_device_setter(),
        tf.train.replica_device_setter(cluster={"worker": ["a:1"]}),
    ]
    return {"none": [f is None for f in found]}


def error_strategy(tf, np):
    tf.train.replica_device_setter(ps_tasks=2, ps_strategy=3)
