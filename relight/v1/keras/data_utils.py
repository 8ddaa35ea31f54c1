"""`tf.keras.utils.get_file`: files of data sets, fetched once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from relight.graph.export import export

_CHUNK = 1 << 18
_SECONDS = 30.0  # that a server may be silent


def _matches(path: str, wanted: str, algorithm: str) -> bool:
    """Whether a file has the given MD5 or SHA-256, told apart by its length when "auto"."""
    if algorithm == "auto":
        algorithm = "sha256" if len(wanted) == 64 else "md5"
    if algorithm not in ("md5", "sha256"):
        raise ValueError(f"hash_algorithm must be 'auto', 'md5' or 'sha256', not {algorithm!r}")
    found = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest() == wanted.lower()


def _answer(origin: str, start: int) -> Any:
    """The server's answer for the bytes from `start` on."""
    headers = {"User-Agent": "relight"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return urllib.request.urlopen(urllib.request.Request(origin, headers=headers), timeout=_SECONDS)


@contextlib.contextmanager
def _bar(name: str, done: int, total: int | None) -> Iterator[Any]:
    """A progress bar on standard error; gives the function to call with numbers of bytes."""
    from rich import progress  # takes 20 ms to load, and is seldom needed
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=total, completed=done)
        yield lambda count: bar.advance(task, count)


def fetch(origin: str, path: str, wanted: str | None = None, algorithm: str = "auto") -> None:
    """Bring the file at the address `origin` to `path`, going on where an earlier try ended.

    The bytes go to `<path>.part` first; the file is there under its name only when it is whole and,
    if `wanted` is given, has that hash. Raises OSError with the address and the place of the file
    when it cannot be fetched, ValueError when its hash is another one.
    """
    part = path + ".part"
    start = os.path.getsize(part) if os.path.exists(part) else 0
    by_hand = f"Without a connection, get it elsewhere and put it at {path}"
    try:
        try:
            answer = _answer(origin, start)
        except urllib.error.HTTPError as error:
            if error.code != 416 or not start:  # 416: there are no bytes behind `start`
                raise
            start = 0
            answer = _answer(origin, 0)
        with answer:
            if answer.status != 206:  # the server sends the whole file again
                start = 0
            length = answer.headers.get("Content-Length")
            total = None if length is None else start + int(length)
            done = start
            with (
                open(part, "ab" if start else "wb") as file,
                _bar(os.path.basename(path), start, total) as advance,
            ):
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    advance(len(chunk))
            if total is not None and done < total:
                raise OSError(f"the connection ended at byte {done} of {total}")
    except urllib.error.HTTPError as error:
        message = f"URL fetch failure on {origin}: {error.code} -- {error.msg}. {by_hand}."
        raise OSError(message) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise OSError(f"URL fetch failure on {origin}: {reason}. {by_hand}.") from error
    if wanted is not None and not _matches(part, wanted, algorithm):
        size = os.path.getsize(part)
        os.remove(part)
        raise ValueError(
            f"The file from {origin} ({size} bytes) has not the hash {wanted}: it is damaged or "
            f"another one. {by_hand}."
        )
    os.replace(part, path)


def _extract(path: str, folder: str, formats: str | Sequence[str] | None) -> bool:
    """Unpack an archive beside itself; False when it is none of the given formats."""
    if formats is None:
        return False
    if formats == "auto":
        formats = ("tar", "zip")
    for kind in [formats] if isinstance(formats, str) else formats:
        if kind == "tar" and tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
            return True
        if kind == "zip" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
            return True
    return False


@export("keras.utils.get_file")
def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | None = None,
) -> str:
    """The path of a file, fetched from the address `origin` unless it is kept already.

    Args:
      fname: its name, or an absolute path.
      origin: its address.
      untar: it is a tar.gz: unpack it, and give the path without `.tar.gz`.
      md5_hash: its MD5, as older programs give it.
      file_hash: its MD5 or SHA-256 in hexadecimal; a kept file with another one is fetched anew.
      cache_subdir: folder in `cache_dir`, or an absolute path.
      hash_algorithm: "md5", "sha256", or "auto" for the one that the hash's length tells.
      extract: unpack it where it lies.
      archive_format: "tar", "zip", several of these, "auto" for both, None for neither.
      cache_dir: `~/.keras` when None, or `/tmp/.keras` where that cannot be written.

    Raises:
      OSError: it cannot be fetched; the message has the address and the place for the file.
      ValueError: what was fetched has another hash.
    """
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    base = os.path.expanduser(os.path.join("~", ".keras") if cache_dir is None else cache_dir)
    if not os.access(base, os.W_OK):
        base = os.path.join("/tmp", ".keras")
    folder = os.path.join(base, cache_subdir)
    os.makedirs(folder, exist_ok=True)
    unpacked = os.path.join(folder, fname)
    path = unpacked + ".tar.gz" if untar else unpacked
    kept = os.path.exists(path)
    if kept and file_hash is not None and not _matches(path, file_hash, hash_algorithm):
        print(f"{path} is damaged or outdated: its hash is not {file_hash}")
        kept = False
    if not kept:
        print("Downloading data from", origin)
        fetch(origin, path, file_hash, hash_algorithm)
    if untar:
        if not os.path.exists(unpacked):
            _extract(path, folder, "tar")
        return unpacked
    if extract:
        _extract(path, folder, archive_format)
    return path
