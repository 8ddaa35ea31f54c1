"""Static shapes: `TensorShape` and `Dimension`, either of which may be (partly) unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Dimension:
    """One dimension of a static shape: a non-negative size, or None when it is not known."""

    __slots__ = ("_value",)

    def __init__(self, value: Any):
        if value is None:
            self._value = None
            return
        if isinstance(value, Dimension):
            self._value = value._value
            return
        try:
            size = value.__index__() if hasattr(value, "__index__") else int(value)
        except (TypeError, ValueError):
            raise TypeError(f"Dimension value must be integer or None, got {value!r}") from None
        if size != value and not isinstance(value, (str, bytes)):
            raise ValueError(f"Ambiguous dimension: {value}")
        if size < 0:
            raise ValueError(f"Dimension {size} must be >= 0")
        self._value = size

    @property
    def value(self) -> int | None:
        """The size, or None."""
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value!r})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __eq__(self, other: object) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return None
        return self._value == other._value

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal in (None, NotImplemented) else not equal

    def __int__(self) -> int:
        return self._value  # type: ignore[return-value]

    __long__ = __int__

    def __index__(self) -> int:
        return self._value  # type: ignore[return-value]

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both can be the same size."""
        other = as_dimension(other)
        return self._value is None or other._value is None or self._value == other._value

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless `is_compatible_with`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """What is known from either; ValueError when they disagree."""
        other = as_dimension(other)
        self.assert_is_compatible_with(other)
        return other if self._value is None else self

    def _binary(self, other: Any, function, swap: bool = False) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return Dimension(None)
        pair = (other._value, self._value) if swap else (self._value, other._value)
        return Dimension(function(*pair))

    def __add__(self, other: Any):
        return self._binary(other, lambda a, b: a + b)

    def __radd__(self, other: Any):
        return self._binary(other, lambda a, b: a + b, swap=True)

    def __sub__(self, other: Any):
        return self._binary(other, lambda a, b: a - b)

    def __rsub__(self, other: Any):
        return self._binary(other, lambda a, b: a - b, swap=True)

    def __mul__(self, other: Any):
        return self._binary(other, lambda a, b: a * b)

    def __rmul__(self, other: Any):
        return self._binary(other, lambda a, b: a * b, swap=True)

    def __floordiv__(self, other: Any):
        return self._binary(other, lambda a, b: a // b)

    def __rfloordiv__(self, other: Any):
        return self._binary(other, lambda a, b: a // b, swap=True)

    __div__ = __floordiv__
    __rdiv__ = __rfloordiv__

    def __truediv__(self, other: Any):
        raise TypeError(
            f"unsupported operand type(s) for /: 'Dimension' and '{type(other).__name__}', "
            "please use // instead"
        )

    def __rtruediv__(self, other: Any):
        raise TypeError(
            f"unsupported operand type(s) for /: '{type(other).__name__}' and 'Dimension', "
            "please use // instead"
        )

    def __mod__(self, other: Any):
        return self._binary(other, lambda a, b: a % b)

    def __rmod__(self, other: Any):
        return self._binary(other, lambda a, b: a % b, swap=True)

    def _compare(self, other: Any, function) -> Any:
        other = as_dimension(other)
        if self._value is None or other._value is None:
            return None
        return function(self._value, other._value)

    def __lt__(self, other: Any):
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other: Any):
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other: Any):
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other: Any):
        return self._compare(other, lambda a, b: a >= b)

    def __reduce__(self):
        return Dimension, (self._value,)


def as_dimension(value: Any) -> Dimension:
    """`value` itself when it is a Dimension, else a Dimension of it."""
    return value if isinstance(value, Dimension) else Dimension(value)


def dimension_value(dimension: Any) -> int | None:
    """The plain integer (or None) of a Dimension or integer."""
    return dimension.value if isinstance(dimension, Dimension) else dimension


