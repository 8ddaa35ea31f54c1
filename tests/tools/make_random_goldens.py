"""Record random numbers of real TensorFlow 1.15 for tests/test_random_streams.py.

Run under a Python that has TensorFlow 1.15:  python tests/tools/make_random_goldens.py Writes
tests/golden/random/points.json (what was run) and values.npz (what came out). Every point is one
kernel with explicit seed attributes, run several times in one session; the sessions have two
threads unless the point says so. Of large results, 400 evenly spread values and a CRC-32 of all
bytes are kept.
"""

import json
import os
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "random")
LARGE, SAMPLE = 300, 64
THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
SEEDS = [(87654321, 1), (1, 0), (0, 5), (-7, 123456789), (2**40 + 3, 2**33 + 1), (2147483647, 42)]

points = []
values = {}  # dtype: list of flat arrays, joined at the end
inputs = {}


def keep(array):
    """Store an array, or a sample of it and its checksum; returns the record that tells where it
    lies.
    """
    array = np.asarray(array)
    shape = list(array.shape)
    if array.dtype == tf.bfloat16.as_numpy_dtype:
        array = array.astype(np.float32)
    flat = np.ascontiguousarray(array).reshape(-1)
    record = {"shape": shape, "dtype": str(flat.dtype)}
    if flat.size > LARGE:
        record["crc32"] = zlib.crc32(flat.tobytes())
        flat = flat[np.unique(np.linspace(0, flat.size - 1, SAMPLE).astype(int))]
    store = values.setdefault(str(flat.dtype), [])
    record["at"] = [sum(map(len, store)), flat.size]
    store.append(flat)
    return record


def keep_all(array):
    """Store an input, whole, under a name of its own; returns the name."""
    name = "input%d" % len(inputs)
    inputs[name] = array
    return name


def point(kind, build, runs=3, threads=2, **facts):
    """Run what `build` makes (a tensor or a list) `runs` times and record every result."""
    if threads != THREADS:
        return
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    with tf.Graph().as_default(), tf.Session(config=config) as sess:
        fetch = build()
        results = []
        for _ in range(runs):
            out = sess.run(fetch)
            out = out if isinstance(out, (list, tuple)) else [out]
            results.append([keep(value) for value in out])
    points.append(dict(facts, kind=kind, threads=threads, runs=results))


def try_point(kind, build, **facts):
    """As `point`, for kernels that may not exist for a dtype; says so and goes on."""
    try:
        point(kind, build, **facts)
    except tf.errors.InvalidArgumentError as error:
        print("no kernel:", kind, facts, str(error).splitlines()[0])
    except (TypeError, ValueError) as error:
        print("refused:", kind, facts, str(error).splitlines()[0])


SHAPES = [[], [1], [2, 3], [5], [7, 11], [3, 1, 4, 2]]
FLOATS = ["float32", "float16", "bfloat16", "float64"]


def floats():
    kernels = {
        "uniform": raw.RandomUniform,
        "normal": raw.RandomStandardNormal,
        "truncated_normal": raw.TruncatedNormal,
    }
    for kind, kernel in kernels.items():
        for dtype in FLOATS:
            shapes = SHAPES if dtype == "float32" else SHAPES[2:5]
            for i, shape in enumerate(shapes):
                for seed, seed2 in SEEDS if dtype == "float32" and i < 3 else SEEDS[i % 3 :: 3]:
                    try_point(
                        kind,
                        lambda k=kernel, s=shape, d=dtype, a=seed, b=seed2: k(
                            shape=tf.constant(s, tf.int32), dtype=d, seed=a, seed2=b
                        ),
                        shape=shape,
                        dtype=dtype,
                        seeds=[seed, seed2],
                    )
        for dtype, shape in [
            ("float32", [1001, 999]),
            ("float32", [300001]),
            ("float64", [100003]),
            ("float16", [65537]),
        ]:
            for threads in (1, 2, 5):
                if threads == 5 and shape != [300001]:
                    continue
                try_point(
                    kind,
                    lambda k=kernel, s=shape, d=dtype: k(shape=s, dtype=d, seed=11, seed2=17),
                    shape=shape,
                    dtype=dtype,
                    seeds=[11, 17],
                    threads=threads,
                )


