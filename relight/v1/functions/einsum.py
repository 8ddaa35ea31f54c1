"""`tf.tensordot` and `tf.einsum`: products of tensors by names of dimensions."""

from __future__ import annotations

import re
import string
from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops import math_nodes as nodes
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.linalg import trace

# -- tensordot -------------------------------------------------------------------------------------


def _matrix(a: Tensor, axes: Any, flipped: bool) -> tuple[Tensor, Any, Any]:
    """(a as a matrix with `axes` last, or first when flipped; its free sizes; those statically)."""
    if a.shape.is_fully_defined() and isinstance(axes, (list, tuple)):
        sizes = a.shape.as_list()
        axes = [i if i >= 0 else i + len(sizes) for i in axes]
        free = [i for i in range(len(sizes)) if i not in axes]
        free_sizes = [sizes[i] for i in free]
        count = [int(np.prod([sizes[i] for i in part])) for part in (free, axes)]
        perm = list(axes) + free if flipped else free + list(axes)
        target = count[::-1] if flipped else count
        matrix = array_nodes.reshape(array_nodes.transpose(a, perm), target)
        return matrix, free_sizes, free_sizes
    if a.shape.ndims is not None and isinstance(axes, (list, tuple)):
        sizes = a.shape.as_list()
        axes = [i if i >= 0 else i + len(sizes) for i in axes]
        others = [i for i in range(len(sizes)) if i not in axes]
        static: Any = [sizes[i] for i in others]
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        free = convert_to_tensor(others, dtype=dtypes.int32, name="free")
        shape = array_nodes.shape(a)
    else:
        static = None
        shape = array_nodes.shape(a)
        rank = array_nodes.rank(a)
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        axes = raw.Select(axes >= 0, axes, axes + rank)
        free = raw.ListDiff(nodes.range(rank), axes).out
    free_sizes = array_nodes.gather(shape, free)
    axes_sizes = array_nodes.gather(shape, axes)
    free_count, axes_count = nodes.reduce_prod(free_sizes), nodes.reduce_prod(axes_sizes)
    if flipped:
        perm = array_nodes.concat([axes, free], 0)
        target = array_nodes.stack([axes_count, free_count])
    else:
        perm = array_nodes.concat([free, axes], 0)
        target = array_nodes.stack([free_count, axes_count])
    matrix = array_nodes.reshape(array_nodes.transpose(a, perm), target)
    return matrix, free_sizes, static


def _contracted(a: Tensor, axes: Any) -> tuple[Any, Any]:
    """The axes of both tensors that are summed over."""
    if isinstance(axes, (int, np.integer)):
        if axes < 0:
            raise ValueError("'axes' must be at least 0.")
        rank = a.shape.ndims
        if rank is None:
            count = array_nodes.rank(a)
            return (
                nodes.range(count - axes, count, dtype=dtypes.int32),
                nodes.range(axes, dtype=dtypes.int32),
            )
        if axes > rank:
            raise ValueError(
                f"'axes' must not be larger than the number of dimensions of tensor {a}."
            )
        return list(range(rank - axes, rank)), list(range(axes))
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError("'axes' must be an integer or have length 2.")
        a_axes, b_axes = axes
        if isinstance(a_axes, (int, np.integer)) and isinstance(b_axes, (int, np.integer)):
            a_axes, b_axes = [a_axes], [b_axes]
        if len(a_axes) != len(b_axes):
            raise ValueError(
                f"Different number of contraction axes 'a' and 'b', {len(a_axes)} != {len(b_axes)}."
            )
        return a_axes, b_axes
    both = convert_to_tensor(axes, name="axes", dtype=dtypes.int32)
    return both[0], both[1]


