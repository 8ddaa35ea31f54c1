"""The CIFAR-10 network with its input of queues and threads, and that input alone.

As `examples/cifar10`, on the sample of the data that comes with relight; Python 3.7's syntax.
"""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "relight", "data", "cifar10", "cifar-10-batches-bin")
BATCH, THREADS, SHUFFLE_OVER = 128, 16, 2000
RECORD = 1 + 32 * 32 * 3


def _batch(tf):
    """Distorted images [128, 24, 24, 3] and labels [128], made by 16 threads."""
    files = [os.path.join(FOLDER, f"data_batch_{i}.bin") for i in range(1, 6)]
    reader = tf.FixedLengthRecordReader(RECORD)
    _, value = reader.read(tf.train.string_input_producer(files))
    record = tf.decode_raw(value, tf.uint8)
    label = tf.cast(record[0], tf.int32)
    image = tf.transpose(tf.reshape(record[1:RECORD], [3, 32, 32]), [1, 2, 0])
    image = tf.random_crop(tf.cast(image, tf.float32), [24, 24, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=63)
    image = tf.image.random_contrast(image, lower=0.2, upper=1.8)
    image = tf.image.per_image_standardization(image)
    return tf.train.shuffle_batch(
        [image, label],
        BATCH,
        num_threads=THREADS,
        capacity=SHUFFLE_OVER + 3 * BATCH,
        min_after_dequeue=SHUFFLE_OVER,
    )


def _started(tf, fetch):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    tf.train.start_queue_runners(session)
    return lambda: session.run(fetch)


def cifar10_input(tf):
    """One batch of input."""
    return _started(tf, list(_batch(tf)))


def _network(tf, images):
    def weights(shape, deviation):
        return tf.Variable(tf.truncated_normal(shape, stddev=deviation))

    def convolved(h, depth):
        kernel = weights([5, 5, depth, 64], 0.05)
        return tf.nn.relu(
            tf.nn.bias_add(tf.nn.conv2d(h, kernel, [1, 1, 1, 1], "SAME"), tf.Variable([0.1] * 64))
        )

    def pooled(h):
        return tf.nn.max_pool(h, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")

    def normalised(h):
        return tf.nn.lrn(h, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75)

    h = normalised(pooled(convolved(images, 3)))
    h = tf.reshape(pooled(normalised(convolved(h, 64))), [BATCH, 2304])
    penalty = 0.0
    for inside, outside, deviation in ((2304, 384, 0.04), (384, 192, 0.04)):
        w = weights([inside, outside], deviation)
        penalty += 0.004 * tf.nn.l2_loss(w)
        h = tf.nn.relu(tf.matmul(h, w) + tf.Variable([0.1] * outside))
    return tf.matmul(h, weights([192, 10], 1 / 192.0)) + tf.Variable([0.0] * 10), penalty


def cifar10(tf):
    """One step: gradient descent, staircase rate, moving averages of loss and variables."""
    images, labels = _batch(tf)
    logits, penalty = _network(tf, images)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(entropy) + penalty
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(0.1, step, 136718, 0.1, staircase=True)
    with tf.control_dependencies([tf.train.ExponentialMovingAverage(0.9).apply([loss])]):
        optimizer = tf.train.GradientDescentOptimizer(rate)
        gradients = optimizer.compute_gradients(loss)
    with tf.control_dependencies([optimizer.apply_gradients(gradients, step)]):
        train = tf.train.ExponentialMovingAverage(0.9999, step).apply(tf.trainable_variables())
    return _started(tf, train)


PROGRAMS = {"cifar10": (cifar10, 40), "cifar10_input": (cifar10_input, 60)}
