"""What a review asks a database: how much is there, who reads it, where its history stands. It only ever reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import exc

from sg_migrate.alembic_log import quiet
from sg_migrate.conversion.rules import converted
from sg_migrate.database.address import engine_for
from sg_migrate.database.reflection import Reflection
from sg_migrate.database.refusals import is_not_ready
from sg_migrate.database.reserved import quote_reserved
from sg_migrate.database.views import Uses, view_uses
from sg_migrate.errors import DatabaseUnavailableError, NodeNotReadyError

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

CONNECT_SECONDS = 10
_TIMEOUTS = {"psycopg", "psycopg2", "pymysql", "mysqldb"}
"""Drivers that know ``connect_timeout``."""
_READ_ONLY = {
    "sqlite": "PRAGMA query_only=ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}


_MOST_AT_ONCE = 500
"""Numbers asked for in one statement; each engine has its limit."""


@dataclass(frozen=True, slots=True)
class WantedNumber:
    """A number to ask for: rows; values of a column; or those of its values that another type has no place for."""

    column: str = ""
    conversion: tuple[TypeEngine[Any], TypeEngine[Any]] | None = None

    def count(self, dialect: str) -> sa.ColumnElement[int] | None:
        """The expression that counts it; ``None`` where no conversion between the types is known."""
        if not self.column:
            return sa.func.count()
        if self.conversion is None:
            return sa.func.count(sa.column(self.column))
        old, new = self.conversion
        source: sa.ColumnClause[Any] = sa.column(self.column, old)
        value = converted(source, old, new, dialect)
        if value is None:
            return None
        return sa.func.count(sa.case((sa.and_(source.is_not(None), value.is_(None)), 1)))


class Database:
    """A database under a connection that writes nothing."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The revisions that the database is at; none for a database without a history."""
        with quiet():
            return tuple(sorted(MigrationContext.configure(self.connection).get_current_heads()))

    @cached_property
    def columns(self) -> dict[str, frozenset[str]]:
        """The columns of every table, by the table's name."""
        found = Reflection(self.connection).tables(keys=False)
        return {name: frozenset(table.columns) for name, table in found.items()}

    @cached_property
    def _view_uses(self) -> Uses:
        return view_uses(self.connection)

    def views_using(self, table: str, column: str = "") -> list[str]:
        """The views that read a table, or one column of it, as the database itself says."""
        return sorted(self._view_uses.get((table.lower(), column.lower()), ()))

    @cached_property
    def triggers(self) -> dict[str, list[str]]:
        """SQLite's triggers, by table."""
        rows = self.connection.exec_driver_sql(
            "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        )
        found: dict[str, list[str]] = {}
        for table, name in rows:
            found.setdefault(table, []).append(name)
        return found

    def has_rows(self, table: str) -> bool:
        """Whether the table has any row; reads one."""
        one = sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)
        return self.connection.execute(one).first() is not None

    def counts(self, table: str, wanted: Iterable[WantedNumber]) -> dict[WantedNumber, int | None]:
        """Count what is wanted of one table, all in one pass over its rows.

        Args:
            table: the table.
            wanted: what to count.

        Returns:
            The numbers; ``None`` for values between whose types no conversion is known.
        """
        counts = {one: one.count(self.dialect) for one in wanted}
        known = [(one, count) for one, count in counts.items() if count is not None]
        found: dict[WantedNumber, int | None] = dict.fromkeys(counts)
        for first in range(0, len(known), _MOST_AT_ONCE):
            part = known[first : first + _MOST_AT_ONCE]
            statement = sa.select(*(count for _, count in part)).select_from(sa.table(table))
            numbers = self.connection.execute(statement).one()
            found.update({one: int(number) for (one, _), number in zip(part, numbers, strict=True)})
        return found

    def links(self, table: str) -> tuple[int, int]:
        """Of a link table: how many records have links, and how many of them more than one."""
        links = sa.table(table, sa.column("owner_id"))
        owners = sa.select(sa.func.count().label("links")).select_from(links).group_by(links.c.owner_id).subquery()
        several = sa.func.count(sa.case((owners.c.links > 1, 1)))
        records, more = self.connection.execute(sa.select(sa.func.count(), several).select_from(owners)).one()
        return int(records), int(more)

    def size(self, table: str) -> int | None:
        """Bytes of the table and its indexes, as far as the database tells."""
        statements = {
            "postgresql": "SELECT pg_total_relation_size(to_regclass(:quoted))",
            "sqlite": "SELECT sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
            " WHERE m.tbl_name = :table",
            "mysql": "SELECT data_length + index_length FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = :table",
        }
        text = statements.get("mysql" if self.dialect == "mariadb" else self.dialect)
        if text is None:
            return None
        names = {"quoted": self._quoted(table), "table": table}
        bound = {name: value for name, value in names.items() if f":{name}" in text}
        try:
            size = self.connection.execute(sa.text(text), bound).scalar()
        except exc.OperationalError:  # an SQLite that was built without dbstat
            return None
        return None if size is None else int(size)

    def _quoted(self, name: str) -> str:
        return self.connection.dialect.identifier_preparer.quote_identifier(name)


@contextmanager
def opened(url: str, options: Mapping[str, str], schema: str = "") -> Iterator[Database]:
    """A database to ask. Never creates a database, a file or a schema, and never writes into one.

    Args:
        url: the database.
        options: alembic.ini's section with the ``sqlalchemy.`` options.
        schema: the PostgreSQL schema of the warehouse; empty for the one that is selected anyway.

    Raises:
        DatabaseUnavailableError: it cannot be reached.
    """
    engine, connection = _connect(url, options, schema)
    try:
        yield Database(connection)
    finally:
        connection.close()
        engine.dispose()


def dialect_of(url: str) -> str | None:
    """The dialect of a database, by its address alone; ``None`` where that is no address."""
    try:
        return sa.make_url(url).get_backend_name()
    except exc.ArgumentError:
        return None


def _connect(text: str, options: Mapping[str, str], schema: str) -> tuple[sa.Engine, sa.Connection]:
    engine = engine_for(text, options)
    url, shown = engine.url, engine.url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not _is_there(url):
        raise DatabaseUnavailableError(shown, "there is no such file")
    if url.get_driver_name() in _TIMEOUTS:
        engine = engine_for(text, options, connect_args={"connect_timeout": CONNECT_SECONDS})
    try:
        connection = engine.connect()
        _prepare(connection, schema)
    except exc.DBAPIError as error:
        engine.dispose()
        if is_not_ready(error):
            raise NodeNotReadyError(shown) from None
        raise DatabaseUnavailableError(shown, f"no connection: {_first_line(error.orig)}") from None
    return engine, connection


def _is_there(url: sa.URL) -> bool:
    name = url.database or ""
    return name in ("", ":memory:") or name.startswith("file:") or Path(name).is_file()


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _prepare(connection: sa.Connection, schema: str) -> None:
    dialect = connection.dialect.name
    if dialect in _READ_ONLY:
        connection.exec_driver_sql(_READ_ONLY[dialect])
    quote_reserved(connection.dialect)
    if schema and dialect == "postgresql":
        quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
        connection.exec_driver_sql(f"SET search_path TO {quoted}")
        connection.dialect.default_schema_name = schema
    connection.commit()
