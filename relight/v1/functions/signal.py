"""Signals: frames and windows, short-time Fourier transforms and their inverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value
from relight.ops.fft import irfft, rfft
from relight.v1.functions.array import split


def _scalar(value: Any, name: str) -> Tensor:
    tensor = convert_to_tensor(value, name=name)
    tensor.shape.assert_has_rank(0)
    return tensor


# -- windows ---------------------------------------------------------------------------------------


@export("signal.hann_window")
def hann_window(
    window_length: Any, periodic: bool = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Hann window [window_length]; a `periodic` one suits spectra, else it is symmetric."""
    return _raised_cosine(name, "hann_window", window_length, periodic, dtype, 0.5, 0.5)


@export("signal.hamming_window")
def hamming_window(
    window_length: Any, periodic: bool = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Hamming window [window_length]; periodic or symmetric."""
    return _raised_cosine(name, "hamming_window", window_length, periodic, dtype, 0.54, 0.46)


def _raised_cosine(
    name: str | None,
    default: str,
    window_length: Any,
    periodic: Any,
    dtype: Any,
    a: float,
    b: float,
) -> Tensor:
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype}")
    with name_scope(name, default, [window_length, periodic]):
        length = convert_to_tensor(window_length, dtype=dtypes.int32, name="window_length")
        length.shape.assert_has_rank(0)
        known = constant_value(length)
        if known is not None and known == 1:
            return array_nodes.ones([1], dtype=dtype)
        flag = convert_to_tensor(periodic, dtype=dtypes.bool, name="periodic")
        flag = nodes.cast(flag, dtypes.int32)
        flag.shape.assert_has_rank(0)
        even = 1 - raw.FloorMod(length, 2)
        n = nodes.cast(length + flag * even - 1, dtype=dtype)
        count = nodes.cast(nodes.range(length), dtype)
        angle = constant(2 * np.pi, dtype=dtype) * count / n
        if known is not None:
            return nodes.cast(a - b * raw.Cos(angle), dtype=dtype)
        from relight.v1.functions.control_flow import cond

        return cond(
            raw.Equal(length, 1),
            lambda: array_nodes.ones([1], dtype=dtype),
            lambda: nodes.cast(a - b * raw.Cos(angle), dtype=dtype),
        )


# -- frames ----------------------------------------------------------------------------------------


def _greatest_common_divisor(a: Any, b: Any) -> Tensor:
    with name_scope(None, "gcd", [a, b]):
        a, b = convert_to_tensor(a), convert_to_tensor(b)
        for tensor, what in ((a, "a"), (b, "b")):
            tensor.shape.assert_has_rank(0)
            if not tensor.dtype.is_integer:
                raise ValueError(f"{what} must be an integer type. Got: {tensor.dtype}")
        known = constant_value(a), constant_value(b)
        if known[0] is not None and known[1] is not None:
            return convert_to_tensor(np.array(math.gcd(*map(int, known)), known[0].dtype))
        from relight.v1.functions.control_flow import while_loop

        return while_loop(
            lambda _, y: raw.Greater(y, array_nodes.zeros_like(y)),
            lambda x, y: [y, raw.FloorMod(x, y)],
            [a, b],
            back_prop=False,
        )[0]


def _frame_shape(signal: Tensor, length: Any, step: Any, pad_end: bool, axis: Any) -> Any:
    """The static shape of the frames, None when the rank is not known."""
    length, step, axis = (constant_value(t) for t in (length, step, axis))
    if signal.shape.ndims is None:
        return None
    if axis is None:
        return [None] * (signal.shape.ndims + 1)
    sizes = signal.shape.as_list()
    axis = int(axis)
    whole, outer, inner = sizes[axis], sizes[:axis], sizes[axis:][1:]
    count = None
    if whole is not None and step is not None:
        if pad_end:
            count = max(0, -(-whole // int(step)))
        elif length is not None:
            count = max(0, (whole - int(length) + int(step)) // int(step))
    return [*outer, count, None if length is None else int(length), *inner]


@export("signal.frame")
def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Tensor:
    """[..., samples, ...] -> [..., frames, frame_length, ...]: overlapping frames along `axis`.

    A frame begins every `frame_step` samples. With `pad_end` the last ones are filled up with
    `pad_value`, else samples that fill no frame are left out.
    """
    with name_scope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        signal = convert_to_tensor(signal, name="signal")
        frame_length = convert_to_tensor(frame_length, name="frame_length")
        frame_step = convert_to_tensor(frame_step, name="frame_step")
        axis = convert_to_tensor(axis, name="axis")
        signal.shape.with_rank_at_least(1)
        for scalar in (frame_length, frame_step, axis):
            scalar.shape.assert_has_rank(0)
        static = _frame_shape(signal, frame_length, frame_step, pad_end, axis)
        rank = array_nodes.rank(signal)
        axis = nodes.range(rank)[axis]
        shape = array_nodes.shape(signal)
        outer, samples, inner = split(shape, [axis, 1, rank - 1 - axis])
        samples = array_nodes.reshape(samples, [])
        counts = array_nodes.size(outer), array_nodes.size(inner)
        if pad_end:
            pad_value = convert_to_tensor(pad_value, signal.dtype)
            pad_value.shape.assert_has_rank(0)
            number = -(-samples // frame_step)
            missing = raw.Maximum(0, frame_length + frame_step * (number - 1) - samples)
            paddings = array_nodes.concat(
                [
                    array_nodes.zeros([counts[0], 2], dtype=missing.dtype),
                    [[0, missing]],
                    array_nodes.zeros([counts[1], 2], dtype=missing.dtype),
                ],
                0,
            )
            signal = raw.PadV2(signal, paddings, pad_value)
            shape = array_nodes.shape(signal)
            samples = shape[axis]
        else:
            number = raw.Maximum(0, 1 + (samples - frame_length) // frame_step)
        frames = _gather_frames(
            signal, shape, (outer, samples, inner), axis, number, frame_length, frame_step
        )
        if static:
            frames.set_shape(static)
        return frames


def _gather_frames(
    signal: Tensor, shape: Tensor, parts: Any, axis: Any, number: Any, length: Any, step: Any
) -> Tensor:
    """Frames put together from pieces as long as the greatest common divisor of length and step."""
    outer, samples, inner = parts
    piece = _greatest_common_divisor(length, step)
    per_frame, per_step = length // piece, step // piece
    pieces = samples // piece
    cut = array_nodes.concat([outer, [pieces * piece], inner], 0)
    target = array_nodes.concat([outer, [pieces, piece], inner], 0)
    start = array_nodes.zeros_like(shape)
    whole = array_nodes.reshape(array_nodes.strided_slice(signal, start, cut), target)
    first = array_nodes.reshape(nodes.range(number) * per_step, [number, 1])
    within = array_nodes.reshape(nodes.range(per_frame), [1, per_frame])
    selector = first + within
    chosen = array_nodes.gather(whole, selector, axis=axis)
    return array_nodes.reshape(chosen, array_nodes.concat([outer, [number, length], inner], 0))


@export("signal.overlap_and_add")
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """[..., frames, frame_length] -> [..., samples]: the sum of frames `frame_step` apart."""
    with name_scope(name, "overlap_and_add", [signal, frame_step]):
        signal = convert_to_tensor(signal, name="signal")
        signal.shape.with_rank_at_least(2)
        frame_step = _scalar(frame_step, "frame_step")
        if not frame_step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {frame_step.dtype}")
        shape = array_nodes.shape(signal)
        outer = shape[:-2]
        outer_rank = array_nodes.size(outer)

        def whole(inner: Any) -> Tensor:
            return array_nodes.concat([outer, inner], 0)

        length, frames = shape[-1], shape[-2]
        output_length = length + frame_step * (frames - 1)
        known = constant_value(frame_step)
        sizes = signal.shape._sizes
        if known is not None and sizes is not None and known == sizes[-1]:
            target = whole([output_length])
            return array_nodes.reshape(signal, target, name="fast_path")
        # Each frame is cut into pieces of frame_step; the piece i of a frame is added i rows later.
        segments = -(-length // frame_step)
        paddings: Any = [[0, segments], [0, segments * frame_step - length]]
        outer_paddings = array_nodes.zeros([outer_rank, 2], dtypes.int32)
        paddings = array_nodes.concat([outer_paddings, paddings], 0)
        signal = raw.Pad(signal, paddings)
        target = whole([frames + segments, segments, frame_step])
        signal = array_nodes.reshape(signal, target)
        first = nodes.range(outer_rank)
        perm = array_nodes.concat([first, outer_rank + [1, 0, 2]], 0)  # noqa: RUF005
        signal = array_nodes.transpose(signal, perm)
        target = whole([(frames + segments) * segments, frame_step])
        signal = array_nodes.reshape(signal, target)
        signal = signal[..., : (frames + segments - 1) * segments, :]
        target = whole([segments, (frames + segments - 1), frame_step])
        signal = array_nodes.reshape(signal, target)
        signal = nodes.reduce_sum(signal, -3)
        target = whole([(frames + segments - 1) * frame_step])
        signal = array_nodes.reshape(signal, target)
        return signal[..., :output_length]


# -- short-time Fourier transforms -----------------------------------------------------------------


def _power_of_two(value: Tensor) -> Tensor:
    """The smallest power of two that is not less than a scalar."""
    known = constant_value(value)
    if known is not None:
        return constant(int(2 ** np.ceil(np.log(known) / np.log(2.0))), value.dtype)
    logarithm = raw.Log(nodes.cast(value, dtypes.float32)) / raw.Log(2.0)
    return nodes.cast(nodes.pow(2.0, raw.Ceil(logarithm)), value.dtype)


@export("signal.stft")
def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """[..., samples] float32 -> [..., frames, fft_length // 2 + 1] complex64 spectra of frames.

    `fft_length` is by default the power of two that holds a frame; `window_fn` weighs each frame.
    """
    with name_scope(name, "stft", [signals, frame_length, frame_step]):
        signals = convert_to_tensor(signals, name="signals")
        signals.shape.with_rank_at_least(1)
        frame_length = _scalar(frame_length, "frame_length")
        frame_step = _scalar(frame_step, "frame_step")
        if fft_length is None:
            fft_length = _power_of_two(frame_length)
        else:
            fft_length = convert_to_tensor(fft_length, name="fft_length")
        framed = frame(signals, frame_length, frame_step, pad_end=pad_end)
        if window_fn is not None:
            framed *= window_fn(frame_length, dtype=framed.dtype)
        return rfft(framed, [fft_length])


@export("signal.inverse_stft_window_fn")
def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Any] = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """The window function for `inverse_stft` that undoes `forward_window_fn` exactly."""
    with name_scope(name, "inverse_stft_window_fn"):
        frame_step = _scalar(frame_step, "frame_step")

    def window(frame_length: Any, dtype: Any) -> Tensor:
        with name_scope(name, "inverse_stft_window_fn"):
            length = _scalar(frame_length, "frame_length")
            forward = forward_window_fn(length, dtype=dtype)
            total = raw.Square(forward)
            overlaps = -(-length // frame_step)
            total = raw.Pad(total, [(0, overlaps * frame_step - length)])
            total = array_nodes.reshape(total, [overlaps, frame_step])
            total = nodes.reduce_sum(total, 0, keepdims=True)
            total = raw.Tile(total, [overlaps, 1])
            total = array_nodes.reshape(total, [overlaps * frame_step])
            return forward / total[:length]

    return window


@export("signal.inverse_stft")
def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """[..., frames, fft_length // 2 + 1] complex64 -> [..., samples] float32."""
    with name_scope(name, "inverse_stft", [stfts]):
        stfts = convert_to_tensor(stfts, name="stfts")
        stfts.shape.with_rank_at_least(2)
        frame_length = _scalar(frame_length, "frame_length")
        frame_step = _scalar(frame_step, "frame_step")
        if fft_length is None:
            fft_length = _power_of_two(frame_length)
        else:
            fft_length = _scalar(fft_length, "fft_length")
        frames = _cut(irfft(stfts, [fft_length]), frame_length)
        if window_fn is not None:
            frames *= window_fn(frame_length, dtype=stfts.dtype.real_dtype)
        return overlap_and_add(frames, frame_step)


def _cut(frames: Tensor, frame_length: Tensor) -> Tensor:
    """Frames brought to `frame_length`, by cutting or by zeros at the end."""
    known = constant_value(frame_length)
    sizes = frames.shape._sizes
    if known is None or sizes is None or sizes[-1] is None:
        frames = frames[..., :frame_length]
        rank, shape = array_nodes.rank(frames), array_nodes.shape(frames)
        outer = array_nodes.zeros([rank - 1, 2], dtype=frame_length.dtype)
        last = [[0, raw.Maximum(0, frame_length - shape[-1])]]
        frames = raw.Pad(frames, array_nodes.concat([outer, last], 0))
    elif sizes[-1] > known:
        frames = frames[..., : int(known)]
    elif sizes[-1] < known:
        amount = int(known) - sizes[-1]
        frames = raw.Pad(frames, [[0, 0]] * (len(sizes) - 1) + [[0, amount]])
    if known is not None and frames.shape.ndims is not None:
        frames.set_shape([None] * (frames.shape.ndims - 1) + [int(known)])
    return frames


# -- shifts ----------------------------------------------------------------------------------------


def _shift(x: Any, axes: Any, sign: int, default: str, name: str | None) -> Tensor:
    with name_scope(name, default) as scope:
        x = convert_to_tensor(x)
        sizes = x.shape.as_list()
        if axes is None:
            axes = tuple(range(x.shape.ndims))
            shift: Any = [_half(size, sign) for size in sizes]
        elif isinstance(axes, int):
            shift = _half(sizes[axes], sign)
        else:
            shift = [_half(sizes[axis], sign) for axis in axes]
        return raw.Roll(x, shift, axes, name=scope)


def _half(size: int, sign: int) -> int:
    """Half a size, rounded down, as TensorFlow rounds it for either direction."""
    return int(sign * (size // 2))


@export("signal.fftshift")
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The spectrum with frequency 0 brought to the middle along `axes` (all by default)."""
    return _shift(x, axes, 1, "fftshift", name)


@export("signal.ifftshift")
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shift(x, axes, -1, "ifftshift", name)
