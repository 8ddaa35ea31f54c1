"""`tf.layers.Layer`: a layer whose weights are variables of a variable scope."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.function import init_scope
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Tensor
from relight.ops.constants import constant_value
from relight.v1.functions import nest
from relight.v1.functions.control_flow import cond, smart_cond
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.variable_lists import global_variables, trainable_variables
from relight.v1.functions.variable_scope import VariableScope, get_variable, variable_scope
from relight.v1.functions.variables import VariableAggregation, VariableSynchronization
from relight.v1.layers.base_layer import (
    BaseLayer,
    check_synchronization,
    to_snake_case,
    unique_name,
)

_keras_style = False


@export("layers.experimental.keras_style_scope")
@contextlib.contextmanager
def keras_style_scope() -> Iterator[None]:
    """Layers made in this block own their variables: no variable scopes, no reuse by name."""
    global _keras_style
    outer, _keras_style = _keras_style, True
    try:
        yield
    finally:
        _keras_style = outer


@export("layers.experimental.set_keras_style")
def set_keras_style() -> None:
    """`keras_style_scope` for the rest of the program."""
    global _keras_style
    _keras_style = True


@export("layers.Layer")
class Layer(BaseLayer):
    """A layer with weights from `tf.get_variable`, in a variable scope of the layer's name.

    `dtype` is the type of the weights, by default that of the first input.
    """

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any):
        # Variables of these layers are reference variables unless the scope says otherwise.
        self._use_resource_variables = False
        scope = kwargs.pop("_scope", None)
        self._reuse = kwargs.pop("_reuse", None)
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)
        self._keras_style = _keras_style
        if _keras_style:
            for what, value in (("scope", scope), ("reuse", self._reuse)):
                if value is not None:
                    _refuse_in_keras_style(what, value)
        self._scope: VariableScope | None = None
        self._current_scope: Any = None
        self._reusing_scope: Any = None
        if scope:
            with variable_scope(scope) as captured:
                self._scope = captured

    def _init_set_name(self, name: Any, zero_based: bool = True) -> None:
        base = to_snake_case(type(self).__name__)
        if isinstance(name, VariableScope):
            self._base_name, self._name = name.name, unique_name(base)
        elif name:
            self._base_name = self._name = name
        else:
            self._base_name, self._name = base, unique_name(base)

    @property
    def graph(self) -> None:
        """None: layers belong to no graph."""
        return None

    @property
    def scope_name(self) -> str:
        """The name of the variable scope, known from the first call on."""
        if not self._scope:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been '
                "used yet. The scope name  is determined the first time the layer instance is "
                "called. You must therefore call the layer before querying `scope_name`."
            )
        return self._scope.name

    def _name_scope(self) -> str:
        return (
            super()._name_scope() if self._keras_style else self._current_scope.original_name_scope
        )

    def _set_scope(self, scope: Any = None) -> None:
        if self._scope is not None:
            return
        if self._reuse:
            entered = variable_scope(scope if scope is not None else self._base_name)
        else:
            entered = variable_scope(scope, default_name=self._base_name)
        with entered as captured:
            self._scope = captured

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses (tensors, or functions that build one), also to REGULARIZATION_LOSSES."""
        known, known_callables = len(self._losses), len(self._callable_losses)
        super().add_loss(losses, inputs=inputs)
        new = self._losses[known:]
        new += [
            loss
            for loss in (build() for build in self._callable_losses[known_callables:])
            if loss is not None
        ]
        _collect(new, GraphKeys.REGULARIZATION_LOSSES)

    def add_weight(  # type: ignore[override]
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A variable of the layer's scope, made or, in a reused layer, found again.

        `initializer`, `regularizer` and `constraint` are functions, `partitioner` as in
        `tf.get_variable`. The result is no trainable weight when the layer is not trainable.
        """
        for keyword in kwargs:
            if keyword != "experimental_autocast":
                raise TypeError("Unknown keyword argument:", keyword)
        if self._keras_style:
            return super().add_weight(
                name=name,
                shape=shape,
                dtype=dtype,
                initializer=initializer,
                regularizer=regularizer,
                trainable=trainable and self.trainable,
                constraint=constraint,
                use_resource=use_resource,
                partitioner=partitioner,
            )
        trainable = check_synchronization(synchronization, trainable)
        with init_scope():
            existing = {id(v) for v in global_variables()}
        self._set_scope(None)
        made_before = len(self._trainable_weights)
        reuse = self.built or self._reuse
        with variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            with name_scope(self._name_scope()):
                resource = use_resource or self._use_resource_variables or scope.use_resource
                variable = super().add_weight(
                    name,
                    shape,
                    dtype=dtype,
                    initializer=scope.initializer if initializer is None else initializer,
                    trainable=trainable and self.trainable,
                    constraint=constraint,
                    partitioner=partitioner,
                    use_resource=resource,
                    synchronization=synchronization,
                    aggregation=aggregation,
                    getter=get_variable,
                )
                if regularizer and not _is_known(variable, existing):
                    self._handle_weight_regularization(name, variable, regularizer)
                # A custom getter or the variable scope may have decided otherwise.
                with init_scope():
                    in_training = {id(v) for v in trainable_variables()}
                if trainable and self.trainable and id(variable) not in in_training:
                    others = self._trainable_weights[made_before:]
                    if not isinstance(variable, PartitionedVariable):
                        del self._trainable_weights[made_before:]
                        self._non_trainable_weights += others
        return variable

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer; `scope` names its variable scope at the first call."""
        scope = kwargs.pop("scope", None)
        if self._keras_style:
            if scope is not None:
                _refuse_in_keras_style("scope", scope)
            return super().__call__(inputs, *args, **kwargs)
        self._set_scope(scope)
        if self.built:
            if self._reusing_scope is None:
                self._reusing_scope = variable_scope(
                    self._scope, reuse=True, auxiliary_name_scope=False
                )
            entered = self._reusing_scope
        else:
            entered = variable_scope(self._scope, reuse=self._reuse, auxiliary_name_scope=False)
        with entered as opened:
            self._current_scope = opened
            if "scope" in self._call_fn_args:
                kwargs["scope"] = opened
            outputs = super().__call__(inputs, *args, **kwargs)
        _collect(self.updates, GraphKeys.UPDATE_OPS)
        return outputs

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        for key, value in self.__dict__.items():
            if key in ("_scope", "_reusing_scope"):
                value = copy.copy(value)
            elif not _holds_tensors(value):
                value = copy.deepcopy(value, memo)
            setattr(result, key, value)
        return result


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(v, Tensor) for v in value)
    return isinstance(value, Tensor)


def _refuse_in_keras_style(what: str, value: Any) -> None:
    raise ValueError(
        f"{what} argument not allowed when keras style layers are enabled, but saw: {value}"
    )


def _is_known(variable: Any, existing: set[int]) -> bool:
    parts = variable if isinstance(variable, PartitionedVariable) else [variable]
    return any(id(part) in existing for part in parts)


def _collect(elements: Any, name: str) -> None:
    collection = get_default_graph().get_collection_ref(name)
    known = {id(element) for element in collection}
    collection.extend(e for e in nest.flatten(elements) if id(e) not in known)


def switch(pred: Any, true_fn: Any, false_fn: Any, name: str | None = None) -> Any:
    """`smart_cond` for `training` arguments, which may also be variables."""
    if hasattr(pred, "initializer") and not isinstance(pred, Tensor):
        return cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)
    return smart_cond(pred, true_fn, false_fn, name=name)


def known_value(pred: Any) -> Any:
    """The bool that `pred` is bound to be, or None."""
    if isinstance(pred, Tensor):
        value = constant_value(pred)
        return None if value is None else bool(value)
    if hasattr(pred, "initializer"):
        return None
    return bool(pred) if isinstance(pred, (bool, int)) else pred
