"""Makes ``import tensorflow`` mean relight.

`install` puts a finder before all others: ``tensorflow`` is the module `relight.v1` itself,
``tensorflow.contrib.slim`` is `relight.v1.contrib.slim`, and so on, so that a thing reached by two
names is one object. Paths into TensorFlow's source tree (``tensorflow.python.ops.array_ops``) have
no module of their own here: they are facades that look their names up in public namespaces.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

TARGET = "relight.v1"

# tensorflow/python/<path> -> the namespaces of tf that have its names, "tf" being the top.
# The paths are those that public TensorFlow 1 programs import, most frequent first.
PYTHON_PATHS: dict[str, str] = {
    "framework.ops": "tf",
    "ops.array_ops": "tf",
    "ops.math_ops": "tf tf.math",
    "platform.test": "tf.test",
    "framework.dtypes": "tf tf.dtypes",
    "ops.variables": "tf",
    "platform.gfile": "tf.gfile",
    "ops.control_flow_ops": "tf",
    "ops.variable_scope": "tf",
    "platform.tf_logging": "tf.logging",
    "training.training": "tf.train",
    "framework.test_util": "tf.test",
    "feature_column.feature_column": "tf.feature_column",
    "feature_column.feature_column_lib": "tf.feature_column",
    "feature_column.feature_column_v2": "tf.feature_column",
    "util.nest": "tf.contrib.framework.nest",
    "framework.constant_op": "tf",
    "ops.nn": "tf.nn",
    "platform.flags": "tf.flags",
    "training.training_util": "tf.train",
    "ops.init_ops": "tf tf.initializers tf.keras.initializers",
    "ops.state_ops": "tf",
    "summary.summary": "tf.summary",
    "ops.metrics": "tf.metrics",
    "ops.parsing_ops": "tf tf.io",
    "ops.check_ops": "tf tf.debugging",
    "framework.sparse_tensor": "tf",
    "training.monitored_session": "tf.train",
    "client.session": "tf",
    "training.session_run_hook": "tf.train",
    "summary.writer.writer": "tf.summary",
    "summary.writer.writer_cache": "tf.summary",
    "ops.lookup_ops": "tf tf.lookup tf.contrib.lookup",
    "platform.googletest": "tf.test",
    "training.basic_session_run_hooks": "tf.train",
    "training.saver": "tf.train",
    "ops.data_flow_ops": "tf tf.queue tf.contrib.staging",
    "framework.errors": "tf.errors",
    "framework.errors_impl": "tf.errors",
    "ops.losses.losses": "tf.losses",
    "ops.losses.losses_impl": "tf.losses",
    "ops.losses.util": "tf.losses",
    "saved_model.signature_constants": "tf.saved_model.signature_constants",
    "saved_model.tag_constants": "tf.saved_model.tag_constants",
    "saved_model.constants": "tf.saved_model.constants",
    "saved_model.builder": "tf.saved_model.builder",
    "saved_model.loader": "tf.saved_model.loader",
    "saved_model.utils": "tf.saved_model.utils",
    "saved_model.signature_def_utils": "tf.saved_model.signature_def_utils",
    "data.ops.dataset_ops": "tf.data tf.compat.v1.data",
    "data.ops.iterator_ops": "tf.data",
    "ops.random_ops": "tf tf.random",
    "training.checkpoint_utils": "tf.train",
    "training.checkpoint_management": "tf.train",
    "ops.nn_ops": "tf.nn",
    "ops.nn_impl": "tf.nn",
    "training.queue_runner": "tf.train tf.train.queue_runner",
    "training.queue_runner_impl": "tf.train tf.train.queue_runner",
    "framework.tensor_shape": "tf tf.compat",
    "util.compat": "tf.compat",
    "platform.app": "tf.app",
    "ops.rnn_cell": "tf.nn.rnn_cell",
    "ops.rnn_cell_impl": "tf.nn.rnn_cell",
    "ops.rnn": "tf.nn",
    "ops.string_ops": "tf tf.strings",
    "training.moving_averages": "tf.train tf.contrib.framework",
    "training.optimizer": "tf.train",
    "training.input": "tf.train",
    "training.gradient_descent": "tf.train",
    "training.adam": "tf.train",
    "training.adagrad": "tf.train",
    "training.momentum": "tf.train",
    "training.rmsprop": "tf.train",
    "training.ftrl": "tf.train",
    "training.coordinator": "tf.train",
    "training.device_setter": "tf.train",
    "training.server_lib": "tf.train",
    "training.learning_rate_decay": "tf.train",
    "training.slot_creator": "tf.contrib.framework",
    "ops.partitioned_variables": "tf",
    "ops.sparse_ops": "tf tf.sparse",
    "lib.io.python_io": "tf.python_io",
    "lib.io.tf_record": "tf.python_io tf.io",
    "framework.tensor_util": "tf tf.contrib.util",
    "framework.random_seed": "tf tf.random",
    "framework.graph_util": "tf.graph_util",
    "framework.graph_io": "tf.train",
    "framework.importer": "tf",
    "framework.function": "tf",
    "framework.indexed_slices": "tf",
    "framework.versions": "tf tf.version",
    "layers.core": "tf.layers",
    "layers.base": "tf.layers",
    "layers.convolutional": "tf.layers",
    "layers.pooling": "tf.layers",
    "layers.normalization": "tf.layers",
    "layers.layers": "tf.layers",
    "summary.summary_iterator": "tf.train",
    "ops.clip_ops": "tf",
    "ops.image_ops": "tf.image",
    "ops.image_ops_impl": "tf.image",
    "ops.standard_ops": "tf",
    "ops.tensor_array_ops": "tf",
    "ops.gradients": "tf",
    "ops.gradients_impl": "tf",
    "ops.resource_variable_ops": "tf",
    "ops.io_ops": "tf tf.io",
    "ops.functional_ops": "tf",
    "ops.script_ops": "tf",
    "ops.histogram_ops": "tf",
    "ops.linalg_ops": "tf tf.linalg",
    "ops.special_math_ops": "tf tf.math",
    "ops.logging_ops": "tf",
    "ops.numerics": "tf",
    "ops.template": "tf",
    "ops.embedding_ops": "tf.nn",
    "ops.candidate_sampling_ops": "tf.nn",
    "ops.ctc_ops": "tf.nn",
    "ops.distributions.distributions": "tf.distributions",
    "ops.gen_math_ops": "tf tf.math",
    "ops.gen_array_ops": "tf",
    "ops.gen_nn_ops": "tf.nn",
    "estimator.estimator": "tf.estimator",
    "estimator.estimator_lib": "tf.estimator",
    "pywrap_tensorflow": "tf.train",
    "saved_model.simple_save": "tf.saved_model",
    "saved_model.main_op": "tf.saved_model.main_op",
    "training.supervisor": "tf.train",
    "training.session_manager": "tf.train",
    "training.warm_starting_util": "tf.train",
    "eager.context": "tf",
}

# tensorflow/python/<path> -> the module of ours that has its functions by their own names.
PYTHON_MODULES: dict[str, str] = {
    "client.device_lib": "train.device_lib",
    "client.timeline": "train.timeline",
    "layers.utils": "layers.utils",
    "lib.io.file_io": "functions.file_io",
    "tools.inspect_checkpoint": "train.inspect_checkpoint",
}

# Protocol buffers that are not in tensorboard's package.
PROTOS: dict[str, str] = {
    "example_pb2": "relight.formats.protos",
    "feature_pb2": "relight.formats.protos",
    "saved_model_pb2": "relight.formats.protos",
    "tensorflow_server_pb2": "relight.formats.protos",
    "queue_runner_pb2": "relight.formats.protos",
    "device_attributes_pb2": "relight.formats.protos",
    "checkpoint_state_pb2": "relight.formats.protos",
}

# Other public names of modules of ours.
RENAMED: dict[str, str] = {
    "python.client.timeline": "train.timeline",
    "python.tools.inspect_checkpoint": "train.inspect_checkpoint",
    "keras.layers.core": "keras.layers",
    "contrib.rnn.python.ops.core_rnn_cell": "contrib.rnn",
    "contrib.rnn.python.ops.rnn_cell": "contrib.rnn",
}


def _inside(path: str, table: dict[str, str]) -> bool:
    """Whether `path` is a key of `table` or a folder above one."""
    return not path or any(key == path or key.startswith(path + ".") for key in table)


def _exists(name: str) -> bool:
    """Whether a module of ours is there, without importing more than its parents."""
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class _Facade(types.ModuleType):
    """A module of TensorFlow's source tree: its names come from public namespaces."""

    def __init__(self, name: str, namespaces: Sequence[str]) -> None:
        super().__init__(name, f"Names of {', '.join(namespaces) or 'modules below'}.")
        self.__path__: list[str] = []
        self._namespaces = tuple(namespaces)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        for namespace in self._namespaces:
            found = getattr(_namespace(namespace), name, _NOTHING)
            if found is not _NOTHING:
                return found
        try:
            return importlib.import_module(f"{self.__name__}.{name}")
        except ModuleNotFoundError:
            raise AttributeError(
                f"relight does not support {self.__name__}.{name} yet; see SUPPORT.md"
            ) from None


