"""`tf.variable_scope` and `tf.get_variable`: variables by name, found again when asked for."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph, graph_of, name_scope
from relight.ops.build import convert_to_tensor
from relight.v1.functions import resource_variables, variable_store
from relight.v1.functions.resource_variables import ResourceVariable
from relight.v1.functions.variable_store import VariableStore
from relight.v1.functions.variables import (
    RefVariable,
    VariableAggregation,
    VariableSynchronization,
)

AUTO_REUSE = export("AUTO_REUSE")(variable_store.AUTO_REUSE)


@export("VariableScope")
class VariableScope:
    """The settings that `get_variable` uses unless it is told otherwise."""

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = dtypes.float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ):
        self._reuse = reuse
        self._name = name
        self._initializer = initializer
        self._regularizer = regularizer
        self._caching_device = caching_device
        self._partitioner = partitioner
        self._custom_getter = custom_getter
        self._name_scope = name_scope
        self._dtype = dtype
        self._use_resource = use_resource
        self._constraint = constraint

    @property
    def name(self) -> str:
        """The prefix of variable names."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope of the operations made when this scope was first opened."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        """Whether variables are found (True), made (False or None), or either (AUTO_REUSE)."""
        return self._reuse

    @property
    def initializer(self) -> Any:
        """The default initializer."""
        return self._initializer

    @property
    def dtype(self) -> Any:
        """The default element type."""
        return self._dtype

    @property
    def use_resource(self) -> bool | None:
        """Whether variables are resource variables; None: as the program's default says."""
        return self._use_resource

    @property
    def regularizer(self) -> Any:
        """The default regularizer."""
        return self._regularizer

    @property
    def caching_device(self) -> Any:
        """The default device for cached reads."""
        return self._caching_device

    @property
    def partitioner(self) -> Any:
        """The default partitioner."""
        return self._partitioner

    @property
    def custom_getter(self) -> Any:
        """The default custom getter."""
        return self._custom_getter

    @property
    def constraint(self) -> Any:
        """The default constraint."""
        return self._constraint

    def reuse_variables(self) -> None:
        """From now on only find variables."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Set the default initializer."""
        self._initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        """Set the default element type."""
        self._dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        """Set whether variables are resource variables."""
        self._use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        """Set the default regularizer."""
        self._regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Set the default device for cached reads."""
        self._caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Set the default partitioner."""
        self._partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Set the default custom getter."""
        self._custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """What of a collection of the default graph lies in this scope."""
        return get_default_graph().get_collection(name, self._name + "/" if self._name else "")

    def trainable_variables(self) -> list[Any]:
        """The trainable variables in this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """The global variables in this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """The local variables in this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: VariableStore,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """`tf.get_variable` with the settings of this scope; see there."""
        full_name = self.name + "/" + name if self.name else name
        with name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                found = convert_to_tensor(initializer).dtype.base_dtype
                if found != dtype:
                    raise ValueError(
                        f"Initializer type '{found}' and explicit dtype '{dtype}' don't match."
                    )
            return var_store.get_variable(
                full_name,
                shape=shape,
                dtype=_first(dtype, self._dtype),
                initializer=_first(initializer, self._initializer),
                regularizer=_first(regularizer, self._regularizer),
                reuse=_first(reuse, self._reuse),
                trainable=trainable,
                collections=collections,
                caching_device=_first(caching_device, self._caching_device),
                partitioner=_first(partitioner, self._partitioner),
                validate_shape=validate_shape,
                use_resource=_first(use_resource, self._use_resource),
                custom_getter=_first(custom_getter, self._custom_getter),
                constraint=_first(constraint, self._constraint),
                synchronization=synchronization,
                aggregation=aggregation,
            )


def _first(given: Any, default: Any) -> Any:
    return default if given is None else given


# -- where a graph keeps them ----------------------------------------------------------------------

_STORE_KEY = ("__variable_store",)
_SCOPES_KEY = ("__varscope",)


