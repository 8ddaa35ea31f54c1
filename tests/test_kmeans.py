"""Mini batches of `tf.contrib.factorization.KMeans`, against the formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest

import relight.v1 as tf


def _points():
    numbers = np.random.RandomState(1)
    return (numbers.randn(30, 2) + numbers.randint(0, 3, (30, 1)) * 4).astype(np.float32)


def _unit(x):
    return x / np.sqrt((x**2).sum(1, keepdims=True))


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("steps", [1, 2])
def test_mini_batches_move_centers_by_a_falling_rate(steps, cosine):
    points = _points()
    first = points[[0, 7, 13]]
    with tf.Graph().as_default():
        data = tf.placeholder(tf.float32, [None, 2])
        model = tf.contrib.factorization.KMeans(
            data,
            3,
            initial_clusters=first,
            distance_metric="cosine" if cosine else "squared_euclidean",
            use_mini_batch=True,
            mini_batch_steps_per_iteration=steps,
        )
        init_op, train_op = model.training_graph()[-2:]
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            sess.run(init_op, {data: points})
            for i in range(6):
                sess.run(train_op, {data: points[i * 5 : i * 5 + 5]})
            found = sess.run("clusters:0")

    updated = _unit(first) if cosine else first.copy()
    used, counts, left = updated.copy(), np.full(3, 1 if steps == 1 else 0), steps
    for i in range(6):
        batch = points[i * 5 : i * 5 + 5]
        batch = _unit(batch) if cosine else batch
        centers = _unit(used) if cosine else used
        nearest = ((batch[:, None] - centers[None]) ** 2).sum(2).argmin(1)
        if steps > 1:
            if left <= 0:
                left, used = steps - 1, _unit(updated) if cosine else updated.copy()
                counts[:] = 0
            else:
                left -= 1
        for k in range(3):
            mine = batch[nearest == k]
            if len(mine):
                counts[k] += len(mine)
                updated[k] += (mine.sum(0) - len(mine) * updated[k]) / counts[k]
        if steps == 1:
            used = updated
    np.testing.assert_allclose(found, used, rtol=1e-4, atol=1e-5)


def test_nearest_neighbors_are_sorted_and_the_first_of_equals():
    points = np.array([[0, 0], [3, 0]], np.float32)
    centers = np.array([[1, 0], [-1, 0], [3, 0]], np.float32)
    with tf.Graph().as_default(), tf.Session() as sess:
        two = sess.run(list(tf.raw_ops.NearestNeighbors(points=points, centers=centers, k=2)))
        all_of_them = sess.run(
            list(tf.raw_ops.NearestNeighbors(points=points, centers=centers, k=9))
        )
    assert two[0].tolist() == [[0, 1], [2, 0]]
    assert two[1].tolist() == [[1, 1], [0, 4]]
    assert all_of_them[0].tolist() == [[0, 1, 2], [2, 0, 1]]
