"""Predictions of an Estimator, whose model and session stay ready between calls.

The first call builds a graph of input and model as it is, and keeps it with its session when that
is safe. A later call builds only its input, in a graph of its own, computes the features there,
and feeds them to the model that was kept. It is safe when nothing but the features reaches the
predictions from the input, and when the model neither draws random numbers nor writes anything.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from relight.engine.session import Session
from relight.graph import errors, opdef
from relight.graph.collections import GraphKeys
from relight.graph.composite import SparseTensor
from relight.graph.graph import Graph, get_default_graph
from relight.graph.node import Operation, Tensor
from relight.v1 import logging
from relight.v1.estimator.mode_keys import ModeKeys
from relight.v1.estimator.util import parse_input_fn_result
from relight.v1.functions.framework import set_random_seed
from relight.v1.functions.nest import flatten, map_structure
from relight.v1.train.coordinator import Coordinator
from relight.v1.train.monitored_session import (
    ChiefSessionCreator,
    MonitoredSession,
    SessionCreator,
)
from relight.v1.train.queue_runner import start_queue_runners
from relight.v1.train.scaffold import Scaffold

# Stateful operations that only hold or read what the checkpoint and the tables' files say.
_STEADY = {
    "Placeholder",
    "PlaceholderWithDefault",
    "Variable",
    "VariableV2",
    "VarHandleOp",
    "ReadVariableOp",
    "ResourceGather",
    "HashTable",
    "HashTableV2",
    "LookupTableFind",
    "LookupTableFindV2",
}


class _Kept:
    """A model that is ready to predict."""

    def __init__(self, identity: Any, features: Any, predictions: Any, session: Session):
        self.identity = identity
        self.features = features
        self.description = _description(features)
        self.predictions = predictions
        self.session = session
        self.users = 0
        self.dropped = False

    def drop(self) -> None:
        """Close the session, once nobody uses it any more."""
        self.dropped = True
        if self.users == 0:
            Session.close(self.session)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the session open inside the `with` block."""
        self.users += 1
        try:
            yield
        finally:
            self.users -= 1
            if self.dropped:
                self.drop()


class _KeptSession(Session):
    """A session that outlives the MonitoredSession around it."""

    def close(self) -> None:
        """Leave it open: `_Kept.drop` closes it."""


class _Creator(SessionCreator):
    """Makes sessions as another creator does, of a kind that stays open if it may."""

    def __init__(self, creator: ChiefSessionCreator, keep: bool):
        self._creator = creator
        self._keep = keep
        self.session: Any = None

    def create_session(self) -> Any:
        self.session = self._creator.create_session()
        if self._keep:
            self.session.__class__ = _KeptSession
        return self.session


class Predictions:
    """Makes predictions for an Estimator and keeps the model that made the last ones."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def __del__(self) -> None:
        self.close()

    def __deepcopy__(self, memo: Any) -> Predictions:
        return Predictions()

    def close(self) -> None:
        """Forget the model that was kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.drop()

    def batches(
        self, estimator: Any, input_fn: Any, keys: Any, hooks: list[Any], checkpoint: str | None
    ) -> Iterator[Any]:
        """Yield what the model predicts for each batch of the input."""
        graph = Graph()
        with graph.as_default():
            set_random_seed(estimator.config.tf_random_seed)
            estimator._create_and_assert_global_step(graph)
            features, _, input_hooks = parse_input_fn_result(
                estimator._call_input_fn(input_fn, ModeKeys.PREDICT)
            )
            _warn_of_endless_input(features)
            end_of_input = graph.version
            kept, identity = self._kept, _identity(checkpoint)
            same = (
                kept is not None
                and not hooks
                and identity == kept.identity
                and kept.description == _description(features)
                and _is_alone(graph, features)
            )
        if same:
            assert kept is not None
            yield from _with_kept(kept, graph, features, input_hooks, keys)
        else:
            with graph.as_default():
                model = estimator._call_model_fn(features, None, ModeKeys.PREDICT, estimator.config)
                estimator._maybe_warm_start(checkpoint)
            keep = (
                not hooks
                and not model.prediction_hooks
                and identity is not None
                and _is_steady(model, features, end_of_input)
            )
            hooks = [*input_hooks, *hooks, *(model.prediction_hooks or ())]
            yield from self._with_new(
                estimator, graph, features, model, keys, hooks, checkpoint, identity, keep
            )

    def _with_new(
        self,
        estimator: Any,
        graph: Graph,
        features: Any,
        model: Any,
        keys: Any,
        hooks: list[Any],
        checkpoint: str | None,
        identity: Any,
        keep: bool,
    ) -> Iterator[Any]:
        wanted = _extract(model.predictions, keys)
        with graph.as_default():
            creator = _Creator(
                ChiefSessionCreator(
                    checkpoint_filename_with_path=checkpoint,
                    master=estimator._config.master,
                    scaffold=model.scaffold,
                    config=estimator._session_config,
                ),
                keep,
            )
            session = MonitoredSession(session_creator=creator, hooks=hooks)
        with contextlib.ExitStack() as stack:
            if keep:
                self.close()
                # The data of this call need not be held for later ones.
                graph._collections.pop(GraphKeys.QUEUE_RUNNERS, None)
                kept = _Kept(identity, features, model.predictions, creator.session)
                self._kept = kept
                stack.enter_context(kept.in_use())
            # Ended inside its own graph, and outside of it while the caller has the floor.
            stack.push(_ended_in(graph, session))
            while not session.should_stop():
                with graph.as_default():
                    batch = session.run(wanted)
                yield batch


