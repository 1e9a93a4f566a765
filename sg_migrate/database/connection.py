"""Connections to the warehouse: transactions on SQLite, the schema and the lock timeout, always in UTC."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, pool

from sg_migrate.database.refusals import refusals
from sg_migrate.errors import ForeignKeyError, SchemaChangedError, SettingsError
from sg_migrate.settings import Settings

_FOR_EVER = 2**31 - 1


@contextmanager
def connect(
    section: Mapping[str, str],
    url: str,
    settings: Settings,
    engine: sa.Engine | None = None,
    revisions: Callable[[], Collection[str]] = tuple,
) -> Iterator[sa.Connection]:
    """A connection ready for migrations.

    On SQLite, transactions hold DDL too: an upgrade is all or nothing. Foreign keys are not enforced while it runs, so
    that rebuilding a table deletes no rows elsewhere; they are checked before the commit.

    Args:
        section: alembic.ini's section with the ``sqlalchemy.`` options.
        url: the database; stands above the section's.
        settings: ``schema`` and ``lock_timeout`` matter here.
        engine: the application's own, instead of one made from ``section`` and ``url``. Afterwards it is as it was,
            with new connections.
        revisions: gives the ids of this history's revisions; tells a warehouse of it from another application's.

    Raises:
        SettingsError: ``schema`` is set for a database other than PostgreSQL.
        SchemaChangedError: the warehouse is in another schema than ``schema`` says.
    """
    given = engine
    engine = given or sa.engine_from_config({**section, "sqlalchemy.url": url}, poolclass=pool.NullPool)
    if settings.schema and engine.dialect.name != "postgresql":
        raise SettingsError(f"schema = {settings.schema!r} is for PostgreSQL; this database is {engine.dialect.name}.")
    if engine.dialect.name == "sqlite":
        import sg_migrate.database.sqlite  # noqa: F401 - takes the place of Alembic's batches for SQLite

    transactions = transactional(engine, settings) if engine.dialect.name == "sqlite" else nullcontext()
    with transactions, refusals(engine, settings), _own_connections(given), engine.connect() as connection:
        prepare(connection, settings, revisions)
        yield connection


@contextmanager
def _own_connections(engine: sa.Engine | None) -> Iterator[None]:
    """Inside, an application's engine opens connections anew; what is set up on them stays with none afterwards."""
    if engine is not None:
        engine.dispose()
    yield
    if engine is not None:
        engine.dispose()


@contextmanager
def transactional(engine: sa.Engine, settings: Settings) -> Iterator[None]:
    """Let SQLAlchemy begin SQLite's transactions, so that they hold DDL, and check foreign keys before each commit.

    As in SQLAlchemy's documentation, "Serializable isolation / Savepoints / Transactional DDL" of the SQLite dialect.
    """

    def no_implicit_begin(dbapi_connection: Any, _: Any) -> None:
        dbapi_connection.isolation_level = None
        dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        dbapi_connection.execute(f"PRAGMA busy_timeout={_milliseconds(settings.lock_timeout) or _FOR_EVER}")

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.info["sg_violations"] = _violations(connection)

    def check(connection: sa.Connection) -> None:
        new = _violations(connection) - connection.info.pop("sg_violations", set())
        if new:
            raise ForeignKeyError(*min(new, key=repr))

    listeners: list[tuple[str, Callable[..., None]]]
    listeners = [("connect", no_implicit_begin), ("begin", begin), ("commit", check)]
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


def _milliseconds(seconds: float) -> int:
    """At least one where anything is asked for: 0 waits for ever, on PostgreSQL."""
    return max(1, round(seconds * 1000)) if seconds else 0


def _violations(connection: sa.Connection) -> set[tuple[str, Any, str]]:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return {(row[0], row[1], row[2]) for row in rows}


def lock_for_writing(connection: sa.Connection) -> None:
    """On SQLite, wait for the right to write now: a transaction that has read something already is refused at once."""
    if connection.dialect.name == "sqlite" and connection.in_transaction():
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
            seconds = max(1, round(settings.lock_timeout))
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
    """Make a context of Alembic's ready for our revisions."""
    if context.dialect.name == "sqlite":
        import sg_migrate.database.sqlite  # noqa: F401 - takes the place of Alembic's batches for SQLite
