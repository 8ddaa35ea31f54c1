"""Random streams against numbers recorded from TensorFlow 1.15
(tests/tools/make_random_goldens.py).
"""

from __future__ import annotations

import itertools
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from relight.engine.random import (
    DatasetShuffle,
    IterationSeeds,
    PhiloxStream,
    ShuffleQueueOrder,
    TorchStream,
    make_stream,
    stateless,
)
from relight.engine.random import candidates as cand
from relight.engine.random.philox import CHUNK, Philox, WordStream
from relight.graph.seeds import derive_seeds

GOLDEN = Path(__file__).parent / "golden" / "random"
POINTS = json.loads((GOLDEN / "points.json").read_text())
with np.load(GOLDEN / "values.npz") as archive:
    VALUES = dict(archive)
SAMPLE = 64


def of_kind(*kinds):
    chosen = [point for point in POINTS if point["kind"] in kinds]
    assert chosen
    return [
        pytest.param(
            point, id=f"{i}-{point['kind']}-{point.get('dtype', '')}-{point.get('shape', '')}"
        )
        for i, point in enumerate(chosen)
    ]


def ulps(a: np.ndarray, b: np.ndarray) -> int:
    """The largest distance between two float arrays, in representable numbers."""
    kind = {2: np.int16, 4: np.int32, 8: np.int64}[a.dtype.itemsize]
    x, y = (np.asarray(v).view(kind).astype(object) for v in (a, b))
    top = 2 ** (8 * a.dtype.itemsize - 1)
    order = [[v if v >= 0 else -(v + top) for v in array] for array in (x, y)]
    return max((abs(p - q) for p, q in zip(*order, strict=True)), default=0)


def check(record: dict, got, tolerance: int = 0) -> None:
    """`got` against one recorded result: shape, dtype, and values to `tolerance` ulps; 0 also
    checks every byte.
    """
    if isinstance(got, torch.Tensor):
        got = (got.float() if got.dtype == torch.bfloat16 else got).numpy()
    got = np.asarray(got)
    assert list(got.shape) == record["shape"]
    assert str(got.dtype) == record["dtype"]
    flat = np.ascontiguousarray(got).reshape(-1)
    start, count = record["at"]
    expected = VALUES[record["dtype"]][start : start + count]
    sample = flat
    if "crc32" in record:
        sample = flat[np.unique(np.linspace(0, flat.size - 1, SAMPLE).astype(int))]
    if tolerance == 0:
        np.testing.assert_array_equal(sample, expected)
        if "crc32" in record:
            assert zlib.crc32(flat.tobytes()) == record["crc32"]
    else:
        assert ulps(sample, expected) <= tolerance


def dtype_of(point: dict) -> torch.dtype:
    return getattr(torch, point["dtype"])


def draw_again(point: dict, draw, tolerance: int = 0) -> None:
    """Every recorded run of the point, in order, on one stream."""
    stream = PhiloxStream(*point["seeds"], num_threads=point["threads"])
    for run in point["runs"]:
        check(run[0], draw(stream), tolerance)


@pytest.mark.parametrize("point", of_kind("uniform", "normal", "truncated_normal"))
def test_floats(point):
    wide_normal = point["dtype"] == "float64" and point["kind"] != "uniform"
    draw_again(
        point,
        lambda s: getattr(s, point["kind"])(point["shape"], dtype_of(point)),
        2 if wide_normal else 0,
    )


@pytest.mark.parametrize("point", of_kind("uniform_int"))
def test_integers(point):
    draw_again(
        point, lambda s: s.uniform_int(point["shape"], point["low"], point["high"], dtype_of(point))
    )


@pytest.mark.parametrize("point", of_kind("shuffle"))
def test_shuffle(point):
    rows = torch.arange(point["size"] * max(1, point["columns"]), dtype=torch.int32)
    if point["columns"]:
        rows = rows.reshape(-1, point["columns"])
    draw_again(point, lambda s: s.shuffle(rows))


