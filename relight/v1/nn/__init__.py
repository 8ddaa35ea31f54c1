# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.nn`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.array_gather import (
    depth_to_space, space_to_batch, space_to_depth,
)
from relight.v1.functions.ctc import (
    ctc_beam_search_decoder, ctc_beam_search_decoder_v2, ctc_greedy_decoder, ctc_loss,
)
from relight.v1.functions.embedding import (
    embedding_lookup, embedding_lookup_sparse, safe_embedding_lookup_sparse,
)
from relight.v1.functions.math import (
    sigmoid, tanh,
)
from relight.v1.functions.nn import (
    bias_add, crelu, dropout, elu, in_top_k, l2_loss, leaky_relu, log_softmax, relu, relu6,
    relu_layer, selu, softmax, softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2, softplus, softsign,
    sparse_softmax_cross_entropy_with_logits, top_k, xw_plus_b,
)
from relight.v1.functions.nn_conv import (
    atrous_conv2d, atrous_conv2d_transpose, conv1d, conv2d, conv2d_transpose, conv3d,
    conv3d_transpose, convolution, depthwise_conv2d, depthwise_conv2d_native,
    depthwise_conv2d_native_backprop_filter,
    depthwise_conv2d_native_backprop_filter as depthwise_conv2d_backprop_filter,
    depthwise_conv2d_native_backprop_input,
    depthwise_conv2d_native_backprop_input as depthwise_conv2d_backprop_input, separable_conv2d,
    with_space_to_batch,
)
from relight.v1.functions.nn_conv_transpose import (
    conv1d_transpose, conv2d_backprop_filter, conv2d_backprop_input, conv3d_backprop_filter,
    conv3d_backprop_filter as conv3d_backprop_filter_v2, conv_transpose,
)
from relight.v1.functions.nn_losses import (
    all_candidate_sampler, compute_accidental_hits, fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler, log_poisson_loss, log_uniform_candidate_sampler, nce_loss,
    sampled_softmax_loss, sigmoid_cross_entropy_with_logits, uniform_candidate_sampler,
    weighted_cross_entropy_with_logits,
)
from relight.v1.functions.nn_norm import (
    batch_norm_with_global_normalization, batch_normalization, fused_batch_norm, l2_normalize,
    lrn, lrn as local_response_normalization, moments, normalize_moments, sufficient_statistics,
    swish, weighted_moments, zero_fraction,
)
from relight.v1.functions.nn_pool import (
    avg_pool, avg_pool as avg_pool2d, avg_pool1d, avg_pool3d, avg_pool_v2, dilation2d, erosion2d,
    max_pool, max_pool1d, max_pool2d, max_pool3d, max_pool_v2, max_pool_with_argmax, pool,
)
from relight.v1.functions.rnn import (
    bidirectional_dynamic_rnn, dynamic_rnn, raw_rnn, static_bidirectional_rnn, static_rnn,
    static_state_saving_rnn,
)
from relight.v1.nn import (
    rnn_cell,
)

__getattr__ = missing("tf.nn")

__all__ = [
    "all_candidate_sampler", "atrous_conv2d", "atrous_conv2d_transpose", "avg_pool", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "avg_pool_v2", "batch_norm_with_global_normalization",
    "batch_normalization", "bias_add", "bidirectional_dynamic_rnn", "compute_accidental_hits",
    "conv1d", "conv1d_transpose", "conv2d", "conv2d_backprop_filter", "conv2d_backprop_input",
    "conv2d_transpose", "conv3d", "conv3d_backprop_filter", "conv3d_backprop_filter_v2",
    "conv3d_transpose", "conv_transpose", "convolution", "crelu", "ctc_beam_search_decoder",
    "ctc_beam_search_decoder_v2", "ctc_greedy_decoder", "ctc_loss", "depth_to_space",
    "depthwise_conv2d", "depthwise_conv2d_backprop_filter", "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native", "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input", "dilation2d", "dropout", "dynamic_rnn", "elu",
    "embedding_lookup", "embedding_lookup_sparse", "erosion2d", "fixed_unigram_candidate_sampler",
    "fused_batch_norm", "in_top_k", "l2_loss", "l2_normalize", "leaky_relu",
    "learned_unigram_candidate_sampler", "local_response_normalization", "log_poisson_loss",
    "log_softmax", "log_uniform_candidate_sampler", "lrn", "max_pool", "max_pool1d", "max_pool2d",
    "max_pool3d", "max_pool_v2", "max_pool_with_argmax", "moments", "nce_loss",
    "normalize_moments", "pool", "raw_rnn", "relu", "relu6", "relu_layer", "rnn_cell",
    "safe_embedding_lookup_sparse", "sampled_softmax_loss", "selu", "separable_conv2d", "sigmoid",
    "sigmoid_cross_entropy_with_logits", "softmax", "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2", "softplus", "softsign", "space_to_batch",
    "space_to_depth", "sparse_softmax_cross_entropy_with_logits", "static_bidirectional_rnn",
    "static_rnn", "static_state_saving_rnn", "sufficient_statistics", "swish", "tanh", "top_k",
    "uniform_candidate_sampler", "weighted_cross_entropy_with_logits", "weighted_moments",
    "with_space_to_batch", "xw_plus_b", "zero_fraction",
]
