"""What conversions do on a database: renaming, adding, carrying over; and what they refuse to lose."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sg_migrate.conversion import pending
from sg_migrate.conversion.carry_over import CarryOver, ColumnCarryOver
from sg_migrate.errors import DiscardError

if TYPE_CHECKING:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    from sg_migrate.settings import Settings
    from sg_migrate.warehouse.mark import Mark
    from sg_migrate.warehouse.state import ColumnState

log = logging.getLogger("sg_migrate")


def convert(operations: Operations, table: str, old: ColumnState, former: ColumnState, new: ColumnState) -> None:
    """Rename ``old`` to ``former``, add ``new``, carry over, and say on the log what converted."""
    _rename(operations, table, old, former)
    operations.add_column(table, new.to_column())
    carry(operations, ColumnCarryOver(table, former, new), new.mark)


def restore(operations: Operations, table: str, old: ColumnState, former: ColumnState, new: ColumnState) -> None:
    """Drop ``new`` and rename ``former`` back to ``old``."""
    forget(operations, new.mark)
    operations.drop_column(table, new.name)
    _rename(operations, table, former, old)


def _rename(operations: Operations, table: str, column: ColumnState, to: ColumnState) -> None:
    """Give a column another name, and another comment where the database has comments."""
    comments = operations.get_context().dialect.supports_comments
    operations.alter_column(
        table,
        column.name,
        new_column_name=to.name,
        comment=to.comment if comments and to.comment != column.comment else False,
        existing_type=column.type,
        existing_nullable=column.nullable,
        existing_comment=column.comment,
    )


def carry(operations: Operations, carry_over: CarryOver, mark: Mark) -> None:
    """Carry over now, or leave it to ``sg-migrate carry`` where the table is large."""
    context = operations.get_context()
    if context.as_sql:
        statement = carry_over.move(context.dialect.name)
        if statement is not None:
            operations.execute(statement)
        return
    connection = operations.get_bind()
    in_parts = context.dialect.name in ("mysql", "mariadb")
    pending.finish_earlier(connection, carry_over, mark, in_parts=in_parts)
    limit = _inline_rows(context)
    converts = carry_over.move(connection.dialect.name) is not None
    if converts and limit is not None and pending.is_large(connection, carry_over.table, limit):
        pending.record(connection, pending.Pending(mark, carry_over))
        log.info(
            "%s: %s has more than %d rows: their values are carried over by `sg-migrate carry`; until then they are"
            " in %s only", mark, carry_over.table, limit, carry_over.kept_in,
        )  # fmt: skip
        return
    pending.move_all(connection, carry_over, in_parts=in_parts)
    log.info("%s: %s", mark, pending.outcome(connection, carry_over))


def forget(operations: Operations, mark: Mark) -> None:
    """Note that nothing of the field is pending."""
    if not operations.get_context().as_sql:
        pending.forget(operations.get_bind(), mark)


def refuse_to_discard(context: MigrationContext, carry_over: CarryOver) -> None:
    """Raise `DiscardError` if going back would lose what was written since, unless the settings allow it.

    Reads only. Nothing is known, and nothing refused, in ``--sql`` mode.
    """
    if context.as_sql or may_discard(context):
        return
    connection = context.connection
    assert connection is not None
    lost = connection.execute(carry_over.lost(connection.dialect.name)).scalar_one()
    if lost:
        raise DiscardError(carry_over.table, carry_over.target, int(lost))


def longer_texts(connection: sa.Connection, table: str, column: str, length: int) -> int:
    """How many texts of a column are longer than ``length`` characters."""
    text: sa.ColumnClause[str] = sa.column(column, sa.Text())
    query = sa.select(sa.func.count()).select_from(sa.table(table, text)).where(sa.func.char_length(text) > length)
    return int(connection.execute(query).scalar_one())


def discard_longer_texts(connection: sa.Connection, table: str, column: str, length: int) -> None:
    """Make NULL of the texts that are longer: a part of a text is another text."""
    text: sa.ColumnClause[str | None] = sa.column(column, sa.Text())
    statement = sa.update(sa.table(table, text)).where(sa.func.char_length(text) > length).values({text: None})
    connection.execute(statement)


def may_discard(context: MigrationContext) -> bool:
    """Whether the setting ``discard`` lets go what was written since a conversion."""
    settings = _settings(context)
    return settings is not None and settings.discard


def _inline_rows(context: MigrationContext) -> int | None:
    settings = _settings(context)
    return settings.carry_inline_rows if settings is not None else None


def _settings(context: MigrationContext) -> Settings | None:
    """The settings, in an env.py of ours."""
    environment = context.opts.get("sg_migrate")
    return environment.settings if environment is not None else None
