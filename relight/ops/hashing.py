"""The 64-bit hashes of strings that TensorFlow uses, so that buckets are the same numbers.

* `fingerprint64`: FarmHash's portable Fingerprint64 (Geoff Pike's farmhashna, 2014).
* `siphash`: SipHash-2-4 (Aumasson and Bernstein, 2012), keyed.
* `murmur64`: MurmurHash64A (Austin Appleby) with TensorFlow's fixed seed.
"""

from __future__ import annotations

import functools
import struct

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_PAIR_FACTOR = 0x9DDFEA08EB382D69
_CACHE = 1 << 16  # feature columns hash the same few words again and again


def _word64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _word32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotate(value: int, shift: int) -> int:
    return ((value >> shift) | (value << (64 - shift))) & _MASK


def _mix(value: int) -> int:
    return value ^ (value >> 47)


def _pair(u: int, v: int, factor: int = _PAIR_FACTOR) -> int:
    """A hash of 16 bytes."""
    a = _mix(((u ^ v) * factor) & _MASK)
    b = _mix(((v ^ a) * factor) & _MASK)
    return (b * factor) & _MASK


def _up_to_16(data: bytes) -> int:
    n = len(data)
    if n >= 8:
        factor = _K2 + n * 2
        a = (_word64(data, 0) + _K2) & _MASK
        b = _word64(data, n - 8)
        c = (_rotate(b, 37) * factor + a) & _MASK
        d = ((_rotate(a, 25) + b) * factor) & _MASK
        return _pair(c, d, factor & _MASK)
    if n >= 4:
        factor = _K2 + n * 2
        return _pair((n + (_word32(data, 0) << 3)) & _MASK, _word32(data, n - 4), factor & _MASK)
    if n > 0:
        y = data[0] + (data[n >> 1] << 8)
        z = n + (data[n - 1] << 2)
        return (_mix(((y * _K2) & _MASK) ^ ((z * _K0) & _MASK)) * _K2) & _MASK
    return _K2


def _up_to_32(data: bytes) -> int:
    n = len(data)
    factor = (_K2 + n * 2) & _MASK
    a = (_word64(data, 0) * _K1) & _MASK
    b = _word64(data, 8)
    c = (_word64(data, n - 8) * factor) & _MASK
    d = (_word64(data, n - 16) * _K2) & _MASK
    return _pair(
        (_rotate((a + b) & _MASK, 43) + _rotate(c, 30) + d) & _MASK,
        (a + _rotate((b + _K2) & _MASK, 18) + c) & _MASK,
        factor,
    )


def _up_to_64(data: bytes) -> int:
    n = len(data)
    factor = (_K2 + n * 2) & _MASK
    a = (_word64(data, 0) * _K2) & _MASK
    b = _word64(data, 8)
    c = (_word64(data, n - 8) * factor) & _MASK
    d = (_word64(data, n - 16) * _K2) & _MASK
    y = (_rotate((a + b) & _MASK, 43) + _rotate(c, 30) + d) & _MASK
    z = _pair(y, (a + _rotate((b + _K2) & _MASK, 18) + c) & _MASK, factor)
    e = (_word64(data, 16) * factor) & _MASK
    f = _word64(data, 24)
    g = ((y + _word64(data, n - 32)) * factor) & _MASK
    h = ((z + _word64(data, n - 24)) * factor) & _MASK
    return _pair(
        (_rotate((e + f) & _MASK, 43) + _rotate(g, 30) + h) & _MASK,
        (e + _rotate((f + a) & _MASK, 18) + g) & _MASK,
        factor,
    )


