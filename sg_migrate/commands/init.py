"""``sg-migrate init``: an Alembic project that follows a site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sg_migrate.site.loaded import Loaded


@click.command(name="init", epilog="Example: sg-migrate init warehouse --from schema.json")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Take the first snapshot from this file.")
@click.option("--live", is_flag=True, help="Take the first snapshot from the live site.")
@click.option("--adopt", is_flag=True, help="Take over a warehouse that shotgrid_orm's create_all made, as it is.")
@click.option("--url", default="sqlite:///warehouse.db", show_default=True, help="The warehouse, for alembic.ini.")
def command(folder: Path, source: Path | None, live: bool, adopt: bool, url: str) -> None:
    """Make FOLDER an Alembic project: alembic.ini, migrations/ with env.py, and with --from or --live a snapshot.

    Overwrites nothing. Put no password into --url: DATABASE_URL in the environment stands above it.
    With --adopt the first revision describes the site's tables that are in the database, and is stamped on it; nothing
    else in the database changes.
    """
    from sg_migrate.commands.snapshot import read_source, take
    from sg_migrate.revisions.project import Project
    from sg_migrate.revisions.template import create_project

    if adopt and source is None and not live:
        raise click.UsageError("--adopt takes --from FILE or --live as well.")
    loaded = read_source(source) if source is not None or live else None
    if adopt and loaded is not None:
        _adopt(folder, loaded, url)
        return
    ini = create_project(folder, url=url)
    click.echo(f"{ini}: an Alembic project with its scripts in {ini.parent / 'migrations'}")
    if loaded is not None:
        take(Project.find(ini).snapshot_path, loaded)
    click.echo("Next: " + ("" if loaded else "sg-migrate snapshot, then ") + "alembic revision --autogenerate -m first")


def _adopt(folder: Path, loaded: Loaded, url: str) -> None:
    """Look at the database first; what cannot be taken over leaves nothing behind."""
    import alembic.command

    from sg_migrate.commands.snapshot import take
    from sg_migrate.database.adoption import absolute, describe
    from sg_migrate.revisions.generate import revision
    from sg_migrate.revisions.project import Project
    from sg_migrate.revisions.template import create_project

    url = absolute(url)
    found = describe(os.environ.get("DATABASE_URL") or url, loaded.schema)
    ini = create_project(folder, url=url)
    ini.write_text(ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nnaming = shotgrid\n", 1), "utf-8")
    project = Project.find(ini)
    take(project.snapshot_path, loaded)
    project.config.attributes["sg_model"] = found
    revision(project, project.required_snapshot(), "what is there")
    alembic.command.stamp(project.config, "head")
    columns = sum(len(table.columns) for table in found.values())
    click.echo(f"{ini}: {len(found)} tables with {columns} columns are taken over as they are")
    click.echo("Next: alembic revision --autogenerate -m differences")
