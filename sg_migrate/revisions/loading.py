"""Reading the revision files: a revision is anybody's Python, and one that fails is named."""

from __future__ import annotations

import traceback
import warnings
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from sg_migrate.errors import BrokenRevisionError


def load_revisions(scripts: ScriptDirectory) -> ScriptDirectory:
    """Read every revision now, so that one that cannot be read is found here; returns ``scripts``.

    Raises:
        BrokenRevisionError: a file cannot be imported, or does not fit the others.
    """
    try:
        with warnings.catch_warnings():
            # Of one that is missing Alembic warns first, and fails then.
            warnings.filterwarnings("ignore", r"Revision \S+ referenced from", UserWarning)
            scripts.get_heads()  # Alembic reads them all when it is first asked
    except CommandError:
        raise
    except Exception as error:  # a revision is anybody's code: whatever it raises is said with its name
        path, line = _place(error, Path(scripts.dir))
        raise BrokenRevisionError(str(path), line, _problem(error, in_file=path.is_file())) from error
    return scripts


def _place(error: Exception, folder: Path) -> tuple[Path, int | None]:
    """The file and the line where it failed; the folder where it is no single file that is wrong."""
    if isinstance(error, SyntaxError):
        found = [error.filename] if error.filename else [path for path in folder.rglob("*.py") if _has_nul(path)]
        return Path(found[0] if found else folder), error.lineno
    for raised in (error, error.__cause__):  # a StopIteration is made another error on its way through Alembic
        for frame in traceback.extract_tb(raised.__traceback__ if raised else None):
            if frame.name == "<module>":
                return Path(frame.filename), frame.lineno
    return folder, None


def _has_nul(path: Path) -> bool:
    """Whether the file has a byte that no Python file has, and for which Python names no file."""
    return b"\0" in path.read_bytes()


def _problem(error: Exception, *, in_file: bool) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    if isinstance(error, KeyError) and not in_file:
        return f"a revision stands on {error}, and there is no such revision: restore its file from git"
    return f"{type(error).__name__}: {error}"
