"""Sessions: `run` finds or makes the plan of a call, feeds it, and gives back what was fetched."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from relight.engine import devices, ending, explain, placement, plan, precision, resources, servers
from relight.engine.fetches import Fetches, expansion, flat_feeds
from relight.engine.fetches import key as fetch_key
from relight.engine.memory import keep_freed_memory
from relight.graph import dtypes, errors
from relight.graph.graph import (
    Graph,
    _sessions,
    default_session,
    get_default_graph,
)
from relight.graph.node import Tensor
from relight.ops.call import boxed

keep_freed_memory()
# Runs plans in place of their generated functions: the checking interpreter, the profiler.
_run_instead: Callable[[plan.Plan, Any, list[Any]], list[Any]] | None = None
if "interpret" in os.environ.get("RELIGHT_DEBUG", ""):
    from relight.engine import interpreter

    _run_instead = interpreter.run
_HANDLES = (dtypes.resource, dtypes.variant)


_MAX_SHAPES = 6  # further shapes of a feed share one plan that knows none


def run_plans_by(runner: Callable[[plan.Plan, Any, list[Any]], list[Any]] | None) -> None:
    """From now on let `runner(plan, state, feeds)` give the fetched values; None ends that."""
    global _run_instead
    _run_instead = runner


class _Call:
    """A cached way from (fetches, fed tensors) to values: a plan for each shape of the feeds."""

    __slots__ = (
        "_by_shape",
        "_general",
        "_placer",
        "_varies",
        "feeds",
        "fetches",
        "graph",
        "mutations",
    )

    def __init__(
        self, graph: Graph, fetches: Fetches, feeds: list[Tensor], placer: placement.Placer
    ):
        self.graph = graph
        self._placer = placer
        self.fetches = fetches
        self.feeds = feeds
        self.mutations = graph._mutations
        self._by_shape: dict[Any, plan.Plan] = {}
        self._general: plan.Plan | None = None
        self._varies = any(not t._shape.is_fully_defined() for t in feeds) and all(
            t._dtype.base_dtype not in _HANDLES for t in feeds
        )
        if not self._varies:
            self.general()

    def general(self) -> plan.Plan:
        """The plan for feeds of any shape."""
        if self._general is None:
            self._general = self._make(None)
            assert self._general is not None
        return self._general

    def _make(self, shapes: Any) -> plan.Plan | None:
        placer, graph = self._placer, self.graph
        placed = None if placer.single else placer.place(graph)
        return plan.make(graph, self.fetches.elements, self.feeds, shapes=shapes, placed=placed)

    def plan_for(self, values: list[Any]) -> plan.Plan:
        """The plan for feeds of the shapes that `values` have."""
        if not self._varies:
            return self._general  # type: ignore[return-value]
        shapes = tuple([v.shape for v in values])
        found = self._by_shape.get(shapes)
        if found is None:
            if len(self._by_shape) >= _MAX_SHAPES:
                return self.general()
            found = self._make(shapes) or self.general()
            self._by_shape[shapes] = found
        return found

    def values(self, outputs: list[Any]) -> list[Any]:
        """One value an element: None for operations."""
        if len(outputs) == len(self.fetches.elements):
            return outputs
        values: list[Any] = [None] * len(self.fetches.elements)
        for place, value in zip(self.fetches.places, outputs, strict=True):
            values[place] = value
        return values


def _as_fetched(value: Any) -> Any:
    """An array as users get it: scalars as numpy scalars, string scalars as bytes."""
    if type(value) is np.ndarray and value.ndim == 0:
        return value[()]
    return value


class BaseSession:
    """What `Session` and `InteractiveSession` share. Runs may be made from many threads."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        if graph is None:
            graph = get_default_graph()
        elif not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        if isinstance(target, bytes):
            target = target.decode()
        if not isinstance(target, str):
            raise TypeError(f"target must be a string, but got {type(target)}")
        if config is not None and not hasattr(config, "allow_soft_placement"):
            raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
        self._graph = graph
        self._target = target
        self._config = config
        self._closed: Any = False  # True, or the error that runs end with
        self._state = resources.State(graph, torch.device("cpu"))
        self._default_contexts: threading.local = threading.local()
        server = servers.find(target)
        if server is not None and config is None:
            config = server.server_def.default_session_config
        found = devices.local_devices(config) if server is None else server.devices(config)
        self._placer = placement.Placer(found, config is not None and config.allow_soft_placement)
        if server is None:
            servers.register(self)
        else:
            server.attach(self, self._state, self._placer)
        self._placed = 0  # operations of the graph that are known to have a device
        self._precision = precision.of_config(config)
        self._logs_placement = config is not None and config.log_device_placement
        ending.close_at_exit(self)
        if self._logs_placement:
            print(placement.device_mapping(self._placer.devices), end="", flush=True)
        if config is not None and config.intra_op_parallelism_threads > 0:
            torch.set_num_threads(config.intra_op_parallelism_threads)
        if config is not None and config.operation_timeout_in_ms > 0:
            self._state.timeout = config.operation_timeout_in_ms / 1000

    @property
    def graph(self) -> Graph:
        """The graph that this session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph as `GraphDef`."""
        return self._graph.as_graph_def(add_shapes=False)

    @property
    def sess_str(self) -> bytes:
        """The target."""
        return self._target.encode()

    def list_devices(self) -> list[Any]:
        """The devices that operations can be placed on."""
        if self._closed:
            raise errors.CancelledError(None, None, "Session has been closed.")
        return devices.list_devices(self._placer.devices)

    def close(self) -> None:
        """Free the session's state; runs that wait in it end with CancelledError.

        What a server holds (`tf.train.Server`) stays.
        """
        if not self._closed:
            self._state.close()
        self._closed = True

    def _refuse(self) -> None:
        if isinstance(self._closed, Exception):
            raise self._closed
        raise RuntimeError(ending.CLOSED)

    def as_default(self) -> Any:
        """Make this the default session inside the `with` block (it is not closed after it)."""
        return default_session(self)

    # -- running ---------------------------------------------------------------------------------

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Compute `fetches`: a tensor, operation, name, or nested lists, tuples, dicts of these.

        `feed_dict` maps tensors (or names) to values that stand in for them. Gives the same
        structure with numpy values, and None for operations. Raises RuntimeError when closed,
        ValueError and TypeError for bad fetches and feeds, and `tf.errors` for what goes wrong
        while computing.
        """
        if self._closed:
            self._refuse()
        graph = self._graph
        if graph._last_id != self._placed:
            self._place()
        fed: dict[Tensor, Any] = self._feeds(feed_dict) if feed_dict else {}
        try:
            key = (fetch_key(fetches), *fed) if fed else fetch_key(fetches)
            if not self._placer.single:
                key = (self._placer.key, key)
            if self._precision is not None:
                key = (self._precision, key)
            found = graph._plans.get(key)
        except TypeError:  # something unhashable among the fetches: checked below
            found, key = None, None
        if found is None or found.mutations != graph._mutations:
            found = self._make_call(fetches, list(fed))
            if key is not None:
                graph._plans[key] = found
        values = [self._fed_value(t, v) for t, v in fed.items()]
        if options is not None or run_metadata is not None:
            outputs = self._traced(found, values, options, run_metadata)
        else:
            outputs = self._execute(found, values)
        return found.fetches.build(found.values([_as_fetched(v) for v in outputs]))

    def _place(self) -> None:
        """Place what the graph has beyond what was placed already, as each run of it must."""
        graph = self._graph
        self._placer.check(graph)
        if self._logs_placement:
            print(placement.report(self._placer.place(graph)), end="", flush=True)
        self._placed = graph._last_id

    def _make_call(self, structure: Any, feeds: list[Tensor]) -> _Call:
        graph = self._graph
        if not graph._nodes_by_id:
            raise RuntimeError(
                "The Session graph is empty.  Add operations to the graph before calling run()."
            )
        fetches = Fetches(graph, structure)
        with precision.using(self._precision):
            return _Call(graph, fetches, feeds, self._placer)

    def _execute(self, call: _Call, values: list[Any]) -> list[Any]:
        if self._precision is None:  # entering a context would be felt in the smallest runs
            return self._execute_plan(call, values)
        with precision.using(self._precision):
            return self._execute_plan(call, values)

    def _execute_plan(self, call: _Call, values: list[Any]) -> list[Any]:
        made = call.plan_for(values)
        try:
            with torch.inference_mode():
                if _run_instead is not None:
                    return _run_instead(made, self._state, values)
                return made.function(self._state, values)  # type: ignore[misc]
        except Exception as error:
            explain.raise_explained(made, error)

    def _traced(self, call: _Call, values: list[Any], options: Any, metadata: Any) -> list[Any]:
        from relight.engine import trace

        with precision.using(self._precision):
            return trace.run(self, call.plan_for(values), values, options, metadata)

    # -- feeding ---------------------------------------------------------------------------------

    def _feeds(self, feed_dict: Any) -> dict[Tensor, Any]:
        """Fed tensors of this graph with their values, composite keys opened."""
        fed: dict[Tensor, Any] = {}
        graph = self._graph
        if not hasattr(feed_dict, "items"):
            raise TypeError(f"feed_dict must be a dictionary mapping, got {type(feed_dict)}")
        for key, value in flat_feeds(feed_dict):
            if type(key) is Tensor and key.op._graph is graph:
                fed[key] = value
                continue
            registered = None if isinstance(key, (str, Tensor)) else expansion(key)
            pairs = [(key, value)] if registered is None else registered[2](key, value)
            for part, part_value in pairs:
                try:
                    tensor = graph.as_graph_element(part, allow_operation=False)
                except (TypeError, ValueError, KeyError) as error:
                    text = error.args[0] if error.args else error
                    raise TypeError(f"Cannot interpret feed_dict key as Tensor: {text}") from None
                fed[tensor] = part_value
        for tensor in fed:
            if graph._unfeedable and not graph.is_feedable(tensor):
                raise ValueError(f"Tensor {tensor} may not be fed.")
        return fed

    @staticmethod
    def _fed_value(tensor: Tensor, value: Any) -> Any:
        """A fed value as numpy array, its type and shape checked."""
        if isinstance(value, Tensor):
            raise TypeError(
                "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include "
                "Python scalars, strings, lists, numpy ndarrays, or TensorHandles. For reference, "
                f"the tensor object was {value} which was passed to the feed with key {tensor}."
            )
        dtype = tensor._dtype.base_dtype
        if dtype in _HANDLES:
            return value
        numpy_type = dtype.as_numpy_dtype
        if type(value) is np.ndarray and value.dtype == numpy_type and dtype is not dtypes.string:
            array = value
        else:
            array = _convert_feed(tensor, value, dtype, numpy_type)
        sizes = tensor._shape._sizes
        if (
            sizes is not None
            and array.shape != sizes
            and (
                len(sizes) != array.ndim
                or any(s is not None and s != n for s, n in zip(sizes, array.shape, strict=True))
            )
        ):
            raise ValueError(
                f"Cannot feed value of shape {array.shape!r} for Tensor {tensor.name!r}, which "
                f"has shape {str(tensor._shape)!r}"
            )
        return array

    # -- other ways to run -----------------------------------------------------------------------

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Begin a run that is fed and fetched in several calls of `partial_run`; its handle.

        `fetches` and `feeds` name all that these calls will fetch and feed. Experimental in
        TensorFlow, too. Raises as `run` does for bad fetches and feeds.
        """
        if self._closed:
            self._refuse()
        return self._partial_runs().setup(fetches, feeds)

    def partial_run(self, handle: str | None, fetches: Any, feed_dict: Any = None) -> Any:
        """Go on with a partial run: feed more of its feeds, compute and fetch more of its fetches.

        Each feed and fetch comes once. Raises InvalidArgumentError for one that comes again or was
        not named before, for a fetch that the feeds so far do not determine, and for a handle whose
        run is over.
        """
        if self._closed:
            self._refuse()
        if handle is None:
            return self.run(fetches, feed_dict)
        return self._partial_runs().run(handle, fetches, feed_dict)

    def _partial_runs(self) -> Any:
        from relight.engine.partial_run import PartialRuns

        found = self.__dict__.get("_partial")
        if found is None:
            found = self.__dict__.setdefault("_partial", PartialRuns(self))
        return found

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """A function of the values of `feed_list` that runs `fetches`; quicker than `run`."""
        if feed_list is not None and not isinstance(feed_list, (list, tuple)):
            raise TypeError("`feed_list` must be a list or tuple.")
        graph = self._graph
        feeds = [graph.as_graph_element(f, allow_operation=False) for f in feed_list or ()]
        found = self._make_call(fetches, feeds)
        if not found.fetches.elements:
            raise errors.InvalidArgumentError(
                None, None, "Must specify at least one target to fetch or execute."
            )

        def call(*values: Any, **kwargs: Any) -> Any:
            nonlocal found
            if self._closed:
                self._refuse()
            if len(values) != len(feeds):  # TensorFlow takes what has both a feed and a value
                return self.run(fetches, dict(zip(feeds, values, strict=False)))
            if graph._last_id != self._placed:
                self._place()
            if found.mutations != graph._mutations:
                found = self._make_call(fetches, feeds)
            arrays = [self._fed_value(t, v) for t, v in zip(feeds, values, strict=True)]
            if accept_options and (kwargs.get("options") or kwargs.get("run_metadata")):
                outputs = self._traced(
                    found, arrays, kwargs.get("options"), kwargs.get("run_metadata")
                )
            else:
                outputs = self._execute(found, arrays)
            return found.fetches.build(found.values([_as_fetched(v) for v in outputs]))

        return call