def integers():
    ranges = [(0, 10), (-5, 3), (0, 256), (7, 8), (-(2**31), 2**31 - 1), (0, 2**31 - 1)]
    for low, high in ranges:
        for dtype in ("int32", "int64"):
            for shape in ([5], [7, 11]):
                point(
                    "uniform_int",
                    lambda lo=low, hi=high, d=dtype, s=shape: raw.RandomUniformInt(
                        shape=s,
                        minval=tf.constant(lo, d),
                        maxval=tf.constant(hi, d),
                        seed=3,
                        seed2=9,
                    ),
                    shape=shape,
                    dtype=dtype,
                    seeds=[3, 9],
                    low=low,
                    high=high,
                )
    for low, high in [(-(2**63), 2**63 - 1), (0, 10**15 + 7), (-3, 2**62)]:
        point(
            "uniform_int",
            lambda lo=low, hi=high: raw.RandomUniformInt(
                shape=[9],
                minval=tf.constant(lo, tf.int64),
                maxval=tf.constant(hi, tf.int64),
                seed=3,
                seed2=9,
            ),
            shape=[9],
            dtype="int64",
            seeds=[3, 9],
            low=low,
            high=high,
        )
    for dtype, shape in [("int32", [300, 401]), ("int64", [70001])]:
        point(
            "uniform_int",
            lambda d=dtype, s=shape: raw.RandomUniformInt(
                shape=s, minval=tf.constant(-4, d), maxval=tf.constant(1000, d), seed=3, seed2=9
            ),
            shape=shape,
            dtype=dtype,
            seeds=[3, 9],
            low=-4,
            high=1000,
        )


def shuffles():
    for size in (1, 2, 3, 10, 64, 1000, 5000):
        point(
            "shuffle",
            lambda n=size: raw.RandomShuffle(value=tf.range(n), seed=4, seed2=size),
            size=size,
            columns=0,
            seeds=[4, size],
        )
    point(
        "shuffle",
        lambda: raw.RandomShuffle(value=tf.reshape(tf.range(60), [12, 5]), seed=4, seed2=6),
        size=12,
        columns=5,
        seeds=[4, 6],
    )


def multinomials():
    rng = np.random.RandomState(0)
    cases = [
        (1, 4, 1),
        (3, 5, 7),
        (8, 10, 1),
        (32, 100, 3),
        (200, 10, 1),
        (500, 10, 2),
        (64, 1000, 5),
        (4, 6, 401),
    ]
    for rows, classes, samples in cases:
        logits = rng.randn(rows, classes).astype(np.float32).round(3)
        if rows == 3:
            logits[0, 2], logits[1, 0] = -np.inf, np.nan
        record = keep_all(logits.astype(np.float16))
        for dtype, out in [
            ("float32", "int64"),
            ("float32", "int32"),
            ("float16", "int64"),
            ("float64", "int64"),
        ]:
            if rows > 8 and (dtype, out) != ("float32", "int64"):
                continue
            for threads in (2, 1, 3) if rows > 100 else (2,):
                value = logits.astype(np.float16).astype(dtype)
                point(
                    "multinomial",
                    lambda v=value, n=samples, o=out: raw.Multinomial(
                        logits=tf.constant(v), num_samples=n, seed=8, seed2=2, output_dtype=o
                    ),
                    logits=record,
                    dtype=dtype,
                    out=out,
                    samples=samples,
                    seeds=[8, 2],
                    threads=threads,
                )
                try_point(
                    "stateless_multinomial",
                    lambda v=value, n=samples, o=out: raw.StatelessMultinomial(
                        logits=tf.constant(v), num_samples=n, seed=[5, 6], output_dtype=o
                    ),
                    logits=record,
                    dtype=dtype,
                    out=out,
                    samples=samples,
                    seeds=[5, 6],
                    threads=threads,
                    runs=1,
                )


