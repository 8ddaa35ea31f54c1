"""tf.contrib.factorization.KMeans and its operations."""

# Branches are If nodes here, Switch and Merge nodes there.
NODES = False


def _points(np):
    grid = np.arange(24, dtype=np.float32).reshape(12, 2)
    return np.sin(grid * 1.7) + np.repeat([[3, 0], [0, 4], [-4, 1]], 4, 0).astype(np.float32)


def _trained(steps, **keywords):
    def case(tf, np):
        factorization = tf.contrib.factorization
        points = _points(np)
        data = tf.placeholder(tf.float32, [None, 2])
        given = dict(keywords)
        if given.get("initial_clusters") == "rows":
            given["initial_clusters"] = points[[0, 4, 8]]
        model = factorization.KMeans(data, 3, **given)
        scores, index, distances, initialized, init_op, train_op = model.training_graph()
        result = {}
        with tf.Session() as sess:
            sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()],
                     {data: points})  # fmt: skip
            feed = {data: points}
            before = sess.run(initialized)
            sess.run(init_op, feed)
            after = sess.run(initialized)
            for i in range(steps):
                part = points[i % 3 :: 3] if given.get("use_mini_batch") else points
                sess.run(train_op, {data: part})
            result["flags"] = [before, after]
            if given.get("use_mini_batch"):
                # TensorFlow reads counts and centers while it updates them: its numbers vary. Ours
                # are compared with the formula by a test.
                result["shape"] = list(sess.run("clusters:0").shape)
                return result
            result["scores"] = sess.run(scores, feed)
            result["index"] = sess.run(index, feed)
            result["distances"] = sess.run(distances, feed)
            result["centers"] = sess.run("clusters:0")
        return result

    return case


CASES = {
    "means": _trained(3, initial_clusters="rows"),
    "untrained": _trained(0, initial_clusters="rows"),
    "cosine": _trained(3, initial_clusters="rows", distance_metric="cosine"),
    "batches": _trained(4, initial_clusters="rows", use_mini_batch=True),
    "batches_cosine": _trained(
        4, initial_clusters="rows", use_mini_batch=True, distance_metric="cosine"
    ),
    "batches_of_two": _trained(
        5, initial_clusters="rows", use_mini_batch=True, mini_batch_steps_per_iteration=2
    ),
    "batches_of_two_cosine": _trained(
        5,
        initial_clusters="rows",
        use_mini_batch=True,
        mini_batch_steps_per_iteration=2,
        distance_metric="cosine",
    ),
    "random": _trained(2, random_seed=3),
}


def all_points(tf, np):
    """As many centers as points: each is one."""
    points = _points(np)[:3]
    model = tf.contrib.factorization.KMeans(tf.constant(points), 3)
    scores, index, distances, initialized, init_op, train_op = model.training_graph()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(init_op)
        sess.run(train_op)
        return {"index": sess.run(index), "distances": sess.run(distances)}


def _chosen(way, **keywords):
    def case(tf, np):
        """Which points are chosen is a matter of chance: that they are points is not."""
        points = _points(np)
        data = tf.constant(points)
        model = tf.contrib.factorization.KMeans(data, 3, initial_clusters=way, **keywords)
        init_op = model.training_graph()[4]
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for _ in range(3):
                if len(sess.run("clusters:0")) < 3:
                    sess.run(init_op)
            centers = sess.run("clusters:0")
            near = np.abs(centers[:, None] - points[None]).sum(2).min(1)
            return {"shape": list(centers.shape), "points": [bool(n < 1e-6) for n in near]}

    return case


CASES["plus_plus"] = _chosen("kmeans_plus_plus", random_seed=5)
CASES["plus_plus_no_retry"] = _chosen("kmeans_plus_plus", kmeans_plus_plus_num_retries=-1)
CASES["chains"] = _chosen("kmc2", kmc2_chain_length=4)


def other_way(tf, np):
    tf.contrib.factorization.KMeans(tf.zeros([2, 2]), 1, initial_clusters="best")


def other_metric(tf, np):
    tf.contrib.factorization.KMeans(tf.zeros([2, 2]), 1, distance_metric="best")


for _case in CASES.values():
    _case.atol = 1e-4  # squared distances near 0 are differences of larger numbers
