"""PostgreSQL: native types, no rewrite of a table that can be avoided, a schema of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

FIRST = {
    "Shot": {
        "code": "list", "status": "status_list", "cut": "text", "old": "text", "at": "date_time",
        "meta": "serializable", "rate": "float", "cost": "currency", "asset": "entity Asset",
        "assets": "multi_entity Asset",
    },
    "Asset": {"code": "text"},
}  # fmt: skip
SECOND = {
    "Shot": {
        "code": "text", "status": "list", "cut": "number", "at": "date_time", "meta": "serializable",
        "rate": "float", "cost": "currency", "asset": "entity Asset", "assets": "multi_entity Asset", "new": "url",
    },
    "Asset": {"code": "text", "more": "entity Shot"},
}  # fmt: skip

pytestmark = pytest.mark.parametrize("engine_name", ["postgresql", "postgresql-new"], indirect=True)


def files(url: str) -> dict[str, int]:
    """The file of every table, index and toast table: a rewrite gives another."""
    statement = """SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
                     AND NOT starts_with(c.relname, 'sg_catalog')"""
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(statement)}


def take(warehouse: Warehouse, site: dict[str, dict[str, str]], description: str) -> None:
    descriptions = dict.fromkeys(("code", "status", "cut", "asset"), description)
    warehouse.take(write_site(warehouse.folder / "site.json", site, descriptions=descriptions))


def test_no_table_is_rewritten(tmp_path: Path, engine_url: str) -> None:
    warehouse = Warehouse(tmp_path / "project", engine_url)
    take(warehouse, FIRST, "as it was")
    warehouse.revision("r1")
    warehouse.upgrade()
    before = files(engine_url)
    take(warehouse, SECOND, "said anew")
    text = warehouse.revision("r2").read_text("utf-8")
    for part in ("op.add_column", "batch_op.alter_column", "op.convert_column", "comment=", "[retired]"):
        assert part in text
    warehouse.upgrade()
    after = files(engine_url)
    assert {name: after[name] for name in before} == before
    setting = "[sg_migrate]\nentity_names = Shot=take Asset=thing\n"
    warehouse.ini.write_text(warehouse.ini.read_text("utf-8").replace("[sg_migrate]\n", setting), "utf-8")
    assert "op.rename_table" in warehouse.revision("r3").read_text("utf-8")
    warehouse.upgrade()
    assert set(after.values()) - set(files(engine_url).values()) == set()
    warehouse.check()


def test_native_types(tmp_path: Path, engine_url: str) -> None:
    warehouse = Warehouse(tmp_path / "project", engine_url)
    take(warehouse, FIRST, "")
    warehouse.revision("r1")
    warehouse.upgrade()
    columns = snapshot_structure(engine_url)["tables"]["shot"]["columns"]
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
    }


def test_a_schema_beside_tables_of_the_same_name(tmp_path: Path, engine_url: str) -> None:
    """The whole way in a schema: no revision names it, what is in public is left alone, up and down."""
    statements = (
        "CREATE TABLE shot (id INT PRIMARY KEY, code INT)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('somebody else''s')",
        "INSERT INTO shot VALUES (1, 2)",
    )
    with sa.create_engine(engine_url, poolclass=sa.NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    before = snapshot_structure(engine_url, schema="public")
    warehouse = Warehouse(tmp_path / "project", engine_url, schema="Shot_Grid", foreign_keys="true")
    for number, site in enumerate((FIRST, SECOND), 1):
        take(warehouse, site, "")
        assert "Shot_Grid" not in warehouse.revision(f"r{number}").read_text("utf-8")
        warehouse.upgrade()
        warehouse.check()
    assert snapshot_structure(engine_url, schema="Shot_Grid")["tables"].keys() >= {"shot", "asset", "alembic_version"}
    assert "CREATE TABLE shot (" in warehouse.script("r1")
    warehouse.downgrade("base")
    assert snapshot_structure(engine_url, schema="Shot_Grid")["tables"].keys() == {"alembic_version"}
    assert snapshot_structure(engine_url, schema="public") == before
    with sa.create_engine(engine_url, poolclass=sa.NullPool).begin() as connection:
        assert connection.exec_driver_sql("SELECT * FROM shot").all() == [(1, 2)]
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "somebody else's"
