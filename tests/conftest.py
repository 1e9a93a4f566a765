"""Fixtures for every test: empty databases on real servers.

A test that needs an engine which the machine lacks is skipped with the reason, or fails where
``SG_MIGRATE_REQUIRE_ENGINES=1`` says that the machine is meant to have them all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, Databases, RequestedDatabases, Servers
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Machines that run the tests are busy: how long an example takes says nothing about the code. What lands is not decided
# by chance: the same examples each time, but for `make search`, which looks for new ones.
_BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis_settings.register_profile("gate", derandomize=True, database=None, max_examples=50, **_BUSY)
hypothesis_settings.register_profile("search", derandomize=False, print_blob=True, **_BUSY)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the newest PostgreSQL and MariaDB's other dialect repeat of their siblings waits for `make test-long`."""
    for item in items:
        values = (
            item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        )
        if item.path.name not in ("test_engines.py", "test_conversion_values.py") and (
            "mysql" in values or "postgresql-new" in values
        ):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The servers of this session, started when first used."""
    with Servers() as servers:
        yield servers


@pytest.fixture
def databases(servers: Servers, tmp_path: Path) -> Iterator[Databases]:
    """Gives the test as many databases as it asks for: ``databases.new("postgresql")`` is a URL."""
    with RequestedDatabases(servers, tmp_path) as databases:
        yield databases


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, by name."""
    name: str = request.param
    return name


@pytest.fixture
def engine_url(databases: Databases, engine_name: str) -> str:
    """A new database on each engine in turn."""
    return databases.new(engine_name)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def server_url(databases: Databases, request: pytest.FixtureRequest) -> str:
    """A new database of each kind in turn, for what two versions or dialects of one server do alike."""
    return databases.new(request.param)


@pytest.fixture
def sqlite_url(databases: Databases) -> str:
    return databases.new("sqlite")


@pytest.fixture
def postgresql_url(databases: Databases) -> str:
    return databases.new("postgresql")


@pytest.fixture
def postgresql_new_url(databases: Databases) -> str:
    return databases.new("postgresql-new")


@pytest.fixture
def mariadb_url(databases: Databases) -> str:
    """A new MariaDB database; the URL begins with ``mariadb+pymysql``."""
    return databases.new("mariadb")


@pytest.fixture
def mysql_url(databases: Databases) -> str:
    """A new MariaDB database; the URL begins with ``mysql+pymysql``."""
    return databases.new("mysql")
