"""`tf.data.Dataset`: elements that are made, changed, put in order and batched."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from relight.graph import dtypes, opdef
from relight.graph.attrs import FunctionName
from relight.graph.export import export
from relight.graph.function import FuncGraph
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.graph.seeds import get_seed
from relight.graph.shapes import Dimension, TensorShape, as_shape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value, constant_value_as_shape
from relight.v1.data import structure as nested
from relight.v1.data.functions import TracedFunction
from relight.v1.data.iterator_ops import Iterator
from relight.v1.data.options import Options
from relight.v1.data.structure import Spec

AUTOTUNE = export("data.experimental.AUTOTUNE", "contrib.data.AUTOTUNE")(-1)
_MOST = np.iinfo(np.int64).max


def int64(value: Any, name: str | None) -> Tensor:
    """A setting of a dataset as a tensor."""
    return convert_to_tensor(value, dtype=dtypes.int64, name=name)


def seed_tensors(seed: Any) -> tuple[Tensor, Tensor]:
    """The seed pair of a dataset as int64 tensors, never (0, 0) when it is seeded."""
    first, second = get_seed(seed)
    if first is None or second is None:
        zero = np.int64(0)
        return constant(zero, dtype=dtypes.int64, name="seed"), constant(
            zero, dtype=dtypes.int64, name="seed2"
        )
    one = int64(first, "seed")
    with name_scope("seed2") as scope:
        two = convert_to_tensor(second, dtype=dtypes.int64)
        both_zero = raw.LogicalAnd(raw.Equal(one, np.int64(0)), raw.Equal(two, np.int64(0)))
        largest = constant(2**31 - 1, dtype=dtypes.int64)
        return one, raw.Select(both_zero, largest, two, name=scope)


class DatasetV1:
    """A dataset: a tensor that holds it, and the structure of its elements.

    Elements are nests (tuples, dictionaries) of tensors. Methods make further datasets. Use
    `make_one_shot_iterator().get_next()`, or let an Estimator's input function give the dataset.
    """

    def __init__(self, variant_tensor: Tensor, structure: Any, options: Any = None) -> None:
        self._variant_tensor = variant_tensor
        self._structure = structure
        self._options = options or Options()

    # -- what it is --------------------------------------------------------------------------------

    @property
    def output_types(self) -> Any:
        """Nest of the types of an element's components."""
        return nested.types_of(self._structure)

    @property
    def output_shapes(self) -> Any:
        """Nest of their static shapes."""
        return nested.shapes_of(self._structure)

    @property
    def output_classes(self) -> Any:
        """Nest of their classes."""
        return nested.classes_of(self._structure)

    def options(self) -> Any:
        """The options of this dataset and its inputs."""
        return self._options

    def __repr__(self) -> str:
        shapes = nested.map_structure(str, self.output_shapes)
        return f"<{type(self).__name__} shapes: {shapes}, types: {self.output_types}>".replace(
            "'", ""
        )

    def __iter__(self) -> Any:
        raise RuntimeError(
            "__iter__() is only supported inside of tf.function or when eager execution is enabled."
        )

    @property
    def _flat(self) -> dict[str, Any]:
        return {
            "output_types": nested.flat_types(self._structure),
            "output_shapes": nested.flat_shapes(self._structure),
        }

    def _then(self, op_type: str, *inputs: Any, structure: Any = None, **attrs: Any) -> Any:
        """The dataset that an op makes of this one."""
        structure = self._structure if structure is None else structure
        variant = getattr(raw, op_type)(
            self._variant_tensor,
            *inputs,
            output_types=nested.flat_types(structure),
            output_shapes=nested.flat_shapes(structure),
            **attrs,
        )
        return DatasetV1Adapter(variant, structure, self._options)

    # -- sources -----------------------------------------------------------------------------------

    @staticmethod
    def from_tensors(tensors: Any) -> DatasetV1:
        """One element."""
        element = nested.normalize(tensors)
        structure = nested.spec_of(element)
        variant = raw.TensorDataset(
            nested.to_tensors(structure, element), output_shapes=nested.flat_shapes(structure)
        )
        return DatasetV1Adapter(variant, structure)

    @staticmethod
    def from_tensor_slices(tensors: Any) -> DatasetV1:
        """One element for each entry of dimension 0, which all components must have."""
        element = nested.normalize(tensors)
        batched = nested.spec_of(element)
        if any(s.kind is not Tensor for s in nested.flatten(batched)):
            raise TypeError("from_tensor_slices takes dense tensors only")
        size = Dimension(None)
        for spec, tensor in zip(nested.flatten(batched), nested.flatten(element), strict=True):
            if spec.shape.ndims == 0:
                raise ValueError(f"Value {tensor} has insufficient rank for batching.")
            if spec.shape.ndims is not None:
                size = size.merge_with(spec.shape[0])
        structure = nested.map_structure(
            lambda s: s.with_shape(s.shape[1:] if s.shape.ndims is not None else s.shape), batched
        )
        variant = raw.TensorSliceDataset(
            nested.flatten(element), output_shapes=nested.flat_shapes(structure)
        )
        return DatasetV1Adapter(variant, structure)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any,
        output_shapes: Any = None,
        args: Any = None,
    ) -> DatasetV1:
        """The elements of a Python generator.

        `generator` is called, with the values of the tensors `args`, at the start of each pass and
        gives an iterable of elements in the structure of `output_types`.
        """
        if not callable(generator):
            raise TypeError("`generator` must be callable.")
        from relight.v1.data.generators import generated

        return generated(generator, output_types, output_shapes, args)

    @staticmethod
    def range(*args: Any) -> DatasetV1:
        """Integers (int64): `range(stop)`, `range(start, stop)`, `range(start, stop, step)`."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid arguments to RangeDataset: {args}")
        start, stop, step = {1: (0, *args, 1), 2: (*args, 1), 3: args}[len(args)]
        structure = Spec(dtypes.int64, TensorShape([]))
        variant = raw.RangeDataset(
            int64(start, "start"),
            int64(stop, "stop"),
            int64(step, "step"),
            output_types=[dtypes.int64],
            output_shapes=[TensorShape([])],
        )
        return DatasetV1Adapter(variant, structure)

    @staticmethod
    def zip(datasets: Any) -> DatasetV1:
        """Elements of several datasets (a nest of them) side by side."""
        flat = nested.flatten(datasets)
        for dataset in flat:
            if not isinstance(dataset, DatasetV1):
                if isinstance(dataset, list):
                    raise TypeError(
                        "The argument to `Dataset.zip()` must be a nested structure of `Dataset` "
                        "objects. Nested structures do not support Python lists; please use a "
                        "tuple instead."
                    )
                raise TypeError(
                    "The argument to `Dataset.zip()` must be a nested structure of `Dataset` "
                    f"objects, not {type(dataset)}."
                )
        structure = nested.pack(datasets, [d._structure for d in flat])
        variant = raw.ZipDataset(
            [d._variant_tensor for d in flat],
            output_types=nested.flat_types(structure),
            output_shapes=nested.flat_shapes(structure),
        )
        options = flat[0]._options
        for dataset in flat[1:]:
            options = options.merge(dataset._options)
        return DatasetV1Adapter(variant, structure, options)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: Any = None) -> DatasetV1:
        """Names of the files that match patterns, in random order unless `shuffle` is False."""
        from relight.v1.data.readers import list_files

        return list_files(file_pattern, shuffle, seed)

    # -- order and number --------------------------------------------------------------------------

    def concatenate(self, dataset: DatasetV1) -> DatasetV1:
        """The elements of this dataset, then those of another."""
        if self.output_types != dataset.output_types:
            raise TypeError(
                "Two datasets to concatenate have different types "
                f"{self.output_types} and {dataset.output_types}"
            )
        if self.output_classes != dataset.output_classes:
            raise TypeError(
                "Two datasets to concatenate have different classes "
                f"{self.output_classes} and {dataset.output_classes}"
            )
        structure = nested.map_structure(
            lambda a, b: a.with_shape(a.shape.most_specific_compatible_shape(b.shape)),
            self._structure,
            dataset._structure,
        )
        made = self._then("ConcatenateDataset", dataset._variant_tensor, structure=structure)
        made._options = self._options.merge(dataset._options)
        return made

    def prefetch(self, buffer_size: Any) -> DatasetV1:
        """The same elements, up to `buffer_size` of them made ahead in a thread."""
        size = -1 if buffer_size is None else buffer_size
        return self._then("PrefetchDataset", int64(size, "buffer_size"))

    def repeat(self, count: Any = None) -> DatasetV1:
        """`count` passes; without end when None or -1."""
        return self._then("RepeatDataset", int64(-1 if count is None else count, "count"))

    def enumerate(self, start: Any = 0) -> DatasetV1:
        """Pairs of a number and an element."""
        return DatasetV1.zip((DatasetV1.range(start, _MOST), self))

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = None
    ) -> DatasetV1:
        """Random order: each element is drawn from a buffer of `buffer_size` that is refilled.

        `seed` makes the order repeatable; without `reshuffle_each_iteration` it is the same in
        each pass.
        """
        size = int64(buffer_size, "buffer_size")
        seed1, seed2 = seed_tensors(seed)
        again = True if reshuffle_each_iteration is None else reshuffle_each_iteration
        return self._then("ShuffleDataset", size, seed1, seed2, reshuffle_each_iteration=again)

    def cache(self, filename: Any = "") -> DatasetV1:
        """The same elements, kept in memory in the first whole pass for the later ones."""
        name = convert_to_tensor(filename, dtype=dtypes.string, name="filename")
        return self._then("CacheDataset", name)

    def take(self, count: Any) -> DatasetV1:
        """The first `count` elements; all when it is -1."""
        return self._then("TakeDataset", int64(count, "count"))

    def skip(self, count: Any) -> DatasetV1:
        """All but the first `count` elements."""
        return self._then("SkipDataset", int64(count, "count"))

    def shard(self, num_shards: Any, index: Any) -> DatasetV1:
        """Every `num_shards`-th element, from number `index` on."""
        return self._then("ShardDataset", int64(num_shards, "num_shards"), int64(index, "index"))

    # -- batches -----------------------------------------------------------------------------------

    def batch(self, batch_size: Any, drop_remainder: Any = False) -> DatasetV1:
        """Elements joined along a new dimension 0; `drop_remainder`: no smaller last one."""
        size = int64(batch_size, "batch_size")
        drop = convert_to_tensor(drop_remainder, dtype=dtypes.bool, name="drop_remainder")
        return self._then("BatchDatasetV2", size, drop, structure=self._batched(size, drop))

    def _batched(self, size: Tensor, drop: Tensor) -> Any:
        count = constant_value(size) if constant_value(drop) else None
        front = TensorShape([None if count is None else int(count)])

        def one(spec: Spec) -> Spec:
            if spec.element is not None:
                raise NotImplementedError("datasets of datasets cannot be batched")
            return spec.with_shape(front.concatenate(spec.shape))

        return nested.map_structure(one, self._structure)

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any,
        padding_values: Any = None,
        drop_remainder: Any = False,
    ) -> DatasetV1:
        """Batches of elements that are filled up to a shape.

        Sizes that are None or -1 in `padded_shapes` (in the structure of an element) become the
        largest of the batch. `padding_values`: scalars; zero or "" by default.
        """
        specs = nested.flatten(self._structure)
        if any(s.kind is not Tensor for s in specs):
            raise TypeError("Batching of padded sparse tensors is not currently supported")
        size = int64(batch_size, "batch_size")
        shapes = [
            _padded_shape(p, s.shape)
            for p, s in zip(nested.up_to(self._structure, padded_shapes), specs, strict=True)
        ]
        if padding_values is None:
            fills = [
                "" if s.dtype == dtypes.string else np.zeros((), s.dtype.as_numpy_dtype)
                for s in specs
            ]
        else:
            fills = nested.up_to(self._structure, padding_values)
        values = [_padding_value(f, s.dtype) for f, s in zip(fills, specs, strict=True)]
        drop = convert_to_tensor(drop_remainder, dtype=dtypes.bool, name="drop_remainder")
        count = constant_value(size) if constant_value(drop) else None
        front = TensorShape([None if count is None else int(count)])
        structure = nested.pack(
            self._structure,
            [
                s.with_shape(front.concatenate(constant_value_as_shape(p)))
                for s, p in zip(specs, shapes, strict=True)
            ],
        )
        variant = raw.PaddedBatchDatasetV2(
            self._variant_tensor,
            size,
            shapes,
            values,
            drop,
            output_shapes=nested.flat_shapes(structure),
        )
        return DatasetV1Adapter(variant, structure, self._options)

    def unbatch(self) -> DatasetV1:
        """One element for each entry of dimension 0 of each element."""
        structure = nested.map_structure(
            lambda s: s.with_shape(s.shape[1:] if s.shape.ndims is not None else s.shape),
            self._structure,
        )
        flat = self.map(lambda *element: nested.flatten(element))
        return flat._then("UnbatchDataset", structure=structure)

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False
    ) -> DatasetV1:
        """Datasets of `size` elements each, a nest of one dataset a component."""
        settings = [
            int64(size, "size"),
            int64(size if shift is None else shift, "shift"),
            int64(stride, "stride"),
            convert_to_tensor(drop_remainder, dtype=dtypes.bool, name="drop_remainder"),
        ]
        structure = nested.map_structure(
            lambda s: Spec(dtypes.variant, TensorShape([]), DatasetV1, s), self._structure
        )
        return self._then("WindowDataset", *settings, structure=structure)

    # -- functions ---------------------------------------------------------------------------------

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None) -> DatasetV1:
        """`map_func` of each element; with `num_parallel_calls` ahead of time, in a thread."""
        made = TracedFunction(map_func, "Dataset.map()", self._structure)
        if num_parallel_calls is None:
            return self._then("MapDataset", made.captured, structure=made.structure, f=made.attr)
        calls = convert_to_tensor(num_parallel_calls, dtype=dtypes.int32, name="num_parallel_calls")
        return self._then(
            "ParallelMapDataset", made.captured, calls, structure=made.structure, f=made.attr
        )

    map_with_legacy_function = map

    def _flattening(self, func: Callable[..., Any], name: str) -> tuple[TracedFunction, Any]:
        made = TracedFunction(func, name, self._structure)
        if not isinstance(made.structure, Spec) or made.structure.element is None:
            raise TypeError(
                "`map_func` must return a `Dataset` object. Got "
                f"{nested.classes_of(made.structure)}"
            )
        return made, made.structure.element

    def flat_map(self, map_func: Callable[..., Any]) -> DatasetV1:
        """The elements of the datasets that `map_func` makes of each element."""
        made, structure = self._flattening(map_func, "Dataset.flat_map()")
        return self._then("FlatMapDataset", made.captured, structure=structure, f=made.attr)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = AUTOTUNE,
        block_length: Any = 1,
        num_parallel_calls: Any = None,
    ) -> DatasetV1:
        """As `flat_map`, but `block_length` elements of each of `cycle_length` in turn."""
        made, structure = self._flattening(map_func, "Dataset.interleave()")
        settings = [int64(cycle_length, "cycle_length"), int64(block_length, "block_length")]
        op_type = "InterleaveDataset"
        if num_parallel_calls is not None:
            op_type = "ParallelInterleaveDatasetV2"
            settings.append(int64(num_parallel_calls, "num_parallel_calls"))
        return self._then(op_type, made.captured, *settings, structure=structure, f=made.attr)

    def filter(self, predicate: Callable[..., Any]) -> DatasetV1:
        """The elements for which `predicate` gives True."""
        made = TracedFunction(predicate, "Dataset.filter()", self._structure)
        answer = made.structure
        if (
            not isinstance(answer, Spec)
            or answer.dtype != dtypes.bool
            or not answer.shape.is_compatible_with(TensorShape([]))
        ):
            raise ValueError("`predicate` must return a scalar boolean tensor.")
        return self._then("FilterDataset", made.captured, predicate=made.attr)

    filter_with_legacy_function = filter

    def apply(self, transformation_func: Callable[[Any], Any]) -> DatasetV1:
        """`transformation_func(self)`."""
        dataset = transformation_func(self)
        if not isinstance(dataset, DatasetV1):
            raise TypeError(f"`transformation_func` must return a Dataset. Got {dataset!r}.")
        return dataset

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """All elements folded into a state: `reduce_func(state, element)` gives the next state."""
        with name_scope("initial_state"):
            initial = nested.normalize(initial_state)
        state = nested.spec_of(initial)
        while True:
            made = TracedFunction(reduce_func, "reduce()", (state, self._structure))
            for what, of in (("classes", nested.classes_of), ("types", nested.types_of)):
                wanted, got = of(state), of(made.structure)
                if nested.flatten(wanted) != nested.flatten(got):
                    raise TypeError(
                        f"The element {what} for the new state must match the initial state. "
                        f"Expected {wanted}; got {got}."
                    )
            weaker = nested.map_structure(
                lambda a, b: a.with_shape(a.shape.most_specific_compatible_shape(b.shape)),
                state,
                made.structure,
            )
            if nested.flat_shapes(weaker) == nested.flat_shapes(state):
                break
            state = weaker
        found = raw.ReduceDataset(
            self._variant_tensor,
            nested.to_tensors(state, initial),
            made.captured,
            f=made.attr,
            output_types=nested.flat_types(state),
            output_shapes=nested.flat_shapes(state),
        )
        return nested.from_tensors(state, found)

    def with_options(self, options: Any) -> DatasetV1:
        """The same elements with options, which go on to what is made of it."""
        return DatasetV1Adapter(self._variant_tensor, self._structure, self._options.merge(options))

    # -- iterators ---------------------------------------------------------------------------------

    def _with_optimizations(self, variant: Tensor) -> Tensor:
        """The tensor behind the nodes that the options ask for."""
        threading = self._options.experimental_threading
        if threading is not None and threading.max_intra_op_parallelism is not None:
            variant = raw.MaxIntraOpParallelismDataset(
                variant,
                int64(threading.max_intra_op_parallelism, "max_intra_op_parallelism"),
                **self._flat,
            )
        if threading is not None and threading.private_threadpool_size is not None:
            variant = raw.PrivateThreadPoolDataset(
                variant, int64(threading.private_threadpool_size, "num_threads"), **self._flat
            )
        optimizations = self._options._static_optimizations()
        if optimizations and self._captures_reference():
            warnings.warn(
                "tf.data static optimizations are not compatible with tf.Variable. The following "
                f"optimizations will be disabled: {', '.join(optimizations)}. To enable "
                "optimizations, use resource variables instead by calling "
                "`tf.enable_resource_variables()` at the start of the program.",
                stacklevel=3,
            )
        elif optimizations:
            variant = raw.OptimizeDataset(
                variant,
                convert_to_tensor(optimizations, dtype=dtypes.string, name="optimizations"),
                optimization_configs=["map_vectorization:use_choose_fastest:false"],
                **self._flat,
            )
        if self._options._autotunes():
            variant = raw.ModelDataset(variant, algorithm=0, cpu_budget=0, **self._flat)
        return variant

    def _captures_reference(self) -> bool:
        seen: set[Operation] = set()
        waiting = [self._variant_tensor.op]
        while waiting:
            op = waiting.pop()
            if op in seen:
                continue
            seen.add(op)
            if any(t.dtype._is_ref_dtype for t in op.inputs):
                return True
            waiting.extend(t.op for t in op.inputs)
        return False

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator that needs no initializing. The dataset may not use variables or tables."""
        graph = get_default_graph()
        body = FuncGraph(f"_make_dataset_{len(graph._functions)}_{graph._last_id}")
        try:
            with body.as_default():
                copied = _copy_into(body, self._variant_tensor, {})
                body.outputs = [self._with_optimizations(copied)]
        except _CannotCapture as error:
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. "
                "`Dataset.make_one_shot_iterator()` does not support datasets that capture "
                "stateful objects, such as a `Variable` or `LookupTable`. In these cases, use "
                f"`Dataset.make_initializable_iterator()`. (Original error: {error})"
            ) from None
        graph._add_function(body)
        resource = raw.OneShotIterator(dataset_factory=FunctionName(body.name), **self._flat)
        return Iterator(
            resource,
            None,
            self.output_types,
            self.output_shapes,
            self.output_classes,
            self._structure,
        )

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that begins when its `initializer` is run."""
        variant = self._with_optimizations(self._variant_tensor)
        resource = raw.IteratorV2(container="", shared_name=shared_name or "", **self._flat)
        with get_default_graph().colocate_with(resource.op):
            initializer = raw.MakeIterator(variant, resource)
        return Iterator(
            resource,
            initializer,
            self.output_types,
            self.output_shapes,
            self.output_classes,
            self._structure,
        )


class DatasetV1Adapter(DatasetV1):
    """A dataset that a transformation made."""


Dataset = export("data.Dataset")(DatasetV1)


class _CannotCapture(Exception):
    """A node that a function may not hold a copy of."""


def _copy_into(graph: FuncGraph, tensor: Tensor, known: dict[Operation, Operation]) -> Tensor:
    """A copy, in a function body, of a tensor and all that it is computed from."""
    waiting = [tensor.op]
    while waiting:
        op = waiting[-1]
        if op in known:
            waiting.pop()
            continue
        missing = [t.op for t in op.inputs if t.op not in known]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if op.type in ("Placeholder", "PlaceholderV2"):
            raise _CannotCapture(
                f"Cannot capture a placeholder (name:{op.name}, type:{op.type}) by value."
            )
        makes_dataset = any(t.dtype == dtypes.variant for t in op.outputs)
        if opdef.record(op.type).is_stateful and not makes_dataset and op.type not in _READS_FILES:
            raise _CannotCapture(
                f"Cannot capture a stateful node (name:{op.name}, type:{op.type}) by value."
            )
        inputs = [known[t.op].outputs[t.value_index] for t in op.inputs]
        known[op] = graph._add(
            op.type,
            inputs,
            [t.dtype for t in op.outputs],
            graph.unique_name(op.name) + "/",
            dict(op._attrs),
        )
    return known[tensor.op].outputs[tensor.value_index]


_READS_FILES = frozenset(("MatchingFiles", "ReadFile"))


def _padded_shape(padded: Any, static: TensorShape) -> Tensor:
    try:
        shape = as_shape(padded)
        tensor = convert_to_tensor(
            [-1 if d is None else d for d in shape.as_list()], dtype=dtypes.int64
        )
    except (TypeError, ValueError):
        tensor = convert_to_tensor(padded, preferred_dtype=dtypes.int64)
        if tensor.shape.ndims not in (None, 1):
            raise ValueError(
                f"Padded shape {padded} must be a 1-D tensor of tf.int64 values, but its shape was "
                f"{tensor.shape}."
            ) from None
        if tensor.dtype != dtypes.int64:
            raise TypeError(
                f"Padded shape {padded} must be a 1-D tensor of tf.int64 values, but its element "
                f"type was {tensor.dtype.name}."
            ) from None
        shape = constant_value_as_shape(tensor)
    fits = (
        static.ndims is None
        or shape.ndims is None
        or (
            static.ndims == shape.ndims
            and all(
                p is None or s is None or p >= s
                for p, s in zip(shape.as_list(), static.as_list(), strict=True)
            )
        )
    )
    if not fits:
        raise ValueError(
            f"The padded shape {shape} is not compatible with the corresponding input component "
            f"shape {static}."
        )
    return tensor


def _padding_value(value: Any, dtype: Any) -> Tensor:
    tensor = convert_to_tensor(value, name="padding_value")
    if not tensor.shape.is_compatible_with(TensorShape([])):
        raise ValueError(f"Padding value should be a scalar, but is not: {tensor}")
    if tensor.dtype != dtype:
        raise TypeError(f"Padding value tensor ({tensor}) does not match output type: {dtype}")
    return tensor


@export("data.make_one_shot_iterator")
def make_one_shot_iterator(dataset: DatasetV1) -> Iterator:
    """`dataset.make_one_shot_iterator()`."""
    return dataset.make_one_shot_iterator()


@export("data.make_initializable_iterator")
def make_initializable_iterator(dataset: DatasetV1, shared_name: str | None = None) -> Iterator:
    """`dataset.make_initializable_iterator()`."""
    return dataset.make_initializable_iterator(shared_name)


@export("data.get_output_types")
def get_output_types(dataset_or_iterator: Any) -> Any:
    """Nest of the types of an element's components."""
    return dataset_or_iterator.output_types


@export("data.get_output_shapes")
def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """Nest of the static shapes of an element's components."""
    return dataset_or_iterator.output_shapes


@export("data.get_output_classes")
def get_output_classes(dataset_or_iterator: Any) -> Any:
    """Nest of the classes of an element's components."""
    return dataset_or_iterator.output_classes
