"""`tf.train.Scaffold`: the operations that a session needs before training, with their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.ops.array_nodes import concat
from relight.v1 import logging
from relight.v1.functions import resources
from relight.v1.functions.control import group
from relight.v1.functions.variable_lists import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from relight.v1.summary.summary_ops import merge_all
from relight.v1.train.saver import get_saver_or_default

_FIELDS = (
    "init_op", "init_feed_dict", "ready_op", "ready_for_local_init_op", "local_init_op",
    "summary_op", "saver",
)  # fmt: skip


@export("train.Scaffold")
class Scaffold:
    """What a MonitoredSession runs to initialize, check, summarize and save a model.

    What is not given is taken from the graph's collections, or made by `finalize`. `init_fn` is
    called with (scaffold, session) after `init_op`.
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Any, Any], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
    ):
        given = dict(
            zip(
                _FIELDS,
                (init_op, init_feed_dict, ready_op, ready_for_local_init_op, local_init_op,
                 summary_op, saver),
                strict=True,
            )
        )  # fmt: skip
        if copy_from_scaffold is not None:
            if not isinstance(copy_from_scaffold, Scaffold):
                raise TypeError("copy_from_scaffold is not a Scaffold instance.")
            for name, value in given.items():
                if value is None:
                    given[name] = getattr(copy_from_scaffold, name)
            init_fn = copy_from_scaffold._user_init_fn if init_fn is None else init_fn
        self._user_init_fn = init_fn
        user_init_fn = init_fn
        self._init_fn: Any = (lambda sess: user_init_fn(self, sess)) if user_init_fn else None
        self._init_op = given["init_op"]
        self._init_feed_dict = given["init_feed_dict"]
        self._ready_op = given["ready_op"]
        self._ready_for_local_init_op = given["ready_for_local_init_op"]
        self._local_init_op = given["local_init_op"]
        self._summary_op = given["summary_op"]
        self._saver = given["saver"]

    def finalize(self) -> Scaffold:
        """Make what is missing, build the saver, and make the graph final."""
        if self._init_op is None:
            self._init_op = Scaffold.get_or_default("init_op", GraphKeys.INIT_OP, _init_op)
        if self._ready_op is None:
            self._ready_op = Scaffold.get_or_default("ready_op", GraphKeys.READY_OP, _ready_op)
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = Scaffold.get_or_default(
                "ready_for_local_init_op",
                GraphKeys.READY_FOR_LOCAL_INIT_OP,
                _ready_for_local_init_op,
            )
        if self._local_init_op is None:
            self._local_init_op = Scaffold.get_or_default(
                "local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op
            )
        if self._summary_op is None:
            self._summary_op = Scaffold.get_or_default(
                "summary_op", GraphKeys.SUMMARY_OP, merge_all
            )
        if self._saver is None:
            self._saver = get_saver_or_default()
        self._saver.build()
        get_default_graph().finalize()
        logging.info("Graph was finalized.")
        return self

    @property
    def init_fn(self) -> Any:
        """A function of a session, or None."""
        return self._init_fn

    @property
    def init_op(self) -> Any:
        """Initializes the global variables and shared resources."""
        return self._init_op

    @property
    def ready_op(self) -> Any:
        """The names of what is not initialized."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """The names of the global variables and shared resources that are not initialized."""
        return self._ready_for_local_init_op

    @property
    def local_init_op(self) -> Any:
        """Initializes local variables, tables and local resources."""
        return self._local_init_op

    @property
    def summary_op(self) -> Any:
        """All summaries in one, or None."""
        return self._summary_op

    @property
    def saver(self) -> Any:
        """The Saver."""
        return self._saver

    @property
    def init_feed_dict(self) -> Any:
        """What is fed when `init_op` runs."""
        return self._init_feed_dict

    @staticmethod
    def get_or_default(
        arg_name: str, collection_key: Any, default_constructor: Callable[[], Any]
    ) -> Any:
        """The one item of a collection, or a new one that is added to it."""
        graph = get_default_graph()
        elements = graph.get_collection(collection_key)
        if len(elements) > 1:
            raise RuntimeError(
                f'More than one item in the collection "{collection_key}". Please indicate which '
                "one to use by passing it to the tf.Scaffold constructor as:  "
                f"tf.Scaffold({arg_name}=item to use)"
            )
        if elements:
            return elements[0]
        op = default_constructor()
        if op is not None:
            graph.add_to_collection(collection_key, op)
        return op

    @staticmethod
    def default_local_init_op() -> Any:
        """Initializes local variables, tables and local resources."""
        return group(
            local_variables_initializer(),
            resources.initialize_tables(),
            resources.initialize_resources(resources.local_resources()),
        )


def _init_op() -> Any:
    return group(
        global_variables_initializer(),
        resources.initialize_resources(resources.shared_resources()),
    )


def _ready_op() -> Any:
    return concat([report_uninitialized_variables(), resources.report_uninitialized_resources()], 0)


def _ready_for_local_init_op() -> Any:
    return concat(
        [
            report_uninitialized_variables(global_variables()),
            resources.report_uninitialized_resources(resources.shared_resources()),
        ],
        0,
    )
