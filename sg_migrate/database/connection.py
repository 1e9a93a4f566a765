"""Connections to the warehouse: transactions on SQLite, the schema and the lock timeout, always in UTC."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from sg_migrate.database.address import engine_for
from sg_migrate.database.refusals import refusals, whole_seconds
from sg_migrate.database.reserved import quote_reserved, quoting_reserved
from sg_migrate.database.sqlite import use
from sg_migrate.errors import Batches, ForeignKeyError, SchemaChangedError, SettingsError
from sg_migrate.settings import Settings

_FOR_EVER = 2**31 - 1


@contextmanager
def connect(
    section: Mapping[str, str],
    url: str,
    settings: Settings,
    engine: sa.Engine | None = None,
    revisions: Callable[[], Collection[str]] = tuple,
    *,
    in_batches: Batches | None = None,
) -> Iterator[sa.Connection]:
    """A connection ready for migrations.

    On SQLite, transactions hold DDL too: an upgrade is all or nothing. Foreign keys are not enforced while it runs, so
    that rebuilding a table deletes no rows elsewhere; they are checked before the commit.

    Args:
        section: alembic.ini's section with the ``sqlalchemy.`` options.
        url: the database; stands above the section's.
        settings: ``schema`` and ``lock_timeout`` matter here.
        engine: the application's own, instead of one made from ``section`` and ``url``. Afterwards it is as it was,
            what it holds in memory included.
        revisions: gives the ids of this history's revisions; tells a warehouse of it from another application's.
        in_batches: as for `sg_migrate.database.refusals.refusals`.

    Raises:
        DatabaseUnavailableError: the address is none, or its dialect or driver is not there.
        SettingsError: ``schema`` is set for a database other than PostgreSQL.
        SchemaChangedError: the warehouse is in another schema than ``schema`` says.
    """
    engine = engine or engine_for(url, section)
    if settings.schema and engine.dialect.name != "postgresql":
        raise SettingsError(f"schema = {settings.schema!r} is for PostgreSQL; this database is {engine.dialect.name}.")
    with refusals(engine, settings, in_batches=in_batches), engine.connect() as connection:
        session = transactional if engine.dialect.name == "sqlite" else _of_its_own
        with session(connection, settings), quoting_reserved(engine.dialect):
            prepare(connection, settings, revisions)
            yield connection


@contextmanager
def _of_its_own(connection: sa.Connection, _: Settings) -> Iterator[None]:
    """Inside, what is set up on the session is nobody else's: it ends here, and never goes back to its pool.

    It stays in its pool until then: ``autocommit_block`` asks that for its connection.
    """
    schema = connection.dialect.default_schema_name
    try:
        yield
    finally:
        connection.dialect.default_schema_name = schema
        connection.invalidate()


@contextmanager
def transactional(connection: sa.Connection, settings: Settings) -> Iterator[None]:
    """Let SQLAlchemy begin SQLite's transactions, so that they hold DDL, and check foreign keys before each commit.

    As in SQLAlchemy's documentation, "Serializable isolation / Savepoints / Transactional DDL" of the SQLite dialect.
    The connection is set up and put back as it was: another one would not see an application's database in memory.
    """
    driver: Any = connection.connection.dbapi_connection
    isolation = driver.isolation_level
    pragmas = {name: driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("foreign_keys", "busy_timeout")}
    before: set[Violation] | None = None

    def begin(any_connection: sa.Connection) -> None:
        nonlocal before
        if any_connection is not connection:
            return
        if not driver.in_transaction:  # an application's engine may have a listener that did it
            driver.execute("BEGIN")
        before = None if _file(driver) else violations(driver)

    def check(_: sa.Connection) -> None:
        after = violations(driver)
        if after:
            known = before if before is not None else _committed_violations(driver)
            new = after if known is None else after - known
            if new:
                raise ForeignKeyError(*min(new, key=repr), unseen=known is None)

    driver.isolation_level = None
    _set_pragmas(driver, {"foreign_keys": 0, "busy_timeout": _milliseconds(settings.lock_timeout) or _FOR_EVER})
    event.listen(connection.engine, "begin", begin)  # after the listeners that it has: a connection's own go first
    event.listen(connection, "commit", check)
    try:
        yield
    finally:
        event.remove(connection.engine, "begin", begin)
        event.remove(connection, "commit", check)
        connection.rollback()
        _set_pragmas(driver, pragmas)
        driver.isolation_level = isolation


def _set_pragmas(driver: Any, values: Mapping[str, int]) -> None:
    for name, value in values.items():
        driver.execute(f"PRAGMA {name}={value}")


def _milliseconds(seconds: float) -> int:
    """At least one where anything is asked for: 0 waits for ever, on PostgreSQL."""
    return max(1, round(seconds * 1000)) if seconds else 0


Violation: TypeAlias = "tuple[str, Any, str]"
"""Table, row and table referred to."""


def violations(driver: Any) -> set[Violation]:
    """The rows whose foreign key points nowhere, by a connection of the driver's."""
    return {(row[0], row[1], row[2]) for row in driver.execute("PRAGMA foreign_key_check")}


