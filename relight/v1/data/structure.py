"""The structure of dataset elements: nests of tuples and dictionaries of tensors.

Lists are no structure here: they become tensors. A *spec* describes one component: its type and
shape, whether it is a SparseTensor, or which elements a nested dataset has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.composite import SparseTensor, SparseTensorValue
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape, as_shape
from relight.ops.build import convert_to_tensor, raw


@dataclasses.dataclass(frozen=True)
class Spec:
    """A tensor component, or one that travels as a variant tensor."""

    dtype: Any
    shape: Any
    kind: type = Tensor
    element: Any = None  # of a dataset: the structure of its elements

    @property
    def flat_dtype(self) -> Any:
        """The type in which it travels."""
        return self.dtype if self.kind is Tensor else dtypes.variant

    @property
    def flat_shape(self) -> Any:
        """The shape in which it travels."""
        if self.kind is Tensor:
            return self.shape
        return TensorShape([3]) if self.kind is SparseTensor else TensorShape([])

    def with_shape(self, shape: Any) -> Spec:
        """The same with another shape."""
        return dataclasses.replace(self, shape=shape)


def is_nest(value: Any) -> bool:
    """Whether a value is a structure rather than a component."""
    if isinstance(value, SparseTensorValue):
        return False
    return isinstance(value, (tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The components, dictionaries in the order of their keys."""
    if not is_nest(structure):
        return [structure]
    items = (
        [structure[k] for k in sorted(structure)]
        if isinstance(structure, Mapping)
        else list(structure)
    )
    return [leaf for item in items for leaf in flatten(item)]


def pack(structure: Any, flat: Sequence[Any]) -> Any:
    """Components put back in a structure."""
    items = iter(flat)
    return _pack(structure, items)


def _pack(structure: Any, items: Any) -> Any:
    if not is_nest(structure):
        return next(items)
    if isinstance(structure, Mapping):
        made = {k: _pack(structure[k], items) for k in sorted(structure)}
        ordered = {k: made[k] for k in structure}
        kind: Any = type(structure)
        return ordered if kind is dict else kind(ordered)
    values = [_pack(v, items) for v in structure]
    return type(structure)(*values) if hasattr(structure, "_fields") else tuple(values)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """`function` of corresponding components, in the structure of the first."""
    first = structures[0]
    for other in structures[1:]:
        same_structure(first, other)
    return pack(first, [function(*v) for v in zip(*map(flatten, structures), strict=True)])


def same_structure(a: Any, b: Any) -> None:
    """TypeError or ValueError when two structures differ."""
    if is_nest(a) != is_nest(b):
        raise ValueError(
            "The two structures don't have the same nested structure.\n\nFirst structure: "
            f"{a}\n\nSecond structure: {b}"
        )
    if not is_nest(a):
        return
    if isinstance(a, Mapping) != isinstance(b, Mapping):
        raise TypeError(
            "The two structures don't have the same sequence type. First structure has type "
            f"{type(a)}, while second structure has type {type(b)}."
        )
    if isinstance(a, Mapping):
        if set(a) != set(b):
            raise ValueError(
                "The two dictionaries don't have the same set of keys. First structure has keys "
                f"{list(a)}, while second structure has keys {list(b)}."
            )
        for key in a:
            same_structure(a[key], b[key])
        return
    if len(a) != len(b):
        raise ValueError(
            "The two structures don't have the same number of elements. First structure: "
            f"{a}, second structure: {b}."
        )
    for x, y in zip(a, b, strict=True):
        same_structure(x, y)


def up_to(shallow: Any, value: Any) -> list[Any]:
    """Parts of `value` at the components of `shallow`, whatever structure they have themselves."""
    if not is_nest(shallow):
        return [value]
    if isinstance(shallow, Mapping):
        if not isinstance(value, Mapping):
            raise TypeError(
                f"If shallow structure is a sequence, input must also be a sequence. Input has "
                f"type: {type(value)}."
            )
        return [part for k in sorted(shallow) for part in up_to(shallow[k], value[k])]
    if not isinstance(value, (tuple, list)):
        raise TypeError(
            "If shallow structure is a sequence, input must also be a sequence. Input has type: "
            f"{type(value)}."
        )
    if len(value) != len(shallow):
        raise ValueError(
            f"The two structures don't have the same sequence length. Input structure has length "
            f"{len(value)}, while shallow structure has length {len(shallow)}."
        )
    return [part for s, v in zip(shallow, value, strict=True) for part in up_to(s, v)]


