# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.random`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.framework import (
    set_random_seed,
)
from relight.v1.functions.nn_losses import (
    all_candidate_sampler, fixed_unigram_candidate_sampler, learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler, uniform_candidate_sampler,
)
from relight.v1.functions.random import (
    categorical, get_seed, multinomial, random_gamma as gamma, random_normal as normal,
    random_poisson as poisson, random_shuffle as shuffle, random_uniform as uniform,
    stateless_categorical, stateless_multinomial, stateless_random_normal as stateless_normal,
    stateless_random_uniform as stateless_uniform, stateless_truncated_normal, truncated_normal,
)

__getattr__ = missing("tf.random")

__all__ = [
    "all_candidate_sampler", "categorical", "fixed_unigram_candidate_sampler", "gamma",
    "get_seed", "learned_unigram_candidate_sampler", "log_uniform_candidate_sampler",
    "multinomial", "normal", "poisson", "set_random_seed", "shuffle", "stateless_categorical",
    "stateless_multinomial", "stateless_normal", "stateless_truncated_normal",
    "stateless_uniform", "truncated_normal", "uniform", "uniform_candidate_sampler",
]
