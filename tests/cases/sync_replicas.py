"""tf.train.SyncReplicasOptimizer with one replica."""


def _train(sparse=False, **arguments):
    def case(tf, np):
        w = tf.Variable([[1.0, -2.0], [3.0, 4.0]], name="w")
        if sparse:
            loss = tf.reduce_sum(tf.square(tf.gather(w, [1])))
        else:
            loss = tf.reduce_sum(tf.square(w))
        step = tf.train.get_or_create_global_step()
        optimizer = tf.train.SyncReplicasOptimizer(
            tf.train.GradientDescentOptimizer(0.1),
            replicas_to_aggregate=1,
            total_num_replicas=1,
            **arguments,
        )
        train = optimizer.minimize(loss, global_step=step)
        runner = optimizer.get_chief_queue_runner()
        init = [tf.global_variables_initializer(), tf.local_variables_initializer()]
        with tf.Session() as session:
            session.run(init)
            session.run(optimizer.chief_init_op)
            runner.create_threads(session, daemon=True, start=True)
            session.run(train)
            while session.run(step) < 1:
                pass
            found = {"w": session.run(w), "step": session.run(step)}
        found["names"] = [v.name for v in tf.global_variables() + tf.local_variables()]
        found["slots"] = optimizer.get_slot_names()
        return found

    return case


CASES = {"dense": _train(), "sparse": _train(sparse=True)}


def nodes(tf, np):
    w = tf.Variable([1.0, -2.0], name="w")
    step = tf.Variable(0, name="global_step", trainable=False, dtype=tf.int64)
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 2)
    train = optimizer.minimize(tf.reduce_sum(w * w), global_step=step)
    tokens = optimizer.get_init_tokens_op()
    return {"train": train.name, "tokens": tokens.name}


def error_order(tf, np):
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 2)
    optimizer.get_chief_queue_runner()


def error_no_step(tf, np):
    w = tf.Variable([1.0, -2.0], name="w")
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 2)
    optimizer.minimize(tf.reduce_sum(w * w))
