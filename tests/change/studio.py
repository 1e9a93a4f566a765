"""A small studio: sites in a line of Python, and one project of ours that follows them.

    studio = Studio(folder, url)
    studio.step(site(Shot={"code": "text", "sg_cut_in": "number Cut In"}))   # snapshot, revision, upgrade, check
    studio.execute("INSERT INTO shot (id, code) VALUES (1, 'a')")

Alembic runs in this process; `Studio.run` runs real commands in the project's folder.
"""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from click.testing import CliRunner, Result
from structure import Structure, diff_structure, snapshot_structure

from sg_migrate import EntityType, Field, SiteSchema, merge, read_snapshot, write_snapshot
from sg_migrate.cli import cli
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.template import create_project
from sg_migrate.warehouse.state import State, to_metadata

TODAY = date(2026, 1, 1)
HOST = "studio.example.com"


def field(entity_type: str, code: str, text: str) -> Field:
    """``number Cut In`` is a number called "Cut In"; ``entity:Shot,Asset`` may link to two types."""
    kind, _, name = text.partition(" ")
    data_type, _, types = kind.partition(":")
    valid_types = tuple(sorted(types.split(","))) if types else ()
    return Field(entity_type, code, data_type, name=name or code, valid_types=valid_types)


def site(types: Mapping[str, Mapping[str, str]] | None = None, **more: Mapping[str, str]) -> SiteSchema:
    """What a site says: entity types with their fields; every type has an id."""
    entity_types = {}
    for code, fields in sorted({**(types or {}), **more}.items()):
        known = {name: field(code, name, text) for name, text in sorted({"id": "number Id", **fields}.items())}
        entity_types[code] = EntityType(code, name=code, fields=known)
    return SiteSchema(entity_types, HOST)


def without(schema: SiteSchema, *names: str) -> SiteSchema:
    """``schema`` as it is when somebody put fields (``Shot.sg_old``) or entity types (``Shot``) into the trash."""
    entity_types = dict(schema.entity_types)
    for name in names:
        code, _, gone = name.partition(".")
        if not gone:
            del entity_types[code]
            continue
        kept = {key: value for key, value in entity_types[code].fields.items() if key != gone}
        entity_types[code] = replace(entity_types[code], fields=kept)
    return replace(schema, entity_types=entity_types)


class Studio:
    """One project and its database."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.folder = folder
        self.url = url
        self.ini = create_project(folder, url=url)
        self.versions = folder / "migrations" / "versions"
        self.snapshot = folder / "migrations" / "site_schema.json"
        self.number = 0
        self._plain_ini = self.ini.read_text("utf-8")
        self.set(**settings)

    def set(self, **settings: str) -> None:
        """Replace the settings in alembic.ini."""
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        self.ini.write_text(self._plain_ini.replace("[sg_migrate]\n", f"[sg_migrate]\n{lines}"), "utf-8")

    def config(self, *x: str) -> Config:
        return Config(str(self.ini), cmd_opts=Namespace(x=list(x)), stdout=io.StringIO(), output_buffer=io.StringIO())

    def project(self) -> Project:
        return Project(self.config())

    @property
    def built(self) -> State:
        return self.project().built

    def take(self, schema: SiteSchema, today: date = TODAY) -> None:
        """Merge what the site says into the snapshot."""
        stored = read_snapshot(self.snapshot) if self.snapshot.exists() else None
        write_snapshot(self.snapshot, merge(stored, schema, today=today, accept_retirements=True))

    def revise(self, *x: str) -> str | None:
        """Autogenerate; the revision's text, or None when there was nothing to do."""
        before = set(self.versions.glob("*.py"))
        with undisturbed():
            alembic.command.revision(self.config(*x), "step", autogenerate=True, rev_id=f"{self.number + 1:04d}")
        new = sorted(set(self.versions.glob("*.py")) - before)
        self.number += len(new)
        return new[0].read_text("utf-8") if new else None

    def upgrade(self, revision: str = "head", *x: str) -> None:
        with undisturbed():
            alembic.command.upgrade(self.config(*x), revision)

    def downgrade(self, revision: str = "-1", *x: str) -> None:
        with undisturbed():
            alembic.command.downgrade(self.config(*x), revision)

    def check(self, *x: str) -> None:
        """``alembic check``: raises where something is left to do."""
        with undisturbed():
            alembic.command.check(self.config(*x))

    def apply(self) -> str:
        """A revision from what is in the snapshot now, up, down and up again, and nothing left to do; its text."""
        before = self.structure() if self.number else None
        text = self.revise()
        assert text is not None, "there was nothing to do"
        self.upgrade()
        after = self.structure()
        if before is not None:
            self.downgrade()
            assert diff_structure(before, self.structure()) == []
            self.upgrade()
            assert diff_structure(after, self.structure()) == []
        self.check()
        return text

    def step(self, schema: SiteSchema, today: date = TODAY) -> str:
        """`take` and `apply`."""
        self.take(schema, today)
        return self.apply()

    def structure(self) -> Structure:
        return snapshot_structure(self.url, ignore=["alembic_version", "sg_carry"])

    def against_the_model(self, empty_url: str) -> list[str]:
        """How the database differs from ``create_all`` of the model in an empty one; Alembic takes no part."""
        project = self.project()
        metadata = to_metadata(project.model(project.required_snapshot().schema))
        engine = sa.create_engine(empty_url, poolclass=sa.NullPool)
        metadata.create_all(engine)
        return diff_structure(self.structure(), snapshot_structure(empty_url))

    def execute(self, *statements: str) -> None:
        """The studio's own tools at work on the warehouse."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

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
    """A program of this environment in ``folder``; it must succeed, or fail without a traceback."""
    clean = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and not key.startswith("SG_")}
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [str(program), *command[1:]], cwd=folder, env=clean | dict(env or {}), capture_output=True, encoding="utf-8"
    )
    assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


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
