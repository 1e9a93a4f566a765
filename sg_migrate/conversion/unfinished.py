"""A carry-over that is still pending when a revision drops what it comes from is finished first: no value is lost."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from sg_migrate.conversion import pending
from sg_migrate.warehouse.state import State

log = logging.getLogger("sg_migrate")


def finish_before_drop(connection: sa.Connection, before: State, after: State) -> None:
    """Finish every pending carry-over that could not be done any more after a revision.

    Args:
        connection: in the migration's transaction, where the engine has such.
        before: what is built before the revision.
        after: what it builds.
    """
    for item in pending.read(connection):
        now = pending.resolve(item, before)
        if now is None or pending.resolve(item, after) is not None:
            continue
        statement = now.carry_over.move(connection.dialect.name, (now.last_id, None))
        if statement is not None:
            connection.execute(statement)
        log.info("%s, before the old values go: %s", item.mark, pending.outcome(connection, now.carry_over))
        pending.forget(connection, item.mark)
