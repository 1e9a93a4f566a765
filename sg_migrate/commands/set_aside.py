"""``sg-migrate set-aside``: keep the values that a field has so far apart from those to come."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.command(name="set-aside", epilog="Example: sg-migrate set-aside CustomEntity07 Shot.sg_scan --dry-run")
@click.argument("patterns", nargs=-1, required=True, metavar="NAME...")
@click.option("--dry-run", is_flag=True, help="Say what would be set aside and mark nothing.")
@config_option
@setting_option
def command(patterns: tuple[str, ...], dry_run: bool, config: Path, arguments: tuple[str, ...]) -> None:
    """Mark NAMEs in the snapshot: the next revision keeps the values they have so far in columns of their own.

    For what the site uses for another thing now: NAME is a field (Shot.sg_scan), an entity type (CustomEntity07: all
    its fields; the rows and their ids stay), or a pattern with * ? [...] {a,b}. The field starts empty, no value is
    dropped, and the downgrade puts the old ones back. Touches no database.
    """
    from sg_migrate.revisions.set_aside import set_aside
    from sg_migrate.text import clean

    found = project(config, arguments)
    chosen = set_aside(found, patterns, dry_run=dry_run)
    for item in chosen:
        name = f'{item.name} "{clean(item.display_name)}"' if item.display_name else item.name
        click.echo(f"{name}: {', '.join(item.objects)}")
    outcome = "would be set aside" if dry_run else "marked to be set aside"
    click.echo(f"{found.snapshot_path}: the values of {len(chosen)} {outcome}", err=True)
    if chosen and not dry_run:
        click.echo("The next revision does it: sg-migrate revision", err=True)
