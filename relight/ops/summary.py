"""Summaries: serialized `Summary` protos of scalars, histograms, images, audio and tensors."""

from __future__ import annotations

import functools
import io
import struct
import sys
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import summary_pb2, tensor_pb2

from relight.graph import dtypes, errors
from relight.graph.opdef import not_differentiable, op
from relight.graph.shapes import TensorShape
from relight.ops.call import boxed
from relight.ops.shape_rules import scalar


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _serialized(summary: Any) -> np.ndarray:
    return boxed(summary.SerializeToString())


def _shape_text(array: np.ndarray) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"


def _tag(value: np.ndarray, what: str = "Tags") -> str:
    if value.ndim:
        raise _invalid(f"{what} must be a scalar")
    raw: Any = value[()]
    return raw.decode("utf-8", "replace")


@op("ScalarSummary", shape=scalar, host=("tags", "values"), host_out=True)
def ScalarSummary(tags, values):
    """One value a tag; tags and values have one shape."""
    if tags.shape != values.shape:
        first = f" (tag '{tags[()].decode()}')" if tags.ndim == 0 else ""
        if tags.ndim == 1 and tags.size == 1:
            first = f" (tag '{tags[0].decode()}')"
        raise _invalid(
            f"tags and values not the same shape: {_shape_text(tags)} != {_shape_text(values)}"
            f"{first}"
        )
    summary = summary_pb2.Summary()
    for tag, value in zip(tags.ravel().tolist(), values.ravel().tolist(), strict=True):
        summary.value.add(tag=tag.decode("utf-8", "replace"), simple_value=value)
    return _serialized(summary)


# -- histograms ----------------------------------------------------------------------------------


@functools.cache
def bucket_limits() -> np.ndarray:
    """The upper limits of the buckets: 0, and +-1e-12 growing by a tenth up to 1e20, +-the largest.

    Source: tensorflow/core/lib/histogram/histogram.cc.
    """
    positive = []
    limit = 1.0e-12
    while limit < 1.0e20:
        positive.append(limit)
        limit *= 1.1
    positive.append(sys.float_info.max)
    return np.array([-v for v in reversed(positive)] + [0.0] + positive)


def histogram(values: np.ndarray) -> Any:
    """Float64 `values` as HistogramProto; a run of empty buckets is written as one."""
    limits = bucket_limits()
    flat = values.ravel()
    proto = summary_pb2.HistogramProto(min=sys.float_info.max, max=-sys.float_info.max)
    if flat.size == 0:
        proto.bucket_limit.append(sys.float_info.max)
        proto.bucket.append(0.0)
        return proto
    proto.min, proto.max, proto.num = float(flat.min()), float(flat.max()), float(flat.size)
    # Added one after the other, as TensorFlow does: np.sum would round in another order.
    proto.sum = float(np.cumsum(flat)[-1])
    with np.errstate(over="ignore"):
        proto.sum_squares = float(np.cumsum(flat * flat)[-1])
    # A bucket holds what is below its limit and not below the one before. The few limits are looked
    # up among the sorted values: six times as fast as each of millions of values among the limits.
    below = np.searchsorted(np.sort(flat), limits, side="left")
    below[-1] = flat.size  # the last one holds its own limit too, the largest number
    counts = np.diff(below, prepend=0)
    filled = counts > 0
    # Kept: every filled bucket, and of a run of empty ones the last.
    kept = filled | np.append(filled[1:], True)
    proto.bucket_limit.extend(limits[kept].tolist())
    proto.bucket.extend(counts[kept].astype(np.float64).tolist())
    return proto


@op("HistogramSummary", shape=scalar, specialise=True, host=("tag", "values"), host_out=True)
def HistogramSummary(node: Any) -> Any:
    """The distribution of all elements of a tensor."""
    name = node.name

    def kernel(tag: np.ndarray, values: np.ndarray) -> np.ndarray:
        if tag.ndim:
            raise _invalid("tags must be scalar")
        exact = values.astype(np.float64)
        if not np.isfinite(exact).all():
            kind = "Nan" if np.isnan(exact[~np.isfinite(exact)][0]) else "Infinity"
            raise _invalid(f"{kind} in summary histogram for: {name}")
        summary = summary_pb2.Summary()
        entry = summary.value.add(tag=_tag(tag))
        entry.histo.CopyFrom(histogram(exact))
        return _serialized(summary)

    return kernel


