"""`tf.strings`: hashes, numbers, patterns, parts and joins of strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from relight.graph import dtypes
from relight.graph.composite import SparseTensor
from relight.graph.export import export
from relight.graph.graph import name_scope
from relight.graph.node import Tensor
from relight.ops import array_nodes
from relight.ops.array_nodes import deprecated_argument
from relight.ops.build import convert_to_tensor, raw
from relight.ops.constants import constant
from relight.v1.functions.array import is_tensor


@export("string_join", "strings.join")
def string_join(inputs: Any, separator: str = "", name: str | None = None) -> Tensor:
    """The strings of several tensors joined element by element; scalars go to every element."""
    return raw.StringJoin(inputs, separator=separator, name=name)


@export("string_split")
def string_split(
    source: Any,
    sep: Any = None,
    skip_empty: bool = True,
    delimiter: Any = None,
    result_type: str = "SparseTensor",
    name: str | None = None,
) -> SparseTensor:
    """Strings [n] cut at each of the characters of `delimiter` (a blank by default)."""
    with name_scope(name, "StringSplit", [source]):
        delimiter = deprecated_argument("sep", sep, "delimiter", delimiter)
        if delimiter is None:
            delimiter = " "
        delimiter = convert_to_tensor(delimiter, dtype=dtypes.string)
        source = convert_to_tensor(source, dtype=dtypes.string)
        if result_type != "SparseTensor":
            raise ValueError("relight gives the parts of strings as SparseTensor only")
        return SparseTensor(*raw.StringSplit(source, delimiter, skip_empty=skip_empty))


@export("strings.split")
def split(
    input: Any = None,
    sep: Any = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> SparseTensor:
    """Strings [n] cut as Python's `split` does: at `sep`, or at runs of white space."""
    input = deprecated_argument("input", input, "source", source)
    with name_scope(name, "StringSplit", [input]):
        input = convert_to_tensor(input, dtype=dtypes.string, name="input")
        if input.shape.ndims == 0:
            input = raw.ExpandDims(input, 0)
        if result_type != "SparseTensor":
            raise ValueError("relight gives the parts of strings as SparseTensor only")
        mark = convert_to_tensor("" if sep is None else sep, dtype=dtypes.string)
        source = convert_to_tensor(input, dtype=dtypes.string)
        return SparseTensor(*raw.StringSplitV2(source, mark, maxsplit=maxsplit))


@export("string_strip", "strings.strip")
def string_strip(input: Any, name: str | None = None) -> Tensor:
    """The strings without white space at both ends."""
    return raw.StringStrip(input, name=name)


