"""`tf.contrib.factorization.KMeans`: the graph of k-means clustering, whole or in mini batches."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions import checks
from relight.v1.functions.array import concat, unique
from relight.v1.functions.assign import assign, assign_sub, scatter_add
from relight.v1.functions.control import group, no_op
from relight.v1.functions.control_flow import cond, while_loop
from relight.v1.functions.embedding import embedding_lookup
from relight.v1.functions.math import add_n
from relight.v1.functions.nn_norm import l2_normalize
from relight.v1.functions.random import random_uniform
from relight.v1.functions.segment import unsorted_segment_sum
from relight.v1.functions.variables import Variable

SQUARED_EUCLIDEAN_DISTANCE = export("contrib.factorization.SQUARED_EUCLIDEAN_DISTANCE")(
    "squared_euclidean"
)
COSINE_DISTANCE = export("contrib.factorization.COSINE_DISTANCE")("cosine")
RANDOM_INIT = export("contrib.factorization.RANDOM_INIT")("random")
KMEANS_PLUS_PLUS_INIT = export("contrib.factorization.KMEANS_PLUS_PLUS_INIT")("kmeans_plus_plus")
KMC2_INIT = "kmc2"
CLUSTERS_VAR_NAME = "clusters"


def _first_size(x: Any) -> Tensor:
    return array_nodes.shape(x)[0]


@export("contrib.factorization.KMeans")
class KMeans:
    """The graph of k-means clustering.

    Args:
      inputs: points [n, d], float32, or a list of such.
      num_clusters: the number of centers; with centers given it is their number.
      initial_clusters: "random" (points), "kmeans_plus_plus", "kmc2", centers [k, d], or a function
        of (list of inputs, number of missing centers) that gives such.
      distance_metric: "squared_euclidean" or "cosine" (one minus the cosine of the angle).
      use_mini_batch: each step sees a part of the points and moves centers by a learning rate that
        falls with their points' number; otherwise each step sees all points.
      mini_batch_steps_per_iteration: after how many mini batches the centers in use are replaced.
      random_seed: for the choice of centers.
      kmeans_plus_plus_num_retries: see the operation KmeansPlusPlusInitialization.
      kmc2_chain_length: the length of the chains of "kmc2".

    Raises:
      ValueError: for another `initial_clusters` or `distance_metric`.
    """

    def __init__(
        self,
        inputs: Any,
        num_clusters: Any,
        initial_clusters: Any = RANDOM_INIT,
        distance_metric: str = SQUARED_EUCLIDEAN_DISTANCE,
        use_mini_batch: bool = False,
        mini_batch_steps_per_iteration: int = 1,
        random_seed: int = 0,
        kmeans_plus_plus_num_retries: int = 2,
        kmc2_chain_length: int = 200,
    ) -> None:
        ways = (RANDOM_INIT, KMEANS_PLUS_PLUS_INIT, KMC2_INIT)
        if isinstance(initial_clusters, str) and initial_clusters not in ways:
            raise ValueError(f"Unsupported initialization algorithm '{initial_clusters}'")
        if distance_metric not in (SQUARED_EUCLIDEAN_DISTANCE, COSINE_DISTANCE):
            raise ValueError(f"Unsupported distance metric '{distance_metric}'")
        self._inputs = inputs if isinstance(inputs, list) else [inputs]
        self._num_clusters = num_clusters
        self._initial_clusters = initial_clusters
        self._cosine = distance_metric == COSINE_DISTANCE
        self._use_mini_batch = use_mini_batch
        self._steps_per_iteration = int(mini_batch_steps_per_iteration)
        self._random_seed = random_seed
        self._retries = kmeans_plus_plus_num_retries
        self._chain_length = kmc2_chain_length

    @property
    def _several_steps(self) -> bool:
        return self._use_mini_batch and self._steps_per_iteration > 1

    @property
    def _centers_normalized(self) -> bool:
        """Whether the variable itself holds centers of length 1."""
        return self._cosine and (not self._use_mini_batch or self._several_steps)

    def training_graph(self) -> tuple[Any, ...]:
        """Builds the graph.

        Returns:
          (for each input the distances from all centers [n, k], for each the nearest center [n],
          for each its distance [n], whether the centers are chosen, the operation that chooses
          them, the operation that moves them).
        """
        given = self._initial_clusters
        if not isinstance(given, str) and not callable(given):
            given = convert_to_tensor(given)
            count = _first_size(given)
        else:
            count = convert_to_tensor(self._num_clusters)
        centers, initialized, counts, updated, steps = self._variables(count)
        start = _Start(self, given, count, centers, updated, initialized)
        init_op = start.op()
        inputs, used = self._inputs, centers
        if self._cosine:
            inputs = [l2_normalize(x, dim=1) for x in inputs]
            if not self._centers_normalized:
                used = l2_normalize(centers, dim=1)
        scores, distances, nearest = self._infer(inputs, used)
        if self._use_mini_batch:
            sync = self._sync(steps, centers, updated, counts)
            with get_default_graph().control_dependencies([sync]):
                train = self._move_by_batch(inputs, nearest, updated, counts)
        else:
            train = self._move(inputs, count, nearest, centers)
        return scores, nearest, distances, initialized, init_op, train

    def _variables(self, count: Any) -> tuple[Any, ...]:
        """(centers, whether chosen, points of each, centers to update, steps until then)."""
        empty = convert_to_tensor([], dtype=dtypes.float32)
        centers = Variable(empty, name=CLUSTERS_VAR_NAME, validate_shape=False)
        initialized = Variable(False, dtype=dtypes.bool, name="initialized")
        if self._several_steps:
            updated = Variable(empty, name="clusters_updated", validate_shape=False)
            steps = Variable(self._steps_per_iteration, dtype=dtypes.int64, name="update_in_steps")
            counts = Variable(array_nodes.zeros([count], dtype=dtypes.int64))
            return centers, initialized, counts, updated, steps
        counts = None
        if self._use_mini_batch:
            counts = Variable(array_nodes.ones([count], dtype=dtypes.int64))
        return centers, initialized, counts, centers, None

    def _infer(self, inputs: list[Any], centers: Any) -> tuple[Any, Any, Any]:
        found = []
        for x in inputs:
            product = raw.MatMul(x, centers, transpose_b=True)
            if self._cosine:
                score = 1 - product
            else:
                squares = nodes.reduce_sum(raw.Square(x), 1, keepdims=True)
                of_centers = nodes.reduce_sum(raw.Square(centers), 1, keepdims=True)
                score = squares - 2 * product + array_nodes.transpose(of_centers)
            found.append(score)
        if self._cosine and not self._centers_normalized:
            centers = l2_normalize(centers, dim=1)
        distances, nearest = [], []
        for x in inputs:
            index, distance = raw.NearestNeighbors(x, centers, 1)
            # Of vectors of length 1: half of the squared distance is one minus the cosine.
            distance = distance * 0.5 if self._cosine else distance
            distances.append(array_nodes.squeeze(distance, [-1]))
            nearest.append(array_nodes.squeeze(index, [-1]))
        return tuple(found), tuple(distances), tuple(nearest)

    def _move(self, inputs: list[Any], count: Any, nearest: Any, centers: Any) -> Any:
        """Assigns each center the mean of its points."""
        sums, totals = [], []
        for x, index in zip(inputs, nearest, strict=True):
            sums.append(unsorted_segment_sum(x, index, count))
            ones = array_nodes.ones(array_nodes.reshape(_first_size(x), [-1]))
            totals.append(unsorted_segment_sum(array_nodes.reshape(ones, [-1, 1]), index, count))
        means = add_n(sums) / (nodes.cast(add_n(totals), sums[0].dtype) + 1e-6)
        return assign(centers, l2_normalize(means, dim=1) if self._centers_normalized else means)

    def _move_by_batch(self, inputs: list[Any], nearest: Any, centers: Any, counts: Any) -> Any:
        """Moves each center towards the mean of its points of the batch.

        Counts and centers are read here, after what this has to wait for.
        """
        count_now, centers_now = counts.read_value(), centers.read_value()
        updates = []
        for x, index in zip(inputs, nearest, strict=True):
            ids, places = unique(array_nodes.reshape(index, [-1]))[:2]
            size = array_nodes.size(ids)
            old_counts = array_nodes.gather(count_now, ids)
            old_centers = array_nodes.gather(centers_now, ids)
            ones = array_nodes.ones_like(places, dtype=dtypes.int64)
            more = unsorted_segment_sum(ones, places, size)
            column = concat([array_nodes.reshape(size, [1]), [1]], 0)
            moves = unsorted_segment_sum(x, places, size)
            moves -= nodes.cast(array_nodes.reshape(more, column), x.dtype) * old_centers
            rate = raw.Reciprocal(nodes.cast(old_counts + more, x.dtype))
            moves *= array_nodes.reshape(rate, column)
            updates += [scatter_add(counts, ids, more), scatter_add(centers, ids, moves)]
        return group(*updates)

    def _sync(self, steps: Any, centers: Any, updated: Any, counts: Any) -> Any:
        """Every few steps: put the updated centers into use and count anew."""
        if not self._several_steps:
            return no_op()
        graph = get_default_graph

        def replace() -> Any:
            with graph().control_dependencies([assign(steps, self._steps_per_iteration - 1)]):
                new = l2_normalize(updated, dim=1) if self._cosine else updated
                with graph().control_dependencies([assign(centers, new)]):
                    zeros = array_nodes.zeros_like(counts)
                    with graph().control_dependencies([assign(counts, zeros)]):
                        return array_nodes.identity(steps)

        return cond(steps <= 0, replace, lambda: assign_sub(steps, 1))


class _Start:
    """The operation that chooses the first centers, as many at a time as there are points for."""

    def __init__(
        self, model: KMeans, given: Any, count: Any, centers: Any, updated: Any, initialized: Any
    ) -> None:
        self._model = model
        self._given = given
        self._count = count
        self._centers, self._updated, self._initialized = centers, updated, initialized
        self._selected = _first_size(centers)
        self._remaining = count - self._selected
        self._points = add_n([_first_size(x) for x in model._inputs])

    def op(self) -> Any:
        """Chooses those that are missing; fails when all are there but not marked as chosen."""
        return cond(
            raw.Equal(self._remaining, 0),
            lambda: checks.assert_equal(self._initialized, True),
            self._initialize,
        )

    def _normalized(self, x: Any) -> Any:
        return l2_normalize(x, dim=1) if self._model._cosine else x

    def _initialize(self) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies([checks.assert_positive(self._remaining)]):
            chain = isinstance(self._given, str) and self._given == KMC2_INIT
            left = self._by_chains() if chain else self._add(self._choose())
            return cond(
                raw.Equal(left, 0), lambda: assign(self._initialized, True).op, lambda: no_op()
            )

    def _assigned(self, centers: Any) -> Any:
        assigned = assign(self._centers, centers, validate_shape=False)
        if self._updated is not self._centers:
            assigned = assign(self._updated, assigned, validate_shape=False)
        return assigned

    def _add(self, new: Any) -> Any:
        """Puts further centers behind those that are there; returns how many are missing."""
        new = self._normalized(new)
        everything = cond(
            raw.Equal(self._selected, 0), lambda: new, lambda: concat([self._centers, new], 0)
        )
        return self._count - _first_size(self._assigned(everything))

    def _choose(self) -> Any:
        inputs, graph = self._model._inputs, get_default_graph()
        if isinstance(self._given, str) and self._given == RANDOM_INIT:
            return cond(self._points <= self._remaining, lambda: concat(inputs, 0), self._random)
        if isinstance(self._given, str):
            enough = checks.assert_greater_equal(self._points, self._remaining)
            with graph.control_dependencies([enough]):
                return raw.KmeansPlusPlusInitialization(
                    self._normalized(inputs[0]),
                    nodes.cast(self._remaining, dtypes.int64),
                    self._model._random_seed,
                    self._model._retries,
                )
        if callable(self._given):
            return self._given(inputs, self._remaining)
        all_of_them = checks.assert_equal(self._remaining, _first_size(self._given))
        with graph.control_dependencies([all_of_them]):
            return array_nodes.identity(self._given)

    def _random(self) -> Any:
        places = random_uniform(
            array_nodes.reshape(self._remaining, [-1]),
            minval=0,
            maxval=nodes.cast(self._points, dtypes.int64),
            seed=self._model._random_seed,
            dtype=dtypes.int64,
        )
        return embedding_lookup(self._model._inputs, places, partition_strategy="div")

    def _by_chains(self) -> Any:
        """One center for each chain of points that the batch holds, the first point at first."""
        batch, length = self._model._inputs[0], self._model._chain_length
        most = nodes.cast(_first_size(batch) / length, dtypes.int32)
        wanted = raw.Maximum(raw.Minimum(self._remaining, most), 1)

        def body(i: Any, _: Any) -> Any:
            def first() -> Any:
                return self._normalized(array_nodes.reshape(batch[0], [1, -1]))

            def chained() -> Any:
                part = batch[i * length : i * length + length]
                _, distances = raw.NearestNeighbors(part, self._centers, 1)
                place = raw.KMC2ChainInitialization(
                    array_nodes.squeeze(distances), self._model._random_seed
                )
                chosen = self._normalized(array_nodes.reshape(part[place], [1, -1]))
                return concat([self._centers, chosen], 0)

            centers = cond(raw.Equal(_first_size(self._centers), 0), first, chained)
            return i + 1, self._count - _first_size(self._assigned(centers))

        return while_loop(lambda i, _: i < wanted, body, [0, 0])[1]
