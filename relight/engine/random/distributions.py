"""From random words to numbers: TensorFlow 1.15's uniform and normal transforms, vectorised.

Every function here takes a generator position (`philox.Philox`) and is pure: the same position
gives the same numbers. Arrays are numpy; bfloat16, which numpy lacks, is handled as float32 values
on the bfloat16 grid.

How outputs are laid over the stream (from the CPU kernels of TensorFlow 1.15; the result does not
depend on the number of threads, because every output group finds its own place in the stream):

* fixed-cost distributions (uniform, integers, normal): block i gives outputs 4i .. 4i+3, or 2i,
  2i+1 for 64-bit types;
* truncated normal: output group i (4 numbers, 2 for float64) starts 64 blocks per number further
  than the group before it, and takes pairs from there until the group is full.

float32 logarithm, sine and cosine are evaluated in float64 with the polynomials of the C library
that TensorFlow calls on Linux (glibc >= 2.28: logf, sincosf), so that results agree with it in
every bit: checked for all 2**23 arguments that the Box-Muller transform can meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .philox import CHUNK, Philox, pack_pairs

_GROUP_BLOCKS_PER_NUMBER = 64
_TRUNCATE_AT = 2.0

# --------------------------------------------------------------------------------------------------
# Uniform


def uniform_float32(generator: Philox, count: int) -> np.ndarray:
    """[count] float32 in [0, 1): the lower 23 bits of each word, times 2**-23."""
    out = np.empty(((count + 3) // 4, 4), dtype=np.float32)
    pairs = out.view(np.uint64)
    for first, even, odd in generator.chunks(len(out)):
        part = slice(first, first + even.shape[1])
        packed = pack_pairs(even, odd)
        # Two words at a time: the mantissa of a number in [1, 2), from which 1 is then taken.
        np.bitwise_and(packed, np.uint64(0x007FFFFF_007FFFFF), out=packed)
        np.bitwise_or(packed, np.uint64(0x3F800000_3F800000), out=packed)
        pairs[part] = packed.T
        np.subtract(out[part], np.float32(1), out=out[part])
    return out.reshape(-1)[:count]


def _uniform_short(generator: Philox, count: int, mantissa_bits: int) -> np.ndarray:
    words = generator.words(count)
    np.bitwise_and(words, np.uint32((1 << mantissa_bits) - 1), out=words)
    return np.multiply(words, np.float32(2.0**-mantissa_bits), dtype=np.float32, casting="unsafe")


def uniform_float16(generator: Philox, count: int) -> np.ndarray:
    """[count] float16 in [0, 1): the lower 10 bits of each word, times 2**-10."""
    return _uniform_short(generator, count, 10).astype(np.float16)


def uniform_bfloat16(generator: Philox, count: int) -> np.ndarray:
    """[count] bfloat16 values, held as float32, in [0, 1): the lower 7 bits of each word, times
    2**-7.
    """
    return _uniform_short(generator, count, 7)


def to_float64(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """52 bits (20 of `high`, 32 of `low`, uint64 arrays with undefined upper halves) as a float64
    in [0, 1).
    """
    bits = np.bitwise_and(high, np.uint64(0xFFFFF))
    np.left_shift(bits, np.uint64(32), out=bits)
    np.bitwise_or(bits, np.bitwise_and(low, np.uint64(0xFFFFFFFF)), out=bits)
    return np.multiply(bits, 2.0**-52)


def uniform_float64(generator: Philox, count: int) -> np.ndarray:
    """[count] float64 in [0, 1): two words each, times 2**-52."""
    out = np.empty(((count + 1) // 2, 2), dtype=np.float64)
    for first, even, odd in generator.chunks(len(out)):
        out[first : first + even.shape[1]] = to_float64(even, odd).T
    return out.reshape(-1)[:count]


def _remainder(values: np.ndarray, divisor: int) -> np.ndarray:
    """`values % divisor` in place. numpy divides by a constant with multiplications."""
    kind = values.dtype.type
    if divisor & (divisor - 1) == 0:
        return np.bitwise_and(values, kind(divisor - 1), out=values)
    quotient = np.floor_divide(values, kind(divisor))
    np.multiply(quotient, kind(divisor), out=quotient)
    return np.subtract(values, quotient, out=values)


def uniform_int32(generator: Philox, count: int, low: int, high: int) -> np.ndarray:
    """[count] int32 in [low, high): each word modulo (high - low), the bias left as TensorFlow
    leaves it.
    """
    words = _remainder(generator.words(count), high - low)
    return np.add(words, np.uint32(low & 0xFFFFFFFF), out=words).view(np.int32)


def uniform_int64(generator: Philox, count: int, low: int, high: int) -> np.ndarray:
    """[count] int64 in [low, high): two words each (lower half first) modulo (high - low)."""
    words = generator.words(2 * count).view("<u8").astype(np.uint64, copy=False)
    words = _remainder(words, high - low)
    return np.add(words, np.uint64(low & 0xFFFFFFFFFFFFFFFF), out=words).view(np.int64)


# --------------------------------------------------------------------------------------------------
# float32 logarithm, sine and cosine of the Box-Muller transform

_EPSILON32 = np.float32(1e-7)
# Argument m of the two functions below is a 23-bit integer: the uniform number is m * 2**-23.
_TWO_PI_STEP = 2.0 * math.pi * 2.0**-23
_HALF_PI = math.pi / 2
_SIGN = np.int32(-(2**31))

# sin x = x + S0 x^3 + S1 x^5 + S2 x^7 and cos x = 1 + C0 x^2 + .. + C3 x^8 on [-pi/4, pi/4].
_SIN = tuple(
    map(float.fromhex, ("-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13"))
)
_COS = tuple(
    map(
        float.fromhex,
        (
            "-0x1.ffffffd0c621cp-2",
            "0x1.55553e1068f19p-5",
            "-0x1.6c087e89a359dp-10",
            "0x1.99343027bf8c3p-16",
        ),
    )
)
# log x = k log 2 - log(a_i) + r + r^2 (L2 + L1 r + L0 r^2), r = a_i x 2^-k - 1, where a_i is near
# the reciprocal of the middle of the i-th sixteenth of [0.69921875, 1.3984375).
_LOG = tuple(
    map(float.fromhex, ("-0x1.00ea348b88334p-2", "0x1.5575b0be00b6ap-2", "-0x1.ffffef20a4123p-2"))
)
_LOG_RECIPROCALS = np.array(
    [
        float.fromhex(text)
        for text in (
            *("0x1.661ec79f8f3bep+0", "0x1.571ed4aaf883dp+0", "0x1.49539f0f010bp+0"),
            *("0x1.3c995b0b80385p+0", "0x1.30d190c8864a5p+0", "0x1.25e227b0b8eap+0"),
            *("0x1.1bb4a4a1a343fp+0", "0x1.12358f08ae5bap+0", "0x1.0953f419900a7p+0"),
            *("0x1p+0", "0x1.e608cfd9a47acp-1", "0x1.ca4b31f026aap-1", "0x1.b2036576afce6p-1"),
            *("0x1.9c2d163a1aa2dp-1", "0x1.886e6037841edp-1", "0x1.767dcf5534862p-1"),
        )
    ]
)
# One row per binade and sixteenth that m in (0, 2**23) can fall into, from the smallest (epsilon)
# up; the reciprocal includes the power of two and the 2**-23 of the argument.
_LOWEST_BINADE = -1
_BINADES = np.arange(_LOWEST_BINADE, 24)
_TABLE_RECIPROCAL = (_LOG_RECIPROCALS * 2.0 ** -_BINADES[:, None].astype(np.float64)).reshape(-1)
_TABLE_LOG = ((_BINADES[:, None] - 23) * math.log(2.0) - np.log(_LOG_RECIPROCALS)).reshape(-1)
_TABLE_ORIGIN = np.int32(0x3F330000 + (_LOWEST_BINADE << 23))


def _radius(mantissa: np.ndarray) -> np.ndarray:
    """sqrt(-2 log u) in float32 for u = max(mantissa * 2**-23, 1e-7), int32 mantissas."""
    argument = mantissa.astype(np.float32)
    np.maximum(argument, _EPSILON32 * np.float32(2**23), out=argument)
    index = np.subtract(argument.view(np.int32), _TABLE_ORIGIN)
    np.right_shift(index, 19, out=index)
    index = index.astype(np.intp)
    # The index is always within the table; "wrap" only spares the copy that the checking mode
    # makes.
    r = np.take(_TABLE_RECIPROCAL, index, mode="wrap")
    y = argument.astype(np.float64)
    np.multiply(r, y, out=r)
    np.subtract(r, 1.0, out=r)
    np.multiply(r, _LOG[0], out=y)
    np.add(y, _LOG[1], out=y)
    np.multiply(y, r, out=y)
    np.add(y, _LOG[2], out=y)
    np.multiply(y, r, out=y)
    np.multiply(y, r, out=y)
    np.add(r, np.take(_TABLE_LOG, index, mode="wrap"), out=r)
    np.add(y, r, out=y)
    out = y.astype(np.float32)
    np.multiply(out, np.float32(-2), out=out)
    return np.sqrt(out, out=out)


def _sine_cosine(mantissa: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sin v, cos v) in float32 for v = float32(2 pi mantissa * 2**-23); `mantissa` is an int32
    array, overwritten.
    """
    x = mantissa.astype(np.float64)
    np.multiply(x, _TWO_PI_STEP, out=x)
    angle = x.astype(np.float32)
    # Quarter turns: v lies within an eighth of a turn of (turns >> 21) * pi / 2.
    turns = np.add(mantissa, np.int32(1 << 20), out=mantissa)
    np.copyto(x, np.right_shift(turns, np.int32(21)))
    np.multiply(x, -_HALF_PI, out=x)
    square = angle.astype(np.float64)
    np.add(x, square, out=x)
    np.multiply(x, x, out=square)
    y = np.multiply(square, _SIN[2])
    np.add(y, _SIN[1], out=y)
    np.multiply(y, square, out=y)
    np.add(y, _SIN[0], out=y)
    np.multiply(y, square, out=y)
    np.multiply(y, x, out=y)
    np.add(y, x, out=y)
    sine = y.astype(np.float32)
    np.multiply(square, _COS[3], out=y)
    np.add(y, _COS[2], out=y)
    np.multiply(y, square, out=y)
    np.add(y, _COS[1], out=y)
    np.multiply(y, square, out=y)
    np.add(y, _COS[0], out=y)
    np.multiply(y, square, out=y)
    np.add(y, 1.0, out=y)
    cosine = y.astype(np.float32)

    # Odd quarter turns exchange sine and cosine; the second half turn changes the sine's sign, the
    # middle two quarters the cosine's. All on the bits: no branches.
    sine_bits, cosine_bits = sine.view(np.int32), cosine.view(np.int32)
    exchange = np.left_shift(turns, np.int32(10))
    np.right_shift(exchange, np.int32(31), out=exchange)
    other = np.bitwise_xor(sine_bits, cosine_bits)
    np.bitwise_and(exchange, other, out=exchange)
    np.bitwise_xor(sine_bits, exchange, out=sine_bits)
    np.bitwise_xor(cosine_bits, exchange, out=cosine_bits)
    sign = np.left_shift(turns, np.int32(9), out=exchange)
    np.bitwise_and(sign, _SIGN, out=sign)
    np.bitwise_xor(sine_bits, sign, out=sine_bits)
    np.add(turns, np.int32(1 << 21), out=turns)
    np.left_shift(turns, np.int32(9), out=sign)
    np.bitwise_and(sign, _SIGN, out=sign)
    np.bitwise_xor(cosine_bits, sign, out=cosine_bits)
    return sine, cosine


