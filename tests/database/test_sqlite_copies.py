"""SQLite that lets nobody edit its schema table: a copy gives what the edit gives, and what others added is kept."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sites import site
from structure import snapshot_structure
from studio import Studio

from sg_migrate.database.connection import prepare_context
from sg_migrate.database.sqlite import with_name
from sg_migrate.errors import ForeignKeysOnError

ADDITIONS = """
    CREATE TABLE kept (note TEXT);
    CREATE TABLE publish (id INTEGER PRIMARY KEY, shot_id REFERENCES shot (id) ON DELETE CASCADE);
    CREATE TABLE fast (id BIGINT PRIMARY KEY, shot BIGINT REFERENCES shot (id)) WITHOUT ROWID;
    CREATE TRIGGER watch AFTER UPDATE ON shot BEGIN INSERT INTO kept VALUES ('updated ' || new.code); END;
    CREATE TRIGGER elsewhere AFTER INSERT ON publish BEGIN UPDATE shot SET mine = 'y' WHERE id = new.shot_id; END;
    CREATE INDEX by_lower ON shot (lower(code));
    CREATE UNIQUE INDEX by_code ON shot (code COLLATE NOCASE DESC) WHERE code IS NOT NULL;
    CREATE VIEW shots AS SELECT code, "asset_id" FROM shot;
    CREATE VIEW shots_again AS SELECT * FROM shots;
    CREATE TRIGGER through INSTEAD OF INSERT ON shots BEGIN INSERT INTO kept VALUES (new.code); END;
    ALTER TABLE shot ADD COLUMN mine TEXT COLLATE NOCASE CHECK (mine <> 'no, never');
    ALTER TABLE shot ADD COLUMN twice TEXT GENERATED ALWAYS AS (code || code) VIRTUAL;
    ALTER TABLE shot ADD COLUMN rowid TEXT;
    INSERT INTO asset (id) VALUES (7), (8);
    INSERT INTO shot (oid, id, code, asset_id, mine) VALUES (40, 1, 'a', 7, 'x'), (9, 2, NULL, NULL, NULL);
    INSERT INTO publish VALUES (1, 1), (2, 2);
    INSERT INTO publish VALUES (3, 77); -- a fault of old
    INSERT INTO fast VALUES (1, 1);
"""
AFTER = """
    UPDATE shot SET code = 'b' WHERE id = 2;
    INSERT INTO shots (code) VALUES ('through a view');
    INSERT INTO publish VALUES (4, 1);
"""
LIST = site(
    Shot={"code": "list", "asset": "entity:Asset", "others": "multi_entity:Shot"},
    Asset={"shot": "entity:Shot"},
)
TEXT = site(
    Shot={"code": "text", "asset": "entity:Asset", "others": "multi_entity:Shot"},
    Asset={"shot": "entity:Shot"},
)
Refusal = Callable[[sqlite3.Connection], None]


def nothing(driver: sqlite3.Connection) -> None:
    """Refuse nothing."""


def defensive(driver: sqlite3.Connection) -> None:
    """SQLITE_DBCONFIG_DEFENSIVE, which Python knows of since 3.12."""
    if hasattr(driver, "setconfig"):
        driver.setconfig(1010, True)
    else:
        handle = ctypes.cast(id(driver) + object.__basicsize__, ctypes.POINTER(ctypes.c_void_p))[0]
        library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
        assert library.sqlite3_db_config(ctypes.c_void_p(handle), 1010, 1, None) == 0


def authorizer(driver: sqlite3.Connection) -> None:
    def answer(action: int, name: str | None, *_: Any) -> int:
        refused = (action, name) == (sqlite3.SQLITE_PRAGMA, "writable_schema")
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    driver.set_authorizer(answer)


def defensive_with_foreign_keys(driver: sqlite3.Connection) -> None:
    defensive(driver)
    driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def refusing(refuse: Refusal) -> Iterator[list[str]]:
    """Do this to every new connection; gives the statements that are run meanwhile."""
    statements: list[str] = []

    def connected(driver: sqlite3.Connection, _: Any) -> None:
        refuse(driver)

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(sa.Pool, "connect", connected)
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Pool, "connect", connected)
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def run(url: str, script: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.executescript(script)
    connection.close()


def everything(url: str) -> dict[str, Any]:
    """The structure, each table's rows with their rowids, and what stands in the schema table but for quotes."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    names = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    rows = {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in names}
    rowids = connection.execute("SELECT oid, id FROM shot ORDER BY id").fetchall()
    master = connection.execute("SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_master").fetchall()
    connection.close()
    texts = sorted((kind, name, table, re.sub(r"\s+", " ", sql or "")) for kind, name, table, sql in master)
    return {"structure": snapshot_structure(url), "rows": rows, "rowids": rowids, "texts": texts}


