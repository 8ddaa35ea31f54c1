"""`tf.data.experimental.CsvDataset`: the records of CSV files, a tensor a column."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from relight.engine.dataset_files import _compression, _texts, open_file
from relight.engine.datasets import Context, Dataset, Element, invalid
from relight.ops.call import to_torch
from relight.ops.files import told
from relight.ops.parsing import csv_field, csv_fields


class Csv(Dataset):
    """Records of RFC 4180 files: quoted fields may hold delimiters and ends of lines."""

    def __init__(
        self,
        state: Any,
        node: Any,
        filenames: Any,
        compression_type: Any,
        buffer_size: Any,
        header: Any,
        field_delim: Any,
        use_quote_delim: Any,
        na_value: Any,
        select_cols: Any,
        record_defaults: list[np.ndarray],
    ):
        super().__init__(state, node)
        self._paths = _texts(filenames)
        self._compression = _compression(compression_type)
        self._header, self._quoted = bool(header), bool(use_quote_delim)
        delimiter = field_delim.item()
        if len(delimiter) != 1:
            raise invalid("field_delim should be only 1 char")
        self._delimiter, self._missing = delimiter.decode(), na_value.item().decode()
        self._chosen = select_cols.tolist()
        if any(a >= b for a, b in zip(self._chosen, self._chosen[1:])):
            raise invalid("select_cols should be strictly increasing indices")
        if any(c < 0 for c in self._chosen):
            raise invalid("select_cols should be non-negative indices")
        self._types = list(node._attrs["output_types"])
        if self._chosen and len(self._chosen) != len(self._types):
            raise invalid("select_cols should match output size")
        self._defaults = record_defaults
        if any(d.size > 1 for d in record_defaults):
            raise invalid("Each record default should be at most a scalar")

    def iterate(self, context: Context) -> Iterator[Element]:
        return _Records(self)

    def lines(self, path: str) -> Iterator[str]:
        """Records as text, without the header; a record ends with a line that ends no quote."""
        with told(path), open_file(path, self._compression) as raw:
            text = io.TextIOWrapper(raw, "utf-8", "surrogateescape", newline="")  # type: ignore
            held = ""
            skip = self._header
            for line in text:
                held += line
                if self._quoted and held.count('"') % 2:
                    continue
                record, held = held.rstrip("\n").removesuffix("\r"), ""
                if skip:
                    skip = False
                else:
                    yield record
            if held:
                yield held.rstrip("\n")

    def values(self, line: str, row: int) -> Element:
        """The columns of a record."""
        fields = csv_fields(line, self._delimiter, self._quoted, row)
        if self._chosen:
            if len(fields) <= self._chosen[-1]:
                raise invalid(
                    f"Expect at least {self._chosen[-1] + 1} fields but have {len(fields)} in "
                    "record"
                )
            fields = [fields[c] for c in self._chosen]
        if len(fields) != len(self._types):
            raise invalid(f"Expect {len(self._types)} fields but have {len(fields)} in record")
        found = []
        for i, (field, dtype) in enumerate(zip(fields, self._types, strict=True)):
            value = csv_field(field, dtype, self._defaults[i], self._missing, i, row)
            array = np.empty((), dtype.as_numpy_dtype)
            array[()] = value
            found.append(array if array.dtype == np.object_ else to_torch(array))
        return tuple(found)

    @property
    def paths(self) -> list[str]:
        """The files."""
        return self._paths


class _Records:
    """An iterator that goes on with the next record after a wrong one."""

    def __init__(self, dataset: Csv):
        self._dataset = dataset
        self._lines = ((p, i, line) for p in dataset.paths for i, line in self._numbered(p))

    def _numbered(self, path: str) -> Iterator[tuple[int, str]]:
        return enumerate(self._dataset.lines(path))

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        path, number, line = next(self._lines)
        try:
            return self._dataset.values(line, number)
        except Exception as error:
            message = getattr(error, "message", str(error))
            raise invalid(f"{message} (record {number} of {path})") from error
