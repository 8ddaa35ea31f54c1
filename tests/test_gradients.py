"""Every gradient rule against differences: single nodes of the cases, nudged in one direction."""

from __future__ import annotations

import contextlib
import copy
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

HERE = Path(__file__).resolve().parent

import replay
import test_rules
from test_samples import samples

import relight.v1 as tf
from relight.graph import opdef

# Rules that ignore gradients of the other outputs, which are helpers: a gradient computed on the
# way, statistics, a sign.
ONE_OUTPUT = {
    "CTCLoss", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "FusedBatchNormGrad",
    "FusedBatchNormGradV2", "FusedBatchNormGradV3", "LogMatrixDeterminant",
    "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits",
}  # fmt: skip

# Rules of real numbers: for complex ones TensorFlow's lack a conjugate, and so do these.
REAL_ONLY = {
    "LogMatrixDeterminant", "MatrixDeterminant", "MatrixSquareRoot", "Xdivy", "Xlogy",
}  # fmt: skip

# Rules that no nudge of a sample can check, and why. Those with a `*` are checked in
# tests/test_rules.py, through functions made for them.
NOT_BY_SAMPLES = {
    "Cholesky": "* needs a symmetric matrix",
    "SelfAdjointEigV2": "* needs a symmetric matrix",
    "RandomGamma": "draws anew each time",
    "SoftmaxCrossEntropyWithLogits": "* holds for labels whose sum is 1",
    "FusedBatchNormGrad": "its saved statistics belong to its input: cases hold its gradients",
    "FusedBatchNormGradV2": "the same",
    "FusedBatchNormGradV3": "the same",
    "Atan2": "* has samples in 16 bits only",
    "Switch": "tests/test_flow.py has its gradients, in loaded graphs",
    "Merge": "the same",
    "RefSwitch": "the same rule as Switch's, of references, which cannot be nudged",
    "RefMerge": "the same",
    "FakeQuantWithMinMaxArgs": "passes gradients straight through the steps of its rounding",
    "FakeQuantWithMinMaxVars": "the same",
    "FakeQuantWithMinMaxVarsPerChannel": "the same",
    "DynamicStitch": "gives values that are overwritten a gradient too, as TensorFlow's does",
}


# Rules that say None, or refuse.
NO_GRADIENT = {
    "ArgMax", "ArgMin", "Ceil", "Floor", "FloorDiv", "PreventGradient", "Rint", "Round",
    "SparseDenseCwiseAdd", "SparseSparseMaximum", "SparseSparseMinimum", "TruncateDiv",
}  # fmt: skip

# Inputs in place of the samples', where those lie on kinks: gray and pure colours, borders of
# pixels, the nearest pixel.
OWN_INPUTS = {
    "RGBToHSV": lambda r: [
        np.float32([r.permutation([0.2, 0.5, 0.8]) + r.uniform(0, 0.1, 3) for _ in range(20)])
    ],
    "CropAndResize": lambda r: [
        r.uniform(0, 1, (1, 6, 5, 2)).astype(np.float32),
        np.float32([[0.13, 0.22, 0.71, 0.83]]),
        np.int32([0]),
        np.int32([3, 4]),
    ],
}


def _wider(node: Any, arrays: list[np.ndarray]) -> Any:
    """A sample in float64, so that differences are exact enough; None when the op does not allow
    it."""
    text = text_format.MessageToString(node)
    for narrow in ("DT_FLOAT", "DT_HALF", "DT_BFLOAT16"):
        text = text.replace(narrow + "\n", "DT_DOUBLE\n")
    wide = text_format.Parse(text.replace("DT_COMPLEX64", "DT_COMPLEX128"), tf.NodeDef())
    kinds = dict.fromkeys(("float32", "float16", "bfloat16"), np.float64)
    kinds["complex64"] = np.complex128
    return wide, [a.astype(kinds.get(str(a.dtype), a.dtype)) for a in arrays]


