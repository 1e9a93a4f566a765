"""``sg-migrate init``: an Alembic project that follows a site."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.source import echo_taken, read_source


@click.command(name="init", epilog="Example: sg-migrate init warehouse --from schema.json")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Take the first snapshot from this file.")
@click.option("--live", is_flag=True, help="Take the first snapshot from the live site.")
@click.option("--adopt", is_flag=True, help="Take over a warehouse that shotgrid_orm's create_all made, as it is.")
@click.option("--url", help="The warehouse, for alembic.ini; by default the SQLite file warehouse.db beside it.")
def command(folder: Path, source: Path | None, live: bool, adopt: bool, url: str | None) -> None:
    """Make FOLDER an Alembic project: alembic.ini, migrations/ with env.py, and with --from or --live a snapshot.

    Overwrites nothing. A password in --url is written into no file: DATABASE_URL in the environment stands above
    alembic.ini.
    With --adopt the first revision describes the site's tables that are in the database, and is stamped on it; nothing
    else in the database changes.
    """
    from sg_migrate.database.address import without_password
    from sg_migrate.revisions.adopt import adopt as adopt_warehouse
    from sg_migrate.revisions.project import Project
    from sg_migrate.revisions.template import create_project
    from sg_migrate.settings import Settings
    from sg_migrate.site.taking import take_snapshot

    if adopt and source is None and not live:
        raise click.UsageError("--adopt takes --from FILE or --live as well.")
    snapshot = folder / "migrations" / Settings().snapshot
    loaded = read_source(source, snapshot=snapshot) if source is not None or live else None
    if url is not None and without_password(url) != url:
        click.echo("note: the password is in no file; put the whole address into DATABASE_URL", err=True)
    if adopt and loaded is not None:
        adopted = adopt_warehouse(folder, loaded, url or "sqlite:///warehouse.db")
        echo_taken(adopted.taken)
        columns = sum(len(table.columns) for table in adopted.built.values())
        click.echo(f"{adopted.ini}: {len(adopted.built)} tables with {columns} columns are taken over as they are")
        click.echo("Next: sg-migrate revision -m differences")
        return
    ini = create_project(folder, url=url)
    click.echo(f"{ini}: an Alembic project with its scripts in {ini.parent / 'migrations'}")
    if loaded is not None:
        echo_taken(take_snapshot(Project.find(ini).snapshot_path, loaded))
    click.echo("Next: " + ("" if loaded else "sg-migrate snapshot, then ") + "sg-migrate revision -m first")
