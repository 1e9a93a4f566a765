"""The address of a database: what is wrong with one that cannot be used, in words and without its password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, pool

from sg_migrate.errors import DatabaseUnavailableError

_DRIVERS = {
    "postgresql": ("postgresql+psycopg://", "pip install 'sg-migrate[postgresql]'"),
    "mysql": ("mysql+pymysql://", "pip install 'sg-migrate[mysql]'"),
    "mariadb": ("mariadb+pymysql://", "pip install 'sg-migrate[mysql]'"),
}
"""What to write and to install, by dialect."""
_DIALECTS = {"postgres": "postgresql", "psql": "postgresql", "pgsql": "postgresql", "sqlite3": "sqlite"}
"""What others call them."""


def engine_for(url: str | sa.URL, options: Mapping[str, Any], **arguments: Any) -> sa.Engine:
    """An engine that keeps no connection; connects to nothing yet.

    Args:
        url: the address.
        options: alembic.ini's section with the ``sqlalchemy.`` options.
        arguments: more for ``create_engine``.

    Raises:
        DatabaseUnavailableError: the address is none, or its dialect or driver is not there.
    """
    try:
        found = sa.make_url(url)
        return sa.engine_from_config({**options, "sqlalchemy.url": found}, poolclass=pool.NullPool, **arguments)
    except exc.NoSuchModuleError:
        raise DatabaseUnavailableError(_shown(url), _unknown(str(sa.make_url(url).drivername))) from None
    except ModuleNotFoundError as error:
        raise DatabaseUnavailableError(_shown(url), _missing(sa.make_url(url), str(error.name))) from None
    except (exc.ArgumentError, ValueError):
        raise DatabaseUnavailableError(
            "the database", "its address is none: it must read dialect+driver://user@host/name"
        ) from None


_SECRETS = ("password", "passwd", "pwd")
"""In an address's query."""


def without_password(url: str) -> str:
    """The address without its password, for a file; the same text where there is none in it.

    Raises:
        DatabaseUnavailableError: it is no address.
    """
    try:
        found = sa.make_url(url)
    except exc.ArgumentError:
        raise DatabaseUnavailableError(
            "--url", "it is no address: it must read dialect+driver://user@host/name"
        ) from None
    parts = (found.drivername, found.username, None, found.host, found.port, found.database, found.query)
    plain = sa.URL.create(*parts).difference_update_query(_SECRETS)
    return url if plain == found else plain.render_as_string(hide_password=False)


def _shown(url: str | sa.URL) -> str:
    return sa.make_url(url).render_as_string(hide_password=True)


def _unknown(name: str) -> str:
    """Of a dialect or a driver that SQLAlchemy does not know."""
    dialect, _, driver = name.partition("+")
    known = _DIALECTS.get(dialect, dialect)
    wanted = _DRIVERS.get(known, (f"{known}://", ""))[0]
    if known == dialect and known not in _DRIVERS:
        return f"SQLAlchemy knows no dialect {dialect!r}"
    what = f"driver {driver!r} for {dialect}" if known == dialect else f"dialect {dialect!r}"
    return f"SQLAlchemy knows no {what}; write {wanted}"


def _missing(url: sa.URL, module: str) -> str:
    """Of a driver that is not installed."""
    problem = f"the driver {module} is not installed"
    wanted, install = _DRIVERS.get(url.get_backend_name(), ("", ""))
    if not wanted:
        return problem
    return f"{problem}; {install}" + ("" if url.drivername == wanted[:-3] else f", and write {wanted}")