@pytest.fixture(scope="module")
def at_first(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A project with its database at the first revision, and what others added to it; to be copied."""
    folder = tmp_path_factory.mktemp("first") / "project"
    studio = Studio(folder, f"sqlite:///{folder}/here.db")
    studio.take(LIST)
    studio.revise(rev_id="one")
    studio.upgrade()
    run(studio.url, ADDITIONS)
    studio.take(TEXT)
    return studio


def copy_of(studio: Studio, folder: Path) -> Studio:
    return studio.copy(folder, f"sqlite:///{folder}/here.db")


def walk(studio: Studio, refuse: Refusal) -> tuple[list[dict[str, Any]], str]:
    """What the database holds after each command, and the statements of all."""
    found, said = [], []
    studio.configure(foreign_keys="true")
    for command in (studio.revise, studio.upgrade, studio.check, studio.downgrade, studio.upgrade):
        with refusing(refuse) as statements:
            command()
        said += statements
        found.append(everything(studio.url))
    run(studio.url, AFTER)
    found.append(everything(studio.url))
    return found, "\n".join(said)


@pytest.fixture(scope="module")
def edited(at_first: Studio, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the walk gives where SQLite lets us edit."""
    found, statements = walk(copy_of(at_first, tmp_path_factory.mktemp("edited") / "project"), nothing)
    assert "UPDATE sqlite_master" in statements
    assert "_alembic_tmp_" not in statements
    assert ("updated b",) in found[-1]["rows"]["kept"]
    assert [oid for oid, _ in found[-1]["rowids"]] == [40, 9]
    return found


@pytest.mark.parametrize("refuse", [defensive, authorizer])
def test_a_copy_gives_what_the_edit_gives(
    refuse: Refusal, edited: list[dict[str, Any]], at_first: Studio, tmp_path: Path
) -> None:
    found, statements = walk(copy_of(at_first, tmp_path / "project"), refuse)
    for number, (copied, wanted) in enumerate(zip(found, edited, strict=True)):
        assert copied == wanted, number
    assert "INSERT INTO _alembic_tmp_shot" in statements.replace('"', "")


def test_a_copy_is_refused_where_it_would_delete_rows(at_first: Studio, tmp_path: Path) -> None:
    """And the remedy of the message, which is how env.py was, does it."""
    studio = copy_of(at_first, tmp_path / "project")
    studio.revise()
    before = everything(studio.url)
    path = studio.folder / "migrations" / "env.py"
    ours = path.read_text("utf-8")
    plain = ours.replace("sg.connect()", "sqlalchemy.create_engine(sg.url).connect()")
    path.write_text("import sqlalchemy\n" + plain, "utf-8")
    with (
        refusing(defensive_with_foreign_keys),
        pytest.raises(ForeignKeysOnError, match=r"Connect with sg.connect\(\) in env.py"),
    ):
        studio.upgrade()
    assert everything(studio.url) == before
    path.write_text(ours, "utf-8")
    with refusing(defensive_with_foreign_keys):
        studio.upgrade()
    assert everything(studio.url)["rows"]["publish"] == before["rows"]["publish"]


def test_autoincrement_goes_on_where_it_was() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        defensive(driver)
        connection.exec_driver_sql("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, code VARCHAR(9))")
        connection.exec_driver_sql("INSERT INTO counted VALUES (41, 'x')")
        connection.exec_driver_sql("DELETE FROM counted")
        context = MigrationContext.configure(connection)
        prepare_context(context)
        with Operations.context(context) as op, op.batch_alter_table("counted") as batch_op:
            batch_op.alter_column("code", type_=sa.Text(), existing_type=sa.String(9))
        connection.exec_driver_sql("INSERT INTO counted (code) VALUES ('y')")
        assert connection.exec_driver_sql("SELECT id, code FROM counted").all() == [(42, "y")]
        assert connection.exec_driver_sql("SELECT name FROM sqlite_sequence").all() == [("counted",)]


@pytest.mark.parametrize("name", ["shot", '"shot"', "`a (b`", "[a (b]", '"CREATE TABLE"'])
@pytest.mark.parametrize("gap", ["", " ", " /* ( */ ", " -- (\n"])
def test_a_statement_for_another_name(name: str, gap: str) -> None:
    sql = f"CREATE TABLE {name}{gap}(code TEXT CHECK (code <> '('), n INT)"
    engine = sqlite3.connect(":memory:")
    engine.execute(with_name(sql, '"b"'))
    assert engine.execute("SELECT name FROM sqlite_master").fetchall() == [("b",)]
    assert with_name(sql, '"b"').endswith(sql[sql.index("code") :])
    engine.close()
