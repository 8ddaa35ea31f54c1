# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.test`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.test.gradient_checker import (
    compute_gradient, compute_gradient_error,
)
from relight.v1.test.test_util import (
    TestCase, assert_equal_graph_def, get_temp_dir, gpu_device_name, is_built_with_cuda,
    is_built_with_gpu_support, is_built_with_rocm, is_gpu_available, main, mock, test_src_dir_path,
)

__getattr__ = missing("tf.test")

__all__ = [
    "TestCase", "assert_equal_graph_def", "compute_gradient", "compute_gradient_error",
    "get_temp_dir", "gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support",
    "is_built_with_rocm", "is_gpu_available", "main", "mock", "test_src_dir_path",
]
