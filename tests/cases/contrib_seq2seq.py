"""tf.contrib.seq2seq and tf.contrib.legacy_seq2seq: losses, unrolled encoders and decoders."""


def _logits(np, *shape):
    n = int(np.prod(shape))
    return np.sin(np.arange(n) * 0.7 + len(shape)).reshape(shape).astype(np.float32)


def _loss(**keywords):
    def case(tf, np):
        logits = tf.constant(_logits(np, 2, 3, 4))
        targets = tf.constant([[0, 3, 1], [2, 2, 0]])
        weights = tf.constant([[1.0, 1.0, 0.5], [1.0, 0.0, 0.0]])
        given = dict(keywords)
        if given.pop("own", False):
            given["softmax_loss_function"] = lambda labels, logits: (
                tf.reduce_max(logits, 1) + tf.cast(labels, tf.float32)
            )
        loss = tf.contrib.seq2seq.sequence_loss(logits, targets, weights, **given)
        return {"loss": loss, "grad": tf.gradients(loss, logits)}

    return case


_KEEP = {"average_across_timesteps": False, "average_across_batch": False}
CASES = {
    "loss": _loss(),
    "loss_batch": _loss(average_across_timesteps=False),
    "loss_time": _loss(average_across_batch=False, name="mine"),
    "loss_each": _loss(**_KEEP),
    "loss_sum": _loss(sum_over_timesteps=True, sum_over_batch=True, **_KEEP),
    "loss_sum_time": _loss(sum_over_timesteps=True, **_KEEP),
    "loss_sum_batch": _loss(sum_over_batch=True, **_KEEP),
    "loss_own": _loss(own=True),
    "loss_both": _loss(sum_over_batch=True),
}


def loss_unknown_shapes(tf, np):
    logits = tf.placeholder(tf.float32, [None, None, None])
    weights = tf.placeholder(tf.float32, [None, None])
    targets = tf.placeholder(tf.int32, [None, None])
    loss = tf.contrib.seq2seq.sequence_loss(logits, targets, weights)
    with tf.Session() as sess:
        feeds = {logits: _logits(np, 1, 2, 3), targets: [[1, 2]], weights: [[1, 1]]}
        return {"loss": sess.run(loss, feeds)}


def loss_rank(tf, np):
    tf.contrib.seq2seq.sequence_loss(tf.zeros([2, 3]), tf.zeros([2, 3], tf.int32), tf.ones([2, 3]))


def _lists(tf, np):
    logits = [tf.constant(_logits(np, 2, 4)), tf.constant(_logits(np, 2, 4) * 2)]
    targets = [tf.constant([0, 3]), tf.constant([1, 1])]
    weights = [tf.constant([1.0, 1.0]), tf.constant([0.5, 0.0])]
    return logits, targets, weights


def legacy_losses(tf, np):
    legacy = tf.contrib.legacy_seq2seq
    given = _lists(tf, np)

    def own(labels, logits):
        return tf.reduce_max(logits, 1) + tf.cast(labels, tf.float32)

    losses = {
        "example": legacy.sequence_loss_by_example(*given),
        "example_sum": legacy.sequence_loss_by_example(*given, average_across_timesteps=False),
        "own": legacy.sequence_loss_by_example(*given, softmax_loss_function=own),
        "all": legacy.sequence_loss(*given),
        "all_sum": legacy.sequence_loss(*given, average_across_batch=False, name="mine"),
    }
    losses["grads"] = tf.gradients(losses["all"], given[0])
    return losses


def legacy_lengths(tf, np):
    logits, targets, weights = _lists(tf, np)
    tf.contrib.legacy_seq2seq.sequence_loss_by_example(logits, targets[1:], weights)


def _ones(tf):
    tf.get_variable_scope().set_initializer(tf.constant_initializer(0.1))


def _inputs(tf, np, steps=3):
    return [tf.constant(_logits(np, 2, 4) + i) for i in range(steps)]


def decoder(tf, np):
    _ones(tf)
    cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    state = cell.zero_state(2, tf.float32)
    outputs, state = tf.contrib.legacy_seq2seq.rnn_decoder(_inputs(tf, np), state, cell)
    return {"outputs": outputs, "state": list(state), "names": [v.name for v in tf.all_variables()]}


def decoder_loop(tf, np):
    _ones(tf)
    cell = tf.nn.rnn_cell.GRUCell(4)
    weights = tf.get_variable("w", [4, 4])
    outputs, state = tf.contrib.legacy_seq2seq.rnn_decoder(
        _inputs(tf, np),
        cell.zero_state(2, tf.float32),
        cell,
        loop_function=lambda previous, i: tf.matmul(previous, weights) + i,
        scope="rnnlm",
    )
    return {"outputs": outputs, "state": state, "names": [v.name for v in tf.all_variables()]}


def basic(tf, np):
    _ones(tf)
    cell = tf.nn.rnn_cell.GRUCell(4)
    outputs, state = tf.contrib.legacy_seq2seq.basic_rnn_seq2seq(
        _inputs(tf, np), _inputs(tf, np, 2), cell
    )
    return {"outputs": outputs, "state": state, "names": [v.name for v in tf.all_variables()]}


def tied(tf, np):
    _ones(tf)
    cell = tf.nn.rnn_cell.GRUCell(4)
    outputs, state = tf.contrib.legacy_seq2seq.tied_rnn_seq2seq(
        _inputs(tf, np), _inputs(tf, np, 2), cell
    )
    return {"outputs": outputs, "state": state, "names": [v.name for v in tf.all_variables()]}


def _embedding(**keywords):
    def case(tf, np):
        _ones(tf)
        cell = tf.nn.rnn_cell.GRUCell(4)
        given = dict(keywords)
        if given.pop("project", False):
            values = [_logits(np, 4, 5), _logits(np, 5)]
            given["output_projection"] = [tf.constant(v) for v in values]
        outputs, state = tf.contrib.legacy_seq2seq.embedding_rnn_decoder(
            [tf.constant([0, 4]), tf.constant([2, 2])],
            cell.zero_state(2, tf.float32),
            cell,
            5,
            3,
            **given,
        )
        (embedding,) = [v for v in tf.all_variables() if "embedding:" in v.name]
        grad = tf.convert_to_tensor(tf.gradients(outputs[-1], embedding)[0])
        return {"outputs": outputs, "state": state, "grad": grad}

    return case


CASES["embedding"] = _embedding()
CASES["embedding_greedy"] = _embedding(feed_previous=True)
CASES["embedding_stopped"] = _embedding(feed_previous=True, update_embedding_for_previous=False)
CASES["embedding_projected"] = _embedding(feed_previous=True, project=True, scope="mine")


def buckets(tf, np):
    _ones(tf)
    legacy = tf.contrib.legacy_seq2seq
    cell = tf.nn.rnn_cell.GRUCell(4)

    def model(x, y):
        return legacy.tied_rnn_seq2seq(x, y, cell)

    targets = [tf.constant([0, 3]), tf.constant([1, 1])]
    weights = [tf.constant([1.0, 1.0]), tf.constant([0.5, 0.0])]
    inputs = _inputs(tf, np), _inputs(tf, np, 2)
    outputs, losses = legacy.model_with_buckets(
        inputs[0], inputs[1], targets, weights, [(2, 1), (3, 2)], model
    )
    return {
        "outputs": outputs,
        "losses": losses,
        "names": [v.name for v in tf.all_variables()],
    }


def buckets_short(tf, np):
    tf.contrib.legacy_seq2seq.model_with_buckets([], [], [], [], [(1, 1)], None)
