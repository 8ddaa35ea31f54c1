"""tf.metrics of the k highest predictions."""

# Nodes are not compared where labels may need a dimension, which is a cond there.


def _predictions(np):
    return np.array(
        [[0.1, 0.4, 0.3, 0.2], [0.3, 0.1, 0.5, 0.1], [0.25, 0.3, 0.05, 0.4]], np.float32
    )


def _labels(np):
    return np.array([[1, 2], [0, 3], [0, 1]], np.int64)


def _sparse_labels(tf):
    return tf.SparseTensor(
        [[0, 0], [1, 0], [1, 1], [2, 1]], tf.constant([2, 2, 0, 1], tf.int64), [3, 2]
    )


CASES = {}
for _metric in ("precision_at_k", "recall_at_k", "average_precision_at_k"):
    for _k in (1, 2, 3):
        for _kind in ("dense", "sparse", "weighted", "class", "class sparse"):
            if _metric.startswith("average") and "class" in _kind:
                continue

            def _case(tf, np, _metric=_metric, _k=_k, _kind=_kind):
                labels = _sparse_labels(tf) if "sparse" in _kind else tf.constant(_labels(np))
                more = {}
                if _kind == "weighted":
                    more["weights"] = tf.constant([1.0, 0.5, 2.0])
                if "class" in _kind:
                    more["class_id"] = 2
                value, update = getattr(tf.metrics, _metric)(
                    labels, tf.constant(_predictions(np)), _k, **more
                )
                with tf.Session() as session:
                    session.run(tf.local_variables_initializer())
                    updates = [session.run(update), session.run(update)]
                    return {
                        "updates": updates,
                        "value": session.run(value),
                        "names": [value.name, update.name],
                        "variables": [v.name for v in tf.local_variables()],
                    }

            _case.nodes = _kind == "dense" and not _metric.startswith("average")
            CASES["%s %d %s" % (_metric, _k, _kind)] = _case


def precision_at_top_k(tf, np):
    idx = tf.constant([[1, 2], [2, 0], [3, 1]])
    one = tf.metrics.precision_at_top_k(tf.constant([1, 2, 3], tf.int64), idx)
    two = tf.metrics.recall_at_top_k(tf.constant([1, 2, 3], tf.int64), idx, k=2, name="mine")
    return {"updates": [one[1], two[1]], "names": [one[0].name, two[0].name]}


def labels_out_of_range(tf, np):
    labels = tf.constant([[1, 9], [0, 3], [7, 8]], tf.int64)
    value, update = tf.metrics.average_precision_at_k(labels, tf.constant(_predictions(np)), 2)
    return {"update": update}


labels_out_of_range.nodes = False


def no_k(tf, np):
    return {
        "u": tf.metrics.average_precision_at_k(
            tf.constant([[1]], tf.int64), tf.constant([[0.5, 0.5]]), 0
        )
    }


def wrong_rank(tf, np):
    return {"u": tf.metrics.precision_at_k(tf.constant([1], tf.int64), tf.ones([2, 2, 2, 2]), 1)}


def aliases(tf, np):
    a = tf.metrics.sparse_precision_at_k(tf.constant(_labels(np)), tf.constant(_predictions(np)), 2)
    b = tf.metrics.sparse_average_precision_at_k(
        tf.constant(_labels(np)), tf.constant(_predictions(np)), 2
    )
    return {"updates": [a[1], b[1]]}


aliases.nodes = False
