# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.layers`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.layers import (
    experimental,
)
from relight.v1.layers.base import (
    Layer,
)
from relight.v1.layers.convolution_variants import (
    Conv2DTranspose, Conv3DTranspose, SeparableConv1D, SeparableConv2D, conv2d_transpose,
    conv3d_transpose, separable_conv1d, separable_conv2d,
)
from relight.v1.layers.convolutional import (
    Conv1D, Conv2D, Conv3D, conv1d, conv2d, conv3d,
)
from relight.v1.layers.core import (
    Dense, Dropout, Flatten, dense, dropout, flatten,
)
from relight.v1.layers.input_spec import (
    InputSpec,
)
from relight.v1.layers.normalization import (
    BatchNormalization, batch_normalization,
)
from relight.v1.layers.pooling import (
    AveragePooling1D, AveragePooling2D, AveragePooling3D, MaxPooling1D, MaxPooling2D,
    MaxPooling3D, average_pooling1d, average_pooling2d, average_pooling3d, max_pooling1d,
    max_pooling2d, max_pooling3d,
)

__getattr__ = missing("tf.layers")

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Conv1D",
    "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Dense", "Dropout", "Flatten",
    "InputSpec", "Layer", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "SeparableConv1D",
    "SeparableConv2D", "average_pooling1d", "average_pooling2d", "average_pooling3d",
    "batch_normalization", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose",
    "dense", "dropout", "experimental", "flatten", "max_pooling1d", "max_pooling2d",
    "max_pooling3d", "separable_conv1d", "separable_conv2d",
]