@export("strings.length")
def length(input: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """The number of bytes ("BYTE") or UTF-8 characters ("UTF8_CHAR")."""
    return raw.StringLength(input, unit=unit, name=name)


@export("strings.lower")
def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Lower case: ASCII letters only, or all with encoding "utf-8"."""
    return raw.StringLower(input, encoding=encoding, name=name)


@export("strings.upper")
def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Upper case: ASCII letters only, or all with encoding "utf-8"."""
    return raw.StringUpper(input, encoding=encoding, name=name)


@export("substr", "strings.substr")
def substr(
    input: Any,
    pos: Any,
    len: Any,
    name: str | None = None,
    unit: str = "BYTE",
) -> Tensor:
    """`len` bytes (or characters) from `pos` on, which counts from the end when negative."""
    return raw.Substr(input, pos, len, unit=unit, name=name)


@export("regex_replace", "strings.regex_replace")
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Strings with the matches of a pattern rewritten (`\0`: the match, `\1`: its first group)."""
    if isinstance(pattern, (str, bytes)) and isinstance(rewrite, (str, bytes)):
        return raw.StaticRegexReplace(
            input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name
        )
    return raw.RegexReplace(input, pattern, rewrite, replace_global=replace_global, name=name)


@export("strings.regex_full_match")
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Whether whole strings match a pattern."""
    if isinstance(pattern, (str, bytes)):
        return raw.StaticRegexFullMatch(input, pattern=pattern, name=name)
    return raw.RegexFullMatch(input, pattern, name=name)


@export("reduce_join", "strings.reduce_join")
def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool | None = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Strings joined along `axis` (all dimensions by default, the first varying slowest)."""
    keepdims = deprecated_argument("keepdims", keepdims, "keep_dims", keep_dims)
    axis = deprecated_argument("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(None, "ReduceJoin", [inputs, axis]):
        inputs = convert_to_tensor(inputs)
        if axis is None:
            if inputs.shape.ndims is not None:
                axis = constant(np.arange(inputs.shape.ndims)[::-1], dtype=dtypes.int32)
            else:
                start = raw.Sub(array_nodes.rank(inputs), 1, name="sub")
                axis = raw.Range(start, -1, -1, name="range")
        return raw.ReduceJoin(
            inputs, axis, keep_dims=bool(keepdims), separator=separator, name=name
        )


@export("strings.unsorted_segment_join")
def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None
) -> Tensor:
    """The strings of each segment joined, in order."""
    return raw.UnsortedSegmentJoin(
        inputs, segment_ids, num_segments, separator=separator, name=name
    )


@export("strings.format")
def format(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    """A template whose placeholders are replaced by the values of tensors, in order.

    ValueError when their numbers differ.
    """
    if is_tensor(inputs):
        inputs = [inputs]
    count = template.count(placeholder)
    if count != len(inputs):
        raise ValueError(
            f"{count} placeholder(s) in template does not match {len(inputs)} tensor(s) provided "
            "as input"
        )
    return raw.StringFormat(
        list(inputs), template=template, placeholder=placeholder, summarize=summarize, name=name
    )


# -- numbers and hashes --------------------------------------------------------------------------


@export("as_string", "strings.as_string", "dtypes.as_string")
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Numbers as strings, as C's printf writes them."""
    return raw.AsString(
        input,
        precision=precision,
        scientific=scientific,
        shortest=shortest,
        width=width,
        fill=fill,
        name=name,
    )


@export("string_to_number", "strings.to_number")
def string_to_number(
    string_tensor: Any = None,
    out_type: Any = dtypes.float32,
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The numbers that strings spell."""
    value = deprecated_argument("input", input, "string_tensor", string_tensor)
    return raw.StringToNumber(value, out_type=out_type, name=name)


@export("string_to_hash_bucket", "strings.to_hash_bucket")
def string_to_hash_bucket(
    string_tensor: Any = None,
    num_buckets: int | None = None,
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """A number in [0, num_buckets) by a hash that may change; see `string_to_hash_bucket_fast`."""
    value = deprecated_argument("input", input, "string_tensor", string_tensor)
    return raw.StringToHashBucket(value, num_buckets=num_buckets, name=name)


@export("string_to_hash_bucket_fast", "strings.to_hash_bucket_fast")
def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """A number in [0, num_buckets) by FarmHash Fingerprint64."""
    return raw.StringToHashBucketFast(input, num_buckets=num_buckets, name=name)


@export("string_to_hash_bucket_strong", "strings.to_hash_bucket_strong")
def string_to_hash_bucket_strong(
    input: Any, num_buckets: int, key: Any, name: str | None = None
) -> Tensor:
    """A number in [0, num_buckets) by SipHash under a key of two numbers."""
    return raw.StringToHashBucketStrong(input, num_buckets=num_buckets, key=key, name=name)


@export("encode_base64", "io.encode_base64")
def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:
    """Strings in web-safe base 64, with or without `=` at the end."""
    return raw.EncodeBase64(input, pad=pad, name=name)


@export("decode_base64", "io.decode_base64")
def decode_base64(input: Any, name: str | None = None) -> Tensor:
    """What strings in web-safe base 64 stand for."""
    return raw.DecodeBase64(input, name=name)


@export("strings.unicode_transcode")
def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Tensor:
    """Strings in another encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE"."""
    return raw.UnicodeTranscode(
        input,
        input_encoding=input_encoding,
        output_encoding=output_encoding,
        errors=errors,
        replacement_char=replacement_char,
        replace_control_characters=replace_control_characters,
        name=name,
    )
