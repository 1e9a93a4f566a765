"""A migration never queues a studio's queries behind it: it gives up and says what it waited for, and for whom."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sites import site
from structure import snapshot_structure
from studio import Studio

from sg_migrate.errors import ConnectionFailedError, DatabaseError, LockedError

FIRST = site(Shot={"code": "text"})
SECOND = site(Shot={"code": "text", "added_first": "number", "cut": "number"})


@pytest.fixture
def studio(tmp_path: Path, engine_url: str) -> Studio:
    """One with an upgrade to run that adds columns to shot."""
    studio = Studio(tmp_path / "project", engine_url, lock_timeout="1")
    studio.take(FIRST)
    studio.revise()
    studio.upgrade()
    studio.take(SECOND)
    studio.revise()
    return studio


def test_a_reader_that_never_ends(studio: Studio, engine_name: str) -> None:
    engine = sa.create_engine(studio.url, poolclass=sa.NullPool)
    before = snapshot_structure(studio.url)
    with engine.connect() as reader:
        if engine_name == "sqlite":
            reader.exec_driver_sql("BEGIN IMMEDIATE")
        reader.execute(sa.text("SELECT * FROM shot")).all()
        begun = time.monotonic()
        with pytest.raises(LockedError) as refused:
            studio.upgrade()
        assert 0.9 < time.monotonic() - begun < 6
        if engine_name != "sqlite":  # which knows of no sessions
            query = "pg_backend_pid()" if engine_name.startswith("postgresql") else "connection_id()"
            (session,) = reader.exec_driver_sql(f"SELECT {query}").one()
            assert [text.split(":")[0] for text in refused.value.sessions] == [f"session {session}"]
            assert "ALTER TABLE shot" in refused.value.statement
        reader.rollback()
    assert str(refused.value).startswith("Waited 1 s for a lock")
    assert snapshot_structure(studio.url) == before
    studio.upgrade()
    studio.check()


def test_the_command_prints_one_message(tmp_path: Path, postgresql_url: str) -> None:
    studio = Studio(tmp_path / "project", postgresql_url, lock_timeout="0.2")
    studio.take(FIRST)
    studio.revise()
    nowhere = sa.make_url(postgresql_url).set(port=1, password="s3cret").render_as_string(hide_password=False)
    said = refused_upgrade(studio, nowhere)
    assert "No connection to postgresql+psycopg://postgres:***@127.0.0.1:1/" in said
    assert "s3cret" not in said
    studio.execute("CREATE ROLE reader LOGIN")
    reader = sa.make_url(postgresql_url).set(username="reader").render_as_string()
    try:
        with pytest.raises(DatabaseError, match="The database refused: permission denied for table alembic_version"):
            studio.upgrade(url=reader)
    finally:
        studio.execute("DROP ROLE reader")
    studio.upgrade()
    studio.downgrade("base")
    with sa.create_engine(postgresql_url, poolclass=sa.NullPool).begin() as other:
        other.exec_driver_sql("LOCK TABLE alembic_version")
        said = refused_upgrade(studio, postgresql_url)
    assert "Waited 0.2 s for a lock" in said
    assert "held by session" in said


def refused_upgrade(studio: Studio, url: str) -> str:
    """What the command prints, which is no traceback."""
    failed = studio.run("alembic", "upgrade", "head", env={"DATABASE_URL": url}, fails=True)
    assert "Traceback" not in failed.stdout
    return failed.stderr + failed.stdout


def test_a_refusal_half_way(studio: Studio, engine_name: str) -> None:
    studio.execute("ALTER TABLE shot ADD COLUMN cut INT")
    before = snapshot_structure(studio.url)
    with pytest.raises(DatabaseError) as refused:
        studio.upgrade()
    assert (snapshot_structure(studio.url) == before) == (engine_name not in ("mariadb", "mysql"))
    assert "ALTER TABLE shot ADD COLUMN cut" in str(refused.value)
    assert ("sg-migrate resume" in str(refused.value)) == (engine_name in ("mariadb", "mysql"))


def test_no_connection(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", f"sqlite:///{tmp_path}/no/such/folder.db")
    with pytest.raises(ConnectionFailedError, match="unable to open database file"):
        studio.upgrade()
