"""Which revisions a review is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alembic.script import Script
from alembic.util.exc import CommandError

from sg_migrate.database.reading import Database
from sg_migrate.errors import RevisionError
from sg_migrate.revisions.project import Project


def selected(project: Project, names: Sequence[str], database: Database | None = None) -> list[Script]:
    """The revisions to review, each after those it stands on.

    Args:
        project: the project.
        names: revision ids (whole or the beginning), ``head``, ``heads``, ranges (``a:b`` is what comes after ``a``
            up to ``b``), or files. None at all: what the database does not have yet, which may be nothing; without a
            database, or with one that has no revision yet, the heads.
        database: where to look what is not there yet.

    Raises:
        RevisionError: there is no such revision, or the project has none.
    """
    if not project.scripts.get_heads():
        raise RevisionError("There is no revision yet. Write the first one: sg-migrate revision.")
    found = {script.revision for name in names for script in _named(project, name)}
    if not names:
        pending = _pending(project, database)
        found = set(project.scripts.get_heads()) if pending is None else pending
    return [script for script in project.history().order if script.revision in found]


def _named(project: Project, name: str) -> list[Script]:
    scripts = project.scripts
    if name.endswith(".py"):
        return [_file(project, name)]
    try:
        if ":" in name:
            lower, _, upper = name.partition(":")
            return list(scripts.iterate_revisions(upper or "heads", lower or "base"))
        return [script for script in scripts.get_revisions(name) if script is not None]
    except CommandError as error:
        raise RevisionError(f"{name}: {error}") from None


def _file(project: Project, name: str) -> Script:
    path = Path(name).resolve()
    for script in project.scripts.walk_revisions():
        if Path(script.path).resolve() == path:
            return script
    raise RevisionError(f"{name} is no revision of this project.")


def _pending(project: Project, database: Database | None) -> set[str] | None:
    """The revisions that the database lacks; ``None`` without a database, and for one that has none yet."""
    if database is None or not database.heads:
        return None
    return project.revision_ids() - applied(project, database)


def applied(project: Project, database: Database) -> set[str]:
    """The revisions of this project that the database has."""
    known = {script.revision for script in project.scripts.walk_revisions()}
    heads = [head for head in database.heads if head in known]
    return project.history().ancestors(heads)
