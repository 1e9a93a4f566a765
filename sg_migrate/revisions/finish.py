"""Finishing the conversions of large tables: what `alembic upgrade` left to be carried over in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from sg_migrate.conversion import pending
from sg_migrate.database.connection import connect
from sg_migrate.revisions.project import Project
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.state import State


@dataclass(frozen=True, slots=True)
class Finished:
    """A conversion that is done, and what came of it in words."""

    mark: Mark
    outcome: str


def _unwatched(mark: Mark, rows: int) -> Callable[[int], object]:
    return lambda done: None


def finish_conversions(
    project: Project, batch_size: int = 1_000, watch: Callable[[Mark, int], Callable[[int], object]] = _unwatched
) -> Iterator[Finished]:
    """Carry over the values of large tables, one conversion after the other, as the iterator is read.

    Every batch is committed; after an interruption the next call goes on where this one stopped.

    Args:
        project: the project; its database is written.
        batch_size: how many rows are looked at between two commits.
        watch: called for each conversion with the number of its rows; what it gives is called with the rows of a batch.
    """
    with connect(project.engine_options, project.url, project.settings, in_batches="carry") as connection:
        built = _built(connection, project)
        found = pending.read(connection)
        connection.commit()
        for item in found:
            yield Finished(item.mark, _finish(connection, item, built, batch_size, watch))


def _built(connection: sa.Connection, project: Project) -> State:
    """The tables as the database has them: what its revisions have built."""
    return project.history(connection.dialect.name).built(project.heads_in(connection))


def _finish(
    connection: sa.Connection,
    item: pending.Pending,
    built: State,
    size: int,
    watch: Callable[[Mark, int], Callable[[int], object]],
) -> str:
    """Do one conversion; gives its outcome in words."""
    now = pending.resolve(item, built)
    if now is None:
        with connection.begin():
            pending.forget(connection, item.mark)
        return f"nothing to carry over to any more; the old values stay in {item.carry_over.kept_in}"
    advance = watch(item.mark, pending.remaining(connection, now))
    connection.commit()
    for rows in pending.batches(connection, now, size):
        advance(rows)
    with connection.begin():
        pending.forget(connection, item.mark)
        return pending.outcome(connection, now.carry_over)
