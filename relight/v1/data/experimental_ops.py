"""`tf.data.experimental`: further transformations, for `Dataset.apply`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.array_nodes import squeeze
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.data import structure as nested
from relight.v1.data.dataset_ops import DatasetV1, DatasetV1Adapter, int64, seed_tensors
from relight.v1.data.functions import TracedFunction
from relight.v1.data.structure import Spec

Transformation = Callable[[DatasetV1], DatasetV1]


@export("data.experimental.shuffle_and_repeat", "contrib.data.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """`shuffle` and `repeat` in one: elements of one pass come before those of the next."""

    def apply(dataset: DatasetV1) -> DatasetV1:
        size = int64(buffer_size, "buffer_size")
        times = int64(-1 if count is None else count, "count")
        seed1, seed2 = seed_tensors(seed)
        return dataset._then("ShuffleAndRepeatDataset", size, seed1, seed2, times)

    return apply


@export("data.experimental.map_and_batch", "contrib.data.map_and_batch")
def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """`map` and `batch` in one."""
    if num_parallel_batches is None and num_parallel_calls is None:
        calls: Any = batch_size
    elif num_parallel_batches is not None and num_parallel_calls is None:
        calls = batch_size * num_parallel_batches
    elif num_parallel_batches is not None:
        raise ValueError(
            "The `num_parallel_batches` and `num_parallel_calls` arguments are mutually exclusive."
        )
    else:
        calls = num_parallel_calls

    def apply(dataset: DatasetV1) -> DatasetV1:
        made = TracedFunction(map_func, "tf.data.experimental.map_and_batch()", dataset._structure)
        size = int64(batch_size, "batch_size")
        number = int64(calls, "num_parallel_calls")
        drop = convert_to_tensor(drop_remainder, dtype=dtypes.bool, name="drop_remainder")
        mapped = DatasetV1Adapter(dataset._variant_tensor, made.structure, dataset._options)
        return dataset._then(
            "MapAndBatchDataset",
            made.captured,
            size,
            number,
            drop,
            structure=mapped._batched(size, drop),
            f=made.attr,
            preserve_cardinality=True,
        )

    return apply


@export("data.experimental.parallel_interleave", "contrib.data.parallel_interleave")
def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: Any = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """`interleave`, ahead of time in a thread. The order is that of `interleave`."""

    def apply(dataset: DatasetV1) -> DatasetV1:
        made, structure = dataset._flattening(
            map_func, "tf.data.experimental.parallel_interleave()"
        )
        output = 2 * block_length if buffer_output_elements is None else buffer_output_elements
        ahead = 2 * cycle_length if prefetch_input_elements is None else prefetch_input_elements
        return dataset._then(
            "ParallelInterleaveDataset",
            made.captured,
            int64(cycle_length, "cycle_length"),
            int64(block_length, "block_length"),
            convert_to_tensor(sloppy, dtype=dtypes.bool, name="sloppy"),
            int64(output, "buffer_output_elements"),
            int64(ahead, "prefetch_input_elements"),
            structure=structure,
            f=made.attr,
        )

    return apply


@export("data.experimental.unbatch", "contrib.data.unbatch")
def unbatch() -> Transformation:
    """`Dataset.unbatch`."""
    return lambda dataset: dataset.unbatch()


@export("data.experimental.enumerate_dataset", "contrib.data.enumerate_dataset")
def enumerate_dataset(start: Any = 0) -> Transformation:
    """`Dataset.enumerate`."""
    return lambda dataset: dataset.enumerate(start)


@export("data.experimental.ignore_errors", "contrib.data.ignore_errors")
def ignore_errors() -> Transformation:
    """The elements that can be computed; the others are left out."""
    return lambda dataset: dataset._then("IgnoreErrorsDataset")


@export("data.experimental.take_while")
def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first for which `predicate` gives False."""

    def apply(dataset: DatasetV1) -> DatasetV1:
        made = TracedFunction(predicate, "tf.data.experimental.take_while()", dataset._structure)
        answer = made.structure
        if not isinstance(answer, Spec) or answer.dtype != dtypes.bool:
            raise ValueError("`predicate` must return a scalar boolean tensor.")
        return dataset._then("TakeWhileDataset", made.captured, predicate=made.attr)

    return apply


@export("data.experimental.unique", "contrib.data.unique")
def unique() -> Transformation:
    """The first of equal elements; of datasets of one component."""
    return lambda dataset: dataset._then("UniqueDataset")


@export("data.experimental.prefetch_to_device", "contrib.data.prefetch_to_device")
def prefetch_to_device(device: str, buffer_size: Any = None) -> Transformation:
    """`prefetch`: values go to a device when they are used."""
    del device
    return lambda dataset: dataset.prefetch(buffer_size)


