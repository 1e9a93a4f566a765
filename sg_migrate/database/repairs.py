"""Repairs of one database in a history that serves many: a revision that mends what only one of them lacks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


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
