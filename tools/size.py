"""Lines of Python by room of the package, and every file that is longer than 800 lines.

    python tools/size.py          exit 1 when there is one

Rooms are the folders below relight/, and tests, tools, examples and benchmarks.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

LIMIT = 800
ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("relight", "tests", "tools", "examples", "benchmarks")


def room(path: Path) -> str:
    """The part of the project a file belongs to, such as "relight/ops"."""
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "relight" and len(parts) > 2 else parts[0]


def main() -> None:
    """Print the table; exit 1 when a file is too long."""
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    long = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            count = len(path.read_text(encoding="utf-8").splitlines())
            lines[room(path)] += count
            files[room(path)] += 1
            if count > LIMIT:
                long.append((count, path.relative_to(ROOT)))
    for name in sorted(lines):
        print(f"{name:20}{files[name]:5} files{lines[name]:8,} lines")
    print(f"{'all':20}{files.total():5} files{lines.total():8,} lines")
    for count, path in sorted(long, reverse=True):
        print(f"too long: {path} has {count} lines, the limit is {LIMIT}")
    sys.exit(1 if long else 0)


if __name__ == "__main__":
    main()