def _ended_in(graph: Graph, session: MonitoredSession) -> Any:
    def end(*details: Any) -> Any:
        with graph.as_default():
            return session.__exit__(*details)

    return end


def _with_kept(
    kept: _Kept, graph: Graph, features: Any, hooks: list[Any], keys: Any
) -> Iterator[Any]:
    """Yield the predictions of a kept model for the features of another graph."""
    wanted = _extract(kept.predictions, keys)
    targets = _tensors(kept.features)
    sources = _tensors(features)
    with kept.in_use(), contextlib.ExitStack() as stack:
        with graph.as_default():
            session = stack.enter_context(_input_session(hooks))
        while True:
            try:
                values = session.run(sources)
            except (errors.OutOfRangeError, StopIteration):
                return
            feeds = dict(zip(targets, values, strict=True))
            yield kept.session.run(wanted, feed_dict=feeds)


@contextlib.contextmanager
def _input_session(hooks: list[Any]) -> Iterator[Session]:
    """A session of the default graph, which has an input and no model, with its threads."""
    for hook in hooks:
        hook.begin()
    graph = get_default_graph()
    initializer = Scaffold.default_local_init_op()
    session, coordinator = Session(graph=graph), Coordinator(clean_stop_exception_types=[])
    try:
        session.run(initializer)
        if graph.get_collection(GraphKeys.QUEUE_RUNNERS):
            start_queue_runners(sess=session, coord=coordinator)
        for hook in hooks:
            hook.after_create_session(session, coordinator)
        yield session
    finally:
        coordinator.request_stop()
        try:
            with contextlib.suppress(errors.OutOfRangeError, errors.CancelledError):
                coordinator.join(stop_grace_period_secs=120, ignore_live_threads=True)
        finally:
            session.close()


# -- what may be kept ------------------------------------------------------------------------------


def _identity(checkpoint: str | None) -> Any:
    """What tells a checkpoint from another one that was written under its name; None: unknown."""
    if not checkpoint:
        return None
    try:
        found = os.stat(checkpoint + ".index")
    except OSError:
        return None
    return checkpoint, found.st_ino, found.st_size, found.st_mtime_ns


def _tensors(features: Any) -> list[Tensor]:
    """The tensors of features, those of sparse ones one by one."""
    found: list[Tensor] = []
    for item in flatten(features):
        if isinstance(item, SparseTensor):
            found += [item.indices, item.values, item.dense_shape]
        elif isinstance(item, Tensor):
            found.append(item)
    return found


def _description(features: Any) -> Any:
    """Structure, types and static shapes of features: what a model can depend on."""

    def describe(item: Any) -> Any:
        if isinstance(item, SparseTensor):
            return "sparse", item.dtype, tuple(str(t.shape) for t in _tensors(item))
        if isinstance(item, Tensor):
            return "dense", item.dtype, str(item.shape)
        return "value", repr(item)

    return repr(map_structure(describe, features))


def _ancestors(tensors: list[Any], end: set[Tensor]) -> set[Operation]:
    """All operations that `tensors` need, as far as `end`."""
    found: set[Operation] = set()
    waiting = [t.op for t in tensors if t not in end]
    while waiting:
        op = waiting.pop()
        if op in found:
            continue
        found.add(op)
        waiting.extend(t.op for t in op._inputs if t not in end)
        waiting.extend(op._control_inputs)
    return found


def _is_alone(graph: Graph, features: Any) -> bool:
    """Whether an input needs no variables but the unused global step."""
    if len(graph.get_collection(GraphKeys.GLOBAL_VARIABLES)) > 1:
        return False
    steps = {v.op for v in graph.get_collection(GraphKeys.GLOBAL_STEP)}
    return not steps & _ancestors(_tensors(features), set())


def _is_steady(model: Any, features: Any, end_of_input: int) -> bool:
    """Whether a model gives the same predictions each time it gets the same features."""
    given = model.scaffold
    if given.init_fn or given.init_op is not None or given.local_init_op is not None:
        return False
    graph = get_default_graph() if not features else _tensors(features)[0].graph
    steps = {v.op for v in graph.get_collection(GraphKeys.GLOBAL_STEP)}
    wanted = [_reference(v) for v in flatten(model.predictions)]
    for op in _ancestors(wanted, set(_tensors(features))):
        record = opdef._records.get(op.type)
        if op._id <= end_of_input and op not in steps:
            return False
        if record is None or getattr(record, "writes", None):
            return False
        if record.is_stateful and op.type not in _STEADY:
            return False
    return True


def _reference(value: Any) -> Any:
    convert = getattr(value, "_as_graph_element", None)
    return value if convert is None else convert()


def _extract(predictions: Any, keys: Any) -> Any:
    if not keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("predict_keys argument is not valid in case of non-dict predictions.")
    found = {key: value for key, value in predictions.items() if key in keys}
    if not found:
        raise ValueError(
            f"Expected to run at least one output from {predictions.keys()}, provided {keys}."
        )
    return found


def _warn_of_endless_input(features: Any) -> None:
    runners = get_default_graph().get_collection(GraphKeys.QUEUE_RUNNERS)
    if not runners and not any(t.op.type == "IteratorGetNext" for t in _tensors(features)):
        logging.warning(
            "Input graph does not use tf.data.Dataset or contain a QueueRunner. That means predict "
            "yields forever. This is probably a mistake."
        )
