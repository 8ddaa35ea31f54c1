"""`tensorflow.python.lib.io.file_io`: the functions behind `tf.gfile`, by their own names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

from relight.v1 import gfile
from relight.v1.compat import as_str_any

__all__ = [
    "FileIO",
    "atomic_write_string_to_file",
    "copy",
    "create_dir",
    "delete_file",
    "delete_recursively",
    "file_exists",
    "get_matching_files",
    "is_directory",
    "list_directory",
    "read_file_to_string",
    "recursive_create_dir",
    "rename",
    "stat",
    "walk",
    "write_string_to_file",
]

file_exists = gfile.Exists
delete_file = gfile.Remove
get_matching_files = gfile.Glob
create_dir = gfile.MkDir
recursive_create_dir = gfile.MakeDirs
copy = gfile.Copy
rename = gfile.Rename
delete_recursively = gfile.DeleteRecursively
is_directory = gfile.IsDirectory
list_directory = gfile.ListDirectory
stat = gfile.Stat


class FileIO(gfile.GFile):
    """A file, opened at the first reading or writing; `mode` has to be given."""

    def __init__(self, name: Any, mode: str) -> None:
        super().__init__(name, mode)


def read_file_to_string(filename: Any, binary_mode: bool = False) -> Any:
    """All of a file: text, or bytes in `binary_mode`."""
    with gfile.GFile(filename, "rb" if binary_mode else "r") as file:
        return file.read()


def write_string_to_file(filename: Any, file_content: Any) -> None:
    """Makes `file_content`, text or bytes, all that a file holds."""
    with gfile.GFile(filename, "w") as file:
        file.write(file_content)


def atomic_write_string_to_file(filename: Any, contents: Any, overwrite: bool = True) -> None:
    """Writes a file beside `filename` and renames it; nobody sees a part of it."""
    temporary = f"{as_str_any(filename)}.tmp{uuid.uuid4().hex}"
    write_string_to_file(temporary, contents)
    try:
        gfile.Rename(temporary, filename, overwrite)
    except BaseException:
        os.unlink(temporary)
        raise


def walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """`tf.gfile.Walk`."""
    return gfile.Walk(top, in_order)
