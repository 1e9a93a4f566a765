"""What the database refused, as one message: locks with who holds them, connections, permissions, everything else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sg_migrate.errors import Batches, ConnectionFailedError, DatabaseError, LockedError, NodeNotReadyError, Undone
from sg_migrate.settings import Settings
from sg_migrate.text import clean, shorten

_SUBJECT = re.compile(
    r"""^\s*(?:ALTER\s+TABLE|DROP\s+TABLE|CREATE\s+TABLE|COMMENT\s+ON\s+(?:TABLE|COLUMN)|UPDATE|INSERT\s+INTO|"""
    r"""DELETE\s+FROM|SELECT\b.*?\bFROM|CREATE\s+(?:UNIQUE\s+)?INDEX\s+\S+\s+ON|DROP\s+INDEX\s+\S+\s+ON)\s+([`"]?)(\w+)\1""",
    re.IGNORECASE | re.DOTALL,
)

_POSTGRESQL_HOLDERS = sa.text("""
    SELECT DISTINCT a.pid, a.usename, a.application_name, a.client_addr, a.state,
           date_trunc('second', now() - a.xact_start) AS since
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
      AND l.relation IN (SELECT oid FROM pg_class WHERE relname = :name)
    ORDER BY a.pid""")
_MYSQL_HOLDERS = sa.text("""
    SELECT p.id, p.user, p.host, p.command, p.time FROM information_schema.processlist p
    WHERE p.id <> CONNECTION_ID() AND p.db = DATABASE()
      AND (p.command <> 'Sleep'
           OR EXISTS (SELECT 1 FROM information_schema.innodb_trx t WHERE t.trx_mysql_thread_id = p.id))
    ORDER BY p.time DESC""")


@contextmanager
def refusals(engine: sa.Engine, settings: Settings, *, in_batches: Batches | None = None) -> Iterator[None]:
    """Inside, an error of the database becomes one of ours that says what happened and what to do.

    Args:
        engine: the database.
        settings: ``lock_timeout`` matters here.
        in_batches: the command, where what runs inside commits batch by batch, and goes on where it stopped.

    Raises:
        LockedError: somebody else held a lock for longer than ``lock_timeout``.
        ConnectionFailedError: there is no connection to be had.
        DatabaseError: anything else, permissions among it.
    """
    try:
        yield
    except DBAPIError as error:
        message = clean(str(error.orig))
        if is_not_ready(error):
            raise NodeNotReadyError(engine.url.render_as_string()) from error
        if error.statement is None:
            raise ConnectionFailedError(engine.url.render_as_string(), message) from error
        statement = shorten(clean(error.statement), 200)
        is_mysql = engine.dialect.name in ("mysql", "mariadb")
        undone: Undone = in_batches or ("nothing" if is_mysql else "all")
        if is_lock_timeout(error):
            seconds = whole_seconds(settings.lock_timeout) if is_mysql else settings.lock_timeout
            raise LockedError(statement, seconds, holders(engine, _subject(error.statement)), undone) from error
        raise DatabaseError(statement, message, undone) from error


def whole_seconds(seconds: float) -> int:
    """What MySQL and MariaDB wait: they know no parts of a second."""
    return max(1, round(seconds))


def is_lock_timeout(error: DBAPIError) -> bool:
    """Whether the database gave up waiting for a lock."""
    code = getattr(error.orig, "sqlstate", None)  # PostgreSQL: lock_not_available
    return code == "55P03" or _first(error) in (1205, "database is locked")


def is_not_ready(error: DBAPIError) -> bool:
    """Whether a node of Galera says that it is not prepared for use (ER_UNKNOWN_COM_ERROR, as it calls it)."""
    return bool(_first(error) == 1047)


def _first(error: DBAPIError) -> Any:
    """MySQL's number of an error; SQLite's text."""
    return error.orig.args[0] if error.orig is not None and error.orig.args else None


def _subject(statement: str) -> str:
    """The table that a statement of ours waits for."""
    match = _SUBJECT.match(statement)
    return match.group(2) if match else ""


def holders(engine: sa.Engine, table: str) -> list[str]:
    """The sessions that hold a lock on ``table``, or on MySQL have a transaction open, as far as the engine tells."""
    query = {"postgresql": _POSTGRESQL_HOLDERS, "mysql": _MYSQL_HOLDERS, "mariadb": _MYSQL_HOLDERS}
    name = engine.dialect.name
    if name not in query:
        return []
    try:
        with engine.connect() as connection:
            rows = connection.execute(query[name], {"name": table}).all()
    except SQLAlchemyError:
        return []  # who holds it is a courtesy; that it is held is the message
    return [_postgresql_holder(row) if name == "postgresql" else _mysql_holder(row) for row in rows]


def _postgresql_holder(row: Any) -> str:
    program = f" with {clean(row.application_name)}" if row.application_name else ""
    place = f" from {row.client_addr}" if row.client_addr else ""
    return f"session {row.pid}: {row.usename}{place}{program}, {row.state}, in a transaction for {row.since}"


def _mysql_holder(row: Any) -> str:
    return f"session {row.id}: {row.user} from {row.host}, {row.command} for {row.time} s"
