"""Views in the way of an upgrade or downgrade: found before anything runs.

What a view does to a change differs by engine. Dropping: PostgreSQL and SQLite refuse, MySQL leaves a broken view.
Another type: PostgreSQL refuses. A conversion keeps the old column under another name, and on PostgreSQL and SQLite the
view would follow it there and show stale values. A rename: MySQL leaves a broken view, the others follow.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from sg_migrate.conversion.operations import ConvertColumnOp, RestoreColumnOp
from sg_migrate.database.origins import Origins
from sg_migrate.errors import ViewsError

Uses: TypeAlias = "Mapping[tuple[str, str], set[str]]"
"""(table, column) -> the views that use it; the column is empty for the table as a whole. Names in lower case."""

FOLLOWS_RENAMES = ("postgresql", "sqlite")


def check_views(connection: sa.Connection, operations: Iterable[MigrateOperation]) -> None:
    """Raise `ViewsError` if a view uses a column or table that ``operations`` change or drop. Changes nothing.

    Args:
        connection: to the database as it is now.
        operations: everything that is about to run, in its order.
    """
    changes = list(_hurt(operations, connection.dialect.name))
    if not changes:
        return
    uses = view_uses(connection)
    found = [
        f"view {view} uses {table}{'.' + column if column else ''}, which {what}"
        for (table, column), what in changes
        for view in sorted(uses.get((table.lower(), column.lower()), ()))
    ]
    if found:
        raise ViewsError(found)


def _hurt(operations: Iterable[MigrateOperation], dialect: str) -> Iterator[tuple[tuple[str, str], str]]:
    """What would hurt a view, by the names that hold before all the operations."""
    origins = Origins()
    for operation in operations:
        for table, column, what in _change(operation, dialect):
            before = origins.table(table)
            name = origins.column(before, column) if column else ""
            if before and (name or not column):
                yield (before, name), what
        origins.follow(operation)


def _change(op: MigrateOperation, dialect: str) -> Iterator[tuple[str, str, str]]:
    follows = dialect in FOLLOWS_RENAMES
    if isinstance(op, ops.DropTableOp):
        yield op.table_name, "", "would be dropped"
    elif isinstance(op, ops.DropColumnOp):
        yield op.table_name, op.column_name, "would be dropped"
    elif isinstance(op, RestoreColumnOp):
        yield op.table_name, op.new.name, "would be dropped"
    elif isinstance(op, ConvertColumnOp) and follows:
        yield op.table_name, op.old.name, f"becomes {op.former.name}: the view would show its old values for ever"
    elif isinstance(op, ops.AlterColumnOp) and op.modify_type is not None and dialect == "postgresql":
        yield op.table_name, op.column_name, "gets another type"
    elif isinstance(op, ops.AlterColumnOp) and op.modify_name is not None and not follows:
        yield op.table_name, op.column_name, f"becomes {op.modify_name}"
    elif isinstance(op, ops.RenameTableOp) and not follows:
        yield op.table_name, "", f"becomes {op.new_table_name}"


def view_uses(connection: sa.Connection) -> Uses:
    """Which views use which tables and columns, as the database itself says."""
    readers = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql, "mariadb": _mysql}
    reader = readers.get(connection.dialect.name)
    uses: dict[tuple[str, str], set[str]] = {}
    for view, table, column in reader(connection) if reader else ():
        uses.setdefault((table.lower(), ""), set()).add(view)
        if column:
            uses.setdefault((table.lower(), column.lower()), set()).add(view)
    return uses


_POSTGRESQL = sa.text("""
    SELECT DISTINCT CASE WHEN n.nspname = current_schema() THEN v.relname::text
                         ELSE n.nspname || '.' || v.relname END AS view, t.relname::text, a.attname::text
    FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
    JOIN pg_namespace n ON n.oid = v.relnamespace
    JOIN pg_class t ON t.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass AND t.oid <> v.oid
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
    WHERE t.relnamespace = to_regnamespace(quote_ident(current_schema()))
    ORDER BY 1, 2, 3""")


def _postgresql(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    for view, table, column in connection.execute(_POSTGRESQL):
        yield view, table, column or ""


def _sqlite(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    """SQLite's authorizer names every column that a statement reads while it is prepared; nothing is read."""
    driver: Any = connection.connection.dbapi_connection
    for view in sa.inspect(connection).get_view_names():
        everything = sa.select(sa.text("*")).select_from(sa.table(view))
        found: list[tuple[str, str]] = []

        def note(action: int, table: Any, column: Any, *_: Any, found: list[tuple[str, str]] = found) -> int:
            if action == sqlite3.SQLITE_READ:
                found.append((table, column))
            return sqlite3.SQLITE_OK

        driver.set_authorizer(note)
        with suppress(sqlite3.Error):  # a view that is broken already cannot be broken
            driver.execute(f"EXPLAIN {everything.compile(dialect=connection.dialect)}").close()
        driver.set_authorizer(lambda *_: sqlite3.SQLITE_OK)  # None is understood from Python 3.11 on
        for table, column in found:
            yield view, table, column


_MYSQL = sa.text("""
    SELECT CASE WHEN table_schema = DATABASE() THEN table_name ELSE CONCAT(table_schema, '.', table_name) END AS name,
           view_definition AS text, DATABASE() AS db
    FROM information_schema.views ORDER BY 1""")


def _mysql(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    """MySQL keeps definitions with every name in full: `db`.`table` `alias`, and `alias`.`column`."""
    name = r"`((?:[^`]|``)+)`"
    for view, text, database in connection.execute(_MYSQL):
        quoted = re.escape(str(database).replace("`", "``"))
        aliases = {}
        for table, alias in re.findall(rf"`{quoted}`\.{name}(?!\.)(?: {name})?", text or ""):
            aliases[alias or table] = table
        for table in aliases.values():
            yield view, table, ""
        for alias, column in re.findall(rf"(?={name}\.{name})", text or ""):
            if alias in aliases:
                yield view, aliases[alias], column
