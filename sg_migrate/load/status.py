"""How far each entity type is loaded, from the warehouse alone."""

from __future__ import annotations

import sqlalchemy as sa

from sg_migrate.database import load_record
from sg_migrate.database.load_record import REJECTS, Progress
from sg_migrate.revisions.project import Project
from sg_migrate.text import plural


def status(project: Project, *, url: str | None = None) -> list[str]:
    """A line for each entity type of which anything was loaded; reads no site and writes nothing.

    Raises:
        DatabaseUnavailableError: the database cannot be reached.
    """
    with project.database(url or project.url) as (database, _):
        assert database is not None
        if not load_record.exists(database.connection):
            return []
        query = sa.select(REJECTS.c.entity_type, sa.func.count()).group_by(REJECTS.c.entity_type)
        rejects = {entity_type: int(count) for entity_type, count in database.connection.execute(query)}
        return [_line(one, rejects.get(one.entity_type, 0)) for one in load_record.read(database.connection)]


def _line(progress: Progress, rejects: int) -> str:
    scope = f" (projects {progress.scope})" if progress.scope else ""
    stage = {"loaded": "loaded", "active": "active records being read", "retired": "retired records being read"}
    words = stage.get(progress.stage, "fields being filled")
    if progress.stage != "loaded" and progress.ranges:
        words += f", up to id {min(one[0] or 0 for one in progress.ranges)}"
    parts = [words, f"{len(progress.fields)} fields"]
    if progress.finished:
        parts.append(f"{progress.finished}: {progress.records:,} records read, {progress.changed:,} rows written")
    if progress.event:
        parts.append(f"complete as of event {progress.event}")
    if rejects:
        parts.append(f"{plural(rejects, 'value')} rejected")
    return f"{progress.entity_type}{scope}: " + "; ".join(parts)
