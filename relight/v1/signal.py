# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.signal`."""

from relight.ops.fft import (
    fft, fft2d, fft3d, ifft, ifft2d, ifft3d, irfft, irfft2d, irfft3d, rfft, rfft2d, rfft3d,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.functions.cepstrum import (
    dct, idct, linear_to_mel_weight_matrix, mfccs_from_log_mel_spectrograms,
)
from relight.v1.functions.signal import (
    fftshift, frame, hamming_window, hann_window, ifftshift, inverse_stft, inverse_stft_window_fn,
    overlap_and_add, stft,
)

__getattr__ = missing("tf.signal")

__all__ = [
    "dct", "fft", "fft2d", "fft3d", "fftshift", "frame", "hamming_window", "hann_window", "idct",
    "ifft", "ifft2d", "ifft3d", "ifftshift", "inverse_stft", "inverse_stft_window_fn", "irfft",
    "irfft2d", "irfft3d", "linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms",
    "overlap_and_add", "rfft", "rfft2d", "rfft3d", "stft",
]
