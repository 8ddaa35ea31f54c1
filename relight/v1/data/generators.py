"""`Dataset.from_generator`: Python generators as datasets."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.ops.build import convert_n, raw
from relight.ops.script import as_array
from relight.v1.data import structure as nested
from relight.v1.data.functions import TracedFunction
from relight.v1.functions.script import numpy_function


class _Passes:
    """The generators that are under way, by number."""

    def __init__(self, generator: Callable[..., Any]) -> None:
        self._generator = generator
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[Any, ...]] = {}
        self._open: dict[int, Any] = {}

    def begin(self, *args: Any) -> np.ndarray:
        number = next(self._numbers)
        self._waiting[number] = args
        return np.array(number, np.int64)

    def get(self, number: Any) -> Any:
        number = int(number)
        if number not in self._open:
            self._open[number] = iter(self._generator(*self._waiting.pop(number)))
        return self._open[number]

    def end(self, number: Any) -> np.ndarray:
        self._open.pop(int(number), None)
        return np.array(0, np.int64)


def _converted(value: Any, dtype: Any) -> np.ndarray:
    try:
        return as_array(value, None if dtype == dtypes.string else dtype.as_numpy_dtype)
    except (TypeError, ValueError):
        raise TypeError(
            "`generator` yielded an element that could not be converted to the expected type. The "
            f"expected type was {dtype.name}, but the yielded element was {value}."
        ) from None


def generated(
    generator: Callable[..., Any], output_types: Any, output_shapes: Any, args: Any
) -> Any:
    """The dataset of a generator function; see `Dataset.from_generator`."""
    from relight.v1.data.dataset_ops import DatasetV1, DatasetV1Adapter

    types = nested.map_structure(dtypes.as_dtype, output_types)
    shapes = nested.default_shapes(types, output_shapes)
    flat_types, flat_shapes = nested.flatten(types), nested.flatten(shapes)
    given = tuple(convert_n(args, name="args")) if args is not None else ()
    passes = _Passes(generator)

    def begin(_: Any) -> Any:
        return numpy_function(passes.begin, given, dtypes.int64)

    def following(number: Any) -> Any:
        def values(number: Any) -> list[np.ndarray]:
            element = next(passes.get(number))
            try:
                parts = nested.up_to(output_types, element)
            except (TypeError, ValueError):
                raise TypeError(
                    "`generator` yielded an element that did not match the expected structure. The "
                    f"expected structure was {output_types}, but the yielded element was {element}."
                ) from None
            arrays = [_converted(p, t) for p, t in zip(parts, flat_types, strict=True)]
            for array, dtype, shape in zip(arrays, flat_types, flat_shapes, strict=True):
                if array.dtype != np.dtype(dtype.as_numpy_dtype):
                    raise TypeError(
                        f"`generator` yielded an element of type {array.dtype} where an element of "
                        f"type {np.dtype(dtype.as_numpy_dtype)} was expected."
                    )
                if not shape.is_compatible_with(array.shape):
                    raise ValueError(
                        f"`generator` yielded an element of shape {array.shape} where an element "
                        f"of shape {shape} was expected."
                    )
            return arrays

        tensors = numpy_function(values, [number], flat_types)
        for tensor, shape in zip(tensors, flat_shapes, strict=True):
            tensor.set_shape(shape)
        return nested.pack(types, tensors)

    def end(number: Any) -> Any:
        return numpy_function(passes.end, [number], dtypes.int64)

    def one_pass(number: Any) -> Any:
        start = TracedFunction(begin, "Dataset.from_generator()", nested.spec_of(number))
        step = TracedFunction(following, "Dataset.from_generator()", start.structure)
        last = TracedFunction(end, "Dataset.from_generator()", start.structure)
        variant = raw.GeneratorDataset(
            [number, *start.captured],
            step.captured,
            last.captured,
            init_func=start.attr,
            next_func=step.attr,
            finalize_func=last.attr,
            output_types=flat_types,
            output_shapes=flat_shapes,
        )
        return DatasetV1Adapter(variant, step.structure)

    return DatasetV1.from_tensors(0).flat_map(one_pass)
