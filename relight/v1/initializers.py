# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.initializers`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.init import (
    Constant as constant, GlorotNormal as glorot_normal, GlorotUniform as glorot_uniform,
    Identity as identity, Ones as ones, Orthogonal as orthogonal, RandomNormal as random_normal,
    RandomUniform as random_uniform, TruncatedNormal as truncated_normal,
    UniformUnitScaling as uniform_unit_scaling, VarianceScaling as variance_scaling,
    Zeros as zeros, he_normal, he_uniform, lecun_normal, lecun_uniform,
)
from relight.v1.functions.lookup import (
    tables_initializer,
)
from relight.v1.functions.variable_lists import (
    global_variables_initializer as global_variables,
    local_variables_initializer as local_variables, variables_initializer as variables,
)

__getattr__ = missing("tf.initializers")

__all__ = [
    "constant", "global_variables", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "identity", "lecun_normal", "lecun_uniform", "local_variables", "ones", "orthogonal",
    "random_normal", "random_uniform", "tables_initializer", "truncated_normal",
    "uniform_unit_scaling", "variables", "variance_scaling", "zeros",
]
