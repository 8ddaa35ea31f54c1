"""tf.feature_column: every kind of column through input_layer, linear_model, DenseFeatures."""


def _features(tf, np):
    return {
        "age": np.array([3.0, 27.0, 41.0, 80.0], np.float32),
        "pair": np.array([[1.0, -2.0], [0.5, 4.0], [9.0, 0.0], [2.0, 2.0]], np.float32),
        "colour": np.array(["red", "blue", "", "violet"]),
        "words": tf.SparseTensor(
            [[0, 0], [0, 1], [1, 0], [3, 0], [3, 2]],
            np.array(["a", "b", "c", "a", "zz"]),
            [4, 3],
        ),
        "weights": tf.SparseTensor(
            [[0, 0], [0, 1], [1, 0], [3, 0], [3, 2]],
            np.array([0.5, 2.0, -1.0, 3.0, 1.0], np.float32),
            [4, 3],
        ),
        "number": np.array([[1, 0], [2, -1], [3, 3], [0, 1]], np.int64),
        "code": np.array([5, 7, 5, -1], np.int32),
    }


def _seeded(tf):
    tf.set_random_seed(5)
    return tf.random_normal_initializer(seed=3)


def _columns(tf):
    fc = tf.feature_column
    initializer = _seeded(tf)
    age = fc.numeric_column("age", normalizer_fn=lambda x: (x - 20.0) / 10.0)
    buckets = fc.bucketized_column(fc.numeric_column("age"), [18, 30, 65])
    buckets2 = fc.bucketized_column(fc.numeric_column("pair", shape=2), [0, 1])
    colour = fc.categorical_column_with_vocabulary_list("colour", ["red", "blue", "green"])
    colour_oov = fc.categorical_column_with_vocabulary_list(
        "colour", ["red", "blue", "green"], num_oov_buckets=2
    )
    words = fc.categorical_column_with_vocabulary_list("words", ["a", "b", "c"])
    hashed = fc.categorical_column_with_hash_bucket("words", 7)
    hashed_int = fc.categorical_column_with_hash_bucket("code", 6, tf.int32)
    number = fc.categorical_column_with_identity("number", 4)
    number_default = fc.categorical_column_with_identity("number", 3, default_value=0)
    weighted = fc.weighted_categorical_column(words, "weights")
    code = fc.categorical_column_with_vocabulary_list("code", [7, 5], dtype=tf.int64)
    crossed = fc.crossed_column(["colour", "words"], 9)
    crossed2 = fc.crossed_column([buckets, colour], 9, hash_key=17)
    return {
        "numeric": age,
        "vector": fc.numeric_column("pair", shape=(2,)),
        "buckets": buckets,
        "buckets2": buckets2,
        "colour_indicator": fc.indicator_column(colour),
        "colour_oov": fc.indicator_column(colour_oov),
        "words_indicator": fc.indicator_column(words),
        "hashed_indicator": fc.indicator_column(hashed),
        "hashed_int": fc.indicator_column(hashed_int),
        "number_indicator": fc.indicator_column(number),
        "number_default": fc.indicator_column(number_default),
        "weighted_indicator": fc.indicator_column(weighted),
        "code_indicator": fc.indicator_column(code),
        "crossed_indicator": fc.indicator_column(crossed),
        "crossed2_indicator": fc.indicator_column(crossed2),
        "embedding": fc.embedding_column(words, 2, initializer=initializer),
        "embedding_sum": fc.embedding_column(
            words, 2, combiner="sum", initializer=initializer, max_norm=0.5
        ),
        "embedding_weighted": fc.embedding_column(weighted, 3, initializer=initializer),
        "embedding_sqrtn": fc.embedding_column(
            weighted, 3, combiner="sqrtn", initializer=initializer, trainable=False
        ),
        "embedding_hashed": fc.embedding_column(hashed_int, 2, initializer=initializer),
    }, {
        "hashed": hashed,
        "colour": colour,
        "weighted": weighted,
        "number": number,
        "crossed": crossed,
        "crossed2": crossed2,
        "code": code,
        "buckets": buckets,
        "buckets2": buckets2,
    }


def _evaluated(tf, tensor):
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        return sess.run(tensor)


CASES = {}


def _variables(tf):
    return ["%s %s %s" % (v.name, v.shape, v.op.type) for v in tf.global_variables()] + [
        v.name for v in tf.trainable_variables()
    ]


