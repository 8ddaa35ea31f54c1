"""Conditional accumulators: ops that make them, add gradients, and take their mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.shape_rules import scalar, unknown


def _maker(node: Any) -> Any:
    attrs = node._attrs
    shared = attrs.get("shared_name") or ""
    key = ("accumulator", attrs.get("container") or "", shared or node)
    shape = TensorShape(attrs["shape"])._sizes
    mean = attrs.get("reduction_type", "MEAN") == "MEAN"
    kind = "SparseAccumulator" if node.type.startswith("Sparse") else "Accumulator"

    def make_or_find(state: Any) -> Any:
        def make() -> Any:
            made = getattr(state.engine("accumulators"), kind)
            return made(shared or node.name, shape, mean)

        return state.resource(key, make)

    return make_or_find


def _pair(node: Any) -> list[Any]:
    """A reference to an accumulator is a pair of strings, a resource handle a scalar."""
    return [() if node.type.startswith("Resource") else (2,)]


for _name in (
    "ConditionalAccumulator",
    "ResourceConditionalAccumulator",
    "SparseConditionalAccumulator",
):
    op(_name, shape=_pair, specialise=True, takes_session=True)(_maker)
    not_differentiable(_name)


def _apply(handle, local_step, gradient):
    """Add a gradient, unless it is older than the accumulator's step."""
    handle.apply(int(local_step), gradient)


def _count(handle):
    """int32 []: how many gradients have been added since the last taking."""
    return np.array(handle.count, np.int32)


def _set_step(handle, new_global_step):
    """Set the accumulator's step."""
    handle.set_step(int(new_global_step))


def _take(state, handle, num_required):
    """The mean (or sum) of the gradients, once there are enough of them."""
    return handle.take(int(num_required), state.timeout)


for _prefix in ("", "Resource"):
    op(f"{_prefix}AccumulatorApplyGradient", host=("local_step",), writes="handle")(_apply)
    op(f"{_prefix}AccumulatorNumAccumulated", shape=scalar, host_out=True, stateful=True)(_count)
    op(f"{_prefix}AccumulatorSetGlobalStep", host=("new_global_step",), writes="handle")(_set_step)
    op(
        f"{_prefix}AccumulatorTakeGradient",
        shape=unknown,
        host=("num_required",),
        writes="handle",
        stateful=True,
        takes_session=True,
    )(_take)


@op("SparseAccumulatorApplyGradient", host=("local_step", "gradient_shape"), writes="handle")
def SparseAccumulatorApplyGradient(
    handle, local_step, gradient_indices, gradient_values, gradient_shape, *, has_known_shape
):
    """Add sliced gradients, unless they are older than the accumulator's step."""
    shape = gradient_shape.tolist() if has_known_shape else None
    handle.apply_slices(int(local_step), gradient_indices, gradient_values, shape)


def _slices_shape(node: Any) -> list[Any]:
    return [(None,), None, (None,)]


@op(
    "SparseAccumulatorTakeGradient",
    shape=_slices_shape,
    takes_session=True,
    host=("num_required",),
    writes="handle",
    stateful=True,
)
def SparseAccumulatorTakeGradient(state, handle, num_required):
    """(indices, values, shape) of the mean (or sum), once there are enough gradients."""
    return handle.take(int(num_required), state.timeout)


not_differentiable(
    "AccumulatorTakeGradient",
    "ResourceAccumulatorTakeGradient",
    "SparseAccumulatorTakeGradient",
    "AccumulatorNumAccumulated",
    "ResourceAccumulatorNumAccumulated",
)
