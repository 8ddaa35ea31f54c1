"""tf.metrics: values after each batch, the collections and the nodes."""


def _run(tf, np, make, feeds, dtypes=None):
    """The values of a metric after each of several batches, and its graph's collections."""
    graph = tf.get_default_graph()
    first = feeds[0]
    holders = [tf.placeholder(a.dtype, shape=[None] + list(a.shape[1:])) for a in first]
    value, update = make(*holders)
    found = {"updates": [], "values": []}
    with tf.Session(graph=graph) as session:
        session.run(tf.local_variables_initializer())
        for batch in feeds:
            feed = dict(zip(holders, batch))
            found["updates"].append(session.run(update, feed))
            found["values"].append(session.run(value))
    found["names"] = [value.name, update.name]
    for key in ("local_variables", "metric_variables", "variables", "trainable_variables"):
        found[key] = [v.name for v in graph.get_collection(key)]
    return found


def _binary(np, weights=False):
    random = np.random.RandomState(1)
    batches = []
    for size in (7, 5, 1):
        row = [random.rand(size) > 0.4, random.rand(size).astype(np.float32)]
        if weights:
            row.append(random.randint(0, 4, size).astype(np.float32))
        batches.append(row)
    return batches


def _numbers(np, weights=False):
    random = np.random.RandomState(2)
    batches = []
    for size in (4, 3):
        row = [random.randn(size, 2).astype(np.float32) for _ in range(2)]
        if weights:
            row.append(random.randint(0, 4, (size, 1)).astype(np.float32))
        batches.append(row)
    return batches


CASES = {}


def _case(name, make, data, nodes=True):
    def case(tf, np):
        return _run(tf, np, lambda *holders: make(tf, *holders), data(np))

    case.nodes = nodes
    CASES[name] = case


for _name, _data in [("", _numbers), (" weighted", lambda np: _numbers(np, True))]:
    # Weights of a run-time shape are checked in a cond: an If here, Switch and Merge there.
    _plain = not _name
    _case("mean" + _name, lambda tf, a, b, *w: tf.metrics.mean(a, *w), _data, _plain)
    for _metric in ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error"):
        _case(
            _metric + _name,
            lambda tf, a, b, w=None, _m=_metric: getattr(tf.metrics, _m)(a, b, w),
            _data,
            _plain,
        )
    _case(
        "percentage_below" + _name,
        lambda tf, a, b, w=None: tf.metrics.percentage_below(a, 0.3, w),
        _data,
        _plain,
    )
    _case(
        "mean_relative_error" + _name,
        lambda tf, a, b, w=None: tf.metrics.mean_relative_error(a, b, tf.abs(b), w),
        _data,
        _plain,
    )
    _case(
        "mean_cosine_distance" + _name,
        lambda tf, a, b, w=None: tf.metrics.mean_cosine_distance(a, b, 1, w),
        _data,
        _plain,
    )

for _name, _data in [("", _binary), (" weighted", lambda np: _binary(np, True))]:
    _plain = not _name
    for _metric in (
        "true_positives",
        "true_negatives",
        "false_positives",
        "false_negatives",
        "precision",
        "recall",
    ):
        _case(
            _metric + _name,
            lambda tf, a, b, w=None, _m=_metric: getattr(tf.metrics, _m)(a, b > 0.5, w),
            _data,
        )
    for _metric in (
        "true_positives",
        "true_negatives",
        "false_positives",
        "false_negatives",
        "precision",
        "recall",
    ):
        _case(
            _metric + "_at_thresholds" + _name,
            lambda tf, a, b, w=None, _m=_metric: getattr(tf.metrics, _m + "_at_thresholds")(
                a, b, [0.2, 0.5, 0.7], w
            ),
            _data,
            False,
        )
    _case(
        "sensitivity_at_specificity" + _name,
        lambda tf, a, b, w=None: tf.metrics.sensitivity_at_specificity(a, b, 0.6, w, 21),
        _data,
        False,
    )
    _case(
        "specificity_at_sensitivity" + _name,
        lambda tf, a, b, w=None: tf.metrics.specificity_at_sensitivity(a, b, 0.6, w, 21),
        _data,
        False,
    )
    for _curve in ("ROC", "PR"):
        for _how in ("trapezoidal", "minoring", "majoring", "careful_interpolation"):
            _case(
                "auc %s %s%s" % (_curve, _how, _name),
                lambda tf, a, b, w=None, _c=_curve, _h=_how: tf.metrics.auc(
                    a, b, w, curve=_c, summation_method=_h, num_thresholds=30
                ),
                _data,
                False,
            )


def accuracy(tf, np):
    labels, predictions = tf.constant([1, 2, 3, 4]), tf.constant([1, 2, 0, 4], tf.int64)
    value, update = tf.metrics.accuracy(labels, predictions)
    return {"update": update}


def accuracy_static_weights(tf, np):
    labels, predictions = tf.constant([1, 2, 3, 4]), tf.constant([[1], [2], [0], [4]])
    weights = tf.constant([0.5, 1.0, 2.0, 0.0])
    return {"update": tf.metrics.accuracy(labels, predictions, weights, name="mine")[1]}


def accuracy_column_weights(tf, np):
    labels, predictions = tf.constant([[1, 2], [3, 4]]), tf.constant([[1, 2], [0, 4]])
    return {"update": tf.metrics.accuracy(labels, predictions, tf.constant([[2.0], [1.0]]))[1]}


