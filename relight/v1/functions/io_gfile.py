"""``tf.io.gfile``: the functions of ``tf.gfile`` under their later names and argument names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.export import export
from relight.v1 import gfile

GFile = export("io.gfile.GFile")(gfile.GFile)


@export("io.gfile.copy")
def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """`tf.gfile.Copy`."""
    gfile.Copy(src, dst, overwrite)


@export("io.gfile.exists")
def exists(path: Any) -> bool:
    """`tf.gfile.Exists`."""
    return gfile.Exists(path)


@export("io.gfile.glob")
def glob(pattern: Any) -> list[str]:
    """`tf.gfile.Glob`."""
    return gfile.Glob(pattern)


@export("io.gfile.isdir")
def isdir(path: Any) -> bool:
    """`tf.gfile.IsDirectory`."""
    return gfile.IsDirectory(path)


@export("io.gfile.listdir")
def listdir(path: Any) -> list[str]:
    """`tf.gfile.ListDirectory`."""
    return gfile.ListDirectory(path)


@export("io.gfile.makedirs")
def makedirs(path: Any) -> None:
    """`tf.gfile.MakeDirs`."""
    gfile.MakeDirs(path)


@export("io.gfile.mkdir")
def mkdir(path: Any) -> None:
    """`tf.gfile.MkDir`."""
    gfile.MkDir(path)


@export("io.gfile.remove")
def remove(path: Any) -> None:
    """`tf.gfile.Remove`."""
    gfile.Remove(path)


@export("io.gfile.rename")
def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """`tf.gfile.Rename`."""
    gfile.Rename(src, dst, overwrite)


@export("io.gfile.rmtree")
def rmtree(path: Any) -> None:
    """`tf.gfile.DeleteRecursively`."""
    gfile.DeleteRecursively(path)


@export("io.gfile.stat")
def stat(path: Any) -> gfile.FileStatistics:
    """`tf.gfile.Stat`."""
    return gfile.Stat(path)


@export("io.gfile.walk")
def walk(
    top: Any, topdown: bool = True, onerror: Callable[[Exception], Any] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """`tf.gfile.Walk`; `onerror` is called with the error of a folder that cannot be listed."""
    return gfile.walk(top, topdown, onerror)
