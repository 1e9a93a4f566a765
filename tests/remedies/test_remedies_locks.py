"""Others at work on the database: locks, views, another migration, nobody at home; what they say to do, done."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from carried import commands_in, do, held, refused, says, settings_in
from engines import Databases
from sites import site
from studio import Studio

from sg_migrate.errors import BusyError, ConnectionFailedError, LockedError, ViewsError

ENGINES = ["sqlite", "postgresql", "mariadb"]
FIRST = site(Shot={"code": "text", "sg_cut": "text"}, Asset={"code": "text"})
SECOND = site(Shot={"code": "text", "sg_cut": "number"}, Asset={"code": "text", "sg_new": "text"})


@pytest.fixture(params=ENGINES)
def studio(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Studio:
    """One revision old with rows, and the next one written."""
    return written(tmp_path / "project", databases.new(request.param))


def written(folder: Path, url: str) -> Studio:
    studio = Studio(folder, url, lock_timeout="0.2")
    studio.follow(FIRST, "0001")
    studio.upgrade()
    studio.execute("INSERT INTO shot (id, code, sg_cut) VALUES (1, 'a', '12')")
    studio.follow(SECOND, "0002")
    return studio


@contextmanager
def locked(url: str) -> Iterator[threading.Event]:
    """Somebody reads shot and never ends, until the event that this gives."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    begun, let_go = threading.Event(), threading.Event()

    def read() -> None:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("SELECT * FROM shot").all()
            begun.set()
            let_go.wait(60)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert begun.wait(60)
        yield let_go
    finally:
        let_go.set()
        reader.join()


def in_step(studio: Studio) -> None:
    studio.check()
    assert studio.rows("SELECT code, sg_cut, sg_cut__was_text FROM shot") == [("a", 12, "12")]


def test_a_lock(studio: Studio) -> None:
    """Wait longer, and it is free meanwhile; or run again when it is free. On MariaDB asset has changed before shot."""
    resume: list[str] = []
    with locked(studio.url) as let_go:
        if studio.url.startswith("mariadb"):
            said = stopped(studio)
            ((_, *resume),) = commands_in(said)
        else:
            said = refused(studio, LockedError, studio.upgrade)
            assert "Nothing was changed; run it again when the lock is free" in said
        (longer,) = settings_in(said)
        threading.Timer(1.5, let_go.set).start()  # a second is the least that MariaDB waits
        if resume:
            do(studio, *resume, "-x", longer)
        studio.upgrade("head", longer)
        assert let_go.is_set()
    in_step(studio)
    studio.downgrade()
    with locked(studio.url):
        if resume:
            stopped(studio)
        else:
            refused(studio, LockedError, studio.upgrade)
    if resume:
        do(studio, *resume)
    studio.upgrade()
    in_step(studio)


def stopped(studio: Studio) -> str:
    """What the message says where nothing can be taken back."""
    before = held(studio)
    with pytest.raises(LockedError) as caught:
        studio.upgrade()
    assert held(studio) != before
    assert "Nothing was changed" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_lock_on_a_batch(engine: str, databases: Databases, tmp_path: Path) -> None:
    """What is carried over in batches stays done, and goes on when it is run again."""
    studio = Studio(tmp_path / "project", databases.new(engine), lock_timeout="0.2", carry_inline_rows="0")
    studio.follow(FIRST, "0001")
    studio.upgrade()
    studio.execute(*(f"INSERT INTO shot (id, code, sg_cut) VALUES ({n}, 'a', '{n}')" for n in range(1, 5)))
    studio.follow(SECOND, "0002")
    studio.upgrade()
    carry = ("carry", "--batch-size", "1")
    with sa.create_engine(studio.url, poolclass=sa.NullPool).connect() as other:
        other.exec_driver_sql("SELECT * FROM shot WHERE id = 4 FOR UPDATE")
        with pytest.raises(LockedError) as caught:
            says(studio, *carry)()
    waited = {"postgresql": "Waited 0.2 s", "mariadb": "Waited 1 s"}
    assert str(caught.value).startswith(waited[engine])
    assert "The batches before it are done; run it again when the lock is free" in str(caught.value)
    values = studio.rows("SELECT sg_cut FROM shot ORDER BY id")
    assert (values[:2], values[3]) == ([(1,), (2,)], (None,))  # MariaDB locks the gap before a row too
    do(studio, *carry)
    assert studio.rows("SELECT sg_cut FROM shot ORDER BY id") == [(1,), (2,), (3,), (4,)]
    studio.check()


VIEW = "CREATE VIEW cuts AS SELECT code, sg_cut FROM shot"


def without_views(studio: Studio, said: str) -> None:
    """Drop what the message names."""
    names = set(re.findall(r"view (\w+) uses", said))
    assert names == {"cuts"}
    studio.execute(*(f"DROP VIEW {name}" for name in names))


def test_views_in_the_way(studio: Studio) -> None:
    """Up where the view would follow the old column, and down everywhere: the column of its name is dropped."""
    studio.execute(VIEW)
    if not studio.url.startswith("mariadb"):
        without_views(studio, refused(studio, ViewsError, studio.upgrade))
    studio.upgrade()
    if not studio.url.startswith("mariadb"):
        studio.execute(VIEW)
    assert studio.rows("SELECT * FROM cuts") == [("a", 12)]
    studio.check()
    without_views(studio, refused(studio, ViewsError, studio.downgrade))
    studio.downgrade()
    studio.execute(VIEW)
    assert studio.rows("SELECT * FROM cuts") == [("a", "12")]


def test_another_migration_was_first(tmp_path: Path, sqlite_url: str) -> None:
    """Between the question where the database is and the right to write; run again as the message says."""
    studio = written(tmp_path / "project", sqlite_url)
    others: list[Any] = []

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def another(_: object, cursor: object, statement: str, *rest: object) -> None:
        if statement == "BEGIN IMMEDIATE" and not others:
            others.append(studio.run("alembic", "upgrade", "head"))

    try:
        with pytest.raises(BusyError, match="Nothing was changed; run it again"):
            studio.upgrade()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", another)
    in_step(studio)  # as the other one left it
    before = held(studio)
    studio.upgrade()
    assert held(studio) == before
    in_step(studio)


def test_no_connection_and_then_one(tmp_path: Path) -> None:
    """The message names no remedy but the cause."""
    studio = Studio(tmp_path / "project", f"sqlite:///{tmp_path}/later/warehouse.db")
    studio.follow(FIRST, "0001")
    with pytest.raises(ConnectionFailedError, match="unable to open database file"):
        studio.upgrade()
    assert not (tmp_path / "later").exists()
    (tmp_path / "later").mkdir()
    studio.upgrade()
    studio.check()
