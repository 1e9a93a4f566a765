"""``sg-migrate init``: an Alembic project that follows a site."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="init", epilog="Example: sg-migrate init warehouse --from schema.json")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Take the first snapshot from this file.")
@click.option("--live", is_flag=True, help="Take the first snapshot from the live site.")
@click.option("--url", default="sqlite:///warehouse.db", show_default=True, help="The warehouse, for alembic.ini.")
def command(folder: Path, source: Path | None, live: bool, url: str) -> None:
    """Make FOLDER an Alembic project: alembic.ini, migrations/ with env.py, and with --from or --live a snapshot.

    Overwrites nothing. Put no password into --url: DATABASE_URL in the environment stands above it.
    """
    from sg_migrate.commands.snapshot import read_source, take
    from sg_migrate.revisions.project import Project
    from sg_migrate.revisions.template import create_project

    loaded = read_source(source) if source is not None or live else None
    ini = create_project(folder, url=url)
    click.echo(f"{ini}: an Alembic project with its scripts in {ini.parent / 'migrations'}")
    if loaded is not None:
        take(Project.find(ini).snapshot_path, loaded)
    click.echo("Next: " + ("" if loaded else "sg-migrate snapshot, then ") + "alembic revision --autogenerate -m first")