@pytest.mark.parametrize("point", of_kind("multinomial", "stateless_multinomial"))
def test_multinomial(point):
    logits = torch.from_numpy(VALUES[point["logits"]]).to(dtype_of(point))
    out = getattr(torch, point["out"])
    if point["kind"] == "multinomial":
        draw_again(point, lambda s: s.multinomial(logits, point["samples"], out))
    else:
        got = stateless.stateless_multinomial(
            logits, point["samples"], point["seeds"], out, point["threads"]
        )
        check(point["runs"][0][0], got)


@pytest.mark.parametrize("point", of_kind("gamma"))
def test_gamma(point):
    alpha = torch.tensor(point["alpha"], dtype=dtype_of(point))
    draw_again(point, lambda s: s.gamma(point["shape"], alpha), 1)


@pytest.mark.parametrize("point", of_kind("poisson"))
def test_poisson(point):
    rate = torch.tensor(point["rate"], dtype=torch.float32)
    draw_again(point, lambda s: s.poisson(point["shape"], rate, dtype_of(point)))


@pytest.mark.parametrize("point", of_kind("parameterized_truncated_normal"))
def test_parameterized_truncated_normal(point):
    def number(text):
        return [float(x) for x in text] if isinstance(text, list) else float(text)

    bounds = [torch.tensor(number(text), dtype=dtype_of(point)) for text in point["bounds"]]
    draw_again(point, lambda s: s.parameterized_truncated_normal(point["shape"], *bounds), 1)


@pytest.mark.parametrize(
    "point",
    of_kind(
        "stateless_uniform",
        "stateless_normal",
        "stateless_truncated_normal",
        "stateless_uniform_int",
    ),
)
def test_stateless(point):
    kind, shape, seeds, dtype = point["kind"], point["shape"], point["seeds"], dtype_of(point)
    if kind == "stateless_uniform_int":
        got = stateless.stateless_random_uniform_int(
            shape, seeds, point["low"], point["high"], dtype
        )
    else:
        functions = {
            "stateless_uniform": stateless.stateless_random_uniform,
            "stateless_normal": stateless.stateless_random_normal,
            "stateless_truncated_normal": stateless.stateless_truncated_normal,
        }
        got = functions[kind](shape, seeds, dtype)
    check(
        point["runs"][0][0], got, 1 if dtype == torch.float64 and kind != "stateless_uniform" else 0
    )


SAMPLERS = {
    "log_uniform": cand.LogUniformSampler,
    "uniform": cand.UniformSampler,
    "learned_unigram": cand.LearnedUnigramSampler,
    "thread_unsafe_unigram": cand.LearnedUnigramSampler,
}


@pytest.mark.parametrize("point", of_kind("candidates"))
def test_candidates(point):
    if point["sampler"] == "fixed_unigram":
        sampler = cand.FixedUnigramSampler(
            point["range_max"], point["unigrams"], 0.75, num_reserved_ids=1
        )
    else:
        sampler = SAMPLERS[point["sampler"]](point["range_max"])
    stream = PhiloxStream(*point["seeds"])
    true = np.array(point["true"])
    for run in point["runs"]:
        sampled, true_counts, counts = sampler.sample(
            stream, true, point["sampled"], point["unique"]
        )
        check(run[0], sampled)
        check(run[1], true_counts, 2)
        check(run[2], counts, 2)


@pytest.mark.parametrize("point", of_kind("box"))
def test_bounding_box(point):
    stream = PhiloxStream(*point["seeds"])
    for run in point["runs"]:
        begin, size, box = cand.sample_distorted_bounding_box(
            stream,
            point["size"],
            np.array(point["boxes"], np.float32),
            point["covered"],
            point["ratio"],
            point["area"],
            point["attempts"],
            use_image_if_no_bounding_boxes=True,
        )
        check(run[0], begin.astype(np.int32))
        check(run[1], size.astype(np.int32))
        check(run[2], box)


