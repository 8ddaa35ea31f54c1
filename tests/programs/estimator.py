"""The CNN of layers that the Estimator programs share, and how they train."""

import os
import shutil
import tempfile

from programs import digits, loop

BATCH = 100


def network(tf, images, training):
    """Logits [n, 10] of images [n, 784]."""
    hidden = tf.reshape(images, [-1, 28, 28, 1])
    for filters in (32, 64):
        hidden = tf.layers.conv2d(hidden, filters, [5, 5], padding="same", activation=tf.nn.relu)
        hidden = tf.layers.max_pooling2d(hidden, pool_size=[2, 2], strides=2)
    hidden = tf.layers.dense(tf.reshape(hidden, [-1, 7 * 7 * 64]), 1024, activation=tf.nn.relu)
    hidden = tf.layers.dropout(hidden, rate=0.4, training=training)
    return tf.layers.dense(hidden, 10)


def model(tf, loss_of):
    """A model function of the network, with SGD 0.001; `loss_of(labels, logits)` gives the loss."""

    def model_fn(features, labels, mode):
        keys = tf.estimator.ModeKeys
        logits = network(tf, features["x"], training=mode == keys.TRAIN)
        predictions = {
            "classes": tf.argmax(input=logits, axis=1),
            "probabilities": tf.nn.softmax(logits, name="softmax_tensor"),
        }
        if mode == keys.PREDICT:
            return tf.estimator.EstimatorSpec(mode=mode, predictions=predictions)
        loss = loss_of(labels, logits)
        if mode == keys.TRAIN:
            optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.001)
            train_op = optimizer.minimize(loss=loss, global_step=tf.train.get_global_step())
            return tf.estimator.EstimatorSpec(mode=mode, loss=loss, train_op=train_op)
        accuracy = tf.metrics.accuracy(labels=labels, predictions=predictions["classes"])
        return tf.estimator.EstimatorSpec(
            mode=mode, loss=loss, eval_metric_ops={"accuracy": accuracy}
        )

    return model_fn


def _watch(tf):
    """A hook that keeps the graph, the losses and the variables before and after."""

    class Watch(tf.train.SessionRunHook):
        def __init__(self):
            self.losses = []
            self.graph = self.before = self.after = None

        def after_create_session(self, session, coord):
            self.graph = session.graph
            with self.graph.as_default():
                self.variables = tf.global_variables()
            self.before = loop.values(session, self.variables)

        def before_run(self, context):
            losses = self.graph.get_collection(tf.GraphKeys.LOSSES)
            return tf.train.SessionRunArgs(losses[-1] if losses else [])

        def after_run(self, context, values):
            self.losses.append(values.results)

        def end(self, session):
            self.after = loop.values(session, self.variables)

    return Watch()


def _inputs(tf, data, count, **options):
    return tf.estimator.inputs.numpy_input_fn(
        x={"x": data.images[:count]}, y=data.labels[:count], batch_size=BATCH, **options
    )


def _train(tf, data, model_fn, steps, folder, config=None):
    """The watching hook after a training, unshuffled: shuffling has threads, and no fixed order."""
    watch = _watch(tf)
    run_config = tf.estimator.RunConfig(tf_random_seed=loop.SEED, session_config=config)
    classifier = tf.estimator.Estimator(model_fn, model_dir=folder, config=run_config)
    inputs = _inputs(tf, data, len(data.images), num_epochs=None, shuffle=False)
    classifier.train(inputs, steps=steps, hooks=[watch])
    return watch


def run(tf, data, model_fn, steps, config=None):
    """Losses and variables of `steps` steps."""
    folder = tempfile.mkdtemp()
    try:
        watch = _train(tf, data, model_fn, steps, folder, config)
    finally:
        shutil.rmtree(folder)
    return {"losses": watch.losses, "before": watch.before, "after": watch.after}


def export(tf, data, model_fn, path):
    """Train a step, keep the checkpoint made before it; what a step feeds and gives."""
    folder = tempfile.mkdtemp()
    try:
        graph = _train(tf, data, model_fn, 1, folder).graph
        for end in (".meta", ".index", ".data-00000-of-00001"):
            shutil.copy(os.path.join(folder, "model.ckpt-0" + end), path + end)
    finally:
        shutil.rmtree(folder)
    images, labels = digits.batch(data, 0, BATCH)
    queue = "fifo_queue_DequeueMany:"  # gives row numbers, images, labels
    return {
        "feeds": {queue + "1": images, queue + "2": labels},
        "loss": graph.get_collection(tf.GraphKeys.LOSSES)[-1].name,
        "output": "dense_1/BiasAdd:0",
        "train": graph.get_collection(tf.GraphKeys.TRAIN_OP)[0].name,
    }


def graphs(tf, data, model_fn):
    """The three graphs: one step of training, of evaluation, of prediction."""
    folder = tempfile.mkdtemp()
    watches = [_watch(tf) for _ in range(3)]
    run_config = tf.estimator.RunConfig(tf_random_seed=loop.SEED)
    try:
        classifier = tf.estimator.Estimator(model_fn, model_dir=folder, config=run_config)
        inputs = _inputs(tf, data, 500, num_epochs=None, shuffle=True)
        classifier.train(inputs, steps=1, hooks=watches[:1])
        inputs = _inputs(tf, data, 500, num_epochs=1, shuffle=False)
        classifier.evaluate(inputs, steps=1, hooks=watches[1:2])
        inputs = tf.estimator.inputs.numpy_input_fn(
            {"x": data.images[:10]}, num_epochs=1, shuffle=False
        )
        list(classifier.predict(inputs, hooks=watches[2:]))
    finally:
        shutil.rmtree(folder)
    for name, watch in zip(("train", "eval", "predict"), watches):
        yield name, watch.graph
