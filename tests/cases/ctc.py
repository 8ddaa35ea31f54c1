"""The CTC loss and its decoders."""


def _logits(np, time=6, batch=3, classes=4):
    n = time * batch * classes
    return (3 * np.sin(np.arange(n) * 1.3)).reshape(time, batch, classes).astype(np.float32)


def _labels(tf):
    return tf.SparseTensor(
        [[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]], tf.constant([0, 1, 2, 1, 1, 0]), [3, 3]
    )


def loss(tf, np):
    x = tf.constant(_logits(np))
    y = tf.nn.ctc_loss(_labels(tf), x, [6, 3, 5])
    return {"y": y, "g": tf.gradients(y, x)}


def loss_weighted(tf, np):
    x = tf.constant(_logits(np).transpose(1, 0, 2))
    y = tf.nn.ctc_loss(
        _labels(tf), x, [6, 3, 6], time_major=False, preprocess_collapse_repeated=True
    )
    return {"y": y, "g": tf.gradients(y * y, x)}


loss_weighted.atol = 1e-4


def loss_too_short(tf, np):
    with tf.Session() as session:
        session.run(tf.nn.ctc_loss(_labels(tf), _logits(np), [6, 3, 2]))


def loss_impossible(tf, np):
    x = tf.constant(_logits(np))
    y = tf.nn.ctc_loss(_labels(tf), x, [6, 3, 3])
    return {"y": y, "g": tf.gradients(y, x)}


def loss_ignored(tf, np):
    x = tf.constant(_logits(np))
    y = tf.nn.ctc_loss(_labels(tf), x, [6, 3, 2], ignore_longer_outputs_than_inputs=True)
    return {"y": y, "g": tf.gradients(y, x)}


def greedy(tf, np):
    merged, scores = tf.nn.ctc_greedy_decoder(_logits(np), [6, 3, 5])
    kept, _ = tf.nn.ctc_greedy_decoder(_logits(np), [6, 3, 5], merge_repeated=False)
    return {"merged": merged[0], "scores": scores, "kept": kept[0]}


def beam(tf, np):
    found, scores = tf.nn.ctc_beam_search_decoder(_logits(np), [6, 3, 5], 8, 3)
    return {"found": found, "scores": scores}


def beam_v2(tf, np):
    found, scores = tf.nn.ctc_beam_search_decoder_v2(_logits(np), [6, 6, 6], 20, 2)
    return {"found": found, "scores": scores}


def too_many_paths(tf, np):
    with tf.Session() as session:
        session.run(tf.nn.ctc_beam_search_decoder(_logits(np), [6, 3, 5], 2, 3)[1])