@export("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over `axes`: the last n of a and the first n of b, or a pair of lists."""
    with name_scope(name, "Tensordot", [a, b]) as scope:
        a, b = convert_to_tensor(a, name="a"), convert_to_tensor(b, name="b")
        a_axes, b_axes = _contracted(a, axes)
        left, a_free, a_static = _matrix(a, a_axes, False)
        right, b_free, b_static = _matrix(b, b_axes, True)
        product = nodes.matmul(left, right)
        if isinstance(a_free, list) and isinstance(b_free, list):
            return array_nodes.reshape(product, a_free + b_free, name=scope)
        a_free = convert_to_tensor(a_free, dtype=dtypes.int32)
        b_free = convert_to_tensor(b_free, dtype=dtypes.int32)
        shape = array_nodes.concat([a_free, b_free], 0)
        result = array_nodes.reshape(product, shape, name=scope)
        if a_static is not None and b_static is not None:
            result.set_shape(a_static + b_static)
        return result


# -- einsum ----------------------------------------------------------------------------------------


def _expand_ellipsis(labels: list[str], output: str | None, inputs: list[Tensor]) -> Any:
    """Replace `...` by letters that the equation does not use."""
    unused = "".join(c for c in string.ascii_letters if c not in "".join(labels))
    longest = ""
    for i, label in enumerate(labels):
        if "..." not in label:
            continue
        parts = label.split("...")
        if len(parts) != 2:
            raise ValueError("Unable to resolve ellipsis. Excess number found.")
        rank = inputs[i].shape.ndims
        if rank is None:
            raise ValueError("Unable to statically infer ellipsis axes.")
        count = rank - len("".join(parts))
        if count < 0:
            raise ValueError("Ellipses lengths do not match.")
        if len(unused) < count:
            raise ValueError("Unable to resolve ellipsis, too many distinct labels.")
        letters = unused[-count:] if count > 0 else ""
        labels[i] = label.replace("...", letters)
        longest = letters if len(letters) > len(longest) else longest
    if any("." in label for label in labels):
        raise ValueError('period "." found outside of ellipsis')
    if output is not None:
        output = output.replace("...", longest)
        if "." in output:
            raise ValueError('period "." found outside of ellipsis')
    return output, longest


def _parse(equation: str, inputs: list[Tensor]) -> tuple[list[str], str]:
    """(labels of the inputs, labels of the output) of an equation."""
    equation = equation.replace(" ", "")
    match = re.match("^([a-zA-Z,.]+)(->[a-zA-Z.]*)?$", equation)
    if not match:
        raise ValueError(f"Indices have incorrect format: {equation}")
    labels = match.group(1).split(",")
    output = match.group(2)[2:] if match.group(2) else None
    if len(inputs) != len(labels):
        raise ValueError(
            f'Got {len(inputs)} arguments for equation "{equation}", expecting {len(labels)}'
        )
    ellipsis = ""
    if "..." in equation:
        output, ellipsis = _expand_ellipsis(labels, output, inputs)
    if output is None:  # the letters that occur once, in order
        letters = sorted(set("".join(labels)) - set(ellipsis))
        joined = "".join(labels)
        output = ellipsis + "".join(c for c in letters if joined.count(c) == 1)
    return labels, output


@export("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Sum of products by Einstein's notation: `einsum("ij,jk->ik", a, b)` is the matrix product.

    The only keyword is `name`. A letter may not occur twice in one input, but for a trace.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError("invalid keyword arguments for this function: " + ", ".join(sorted(kwargs)))
    with name_scope(name, "einsum", list(inputs)):
        tensors = list(inputs)
        labels, output = _parse(equation, tensors)
        letters = set("".join(labels) + output)
        for letter in letters:
            for label in labels:
                if (
                    len(labels) == 1
                    and label.count(letter) == 2
                    and label == label[::-1]
                    and "->" not in equation
                ):
                    return trace(tensors[0])
                if label.count(letter) > 1:
                    raise ValueError(
                        f"Subscript not supported: an axis appears more than once: {label}"
                    )
        if any(sum(c in s for s in labels) > 2 and c not in output for c in letters):
            return _by_broadcasting(labels, output, tensors)
        return _by_products(equation, labels, output, tensors)


def _by_products(equation: str, labels: list[str], output: str, tensors: list[Tensor]) -> Tensor:
    total, found = tensors[0], labels[0]
    for tensor, label in zip(tensors[1:], labels[1:], strict=True):
        summed = set(found) & set(label) - set(output)
        total, found = _pair(total, found, tensor, label, summed)
    if set(found) - set(output):
        axis = [i for i, c in enumerate(found) if c not in output]
        total = nodes.reduce_sum(total, axis=axis)
        found = "".join(c for c in found if c in output)
    if sorted(found) != sorted(output):
        raise ValueError(f"Invalid equation: {equation}")
    return _transposed(total, [found.index(c) for c in output])


def _pair(
    t0: Tensor, labels0: str, t1: Tensor, labels1: str, summed: set[str]
) -> tuple[Tensor, str]:
    """The product of two tensors, summed over some letters; and the letters of the result."""
    for i, (t, label) in enumerate(((t0, labels0), (t1, labels1))):
        if len(label) != len(t.shape):
            raise ValueError(
                f"Tensor t{i} of rank {len(t.shape)} does not match einsum reduction of length "
                f"{len(label)}"
            )
    kept = (set(labels0) & set(labels1)) - summed
    alone = [set(label) - kept - summed for label in (labels0, labels1)]

    def key(place: int, letter: str) -> tuple[int, str]:
        if letter in kept:
            return -1, letter
        if (place == 0 and letter in alone[0]) or (place == 1 and letter in summed):
            return 0, letter
        return 1, letter

    order = [
        sorted(label, key=lambda c, i=i: key(i, c)) for i, label in enumerate((labels0, labels1))
    ]
    t0 = _transposed(t0, [labels0.find(c) for c in order[0]])
    t1 = _transposed(t1, [labels1.find(c) for c in order[1]])
    if not summed:
        for _ in alone[1]:
            t0 = raw.ExpandDims(t0, -1)
        for _ in alone[0]:
            t1 = raw.ExpandDims(t1, len(kept))
        return raw.Mul(t0, t1), "".join(order[0] + order[1][len(kept) :])
    shape0 = _sizes(t0)
    free0 = _product(shape0[len(kept) : -len(summed)])
    inner = _product(shape0[-len(summed) :])
    t0 = _reshaped(t0, [*shape0[: len(kept)], free0, inner])
    shape1 = _sizes(t1)
    free1 = _product(shape1[len(kept) + len(summed) :])
    t1 = _reshaped(t1, [*shape1[: len(kept)], inner, free1])
    product = nodes.matmul(t0, t1)
    whole = shape0[: len(kept) + len(alone[0])] + shape1[len(shape1) - len(alone[1]) :]
    letters = order[0][: len(kept) + len(alone[0])] + order[1][len(order[1]) - len(alone[1]) :]
    return _reshaped(product, whole), "".join(letters)


def _transposed(tensor: Tensor, perm: list[int]) -> Tensor:
    return tensor if perm == sorted(perm) else array_nodes.transpose(tensor, perm=perm)


def _reshaped(tensor: Tensor, shape: list[Any]) -> Tensor:
    target = tuple(-1 if s is None else s for s in shape)
    present = tuple(tensor.shape.as_list())
    if len(target) == len(present) and all(
        not isinstance(new, Tensor) and new in (old, -1)
        for old, new in zip(present, target, strict=True)
    ):
        return tensor
    return array_nodes.reshape(tensor, target)


def _sizes(tensor: Tensor) -> list[Any]:
    """The sizes: numbers, and scalar tensors for those that are not known."""
    sizes: list[Any] = tensor.shape.as_list()
    if None in sizes:
        whole = array_nodes.shape(tensor)
        sizes = [whole[i] if s is None else s for i, s in enumerate(sizes)]
    return sizes


def _product(sizes: list[Any]) -> Any:
    result: Any = 1
    for size in sizes:
        result *= size
    return result


def _by_broadcasting(labels: list[str], output: str, tensors: list[Tensor]) -> Tensor:
    """One large element-wise product, then a sum: for letters summed over more than two inputs."""
    letters = sorted(set("".join(labels)) | set(output))
    if set(output) - set("".join(labels)):
        raise ValueError(f"Unknown output axes: {set(output) - set(''.join(labels))}")
    order = [c for c in letters if c not in output] + list(output)
    shapes, aligned = [], []
    for i, (tensor, label) in enumerate(zip(tensors, labels, strict=True)):
        if tensor.shape.ndims != len(label):
            raise ValueError(
                f"Input {i} with axes {label} has incorrect number of dimensions (expected "
                f"{len(label)}, got {tensor.shape.ndims})"
            )
        wanted = sorted(label, key=order.index)
        if list(label) != wanted:
            tensor = array_nodes.transpose(tensor, [label.find(c) for c in wanted])
        sizes = iter(s if s else -1 for s in tensors[i].shape.as_list())
        by_letter = dict(zip(label, sizes, strict=True))
        shapes.append([by_letter.get(c, 1) for c in order])
        aligned.append(tensor)
    for place, letter in enumerate(order):
        if len({s[place] for s in shapes if s[place] > 1}) > 1:
            raise ValueError(f"Dimension mismatch on axis: {letter}")
    expanded = [array_nodes.reshape(t, s) for t, s in zip(aligned, shapes, strict=True)]
    product: Any = 1
    for tensor in expanded:
        product *= tensor
    return nodes.reduce_sum(product, [i for i, c in enumerate(order) if c not in output])
