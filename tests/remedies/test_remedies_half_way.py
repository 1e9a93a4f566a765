"""A database that refuses a statement, on each engine; on MariaDB a revision stops half way and is finished."""

from __future__ import annotations

from pathlib import Path

import pytest
from carried import commands_in, do, held, refused, says
from engines import Databases
from sites import site
from studio import Studio

from sg_migrate.errors import DatabaseError, ForeignKeyError, RebuildError, ResumeError, UnprovenError

FIRST = site(Asset={}, Shot={"code": "text", "sg_cut": "text"})
SECOND = site(Asset={"sg_new": "text"}, Shot={"code": "text", "sg_cut": "number", "sg_day": "date"})


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def studio(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Studio:
    """One revision old with rows, and the next one written; somebody's column stands in its way."""
    studio = Studio(tmp_path / "project", databases.new(request.param))
    studio.follow(FIRST, "0001")
    studio.upgrade()
    studio.execute("INSERT INTO shot (id, code, sg_cut) VALUES (1, 'a', '12')")
    studio.follow(SECOND, "0002")
    studio.execute("ALTER TABLE shot ADD COLUMN sg_day INTEGER")
    return studio


def test_a_name_that_is_taken(studio: Studio) -> None:
    if studio.url.startswith("mariadb"):
        before = held(studio)
        with pytest.raises(DatabaseError, match="mend the cause") as caught:
            studio.upgrade()
        assert held(studio) != before
        ((_, *resume),) = commands_in(str(caught.value))
        unfinished = refused(studio, ResumeError, says(studio, *resume))
        assert "Nothing was changed" in unfinished
        studio.execute("ALTER TABLE shot DROP COLUMN sg_day")
        assert "upgrade 0002: " in do(studio, *resume)
        assert commands_in(unfinished) == [["alembic", "check"]]
    else:
        refused(studio, DatabaseError, studio.upgrade)
        studio.execute("ALTER TABLE shot DROP COLUMN sg_day")
        studio.upgrade()
    studio.check()
    assert studio.rows("SELECT code, sg_cut, sg_cut__was_text FROM shot") == [("a", 12, "12")]
    assert studio.rows("SELECT version_num FROM alembic_version") == [("0002",)]


BY_HAND = """
op.add_column("shot", sa.Column("one", sa.Integer(), comment="one", info={"sg": "Shot.one number"}))
op.execute("UPDATE shot SET amount = amount * 2")
op.add_column("shot", sa.Column("two", sa.Integer(), comment="two", info={"sg": "Shot.two number"}))
"""


@pytest.mark.parametrize("option", ["--again", "--skip"])
def test_a_statement_of_which_nobody_can_tell(databases: Databases, tmp_path: Path, option: str) -> None:
    """It had run, so it is left out; or it is as if it had not, so it is run again."""
    studio = Studio(tmp_path / "project", databases.new("mariadb"))
    studio.follow(site(Shot={}), "0001")
    studio.upgrade()
    studio.execute("ALTER TABLE shot ADD amount INTEGER", "INSERT INTO shot (id, amount) VALUES (1, 100)")
    studio.write("0002", BY_HAND, on="0001")
    studio.execute("ALTER TABLE shot ADD two INTEGER")  # somebody's column of that name stops it
    with pytest.raises(DatabaseError):
        studio.upgrade()
    studio.execute("ALTER TABLE shot DROP two")
    said = refused(studio, UnprovenError, says(studio, "resume"))
    assert "UPDATE shot SET amount = amount * 2" in said
    assert f"sg-migrate resume {option} " in said
    assert studio.rows("SELECT amount FROM shot") == [(200,)]
    if option == "--again":
        studio.execute("UPDATE shot SET amount = 100")
    assert "upgrade 0002: " in do(studio, "resume", option)
    assert studio.rows("SELECT amount, one, two FROM shot") == [(200, None, None)]
    assert studio.rows("SELECT version_num FROM alembic_version") == [("0002",)]
    studio.take(site(Shot={"one": "number", "two": "number"}))
    studio.check()


# --- SQLite's foreign keys


def test_a_row_that_would_refer_to_nothing(tmp_path: Path, sqlite_url: str) -> None:
    """The message names the row; once it refers to something, the same command works."""
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(site(Shot={"sg_asset": "entity:Asset"}, Asset={}))
    studio.execute("INSERT INTO shot (id, sg_asset_id, sg_asset_type) VALUES (1, 7, 'Asset')")
    studio.configure(foreign_keys="true")
    assert studio.revise() is not None
    said = refused(studio, ForeignKeyError, studio.upgrade)
    assert said.startswith("Row 1 of shot would refer to a row of asset that is not there. Nothing was changed.")
    studio.execute("INSERT INTO asset (id) VALUES (7)")
    studio.upgrade()
    studio.check()
    assert studio.rows("SELECT id, sg_asset_id FROM shot") == [(1, 7)]


LARGE = """
op.execute('''INSERT INTO filler WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
    SELECT i, hex(randomblob(500)) FROM n''')
op.add_column("shot", sa.Column("one", sa.Integer(), comment="one", info={"sg": "Shot.one number"}))
"""


def test_a_transaction_that_nobody_can_look_beside(tmp_path: Path, sqlite_url: str) -> None:
    """A fault of old, and a transaction that SQLite had to write out before its end."""
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.follow(site(Shot={}), "0001")
    studio.upgrade()
    studio.execute(
        "CREATE TABLE filler (id INTEGER PRIMARY KEY, text TEXT)",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, filler INTEGER REFERENCES filler (id))",
        "INSERT INTO child VALUES (5, 99999)",
    )
    studio.write("0002", LARGE, on="0001")
    said = refused(studio, ForeignKeyError, studio.upgrade)
    statement = said.partition("WAL mode (")[2].partition(")")[0]
    studio.execute(statement)
    studio.upgrade()
    assert studio.rows("SELECT count(*) FROM filler") == [(9000,)]
    assert studio.rows("SELECT * FROM child") == [(5, 99999)]
    studio.take(site(Shot={"one": "number"}))
    studio.check()


def test_a_column_that_is_not_in_the_statement(tmp_path: Path, sqlite_url: str) -> None:
    """The message names no remedy but shows both: once the column is there, the same command works."""
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.follow(site(Shot={"code": "text", "sg_kind": "list"}), "0001")
    studio.upgrade()
    studio.execute("INSERT INTO shot (id, code) VALUES (1, 'a')", "ALTER TABLE shot DROP COLUMN sg_kind")
    studio.follow(site(Shot={"code": "text", "sg_kind": "text"}), "0002")
    said = refused(studio, RebuildError, studio.upgrade)
    assert said.startswith("There is no column sg_kind to change in: CREATE TABLE shot")
    studio.execute("ALTER TABLE shot ADD COLUMN sg_kind VARCHAR(255)")
    studio.upgrade()
    studio.check()
    assert studio.rows("SELECT id, code, sg_kind FROM shot") == [(1, "a", None)]
