"""Files by patterns, as TensorFlow's file system matches them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator

from relight.graph import errors


def matching(pattern: str, local: Callable[[str], str] = str) -> list[str]:
    """The paths that a pattern matches, in no particular order.

    ``*`` and ``?`` match within one path component, hidden names too; ``[...]`` is a set of
    characters. A pattern without a folder gives paths that begin with "./".

    Args:
      pattern: the pattern.
      local: makes of a path the one to open.

    Raises:
      NotFoundError: when the part of the path before the first wildcard does not exist.
    """
    wildcard = re.search(r"[*?\[\\]", pattern)
    fixed = pattern[: wildcard.start()] if wildcard else pattern
    root, _, _ = fixed.rpartition("/")
    rest = pattern[len(root) + 1 :] if "/" in fixed else pattern
    if "/" not in fixed:
        root = "."
    elif not root:
        root = "/"
    if not pattern:
        return []
    if not os.path.isdir(local(root)):
        raise errors.NotFoundError(None, None, f"{root}; No such file or directory")
    return list(_matches(root, rest.split("/"), local))


def _matches(folder: str, parts: list[str], local: Callable[[str], str]) -> Iterator[str]:
    """Paths under `folder` whose components match `parts` one by one."""
    matcher = re.compile(fnmatch.translate(_posix_set(parts[0])))
    try:
        entries = os.listdir(local(folder))
    except OSError:
        return  # a folder that cannot be listed has no matches, as in TensorFlow
    for entry in entries:
        if not matcher.match(entry):
            continue
        path = os.path.join(folder, entry)
        if len(parts) == 1:
            yield path
        elif os.path.isdir(local(path)):
            yield from _matches(path, parts[1:], local)


def _posix_set(part: str) -> str:
    """A pattern of fnmatch(3) in the form of the module `fnmatch`: ``[^a]`` becomes ``[!a]``."""
    return part.replace("[^", "[!")
