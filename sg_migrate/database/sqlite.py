"""SQLite: changing a table in place where that suffices, and rebuilding one without losing what others added to it.

Alembic's batch mode copies a table to change it, and what SQLAlchemy does not reflect is gone afterwards: triggers,
expression indexes, unnamed checks, collations. What our revisions change needs no copy: a text type that gets longer
and foreign keys are no matter of how rows are stored, and SQLite's documentation ("ALTER TABLE", the simpler procedure)
has the statement in the schema table edited for such changes. Where SQLite refuses that, the table is copied as its
statement says. A batch that needs more is copied by Alembic, with triggers, indexes, checks and views kept here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.ddl.sqlite import SQLiteImpl as AlembicSQLiteImpl
from alembic.operations.batch import ApplyBatchImpl, BatchOperationsImpl
from alembic.runtime.migration import MigrationContext

from sg_migrate.errors import ForeignKeysOnError, OfflineRebuildError, RebuildError

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)"""
    r"""|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|.""",
    re.DOTALL,
)
_ENDS_TYPE = {"constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references",
              "generated", "as"}  # fmt: skip
_TEMPORARY = "_alembic_tmp_"


class SQLiteImpl(AlembicSQLiteImpl):
    """Alembic's SQLite, in place where it can be. It names no dialect, and so Alembic never chooses it; see `use`."""

    def requires_recreate_in_batch(self, batch_op: BatchOperationsImpl) -> bool:
        """Whether the batch holds anything that cannot be done in place."""
        if self.as_sql and batch_op.batch:
            raise OfflineRebuildError(str(batch_op.table_name))
        if batch_op.batch and all(_in_place(*entry) for entry in batch_op.batch):
            return False
        return super().requires_recreate_in_batch(batch_op)

    def alter_column(self, table_name: str, column_name: str, **changes: Any) -> None:
        """As Alembic; a text type becomes another one in place."""
        if not _in_place("alter_column", (table_name, column_name), changes):
            super().alter_column(table_name, column_name, **changes)
            return
        type_text = changes["type_"].compile(dialect=self.dialect)
        self._edit(table_name, lambda sql: with_type(sql, column_name, type_text))

    def add_constraint(self, const: Any, **kw: Any) -> None:
        """As Alembic; a foreign key is added in place."""
        if not isinstance(const, sa.ForeignKeyConstraint):
            super().add_constraint(const, **kw)
            return
        text = str(sa.schema.AddConstraint(const).compile(dialect=self.dialect)).partition(" ADD ")[2]
        self._edit(const.table.name, lambda sql: with_item(sql, text))

    def drop_constraint(self, const: Any, **kw: Any) -> None:
        """As Alembic; a foreign key is taken out in place."""
        if not _is_foreign_key(const):
            super().drop_constraint(const, **kw)
            return
        self._edit(const.table.name, lambda sql: without_constraint(sql, str(const.name)))

    def _edit(self, table: str, change: Callable[[str], str]) -> None:
        """Give a table what ``change`` makes of its statement: in the schema table, or by a copy where that is refused.

        Some builds of SQLite let nobody write there (SQLITE_DBCONFIG_DEFENSIVE).
        """
        if self.as_sql:
            raise OfflineRebuildError(table)
        connection = self.connection
        assert connection is not None
        statement = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
        name, sql = connection.exec_driver_sql(statement, (table,)).one()
        try:
            _write(connection, name, change(sql))
        except sa.exc.DatabaseError:
            _copy(connection, name, change(sql))

    # --- Alembic's copies

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: sa.Table) -> None:
        """Before Alembic copies a table: note what the copy would lose, and leave generated columns to SQLite."""
        super().prep_table_for_batch(batch_impl, table)
        connection = self.connection
        assert connection is not None
        assert batch_impl.new_table is not None
        reflected = {index.name for index in table.indexes}
        statement = "SELECT type, name, sql FROM sqlite_master WHERE lower(tbl_name) = lower(?) AND sql IS NOT NULL"
        rows = connection.exec_driver_sql(statement, (table.name,)).all()
        self._lost = [
            sql for kind, name, sql in rows if kind == "trigger" or (kind == "index" and name not in reflected)
        ]
        for constraint in table.constraints:
            if isinstance(constraint, sa.CheckConstraint) and constraint.name is None:
                batch_impl.new_table.append_constraint(sa.CheckConstraint(str(constraint.sqltext)))
        for column in batch_impl.new_table.columns:
            if column.computed is not None:
                batch_impl.column_transfers.pop(column.key, None)

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """As Alembic; when a copy takes its table's place, views are left alone and triggers come back."""
        if not old_table_name.startswith(_TEMPORARY):
            super().rename_table(old_table_name, new_table_name, schema)
            return
        connection = self.connection
        assert connection is not None
        with _legacy_alter_table(connection):  # or a view on the table is an error now
            super().rename_table(old_table_name, new_table_name, schema)
        for statement in self._lost:
            connection.exec_driver_sql(statement)


