"""Frames, windows, short-time transforms, cosine transforms, mel scales."""


def _wave(np, count=64):
    return np.cos(np.arange(count) * 0.3).astype("float32") + np.float32(0.1)


def windows(tf, np):
    s = tf.signal
    return {
        "hann": s.hann_window(8),
        "odd": s.hann_window(7),
        "symmetric": s.hann_window(8, False),
        "hamming": s.hamming_window(8),
        "one": s.hann_window(1),
        "double": s.hamming_window(5, dtype=tf.float64),
    }


def frames(tf, np):
    x = tf.constant(_wave(np, 20).reshape(2, 10))
    y = tf.signal.frame(x, 4, 2)
    return {
        "y": y,
        "padded": tf.signal.frame(x, 4, 3, pad_end=True, pad_value=-1.0),
        "axis": tf.signal.frame(x, 2, 1, axis=0),
        "far": tf.signal.frame(x, 3, 5),
        "gradient": tf.gradients(y, x)[0],
    }


def overlaps(tf, np):
    x = tf.constant(_wave(np, 24).reshape(2, 3, 4))
    y = tf.signal.overlap_and_add(x, 2)
    return {
        "y": y,
        "fast": tf.signal.overlap_and_add(x, 4),
        "odd": tf.signal.overlap_and_add(x, 3),
        "gradient": tf.gradients(y * y, x)[0],
    }


def short_time(tf, np):
    x = tf.constant(_wave(np))
    y = tf.signal.stft(x, 16, 8)
    inverse = tf.signal.inverse_stft(y, 16, 8, window_fn=tf.signal.inverse_stft_window_fn(8))
    return {
        "y": y,
        "inverse": inverse,
        "long": tf.signal.stft(x, 10, 5, fft_length=16),
        "plain": tf.signal.stft(x, 16, 16, window_fn=None),
        "short": tf.signal.inverse_stft(y, 12, 8),
        "padded": tf.signal.stft(x, 16, 12, pad_end=True),
    }


short_time.rtol = 1e-4
short_time.atol = 1e-4


def cosines(tf, np):
    x = tf.constant(_wave(np, 12).reshape(2, 6))
    results = {"n": tf.signal.dct(x, n=4), "longer": tf.signal.dct(x, n=8)}
    for kind in (1, 2, 3):
        results["dct %d" % kind] = tf.signal.dct(x, type=kind)
        results["idct %d" % kind] = tf.signal.idct(x, type=kind)
        if kind > 1:
            results["ortho %d" % kind] = tf.signal.dct(x, type=kind, norm="ortho")
    return results


cosines.rtol = 1e-4
cosines.atol = 1e-5


def cosine_of_bad_type(tf, np):
    return {"y": tf.signal.dct(tf.zeros([4]), type=4)}


def mel(tf, np):
    return {
        "weights": tf.signal.linear_to_mel_weight_matrix(5, 17),
        "mfcc": tf.signal.mfccs_from_log_mel_spectrograms(tf.constant(_wave(np, 12).reshape(2, 6))),
    }


mel.rtol = 1e-4
mel.atol = 1e-5


def mel_beyond_nyquist(tf, np):
    return {"y": tf.signal.linear_to_mel_weight_matrix(upper_edge_hertz=5000.0)}


def shifts(tf, np):
    x = tf.constant(np.arange(15).reshape(3, 5).astype("f"))
    return {
        "all": tf.signal.fftshift(x),
        "back": tf.signal.ifftshift(x),
        "axis": tf.signal.fftshift(x, 1),
        "axes": tf.signal.ifftshift(x, [0, 1]),
    }
