"""How a project's warehouse is used."""

from __future__ import annotations

from sg_migrate.database.usage import Use, usage
from sg_migrate.errors import DatabaseUnavailableError
from sg_migrate.revisions.project import Project


def warehouse_use(project: Project, url: str | None = None) -> list[Use]:
    """How the entity types and fields of a loaded warehouse are used; it is only read.

    Args:
        project: the project.
        url: its warehouse; the project's own when left out.

    Raises:
        DatabaseUnavailableError: there is none, it cannot be reached, or it has no revision yet.
    """
    site = project.shown(project.required_snapshot().schema)
    with project.database(url) as (database, reason):
        if database is None:
            raise DatabaseUnavailableError("the warehouse", reason)
        if not database.heads:
            raise DatabaseUnavailableError("the warehouse", "it has no revision yet")
        built = project.history(database.dialect).built(database.heads)
        return [*usage(database.connection, built, site)]
