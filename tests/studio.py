"""A small studio: a project of ours that follows a site, on a database.

    studio = Studio(folder, url)
    studio.step(site(Shot={"code": "text", "sg_cut_in": "number Cut In"}))   # snapshot, revision, up, down, up, check
    studio.execute("INSERT INTO shot (id, code) VALUES (1, 'a')")

Every test that needs a project uses this one. Alembic runs in this process, through ``alembic.command``; `Studio.run`
runs real commands in the project's folder.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import subprocess
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from click.testing import CliRunner, Result
from engines import Databases
from structure import Structure, diff_structure, raw_connection, snapshot_structure

from sg_migrate import SiteSchema, Snapshot, load_schema, merge, read_snapshot, write_snapshot
from sg_migrate.cli import cli
from sg_migrate.revisions.generate import revision
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.template import create_project
from sg_migrate.settings import Settings
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State, to_metadata

if TYPE_CHECKING:
    from typing_extensions import Self

TODAY = date(2026, 1, 1)
OURS_ASIDE = ("alembic_version", "sg_carry", "sg_load", "sg_load_rejects")
"""Tables that belong to no model: Alembic's, the carry-over's, the load's."""


HEADER = '''"""{message}"""
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None
'''


class Studio:
    """A project of ours in ``folder``, with the database that its commands go to unless they are told another."""

    def __init__(self, folder: Path, url: str = "sqlite:///warehouse.db", **settings: str) -> None:
        self._open(folder, url, create_project(folder, url=url))
        self.configure(**settings)

    @classmethod
    def at(cls, folder: Path, url: str) -> Self:
        """A project that exists already."""
        studio = cls.__new__(cls)
        studio._open(folder, url, folder / "alembic.ini")
        return studio

    def _open(self, folder: Path, url: str, ini: Path) -> None:
        self.folder, self.url, self.ini = folder, url, ini
        self.versions = folder / "migrations" / "versions"
        self.snapshot = folder / "migrations" / "site_schema.json"
        self.number = len(list(self.versions.glob("*.py")))

    def copy(self, folder: Path, url: str) -> Self:
        """The same project in another folder, for another database."""
        shutil.copytree(self.folder, folder)
        return type(self).at(folder, url)

    def configure(self, **settings: str) -> None:
        """Replace the settings in alembic.ini."""
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        before, section, rest = self.ini.read_text("utf-8").partition("[sg_migrate]\n")
        self.ini.write_text(before + section + lines + rest[rest.index("\n[") :], "utf-8")

    def config(self, *x: str, url: str | None = None) -> Config:
        """Alembic's configuration for one command, with the arguments of ``-x``."""
        config = Config(str(self.ini), cmd_opts=Namespace(x=list(x)), stdout=io.StringIO(), output_buffer=io.StringIO())
        config.set_main_option("sqlalchemy.url", (url or self.url).replace("%", "%%"))
        return config

    def project(self, url: str | None = None) -> Project:
        """The project, read anew from the files."""
        return Project(self.config(url=url))

    @property
    def built(self) -> State:
        """What the revisions have built."""
        return self.project().built

    def model(self) -> State:
        """What the snapshot wants, given what is built."""
        project = self.project()
        return project.model(project.required_snapshot().schema)

    # --- the snapshot and the revisions

    def take(self, source: SiteSchema | Path, today: date = TODAY) -> Snapshot:
        """Merge what the site says into the snapshot."""
        stored = read_snapshot(self.snapshot) if self.snapshot.exists() else None
        schema = load_schema(source).schema if isinstance(source, Path) else source
        merged = merge(stored, schema, today=today, accept_retirements=True)
        write_snapshot(self.snapshot, merged)
        return merged

    def revise(self, message: str = "step", *x: str, rev_id: str | None = None, url: str | None = None) -> Path | None:
        """``alembic revision --autogenerate``; the revision's file, or None when there was nothing to do."""
        before = set(self.versions.glob("*.py"))
        name = rev_id or f"{self.number + 1:04d}"
        with undisturbed():
            alembic.command.revision(self.config(*x, url=url), message, autogenerate=True, rev_id=name)
        made = set(self.versions.glob("*.py")) - before
        self.number += len(made)
        assert len(made) < 2
        return made.pop() if made else None

    def follow(self, schema: SiteSchema, rev_id: str) -> Path:
        """The snapshot and the revision of what the site says, without a database: ``sg-migrate revision``."""
        merged = self.take(schema)
        with redirect_stderr(io.StringIO()):
            made = revision(self.project(), merged, rev_id, rev_id=rev_id)
        assert made is not None, "there was nothing to do"
        self.number += 1
        return Path(made[1].path)

    def write(
        self, rev_id: str, upgrade: str, downgrade: str = "pass", *, on: str, ours: bool = True, top: str = ""
    ) -> Path:
        """A revision written by hand; the bodies without indentation."""
        text = HEADER.format(message=rev_id, revision=rev_id, down_revision=on)
        text += "sg_digest = None\n" * ours + top
        for name, body in (("upgrade", upgrade), ("downgrade", downgrade)):
            text += f"\n\ndef {name}():\n" + textwrap.indent(textwrap.dedent(body).strip() + "\n", "    ")
        path = self.versions / f"{rev_id}_{rev_id}.py"
        path.write_text(text, encoding="utf-8")
        return path

    def text_of(self) -> dict[str, str]:
        """Every revision by file name, without dates."""
        return {path.name: normalised(path) for path in sorted(self.versions.glob("*.py"))}

    # --- Alembic on the database

    def upgrade(self, revision: str = "head", *x: str, url: str | None = None) -> None:
        with undisturbed():
            alembic.command.upgrade(self.config(*x, url=url), revision)

    def downgrade(self, revision: str = "-1", *x: str, url: str | None = None) -> None:
        with undisturbed():
            alembic.command.downgrade(self.config(*x, url=url), revision)

    def check(self, *x: str, url: str | None = None) -> None:
        """``alembic check``: raises when the database or the site differs from what the revisions build."""
        with undisturbed():
            alembic.command.check(self.config(*x, url=url))

    def script(self, *x: str, revision: str = "head", down: bool = False, url: str | None = None) -> str:
        """``alembic upgrade --sql``, or ``alembic downgrade --sql``; ``a:b`` begins at revision a."""
        config = self.config(*x, url=url)
        command = alembic.command.downgrade if down else alembic.command.upgrade
        with undisturbed():
            command(config, revision, sql=True)
        assert isinstance(config.output_buffer, io.StringIO)
        return config.output_buffer.getvalue()

    def apply(self) -> str:
        """A revision from what is in the snapshot now, up, down and up again, and nothing left to do; its text."""
        before = self.structure() if self.number else None
        made = self.revise()
        assert made is not None, "there was nothing to do"
        self.upgrade()
        after = self.structure()
        if before is not None:
            self.downgrade()
            assert diff_structure(before, self.structure()) == []
            self.upgrade()
            assert diff_structure(after, self.structure()) == []
        self.check()
        return made.read_text("utf-8")

    def step(self, source: SiteSchema | Path, today: date = TODAY) -> str:
        """`take` and `apply`."""
        self.take(source, today)
        return self.apply()

    # --- the database

    def structure(self, url: str | None = None) -> Structure:
        """The database as its own catalogs describe it."""
        return snapshot_structure(url or self.url, ignore=OURS_ASIDE)

    def against_the_model(self, databases: Databases, url: str | None = None) -> list[str]:
        """How the database differs from ``create_all`` of the model in an empty one; the plugin takes no part."""
        engine = engine_of(url or self.url)
        return diff_structure(self.structure(url), created(databases, engine, self.model()))

    def against_a_fresh_model(self, databases: Databases, source: Path) -> set[str]:
        """Where the database differs from ``create_all`` of what the site has now, made without any memory.

        What the database has beyond that is what is kept, and foreign; it does not count.
        """
        fresh = created(databases, engine_of(self.url), build_state(load_schema(source).schema, Settings(), {}))
        lines = diff_structure(fresh, self.structure())
        return {line.split(":")[0] for line in lines if "only in the second" not in line}

    def execute(self, *statements: str) -> None:
        """The studio's own tools at work on the warehouse."""
        execute(self.url, *statements)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with raw_connection(self.url) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def value(self, query: str) -> Any:
        ((value,),) = self.rows(query)
        return value

    # --- commands

    def sg_migrate(self, *arguments: str) -> Result:
        """A command of ours in this process; its ``exception`` is what it raised."""
        return CliRunner().invoke(cli, [arguments[0], "--config", str(self.ini), *arguments[1:]])

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """A real command in the project's folder; it must succeed, or fail without a traceback."""
        return run(self.folder, *command, env=env, fails=fails)


