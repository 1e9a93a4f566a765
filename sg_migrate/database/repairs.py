"""Repairs of one database in a history that serves many: a revision that mends what only one of them lacks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.errors import CastError

_FAMILIES = (sa.Boolean, sa.Integer, sa.Float, sa.DateTime, sa.Date, sa.JSON, sa.String)
"""Within each, an engine keeps every value or refuses the change; between two of them it may cast in silence."""


def present(op: Any, table: str, *, index: str = "", foreign_key: str = "") -> bool:
    """Whether the database has an index or foreign key, as it was built or otherwise.

    Args and what it returns are as for `missing`: in a script false, for the recorder true.
    """
    context = op.get_context()
    if context.as_sql:
        return False
    return context.connection is None or not missing(op, table, index=index, foreign_key=foreign_key)


def missing(op: Any, table: str, *, column: str = "", index: str = "", foreign_key: str = "") -> bool:
    """Whether the database lacks a table, or a column, index or foreign key of it; revisions that repair ask it.

    Args:
        op: the module ``alembic.op``.
        table: the table.
        column: one of its columns.
        index: one of its indexes.
        foreign_key: one of its foreign keys.

    Returns:
        What the database says; in a script (``--sql``) false, because nobody can be asked; and true for the recorder,
        which reads what a revision might do.
    """
    context = op.get_context()
    if context.as_sql:
        return False
    if context.connection is None:
        return True
    inspector = sa.inspect(context.connection)
    if not inspector.has_table(table):
        return True
    found = {
        column: inspector.get_columns,
        index: inspector.get_indexes,
        foreign_key: inspector.get_foreign_keys,
    }
    return any(name not in {item["name"] for item in read(table)} for name, read in found.items() if name)


def refuse_to_cast(op: Any, table: str, column: str, type_: TypeEngine[Any]) -> None:
    """Raise `CastError` where a repair would have the database cast values: each engine does that in its own way.

    Nothing is asked in a script (``--sql``) and of the recorder.

    Args:
        op: the module ``alembic.op``.
        table: the table.
        column: a column that has another type than was built.
        type_: the type that was built.
    """
    context = op.get_context()
    if not context.as_sql and context.connection is not None:
        check_cast(context.connection, table, column, type_)


def check_cast(connection: sa.Connection, table: str, column: str, type_: TypeEngine[Any]) -> None:
    """The same, on a connection."""
    found = [one["type"] for one in sa.inspect(connection).get_columns(table) if one["name"] == column]
    if not found or any(isinstance(found[0], family) and isinstance(type_, family) for family in _FAMILIES):
        return
    query = sa.select(sa.func.count(sa.column(column))).select_from(sa.table(table))
    values = connection.execute(query).scalar_one()
    if values:
        dialect = connection.dialect
        types = f"was built as {type_.compile(dialect=dialect)} and is {found[0].compile(dialect=dialect)}"
        old, new, of = map(dialect.identifier_preparer.quote, (column, f"{column[:54]}_by_hand", table))
        raise CastError(table, column, int(values), types, f"ALTER TABLE {of} RENAME COLUMN {old} TO {new}")