_NOTHING = object()


def _namespace(name: str) -> Any:
    """The module of a namespace such as "tf.nn", or None where relight has none."""
    module = TARGET + name.removeprefix("tf")
    return importlib.import_module(module) if _exists(module) else None


def locate(fullname: str) -> types.ModuleType | str | None:
    """What the module `fullname` ("tensorflow.…") is here.

    Returns:
      The name of a module of ours, a facade, or None when there is nothing.
    """
    path = fullname.partition(".")[2]
    while path == "compat.v1" or path.startswith("compat.v1."):
        path = path.removeprefix("compat.v1").lstrip(".")
    path = RENAMED.get(path, path)
    if not path:
        return TARGET
    parts = path.split(".")
    if parts[0].startswith("_") or parts[0] == "functions":
        return None  # ours, but no part of the namespace
    own = f"{TARGET}.{path}"
    if _exists(own):
        return own
    if parts[0] == "python":
        inner = ".".join(parts[1:])
        if inner.startswith("keras") or inner.startswith("estimator."):
            public = f"{TARGET}.{inner}"
            return public if _exists(public) else None
        if inner in PYTHON_MODULES:
            return f"{TARGET}.{PYTHON_MODULES[inner]}"
        if _inside(inner, PYTHON_PATHS) or _inside(inner, PYTHON_MODULES):
            return _Facade(fullname, PYTHON_PATHS.get(inner, "").split())
        return None
    if parts[0] == "core" and len(parts) <= 3:
        leaf = parts[-1]
        if leaf in PROTOS:
            return PROTOS[leaf]
        if leaf.endswith("_pb2"):
            proto = f"tensorboard.compat.proto.{leaf}"
            return proto if _exists(proto) else None
        return (
            _Facade(fullname, ()) if leaf in ("core", "framework", "protobuf", "example") else None
        )
    if parts[0] == "contrib" and "python" in parts[2:3] and _exists(f"{TARGET}.contrib.{parts[1]}"):
        return _contrib_source(fullname, parts[1], parts[3:])
    return None