def _nudged(arrays: list[np.ndarray], random: np.random.RandomState) -> list[np.ndarray]:
    """The same inputs a little to the side, away from ties and kinks."""
    return [
        a + 0.01 * random.uniform(-1, 1, a.shape).astype(a.dtype) if a.dtype.kind in "fc" else a
        for a in arrays
    ]


def _slopes(node: Any, arrays: list[np.ndarray], random: np.random.RandomState) -> Any:
    """(slope by the rule, by differences, tolerance) along one direction; None: no gradients."""
    with tf.Graph().as_default():
        tensors, feeds = replay.feeds_and_constants(tf, arrays, "known")
        outputs = replay.build(tf, node, tensors)
        ys = [y for y in outputs if y.dtype.is_floating or y.dtype.is_complex]
        ys = ys[:1] if node.op in ONE_OUTPUT else ys
        xs = [t for t in feeds if t.dtype.is_floating or t.dtype.is_complex]
        with tf.Session() as session:
            found = session.run(ys, feeds)
            if any(v.dtype.itemsize == 2 for v in [*found, *feeds.values()]):
                return None  # 16 bits are too few for differences
            weights = [random.uniform(0.5, 1.5, np.shape(v)).astype(v.dtype) for v in found]
            grads = tf.gradients(ys, xs, [tf.constant(w) for w in weights])
            pairs = [(x, g) for x, g in zip(xs, grads, strict=True) if g is not None]
            if not pairs:
                return None
            dense = [tf.convert_to_tensor(g) for _, g in pairs]
            by_rule, scale = 0.0, 0.0
            steps = {}
            for (x, _), value in zip(pairs, session.run(dense, feeds), strict=True):
                step = random.uniform(-1, 1, value.shape) * np.any(value)
                if value.dtype.kind == "c":
                    step = step + 1j * random.uniform(-1, 1, value.shape)
                steps[x] = step.astype(value.dtype)
                by_rule += np.sum(np.real(np.conj(value) * step))
                scale += np.sum(np.abs(value * step))
            exact = all(v.real.dtype == np.float64 for v in [*found, *steps.values()])
            size = 1e-6 if exact else 1e-3

            def at(side: float) -> float:
                moved = {x: feeds[x] + feeds[x].dtype.type(side) * d for x, d in steps.items()}
                values = session.run(ys, {**feeds, **moved})
                return sum(
                    np.sum(np.real(np.conj(w) * v).astype(np.float64))
                    for w, v in zip(weights, values, strict=True)
                )

            return (
                by_rule,
                (at(size) - at(-size)) / (2 * size),
                (1e-4 if exact else 2e-2) * (scale + 1e-3),
            )


def _check_gradient(name: str) -> tuple[bool, list[str]]:
    """(whether some sample's gradients were compared, what is wrong)."""
    compared, problems = False, []
    random = np.random.RandomState(zlib.crc32(name.encode()))
    for node, arrays, _ in samples()[name]:
        node = copy.deepcopy(node)  # the samples are everybody's
        if name in OWN_INPUTS:
            arrays = OWN_INPUTS[name](random)
            node.attr["T"].type = tf.float32.as_datatype_enum
            if node.op == "CropAndResize":
                node.attr["method"].s = b"bilinear"
        if name in REAL_ONLY and any(a.dtype.kind == "c" for a in arrays):
            continue
        if any(a.dtype.kind == "f" and a.size and np.max(np.abs(a)) > 1e9 for a in arrays):
            continue  # no difference of such numbers says anything
        found = None
        for wide, nudge in ((True, True), (False, True), (True, False), (False, False)):
            try:
                one, given = _wider(node, arrays) if wide else (node, arrays)
                found = _slopes(one, _nudged(given, random) if nudge else given, random)
            except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError):
                continue
            if found is None or np.all(np.isfinite(found)):
                break
        if found is None or not np.all(np.isfinite(found)):
            continue
        compared = True
        by_rule, by_difference, tolerance = found
        if abs(by_rule - by_difference) > tolerance:
            kinds = [f"{a.dtype}{list(a.shape)}" for a in arrays]
            problems.append(f"{name} of {', '.join(kinds)}: {by_rule}, not {by_difference}")
    return compared, problems


