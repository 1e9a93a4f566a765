"""What is read of a database, held against SQLAlchemy's own reader; how many queries it takes; keys that were lost."""

from __future__ import annotations

import re
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from sites import site
from structure import raw_connection
from studio import Studio

from sg_migrate.database.reflection import Reflection
from sg_migrate.database.sqlite import foreign_keys
from sg_migrate.errors import DriftError

ENGINES = ["sqlite", "postgresql", "mariadb"]
ONDELETE = [None, "CASCADE", "SET NULL"]


def awkward(count: int) -> sa.MetaData:
    """Tables with strange names, comments, indexes over several columns, and keys to one another."""
    metadata = sa.MetaData()
    for number in range(count):
        name = f"A table's name {number}"
        link = sa.ForeignKey(
            f"A table's name {max(0, number - 1)}.id", name=f"fk {number}, x", ondelete=ONDELETE[number % 3]
        )
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("first (a)", sa.String(20), nullable=False, comment='it\'s 100 % \\ "so"'),
            sa.Column("select", sa.Numeric(15, 2), nullable=True),
            sa.Column("linked to", sa.BigInteger(), link, comment=""),
            sa.Index(f"ix {number}", "select", "first (a)"),
            sa.Index(f"ux {number}", "first (a)", unique=True),
            comment="of a table: 50 %" if number % 2 else None,
        )
    return metadata


def tables(url: str) -> dict[str, Any]:
    """What is in a database, as we read it."""
    with raw_connection(url) as connection:
        return by_us(connection)


def by_sqlalchemy(connection: sa.Connection) -> dict[str, Any]:
    inspector = sa.inspect(connection)
    comments = connection.dialect.supports_comments
    return {
        name: (
            (inspector.get_table_comment(name)["text"] if comments else None) or None,
            {c["name"]: (c["nullable"], c.get("comment") or None) for c in inspector.get_columns(name)},
            {i["name"]: (tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(name)},
            {
                k["name"]: (
                    tuple(k["constrained_columns"]),
                    k["referred_table"],
                    tuple(k["referred_columns"]),
                    k["options"].get("ondelete", "").lower(),
                )
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
            {index: astuple(of) for index, of in table.indexes.items()},
            {key: astuple(of) for key, of in table.foreign_keys.items()},
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
    assert {name: astuple(key) for name, key in foreign_keys(sql).items()} == {
        "fk one": (('x " y', "z"), "other (t", ("a", "b"), "cascade"),
        "fk_two": (("id",), "plain", (), ""),
    }
    assert foreign_keys("CREATE TABLE t (id INT)") == {}


def change_key(url: str, table: str, name: str, instead: str) -> None:
    """As somebody would by hand."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            words = {"postgresql": "CONSTRAINT", "mariadb": "FOREIGN KEY"}[engine.dialect.name]
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP {words} {name}")
            if instead:
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD {instead}")
            return
        (sql,) = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).scalars()
        pattern = rf",\s*CONSTRAINT {name} FOREIGN KEY ?\([^)]*\) REFERENCES \w+ \([^)]*\)"
        assert re.search(pattern, sql)
        sql = re.sub(pattern, f", {instead}" if instead else "", sql)
        connection.exec_driver_sql("PRAGMA writable_schema=ON")
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, table))


LOST = ("", "is missing in the database")
CASCADES = (
    "CONSTRAINT {name} FOREIGN KEY (asset_id) REFERENCES asset (id) ON DELETE CASCADE",
    "is not as it was built",
)
ELSEWHERE = ("CONSTRAINT {name} FOREIGN KEY (asset_id) REFERENCES shot (id)", "is not as it was built")


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(("instead", "said"), [LOST, CASCADES, ELSEWHERE], ids=["lost", "cascades", "elsewhere"])
def test_a_foreign_key_changed_by_hand_is_found_and_mended(
    engine_name: str, instead: str, said: str, databases: Databases, tmp_path: Path
) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name), foreign_keys="true")
    studio.take(site(Shot={"asset": "entity:Asset"}, Asset={"shot": "entity:Shot"}))
    studio.revise(rev_id="one")
    other = databases.new(engine_name)
    for url in (studio.url, other):
        studio.upgrade(url=url)
    before = tables(studio.url)
    (name,) = before["shot"][3]
    change_key(studio.url, "shot", name, instead.format(name=name))
    with pytest.raises(DriftError, match=f"foreign key {name} of shot {said}"):
        studio.check()
    studio.revise("mended", "sg_drift=repair")
    assert name not in studio.script(revision="one:head"), "nobody can be asked there"
    for url in (studio.url, other):
        studio.upgrade(url=url)
        assert tables(url)["shot"] == before["shot"]
    studio.check()


@pytest.mark.parametrize("engine_name", ENGINES)
def test_an_index_that_became_unique_is_found_and_mended(
    engine_name: str, databases: Databases, tmp_path: Path
) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    studio.take(site(Shot={"asset": "entity:Asset"}, Asset={}))
    studio.revise(rev_id="one")
    studio.upgrade()
    name = "ix_shot_asset_id_asset_type"
    studio.execute(
        f"DROP INDEX {name}" + (" ON shot" if engine_name == "mariadb" else ""),
        f"CREATE UNIQUE INDEX {name} ON shot (asset_id, asset_type)",
    )
    failed = studio.run("alembic", "check", fails=True)
    assert f"index {name} on shot is not as it was built" in failed.stdout + failed.stderr
    studio.revise("mended", "sg_drift=repair")
    assert "DROP INDEX" not in studio.script(revision="one:head")
    studio.upgrade()
    studio.check()