def _contrib_source(fullname: str, package: str, inner: Sequence[str]) -> types.ModuleType | str:
    """What tensorflow/contrib/`package`/python/`inner` is here.

    A folder `ops` or one named like the package adds no name to the public path:
    contrib/learn/python/learn/datasets/mnist.py is tf.contrib.learn.datasets.mnist. Any other
    file's names are those of the package.
    """
    rest = inner[1:] if inner[:1] in ([package], ["ops"]) else inner
    public = ".".join([f"{TARGET}.contrib.{package}", *rest])
    return public if rest and _exists(public) else _Facade(fullname, (f"tf.contrib.{package}",))


def _not_found(fullname: str) -> ModuleNotFoundError:
    from relight.v1._missing import canonical, tensorflow_names

    name = canonical(fullname)
    if name in tensorflow_names() or name.startswith(("python.", "core.", "contrib.")):
        text = f"relight does not support {fullname} yet; see SUPPORT.md"
    else:
        text = f"No module named {fullname!r} (nor has TensorFlow 1.15)"
    # `from package import x` drops an error that carries the very name of package.x and says
    # "cannot import name" instead: below a facade the fuller text is wanted.
    return ModuleNotFoundError(text, name=None if name.startswith("python.") else fullname)


class _Loader(importlib.abc.Loader):
    """Gives the import system a module that is there already."""

    def __init__(self, target: types.ModuleType | str) -> None:
        self._target = target
        self._own_spec: Any = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module itself, imported under its own name when that has not happened yet."""
        target = self._target
        module = importlib.import_module(target) if isinstance(target, str) else target
        if spec.name == "tensorflow":
            _print_scalars("1.25")
            _give_names_back()
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Gives the module its own spec back, in whose place the import system put the alias's."""
        if self._own_spec is not None:
            module.__spec__ = self._own_spec


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``tensorflow`` and every module below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the module that `fullname` stands for.

        Raises:
          ModuleNotFoundError: when relight has no such module.
        """
        if fullname != "tensorflow" and not fullname.startswith("tensorflow."):
            return None
        found = locate(fullname)
        if found is None:
            raise _not_found(fullname)
        spec = importlib.machinery.ModuleSpec(fullname, _Loader(found), is_package=True)
        if isinstance(found, str):
            spec.origin = found
        return spec


class _MissingFinder(importlib.abc.MetaPathFinder):
    """Comes last: says in TensorFlow's terms that a module of ours does not exist.

    ``from tensorflow.contrib import x`` looks for the module `relight.v1.contrib.x`, since that is
    the package's name; the error about it should have the name that the program wrote.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> None:
        """Raises ModuleNotFoundError for a public module below `relight.v1`."""
        if fullname.startswith(TARGET + ".") and "._" not in fullname:
            raise _not_found("tensorflow" + fullname.removeprefix(TARGET))


