"""One command at a time changes a project's files: the snapshot and its revision belong together."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sg_migrate.errors import FilesBusyError


@contextmanager
def locked(snapshot: Path) -> Iterator[None]:
    """Inside, no other command of this user's writes the snapshot or a revision of its project.

    The lock is the operating system's, on a file in the folder for temporary files: whoever is killed holds none, and
    nothing is left in the project. Raises `FilesBusyError` at once where another command has it.
    """
    from filelock import FileLock, Timeout  # takes its time to import

    user = os.getuid() if hasattr(os, "getuid") else 0
    name = hashlib.sha256(str(snapshot.resolve()).encode()).hexdigest()[:16]
    try:
        with FileLock(Path(tempfile.gettempdir(), f"sg_migrate-{user}-{name}.lock"), timeout=0, is_singleton=True):
            yield
    except Timeout:
        raise FilesBusyError(str(snapshot)) from None
