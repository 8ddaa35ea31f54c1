# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.framework`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.framework import (
    nest,
)
from relight.v1.contrib.framework.aliases import (
    assert_same_float_dtype, assert_scalar, assert_scalar_int, convert_to_tensor_or_sparse_tensor,
    deprecated, deprecated_arg_values, deprecated_args, get_name_scope, get_placeholders,
    init_from_checkpoint, is_tensor, list_variables, load_checkpoint, load_variable, reduce_sum_n,
    remove_squeezable_dimensions, smart_cond, smart_constant_value,
)
from relight.v1.contrib.framework.arg_scope import (
    add_arg_scope, arg_scope, arg_scoped_arguments, current_arg_scope, has_arg_scope,
)
from relight.v1.contrib.framework.variables import (
    VariableDeviceChooser, add_model_variable, assert_or_get_global_step, assign_from_checkpoint,
    assign_from_checkpoint_fn, assign_from_values, assign_from_values_fn, filter_variables,
    get_local_variables, get_model_variables, get_trainable_variables, get_unique_variable,
    get_variable_full_name, get_variables, get_variables_by_name, get_variables_by_suffix,
    get_variables_to_restore, global_variable, local_variable, model_variable, variable,
)
from relight.v1.train.training_util import (
    assert_global_step, create_global_step, get_global_step, get_or_create_global_step,
)

__getattr__ = missing("tf.contrib.framework")

__all__ = [
    "VariableDeviceChooser", "add_arg_scope", "add_model_variable", "arg_scope",
    "arg_scoped_arguments", "assert_global_step", "assert_or_get_global_step",
    "assert_same_float_dtype", "assert_scalar", "assert_scalar_int", "assign_from_checkpoint",
    "assign_from_checkpoint_fn", "assign_from_values", "assign_from_values_fn",
    "convert_to_tensor_or_sparse_tensor", "create_global_step", "current_arg_scope", "deprecated",
    "deprecated_arg_values", "deprecated_args", "filter_variables", "get_global_step",
    "get_local_variables", "get_model_variables", "get_name_scope", "get_or_create_global_step",
    "get_placeholders", "get_trainable_variables", "get_unique_variable",
    "get_variable_full_name", "get_variables", "get_variables_by_name", "get_variables_by_suffix",
    "get_variables_to_restore", "global_variable", "has_arg_scope", "init_from_checkpoint",
    "is_tensor", "list_variables", "load_checkpoint", "load_variable", "local_variable",
    "model_variable", "nest", "reduce_sum_n", "remove_squeezable_dimensions", "smart_cond",
    "smart_constant_value", "variable",
]
