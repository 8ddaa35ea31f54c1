"""`tf.data.experimental.CsvDataset` and `make_csv_dataset`."""

from __future__ import annotations

import collections
import csv
import glob
import gzip
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.node import Tensor
from relight.graph.shapes import TensorShape
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant, constant_value
from relight.v1.data import experimental_ops
from relight.v1.data.dataset_ops import AUTOTUNE, DatasetV1, DatasetV1Adapter
from relight.v1.data.structure import Spec

_TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.string)
_BUFFER = 4 * 1024 * 1024


def _defaults(record_defaults: Sequence[Any]) -> list[Any]:
    """Types stand for required columns: an empty tensor."""
    return [
        d if isinstance(d, Tensor) or d not in _TYPES else constant([], dtype=d)
        for d in record_defaults
    ]


@export("data.experimental.CsvDataset")
class CsvDataset(DatasetV1Adapter):
    """The records of CSV files as tuples of scalars.

    Args:
      filenames: one or more names.
      record_defaults: for each column its type (then it is required), or the value of an empty
        field.
      compression_type: "", "ZLIB" or "GZIP".
      buffer_size: has no effect here.
      header: whether the first line of each file is skipped.
      field_delim: the character between fields.
      use_quote_delim: whether quotation marks are taken off fields.
      na_value: a text that stands for an empty field.
      select_cols: numbers of the columns wanted, sorted; all when None.
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Sequence[Any],
        compression_type: Any = None,
        buffer_size: Any = None,
        header: Any = False,
        field_delim: Any = ",",
        use_quote_delim: Any = True,
        na_value: Any = "",
        select_cols: Any = None,
    ) -> None:
        def setting(name: str, value: Any, dtype: Any) -> Tensor:
            return convert_to_tensor(value, dtype=dtype, name=name)

        names = setting("filenames", filenames, dtypes.string)
        compression = setting("compression_type", compression_type or "", dtypes.string)
        defaults = [
            convert_to_tensor(d, name=f"record_defaults_{i}")
            for i, d in enumerate(_defaults(record_defaults))
        ]
        types = [d.dtype for d in defaults]
        made = raw.CSVDataset(
            names,
            compression,
            setting("buffer_size", _BUFFER if buffer_size is None else buffer_size, dtypes.int64),
            setting("header", header, dtypes.bool),
            setting("field_delim", field_delim, dtypes.string),
            setting("use_quote_delim", use_quote_delim, dtypes.bool),
            setting("na_value", na_value, dtypes.string),
            setting("select_cols", [] if select_cols is None else select_cols, dtypes.int64),
            defaults,
            output_shapes=[TensorShape([])] * len(defaults),
        )
        super().__init__(made, tuple(Spec(t, TensorShape([])) for t in types))


# -- columns found by looking at the files ---------------------------------------------------------


def _is_int32(text: str) -> bool:
    return _is_int64(text) and -(2**31) <= int(text) < 2**31


def _is_int64(text: str) -> bool:
    try:
        return -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _is_float(text: str, kind: Any) -> bool:
    try:
        with np.errstate(over="ignore"):
            return bool(kind(text) < np.inf)
    except ValueError:
        return False


# From the narrowest type to the widest: what a field must be like to have it.
_KINDS: list[tuple[dtypes.DType, Callable[[str], bool]]] = [
    (dtypes.int32, _is_int32),
    (dtypes.int64, _is_int64),
    (dtypes.float32, lambda text: _is_float(text, np.float32)),
    (dtypes.float64, lambda text: _is_float(text, np.float64)),
    (dtypes.string, lambda text: True),
]


def _widened(text: str, missing: str, before: dtypes.DType | None) -> dtypes.DType | None:
    """The narrowest type that has a field's value and those `before` it."""
    if text in ("", missing):
        return before
    order = [kind for kind, _ in _KINDS]
    first = 0 if before is None else order.index(before)
    return next(kind for kind, fits in _KINDS[first:] if fits(text))


class _Table:
    """How to read the files of a data set as rows of text."""

    def __init__(self, files: list[str], delimiter: str, quoted: bool, zipped: bool):
        self.files = files
        self._settings: dict[str, Any] = {
            "delimiter": delimiter,
            "quoting": csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        }
        self._open: Any = gzip.open if zipped else open

    def rows(self, path: str) -> Iterator[list[str]]:
        """The rows of one file."""
        with self._open(path, "rt", newline="") as file:
            yield from csv.reader(file, **self._settings)

    def names(self) -> list[str]:
        """The first row, which must be the same in all files."""
        found: list[str] | None = None
        for path in self.files:
            first = next(self.rows(path), None)
            if first is None:
                raise ValueError(
                    f"Received StopIteration when reading the header line of {path}.  Empty file?"
                )
            if found is not None and first != found:
                raise ValueError("Files have different column names in the header row.")
            found = first
        assert found is not None
        return found

    def defaults(
        self, count: int, missing: str, header: bool, most: int | None, chosen: Sequence[int]
    ) -> list[Tensor]:
        """Zero or an empty text for each chosen column, in the type of the first `most` rows."""
        types: list[dtypes.DType | None] = [None] * len(chosen)
        number = 0
        for path in self.files:
            rows = self.rows(path)
            if header:
                next(rows, None)
            for row in rows:
                if most is not None and number >= most:
                    break
                number += 1
                if len(row) != count:
                    raise ValueError(
                        "Problem inferring types: CSV row has different number of fields than "
                        f"expected: {len(row)} in {path}, not {count}."
                    )
                types = [_widened(row[c], missing, t) for c, t in zip(chosen, types, strict=True)]
        known = [t or dtypes.string for t in types]
        return [constant(["" if t is dtypes.string else 0], dtype=t) for t in known]