def _weak_32(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Two sums over 32 bytes, seeded."""
    w, x, y, z = struct.unpack_from("<4Q", data, at)
    a = (a + w) & _MASK
    b = _rotate((b + a + z) & _MASK, 21)
    c = a
    a = (a + x + y) & _MASK
    b = (b + _rotate(a, 44)) & _MASK
    return (a + z) & _MASK, (b + c) & _MASK


def _long(data: bytes) -> int:
    n, seed = len(data), 81
    x = seed
    y = (seed * _K1 + 113) & _MASK
    z = (_mix((y * _K2 + 113) & _MASK) * _K2) & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word64(data, 0)) & _MASK
    end = ((n - 1) // 64) * 64
    last = end + ((n - 1) & 63) - 63
    at = 0
    while at != end:
        x = (_rotate((x + y + v[0] + _word64(data, at + 8)) & _MASK, 37) * _K1) & _MASK
        y = (_rotate((y + v[1] + _word64(data, at + 48)) & _MASK, 42) * _K1) & _MASK
        x ^= w[1]
        y = (y + v[0] + _word64(data, at + 40)) & _MASK
        z = (_rotate((z + w[0]) & _MASK, 33) * _K1) & _MASK
        v = _weak_32(data, at, (v[1] * _K1) & _MASK, (x + w[0]) & _MASK)
        w = _weak_32(data, at + 32, (z + w[1]) & _MASK, (y + _word64(data, at + 16)) & _MASK)
        z, x = x, z
        at += 64
    factor = (_K1 + ((z & 0xFF) << 1)) & _MASK
    at = last
    w = ((w[0] + ((n - 1) & 63)) & _MASK, w[1])
    v = ((v[0] + w[0]) & _MASK, v[1])
    w = ((w[0] + v[0]) & _MASK, w[1])
    x = (_rotate((x + y + v[0] + _word64(data, at + 8)) & _MASK, 37) * factor) & _MASK
    y = (_rotate((y + v[1] + _word64(data, at + 48)) & _MASK, 42) * factor) & _MASK
    x ^= (w[1] * 9) & _MASK
    y = (y + v[0] * 9 + _word64(data, at + 40)) & _MASK
    z = (_rotate((z + w[0]) & _MASK, 33) * factor) & _MASK
    v = _weak_32(data, at, (v[1] * factor) & _MASK, (x + w[0]) & _MASK)
    w = _weak_32(data, at + 32, (z + w[1]) & _MASK, (y + _word64(data, at + 16)) & _MASK)
    z, x = x, z
    return _pair(
        (_pair(v[0], w[0], factor) + _mix(y) * _K0 + z) & _MASK,
        (_pair(v[1], w[1], factor) + x) & _MASK,
        factor,
    )


@functools.lru_cache(_CACHE)
def fingerprint64(data: bytes) -> int:
    """FarmHash Fingerprint64 of bytes."""
    n = len(data)
    if n <= 16:
        return _up_to_16(data)
    if n <= 32:
        return _up_to_32(data)
    return _up_to_64(data) if n <= 64 else _long(data)


def fingerprint_pair(low: int, high: int) -> int:
    """The fingerprint of two fingerprints, as crossed feature columns combine them."""
    factor = _PAIR_FACTOR
    a = _mix(((low ^ high) * factor) & _MASK)
    b = _mix(((high ^ a) * factor) & _MASK)
    return (b * factor) & _MASK


def siphash(key: tuple[int, int], data: bytes) -> int:
    """SipHash-2-4 of bytes under a key of two 64-bit words."""
    k0, k1 = (k & _MASK for k in key)
    state = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    whole = len(data) - len(data) % 8
    words = [_word64(data, i) for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        state[3] ^= word
        _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _left(value: int, shift: int) -> int:
    return _rotate(value, 64 - shift)


def _sip_rounds(state: list[int], count: int) -> None:
    a, b, c, d = state
    for _ in range(count):
        a = (a + b) & _MASK
        b = _left(b, 13) ^ a
        a = _left(a, 32)
        c = (c + d) & _MASK
        d = _left(d, 16) ^ c
        a = (a + d) & _MASK
        d = _left(d, 21) ^ a
        c = (c + b) & _MASK
        b = _left(b, 17) ^ c
        c = _left(c, 32)
    state[:] = a, b, c, d


@functools.lru_cache(_CACHE)
def murmur64(data: bytes, seed: int = 0xDECAFCAFFE) -> int:
    """MurmurHash64A of bytes."""
    factor, shift = 0xC6A4A7935BD1E995, 47
    n = len(data)
    value = (seed ^ (n * factor)) & _MASK
    whole = n - n % 8
    for i in range(0, whole, 8):
        word = (_word64(data, i) * factor) & _MASK
        word = ((word ^ (word >> shift)) * factor) & _MASK
        value = ((value ^ word) * factor) & _MASK
    if n % 8:
        value = ((value ^ int.from_bytes(data[whole:], "little")) * factor) & _MASK
    value = ((value ^ (value >> shift)) * factor) & _MASK
    return value ^ (value >> shift)
