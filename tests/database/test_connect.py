"""``connect`` with an application's own engine, and foreign keys on SQLite: checked once, what is new is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from sqlalchemy import pool

from sg_migrate.database.connection import connect
from sg_migrate.errors import ForeignKeyError
from sg_migrate.settings import Settings

FAMILY = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent ON DELETE CASCADE, note TEXT)",
    "INSERT INTO parent VALUES (1)",
    "INSERT INTO child VALUES (1, 1, NULL)",
)


def run(url: str, *statements: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@contextmanager
def migration(engine: sa.Engine) -> Iterator[sa.Connection]:
    with connect({}, "", Settings(), engine) as connection:
        yield connection


def fail_after(engine: sa.Engine, statement: str) -> None:
    with migration(engine) as connection, connection.begin():
        connection.exec_driver_sql(statement)
        raise RuntimeError


@pytest.mark.parametrize("pool_class", [pool.StaticPool, pool.SingletonThreadPool])
@pytest.mark.parametrize("foreign_keys", ["ON", "OFF"])
def test_a_database_in_memory_is_still_there(pool_class: type[pool.Pool], foreign_keys: str) -> None:
    engine = sa.create_engine("sqlite://", poolclass=pool_class, connect_args={"isolation_level": "IMMEDIATE"})

    @sa.event.listens_for(engine, "connect")
    def set_up(driver: Any, _: Any) -> None:
        driver.execute(f"PRAGMA foreign_keys={foreign_keys}")
        driver.execute("PRAGMA busy_timeout=1234")

    def of_the_application() -> tuple[Any, ...]:
        with engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("foreign_keys", "busy_timeout")
            ]
            return (id(driver), driver.isolation_level, driver.in_transaction, *pragmas)

    with engine.begin() as connection:
        for statement in FAMILY:
            connection.exec_driver_sql(statement)
    before = of_the_application()
    with migration(engine) as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE shot (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO shot VALUES (7)")
    with pytest.raises(RuntimeError):
        fail_after(engine, "CREATE TABLE asset (id INTEGER)")
    assert of_the_application() == before
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id FROM shot").all() == [(7,)]
        assert sa.inspect(connection).get_table_names() == ["child", "parent", "shot"]
        connection.exec_driver_sql("DELETE FROM parent")
        left = connection.exec_driver_sql("SELECT count(*) FROM child").scalar()
    assert left == (0 if foreign_keys == "ON" else 1)


def test_an_application_that_begins_transactions_itself(sqlite_url: str) -> None:
    """As SQLAlchemy's documentation has it for transactions that hold DDL."""
    engine = sa.create_engine(sqlite_url)

    @sa.event.listens_for(engine, "connect")
    def no_implicit_begin(driver: Any, _: Any) -> None:
        driver.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail_after(engine, "CREATE TABLE shot (id INTEGER)")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE asset (id INTEGER)")
    assert sa.inspect(engine).get_table_names() == ["asset"]
    engine.dispose()


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"])
def test_what_is_set_on_a_session_stays_with_none_of_the_application(engine_name: str, databases: Databases) -> None:
    engine = sa.create_engine(databases.new(engine_name), pool_size=1, max_overflow=0)
    settings = Settings(lock_timeout=7, schema="site" if engine_name == "postgresql" else "")
    query = {
        "postgresql": "SELECT current_setting('TimeZone'), current_setting('lock_timeout'), current_schema()",
        "mariadb": "SELECT @@time_zone, @@lock_wait_timeout, database()",
    }[engine_name]

    def seen() -> Any:
        with engine.connect() as connection:
            return connection.exec_driver_sql(query).one(), engine.dialect.default_schema_name

    before, words = seen(), engine.dialect.identifier_preparer.reserved_words
    with connect({}, "", settings, engine) as connection:
        assert connection.exec_driver_sql(query).one() != before[0]
    assert seen() == before
    assert engine.dialect.identifier_preparer.reserved_words == words
    engine.dispose()


def checks_during(engine: sa.Engine, *transactions: tuple[str, ...]) -> int:
    """How often foreign keys are checked while these transactions run, by SQLite's own account of what it ran."""
    statements: list[str] = []
    with migration(engine) as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(statements.append)
        for transaction in transactions:
            with connection.begin():
                for statement in transaction:
                    connection.exec_driver_sql(statement)
    return sum("foreign_key_check" in statement for statement in statements)


def test_one_check_for_each_transaction(sqlite_url: str) -> None:
    run(sqlite_url, *FAMILY)
    engine = sa.create_engine(sqlite_url, poolclass=sa.NullPool)
    assert checks_during(engine, ("INSERT INTO parent VALUES (2)",), ("INSERT INTO child VALUES (2, 2, 'x')",)) == 2


@pytest.mark.parametrize("journal", ["DELETE", "WAL", "memory"])
def test_only_what_is_new_is_refused(sqlite_url: str, journal: str) -> None:
    url = "sqlite://" if journal == "memory" else sqlite_url
    engine = sa.create_engine(url, poolclass=pool.StaticPool if journal == "memory" else pool.NullPool)
    with engine.connect() as connection:
        for statement in (f"PRAGMA journal_mode={journal}", *FAMILY, "INSERT INTO child VALUES (5, 99, NULL)"):
            connection.exec_driver_sql(statement)
        connection.commit()
    assert checks_during(engine, ("UPDATE child SET note = 'an old fault is no reason to refuse'",)) in (1, 2)
    with (
        pytest.raises(ForeignKeyError, match=r"Row 6 of child would .* Nothing was changed\.$"),
        migration(engine) as connection,
        connection.begin(),
    ):
        connection.exec_driver_sql("INSERT INTO child VALUES (6, 98, NULL)")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id, note IS NULL FROM child").all() == [(1, 0), (5, 0)]
    engine.dispose()


def test_a_transaction_that_nobody_can_look_beside(sqlite_url: str) -> None:
    """One that SQLite had to write out before its end: the remedy of the message is tried."""
    run(sqlite_url, *FAMILY, "INSERT INTO child VALUES (5, 99, NULL)")
    engine = sa.create_engine(sqlite_url, poolclass=sa.NullPool)
    fill = "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
    large = (f"INSERT INTO child SELECT i, 1, hex(randomblob(500)) FROM ({fill} SELECT i FROM n)",)
    with pytest.raises(ForeignKeyError, match=r"Row 5 of child .*PRAGMA journal_mode=WAL"):
        checks_during(engine, large)
    run(sqlite_url, "PRAGMA journal_mode=WAL")
    assert checks_during(engine, large) == 1


def test_the_old_faults_of_a_file_with_a_strange_name(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c %20.db"
    run(str(path), *FAMILY, "INSERT INTO child VALUES (5, 99, NULL)")
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)
    assert checks_during(engine, ("INSERT INTO parent VALUES (2)",)) == 1
    with pytest.raises(ForeignKeyError):
        checks_during(engine, ("DELETE FROM parent WHERE id = 1",))
