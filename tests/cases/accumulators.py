"""Conditional accumulators, dense and sparse."""


def _dense(**arguments):
    def case(tf, np):
        acc = tf.ConditionalAccumulator(tf.float32, shape=[2], **arguments)
        step = tf.placeholder(tf.int64, [])
        grad = tf.placeholder(tf.float32, [2])
        add = acc.apply_grad(grad, local_step=step)
        take, count, move = acc.take_grad(2), acc.num_accumulated(), acc.set_global_step(5)
        with tf.Session() as session:
            counts = [session.run(count)]
            session.run(add, {grad: [1.0, 2.0], step: 0})
            session.run(add, {grad: [3.0, 6.0], step: 0})
            counts.append(session.run(count))
            first = session.run(take)
            counts.append(session.run(count))
            session.run(add, {grad: [9.0, 9.0], step: 0})  # older than step 1
            counts.append(session.run(count))
            session.run(move)
            for s in (4, 5, 6):
                session.run(add, {grad: [1.0, float(s)], step: s})
            counts.append(session.run(count))
            second = session.run(take)
        return {
            "counts": [int(c) for c in counts],
            "first": first,
            "second": second,
            "name": acc.name,
            "dtype": acc.dtype.name,
            "static": str(take.shape),
        }

    return case


CASES = {"mean": _dense(), "sum": _dense(reduction_type="SUM", name="acc")}


def sparse_mean(tf, np):
    acc = tf.SparseConditionalAccumulator(tf.float32, shape=[4, 2])
    first = acc.apply_grad([0, 2], [[1.0, 2.0], [3.0, 4.0]], grad_shape=[4, 2])
    second = acc.apply_indexed_slices_grad(
        tf.IndexedSlices(tf.constant([[10.0, 20.0]]), tf.constant([2]), tf.constant([4, 2]))
    )
    take = acc.take_indexed_slices_grad(2)
    count = acc.num_accumulated()
    with tf.Session() as session:
        session.run(first)
        session.run(second)
        before = session.run(count)
        taken = session.run(take)
    return {
        "count": before,
        "indices": taken.indices,
        "values": taken.values,
        "shape": taken.dense_shape,
    }


def sparse_sum(tf, np):
    acc = tf.SparseConditionalAccumulator(tf.float32, reduction_type="SUM")
    first = acc.apply_grad([1, 3], [[1.0], [3.0]])
    take = acc.take_grad(1)
    with tf.Session() as session:
        session.run(first)
        session.run(first)
        taken = session.run(take)
    return {"indices": taken.indices, "values": taken.values, "shape": taken.shape}


def error_shape(tf, np):
    acc = tf.ConditionalAccumulator(tf.float32, shape=[2])
    acc.apply_grad([1.0, 2.0, 3.0])


def error_shape_at_run(tf, np):
    acc = tf.ConditionalAccumulator(tf.float32, shape=[2])
    grad = tf.placeholder(tf.float32)
    add = acc.apply_grad(grad)
    with tf.Session() as session:
        session.run(add, {grad: [1.0, 2.0, 3.0]})


def error_required(tf, np):
    acc = tf.ConditionalAccumulator(tf.float32, shape=[2])
    take = acc.take_grad(0)
    with tf.Session() as session:
        session.run(take)
