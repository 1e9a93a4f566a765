"""A studio whose revisions are reviewed: a site of two entity types, its first revision, and more on top of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result
from sites import site
from studio import Studio, working_directory
from testsite import LocalSite, raw_schema

from sg_migrate.cli import cli, expected
from sg_migrate.review.run import Review, review
from sg_migrate.review.selection import selected
from sg_migrate.site.schema import SiteSchema

if TYPE_CHECKING:
    from typing_extensions import Self


class Reviewed(Studio):
    """A project whose alembic.ini names the database ``warehouse.db`` in its folder."""

    @classmethod
    def make(cls, folder: Path, schema: SiteSchema | None = None) -> Self:
        """A project with the first revision, ``r1``, of a site."""
        cls(folder)
        made = cls.at(folder, local(folder))
        made.follow(schema or small_site(), "r1")
        return made

    def twin(self, folder: Path) -> Self:
        """A copy in another folder, with the database there."""
        return self.copy(folder, local(folder))

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.folder / "warehouse.db"

    def revision(self, name: str) -> Path:
        """A revision's file."""
        (path,) = self.versions.glob(f"{name}_*.py")
        return path

    def review(self, name: str = "head", dialect: str = "sqlite", url: str = "", *, sql: bool = False) -> Review:
        """The review of one revision; with a ``url``, that database is asked."""
        project = self.project()
        if not url:
            (script,) = selected(project, [name])
            return review(project, script, dialect, sql=sql)
        with project.database(url) as (database, _):
            (script,) = selected(project, [name])
            assert database is not None
            return review(project, script, dialect, database=database, sql=sql)

    def inside(self, *command: str, env: dict[str, str] | None = None) -> Result:
        """A command of ours in this process, in the project's folder."""
        with working_directory(self.folder):
            return CliRunner().invoke(cli, command, env=env)

    def written(self, schema: SiteSchema, name: str = "other.json") -> str:
        """A site's schema as a file in the project's folder, as the API answers."""
        fields, entities = raw_schema(schema)
        (self.folder / name).write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
        return name


def local(folder: Path) -> str:
    return f"sqlite:///{folder / 'warehouse.db'}"


def small_site(**types: str) -> SiteSchema:
    """Shot and Task; ``types`` sets or adds data types of Shot's fields, ``""`` leaves one out."""
    shot = {"code": "text", "sg_cut_in": "text", "sg_frames": "number", "sg_status": "status_list"} | types
    named = {code: f"{kind} {_display_name(code)}" for code, kind in shot.items() if kind}
    return replace(site(Shot=named, Task={"name": "text Name"}), host=LocalSite.host)


def _display_name(code: str) -> str:
    return code.removeprefix("sg_").replace("_", " ").title()


def edit(path: Path, old: str, new: str) -> None:
    """Somebody changes a file by hand."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def message_of(result: Result) -> str:
    """What the command would say on stderr as it fails, where it raised an error that is expected."""
    assert isinstance(result.exception, Exception)
    message = expected(result.exception)
    assert message is not None, result.exception
    return message


def codes(result: Review) -> set[str]:
    """The codes of what is found and not allowed."""
    return {finding.rule.code for finding in result.open}
