"""Fourier transforms over the last one, two or three dimensions, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relight.graph import dtypes, errors
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.opdef import op
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import same, sizes, with_rank_at_least


def _dims(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def _complex(function: Any, rank: int) -> Any:
    def kernel(x: torch.Tensor) -> torch.Tensor:
        if x.dim() < rank:
            raise errors.InvalidArgumentError(
                None, None, f"Input must have rank of at least {rank} but got: {tuple(x.shape)}"
            )
        return function(x, dim=_dims(rank)) if x.numel() else x.clone()

    return lambda node: kernel


def _lengths(x: torch.Tensor, fft_length: np.ndarray, rank: int, real_output: bool) -> list[int]:
    if fft_length.shape != (rank,):
        raise errors.InvalidArgumentError(None, None, f"fft_length must have shape [{rank}]")
    wanted = [int(n) for n in fft_length]
    for i, n in enumerate(wanted):
        size = x.shape[i - rank]
        least = n // 2 + 1 if real_output and i == rank - 1 else n
        if size and size < least:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Input dimension {x.dim() - rank + i} must have length of at least {least} but "
                f"got: {size}",
            )
    return wanted


def _real_to_complex(rank: int) -> Any:
    def kernel(x: torch.Tensor, fft_length: np.ndarray) -> torch.Tensor:
        wanted = _lengths(x, fft_length, rank, False)
        if not x.numel():
            shape = [*x.shape[:-rank], *wanted[:-1], wanted[-1] // 2 + 1]
            return x.new_zeros(shape, dtype=torch.complex64)
        return torch.fft.rfftn(x, s=wanted, dim=_dims(rank))

    return lambda node: kernel


def _complex_to_real(rank: int) -> Any:
    def kernel(x: torch.Tensor, fft_length: np.ndarray) -> torch.Tensor:
        wanted = _lengths(x, fft_length, rank, True)
        if not x.numel():
            return x.new_zeros([*x.shape[:-rank], *wanted], dtype=torch.float32)
        return torch.fft.irfftn(x, s=wanted, dim=_dims(rank))

    return lambda node: kernel


def _ranked(rank: int) -> Any:
    def rule(node: Any) -> list[Any]:
        with_rank_at_least(sizes(node, 0), rank)
        return same(node)

    return rule


def _real_shape(rank: int, forward: bool) -> Any:
    def rule(node: Any) -> list[Any]:
        static = with_rank_at_least(sizes(node, 0), rank)
        if static is None:
            return [None]
        known = known_value(node._inputs[1])
        if known is None:
            return [(*static[:-rank], *[None] * rank)]
        wanted = [int(n) for n in known]
        if forward:
            wanted[-1] = wanted[-1] // 2 + 1 if wanted[-1] else 0
        return [(*static[:-rank], *wanted)]

    return rule


for _rank, _suffix in ((1, ""), (2, "2D"), (3, "3D")):
    op(f"FFT{_suffix}", shape=_ranked(_rank), specialise=True)(_complex(torch.fft.fftn, _rank))
    op(f"IFFT{_suffix}", shape=_ranked(_rank), specialise=True)(_complex(torch.fft.ifftn, _rank))
    op(f"RFFT{_suffix}", shape=_real_shape(_rank, True), specialise=True, host=("fft_length",))(
        _real_to_complex(_rank)
    )
    op(f"IRFFT{_suffix}", shape=_real_shape(_rank, False), specialise=True, host=("fft_length",))(
        _complex_to_real(_rank)
    )

# -- builders --------------------------------------------------------------------------------------

fft = export("signal.fft", "spectral.fft", "fft")(raw.FFT)
fft2d = export("signal.fft2d", "spectral.fft2d", "fft2d")(raw.FFT2D)
fft3d = export("signal.fft3d", "spectral.fft3d", "fft3d")(raw.FFT3D)
ifft = export("signal.ifft", "spectral.ifft", "ifft")(raw.IFFT)
ifft2d = export("signal.ifft2d", "spectral.ifft2d", "ifft2d")(raw.IFFT2D)
ifft3d = export("signal.ifft3d", "spectral.ifft3d", "ifft3d")(raw.IFFT3D)


def _length_forward(x: Tensor, rank: int) -> Tensor:
    static = x.shape[-rank:]
    if not static.is_fully_defined():
        return array_nodes.shape(x)[-rank:]
    return convert_to_tensor(static.as_list(), dtypes.int32)


def _length_backward(x: Tensor, rank: int) -> Tensor:
    """The default length of the real output: even, since the spectrum does not tell."""
    static = x.shape[-rank:]
    if not static.is_fully_defined():
        lengths = array_nodes.unstack(array_nodes.shape(x)[-rank:])
        lengths[-1] = raw.Maximum(0, 2 * (lengths[-1] - 1))
        return array_nodes.stack(lengths)
    known = static.as_list()
    if known:
        known[-1] = max(0, 2 * (known[-1] - 1))
    return convert_to_tensor(known, dtypes.int32)


def _padded(x: Tensor, rank: int, fft_length: Tensor, backward: bool) -> Tensor:
    """The input with zeros behind its last `rank` dimensions, as far as `fft_length` asks."""
    wanted = constant_value_as_shape(fft_length)
    if x.shape.ndims is not None and 0 in x.shape.as_list():
        return x
    if wanted.is_fully_defined() and x.shape.ndims is not None:
        present = x.shape[-wanted.ndims :]
        if present.is_fully_defined():
            sizes_wanted = wanted.as_list()
            if backward:
                sizes_wanted[-1] = sizes_wanted[-1] // 2 + 1
            pads = [
                [0, max(w - n, 0)] for w, n in zip(sizes_wanted, present.as_list(), strict=True)
            ]
            if any(after for _, after in pads):
                outer = [[0, 0]] * max(x.shape.ndims - wanted.ndims, 0)
                return raw.Pad(x, outer + pads)
            return x
    input_rank = array_nodes.rank(x)
    present_sizes = array_nodes.shape(x)[-rank:]
    outer_dims = raw.Maximum(0, input_rank - rank)
    outer_pads = array_nodes.zeros([outer_dims], fft_length.dtype)
    if backward:
        fft_length = array_nodes.concat([fft_length[:-1], fft_length[-1:] // 2 + 1], 0)
    inner_pads = raw.Maximum(0, fft_length - present_sizes)
    after = array_nodes.concat([outer_pads, inner_pads], 0)
    return raw.Pad(x, array_nodes.stack([array_nodes.zeros_like(after), after], axis=1))


def _real_transform(build: Any, rank: int, default: str, backward: bool) -> Any:
    input_type = dtypes.complex64 if backward else dtypes.float32

    def transform(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        elements = [v for v in (input_tensor, fft_length) if v is not None]
        with name_scope(name, default, elements) as scope:
            x = convert_to_tensor(input_tensor, input_type)
            x.shape.with_rank_at_least(rank)
            if fft_length is not None:
                length = convert_to_tensor(fft_length, dtypes.int32)
            elif backward:
                length = _length_backward(x, rank)
            else:
                length = _length_forward(x, rank)
            return build(_padded(x, rank, length, backward), length, name=scope)

    transform.__name__ = default
    transform.__doc__ = (
        f"{default}: {'complex64 to float32' if backward else 'float32 to complex64'} over the "
        f"last {rank} dimensions; `fft_length` [{rank}] are the lengths of the real side."
    )
    return transform


rfft = export("signal.rfft", "spectral.rfft")(_real_transform(raw.RFFT, 1, "rfft", False))
rfft2d = export("signal.rfft2d", "spectral.rfft2d")(_real_transform(raw.RFFT2D, 2, "rfft2d", False))
rfft3d = export("signal.rfft3d", "spectral.rfft3d")(_real_transform(raw.RFFT3D, 3, "rfft3d", False))
irfft = export("signal.irfft", "spectral.irfft")(_real_transform(raw.IRFFT, 1, "irfft", True))
irfft2d = export("signal.irfft2d", "spectral.irfft2d")(
    _real_transform(raw.IRFFT2D, 2, "irfft2d", True)
)
irfft3d = export("signal.irfft3d", "spectral.irfft3d")(
    _real_transform(raw.IRFFT3D, 3, "irfft3d", True)
)

# -- gradients -------------------------------------------------------------------------------------


def _element_count(x: Any, rank: int) -> Any:
    return nodes.reduce_prod(array_nodes.shape(x)[-rank:])


def _forward_rule(rank: int, inverse: Any) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        count = nodes.cast(_element_count(grad, rank), grad.dtype)
        return inverse(grad) * count

    return rule


def _inverse_rule(rank: int, forward: Any) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        count = nodes.cast(_element_count(grad, rank), grad.dtype.real_dtype)
        scale = nodes.cast(1.0 / count, grad.dtype)
        return forward(grad) * scale

    return rule


for _rank, _forward, _inverse, _suffix in (
    (1, fft, ifft, ""),
    (2, fft2d, ifft2d, "2D"),
    (3, fft3d, ifft3d, "3D"),
):
    gradient(f"FFT{_suffix}")(_forward_rule(_rank, _inverse))
    gradient(f"IFFT{_suffix}")(_inverse_rule(_rank, _forward))


def _tiled(matrix: Any, t: Any) -> Any:
    """A matrix repeated over the batch dimensions of t."""
    ones = array_nodes.ones([array_nodes.rank(t) - 2], dtypes.int32)
    expanded = raw.Reshape(matrix, array_nodes.concat([ones, array_nodes.shape(matrix)], 0))
    return raw.Tile(expanded, array_nodes.concat([array_nodes.shape(t)[:-2], [1, 1]], 0))


def _fourier_matrix(length: Any) -> Any:
    """[length, length]: exp(-2 pi i j k / length)."""
    a = raw.Tile(raw.ExpandDims(nodes.range(length), 0), (length, 1))
    b = array_nodes.transpose(a, [1, 0])
    angle = -2j * np.pi * nodes.cast(a * b, dtypes.complex64)
    return raw.Exp(angle / nodes.cast(length, dtypes.complex64))


def _signs(length: Any) -> Any:
    return nodes.cast(1 - 2 * (nodes.range(length) % 2), dtypes.complex64)


def _real_forward_rule(rank: int, inverse: Any) -> Any:
    """The terms of the spectrum that stand for themselves alone, first and middle, count double."""

    def rule(op: Any, grad: Any) -> Any:
        fft_length = op.inputs[1]
        input_shape = array_nodes.shape(op.inputs[0])
        is_even = nodes.cast(1 - (fft_length[-1] % 2), dtypes.complex64)
        first = grad[..., 0:1]
        if rank == 1:
            middle = grad[..., -1:]
            extra = first + is_even * middle * _signs(input_shape[-1])
        else:
            matrix = _tiled(_fourier_matrix(input_shape[-2]), first)
            extra = nodes.matmul(matrix, nodes.conj(first))
            middle = grad[..., -1:]
            term = nodes.matmul(matrix, nodes.conj(middle))
            inner = input_shape[-1]
            ones = array_nodes.ones([array_nodes.rank(grad) - 1], dtypes.int32)
            term = raw.Tile(term, array_nodes.concat([ones, [inner]], 0)) * _signs(inner)
            extra += is_even * term
        count = nodes.cast(_element_count(op.inputs[0], rank), dtypes.float32)
        transformed = inverse(grad, fft_length)
        return 0.5 * (transformed * count + nodes.real(extra)), None

    return rule


def _real_inverse_rule(rank: int, forward: Any) -> Any:
    def rule(op: Any, grad: Any) -> Any:
        fft_length = op.inputs[1]
        is_odd = raw.FloorMod(fft_length[-1], 2)
        last = array_nodes.shape(op.inputs[0])[-1]
        twice = 2.0 * array_nodes.ones([last - 2 + is_odd])
        mask = array_nodes.concat([[1.0], twice, array_nodes.ones([1 - is_odd])], 0)
        scale = raw.Reciprocal(nodes.cast(_element_count(grad, rank), dtypes.float32))
        transformed = forward(grad, fft_length)
        return transformed * nodes.cast(scale * mask, dtypes.complex64), None

    return rule


gradient("RFFT")(_real_forward_rule(1, irfft))
gradient("IRFFT")(_real_inverse_rule(1, rfft))
gradient("RFFT2D")(_real_forward_rule(2, irfft2d))
gradient("IRFFT2D")(_real_inverse_rule(2, rfft2d))
