"""A carry-over that is still pending when a revision drops what it comes from is finished first: no value is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import sqlalchemy as sa
from alembic.operations import MigrateOperation

from sg_migrate.conversion import pending
from sg_migrate.revisions.built import Fold
from sg_migrate.warehouse.state import State

log = logging.getLogger("sg_migrate")


def finish_before_drop(
    connection: sa.Connection, operations: Iterable[MigrateOperation], revision: str, built: Callable[[], State]
) -> None:
    """Finish every pending carry-over that could not be done any more after ``operations``.

    Args:
        connection: in the migration's transaction, where the engine has such.
        operations: those of one revision.
        revision: its id, for messages.
        built: gives what is built before it.
    """
    items = pending.read(connection)
    if not items:
        return
    after = Fold(built())
    after.apply(operations, revision)
    for item in items:
        now = pending.resolve(item, built())
        if now is None or pending.resolve(item, after.tables) is not None:
            continue
        statement = now.carry_over.move(connection.dialect.name, (now.last_id, None))
        if statement is not None:
            connection.execute(statement)
        log.info("%s, before the old values go: %s", item.mark, pending.outcome(connection, now.carry_over))
        pending.forget(connection, item.mark)
