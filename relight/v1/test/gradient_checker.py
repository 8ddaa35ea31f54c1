"""`tf.test.compute_gradient`: gradients beside differences of the function's values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_session
from relight.graph.node import Tensor
from relight.ops import constants, gradients
from relight.ops.build import raw

_TYPES = (
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.float32,
    dtypes.float64,
    dtypes.complex64,
    dtypes.complex128,
)
Jacobians = tuple[np.ndarray, np.ndarray]


def _numbers(tensor: Tensor, shape: Sequence[int]) -> int:
    """How many real numbers a tensor of this shape holds: two for each complex one."""
    return math.prod(shape) * (2 if tensor.dtype.is_complex else 1)


def _real(tensor: Tensor) -> Any:
    return tensor.dtype.real_dtype.as_numpy_dtype


def _theoretical(
    x: Tensor,
    x_shape: Sequence[int],
    x_data: np.ndarray,
    dy: Tensor,
    dy_shape: Sequence[int],
    dx: Any,
    feeds: dict,
) -> np.ndarray:
    """The Jacobian [numbers of x, numbers of y] column by column: each is the gradient of one y."""
    session = get_default_session()
    jacobian = np.zeros((_numbers(x, x_shape), _numbers(dy, dy_shape)), _real(x))
    flow = np.zeros(dy_shape, dy.dtype.as_numpy_dtype)
    flat = flow.reshape(-1).view(_real(dy))
    row = math.prod(x_shape[1:]) * (2 if x.dtype.is_complex else 1)
    for column in range(jacobian.shape[1]):
        flat[column] = 1
        feed = {**feeds, x: x_data, dy: flow}
        if isinstance(dx, IndexedSlices):
            indices, values = session.run([dx.indices, dx.values], feed_dict=feed)
            for i, value in zip(indices, values):
                jacobian[i * row : (i + 1) * row, column] += value.ravel().view(_real(x))
        else:
            jacobian[:, column] = np.ravel(session.run(dx, feed_dict=feed)).view(_real(x))
        flat[column] = 0
    if not jacobian.shape[1]:  # an empty y must give zeros of x's shape
        given = session.run(dx, feed_dict={**feeds, x: x_data, dy: flow})
        if given.shape != x_data.shape:
            raise ValueError(
                f"Empty gradient has wrong shape: expected {x_data.shape}, got {given.shape}"
            )
        if np.any(given):
            raise ValueError("Empty tensor with nonzero gradients")
    return jacobian


def _numeric(
    x: Tensor,
    x_shape: Sequence[int],
    x_data: np.ndarray,
    y: Tensor,
    y_shape: Sequence[int],
    delta: float,
    feeds: dict,
) -> np.ndarray:
    """The Jacobian [numbers of x, numbers of y]: (y(x + delta) - y(x - delta)) / (2 delta)."""
    if y.dtype == dtypes.bfloat16:
        y = raw.Cast(y, DstT=dtypes.float32)
    x_data = np.asarray(x_data, dtype=x.dtype.as_numpy_dtype)
    scale = np.asarray(2 * delta, _real(y))[()]
    jacobian = np.zeros((_numbers(x, x_shape), _numbers(y, y_shape)), _real(x))
    for row in range(jacobian.shape[0]):
        ends = []
        for step in (delta, -delta):
            moved = np.array(x_data, order="C")
            moved.reshape(-1).view(_real(x))[row] += step
            ends.append(y.eval(feed_dict={**feeds, x: moved}))
        jacobian[row, :] = np.ravel((ends[0] - ends[1]) / scale).view(_real(y))
    return jacobian


def _gradient_nodes(x: Tensor, y: Tensor, y_shape: Sequence[int]) -> tuple[Any, Tensor]:
    """The gradient of y towards x, and the tensor to feed as the gradient of y."""
    with x.graph.as_default():
        flow = constants.constant(1.0, shape=y_shape, dtype=y.dtype)
        # An identity: where the gradient of x is that of y, a fed tensor would be fetched.
        through = raw.Identity(flow)
    return gradients.gradients(y, x, through)[0], flow


def _one(
    x: Tensor,
    x_shape: Sequence[int],
    y: Tensor,
    y_shape: Sequence[int],
    nodes: tuple[Any, Tensor],
    start: np.ndarray | None,
    delta: float,
    feeds: dict,
) -> Jacobians:
    for tensor, name in ((x, "x"), (y, "y")):
        if tensor.dtype.base_dtype not in _TYPES:
            raise AssertionError(f"Don't support type {tensor.dtype.name} for {name}")
    if start is not None:
        if list(x_shape) != list(start.shape):
            raise AssertionError(f"x_shape = {x_shape}, init_data shape = {list(start.shape)}")
    else:
        start = np.random.random_sample(x_shape).astype(x.dtype.as_numpy_dtype)
        if x.dtype.is_complex:
            start = np.asarray(start)
            start.imag = np.random.random_sample(x_shape)
    dx, dy = nodes
    theory = _theoretical(x, x_shape, np.asarray(start), dy, y_shape, dx, feeds)
    return theory, _numeric(x, x_shape, np.asarray(start), y, y_shape, delta, feeds)


@export("test.compute_gradient")
def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: dict | None = None,
) -> Jacobians | list[Jacobians]:
    """The Jacobian dy/dx by gradients and by differences: two arrays [numbers of x, numbers of y].

    A complex number counts as two real ones, its real and its imaginary part. Runs in the default
    session. `x` may be a list, with lists of shapes and start values; the result then is a list of
    pairs. `x_init_value`: where the Jacobians are taken (random in [0, 1) when None); `delta`: half
    the distance of the differences; `init_targets`: operations to run first; `extra_feed_dict`:
    other tensors to feed. Raises AssertionError for types that are not floating or complex.
    """
    for target in init_targets or ():
        target.run()
    feeds = dict(extra_feed_dict or {})
    if not isinstance(x, list):
        nodes = _gradient_nodes(x, y, y_shape)
        return _one(x, _shape(x_shape), y, _shape(y_shape), nodes, x_init_value, delta, feeds)
    all_nodes = [_gradient_nodes(item, y, y_shape) for item in x]
    starts = [None] * len(x) if x_init_value is None else x_init_value
    return [
        _one(item, _shape(shape), y, _shape(y_shape), nodes, start, delta, feeds)
        for item, shape, nodes, start in zip(x, x_shape, all_nodes, starts)
    ]


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)


@export("test.compute_gradient_error")
def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: dict | None = None,
) -> float:
    """The largest difference between the two Jacobians of `compute_gradient`."""
    found = compute_gradient(
        x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict
    )
    error: Any = 0
    for theory, numeric in found if isinstance(found, list) else [found]:
        if theory.size or numeric.size:
            error = np.maximum(error, np.fabs(theory - numeric).max())
    return error
