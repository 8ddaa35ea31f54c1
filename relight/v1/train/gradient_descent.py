"""Gradient descent, plain and proximal."""

from __future__ import annotations

from typing import Any

from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.ops.build import raw
from relight.ops.math_nodes import cast
from relight.v1.train.optimizer import KernelOptimizer


@export("train.GradientDescentOptimizer")
class GradientDescentOptimizer(KernelOptimizer):
    """variable -= learning_rate * gradient."""

    _kind = "GradientDescent"
    _order = ("learning_rate", "grad")

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"
    ):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_tensor: Any = None

    def _prepare(self) -> None:
        self._keep(learning_rate=self._learning_rate)
        self._learning_rate_tensor = self._rates["learning_rate"]

    # Sums need no rows without duplicates.
    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        rate = cast(self._learning_rate_tensor, var.dtype.base_dtype)
        delta = IndexedSlices(grad.values * rate, grad.indices, grad.dense_shape)
        return var.scatter_sub(delta, use_locking=self._use_locking)

    def _resource_apply_sparse_duplicate_indices(
        self, grad: Tensor, handle: Any, indices: Tensor
    ) -> Any:
        return raw.ResourceScatterAdd(handle.handle, indices, -grad * self._learning_rate)


@export("train.ProximalGradientDescentOptimizer")
class ProximalGradientDescentOptimizer(KernelOptimizer):
    """A gradient step, then soft thresholding (L1) and shrinkage (L2): Duchi and Singer 2009."""

    _kind = "ProximalGradientDescent"
    _order = (
        "learning_rate",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "grad",
    )

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _prepare(self) -> None:
        self._keep(
            learning_rate=self._learning_rate,
            l1_regularization_strength=self._l1_regularization_strength,
            l2_regularization_strength=self._l2_regularization_strength,
        )
