"""What all layers share: weights made at the first call, losses, updates, a configuration."""

from __future__ import annotations

import collections
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.graph import get_default_graph, get_default_session, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor
from relight.v1.functions import nest
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.variables import VariableAggregation, VariableSynchronization
from relight.v1.layers import lookup
from relight.v1.layers.input_spec import InputSpec, assert_input_compatibility

_KEYWORDS = {
    "input_shape",
    "batch_input_shape",
    "batch_size",
    "weights",
    "activity_regularizer",
    "autocast",
}


def to_snake_case(name: str) -> str:
    """`MaxPooling2D` as `max_pooling2d`."""
    parted = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()
    return "private" + snake if snake.startswith("_") else snake


def unique_name(name: str, zero_based: bool = False) -> str:
    """`name`, numbered by how often it was asked for in this graph: from 1, or first without."""
    graph = get_default_graph()
    graph = getattr(graph, "outermost", graph)
    counts: Any = graph.__dict__.setdefault("_layer_names", collections.Counter())
    number = counts[name] + (0 if zero_based else 1)
    counts[name] += 1
    return f"{name}_{number}" if number else name


class BaseLayer:
    """A function with weights. Subclasses define `build(input_shape)` and `call(inputs, ...)`."""

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        dynamic: bool = False,
        **kwargs: Any,
    ):
        for keyword in kwargs:
            if keyword not in _KEYWORDS:
                raise TypeError("Keyword argument not understood:", keyword)
        self._trainable = trainable
        self._dynamic = dynamic
        self.stateful = False
        self.built = False
        self.supports_masking = False
        self._input_spec: Any = None
        self._init_set_name(name)
        self._activity_regularizer = kwargs.get("activity_regularizer")
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._updates: list[Any] = []
        self._losses: list[Any] = []
        self._callable_losses: list[Callable[[], Any]] = []
        self._metrics: list[Any] = []
        self._layers: list[Any] = []
        self._inbound_nodes: list[Any] = []
        self._outbound_nodes: list[Any] = []
        # The name of the weights' type; None until the first input tells it.
        self._dtype: str | None = None if dtype is None else dtypes.as_dtype(dtype).name
        if "batch_input_shape" in kwargs:
            self._batch_input_shape = tuple(kwargs["batch_input_shape"])
        elif "input_shape" in kwargs:
            self._batch_input_shape = (kwargs.get("batch_size"), *kwargs["input_shape"])
        self._initial_weights = kwargs.get("weights")
        self._call_inputs: list[Any] = []
        self._init_call_fn_args()

    def _init_call_fn_args(self) -> None:
        self._call_fn_args = [
            p.name
            for p in inspect.signature(self.call).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]

    def _init_set_name(self, name: Any, zero_based: bool = True) -> None:
        self._name = name or unique_name(to_snake_case(type(self).__name__), zero_based)

    def _name_scope(self) -> str:
        return self.name

    # -- to be defined by subclasses ---------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights; called once, with the shape(s) of the first input(s)."""
        self.built = True

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The layer's function: inputs to outputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that an input of that shape gives."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output; a layer that does not support masks refuses one."""
        if not self.supports_masking:
            if any(m is not None for m in nest.flatten(mask)):
                raise TypeError(
                    f"Layer {self.name} does not support masking, but was passed an input_mask: "
                    f"{mask}"
                )
            return None
        return mask

    # -- weights -----------------------------------------------------------------------------------

    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        partitioner: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        **kwargs: Any,
    ) -> Any:
        """A new variable of the layer.

        `regularizer` gives a loss of the variable; without an initializer floats get Glorot's
        uniform one, integers and bools zeros.
        """
        for keyword in kwargs:
            if keyword not in ("getter", "collections", "experimental_autocast"):
                raise TypeError("Unknown keyword argument:", keyword)
        getter = kwargs.pop("getter", None) or _make_variable
        dtype = dtypes.as_dtype(dtype or self.dtype or dtypes.float32)
        if self._dtype is None:
            self._dtype = dtype.base_dtype.name
        initializer = lookup.initializer(initializer)
        trainable = check_synchronization(synchronization, trainable)
        if initializer is None:
            if dtype.is_floating:
                initializer = lookup.initializer("glorot_uniform")
            elif dtype.is_integer or dtype.is_bool:
                initializer = lookup.initializer("zeros")
            else:
                raise ValueError(
                    f"An initializer for variable {name} of type {dtype.base_dtype} is required "
                    f"for layer {self.name}"
                )
        variable = getter(
            name=name,
            shape=() if shape is None else shape,
            initializer=initializer,
            dtype=dtype,
            constraint=lookup.constraint(constraint),
            trainable=trainable,
            partitioner=partitioner,
            use_resource=use_resource,
            collections=kwargs.pop("collections", None),
            synchronization=synchronization,
            aggregation=aggregation,
        )
        regularizer = lookup.regularizer(regularizer)
        if regularizer is not None:
            self._handle_weight_regularization(
                variable.name.partition(":")[0], variable, regularizer
            )
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """`add_weight` by its older name."""
        return self.add_weight(*args, **kwargs)

    def _handle_weight_regularization(self, name: str, variable: Any, regularizer: Any) -> None:
        def loss_of(part: Any) -> Any:
            with name_scope(name + "/Regularizer"):
                return regularizer(part)

        parts = variable if isinstance(variable, PartitionedVariable) else [variable]
        for part in parts:
            self.add_loss(functools.partial(loss_of, part))

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes; none when the layer is not trainable."""
        return self._trainable_weights + self._of_children("trainable_weights", self.trainable)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables; all of them when the layer is not trainable."""
        if self.trainable:
            return self._non_trainable_weights + self._of_children("non_trainable_weights")
        own = self._trainable_weights + self._non_trainable_weights
        return own + self._of_children("weights")

    @property
    def weights(self) -> list[Any]:
        """All variables, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    variables = weights

    @property
    def trainable_variables(self) -> list[Any]:
        """`trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        """`non_trainable_weights`."""
        return self.non_trainable_weights

    def _of_children(self, attribute: str, wanted: bool = True) -> list[Any]:
        found: list[Any] = []
        if wanted:
            for layer in self._layers:
                found += getattr(layer, attribute)
        return found

    def count_params(self) -> int:
        """The number of elements of all weights."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You "
                f"can build it manually via: `{self.name}.build(batch_input_shape)`."
            )
        return int(sum(np.prod(w.shape.as_list()) for w in self.weights))

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights in the default session."""
        return _session().run(self.weights) if self.weights else []

    def set_weights(self, weights: Any) -> None:
        """Give the weights values (arrays) in the default session."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a  weight list of '
                f"length {len(weights)}, but the layer was expecting {len(variables)} weights. "
                f"Provided weights: {str(weights)[:50]}..."
            )
        for variable, value in zip(variables, weights, strict=True):
            value = np.asarray(value)
            if not variable.shape.is_compatible_with(value.shape):
                raise ValueError(
                    f"Layer weight shape {variable.shape} not compatible with provided weight "
                    f"shape {value.shape}"
                )
            variable.load(value, _session())

    # -- losses, updates ---------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses: tensors, or functions without arguments that build one.

        `inputs` are the tensors that they depend on; without, they hold for every call.
        """

        def tagged(loss: Any) -> Any:
            loss = loss() if callable(loss) else loss
            if loss is not None:
                loss = convert_to_tensor(loss)
                loss._unconditional_loss = inputs is None
            return loss

        for loss in nest.flatten(losses):
            if callable(loss):
                self._callable_losses.append(functools.partial(tagged, loss))
            elif loss is not None:
                self._losses.append(tagged(loss))

    @property
    def losses(self) -> list[Tensor]:
        """The added losses; those given as functions are built anew each time."""
        built = [loss() for loss in self._callable_losses]
        return self._losses + [b for b in built if b is not None] + self._of_children("losses")

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add operations that training is to run beside the optimizer's."""
        for update in updates if isinstance(updates, list) else [updates]:
            update = update() if callable(update) else update
            if not isinstance(update, Operation):
                update = update.op if hasattr(update, "op") else convert_to_tensor(update)
            update._unconditional_update = not _reachable(self._call_inputs, [update])
            self._updates.append(update)

    @property
    def updates(self) -> list[Any]:
        """The added updates; none when the layer is neither trainable nor stateful."""
        if not self.trainable and not self.stateful:
            return []
        return self._updates + self._of_children("updates")

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on `inputs`; with None, those that depend on no input."""
        if inputs is None:
            return [u for u in self.updates if u._unconditional_update]
        conditional = [u for u in self.updates if not u._unconditional_update]
        return _reachable(nest.flatten(inputs), conditional)

    def get_losses_for(self, inputs: Any) -> list[Tensor]:
        """The losses that depend on `inputs`; with None, those that depend on no input."""
        losses = self.losses
        if inputs is None:
            return [loss for loss in losses if loss._unconditional_loss]
        conditional = [loss for loss in losses if not loss._unconditional_loss]
        return _reachable(nest.flatten(inputs), conditional)

    @property
    def metrics(self) -> list[Any]:
        """The layer's metrics."""
        return self._metrics + self._of_children("metrics")

    def _handle_activity_regularization(self, inputs: Any, outputs: Any) -> None:
        if self._activity_regularizer is None:
            return
        with name_scope("ActivityRegularizer"):
            for output in nest.flatten(outputs):
                loss = self._activity_regularizer(output)
                batch = nodes.cast(array_nodes.shape(output)[0], loss.dtype)
                self.add_loss(loss / batch, inputs=inputs)

    # -- calling -----------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to `inputs`, a tensor or a nest; make its weights at the first call."""
        inputs = as_tensors(inputs)
        if "training" in kwargs and "training" not in self._call_fn_args:
            parameters = inspect.signature(self.call).parameters.values()
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                kwargs.pop("training")
        assert_input_compatibility(self.input_spec, inputs, self.name)
        self._call_inputs = nest.flatten(inputs)
        with name_scope(self._name_scope()):
            self._maybe_build(inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if outputs is None:
                raise ValueError(
                    "A layer's `call` method should return a Tensor or a list of Tensors, not None "
                    f"(layer: {self.name})."
                )
            self._handle_activity_regularization(inputs, outputs)
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling the layer."""
        return self(inputs, *args, **kwargs)

    def _maybe_build(self, inputs: Any) -> None:
        if not self.built:
            flat = nest.flatten(inputs)
            if flat and self._dtype is None and hasattr(flat[0], "dtype"):
                self._dtype = flat[0].dtype.base_dtype.name
            shapes = None
            if all(hasattr(x, "shape") for x in flat):
                shapes = nest.map_structure(lambda x: x.shape, inputs)
            self.build(shapes)
            self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    # -- properties --------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name

    @property
    def dtype(self) -> str | None:
        """The name of the type of the weights."""
        return self._dtype

    @property
    def dynamic(self) -> bool:
        """Whether the layer was said to need eager execution."""
        return self._dynamic

    @property
    def trainable(self) -> bool:
        """Whether training may change the layer's weights."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in self._layers:
            layer.trainable = value

    @property
    def activity_regularizer(self) -> Any:
        """A function from the output to a loss, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, regularizer: Any) -> None:
        self._activity_regularizer = regularizer

    @property
    def input_spec(self) -> Any:
        """What the layer asks of its input(s): InputSpec, a nest of them, or None."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in nest.flatten(value):
            if spec is not None and not isinstance(spec, InputSpec):
                raise TypeError(f"Layer input_spec must be an instance of InputSpec. Got: {spec}")
        self._input_spec = value

    @property
    def inbound_nodes(self) -> list[Any]:
        """The layer's places in a functional model."""
        return self._inbound_nodes

    @property
    def outbound_nodes(self) -> list[Any]:
        """The places of a functional model that take the layer's output."""
        return self._outbound_nodes

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again, without its weights."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if hasattr(self, "_batch_input_shape"):
            config["batch_input_shape"] = self._batch_input_shape
        config["dtype"] = self.dtype
        if self.dynamic:
            config["dynamic"] = True
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` gave."""
        return cls(**config)


def _make_variable(**settings: Any) -> Any:
    from relight.v1.functions.variables import Variable

    shape, initializer, dtype = (settings.pop(k) for k in ("shape", "initializer", "dtype"))
    settings.pop("partitioner")
    if settings["use_resource"] is None:
        settings["use_resource"] = True
    if isinstance(initializer, type):
        initializer = initializer()
    initial = functools.partial(initializer, shape, dtype=dtype)
    return Variable(initial_value=initial, dtype=dtype.base_dtype, **settings)


def check_synchronization(synchronization: Any, trainable: bool | None) -> bool:
    """Whether a variable is trainable: by default, unless it is summed up when read."""
    if synchronization == VariableSynchronization.ON_READ:
        if trainable:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for "
                "non-trainable variables. You have specified trainable=True and "
                "synchronization=VariableSynchronization.ON_READ."
            )
        return False
    return True if trainable is None else trainable


def as_tensors(inputs: Any) -> Any:
    """A nest with its arrays and numbers as constants."""
    return nest.map_structure(
        lambda x: convert_to_tensor(x) if isinstance(x, (np.ndarray, float, int)) else x, inputs
    )


def _session() -> Any:
    session = get_default_session()
    if session is None:
        raise ValueError(
            "The values of weights need a default session: use `with sess.as_default()`"
        )
    return session


def _reachable(inputs: list[Any], targets: list[Any]) -> list[Any]:
    """Those of `targets` (tensors, operations) that depend on one of `inputs`."""
    sources = {id(getattr(x, "op", x)) for x in inputs}
    known: dict[int, bool] = {}

    def depends(op: Operation) -> bool:
        pending = [op]
        while pending:
            current = pending[-1]
            if id(current) in known:
                pending.pop()
                continue
            if id(current) in sources:
                known[id(current)] = True
                pending.pop()
                continue
            before = [t.op for t in current.inputs]
            unknown = [o for o in before if id(o) not in known]
            if unknown:
                pending += unknown
                continue
            known[id(current)] = any(known[id(o)] for o in before)
            pending.pop()
        return known[id(op)]

    return [t for t in targets if depends(getattr(t, "op", t))]
