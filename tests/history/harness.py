"""One history of revisions, and the databases that it runs on: what every test of this folder stands on.

    history = History(folder, url)
    history.take(schema)                 # the snapshot
    revision = history.revise("first")   # alembic revision --autogenerate
    history.upgrade()
    history.check()                      # raises when anything is left to do
    assert not history.against_the_model(databases)

Alembic runs in this process, through ``alembic.command``; `run` runs a real command in the project's folder.
"""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from engines import Databases
from structure import Structure, diff_structure, raw_connection, snapshot_structure

from sg_migrate import EntityType, Field, SiteSchema, load, merge, read_snapshot, write_snapshot
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.template import create_project
from sg_migrate.settings import Settings
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State, to_metadata

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = sorted((REPOSITORY / "sample_schemas").glob("*.json"))
REAL = sorted((REPOSITORY.parent / "shared" / "real_schemas").glob("*.json"))
KEPT = Path(__file__).parent / "revisions"
"""The revisions of the sample schemas, kept for review; `keep_revisions.py` writes them."""
TODAY = date(2026, 1, 1)
OURS_ASIDE = ("alembic_version", "sg_carry")
"""Tables that belong to no model: Alembic's and the carry-over's."""


class History:
    """A project of ours in ``folder``, with the database that its commands go to unless they are told another."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.folder = folder
        self.url = url
        self.ini = create_project(folder, url=url)
        self.versions = folder / "migrations" / "versions"
        self.number = 0
        if settings:
            lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
            text = self.ini.read_text(encoding="utf-8")
            self.ini.write_text(text.replace("[sg_migrate]\n", f"[sg_migrate]\n{lines}"), encoding="utf-8")

    def config(self, *x: str, url: str | None = None) -> Config:
        """Alembic's configuration, with the arguments of ``-x``."""
        config = Config(str(self.ini), cmd_opts=Namespace(x=list(x)), stdout=io.StringIO(), output_buffer=io.StringIO())
        config.set_main_option("sqlalchemy.url", (url or self.url).replace("%", "%%"))
        return config

    def project(self, url: str | None = None) -> Project:
        return Project(self.config(url=url))

    def take(self, source: SiteSchema | Path, today: date = TODAY) -> None:
        """Merge what the site says into the snapshot."""
        path = self.project().snapshot_path
        stored = read_snapshot(path) if path.exists() else None
        schema = load(source).schema if isinstance(source, Path) else source
        write_snapshot(path, merge(stored, schema, today=today, accept_retirements=True))

    def revise(self, message: str, *x: str, url: str | None = None) -> Path | None:
        """Autogenerate; the revision's file, or None when there was nothing to do."""
        before = set(self.versions.glob("*.py"))
        with undisturbed():
            alembic.command.revision(
                self.config(*x, url=url), message, autogenerate=True, rev_id=f"{self.number + 1:04d}"
            )
        new = set(self.versions.glob("*.py")) - before
        self.number += len(new)
        assert len(new) < 2
        return new.pop() if new else None

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

    def script(self, *x: str, revision: str = "head", url: str | None = None) -> str:
        """``alembic upgrade --sql``."""
        config = self.config(*x, url=url)
        with undisturbed():
            alembic.command.upgrade(config, revision, sql=True)
        assert isinstance(config.output_buffer, io.StringIO)
        return config.output_buffer.getvalue()

    def model(self) -> State:
        """What the snapshot wants, given what is built."""
        project = self.project()
        return project.model(project.required_snapshot().schema)

    def built(self) -> State:
        return self.project().built

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
        fresh = created(databases, engine_of(self.url), build_state(load(source).schema, Settings(), {}))
        lines = diff_structure(fresh, self.structure())
        return {line.split(":")[0] for line in lines if "only in the second" not in line}

    def text_of(self) -> dict[str, str]:
        """Every revision by file name, without ids' dates."""
        return {path.name: normalised(path) for path in sorted(self.versions.glob("*.py"))}


def normalised(path: Path) -> str:
    """A revision's text without its date."""
    return re.sub(r"(?m)^Create Date: .*$", "Create Date: -", path.read_text(encoding="utf-8"))


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


def execute(url: str, *statements: str) -> None:
    """Somebody else at work on the database."""
    with raw_connection(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@contextmanager
def undisturbed() -> Iterator[None]:
    """env.py configures logging anew each time; give pytest its handlers back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


def run(
    folder: Path, *command: str, fails: bool = False, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A real command (``alembic``, ``sg-migrate``) in a folder; it must succeed, or fail where it says so."""
    program = Path(sys.executable).parent / command[0]
    clean = {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("SG_")}
    finished = subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        env=clean | dict(env or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (finished.returncode != 0) == fails, f"{command}: {finished.returncode}\n{finished.stdout}{finished.stderr}"
    assert "Traceback" not in finished.stderr, finished.stderr
    return finished


def pairs(**tables: dict[str, str]) -> dict[Any, Any]:
    """``renamed`` for the oracle: ``pairs(shot={"sg_cut_in": "sg_cut_in__was_text"})``."""
    return {(table, old): (table, new) for table, columns in tables.items() for old, new in columns.items()}


def a_site(*fields: Field) -> SiteSchema:
    """A small site: shots with a link, a list, numbers and times."""
    own = [
        Field("Shot", "id", "number", "Id"),
        Field("Shot", "code", "text", "Shot Code", 'The "name" of it'),
        Field("Shot", "sg_cut_in", "number", "Cut In"),
        Field("Shot", "sg_ratio", "float", "Ratio"),
        Field("Shot", "sg_status_list", "status_list", "Status 🦋"),
        Field("Shot", "sg_shown_at", "date_time", "Shown at"),
        Field("Shot", "sg_sequence", "entity", "Sequence", valid_types=("Sequence",)),
        Field("Shot", "assets", "multi_entity", "Assets", valid_types=("Asset",)),
    ]
    shot = EntityType("Shot", "Shot", fields={f.code: f for f in sorted([*own, *fields], key=lambda f: f.code)})
    sequence = EntityType("Sequence", "Reel", fields={"id": Field("Sequence", "id", "number", "Id")})
    return SiteSchema({"Sequence": sequence, "Shot": shot})