def _through_input_layer(name):
    def case(tf, np):
        found = tf.feature_column.input_layer(_features(tf, np), [_columns(tf)[0][name]])
        return {
            "value": _evaluated(tf, found),
            "shape": str(found.shape),
            "variables": _variables(tf),
        }

    return case


def _through_dense_features(name):
    def case(tf, np):
        layer = tf.keras.layers.DenseFeatures([_columns(tf)[0][name]], name="dense")
        found = layer(_features(tf, np))
        return {"value": _evaluated(tf, found), "variables": _variables(tf)}

    return case


def _through_linear_model(kind, name, combiner):
    def case(tf, np):
        columns = _columns(tf)[0 if kind == "dense" else 1]
        found_vars = {}
        with tf.variable_scope("m"):
            found = tf.feature_column.linear_model(
                _features(tf, np),
                [columns[name]],
                units=2,
                sparse_combiner=combiner,
                cols_to_vars=found_vars,
            )
        ones = [tf.assign(v, tf.ones_like(v) * 0.5 + 0.25) for v in tf.trainable_variables()]
        with tf.Session() as sess:
            sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
            sess.run(ones)
            value = sess.run(found)
        return {
            "value": value,
            "variables": _variables(tf),
            "bias": [v.name for v in found_vars["bias"]],
            "column": [v.name for v in found_vars[columns[name]]],
            "gradients": [
                str(g is not None) for g in tf.gradients(found, tf.trainable_variables())
            ],
        }

    return case


_DENSE = [
    "numeric",
    "vector",
    "buckets",
    "buckets2",
    "colour_indicator",
    "colour_oov",
    "words_indicator",
    "hashed_indicator",
    "hashed_int",
    "number_indicator",
    "number_default",
    "weighted_indicator",
    "code_indicator",
    "crossed_indicator",
    "crossed2_indicator",
    "embedding",
    "embedding_sum",
    "embedding_weighted",
    "embedding_sqrtn",
    "embedding_hashed",
]
for _name in _DENSE:
    CASES["input_layer_" + _name] = _through_input_layer(_name)
for _name in ["numeric", "buckets2", "weighted_indicator", "embedding", "embedding_sqrtn"]:
    CASES["dense_features_" + _name] = _through_dense_features(_name)
for _name in ["numeric", "vector", "words_indicator", "embedding"]:
    CASES["linear_model_" + _name] = _through_linear_model("dense", _name, "sum")
for _name in [
    "hashed",
    "colour",
    "weighted",
    "number",
    "crossed",
    "crossed2",
    "code",
    "buckets",
    "buckets2",
]:
    CASES["linear_model_" + _name] = _through_linear_model("sparse", _name, "sum")
CASES["linear_model_mean"] = _through_linear_model("sparse", "weighted", "mean")
CASES["linear_model_sqrtn"] = _through_linear_model("sparse", "hashed", "sqrtn")


# Identity columns assert with a tf.cond, which is an If here.
CASES["input_layer_number_indicator"].nodes = False
CASES["linear_model_number"].nodes = False


def input_layer_many(tf, np):
    dense, _ = _columns(tf)
    columns = [dense[k] for k in ["vector", "buckets", "colour_indicator", "embedding", "numeric"]]
    columns = [c for c in columns if c.name != "age"] + [dense["numeric"]]
    outputs, made = {}, {}
    found = tf.feature_column.input_layer(
        _features(tf, np), columns, cols_to_vars=made, cols_to_output_tensors=outputs
    )
    return {
        "value": _evaluated(tf, found),
        "outputs": [outputs[c].name for c in columns],
        "vars": [[v.name for v in made[c]] for c in columns],
        "model": [v.name for v in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)],
    }


def input_layer_twice(tf, np):
    column = [_columns(tf)[0]["embedding"]]
    features = _features(tf, np)
    first = tf.feature_column.input_layer(features, column)
    second = tf.feature_column.input_layer(features, column, trainable=False)
    return {"value": _evaluated(tf, [first, second]), "variables": _variables(tf)}


def linear_model_many(tf, np):
    _, sparse = _columns(tf)
    columns = [sparse[k] for k in ["hashed", "colour", "buckets", "crossed"]]
    columns.append(tf.feature_column.numeric_column("pair", 2))
    found = tf.feature_column.linear_model(_features(tf, np), columns)
    return {"value": _evaluated(tf, found), "variables": _variables(tf)}