def _write(connection: sa.Connection, table: str, sql: str) -> None:
    """Write a table's statement into the schema table, and have SQLite read it again."""
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    try:
        statement = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?"
        connection.exec_driver_sql(statement, (sql, table))
        connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")  # other connections must read it again too
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema=RESET")
    connection.execute(sa.select(sa.table(table)).with_only_columns(sa.literal(1)).limit(0))


def _copy(connection: sa.Connection, table: str, sql: str) -> None:
    """Make a table anew by another statement: rows with their rowids, indexes and triggers are as before."""
    if connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one():
        raise ForeignKeysOnError(table)  # dropping the old one would delete rows elsewhere
    quote = connection.dialect.identifier_preparer.quote_identifier
    old, new = quote(table), quote(_TEMPORARY + table)
    columns = [quote(name) for name in _copied_columns(connection, table, sql)]
    statement = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type <> 'table' AND sql IS NOT NULL"
    additions = connection.exec_driver_sql(statement, (table,)).scalars().all()
    connection.exec_driver_sql(with_name(sql, new))
    names = ", ".join(columns)
    connection.exec_driver_sql(f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}")  # noqa: S608 - quoted
    if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").first():
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (_TEMPORARY + table,))
        statement = "UPDATE sqlite_sequence SET name = ? WHERE name = ?"  # AUTOINCREMENT goes on where it was
        connection.exec_driver_sql(statement, (_TEMPORARY + table, table))
    connection.exec_driver_sql(f"DROP TABLE {old}")
    with _legacy_alter_table(connection):
        connection.exec_driver_sql(f"ALTER TABLE {new} RENAME TO {old}")
    for addition in additions:
        connection.exec_driver_sql(addition)