# -- images --------------------------------------------------------------------------------------

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def encode_png(pixels: np.ndarray) -> bytes:
    """uint8 [height, width, 1, 3 or 4] as PNG."""
    from PIL import Image

    depth = pixels.shape[2]
    source = pixels[:, :, 0] if depth == 1 else pixels
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(source), _MODES[depth]).save(buffer, "png")
    return buffer.getvalue()


def normalise_image(image: np.ndarray, bad_color: np.ndarray) -> np.ndarray:
    """A float image [height, width, depth] as uint8.

    Without negative values the largest becomes 255; otherwise the largest magnitude becomes 127
    away from 128. A pixel that is not finite gets `bad_color`.
    Source: tensorflow/core/kernels/summary_image_op.cc.
    """
    finite = np.isfinite(image).all(axis=2)
    good = image[finite].astype(np.float32)
    low = float(good.min()) if good.size else np.inf
    high = float(good.max()) if good.size else -np.inf
    largest = np.float32(max(abs(low), abs(high)) if low < 0 else high)
    span, offset = (np.float32(127), 128) if low < 0 else (np.float32(255), 0)
    scale = np.float32(0) if largest < 1e-6 else span / largest
    kind = image.dtype.type
    result = np.empty(image.shape, np.uint8)
    result[finite] = (image[finite] * kind(scale) + kind(offset)).astype(np.uint8)
    result[~finite] = bad_color[: image.shape[2]]
    return result


@op("ImageSummary", shape=scalar, host=("tag", "tensor"), host_out=True)
def ImageSummary(tag, tensor, *, max_images, bad_color):
    """The first `max_images` of a batch [batch, height, width, 1, 3 or 4], as PNG."""
    base = _tag(tag)
    if tensor.ndim != 4 or tensor.shape[3] not in _MODES:
        raise _invalid(f"Tensor must be 4-D with last dim 1, 3, or 4, not {_shape_text(tensor)}")
    height, width, depth = tensor.shape[1:]
    if tensor.dtype != np.uint8 and bad_color.size < depth:
        raise _invalid(
            f"expected depth <= bad_color.size, got depth = {depth}, bad_color.size = "
            f"{bad_color.size}"
        )
    summary = summary_pb2.Summary()
    for i in range(min(max_images, tensor.shape[0])):
        name = f"{base}/image/{i}" if max_images > 1 else f"{base}/image"
        pixels = tensor[i]
        if pixels.dtype != np.uint8:
            pixels = normalise_image(pixels, bad_color)
        entry = summary.value.add(tag=name)
        entry.image.height, entry.image.width, entry.image.colorspace = height, width, depth
        if pixels.size:
            entry.image.encoded_image_string = encode_png(pixels)
    return _serialized(summary)


# -- audio ---------------------------------------------------------------------------------------


