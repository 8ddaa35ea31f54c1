"""What holds the house together: names, arguments, cases of every op, shape rules, interpreter."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import plans
import pytest

HERE = Path(__file__).resolve().parent

import api
import harness

import relight.v1 as tf
from relight.engine import interpreter, session
from relight.graph import opdef
from relight.ops import call

# -- names and arguments ---------------------------------------------------------------------------

# Names that TensorFlow 1.15 has, but that its list of public names leaves out: modules that are
# reached as attributes of their package.
UNLISTED = (
    "contrib.factorization.",
    "contrib.feature_column.",
    "contrib.framework.nest.",
    "contrib.learn.datasets.",
    "contrib.learn.preprocessing.",
    "contrib.slim.prefetch_queue.",
    "contrib.training.hparam.",
)

OTHER_ARGUMENTS = {
    "Operation": "made by Graph.create_op; programs do not call it",
    "data.Dataset": "abstract in TensorFlow; programs call its static methods",
    "data.Iterator": "made by Dataset.make_*_iterator; one private argument at the end",
    "contrib.data.bucket_by_sequence_length": "tf.data's function, one argument more at the end",
}


@functools.cache
def exported() -> dict[str, Any]:
    return api.exported()


def test_exported_names_are_tensorflows():
    known = {
        f"{space}.{member}" if space else member
        for space, members in api.namespaces().items()
        for member in members
    }
    strange = [n for n in exported() if n not in known and not n.startswith(UNLISTED)]
    assert not strange, f"TensorFlow 1.15 has no {strange}"


def _split(text: str) -> list[tuple[str, str | None]]:
    """(name, default as text or None) of each argument of a list."""
    parts, depth, quote, current = [], 0, "", ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        depth += 0 if quote else (c in "([{<") - (c in ")]}>")
        if c == "," and depth == 0 and not quote:
            parts.append(current)
            current = ""
        else:
            current += c
    if current.strip():
        parts.append(current)
    pairs = [p.strip().partition("=") for p in parts]
    return [(name, default if equals else None) for name, equals, default in pairs]


def _arguments(thing: Any) -> list[tuple[str, Any]]:
    """(name, default) of a function's or class's arguments, `self` left out."""
    target, skip = thing, 0
    if inspect.isclass(thing) and thing.__init__ is not object.__init__:
        target, skip = thing.__init__, 1
    parameters = list(inspect.signature(target).parameters.values())[skip:]
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [(stars.get(p.kind, "") + p.name, p.default) for p in parameters]


def _same_default(wanted: str | None, ours: Any) -> bool:
    if wanted is None or ours is inspect.Parameter.empty:
        return wanted is None and ours is inspect.Parameter.empty
    if repr(ours) == wanted or wanted.endswith(f": {ours!r}>"):  # an enum's value stands for it
        return True
    try:
        return ast.literal_eval(wanted) == ours
    except (ValueError, SyntaxError):  # a type, a function, an object
        return not wanted.startswith("tf.") and not isinstance(ours, (int, float, str, tuple, list))


def test_split_of_arguments():
    assert _split("a, b=None, c=[1, 2], d='x, y', **kwargs") == [
        ("a", None), ("b", "None"), ("c", "[1, 2]"), ("d", "'x, y'"), ("**kwargs", None),
    ]  # fmt: skip


def test_arguments_are_tensorflows():
    problems = []
    for name, thing in exported().items():
        kind, text = api.arguments().get(name, ("", "*args"))
        wanted = _split(text)[1:] if kind else _split(text)
        if name in OTHER_ARGUMENTS or any(n.startswith("*args") for n, _ in wanted):
            continue  # TensorFlow's own list says nothing: a decorator hides it
        ours = _arguments(thing)
        if [n for n, _ in ours] != [n for n, _ in wanted]:
            problems.append(f"tf.{name}{[n for n, _ in ours]}, TensorFlow {[n for n, _ in wanted]}")
            continue
        problems += [
            f"tf.{name}: {argument}={mine!r}, TensorFlow {default}"
            for (argument, default), (_, mine) in zip(wanted, ours)
            if not _same_default(default, mine)
        ]
    assert not problems, "\n".join(problems)


def test_allowed_differences_exist():
    gone = [n for n in OTHER_ARGUMENTS if n not in exported()]
    assert not gone


@pytest.mark.slow
def test_namespaces_are_current():
    script = HERE.parent / "tools" / "namespaces.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- coverage --------------------------------------------------------------------------------------


def test_coverage_only_rises():
    found = api.figures()["summary"]
    stored = json.loads(api.FIGURES.read_text())
    fallen = {k: (v, found[k]) for k, v in stored.items() if found[k] < v}
    assert not fallen, f"coverage fell (before, now): {fallen}"


def test_support_page_is_current():
    assert api.SUPPORT.read_text() == api.page(api.figures()), "run `make api` with --write"


# -- ops -------------------------------------------------------------------------------------------


def test_kernels_take_what_the_signature_gives():
    """A kernel's positional arguments are the op's inputs, its keywords are attrs of the op."""
    problems = []
    for name, record in opdef.records().items():
        definition = record.definition
        unknown = record.host - {a.name for a in definition.inputs}
        if unknown:
            problems.append(f"{name}: host names no input: {sorted(unknown)}")
        if record.writes is not None and record.writes not in {a.name for a in definition.inputs}:
            problems.append(f"{name}: writes names no input: {record.writes}")
        if record.views is not None and not record.views < len(definition.inputs):
            problems.append(f"{name}: views names no input: {record.views}")
        if record.specialise:
            continue
        try:
            parameters = list(inspect.signature(record.kernel).parameters.values())
        except ValueError:  # one of PyTorch's built-in functions
            continue
        keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        strange = [k for k in keywords if k not in definition.attrs]
        if strange:
            problems.append(f"{name}: attrs that the op does not have: {strange}")
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            continue
        places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        given = len(definition.inputs) + record.takes_session
        needed = sum(p.default is p.empty for p in places)
        if not needed <= given <= len(places):
            problems.append(f"{name}: kernel takes {len(places)} inputs, the op has {given}")
    assert not problems, "\n".join(problems)


CASES = HERE / "cases"
# Ops that are no step of a plan: that the graph has them is all that can be seen.
NOT_BOUND = {"Const", "NoOp", "ControlTrigger", "If", "StatelessIf", "While", "StatelessWhile"}


class _Seen:
    """What the cases of one family touch, and where interpreter and goldens disagree."""

    def __init__(self) -> None:
        self.ops: set[str] = set()
        self.gradients: set[str] = set()
        self.problems: list[str] = []


@contextlib.contextmanager
def _watched(seen: _Seen):
    """Run plans without any rewriting pass in the checking interpreter; note kernels and rules."""
    from relight.graph.graph import Graph

    bind, scopes = call.bind, Graph._apply_scopes
    rules = {r: r.gradient_function for r in opdef._records.values() if r.gradient_function}
    instead = session._run_instead

    def noting_bind(node: Any) -> Any:
        seen.ops.add(node.type)
        return bind(node)

    def noting_scopes(graph: Any, op: Any) -> None:
        if op.type in NOT_BOUND:
            seen.ops.add(op.type)
        scopes(graph, op)

    def noting_rule(name: str, rule: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            seen.gradients.add(name)
            return rule(*args, **kwargs)

        return noted

    try:
        call.bind, Graph._apply_scopes = noting_bind, noting_scopes
        for record, rule in rules.items():
            record.gradient_function = noting_rule(record.name, rule)
        session.run_plans_by(interpreter.run)
        with plans.bare():
            yield
    finally:
        call.bind, Graph._apply_scopes = bind, scopes
        for record, rule in rules.items():
            record.gradient_function = rule
        session.run_plans_by(instead)


@functools.cache
def _family(family: str) -> _Seen:
    """Run the cases of a family step by step; compare with the goldens, or with the plain way."""
    seen = _Seen()
    goldens = harness.load(str(HERE / "golden" / f"{family}.json"))
    for name, function in harness.cases(family).items():
        with _watched(seen):
            found = harness.run(tf, function)
        golden = goldens.get(name)
        if golden is not None and not _differences(function, golden, found):
            continue
        plain = harness.run(tf, function)
        problems = _differences(function, plain, found)
        seen.problems += [f"{family}/{name}: {p}" for p in problems[:1]]
    return seen


def _differences(function: Any, a: dict, b: dict) -> list[str]:
    a, b = ({k: v for k, v in x.items() if k != "nodes"} for x in (a, b))
    return harness.differences(
        a, b, getattr(function, "rtol", 1e-5), getattr(function, "atol", 1e-6),
        getattr(function, "seeded", True), False,
    )  # fmt: skip


FAMILIES = harness.families(str(CASES))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_plans_step_by_step(family):
    """The plain interpreter, without passes and with every value's type and shape checked, gives
    what the generated functions give: rewritings change nothing, and shape rules tell the truth."""
    assert not _family(family).problems, "\n".join(_family(family).problems)


@pytest.mark.slow
def test_every_op_and_gradient_has_a_case():
    ops = set().union(*(_family(f).ops for f in FAMILIES))
    gradients = set().union(*(_family(f).gradients for f in FAMILIES))
    lacking = {n for n in opdef.records() if n not in ops}
    lacking |= {
        f"gradient:{n}"
        for n, r in opdef._records.items()
        if r.gradient_function is not None and n not in gradients and n in opdef.signature_lines()
    }
    assert not lacking, f"no case touches {sorted(lacking)}: add one to tests/cases"


# -- gradients by differences ----------------------------------------------------------------------


def _gradient_table() -> dict[str, tuple[Any, list[list[int]], float, float]]:
    """Name -> (function of float64 tensors, shapes of the tensors, lowest value, highest value)."""
    table: dict[str, tuple[Any, list[list[int]], float, float]] = {}
    unary = {
        (-2, 2): "sin cos tanh sigmoid exp expm1 square sinh cosh erf erfc asinh atan negative "
        "identity nn.softplus nn.elu nn.selu nn.softsign nn.softmax nn.log_softmax nn.l2_loss "
        "nn.relu nn.relu6 nn.leaky_relu abs reduce_logsumexp cumsum cumprod math.bessel_i0e "
        "math.bessel_i1e",
        (0.2, 2): "sqrt rsqrt log log1p lgamma digamma reciprocal",
        (-0.9, 0.9): "asin acos atanh tan",
        (1.2, 3): "acosh",
        (-3, 3): "reduce_sum reduce_mean reduce_max reduce_min reduce_prod transpose",
    }
    for (low, high), names in unary.items():
        for name in names.split():
            function = api.find(name)
            if callable(function):
                table[name] = (function, [[2, 3]], low, high)
    binary = {
        "add subtract multiply divide maximum minimum squared_difference": ([2, 3], [3]),
        "pow math.xlogy math.xdivy realdiv truediv div_no_nan": ([2, 3], [2, 1]),
        "atan2": ([2, 3], [2, 3]),  # its gradient does not reduce broadcasts, as in TensorFlow
    }
    for names, (a, b) in binary.items():
        for name in names.split():
            table[name] = (api.find(name), [a, b], 0.6, 0.9)
    spd = lambda a: tf.matmul(a, a, transpose_b=True) + 2.0 * tf.eye(3, dtype=tf.float64)
    table |= {
        "matmul": (tf.matmul, [[2, 3], [3, 2]], -1, 1),
        "matmul batched": (tf.matmul, [[2, 2, 3], [2, 3, 2]], -1, 1),
        "matmul transposed": (
            lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True), [[3, 2], [2, 3]],
            -1, 1,
        ),
        "tensordot": (lambda a, b: tf.tensordot(a, b, 1), [[2, 3], [3, 2]], -1, 1),
        "einsum": (lambda a, b: tf.einsum("ij,jk->ki", a, b), [[2, 3], [3, 2]], -1, 1),
        "matrix_inverse": (lambda a: tf.matrix_inverse(spd(a)), [[3, 3]], -1, 1),
        "matrix_determinant": (lambda a: tf.matrix_determinant(spd(a)), [[3, 3]], -1, 1),
        "cholesky": (lambda a: tf.cholesky(spd(a)), [[3, 3]], -1, 1),
        "matrix_solve": (lambda a, b: tf.matrix_solve(spd(a), b), [[3, 3], [3, 1]], -1, 1),
        "matrix_triangular_solve": (
            lambda a, b: tf.matrix_triangular_solve(spd(a), b), [[3, 3], [3, 1]], -1, 1,
        ),
        "self_adjoint_eigvals": (lambda a: tf.self_adjoint_eigvals(spd(a)), [[3, 3]], -1, 1),
        "svd": (lambda a: tf.svd(a, compute_uv=False), [[2, 3]], -1, 1),
        "qr": (lambda a: tf.qr(spd(a))[1], [[3, 3]], -1, 1),
        "trace": (tf.trace, [[3, 3]], -1, 1),
        "diag": (tf.diag, [[3]], -1, 1),
        "matrix_band_part": (lambda a: tf.matrix_band_part(a, 1, 0), [[3, 3]], -1, 1),
        "concat": (lambda a, b: tf.concat([a, b], 1), [[2, 3], [2, 2]], -1, 1),
        "stack": (lambda a, b: tf.stack([a, b], 1), [[2, 3], [2, 3]], -1, 1),
        "unstack": (lambda a: tf.unstack(a)[1], [[2, 3]], -1, 1),
        "split": (lambda a: tf.split(a, 3, 1)[2], [[2, 3]], -1, 1),
        "slice": (lambda a: a[::-1, 1:3], [[3, 4]], -1, 1),
        "reshape": (lambda a: tf.reshape(a, [3, 2]), [[2, 3]], -1, 1),
        "tile": (lambda a: tf.tile(a, [2, 1]), [[2, 3]], -1, 1),
        "pad": (lambda a: tf.pad(a, [[1, 0], [0, 2]]), [[2, 3]], -1, 1),
        "mirror pad": (lambda a: tf.pad(a, [[1, 0], [0, 2]], "REFLECT"), [[2, 3]], -1, 1),
        "gather": (lambda a: tf.gather(a, [1, 0, 1]), [[2, 3]], -1, 1),
        "gather_nd": (lambda a: tf.gather_nd(a, [[1, 2], [0, 0]]), [[2, 3]], -1, 1),
        "reverse": (lambda a: tf.reverse(a, [1]), [[2, 3]], -1, 1),
        "where": (lambda a, b: tf.where(a > b, a, b), [[2, 3], [2, 3]], -1, 1),
        "clip_by_value": (lambda a: tf.clip_by_value(a, -0.5, 0.5), [[2, 3]], -1, 1),
        "clip_by_norm": (lambda a: tf.clip_by_norm(a, 0.5), [[2, 3]], 0.5, 1),
        "l2_normalize": (lambda a: tf.nn.l2_normalize(a, 1), [[2, 3]], 0.5, 1),
        "moments": (lambda a: tf.nn.moments(a, [0])[1], [[4, 2]], -1, 1),
        "segment_sum": (lambda a: tf.segment_sum(a, [0, 0, 1]), [[3, 2]], -1, 1),
        "segment_max": (lambda a: tf.segment_max(a, [0, 0, 1]), [[3, 2]], -1, 1),
        "unsorted_segment_sum": (
            lambda a: tf.unsorted_segment_sum(a, [1, 0, 1], 3), [[3, 2]], -1, 1,
        ),
        "cumsum reverse": (
            lambda a: tf.cumsum(a, 1, exclusive=True, reverse=True), [[2, 3]], -1, 1,
        ),
        "bias_add": (tf.nn.bias_add, [[2, 3], [3]], -1, 1),
        "softmax loss": (
            lambda a: tf.nn.softmax_cross_entropy_with_logits_v2(
                labels=tf.constant([[0.2, 0.3, 0.5]] * 2, tf.float64), logits=a
            ), [[2, 3]], -1, 1,
        ),
        "sparse softmax loss": (
            lambda a: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2], logits=a),
            [[2, 3]], -1, 1,
        ),
        "conv2d": (
            lambda a, b: tf.nn.conv2d(a, b, [1, 2, 1, 1], "SAME"), [[1, 4, 4, 2], [3, 2, 2, 2]],
            -1, 1,
        ),
        "conv2d_transpose": (
            lambda a, b: tf.nn.conv2d_transpose(a, b, [1, 4, 4, 1], [1, 2, 2, 1]),
            [[1, 2, 2, 2], [3, 3, 1, 2]], -1, 1,
        ),
        "depthwise_conv2d": (
            lambda a, b: tf.nn.depthwise_conv2d(a, b, [1, 1, 1, 1], "VALID"),
            [[1, 3, 3, 2], [2, 2, 2, 2]], -1, 1,
        ),
        "max_pool": (
            lambda a: tf.nn.max_pool(a, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), [[1, 3, 3, 2]], -1, 1,
        ),
        "avg_pool": (
            lambda a: tf.nn.avg_pool(a, [1, 2, 2, 1], [1, 1, 1, 1], "SAME"), [[1, 3, 3, 2]], -1, 1,
        ),
        "space_to_depth": (lambda a: tf.space_to_depth(a, 2), [[1, 2, 2, 1]], -1, 1),
        "depth_to_space": (lambda a: tf.depth_to_space(a, 2), [[1, 1, 1, 4]], -1, 1),
    }  # fmt: skip
    return table


GRADIENTS = _gradient_table()


@pytest.mark.parametrize("name", sorted(GRADIENTS))
def test_gradient_by_differences(name):
    function, shapes, low, high = GRADIENTS[name]
    random = np.random.RandomState(len(name))
    starts = [random.uniform(low, high, shape) for shape in shapes]
    with tf.Graph().as_default(), tf.Session():
        inputs = [tf.placeholder_with_default(s, s.shape) for s in starts]
        y = function(*inputs)
        shape = y.eval().shape
        error = tf.test.compute_gradient_error(inputs, shapes, y, shape, starts, delta=1e-5)
    assert error < 2e-6, f"gradients of {name} differ by {error}"


def test_gradient_checker_sees_a_wrong_gradient():
    @tf.custom_gradient
    def twice(x):
        return 2.0 * x, lambda grad: 3.0 * grad

    with tf.Graph().as_default(), tf.Session():
        x = tf.constant([1.0, 2.0])
        theory, numeric = tf.test.compute_gradient(x, [2], twice(x), [2])
        assert np.allclose(theory, 3 * np.eye(2)) and np.allclose(numeric, 2 * np.eye(2), atol=1e-2)


def test_every_module_imports():
    root = HERE.parent / "relight"
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            importlib.import_module(".".join(p for p in parts if p != "__init__"))


# -- what is written of it -------------------------------------------------------------------------


def test_every_environment_variable_is_documented_in_one_place():
    root = HERE.parent
    read = {
        name
        for path in (root / "relight").rglob("*.py")
        for name in re.findall(r"\bRELIGHT_[A-Z0-9_]+", path.read_text("utf-8"))
    }
    page = (root / "docs/environment.md").read_text("utf-8")
    assert read and read == set(re.findall(r"^\| `(RELIGHT_[A-Z0-9_]+)`", page, re.MULTILINE))
