"""Carrying values over from a column to the one that replaces it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.errors import DiscardError
from sg_migrate.warehouse.conversion import converted

if TYPE_CHECKING:
    from alembic.operations import Operations

    from sg_migrate.revisions.operations import ConvertColumnOp, RestoreColumnOp

log = logging.getLogger("sg_migrate")


def convert(operations: Operations, operation: ConvertColumnOp) -> None:
    """Run ``op.convert_column``: rename, add, carry over, and say on the log what converted."""
    from sg_migrate.revisions.operations import AlterOp

    former = operation.former_state()
    operations.invoke(AlterOp(operation.table_name, operation.old, _with_comment(operations, former, operation.old)))
    operations.invoke(ops.AddColumnOp(operation.table_name, operation.new.to_column()))
    table = _table(operation)
    old, new = table.c[former.name], table.c[operation.new.name]
    value = converted(old, operation.old.type, operation.new.type, operations.get_context().dialect.name)
    if value is not None:
        operations.execute(sa.update(table).where(old.is_not(None)).values({new: value}))
    _report(operations, operation, table)


def restore(operations: Operations, operation: RestoreColumnOp) -> None:
    """Run ``op.restore_column``. Raises `DiscardError` when values written since the conversion would be lost."""
    from sg_migrate.revisions.operations import AlterOp

    _refuse_to_discard(operations, operation)
    former = operation.former_state()
    operations.invoke(ops.AddColumnOp(operation.table_name, operation.new.to_column()).reverse())
    operations.invoke(AlterOp(operation.table_name, _with_comment(operations, former, operation.old), operation.old))


def _with_comment(operations: Operations, former: Any, old: Any) -> Any:
    """The former column, with the comment of the old one where the database has no comments to change."""
    from dataclasses import replace

    supports_comments = operations.get_context().dialect.supports_comments
    return former if supports_comments else replace(former, comment=old.comment)


def _table(operation: ConvertColumnOp | RestoreColumnOp) -> sa.TableClause:
    return sa.table(
        operation.table_name,
        sa.column(operation.former_name, operation.old.type),
        sa.column(operation.new.name, operation.new.type),
    )


def _report(operations: Operations, operation: ConvertColumnOp, table: sa.TableClause) -> None:
    if operations.get_context().as_sql:
        return
    statement = sa.select(sa.func.count(table.c[operation.former_name]), sa.func.count(table.c[operation.new.name]))
    values, carried = operations.get_bind().execute(statement).one()
    log.info(
        "%s: %d of %d values converted, %d did not; the old ones stay in %s.%s",
        operation.new.mark, carried, values, values - carried, operation.table_name, operation.former_name,
    )  # fmt: skip


def _refuse_to_discard(operations: Operations, operation: RestoreColumnOp) -> None:
    context = operations.get_context()
    environment = context.opts.get("sg_migrate")
    if context.as_sql or (environment is not None and environment.settings.discard):
        return
    table = _table(operation)
    old, new = table.c[operation.former_name], table.c[operation.new.name]
    value = converted(old, operation.old.type, operation.new.type, context.dialect.name)
    changed = new.is_not(None) if value is None else sa.and_(new.is_not(None), sa.or_(value.is_(None), new != value))
    lost = operations.get_bind().execute(sa.select(sa.func.count()).select_from(table).where(changed)).scalar_one()
    if lost:
        raise DiscardError(operation.table_name, operation.new.name, int(lost))
