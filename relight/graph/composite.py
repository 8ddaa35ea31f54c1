"""Values made of several tensors: `IndexedSlices` and `SparseTensor`."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from relight.graph.node import Operation, Tensor, _default_session
from relight.graph.shapes import TensorShape

IndexedSlicesValue = collections.namedtuple(
    "IndexedSlicesValue", ["values", "indices", "dense_shape"]
)
SparseTensorValue = collections.namedtuple(
    "SparseTensorValue", ["indices", "values", "dense_shape"]
)


class IndexedSlices:
    """Slices of a larger tensor: `values[i]` [n, ...] belongs at row `indices[i]` [n]."""

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None):
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        """The slices [n, ...]."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """The row of each slice [n]."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the full tensor [rank], or None."""
        return self._dense_shape

    @property
    def dtype(self) -> Any:
        """The element type of the values."""
        return self._values.dtype

    @property
    def name(self) -> str:
        """The name of the values."""
        return self._values.name

    @property
    def op(self) -> Operation:
        """The operation that makes the values."""
        return self._values.op

    @property
    def device(self) -> str:
        """The device of the values."""
        return self._values.device

    @property
    def graph(self) -> Any:
        """The graph that holds this value."""
        return self._values.graph

    @property
    def shape(self) -> TensorShape:
        """The static shape of the full tensor, as far as it is known."""
        if self._dense_shape is None:
            return TensorShape(None)
        from relight.ops.constants import static_value_as_shape

        return static_value_as_shape(self._dense_shape)

    def __str__(self) -> str:
        dense = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{dense})"

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)  # type: ignore[operator]


class SparseTensor:
    """A sparse tensor: `values` [n] at `indices` [n, rank] of a tensor of `dense_shape` [rank]."""

    def __init__(self, indices: Any, values: Any, dense_shape: Any):
        from relight.graph import dtypes
        from relight.graph.graph import name_scope
        from relight.ops.build import convert_to_tensor

        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = convert_to_tensor(indices, name="indices", dtype=dtypes.int64)
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(
                dense_shape, name="dense_shape", dtype=dtypes.int64
            )
        indices_shape = self._indices.shape.with_rank(2)
        dense_shape_shape = self._dense_shape.shape.with_rank(1)
        values_shape = self._values.shape.with_rank(1)
        indices_shape[0].merge_with(values_shape[0])
        indices_shape[1].merge_with(dense_shape_shape[0])

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A SparseTensor of a SparseTensorValue (or itself)."""
        if isinstance(sparse_tensor_value, SparseTensor):
            return sparse_tensor_value
        if not isinstance(sparse_tensor_value, SparseTensorValue):
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        return cls(*sparse_tensor_value)

    @property
    def indices(self) -> Tensor:
        """int64 [n, rank]: where the values stand."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """[n]: the values."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """int64 [rank]: the shape of the dense tensor."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """The static shape of the dense tensor, as far as it is known."""
        from relight.ops.constants import static_value_as_shape

        return static_value_as_shape(self._dense_shape)

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    @property
    def dtype(self) -> Any:
        """The element type of the values."""
        return self._values.dtype

    @property
    def op(self) -> Operation:
        """The operation that makes the values."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The graph that holds this value."""
        return self._indices.graph

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """The value in `session` (the default session when None)."""
        return _default_session(session, self.graph, "evaluate tensor", "eval").run(self, feed_dict)

    def __str__(self) -> str:
        return (
            f"SparseTensor(indices={self._indices}, values={self._values}, "
            f"dense_shape={self._dense_shape})"
        )


def is_sparse(value: Any) -> bool:
    """Whether a value is a SparseTensor or its numpy form."""
    return isinstance(value, (SparseTensor, SparseTensorValue))


def sparse_value(indices: Any, values: Any, dense_shape: Any) -> SparseTensorValue:
    """A SparseTensorValue of numpy arrays."""
    return SparseTensorValue(
        np.asarray(indices, np.int64), np.asarray(values), np.asarray(dense_shape, np.int64)
    )
