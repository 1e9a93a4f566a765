"""Small projects for the review's tests: a site of two entity types, its first revision, and more on top of it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import alembic.command
from alembic.config import Config
from testsite import raw_schema

from sg_migrate.review.run import Review, review
from sg_migrate.review.selection import selected
from sg_migrate.revisions.generate import revision
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.template import create_project
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge, write_snapshot

TODAY = date(2026, 1, 1)

HEADER = '''"""{message}"""
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None
'''


def small_site(**types: str) -> SiteSchema:
    """Shot and Task; ``types`` sets or adds data types of Shot's fields, ``""`` leaves one out."""
    fields = {"code": "text", "id": "number", "sg_cut_in": "text", "sg_frames": "number", "sg_status": "status_list"}
    shot = {code: data_type for code, data_type in (fields | types).items() if data_type}
    return SiteSchema(
        {"Shot": _entity_type("Shot", shot), "Task": _entity_type("Task", {"id": "number", "name": "text"})}
    )


def _entity_type(code: str, fields: dict[str, str]) -> EntityType:
    made = {name: Field(code, name, data_type, name=_display_name(name)) for name, data_type in sorted(fields.items())}
    return EntityType(code, code, fields=made)


def _display_name(code: str) -> str:
    return code.removeprefix("sg_").replace("_", " ").title()


def renamed(site: SiteSchema, code: str, name: str) -> SiteSchema:
    """The site with another display name for one of Shot's fields."""
    shot = site.entity_types["Shot"]
    field = replace(shot.fields[code], name=name)
    return SiteSchema({**site.entity_types, "Shot": replace(shot, fields={**shot.fields, code: field})})


@dataclass(frozen=True)
class Made:
    """A project in a folder."""

    folder: Path

    @property
    def ini(self) -> Path:
        return self.folder / "alembic.ini"

    @property
    def versions(self) -> Path:
        return self.folder / "migrations" / "versions"

    @property
    def database(self) -> Path:
        return self.folder / "warehouse.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def project(self) -> Project:
        """Read anew from the files."""
        return Project.find(self.ini)

    def snapshot(self, site: SiteSchema) -> Snapshot:
        """Merge a site into the snapshot file."""
        project = self.project()
        merged = merge(project.stored_snapshot(), site, today=TODAY, accept_retirements=True)
        write_snapshot(project.snapshot_path, merged)
        return merged

    def follow(self, site: SiteSchema, rev_id: str) -> None:
        """The snapshot and the generated revision of a site."""
        snapshot = self.snapshot(site)
        with contextlib.redirect_stderr(io.StringIO()):
            assert revision(self.project(), snapshot, rev_id, rev_id=rev_id) is not None

    def write(
        self, rev_id: str, upgrade: str, downgrade: str = "pass", *, on: str = "r1", ours: bool = True, top: str = ""
    ) -> Path:
        """A revision written by hand; the bodies without indentation."""
        text = HEADER.format(message=rev_id, revision=rev_id, down_revision=on)
        text += "sg_digest = None\n" * ours + top
        for name, body in (("upgrade", upgrade), ("downgrade", downgrade)):
            text += f"\n\ndef {name}():\n" + textwrap.indent(textwrap.dedent(body).strip() + "\n", "    ")
        path = self.versions / f"{rev_id}_{rev_id}.py"
        path.write_text(text, encoding="utf-8")
        return path

    def upgrade(self, revision: str = "head", url: str = "") -> str:
        """Run ``alembic upgrade`` in this process; returns the database's address."""
        address = url or self.url
        with environment(DATABASE_URL=address):
            alembic.command.upgrade(Config(str(self.ini), stdout=io.StringIO()), revision)
        return address

    def review(self, name: str = "head", dialect: str = "sqlite", url: str = "", *, sql: bool = False) -> Review:
        """The review of one revision."""
        project = self.project()
        if not url:
            (script,) = selected(project, [name])
            return review(project, script, dialect, sql=sql)
        with project.database(url) as (database, _):
            (script,) = selected(project, [name])
            assert database is not None
            return review(project, script, dialect, database=database, sql=sql)


def make(folder: Path, site: SiteSchema | None = None) -> Made:
    """A project of ours with the first revision, ``r1``, of the site."""
    create_project(folder, url="sqlite:///warehouse.db")
    made = Made(folder)
    made.follow(site or small_site(), "r1")
    return made


def codes(result: Review) -> set[str]:
    """The codes of what is found and not allowed."""
    return {finding.rule.code for finding in result.open}


@contextlib.contextmanager
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


@contextlib.contextmanager
def working_directory(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def written(made: Made, site: SiteSchema, name: str = "other.json") -> str:
    """The site's schema as a file, as the API answers."""
    fields, entities = raw_schema(site)
    path = made.folder / name
    path.write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
    return name
