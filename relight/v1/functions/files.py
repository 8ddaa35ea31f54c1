"""Files in the graph: `tf.read_file`, `tf.write_file`, `tf.matching_files`."""

from __future__ import annotations

from typing import Any

from relight.graph.export import export
from relight.graph.node import Operation, Tensor
from relight.ops.build import raw


@export("read_file", "io.read_file")
def read_file(filename: Any, name: str | None = None) -> Tensor:
    """The contents of a file, a scalar string; NotFoundError when it runs and there is none."""
    return raw.ReadFile(filename=filename, name=name)


@export("write_file", "io.write_file")
def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Write a file, its directories made where they are missing."""
    return raw.WriteFile(filename=filename, contents=contents, name=name)


@export("matching_files", "io.matching_files")
def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """string [n]: the files that one or several patterns match, sorted."""
    return raw.MatchingFiles(pattern=pattern, name=name)