def _files(pattern: Any) -> list[str]:
    patterns = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    if not patterns:
        raise ValueError("File pattern is empty.")
    found = sorted(name for p in patterns for name in glob.glob(p))
    if not found:
        raise ValueError(f"No files match {pattern}.")
    return found


def _columns(wanted: Sequence[Any], names: Sequence[str]) -> list[int]:
    """Numbers of columns given by number or name, sorted."""
    found = []
    for item in wanted:
        if isinstance(item, int):
            if not 0 <= item < len(names):
                raise ValueError(
                    f"Column index {item} specified in select_columns out of valid range."
                )
            found.append(item)
        elif item in names:
            found.append(list(names).index(item))
        else:
            raise ValueError(
                f"Value '{item}' specified in select_columns not a valid column index or name."
            )
    if len(set(found)) != len(found):
        raise ValueError("select_columns contains duplicate columns")
    return sorted(found)


@export("data.experimental.make_csv_dataset")
def make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: Any = None,
    ignore_errors: bool = False,
) -> DatasetV1:
    """Batches of the rows of CSV files: dictionaries from column names to tensors [batch_size].

    With `label_name`, pairs of such a dictionary and the labels. Names that are not given come from
    the header lines, types from the first `num_rows_for_inference` rows (all when None).
    `select_columns` are numbers or names. `num_epochs` None: without end.

    Raises:
      ValueError: no file, headers that differ, or arguments that do not fit the columns.
    """
    names = _files(file_pattern)
    dataset = DatasetV1.from_tensor_slices(names)
    if shuffle:
        dataset = dataset.shuffle(len(names), shuffle_seed)
    kind = compression_type
    if isinstance(kind, Tensor):
        value = constant_value(kind)
        kind = None if value is None else value.item().decode()
    if (column_names is None or column_defaults is None) and kind not in (None, "", "GZIP"):
        raise ValueError(f"compression_type ({kind}) is not supported for probing columns")
    table = _Table(names, field_delim, use_quote_delim, kind == "GZIP")
    if column_names is None:
        if not header:
            raise ValueError("Cannot infer column names without a header line.")
        column_names = table.names()
    if len(column_names) != len(set(column_names)):
        raise ValueError("Cannot have duplicate column names.")
    chosen = None if select_columns is None else _columns(select_columns, column_names)
    if column_defaults is None:
        places = range(len(column_names)) if chosen is None else chosen
        defaults: list[Any] = list(
            table.defaults(len(column_names), na_value, header, num_rows_for_inference, places)
        )
    else:
        defaults = _defaults(column_defaults)
    if chosen is not None:
        if len(defaults) != len(chosen):
            raise ValueError(
                "If specified, column_defaults and select_columns must have same length."
            )
        column_names = [column_names[c] for c in chosen]
    if label_name is not None and label_name not in column_names:
        raise ValueError("`label_name` provided must be one of the columns.")
    kept = list(column_names)

    def of_file(name: Tensor) -> DatasetV1:
        made: DatasetV1 = CsvDataset(
            name,
            defaults,
            compression_type,
            header=header,
            field_delim=field_delim,
            use_quote_delim=use_quote_delim,
            na_value=na_value,
            select_cols=chosen,
        )
        return made.apply(experimental_ops.ignore_errors()) if ignore_errors else made

    def as_features(*columns: Tensor) -> Any:
        features = collections.OrderedDict(zip(kept, columns, strict=True))
        return features if label_name is None else (features, features.pop(label_name))

    if num_parallel_reads == AUTOTUNE:
        dataset = dataset.interleave(of_file, num_parallel_calls=num_parallel_reads)
    else:
        # The default, None, reads one file at a time.
        cycle = 1 if num_parallel_reads is None else num_parallel_reads
        dataset = dataset.apply(
            experimental_ops.parallel_interleave(of_file, cycle_length=cycle, sloppy=sloppy)
        )
    if num_epochs != 1 and shuffle:
        dataset = dataset.apply(
            experimental_ops.shuffle_and_repeat(shuffle_buffer_size, num_epochs, shuffle_seed)
        )
    elif shuffle:
        dataset = dataset.shuffle(shuffle_buffer_size, shuffle_seed)
    elif num_epochs != 1:
        dataset = dataset.repeat(num_epochs)
    dataset = dataset.batch(batch_size, drop_remainder=num_epochs is None).map(as_features)
    return dataset.prefetch(1 if prefetch_buffer_size is None else prefetch_buffer_size)


@export("contrib.data.make_csv_dataset")
def _contrib_make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: Any = None,
) -> DatasetV1:
    """`tf.data.experimental.make_csv_dataset`, which can ignore errors besides."""
    return make_csv_dataset(**locals())
