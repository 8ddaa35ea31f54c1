"""`tf.test.TestCase` and the small functions of `tf.test`."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock as _mock

import numpy as np
from absl.testing import absltest
from google.protobuf import text_format
from tensorboard.compat.proto import config_pb2

from relight.engine.devices import gpus
from relight.engine.session import Session
from relight.graph import device, dtypes, errors, graph, seeds
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.v1 import app

mock = export("test.mock")(_mock)
_temporary: list[str] = []


@export("test.get_temp_dir")
def get_temp_dir() -> str:
    """A directory for the tests of this process; it is removed at exit.

    It lies under $TEST_TMPDIR where that is set.
    """
    if not _temporary:
        base = os.environ.get("TEST_TMPDIR")
        if base:
            made = tempfile.mkdtemp(prefix=base)
        else:
            program = os.path.splitext(os.path.basename(sys.argv[0] or "tests"))[0]
            made = tempfile.mkdtemp(prefix=program)
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        _temporary.append(made)
    return _temporary[0]


@export("test.test_src_dir_path")
def test_src_dir_path(relative_path: str) -> str:
    """Where a file of the source tree lies under $TEST_SRCDIR; KeyError when that is not set."""
    return os.path.join(os.environ["TEST_SRCDIR"], "org_tensorflow/tensorflow", relative_path)


@export("test.gpu_device_name")
def gpu_device_name() -> str:
    """The name of the first GPU that sessions compute on, or an empty string."""
    return next((f"/device:GPU:{d.index}" for d in gpus()), "")


@export("test.is_gpu_available")
def is_gpu_available(
    cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None
) -> bool:
    """Whether sessions compute on a GPU of at least that compute capability, (major, minor)."""
    del cuda_only
    if not gpu_device_name():
        return False
    if min_cuda_compute_capability is None:
        return True
    import torch

    return torch.cuda.get_device_capability() >= tuple(min_cuda_compute_capability)


@export("test.is_built_with_cuda")
def is_built_with_cuda() -> bool:
    """Whether this PyTorch was built with CUDA."""
    import torch

    return torch.version.cuda is not None


@export("test.is_built_with_rocm")
def is_built_with_rocm() -> bool:
    """Whether this PyTorch was built with ROCm."""
    import torch

    return torch.version.hip is not None


@export("test.is_built_with_gpu_support")
def is_built_with_gpu_support() -> bool:
    """Whether this PyTorch was built for GPUs."""
    return is_built_with_cuda() or is_built_with_rocm()


@export("test.main")
def main(argv: list[str] | None = None) -> None:
    """Run the tests of the main module, flags parsed, and exit."""
    arguments = sys.argv if argv is None else argv
    app.run(main=lambda rest: absltest.main(argv=rest), argv=arguments)


@export("test.assert_equal_graph_def")
def assert_equal_graph_def(
    actual: Any, expected: Any, checkpoint_v2: bool = False, hash_table_shared_name: bool = False
) -> None:
    """Check that two GraphDefs have the same nodes; their order and the versions do not matter.

    `checkpoint_v2` and `hash_table_shared_name` leave out what differs at random: the names of
    temporary checkpoint files and the shared names of hash tables. Raises AssertionError at the
    first difference, TypeError for anything but GraphDefs.
    """
    from tensorboard.compat.proto import graph_pb2

    for name, given in (("actual", actual), ("expected", expected)):
        if not isinstance(given, graph_pb2.GraphDef):
            raise TypeError(f"Expected tf.GraphDef for {name}, got {type(given).__name__}")
    mine, wanted = ({n.name: n for n in g.node} for g in (actual, expected))
    for name in wanted:
        if name not in mine:
            raise AssertionError(f"Did not find expected node '{name}'")
    for name, node in mine.items():
        if name not in wanted:
            raise AssertionError(f"Found unexpected node '{name}'")
        found, other = (
            _comparable(n, checkpoint_v2, hash_table_shared_name) for n in (node, wanted[name])
        )
        for part, value in other.items():
            if found[part] != value:
                raise AssertionError(
                    f"Node named '{name}' has {part} {found[part]!r} that does not match expected "
                    f"{value!r}"
                )


def _comparable(node: Any, checkpoint_v2: bool, tables: bool) -> dict[str, Any]:
    attrs = {k: v.SerializeToString(deterministic=True) for k, v in node.attr.items()}
    if checkpoint_v2 and "_temp" in str(node.attr["value"].tensor.string_val):
        attrs.pop("value", None)
    if tables and node.op in ("HashTable", "HashTableV2"):
        attrs.pop("shared_name", None)
    data = [i for i in node.input if not i.startswith("^")]
    control = sorted(i for i in node.input if i.startswith("^"))
    return {
        "op": node.op,
        "device": node.device,
        "inputs": data,
        "control inputs": control,
        "attrs": attrs,
    }


class _CheckedThread:
    """A thread whose failure is the test's; to be joined before the test ends."""

    def __init__(self, case: TestCase, target: Callable[..., Any], args: Any, kwargs: Any):
        self._case = case
        self._error: BaseException | None = None
        self._joined = False

        def run() -> None:
            try:
                target(*(args or ()), **(kwargs or {}))
            except Exception as error:  # reported by join(), in the test's own thread
                self._error = error

        self._thread = threading.Thread(target=run)

    def start(self) -> None:
        """Start the thread; once only."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread; the test fails when it raised."""
        self._joined = True
        self._thread.join()
        if self._error is not None:
            self._case.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def check_termination(self) -> None:
        """Fail when the thread was not joined."""
        if self._joined:
            return
        if self.is_alive():
            self._case.fail("A checkedThread was not terminated when the test ended.")
        self._case.fail("A checkedThread was not joined.")