def run(
    folder: Path, *command: str, env: Mapping[str, str] | None = None, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """A program of this environment (``alembic``, ``sg-migrate``) in ``folder``.

    It must succeed, or fail without a traceback where that is expected.
    """
    clean = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and not key.startswith("SG_")}
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [str(program), *command[1:]], cwd=folder, env=clean | dict(env or {}), capture_output=True, encoding="utf-8"
    )
    assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


def execute(url: str, *statements: str) -> None:
    """Somebody else at work on a database."""
    with raw_connection(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def created(databases: Databases, engine: str, state: State) -> Structure:
    """The structure of ``create_all`` in an empty database."""
    url = databases.new(engine)
    create_all(url, to_metadata(state))
    return snapshot_structure(url)


def create_all(url: str, metadata: sa.MetaData) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA synchronous=OFF")  # or each statement waits for the disk
        metadata.create_all(connection)
    engine.dispose()


def engine_of(url: str) -> str:
    """The name under which `Databases` gives another database of this kind."""
    name = sa.make_url(url).get_backend_name()
    if name != "postgresql":
        return name
    with raw_connection(url) as connection:
        version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    return "postgresql" if int(version) < 160000 else "postgresql-new"


def normalised(path: Path) -> str:
    """A revision's text without its date."""
    return re.sub(r"(?m)^Create Date: .*$", "Create Date: -", path.read_text(encoding="utf-8"))


def summary(revision: str) -> list[str]:
    """The lines of a revision's docstring between its message and its identifiers."""
    return revision.partition("\n\n")[2].partition("\n\nRevision ID:")[0].splitlines()


@contextmanager
def undisturbed() -> Iterator[None]:
    """env.py configures logging anew each time; give pytest its handlers back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def working_directory(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