def _copied_columns(connection: sa.Connection, table: str, sql: str) -> list[str]:
    """The columns that hold values of their own, the rowid among them; SQLite fills the generated ones."""
    rows = connection.exec_driver_sql("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,)).all()
    taken = {name.lower() for name, _ in rows}
    rowid = [name for name in ("rowid", "oid", "_rowid_") if name not in taken][:1]
    end = _items(sql)[-1][1]
    if "without" in [word.group().lower() for word in _words(sql, end, len(sql))]:
        rowid = []
    return [*rowid, *(name for name, hidden in rows if not hidden)]


@contextmanager
def _legacy_alter_table(connection: sa.Connection) -> Iterator[None]:
    """Inside, a renamed table takes no views, triggers or foreign keys of other tables with it."""
    connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
    yield
    connection.exec_driver_sql("PRAGMA legacy_alter_table=OFF")


def use(context: MigrationContext) -> None:
    """Have one context of Alembic's alter SQLite's tables in our way.

    The implementation stays the object that it is: ``alembic.op`` may hold it already.
    """
    context.impl.__class__ = SQLiteImpl


def _in_place(kind: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    if kind == "add_constraint":
        return isinstance(arguments[0], sa.ForeignKeyConstraint)
    if kind == "drop_constraint":
        return _is_foreign_key(arguments[0])
    if kind != "alter_column":
        return False
    others = ("name", "nullable", "autoincrement")
    return (
        isinstance(keywords.get("type_"), sa.String)
        and isinstance(keywords.get("existing_type"), sa.String)
        and all(keywords.get(other) is None for other in others)
        and keywords.get("server_default", False) is False
    )


def _is_foreign_key(constraint: Any) -> bool:
    return isinstance(constraint, sa.ForeignKeyConstraint)


def with_type(sql: str, column: str, type_text: str) -> str:
    """A ``CREATE TABLE`` statement with another type for one column. Raises `RebuildError`."""
    items = _items(sql)
    for start, end in items:
        words = _words(sql, start, end)
        if words and _name(words[0].group()) == column.lower():
            depth, last = 0, words[0]
            for word in words[1:]:
                if depth == 0 and word.group().lower() in _ENDS_TYPE:
                    break
                depth += {"(": 1, ")": -1}.get(word.group(), 0)
                last = word
            return f"{sql[: words[0].end()]} {type_text}{sql[last.end() :]}"
    raise RebuildError(f"column {column}", sql)


def with_name(sql: str, name: str) -> str:
    """A ``CREATE TABLE`` statement for a table of another name, which must be quoted."""
    start = _items(sql)[0][0]
    *_, token, _ = _words(sql, 0, start)
    return f"{sql[: token.start()]}{name} {sql[token.end() :].lstrip()}"


def with_item(sql: str, item: str) -> str:
    """A ``CREATE TABLE`` statement with one more item at its end."""
    end = _items(sql)[-1][1]
    return f"{sql[:end].rstrip()}\n\t,{item}\n{sql[end:]}"


def without_constraint(sql: str, name: str) -> str:
    """A ``CREATE TABLE`` statement without the constraint of that name. Raises `RebuildError`."""
    for start, end in _items(sql):
        words = _words(sql, start, end)
        if len(words) > 1 and words[0].group().lower() == "constraint" and _name(words[1].group()) == name.lower():
            comma = sql.rindex(",", 0, start)
            return sql[:comma] + sql[end:]
    raise RebuildError(f"constraint {name}", sql)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key as a database has it; ``on_delete`` is empty where nothing happens then."""

    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str = ""


def on_delete(rule: str | None) -> str:
    """What a foreign key does when the row that it refers to goes, in lower case; empty for nothing."""
    rule = (rule or "").lower()
    return "" if rule in ("no action", "restrict") else rule


def foreign_keys(sql: str) -> dict[str, ForeignKey]:
    """The named foreign keys of a ``CREATE TABLE`` statement, as written there."""
    found = {}
    for start, end in _items(sql) if "foreign" in sql.lower() else ():
        words = [token.group() for token in _words(sql, start, end)]
        if [word.lower() for word in (*words[:1], *words[2:4])] == ["constraint", "foreign", "key"]:
            close = words.index(")")
            rest = words[close + 3 :]
            referred = rest[1 : rest.index(")")] if rest[:1] == ["("] else []
            rule = re.search(r"on delete (set \w+|no action|\w+)", " ".join(rest).lower())
            found[_unquoted(words[1])] = ForeignKey(
                _listed(words[5:close]), _unquoted(words[close + 2]), _listed(referred), on_delete(rule and rule[1])
            )
    return found


def _listed(words: list[str]) -> tuple[str, ...]:
    return tuple(_unquoted(word) for word in words if word != ",")


def _items(sql: str) -> list[tuple[int, int]]:
    """Where the columns and constraints of a ``CREATE TABLE`` statement are, commas excluded."""
    depth, start, found = 0, 0, []
    for token in _TOKEN.finditer(sql):
        text = token.group()
        if text == "(":
            depth += 1
            if depth == 1:
                start = token.end()
        elif depth == 1 and text in (",", ")"):
            found.append((start, token.start()))
            start = token.end()
        if text == ")":
            depth -= 1
            if depth == 0:
                break
    return found


def _words(sql: str, start: int, end: int) -> list[re.Match[str]]:
    return [token for token in _TOKEN.finditer(sql, start, end) if token.group("blank") is None]


def _name(token: str) -> str:
    """An identifier as written in SQL, without its quotes and in lower case."""
    return _unquoted(token).lower()


def _unquoted(token: str) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote) if quote in "\"`'[" else token
