"""Cosine transforms, mel scales and mel-frequency cepstral coefficients."""

from __future__ import annotations

import math
from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import dimension_value
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant_value
from relight.ops.fft import irfft, rfft
from relight.v1.functions.array import split
from relight.v1.functions.signal import frame

# -- cosine transforms -----------------------------------------------------------------------------


def _check(x: Any, kind: int, n: int | None, axis: int, norm: str | None) -> None:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in (1, 2, 3):
        raise ValueError("Only Types I, II and III (I)DCT are supported.")
    if kind == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        size = dimension_value(x.shape[-1])
        if size is not None and size < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def _last(x: Tensor) -> Any:
    """The size of the last dimension: a number, or a tensor when it is not known."""
    return dimension_value(x.shape[-1]) or array_nodes.shape(x)[-1]


def _turns(size: Tensor, sign: float) -> Tensor:
    """exp(sign * i pi k / (2 size)), twice; complex64 [size]."""
    steps = nodes.range(size) if sign > 0 else -nodes.range(size)
    angle = steps * math.pi * 0.5 / size
    return 2.0 * raw.Exp(nodes.complex(0.0, angle))


def _first_and_rest(first: Tensor, rest: Tensor, size: Any) -> Tensor:
    return raw.PadV2(raw.ExpandDims(first, 0), [[0, size - 1]], rest)


@export("signal.dct", "spectral.dct")
def dct(
    input: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The discrete cosine transform of type 1, 2 or 3 along the last dimension, float32.

    `n` cuts or fills up the input first; `norm="ortho"` makes types 2 and 3 orthonormal.
    """
    _check(input, type, n, axis, norm)
    with name_scope(name, "dct", [input]):
        x = convert_to_tensor(input, dtype=dtypes.float32)
        length = _last(x)
        if n is not None:
            if n <= length:
                x = x[..., 0:n]
            else:
                pads = [[0, 0] for _ in x.shape]
                pads[-1][1] = n - length
                x = raw.Pad(x, convert_to_tensor(pads, dtype=dtypes.int32))
        size = _last(x)
        count = nodes.cast(size, dtypes.float32)
        if type == 1:
            mirrored = array_nodes.concat([x, x[..., -2:0:-1]], axis=-1)
            return nodes.real(rfft(mirrored))
        if type == 2:
            scale = _turns(count, -1.0)
            spectrum = rfft(x, fft_length=[2 * size])[..., :size]
            result = nodes.real(spectrum * scale)
            if norm == "ortho":
                first = 0.5 * raw.Rsqrt(count)
                result *= _first_and_rest(first, first * raw.Sqrt(2.0), size)
            return result
        if norm == "ortho":
            first = raw.Sqrt(count)
            x *= _first_and_rest(first, first * raw.Sqrt(0.5), size)
        else:
            x *= count
        scale = _turns(count, 1.0)
        turned = scale * nodes.complex(x, 0.0)
        return nodes.real(irfft(turned, fft_length=[2 * size]))[..., :size]


@export("signal.idct", "spectral.idct")
def idct(
    input: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The inverse (up to a factor) of `dct` of the same type."""
    _check(input, type, n, axis, norm)
    return dct(input, type={1: 1, 2: 3, 3: 2}[type], n=n, axis=axis, norm=norm, name=name)


# -- mel scales ------------------------------------------------------------------------------------

_BREAK = 700.0  # Hz: below, the mel scale is about linear
_FACTOR = 1127.0


def _mel(frequencies: Any) -> Tensor:
    """Hertz -> mel (O'Shaughnessy, "Speech communication", 1987)."""
    with name_scope(None, "hertz_to_mel", [frequencies]):
        frequencies = convert_to_tensor(frequencies)
        return _FACTOR * raw.Log(1.0 + (frequencies / _BREAK))


@export("signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: int = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """[num_spectrogram_bins, num_mel_bins]: triangular bands of equal width in mel.

    `spectrogram @ matrix` is the mel spectrogram. ValueError for edges that do not make sense.
    """
    with name_scope(name, "linear_to_mel_weight_matrix") as scope:
        if isinstance(sample_rate, Tensor):
            sample_rate = constant_value(sample_rate)
            if sample_rate is None:
                raise ValueError(
                    "`sample_rate` was a non-constant Tensor. Must be a Python float or a "
                    "constant Tensor."
                )
        _check_mel(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz, dtype)
        rate = convert_to_tensor(sample_rate, dtype, name="sample_rate")
        low = convert_to_tensor(lower_edge_hertz, dtype, name="lower_edge_hertz")
        high = convert_to_tensor(upper_edge_hertz, dtype, name="upper_edge_hertz")
        zero = convert_to_tensor(0.0, dtype)
        frequencies = raw.LinSpace(zero, rate / 2.0, num_spectrogram_bins)[1:]  # without 0 Hz
        bins = raw.ExpandDims(_mel(frequencies), 1)
        edges = raw.LinSpace(_mel(low), _mel(high), num_mel_bins + 2)
        bands = frame(edges, frame_length=3, frame_step=1)
        lower, center, upper = (
            array_nodes.reshape(t, [1, num_mel_bins]) for t in split(bands, 3, axis=1)
        )
        rising = (bins - lower) / (center - lower)
        falling = (upper - bins) / (upper - center)
        weights = raw.Maximum(zero, raw.Minimum(rising, falling))
        return raw.Pad(weights, [[1, 0], [0, 0]], name=scope)


def _check_mel(bins: Any, rate: Any, low: Any, high: Any, dtype: Any) -> None:
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if rate <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {rate}")
    if low < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {low}")
    if low >= high:
        raise ValueError(f"lower_edge_hertz {low:.1f} >= upper_edge_hertz {high:.1f}")
    if high > rate / 2:
        raise ValueError(
            "upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got: {high} for sample_rate: {rate}"
        )
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype}")


@export("signal.mfccs_from_log_mel_spectrograms")
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """The cosine transform (type 2, with HTK's scale) of logarithmic mel spectrograms."""
    with name_scope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        x = convert_to_tensor(log_mel_spectrograms, dtype=dtypes.float32)
        bins: Any = dimension_value(x.shape[-1]) if x.shape.ndims else None
        if bins == 0:
            raise ValueError(f"num_mel_bins must be positive. Got: {x}")
        if bins is None:
            bins = array_nodes.shape(x)[-1]
        transformed = dct(x, type=2)
        return transformed * raw.Rsqrt(nodes.cast(bins, dtypes.float32) * 2.0)
