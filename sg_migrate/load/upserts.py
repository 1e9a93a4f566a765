"""Rows into a table, each engine in the way that is quickest there: what is equal is not written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.load.values import json_text

Row: TypeAlias = "tuple[Any, ...]"
Adapter: TypeAlias = "Callable[[Any], Any]"
ColumnTypes: TypeAlias = "Sequence[tuple[str, TypeEngine[Any]]]"


class Upserts(Protocol):
    """Writes rows of one table: ids, the values of ``columns``, and if asked for since when the record is retired."""

    def write(self, rows: Sequence[Row], new: int) -> int:
        """Insert rows and update what differs.

        Args:
            rows: one for each id.
            new: how many of the ids the table does not have.

        Returns:
            How many rows are new or other than before.
        """


def upserts(connection: sa.Connection, table: str, columns: ColumnTypes, retired_at: str | None) -> Upserts:
    """The way of writing that the connection's engine has; without ``retired_at`` that column is left alone."""
    kinds: dict[str, Callable[..., Upserts]] = {"sqlite": SQLite, "postgresql": PostgreSQL}
    return kinds.get(connection.dialect.name, MySQL)(connection, table, columns, retired_at)


def adapters(dialect: str, columns: ColumnTypes) -> list[tuple[int, Adapter]]:
    """For the columns whose values the driver does not take as they are: their position, and what makes them fit."""
    found = [(position, _adapter(dialect, type_)) for position, (_, type_) in enumerate(columns)]
    return [(position, adapter) for position, adapter in found if adapter is not None]


def _adapter(dialect: str, type_: TypeEngine[Any]) -> Adapter | None:
    if isinstance(type_, sa.JSON):
        return json_text
    if isinstance(type_, sa.DateTime):
        if dialect == "postgresql":
            return None if type_.timezone else _naive
        return _as_text if dialect == "sqlite" else _naive
    if dialect == "sqlite" and isinstance(type_, sa.Date):
        return str
    if dialect == "sqlite" and isinstance(type_, sa.Numeric) and not isinstance(type_, sa.Float):
        return float
    return None


def _naive(value: Any) -> Any:
    return value.astimezone(timezone.utc).replace(tzinfo=None)


def _as_text(value: Any) -> str:
    """As SQLAlchemy writes a moment into SQLite."""
    text: str = value.isoformat(" ", "microseconds")
    return text[:26]


class _Table:
    """What the engines have in common: quoted names."""

    def __init__(self, connection: sa.Connection, table: str, columns: ColumnTypes, retired_at: str | None) -> None:
        quote = connection.dialect.identifier_preparer.quote_identifier
        self.connection = connection
        self.table = quote(table)
        self.values = [quote(name) for name, _ in columns]
        self.retired_at = quote(retired_at) if retired_at else ""
        names = [quote("id"), *self.values, *([self.retired_at] if retired_at else [])]
        self.names = ", ".join(names)
        self.width = len(names)

    @property
    def driver(self) -> Any:
        """The driver's own connection."""
        return self.connection.connection.dbapi_connection


