# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: E402, I001, N813, RUF100
# fmt: off
"""`tf`."""

from relight import loading as _loading

_collector = _loading.begin()
from relight.graph.errors import (
    OpError,
)
from relight.ops.array_nodes import (
    boolean_mask, concat, fill, gather, identity, ones, ones_like, rank, reshape, shape, size,
    squeeze, stack, strided_slice, transpose, unstack, zeros, zeros_like,
)
from relight.ops.fft import (
    fft, fft2d, fft3d, ifft, ifft2d, ifft3d,
)
from relight.ops.gradients import (
    AggregationMethod, NotDifferentiable, NotDifferentiable as NoGradient, RegisterGradient,
    UnconnectedGradients, gradients,
)
from relight.ops.linalg_nodes import (
    cholesky_solve, eye, matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag,
    matrix_transpose,
)
from relight.ops.math_nodes import (
    abs, cast, complex, conj, cumprod, cumsum, div, div_no_nan, divide, floordiv, imag,
    logical_xor, matmul, pow, range, real, reduce_all, reduce_any, reduce_max, reduce_mean,
    reduce_min, reduce_prod, reduce_sum, scalar_mul, truediv,
)
from relight.v1 import (
    app, bitwise, compat, data, debugging, distribute, dtypes, errors, estimator, feature_column,
    flags, gfile, graph_util, image, initializers, io, keras, layers, linalg, logging, lookup,
    losses, manip, math, metrics, nest, nn, python_io, quantization, queue, random, raw_ops,
    resource_loader, saved_model, sets, signal, sparse, spectral, strings, summary, sysconfig,
    test, train,
)
from relight.v1._missing import (
    missing,
)
from relight.v1.compat import (
    dimension_at_index, dimension_value,
)
from relight.v1.functions.accumulators import (
    ConditionalAccumulator, ConditionalAccumulatorBase, SparseConditionalAccumulator,
)
from relight.v1.functions.array import (
    bitcast, broadcast_dynamic_shape, broadcast_static_shape, broadcast_to, edit_distance,
    expand_dims, guarantee_const, identity_n, invert_permutation, is_tensor, meshgrid, newaxis,
    one_hot, pad, parallel_stack, placeholder, placeholder_with_default, repeat, reverse,
    reverse as reverse_v2, roll, searchsorted, sequence_mask, setdiff1d, shape_n, slice,
    sparse_mask, sparse_placeholder, split, stop_gradient, tile, unique, unique_with_counts,
    where, where_v2,
)
from relight.v1.functions.array_gather import (
    batch_gather, batch_to_space, batch_to_space_nd, depth_to_space, dynamic_partition,
    dynamic_stitch, ensure_shape, extract_image_patches, extract_volume_patches, fingerprint,
    gather_nd, required_space_to_batch_paddings, reverse_sequence, scatter_nd, space_to_batch,
    space_to_batch_nd, space_to_depth, tensor_scatter_add,
    tensor_scatter_add as tensor_scatter_nd_add, tensor_scatter_sub,
    tensor_scatter_sub as tensor_scatter_nd_sub, tensor_scatter_update,
    tensor_scatter_update as tensor_scatter_nd_update, unravel_index,
)
from relight.v1.functions.assign import (
    assign, assign_add, assign_sub, batch_scatter_update, count_up_to, scatter_add, scatter_div,
    scatter_max, scatter_min, scatter_mul, scatter_nd_add, scatter_nd_sub, scatter_nd_update,
    scatter_sub, scatter_update,
)
from relight.v1.functions.checks import (
    Assert, Print, add_check_numerics_ops, assert_equal, assert_greater, assert_greater_equal,
    assert_integer, assert_less, assert_less_equal, assert_near, assert_negative,
    assert_non_negative, assert_non_positive, assert_none_equal, assert_positive,
    assert_same_float_dtype, assert_type, check_numerics, is_numeric_tensor, print_v2 as print,
    verify_tensor_all_finite,
)
from relight.v1.functions.clip import (
    clip_by_average_norm, clip_by_global_norm, clip_by_norm, clip_by_value, global_norm,
)
from relight.v1.functions.control import (
    control_dependencies, group, no_op, tuple,
)
from relight.v1.functions.control_flow import (
    case, cond, switch_case, while_loop,
)
from relight.v1.functions.counts import (
    bincount, confusion_matrix, histogram_fixed_width, histogram_fixed_width_bins,
    is_non_decreasing, is_strictly_increasing,
)
from relight.v1.functions.custom_gradient import (
    custom_gradient, grad_pass_through, hessians, recompute_grad,
)
from relight.v1.functions.einsum import (
    einsum, tensordot,
)
from relight.v1.functions.fake_quant import (
    fake_quant_with_min_max_args, fake_quant_with_min_max_args_gradient,
    fake_quant_with_min_max_vars, fake_quant_with_min_max_vars_gradient,
    fake_quant_with_min_max_vars_per_channel, fake_quant_with_min_max_vars_per_channel_gradient,
)
from relight.v1.functions.files import (
    matching_files, read_file, write_file,
)
from relight.v1.functions.framework import (
    DType, DeviceSpec, Dimension, Graph, GraphKeys, IndexedSlices, InteractiveSession, Operation,
    QUANTIZED_DTYPES, Session, SparseTensor, SparseTensorValue, Tensor, TensorShape,
    add_to_collection, add_to_collections, as_dtype, bfloat16, bool, colocate_with, complex128,
    complex64, constant, container, convert_to_tensor, device_ as device, double, float16,
    float32, float64, get_collection, get_collection_ref, get_default_graph, get_default_session,
    half, int16, int32, int64, int8, name_scope, op_scope, qint16, qint32, qint8, quint16, quint8,
    register_tensor_conversion_function, reset_default_graph, resource, set_random_seed, string,
    uint16, uint32, uint64, uint8, variant,
)
from relight.v1.functions.functional import (
    foldl, foldr, map_fn, scan,
)
from relight.v1.functions.graph_io import (
    import_graph_def,
)
from relight.v1.functions.init import (
    Constant as constant_initializer, GlorotNormal as glorot_normal_initializer,
    GlorotUniform as glorot_uniform_initializer, Ones as ones_initializer,
    Orthogonal as orthogonal_initializer, RandomNormal as random_normal_initializer,
    RandomUniform as random_uniform_initializer, TruncatedNormal as truncated_normal_initializer,
    UniformUnitScaling as uniform_unit_scaling_initializer,
    VarianceScaling as variance_scaling_initializer, Zeros as zeros_initializer,
)
from relight.v1.functions.linalg import (
    cholesky, cross, diag, diag_part, matrix_determinant, matrix_inverse, matrix_solve,
    matrix_solve_ls, matrix_square_root, matrix_triangular_solve, norm, qr, self_adjoint_eig,
    self_adjoint_eigvals, sparse_matmul, svd, trace,
)
from relight.v1.functions.lookup import (
    tables_initializer, tables_initializer as initialize_all_tables,
)
from relight.v1.functions.math import (
    accumulate_n, acos, acosh, add, add_n, angle, arg_max, arg_min, argmax, argmin, asin, asinh,
    atan, atan2, atanh, betainc, ceil, cos, cosh, count_nonzero, digamma, equal, erf, erfc, exp,
    expm1, floor, floor_div, floor_mod as floormod, floor_mod as mod, greater, greater_equal,
    igamma, igammac, is_finite, is_inf, is_nan, lbeta, less, less_equal, lgamma, lin_space,
    lin_space as linspace, log, log1p, log_sigmoid, logical_and, logical_not, logical_or, maximum,
    minimum, multiply, neg as negative, not_equal, polygamma, real_div as realdiv, reciprocal,
    reduce_logsumexp, rint, round, rsqrt, saturate_cast, sigmoid, sign, sin, sinh, sqrt, square,
    squared_difference, subtract, tan, tanh, to_bfloat16, to_complex128, to_complex64, to_double,
    to_float, to_int32, to_int64, truncate_div as truncatediv, truncate_mod as truncatemod, zeta,
)
from relight.v1.functions.parsing import (
    FixedLenFeature, FixedLenSequenceFeature, SparseFeature, VarLenFeature, decode_compressed,
    decode_csv, decode_json_example, decode_raw, parse_example, parse_single_example,
    parse_single_sequence_example, parse_tensor, serialize_tensor,
)
from relight.v1.functions.partitioned_variables import (
    create_partitioned_variables, fixed_size_partitioner, min_max_variable_partitioner,
    variable_axis_size_partitioner,
)
from relight.v1.functions.proto_classes import (
    AttrValue, ConfigProto, GPUOptions, GraphDef, GraphOptions, MetaGraphDef, NameAttrList,
    NodeDef, OptimizerOptions, RunMetadata, RunOptions, TensorInfo,
)
from relight.v1.functions.queues import (
    FIFOQueue, PaddingFIFOQueue, PriorityQueue, QueueBase, RandomShuffleQueue,
)
from relight.v1.functions.random import (
    get_seed, multinomial, random_crop, random_gamma, random_normal, random_poisson,
    random_shuffle, random_uniform, truncated_normal,
)
from relight.v1.functions.rank_checks import (
    assert_proper_iterable, assert_rank, assert_rank_at_least, assert_rank_in, assert_scalar,
)
from relight.v1.functions.readers import (
    FixedLengthRecordReader, IdentityReader, ReaderBase, TFRecordReader, TextLineReader,
    WholeFileReader,
)
from relight.v1.functions.resource_variables import (
    disable_resource_variables, enable_resource_variables, resource_variables_enabled,
)
from relight.v1.functions.script import (
    numpy_function, py_func, py_function,
)
from relight.v1.functions.segment import (
    segment_max, segment_mean, segment_min, segment_prod, segment_sum, sparse_segment_mean,
    sparse_segment_sqrt_n, sparse_segment_sum, unsorted_segment_max, unsorted_segment_mean,
    unsorted_segment_min, unsorted_segment_prod, unsorted_segment_sqrt_n, unsorted_segment_sum,
)
from relight.v1.functions.sets import (
    convert_to_tensor_or_sparse_tensor,
)
from relight.v1.functions.sort import (
    argsort, sort,
)
from relight.v1.functions.sparse import (
    deserialize_many_sparse, serialize_many_sparse, serialize_sparse, sparse_add, sparse_concat,
    sparse_fill_empty_rows, sparse_maximum, sparse_merge, sparse_minimum, sparse_reduce_max,
    sparse_reduce_max_sparse, sparse_reduce_sum, sparse_reduce_sum_sparse, sparse_reorder,
    sparse_reset_shape, sparse_reshape, sparse_retain, sparse_slice, sparse_softmax, sparse_split,
    sparse_tensor_dense_matmul, sparse_tensor_to_dense, sparse_to_dense, sparse_to_indicator,
    sparse_transpose,
)
from relight.v1.functions.strings import (
    as_string, decode_base64, encode_base64, reduce_join, regex_replace, string_join,
    string_split, string_strip, string_to_hash_bucket, string_to_hash_bucket_fast,
    string_to_hash_bucket_strong, string_to_number, substr,
)
from relight.v1.functions.tensor_array import (
    TensorArray,
)
from relight.v1.functions.tensor_util import (
    get_static_value, make_ndarray, make_tensor_proto,
)
from relight.v1.functions.variable_lists import (
    all_variables, assert_variables_initialized, global_variables, global_variables_initializer,
    initialize_all_variables, initialize_local_variables, initialize_variables,
    is_variable_initialized, local_variables, local_variables_initializer, model_variables,
    moving_average_variables, report_uninitialized_variables, trainable_variables,
    variables_initializer,
)
from relight.v1.functions.variable_scope import (
    AUTO_REUSE, VariableScope, get_local_variable, get_variable, get_variable_scope,
    no_regularizer, variable_creator_scope, variable_op_scope, variable_scope,
)
from relight.v1.functions.variables import (
    Variable, VariableAggregation, VariableSynchronization,
)
from relight.v1.logging import (
    get_logger,
)
from relight.v1.summary.summary_ops import (
    Event, HistogramProto, LogMessage, SessionLog, Summary, SummaryMetadata,
)