@export("data.experimental.copy_to_device", "contrib.data.copy_to_device")
def copy_to_device(target_device: str, source_device: str = "/cpu:0") -> Transformation:
    """The dataset itself: values go to a device when they are used."""
    del target_device, source_device
    return lambda dataset: dataset


@export("data.experimental.group_by_window", "contrib.data.group_by_window")
def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:
    """`reduce_func(key, dataset)` of up to `window_size` elements with one key (int64)."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Must pass either window_size or window_size_func.")

    def size_of(key: Tensor) -> Any:
        size = window_size if window_size_func is None else window_size_func(key)
        return convert_to_tensor(size, dtype=dtypes.int64)

    def apply(dataset: DatasetV1) -> DatasetV1:
        name = "tf.data.experimental.group_by_window()"
        key = TracedFunction(
            lambda *a: convert_to_tensor(key_func(*a), dtype=dtypes.int64), name, dataset._structure
        )
        number = Spec(dtypes.int64, TensorShape([]))
        held = Spec(dtypes.variant, TensorShape([]), DatasetV1, dataset._structure)
        reduced = TracedFunction(reduce_func, name, (number, held))
        if not isinstance(reduced.structure, Spec) or reduced.structure.element is None:
            raise TypeError("`reduce_func` must return a `Dataset` object.")
        size = TracedFunction(size_of, name, number)
        return dataset._then(
            "GroupByWindowDataset",
            key.captured,
            reduced.captured,
            size.captured,
            structure=reduced.structure.element,
            key_func=key.attr,
            reduce_func=reduced.attr,
            window_size_func=size.attr,
        )

    return apply


@export("data.experimental.bucket_by_sequence_length", "contrib.data.bucket_by_sequence_length")
def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:
    """Padded batches of elements of similar length.

    Lengths below `bucket_boundaries[i]` and not below the one before go in batches of
    `bucket_batch_sizes[i]`; the last size is for longer ones.
    """
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError("len(bucket_batch_sizes) must equal len(bucket_boundaries) + 1")
    with name_scope("bucket_by_seq_length"):
        sizes = constant(list(bucket_batch_sizes), dtype=dtypes.int64)
    lower = np.array([np.iinfo(np.int32).min, *bucket_boundaries], np.int32)
    upper = np.array([*bucket_boundaries, np.iinfo(np.int32).max], np.int32)

    def bucket(*element: Any) -> Tensor:
        length = element_length_func(*element)
        inside = raw.LogicalAnd(raw.LessEqual(lower, length), raw.Less(length, upper))
        return raw.Min(raw.Where(inside), np.array([0, 1], np.int32))

    def size_of(number: Tensor) -> Tensor:
        return raw.GatherV2(sizes, number, np.int32(0))

    def apply(dataset: DatasetV1) -> DatasetV1:
        def batches(number: Tensor, group: DatasetV1) -> DatasetV1:
            size = size_of(number)
            if no_padding:
                return group.batch(size, drop_remainder=drop_remainder)
            shapes = group.output_shapes if padded_shapes is None else padded_shapes
            if pad_to_bucket_boundary:
                bound = raw.GatherV2(upper.astype(np.int64), number, np.int32(0)) - 1
                shapes = nested.pack(shapes, [_filled(s, bound) for s in nested.flatten(shapes)])
            return group.padded_batch(size, shapes, padding_values, drop_remainder)

        return dataset.apply(group_by_window(bucket, batches, window_size_func=size_of))

    return apply


def _filled(shape: Any, bound: Tensor) -> Any:
    sizes = TensorShape(shape).as_list()
    if None not in sizes:
        return shape
    return raw.Pack([bound if s is None else np.int64(s) for s in sizes])


@export("data.experimental.scan", "contrib.data.scan")
def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """`scan_func(state, element)` gives the next state and an element."""

    def apply(dataset: DatasetV1) -> DatasetV1:
        initial = nested.normalize(initial_state)
        state = nested.spec_of(initial)
        made = TracedFunction(scan_func, "tf.data.experimental.scan()", (state, dataset._structure))
        if not isinstance(made.structure, tuple) or len(made.structure) != 2:
            raise TypeError(
                "The scan function must return a pair comprising the new state and "
                "the output value."
            )
        new_state, output = made.structure
        if nested.flat_types(new_state) != nested.flat_types(state):
            raise TypeError(
                "The element types for the new state must match the initial state. Expected "
                f"{nested.types_of(state)}; got {nested.types_of(new_state)}."
            )
        return dataset._then(
            "ScanDataset",
            nested.to_tensors(state, initial),
            made.captured,
            structure=output,
            f=made.attr,
            preserve_cardinality=True,
        )

    return apply


@export("data.experimental.get_single_element", "contrib.data.get_single_element")
def get_single_element(dataset: DatasetV1) -> Any:
    """The only element; InvalidArgumentError at run time when there are none or several."""
    if not isinstance(dataset, DatasetV1):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    found = raw.DatasetToSingleElement(dataset._variant_tensor, **dataset._flat)
    return nested.from_tensors(dataset._structure, found)


@export("data.experimental.choose_from_datasets", "contrib.data.choose_from_datasets")
def choose_from_datasets(datasets: Sequence[DatasetV1], choice_dataset: DatasetV1) -> DatasetV1:
    """Elements of `datasets` in the order that a dataset of their numbers (int64) gives."""
    if choice_dataset.output_types != dtypes.int64:
        raise TypeError("`choice_dataset` must be a dataset of scalar `tf.int64` tensors.")
    first = datasets[0]
    structure = first._structure
    for other in datasets[1:]:
        if other.output_types != first.output_types:
            raise TypeError("All input datasets must have the same type.")
        structure = nested.map_structure(
            lambda a, b: a.with_shape(a.shape.most_specific_compatible_shape(b.shape)),
            structure,
            other._structure,
        )
    variant = raw.DirectedInterleaveDataset(
        choice_dataset._variant_tensor,
        [d._variant_tensor for d in datasets],
        output_types=nested.flat_types(structure),
        output_shapes=nested.flat_shapes(structure),
    )
    return DatasetV1Adapter(variant, structure, first._options)


@export("data.experimental.Counter", "contrib.data.Counter")
def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> DatasetV1:
    """Numbers from `start` on, without end."""
    with name_scope("counter"):
        first = convert_to_tensor(start, dtype=dtype, name="start")
        width = convert_to_tensor(step, dtype=dtype, name="step")
        return (
            DatasetV1.from_tensors(0)
            .repeat(None)
            .apply(scan(first, lambda state, _: (state + width, state)))
        )


@export("data.experimental.RandomDataset", "contrib.data.RandomDataset")
class RandomDataset(DatasetV1Adapter):
    """Random integers in [0, 2**32), an int64 each, without end."""

    def __init__(self, seed: Any = None) -> None:
        structure = Spec(dtypes.int64, TensorShape([]))
        variant = raw.RandomDataset(
            *seed_tensors(seed), output_types=[dtypes.int64], output_shapes=[TensorShape([])]
        )
        super().__init__(variant, structure)


@export("data.experimental.sample_from_datasets", "contrib.data.sample_from_datasets")
def sample_from_datasets(
    datasets: Sequence[DatasetV1], weights: Any = None, seed: Any = None
) -> DatasetV1:
    """Elements of `datasets` in random order.

    `weights`: how likely each is ([n] floats, or a dataset of such); equally likely when None. The
    others go on when one has ended.
    """

    def chosen(logits: Any, pair: Tensor) -> Tensor:
        return squeeze(raw.StatelessMultinomial(logits, 1, pair), [0, 1])

    if isinstance(weights, DatasetV1):
        logarithms = weights.map(lambda *p: raw.Log(p[0] if len(p) == 1 else p, name="logits"))
        choice = DatasetV1.zip((logarithms, RandomDataset(seed).batch(2))).map(
            lambda logits, pair: chosen(raw.ExpandDims(logits, 0), pair)
        )
        return choose_from_datasets(datasets, choice)
    if weights is None:
        logits: Any = [[1.0] * len(datasets)]
    else:
        given = convert_to_tensor(weights, name="weights")
        if given.dtype not in (dtypes.float32, dtypes.float64):
            raise TypeError(
                "`weights` must be convertible to a tensor of `tf.float32` or `tf.float64` "
                "elements."
            )
        if not given.shape.is_compatible_with(TensorShape([len(datasets)])):
            raise ValueError("`weights` must be a vector of length `len(datasets)`.")
        logits = raw.ExpandDims(raw.Log(given, name="logits"), 0)
    if len(datasets) == 1:
        return datasets[0]
    choice = RandomDataset(seed).batch(2).map(lambda pair: chosen(logits, pair))
    return choose_from_datasets(datasets, choice)


@export("contrib.data.sloppy_interleave")
def sloppy_interleave(
    map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1
) -> Transformation:
    """`parallel_interleave(..., sloppy=True)`."""
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


@export("contrib.data.batch_and_drop_remainder")
def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """`Dataset.batch(batch_size, drop_remainder=True)`."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


@export("contrib.data.padded_batch_and_drop_remainder")
def padded_batch_and_drop_remainder(
    batch_size: Any, padded_shapes: Any, padding_values: Any = None
) -> Transformation:
    """`Dataset.padded_batch(..., drop_remainder=True)`."""
    return lambda dataset: dataset.padded_batch(
        batch_size, padded_shapes, padding_values, drop_remainder=True
    )
