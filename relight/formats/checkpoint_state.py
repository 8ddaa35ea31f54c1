"""The file `checkpoint`: which checkpoints a directory holds, a CheckpointState in text format.

* Fields, printed in this order, one a line, `name: value`; a field with its default is left out:
  model_checkpoint_path (string), all_model_checkpoint_paths (string, repeated),
  all_model_checkpoint_timestamps (double, repeated), last_preserved_timestamp (double).
* Strings are double-quoted; backslash, quotes, newline, return and tab are escaped as in C, every
  other byte outside printable ASCII as three octal digits.
* Reading takes all of the text format: comments, either quote, adjacent strings, lists, separators.

Source: tensorflow/python/training/checkpoint_state.proto;
protobuf.dev/reference/protobuf/textformat-spec.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass, field

from relight.formats.errors import FormatError

_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")
_REPEATED = ("all_model_checkpoint_paths", "all_model_checkpoint_timestamps")
_SIMPLE = {
    "n": 10, "r": 13, "t": 9, '"': 34, "'": 39, "\\": 92, "a": 7, "b": 8, "f": 12, "v": 11, "?": 63,
}  # fmt: skip
_ESCAPES = {10: "\\n", 13: "\\r", 9: "\\t", 34: '\\"', 39: "\\'", 92: "\\\\"}
_TOKEN = re.compile(
    rb"""(?P<space>(?:\s|\#[^\n]*)+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|-?(?:inf(?:inity)?|nan)f?\b)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<mark>[:;,\[\]])""",
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPE = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9a-fA-F]{1,2})|u(?P<u>[0-9a-fA-F]{4})"
    rb"|U(?P<U>[0-9a-fA-F]{8})|(?P<simple>.))",
    re.DOTALL,
)


@dataclass
class CheckpointState:
    """What the file says. Times are seconds since 1970."""

    model_checkpoint_path: str = ""
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


def _quote(text: str) -> str:
    return "".join(
        _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
        for byte in text.encode("utf-8", "surrogateescape")
    )


def format_state(state: CheckpointState) -> str:
    """The text that TensorFlow writes for `state`."""
    lines = []
    for name, value in vars(state).items():
        for item in value if isinstance(value, list) else [value] if value else []:
            shown = f'"{_quote(item)}"' if isinstance(item, str) else str(float(item))
            lines.append(f"{name}: {shown}\n")
    return "".join(lines)


def _unquote(body: bytes, at: int) -> bytes:
    def replace(match: re.Match) -> bytes:
        if match["octal"]:
            value = int(match["octal"], 8)
        elif match["hex"]:
            value = int(match["hex"], 16)
        elif match["u"] or match["U"]:
            code = int(match["u"] or match["U"], 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise FormatError(None, at + match.start(), f"no character U+{code:X}")
            return chr(code).encode()
        else:
            value = _SIMPLE.get(match["simple"].decode("latin-1"), 256)
        if value > 255:
            raise FormatError(None, at + match.start(), f"unknown escape {match[0]!r}")
        return bytes((value,))

    return _ESCAPE.sub(replace, body)


def parse_state(text: str | bytes, path: str | os.PathLike | None = None) -> CheckpointState:
    """Read the text format. FormatError says where `text` (of file `path`) departs from it."""
    data = text.encode() if isinstance(text, str) else text
    tokens: list[tuple[str, bytes, int]] = []
    pos = 0
    while pos < len(data):
        match = _TOKEN.match(data, pos)
        if match is None:
            raise FormatError(path, pos, f"unexpected {data[pos : pos + 20]!r}")
        if match.lastgroup != "space":
            tokens.append((str(match.lastgroup), match[0], pos))
        pos = match.end()
    tokens.append(("end", b"", len(data)))
    state = CheckpointState()
    seen: set[str] = set()
    at = 0

    def value(name: str) -> str | float:
        nonlocal at
        kind, raw, where = tokens[at]
        if name not in _STRINGS:
            if kind != "number":
                raise FormatError(path, where, f"{name} needs a number, not {raw[:40]!r}")
            at += 1
            return float(raw.rstrip(b"fF") if raw[-2:] not in (b"nf", b"NF") else raw)
        if kind != "string":
            raise FormatError(path, where, f"{name} needs a string, not {raw[:40]!r}")
        joined = b""
        while tokens[at][0] == "string":
            try:
                joined += _unquote(tokens[at][1][1:-1], tokens[at][2] + 1)
            except FormatError as error:
                raise FormatError(path, error.offset, error.reason) from None
            at += 1
        return joined.decode("utf-8", "surrogateescape")

    while tokens[at][0] != "end":
        kind, raw, where = tokens[at]
        name = raw.decode("latin-1")
        if kind != "name" or not hasattr(state, name) or name.startswith("_"):
            raise FormatError(path, where, f"CheckpointState has no field {name[:60]!r}")
        at += 1
        if tokens[at][1] != b":":
            raise FormatError(path, tokens[at][2], f"expected ':' behind {name}")
        at += 1
        if name in _REPEATED:
            values = getattr(state, name)
            if tokens[at][1] == b"[":
                at += 1
                while tokens[at][1] != b"]":
                    values.append(value(name))
                    if tokens[at][1] == b"," and tokens[at + 1][1] != b"]":
                        at += 1
                    elif tokens[at][1] != b"]":
                        raise FormatError(path, tokens[at][2], f"list of {name} does not go on")
                at += 1
            else:
                values.append(value(name))
        else:
            if name in seen:
                raise FormatError(path, where, f"{name} is there twice")
            seen.add(name)
            setattr(state, name, value(name))
        if tokens[at][1] in (b",", b";"):
            at += 1
    return state


def read_state(path: str | os.PathLike) -> CheckpointState:
    """Read a `checkpoint` file. OSError as `open` gives it; FormatError if it is malformed."""
    with open(path, "rb") as file:
        return parse_state(file.read(), path)


def write_state(path: str | os.PathLike, state: CheckpointState, *, sync: bool = True) -> None:
    """Write a `checkpoint` file: to a temporary name, made durable (`sync`), then renamed."""
    path = os.fspath(path)
    temporary = f"{path}.tmp{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb") as file:
            file.write(format_state(state).encode("ascii"))
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