def accuracy_collections(tf, np):
    tf.metrics.accuracy(
        tf.constant([1]), tf.constant([1]), metrics_collections=["m", "n"], updates_collections="u"
    )
    return {k: [t.name for t in tf.get_collection(k)] for k in ("m", "n", "u")}


def accuracy_wrong_shapes(tf, np):
    return {"update": tf.metrics.accuracy(tf.constant([1, 2, 3]), tf.constant([1, 2]))[1]}


def mean_wrong_weights(tf, np):
    return {"update": tf.metrics.mean(tf.ones([3, 2]), tf.ones([3, 4]))[1]}


mean_wrong_weights.message = False  # shapes are written as numpy arrays there


def mean_scalar_weight(tf, np):
    return {"update": tf.metrics.mean(tf.constant([1.0, 2.0]), 3.0)[1]}


def mean_in_scope(tf, np):
    with tf.variable_scope("outer"):
        first = tf.metrics.mean(tf.constant([1.0, 2.0]))
        second = tf.metrics.mean(tf.constant([1.0, 4.0]))
    return {"names": [first[0].name, second[1].name], "values": [first[1], second[1]]}


def mean_tensor(tf, np):
    value, update = tf.metrics.mean_tensor(tf.constant([1.0, 2.0, 4.0]))
    weighted = tf.metrics.mean_tensor(tf.constant([1.0, 2.0, 4.0]), tf.constant([0.0, 1.0, 2.0]))
    return {"update": update, "weighted": weighted[1]}


def mean_iou(tf, np):
    labels, predictions = tf.constant([0, 1, 2, 2, 1]), tf.constant([0, 2, 2, 2, 1])
    value, update = tf.metrics.mean_iou(labels, predictions, 4)
    with tf.control_dependencies([update]):
        again = tf.metrics.mean_iou(labels, predictions, 4, tf.constant([1.0, 2.0, 3.0, 0.0, 1.0]))
    return {"update": update, "weighted": again[1]}


mean_iou.nodes = False  # tf.assert_* nodes carry a cond when their inputs are static


def mean_iou_value(tf, np):
    value, update = tf.metrics.mean_iou(
        tf.constant([[0, 1], [2, 2]]), tf.constant([[0, 2], [2, 2]]), 3
    )
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update)
        session.run(update)
        return {"value": session.run(value)}


mean_iou_value.nodes = False


def mean_iou_out_of_bound(tf, np):
    labels = tf.placeholder(tf.int32, [None])
    value, update = tf.metrics.mean_iou(labels, tf.constant([0, 1]), 2)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update, {labels: [0, 5]})
    return {}


mean_iou_out_of_bound.message = False  # which of several checks fails first is open


def mean_per_class_accuracy(tf, np):
    labels, predictions = tf.constant([0, 1, 2, 2, 1]), tf.constant([0, 2, 2, 2, 1])
    value, update = tf.metrics.mean_per_class_accuracy(labels, predictions, 4)
    weighted = tf.metrics.mean_per_class_accuracy(
        labels, predictions, 3, tf.constant([1.0, 2.0, 3.0, 0.5, 1.0])
    )
    return {"update": update, "weighted": weighted[1]}


def auc_thresholds(tf, np):
    labels, predictions = tf.constant([0, 0, 1, 1]), tf.constant([0.0, 0.3, 0.4, 0.9])
    value, update = tf.metrics.auc(labels, predictions, thresholds=[0.5, 0.2])
    return {"update": update, "shapes": [str(v.shape) for v in tf.local_variables()]}


auc_thresholds.nodes = False


def auc_out_of_range(tf, np):
    predictions = tf.placeholder(tf.float32, [None])
    update = tf.metrics.auc(tf.constant([0, 1]), predictions)[1]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update, {predictions: [0.5, 1.5]})
    return {}


def auc_unknown_curve(tf, np):
    return {"u": tf.metrics.auc(tf.constant([0]), tf.constant([0.5]), curve="XY")[1]}


def auc_unknown_method(tf, np):
    return {"u": tf.metrics.auc(tf.constant([0]), tf.constant([0.5]), summation_method="best")[1]}


def sensitivity_out_of_range(tf, np):
    return {"u": tf.metrics.sensitivity_at_specificity(tf.constant([0]), tf.constant([0.5]), 1.5)}


def specificity_out_of_range(tf, np):
    return {"u": tf.metrics.specificity_at_sensitivity(tf.constant([0]), tf.constant([0.5]), -1.0)}


def unknown_rank(tf, np):
    labels, predictions = tf.placeholder(tf.int32), tf.placeholder(tf.int32)
    weights = tf.placeholder(tf.float32)
    value, update = tf.metrics.accuracy(labels, predictions, weights)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        one = session.run(
            update, {labels: [1, 2], predictions: [[1], [3]], weights: [[1.0], [3.0]]}
        )
        two = session.run(update, {labels: [1, 2], predictions: [1, 2], weights: 2.0})
    return {"one": one, "two": two}


unknown_rank.nodes = False  # cond


def weights_broadcast_error(tf, np):
    values, weights = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    update = tf.metrics.mean(values, weights)[1]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update, {values: np.ones([2, 3]), weights: np.ones([2, 2])})
    return {}


weights_broadcast_error.message = False  # TensorFlow prints names of nodes inside its cond
