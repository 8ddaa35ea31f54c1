"""Different elements, differences of lists, edit distance, fingerprints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relight.graph import dtypes
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.array import invalid
from relight.ops.constants import known_value
from relight.ops.hashing import fingerprint64
from relight.ops.shape_rules import sizes
from relight.ops.state import torch_dtype


def _unique_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if node.type in ("Unique", "UniqueWithCounts"):
        index = (known[0],) if known is not None and len(known) == 1 else None
        return [(None,), index, (None,)][: len(node._outputs)]
    return [
        None if known is None else (None,) * len(known),
        None if known is None else (None,),
        (None,),
    ][: len(node._outputs)]


def _first_seen(keys: list[Any]) -> tuple[list[int], list[int], list[int]]:
    """(place of each different key, its number for every key, how often it occurs)."""
    numbers: dict[Any, int] = {}
    first, index, counts = [], [], []
    for place, key in enumerate(keys):
        number = numbers.setdefault(key, len(numbers))
        if number == len(first):
            first.append(place)
            counts.append(0)
        index.append(number)
        counts[number] += 1
    return first, index, counts


def unique_rows(value: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(places of the first of each, index of every one, counts) over the first dimension."""
    if isinstance(value, np.ndarray):
        keys = value.reshape(len(value), -1).tolist()
        found = _first_seen([tuple(k) for k in keys])
        return tuple(torch.tensor(f, dtype=torch.int64) for f in found)  # type: ignore[return-value]
    wide = value if value.ndim > 1 or not value.dtype.is_complex else torch.view_as_real(value)
    # Of numbers in a row: without `dim` it takes microseconds, with it milliseconds.
    by_rows = None if wide.ndim == 1 and not wide.is_floating_point() else 0
    _, inverse, counts = torch.unique(wide, dim=by_rows, return_inverse=True, return_counts=True)
    places = torch.arange(len(value), device=value.device)
    first = torch.full((len(counts),), len(value), dtype=torch.int64, device=value.device)
    first.scatter_reduce_(0, inverse, places, "amin")
    order = first.argsort()
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=value.device)
    return first[order], rank[inverse], counts[order]


def _unique(node: Any, with_counts: bool, with_axis: bool) -> Any:
    index_type = torch_dtype(node._attrs["out_idx"])

    def unique(value, *axes):
        axis = 0
        if with_axis and axes[0].size:
            axis = int(axes[0].reshape(-1)[0]) % value.ndim
        elif value.ndim != 1:
            raise invalid("unique expects a 1D vector.")
        host = isinstance(value, np.ndarray)
        moved = np.moveaxis(value, axis, 0) if host else value.movedim(axis, 0)
        first, index, counts = unique_rows(moved)
        chosen = moved[first.numpy()] if host else moved.index_select(0, first)
        y = np.moveaxis(chosen, 0, axis) if host else chosen.movedim(0, axis)
        result = (y, index.to(index_type))
        return (*result, counts.to(index_type)) if with_counts else result

    return unique


@op("Unique", shape=_unique_shape, specialise=True)
def Unique(node: Any) -> Any:
    """The different elements in order of appearance, and the number of each element's one."""
    return _unique(node, False, False)


@op("UniqueWithCounts", shape=_unique_shape, specialise=True)
def UniqueWithCounts(node: Any) -> Any:
    """`Unique`, and how often each occurs."""
    return _unique(node, True, False)


@op("UniqueV2", shape=_unique_shape, specialise=True, host=("axis",))
def UniqueV2(node: Any) -> Any:
    """`Unique` of the slices along an axis."""
    return _unique(node, False, True)


@op("UniqueWithCountsV2", shape=_unique_shape, specialise=True, host=("axis",))
def UniqueWithCountsV2(node: Any) -> Any:
    """`UniqueWithCounts` of the slices along an axis."""
    return _unique(node, True, True)


def _list_diff_shape(node: Any) -> list[Any]:
    return [(None,), (None,)]


