"""What a layer asks of its inputs, and the check of inputs against it."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.export import export
from relight.v1.functions import nest


@export("layers.InputSpec", "keras.layers.InputSpec")
class InputSpec:
    """Conditions on one input: its type, shape, rank (exact, least, greatest), or sizes by axis.

    A `shape` is a tuple of int or None; `axes` maps an axis to the size that it must have.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, Any] | None = None,
    ):
        self.dtype = None if dtype is None else dtypes.as_dtype(dtype).name
        self.shape = shape
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        try:
            self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        except (ValueError, TypeError, AttributeError):
            raise TypeError("The keys in axes must be integers.") from None
        if self.axes and (self.ndim is not None or self.max_ndim is not None):
            greatest = (self.ndim or self.max_ndim or 0) - 1
            if max(self.axes) > greatest:
                raise ValueError(
                    f"Axis {max(self.axes)} is greater than the maximum allowed value: {greatest}"
                )

    def __repr__(self) -> str:
        shown = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        parts = [f"{key}={getattr(self, key)}" for key in shown if getattr(self, key)]
        return f"InputSpec({', '.join(parts)})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this again."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """An InputSpec from what `get_config` gave."""
        return cls(**config)


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise ValueError where an input is not as its InputSpec says."""
    if not input_spec:
        return
    inputs, specs = nest.flatten(inputs), nest.flatten(input_spec)
    if len(inputs) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(inputs)} input "
            f"tensors. Inputs received: {inputs}"
        )
    for index, (x, spec) in enumerate(zip(inputs, specs, strict=True)):
        if spec is not None:
            _check(f"Input {index} of layer {layer_name} is incompatible with the layer: ", x, spec)
            if spec.shape is not None and x.shape.ndims is not None:
                sizes = x.shape.as_list()
                for wanted, size in zip(spec.shape, sizes, strict=False):
                    if wanted is not None and size is not None and wanted != size:
                        raise ValueError(
                            f"Input {index} is incompatible with layer {layer_name}: expected "
                            f"shape={spec.shape}, found shape={sizes}"
                        )


def _check(where: str, x: Any, spec: InputSpec) -> None:
    rank = x.shape.ndims
    if rank is None and not (spec.ndim is None and spec.min_ndim is None and spec.max_ndim is None):
        raise ValueError(f"{where}its rank is undefined, but the layer requires a defined rank.")
    if spec.ndim is not None and rank != spec.ndim:
        raise ValueError(
            f"{where}expected ndim={spec.ndim}, found ndim={rank}. Full shape received: "
            f"{x.shape.as_list()}"
        )
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise ValueError(f"{where}expected max_ndim={spec.max_ndim}, found ndim={rank}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise ValueError(
            f"{where}: expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: "
            f"{x.shape.as_list()}"
        )
    if spec.dtype is not None and x.dtype != spec.dtype:
        raise ValueError(f"{where}expected dtype={spec.dtype}, found dtype={x.dtype}")
    if spec.axes:
        sizes = x.shape.as_list()
        for axis, value in spec.axes.items():
            value = getattr(value, "value", value)
            if value is not None and sizes[axis] not in (value, None):
                raise ValueError(
                    f"{where}expected axis {axis} of input shape to have value {value} but "
                    f"received input with shape {sizes}"
                )
