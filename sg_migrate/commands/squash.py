"""``sg-migrate squash``: a long history as one revision."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.command(name="squash", epilog="Example: sg-migrate squash 5dd263661669 --dry-run")
@click.argument("revision")
@click.option("--dry-run", is_flag=True, help="Say what would become one revision, and write nothing.")
@config_option
@setting_option
def command(revision: str, dry_run: bool, config: Path, arguments: tuple[str, ...]) -> None:
    """Make one revision of everything up to REVISION; it keeps that id and builds the same.

    Databases that are at it or past it go on without running it. One that is before it is told how to go on: bring
    every warehouse that far first. Touches no database; git has what was there before.
    """
    from sg_migrate.revisions.squash import squash
    from sg_migrate.text import plural

    found = project(config, arguments)
    done = squash(found, revision, dry_run=dry_run)
    outcome = "would be in it" if dry_run else "are in it now, and their files are gone"
    click.echo(f"{done.path.name}: {plural(len(done.replaced), 'earlier revision')} {outcome}")