def _file(driver: Any) -> str:
    """The database's file; empty for one in memory."""
    return str(next(row[2] for row in driver.execute("PRAGMA database_list") if row[1] == "main") or "")


def _committed_violations(driver: Any) -> set[Violation] | None:
    """What another connection sees, which is what was there before; ``None`` where none can read now.

    None can once a transaction is too large for SQLite to hold in memory, unless the database is in WAL mode.
    """
    address = f"file:{quote(_file(driver))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as other:
            return violations(other)
    except sqlite3.Error:
        return None


def lock_for_writing(connection: sa.Connection) -> None:
    """On SQLite, wait for the right to write now: a transaction that has read something already is refused at once."""
    if connection.dialect.name == "sqlite" and connection.in_transaction():
        driver: Any = connection.connection.dbapi_connection
        if driver.in_transaction:  # a connection that is not ours begins with its first change
            connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def prepare(connection: sa.Connection, settings: Settings, revisions: Callable[[], Collection[str]] = tuple) -> None:
    """Set the session up: UTC, lock timeout, schema. Commits. Raises `SchemaChangedError`."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        connection.exec_driver_sql(f"SET lock_timeout = {_milliseconds(settings.lock_timeout)}")
        _check_schema(connection, settings.schema, revisions)
        if settings.schema:
            _select_schema(connection, settings.schema)
    elif dialect in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET time_zone = '+00:00'")
        if settings.lock_timeout:
            seconds = whole_seconds(settings.lock_timeout)
            connection.exec_driver_sql(f"SET lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
    connection.commit()


_VERSION_TABLES = """
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY n.nspname"""


def _check_schema(connection: sa.Connection, schema: str, revisions: Callable[[], Collection[str]]) -> None:
    """Raise `SchemaChangedError` if this history's warehouse is in another schema, and none is where it should be."""
    wanted = schema or str(connection.exec_driver_sql("SELECT current_schema()").scalar())
    present = [str(name) for name in connection.exec_driver_sql(_VERSION_TABLES).scalars()]
    if wanted in present:
        return
    for name in present:
        versions = sa.table("alembic_version", sa.column("version_num"), schema=name)
        if set(connection.execute(sa.select(versions.c.version_num)).scalars()) & set(revisions()):
            raise SchemaChangedError(wanted, name)


def _select_schema(connection: sa.Connection, schema: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
    if not sa.inspect(connection).has_schema(schema):
        connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
    connection.exec_driver_sql(f"SET search_path TO {quoted}")
    connection.dialect.default_schema_name = schema


def prepare_context(context: MigrationContext) -> None:
    """Make a context of Alembic's ready for our revisions, online and offline; no other context is touched."""
    quote_reserved(context.dialect)
    if context.dialect.name == "sqlite":
        use(context)