def rejections():
    for dtype in ("float32", "float16", "float64"):
        alpha = np.array([[0.1, 0.5, 1.0], [1.5, 3.0, 100.0]])
        for shape in ([1], [3], [2, 5]):
            point(
                "gamma",
                lambda s=shape, d=dtype: raw.RandomGamma(
                    shape=s, alpha=tf.constant(alpha, d), seed=5, seed2=3
                ),
                shape=shape,
                dtype=dtype,
                alpha=alpha.tolist(),
                seeds=[5, 3],
            )
    point(
        "gamma",
        lambda: raw.RandomGamma(
            shape=[4000], alpha=tf.constant([0.3, 2.0], tf.float32), seed=5, seed2=3
        ),
        shape=[4000],
        dtype="float32",
        alpha=[0.3, 2.0],
        seeds=[5, 3],
    )
    rate = np.array([0.1, 1.0, 5.0, 9.5, 10.0, 30.0, 1000.0])
    for dtype in ("float32", "float64", "float16", "int32", "int64"):
        for shape in ([3], [50], [2, 5]):
            point(
                "poisson",
                lambda s=shape, d=dtype: raw.RandomPoissonV2(
                    shape=s, rate=tf.constant(rate, tf.float32), dtype=d, seed=5, seed2=4
                ),
                shape=shape,
                dtype=dtype,
                rate=rate.tolist(),
                seeds=[5, 4],
            )
    bounds = [
        (0.0, 1.0, -1.0, 1.0),
        (0.0, 1.0, -2.0, 3.0),
        (1.0, 2.0, 4.0, 5.0),
        (0.0, 1.0, 3.0, np.inf),
    ]
    bounds += [(0.0, 1.0, -np.inf, -2.0), (5.0, 0.5, 4.9, 5.1), (0.0, 3.0, -9.0, -8.5)]
    for dtype in ("float32", "float64", "float16"):
        for bound in bounds:
            for shape, threads in (([5], 2), ([3, 50], 2), ([7000], 1), ([7000], 2), ([7000], 3)):
                if shape == [7000] and (dtype == "float16" or bound != bounds[1]):
                    continue
                point(
                    "parameterized_truncated_normal",
                    lambda s=shape, d=dtype, b=bound: raw.ParameterizedTruncatedNormal(
                        shape=s,
                        means=tf.constant(b[0], d),
                        stdevs=tf.constant(b[1], d),
                        minvals=tf.constant(b[2], d),
                        maxvals=tf.constant(b[3], d),
                        seed=6,
                        seed2=1,
                    ),
                    shape=shape,
                    dtype=dtype,
                    bounds=[str(x) for x in bound],
                    seeds=[6, 1],
                    threads=threads,
                )
        point(
            "parameterized_truncated_normal",
            lambda d=dtype: raw.ParameterizedTruncatedNormal(
                shape=[3, 9],
                means=tf.constant([0.0, 1.0, 2.0], d),
                stdevs=tf.constant([1.0, 2.0, 0.5], d),
                minvals=tf.constant([-1.0], d),
                maxvals=tf.constant([1.0, 4.0, 2.2], d),
                seed=6,
                seed2=1,
            ),
            shape=[3, 9],
            dtype=dtype,
            seeds=[6, 1],
            bounds=[["0", "1", "2"], ["1", "2", "0.5"], ["-1"], ["1", "4", "2.2"]],
        )


def stateless():
    kernels = {
        "stateless_uniform": raw.StatelessRandomUniform,
        "stateless_normal": raw.StatelessRandomNormal,
        "stateless_truncated_normal": raw.StatelessTruncatedNormal,
    }
    for kind, kernel in kernels.items():
        for dtype in FLOATS:
            for shape in ([5], [7, 11]) + (([50001],) if dtype == "float32" else ()):
                for seeds in ([1, 2], [-3, 2**31 - 1], [2**45, -(2**50)]):
                    try_point(
                        kind,
                        lambda k=kernel, s=shape, d=dtype, n=seeds: k(
                            shape=s, dtype=d, seed=np.array(n, np.int64)
                        ),
                        shape=shape,
                        dtype=dtype,
                        seeds=seeds,
                        runs=1,
                    )
    for dtype in ("int32", "int64"):
        for seeds in ([1, 2], [-3, 2**31 - 1]):
            point(
                "stateless_uniform_int",
                lambda d=dtype, n=seeds: raw.StatelessRandomUniformInt(
                    shape=[3, 5],
                    seed=np.array(n, np.int32),
                    minval=tf.constant(-3, d),
                    maxval=tf.constant(98, d),
                ),
                shape=[3, 5],
                dtype=dtype,
                seeds=seeds,
                low=-3,
                high=98,
                runs=1,
            )