class _ScopeStore(threading.local):
    """The current variable scope of a graph, by thread, and how often each was opened."""

    def __init__(self) -> None:
        self.current_scope = VariableScope(False)
        self.counts: dict[str, int] = {}

    def open(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def close_below(self, name: str) -> None:
        for key in self.counts:
            if key.startswith(name + "/"):
                self.counts[key] = 0


def _of_graph(key: Any, make: Callable[[], Any]) -> Any:
    graph = get_default_graph()
    found = graph.get_collection(key)
    if found:
        return found[0]
    made = make()
    graph.get_collection_ref(key).append(made)
    return made


def _scope_store() -> _ScopeStore:
    return _of_graph(_SCOPES_KEY, _ScopeStore)


def default_store() -> VariableStore:
    """The variables by name of the default graph."""
    return _of_graph(_STORE_KEY, VariableStore)


@export("get_variable_scope")
def get_variable_scope() -> VariableScope:
    """The current variable scope."""
    return _scope_store().current_scope


@export("get_variable")
def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """The variable `<variable scope>/<name>`: made, or found again as the scope's `reuse` says.

    `initializer` is a function of (shape, dtype, partition_info) or a value; without one it is
    the scope's, else Glorot's uniform (zeros for integers). Raises ValueError when the variable
    exists and is not to be reused, when it does not exist and is, or when shape or type differ.
    """
    return get_variable_scope().get_variable(
        default_store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


@export("get_local_variable")
def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`get_variable` for a local variable: not trainable, and not saved."""
    del trainable
    return get_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=False,
        collections=[*(collections or []), GraphKeys.LOCAL_VARIABLES],
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def get_partitioned_variable(
    name: str | None,
    shape: Any,
    dtype: Any,
    initializer: Any,
    trainable: bool,
    partitioner: Any,
    collections: Any,
) -> Any:
    """A partitioned variable named after the current scope (and `name`, when there is one)."""
    scope = get_variable_scope()
    if scope.custom_getter is not None:
        raise ValueError(
            "Private access to _get_partitioned_variable is not allowed when a custom getter is "
            f"set.  Current custom getter: {scope.custom_getter}.  It is likely that you're using "
            "create_partitioned_variables.  If so, consider instead using get_variable with a "
            "non-empty partitioner parameter instead."
        )
    full_name = "/".join(n for n in (scope.name, name) if n)
    with name_scope(None):
        return default_store()._get_partitioned_variable(
            full_name,
            partitioner,
            shape=shape,
            dtype=dtype,
            initializer=_first(initializer, scope.initializer),
            regularizer=scope.regularizer,
            reuse=scope.reuse,
            trainable=trainable,
            collections=collections,
            caching_device=scope.caching_device,
            use_resource=scope.use_resource,
            constraint=scope.constraint,
        )


@export("no_regularizer")
def no_regularizer(_: Any) -> None:
    """A regularizer that adds no loss, to override that of a scope."""


# -- opening scopes --------------------------------------------------------------------------------


def _wrap_getter(custom_getter: Any, outer: Any) -> Any:
    """A custom getter around that of the enclosing scope."""
    if outer is None:
        return custom_getter

    def wrapped(getter: Any, *args: Any, **kwargs: Any) -> Any:
        return custom_getter(functools.partial(outer, getter), *args, **kwargs)

    return wrapped


class _PureScope:
    """A variable scope without a name scope of operations."""

    def __init__(
        self,
        name_or_scope: Any,
        reuse: Any = None,
        old_name_scope: str | None = None,
        constraint: Any = None,
        **overrides: Any,
    ):
        self._name_or_scope = name_or_scope
        self._reuse = reuse
        self._old_name_scope = old_name_scope
        self._constraint = constraint
        self._overrides = {k: v for k, v in overrides.items() if v is not None}
        self._store = _scope_store()
        default_store()
        self._cached: VariableScope | None = None
        if isinstance(name_or_scope, VariableScope):
            self._new_name = name_or_scope.name
            self._cached = self._made_from(
                name_or_scope,
                reuse or name_or_scope.reuse,
                name_or_scope._name_scope,
            )

    def _made_from(self, base: VariableScope, reuse: Any, scope_name: str) -> VariableScope:
        made = VariableScope(
            reuse,
            name=self._new_name,
            initializer=base.initializer,
            regularizer=base.regularizer,
            caching_device=base.caching_device,
            partitioner=base.partitioner,
            custom_getter=base.custom_getter,
            name_scope=scope_name,
            dtype=base.dtype,
            use_resource=base.use_resource,
            constraint=self._constraint,
        )
        for key, value in self._overrides.items():
            if key == "custom_getter":
                value = _wrap_getter(value, base.custom_getter)
            getattr(made, "set_" + key)(value)
        return made

    def __enter__(self) -> VariableScope:
        store = self._store
        self._old = store.current_scope
        if self._cached is not None:
            store.open(self._new_name)
            self._old_counts = dict(store.counts)
            entered = self._cached
        else:
            name = self._name_or_scope
            self._new_name = self._old.name + "/" + name if self._old.name else name
            self._reuse = self._reuse or self._old.reuse  # inherited by inner scopes
            scope_name = name if self._old_name_scope is None else self._old_name_scope
            entered = self._made_from(self._old, self._reuse, scope_name)
            store.open(self._new_name)
        store.current_scope = self._entered = entered
        return entered

    def __exit__(self, *_: Any) -> None:
        store = self._store
        if store.current_scope is not self._entered:
            raise RuntimeError("Improper nesting of variable_scope.")
        if self._cached is not None:
            store.counts = self._old_counts
        else:
            store.close_below(self._new_name)
        store.current_scope = self._old


def _unique_scope(prefix: str) -> str:
    """`prefix`, numbered when a scope of that name was opened already."""
    store = _scope_store()
    name = store.current_scope.name + "/" + prefix if store.current_scope.name else prefix
    if store.counts.get(name, 0) == 0:
        return prefix
    number = 1
    while store.counts.get(f"{name}_{number}", 0) > 0:
        number += 1
    return f"{prefix}_{number}"


@export("variable_scope")
class variable_scope:
    """Context manager: prefix names of variables and of operations, and set defaults for variables.

    `name_or_scope` is a name or an opened scope; without it `default_name` is used, made unique.
    `reuse`: True finds variables only, AUTO_REUSE finds or makes them, None takes the outer
    scope's. `auxiliary_name_scope=False` leaves the names of operations alone.
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ):
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if reuse is False:
            reuse = None
        if not (reuse is True or reuse is None or reuse is AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(
                "The auxiliary_name_scope must be `True` or `False`, while get "
                f"{auxiliary_name_scope}"
            )
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._graph = graph_of(values or [])
        self._reuse = reuse
        self._auxiliary_name_scope = auxiliary_name_scope
        self._settings = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._pure: _PureScope | None = None
        self._name_scope: name_scope | None = None
        self._stacks: list[contextlib.ExitStack] = []

    def __enter__(self) -> VariableScope:
        stack = contextlib.ExitStack()
        try:
            if not get_default_graph().building_function:
                stack.enter_context(self._graph.as_default())
            if self._pure is None:
                entered = self._first_enter(stack)
            else:
                if self._name_scope is not None:
                    stack.enter_context(self._name_scope)
                entered = stack.enter_context(self._pure)
        except BaseException:
            stack.close()
            raise
        self._stacks.append(stack)
        return entered

    def _first_enter(self, stack: contextlib.ExitStack) -> VariableScope:
        current: name_scope | None = None
        if not self._auxiliary_name_scope:
            outer = get_default_graph().get_name_scope()
            current = name_scope(outer + "/" if outer else outer)
        given = self._name_or_scope
        if given is None:
            if self._reuse:
                raise ValueError("reuse=True cannot be used without a name_or_scope")
            self._name_scope = current or name_scope(self._default_name)
            scope_name = stack.enter_context(self._name_scope)
            assert self._default_name is not None
            self._pure = _PureScope(
                _unique_scope(self._default_name), old_name_scope=scope_name, **self._settings
            )
            return stack.enter_context(self._pure)
        if not isinstance(given, (VariableScope, str)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        ops_name = given if isinstance(given, str) else given.name.split("/")[-1]
        old_name_scope = None
        if ops_name or current:
            self._name_scope = current or name_scope(ops_name)
            scope_name = stack.enter_context(self._name_scope)
            old_name_scope = scope_name if isinstance(given, str) else given.original_name_scope
        self._pure = _PureScope(
            given, reuse=self._reuse, old_name_scope=old_name_scope, **self._settings
        )
        return stack.enter_context(self._pure)

    def __exit__(self, *details: Any) -> Any:
        return self._stacks.pop().__exit__(*details)


@export("variable_op_scope")
@contextlib.contextmanager
def variable_op_scope(
    values: Any,
    name_or_scope: Any,
    default_name: str | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> Iterator[VariableScope]:
    """`variable_scope` in the old order of arguments."""
    with variable_scope(
        name_or_scope,
        default_name=default_name,
        values=values,
        initializer=initializer,
        regularizer=regularizer,
        caching_device=caching_device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        reuse=reuse,
        dtype=dtype,
        use_resource=use_resource,
        constraint=constraint,
    ) as scope:
        yield scope


# -- making variables ------------------------------------------------------------------------------


def default_variable_creator(next_creator: Any = None, **kwargs: Any) -> Any:
    """The innermost creator: a resource or a reference variable, as arguments and scope say."""
    del next_creator
    use_resource = kwargs.pop("use_resource", None)
    if use_resource is None:
        use_resource = get_variable_scope().use_resource
    if use_resource is None:
        use_resource = resource_variables.resource_variables_enabled()
    if use_resource:
        kwargs.pop("expected_shape", None)
        return ResourceVariable(**kwargs)
    kwargs.pop("distribute_strategy", None)
    return RefVariable(**kwargs)


@export("variable_creator_scope")
@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Let `variable_creator(next_creator, **kwargs)` make the variables inside the block."""
    graph = get_default_graph()
    outer = getattr(graph, "_variable_creators", ())
    graph._variable_creators = (*outer, variable_creator)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        graph._variable_creators = outer  # type: ignore[attr-defined]
