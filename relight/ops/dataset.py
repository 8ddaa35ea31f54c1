"""Datasets and iterators. A dataset tensor holds a description that the engine walks through.

Each row of the table names an op and the class of `relight.engine.datasets` (or its neighbours)
that is made of its inputs. Inputs that say how (sizes, counts, seeds, file names) come as numpy
arrays; elements, captured values and other datasets as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import errors, opdef
from relight.graph.opdef import not_differentiable, op
from relight.ops.call import boxed
from relight.ops.shape_rules import scalar

_SETTINGS = frozenset(
    [
        "start",
        "stop",
        "step",
        "count",
        "buffer_size",
        "seed",
        "seed2",
        "filename",
        "batch_size",
        "drop_remainder",
        "num_shards",
        "index",
        "num_parallel_calls",
        "cycle_length",
        "block_length",
        "sloppy",
        "buffer_output_elements",
        "prefetch_input_elements",
        "padded_shapes",
        "padding_values",
        "size",
        "shift",
        "stride",
        "optimizations",
        "filenames",
        "compression_type",
        "header_bytes",
        "record_bytes",
        "footer_bytes",
        "string_handle",
        "num_threads",
        "max_intra_op_parallelism",
        "window_size",
        "window_shift",
        "window_stride",
        "header",
        "field_delim",
        "use_quote_delim",
        "na_value",
        "select_cols",
        "record_defaults",
    ]
)

# module of relight.engine -> class -> ops
_DATASETS: dict[str, dict[str, str]] = {
    "datasets": {
        "Pass": "ModelDataset MaxIntraOpParallelismDataset PrivateThreadPoolDataset "
        "ExperimentalMaxIntraOpParallelismDataset ExperimentalPrivateThreadPoolDataset "
        "NonSerializableDataset ExperimentalNonSerializableDataset",
        "Optimize": "OptimizeDataset",
        "TensorDataset": "TensorDataset",
        "TensorSlice": "TensorSliceDataset",
        "Range": "RangeDataset",
        "Random": "RandomDataset ExperimentalRandomDataset",
        "Generator": "GeneratorDataset",
        "Zip": "ZipDataset",
        "Concatenate": "ConcatenateDataset",
        "Repeat": "RepeatDataset",
        "Take": "TakeDataset",
        "Skip": "SkipDataset",
        "Shard": "ShardDataset",
        "Shuffle": "ShuffleDataset ShuffleAndRepeatDataset",
        "Cache": "CacheDataset",
        "Map": "MapDataset ParallelMapDataset",
        "Filter": "FilterDataset",
        "TakeWhile": "TakeWhileDataset",
        "FlatMap": "FlatMapDataset",
        "Interleave": "InterleaveDataset ParallelInterleaveDataset ParallelInterleaveDatasetV2",
        "IgnoreErrors": "IgnoreErrorsDataset ExperimentalIgnoreErrorsDataset",
        "Prefetch": "PrefetchDataset",
    },
    "dataset_batches": {
        "Batch": "BatchDataset BatchDatasetV2",
        "MapAndBatch": "MapAndBatchDataset",
        "PaddedBatch": "PaddedBatchDataset PaddedBatchDatasetV2",
        "Unbatch": "UnbatchDataset ExperimentalUnbatchDataset",
        "Window": "WindowDataset",
        "GroupByWindow": "GroupByWindowDataset",
        "Scan": "ScanDataset",
        "DirectedInterleave": "DirectedInterleaveDataset ExperimentalDirectedInterleaveDataset",
        "Unique": "UniqueDataset ExperimentalUniqueDataset",
    },
    "dataset_csv": {"Csv": "CSVDataset ExperimentalCSVDataset"},
    "dataset_files": {
        "TextLine": "TextLineDataset",
        "TFRecord": "TFRecordDataset",
        "FixedLengthRecord": "FixedLengthRecordDataset FixedLengthRecordDatasetV2",
    },
}


def _maker(module: str, name: str) -> Any:
    def specialise(node: Any) -> Any:
        def make(state: Any, *inputs: Any) -> Any:
            return getattr(state.engine(module), name)(state, node, *inputs)

        return make

    return specialise


def _host_inputs(op_type: str) -> list[str]:
    return [a.name for a in opdef.op_def(op_type).inputs if a.name in _SETTINGS]


for _module, _classes in _DATASETS.items():
    for _class, _types in _classes.items():
        for _type in _types.split():
            op(_type, shape=scalar, specialise=True, takes_session=True, host=_host_inputs(_type))(
                _maker(_module, _class)
            )
            not_differentiable(_type)


def _output_shapes(node: Any) -> list[Any]:
    return list(node._attrs["output_shapes"])


@op("ReduceDataset", shape=_output_shapes, specialise=True, takes_session=True)
def ReduceDataset(node: Any) -> Any:
    """A dataset folded into a state, its elements one after the other."""

    def reduce(state: Any, source: Any, initial: list[Any], captured: list[Any]) -> list[Any]:
        return state.engine("datasets").reduce(state, node, source, initial, captured)

    return reduce


def _single(source: Any) -> list[Any]:
    elements = source.iterate({})
    try:
        element = next(elements)
    except StopIteration:
        raise errors.InvalidArgumentError(None, None, "Dataset was empty.") from None
    for _ in elements:
        raise errors.InvalidArgumentError(None, None, "Dataset had more than one element.")
    return element


@op("DatasetToSingleElement", shape=_output_shapes, takes_session=True)
def DatasetToSingleElement(state, dataset):
    """The values of the only element."""
    return list(state.engine("datasets").values_of(_single(dataset)))


# -- iterators -----------------------------------------------------------------------------------


def _iterator(node: Any) -> Any:
    shared = node._attrs.get("shared_name") or ""
    key = ("iterator", node._attrs.get("container") or "", shared or node)
    return lambda state: state.resource(key, state.engine("datasets").IteratorResource)


op("IteratorV2", shape=scalar, specialise=True, takes_session=True)(_iterator)
op("Iterator", shape=scalar, specialise=True, takes_session=True)(_iterator)


@op("OneShotIterator", shape=scalar, specialise=True, takes_session=True)
def OneShotIterator(node: Any) -> Any:
    """An iterator over the dataset that a function makes, when it is first asked."""
    shared = node._attrs.get("shared_name") or ""
    key = ("iterator", node._attrs.get("container") or "", shared or node)

    def find(state: Any) -> Any:
        def make_dataset() -> Any:
            function = state.engine("datasets").Function(state, node, "dataset_factory", [])
            (dataset,) = function(())
            return dataset

        return state.resource(key, lambda: state.engine("datasets").IteratorResource(make_dataset))

    return find


@op("MakeIterator")
def MakeIterator(dataset, iterator):
    """Begin a dataset with an iterator."""
    iterator.initialize(dataset)


for _type in ("IteratorGetNext", "IteratorGetNextSync"):

    @op(_type, shape=_output_shapes)
    def _get_next(iterator: Any) -> list[Any]:
        """The values of the next element; OutOfRangeError at the end."""
        return iterator.get_next()


@op("IteratorToStringHandle", shape=scalar, takes_session=True, host_out=True)
def IteratorToStringHandle(state, resource_handle):
    """A string that stands for an iterator in its session."""
    token = f"iterator:{id(resource_handle)}".encode()
    state.resource(("iterator handle", token), lambda: resource_handle)
    return boxed(token)


for _type in ("IteratorFromStringHandle", "IteratorFromStringHandleV2"):

    @op(_type, shape=scalar, takes_session=True, host=("string_handle",))
    def _from_handle(state: Any, string_handle: np.ndarray) -> Any:
        """The iterator that a string stands for."""
        token = string_handle.item()
        found = state.resources.get(("iterator handle", token))
        if found is None:
            raise errors.InvalidArgumentError(
                None, None, f"Could not parse string_handle into a valid ResourceHandle: {token!r}"
            )
        return found


not_differentiable(
    "ReduceDataset", "DatasetToSingleElement", "IteratorV2", "Iterator", "OneShotIterator",
    "MakeIterator", "IteratorGetNext", "IteratorGetNextSync", "IteratorToStringHandle",
    "IteratorFromStringHandle", "IteratorFromStringHandleV2",
)  # fmt: skip
