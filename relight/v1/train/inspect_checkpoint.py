"""`tensorflow.python.tools.inspect_checkpoint`: what a checkpoint holds, printed."""

from __future__ import annotations

import math
import re
from typing import Any

from relight.graph import errors
from relight.v1.train.checkpoint_reader import NewCheckpointReader


def _count_parameters(reader: Any, exclude: str) -> int:
    shapes = reader.get_variable_to_shape_map()
    if exclude:
        out = {n: s for n, s in shapes.items() if re.search(exclude, n)}
        count = sum(math.prod(s) for s in out.values())
        print(
            f"# Excluding {len(out)} tensors ({count} params) that match {exclude} when counting."
        )
        shapes = {n: s for n, s in shapes.items() if n not in out}
    return sum(math.prod(s) for s in shapes.values())


def print_tensors_in_checkpoint_file(
    file_name: str,
    tensor_name: str,
    all_tensors: bool,
    all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:
    """Print names (`all_tensor_names`), names and values (`all_tensors`), or one tensor.

    With neither and no `tensor_name`, one line a tensor: name, type, shape. Errors are printed.
    """
    try:
        reader = NewCheckpointReader(file_name)
        if all_tensors or all_tensor_names:
            for name in sorted(reader.get_variable_to_shape_map()):
                print("tensor_name: ", name)
                if all_tensors:
                    print(reader.get_tensor(name))
        elif not tensor_name:
            print(reader.debug_string().decode("utf-8"))
        else:
            print("tensor_name: ", tensor_name)
            print(reader.get_tensor(tensor_name))
        print(f"# Total number of params: {_count_parameters(reader, count_exclude_pattern)}")
    except errors.OpError as error:
        print(error)
        if isinstance(error, errors.DataLossError) and re.search(
            r"\.(index|meta|data[^/]*)$", file_name
        ):
            print(
                "\nIt's likely that this is a V2 checkpoint and you need to provide the filename\n"
                "*prefix*.  Try removing the '.' and extension.  Try:\ninspect checkpoint "
                f"--file_name = {file_name.rpartition('.')[0]}"
            )