_FINDER = _Finder()
_MISSING = _MissingFinder()


def install() -> None:
    """Makes ``import tensorflow`` import relight from now on; a second call changes nothing.

    Raises:
      ImportError: when the real TensorFlow is imported already.
    """
    if _FINDER in sys.meta_path:
        return
    loaded = sys.modules.get("tensorflow")
    if loaded is not None and loaded.__name__ != TARGET:
        where = getattr(loaded, "__file__", None) or "an unknown place"
        raise ImportError(
            f"relight.install() comes too late: tensorflow is imported already, from {where}. "
            "Call it before anything imports tensorflow."
        )
    sys.meta_path.insert(0, _FINDER)
    sys.meta_path.append(_MISSING)


def _print_scalars(legacy: str | bool) -> None:
    """Lets numpy 2 print scalars inside dicts and lists as programs of that time expect it.

    They print `{'accuracy': 0.98}` under numpy 1, not `{'accuracy': np.float32(0.98)}`.
    """
    import numpy

    if int(numpy.__version__.partition(".")[0]) >= 2:
        numpy.set_printoptions(legacy=legacy)  # type: ignore[arg-type]


# Names that numpy 1.24 and 2.0 took away, and what they stood for.
_NUMPY_NAMES = {
    "int": "int",
    "float": "float",
    "complex": "complex",
    "object": "object",
    "str": "str",
    "unicode": "str",
    "float_": "float64",
    "complex_": "complex128",
    "string_": "bytes_",
    "unicode_": "str_",
    "Inf": "inf",
    "Infinity": "inf",
    "infty": "inf",
    "NaN": "nan",
    "alltrue": "all",
    "sometrue": "any",
    "product": "prod",
    "cumproduct": "cumprod",
    "row_stack": "vstack",
}
_given_back: list[str] = []


def _give_names_back() -> None:
    """Gives numpy the names back that programs of that time use: `np.int`, `np.float_` ..."""
    import builtins

    import numpy

    present = vars(numpy)
    for name, meaning in _NUMPY_NAMES.items():
        if name in present:
            continue
        plain = name in ("unicode", meaning)
        setattr(numpy, name, getattr(builtins if plain else numpy, meaning))
        _given_back.append(name)


def _take_names_away() -> None:
    import numpy

    for name in _given_back:
        vars(numpy).pop(name, None)
    _given_back.clear()


def uninstall() -> None:
    """Undoes `install`, also for what was imported; meant for tests."""
    _print_scalars(False)
    _take_names_away()
    for finder in (_FINDER, _MISSING):
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
    for name in [n for n in sys.modules if n == "tensorflow" or n.startswith("tensorflow.")]:
        del sys.modules[name]
