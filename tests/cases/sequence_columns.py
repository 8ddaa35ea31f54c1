"""Columns of sequences: tf.contrib.feature_column and SequenceFeatures."""

# Lengths are compared, and ids checked, with tf.cond, which is an If here.
NODES = False


def _features(tf, np):
    return {
        "words": tf.SparseTensor(
            [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]], np.array(["a", "b", "c", "a", "d"]), [3, 4]
        ),
        "numbers": tf.SparseTensor(
            [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]],
            np.array([1, 2, 3, 4, 5], np.float32),
            [3, 4],
        ),
        "pairs": tf.SparseTensor(
            [[0, 0], [0, 1], [0, 2], [0, 3], [2, 0], [2, 1], [2, 2], [2, 3], [2, 4]],
            np.arange(9, dtype=np.float32),
            [3, 8],
        ),
        "ids": tf.SparseTensor(
            [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]], np.array([0, 3, 1, 1, 2]), [3, 4]
        ),
    }


def _columns(tf, sequences=None):
    fc = tf.feature_column
    sequences = sequences or tf.contrib.feature_column
    words = sequences.sequence_categorical_column_with_vocabulary_list("words", ["a", "b", "c"])
    hashed = sequences.sequence_categorical_column_with_hash_bucket("words", 5)
    ids = sequences.sequence_categorical_column_with_identity("ids", 4)
    initializer = tf.random_normal_initializer(seed=2)
    return {
        "words": fc.indicator_column(words),
        "hashed": fc.indicator_column(hashed),
        "ids": fc.embedding_column(ids, 2, initializer=initializer),
        "numbers": sequences.sequence_numeric_column("numbers"),
        "pairs": sequences.sequence_numeric_column("pairs", shape=(2,), default_value=-1.0),
    }


def _values(tf, tensors):
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        found, lengths = sess.run(tensors)
    return {
        "value": found,
        "lengths": lengths,
        "variables": [v.name for v in tf.global_variables()],
    }


def _alone(name):
    def case(tf, np):
        tf.set_random_seed(1)
        layer = tf.contrib.feature_column.sequence_input_layer
        return _values(tf, layer(_features(tf, np), [_columns(tf)[name]]))

    return case


CASES = {name: _alone(name) for name in ["words", "hashed", "ids", "numbers", "pairs"]}


def together(tf, np):
    tf.set_random_seed(1)
    columns = _columns(tf)
    layer = tf.contrib.feature_column.sequence_input_layer
    return _values(tf, layer(_features(tf, np), [columns[k] for k in ["words", "ids", "numbers"]]))


def layer(tf, np):
    tf.set_random_seed(1)
    columns = _columns(tf, tf.feature_column)
    made = tf.keras.experimental.SequenceFeatures([columns["ids"], columns["numbers"]], name="s")
    return _values(tf, made(_features(tf, np)))


def of_no_sequence(tf, np):
    fc = tf.feature_column
    column = fc.indicator_column(fc.categorical_column_with_identity("ids", 4))
    tf.contrib.feature_column.sequence_input_layer(_features(tf, np), [column])


# The classes are named otherwise in TensorFlow's two libraries of columns.
of_no_sequence.message = False


def in_input_layer(tf, np):
    tf.feature_column.input_layer(_features(tf, np), [_columns(tf)["words"]])


in_input_layer.message = False


def bad_shape(tf, np):
    tf.feature_column.sequence_numeric_column("a", shape=[0])
