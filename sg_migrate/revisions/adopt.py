"""Taking over a warehouse that was made without revisions: a project whose first revision says what is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import alembic.command

from sg_migrate.database.adoption import absolute, describe
from sg_migrate.revisions.generate import revision
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.template import create_project
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.taking import Taken, take_snapshot
from sg_migrate.warehouse.state import State


@dataclass(frozen=True, slots=True)
class Adopted:
    """A project that has taken a warehouse over: its alembic.ini, its snapshot, and what is built."""

    ini: Path
    taken: Taken
    built: State


def adopt(folder: Path, loaded: Loaded, url: str) -> Adopted:
    """Make ``folder`` a project of the warehouse at ``url``: its first revision describes it and is stamped on it.

    Nothing else in the database changes. The database is looked at first: what cannot be taken over leaves nothing
    behind. ``DATABASE_URL`` stands above ``url``.

    Raises:
        AdoptError: the warehouse cannot be taken over.
        ProjectExistsError: there is a project in the folder.
    """
    url = absolute(url)
    address = os.environ.get("DATABASE_URL") or url
    found = describe(address, loaded.schema)
    ini = create_project(folder, url=url)
    ini.write_text(ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nnaming = shotgrid\n", 1), "utf-8")
    project = Project.find(ini)
    taken = take_snapshot(project.snapshot_path, loaded)
    project.config.attributes.update(sg_model=found, sg_url=address)
    revision(project, taken.snapshot, "what is there")
    alembic.command.stamp(project.config, "head")
    return Adopted(ini, taken, found)
