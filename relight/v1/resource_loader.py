"""``tf.resource_loader``: files that lie beside a program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from relight.v1._missing import missing

__all__ = [
    "get_data_files_path",
    "get_path_to_datafile",
    "get_root_dir_with_all_resources",
    "load_resource",
    "readahead_file_path",
]


def _folder_of_caller(depth: int) -> str:
    return os.path.dirname(sys._getframe(depth + 1).f_code.co_filename)


def load_resource(path: str) -> bytes:
    """The contents of a file of this package, `path` being relative to the package's folder.

    Raises:
      OSError: when the file cannot be read.
    """
    return (Path(__file__).parent.parent / path).read_bytes()


def get_data_files_path() -> str:
    """The folder of the file that calls this."""
    return _folder_of_caller(1)


def get_path_to_datafile(path: str) -> str:
    """`path` joined to the folder of the file that calls this."""
    return os.path.join(_folder_of_caller(1), path)


def get_root_dir_with_all_resources() -> str:
    """The folder under the nearest ``*.runfiles`` above this module, or else this module's own."""
    folder = os.path.dirname(__file__)
    below, current = "", folder
    while ".runfiles" not in os.path.basename(current):
        below, current = current, os.path.dirname(current)
        if below == current:
            return folder
    return below or folder


def readahead_file_path(path: str, readahead: str = "128M") -> str:
    """`path`: reading ahead has no effect on local files."""
    return path


__getattr__ = missing("tf.resource_loader")