@pytest.mark.parametrize("point", of_kind("queue"))
def test_queue_order(point):
    order = ShuffleQueueOrder(*point["seeds"])
    elements = list(range(20))
    got = [order.take(elements) for _ in range(4)]
    elements.append(100)
    got += [order.take(elements) for _ in range(len(elements) - point["minimum"])]
    check(point["runs"][0][0], np.array(got, np.int32))


@pytest.mark.parametrize("point", of_kind("dataset"))
def test_dataset_order(point):
    def source():
        return iter(range(point["size"]))

    size, buffer, seeds, repeat = point["size"], point["buffer"], point["seeds"], point["repeat"]
    wanted = size * (repeat if repeat > 0 else 4)
    for run in point["runs"]:  # each initialisation of the iterator starts anew
        if repeat != 1 and point["reshuffle"] is not False and not point["apart"]:
            # TensorFlow fuses shuffle and repeat that follow each other.
            got = list(itertools.islice(DatasetShuffle(source, buffer, *seeds, repeat), wanted))
        else:
            iteration = IterationSeeds(*seeds)
            got = []
            while len(got) < wanted:
                pair = seeds if point["reshuffle"] is False else iteration.next_seeds()
                got += DatasetShuffle(source, buffer, *pair)
        check(run[0], np.array(got, np.int64))


@pytest.mark.parametrize("point", of_kind("shuffle_and_repeat"))
def test_shuffle_and_repeat_order(point):
    shuffle = DatasetShuffle(
        lambda: iter(range(point["size"])), point["buffer"], *point["seeds"], point["count"]
    )
    check(point["runs"][0][0], np.array(list(shuffle), np.int64))


def test_seed_pairs():
    rows = next(point for point in POINTS if point["kind"] == "get_seed")["rows"]
    for graph_seed, op_seed, made, *expected in rows:
        assert list(derive_seeds(graph_seed, op_seed, made)) == expected, (
            graph_seed,
            op_seed,
            made,
        )


def test_known_first_normals():
    first = PhiloxStream(87654321, 1).normal([2, 3]).reshape(-1)[:2]
    assert first.tolist() == pytest.approx([-0.8113182, 1.4845988], abs=1e-7)


