"""What is read of a database, held against SQLAlchemy's own reader; how many queries it takes; keys that were lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases

from sg_migrate.database.reflection import Reflection
from sg_migrate.database.sqlite import foreign_keys

ENGINES = ["sqlite", "postgresql", "mariadb"]


def awkward(count: int) -> sa.MetaData:
    """Tables with strange names, comments, indexes over several columns, and keys to one another."""
    metadata = sa.MetaData()
    for number in range(count):
        name = f"A table's name {number}"
        link = sa.ForeignKey(f"A table's name {max(0, number - 1)}.id", name=f"fk {number}, x")
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("first (a)", sa.String(20), nullable=False, comment='it\'s 100 % \\ "so"'),
            sa.Column("select", sa.Numeric(15, 2), nullable=True),
            sa.Column("linked, to", sa.BigInteger(), link, comment=""),
            sa.Index(f"ix {number}", "select", "first (a)"),
            sa.Index(f"ux {number}", "first (a)", unique=True),
            comment="of a table: 50 %" if number % 2 else None,
        )
    return metadata


def by_sqlalchemy(connection: sa.Connection) -> dict[str, Any]:
    inspector = sa.inspect(connection)
    comments = connection.dialect.supports_comments
    return {
        name: (
            (inspector.get_table_comment(name)["text"] if comments else None) or None,
            {c["name"]: (c["nullable"], c.get("comment") or None) for c in inspector.get_columns(name)},
            {i["name"]: tuple(i["column_names"]) for i in inspector.get_indexes(name)},
            {
                k["name"]: (tuple(k["constrained_columns"]), k["referred_table"])
                for k in inspector.get_foreign_keys(name)
            },
        )
        for name in inspector.get_table_names()
    }


def by_us(connection: sa.Connection) -> dict[str, Any]:
    return {
        name: (
            table.comment or None,
            {column: (of.nullable, of.comment or None) for column, of in table.columns.items()},
            dict(table.indexes),
            dict(table.foreign_keys),
        )
        for name, table in Reflection(connection).tables().items()
    }


@pytest.mark.parametrize("engine_name", ENGINES)
def test_it_is_read_as_sqlalchemy_reads_it_and_in_a_few_queries(engine_name: str, databases: Databases) -> None:
    counts = []
    for number_of_tables in (2, 23):
        engine = sa.create_engine(databases.new(engine_name), poolclass=sa.NullPool)
        with engine.begin() as connection:
            awkward(number_of_tables).create_all(connection)
            connection.exec_driver_sql("CREATE VIEW looking AS SELECT 1 AS one")
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")  # what SQLAlchemy asks of a new server is asked now
            statements: list[str] = []
            sa.event.listen(connection, "before_cursor_execute", lambda *at, to=statements: to.append(at[2]))
            ours = by_us(connection)
            counts.append(len(statements))
            assert ours == by_sqlalchemy(connection)
            assert len(ours) == number_of_tables
    assert counts[0] == counts[1] <= 7


def test_names_of_foreign_keys_stand_in_the_statement_only() -> None:
    sql = """CREATE TABLE "a (b" (id BIGINT, -- CONSTRAINT no FOREIGN KEY (id) REFERENCES x (id),
        c TEXT CHECK (c <> 'foreign'), PRIMARY KEY (id), FOREIGN KEY (id) REFERENCES unnamed (id),
        constraint [fk one] foreign key ("x "" y", `z`) references "other (t" (a, b) on delete cascade,
        CONSTRAINT fk_two FOREIGN KEY(id)REFERENCES plain, CONSTRAINT ck CHECK (id > 0))"""
    assert foreign_keys(sql) == {"fk one": (('x " y', "z"), "other (t"), "fk_two": (("id",), "plain")}
    assert foreign_keys("CREATE TABLE t (id INT)") == {}


def lose_key(url: str, table: str, name: str) -> None:
    """As somebody would by hand."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            return
        (sql,) = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).scalars()
        rest = re.sub(rf",\s*CONSTRAINT {name} FOREIGN KEY ?\([^)]*\) REFERENCES \w+ \([^)]*\)", "", sql)
        assert rest != sql
        connection.exec_driver_sql("PRAGMA writable_schema=ON")
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = ?", (rest, table))


@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_lost_foreign_key_is_found_and_mended(
    engine_name: str, site: Callable[..., Any], databases: Databases
) -> None:
    project = site(databases.new(engine_name), foreign_keys="true")
    project.take({"Shot": {"asset": "entity Asset"}, "Asset": {"shot": "entity Shot"}})
    project.revise("one")
    project.alembic("upgrade", "head")
    project.alembic("check")
    with sa.create_engine(project.url, poolclass=sa.NullPool).connect() as connection:
        before = by_us(connection)
    (name,) = before["shot"][3]
    lose_key(project.url, "shot", name)
    failed = project.alembic("check", fails=True)
    assert f"foreign key {name} of shot is missing in the database" in failed.stdout + failed.stderr
    project.alembic("-x", "sg_drift=repair", "revision", "--autogenerate", "-m", "made", "--rev-id", "two")
    project.alembic("upgrade", "head")
    project.alembic("check")
    with sa.create_engine(project.url, poolclass=sa.NullPool).connect() as connection:
        assert by_us(connection)["shot"] == before["shot"]