def _convert_feed(tensor: Tensor, value: Any, dtype: dtypes.DType, numpy_type: Any) -> np.ndarray:
    if isinstance(value, int) and not isinstance(value, bool) and dtype.is_integer:
        limits = np.iinfo(numpy_type)
        if not limits.min <= value <= limits.max:
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor "
                f"type {numpy_type}. Try explicitly setting the type of the feed tensor to a "
                "larger type (e.g. int64)."
            )
    if dtype is dtypes.string:
        return _string_feed(value)
    if dtype.is_quantized:
        return np.asarray(value, dtype=np.dtype(numpy_type)[0])
    try:
        return np.asarray(value, dtype=numpy_type)
    except (TypeError, ValueError) as error:
        raise type(error)(f"Cannot feed {value!r} for Tensor {tensor.name!r}: {error}") from None


def _string_feed(value: Any) -> np.ndarray:
    if isinstance(value, bytes):
        return boxed(value)
    source = np.asarray(value, dtype=np.object_)
    result = np.empty(source.shape, np.object_)
    flat, target = source.reshape(-1), result.reshape(-1)
    for i, item in enumerate(flat):
        target[i] = item if isinstance(item, bytes) else str(item).encode()
    return result


class Session(BaseSession):
    """Runs operations of a graph. As a context manager it is the default session, closed at
    exit."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        self._contexts: list[contextlib.ExitStack] = []

    def __enter__(self) -> Session:
        stack = contextlib.ExitStack()
        stack.enter_context(self._graph.as_default())
        stack.enter_context(default_session(self))
        self._contexts.append(stack)
        return self

    def __exit__(self, *details: Any) -> None:
        self._contexts.pop().__exit__(*details)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Drop the variables and other resources of a server, or only those of some `containers`.

        Sessions on it end with AbortedError. The empty target closes all sessions of this process
        that are on no server.
        """
        del config
        servers.reset(target, containers)


class InteractiveSession(BaseSession):
    """A session that is the default from its making until `close`."""

    _lock = threading.Lock()
    _active = 0

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        with InteractiveSession._lock:
            if InteractiveSession._active > 0:
                warnings.warn(
                    "An interactive session is already active. This can cause out-of-memory errors "
                    "in some cases. You must explicitly call `InteractiveSession.close()` to "
                    "release resources held by the other session(s).",
                    stacklevel=2,
                )
            InteractiveSession._active += 1
        self._entered = graph
        _sessions.stack.append(self)
        if graph is not None:
            from relight.graph.graph import _graphs

            _graphs.stack.append(graph)

    def close(self) -> None:
        """End the session; it is the default no more."""
        if self._closed:
            return
        super().close()
        with InteractiveSession._lock:
            InteractiveSession._active -= 1
        if self in _sessions.stack:
            _sessions.stack.remove(self)
        if self._entered is not None:
            from relight.graph.graph import _graphs

            if self._entered in _graphs.stack:
                _graphs.stack.remove(self._entered)
