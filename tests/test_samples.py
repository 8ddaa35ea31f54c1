"""Single nodes of the cases, built and run in other ways: static shapes and shape rules."""

from __future__ import annotations

import collections
import functools
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import replay

import relight.v1 as tf
from relight.graph import opdef

# Where relight's static shape is another one than TensorFlow 1.15's, and why.
OTHER_SHAPES = {
    "UniqueV2": "TensorFlow promises a vector, and gives a tensor of the input's rank",
    "UniqueWithCountsV2": "the same",
    "ExtractVolumePatches": "TensorFlow promises rank 4 for volumes of unknown sizes, and gives 5",
    "CombinedNonMaxSuppression": "TensorFlow refuses boxes of unknown sizes",
    "MatrixDiagPartV2": "TensorFlow refuses matrices of unknown sizes",
    "MatrixDiagV2": "TensorFlow refuses diagonals of unknown sizes, or promises size 0",
    "MatrixSetDiagV2": "TensorFlow refuses matrices of unknown sizes",
}


def _numpy_type(name: str) -> Any:
    return tf.as_dtype(name).as_numpy_dtype


@functools.cache
def samples() -> dict[str, list[tuple[Any, list[np.ndarray], dict]]]:
    """For each op: (NodeDef, inputs, TensorFlow's static shapes by what is known)."""
    found = collections.defaultdict(list)
    for s in replay.load():
        node = text_format.Parse(s["node"], tf.NodeDef())
        arrays = [replay.decode(r, _numpy_type) for r in s["inputs"]]
        found[s["op"]].append((node, arrays, s["static"]))
    return found


# -- static shapes ---------------------------------------------------------------------------------


def _shape_differences(per_op: int | None, ways: list[str]) -> list[str]:
    problems = []
    for name, kept in samples().items():
        for node, arrays, static in kept[:per_op]:
            for way in ways:
                mine = replay.static_shapes(tf, node, arrays, way)
                if mine != static[way] and name not in OTHER_SHAPES:
                    given_shapes = [a.shape for a in arrays]
                    problems.append(
                        f"{name} of {given_shapes}, known {way}: {mine}, not {static[way]}"
                    )
    return problems


def test_static_shapes_are_tensorflows():
    problems = _shape_differences(1, ["known", "dims"])
    assert not problems, "\n".join(problems)


@pytest.mark.slow
def test_static_shapes_of_half_known_inputs_are_tensorflows():
    problems = _shape_differences(None, list(replay.WAYS))
    assert not problems, "\n".join(problems)


def test_other_shapes_are_other():
    for name in OTHER_SHAPES:
        differ = [
            way
            for node, arrays, static in samples()[name]
            for way in replay.WAYS
            if replay.static_shapes(tf, node, arrays, way) != static[way]
        ]
        assert differ, f"{name} no longer differs: take it off the list"


def test_nearly_every_op_has_a_shape_rule():
    without = [n for n, r in opdef.records().items() if r.shape is None and r.definition.outputs]
    assert not without


# -- rules and kernels -----------------------------------------------------------------------------

PROMISED = {"AccumulateNV2"}  # an attr promises the shape, and nothing holds it against the inputs


def _resized(array: np.ndarray, sizes: dict[int, int]) -> np.ndarray:
    """An array of other sizes, with the same values over and over."""
    shape = [sizes.get(s, s) for s in array.shape]
    if not array.size:
        return np.zeros(shape, array.dtype) if array.dtype != object else np.full(shape, b"")
    return np.resize(array, shape)


def _inputs(arrays: list[np.ndarray], known: list[int]) -> tuple[list[Any], dict[Any, Any]]:
    """Tensors: 0 a constant where it may be one, 1 full shape, 2 rank, 3 nothing, 4 a size less."""
    tensors, feeds = [], {}
    for i, (array, how) in enumerate(zip(arrays, known, strict=True)):
        dtype = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
        if how == 0 and replay.is_constant(array):
            tensors.append(tf.constant(array, dtype, array.shape))
            continue
        shape: Any = list(array.shape)
        if how == 2:
            shape = [None] * array.ndim
        elif how == 3:
            shape = None
        elif how == 4 and shape:
            shape[i % len(shape)] = None
        tensors.append(tf.placeholder(dtype, shape))
        feeds[tensors[-1]] = array
    return tensors, feeds


def _run(node: Any, arrays: list[np.ndarray], known: list[int]) -> Any:
    """(static shapes, values), or the words of the error that says no."""
    with tf.Graph().as_default():
        tensors, feeds = _inputs(arrays, known)
        try:
            outputs = replay.build(tf, node, tensors)
        except ValueError as error:
            return f"refused when built: {error}"
        shapes = [y.shape for y in outputs]
        with tf.Session() as session:
            try:
                return shapes, session.run(outputs, feeds)
            except tf.errors.OpError as error:
                return f"refused when run: {error.message}"


def _check_rule(name: str, random: np.random.RandomState) -> None:
    """Draw one sample of an op, other sizes, and what is known of each input; build and run it."""
    kept = samples()[name]
    node, arrays, _ = kept[random.randint(len(kept))]
    distinct = sorted({s for a in arrays for s in a.shape if not replay.is_constant(a)})
    if random.rand() < 0.6:
        new = {s: random.choice([s, s, 0, 1, 2, 3, 5]) for s in distinct}
        arrays = [a if replay.is_constant(a) else _resized(a, new) for a in arrays]
    known = random.randint(0, 5, len(arrays)).tolist()
    found = _run(node, arrays, known)
    given = f"{name} of {[a.shape for a in arrays]}, known {known}"
    if isinstance(found, str):
        if found.startswith("refused when built") and max(known) < 2:
            # What the rule refuses, the kernel refuses too.
            assert isinstance(_run(node, arrays, [3] * len(arrays)), str), f"{given}: {found}"
        return
    for static, value in zip(*found, strict=True):
        shape = np.shape(value)
        assert static.is_compatible_with(shape), f"{given}: {static} is promised, {shape} given"


def _check_rules(examples: int) -> None:
    problems = []
    for name in samples():
        random = np.random.RandomState(zlib.crc32(name.encode()))
        try:
            for _ in range(0 if name in PROMISED else examples):
                _check_rule(name, random)
        except Exception as error:  # all of them at once tell more than the first
            problems.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
    assert not problems, "\n".join(problems)


def test_shape_rules_fit_kernels():
    _check_rules(1)


@pytest.mark.slow
def test_shape_rules_fit_kernels_for_many_shapes():
    _check_rules(6)
