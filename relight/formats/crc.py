"""Masked CRC-32C, the checksum of every TensorFlow container.

* CRC-32C is the Castagnoli polynomial, as in iSCSI (RFC 3720, appendix B.4).
* A stored checksum is masked: rotated right by 15 bits, plus 0xa282ead8, modulo 2**32. So a
  checksum of bytes that hold checksums stays a good checksum.
* On disk it is four bytes, little-endian.
"""

from __future__ import annotations

import google_crc32c
import numpy as np

_DELTA = 0xA282EAD8
_NATIVE = google_crc32c.implementation == "c"

Buffer = bytes | bytearray | memoryview | np.ndarray


def _readable(data: Buffer) -> bytes | np.ndarray:
    # The C routine takes bytes and arrays, not writable buffers; an array over the buffer copies
    # nothing. The pure Python routine iterates, and only bytes give it plain integers.
    if isinstance(data, bytes):
        return data
    if _NATIVE:
        if isinstance(data, np.ndarray):
            return data.reshape(-1).view(np.uint8)
        return np.frombuffer(data, np.uint8)
    return data.tobytes() if isinstance(data, np.ndarray) else bytes(data)


def crc32c(data: Buffer, crc: int = 0) -> int:
    """CRC-32C of `data` (any C-contiguous buffer), continuing from `crc`."""
    return (
        google_crc32c.extend(crc, _readable(data)) if crc else google_crc32c.value(_readable(data))
    )


def mask(crc: int) -> int:
    """The stored form of a CRC-32C."""
    return (((crc >> 15) | (crc << 17)) + _DELTA) & 0xFFFFFFFF


def unmask(masked: int) -> int:
    """The CRC-32C of a stored form."""
    rotated = (masked - _DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def masked_crc32c(data: Buffer, crc: int = 0) -> int:
    """The stored form of `crc32c(data, crc)`."""
    return mask(crc32c(data, crc))
