# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.sparse`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.accumulators import (
    SparseConditionalAccumulator,
)
from relight.v1.functions.array import (
    sparse_mask as mask, sparse_placeholder as placeholder,
)
from relight.v1.functions.framework import (
    SparseTensor,
)
from relight.v1.functions.segment import (
    sparse_segment_mean as segment_mean, sparse_segment_sqrt_n as segment_sqrt_n,
    sparse_segment_sum as segment_sum,
)
from relight.v1.functions.sets import (
    cross, cross_hashed,
)
from relight.v1.functions.sparse import (
    expand_dims, eye, from_dense, sparse_add as add, sparse_concat as concat,
    sparse_fill_empty_rows as fill_empty_rows, sparse_maximum as maximum, sparse_merge as merge,
    sparse_minimum as minimum, sparse_reduce_max as reduce_max,
    sparse_reduce_max_sparse as reduce_max_sparse, sparse_reduce_sum as reduce_sum,
    sparse_reduce_sum_sparse as reduce_sum_sparse, sparse_reorder as reorder,
    sparse_reset_shape as reset_shape, sparse_reshape as reshape, sparse_retain as retain,
    sparse_slice as slice, sparse_softmax as softmax, sparse_split as split,
    sparse_tensor_dense_matmul as matmul, sparse_tensor_dense_matmul as sparse_dense_matmul,
    sparse_tensor_to_dense as to_dense, sparse_to_indicator as to_indicator,
    sparse_transpose as transpose,
)

__getattr__ = missing("tf.sparse")

__all__ = [
    "SparseConditionalAccumulator", "SparseTensor", "add", "concat", "cross", "cross_hashed",
    "expand_dims", "eye", "fill_empty_rows", "from_dense", "mask", "matmul", "maximum", "merge",
    "minimum", "placeholder", "reduce_max", "reduce_max_sparse", "reduce_sum",
    "reduce_sum_sparse", "reorder", "reset_shape", "reshape", "retain", "segment_mean",
    "segment_sqrt_n", "segment_sum", "slice", "softmax", "sparse_dense_matmul", "split",
    "to_dense", "to_indicator", "transpose",
]
