# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.contrib.layers`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.contrib.layers.convolutions import (
    convolution, convolution1d, convolution1d as conv1d, convolution2d, convolution2d as conv2d,
    convolution2d_in_plane, convolution2d_in_plane as conv2d_in_plane, convolution2d_transpose,
    convolution2d_transpose as conv2d_transpose, convolution3d, convolution3d as conv3d,
    convolution3d_transpose, convolution3d_transpose as conv3d_transpose, separable_convolution2d,
    separable_convolution2d as separable_conv2d,
)
from relight.v1.contrib.layers.encoders import (
    embed_sequence, embedding_lookup_unique,
)
from relight.v1.contrib.layers.feature_columns import (
    infer_real_valued_columns, input_from_feature_columns, real_valued_column,
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
    max_pool3d, maxout, one_hot_encoding, relu, relu6, repeat, softmax, stack, unit_norm,
)
from relight.v1.contrib.layers.normalizers import (
    batch_norm, layer_norm,
)
from relight.v1.contrib.layers.optimizers import (
    OPTIMIZER_CLS_NAMES, OPTIMIZER_SUMMARIES, optimize_loss,
)
from relight.v1.contrib.layers.regularizers import (
    apply_regularization, l1_l2_regularizer, l1_regularizer, l2_regularizer, sum_regularizer,
)
from relight.v1.contrib.layers.summaries import (
    summarize_activation, summarize_activations, summarize_collection, summarize_tensor,
    summarize_tensors,
)

__getattr__ = missing("tf.contrib.layers")

__all__ = [
    "OPTIMIZER_CLS_NAMES", "OPTIMIZER_SUMMARIES", "apply_regularization", "avg_pool2d",
    "avg_pool3d", "batch_norm", "bias_add", "conv1d", "conv2d", "conv2d_in_plane",
    "conv2d_transpose", "conv3d", "conv3d_transpose", "convolution", "convolution1d",
    "convolution2d", "convolution2d_in_plane", "convolution2d_transpose", "convolution3d",
    "convolution3d_transpose", "dropout", "elu", "embed_sequence", "embedding_lookup_unique",
    "flatten", "fully_connected", "group_norm", "infer_real_valued_columns",
    "input_from_feature_columns", "instance_norm", "l1_l2_regularizer", "l1_regularizer",
    "l2_regularizer", "layer_norm", "linear", "max_pool2d", "max_pool3d", "maxout",
    "one_hot_encoding", "optimize_loss", "real_valued_column", "relu", "relu6", "repeat",
    "separable_conv2d", "separable_convolution2d", "softmax", "stack", "sum_regularizer",
    "summarize_activation", "summarize_activations", "summarize_collection", "summarize_tensor",
    "summarize_tensors", "unit_norm", "variance_scaling_initializer", "xavier_initializer",
    "xavier_initializer_conv2d",
]