def encode_wav(samples: np.ndarray, rate: int) -> bytes:
    """Float samples in [-1, 1], [frames, channels], as 16-bit WAV; larger ones are clipped."""
    scaled = samples.astype(np.float32) * np.float32(32768)
    rounded = np.copysign(np.floor(np.abs(scaled) + np.float32(0.5)), scaled)
    data = np.clip(rounded, -32768, 32767).astype("<i2").tobytes()
    channels = samples.shape[1]
    block = 2 * channels
    header = struct.pack("<HHIIHH", 1, channels, rate, rate * block, block, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + header
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip


def _audio(tag: np.ndarray, tensor: np.ndarray, rate: float, max_outputs: int) -> np.ndarray:
    base = _tag(tag, "Tag")
    if tensor.ndim not in (2, 3):
        raise _invalid(f"Tensor must be 3-D or 2-D, got: {_shape_text(tensor)}")
    if rate <= 0:
        raise _invalid(f"sample_rate must be > 0, got: {rate:g}")
    whole = tensor if tensor.ndim == 3 else tensor[:, :, None]
    summary = summary_pb2.Summary()
    for i in range(min(max_outputs, whole.shape[0])):
        name = f"{base}/audio/{i}" if max_outputs > 1 else f"{base}/audio"
        audio = summary.value.add(tag=name).audio
        audio.sample_rate = rate
        audio.length_frames, audio.num_channels = whole.shape[1:]
        audio.encoded_audio_string = encode_wav(whole[i], int(rate + 0.5))
        audio.content_type = "audio/wav"
    return _serialized(summary)


@op("AudioSummary", shape=scalar, host=("tag", "tensor"), host_out=True)
def AudioSummary(tag, tensor, *, sample_rate, max_outputs):
    """The first clips of a batch [batch, frames] or [batch, frames, channels], as WAV."""
    return _audio(tag, tensor, sample_rate, max_outputs)


@op("AudioSummaryV2", shape=scalar, host=("tag", "tensor", "sample_rate"), host_out=True)
def AudioSummaryV2(tag, tensor, sample_rate, *, max_outputs):
    """AudioSummary with the sample rate (Hz, a scalar) as a tensor."""
    if sample_rate.ndim:
        raise _invalid(f"sample_rate must be a scalar, got: {_shape_text(sample_rate)}")
    return _audio(tag, tensor, float(sample_rate), max_outputs)


# -- tensors -------------------------------------------------------------------------------------


def tensor_content(array: np.ndarray, dtype: dtypes.DType) -> Any:
    """A TensorProto with its values as raw bytes (strings in their own field)."""
    proto = tensor_pb2.TensorProto(dtype=dtype.base_dtype.as_datatype_enum)
    proto.tensor_shape.CopyFrom(TensorShape.of(tuple(array.shape)).as_proto())
    if array.dtype == np.object_:
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto


@op("TensorSummary", shape=scalar, specialise=True, host=("tensor",), host_out=True)
def TensorSummary(node: Any) -> Any:
    """A tensor, under the name of this node."""
    name, dtype = node.name, node._attrs["T"]

    def kernel(tensor: np.ndarray) -> np.ndarray:
        summary = summary_pb2.Summary()
        entry = summary.value.add(node_name=name)
        entry.tensor.CopyFrom(tensor_content(tensor, dtype))
        return _serialized(summary)

    return kernel


@op(
    "TensorSummaryV2",
    shape=scalar,
    host=("tag", "tensor", "serialized_summary_metadata"),
    host_out=True,
)
def TensorSummaryV2(tag, tensor, serialized_summary_metadata, *, T):
    """A tensor under a tag, with a serialized SummaryMetadata that names its plugin."""
    summary = summary_pb2.Summary()
    entry = summary.value.add(tag=_tag(tag, "tag"))
    entry.tensor.CopyFrom(tensor_content(tensor, T))
    try:
        entry.metadata.ParseFromString(serialized_summary_metadata[()])
    except DecodeError:
        raise _invalid("Could not parse the serialized summary metadata") from None
    return _serialized(summary)


@op("MergeSummary", shape=scalar, host=("inputs",), host_out=True)
def MergeSummary(inputs):
    """The values of all input summaries in one; no tag may be there twice."""
    merged = summary_pb2.Summary()
    tags: set[str] = set()
    for item in inputs:
        for raw in item.ravel().tolist():
            part = summary_pb2.Summary()
            try:
                part.ParseFromString(raw)
            except DecodeError:
                raise _invalid("Could not parse one of the summary inputs") from None
            for value in part.value:
                if value.tag and value.tag in tags:
                    raise _invalid(f"Duplicate tag {value.tag} found in summary inputs")
                tags.add(value.tag)
                merged.value.add().CopyFrom(value)
    return _serialized(merged)


not_differentiable(
    "ScalarSummary", "HistogramSummary", "ImageSummary", "AudioSummary", "AudioSummaryV2",
    "TensorSummary", "TensorSummaryV2", "MergeSummary",
)  # fmt: skip