def _differentiable() -> list[str]:
    records = opdef._records.items()
    known = opdef.signature_lines()
    return sorted(n for n, r in records if r.gradient_function is not None and n in known)


# -- functions made for rules of nodes that cannot stand alone -------------------------------------


def _list(x: Any) -> Any:
    return tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=[2])


def _items(handle: Any) -> Any:
    return tf.raw_ops.TensorListStack(
        input_handle=handle, element_shape=[2], element_dtype=tf.float64
    )


def _joined(version: str) -> Any:
    more: dict[str, Any] = {"element_shape": [None, 2]}
    if version == "V2":
        more = {"element_shape": [-1, 2], "leading_dims": np.zeros(0, np.int64)}
    return lambda x: getattr(tf.raw_ops, "TensorListConcat" + version)(
        input_handle=_split(x), element_dtype=tf.float64, **more
    )[0]


def _split(x: Any) -> Any:
    return tf.raw_ops.TensorListSplit(tensor=x, element_shape=[-1, 2], lengths=np.int64([1, 2]))


def _pop_and_push(x: Any) -> Any:
    handle, last = tf.raw_ops.TensorListPopBack(
        input_handle=_list(x), element_shape=[2], element_dtype=tf.float64
    )
    return _items(tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=last * x[0]))


def _set_and_get(x: Any) -> Any:
    handle = tf.raw_ops.TensorListSetItem(input_handle=_list(x), index=1, item=x[0] * x[2])
    item = tf.raw_ops.TensorListGetItem(
        input_handle=handle, index=1, element_shape=[2], element_dtype=tf.float64
    )
    return _items(tf.raw_ops.TensorListResize(input_handle=handle, size=2)) * item


def _gathered(x: Any) -> Any:
    return tf.raw_ops.TensorListGather(
        input_handle=_list(x), indices=[2, 0], element_shape=[2], element_dtype=tf.float64
    )


def _scattered(version: str) -> Any:
    more = {"V2": {"num_elements": 3}}.get(version, {})
    return lambda x: _items(
        getattr(tf.raw_ops, "TensorListScatter" + version)(
            tensor=x, indices=[2, 0, 1], element_shape=[2], **more
        )
    )


def _scattered_into(x: Any) -> Any:
    return _items(
        tf.raw_ops.TensorListScatterIntoExistingList(
            input_handle=_list(x * x), tensor=x[:2], indices=[2, 0]
        )
    )


def _noise() -> Any:
    return tf.random_uniform([], 1.0, 1.0, tf.float64)  # stateful, and always 1


def _loop(body: Any) -> Any:
    return lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, body(x, y)), (0, x))[1]


HANDMADE = {
    "Cast": lambda x: tf.cast(tf.cast(x, tf.complex128), tf.float64),
    "FloorMod": lambda x: tf.floormod(x, 0.4),
    "UnsortedSegmentMax": lambda x: tf.unsorted_segment_max(x, [1, 0, 1], 2),
    "UnsortedSegmentMin": lambda x: tf.unsorted_segment_min(x, [1, 0, 1], 2),
    "StatelessIf": lambda x: tf.cond(x[0, 0] > 9, lambda: x, lambda: x * x),
    "If": lambda x: tf.cond(x[0, 0] > 9, lambda: x, lambda: x * x * _noise()),
    "StatelessWhile": _loop(lambda x, y: tf.sin(x * y)),
    "While": _loop(lambda x, y: tf.sin(x * y) * _noise()),
    "TensorListFromTensor": lambda x: _items(_list(x * x)),
    "TensorListStack": lambda x: tf.exp(_items(_list(x))),
    "TensorListConcat": _joined(""),
    "TensorListConcatV2": _joined("V2"),
    "TensorListSplit": _joined(""),
    "TensorListPushBack": _pop_and_push,
    "TensorListPopBack": _pop_and_push,
    "TensorListGetItem": _set_and_get,
    "TensorListSetItem": _set_and_get,
    "TensorListResize": _set_and_get,
    "TensorListGather": _gathered,
    "TensorListScatter": _scattered(""),
    "TensorListScatterV2": _scattered("V2"),
    "TensorListScatterIntoExistingList": _scattered_into,
}


