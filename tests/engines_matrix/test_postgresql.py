"""PostgreSQL: native types, no rewrite of a table that can be avoided, a schema of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sites import changed, site
from structure import raw_connection, snapshot_structure
from studio import Studio, execute

from sg_migrate import SiteSchema

FIRST = {
    "Shot": {
        "code": "list", "status": "status_list", "cut": "text", "old": "text", "at": "date_time",
        "meta": "serializable", "rate": "float", "cost": "currency", "asset": "entity:Asset",
        "assets": "multi_entity:Asset",
    },
    "Asset": {"code": "text"},
}  # fmt: skip
SECOND = {
    "Shot": {
        "code": "text", "status": "list", "cut": "number", "at": "date_time", "meta": "serializable",
        "rate": "float", "cost": "currency", "asset": "entity:Asset", "assets": "multi_entity:Asset", "new": "url",
    },
    "Asset": {"code": "text", "more": "entity:Shot"},
}  # fmt: skip
FILES = """SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
             AND NOT starts_with(c.relname, 'sg_catalog')"""

pytestmark = pytest.mark.parametrize("engine_name", ["postgresql", "postgresql-new"], indirect=True)


def files(url: str) -> dict[str, int]:
    """The file of every table, index and toast table: a rewrite gives another."""
    with raw_connection(url) as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(FILES)}


def described(types: dict[str, dict[str, str]], description: str) -> SiteSchema:
    """A site where some fields have a description."""
    schema = site(types)
    for place in ("Shot.code", "Shot.status", "Shot.cut", "Shot.asset", "Asset.code"):
        schema = changed(schema, place, description=description)
    return schema


@pytest.fixture
def studio(tmp_path: Path, engine_url: str) -> Studio:
    """A project with its database at the first revision."""
    studio = Studio(tmp_path / "project", engine_url)
    studio.take(described(FIRST, "as it was"))
    studio.revise()
    studio.upgrade()
    return studio


def revised(studio: Studio) -> str:
    """The text of the next revision, which has been run."""
    made = studio.revise()
    assert made is not None
    studio.upgrade()
    return made.read_text("utf-8")


def test_no_table_is_rewritten(studio: Studio) -> None:
    before = files(studio.url)
    studio.take(described(SECOND, "said anew"))
    text = revised(studio)
    for part in ("op.add_column", "batch_op.alter_column", "op.convert_column", "comment=", "[retired]"):
        assert part in text
    after = files(studio.url)
    assert {name: after[name] for name in before} == before
    studio.configure(entity_names="Shot=take Asset=thing")
    assert "op.rename_table" in revised(studio)
    assert set(after.values()) - set(files(studio.url).values()) == set()
    studio.check()


def test_native_types(studio: Studio) -> None:
    columns = snapshot_structure(studio.url)["tables"]["shot"]["columns"]
    assert {name: column["type"] for name, column in columns.items()} == {
        "id": "bigint",
        "code": "character varying(255)",
        "status": "character varying(64)",
        "cut": "text",
        "old": "text",
        "at": "timestamp with time zone",
        "meta": "jsonb",
        "rate": "double precision",
        "cost": "numeric(15,2)",
        "asset_id": "bigint",
        "asset_type": "character varying(64)",
        "retired_at": "timestamp with time zone",
    }


def test_a_schema_beside_tables_of_the_same_name(tmp_path: Path, engine_url: str) -> None:
    """The whole way in a schema: no revision names it, what is in public is left alone, up and down."""
    execute(
        engine_url,
        "CREATE TABLE shot (id INT PRIMARY KEY, code INT)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('somebody else''s')",
        "INSERT INTO shot VALUES (1, 2)",
    )
    before = snapshot_structure(engine_url, schema="public")
    studio = Studio(tmp_path / "project", engine_url, schema="Shot_Grid", foreign_keys="true")
    for types in (FIRST, SECOND):
        studio.take(site(types))
        assert "Shot_Grid" not in revised(studio)
        studio.check()
    assert snapshot_structure(engine_url, schema="Shot_Grid")["tables"].keys() >= {"shot", "asset", "alembic_version"}
    assert "CREATE TABLE shot (" in studio.script(revision="0001")
    studio.downgrade("base")
    assert snapshot_structure(engine_url, schema="Shot_Grid")["tables"].keys() == {"alembic_version"}
    assert snapshot_structure(engine_url, schema="public") == before
    assert studio.rows("SELECT * FROM shot") == [(1, 2)]
    assert studio.value("SELECT version_num FROM alembic_version") == "somebody else's"