def linear_model_of_numbers(tf, np):
    fc = tf.feature_column
    found = fc.linear_model(
        {"a": np.ones([2, 1], np.float32), "b": np.ones([2], np.float32)},
        [fc.numeric_column("b"), fc.numeric_column("a")],
    )
    return {"value": _evaluated(tf, found), "variables": _variables(tf)}


def _shared(tf):
    fc = tf.feature_column
    one = fc.categorical_column_with_identity("number", 9)
    two = fc.categorical_column_with_identity("code", 9)
    return fc.shared_embedding_columns([one, two], 3, initializer=_seeded(tf))


def shared_embedding(tf, np):
    found = tf.feature_column.input_layer(_features(tf, np), _shared(tf))
    return {
        "value": _evaluated(tf, found),
        "variables": _variables(tf),
        "collection": [v.name for v in tf.get_collection("code_number_shared_embedding")],
    }


def shared_embedding_linear(tf, np):
    found = tf.feature_column.linear_model(_features(tf, np), _shared(tf))
    return {"value": _evaluated(tf, found), "variables": _variables(tf)}


shared_embedding.nodes = False
shared_embedding_linear.nodes = False


def vocabulary_file(tf, np):
    import os
    import tempfile

    fc = tf.feature_column
    path = os.path.join(tempfile.mkdtemp(), "words.txt")
    with open(path, "w") as out:
        out.write("blue\nred\ngreen\n")
    whole = fc.categorical_column_with_vocabulary_file("colour", path)
    part = fc.categorical_column_with_vocabulary_file("colour", path, 2, num_oov_buckets=2)
    features = _features(tf, np)
    with tf.variable_scope("whole"):
        first = fc.input_layer(features, [fc.indicator_column(whole)])
    with tf.variable_scope("part"):
        second = fc.input_layer(features, [fc.indicator_column(part)])
    return {"value": _evaluated(tf, [first, second])}


# The name of the file is a constant of the graph, and a part of the tables' names.
vocabulary_file.nodes = False


def unknown_rank(tf, np):
    a = tf.placeholder(tf.float32, None)
    b = tf.placeholder(tf.float32, None)
    columns = [tf.feature_column.numeric_column(k) for k in "ab"]
    found = tf.feature_column.input_layer({"a": a, "b": b}, columns)
    with tf.Session() as sess:
        return {"value": sess.run(found, {a: [1.0, 2.0], b: [[3.0], [4.0]]})}


# tf.cond is an If here, which names its nodes otherwise.
unknown_rank.nodes = False


def parse_spec(tf, np):
    dense, sparse = _columns(tf)
    chosen = [dense["vector"], dense["buckets"], dense["weighted_indicator"], sparse["number"]]
    chosen += [sparse["crossed"], tf.feature_column.numeric_column("d", 2, default_value=1)]
    chosen += _shared(tf)
    spec = tf.feature_column.make_parse_example_spec(chosen)
    return {"spec": ["%s %s" % (k, spec[k]) for k in sorted(spec)]}


def names(tf, np):
    dense, sparse = _columns(tf)
    fc = tf.feature_column
    rows = []
    for group in (dense, sparse):
        for key in sorted(group):
            column = group[key]
            rows.append("%s %s" % (key, column.name))
            if key in dense:
                rows.append(str(column.variable_shape))
            else:
                rows.append(str(column.num_buckets))
    shown = fc.bucketized_column(fc.numeric_column("x", default_value=[2.0]), [1, 2])
    return {
        "rows": rows,
        "text": [str(shown), str(sparse["crossed"]), str(sparse["number"])],
        "sorted": [str(c) for c in sorted([sparse["number"], sparse["colour"], shown])],
        "equal": [str(shown == fc.bucketized_column(shown.source_column, (1, 2)))],
    }


names.nodes = False


def _failing(build, **attributes):
    def case(tf, np):
        return build(tf, tf.feature_column, np)

    for key, value in attributes.items():
        setattr(case, key, value)
    return case


