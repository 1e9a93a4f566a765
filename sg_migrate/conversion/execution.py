"""What ``op.convert_column``, ``op.carry_links`` and their reverses do on a database."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.conversion import pending
from sg_migrate.errors import DiscardError

if TYPE_CHECKING:
    from alembic.operations import Operations

    from sg_migrate.conversion.carry_over import CarryOver
    from sg_migrate.revisions.operations import (
        CarryLinksOp,
        ConvertColumnOp,
        RestoreColumnOp,
        RestoreLinksOp,
    )
    from sg_migrate.settings import Settings
    from sg_migrate.warehouse.state import ColumnState, Mark

log = logging.getLogger("sg_migrate")


def convert(operations: Operations, operation: ConvertColumnOp) -> None:
    """Run ``op.convert_column``: rename, add, carry over, and say on the log what converted."""
    from sg_migrate.revisions.operations import AlterOp

    former = _kept(operations, operation.former_state(), operation.old)
    operations.invoke(AlterOp(operation.table_name, operation.old, former))
    operations.invoke(ops.AddColumnOp(operation.table_name, operation.new.to_column()))
    _carry(operations, operation.carry_over(), operation.new.mark)


def restore(operations: Operations, operation: RestoreColumnOp) -> None:
    """Run ``op.restore_column``. Raises `DiscardError` when values written since the conversion would be lost."""
    from sg_migrate.revisions.operations import AlterOp

    refuse_to_discard(operations, operation)
    _forget(operations, operation.new.mark)
    former = _kept(operations, operation.former_state(), operation.old)
    operations.invoke(ops.AddColumnOp(operation.table_name, operation.new.to_column()).reverse())
    operations.invoke(AlterOp(operation.table_name, former, operation.old))


def carry_links(operations: Operations, operation: CarryLinksOp) -> None:
    """Run ``op.carry_links``: move the links that can be moved, and say on the log how many those were."""
    _carry(operations, operation.carry_over(), operation.mark)


def restore_links(operations: Operations, operation: RestoreLinksOp) -> None:
    """Run ``op.restore_links``. Raises `DiscardError` when links written since would be lost."""
    refuse_to_discard(operations, operation)
    _forget(operations, operation.mark)


def refuse_to_discard(operations: Operations, operation: RestoreColumnOp | RestoreLinksOp) -> None:
    """Raise `DiscardError` if going back would lose what was written since, unless the settings allow it.

    Reads only. Nothing is known, and nothing refused, in ``--sql`` mode.
    """
    settings = _settings(operations)
    if operations.get_context().as_sql or (settings is not None and settings.discard):
        return
    carry_over = operation.carry_over()
    connection = operations.get_bind()
    lost = connection.execute(carry_over.lost(connection.dialect.name)).scalar_one()
    if lost:
        raise DiscardError(carry_over.table, carry_over.target, int(lost))


def refuse_to_shorten(operations: Operations, operation: ops.AlterColumnOp) -> None:
    """Raise `DiscardError` if a text column is to get a bound that is too short for what was written since."""
    length = getattr(operation.modify_type, "length", None)
    settings = _settings(operations)
    if length is None or (settings is not None and settings.discard):
        return
    column: sa.ColumnClause[str] = sa.column(operation.column_name, sa.Text())
    table = sa.table(operation.table_name, column)
    query = sa.select(sa.func.count()).select_from(table).where(sa.func.char_length(column) > length)
    longer = operations.get_bind().execute(query).scalar_one()
    if longer:
        raise DiscardError(operation.table_name, operation.column_name, int(longer))


def _kept(operations: Operations, former: ColumnState, old: ColumnState) -> ColumnState:
    """The former column, with the comment of the old one where the database has no comments to change."""
    return former if operations.get_context().dialect.supports_comments else replace(former, comment=old.comment)


def _settings(operations: Operations) -> Settings | None:
    """The settings, in an env.py of ours."""
    environment = operations.get_context().opts.get("sg_migrate")
    return environment.settings if environment is not None else None


def _carry(operations: Operations, carry_over: CarryOver, mark: Mark) -> None:
    """Carry over now, or leave it to ``sg-migrate carry`` where the table is large."""
    context = operations.get_context()
    if context.as_sql:
        statement = carry_over.move(context.dialect.name)
        if statement is not None:
            operations.execute(statement)
        return
    connection = operations.get_bind()
    pending.finish_earlier(connection, carry_over, mark)
    statement = carry_over.move(connection.dialect.name)
    settings = _settings(operations)
    if (
        statement is not None
        and settings
        and pending.is_large(connection, carry_over.table, settings.carry_inline_rows)
    ):
        pending.record(connection, pending.Pending(mark, carry_over))
        log.info(
            "%s: %s has more than %d rows: their values are carried over by `sg-migrate carry`; until then they are"
            " in %s only", mark, carry_over.table, settings.carry_inline_rows, carry_over.kept_in,
        )  # fmt: skip
        return
    if statement is not None:
        connection.execute(statement)
    log.info("%s: %s", mark, pending.outcome(connection, carry_over))


def _forget(operations: Operations, mark: Mark) -> None:
    if not operations.get_context().as_sql:
        pending.forget(operations.get_bind(), mark)