class SQLite(_Table):
    """``INSERT ... ON CONFLICT``, row by row in the driver."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        marks = ", ".join("?" * self.width)
        self.statement = f"INSERT INTO {self.table} ({self.names}) VALUES ({marks}) {_on_conflict(self, 'IS NOT')}"

    def write(self, rows: Sequence[Row], new: int) -> int:
        """See `Upserts`."""
        before = self.driver.total_changes
        self.driver.executemany(self.statement, rows)
        return int(self.driver.total_changes - before)


def _on_conflict(table: _Table, differs: str) -> str:
    """Of SQLite and PostgreSQL: nothing is written where nothing differs."""
    retired = table.retired_at
    settings = [f"{name} = excluded.{name}" for name in table.values]
    others = []
    if retired:
        settings.append(
            f"{retired} = CASE WHEN excluded.{retired} IS NOT NULL"
            f" THEN coalesce({table.table}.{retired}, excluded.{retired}) END"
        )
        others.append(f"({table.table}.{retired} IS NULL) <> (excluded.{retired} IS NULL)")
    if not settings:
        return "ON CONFLICT (id) DO NOTHING"
    if table.values:
        ours = ", ".join(f"{table.table}.{name}" for name in table.values)
        theirs = ", ".join(f"excluded.{name}" for name in table.values)
        others.append(f"({ours}) {differs} ({theirs})")
    return f"ON CONFLICT (id) DO UPDATE SET {', '.join(settings)} WHERE {' OR '.join(others)}"


class PostgreSQL(_Table):
    """``COPY`` into a temporary table, and from there ``INSERT ... ON CONFLICT``."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.stage = '"sg_load_stage"'
        self.copy = f"COPY {self.stage} FROM STDIN"
        self.statement = (
            f"INSERT INTO {self.table} ({self.names}) SELECT * FROM {self.stage}"
            f" {_on_conflict(self, 'IS DISTINCT FROM')}"
        )

    def write(self, rows: Sequence[Row], new: int) -> int:
        """See `Upserts`."""
        with self.driver.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {self.stage} AS SELECT {self.names} FROM {self.table} WHERE false")
            copy_rows(cursor, self.copy, rows)
            cursor.execute(self.statement)
            changed = cursor.rowcount
            cursor.execute(f"DROP TABLE {self.stage}")
        return int(changed)


def copy_rows(cursor: Any, statement: str, rows: Iterable[Row]) -> None:
    """PostgreSQL's ``COPY``, by psycopg 3."""
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


class MySQL(_Table):
    """``INSERT ... ON DUPLICATE KEY UPDATE`` of many rows at once, on MySQL and MariaDB."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        retired = self.retired_at
        settings = [f"{name} = VALUES({name})" for name in self.values]
        if retired:
            settings.append(f"{retired} = IF(VALUES({retired}) IS NULL, NULL, COALESCE({retired}, VALUES({retired})))")
        self.before = f"INSERT INTO {self.table} ({self.names}) VALUES "
        self.after = f" ON DUPLICATE KEY UPDATE {', '.join(settings or ['id = id'])}"

    def write(self, rows: Sequence[Row], new: int) -> int:
        """See `Upserts`.

        SQLAlchemy connects with CLIENT_FOUND_ROWS: a row counts once where it is new or equal, twice where it differs.
        """
        affected = insert_literals(self.driver, self.before, rows, self.after)
        return affected - len(rows) + new


_STATEMENT_LENGTH = 1_000_000
"""Characters of one statement; servers take 16 MB and more, and a row that is longer goes alone."""


def insert_literals(driver: Any, before: str, rows: Iterable[Row], after: str = "") -> int:
    """Insert rows by statements of many rows; gives the affected rows.

    The drivers' own ``executemany`` does the same at about twice the cost: it looks up how to write each value.

    Args:
        driver: the driver's connection, which quotes texts as the session wants them quoted.
        before: the statement up to the values.
        rows: numbers, truth values, moments and days of ours, texts of anybody.
        after: the statement behind the values.
    """
    literals = _literals(driver)
    parts: list[str] = []
    size = affected = 0
    with driver.cursor() as cursor:
        for row in rows:
            part = f"({','.join([literals[type(value)](value) for value in row])})"
            if parts and size + len(part) > _STATEMENT_LENGTH:
                affected += cursor.execute(before + ",".join(parts) + after)
                parts, size = [], 0
            parts.append(part)
            size += len(part)
        if parts:
            affected += cursor.execute(before + ",".join(parts) + after)
    return affected


def _literals(driver: Any) -> dict[type, Callable[[Any], str]]:
    """How a value is written, by its type."""

    def text(value: str) -> str:
        quoted = driver.literal(value)
        return quoted if isinstance(quoted, str) else str(quoted.decode())

    return {
        type(None): lambda _: "NULL",
        str: driver.escape if type(driver).__module__.startswith("pymysql") else text,
        bool: lambda value: "1" if value else "0",
        int: str,
        Decimal: str,
        float: lambda value: repr(value) if "e" in repr(value) else f"{value!r}e0",  # else it would be a decimal
        datetime: lambda value: f"'{value.isoformat(' ')}'",
        date: lambda value: f"'{value}'",
    }
