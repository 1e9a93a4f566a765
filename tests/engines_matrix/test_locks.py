"""A migration never queues a studio's queries behind it: it gives up and says what it waited for, and for whom."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

from sg_migrate.errors import ConnectionFailedError, DatabaseError, LockedError

FIRST = {"Shot": {"code": "text"}}
SECOND = {"Shot": {"code": "text", "added_first": "number", "cut": "number"}}


@pytest.fixture
def warehouse(tmp_path: Path, engine_url: str) -> Warehouse:
    """One with an upgrade to run that adds a column to shot."""
    warehouse = Warehouse(tmp_path / "project", engine_url, lock_timeout="1")
    for name, site in (("r1", FIRST), ("r2", SECOND)):
        warehouse.take(write_site(warehouse.folder / "site.json", site))
        warehouse.revision(name)
        if name == "r1":
            warehouse.upgrade()
    return warehouse


def test_a_reader_that_never_ends(warehouse: Warehouse, engine_name: str) -> None:
    engine = sa.create_engine(warehouse.url, poolclass=sa.NullPool)
    before = snapshot_structure(warehouse.url)
    with engine.connect() as reader:
        if engine_name == "sqlite":
            reader.exec_driver_sql("BEGIN IMMEDIATE")
        reader.execute(sa.text("SELECT * FROM shot")).all()
        begun = time.monotonic()
        with pytest.raises(LockedError) as refused:
            warehouse.upgrade()
        assert 0.9 < time.monotonic() - begun < 6
        if engine_name != "sqlite":  # which knows of no sessions
            query = "pg_backend_pid()" if engine_name.startswith("postgresql") else "connection_id()"
            (session,) = reader.exec_driver_sql(f"SELECT {query}").one()
            assert [text.split(":")[0] for text in refused.value.sessions] == [f"session {session}"]
            assert "ALTER TABLE shot" in refused.value.statement
        reader.rollback()
    assert str(refused.value).startswith("Waited 1 s for a lock")
    assert snapshot_structure(warehouse.url) == before
    warehouse.upgrade()
    warehouse.check()


def alembic(warehouse: Warehouse, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=warehouse.folder, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_command_prints_one_message(tmp_path: Path, postgresql_url: str) -> None:
    warehouse = Warehouse(tmp_path / "project", postgresql_url, lock_timeout="0.2")
    warehouse.take(write_site(warehouse.folder / "site.json", FIRST))
    warehouse.revision("r1")
    nowhere = sa.make_url(postgresql_url).set(port=1, password="s3cret").render_as_string(hide_password=False)
    refused = alembic(warehouse, nowhere, "upgrade", "head")
    assert "No connection to postgresql+psycopg://postgres:***@127.0.0.1:1/" in refused.stderr + refused.stdout
    run_as_admin(postgresql_url, "CREATE ROLE reader LOGIN")
    try:
        reader = sa.make_url(postgresql_url).set(username="reader").render_as_string()
        forbidden = alembic(warehouse, reader, "upgrade", "head")
    finally:
        run_as_admin(postgresql_url, "DROP ROLE reader")
    assert "The database refused: permission denied for table alembic_version" in forbidden.stderr + forbidden.stdout
    warehouse.upgrade()
    warehouse.downgrade("base")
    with sa.create_engine(postgresql_url, poolclass=sa.NullPool).begin() as other:
        other.exec_driver_sql("LOCK TABLE alembic_version")
        locked = alembic(warehouse, postgresql_url, "upgrade", "head")
    assert "Waited 0.2 s for a lock" in locked.stderr + locked.stdout
    assert "held by session" in locked.stderr + locked.stdout
    for finished in (refused, forbidden, locked):
        assert finished.returncode != 0
        assert "Traceback" not in finished.stderr + finished.stdout
        assert "s3cret" not in finished.stderr + finished.stdout


def run_as_admin(url: str, statement: str) -> None:
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_refusal_half_way(warehouse: Warehouse, engine_name: str) -> None:
    run_as_admin(warehouse.url, "ALTER TABLE shot ADD COLUMN cut INT")
    before = snapshot_structure(warehouse.url)
    with pytest.raises(DatabaseError) as refused:
        warehouse.upgrade()
    assert (snapshot_structure(warehouse.url) == before) == (engine_name not in ("mariadb", "mysql"))
    assert "ALTER TABLE shot ADD COLUMN cut" in str(refused.value)
    assert ("sg-migrate resume" in str(refused.value)) == (engine_name in ("mariadb", "mysql"))


def test_no_connection(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "project", f"sqlite:///{tmp_path}/no/such/folder.db")
    with pytest.raises(ConnectionFailedError, match="unable to open database file"):
        warehouse.upgrade()
