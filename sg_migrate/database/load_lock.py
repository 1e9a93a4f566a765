"""One load at a time on a database, wherever it runs: a lock of the engine's that ends with its session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from sg_migrate.errors import FilesBusyError, LoadBusyError
from sg_migrate.site.lock import locked

_NAME = "sg_migrate load"
_ASK = {
    "postgresql": "SELECT pg_try_advisory_lock(hashtext('{name}'))",
    "mysql": "SELECT GET_LOCK(CONCAT('{name} ', DATABASE()), 0)",
    "mariadb": "SELECT GET_LOCK(CONCAT('{name} ', DATABASE()), 0)",
}


@contextmanager
def one_load(connection: sa.Connection) -> Iterator[None]:
    """Inside, no other load is at work on the database. SQLite, whose locks end with a transaction, has a file's.

    Raises:
        LoadBusyError: another one is.
    """
    ask = _ASK.get(connection.dialect.name)
    if ask is not None:
        got = connection.exec_driver_sql(ask.format(name=_NAME)).scalar()
        connection.commit()
        if not got:
            raise LoadBusyError
        yield
        return
    file = connection.engine.url.database
    if not file or file == ":memory:":
        yield
        return
    try:
        with locked(Path(file)):
            yield
    except FilesBusyError:
        raise LoadBusyError from None