def candidates():
    true = np.array([[0, 3], [7, 1], [2, 2]], np.int64)
    simple = {
        "log_uniform": raw.LogUniformCandidateSampler,
        "uniform": raw.UniformCandidateSampler,
        "learned_unigram": raw.LearnedUnigramCandidateSampler,
        "thread_unsafe_unigram": raw.ThreadUnsafeUnigramCandidateSampler,
    }
    for name, kernel in simple.items():
        for unique in (True, False):
            for sampled, top in ((5, 10), (8, 8), (64, 1000), (20, 64)):
                point(
                    "candidates",
                    lambda k=kernel, u=unique, n=sampled, r=top: list(
                        k(
                            true_classes=true,
                            num_true=2,
                            num_sampled=n,
                            unique=u,
                            range_max=r,
                            seed=3,
                            seed2=8,
                        )
                    ),
                    sampler=name,
                    unique=unique,
                    sampled=sampled,
                    range_max=top,
                    true=true.tolist(),
                    seeds=[3, 8],
                )
    unigrams = [1.0, 5.0, 2.5, 0.1, 3.0, 3.0, 7.0, 0.7, 1.1, 9.0]
    for unique in (True, False):
        point(
            "candidates",
            lambda u=unique: list(
                raw.FixedUnigramCandidateSampler(
                    true_classes=true,
                    num_true=2,
                    num_sampled=6,
                    unique=u,
                    range_max=11,
                    distortion=0.75,
                    num_reserved_ids=1,
                    unigrams=unigrams,
                    seed=3,
                    seed2=8,
                )
            ),
            sampler="fixed_unigram",
            unique=unique,
            sampled=6,
            range_max=11,
            true=true.tolist(),
            seeds=[3, 8],
            unigrams=unigrams,
        )


def boxes():
    cases = [
        ([100, 150, 3], [[[0.1, 0.2, 0.8, 0.9]]], 0.1, [0.75, 1.33], [0.05, 1.0], 100),
        (
            [480, 640, 3],
            [[[0.1, 0.2, 0.8, 0.9], [0.5, 0.5, 0.6, 0.6]]],
            0.5,
            [0.5, 2.0],
            [0.3, 1.0],
            100,
        ),
        ([33, 20, 1], [], 0.1, [0.75, 1.33], [0.05, 0.5], 10),
        ([64, 64, 3], [[[0.0, 0.0, 0.1, 0.1]]], 1.0, [0.9, 1.1], [0.05, 0.1], 3),
    ]
    for size, given, covered, ratio, area, attempts in cases:
        box = np.array(given, np.float32).reshape(1, -1, 4)
        point(
            "box",
            lambda s=size, b=box, c=covered, r=ratio, a=area, n=attempts: list(
                raw.SampleDistortedBoundingBoxV2(
                    image_size=tf.constant(s, tf.int32),
                    bounding_boxes=b,
                    min_object_covered=c,
                    seed=2,
                    seed2=7,
                    aspect_ratio_range=r,
                    area_range=a,
                    max_attempts=n,
                    use_image_if_no_bounding_boxes=True,
                )
            ),
            runs=20,
            size=size,
            boxes=box.tolist(),
            covered=covered,
            ratio=ratio,
            area=area,
            attempts=attempts,
            seeds=[2, 7],
        )


def queues():
    for minimum in (0, 3):
        with tf.Graph().as_default(), tf.Session() as sess:
            queue = tf.RandomShuffleQueue(50, minimum, [tf.int32], [[]], seed=12)
            enqueue = queue.enqueue_many([tf.range(20)])
            more = queue.enqueue([100])
            one, many = queue.dequeue(), queue.dequeue_many(5)
            order = []
            sess.run(enqueue)
            order += [sess.run(one) for _ in range(4)]
            sess.run(more)
            order += sess.run(many).tolist()
            order += [sess.run(one) for _ in range(20 + 1 - 9 - minimum)]
            points.append(
                {
                    "kind": "queue",
                    "minimum": minimum,
                    "seeds": [87654321, 12],
                    "threads": 2,
                    "runs": [[keep(np.array(order, np.int32))]],
                }
            )


