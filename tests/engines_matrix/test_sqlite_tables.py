"""SQLite: what others added to our tables is still there after every change of a table."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

from sg_migrate.database.sqlite import with_item, with_type, without_constraint
from sg_migrate.errors import OfflineRebuildError, RebuildError

ADDITIONS = (
    "CREATE TABLE kept (note TEXT)",
    "CREATE TRIGGER watch AFTER UPDATE ON shot BEGIN INSERT INTO kept VALUES ('updated ' || new.code); END",
    "CREATE INDEX by_lower ON shot (lower(code))",
    "CREATE UNIQUE INDEX by_code ON shot (code) WHERE code IS NOT NULL",
    'CREATE VIEW shots AS SELECT code, "asset_id" FROM shot',
    "CREATE VIEW shots_again AS SELECT * FROM shots",
    "ALTER TABLE shot ADD COLUMN mine TEXT COLLATE NOCASE CHECK (mine <> 'no, never')",
    "ALTER TABLE shot ADD COLUMN twice TEXT GENERATED ALWAYS AS (code || code) VIRTUAL",
    "CREATE TABLE publish (id INTEGER PRIMARY KEY, shot_id REFERENCES shot (id) ON DELETE CASCADE)",
)
ROWS = (
    "INSERT INTO asset (id) VALUES (7)",
    "INSERT INTO shot (id, code, asset_id, mine) VALUES (1, 'a', 7, 'x'), (2, NULL, NULL, NULL)",
    "INSERT INTO publish VALUES (1, 1), (2, 2)",
)


def warehouse_with_additions(tmp_path: Path, url: str, **settings: str) -> Warehouse:
    warehouse = Warehouse(tmp_path / "project", url, **settings)
    take(warehouse, "list")
    warehouse.revision("r1")
    warehouse.upgrade()
    run(url, *ADDITIONS, *ROWS)
    return warehouse


def take(warehouse: Warehouse, data_type: str) -> None:
    site = {"Shot": {"code": data_type, "asset": "entity Asset"}, "Asset": {"shot": "entity Shot"}}
    warehouse.take(write_site(warehouse.folder / "site.json", site))


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def without(structure: dict[str, object], *types: str) -> str:
    """A structure as text, blind to what the revision is meant to change."""
    text = repr(structure)
    for word in types:
        text = text.replace(word, "TEXT")
    return text


@pytest.mark.parametrize("foreign_keys", ["false", "true"])
def test_a_longer_text_type_touches_nothing_else(tmp_path: Path, sqlite_url: str, foreign_keys: str) -> None:
    warehouse = warehouse_with_additions(tmp_path, sqlite_url, foreign_keys=foreign_keys)
    before = snapshot_structure(sqlite_url, ignore=["sg_catalog_*"])
    take(warehouse, "text")
    assert "batch_op.alter_column('code', type_=sg_text" in warehouse.revision("r2").read_text("utf-8")
    warehouse.upgrade()
    after = snapshot_structure(sqlite_url, ignore=["sg_catalog_*"])
    assert after["tables"]["shot"]["columns"]["code"]["type"] == "TEXT"
    assert without(after) == without(before, "VARCHAR(255)")
    assert after["tables"]["shot"]["triggers"].keys() == {"watch"}
    assert after["tables"]["shot"]["indexes"].keys() >= {"by_lower", "by_code"}
    assert rows(sqlite_url, "SELECT id, code, asset_id, mine, twice FROM shot ORDER BY id") == [
        (1, "a", 7, "x", "aa"),
        (2, None, None, None, None),
    ]
    assert rows(sqlite_url, "SELECT * FROM publish") == [(1, 1), (2, 2)]
    run(sqlite_url, "UPDATE shot SET code = 'b' WHERE id = 2")
    assert rows(sqlite_url, "SELECT * FROM kept") == [("updated b",)]
    with pytest.raises(sa.exc.IntegrityError):
        run(sqlite_url, "UPDATE shot SET mine = 'no, never'")
    assert rows(sqlite_url, "PRAGMA integrity_check") == [("ok",)]
    warehouse.check()
    warehouse.downgrade("r1")
    assert snapshot_structure(sqlite_url, ignore=["sg_catalog_*"]) == before


def test_foreign_keys_come_and_go_without_a_copy(tmp_path: Path, sqlite_url: str) -> None:
    warehouse = warehouse_with_additions(tmp_path, sqlite_url)
    before = snapshot_structure(sqlite_url)
    warehouse.ini.write_text(
        warehouse.ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nforeign_keys = true\n"), "utf-8"
    )
    warehouse.revision("r2")
    warehouse.upgrade()
    keys = snapshot_structure(sqlite_url)["tables"]["shot"]["foreign_keys"]
    assert keys == {"asset_id->asset": {"columns": ["asset_id"], "table": "asset", "referred": ["id"],
                                        "on_update": "NO ACTION", "on_delete": "NO ACTION"}}  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError):
        run(sqlite_url, "UPDATE shot SET asset_id = 8")
    warehouse.check()
    warehouse.downgrade("r1")
    assert snapshot_structure(sqlite_url) == before


HAND_WRITTEN = '''"""by hand"""
import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"
sg_digest = None


def upgrade():
    with op.batch_alter_table("shot") as batch_op:
        batch_op.alter_column("asset_type", nullable=False, server_default="Asset", existing_type=sa.String(64))


def downgrade():
    pass
'''


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:Unnamed CHECK constraint on reflected table")
def test_a_batch_that_must_copy_loses_nothing(tmp_path: Path, sqlite_url: str) -> None:
    warehouse = warehouse_with_additions(tmp_path, sqlite_url)
    run(sqlite_url, "UPDATE shot SET asset_type = 'Asset'", "DELETE FROM kept")
    before = snapshot_structure(sqlite_url)
    (warehouse.versions / "r2_by_hand.py").write_text(HAND_WRITTEN, "utf-8")
    warehouse.upgrade()
    after = snapshot_structure(sqlite_url)
    column = after["tables"]["shot"]["columns"].pop("asset_type")
    assert not column["nullable"]
    before["tables"]["shot"]["columns"].pop("asset_type")
    assert after["views"] == before["views"]
    for part in ("triggers", "indexes", "checks"):
        assert after["tables"]["shot"][part] == before["tables"]["shot"][part], part
    assert after["tables"]["shot"]["columns"].keys() == before["tables"]["shot"]["columns"].keys()
    assert rows(sqlite_url, "SELECT code, twice FROM shot ORDER BY id") == [("a", "aa"), (None, None)]
    assert rows(sqlite_url, "SELECT * FROM publish") == [(1, 1), (2, 2)]


def test_a_script_is_refused_where_a_table_must_change(tmp_path: Path, sqlite_url: str) -> None:
    warehouse = warehouse_with_additions(tmp_path, sqlite_url)
    assert "CREATE TABLE shot" in warehouse.script("r1")
    take(warehouse, "text")
    warehouse.revision("r2")
    with pytest.raises(OfflineRebuildError, match="table shot"):
        warehouse.script("r1:r2")


AWKWARD = """CREATE TABLE "a (b" (id BIGINT NOT NULL, -- a, comment (
\t"co""de" VARCHAR(255) DEFAULT 'x, (' CHECK ("co""de" <> ')'), [two words] TEXT, plain,
\t`x` NUMERIC(15, 2) /* , */, CONSTRAINT "fk_one" FOREIGN KEY(id) REFERENCES other (id),
\tPRIMARY KEY (id) -- the end
) WITHOUT ROWID"""


def test_statements_are_edited_whatever_stands_in_them() -> None:
    assert with_type(AWKWARD, 'co"de', "TEXT") == AWKWARD.replace("VARCHAR(255)", "TEXT")
    assert with_type(AWKWARD, "two words", "VARCHAR(3)") == AWKWARD.replace(
        "[two words] TEXT", "[two words] VARCHAR(3)"
    )
    assert with_type(AWKWARD, "PLAIN", "TEXT") == AWKWARD.replace("plain", "plain TEXT")
    assert with_type(AWKWARD, "x", "TEXT") == AWKWARD.replace("NUMERIC(15, 2)", "TEXT")
    item = "CONSTRAINT fk_two FOREIGN KEY(id) REFERENCES x (id)"
    added = with_item(AWKWARD, item)
    assert item in added
    assert without_constraint(added, "fk_two").split() == AWKWARD.split()
    assert "fk_one" not in without_constraint(AWKWARD, "FK_ONE")
    for sql in (AWKWARD, added, without_constraint(AWKWARD, "fk_one")):
        engine = sa.create_engine("sqlite://")
        with engine.begin() as connection:
            connection.exec_driver_sql(sql)
    with pytest.raises(RebuildError, match="column nothing"):
        with_type(AWKWARD, "nothing", "TEXT")
    with pytest.raises(RebuildError, match="constraint nothing"):
        without_constraint(AWKWARD, "nothing")
