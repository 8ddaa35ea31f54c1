"""Random operations with seeds: TensorFlow's own numbers; initializers; candidate samplers."""


def uniform(tf, np):
    tf.set_random_seed(7)
    return {
        "plain": tf.random_uniform([3, 4]),
        "range": tf.random_uniform([5], -2.0, 3.0),
        "seeded": tf.random.uniform([2, 3], seed=11, name="u"),
        "double": tf.random_uniform([4], dtype=tf.float64),
        "half": tf.random_uniform([4], dtype=tf.float16),
        "int": tf.random_uniform([6], 0, 100, dtype=tf.int32),
        "int64": tf.random_uniform([6], -5, 10**12, dtype=tf.int64),
    }


def normal(tf, np):
    tf.set_random_seed(7)
    return {
        "plain": tf.random_normal([3, 4]),
        "scaled": tf.random.normal([5], 2.0, 3.0),
        "double": tf.random_normal([4], dtype=tf.float64, seed=2),
        "truncated": tf.truncated_normal([3, 5]),
        "truncated2": tf.random.truncated_normal([4], 1.0, 0.1, seed=3),
    }


def only_op_seed(tf, np):
    return {"u": tf.random_uniform([3], seed=1), "n": tf.random_normal([3], seed=1)}


def unseeded(tf, np):
    return {
        "u": tf.random_uniform([3]),
        "n": tf.random_normal([2, 2]),
        "t": tf.truncated_normal([4]),
        "shape": tf.random_uniform(tf.constant([2, 3])),
    }


unseeded.seeded = False


def twice(tf, np):
    x = tf.random_uniform([3], seed=1)
    with tf.Session() as session:
        first, second = session.run(x), session.run(x)
    with tf.Session() as session:
        again = session.run(x)
    return {"first": first, "second": second, "again": again}


def missing_maxval(tf, np):
    tf.random_uniform([2], dtype=tf.int32)


def empty_range(tf, np):
    with tf.Session() as session:
        session.run(tf.random_uniform([2], 5, 5, dtype=tf.int32))


def unknown_shape(tf, np):
    n = tf.placeholder(tf.int32, [])
    return {
        "shape": str(tf.random_normal([n, 3]).shape),
        "unknown": str(tf.random_uniform(tf.placeholder(tf.int32, [2])).shape),
    }


def seeds(tf, np):
    none = tf.get_seed(None)
    op = tf.get_seed(3)
    tf.set_random_seed(9)
    return {
        "none": list(none),
        "op": list(op),
        "graph": list(tf.get_seed(None)),
        "both": list(tf.random.get_seed(3)),
    }


def gamma(tf, np):
    tf.set_random_seed(3)
    alpha = tf.constant([0.5, 1.0, 3.0])
    draw = tf.random_gamma([4], alpha, beta=2.0)
    return {"draw": draw, "g": tf.gradients(draw, alpha), "scalar": tf.random.gamma([3], 2.0)}


gamma.rtol = 1e-4


def poisson(tf, np):
    tf.set_random_seed(3)
    return {
        "small": tf.random_poisson([0.5, 4.0], [5]),
        "large": tf.random.poisson(20.0, [6]),
        "int": tf.random_poisson(3.0, [4], dtype=tf.int32),
    }