def datasets():
    cases = [
        # size, buffer, reshuffle_each_iteration, repetitions, whether an operation stands between
        # shuffle and repeat
        (10, 4, None, 1, False),
        (10, 4, None, 3, True),
        (10, 10, None, 3, False),
        (10, 100, True, 3, False),
        (10, 5, False, 3, False),
        (10, 5, False, 3, True),
        (300, 64, None, 2, False),
        (300, 64, None, 2, True),
        (7, 1, None, 2, False),
        (10, 4, None, -1, False),
        (10, 4, None, -1, True),
    ]
    for size, buffer, reshuffle, repeat, apart in cases:
        with tf.Graph().as_default(), tf.Session() as sess:
            data = tf.data.Dataset.range(size)
            data = data.shuffle(buffer, seed=21, reshuffle_each_iteration=reshuffle)
            if apart:
                data = data.map(lambda x: x + 0)
            data = data.repeat(repeat)
            iterator = tf.compat.v1.data.make_initializable_iterator(data)
            element = iterator.get_next()
            runs = []
            for _ in range(2):
                sess.run(iterator.initializer)
                order = [sess.run(element) for _ in range(size * (repeat if repeat > 0 else 4))]
                runs.append([keep(np.array(order, np.int64))])
        points.append(
            {
                "kind": "dataset",
                "size": size,
                "buffer": buffer,
                "reshuffle": reshuffle,
                "repeat": repeat,
                "apart": apart,
                "seeds": [87654321, 21],
                "threads": 2,
                "runs": runs,
            }
        )
    for size, buffer, count in [(10, 4, 3), (10, 25, 3), (5, 100, 7)]:
        with tf.Graph().as_default(), tf.Session() as sess:
            data = tf.data.Dataset.range(size).apply(
                tf.data.experimental.shuffle_and_repeat(buffer, count, seed=21)
            )
            element = tf.compat.v1.data.make_one_shot_iterator(data).get_next()
            order = [sess.run(element) for _ in range(size * count)]
        points.append(
            {
                "kind": "shuffle_and_repeat",
                "size": size,
                "buffer": buffer,
                "count": count,
                "seeds": [87654321, 21],
                "threads": 2,
                "runs": [[keep(np.array(order, np.int64))]],
            }
        )


def seeds():
    """Pairs that tf.get_seed derives: [graph seed, op seed, operations made, seed, seed2]."""
    rows = []
    for graph_seed in (None, 0, 1, 2**31 - 1, 2**31, -1, 123456789012):
        for op_seed in (None, 0, 1, 2**31 - 1, -5, 10**12):
            for made in (0, 3):
                with tf.Graph().as_default():
                    if graph_seed is not None:
                        tf.set_random_seed(graph_seed)
                    for _ in range(made):
                        tf.no_op()
                    rows.append([graph_seed, op_seed, made, *tf.get_seed(op_seed)])
    points.append({"kind": "get_seed", "rows": rows, "threads": 2, "runs": []})


def record():
    """All points of this process: those with its number of threads."""
    sections = [floats, integers, shuffles, multinomials, rejections]
    if THREADS == 2:
        sections += [stateless, candidates, boxes, queues, datasets, seeds]
    for section in sections:
        section()
    return points


def main():
    if len(sys.argv) > 1:
        folder = sys.argv[2]
    else:
        folder = HERE
        # All sessions of a process share the threads of its first session: one process for each
        # number of threads.
        for threads in ("1", "3", "5"):
            with tempfile.TemporaryDirectory() as part:
                subprocess.check_call([sys.executable, os.path.abspath(__file__), threads, part])
                take_over(part)
    record()
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(os.path.join(folder, "points.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(p) for p in points) + "\n]\n")
    np.savez_compressed(
        os.path.join(folder, "values.npz"),
        **inputs,
        **{name: np.concatenate(store) for name, store in values.items()},
    )
    print(len(points), "points, TensorFlow", tf.__version__)


def take_over(folder):
    """Add the points that another process left in `folder`."""
    with open(os.path.join(folder, "points.json")) as file:
        theirs = json.load(file)
    with np.load(os.path.join(folder, "values.npz")) as archive:
        arrays = dict(archive)
    base = {}
    for name, array in arrays.items():
        if not name.startswith("input"):
            store = values.setdefault(name, [])
            base[name] = sum(map(len, store))
            store.append(array)
    for their in theirs:
        for run in their["runs"]:
            for result in run:
                result["at"][0] += base[result["dtype"]]
        points.append(their)


if __name__ == "__main__":
    main()
