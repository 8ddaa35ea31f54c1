"""`tf.estimator.export`: how a served model takes its features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.v1.functions.array import placeholder
from relight.v1.functions.parsing import parse_example

_DEFAULT_NAMES = {
    "feature": "feature",
    "label": "label",
    "receiver_tensor": "input",
    "receiver_tensors_alternative": "input",
}


def _checked(tensors: Any, what: str, allow_int_keys: bool = False) -> dict[Any, Any]:
    """{name: tensor} of a dict or of one tensor. ValueError for other keys or values."""
    if tensors is None:
        raise ValueError(f"{what}s must be defined.")
    if not isinstance(tensors, dict):
        tensors = {_DEFAULT_NAMES[what]: tensors}
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            if not allow_int_keys:
                raise ValueError(f"{what} keys must be strings: {name}.")
            if not isinstance(name, int):
                raise ValueError(f"{what} keys must be strings or ints: {name}.")
        _check_tensor(tensor, what, name)
    return tensors


def _check_tensor(tensor: Any, what: str, name: Any = None) -> None:
    if not isinstance(tensor, (Tensor, SparseTensor)):
        named = f" {name}" if name else ""
        raise ValueError(f"{what}{named} must be a Tensor or SparseTensor.")


class _ReceiverFields(NamedTuple):
    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Any


@export("estimator.export.ServingInputReceiver")
class ServingInputReceiver(_ReceiverFields):
    """What `serving_input_receiver_fn` returns.

    Args:
      features: a tensor or a dict of them, for the model function.
      receiver_tensors: a tensor or a dict of them, which a server feeds.
      receiver_tensors_alternatives: {name: further groups of tensors to feed}.

    Raises:
      ValueError: for what are no tensors, or names that are no strings.
    """

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> Any:
        features = _checked(features, "feature", allow_int_keys=True)
        receiver_tensors = _checked(receiver_tensors, "receiver_tensor")
        alternatives = receiver_tensors_alternatives
        if alternatives is not None:
            if not isinstance(alternatives, dict):
                raise ValueError(f"receiver_tensors_alternatives must be a dict: {alternatives}.")
            for name, tensors in alternatives.items():
                alternatives[name] = _checked(tensors, "receiver_tensors_alternative")
        return super().__new__(cls, features, receiver_tensors, alternatives)


@export("estimator.export.TensorServingInputReceiver")
class TensorServingInputReceiver(_ReceiverFields):
    """A ServingInputReceiver for model functions that take one tensor, not a dict."""

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> Any:
        if features is None:
            raise ValueError("features must be defined.")
        _check_tensor(features, "feature")
        checked = ServingInputReceiver(features, receiver_tensors, receiver_tensors_alternatives)
        return super().__new__(cls, checked.features["feature"], *checked[1:])


class _SupervisedFields(NamedTuple):
    features: Any
    labels: Any
    receiver_tensors: Any


class SupervisedInputReceiver(_SupervisedFields):
    """Features, labels and the tensors that are fed, of a graph that trains or evaluates."""

    __slots__ = ()

    def __new__(cls, features: Any, labels: Any, receiver_tensors: Any) -> Any:
        _checked(features, "feature", allow_int_keys=True)
        _checked(labels, "label", allow_int_keys=True)
        return super().__new__(cls, features, labels, _checked(receiver_tensors, "receiver_tensor"))


@export("estimator.export.build_parsing_serving_input_receiver_fn")
def build_parsing_serving_input_receiver_fn(
    feature_spec: dict[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A function that makes a receiver of serialized Examples, string [batch]."""

    def serving_input_receiver_fn() -> ServingInputReceiver:
        serialized = placeholder(
            dtypes.string, shape=[default_batch_size], name="input_example_tensor"
        )
        return ServingInputReceiver(
            parse_example(serialized, feature_spec), {"examples": serialized}
        )

    return serving_input_receiver_fn


def _placeholder_like(tensor: Any, batch_size: int | None) -> Tensor:
    shape = TensorShape([batch_size]).concatenate(tensor.get_shape()[1:])
    return placeholder(tensor.dtype, shape=shape, name=tensor.op.name)


def _placeholders_like(tensors: dict[str, Any], batch_size: int | None) -> dict[str, Tensor]:
    return {name: _placeholder_like(t, batch_size) for name, t in tensors.items()}


@export("estimator.export.build_raw_serving_input_receiver_fn")
def build_raw_serving_input_receiver_fn(
    features: dict[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A function that makes a receiver of tensors like `features`, but for the batch size."""

    def serving_input_receiver_fn() -> ServingInputReceiver:
        tensors = _placeholders_like(features, default_batch_size)
        return ServingInputReceiver(tensors, tensors)

    return serving_input_receiver_fn


@export("estimator.experimental.build_raw_supervised_input_receiver_fn")
def build_raw_supervised_input_receiver_fn(
    features: Any, labels: Any, default_batch_size: int | None = None
) -> Callable[[], SupervisedInputReceiver]:
    """A function that makes a receiver of tensors like `features` and `labels`.

    Raises ValueError when both have a key in common.
    """
    feature_keys = features.keys() if isinstance(features, dict) else ["input"]
    label_keys = labels.keys() if isinstance(labels, dict) else ["label"]
    shared = set(feature_keys) & set(label_keys)
    if shared:
        raise ValueError(
            f"Features and labels must have distinct keys. Found overlapping keys: {shared}"
        )

    def one(tensors: Any, name: str) -> tuple[Any, dict[str, Tensor]]:
        if isinstance(tensors, dict):
            made = _placeholders_like(tensors, default_batch_size)
            return made, made
        single = _placeholder_like(tensors, default_batch_size)
        return single, {name: single}

    def supervised_input_receiver_fn() -> SupervisedInputReceiver:
        given, fed = one(features, "input")
        expected, fed_labels = one(labels, "label")
        return SupervisedInputReceiver(given, expected, {**fed, **fed_labels})

    return supervised_input_receiver_fn