def categorical(tf, np):
    tf.set_random_seed(3)
    logits = tf.log([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    return {"old": tf.multinomial(logits, 6), "new": tf.random.categorical(logits, 4, tf.int32)}


def shuffle(tf, np):
    tf.set_random_seed(3)
    return {
        "rows": tf.random_shuffle(tf.reshape(tf.range(12), [6, 2])),
        "strings": tf.random.shuffle(tf.constant(["a", "b", "c", "d"]), seed=1),
    }


def crop(tf, np):
    tf.set_random_seed(3)
    x = tf.reshape(tf.range(60), [5, 4, 3])
    return {"crop": tf.random_crop(x, [2, 2, 3])}


def crop_too_large(tf, np):
    with tf.Session() as session:
        session.run(tf.random_crop(tf.zeros([2, 2]), [3, 2]))


def parameterized(tf, np):
    y = tf.raw_ops.ParameterizedTruncatedNormal(
        shape=[4, 5], means=0.0, stdevs=1.0, minvals=-0.5, maxvals=2.0, seed=1, seed2=2
    )
    return {"y": y}


parameterized.rtol = 1e-4


def stateless(tf, np):
    return {
        "uniform": tf.random.stateless_uniform([4], [1, 2]),
        "int": tf.random.stateless_uniform([4], [1, 2], 0, 50, tf.int32),
        "normal": tf.random.stateless_normal([4], [1, 2], 1.0, 2.0),
        "truncated": tf.random.stateless_truncated_normal([4], [3, 4]),
        "multinomial": tf.random.stateless_multinomial([[0.1, 0.9]], 5, [5, 6]),
        "categorical": tf.random.stateless_categorical([[0.1, 0.9]], 5, [5, 6], tf.int32),
    }


def stateless_wrong_seed(tf, np):
    with tf.Session() as session:
        session.run(tf.random.stateless_uniform([4], tf.placeholder_with_default([1, 2, 3], None)))


def _initializer(make, shape=(4, 6)):
    def case(tf, np):
        tf.set_random_seed(13)
        made = make(tf)
        v = tf.get_variable("v", list(shape), initializer=made)
        return {
            "v": v,
            "config": sorted((k, str(w)) for k, w in made.get_config().items()),
            "double": type(made).from_config(made.get_config())(list(shape), tf.float64),
        }

    return case


CASES = {
    "init_" + k: _initializer(v)
    for k, v in {
        "zeros": lambda tf: tf.zeros_initializer(),
        "ones": lambda tf: tf.ones_initializer(),
        "constant": lambda tf: tf.constant_initializer(0.25),
        "constant_list": lambda tf: tf.constant_initializer([1.0, 2.0, 3.0]),
        "uniform": lambda tf: tf.random_uniform_initializer(-1.0, 2.0),
        "normal": lambda tf: tf.random_normal_initializer(1.0, 0.5, seed=2),
        "truncated": lambda tf: tf.truncated_normal_initializer(stddev=0.1),
        "unit": lambda tf: tf.uniform_unit_scaling_initializer(1.43),
        "variance": lambda tf: tf.variance_scaling_initializer(),
        "variance_out": lambda tf: tf.variance_scaling_initializer(2.0, "fan_out", "uniform"),
        "variance_plain": lambda tf: tf.variance_scaling_initializer(
            distribution="untruncated_normal", mode="fan_avg"
        ),
        "glorot_normal": lambda tf: tf.glorot_normal_initializer(),
        "glorot_uniform": lambda tf: tf.glorot_uniform_initializer(seed=4),
        "lecun_normal": lambda tf: tf.initializers.lecun_normal(),
        "lecun_uniform": lambda tf: tf.initializers.lecun_uniform(),
        "he_normal": lambda tf: tf.initializers.he_normal(),
        "he_uniform": lambda tf: tf.initializers.he_uniform(),
        "identity": lambda tf: tf.initializers.identity(2.0),
        "orthogonal": lambda tf: tf.orthogonal_initializer(seed=1),
    }.items()
}
CASES["init_orthogonal_tall"] = _initializer(
    lambda tf: tf.initializers.orthogonal(1.5, seed=1), (2, 3, 4)
)
CASES["init_conv"] = _initializer(lambda tf: tf.glorot_uniform_initializer(), (3, 3, 2, 4))


def default_initializer(tf, np):
    tf.set_random_seed(1)
    return {"float": tf.get_variable("a", [3, 2]), "int": tf.get_variable("b", [2], tf.int32)}


def initializer_errors(tf, np):
    tf.variance_scaling_initializer(scale=-1.0)


def constant_too_long(tf, np):
    tf.get_variable("v", [2], initializer=tf.constant_initializer([1, 2, 3]))


def samplers(tf, np):
    tf.set_random_seed(3)
    true = tf.constant([[0, 3], [5, 1]], tf.int64)
    return {
        "log": list(tf.nn.log_uniform_candidate_sampler(true, 2, 4, True, 20)),
        "uniform": list(tf.nn.uniform_candidate_sampler(true, 2, 4, False, 20)),
        "learned": list(tf.nn.learned_unigram_candidate_sampler(true, 2, 4, True, 20)),
        "fixed": list(
            tf.nn.fixed_unigram_candidate_sampler(
                true, 2, 4, True, 6, unigrams=[1.0, 2.0, 3.0, 1.0, 1.0, 4.0], distortion=0.75
            )
        ),
        "all": list(tf.nn.all_candidate_sampler(true, 2, 7, True)),
        "hits": list(tf.nn.compute_accidental_hits(true, tf.constant([3, 9, 0], tf.int64), 2)),
        "unsafe": list(
            tf.raw_ops.ThreadUnsafeUnigramCandidateSampler(
                true_classes=true,
                num_true=2,
                num_sampled=3,
                unique=True,
                range_max=9,
                seed=1,
                seed2=1,
            )
        ),
    }


def _sampled(name, **options):
    def case(tf, np):
        tf.set_random_seed(3)
        w = tf.constant(np.sin(np.arange(20.0)).reshape(10, 2).astype(np.float32))
        b = tf.constant(np.cos(np.arange(10.0)).astype(np.float32))
        x = tf.constant(np.sin(np.arange(6.0)).reshape(3, 2).astype(np.float32))
        y = getattr(tf.nn, name)(w, b, tf.constant([[1], [4], [0]]), x, 4, 10, **options)
        return {"y": y, "g": tf.gradients(y, [x])}

    return case


CASES["nce"] = _sampled("nce_loss")
CASES["nce_hits"] = _sampled("nce_loss", remove_accidental_hits=True)
CASES["sampled_softmax"] = _sampled("sampled_softmax_loss", seed=5)


def _table(tf, np, rows=10):
    return np.sin(np.arange(rows * 3.0)).reshape(rows, 3).astype(np.float32)


def embedding(tf, np):
    t = tf.constant(_table(tf, np))
    ids = tf.constant([[1, 4], [9, 0]])
    y = tf.nn.embedding_lookup(t, ids)
    v = tf.get_variable("v", initializer=_table(tf, np))
    z = tf.nn.embedding_lookup(v, ids, max_norm=0.5)
    return {"y": y, "z": z, "g": tf.gradients(z, v)}


def embedding_parts(tf, np):
    parts = [tf.constant(_table(tf, np, n)) for n in (4, 3, 3)]
    ids = tf.constant([[1, 4], [9, 0]])
    return {
        "mod": tf.nn.embedding_lookup(parts, ids),
        "div": tf.nn.embedding_lookup(parts, ids, "div"),
        "clipped": tf.nn.embedding_lookup(parts, [2, 3], "div", max_norm=1.0),
    }


def embedding_partitioned(tf, np):
    v = tf.get_variable(
        "v", [10, 3], initializer=tf.ones_initializer(), partitioner=tf.fixed_size_partitioner(3)
    )
    return {"y": tf.nn.embedding_lookup(v, [1, 8, 9], "div")}


def embedding_sparse(tf, np):
    t = tf.constant(_table(tf, np))
    ids = tf.SparseTensor(
        [[0, 0], [0, 2], [1, 0], [2, 1]], tf.constant([1, 3, 0, 1], tf.int64), [3, 3]
    )
    w = tf.SparseTensor(ids.indices, tf.constant([2.0, 0.5, 1.0, 3.0]), ids.dense_shape)
    values = {}
    for combiner in ("sum", "mean", "sqrtn"):
        values[combiner] = tf.nn.embedding_lookup_sparse(t, ids, None, combiner=combiner)
        values[combiner + " weighted"] = tf.nn.embedding_lookup_sparse(t, ids, w, combiner=combiner)
    values["g"] = tf.gradients(values["mean weighted"], t)
    return values


def embedding_safe(tf, np):
    t = tf.constant(_table(tf, np))
    ids = tf.SparseTensor(
        [[0, 0], [0, 2], [2, 0], [2, 1]], tf.constant([1, 3, -1, 1], tf.int64), [4, 3]
    )
    w = tf.SparseTensor(ids.indices, tf.constant([2.0, 0.5, 1.0, -3.0]), ids.dense_shape)
    return {
        "zeros": tf.nn.safe_embedding_lookup_sparse(t, ids),
        "default": tf.nn.safe_embedding_lookup_sparse(t, ids, default_id=2, combiner="sum"),
        "weighted": tf.nn.safe_embedding_lookup_sparse([t], ids, w),
    }