def box_muller_float32(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two independent standard normals from two words (uint64 arrays, upper halves undefined):
    (with sine, with cosine).
    """
    mask = np.int32(0x7FFFFF)
    mantissa = first.astype(np.int32)  # modulo 2**32
    radius = _radius(np.bitwise_and(mantissa, mask, out=mantissa))
    mantissa = second.astype(np.int32)
    sine, cosine = _sine_cosine(np.bitwise_and(mantissa, mask, out=mantissa))
    return np.multiply(sine, radius, out=sine), np.multiply(cosine, radius, out=cosine)


def box_muller_float64(even: np.ndarray, odd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two standard normals, float64, per block: `even`, `odd` as `Philox.chunks` yields them."""
    first, second = to_float64(even, odd)
    radius = np.sqrt(-2.0 * np.log(np.maximum(first, 1e-7)))
    angle = second * (2 * math.pi)
    return np.sin(angle) * radius, np.cos(angle) * radius


# --------------------------------------------------------------------------------------------------
# Normal


def normal_float32(generator: Philox, count: int) -> np.ndarray:
    """[count] float32, standard normal."""
    out = np.empty(((count + 3) // 4, 4), dtype=np.float32)
    pairs = out.view(np.uint64)
    for first, even, odd in generator.chunks(len(out)):
        pairs[first : first + even.shape[1]] = _normal_pairs(even, odd).T
    return out.reshape(-1)[:count]


def _normal_pairs(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """The two pairs of normals of each block, [2, b] uint64, each holding two float32."""
    sine, cosine = box_muller_float32(even, odd)
    return pack_pairs(sine.view(np.uint32).astype(np.uint64), cosine.view(np.uint32))


def normal_float64(generator: Philox, count: int) -> np.ndarray:
    """[count] float64, standard normal."""
    out = np.empty(((count + 1) // 2, 2), dtype=np.float64)
    for first, even, odd in generator.chunks(len(out)):
        out[first : first + even.shape[1], 0], out[first : first + even.shape[1], 1] = (
            box_muller_float64(even, odd)
        )
    return out.reshape(-1)[:count]


def _block_normals32(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """The four normals of each block, [b, 4] float32."""
    return np.ascontiguousarray(_normal_pairs(even, odd).T).view(np.float32)


def _block_normals64(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """The two normals of each block, [b, 2] float64."""
    return np.stack(box_muller_float64(even, odd), axis=1)


def _truncated(
    generator: Philox,
    count: int,
    width: int,
    normals: Callable[[np.ndarray, np.ndarray], np.ndarray],
    dtype: type[np.floating],
) -> np.ndarray:
    """Groups of `width` normals within (-2, 2), each group with its own part of the stream."""
    groups = (count + width - 1) // width
    out = np.empty((groups, width), dtype=dtype)
    for first in range(0, groups, CHUNK):
        numbers = np.arange(first, min(first + CHUNK, groups), dtype=np.uint64)
        starts = np.multiply(numbers, np.uint64(width * _GROUP_BLOCKS_PER_NUMBER))
        out[first : first + starts.size] = _truncated_groups(generator, starts, normals)
    return out.reshape(-1)[:count]


def _truncated_groups(
    generator: Philox,
    starts: np.ndarray,
    normals: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """The groups whose draws begin at the blocks `starts`: [groups, width]."""
    out = normals(*generator.blocks_at(starts))
    width = out.shape[1]
    inside = np.abs(out) < _TRUNCATE_AT
    # Groups that lack numbers go on with their next block; fewer and fewer do.
    rows = np.flatnonzero(~inside.all(axis=1))
    values, inside = out[rows], inside[rows]
    kept = np.zeros((rows.size, width), dtype=out.dtype)
    filled = np.zeros(rows.size, dtype=np.intp)
    block = 0
    while rows.size:
        place = filled[:, None] + np.cumsum(inside, axis=1) - 1
        use = inside & (place < width)
        at, _ = np.nonzero(use)
        kept[at, place[use]] = values[use]
        filled += inside.sum(axis=1)
        done = filled >= width
        out[rows[done]] = kept[done]
        rows, kept, filled = rows[~done], kept[~done], filled[~done]
        block += 1
        if rows.size:
            values = normals(*generator.blocks_at(starts[rows] + np.uint64(block)))
            inside = np.abs(values) < _TRUNCATE_AT
    return out


def truncated_normal_float32(generator: Philox, count: int) -> np.ndarray:
    """[count] float32, standard normal, numbers outside (-2, 2) replaced by further draws."""
    return _truncated(generator, count, 4, _block_normals32, np.float32)


def truncated_normal_float64(generator: Philox, count: int) -> np.ndarray:
    """[count] float64, standard normal, numbers outside (-2, 2) replaced by further draws."""
    return _truncated(generator, count, 2, _block_normals64, np.float64)