def philox_reference(key: int, counter: int) -> list[int]:
    """The published algorithm, one block, in plain integers."""
    words = [counter >> 32 * i & 0xFFFFFFFF for i in range(4)]
    keys = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p0, p1 = words[0] * 0xD2511F53, words[2] * 0xCD9E8D57
        words = [
            (p1 >> 32) ^ words[1] ^ keys[0],
            p1 & 0xFFFFFFFF,
            (p0 >> 32) ^ words[3] ^ keys[1],
            p0 & 0xFFFFFFFF,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return words


@pytest.mark.parametrize(
    "counter", [0, 2**32 - 2, 2**64 - 3, 2**96 - 1, 2**128 - 2, 123456789 << 64 | 2**32 - 1]
)
def test_blocks_across_carries(counter):
    generator = Philox(0x0123456789ABCDEF, counter)
    expected = [
        w for i in range(5) for w in philox_reference(generator.key, (counter + i) % 2**128)
    ]
    assert generator.words(20).tolist() == expected


def test_chunks_join_seamlessly():
    generator = Philox.from_seeds(5, 6)
    whole = generator.words(4 * (CHUNK + 3))
    assert whole[4 * CHUNK :].tolist() == generator.skip(CHUNK).words(12).tolist()


def test_word_stream_seeks():
    stream = WordStream(Philox.from_seeds(5, 6))
    words = [stream.uint32() for _ in range(100)]
    stream.seek(37)
    assert stream.position == 37
    assert [stream.uint32() for _ in range(63)] == words[37:]
    assert stream.position == 100


def test_prefix_of_a_longer_draw_is_the_same():
    for method in ("uniform", "normal", "truncated_normal"):
        long = getattr(PhiloxStream(1, 2), method)([1001])
        short = getattr(PhiloxStream(1, 2), method)([77])
        assert torch.equal(long[:77], short)


@pytest.mark.parametrize("make", [TorchStream, lambda: PhiloxStream(3, 4)])
def test_moments_and_bounds(make):
    stream = make()
    uniform = stream.uniform([100_000])
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.01
    normal = stream.normal([100_000])
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02
    assert stream.truncated_normal([100_000]).abs().max() < 2
    ints = stream.uniform_int([10_000], -3, 4, torch.int32)
    assert ints.unique().tolist() == list(range(-3, 4))
    gamma = stream.gamma([50_000], torch.tensor([0.5, 4.0]))
    assert gamma.mean(0).tolist() == pytest.approx([0.5, 4.0], rel=0.05)
    poisson = stream.poisson([50_000], torch.tensor([2.0, 30.0]))
    assert poisson.mean(0).tolist() == pytest.approx([2.0, 30.0], rel=0.05)
    classes = stream.multinomial(torch.log(torch.tensor([[0.2, 0.0, 0.8]])), 20_000)
    assert (classes == 1).sum() == 0 and abs((classes == 2).float().mean() - 0.8) < 0.02
    bounded = stream.parameterized_truncated_normal(
        [2000], *map(torch.tensor, (0.0, 1.0, 2.0, 9.0))
    )
    assert bounded.min() >= 2 and bounded.max() <= 9
    assert sorted(stream.shuffle(torch.arange(50)).tolist()) == list(range(50))


def test_unseeded_streams_differ():
    assert isinstance(make_stream(0, 0), TorchStream)
    assert isinstance(make_stream(0, 2**31 - 1), PhiloxStream)
    for make in (TorchStream, lambda: PhiloxStream(0, 0)):
        assert not torch.equal(make().uniform([8]), make().uniform([8]))


def test_empty_draws():
    stream = PhiloxStream(1, 1)
    for method in ("uniform", "normal", "truncated_normal"):
        assert getattr(stream, method)([0, 3]).shape == (0, 3)
    assert stream.multinomial(torch.zeros(2, 3), 0).shape == (2, 0)
    assert stream.gamma([0], torch.tensor([1.0])).shape == (0, 1)
    assert torch.equal(stream.uniform([4]), PhiloxStream(1, 1).uniform([4])), (
        "an empty draw takes nothing"
    )


def test_errors_name_the_cause():
    stream = PhiloxStream(1, 1)
    with pytest.raises(ValueError, match="Need minval < maxval, got 3 >= 3"):
        stream.uniform_int([2], 3, 3)
    with pytest.raises(TypeError, match="int32"):
        stream.uniform([2], torch.int32)
    with pytest.raises(ValueError, match="logits should be a matrix"):
        stream.multinomial(torch.zeros(3), 1)
    with pytest.raises(ValueError, match="invalid parameters"):
        stream.parameterized_truncated_normal([4], *map(torch.tensor, (0.0, -1.0, 0.0, 1.0)))


def test_threads_do_not_disturb_each_other():
    with ThreadPoolExecutor(4) as pool:
        draws = list(pool.map(lambda seed: PhiloxStream(seed, 1).normal([50_001]), range(8)))
    for seed, drawn in enumerate(draws):
        assert torch.equal(drawn, PhiloxStream(seed, 1).normal([50_001]))


def test_shared_stream_gives_each_caller_its_own_part():
    stream = PhiloxStream(9, 9)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: stream.uniform([100]), range(20)))
    again = PhiloxStream(9, 9)
    alone = [again.uniform([100]) for _ in range(20)]

    def key(numbers):
        return numbers.tolist()

    assert sorted(map(key, together)) == sorted(map(key, alone))
