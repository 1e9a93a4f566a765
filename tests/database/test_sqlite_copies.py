"""SQLite that lets nobody edit its schema table: a copy gives what the edit gives, and what others added is kept."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structure import snapshot_structure

from sg_migrate.database.sqlite import with_name

pytest_plugins = ["projects"]

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
REFUSALS = {
    "defensive": """
import ctypes, ctypes.util
from sqlite3 import Connection

def refuse(driver: Connection) -> None:
    if hasattr(driver, "setconfig"):
        driver.setconfig(1010, True)  # SQLITE_DBCONFIG_DEFENSIVE
    else:
        handle = ctypes.cast(id(driver) + object.__basicsize__, ctypes.POINTER(ctypes.c_void_p))[0]
        library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
        assert library.sqlite3_db_config(ctypes.c_void_p(handle), 1010, 1, None) == 0
""",
    "authorizer": """
import sqlite3

def refuse(driver):
    def answer(action, name, *_):
        refused = (action, name) == (sqlite3.SQLITE_PRAGMA, "writable_schema")
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
    driver.set_authorizer(answer)
""",
}
ENV = """
import sqlalchemy

@sqlalchemy.event.listens_for(sqlalchemy.pool.Pool, "connect")
def connected(driver, _):
    refuse(driver)

@sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute")
def note(connection, cursor, statement, *_):
    with open("statements.txt", "a") as file:
        print(statement, file=file)
"""
LIST = {
    "Shot": {"code": "list", "asset": "entity Asset", "others": "multi_entity Shot"},
    "Asset": {"shot": "entity Shot"},
}
TEXT = {**LIST, "Shot": {**LIST["Shot"], "code": "text"}}


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


def walk(project: Any, env: str) -> list[dict[str, Any]]:
    """What the database holds after each command; the same revisions for all, made by the first."""
    project.take(LIST)
    project.revise("one")
    project.alembic("upgrade", "head")
    run(project.url, ADDITIONS)
    path = project.folder / "migrations" / "env.py"
    path.write_text(env + path.read_text("utf-8"), "utf-8")
    found: list[dict[str, Any]] = []
    project.take(TEXT)
    ini = project.ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nforeign_keys = true\n")
    project.ini.write_text(ini, "utf-8")
    project.revise("two")
    for command in (("upgrade", "head"), ("check",), ("downgrade", "one"), ("upgrade", "head")):
        project.alembic(*command)
        found.append(everything(project.url))
    run(project.url, AFTER)
    found.append(everything(project.url))
    return found


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, make_site: Callable[..., Any]) -> list[dict[str, Any]]:
    """What the walk gives where SQLite lets us edit."""
    folder = tmp_path_factory.mktemp("edited")
    project = make_site(folder / "project", f"sqlite:///{folder}/here.db")
    found = walk(project, "def refuse(driver):\n    pass\n" + ENV)
    assert "_alembic_tmp_" not in (project.folder / "statements.txt").read_text("utf-8")
    assert ("updated b",) in found[-1]["rows"]["kept"]
    assert [oid for oid, _ in found[-1]["rowids"]] == [40, 9]
    return found


@pytest.mark.parametrize("how", REFUSALS)
def test_a_copy_gives_what_the_edit_gives(
    how: str, edited: list[dict[str, Any]], make_site: Callable[..., Any], tmp_path: Path
) -> None:
    project = make_site(tmp_path / "project", f"sqlite:///{tmp_path}/here.db")
    for number, (copied, wanted) in enumerate(zip(walk(project, REFUSALS[how] + ENV), edited, strict=True)):
        assert copied == wanted, number
    statements = (project.folder / "statements.txt").read_text("utf-8")
    assert "INSERT INTO _alembic_tmp_shot" in statements.replace('"', "")


def test_a_copy_is_refused_where_it_would_delete_rows(make_site: Callable[..., Any], tmp_path: Path) -> None:
    """And the remedy of the message, which is how env.py was, does it."""
    project = make_site(tmp_path / "project", f"sqlite:///{tmp_path}/here.db")
    project.take(LIST)
    project.revise("one")
    project.alembic("upgrade", "head")
    run(project.url, ADDITIONS)
    project.take(TEXT)
    project.revise("two")
    path = project.folder / "migrations" / "env.py"
    ours = REFUSALS["defensive"] + ENV + path.read_text("utf-8")
    plain = ours.replace("    refuse(driver)", "    refuse(driver)\n    driver.execute('PRAGMA foreign_keys=ON')")
    path.write_text(plain.replace("sg.connect()", "sqlalchemy.create_engine(sg.url).connect()"), "utf-8")
    before = everything(project.url)
    failed = project.alembic("upgrade", "head", fails=True)
    assert "Connect with sg.connect() in env.py" in failed.stderr + failed.stdout
    assert everything(project.url) == before
    path.write_text(plain, "utf-8")
    project.alembic("upgrade", "head")
    assert everything(project.url)["rows"]["publish"] == before["rows"]["publish"]


def test_autoincrement_goes_on_where_it_was(tmp_path: Path) -> None:
    import sqlalchemy as sa
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    from sg_migrate.database.connection import prepare_context

    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        scope: dict[str, Any] = {}
        exec(REFUSALS["defensive"], scope)  # noqa: S102 - as env.py has it
        scope["refuse"](driver)
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