class TensorShape:
    """The static shape of a tensor: known, known only in its rank, or unknown altogether.

    The sizes are kept as a tuple of `int | None` in `_sizes` (None for an unknown rank).
    """

    __slots__ = ("_sizes",)

    def __init__(self, dims: Any):
        self._sizes: tuple[int | None, ...] | None
        if dims is None:
            self._sizes = None
        elif isinstance(dims, TensorShape):
            self._sizes = dims._sizes
        elif hasattr(dims, "unknown_rank") and hasattr(dims, "dim"):  # a TensorShapeProto
            self._sizes = (
                None
                if dims.unknown_rank
                else tuple(None if d.size == -1 else d.size for d in dims.dim)
            )
        elif isinstance(dims, (str, bytes)):
            raise TypeError(f"Dimension value must be integer or None, got {dims!r}")
        else:
            try:
                items: Iterable[Any] = iter(dims)
            except TypeError:
                items = (dims,)
            self._sizes = tuple(
                d if type(d) is int and d >= 0 else Dimension(d)._value for d in items
            )

    @classmethod
    def of(cls, sizes: tuple[int | None, ...] | None) -> TensorShape:
        """A shape of sizes that are known to be valid: no checks."""
        self = cls.__new__(cls)
        self._sizes = sizes
        return self

    @property
    def rank(self) -> int | None:
        """Number of dimensions, or None."""
        return None if self._sizes is None else len(self._sizes)

    ndims = rank

    @property
    def dims(self) -> list[Dimension] | None:
        """The dimensions, or None when the rank is unknown."""
        return None if self._sizes is None else [Dimension(s) for s in self._sizes]

    @property
    def _dims(self) -> list[Dimension] | None:
        return self.dims

    def __len__(self) -> int:
        if self._sizes is None:
            raise ValueError("Cannot take the length of Shape with unknown rank.")
        return len(self._sizes)

    def __bool__(self) -> bool:
        return self._sizes is not None

    __nonzero__ = __bool__

    def __iter__(self) -> Iterator[Dimension]:
        if self._sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(s) for s in self._sizes])

    def __getitem__(self, key: Any) -> Any:
        if self._sizes is not None:
            if isinstance(key, slice):
                return TensorShape.of(self._sizes[key])
            return Dimension(self._sizes[key])
        if not isinstance(key, slice):
            return Dimension(None)
        start = 0 if key.start is None else key.start
        stop = key.stop
        if key.step is not None:
            raise ValueError("Steps are not yet handled")
        if stop is None or start < 0 or stop < 0:
            return unknown_shape()
        return unknown_shape(max(0, stop - start))

    def __repr__(self) -> str:
        return f"TensorShape({None if self._sizes is None else self.dims!r})"

    def __str__(self) -> str:
        if self._sizes is None:
            return "<unknown>"
        if len(self._sizes) == 1:
            return f"({Dimension(self._sizes[0])},)"
        return "(" + ", ".join("?" if s is None else str(s) for s in self._sizes) + ")"

    def __eq__(self, other: object) -> bool:
        try:
            other = as_shape(other)
        except (TypeError, ValueError):
            return NotImplemented
        return self._sizes == other._sizes

    def __ne__(self, other: object) -> bool:
        try:
            other = as_shape(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._sizes is None or other._sizes is None:
            raise ValueError("The inequality of unknown TensorShapes is undefined.")
        return self._sizes != other._sizes

    def __hash__(self) -> int:
        return hash(self._sizes)

    def __reduce__(self):
        return TensorShape, (None if self._sizes is None else list(self._sizes),)

    def __concat__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def concatenate(self, other: Any) -> TensorShape:
        """This shape followed by `other`; unknown when either rank is."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return TensorShape.of(None)
        return TensorShape.of(self._sizes + other._sizes)

    __add__ = concatenate

    def __radd__(self, other: Any) -> TensorShape:
        return as_shape(other).concatenate(self)

    def num_elements(self) -> int | None:
        """Number of elements, or None when it is not known."""
        if not self.is_fully_defined():
            return None
        total = 1
        for size in self._sizes or ():
            total *= size  # type: ignore[operator]
        return total

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return self._sizes is not None and None not in self._sizes

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError unless `is_fully_defined`."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def as_list(self) -> list[int | None]:
        """The sizes as integers and Nones; ValueError when the rank is unknown."""
        if self._sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._sizes)

    def as_proto(self) -> Any:
        """This shape as a `TensorShapeProto`."""
        from tensorboard.compat.proto import tensor_shape_pb2

        proto = tensor_shape_pb2.TensorShapeProto()
        if self._sizes is None:
            proto.unknown_rank = True
        else:
            for size in self._sizes:
                proto.dim.add(size=-1 if size is None else size)
        return proto

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some full shape fits both."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return True
        return len(self._sizes) == len(other._sizes) and all(
            a is None or b is None or a == b for a, b in zip(self._sizes, other._sizes, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless `is_compatible_with`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The sizes that both agree on; None elsewhere."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None or self.rank != other.rank:
            return TensorShape.of(None)
        return TensorShape.of(
            tuple(a if a == b else None for a, b in zip(self._sizes, other._sizes, strict=True))
        )

    def merge_with(self, other: Any) -> TensorShape:
        """What is known from either shape; ValueError when they disagree."""
        other = as_shape(other)
        if self._sizes is None:
            return other
        if other._sizes is None:
            return self
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        return TensorShape.of(
            tuple(b if a is None else a for a, b in zip(self._sizes, other._sizes, strict=True))
        )

    def assert_same_rank(self, other: Any) -> None:
        """Raise ValueError unless both ranks are equal or unknown."""
        other = as_shape(other)
        if self.rank is not None and other.rank is not None and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError unless the rank is `rank` or unknown."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """This shape, known to have `rank` dimensions; ValueError when it has not."""
        try:
            return self.merge_with(unknown_shape(rank))
        except ValueError:
            raise ValueError(f"Shape {self} must have rank {rank}") from None

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape; ValueError when its rank is below `rank`."""
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape; ValueError when its rank is above `rank`."""
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self


def as_shape(shape: Any) -> TensorShape:
    """`shape` itself when it is a TensorShape, else a TensorShape of it."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def unknown_shape(rank: int | None = None, **kwargs: Any) -> TensorShape:
    """A shape of unknown sizes, of the given rank or of unknown rank."""
    rank = kwargs.get("ndims", rank)
    return TensorShape.of(None if rank is None else (None,) * rank)
