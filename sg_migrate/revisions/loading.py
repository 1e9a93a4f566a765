"""Reading the revision files: a revision is anybody's Python, and one that fails is named."""

from __future__ import annotations

import traceback

from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from sg_migrate.errors import BrokenRevisionError


def load_revisions(scripts: ScriptDirectory) -> ScriptDirectory:
    """Read every revision now, so that one that cannot be read is found here; returns ``scripts``.

    Raises:
        BrokenRevisionError: a file cannot be imported, or does not fit the others.
    """
    try:
        scripts.get_heads()  # Alembic reads them all when it is first asked
    except CommandError:
        raise
    except Exception as error:  # a revision is anybody's code: whatever it raises is said with its name
        raise BrokenRevisionError(*_place(error, scripts.dir), _problem(error)) from error
    return scripts


def _place(error: Exception, folder: str) -> tuple[str, int | None]:
    """The file and the line where it failed; the folder when it is no single file that is wrong."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.name == "<module>":
            return frame.filename, frame.lineno
    return str(error.filename if isinstance(error, OSError) and error.filename else folder), None


def _problem(error: Exception) -> str:
    return error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