def normalize(element: Any) -> Any:
    """An element with its components as tensors, named `component_<i>`."""
    from relight.v1.data.dataset_ops import DatasetV1

    flat = flatten(element)
    converted: list[Any] = []
    with name_scope("normalize_element"):
        for i, value in enumerate(flat):
            if isinstance(value, SparseTensorValue):
                converted.append(SparseTensor.from_value(value))
            elif isinstance(value, (SparseTensor, DatasetV1)):
                converted.append(value)
            else:
                converted.append(convert_to_tensor(value, name=f"component_{i}"))
    return pack(element, converted)


def spec_of(value: Any) -> Any:
    """The specs of an element whose components are tensors."""
    from relight.v1.data.dataset_ops import DatasetV1

    def one(item: Any) -> Spec:
        if isinstance(item, DatasetV1):
            return Spec(dtypes.variant, TensorShape([]), DatasetV1, item._structure)
        if isinstance(item, SparseTensor):
            return Spec(item.dtype, item.get_shape(), SparseTensor)
        return Spec(item.dtype.base_dtype, item.get_shape())

    return map_structure(one, value)


def legacy(types: Any, shapes: Any, classes: Any) -> Any:
    """Specs from nests of types, shapes and classes."""
    from relight.v1.data.dataset_ops import DatasetV1

    def one(dtype: Any, shape: Any, kind: Any) -> Spec:
        if isinstance(kind, type) and issubclass(kind, DatasetV1):
            return Spec(dtypes.variant, TensorShape([]), DatasetV1, Spec(dtype, shape))
        return Spec(dtype, shape, SparseTensor if kind is SparseTensor else Tensor)

    flat = zip(flatten(types), up_to(types, shapes), up_to(types, classes), strict=True)
    return pack(types, [one(*parts) for parts in flat])


def types_of(structure: Any) -> Any:
    """Nest of the types (of a dataset: of its elements)."""
    return map_structure(lambda s: types_of(s.element) if s.element else s.dtype, structure)


def shapes_of(structure: Any) -> Any:
    """Nest of the shapes (of a dataset: of its elements)."""
    return map_structure(lambda s: shapes_of(s.element) if s.element else s.shape, structure)


def classes_of(structure: Any) -> Any:
    """Nest of the classes."""
    return map_structure(lambda s: s.kind, structure)


def default_shapes(types: Any, shapes: Any) -> Any:
    """Shapes in the structure of `types`; unknown ones when None."""
    if shapes is None:
        return map_structure(lambda _: TensorShape(None), types)
    return pack(types, [as_shape(s) for s in up_to(types, shapes)])


def to_tensors(structure: Any, value: Any) -> list[Tensor]:
    """The tensors in which an element travels."""
    tensors = []
    for spec, item in zip(flatten(structure), flatten(value), strict=True):
        if spec.kind is Tensor:
            tensors.append(convert_to_tensor(item))
        elif spec.kind is SparseTensor:
            tensors.append(
                raw.SerializeSparse(
                    item.indices, item.values, item.dense_shape, out_type=dtypes.variant
                )
            )
        else:
            tensors.append(item._variant_tensor)
    return tensors


def from_tensors(structure: Any, tensors: Sequence[Tensor]) -> Any:
    """An element from the tensors in which it travelled."""
    from relight.v1.data.dataset_ops import DatasetV1Adapter

    def one(spec: Spec, tensor: Tensor) -> Any:
        if spec.kind is Tensor:
            return tensor
        if spec.kind is SparseTensor:
            indices, values, shape = raw.DeserializeSparse(tensor, dtype=spec.dtype)
            rank = spec.shape.ndims
            indices.set_shape([None, rank])
            shape.set_shape([rank])
            return SparseTensor(indices, values, shape)
        return DatasetV1Adapter(tensor, spec.element)

    flat = [one(s, t) for s, t in zip(flatten(structure), tensors, strict=True)]
    return pack(structure, flat)


def flat_types(structure: Any) -> list[Any]:
    """Types in which the components travel."""
    return [s.flat_dtype for s in flatten(structure)]


def flat_shapes(structure: Any) -> list[Any]:
    """Shapes in which the components travel."""
    return [s.flat_shape for s in flatten(structure)]
