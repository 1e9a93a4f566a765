"""Replacing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path

_STALE_SECONDS = 3600
"""No writer takes an hour: an older temporary file was left behind by one that was killed."""


def replace_file(path: Path, data: bytes) -> None:
    """Make ``data`` the content of ``path``: on the disk before it takes the name, with the old file's permissions.

    A process killed at any moment leaves the old file or the new one whole, and at worst a hidden temporary file
    beside it, which a later call removes. Raises ``OSError``; then the old file is as it was.
    """
    _remove_stale(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _remove_stale(path: Path) -> None:
    for stale in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
                stale.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; only POSIX systems can open a folder for that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