CASES.update(
    {
        "bad_shape": _failing(lambda tf, fc, np: fc.numeric_column("a", shape=[0])),
        "bad_shape_type": _failing(lambda tf, fc, np: fc.numeric_column("a", shape=[1.5])),
        "bad_dtype": _failing(lambda tf, fc, np: fc.numeric_column("a", dtype=tf.string)),
        "bad_default": _failing(lambda tf, fc, np: fc.numeric_column("a", default_value="x")),
        "bad_default_shape": _failing(
            lambda tf, fc, np: fc.numeric_column("a", shape=2, default_value=[1.0])
        ),
        "bad_normalizer": _failing(lambda tf, fc, np: fc.numeric_column("a", normalizer_fn=3)),
        "bad_key": _failing(lambda tf, fc, np: fc.numeric_column(3)),
        "bad_boundaries": _failing(
            lambda tf, fc, np: fc.bucketized_column(fc.numeric_column("a"), [2, 1])
        ),
        "no_boundaries": _failing(
            lambda tf, fc, np: fc.bucketized_column(fc.numeric_column("a"), [])
        ),
        "bad_source": _failing(lambda tf, fc, np: fc.bucketized_column("a", [1])),
        "no_buckets": _failing(lambda tf, fc, np: fc.categorical_column_with_hash_bucket("a", 0)),
        "float_hash": _failing(
            lambda tf, fc, np: fc.categorical_column_with_hash_bucket("a", 3, tf.float32)
        ),
        "empty_list": _failing(
            lambda tf, fc, np: fc.categorical_column_with_vocabulary_list("a", [])
        ),
        "double_list": _failing(
            lambda tf, fc, np: fc.categorical_column_with_vocabulary_list("a", ["x", "x"])
        ),
        "both_oov": _failing(
            lambda tf, fc, np: fc.categorical_column_with_vocabulary_list(
                "a", ["x"], default_value=0, num_oov_buckets=1
            )
        ),
        "no_file": _failing(
            lambda tf, fc, np: fc.categorical_column_with_vocabulary_file("a", "/nowhere/a")
        ),
        "identity_default": _failing(
            lambda tf, fc, np: fc.categorical_column_with_identity("a", 3, default_value=3)
        ),
        "identity_range": _failing(
            lambda tf, fc, np: {
                "value": _evaluated(
                    tf,
                    fc.input_layer(
                        {"a": np.array([1, 5])},
                        fc.indicator_column(fc.categorical_column_with_identity("a", 3)),
                    ),
                )
            },
            message=False,
        ),
        "bad_dimension": _failing(
            lambda tf, fc, np: fc.embedding_column(
                fc.categorical_column_with_identity("a", 3), dimension=0
            )
        ),
        "bad_cross": _failing(lambda tf, fc, np: fc.crossed_column(["a"], 3)),
        "hashed_cross": _failing(
            lambda tf, fc, np: fc.crossed_column(
                ["a", fc.categorical_column_with_hash_bucket("b", 2)], 3
            )
        ),
        "missing_feature": _failing(
            lambda tf, fc, np: fc.input_layer({"b": np.ones(2)}, [fc.numeric_column("a")])
        ),
        "scalar_feature": _failing(
            lambda tf, fc, np: fc.input_layer({"a": np.float32(1)}, [fc.numeric_column("a")]),
        ),
        "not_dense": _failing(
            lambda tf, fc, np: fc.input_layer(
                {"a": np.ones(2)}, [fc.categorical_column_with_identity("a", 3)]
            )
        ),
        "duplicate": _failing(
            lambda tf, fc, np: fc.input_layer(
                {"a": np.ones(2)}, [fc.numeric_column("a"), fc.numeric_column("a", shape=2)]
            )
        ),
        "no_columns": _failing(lambda tf, fc, np: fc.input_layer({"a": np.ones(2)}, [])),
        "batch_sizes": _failing(
            lambda tf, fc, np: fc.input_layer(
                {"a": np.ones(2), "b": np.ones(3)}, [fc.numeric_column("a"), fc.numeric_column("b")]
            )
        ),
        "shared_types": _failing(
            lambda tf, fc, np: fc.shared_embedding_columns(
                [
                    fc.categorical_column_with_identity("a", 3),
                    fc.categorical_column_with_identity("b", 4),
                ],
                2,
            )
        ),
        "spec_conflict": _failing(
            lambda tf, fc, np: fc.make_parse_example_spec(
                [fc.numeric_column("a"), fc.categorical_column_with_identity("a", 3)]
            )
        ),
    }
)
