"""Losses and metrics of tf.keras that are functions, and tf.keras.layers.Dense on tensors."""

CASES = {}


def _values(np, kind):
    rng = np.random.RandomState(4)
    if kind == "classes":
        true = np.eye(3, dtype=np.float32)[rng.randint(0, 3, 5)]
        guess = rng.rand(5, 3).astype(np.float32)
        return true, guess / guess.sum(1, keepdims=True)
    if kind == "binary":
        return rng.randint(0, 2, [4, 3]).astype(np.float32), rng.rand(4, 3).astype(np.float32)
    if kind == "sparse":
        return rng.randint(0, 3, [5]), rng.rand(5, 3).astype(np.float32)
    return rng.rand(4, 3).astype(np.float32), rng.rand(4, 3).astype(np.float32)


def _of(module, name, kind, **kwargs):
    def case(tf, np):
        true, guess = _values(np, kind)
        true, guess = tf.constant(true), tf.constant(guess)
        found = getattr(getattr(tf.keras, module), name)(true, guess, **kwargs)
        outcome = {"value": found}
        if module == "losses":
            outcome["gradient"] = tf.gradients(found, guess)[0]
        return outcome

    return case


for _name in [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "logcosh",
    "categorical_hinge",
    "kullback_leibler_divergence",
    "poisson",
    "cosine_proximity",
]:
    CASES[_name] = _of("losses", _name, "numbers")
for _name in ["squared_hinge", "hinge"]:
    CASES[_name] = _of("losses", _name, "binary")
    # tf.cond is an If here.
    CASES[_name].nodes = False
CASES["binary_crossentropy"] = _of("losses", "binary_crossentropy", "binary")
CASES["binary_crossentropy_logits"] = _of(
    "losses", "binary_crossentropy", "binary", from_logits=True
)
CASES["binary_crossentropy_smoothed"] = _of(
    "losses", "binary_crossentropy", "binary", label_smoothing=0.1
)
CASES["categorical_crossentropy"] = _of("losses", "categorical_crossentropy", "classes")
CASES["categorical_crossentropy_logits"] = _of(
    "losses", "categorical_crossentropy", "classes", from_logits=True
)
CASES["categorical_crossentropy_smoothed"] = _of(
    "losses", "categorical_crossentropy", "classes", label_smoothing=0.2
)
CASES["sparse_categorical_crossentropy"] = _of(
    "losses", "sparse_categorical_crossentropy", "sparse"
)
CASES["sparse_categorical_crossentropy_logits"] = _of(
    "losses", "sparse_categorical_crossentropy", "sparse", from_logits=True
)
CASES["categorical_accuracy"] = _of("metrics", "categorical_accuracy", "classes")
CASES["sparse_categorical_accuracy"] = _of("metrics", "sparse_categorical_accuracy", "sparse")
CASES["binary_accuracy"] = _of("metrics", "binary_accuracy", "binary")


def of_activations(tf, np):
    true, guess = _values(np, "classes")
    soft, sigmoid = tf.nn.softmax(guess), tf.sigmoid(guess)
    numbers = np.argmax(true, 1)
    return {
        "softmax": tf.keras.losses.categorical_crossentropy(true, soft),
        "sparse": tf.keras.losses.sparse_categorical_crossentropy(numbers, soft),
        "sigmoid": tf.keras.losses.binary_crossentropy(true, sigmoid),
    }


def sparse_of_images(tf, np):
    rng = np.random.RandomState(2)
    guess = tf.constant(rng.rand(2, 4, 3).astype(np.float32))
    true = rng.randint(0, 3, [2, 4])
    first = tf.transpose(guess, [0, 2, 1])
    losses = tf.keras.losses
    return {
        "last": losses.sparse_categorical_crossentropy(true, guess),
        "first": losses.sparse_categorical_crossentropy(true, first, axis=1),
    }


def dense(tf, np):
    tf.set_random_seed(8)
    x = tf.placeholder(tf.float32, [None, 4])
    net = tf.keras.layers.Dense(3, activation="relu")(x)
    y = tf.keras.layers.Dense(2, activation="softmax", name="out")(net)
    loss = tf.reduce_mean(tf.keras.losses.categorical_crossentropy([[0.0, 1.0]] * 2, y))
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    feed = {x: np.arange(8, dtype=np.float32).reshape(2, 4) / 8}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        losses = [sess.run([loss, step], feed)[0] for _ in range(4)]
    return {
        "losses": np.array(losses),
        "names": ["%s %s" % (v.name, v.shape) for v in tf.trainable_variables()],
    }
