"""What each rewriting of plans gives: a program with it and without it, interleaved.

    python -m benchmarks.passes [--rounds N]

Prints the lines of the table "What each pass gives" of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator

from benchmarks.__main__ import measure

# (pass, a program that has what it rewrites)
PASSES = (
    ("forward_identities", "softmax"),
    ("fold_constants", "softmax"),
    ("drop_neutral", "softmax"),
    ("merge_equal", "moving_average"),
    ("share_pool_indices", "cnn"),
    ("pool_before_relu", "cnn"),
    ("join_conv_gradients", "cnn"),
    ("fuse_bias", "cnn"),
    ("relu_in_place", "cnn"),
    ("relu_gradient_in_place", "cnn"),
    ("join_softmax_gradient", "softmax"),
    ("add_scaled", "moving_average"),
    ("sum_products", "lstm_rows"),
    ("average_together", "moving_average"),
    ("update_together", "deep_mnist"),
)
# (what, program, environment that is without it)
SETTINGS = (
    ("memory kept between steps", "cnn", {"MALLOC_TRIM_THRESHOLD_": "131072"}),
    ("oneDNN's matrix products", "cnn", {"RELIGHT_MATMUL": "mkl"}),
    ("NumPy's tanh", "lstm_rows", {"RELIGHT_VECTOR_MATH": "torch"}),
    ("bfloat16 (`RELIGHT_PRECISION`)", "cnn", {"RELIGHT_PRECISION": "fp32"}),
    ("bfloat16 (`RELIGHT_PRECISION`)", "resnet20", {"RELIGHT_PRECISION": "fp32"}),
)


def compared(rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """(what, program, seconds a step with it, without it): medians of interleaved runs."""
    for name, program in PASSES:
        yield name, program, *_pair(rounds, program, "relight", f"relight-{name}", {}, {})
    for name, program, without in SETTINGS:
        with_it = {"RELIGHT_PRECISION": "bf16"} if "RELIGHT_PRECISION" in without else {}
        yield name, program, *_pair(rounds, program, "relight", "relight", with_it, without)


def _pair(
    rounds: int, program: str, a: str, b: str, a_env: dict[str, str], b_env: dict[str, str]
) -> tuple[float, float]:
    both: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, engine, environment in ((both[0], a, a_env), (both[1], b, b_env)):
            found = measure(program, sys.executable, engine, {**os.environ, **environment})
            times.append(found["median"])
    return statistics.median(both[0]), statistics.median(both[1])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.passes")
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    print("| pass | program | without (ms) | with (ms) | ratio |\n|---|---|---|---|---|")
    for name, program, with_it, without in compared(rounds):
        print(
            f"| {name} | {program} | {without * 1e3:.3g} | {with_it * 1e3:.3g} "
            f"| {with_it / without:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
