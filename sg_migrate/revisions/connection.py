"""Connections to the warehouse: transactions on SQLite, the schema and the lock timeout, always in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, pool

from sg_migrate.errors import ForeignKeyError, SettingsError
from sg_migrate.settings import Settings


@contextmanager
def connect(section: Mapping[str, str], url: str, settings: Settings) -> Iterator[sa.Connection]:
    """A connection ready for migrations.

    On SQLite, transactions hold DDL too: an upgrade is all or nothing. Foreign keys are not enforced while it runs, so
    that rebuilding a table deletes no rows elsewhere; they are checked before the commit.

    Args:
        section: alembic.ini's section with the ``sqlalchemy.`` options.
        url: the database; stands above the section's.
        settings: ``schema`` and ``lock_timeout`` matter here.

    Raises:
        SettingsError: ``schema`` is set for a database other than PostgreSQL.
    """
    engine = sa.engine_from_config({**section, "sqlalchemy.url": url}, poolclass=pool.NullPool)
    if settings.schema and engine.dialect.name != "postgresql":
        raise SettingsError(f"schema = {settings.schema!r} is for PostgreSQL; this database is {engine.dialect.name}.")
    if engine.dialect.name == "sqlite":
        import sg_migrate.revisions.rebuild  # noqa: F401 - takes the place of Alembic's batches for SQLite

        make_transactional(engine)
    with engine.connect() as connection:
        prepare(connection, settings)
        yield connection


def make_transactional(engine: sa.Engine) -> None:
    """Let SQLAlchemy begin SQLite's transactions, so that they hold DDL, and check foreign keys before each commit.

    As in SQLAlchemy's documentation, "Serializable isolation / Savepoints / Transactional DDL" of the SQLite dialect.
    """

    @event.listens_for(engine, "connect")
    def _no_implicit_begin(dbapi_connection: Any, _: Any) -> None:
        dbapi_connection.isolation_level = None
        dbapi_connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.info["sg_violations"] = _violations(connection)

    @event.listens_for(engine, "commit")
    def _check(connection: sa.Connection) -> None:
        new = _violations(connection) - connection.info.pop("sg_violations", set())
        if new:
            raise ForeignKeyError(*min(new, key=repr))


def _violations(connection: sa.Connection) -> set[tuple[str, Any, str]]:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return {(row[0], row[1], row[2]) for row in rows}


def prepare(connection: sa.Connection, settings: Settings) -> None:
    """Set the session up: UTC, lock timeout, schema. Commits."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        connection.exec_driver_sql(f"SET lock_timeout = {int(settings.lock_timeout * 1000)}")
        if settings.schema:
            _select_schema(connection, settings.schema)
    elif dialect in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET time_zone = '+00:00'")
        if settings.lock_timeout:
            connection.exec_driver_sql(f"SET lock_wait_timeout = {max(1, round(settings.lock_timeout))}")
    connection.commit()


def _select_schema(connection: sa.Connection, schema: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
    if not sa.inspect(connection).has_schema(schema):
        connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
    connection.exec_driver_sql(f"SET search_path TO {quoted}")
    connection.dialect.default_schema_name = schema
