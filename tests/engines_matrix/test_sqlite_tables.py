"""SQLite: what others added to our tables is still there after every change of a table."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sites import site
from structure import snapshot_structure
from studio import Studio

from sg_migrate import SiteSchema
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


def with_additions(folder: Path, url: str, **settings: str) -> Studio:
    """A project with its database at the first revision, and what others added to it."""
    studio = Studio(folder / "project", url, **settings)
    studio.take(with_code("list"))
    studio.revise(rev_id="r1")
    studio.upgrade()
    run(studio, *ADDITIONS, *ROWS)
    return studio


def with_code(kind: str) -> SiteSchema:
    return site(Shot={"code": kind, "asset": "entity:Asset"}, Asset={"shot": "entity:Shot"})


def run(studio: Studio, *statements: str) -> None:
    """Where foreign keys count, as they do for the studio's own tools."""
    studio.execute("PRAGMA foreign_keys=ON", *statements)


def without(structure: dict[str, object], *types: str) -> str:
    """A structure as text, blind to what the revision is meant to change."""
    text = repr(structure)
    for word in types:
        text = text.replace(word, "TEXT")
    return text


@pytest.mark.parametrize("foreign_keys", ["false", "true"])
def test_a_longer_text_type_touches_nothing_else(tmp_path: Path, sqlite_url: str, foreign_keys: str) -> None:
    studio = with_additions(tmp_path, sqlite_url, foreign_keys=foreign_keys)
    before = snapshot_structure(sqlite_url, ignore=["sg_catalog_*"])
    studio.take(with_code("text"))
    made = studio.revise()
    assert made is not None
    assert "batch_op.alter_column('code', type_=sg_text" in made.read_text("utf-8")
    studio.upgrade()
    after = snapshot_structure(sqlite_url, ignore=["sg_catalog_*"])
    assert after["tables"]["shot"]["columns"]["code"]["type"] == "TEXT"
    assert without(after) == without(before, "VARCHAR(255)")
    assert after["tables"]["shot"]["triggers"].keys() == {"watch"}
    assert after["tables"]["shot"]["indexes"].keys() >= {"by_lower", "by_code"}
    assert studio.rows("SELECT id, code, asset_id, mine, twice FROM shot ORDER BY id") == [
        (1, "a", 7, "x", "aa"),
        (2, None, None, None, None),
    ]
    assert studio.rows("SELECT * FROM publish") == [(1, 1), (2, 2)]
    run(studio, "UPDATE shot SET code = 'b' WHERE id = 2")
    assert studio.rows("SELECT * FROM kept") == [("updated b",)]
    with pytest.raises(sa.exc.IntegrityError):
        run(studio, "UPDATE shot SET mine = 'no, never'")
    assert studio.rows("PRAGMA integrity_check") == [("ok",)]
    studio.check()
    studio.downgrade("r1")
    assert snapshot_structure(sqlite_url, ignore=["sg_catalog_*"]) == before


def test_foreign_keys_come_and_go_without_a_copy(tmp_path: Path, sqlite_url: str) -> None:
    studio = with_additions(tmp_path, sqlite_url)
    before = snapshot_structure(sqlite_url)
    studio.configure(foreign_keys="true")
    studio.revise()
    studio.upgrade()
    keys = snapshot_structure(sqlite_url)["tables"]["shot"]["foreign_keys"]
    assert keys == {"asset_id->asset": {"columns": ["asset_id"], "table": "asset", "referred": ["id"],
                                        "on_update": "NO ACTION", "on_delete": "NO ACTION"}}  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError):
        run(studio, "UPDATE shot SET asset_id = 8")
    studio.check()
    studio.downgrade("r1")
    assert snapshot_structure(sqlite_url) == before


BY_HAND = """
with op.batch_alter_table("shot") as batch_op:
    batch_op.alter_column("asset_type", nullable=False, server_default="Asset", existing_type=sa.String(64))
"""


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:Unnamed CHECK constraint on reflected table")
def test_a_batch_that_must_copy_loses_nothing(tmp_path: Path, sqlite_url: str) -> None:
    studio = with_additions(tmp_path, sqlite_url)
    run(studio, "UPDATE shot SET asset_type = 'Asset'", "DELETE FROM kept")
    before = snapshot_structure(sqlite_url)
    studio.write("r2", BY_HAND, on="r1")
    studio.upgrade()
    after = snapshot_structure(sqlite_url)
    column = after["tables"]["shot"]["columns"].pop("asset_type")
    assert not column["nullable"]
    before["tables"]["shot"]["columns"].pop("asset_type")
    assert after["views"] == before["views"]
    for part in ("triggers", "indexes", "checks"):
        assert after["tables"]["shot"][part] == before["tables"]["shot"][part], part
    assert after["tables"]["shot"]["columns"].keys() == before["tables"]["shot"]["columns"].keys()
    assert studio.rows("SELECT code, twice FROM shot ORDER BY id") == [("a", "aa"), (None, None)]
    assert studio.rows("SELECT * FROM publish") == [(1, 1), (2, 2)]


def test_a_script_is_refused_where_a_table_must_change(tmp_path: Path, sqlite_url: str) -> None:
    studio = with_additions(tmp_path, sqlite_url)
    assert "CREATE TABLE shot" in studio.script(revision="r1")
    studio.take(with_code("text"))
    studio.revise(rev_id="r2")
    with pytest.raises(OfflineRebuildError, match="table shot"):
        studio.script(revision="r1:r2")


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
