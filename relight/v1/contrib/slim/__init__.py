# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.slim`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.framework.aliases import (
    deprecated, deprecated_arg_values,
)
from relight.v1.contrib.framework.arg_scope import (
    add_arg_scope, arg_scope, arg_scope_func_key, arg_scoped_arguments, current_arg_scope,
    has_arg_scope,
)
from relight.v1.contrib.framework.variables import (
    VariableDeviceChooser, add_model_variable, assert_or_get_global_step, assign_from_checkpoint,
    assign_from_checkpoint_fn, assign_from_values, assign_from_values_fn, filter_variables,
    get_local_variables, get_model_variables, get_trainable_variables, get_unique_variable,
    get_variable_full_name, get_variables, get_variables_by_name, get_variables_by_suffix,
    get_variables_to_restore, global_variable, local_variable, model_variable, variable,
)
from relight.v1.contrib.layers.convolutions import (
    convolution, convolution1d, convolution1d as conv1d, convolution2d, convolution2d as conv2d,
    convolution2d_in_plane, convolution2d_in_plane as conv2d_in_plane, convolution2d_transpose,
    convolution2d_transpose as conv2d_transpose, convolution3d, convolution3d as conv3d,
    convolution3d_transpose, convolution3d_transpose as conv3d_transpose, separable_convolution2d,
    separable_convolution2d as separable_conv2d,
)
from relight.v1.contrib.layers.group_normalizers import (
    group_norm, instance_norm,
)
from relight.v1.contrib.layers.initializers import (
    variance_scaling_initializer, xavier_initializer,
    xavier_initializer as xavier_initializer_conv2d,
)
from relight.v1.contrib.layers.layers import (
    avg_pool2d, avg_pool3d, bias_add, dropout, elu, flatten, fully_connected, linear, max_pool2d,
    max_pool3d, maxout, one_hot_encoding, pool, relu, relu6, repeat, softmax, stack, unit_norm,
)
from relight.v1.contrib.layers.normalizers import (
    batch_norm, layer_norm,
)
from relight.v1.contrib.layers.optimizers import (
    OPTIMIZER_CLS_NAMES, OPTIMIZER_SUMMARIES, adaptive_clipping_fn, optimize_loss,
)
from relight.v1.contrib.layers.regularizers import (
    apply_regularization, l1_l2_regularizer, l1_regularizer, l2_regularizer, sum_regularizer,
)
from relight.v1.contrib.layers.summaries import (
    summarize_activation, summarize_activations, summarize_biases, summarize_collection,
    summarize_tensor, summarize_tensors, summarize_variables, summarize_weights,
)
from relight.v1.contrib.slim import (
    losses, prefetch_queue,
)

__getattr__ = missing("tf.contrib.slim")

__all__ = [
    "OPTIMIZER_CLS_NAMES", "OPTIMIZER_SUMMARIES", "VariableDeviceChooser", "adaptive_clipping_fn",
    "add_arg_scope", "add_model_variable", "apply_regularization", "arg_scope",
    "arg_scope_func_key", "arg_scoped_arguments", "assert_or_get_global_step",
    "assign_from_checkpoint", "assign_from_checkpoint_fn", "assign_from_values",
    "assign_from_values_fn", "avg_pool2d", "avg_pool3d", "batch_norm", "bias_add", "conv1d",
    "conv2d", "conv2d_in_plane", "conv2d_transpose", "conv3d", "conv3d_transpose", "convolution",
    "convolution1d", "convolution2d", "convolution2d_in_plane", "convolution2d_transpose",
    "convolution3d", "convolution3d_transpose", "current_arg_scope", "deprecated",
    "deprecated_arg_values", "dropout", "elu", "filter_variables", "flatten", "fully_connected",
    "get_local_variables", "get_model_variables", "get_trainable_variables",
    "get_unique_variable", "get_variable_full_name", "get_variables", "get_variables_by_name",
    "get_variables_by_suffix", "get_variables_to_restore", "global_variable", "group_norm",
    "has_arg_scope", "instance_norm", "l1_l2_regularizer", "l1_regularizer", "l2_regularizer",
    "layer_norm", "linear", "local_variable", "losses", "max_pool2d", "max_pool3d", "maxout",
    "model_variable", "one_hot_encoding", "optimize_loss", "pool", "prefetch_queue", "relu",
    "relu6", "repeat", "separable_conv2d", "separable_convolution2d", "softmax", "stack",
    "sum_regularizer", "summarize_activation", "summarize_activations", "summarize_biases",
    "summarize_collection", "summarize_tensor", "summarize_tensors", "summarize_variables",
    "summarize_weights", "unit_norm", "variable", "variance_scaling_initializer",
    "xavier_initializer", "xavier_initializer_conv2d",
]
