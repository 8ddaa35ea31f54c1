"""Exponential moving averages of variables and tensors."""


def _average(resource=False, **arguments):
    def case(tf, np):
        w = tf.Variable([1.0, 2.0], name="w", use_resource=resource)
        x = tf.add(w, 1.0, name="x")
        average = tf.train.ExponentialMovingAverage(0.9, **arguments)
        update = average.apply([w, x])
        grow = w.assign_add([1.0, 1.0])
        found = {
            "names": [average.average_name(w), average.average_name(x), average.average(w).name],
            "restore": sorted((k, v.name) for k, v in average.variables_to_restore().items()),
            "update": update.name,
        }
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(3):
                session.run(grow)
                session.run(update)
            for v in tf.global_variables():
                found[v.name] = session.run(v)
        return found

    case.nodes = False  # a variable's initialized value is an If node, not Switch and Merge
    return case


CASES = {
    "plain": _average(),
    "resource": _average(resource=True),
    "num_updates": _average(num_updates=2),
    "zero_debias": _average(zero_debias=True),
    "resource_zero_debias": _average(resource=True, zero_debias=True),
    "named": _average(name="shadow"),
}


def of_tensor(tf, np):
    """The average of a tensor begins with zeros."""
    x = tf.constant([4.0, 8.0], name="x")
    average = tf.train.ExponentialMovingAverage(0.75)
    update = average.apply([x])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(update)
        return {"average": session.run(average.average(x))}


def trainable_by_default(tf, np):
    tf.Variable(1.0, name="a")
    tf.Variable(2.0, name="b", trainable=False)
    average = tf.train.ExponentialMovingAverage(0.5)
    average.apply()
    return {
        "names": [v.name for v in tf.global_variables()],
        "averaged": [v.name for v in tf.moving_average_variables()],
    }


trainable_by_default.nodes = False  # see above


def unapplied_name(tf, np):
    """The name of an average that has not been made."""
    w = tf.Variable(1.0, name="w")
    return {"name": tf.train.ExponentialMovingAverage(0.5).average_name(w)}


def error_type(tf, np):
    tf.train.ExponentialMovingAverage(0.5).apply([tf.Variable(1, name="w")])