@op("ListDiff", shape=_list_diff_shape, specialise=True)
def ListDiff(node: Any) -> Any:
    """The elements of x that are not in y, and their places."""
    index_type = torch_dtype(node._attrs["out_idx"])

    def list_diff(x, y):
        for value, name in ((x, "x"), (y, "y")):
            if value.ndim != 1:
                raise invalid(f"{name} should be a 1D vector.")
        if isinstance(x, np.ndarray):
            known = set(y.tolist())
            places = [i for i, v in enumerate(x.tolist()) if v not in known]
            return x[places], torch.tensor(places, dtype=index_type)
        places = (~torch.isin(x, y)).nonzero().squeeze(1)
        return x.index_select(0, places), places.to(index_type)

    return list_diff


def _edit_shape(node: Any) -> list[Any]:
    a, b = known_value(node._inputs[2]), known_value(node._inputs[5])
    if a is not None and b is not None:
        return [tuple(int(max(x, y)) for x, y in zip(a[:-1], b[:-1], strict=True))]
    return [None]


_EDIT_HOST = (
    "hypothesis_indices",
    "hypothesis_values",
    "hypothesis_shape",
    "truth_indices",
    "truth_values",
    "truth_shape",
)


@op("EditDistance", shape=_edit_shape, host=_EDIT_HOST, host_out=True)
def EditDistance(h_indices, h_values, h_shape, t_indices, t_values, t_shape, *, normalize):
    """The Levenshtein distance of sequences along the last dimension of two sparse tensors."""
    if len(h_shape) != len(t_shape):
        raise invalid(
            "Expected hypothesis_shape.num_elements() == truth_shape.num_elements() but "
            f"got {len(h_shape)} and {len(t_shape)}"
        )
    shape = [max(int(a), int(b)) for a, b in zip(h_shape[:-1], t_shape[:-1], strict=True)]
    hypotheses, truths = _sequences(h_indices, h_values), _sequences(t_indices, t_values)
    result = np.zeros(shape, np.float32)
    for key in {*hypotheses, *truths}:
        hypothesis, truth = hypotheses.get(key, []), truths.get(key, [])
        distance = float(levenshtein(hypothesis, truth))
        if normalize:
            distance = distance / len(truth) if truth else (np.inf if hypothesis else 0.0)
        result[key] = distance
    return result


def _sequences(indices: np.ndarray, values: np.ndarray) -> dict[tuple[int, ...], list[Any]]:
    groups: dict[tuple[int, ...], list[Any]] = {}
    for key, value in zip(indices[:, :-1].tolist(), values.tolist(), strict=True):
        groups.setdefault(tuple(key), []).append(value)
    return groups


def levenshtein(a: list[Any], b: list[Any]) -> int:
    """The least number of insertions, deletions and substitutions that turn a into b."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
            diagonal, row[j] = row[j], best
    return row[-1]


def _fingerprint_shape(node: Any) -> list[Any]:
    known = sizes(node, 0)
    if known is not None and not known:
        raise ShapeError("Shape must be at least rank 1 but is rank 0")
    method = known_value(node._inputs[1])
    return [(None if known is None else known[0], None if method is None else 8)]


@op("Fingerprint", shape=_fingerprint_shape, host=("data", "method"), specialise=True)
def Fingerprint(node: Any) -> Any:
    """uint8 [n, 8]: a 64-bit hash of each row (FarmHash Fingerprint64, little-endian)."""
    is_string = node._inputs[0].dtype.base_dtype is dtypes.string

    def fingerprint(data, method):
        if method.item() != b"farmhash64":
            raise invalid(f"Unsupported fingerprint method: {method.item().decode()}")
        rows = data.reshape(len(data), -1)
        if is_string:
            hashes = [fingerprint64(r[0]) if rows.shape[1] == 1 else _of_row(r) for r in rows]
        else:
            hashes = [fingerprint64(np.ascontiguousarray(r).tobytes()) for r in rows]
        return torch.from_numpy(
            np.array(hashes, np.uint64).astype("<u8").view(np.uint8).reshape(len(data), 8)
        )

    def _of_row(row):
        joined = b"".join(fingerprint64(item).to_bytes(8, "little") for item in row.tolist())
        return fingerprint64(joined)

    return fingerprint


not_differentiable(
    "Unique",
    "UniqueWithCounts",
    "UniqueV2",
    "UniqueWithCountsV2",
    "ListDiff",
    "EditDistance",
    "Fingerprint",
)