class _Captured:
    """What was written to a stream meanwhile."""

    def __init__(self, path: str):
        self._path = path

    def contents(self) -> str:
        """The text so far."""
        with open(self._path, encoding="utf-8") as f:
            return f.read()


def _config(config: Any, force_gpu: bool) -> Any:
    """The config of a test's session: devices that are absent are replaced, unless GPUs are forced.

    As TensorFlow's, it drops what a given config says when it takes soft placement from it.
    """
    if config is not None and not (force_gpu and config.allow_soft_placement):
        return config
    return config_pb2.ConfigProto(allow_soft_placement=not force_gpu)


@export("test.TestCase")
class TestCase(absltest.TestCase):
    """A test with an empty default graph, fixed seeds, sessions, and comparisons of arrays."""

    def __init__(self, methodName: str = "runTest"):
        super().__init__(methodName)
        self._threads: list[_CheckedThread] = []
        self._tempdir: str | None = None
        self._cached_session: Session | None = None
        self._cached_with: tuple[Any, Any, bool] = (None, None, False)

    def setUp(self) -> None:
        """Seed Python, numpy and a new default graph."""
        self._clear_cached_session()
        random.seed(seeds.DEFAULT_GRAPH_SEED)
        np.random.seed(seeds.DEFAULT_GRAPH_SEED)
        graph._graphs.stack.clear()  # a test before this one may have left a `with` by an error
        graph.reset_default_graph()
        graph.get_default_graph().seed = seeds.DEFAULT_GRAPH_SEED
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")

    def tearDown(self) -> None:
        """Close the cached session; fail for threads that were not joined."""
        for thread in self._threads:
            thread.check_termination()
        self._clear_cached_session()

    def _clear_cached_session(self) -> None:
        if self._cached_session is not None:
            self._cached_session.close()
            self._cached_session = None

    def get_temp_dir(self) -> str:
        """A directory of this test alone."""
        if not self._tempdir:
            self._tempdir = tempfile.mkdtemp(dir=get_temp_dir())
        return self._tempdir

    # -- sessions ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """A new session, the default inside the block, with its graph; closed after it."""
        with (
            Session(graph=graph, config=_config(config, force_gpu)) as session,
            self._placed(session, use_gpu, force_gpu),
        ):
            yield session

    @contextlib.contextmanager
    def cached_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """The one session of this test, closed when it ends; ValueError for other arguments."""
        session = self._session_of_test(graph, config, force_gpu, strict=True)
        with self._placed(session, use_gpu, force_gpu):
            yield session

    @contextlib.contextmanager
    def test_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """The older spelling: `session` when a graph is given, else `cached_session`."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")
        if graph is not None:
            with self.session(graph, config, use_gpu, force_gpu) as session:
                yield session
            return
        session = self._session_of_test(graph, config, force_gpu, strict=False)
        with self._placed(session, use_gpu, force_gpu):
            yield session

    def _session_of_test(self, graph: Any, config: Any, force_gpu: bool, strict: bool) -> Session:
        if self._cached_session is None:
            self._cached_session = Session(graph=graph, config=_config(config, force_gpu))
            self._cached_with = (graph, config, force_gpu)
            return self._cached_session
        if strict:
            names = ("graph", "config", "force_gpu value")
            for name, old, new in zip(names, self._cached_with, (graph, config, force_gpu)):
                if old is not new:
                    raise ValueError(
                        f"The {name} used to get the cached session is different than the one "
                        "that was used to create the session. Maybe create a new session with "
                        "self.session()"
                    )
        return self._cached_session

    @contextlib.contextmanager
    def _placed(self, session: Session, use_gpu: bool, force_gpu: bool) -> Iterator[None]:
        with session.graph.as_default(), session.as_default():
            if force_gpu:
                with session.graph.device(gpu_device_name() or "/device:GPU:0"):
                    yield
            elif use_gpu:
                yield
            else:
                with session.graph.device("/device:CPU:0"):
                    yield

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors, in the default session or in this test's own."""
        session = graph.get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.test_session() as own:
            return own.run(tensors)

    def checkedThread(
        self, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> _CheckedThread:
        """A thread to start and join; an exception in it fails the test at `join`."""
        thread = _CheckedThread(self, target, args, kwargs)
        self._threads.append(thread)
        return thread

    @contextlib.contextmanager
    def captureWritesToStream(self, stream: Any) -> Iterator[_Captured]:
        """Catch what is written to a stream that has a file descriptor; see `.contents()`."""
        stream.flush()
        number = stream.fileno()
        handle, path = tempfile.mkstemp(dir=self.get_temp_dir())
        kept = os.dup(number)
        os.dup2(handle, number)
        try:
            yield _Captured(path)
        finally:
            stream.flush()
            os.dup2(kept, number)
            os.close(kept)
            os.close(handle)

    # -- comparisons -------------------------------------------------------------------------------

    def _array(self, value: Any) -> np.ndarray:
        if isinstance(value, Tensor):
            value = self.evaluate(value)
        return value if isinstance(value, np.ndarray) else np.array(value)

    def _same_shape(self, a: np.ndarray, b: np.ndarray, msg: Any) -> None:
        contents = f" Contents: {b}." if b.ndim <= 3 or b.size < 500 else ""
        self.assertEqual(
            a.shape, b.shape, f"Shape mismatch: expected {a.shape}, got {b.shape}.{contents} {msg}"
        )

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Two arrays or tensors hold the same values; NaN equals NaN."""
        a, b = self._array(a), self._array(b)
        self._same_shape(a, b, msg or "")
        same = a == b
        if a.dtype.kind in "fV" or a.dtype == dtypes.bfloat16.as_numpy_dtype:
            same = np.logical_or(same, np.logical_and(np.isnan(a), np.isnan(b)))
        if not np.all(same):
            where = np.where(np.logical_not(same)) if a.ndim else ()
            left, right = (a[where], b[where]) if a.ndim else (a, b)
            raise AssertionError(
                f"{msg or ''}\nnot equal where = {where}\nnot equal lhs = {left}\n"
                f"not equal rhs = {right}\nexpected: {a}\ngot: {b}"
            )

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Two arrays or tensors differ somewhere."""
        try:
            self.assertAllEqual(a, b, msg)
        except AssertionError:
            return
        raise AssertionError("The two values are equal at all elements")

    def assertAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None
    ) -> None:
        """|a - b| <= atol + rtol * |b| everywhere, through dicts, lists, tuples; NaN equals NaN."""
        self._close(a, b, rtol, atol, "", msg or "")

    def _close(self, a: Any, b: Any, rtol: float, atol: float, path: str, msg: str) -> None:
        a = a._asdict() if hasattr(a, "_asdict") else a
        b = b._asdict() if hasattr(b, "_asdict") else b
        if isinstance(a, Mapping) != isinstance(b, Mapping):
            raise ValueError(f"Can't compare dict to non-dict, a{path} vs b{path}. {msg}")
        if isinstance(a, Mapping):
            self.assertCountEqual(
                a.keys(), b.keys(), f"mismatched keys: a{path} has keys {a.keys()}, but b{path} "
                f"has keys {b.keys()}. {msg}"
            )  # fmt: skip
            for key in a:
                self._close(a[key], b[key], rtol, atol, f"{path}[{key}]", msg)
        elif isinstance(a, (list, tuple)):
            try:
                first, second = self._array(a), self._array(b)
                if object in (first.dtype, second.dtype):
                    raise TypeError("not one array")
            except (ValueError, TypeError):
                if len(a) != len(b):
                    raise ValueError(
                        f"Mismatched length: a{path} has {len(a)} items, but b{path} has {len(b)} "
                        f"items. {msg}"
                    ) from None
                for i, (x, y) in enumerate(zip(a, b)):
                    self._close(x, y, rtol, atol, f"{path}[{i}]", msg)
                return
            self._arrays_close(first, second, rtol, atol, path, msg)
        else:
            self._arrays_close(self._array(a), self._array(b), rtol, atol, path, msg)

    def _arrays_close(
        self, a: np.ndarray, b: np.ndarray, rtol: float, atol: float, path: str, msg: str
    ) -> None:
        self._same_shape(a, b, msg)
        if np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True):
            return
        difference = np.abs(a - b)
        bad = np.logical_or(difference > atol + rtol * np.abs(b), np.isnan(a) != np.isnan(b))
        where = np.where(bad) if a.ndim else ()
        left, right = (a[where], b[where]) if a.ndim else (a, b)
        raise AssertionError(
            f"Mismatched value: a{path} is different from b{path}. {msg}\n"
            f"not close where = {where}\nnot close lhs = {left}\nnot close rhs = {right}\n"
            f"not close dif = {np.abs(left - right)}\n"
            f"not close tol = {atol + rtol * np.abs(right)}\ndtype = {a.dtype}, shape = {a.shape}"
        )

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: Any = None,
    ) -> None:
        """`assertAllClose` with the wider tolerances of the less exact type of the two."""
        a, b = self._array(a), self._array(b)
        found = {a.dtype, b.dtype}
        for types, wider_rtol, wider_atol in (
            ((np.float32, np.complex64), float_rtol, float_atol),
            ((np.float16,), half_rtol, half_atol),
            ((dtypes.bfloat16.as_numpy_dtype,), bfloat16_rtol, bfloat16_atol),
        ):
            if any(np.dtype(t) in found for t in types):
                rtol, atol = max(rtol, wider_rtol), max(atol, wider_atol)
        self.assertAllClose(a, b, rtol=rtol, atol=atol, msg=msg)

    def assertNotAllClose(self, a: Any, b: Any, **kwargs: Any) -> None:
        """Two arrays or tensors are not near somewhere."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        raise AssertionError("The two values are close at all elements")

    def _all(self, a: Any, holds: Callable[[np.ndarray], Any], what: str) -> None:
        array = self._array(a)
        good = np.asarray(holds(array))
        if not good.all():
            raise AssertionError(f"{array[~good] if array.ndim else array} are not {what}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Every element is greater than the target."""
        self._all(a, lambda x: x > comparison_target, f"greater than {comparison_target}")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is at least the target."""
        self._all(a, lambda x: x >= comparison_target, f"at least {comparison_target}")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Every element is less than the target."""
        self._all(a, lambda x: x < comparison_target, f"less than {comparison_target}")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is at most the target."""
        self._all(a, lambda x: x <= comparison_target, f"at most {comparison_target}")

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Every element lies between the bounds; an open bound itself is outside. No NaN."""
        array = self._array(target)
        if not (np.issubdtype(array.dtype, np.number)):
            raise AssertionError(
                f"The value of {target} does not have an ordered numeric type, instead it has "
                f"type: {array.dtype}"
            )
        text = (
            f"{'(' if open_lower_bound else '['}{lower_bound}, {upper_bound}"
            f"{')' if open_upper_bound else ']'}"
        )
        low = (lambda x: x > lower_bound) if open_lower_bound else (lambda x: x >= lower_bound)
        high = (lambda x: x < upper_bound) if open_upper_bound else (lambda x: x <= upper_bound)
        self._all(array, lambda x: np.logical_and(low(x), high(x)), f"in the range {text}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Every element is one of the set."""
        found = set(np.unique(self._array(target)).tolist())
        extra = found - set(expected_set)
        if extra:
            raise AssertionError(f"{len(extra)} unique element(s) are not in the set: {extra}")

    def assertNear(self, f1: float, f2: float, err: float, msg: Any = None) -> None:
        """|f1 - f2| <= err, or both equal (infinite)."""
        self.assertTrue(
            f1 == f2 or abs(f1 - f2) <= err,
            f"{f1:f} != {f2:f} +/- {err:f}" + (f" ({msg})" if msg is not None else ""),
        )

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: Any = None) -> None:
        """Two lists of numbers are as long as one another and near."""
        self.assertEqual(len(farray1), len(farray2), msg=msg)
        for a, b in zip(farray1, farray2):
            self.assertNear(float(a), float(b), err, msg=msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: Any = None) -> None:
        """The Euclidean norm of the difference is below `err`."""
        distance = np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2))
        self.assertTrue(distance < err, msg=msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """The element type of an array or tensor."""
        found = target.dtype if isinstance(target, Tensor) else self._array(target).dtype
        if dtypes.as_dtype(found).base_dtype != dtypes.as_dtype(expected_dtype):
            raise AssertionError(f"{found} is not {expected_dtype}")

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: Any = None) -> None:
        """The static shape of a tensor is that of an array; TypeError for other arguments."""
        if not isinstance(np_array, (np.ndarray, np.generic)):
            raise TypeError("np_array must be a Numpy ndarray or Numpy scalar")
        if not isinstance(tf_tensor, Tensor):
            raise TypeError("tf_tensor must be a Tensor")
        self.assertAllEqual(np_array.shape, tf_tensor.get_shape().as_list(), msg=msg)

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: Any = None) -> None:
        """Two devices (strings or DeviceSpecs) are the same, however they are written."""
        first, second = (device.canonical(device.device_name(d)) for d in (device1, device2))
        self.assertEqual(first, second, f"Devices {first} and {second} are not equal. {msg}")

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        """A text begins with another."""
        if not actual.startswith(expected_start):
            tail = f" : {msg!r}" if msg else ""
            self.fail(f"{actual!r} does not start with {expected_start!r}{tail}")

    def assertProtoEquals(
        self, expected_message_maybe_ascii: Any, message: Any, msg: Any = None
    ) -> None:
        """A proto equals another one, given itself or in text form."""
        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            expected = text_format.Merge(expected, type(message)())
        elif not isinstance(expected, type(message)):
            raise AssertionError(
                f"Can't compare protos of type {type(expected)} and {type(message)}. {msg or ''}"
            )
        self.assertMultiLineEqual(
            text_format.MessageToString(expected), text_format.MessageToString(message), msg
        )

    def assertProtoEqualsVersion(
        self,
        expected: str,
        actual: Any,
        producer: int = 134,
        min_consumer: int = 0,
        msg: Any = None,
    ) -> None:
        """`assertProtoEquals` of a graph whose versions are not part of the expected text."""
        versions = f"versions {{ producer: {producer} min_consumer: {min_consumer} }};\n"
        self.assertProtoEquals(versions + expected, actual, msg=msg)

    # -- errors ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """The block raises that exception, and its message matches the expression (or predicate).

        For an OpError the names of the operation and of those it was made for are searched too.
        """

        def matches(error: Exception) -> Any:
            if callable(expected_err_re_or_predicate):
                return expected_err_re_or_predicate(error)
            text = error.message if isinstance(error, errors.OpError) else str(error)
            op = error.op if isinstance(error, errors.OpError) else None
            while op is not None:
                text += "\nCaused by: " + op.name
                op = getattr(op, "_original_op", None)
            return re.search(expected_err_re_or_predicate, text)

        try:
            yield
        except Exception as error:
            if not isinstance(error, exception_type) or not matches(error):
                raise AssertionError(f"Exception of type {type(error)}: {error}") from error
        else:
            self.fail(f"{getattr(exception_type, '__name__', exception_type)} not raised")

    def assertRaisesOpError(
        self, expected_err_re_or_predicate: Any
    ) -> contextlib.AbstractContextManager[None]:
        """The block raises a `tf.errors.OpError` whose message matches."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)