@contextlib.contextmanager
def _noted_rules() -> Iterator[set[str]]:
    """The names of the rules that are used meanwhile."""
    used: set[str] = set()
    rules = {r: r.gradient_function for r in opdef._records.values() if r.gradient_function}

    def noting(name: str, rule: Any) -> Any:
        return lambda *args, **kwargs: used.add(name) or rule(*args, **kwargs)

    try:
        for record, rule in rules.items():
            record.gradient_function = noting(record.name, rule)
        yield used
    finally:
        for record, rule in rules.items():
            record.gradient_function = rule


@pytest.mark.parametrize("name", sorted(HANDMADE))
def test_gradient_of_a_function_made_for_it(name):
    start = np.random.RandomState(len(name)).uniform(0.5, 0.9, [3, 2])
    with tf.Graph().as_default(), tf.Session(), _noted_rules() as used:
        x = tf.placeholder_with_default(start, [3, 2])
        y = HANDMADE[name](x)
        shape = y.eval().shape
        error = tf.test.compute_gradient_error(x, [3, 2], y, shape, start, delta=1e-6)
    assert name in used
    assert error < 1e-6


@pytest.mark.parametrize("name", ["ReadVariableOp", "ResourceGather"])
def test_gradient_of_a_variable(name):
    with tf.Graph().as_default(), tf.Session() as session, _noted_rules() as used:
        v = tf.get_variable("v", initializer=[[0.5, 0.25], [2.0, 1.0]], use_resource=True)
        y = tf.exp(v) if name == "ReadVariableOp" else tf.exp(tf.gather(v, [1, 0, 1]))
        total, (grad,) = tf.reduce_sum(y), tf.gradients(y, [v])
        shift = tf.placeholder(tf.float32, [2, 2])
        move = tf.assign_add(v, shift)
        session.run(v.initializer)
        found = session.run(tf.convert_to_tensor(grad))
        step = np.float32([[1e-3, -2e-3], [5e-4, 1e-3]])
        session.run(move, {shift: step})
        after = session.run(total)
        session.run(move, {shift: -2 * step})
        before = session.run(total)
    assert name in used
    np.testing.assert_allclose(np.sum(found * step), (after - before) / 2, rtol=1e-3)


@pytest.mark.slow
def test_every_gradient_rule_by_differences():
    problems, compared = [], set()
    for name in _differentiable():
        if name in samples() and name not in NOT_BY_SAMPLES:
            some, wrong = _check_gradient(name)
            problems += wrong
            compared |= {name} if some else set()
    compared |= {*NO_GRADIENT, *HANDMADE, *NOT_BY_SAMPLES, "ReadVariableOp", "ResourceGather"}
    without = [n for n in _differentiable() if n not in compared]
    assert not problems, "\n".join(problems)
    assert not without, f"no sample compares the gradients of {without}"


def test_lists_of_rules_are_true():
    """Rules that are said to be checked elsewhere are, and those without gradients have none."""
    with _noted_rules() as used:
        for function, shapes, *_ in test_rules.GRADIENTS.values():
            with tf.Graph().as_default():
                inputs = [tf.placeholder(tf.float64, s) for s in shapes]
                tf.gradients(function(*inputs), inputs)
    elsewhere = {n for n, why in NOT_BY_SAMPLES.items() if why.startswith("*")}
    assert not elsewhere - used
    for name in NO_GRADIENT & set(samples()):
        assert not _check_gradient(name)[0], f"{name} has gradients"