__getattr__ = missing("tf")
__version__ = "1.15.0"
_loading.end(_collector)

__all__ = [
    "AUTO_REUSE", "AggregationMethod", "Assert", "AttrValue", "ConditionalAccumulator",
    "ConditionalAccumulatorBase", "ConfigProto", "DType", "DeviceSpec", "Dimension", "Event",
    "FIFOQueue", "FixedLenFeature", "FixedLenSequenceFeature", "FixedLengthRecordReader",
    "GPUOptions", "Graph", "GraphDef", "GraphKeys", "GraphOptions", "HistogramProto",
    "IdentityReader", "IndexedSlices", "InteractiveSession", "LogMessage", "MetaGraphDef",
    "NameAttrList", "NoGradient", "NodeDef", "NotDifferentiable", "OpError", "Operation",
    "OptimizerOptions", "PaddingFIFOQueue", "Print", "PriorityQueue", "QUANTIZED_DTYPES",
    "QueueBase", "RandomShuffleQueue", "ReaderBase", "RegisterGradient", "RunMetadata",
    "RunOptions", "Session", "SessionLog", "SparseConditionalAccumulator", "SparseFeature",
    "SparseTensor", "SparseTensorValue", "Summary", "SummaryMetadata", "TFRecordReader", "Tensor",
    "TensorArray", "TensorInfo", "TensorShape", "TextLineReader", "UnconnectedGradients",
    "VarLenFeature", "Variable", "VariableAggregation", "VariableScope",
    "VariableSynchronization", "WholeFileReader", "__version__", "abs", "accumulate_n", "acos",
    "acosh", "add", "add_check_numerics_ops", "add_n", "add_to_collection", "add_to_collections",
    "all_variables", "angle", "app", "arg_max", "arg_min", "argmax", "argmin", "argsort",
    "as_dtype", "as_string", "asin", "asinh", "assert_equal", "assert_greater",
    "assert_greater_equal", "assert_integer", "assert_less", "assert_less_equal", "assert_near",
    "assert_negative", "assert_non_negative", "assert_non_positive", "assert_none_equal",
    "assert_positive", "assert_proper_iterable", "assert_rank", "assert_rank_at_least",
    "assert_rank_in", "assert_same_float_dtype", "assert_scalar", "assert_type",
    "assert_variables_initialized", "assign", "assign_add", "assign_sub", "atan", "atan2",
    "atanh", "batch_gather", "batch_scatter_update", "batch_to_space", "batch_to_space_nd",
    "betainc", "bfloat16", "bincount", "bitcast", "bitwise", "bool", "boolean_mask",
    "broadcast_dynamic_shape", "broadcast_static_shape", "broadcast_to", "case", "cast", "ceil",
    "check_numerics", "cholesky", "cholesky_solve", "clip_by_average_norm", "clip_by_global_norm",
    "clip_by_norm", "clip_by_value", "colocate_with", "compat", "complex", "complex128",
    "complex64", "concat", "cond", "confusion_matrix", "conj", "constant", "constant_initializer",
    "container", "control_dependencies", "convert_to_tensor",
    "convert_to_tensor_or_sparse_tensor", "cos", "cosh", "count_nonzero", "count_up_to",
    "create_partitioned_variables", "cross", "cumprod", "cumsum", "custom_gradient", "data",
    "debugging", "decode_base64", "decode_compressed", "decode_csv", "decode_json_example",
    "decode_raw", "depth_to_space", "deserialize_many_sparse", "device", "diag", "diag_part",
    "digamma", "dimension_at_index", "dimension_value", "disable_resource_variables",
    "distribute", "div", "div_no_nan", "divide", "double", "dtypes", "dynamic_partition",
    "dynamic_stitch", "edit_distance", "einsum", "enable_resource_variables", "encode_base64",
    "ensure_shape", "equal", "erf", "erfc", "errors", "estimator", "exp", "expand_dims", "expm1",
    "extract_image_patches", "extract_volume_patches", "eye", "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_args_gradient", "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_gradient", "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient", "feature_column", "fft", "fft2d",
    "fft3d", "fill", "fingerprint", "fixed_size_partitioner", "flags", "float16", "float32",
    "float64", "floor", "floor_div", "floordiv", "floormod", "foldl", "foldr", "gather",
    "gather_nd", "get_collection", "get_collection_ref", "get_default_graph",
    "get_default_session", "get_local_variable", "get_logger", "get_seed", "get_static_value",
    "get_variable", "get_variable_scope", "gfile", "global_norm", "global_variables",
    "global_variables_initializer", "glorot_normal_initializer", "glorot_uniform_initializer",
    "grad_pass_through", "gradients", "graph_util", "greater", "greater_equal", "group",
    "guarantee_const", "half", "hessians", "histogram_fixed_width", "histogram_fixed_width_bins",
    "identity", "identity_n", "ifft", "ifft2d", "ifft3d", "igamma", "igammac", "imag", "image",
    "import_graph_def", "initialize_all_tables", "initialize_all_variables",
    "initialize_local_variables", "initialize_variables", "initializers", "int16", "int32",
    "int64", "int8", "invert_permutation", "io", "is_finite", "is_inf", "is_nan",
    "is_non_decreasing", "is_numeric_tensor", "is_strictly_increasing", "is_tensor",
    "is_variable_initialized", "keras", "layers", "lbeta", "less", "less_equal", "lgamma",
    "lin_space", "linalg", "linspace", "local_variables", "local_variables_initializer", "log",
    "log1p", "log_sigmoid", "logging", "logical_and", "logical_not", "logical_or", "logical_xor",
    "lookup", "losses", "make_ndarray", "make_tensor_proto", "manip", "map_fn", "matching_files",
    "math", "matmul", "matrix_band_part", "matrix_determinant", "matrix_diag", "matrix_diag_part",
    "matrix_inverse", "matrix_set_diag", "matrix_solve", "matrix_solve_ls", "matrix_square_root",
    "matrix_transpose", "matrix_triangular_solve", "maximum", "meshgrid", "metrics",
    "min_max_variable_partitioner", "minimum", "mod", "model_variables",
    "moving_average_variables", "multinomial", "multiply", "name_scope", "negative", "nest",
    "newaxis", "nn", "no_op", "no_regularizer", "norm", "not_equal", "numpy_function", "one_hot",
    "ones", "ones_initializer", "ones_like", "op_scope", "orthogonal_initializer", "pad",
    "parallel_stack", "parse_example", "parse_single_example", "parse_single_sequence_example",
    "parse_tensor", "placeholder", "placeholder_with_default", "polygamma", "pow", "print",
    "py_func", "py_function", "python_io", "qint16", "qint32", "qint8", "qr", "quantization",
    "queue", "quint16", "quint8", "random", "random_crop", "random_gamma", "random_normal",
    "random_normal_initializer", "random_poisson", "random_shuffle", "random_uniform",
    "random_uniform_initializer", "range", "rank", "raw_ops", "read_file", "real", "realdiv",
    "reciprocal", "recompute_grad", "reduce_all", "reduce_any", "reduce_join", "reduce_logsumexp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "regex_replace",
    "register_tensor_conversion_function", "repeat", "report_uninitialized_variables",
    "required_space_to_batch_paddings", "reset_default_graph", "reshape", "resource",
    "resource_loader", "resource_variables_enabled", "reverse", "reverse_sequence", "reverse_v2",
    "rint", "roll", "round", "rsqrt", "saturate_cast", "saved_model", "scalar_mul", "scan",
    "scatter_add", "scatter_div", "scatter_max", "scatter_min", "scatter_mul", "scatter_nd",
    "scatter_nd_add", "scatter_nd_sub", "scatter_nd_update", "scatter_sub", "scatter_update",
    "searchsorted", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum",
    "self_adjoint_eig", "self_adjoint_eigvals", "sequence_mask", "serialize_many_sparse",
    "serialize_sparse", "serialize_tensor", "set_random_seed", "setdiff1d", "sets", "shape",
    "shape_n", "sigmoid", "sign", "signal", "sin", "sinh", "size", "slice", "sort",
    "space_to_batch", "space_to_batch_nd", "space_to_depth", "sparse", "sparse_add",
    "sparse_concat", "sparse_fill_empty_rows", "sparse_mask", "sparse_matmul", "sparse_maximum",
    "sparse_merge", "sparse_minimum", "sparse_placeholder", "sparse_reduce_max",
    "sparse_reduce_max_sparse", "sparse_reduce_sum", "sparse_reduce_sum_sparse", "sparse_reorder",
    "sparse_reset_shape", "sparse_reshape", "sparse_retain", "sparse_segment_mean",
    "sparse_segment_sqrt_n", "sparse_segment_sum", "sparse_slice", "sparse_softmax",
    "sparse_split", "sparse_tensor_dense_matmul", "sparse_tensor_to_dense", "sparse_to_dense",
    "sparse_to_indicator", "sparse_transpose", "spectral", "split", "sqrt", "square",
    "squared_difference", "squeeze", "stack", "stop_gradient", "strided_slice", "string",
    "string_join", "string_split", "string_strip", "string_to_hash_bucket",
    "string_to_hash_bucket_fast", "string_to_hash_bucket_strong", "string_to_number", "strings",
    "substr", "subtract", "summary", "svd", "switch_case", "sysconfig", "tables_initializer",
    "tan", "tanh", "tensor_scatter_add", "tensor_scatter_nd_add", "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update", "tensor_scatter_sub", "tensor_scatter_update", "tensordot",
    "test", "tile", "to_bfloat16", "to_complex128", "to_complex64", "to_double", "to_float",
    "to_int32", "to_int64", "trace", "train", "trainable_variables", "transpose", "truediv",
    "truncated_normal", "truncated_normal_initializer", "truncatediv", "truncatemod", "tuple",
    "uint16", "uint32", "uint64", "uint8", "uniform_unit_scaling_initializer", "unique",
    "unique_with_counts", "unravel_index", "unsorted_segment_max", "unsorted_segment_mean",
    "unsorted_segment_min", "unsorted_segment_prod", "unsorted_segment_sqrt_n",
    "unsorted_segment_sum", "unstack", "variable_axis_size_partitioner", "variable_creator_scope",
    "variable_op_scope", "variable_scope", "variables_initializer",
    "variance_scaling_initializer", "variant", "verify_tensor_all_finite", "where", "where_v2",
    "while_loop", "write_file", "zeros", "zeros_initializer", "zeros_like", "zeta",
]
